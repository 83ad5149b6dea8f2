//! Laws of the improviser and of its worker thread.

mod endings;
mod generation;
mod key_predictions;
mod models;

use std::{sync::Arc, thread};

use antiphon::{
    improviser::{Improviser, StepResult},
    lane::{Ending, PerformerEnd, Reply, Request, lanes},
    model::Model,
    music::{
        conditions::Swing,
        generation::{GenerationSettings, Thousandths},
        hands::AccompanimentMask,
        metre::{Beating, Metre},
        note::{Key, Note, Velocity},
        time::{Moment, Seconds},
        turn::TurnId,
    },
    worker::Worker,
};

use models::{Opener, StageFright, Tally};

const MEZZO_FORTE: Velocity = Velocity::saturating(64);

fn improviser(model: impl Model + 'static) -> (PerformerEnd, Improviser) {
    let (performer_end, improviser_end) = lanes();
    (performer_end, Improviser::new(improviser_end, &[Arc::new(model)]))
}

fn tally(window: impl Into<Option<usize>>, step: f32) -> (PerformerEnd, Improviser) {
    improviser(Tally { window: window.into(), step: Seconds(step) })
}

fn heard(end: &mut PerformerEnd, count: usize) {
    for i in 0..count {
        let onset = Moment(i as f64 * 0.1);
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(64));
        let note = Note { onset, duration: Seconds(0.1), key, velocity };
        end.requests.push(Request::heard(note)).expect("room for a note");
    }
}

fn ask(end: &mut PerformerEnd, turn: u32, from: f64, seed: u32) {
    let (turn, from, length) = (TurnId(turn), Moment(from), Seconds(2.0));
    let request = Request::Answer { turn, from, length, seed, touch: MEZZO_FORTE, ending: Ending::Full };
    end.requests.push(request).expect("room for a request");
}

fn remembering(end: &mut PerformerEnd, memory: u8) {
    let request = Request::GenerationSettings(GenerationSettings { memory, ..GenerationSettings::DEFAULT });
    end.requests.push(request).expect("room for a request");
}

/// Steps the improviser until it is idle and takes its replies out of the lane.
fn replies(end: &mut PerformerEnd, improviser: &mut Improviser) -> Vec<(TurnId, Note)> {
    let mut notes = Vec::new();
    loop {
        while let Ok(reply) = end.replies.pop() {
            match reply {
                Reply::Play { turn, note, .. } => notes.push((turn, note)),
                Reply::Expect { .. } => {}
                Reply::Done(turn) => assert!(notes.last().is_none_or(|(last, _)| *last == turn)),
            }
        }
        if improviser.step() != StepResult::Worked {
            return notes;
        }
    }
}

#[test]
fn an_answer_keeps_within_its_time() {
    let (mut end, mut improviser) = tally(25, 0.3);
    heard(&mut end, 5);
    ask(&mut end, 0, 10.0, 1);
    let notes = replies(&mut end, &mut improviser);
    assert_eq!(notes.len(), 7);
    assert!(notes.iter().all(|(_, note)| note.onset >= Moment(10.0) && note.onset < Moment(12.0)));
}

#[test]
fn an_answer_has_a_note_however_long_the_network_would_rest() {
    let (mut end, mut improviser) = tally(None, 60.0);
    heard(&mut end, 3);
    ask(&mut end, 1, 4.0, 1);
    let notes = replies(&mut end, &mut improviser);
    let onsets: Vec<f64> = notes.iter().map(|(_, note)| note.onset.0).collect();
    assert!(matches!(onsets[..], [onset] if (4.0..6.0).contains(&onset)), "{onsets:?}");
}

#[test]
fn the_same_seed_gives_the_same_answer_and_another_seed_another() {
    let answer = |seed| {
        let (mut end, mut improviser) = tally(25, 0.1);
        heard(&mut end, 5);
        ask(&mut end, 0, 1.0, seed);
        replies(&mut end, &mut improviser)
    };
    assert_eq!(answer(1), answer(1));
    assert_ne!(answer(1), answer(2));
}

