use candle_core::Device;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::{
    model::{
        antiphon::{
            Minibatch, Network, RecurrentState, Scene,
            experts::PLACED_BINS,
            scene::ENDS,
            vocabulary::{Bin, TIMES, velocity_bin},
        },
        weights::{Architecture, Weights},
    },
    music::{
        conditions::{Harmony, Pulse, Style, Who},
        note::{Key, Velocity},
        time::Seconds,
    },
};

fn playable(weights: &Weights) -> AntiphonModel {
    AntiphonModel::new(&weights.name, |name| weights.numbers(name))
}

/// The same random weights, as a model for playing and as a network for training.
fn both(seed: u64) -> (AntiphonModel, Network) {
    let weights = Weights::random(Architecture::Antiphon, 0.1, seed);
    (playable(&weights), Network::new(|name| weights.tensor(name)).expect("complete"))
}

/// Chords and lines, some notes ending together, in the order of the corpus.
fn piece(count: usize, seed: u64) -> Vec<GridNote> {
    let mut rng = Rng::seed_from_u64(seed);
    let (mut scene, mut notes) = (Scene::SILENCE, Vec::new());
    while notes.len() < count {
        let step = [0, 0, 1, 12, 25, 300][rng.random_range(0..6)];
        let lowest = scene.lowest(step).max(20);
        if lowest > 100 {
            continue;
        }
        let lengths = scene.lengths(step);
        let length = lengths[rng.random_range(0..lengths.len())];
        let note = GridNote {
            step,
            key: Key::saturating(rng.random_range(lowest..lowest + 20) as u8),
            velocity: Velocity::saturating(rng.random_range(1..=127)),
            duration: if length > 0 { length } else { rng.random_range(1..2000) },
            conditions: conditions(&mut rng),
        };
        scene.hear(&note);
        notes.push(note);
    }
    notes
}

/// Random conditions, each known with probability 0.5.
fn conditions(rng: &mut Rng) -> Conditions {
    let mut often = |of: usize| rng.random_bool(0.5).then(|| rng.random_range(0..of));
    Conditions {
        pulse: often(4000).and_then(|beat| Pulse::new(beat as f64 / 1000.0, 4.0, 0.5)),
        harmony: often(4095).and_then(|classes| Harmony::new(classes as u16 + 1, Some((classes % 12) as u8))),
        style: often(4).map(|style| Style::ALL[style]),
        who: often(2).map(|who| [Who::Player, Who::Plugin][who]),
    }
}

/// The loss of each attribute of each note, in the graph.
fn graph_nats(network: &Network, piece: &[GridNote]) -> [Vec<f32>; 4] {
    let minibatch = Minibatch::new(&[piece], piece.len(), &mut [Scene::SILENCE]);
    let (context, _) = network
        .listen(&minibatch, &RecurrentState::initial(1, &Device::Cpu).expect("a size"))
        .expect("shapes fit");
    let logits = network.logits(&context, &minibatch).expect("shapes fit");
    let nats = minibatch.nats(&logits).expect("shapes fit");
    nats.map(|nats| nats.to_vec1().expect("numbers"))
}

/// The loss of each attribute of the next note.
fn nats(model: &AntiphonModel, state: &mut State, note: &GridNote) -> [f32; 4] {
    let NetworkState { numbers, scene } = state.own_mut();
    let mut parts = layer::split(numbers);
    model.read_memory(&mut parts, scene.heard());
    let scratch = &mut parts.scratch;
    let mut told = Features::default();
    let step_nats =
        time_cost(model.head_logits(0, &told, scratch), STEPS, (scene.pulse(), 0), note.step, &[]);
    scene.tell_step(note.step, &mut told);
    scene.tell_conditions(&note.conditions, &mut told);
    let mut told_of_keys = told.clone();
    scene.tell_recent(KEY, &mut told_of_keys);
    let keys = model.head_logits(1, &told_of_keys, scratch);
    keys[..scene.lowest(note.step)].fill(f32::NEG_INFINITY);
    let key_nats = cost(keys, &[(note.key.index(), 1.0)]);
    scene.tell_key(note.step, note.key, &mut told);
    let velocity_nats = cost(model.head_logits(2, &told, scratch), &[(velocity_bin(note.velocity), 1.0)]);
    scene.tell_velocity(note.step, note.velocity, &mut told);
    let lengths = scene.lengths(note.step);
    let ways = lengths.iter().position(|&length| length == note.duration).map(|n| (TIMES + n, 1.0));
    let ends = model.head_logits(3, &told, scratch);
    for (logit, _) in ends[TIMES..].iter_mut().zip(lengths).filter(|(_, length)| *length == 0) {
        *logit = f32::NEG_INFINITY;
    }
    let pulse = (note.conditions.pulse, 1);
    let duration_nats = time_cost(ends, ENDS, pulse, note.duration - 1, ways.as_slice());
    [step_nats, key_nats, velocity_nats, duration_nats]
}

