//! Lets the notes that go out sound, where the plugin has an audio output.

use nice_plug::prelude::*;

use super::{CENTRE, gesture};
use crate::{
    music::note_tracker::{Pedal, Places},
    performer::Gesture,
    synth::Synth,
};

/// The audio of one block. Realtime-safe.
pub struct Speaker<'a> {
    synth: &'a mut Synth,
    left: &'a mut [f32],
    right: &'a mut [f32],
    /// So many samples of the block are written.
    written: usize,
}

impl<'a> Speaker<'a> {
    /// `None` for a plugin without a synthesiser or without two channels; what channels it has are silent then.
    pub fn new(synth: Option<&'a mut Synth>, channels: &'a mut [&mut [f32]]) -> Option<Self> {
        match (synth, channels) {
            (Some(synth), [left, right]) => Some(Self { synth, left, right, written: 0 }),
            (_, channels) => {
                channels.iter_mut().for_each(|channel| channel.fill(0.0));
                None
            }
        }
    }

    /// Something has gone out, at its sample.
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
            (Gesture::AllOff { channel }, _) => self.synth.release(Places { channel, key: None }),
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
