//! CLAP's events and the stage's.

use anyhow::{Context, Result, bail};
use clack_host::{
    events::{
        Match,
        event_types::{
            MidiEvent, NoteExpressionEvent, NoteExpressionType, NoteOffEvent, NoteOnEvent, TransportEvent,
            TransportFlags,
        },
        spaces::CoreEventSpace,
    },
    prelude::*,
    utils::{BeatTime, SecondsTime},
};

use crate::{
    host::Block,
    score::{Event, Kind},
    transport::Place,
};

const CONTROLLER: u8 = 0xB0;

/// Adds what is played `time` samples into the block. Parameters and the host's own acts are not played.
pub fn push(buffer: &mut EventBuffer, time: u32, kind: Kind) -> Result<()> {
    match kind {
        Kind::NoteOn { channel, key, velocity } => {
            buffer.push(&NoteOnEvent::new(time, address(channel, key), f64::from(velocity) / 127.0));
        }
        Kind::NoteOff { channel, key } => buffer.push(&NoteOffEvent::new(time, address(channel, key), 0.0)),
        Kind::Controller { channel, number, value } => {
            buffer.push(&MidiEvent::new(time, 0, [CONTROLLER | channel, number, value]));
        }
        Kind::Message(message) => buffer.push(&MidiEvent::new(time, 0, message)),
        Kind::Brightness { channel, key, value } => {
            let (place, what) = (address(channel, key), NoteExpressionType::Brightness);
            buffer.push(&NoteExpressionEvent::new(time, place, what, value.into()));
        }
        Kind::Parameter { .. } | Kind::Reset | Kind::Restart(_) => bail!("{kind:?} cannot be played"),
    }
    Ok(())
}

/// Appends what the plugin plays. Parameters that it moves by itself are left out.
///
/// # Errors
/// When it plays something that [`Kind`] does not know.
pub fn read(buffer: &EventBuffer, block: &Block<'_>, heard: &mut Vec<Event>) -> Result<()> {
    for event in buffer {
        let kind = match event.as_core_event() {
            Some(CoreEventSpace::NoteOn(note)) => {
                let velocity = (note.velocity() * 127.0).round() as u8;
                Kind::NoteOn { channel: number(note.channel())?, key: number(note.key())?, velocity }
            }
            Some(CoreEventSpace::NoteOff(note)) => {
                Kind::NoteOff { channel: number(note.channel())?, key: number(note.key())? }
            }
            Some(CoreEventSpace::Midi(midi)) if midi.data()[0] & 0xF0 == CONTROLLER => {
                let [status, number, value] = midi.data();
                Kind::Controller { channel: status & 0x0F, number, value }
            }
            Some(CoreEventSpace::Midi(midi)) => Kind::Message(midi.data()),
            Some(CoreEventSpace::NoteExpression(note))
                if note.expression_type() == Some(NoteExpressionType::Brightness) =>
            {
                let (channel, key) = (number(note.channel())?, number(note.key())?);
                Kind::Brightness { channel, key, value: note.value() as f32 }
            }
            Some(
                CoreEventSpace::ParamValue(_)
                | CoreEventSpace::ParamGestureBegin(_)
                | CoreEventSpace::ParamGestureEnd(_)
                | CoreEventSpace::NoteEnd(_),
            ) => continue,
            other => bail!("the plugin plays {other:?}, which is no note"),
        };
        heard.push(Event { at: block.start + u64::from(event.header().time()), kind });
    }
    Ok(())
}

pub fn transport(place: &Place) -> TransportEvent {
    let mut flags = TransportFlags::HAS_TEMPO
        | TransportFlags::HAS_BEATS_TIMELINE
        | TransportFlags::HAS_SECONDS_TIMELINE
        | TransportFlags::HAS_TIME_SIGNATURE;
    flags.set(TransportFlags::IS_PLAYING, place.playing);
    flags.set(TransportFlags::IS_LOOP_ACTIVE, place.cycle.is_some());
    flags.set(TransportFlags::IS_WITHIN_PRE_ROLL, place.playing && place.beats < 0.0);
    let (bar_number, bar_start) = place.bar();
    let (loop_start, loop_end) = place.cycle.unwrap_or_default();
    let seconds_per_beat = 60.0 / place.tempo;
    TransportEvent {
        header: EventHeader::new_core(0, clack_host::events::EventFlags::empty()),
        flags,
        song_pos_beats: BeatTime::from_float(place.beats),
        song_pos_seconds: SecondsTime::from_float(place.seconds()),
        tempo: place.tempo,
        tempo_inc: place.tempo_increment,
        loop_start_beats: BeatTime::from_float(loop_start),
        loop_end_beats: BeatTime::from_float(loop_end),
        loop_start_seconds: SecondsTime::from_float(loop_start * seconds_per_beat),
        loop_end_seconds: SecondsTime::from_float(loop_end * seconds_per_beat),
        bar_start: BeatTime::from_float(bar_start),
        bar_number,
        time_signature_numerator: u16::from(place.signature.0),
        time_signature_denominator: u16::from(place.signature.1),
    }
}

fn address(channel: u8, key: u8) -> Pckn {
    Pckn::new(0u16, u16::from(channel), u16::from(key), Match::All)
}

/// # Errors
/// When the plugin means all channels or keys at once.
fn number(one: Match<u16>) -> Result<u8> {
    let one = one.into_specific().context("the plugin plays a note without a key or a channel")?;
    u8::try_from(one).context("the plugin plays a note beyond MIDI's range")
}
