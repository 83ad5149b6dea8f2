//! A take as a standard MIDI file: format 1, with the host's tempo and bars, and a track for each side.

mod ticks;

use midly::{
    Format, Header, MetaMessage, MidiMessage, Smf, Timing, Track, TrackEvent, TrackEventKind,
    num::{u4, u7, u15, u24, u28},
};

use self::ticks::{Conducting, Ticks};
use super::{Notes, Take};
use crate::music::{note_tracker::Pedal, time::SampleTime};

/// The resolution of a saved take, in ticks a quarter note: what hosts use themselves.
pub const TICKS_PER_BEAT: u16 = 960;
/// The sustain pedal.
const SUSTAIN: u8 = 64;
/// MIDI's neutral one.
const RELEASE_VELOCITY: u8 = 64;

/// The bytes of a MIDI file: a track of tempo and signatures, *Call* with the player's notes and pedal, *Answer* with the
/// plugin's.
///
/// It begins with the bar of the first note. Where the transport ran, ticks are the host's beats; where it stood still,
/// they pass at its last tempo. Points are rounded to the nearest tick. Where the song jumped, the file goes on, and the
/// signature is written anew at the next bar line that lies elsewhere. What is still held ends where the take ends.
pub fn write(take: &Take) -> Vec<u8> {
    let ticks = Ticks::new(take);
    let call = [notes(take.call(), take.now()), pedals(take)].concat();
    let answer = notes(take.answer(), take.now());
    let mut smf = Smf::new(Header::new(Format::Parallel, Timing::Metrical(u15::new(TICKS_PER_BEAT))));
    smf.tracks.push(conductor(&ticks));
    smf.tracks.push(track(b"Call", call, &ticks));
    smf.tracks.push(track(b"Answer", answer, &ticks));
    let mut bytes = Vec::new();
    smf.write(&mut bytes).expect("memory takes all bytes, and a take is shorter than the longest track");
    bytes
}

/// A message on its channel. Of those on one sample, what ends comes before what begins.
#[derive(Debug, Clone, Copy)]
struct Sent {
    at: SampleTime,
    order: Order,
    channel: u8,
    message: MidiMessage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Release,
    Pedal,
    Strike,
    /// Of a note without length.
    ReleaseAtOnce,
}

fn notes(notes: &Notes, end: SampleTime) -> Vec<Sent> {
    let mut sent = Vec::with_capacity(2 * notes.len());
    for note in notes.iter() {
        let (key, vel) = (u7::new(note.place.key.number()), u7::new(note.velocity.value()));
        let channel = note.place.channel;
        let struck = MidiMessage::NoteOn { key, vel };
        sent.push(Sent { at: note.onset, order: Order::Strike, channel, message: struck });
        let at = note.end.unwrap_or(end).max(note.onset);
        let order = if at == note.onset { Order::ReleaseAtOnce } else { Order::Release };
        let released = MidiMessage::NoteOff { key, vel: u7::new(RELEASE_VELOCITY) };
        sent.push(Sent { at, order, channel, message: released });
    }
    sent
}

fn pedals(take: &Take) -> Vec<Sent> {
    let message = |pedal| MidiMessage::Controller {
        controller: u7::new(SUSTAIN),
        value: u7::new(if pedal == Pedal::Down { 127 } else { 0 }),
    };
    let moved = take.pedals();
    moved
        .map(|moved| Sent {
            at: moved.at,
            order: Order::Pedal,
            channel: moved.channel,
            message: message(moved.pedal),
        })
        .collect()
}

fn track<'a>(name: &'a [u8], mut sent: Vec<Sent>, ticks: &Ticks) -> Track<'a> {
    // Stable: what is alike stays in the order in which it was played.
    sent.sort_by_key(|sent| (sent.at, sent.order));
    let messages = sent.into_iter().map(|Sent { at, channel, message, .. }| {
        (ticks.tick(at), TrackEventKind::Midi { channel: u4::new(channel), message })
    });
    timed([(0, TrackEventKind::Meta(MetaMessage::TrackName(name)))].into_iter().chain(messages))
}

fn conductor(ticks: &Ticks) -> Track<'static> {
    timed(ticks.conducting().into_iter().map(|(tick, conducting)| {
        let message = match conducting {
            Conducting::Tempo(micros) => MetaMessage::Tempo(u24::new(micros)),
            Conducting::Signature(signature) => {
                // A note value that is no power of two cannot be written; there is none in music.
                let value = signature.value().ilog2() as u8;
                let clocks = (96 / signature.value().max(1)).max(1);
                MetaMessage::TimeSignature(signature.beats(), value, clocks, 8)
            }
        };
        (tick, TrackEventKind::Meta(message))
    }))
}

/// A track of events at ticks that never fall.
fn timed<'a>(events: impl Iterator<Item = (u32, TrackEventKind<'a>)>) -> Track<'a> {
    let mut track = Track::new();
    let mut last = 0;
    for (tick, kind) in events {
        track.push(TrackEvent { delta: u28::new(tick.saturating_sub(last)), kind });
        last = tick.max(last);
    }
    track.push(TrackEvent { delta: u28::new(0), kind: TrackEventKind::Meta(MetaMessage::EndOfTrack) });
    track
}
