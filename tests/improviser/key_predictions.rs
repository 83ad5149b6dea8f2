//! Laws of the key predictions that the worker shows: they are the model's, and showing them changes no note.

use std::sync::Arc;

use antiphon::{
    improviser::{Improviser, StepResult, key_predictions::KeyPredictions},
    lane::{Ending, PerformerEnd, Reply, Request, Silence, SilenceId, lanes},
    model::registry::embedded,
    music::{
        generation::GenerationSettings,
        note::{Key, Note},
        patience::Patience,
        time::{Moment, Seconds},
        turn::TurnId,
    },
};

use crate::MEZZO_FORTE;

fn improviser(key_predictions: &Arc<KeyPredictions>) -> (PerformerEnd, Improviser) {
    let (performer_end, improviser_end) = lanes();
    let mut improviser = Improviser::new(improviser_end, embedded());
    improviser.show_predictions_on(key_predictions.clone());
    (performer_end, improviser)
}

/// Sends a rising scale, a tenth of a second between its notes.
fn play(end: &mut PerformerEnd, notes: u8) {
    for n in 0..notes {
        let onset = Moment(f64::from(n) * 0.1);
        let key = Key::saturating(60 + n);
        let note = Note { onset, duration: Seconds(0.09), key, velocity: MEZZO_FORTE };
        end.requests.push(Request::heard(note)).expect("room for a note");
    }
}

fn with_model(end: &mut PerformerEnd, model: u8) {
    end.requests
        .push(Request::GenerationSettings(GenerationSettings { model, ..GenerationSettings::DEFAULT }))
        .expect("room");
}

fn silence(end: &mut PerformerEnd, since: f64, patience: Patience) {
    let (since, lasted) = (Moment(since), Seconds::ZERO);
    let silence = Silence { id: SilenceId(1), since, lasted, patience };
    end.requests.push(Request::Silence(silence)).expect("room");
}

fn replies(end: &mut PerformerEnd, improviser: &mut Improviser) -> Vec<Reply> {
    let mut replies = Vec::new();
    loop {
        let progress = improviser.step();
        replies.extend(std::iter::from_fn(|| end.replies.pop().ok()));
        if progress != StepResult::Worked {
            return replies;
        }
    }
}

#[test]
fn every_model_shows_how_likely_each_next_key_is() {
    for model in 0..embedded().len() {
        let key_predictions = Arc::new(KeyPredictions::default());
        let (mut end, mut improviser) = improviser(&key_predictions);
        let _watch = key_predictions.watch();
        with_model(&mut end, model as u8);
        play(&mut end, 8);
        replies(&mut end, &mut improviser);
        let keys = key_predictions.keys();
        assert!((keys.iter().sum::<f32>() - 1.0).abs() < 1e-3, "{model}");
        let near: f32 = keys[48..84].iter().sum();
        assert!(near > 0.5, "most likely something near what was played comes next, with model {model}");
        end.requests.push(Request::Forget).expect("room");
        replies(&mut end, &mut improviser);
        assert_eq!(key_predictions.keys(), [0.0; Key::COUNT], "nothing is expected after nothing");
    }
}

#[test]
fn while_nobody_watches_nothing_is_shown() {
    let key_predictions = Arc::new(KeyPredictions::default());
    let (mut end, mut improviser) = improviser(&key_predictions);
    drop(key_predictions.watch());
    play(&mut end, 8);
    replies(&mut end, &mut improviser);
    assert_eq!(key_predictions.keys(), [0.0; Key::COUNT]);
    let _watch = key_predictions.watch();
    replies(&mut end, &mut improviser);
    assert!(key_predictions.keys().iter().sum::<f32>() > 0.5, "who begins to watch sees at once");
}

#[test]
fn who_watches_changes_nothing_that_is_played() {
    let answer = |watched: bool, model: u8| {
        let key_predictions = Arc::new(KeyPredictions::default());
        let (mut end, mut improviser) = improviser(&key_predictions);
        let _watch = watched.then(|| key_predictions.watch());
        with_model(&mut end, model);
        let mut all = Vec::new();
        for turn in 0..3 {
            play(&mut end, 5);
            all.extend(replies(&mut end, &mut improviser));
            silence(&mut end, 0.5, Patience::DEFAULT);
            all.extend(replies(&mut end, &mut improviser));
            let (turn, from, length) = (TurnId(turn), Moment(1.0), Seconds(2.0));
            let (seed, touch, ending) = (turn.0, MEZZO_FORTE, Ending::Full);
            let request = Request::Answer { turn, from, length, seed, touch, ending };
            end.requests.push(request).expect("room");
            all.extend(replies(&mut end, &mut improviser));
        }
        all
    };
    for model in 0..embedded().len() as u8 {
        assert_eq!(answer(true, model), answer(false, model));
    }
}

#[test]
fn every_note_of_an_answer_tells_how_likely_its_key_was() {
    let (mut end, mut improviser) = improviser(&Arc::default());
    play(&mut end, 12);
    let (turn, from, length) = (TurnId(0), Moment(2.0), Seconds(4.0));
    let (seed, touch, ending) = (1, MEZZO_FORTE, Ending::Full);
    end.requests.push(Request::Answer { turn, from, length, seed, touch, ending }).expect("room");
    let told: Vec<f32> = replies(&mut end, &mut improviser)
        .into_iter()
        .filter_map(|reply| match reply {
            Reply::Play { likelihood, .. } => Some(likelihood.expect("the network has odds")),
            _ => None,
        })
        .collect();
    assert!(told.len() > 3 && told.iter().all(|part| (0.0..=1.0).contains(part)), "{told:?}");
    let mean = told.iter().sum::<f32>() / told.len() as f32;
    assert!(mean > 2.0 / Key::COUNT as f32, "what is drawn is likelier than what is not: {told:?}");
}
