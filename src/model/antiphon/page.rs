//! Notes as what the network reads of them, and what it should have said before.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::{
    bag::Bag,
    cost::{self, Target},
    features::Features,
    median,
    scene::{KEY, POINTERS, Scene},
    vocabulary::{Bin, OVER, TIMES, velocity_bin},
};
use crate::{model::vector::Item, music::grid::GridNote};

/// B sequences of T notes, N = B * T. What lies behind the end of a sequence has no features and costs nothing.
#[derive(Debug, Clone)]
pub struct Page {
    pub batch: usize,
    pub time: usize,
    /// How many notes there are, without what lies behind the ends.
    pub notes: usize,
    /// What is heard of each note.
    pub heard: Arc<Bag>,
    /// What the heads for pitch, velocity and duration are told of each note.
    pub told: [Arc<Bag>; 3],
    /// For each head.
    targets: [Arc<Target>; 4],
    /// Of each note, the ends that its duration may point at: as lengths in cells, 0 filling up.
    lengths: Vec<[u32; POINTERS]>,
}

/// Notes in a row.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    pub notes: &'a [GridNote],
    /// Whether the piece is over after them; otherwise nobody knows what follows.
    pub over: bool,
}

impl Page {
    /// Takes up to `time` notes of each sequence, and moves its scene, of which there is one for each, behind them.
    pub fn new(sequences: &[&[GridNote]], time: usize, scenes: &mut [Scene]) -> Self {
        let stretches: Vec<_> = sequences.iter().map(|notes| Stretch { notes, over: false }).collect();
        Self::of(&stretches, time, scenes)
    }

    /// [`Page::new`]; a piece that is over should be found over, where there is room for one more note.
    pub fn of(stretches: &[Stretch], time: usize, scenes: &mut [Scene]) -> Self {
        let mut heard = Bag::default();
        let mut told: [Bag; 3] = Default::default();
        let mut targets: [Target; 4] = Default::default();
        let mut features = Features::default();
        let mut lengths = vec![[0; POINTERS]; stretches.len() * time];
        let mut place = lengths.iter_mut();
        for (&Stretch { notes, over }, scene) in stretches.iter().zip(scenes) {
            for t in 0..time {
                let lengths = place.next().expect("there is one for each note");
                let Some(note) = notes.get(t) else {
                    heard.push(&[]);
                    told.iter_mut().for_each(|bag| bag.push(&[]));
                    let [step, rest @ ..] = &mut targets;
                    match over && t == notes.len() {
                        true => step.ask(0..0, &[item(OVER, 1.0)]),
                        false => step.ask_nothing(),
                    }
                    rest.iter_mut().for_each(Target::ask_nothing);
                    continue;
                };
                tell(scene, note, &mut features, &mut told);
                heard.push(features.items());
                *lengths = scene.lengths(note.step);
                judge(scene, note, lengths, &mut targets);
                scene.hear(note);
            }
        }
        Self {
            batch: stretches.len(),
            time,
            notes: stretches.iter().map(|stretch| stretch.notes.len().min(time)).sum(),
            heard: Arc::new(heard),
            told: told.map(Arc::new),
            targets: targets.map(Arc::new),
            lengths,
        }
    }

    /// What each note costs in nats under the heads' logits: step, pitch, velocity and duration, each (N).
    pub fn nats(&self, logits: &[Tensor; 4]) -> Result<[Tensor; 4]> {
        let nats = |n: usize| cost::nats(&self.targets[n], &logits[n]);
        Ok([nats(0)?, nats(1)?, nats(2)?, nats(3)?])
    }

    /// The median step and duration of each of the N notes in cells, under the heads' logits.
    pub fn medians(&self, [steps, _, _, durations]: &[Tensor; 4]) -> Result<[Vec<f32>; 2]> {
        let mut steps: Vec<Vec<f32>> = steps.to_vec2()?;
        let mut durations: Vec<Vec<f32>> = durations.to_vec2()?;
        let durations = durations.iter_mut().zip(&self.lengths);
        Ok([
            steps.iter_mut().map(|logits| median::step(logits)).collect(),
            durations.map(|(logits, lengths)| median::duration(logits, lengths)).collect(),
        ])
    }
}

/// Leaves all features of a note, and writes what each head is told of it.
fn tell(scene: &Scene, note: &GridNote, features: &mut Features, told: &mut [Bag; 3]) {
    let [pitch, velocity, duration] = told;
    features.clear();
    scene.tell_step(note.step, features);
    let mut recent = features.clone();
    scene.tell_recent(KEY, &mut recent);
    pitch.push(recent.items());
    scene.tell_key(note.step, note.key, features);
    velocity.push(features.items());
    scene.tell_velocity(note.step, note.velocity, features);
    duration.push(features.items());
    scene.tell_duration(note.step, note.duration, features);
}

/// Writes what could follow the scene, and what does.
fn judge(scene: &Scene, note: &GridNote, lengths: &[u32; POINTERS], targets: &mut [Target; 4]) {
    let [step, pitch, velocity, duration] = targets;
    let (silence, length) = (Bin::of(note.step), Bin::of(note.duration - 1));
    step.ask(0..0, &[item(silence.index, silence.share())]);
    pitch.ask(0..scene.lowest(note.step), &[item(note.key.index(), 1.0)]);
    velocity.ask(0..0, &[item(velocity_bin(note.velocity), 1.0)]);
    let pointers = lengths.iter().take_while(|&&length| length > 0).count();
    let mut ends = [item(length.index, length.share()); 2];
    let pointer = lengths[..pointers].iter().position(|&length| length == note.duration);
    if let Some(pointer) = pointer {
        ends[1] = item(TIMES + pointer, 1.0);
    }
    let meaning = 1 + usize::from(pointer.is_some());
    duration.ask(TIMES + pointers..TIMES + POINTERS, &ends[..meaning]);
}

fn item(row: usize, amount: f32) -> Item {
    Item { row: u16::try_from(row).expect("heads have few outputs"), amount }
}