/// The loss of a time, or of `others`, which mean the same. The first cell lies `first` cells after a point
/// of the beat.
fn time_cost(
    logits: &mut [f32],
    choices: usize,
    (pulse, first): (Option<Pulse>, u32),
    cell: u32,
    others: &[(usize, f32)],
) -> f32 {
    let (choices, experts) = logits.split_at_mut(choices);
    let bin = Bin::of(cell);
    let shares = pulse.map(|pulse| Shares::fold(choices, experts, &BeatPlaces::after(pulse, first)));
    let shares = shares.filter(|_| bin.index < PLACED_BINS);
    let share = shares.map_or(bin.share(), |shares| shares.part(cell as usize));
    cost(choices, &[&[(bin.index, share)], others].concat())
}

fn cost(logits: &mut [f32], ways: &[(usize, f32)]) -> f32 {
    let all = vector::softmax_unscaled(logits);
    let truth: f32 = ways.iter().map(|&(place, share)| share * logits[place]).sum();
    all.ln() - truth.ln()
}

fn assert_alike(model: &AntiphonModel, network: &Network, piece: &[GridNote], state: &mut State) {
    let expected = graph_nats(network, piece);
    for (n, &note) in piece.iter().enumerate() {
        for (attribute, nats) in nats(model, state, &note).into_iter().enumerate() {
            let expected = expected[attribute][n];
            assert!((nats - expected).abs() < 1e-3, "note {n}, attribute {attribute}: {nats}, {expected}");
        }
        model.hear(state, note);
    }
}

#[test]
fn note_by_note_and_all_at_once_foretell_the_same_beyond_the_end_of_the_memory() {
    let (model, network) = both(1);
    assert_alike(&model, &network, &piece(400, 2), &mut model.initial_state());
}

#[test]
fn what_was_before_silence_is_forgotten() {
    let (model, network) = both(3);
    let piece = piece(200, 4);
    let mut state = model.initial_state();
    piece.iter().for_each(|&note| model.hear(&mut state, note));
    model.reset(&mut state);
    assert_alike(&model, &network, &piece[120..], &mut state);
}

/// The notes that the model plays after a piece, on the grid.
fn continuation(model: &AntiphonModel, heard: &[GridNote], count: usize, seed: u64) -> Vec<GridNote> {
    let (mut state, mut rng) = (model.initial_state(), Rng::seed_from_u64(seed));
    heard.iter().for_each(|&note| model.hear(&mut state, note));
    let play = |_| {
        let note = model.draw(&mut state, &SamplingSettings::PLAIN, &Limits::NONE, &mut rng).into();
        model.hear(&mut state, note);
        note
    };
    (0..count).map(play).collect()
}

#[test]
fn the_same_chance_plays_the_same_and_another_otherwise() {
    let (model, _) = both(5);
    let piece = piece(20, 6);
    assert_eq!(continuation(&model, &piece, 30, 1), continuation(&model, &piece, 30, 1));
    assert_ne!(continuation(&model, &piece, 30, 1), continuation(&model, &piece, 30, 2));
}

