//! What a model plays after music it has heard, by the way of the plugin's worker.

use std::{slice, sync::Arc};

use antiphon::{
    improviser::{Improviser, Progress},
    lane::{Ending, Reply, Request, lanes},
    model::Model,
    music::{
        manner::Manner,
        note::{Note, RelativeNote},
        time::{Moment, Seconds},
        touch::Touch,
        turn::TurnId,
    },
};

use super::prompt::NEXT;

/// Longer than so many notes ever take.
const LENGTH: Seconds = Seconds(3600.0);

/// The next [`NEXT`] notes, or fewer where the model ends; the answer may begin as soon as the last note heard has begun.
pub fn on(model: &Arc<dyn Model>, manner: Manner, seed: u32, heard: &[Note]) -> Vec<RelativeNote> {
    let (mut performer, end) = lanes();
    let mut improviser = Improviser::new(end, slice::from_ref(model));
    let mut before = heard.last().map_or(Moment(0.0), |note| note.onset);
    let mut touch = Touch::default();
    heard.iter().for_each(|note| touch.strike(note.velocity));
    let touch = touch.velocity();
    let (turn, ending) = (TurnId(0), Ending::Full);
    let answer = Request::Answer { turn, from: before, length: LENGTH, seed, touch, ending };
    let heard = heard.iter().map(|&note| Request::Heard(note));
    for request in [Request::Manner(manner)].into_iter().chain(heard).chain([answer]) {
        performer.requests.push(request).expect("a lane has room for a prompt");
    }
    let mut notes = Vec::with_capacity(NEXT);
    while notes.len() < NEXT {
        if let Ok(Reply::Play { note, .. }) = performer.replies.pop() {
            let Note { onset, duration, key, velocity } = note;
            notes.push(RelativeNote { step: onset - before, duration, key, velocity });
            before = onset;
        } else if improviser.step() != Progress::Worked {
            break;
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use antiphon::{
        model,
        music::note::{Key, Velocity},
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
