//! The loss of a head as one operation of candle's graph: a cross-entropy in which more than one choice may
//! mean the true note.

use std::{
    array,
    ops::Range,
    sync::{Arc, OnceLock},
};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::{
    experts::{BeatPlaces, CELLS, EXPERTS, PLACED_BINS, Shares},
    vocabulary::Bin,
};
use crate::{
    model::{
        operations::{Bag, numbers, with_numbers},
        vector::{self, Item},
    },
    music::conditions::Pulse,
};

/// A logit whose probability vanishes beside any other.
pub const IMPOSSIBLE: f32 = -1e9;
/// Number of choices that may mean the same note: a time, and a pointer at the end of a sounding note.
const MEANINGS: usize = 2;

/// The targets of one head for N notes: which choices are possible and which are true.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// Number of the head's last logits that are no choices but the second expert for a time.
    experts: usize,
    /// For each note, the impossible choices.
    impossible: Vec<Range<usize>>,
    /// For each note, the choices that mean it, each with its share: 1 divided by the number of cells, for a
    /// bin of many cells. A note without any such choice costs nothing.
    truth: Bag,
    /// For each note, the cells of the time, where the beat is known.
    ahead: Vec<Option<Ahead>>,
}

/// The cells after a point of the beat.
#[derive(Debug, Clone, Copy)]
pub struct Ahead {
    pub pulse: Pulse,
    /// Distance from the point to the first cell, in cells.
    pub first: u32,
    /// The true cell, if it is one of those that have places.
    pub cell: Option<usize>,
}

impl Target {
    /// Targets for a head that chooses a time.
    pub fn of_time() -> Self {
        Self { experts: EXPERTS, ..Self::default() }
    }

    /// Adds the target of the next note.
    pub fn ask(&mut self, impossible: Range<usize>, truth: &[Item]) {
        self.ask_ahead(impossible, truth, None);
    }

    /// [`Target::ask`] for a time whose beat may be known. The first item of `truth` is that time.
    pub fn ask_ahead(&mut self, impossible: Range<usize>, truth: &[Item], ahead: Option<Ahead>) {
        self.impossible.push(impossible);
        self.truth.push(truth);
        self.ahead.push(ahead);
    }

    /// Adds a target without a note, which costs nothing.
    pub fn ask_nothing(&mut self) {
        self.ask(0..0, &[]);
    }

    /// The loss of note `n` in nats under its logits. The logits are overwritten with the gradient of the
    /// loss.
    fn cross_entropy(&self, n: usize, line: &mut [f32]) -> f32 {
        if self.truth.of(n).is_empty() {
            line.fill(0.0);
            return 0.0;
        }
        let (choices, experts) = line.split_at_mut(line.len() - self.experts);
        choices[self.impossible[n].clone()].fill(IMPOSSIBLE);
        let Some(ahead) = self.ahead[n] else {
            experts.fill(0.0);
            return self.cross_entropy_of_choices(n, choices, None).0;
        };
        let places = BeatPlaces::after(ahead.pulse, ahead.first);
        let shares = Shares::fold(choices, experts, &places);
        let part = ahead.cell.map(|cell| shares.part(cell));
        let (nats, time) = self.cross_entropy_of_choices(n, choices, part);
        experts.fill(0.0);
        let Some(cell) = ahead.cell else {
            shares.unfold(choices, &places, experts);
            return nats;
        };
        // The gradient of the true bin belongs to the true cell alone, not to all cells of the bin.
        let bin = usize::from(self.truth.of(n)[0].row);
        choices[bin] += time;
        shares.unfold(choices, &places, experts);
        choices[bin] -= time;
        places.of(cell).into_iter().for_each(|place| experts[place] -= time);
        nats
    }

    /// The cross-entropy of the choices, and the probability that the first item of the truth was meant.
    /// `part` is the share of the true cell in its bin, where the beat gives it.
    fn cross_entropy_of_choices(&self, n: usize, choices: &mut [f32], part: Option<f32>) -> (f32, f32) {
        let truth: &[Item] = self.truth.of(n);
        let amount = |n: usize| if n == 0 { part.unwrap_or(truth[0].amount) } else { truth[n].amount };
        let all = vector::softmax_unscaled(choices);
        let weights: [f32; MEANINGS] = array::from_fn(|n| match truth.get(n) {
            Some(item) => amount(n) * choices[usize::from(item.row)],
            None => 0.0,
        });
        // The weights are at least the smallest normal number, so that the quotients are finite.
        let true_part: f32 = weights.iter().sum();
        for (item, weight) in truth.iter().zip(weights) {
            choices[usize::from(item.row)] -= all * weight / true_part;
        }
        vector::softmax_scale(choices, all);
        (all.ln() - true_part.ln(), weights[0] / true_part)
    }
}

/// The loss of the truth under `logits` (N, C) in nats: (N).
pub fn nats(target: &Arc<Target>, logits: &Tensor) -> Result<Tensor> {
    if !logits.device().is_cpu() {
        return nats_plain(target, logits);
    }
    logits.apply_op1(Cost { target: Arc::clone(target), slope: Arc::default() })
}