#[test]
fn a_model_hears_no_more_than_its_window_nor_than_the_players_memory() {
    let first_key = |window, memory| {
        let (mut end, mut improviser) = tally(window, 0.1);
        heard(&mut end, 60);
        remembering(&mut end, memory);
        ask(&mut end, 0, 10.0, 1);
        replies(&mut end, &mut improviser)[0].1.key.number()
    };
    assert_eq!(first_key(150, 150), 60);
    assert_eq!(first_key(25, 150), 25);
    assert_eq!(first_key(150, 40), 40);
}

#[test]
fn a_model_that_hears_on_hears_the_players_memory_and_less_than_half_as_much_again() {
    for count in [30, 40, 59, 60, 61, 200] {
        let (mut end, mut improviser) = tally(None, 0.1);
        heard(&mut end, count);
        remembering(&mut end, 40);
        ask(&mut end, 0, 50.0, 1);
        let key = usize::from(replies(&mut end, &mut improviser)[0].1.key.number());
        assert!(key >= count.min(40) && key < 60, "{key} of {count}");
    }
}

#[test]
fn no_answer_ends_with_a_click() {
    let (mut end, mut improviser) = tally(25, 0.01);
    for (turn, length) in (0..).zip([0.03, 0.1, 1.0, 2.0]) {
        let (until, length) = (Moment(10.0) + Seconds(length), Seconds(length));
        let (turn, from, seed, touch) = (TurnId(turn), Moment(10.0), 1, MEZZO_FORTE);
        let request = Request::Answer { turn, from, length, seed, touch, ending: Ending::Full };
        end.requests.push(request).expect("room for a request");
        let notes = replies(&mut end, &mut improviser);
        let (first, rest) = notes.split_first().expect("an answer has a note");
        assert!(first.1.onset < until);
        assert!(rest.iter().all(|(_, note)| (until - note.onset).0 > 0.049), "{length:?}");
    }
}

#[test]
fn an_answer_is_the_same_whether_its_call_was_heard_early_or_at_once() {
    let answers = |early: bool| {
        let (mut end, mut improviser) = tally(None, 0.1);
        let mut answers = Vec::new();
        for turn in 0..4 {
            heard(&mut end, 37);
            while early && improviser.step() == StepResult::Worked {}
            ask(&mut end, turn, f64::from(turn) + 4.0, 1);
            answers.extend(replies(&mut end, &mut improviser));
        }
        answers
    };
    assert_eq!(answers(true), answers(false));
}

#[test]
fn who_plays_from_nothing_begins_a_piece_and_who_answers_does_not() {
    let (mut end, mut improviser) = improviser(Opener);
    let keys = |end: &mut PerformerEnd, improviser: &mut Improviser| -> Vec<u8> {
        replies(end, improviser).iter().map(|(_, note)| note.key.number()).take(3).collect()
    };
    ask(&mut end, 1, 0.0, 1);
    assert_eq!(keys(&mut end, &mut improviser), [1, 0, 0]);
    heard(&mut end, 1);
    ask(&mut end, 2, 5.0, 1);
    assert_eq!(keys(&mut end, &mut improviser), [0, 0, 0]);
}

#[test]
fn an_answer_hears_itself_and_a_cancelled_one_is_not_remembered() {
    let (mut end, mut improviser) = tally(150, 0.5);
    heard(&mut end, 3);
    ask(&mut end, 0, 1.0, 1);
    let keys: Vec<u8> =
        replies(&mut end, &mut improviser).iter().map(|(_, note)| note.key.number()).collect();
    assert_eq!(keys, [3, 4, 5, 6]);
    end.requests.push(Request::Cancel { turn: TurnId(0), sounded: Moment::EARLIEST }).expect("room");
    ask(&mut end, 1, 5.0, 1);
    assert_eq!(replies(&mut end, &mut improviser)[0].1.key.number(), 3);
}

#[test]
fn a_note_that_sounds_still_counts_and_counts_once_when_it_is_over() {
    let (mut end, mut improviser) = tally(None, 0.5);
    heard(&mut end, 3);
    let onset = Moment(0.5);
    let note = |duration| {
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(64));
        Note { onset, duration: Seconds(duration), key, velocity }
    };
    end.requests.push(Request::sounding(note(0.2))).expect("room");
    ask(&mut end, 0, 1.0, 1);
    assert_eq!(replies(&mut end, &mut improviser)[0].1.key.number(), 4);
    end.requests.push(Request::heard(note(0.9))).expect("room");
    ask(&mut end, 1, 5.0, 1);
    assert_eq!(replies(&mut end, &mut improviser)[0].1.key.number(), 4);
}

