//! A minibatch: notes of several sequences as input features of the network, and the targets of its heads.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::{
    cost::{self, Ahead, Target},
    experts::{BeatPlaces, CELLS, EXPERTS, Shares},
    scene::{Features, KEY, POINTERS, Scene},
    vocabulary::{Bin, OVER, TIMES, velocity_bin},
};
use crate::{
    model::{
        operations::Bag,
        vector::{self, Item},
    },
    music::{conditions::Pulse, note::GridNote},
};

/// B sequences of T notes, N = B * T. Places after the end of a sequence have no features and cost nothing.
#[derive(Debug, Clone)]
pub struct Minibatch {
    pub batch: usize,
    pub time: usize,
    /// Number of notes, without the places after the ends.
    pub notes: usize,
    /// The features with which each note is heard.
    pub heard: Arc<Bag>,
    /// The input features of the heads for pitch, velocity and duration, for each note.
    pub told: [Arc<Bag>; 3],
    /// The targets of each head.
    targets: [Arc<Target>; 4],
    /// For each note, what its times depend on besides the logits.
    known: Vec<Known>,
}

/// What is known where a note is expected.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// The ends that the note's duration may point at, as lengths in cells; unused places are 0.
    lengths: [u32; POINTERS],
    /// The place in the beat of the onset before.
    before: Option<Pulse>,
    /// The place in the beat of the note's own onset.
    onset: Option<Pulse>,
}

/// Consecutive notes of a piece.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    /// The true notes, each after what was heard before: steps count from the onset that was heard last.
    pub notes: &'a [GridNote],
    /// The notes as they are heard, which may differ from the true ones: a player makes mistakes. There are
    /// as many as `notes`.
    pub heard: &'a [GridNote],
    /// Whether the piece ends after these notes; otherwise what follows is unknown.
    pub over: bool,
}

impl Minibatch {
    /// Takes up to `time` notes of each sequence. There is one scene for each sequence, which hears them.
    pub fn new(sequences: &[&[GridNote]], time: usize, scenes: &mut [Scene]) -> Self {
        let stretches: Vec<_> =
            sequences.iter().map(|notes| Stretch { notes, heard: notes, over: false }).collect();
        Self::of(&stretches, time, scenes)
    }

    /// [`Minibatch::new`] for stretches. Where a piece is over and there is room for one more place, the
    /// target there is its end.
    pub fn of(stretches: &[Stretch], time: usize, scenes: &mut [Scene]) -> Self {
        let mut heard = Bag::default();
        let mut told: [Bag; 3] = Default::default();
        let mut targets = [Target::of_time(), Target::default(), Target::default(), Target::of_time()];
        let mut features = Features::default();
        let mut known = vec![Known::default(); stretches.len() * time];
        let mut place = known.iter_mut();
        for (&Stretch { notes, heard: said, over }, scene) in stretches.iter().zip(scenes) {
            let mut notes_heard = said.iter();
            for t in 0..time {
                let known = place.next().expect("there is one for each note");
                let (Some(note), Some(said)) = (notes.get(t), notes_heard.next()) else {
                    heard.push(&[]);
                    told.iter_mut().for_each(|bag| bag.push(&[]));
                    let [step, rest @ ..] = &mut targets;
                    let ahead = scene.pulse().map(|pulse| Ahead { pulse, first: 0, cell: None });
                    match over && t == notes.len() {
                        true => step.ask_ahead(0..0, &[item(OVER, 1.0)], ahead),
                        false => step.ask_nothing(),
                    }
                    rest.iter_mut().for_each(Target::ask_nothing);
                    continue;
                };
                *known = Known {
                    lengths: scene.lengths(note.step),
                    before: scene.pulse(),
                    onset: note.conditions.pulse,
                };
                set_targets(scene, note, known, &mut targets);
                tell(scene, note, &mut features, &mut told);
                if said != note {
                    tell_all(scene, said, &mut features);
                }
                scene.tell_who(&said.conditions, &mut features);
                heard.push(features.items());
                scene.hear(said);
            }
        }
        Self {
            batch: stretches.len(),
            time,
            notes: stretches.iter().map(|stretch| stretch.notes.len().min(time)).sum(),
            heard: Arc::new(heard),
            told: told.map(Arc::new),
            targets: targets.map(Arc::new),
            known,
        }
    }

    /// The loss of each note in nats under the heads' logits: step, pitch, velocity and duration, each (N).
    pub fn nats(&self, logits: &[Tensor; 4]) -> Result<[Tensor; 4]> {
        let nats = |n: usize| cost::nats(&self.targets[n], &logits[n]);
        Ok([nats(0)?, nats(1)?, nats(2)?, nats(3)?])
    }

    /// The median step and duration of each of the N notes in cells, under the heads' logits.
    pub fn medians(&self, [steps, _, _, durations]: &[Tensor; 4]) -> Result<[Vec<f32>; 2]> {
        let mut steps: Vec<Vec<f32>> = steps.to_vec2()?;
        let mut durations: Vec<Vec<f32>> = durations.to_vec2()?;
        let steps = steps.iter_mut().zip(&self.known);
        let durations = durations.iter_mut().zip(&self.known);
        Ok([
            steps.map(|(logits, known)| median_step(folded(logits, known.before, 0))).collect(),
            durations
                .map(|(logits, known)| median_duration(folded(logits, known.onset, 1), &known.lengths))
                .collect(),
        ])
    }
}