/// [`nats`], built from candle's own operations.
pub fn nats_plain(target: &Target, logits: &Tensor) -> Result<Tensor> {
    let rows = logits.dim(0)?;
    let (logits, columns) = if target.experts > 0 { by_cells(target, logits)? } else { (logits.clone(), 0) };
    let width = logits.dim(1)?;
    let (mut possible, mut truth) = (vec![0.0; rows * width], vec![IMPOSSIBLE; rows * width]);
    // Cells stand in place of the bins that hold them, so the other choices move by this number of columns.
    let column = |choice: usize| choice + columns;
    for n in 0..rows {
        let (possible, truth) = (&mut possible[n * width..][..width], &mut truth[n * width..][..width]);
        if target.truth.of(n).is_empty() {
            truth.fill(0.0);
            continue;
        }
        let Range { start, end } = target.impossible[n];
        possible[column(start)..column(end)].fill(IMPOSSIBLE);
        for (place, item) in target.truth.of(n).iter().enumerate() {
            let row = usize::from(item.row);
            match target.ahead[n].and_then(|ahead| ahead.cell).filter(|_| place == 0) {
                Some(cell) => truth[cell] = 0.0,
                // All cells of a bin are alike.
                None if target.experts > 0 && row < PLACED_BINS => {
                    truth[Bin::at(row).first_cell as usize] = 0.0
                }
                None => truth[column(row)] = item.amount.ln(),
            }
        }
    }
    let sum = |offsets: Vec<f32>| {
        let logits = (&logits + Tensor::from_vec(offsets, (rows, width), logits.device())?)?;
        // The largest number cancels out, so it needs no gradient.
        let top = logits.detach().max_keepdim(1)?;
        logits.broadcast_sub(&top)?.exp()?.sum(1)?.log()? + top.squeeze(1)?
    };
    sum(possible)? - sum(truth)?
}

/// The logits (N, C) with cells in place of the bins that hold them, and the number of columns by which the
/// others have moved.
fn by_cells(target: &Target, logits: &Tensor) -> Result<(Tensor, usize)> {
    let (rows, width) = logits.dims2()?;
    let (device, choices) = (logits.device(), width - target.experts);
    let bins: Vec<Bin> = (0..CELLS).map(|cell| Bin::of(cell as u32)).collect();
    let indices: Vec<u32> = bins.iter().map(|bin| bin.index as u32).collect();
    let shares: Vec<f32> = bins.iter().map(|bin| bin.share().ln()).collect();
    let times = logits.index_select(&Tensor::from_vec(indices, CELLS, device)?, 1)?;
    let mut cells = times.broadcast_add(&Tensor::from_vec(shares, (1, CELLS), device)?)?;
    let mut known = vec![0f32; rows];
    let mut places = [vec![0; rows * CELLS], vec![0; rows * CELLS]];
    for (n, ahead) in target.ahead.iter().enumerate().filter_map(|(n, ahead)| Some((n, ahead.as_ref()?))) {
        let there = BeatPlaces::after(ahead.pulse, ahead.first);
        known[n] = 1.0;
        for cell in 0..CELLS {
            for (places, place) in places.iter_mut().zip(there.of(cell)) {
                places[n * CELLS + cell] = place as u32;
            }
        }
    }
    let known = Tensor::from_vec(known, (rows, 1), device)?;
    let experts = logits.narrow(1, choices, target.experts)?.contiguous()?;
    for places in places {
        let said = experts.gather(&Tensor::from_vec(places, (rows, CELLS), device)?, 1)?;
        cells = (cells + said.broadcast_mul(&known)?)?;
    }
    let rest = logits.narrow(1, PLACED_BINS, choices - PLACED_BINS)?;
    Ok((Tensor::cat(&[cells, rest], 1)?, CELLS - PLACED_BINS))
}

struct Cost {
    target: Arc<Target>,
    /// The gradient of the loss of each row, (N, C), for the backward pass.
    slope: Arc<OnceLock<Vec<f32>>>,
}

impl CustomOp1 for Cost {
    fn name(&self) -> &'static str {
        "cost"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        if self.target.truth.len() != rows || width < self.target.experts {
            bail!("cost: {} notes and logits {:?} do not fit", self.target.truth.len(), layout.shape());
        }
        let mut slope = numbers(storage, layout)?.to_vec();
        let lines = slope.chunks_exact_mut(width).enumerate();
        let nats = lines.map(|(n, line)| self.target.cross_entropy(n, line)).collect();
        if self.slope.set(slope).is_err() {
            bail!("cost: one operation runs once");
        }
        Ok((CpuStorage::F32(nats), rows.into()))
    }

    fn bwd(&self, logits: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let Some(slope) = self.slope.get() else { bail!("cost: backward before forward") };
        let width = logits.dim(1)?;
        let mut dlogits = vec![0.0; slope.len()];
        with_numbers([&gradient.contiguous()?], |[gradient]| {
            let lines = dlogits.chunks_exact_mut(width).zip(slope.chunks_exact(width));
            lines.zip(gradient).for_each(|((line, slope), &gradient)| vector::add(line, gradient, slope));
        })?;
        Ok(Some(Tensor::from_vec(dlogits, logits.shape(), logits.device())?))
    }
}
