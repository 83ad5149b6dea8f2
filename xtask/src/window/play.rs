//! `cargo xtask window play`: plays the demo's phrase into a MIDI port of a JACK server, and counts what
//! comes back.

use std::sync::mpsc::channel;

use anyhow::{Context, Result, ensure};
use jack::{
    Client, ClientOptions, Control, MidiIn, MidiOut, Port, ProcessScope, RawMidi,
    contrib::ClosureProcessHandler,
};
use test_host::{Event, Kind};

use super::{SAMPLE_RATE, phrases};

/// Seconds before the first note, in which the ports are connected while the client already runs.
const LEAD_S: f64 = 0.5;
/// Seconds after the music in which an answer is waited for. Nothing should sound after that.
const REST_S: f64 = 6.0;

/// Play the demo's phrase, again and again, into a MIDI port of a running JACK server; with `--from`, hear what comes back
#[derive(clap::Args)]
pub struct Arguments {
    /// The port that hears it, as `jack_lsp` lists it
    #[arg(long, value_name = "PORT")]
    into: String,
    /// The port at which an answer is to come back; it is an error if none does, or if a note hangs
    #[arg(long, value_name = "PORT")]
    from: Option<String>,
    /// Seconds of music
    #[arg(long, default_value = "9")]
    seconds: f64,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let (client, _) = Client::new("phrases", ClientOptions::NO_START_SERVER)
        .context("there is no JACK server; start one, such as `jackd -r -d dummy`")?;
    let mut port = client.register_port("out", MidiOut::default()).context("JACK gives no MIDI port")?;
    let name = port.name().context("a port of JACK has a name")?;
    let mut incoming =
        NoteCounter::new(client.register_port("in", MidiIn::default()).context("JACK gives no MIDI port")?);
    let incoming_name = incoming.port.name().context("a port of JACK has a name")?;
    let to_frames = client.sample_rate() as f64 / SAMPLE_RATE;
    let frame = move |at: u64| ((at as f64 + LEAD_S * SAMPLE_RATE) * to_frames) as u64;
    let events = phrases(arguments.seconds);
    let rest = if arguments.from.is_some() { REST_S } else { 0.0 };
    let last = frame(((arguments.seconds + rest) * SAMPLE_RATE) as u64);
    let (sender, ended) = channel();
    let (mut next, mut now) = (0, 0);
    let struck = strikes(&events);
    let process = move |_: &Client, scope: &ProcessScope| {
        incoming.count(scope);
        let until = now + u64::from(scope.n_frames());
        let mut writer = port.writer(scope);
        while let Some(event) = events.get(next).filter(|event| frame(event.at) < until) {
            if let Some(bytes) = bytes(event) {
                let time = frame(event.at).saturating_sub(now) as u32;
                // A full port drops the event: the picture shows that, and nothing else is lost.
                let _ = writer.write(&RawMidi { time, bytes: &bytes });
            }
            next += 1;
        }
        now = until;
        if now >= last {
            // The receiver may be gone.
            let _ = sender.send((incoming.strikes, incoming.sounding()));
        }
        Control::Continue
    };
    let active = client.activate_async((), ClosureProcessHandler::new(process)).context("JACK is gone")?;
    let connect = |from: &str, into: &str| {
        active.as_client().connect_ports_by_name(from, into).with_context(|| {
            format!("JACK does not connect {from} to {into}; `jack_lsp` lists what there is")
        })
    };
    connect(&name, &arguments.into)?;
    if let Some(from) = &arguments.from {
        connect(from, &incoming_name)?;
    }
    let (heard, hanging) = ended.recv().context("JACK went before the music was over")?;
    if arguments.from.is_some() {
        ensure!(heard > struck, "{struck} notes were played and {heard} came back: there is no answer");
        ensure!(hanging == 0, "{hanging} notes hang");
        println!("{struck} notes played, {heard} heard, with an answer among them, 0 hanging");
    }
    Ok(())
}

/// Counts the notes that come in.
struct NoteCounter {
    port: Port<MidiIn>,
    strikes: usize,
    /// Number of note-ons without a note-off, for each key of each channel.
    down: [[u16; 128]; 16],
}

impl NoteCounter {
    fn new(port: Port<MidiIn>) -> Self {
        Self { port, strikes: 0, down: [[0; 128]; 16] }
    }

    fn count(&mut self, scope: &ProcessScope) {
        for RawMidi { bytes, .. } in self.port.iter(scope) {
            let &[status, key, velocity] = bytes else { continue };
            let down = &mut self.down[usize::from(status & 0x0F)][usize::from(key & 0x7F)];
            match (status & 0xF0, velocity) {
                (0x90, 1..) => {
                    self.strikes += 1;
                    *down += 1;
                }
                (0x80 | 0x90, _) => *down = down.saturating_sub(1),
                _ => {}
            }
        }
    }

    fn sounding(&self) -> usize {
        self.down.iter().flatten().map(|count| usize::from(*count)).sum()
    }
}

fn strikes(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event.kind, Kind::NoteOn { .. })).count()
}

fn bytes(event: &Event) -> Option<[u8; 3]> {
    match event.kind {
        Kind::NoteOn { channel, key, velocity } => Some([0x90 | channel, key, velocity]),
        Kind::NoteOff { channel, key } => Some([0x80 | channel, key, 0]),
        _ => None,
    }
}