#[test]
fn the_keys_of_a_chord_rise() {
    // Every step is 0.
    let mut weights = Weights::random(Architecture::Antiphon, 0.1, 7);
    weights.change("step.bias", |bias| bias[0] = 30.0);
    for pair in continuation(&playable(&weights), &[], 20, 1).windows(2) {
        let rises = pair[1].step == 0 && pair[1].key > pair[0].key;
        let is_complete = pair[0].key.number() == 127 && pair[1].step > 0;
        assert!(rises || is_complete);
    }
}

#[test]
fn notes_that_point_at_an_end_end_together() {
    let mut weights = Weights::random(Architecture::Antiphon, 0.1, 8);
    weights.change("duration.bias", |bias| bias[TIMES] = 30.0);
    let model = playable(&weights);
    let long = GridNote { step: 0, duration: 12_345, ..piece(1, 9)[0] };
    let mut onset = 0;
    for note in continuation(&model, &[long], 20, 2) {
        onset += note.step;
        if onset < long.duration {
            assert_eq!(onset + note.duration, long.duration);
        }
    }
}

#[test]
fn a_note_begins_anywhere_in_its_cell() {
    let mut weights = Weights::random(Architecture::Antiphon, 0.1, 13);
    weights.change("step.bias", |bias| bias[12] = 30.0);
    let model = playable(&weights);
    let mut state = model.initial_state();
    let offs = (0..100).map(|seed| {
        let note =
            model.draw(&mut state, &SamplingSettings::PLAIN, &Limits::NONE, &mut Rng::seed_from_u64(seed));
        assert_eq!(GridNote::from(note).step, 12);
        note.step.0 - 0.12
    });
    let (earliest, latest) = offs.fold((0f32, 0f32), |(low, high), off| (low.min(off), high.max(off)));
    assert!(earliest < -0.003 && latest > 0.003);
}

#[test]
fn a_step_leads_at_least_to_where_silence_is_certain() {
    let (model, _) = both(10);
    let mut state = model.initial_state();
    for (n, elapsed) in [0.0, 0.004, 0.32, 0.64, 0.666, 3.21, 47.0, 1e6, f32::MAX].into_iter().enumerate() {
        let mut rng = Rng::seed_from_u64(n as u64);
        let note =
            model.draw(&mut state, &SamplingSettings::PLAIN, &Limits::after(Seconds(elapsed)), &mut rng);
        assert!(note.step.0 >= elapsed.min(4e7) - 0.005 && note.step.0.is_finite(), "{elapsed}");
    }
}

#[test]
fn a_network_that_wants_one_note_for_ever_does_not_get_it() {
    let mut weights = Weights::random(Architecture::Antiphon, 0.1, 11);
    weights.change("pitch.bias", |bias| bias[60] = 30.0);
    weights.change("step.bias", |bias| bias[12] = 30.0);
    let notes = continuation(&playable(&weights), &piece(2, 12), 100, 3);
    assert!(notes.chunk_by(|a, b| a.key == b.key).all(|same| same.len() <= 12));
}

#[test]
fn a_piece_is_over_as_often_as_the_odds_of_the_step_say() {
    const DRAWS: usize = 4000;
    let (model, _) = both(8);
    let mut state = model.initial_state();
    piece(20, 8).into_iter().for_each(|note| model.hear(&mut state, note));
    let heard = state.own::<NetworkState>().scene.heard();
    let mut copy = state.clone();
    let mut parts = layer::split(&mut copy.own_mut::<NetworkState>().numbers);
    model.read_memory(&mut parts, heard);
    let logits = model.step_logits(&Conditions::UNKNOWN, &mut parts.scratch);
    let likely = logits[OVER].exp() / logits.iter().map(|logit| logit.exp()).sum::<f32>();
    let mut rng = Rng::seed_from_u64(8);
    let over = (0..DRAWS).filter(|_| model.is_over(&mut state, &SamplingSettings::PLAIN, &mut rng)).count();
    assert!((over as f32 / DRAWS as f32 - likely).abs() < 0.005, "{over} of {DRAWS} for {likely}");
}
