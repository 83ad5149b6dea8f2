//! Converts the framework's events and transport, and plays outgoing events on the built-in synthesiser.

use std::marker::PhantomData;

use nice_plug::{
    midi::{Channel, Key as HostKey, VoiceID},
    prelude::*,
};

use crate::{
    music::{
        bars::{Bar, Signature},
        note::{Key, Velocity},
        note_tracker::{ChannelKey, ChannelKeys, NoteId, PEDAL_DOWN, Pedal},
        time::{BeatTime, Beats, Tempo},
        timeline::Transport,
    },
    performer::{Arrival, Gesture, Port, Refused, Sound},
    synth::Synth,
};

/// The release velocity of an answer's notes: MIDI's neutral 64.
const RELEASE_VELOCITY: f32 = 64.0 / 127.0;

/// The value of a pitch bend that does not bend.
const CENTRE: f32 = 0.5;
/// Half of the smallest step of a pitch bend.
const HALF_A_STEP: f32 = 0.5 / 16_384.0;

/// One block of a host's events. Realtime-safe.
pub struct HostPort<'a, P, C> {
    context: &'a mut C,
    /// Plays outgoing events as well, where the plugin has a sound of its own.
    synth: Option<SynthOutput<'a>>,
    plugin: PhantomData<P>,
}

impl<'a, P: Plugin<SysExMessage = ()>, C: ProcessContext<P>> HostPort<'a, P, C> {
    pub fn new(context: &'a mut C, synth: Option<SynthOutput<'a>>) -> Self {
        Self { context, synth, plugin: PhantomData }
    }

    /// Ends the block: what sounds is written to its end.
    pub fn finish(self) {
        if let Some(synth) = self.synth {
            synth.finish();
        }
    }

    /// The transport at the first sample of the block. What the host does not report is left out.
    pub fn transport(&self) -> Transport {
        let transport = self.context.transport();
        let signature = transport.time_sig_numerator.zip(transport.time_sig_denominator);
        let bar = transport.bar_number().zip(transport.bar_start_pos_beats());
        Transport {
            playing: transport.playing,
            tempo: transport.tempo.and_then(Tempo::new),
            position: transport.pos_beats().map(BeatTime),
            signature: signature.and_then(|(beats, value)| Signature::new(beats, value)),
            bar: bar.map(|(number, start)| Bar { number: number.into(), start: BeatTime(start) }),
            cycle: transport
                .loop_range_beats()
                .map(|(start, end)| Beats(end - start))
                .filter(|length| length.0 > 0.0),
        }
    }

    fn send(&mut self, event: NoteEvent<()>) -> Result<(), Refused> {
        self.context.try_send_event(event).map_err(|_| Refused)?;
        if let Some(synth) = &mut self.synth {
            synth.hear(&event);
        }
        Ok(())
    }
}

impl<P: Plugin<SysExMessage = ()>, C: ProcessContext<P>> Port for HostPort<'_, P, C> {
    type Event = NoteEvent<()>;

    fn next(&mut self) -> Option<Arrival<NoteEvent<()>>> {
        let event = self.context.next_event()?;
        let id = event.voice_id().and_then(|voice| voice.id()).map(NoteId);
        Some(Arrival { offset: event.timing(), gesture: gesture(&event), id, event })
    }

    fn pass(&mut self, arrival: Arrival<NoteEvent<()>>) -> Result<(), Refused> {
        self.send(match arrival.event {
            // The framework sends no choke; a note-off ends the note as well.
            NoteEvent::Choke { timing, voice_id, channel, key } => {
                NoteEvent::NoteOff { timing, voice_id, channel, key, velocity: RELEASE_VELOCITY }
            }
            event => event,
        })
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
            Sound::PedalUp { channel } => {
                NoteEvent::MidiCC { timing: offset, channel, cc: control_change::DAMPER_PEDAL, value: 0.0 }
            }
            Sound::Unbend { channel } => NoteEvent::MidiPitchBend { timing: offset, channel, value: CENTRE },
        })
    }
}

/// The audio of one block. Realtime-safe.
pub struct SynthOutput<'a> {
    synth: &'a mut Synth,
    left: &'a mut [f32],
    right: &'a mut [f32],
    /// Number of samples of the block that are written.
    written: usize,
}

impl<'a> SynthOutput<'a> {
    /// `None` without a synthesiser or without two channels; its channels are filled with silence.
    pub fn new(synth: Option<&'a mut Synth>, channels: &'a mut [&mut [f32]]) -> Option<Self> {
        match (synth, channels) {
            (Some(synth), [left, right]) => Some(Self { synth, left, right, written: 0 }),
            (_, channels) => {
                channels.iter_mut().for_each(|channel| channel.fill(0.0));
                None
            }
        }
    }

