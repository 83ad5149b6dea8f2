//! How a model plays on, through the same code as the plugin's worker: what is drawn here is what the plugin
//! would play. Also the command line's options for it, named like the plugin's parameters.

use std::{slice, sync::Arc};

use antiphon::{
    improviser::{Improviser, StepResult},
    lane::{Ending, PerformerEnd, Reply, Request, lanes},
    model::Model,
    music::{
        generation::{Density, GenerationSettings, Polyphony, Register, Thousandths},
        memory::{LARGEST_MEMORY, SMALLEST_MEMORY},
        note::{Key, Note, RelativeNote},
        pace::Touch,
        scale::{PitchClasses, Root, Scale},
        time::{Moment, Seconds},
        turn::TurnId,
    },
    params::AntiphonParams,
};
use nice_plug::prelude::{Enum, Param};

/// The settings of one answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Task {
    pub generation: GenerationSettings,
    pub seed: u32,
    pub length: Seconds,
    pub ending: Ending,
}

/// An iterator over the notes of an answer, as they are drawn.
pub struct Continuation {
    performer: PerformerEnd,
    improviser: Improviser,
}

impl Continuation {
    /// Starts an answer. `heard` is in the order of onsets; no note of the answer begins before `from`.
    pub fn new(model: &Arc<dyn Model>, task: &Task, heard: &[Note], from: Moment) -> Self {
        let (performer, end) = lanes();
        let mut playing = Self { performer, improviser: Improviser::new(end, slice::from_ref(model)) };
        let mut touch = Touch::default();
        heard.iter().for_each(|note| touch.strike(note.velocity));
        let Task { generation, seed, length, ending } = *task;
        playing.ask(Request::GenerationSettings(generation));
        heard.iter().for_each(|&note| playing.ask(Request::heard(note)));
        let (turn, touch) = (TurnId(0), touch.velocity());
        playing.ask(Request::Answer { turn, from, length, seed, touch, ending });
        playing
    }

    fn ask(&mut self, request: Request) {
        while self.performer.requests.is_full() {
            self.improviser.step();
        }
        self.performer.requests.push(request).expect("a lane that is not full takes a request");
    }
}

impl Iterator for Continuation {
    type Item = Note;

    fn next(&mut self) -> Option<Note> {
        loop {
            match self.performer.replies.pop() {
                Ok(Reply::Play { note, .. }) => return Some(note),
                Ok(Reply::Done(_)) => return None,
                Ok(Reply::Expect { .. }) => {}
                Err(_) if self.improviser.step() != StepResult::Worked => return None,
                Err(_) => {}
            }
        }
    }
}

/// The last onset that was heard, for an answer that may begin at once.
pub fn from(heard: &[Note]) -> Moment {
    heard.last().map_or(Moment(0.0), |note| note.onset)
}

/// The next `count` notes that a model plays after the music it has heard, or fewer where the answer ends.
/// They are made as by the plugin's worker. The answer may begin as soon as the last note heard has begun.
pub fn continued(
    model: &Arc<dyn Model>,
    generation: GenerationSettings,
    seed: u32,
    heard: &[Note],
    count: usize,
) -> Vec<RelativeNote> {
    let begin = from(heard);
    let mut before = begin;
    let task = Task { generation, seed, length: Seconds::FOREVER, ending: Ending::Full };
    let relative = |note: Note| {
        let Note { onset, duration, key, velocity } = note;
        let step = onset - std::mem::replace(&mut before, onset);
        RelativeNote { step, duration, key, velocity }
    };
    Continuation::new(model, &task, heard, begin).take(count).map(relative).collect()
}

