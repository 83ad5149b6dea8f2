//! How a model plays on, by the way of the plugin's worker: what is drawn here is what the plugin would play.

use std::{slice, sync::Arc};

use antiphon::{
    improviser::{Improviser, StepResult},
    lane::{Ending, PerformerEnd, Reply, Request, lanes},
    model::Model,
    music::{
        generation::GenerationSettings,
        note::{Note, RelativeNote},
        pace::Touch,
        time::{Moment, Seconds},
        turn::TurnId,
    },
};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Task {
    pub generation: GenerationSettings,
    pub seed: u32,
    pub length: Seconds,
    pub ending: Ending,
}

/// The notes of an answer, as they are drawn.
pub struct Continuation {
    performer: PerformerEnd,
    improviser: Improviser,
}

impl Continuation {
    /// `heard` is in the order of onsets; no note of the answer begins before `from`.
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

/// The last onset that was heard: an answer may begin at once.
pub fn from(heard: &[Note]) -> Moment {
    heard.last().map_or(Moment(0.0), |note| note.onset)
}

/// The next `count` notes that a model plays after music it has heard, by the way of the plugin's worker, or fewer where it ends; the
/// answer may begin as soon as the last note heard has begun.
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

#[cfg(test)]
mod tests {
    use antiphon::{
        model::registry,
        music::note::{Key, Velocity},
        params::AntiphonParams,
    };

    use super::*;

    /// Notes of a continuation.
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
}
