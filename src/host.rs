//! The framework's events and transport, told in terms of the music.

use std::marker::PhantomData;

use nice_plug::{
    midi::{Channel, Key as HostKey, VoiceID},
    prelude::*,
};

use crate::{
    music::{
        hearing::Place,
        note::{Key, Velocity},
        time::{BeatTime, Tempo},
        timeline::Transport,
    },
    performer::{Arrival, Gesture, Port, Refused, Sound},
};

/// The release velocity of an answer's notes: MIDI's neutral 64.
const RELEASE_VELOCITY: f32 = 64.0 / 127.0;

/// One block of a host's events. Realtime-safe.
pub struct HostPort<'a, P, C> {
    context: &'a mut C,
    plugin: PhantomData<P>,
}

impl<'a, P: Plugin<SysExMessage = ()>, C: ProcessContext<P>> HostPort<'a, P, C> {
    pub fn new(context: &'a mut C) -> Self {
        Self { context, plugin: PhantomData }
    }

    /// The transport at the first sample of the block. What the host does not tell is left out.
    pub fn transport(&self) -> Transport {
        let transport = self.context.transport();
        Transport {
            playing: transport.playing,
            tempo: transport.tempo.and_then(Tempo::new),
            position: transport.pos_beats().map(BeatTime),
        }
    }

    fn send(&mut self, event: NoteEvent<()>) -> Result<(), Refused> {
        self.context.try_send_event(event).map_err(|_| Refused)
    }
}

impl<P: Plugin<SysExMessage = ()>, C: ProcessContext<P>> Port for HostPort<'_, P, C> {
    type Event = NoteEvent<()>;

    fn next(&mut self) -> Option<Arrival<NoteEvent<()>>> {
        let event = self.context.next_event()?;
        Some(Arrival { offset: event.timing(), gesture: gesture(&event), event })
    }

    fn pass(&mut self, arrival: Arrival<NoteEvent<()>>) -> Result<(), Refused> {
        self.send(arrival.event)
    }

    fn play(&mut self, offset: u32, sound: Sound) -> Result<(), Refused> {
        let voice_id = VoiceID::Wildcard;
        self.send(match sound {
            Sound::NoteOn(place, velocity) => NoteEvent::NoteOn {
                timing: offset,
                voice_id,
                channel: Channel::Number(place.channel),
                key: HostKey::Number(place.key.number()),
                velocity: f32::from(velocity.value()) / 127.0,
            },
            Sound::NoteOff(place) => NoteEvent::NoteOff {
                timing: offset,
                voice_id,
                channel: Channel::Number(place.channel),
                key: HostKey::Number(place.key.number()),
                velocity: RELEASE_VELOCITY,
            },
        })
    }
}

/// What an event means to the music. One without a certain key means nothing.
fn gesture(event: &NoteEvent<()>) -> Gesture {
    match *event {
        NoteEvent::NoteOn { channel, key, velocity, .. } => match place(channel, key) {
            Some(place) => Gesture::KeyDown(place, Velocity::saturating((velocity * 127.0).round() as u8)),
            None => Gesture::Other,
        },
        NoteEvent::NoteOff { channel, key, .. } | NoteEvent::Choke { channel, key, .. } => {
            place(channel, key).map_or(Gesture::Other, Gesture::KeyUp)
        }
        NoteEvent::MidiCC { channel, cc: control_change::DAMPER_PEDAL, value, .. } => {
            Gesture::Pedal { channel, down: value >= 64.0 / 127.0 }
        }
        _ => Gesture::Other,
    }
}

fn place(channel: Channel, key: HostKey) -> Option<Place> {
    let key = Key::new(key.number()?)?;
    Some(Place { channel: channel.number().unwrap_or(0), key })
}