/// Settings of what is played. The plugin's defaults apply to what is not given.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct GenerationOptions {
    /// How adventurous all choices are, 0 to 2: 0 takes the likeliest, 1 the model's own probabilities
    #[arg(long, value_name = "NUMBER", value_parser = up_to_two)]
    temperature: Option<Thousandths>,
    /// Multiplies the temperature of the keys, 0 to 2
    #[arg(long, value_name = "NUMBER", value_parser = up_to_two)]
    pitch_temperature: Option<Thousandths>,
    /// Multiplies the temperature of steps and durations, 0 to 2
    #[arg(long, value_name = "NUMBER", value_parser = up_to_two)]
    timing_temperature: Option<Thousandths>,
    /// How likely a choice must be beside the likeliest one, 0 to 1
    #[arg(long, value_name = "NUMBER", value_parser = up_to_one)]
    focus: Option<Thousandths>,
    /// How far dynamics are drawn towards the last ones heard, 0 to 1
    #[arg(long, value_name = "NUMBER", value_parser = up_to_one)]
    velocity_follow: Option<Thousandths>,
    /// How far the notes are drawn towards the pace of what was heard, 0 to 1
    #[arg(long, value_name = "NUMBER", value_parser = up_to_one)]
    pace_follow: Option<Thousandths>,
    /// How far the keys are drawn to the scale of what was heard, 0 to 1
    #[arg(long, value_name = "NUMBER", value_parser = up_to_one)]
    key_follow: Option<Thousandths>,
    /// The scale, such as Dorian; no other pitch class is played
    #[arg(long, value_parser = scale)]
    scale: Option<Scale>,
    /// The root of the scale, such as D or F#
    #[arg(long, value_name = "ROOT", value_parser = root, requires = "scale")]
    key: Option<Root>,
    /// The lowest key, such as C3
    #[arg(long, value_name = "KEY", value_parser = key)]
    low: Option<Key>,
    /// The highest key, such as C6
    #[arg(long, value_name = "KEY", value_parser = key)]
    high: Option<Key>,
    /// The most notes in a second, 0.25 to 32
    #[arg(long, value_name = "NOTES", value_parser = density)]
    density: Option<Density>,
    /// The most notes that sound at once, 1 to 32
    #[arg(long, value_name = "VOICES", value_parser = clap::value_parser!(u8).range(1..=32))]
    polyphony: Option<u8>,
    /// How many of the newest notes count, 25 to 150
    #[arg(long, value_name = "NOTES",
          value_parser = clap::value_parser!(u8).range(SMALLEST_MEMORY as i64..=LARGEST_MEMORY as i64))]
    memory: Option<u8>,
}

impl GenerationOptions {
    pub fn generation(&self) -> GenerationSettings {
        let usual = AntiphonParams::default().snapshot().generation;
        let [lowest, highest] = [0, 127].map(Key::saturating);
        let is_free = matches!(self.scale, None | Some(Scale::Auto));
        let on_root = |scale: Scale| scale.on(self.key.unwrap_or(Root::new(0)));
        GenerationSettings {
            temperature: self.temperature.unwrap_or(usual.temperature),
            pitch_temperature: self.pitch_temperature.unwrap_or(usual.pitch_temperature),
            timing_temperature: self.timing_temperature.unwrap_or(usual.timing_temperature),
            focus: self.focus.unwrap_or(usual.focus),
            velocity_follow: self.velocity_follow.unwrap_or(usual.velocity_follow),
            key_follow: self.key_follow.unwrap_or(if is_free { usual.key_follow } else { Thousandths::ZERO }),
            pace_follow: self.pace_follow.unwrap_or(usual.pace_follow),
            pitch_classes: self.scale.map_or(PitchClasses::ALL, on_root),
            register: Register::between(self.low.unwrap_or(lowest), self.high.unwrap_or(highest)),
            density: self.density.unwrap_or(usual.density),
            polyphony: self
                .polyphony
                .filter(|voices| *voices < 32)
                .map_or(usual.polyphony, Polyphony::voices),
            memory: self.memory.unwrap_or(usual.memory),
            ..usual
        }
    }
}

pub fn up_to_two(text: &str) -> Result<Thousandths, String> {
    within(text, 0.0, 2.0).map(Thousandths::of)
}

pub fn up_to_one(text: &str) -> Result<Thousandths, String> {
    within(text, 0.0, 1.0).map(Thousandths::of)
}

fn density(text: &str) -> Result<Density, String> {
    within(text, 0.25, 32.0).map(Density::per_second)
}

fn within(text: &str, least: f32, most: f32) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("give a number from {least} to {most}"))
}

fn scale(text: &str) -> Result<Scale, String> {
    named(text, Scale::variants()).map(Scale::from_index)
}

fn root(text: &str) -> Result<Root, String> {
    named(text, Root::variants()).map(Root::from_index)
}

fn named(text: &str, names: &[&str]) -> Result<usize, String> {
    let place = names.iter().position(|name| name.eq_ignore_ascii_case(text));
    place.ok_or_else(|| format!("give one of {}", names.join(", ")))
}

