//! The built-in synthesiser: an electric piano, for players who have routed nothing yet.
//!
//! [`Synth::new`] allocates all that it needs; nothing here allocates after that. The same notes sound the
//! same for every partition into blocks.

mod voice;

use self::voice::{Tuning, Voice};
use crate::music::{
    note::Velocity,
    note_tracker::{CHANNELS, ChannelKey, ChannelKeys, Pedal},
};

/// Number of notes that sound at once; one more takes the place of the oldest.
pub const VOICES: usize = 32;
/// How far the pitch is bent at most, in semitones.
const BEND_SEMITONES: f32 = 2.0;
/// A change of the volume takes about this long, in seconds: as a step it would click.
const GLIDE_S: f32 = 0.01;
/// The rest of a stolen voice's sound fades out in about this time, in seconds, for the same reason.
const RESIDUE_S: f32 = 0.003;
/// An amplitude below this counts as silence; 1 is full scale.
const SILENT: f32 = 1e-5;

/// An instrument of 16 channels, for the audio thread.
#[derive(Debug)]
pub struct Synth {
    tuning: Tuning,
    voices: Box<[Voice; VOICES]>,
    channels: [Channel; CHANNELS as usize],
    /// Number of strikes so far, from which the age of voices follows.
    strikes: u64,
    /// The gain to move to.
    volume: f32,
    /// The gain now.
    gain: f32,
    /// The part of the way from `gain` to `volume` that each sample covers.
    glide: f32,
    /// The fading rest of stolen voices, left and right.
    residue: [f32; 2],
    /// The factor by which `residue` fades each sample.
    fading: f32,
}

