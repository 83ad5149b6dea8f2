//! Laws of how answers and pieces end.

use std::sync::Arc;

use antiphon::{
    improviser::{Improviser, StepResult},
    lane::{Ending, Reply, Request, lanes},
    model::{Chance, Limits, Model, SamplingSettings, State},
    music::{
        grid::GridNote,
        note::{Key, RelativeNote, Velocity},
        time::{Moment, Seconds},
        turn::TurnId,
    },
};

/// A model that holds a piece to be over after four notes, and plays on if nobody asks.
struct ShortPiece;

const NOTES: f32 = 4.0;

impl Model for ShortPiece {
    fn name(&self) -> &str {
        "short piece"
    }

    fn window(&self) -> Option<usize> {
        None
    }

    fn silence(&self) -> State {
        State::of(0_f32)
    }

    fn forget(&self, state: &mut State) {
        *state.own_mut::<f32>() = 0.0;
    }

    fn hear(&self, state: &mut State, _: GridNote) {
        *state.own_mut::<f32>() += 1.0;
    }

    fn is_over(&self, state: &mut State, _: &SamplingSettings, _: &mut Chance) -> bool {
        *state.own_mut::<f32>() >= NOTES
    }

    fn draw(&self, _: &mut State, _: &SamplingSettings, limits: &Limits, _: &mut Chance) -> RelativeNote {
        RelativeNote {
            step: Seconds(0.3).max(limits.least_step),
            duration: Seconds(0.2),
            key: Key::saturating(60),
            velocity: Velocity::saturating(64),
        }
    }
}

/// How many notes an answer of two seconds has.
fn played(ending: Ending) -> usize {
    let (mut performer, end) = lanes();
    let mut improviser = Improviser::new(end, &[Arc::new(ShortPiece)]);
    let (turn, from, length) = (TurnId(0), Moment(0.0), Seconds(2.0));
    let touch = Velocity::saturating(64);
    let request = Request::Answer { turn, from, length, seed: 1, touch, ending };
    performer.requests.push(request).expect("room for a request");
    while improviser.step() == StepResult::Worked {}
    let mut notes = 0;
    while let Ok(reply) = performer.replies.pop() {
        notes += usize::from(matches!(reply, Reply::Play { .. }));
    }
    notes
}

#[test]
fn a_piece_ends_where_the_model_says_that_it_is_over() {
    assert_eq!(played(Ending::Piece), 4);
}

#[test]
fn an_answer_goes_on_to_its_end_whatever_the_model_holds_to_be_over() {
    assert_eq!([Ending::Full, Ending::Phrase].map(played), [6, 6]);
}