fn key(text: &str) -> Result<Key, String> {
    let param = AntiphonParams::default().generation.register_low;
    let place = param.string_to_normalized_value(text).map(|place| param.preview_plain(place));
    let key = place.and_then(|number| u8::try_from(number).ok()).and_then(Key::new);
    key.ok_or_else(|| "give a key such as C4 or F#3, or a number from 0 to 127".to_owned())
}

#[cfg(test)]
mod tests {
    use antiphon::{model::registry, music::note::Velocity};

    use super::*;

    /// Number of notes of a continuation.
    const PLAYED: usize = 100;

    fn note(n: u16) -> Note {
        Note {
            onset: Moment(f64::from(n) * 0.2),
            duration: Seconds(0.3),
            key: Key::saturating(60 + (n % 5) as u8),
            velocity: Velocity::saturating(64),
        }
    }

    fn played(heard: &[Note], count: usize) -> Vec<Note> {
        let model = &registry::embedded()[0];
        let task = Task {
            generation: GenerationSettings::DEFAULT,
            seed: 3,
            length: Seconds::FOREVER,
            ending: Ending::Full,
        };
        Continuation::new(model, &task, heard, from(heard)).take(count).collect()
    }

    #[test]
    fn more_than_a_lane_holds_is_heard_whole() {
        let heard: Vec<Note> = (0..1500).map(note).collect();
        let notes = played(&heard, 10);
        assert!(notes.len() == 10 && notes.iter().all(|note| note.onset >= Moment(299.8)));
    }

    #[test]
    fn no_note_begins_before_the_moment_that_is_asked_for() {
        let heard: Vec<Note> = (0..50).map(note).collect();
        let task = Task {
            generation: GenerationSettings::DEFAULT,
            seed: 3,
            length: Seconds::FOREVER,
            ending: Ending::Full,
        };
        for model in registry::embedded() {
            for from in [9.8, 30.0, 4000.0].map(Moment) {
                let notes: Vec<Note> = Continuation::new(model, &task, &heard, from).take(10).collect();
                assert!(notes.len() == 10 && notes.iter().all(|note| note.onset >= from), "{}", model.name());
                assert!(notes[0].onset - from < Seconds(3.0), "{}: {:?}", model.name(), notes[0].onset);
            }
        }
    }

    #[test]
    fn from_nothing_there_is_music_in_the_order_of_its_onsets() {
        let notes = played(&[], 50);
        assert_eq!(notes.len(), 50);
        assert!(notes.is_sorted_by_key(|note| note.onset.0));
    }

    /// At the plugin's default settings.
    fn continued_at(model: &Arc<dyn Model>, turn: u32) -> Vec<RelativeNote> {
        let heard: Vec<Note> = (0..150).map(note).collect();
        let defaults = AntiphonParams::default().snapshot();
        continued(model, defaults.generation, defaults.seed(turn, 0), &heard, PLAYED)
    }

    #[test]
    fn a_continuation_has_its_notes_and_follows_the_last_one_heard() {
        for model in registry::embedded() {
            let notes = continued_at(model, 0);
            assert_eq!(notes.len(), PLAYED);
            assert!(notes.iter().all(|note| note.step >= Seconds::ZERO && note.step.0 < 3.0));
        }
    }

    #[test]
    fn the_same_turn_plays_the_same_and_another_turn_otherwise() {
        let model = &registry::embedded()[0];
        assert_eq!(continued_at(model, 0), continued_at(model, 0));
        assert_ne!(continued_at(model, 0), continued_at(model, 1));
    }

    #[test]
    fn without_a_wish_the_plugins_defaults_are_played() {
        assert_eq!(
            GenerationOptions::default().generation(),
            AntiphonParams::default().snapshot().generation
        );
    }

    #[test]
    fn scales_roots_and_keys_are_named_as_in_the_plugin() {
        assert_eq!(scale("natural minor"), Ok(Scale::NaturalMinor));
        assert_eq!(root("f#"), Ok(Root::new(6)));
        assert_eq!(key("Db4"), Ok(Key::saturating(61)));
        let sentence = scale("Dorain").expect_err("no scale");
        assert!(sentence.contains("Dorian, Phrygian"), "{sentence}");
        assert!(root("H").is_err() && key("H4").is_err() && key("128").is_err());
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert!(up_to_two("2.1").is_err() && up_to_one("1.5").is_err() && up_to_one("much").is_err());
        assert!(density("0.1").is_err() && up_to_one("nan").is_err());
        assert_eq!(up_to_two("1.25"), Ok(Thousandths::of(1.25)));
    }
}