/// The logits of bins with both experts folded in, from a head's logits.
fn folded(logits: &mut [f32], pulse: Option<Pulse>, first: u32) -> &mut [f32] {
    let (choices, experts) = logits.split_at_mut(logits.len() - EXPERTS);
    if let Some(pulse) = pulse {
        Shares::fold(choices, experts, &BeatPlaces::after(pulse, first));
    }
    choices
}

/// Collects all features of a note, except for who plays it, and adds the input features of each head.
fn tell(scene: &Scene, note: &GridNote, features: &mut Features, told: &mut [Bag; 3]) {
    let [pitch, velocity, duration] = told;
    features.clear();
    scene.tell_step(note.step, features);
    scene.tell_conditions(&note.conditions, features);
    let mut recent = features.clone();
    scene.tell_recent(KEY, &mut recent);
    pitch.push(recent.items());
    scene.tell_key(note.step, note.key, features);
    velocity.push(features.items());
    scene.tell_velocity(note.step, note.velocity, features);
    duration.push(features.items());
    scene.tell_duration(note.step, note.duration, features);
}

/// Collects all features of a note, except for who plays it.
fn tell_all(scene: &Scene, note: &GridNote, features: &mut Features) {
    features.clear();
    scene.tell_step(note.step, features);
    scene.tell_conditions(&note.conditions, features);
    scene.tell_key(note.step, note.key, features);
    scene.tell_velocity(note.step, note.velocity, features);
    scene.tell_duration(note.step, note.duration, features);
}

/// Adds the targets for a note: which choices are possible after the scene, and which are true.
fn set_targets(scene: &Scene, note: &GridNote, known: &Known, targets: &mut [Target; 4]) {
    let [step, pitch, velocity, duration] = targets;
    let (silence, length) = (Bin::of(note.step), Bin::of(note.duration - 1));
    let placed = |cell: u32| Some(cell as usize).filter(|&cell| cell < CELLS);
    let ahead = known.before.map(|pulse| Ahead { pulse, first: 0, cell: placed(note.step) });
    step.ask_ahead(0..0, &[item(silence.index, silence.share())], ahead);
    pitch.ask(0..scene.lowest(note.step), &[item(note.key.index(), 1.0)]);
    velocity.ask(0..0, &[item(velocity_bin(note.velocity), 1.0)]);
    let lengths = &known.lengths;
    let pointers = lengths.iter().take_while(|&&length| length > 0).count();
    let mut ends = [item(length.index, length.share()); 2];
    let pointer = lengths[..pointers].iter().position(|&length| length == note.duration);
    if let Some(pointer) = pointer {
        ends[1] = item(TIMES + pointer, 1.0);
    }
    let meaning = 1 + usize::from(pointer.is_some());
    let ahead = known.onset.map(|pulse| Ahead { pulse, first: 1, cell: placed(note.duration - 1) });
    duration.ask_ahead(TIMES + pointers..TIMES + POINTERS, &ends[..meaning], ahead);
}

fn item(row: usize, amount: f32) -> Item {
    Item { row: u16::try_from(row).expect("heads have few outputs"), amount }
}

/// The median step in cells, given that the piece goes on. Overwrites a head's logits with weights.
fn median_step(logits: &mut [f32]) -> f32 {
    let logits = &mut logits[..TIMES];
    vector::softmax_unscaled(logits);
    median(logits, &mut [])
}

/// The median duration in cells, from a head's logits and the lengths that may be pointed at; a length of 0
/// stands for none. Overwrites the logits with weights.
fn median_duration(logits: &mut [f32], lengths: &[u32; POINTERS]) -> f32 {
    vector::softmax_unscaled(logits);
    let (bins, pointers) = logits.split_at(TIMES);
    let mut points = [(0, 0.0); POINTERS];
    let there = lengths.iter().zip(pointers).filter(|(length, _)| **length > 0);
    for (point, (&length, &weight)) in points.iter_mut().zip(there) {
        // Bins count a duration from 0.
        *point = (length - 1, weight);
    }
    1.0 + median(bins, &mut points)
}

/// The weighted median of bins, each spread over its cells, and of single cells.
fn median(bins: &[f32], points: &mut [(u32, f32)]) -> f32 {
    points.sort_by_key(|&(cell, _)| cell);
    let half = 0.5 * (bins.iter().sum::<f32>() + points.iter().map(|(_, weight)| weight).sum::<f32>());
    let (mut sum, mut points) = (0.0, points.iter().peekable());
    for (index, &weight) in bins.iter().enumerate() {
        let bin = Bin::at(index);
        let middle = bin.first_cell + bin.cells / 2;
        while let Some((cell, weight)) = points.next_if(|(cell, _)| *cell < middle) {
            sum += weight;
            if sum >= half {
                return *cell as f32;
            }
        }
        if sum + weight >= half {
            return bin.first_cell as f32 + (bin.cells - 1) as f32 * (half - sum) / weight;
        }
        sum += weight;
    }
    points.next_back().map_or(0.0, |(cell, _)| *cell as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_weight_lies_on_either_side() {
        let mut logits = [f32::NEG_INFINITY; TIMES];
        [(3, 1.0f32), (10, 2.0), (20, 1.5)].iter().for_each(|&(bin, weight)| logits[bin] = weight.ln());
        assert_eq!(median_step(&mut logits), 10.0);
    }

    #[test]
    fn an_end_that_is_likely_to_be_pointed_at_is_the_median() {
        let mut logits = [f32::NEG_INFINITY; TIMES + POINTERS];
        logits[5] = 0.0;
        logits[TIMES + 1] = 2.0;
        assert_eq!(median_duration(&mut logits, &[7, 77, 0, 0, 0, 0, 0, 0]), 77.0);
    }
}