    /// Plays an outgoing event at its sample.
    pub fn hear(&mut self, event: &NoteEvent<()>) {
        self.write_until(event.timing() as usize);
        match (gesture(event), event) {
            (Gesture::KeyDown(place, velocity), _) => self.synth.strike(place, velocity),
            (Gesture::KeysUp(places) | Gesture::Choke(places), _) => self.synth.release(places),
            (Gesture::AllSoundOff { channel }, _) => self.synth.cut(channel),
            (Gesture::Pedal { channel, pedal }, _) => self.synth.pedal(channel, pedal),
            (Gesture::ResetControllers { channel }, _) => {
                self.synth.pedal(channel, Pedal::Up);
                self.synth.bend(channel, 0.0);
            }
            (Gesture::AllOff { channel }, _) => self.synth.release(ChannelKeys { channel, key: None }),
            (_, NoteEvent::MidiPitchBend { channel, value, .. }) => {
                self.synth.bend(*channel, (value - CENTRE) / CENTRE);
            }
            _ => {}
        }
    }

    /// Writes the rest of the block.
    pub fn finish(mut self) {
        self.write_until(self.left.len());
    }

    fn write_until(&mut self, sample: usize) {
        let end = sample.min(self.left.len().min(self.right.len()));
        if let (Some(left), Some(right)) =
            (self.left.get_mut(self.written..end), self.right.get_mut(self.written..end))
        {
            self.synth.render(left, right);
            self.written = end;
        }
    }
}

/// The gesture of the player that a host's event stands for.
fn gesture(event: &NoteEvent<()>) -> Gesture {
    match *event {
        NoteEvent::NoteOn { channel, key: HostKey::Number(key), velocity, .. } => {
            let place = ChannelKey { channel: channel.number().unwrap_or(0), key: Key::saturating(key) };
            Gesture::KeyDown(place, Velocity::saturating((velocity * 127.0).round() as u8))
        }
        NoteEvent::NoteOff { channel, key, .. } => Gesture::KeysUp(places(channel, key)),
        NoteEvent::Choke { channel, key, .. } => Gesture::Choke(places(channel, key)),
        NoteEvent::MidiCC { channel, cc: control_change::DAMPER_PEDAL, value, .. } => {
            let pedal = if value >= f32::from(PEDAL_DOWN) / 127.0 { Pedal::Down } else { Pedal::Up };
            Gesture::Pedal { channel, pedal }
        }
        NoteEvent::MidiCC { channel, cc: control_change::ALL_SOUND_OFF, .. } => {
            Gesture::AllSoundOff { channel }
        }
        NoteEvent::MidiCC { channel, cc: control_change::RESET_ALL_CONTROLLERS, .. } => {
            Gesture::ResetControllers { channel }
        }
        // Omni and mono modes end all notes as well.
        NoteEvent::MidiCC {
            channel,
            cc: control_change::ALL_NOTES_OFF..=control_change::POLY_MODE_ON,
            ..
        } => Gesture::AllOff { channel: Some(channel) },
        NoteEvent::MidiPitchBend { channel, value, .. } => {
            Gesture::Bend { channel, is_bent: (value - CENTRE).abs() > HALF_A_STEP }
        }
        NoteEvent::MidiCC { cc: number, value, .. } => {
            Gesture::Controller { number, value: (value * 127.0).round() as u8 }
        }
        _ => Gesture::Other,
    }
}

fn places(channel: Channel, key: HostKey) -> ChannelKeys {
    ChannelKeys { channel: channel.number(), key: key.number().map(Key::saturating) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cc(cc: u8, value: f32) -> Gesture {
        gesture(&NoteEvent::MidiCC { timing: 0, channel: 3, cc, value })
    }

    #[test]
    fn every_mode_message_that_ends_notes_ends_them() {
        assert_eq!(cc(120, 0.0), Gesture::AllSoundOff { channel: 3 });
        assert_eq!(cc(121, 0.0), Gesture::ResetControllers { channel: 3 });
        for number in 123..=127 {
            assert_eq!(cc(number, 0.0), Gesture::AllOff { channel: Some(3) });
        }
        assert_eq!(cc(122, 0.0), Gesture::Controller { number: 122, value: 0 });
    }

    #[test]
    fn a_choke_means_the_keys_that_it_names() {
        let choke = |channel, key| {
            gesture(&NoteEvent::Choke { timing: 0, voice_id: VoiceID::Wildcard, channel, key })
        };
        assert_eq!(choke(Channel::Wildcard, HostKey::Wildcard), Gesture::Choke(ChannelKeys::EVERYWHERE));
        let place = ChannelKey { channel: 3, key: Key::saturating(60) };
        assert_eq!(choke(Channel::Number(3), HostKey::Number(60)), Gesture::Choke(place.into()));
    }
}
