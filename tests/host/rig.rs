//! The hosts, the settings and the phrase that the laws share.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use stage::{Blocks, Clap, Event, Host, Mode, Pace, Part, Performance, Setup, Transport, Vst3};

pub const RATE: f64 = 48_000.0;
/// Quarter notes per minute: a beat is 24,000 samples.
pub const TEMPO: f64 = 120.0;
pub const BEAT: u64 = 24_000;

pub const EFFECT: (&str, &str) = ("audio.antiphon.midi", "Antiphon");
pub const SLOT: (&str, &str) = ("audio.antiphon.slot", "Antiphon (instrument slot)");

/// Answers alone, one beat after the call: what most laws are about.
pub const ANSWERS: &[(&str, &str)] = &[("Thru", "off"), ("Silence", "1.00"), ("Length", "4.00")];

/// A plugin in the CLAP host, linked into this process, with `settings` in the plugin's own texts.
pub fn clap(plugin: (&str, &str), settings: &[(&str, &str)]) -> Result<Clap> {
    // SAFETY: the framework's entry is a valid one.
    let mut clap = unsafe { Clap::in_process((&raw const antiphon::plugin::clap_entry).cast(), plugin.0) }?;
    for (name, text) in settings {
        clap.set_text(name, text)?;
    }
    Ok(clap)
}

/// The same plugin in the VST3 host, from the library that cargo built beside this test.
pub fn vst3(plugin: (&str, &str), settings: &[(&str, &str)]) -> Result<Vst3> {
    let mut vst3 = Vst3::open(&bundle()?, plugin.1)?;
    let mut texts = clap(plugin, &[])?;
    for (name, text) in settings {
        let id = vst3.parameter(name)?.id;
        let (_, value) = texts.value(name, text)?;
        vst3.set(id, value)?;
    }
    Ok(vst3)
}

pub fn offline(blocks: Blocks) -> Setup {
    Setup { sample_rate: RATE, largest_block: blocks.largest(), mode: Mode::Offline }
}

/// Plays until sample `until`, offline.
pub fn play(
    host: &mut dyn Host,
    score: &[Event],
    transport: &Transport,
    blocks: Blocks,
    until: u64,
) -> Result<Performance> {
    let part = Part { score, transport, until, blocks, pace: Pace::Free };
    stage::play(host, offline(blocks), &part)
}

fn bundle() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let built = test.parent().context("a test lies in a folder")?;
    let library = format!("{}antiphon{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    Vst3::lay_out(&built.join(library), Path::new(env!("CARGO_TARGET_TMPDIR")), "Antiphon")
}
