//! The sound of its own: an electric piano, for players who have routed nothing yet.
//!
//! All that it needs is made by [`Synth::new`]; nothing here allocates after that. The same notes sound the same for every
//! partition into blocks.

#[cfg(test)]
mod tests;
mod voice;

use self::voice::{Tuning, Voice};
use crate::music::{
    note::Velocity,
    note_tracker::{CHANNELS, Pedal, Place, Places},
};

/// So many notes sound at once; one more takes the place of the oldest.
pub const VOICES: usize = 32;
/// How far the pitch is bent at most, in semitones.
const BEND_SEMITONES: f32 = 2.0;
/// A change of the volume takes about this long, in seconds: as a step it would click.
const GLIDE_S: f32 = 0.01;
/// What a stolen voice leaves dies away in about this time, in seconds, for the same reason.
const RESIDUE_S: f32 = 0.003;
/// Softer than this is silence, 1 for full scale.
const SILENT: f32 = 1e-5;

/// An instrument of 16 channels, for the audio thread.
#[derive(Debug)]
pub struct Synth {
    tuning: Tuning,
    voices: Box<[Voice; VOICES]>,
    channels: [Channel; CHANNELS as usize],
    /// How many strikes there were: the age of voices.
    strikes: u64,
    /// What is to be, what is now, and how fast it moves.
    volume: f32,
    gain: f32,
    glide: f32,
    /// What stolen voices have left, left and right.
    residue: [f32; 2],
    fading: f32,
}

/// What holds for all notes of a channel.
#[derive(Debug, Clone, Copy)]
struct Channel {
    pedal: Pedal,
    /// The pitch is multiplied by this.
    bend: f32,
}

impl Channel {
    const PLAIN: Self = Self { pedal: Pedal::Up, bend: 1.0 };
}

impl Synth {
    /// `rate` in samples per second.
    pub fn new(rate: f32) -> Self {
        Self {
            tuning: Tuning::new(rate),
            voices: Box::new([Voice::FREE; VOICES]),
            channels: [Channel::PLAIN; CHANNELS as usize],
            strikes: 0,
            volume: 1.0,
            gain: 1.0,
            glide: voice::approach(GLIDE_S, rate),
            residue: [0.0; 2],
            fading: 1.0 - voice::approach(RESIDUE_S, rate),
        }
    }

    /// What the sound is multiplied by from now on; 0 turns it off, and what sounds fades away.
    pub fn set_volume(&mut self, volume: f32) {
        self.volume = volume;
        // Before the first note there is nothing that could click.
        if self.strikes == 0 {
            self.gain = volume;
        }
    }

    pub fn strike(&mut self, place: Place, velocity: Velocity) {
        if self.volume == 0.0 {
            return;
        }
        let again = |voice: &&mut Voice| voice.is_of(place) && !voice.is_held();
        self.voices.iter_mut().filter(again).for_each(Voice::release);
        self.strikes += 1;
        let Some(voice) = self.voices.iter_mut().min_by_key(|voice| voice.struck()) else { return };
        let left = voice.last();
        *voice = Voice::struck_at(self.strikes, place, velocity, &self.tuning);
        self.residue = [self.residue[0] + left[0], self.residue[1] + left[1]];
    }

    /// Keys come up: of each, the oldest strike that is held. The pedal keeps what it has.
    pub fn release(&mut self, places: Places) {
        match places.single() {
            Some(place) => {
                let held = self.voices.iter_mut().filter(|voice| voice.is_of(place) && voice.is_held());
                if let Some(voice) = held.min_by_key(|voice| voice.struck()) {
                    voice.key_up(self.channels[index(place.channel)].pedal);
                }
            }
            None => {
                for voice in self.voices.iter_mut().filter(|voice| voice.is_held()) {
                    let place = voice.place();
                    if places.contains(place) {
                        voice.key_up(self.channels[index(place.channel)].pedal);
                    }
                }
            }
        }
    }

    /// Ends all notes of a channel, whatever the pedal keeps.
    pub fn cut(&mut self, channel: u8) {
        self.of(channel).for_each(Voice::release);
    }

    pub fn pedal(&mut self, channel: u8, pedal: Pedal) {
        self.channels[index(channel)].pedal = pedal;
        if pedal == Pedal::Up {
            self.of(channel).filter(|voice| !voice.is_held()).for_each(Voice::release);
        }
    }

    /// The wheel's place: -1 is down, 1 is up.
    pub fn bend(&mut self, channel: u8, wheel: f32) {
        self.channels[index(channel)].bend = (wheel * BEND_SEMITONES / 12.0).exp2();
    }

    /// Everything ends at once.
    pub fn reset(&mut self) {
        self.voices.fill(Voice::FREE);
        self.channels.fill(Channel::PLAIN);
        self.residue = [0.0; 2];
    }

    /// Writes what sounds into both channels, which are equally long.
    pub fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        left.fill(0.0);
        right.fill(0.0);
        if self.volume == 0.0 && self.gain < SILENT {
            self.voices.fill(Voice::FREE);
            self.residue = [0.0; 2];
            return;
        }
        for voice in self.voices.iter_mut().filter(|voice| !voice.is_free()) {
            let bend = self.channels[index(voice.place().channel)].bend;
            voice.add_to(left, right, bend, &self.tuning);
        }
        for (left, right) in left.iter_mut().zip(right) {
            self.gain += (self.volume - self.gain) * self.glide;
            *left = saturated((*left + self.residue[0]) * self.gain);
            *right = saturated((*right + self.residue[1]) * self.gain);
            self.residue =
                self.residue.map(|side| if side.abs() < SILENT { 0.0 } else { side * self.fading });
        }
    }

    fn of(&mut self, channel: u8) -> impl Iterator<Item = &mut Voice> {
        self.voices.iter_mut().filter(move |voice| !voice.is_free() && voice.place().channel == channel)
    }
}

/// Hardly changed where it is soft, and never beyond full scale.
fn saturated(sample: f32) -> f32 {
    const KNEE: f32 = 1.5;
    let sample = sample.clamp(-KNEE, KNEE);
    sample - sample.powi(3) * (4.0 / 27.0)
}

fn index(channel: u8) -> usize {
    usize::from(channel % CHANNELS)
}
