//! What a model plays after music it has heard, by the way of the plugin's worker.

use std::sync::Arc;

use antiphon::{
    lane::Ending,
    model::Model,
    music::{
        manner::Manner,
        note::{Note, RelativeNote},
        time::Seconds,
    },
};

use super::prompt::NEXT;
use crate::playing::{self, Playing, Task};

/// The next [`NEXT`] notes, or fewer where the model ends; the answer may begin as soon as the last note heard has begun.
pub fn on(model: &Arc<dyn Model>, manner: Manner, seed: u32, heard: &[Note]) -> Vec<RelativeNote> {
    let from = playing::from(heard);
    let mut before = from;
    let task = Task { manner, seed, length: Seconds::FOREVER, ending: Ending::Full };
    let relative = |note: Note| {
        let Note { onset, duration, key, velocity } = note;
        let step = onset - std::mem::replace(&mut before, onset);
        RelativeNote { step, duration, key, velocity }
    };
    Playing::new(model, &task, heard, from).take(NEXT).map(relative).collect()
}

#[cfg(test)]
mod tests {
    use antiphon::{
        model,
        music::{
            note::{Key, Velocity},
            time::Moment,
        },
        params::AntiphonParams,
    };

    use super::*;

    fn heard() -> Vec<Note> {
        let note = |n: u8| Note {
            onset: Moment(5.0 + f64::from(n) * 0.2),
            duration: Seconds(0.3),
            key: Key::saturating(60 + n % 5),
            velocity: Velocity::saturating(64),
        };
        (0..150).map(note).collect()
    }

    fn played(model: &Arc<dyn Model>, turn: u32) -> Vec<RelativeNote> {
        let defaults = AntiphonParams::default().snapshot();
        on(model, defaults.manner, defaults.seed(turn, 0), &heard())
    }

    #[test]
    fn a_continuation_has_its_notes_and_follows_the_last_one_heard() {
        for model in model::embedded() {
            let notes = played(model, 0);
            assert_eq!(notes.len(), NEXT);
            assert!(notes.iter().all(|note| note.step >= Seconds::ZERO && note.step.0 < 3.0));
        }
    }

    #[test]
    fn the_same_turn_plays_the_same_and_another_turn_otherwise() {
        let model = &model::embedded()[0];
        assert_eq!(played(model, 0), played(model, 0));
        assert_ne!(played(model, 0), played(model, 1));
    }
}