#[test]
fn a_full_lane_is_ahead_enough_and_loses_nothing() {
    let (mut end, mut improviser) = tally(25, 0.001);
    ask(&mut end, 0, 0.0, 1);
    while improviser.step() == StepResult::Worked {}
    let ahead = end.replies.slots();
    let rest = replies(&mut end, &mut improviser);
    assert_eq!(end.replies.slots(), 0);
    assert!(rest.len() > ahead, "it goes on as soon as there is room");
    assert!(rest.is_sorted_by(|(_, one), (_, next)| one.onset <= next.onset));
}

#[test]
fn a_wall_of_notes_is_broken_up() {
    let (mut end, mut improviser) = tally(25, 0.0);
    ask(&mut end, 0, 0.0, 1);
    let notes = replies(&mut end, &mut improviser);
    for wall in notes.windows(11) {
        assert!((wall[10].1.onset - wall[0].1.onset).0 > 0.099);
    }
}

#[test]
fn who_plays_along_may_strike_on_every_eighth_that_swings() {
    let (mut end, mut improviser) = tally(25, 0.0);
    let generation = GenerationSettings { pace_follow: Thousandths::ZERO, ..GenerationSettings::DEFAULT };
    end.requests.push(Request::GenerationSettings(generation)).expect("room for a request");
    // A beat is a second.
    let metre = Metre { at: Moment(0.0), beats: Beating::new(0.0, 4.0, 1.0) };
    end.requests.push(Request::Song(metre)).expect("room for a request");
    let swing = Swing::at(0.66);
    for eighth in 0..24 {
        let onset = Moment(swing.played(f64::from(eighth) / 2.0));
        let (key, velocity) = (Key::saturating(60), MEZZO_FORTE);
        let note = Note { onset, duration: Seconds(0.1), key, velocity };
        end.requests.push(Request::heard(note)).expect("room for a note");
    }
    end.requests.push(Request::Avoid(AccompanimentMask::default())).expect("room for a request");
    let (turn, from, length) = (TurnId(0), Moment(12.0), Seconds(8.0));
    let request = Request::Answer { turn, from, length, seed: 1, touch: MEZZO_FORTE, ending: Ending::Full };
    end.requests.push(request).expect("room for a request");
    let onsets: Vec<f64> =
        replies(&mut end, &mut improviser).iter().map(|(_, note)| swing.written(note.onset.0)).collect();
    let steps: Vec<f64> =
        onsets.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0.1).collect();
    assert!(steps.len() > 8 && steps.iter().all(|step| (0.4..=0.52).contains(step)), "{steps:?}");
}

#[test]
fn a_performer_that_leaves_closes_its_improviser() {
    let (end, mut improviser) = tally(25, 0.1);
    assert_eq!(improviser.step(), StepResult::Idle);
    drop(end);
    assert_eq!(improviser.step(), StepResult::Closed);
}

#[test]
fn a_worker_answers_and_leaves_when_it_is_dropped() {
    let (mut end, improviser) = tally(25, 0.5);
    let worker = Worker::spawn(improviser, Arc::default(), |_| {}).expect("a thread");
    ask(&mut end, 3, 0.0, 1);
    while end.replies.slots() < 3 {
        thread::yield_now();
    }
    let Ok(Reply::Play { turn, .. }) = end.replies.pop() else { panic!("a reply") };
    assert_eq!(turn, TurnId(3));
    drop(worker);
    assert!(end.requests.is_abandoned());
}

#[test]
fn a_worker_whose_every_answer_fails_gives_up_and_is_dropped_in_peace() {
    let (mut end, improviser) = improviser(StageFright);
    let worker = Worker::spawn(improviser, Arc::default(), |_| {}).expect("a thread");
    for turn in 0.. {
        if end.requests.is_abandoned() {
            break;
        }
        ask(&mut end, turn, 0.0, 1);
        // Each turn ends all the same, until the worker's end of the lane is gone.
        while end.replies.pop().is_err() && !end.requests.is_abandoned() {
            thread::yield_now();
        }
    }
    drop(worker);
    assert!(end.requests.push(Request::Forget).is_ok(), "a dead worker refuses nothing");
}