/// The state that all notes of a channel share.
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

    /// Sets the gain of the sound from now on; 0 turns it off, and sounding notes fade away.
    pub fn set_volume(&mut self, volume: f32) {
        self.volume = volume;
        // Before the first note there is nothing that could click.
        if self.strikes == 0 {
            self.gain = volume;
        }
    }

    pub fn strike(&mut self, place: ChannelKey, velocity: Velocity) {
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

    /// Keys come up: one ends its oldest held note, several end all of theirs. The pedal keeps its notes.
    pub fn release(&mut self, places: ChannelKeys) {
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

    /// Sets the position of the pitch wheel, from -1 (down) to 1 (up).
    pub fn bend(&mut self, channel: u8, wheel: f32) {
        self.channels[index(channel)].bend = (wheel * BEND_SEMITONES / 12.0).exp2();
    }

    /// Everything ends at once.
    pub fn reset(&mut self) {
        self.voices.fill(Voice::FREE);
        self.channels.fill(Channel::PLAIN);
        self.residue = [0.0; 2];
    }

    /// Renders the sound into both channels, which are equally long.
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

/// Soft clipping: hardly changes a soft sample, and never exceeds full scale.
fn saturated(sample: f32) -> f32 {
    const KNEE: f32 = 1.5;
    let sample = sample.clamp(-KNEE, KNEE);
    sample - sample.powi(3) * (4.0 / 27.0)
}

fn index(channel: u8) -> usize {
    usize::from(channel % CHANNELS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::note::Key;

    const RATE: f32 = 48_000.0;
    const SECOND: usize = 48_000;

    fn place(key: u8) -> ChannelKey {
        ChannelKey { channel: 0, key: Key::saturating(key) }
    }

    fn velocity(value: u8) -> Velocity {
        Velocity::saturating(value)
    }

    /// The next `samples` samples of the sound, left and right.
    fn heard(synth: &mut Synth, samples: usize) -> [Vec<f32>; 2] {
        let mut sides = [vec![0.0; samples], vec![0.0; samples]];
        let [left, right] = &mut sides;
        synth.render(left, right);
        sides
    }

    /// The loudness of the next samples: their root mean square.
    fn loudness(synth: &mut Synth, samples: usize) -> f32 {
        let sides = heard(synth, samples);
        let squares: f32 = sides.iter().flatten().map(|sample| sample * sample).sum();
        (squares / (2 * samples) as f32).sqrt()
    }

    /// Number of rising zero crossings in the next second.
    fn pitch_hz(synth: &mut Synth) -> usize {
        let [left, _] = heard(synth, SECOND);
        left.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count()
    }

    #[test]
    fn a_key_sounds_at_its_pitch_while_it_is_held_and_soon_no_more() {
        let mut synth = Synth::new(RATE);
        synth.strike(place(69), velocity(30));
        assert!((438..=442).contains(&pitch_hz(&mut synth)));
        assert!(loudness(&mut synth, SECOND) > 0.002);
        synth.release(place(69).into());
        heard(&mut synth, SECOND);
        assert_eq!(loudness(&mut synth, SECOND), 0.0);
    }

    #[test]
    fn the_wheel_bends_by_a_whole_tone_and_only_its_own_channel() {
        let mut synth = Synth::new(RATE);
        synth.strike(place(69), velocity(30));
        synth.bend(1, 1.0);
        assert!((438..=442).contains(&pitch_hz(&mut synth)));
        synth.bend(0, 1.0);
        assert!((492..=496).contains(&pitch_hz(&mut synth)));
        synth.bend(0, -1.0);
        assert!((390..=394).contains(&pitch_hz(&mut synth)));
    }

    #[test]
    fn the_harder_a_key_is_struck_the_louder_it_is() {
        let loudness = [1, 20, 64, 100, 127].map(|force| {
            let mut synth = Synth::new(RATE);
            synth.strike(place(60), velocity(force));
            loudness(&mut synth, SECOND / 2)
        });
        assert!(loudness.is_sorted_by(|softer, louder| softer < louder), "{loudness:?}");
        assert!(loudness[0] > 0.0);
    }

    #[test]
    fn the_pedal_keeps_what_is_released_until_it_comes_up() {
        let mut synth = Synth::new(RATE);
        synth.pedal(0, Pedal::Down);
        synth.strike(place(60), velocity(90));
        synth.release(place(60).into());
        heard(&mut synth, SECOND);
        assert!(loudness(&mut synth, SECOND) > 0.01);
        synth.pedal(0, Pedal::Up);
        heard(&mut synth, SECOND);
        assert_eq!(loudness(&mut synth, SECOND), 0.0);
    }

    #[test]
    fn the_pedal_releases_no_key_that_is_held() {
        let mut synth = Synth::new(RATE);
        synth.strike(place(60), velocity(90));
        synth.pedal(0, Pedal::Down);
        synth.pedal(0, Pedal::Up);
        heard(&mut synth, SECOND);
        assert!(loudness(&mut synth, SECOND) > 0.01);
    }

    #[test]
    fn a_key_that_is_struck_twice_sounds_until_it_is_released_twice() {
        let mut synth = Synth::new(RATE);
        for _ in 0..2 {
            synth.strike(place(60), velocity(90));
        }
        synth.release(place(60).into());
        heard(&mut synth, SECOND);
        assert!(loudness(&mut synth, SECOND) > 0.01);
        synth.release(place(60).into());
        heard(&mut synth, SECOND);
        assert_eq!(loudness(&mut synth, SECOND), 0.0);
    }

    #[test]
    fn one_note_too_many_takes_the_place_of_the_oldest() {
        let mut synth = Synth::new(RATE);
        for key in 30..30 + VOICES as u8 + 1 {
            synth.strike(place(key), velocity(60));
            heard(&mut synth, 100);
        }
        let sounds = |key| synth.voices.iter().any(|voice| voice.is_of(place(key)));
        assert!(!sounds(30));
        assert!((31..30 + VOICES as u8 + 1).all(sounds));
    }

    #[test]
    fn a_note_that_makes_room_does_not_click() {
        let steepest =
            |samples: &[f32]| samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0f32, f32::max);
        let mut synth = Synth::new(RATE);
        for _ in 0..VOICES {
            synth.strike(place(36), velocity(40));
        }
        let before = heard(&mut synth, SECOND / 2);
        synth.strike(place(36), velocity(1));
        let after = heard(&mut synth, SECOND / 2);
        assert!(steepest(&after[0]) <= 1.1 * steepest(&before[0]));
    }

    #[test]
    fn the_loudest_chord_stays_within_full_scale() {
        let mut synth = Synth::new(RATE);
        for key in 40..40 + VOICES as u8 {
            synth.strike(place(key), velocity(127));
        }
        let peak =
            heard(&mut synth, SECOND).iter().flatten().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        assert!((0.5..=1.0).contains(&peak), "{peak}");
    }

    #[test]
    fn at_volume_nought_all_is_silent_and_no_note_waits() {
        let mut synth = Synth::new(RATE);
        synth.strike(place(60), velocity(90));
        heard(&mut synth, SECOND / 10);
        synth.set_volume(0.0);
        heard(&mut synth, SECOND);
        synth.strike(place(64), velocity(90));
        assert_eq!(loudness(&mut synth, SECOND), 0.0);
        synth.set_volume(1.0);
        assert_eq!(loudness(&mut synth, SECOND), 0.0);
    }

    #[test]
    fn all_sound_off_ends_a_channel_even_under_the_pedal() {
        let mut synth = Synth::new(RATE);
        synth.pedal(0, Pedal::Down);
        synth.strike(place(60), velocity(90));
        synth.release(place(60).into());
        synth.cut(0);
        heard(&mut synth, SECOND);
        assert_eq!(loudness(&mut synth, SECOND), 0.0);
    }

    #[test]
    fn the_same_notes_sound_the_same_for_every_partition() {
        let play = |block: usize| {
            let mut synth = Synth::new(RATE);
            let mut left = Vec::new();
            for (index, key) in [48, 55, 60, 64, 96, 60].into_iter().enumerate() {
                synth.strike(place(key), velocity(50 + 10 * index as u8));
                if index == 3 {
                    synth.release(place(55).into());
                }
                for start in (0..2_400).step_by(block) {
                    left.extend(heard(&mut synth, block.min(2_400 - start))[0].iter().copied());
                }
            }
            left
        };
        let whole = play(2_400);
        for block in [1, 7, 64, 512] {
            assert!(play(block) == whole, "in blocks of {block}");
        }
    }
}
