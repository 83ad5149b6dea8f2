//! The hosts, the settings and the call that all host tests share.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use test_host::{Blocks, Clap, Event, Host, Mode, Pace, Part, Performance, Setup, Sounded, Transport, Vst3};

/// Samples per second.
pub const RATE: f64 = 48_000.0;
/// Quarter notes per minute: a beat is half a second.
pub const TEMPO: f64 = 120.0;
/// Samples per beat.
pub const BEAT: u64 = 24_000;
/// Where the call's last key is released, in samples.
pub const LAST_RELEASE: u64 = 91_200;
/// The sample by which a whole answer is over, even if the tempo falls to a quarter.
pub const END: u64 = LAST_RELEASE + 44 * BEAT;

/// The identifier in CLAP and the name in VST3 of the note effect.
pub const EFFECT: (&str, &str) = ("audio.antiphon.midi", "Antiphon");
/// The same for the instrument slot.
pub const SLOT: (&str, &str) = ("audio.antiphon.slot", "Antiphon (instrument slot)");

/// Settings for the answer alone: a beat after the call, at most eight beats long, by the fastest network.
pub const ANSWERS: &[(&str, &str)] =
    &[("Model", "classic-25"), ("Thru", "off"), ("Patience", "100"), ("Silence", "1.0"), ("Length", "8.0")];

/// Four notes: the last key is released at [`LAST_RELEASE`].
pub fn call() -> Vec<Event> {
    let onsets = [(0, 60, 80), (24_000, 64, 70), (48_000, 67, 96), (72_000, 72, 88)];
    onsets.iter().flat_map(|&(on, key, velocity)| Event::note(on, 19_200, key, velocity)).collect()
}

/// A plugin in the CLAP host, linked into this process, with settings in the plugin's own texts.
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

/// The note effect in both hosts.
pub fn both(settings: &[(&str, &str)]) -> Result<[(&'static str, Box<dyn Host>); 2]> {
    Ok([("CLAP", Box::new(clap(EFFECT, settings)?)), ("VST3", Box::new(vst3(EFFECT, settings)?))])
}

pub fn offline(blocks: Blocks) -> Setup {
    Setup { sample_rate: RATE, largest_block: blocks.largest(), mode: Mode::Offline }
}

/// Plays until [`END`], offline.
pub fn play(
    host: &mut dyn Host,
    score: &[Event],
    transport: &Transport,
    blocks: Blocks,
) -> Result<Performance> {
    let part = Part { score, transport, until: END, blocks, pace: Pace::Free };
    test_host::play(host, offline(blocks), &part)
}

/// The answer of the note effect in the CLAP host to [`call`], in blocks of 512 samples.
pub fn answer(settings: &[(&str, &str)]) -> Result<Performance> {
    play(&mut clap(EFFECT, settings)?, &call(), &Transport::playing(TEMPO), Blocks::Fixed(512))
}

/// The middle of the longest note: a sample at which something sounds.
pub fn within_longest(notes: &[Sounded]) -> Result<u64> {
    let length = |note: &Sounded| note.off.unwrap_or(note.on) - note.on;
    let longest = notes.iter().max_by_key(|note| length(note)).context("there is no answer")?;
    Ok(longest.on + length(longest) / 2)
}

/// Whether a note sounds at a sample.
pub fn sounds(note: &Sounded, at: u64) -> bool {
    note.on < at && note.off.is_none_or(|off| off > at)
}

fn bundle() -> Result<PathBuf> {
    Vst3::lay_out(&antiphon_library::built()?, Path::new(env!("CARGO_TARGET_TMPDIR")), "Antiphon")
}

/// Asserts that two performances are the same, event for event, and reports the first difference.
pub fn assert_alike(heard: &[Event], reference: &[Event], how: &str) {
    let differs = heard.iter().zip(reference).position(|(event, original)| event != original);
    let first = differs.unwrap_or(heard.len().min(reference.len()));
    assert!(
        heard == reference,
        "{how}: event {first} is {:?} instead of {:?}, after {:?}",
        heard.get(first),
        reference.get(first),
        &reference[first.saturating_sub(3)..first]
    );
}
