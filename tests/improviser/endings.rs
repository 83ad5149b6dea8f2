//! Laws of where an answer ends.

use std::sync::Arc;

use antiphon::{
    improviser::{Improviser, StepResult},
    lane::{Ending, Reply, Request, lanes},
    music::{
        time::{Moment, Seconds},
        turn::TurnId,
    },
};

use crate::{MEZZO_FORTE, models::ShortPiece};

/// Number of notes in an answer of two seconds.
fn note_count(ending: Ending) -> usize {
    let (mut performer, end) = lanes();
    let mut improviser = Improviser::new(end, &[Arc::new(ShortPiece)]);
    let (turn, from, length) = (TurnId(0), Moment(0.0), Seconds(2.0));
    let touch = MEZZO_FORTE;
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
    assert_eq!(note_count(Ending::Piece), 4);
}

#[test]
fn an_answer_goes_on_to_its_end_whatever_the_model_holds_to_be_over() {
    assert_eq!([Ending::Full, Ending::Phrase].map(note_count), [6, 6]);
}
