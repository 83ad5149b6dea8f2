//! `cargo xtask window play`: the demo's phrase into whatever hears MIDI on a JACK server.

use std::sync::mpsc::channel;

use anyhow::{Context, Result};
use jack::{Client, ClientOptions, Control, MidiOut, ProcessScope, RawMidi, contrib::ClosureProcessHandler};
use stage::{Event, Kind};

use super::music::{self, SAMPLE_RATE};

/// The ports are connected after the client began to run, and before its first note.
const LEAD_S: f64 = 0.5;

/// Play the demo's phrase, again and again, into a MIDI port of a running JACK server
#[derive(clap::Args)]
pub struct Arguments {
    /// The port that hears it, as `jack_lsp` lists it
    #[arg(long, value_name = "PORT")]
    into: String,
    /// Seconds of music
    #[arg(long, default_value = "9")]
    seconds: f64,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let (client, _) = Client::new("phrases", ClientOptions::NO_START_SERVER)
        .context("there is no JACK server; start one, such as `jackd -r -d dummy`")?;
    let mut port = client.register_port("out", MidiOut::default()).context("JACK gives no MIDI port")?;
    let name = port.name().context("a port of JACK has a name")?;
    let to_frames = client.sample_rate() as f64 / SAMPLE_RATE;
    let frame = move |at: u64| ((at as f64 + LEAD_S * SAMPLE_RATE) * to_frames) as u64;
    let events = music::phrases(arguments.seconds);
    let last = frame((arguments.seconds * SAMPLE_RATE) as u64);
    let (sender, ended) = channel();
    let (mut next, mut now) = (0, 0);
    let process = move |_: &Client, scope: &ProcessScope| {
        let until = now + u64::from(scope.n_frames());
        let mut writer = port.writer(scope);
        while let Some(event) = events.get(next).filter(|event| frame(event.at) < until) {
            if let Some(bytes) = bytes(event) {
                let time = frame(event.at).saturating_sub(now) as u32;
                // A port that is full drops what is written: the picture shows it, and nothing else is lost.
                let _ = writer.write(&RawMidi { time, bytes: &bytes });
            }
            next += 1;
        }
        now = until;
        if now >= last {
            // Whoever waited may be gone.
            let _ = sender.send(());
        }
        Control::Continue
    };
    let active = client.activate_async((), ClosureProcessHandler::new(process)).context("JACK is gone")?;
    active.as_client().connect_ports_by_name(&name, &arguments.into).with_context(|| {
        format!("JACK does not connect {}; `jack_lsp` lists what there is", arguments.into)
    })?;
    ended.recv().context("JACK went before the music was over")?;
    Ok(())
}

fn bytes(event: &Event) -> Option<[u8; 3]> {
    match event.kind {
        Kind::NoteOn { channel, key, velocity } => Some([0x90 | channel, key, velocity]),
        Kind::NoteOff { channel, key } => Some([0x80 | channel, key, 0]),
        _ => None,
    }
}
