//! Adapts a model to one player: it learns from what the player has played, as a small difference to the base
//! model. The difference is evaluated on held-out music, and kept only as far as it helps there.
//!
//! For any thread but the audio thread: it takes up to a minute and two cores.

mod card;
mod data_set;
mod difference;
mod player;

use std::time::{Duration, Instant};

use candle_core::{Device, Tensor, backprop::GradStore};
use rand::{RngExt, SeedableRng};
use rayon::ThreadPoolBuildError;

pub use self::{
    card::Card,
    data_set::{DataSet, DataSetError, FEWEST_NOTES},
    player::Player,
};
use self::{
    data_set::Loader,
    difference::{Difference, Parts},
};
use crate::{
    model::{
        Rng,
        antiphon::{Dropout, Minibatch, Network, Pass, RecurrentState, Scene},
        personal::{Base, Personal},
        product::Precision,
        weights::{Architecture, Weights},
    },
    music::note::GridNote,
    thread_pool::{OwnPool, PoolThread, parallel_map, run_each},
};

/// Number of times that each note is worth learning from, at most.
pub const VISITS: usize = 12;
/// Least gain that counts, in nats a note. Another choice of held-out music would change the result by as
/// much.
pub const LEAST_GAIN: f64 = 0.01;

/// Rows of a minibatch on each of the two threads.
const ROWS: usize = 4;
/// Notes of each row in a training step.
const TIME: usize = 96;
const THREADS: usize = 2;
/// Highest learning rate. It is too high for music that is similar to what the base has learnt. Then what was
/// learnt since the best evaluation is undone, and the rate is halved.
const RATE: f64 = 2e-3;
/// Steps of the warm-up. The learning rate also never exceeds a line that falls to 0 at the end of the
/// budget.
const WARM_UP_STEPS: f64 = 20.0;
/// Dropout: the part of the activations that is set to 0 while the network learns.
const DROPOUT: f32 = 0.1;
/// Part of the budget that passes between two evaluations on the held-out music.
const BETWEEN_EVALUATIONS: f64 = 0.08;
/// Number of evaluations in a row without a gain after which learning ends.
const PATIENCE: usize = 4;
/// Factors for the difference that are tried at the end. The first one is kept whose gain is large enough: a
/// larger difference costs more on other music than it is worth on the player's.
const AMOUNTS: [f32; 4] = [0.4, 0.55, 0.7, 0.85];
/// Part of the full difference's gain that is large enough.
const NEARLY: f64 = 0.9;

/// The limits of learning.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    pub time: Duration,
    /// Number of notes to learn from; a note that is heard twice counts twice.
    pub notes: usize,
}

/// How far the adaptation is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The part of the budget that is spent, 0..=1.
    pub passed: f64,
    /// Number of notes learnt from; a note that was heard twice counts twice.
    pub notes: usize,
    pub time: Duration,
    /// Best gain so far on the held-out music, in nats a note.
    pub gain: f64,
}

/// Loss in nats a note, of step, pitch, velocity and duration.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Nats(pub [f64; 4]);

impl Nats {
    pub fn total(self) -> f64 {
        self.0.iter().sum()
    }
}

/// The result of an adaptation.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Loss of the base on the held-out music.
    pub before: Nats,
    /// Loss with the difference that is kept, on the held-out music.
    pub after: Nats,
    pub notes: usize,
    pub steps: usize,
    pub time: Duration,
    /// The difference that is kept; `None` where nothing was gained.
    pub parts: Option<Parts>,
}

impl Outcome {
    /// The gain on the held-out music, in nats a note.
    pub fn gain(&self) -> f64 {
        self.before.total() - self.after.total()
    }

    /// The personal model, under a name and with its card; `None` where nothing was gained.
    pub fn personal(&self, name: &str, base: &Weights, card: String) -> Option<Personal> {
        let parts = self.parts.clone()?;
        let base = Base::of(base);
        Some(Personal { name: name.to_owned(), base, architecture: Architecture::Antiphon, card, parts })
    }
}

/// A model that learns from one player's music.
pub struct Adaptation<'a> {
    data_set: &'a DataSet,
    network: Network,
    difference: Difference,
    threads: Vec<PoolThread<Shard>>,
    /// Threads for all other work, since the threads of the process belong to others.
    pool: OwnPool,
}

/// The rows of a minibatch that one thread learns from.
struct Shard {
    loader: Loader,
    past: RecurrentState,
    rng: Rng,
}

impl<'a> Adaptation<'a> {
    /// # Errors
    /// Where the model is a classic, or the system has no thread to give.
    pub fn new(base: &Weights, data_set: &'a DataSet, seed: u64) -> Result<Self, AdaptationError> {
        if base.architecture != Architecture::Antiphon {
            return Err(AdaptationError::Classic(base.name.clone()));
        }
        let mut rng = Rng::seed_from_u64(seed);
        let difference = Difference::to(base, &mut rng)?;
        let network = Network::new(|name| difference.tensor(name))?;
        let shard = |_| {
            let (rows, rng) = (ROWS, Rng::seed_from_u64(rng.random()));
            let loader = Loader::new(data_set.learnt.clone(), (rows, TIME), rng.clone());
            Ok(PoolThread::new(Shard { loader, past: RecurrentState::initial(rows, &Device::Cpu)?, rng })?)
        };
        let threads = (0..THREADS).map(shard).collect::<Result<_, AdaptationError>>()?;
        Ok(Self { data_set, network, difference, threads, pool: OwnPool::new(THREADS)? })
    }

    /// Learns until the budget is spent, until nothing more is gained, or until `told` returns false. Ends at
    /// most one step after the time.
    ///
    /// # Errors
    /// Where the gradient is no longer finite.
    pub fn learn(
        mut self,
        budget: Budget,
        mut told: impl FnMut(&Progress) -> bool,
    ) -> Result<Outcome, AdaptationError> {
        let begun = Instant::now();
        let before = self.on_held_out()?;
        let mut best = (before, self.difference.parts());
        let (mut notes, mut steps, mut evaluated, mut in_vain, mut rate) = (0, 0, 0.0, 0, RATE);
        loop {
            let (time, share) = (begun.elapsed(), notes as f64 / budget.notes.max(1) as f64);
            let passed = time.div_duration_f64(budget.time).max(share).min(1.0);
            if passed - evaluated >= BETWEEN_EVALUATIONS || passed >= 1.0 && steps > 0 {
                evaluated = passed;
                match self.is_better_than(&mut best)? {
                    true => in_vain = 0,
                    false => (in_vain, rate) = (in_vain + 1, rate / 2.0),
                }
            }
            let gain = before.total() - best.0.total();
            let goes_on = told(&Progress { passed, notes, time, gain });
            if passed >= 1.0 || in_vain >= PATIENCE || !goes_on {
                break;
            }
            let warmth = ((steps + 1) as f64 / WARM_UP_STEPS).min(1.0);
            notes += self.step(rate * warmth.min(1.0 - passed))?;
            steps += 1;
        }
        let (after, parts) = match before.total() - best.0.total() {
            gain @ LEAST_GAIN.. => self.least_of(best, before.total() - NEARLY * gain)?,
            _ => (before, None),
        };
        Ok(Outcome { before, after, notes, steps, time: begun.elapsed(), parts })
    }

    /// The smallest part of a difference with a loss of at most `most` nats a note on the held-out music, or
    /// else all of it.
    fn least_of(
        &mut self,
        (all, parts): (Nats, Parts),
        most: f64,
    ) -> Result<(Nats, Option<Parts>), AdaptationError> {
        for amount in AMOUNTS {
            let parts: Parts = parts.iter().map(|(name, part)| (name.clone(), part.scaled(amount))).collect();
            let (pool, difference) = (&self.pool, &mut self.difference);
            pool.install(|| difference.restore(&parts))?;
            let nats = self.on_held_out()?;
            if nats.total() <= most {
                return Ok((nats, Some(parts)));
            }
        }
        Ok((all, Some(parts)))
    }

    /// Evaluates the difference on the held-out music. If it is better than ever, it becomes the best;
    /// otherwise what was learnt since the best is undone.
    fn is_better_than(&mut self, best: &mut (Nats, Parts)) -> Result<bool, AdaptationError> {
        let now = self.on_held_out()?;
        let is_better = now.total() < best.0.total();
        if is_better {
            *best = (now, self.difference.parts());
        } else {
            let (pool, difference) = (&self.pool, &mut self.difference);
            pool.install(|| difference.restore(&best.1))?;
        }
        Ok(is_better)
    }

    /// Learns from a minibatch; returns its number of notes.
    fn step(&mut self, rate: f64) -> Result<usize, AdaptationError> {
        let network = &self.network;
        let works = run_each(&mut self.threads, |shard| shard.learn(network))?;
        let gradients: Vec<&GradStore> = works.iter().map(|(gradient, _)| gradient).collect();
        let (pool, difference) = (&self.pool, &mut self.difference);
        if !pool.install(|| difference.step(&gradients, rate as f32))? {
            return Err(AdaptationError::NoNumber);
        }
        Ok(works.iter().map(|(_, notes)| notes).sum())
    }

    fn on_held_out(&self) -> Result<Nats, AdaptationError> {
        self.pool.install(|| score(&self.network, &self.data_set.held_out))
    }
}

impl Shard {
    /// The gradient of the next minibatch, and its number of notes.
    fn learn(&mut self, network: &Network) -> Result<(GradStore, usize), AdaptationError> {
        let (minibatch, going_on) = self.loader.next();
        let past = self.past.going_on(&going_on)?;
        let dropout = Dropout::Part(DROPOUT, &mut self.rng);
        // Whoever hosts the plugin has not said that its process may use the matrix unit.
        let pass = Pass { dropout, precision: Precision::Single };
        let (logits, after) = network.rehearse(&minibatch, &past, pass)?;
        let sums: Vec<Tensor> =
            minibatch.nats(&logits)?.iter().map(Tensor::sum_all).collect::<Result<_, _>>()?;
        let total = (((&sums[0] + &sums[1])? + &sums[2])? + &sums[3])?;
        self.past = after;
        Ok(((total / (THREADS * ROWS * TIME) as f64)?.backward()?, minibatch.notes))
    }
}

/// The average loss of the notes of some pieces, each piece heard from silence.
fn score(network: &Network, pieces: &[Vec<GridNote>]) -> Result<Nats, AdaptationError> {
    const TOGETHER: usize = 8;
    let mut pieces: Vec<&[GridNote]> = pieces.iter().map(Vec::as_slice).collect();
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
    let groups: Vec<_> = pieces.chunks(TOGETHER).collect();
    let sums = parallel_map(&groups, |group| -> Result<[f64; 4], AdaptationError> {
        let (mut scenes, mut sums) = (vec![Scene::SILENCE; group.len()], [0.0; 4]);
        let mut past = RecurrentState::initial(group.len(), &Device::Cpu)?;
        for from in (0..group[0].len()).step_by(TIME) {
            let rest: Vec<&[GridNote]> = group.iter().map(|piece| &piece[from.min(piece.len())..]).collect();
            let minibatch = Minibatch::new(&rest, TIME, &mut scenes);
            let (context, after) = network.listen(&minibatch, &past)?;
            past = after;
            for (sum, nats) in sums.iter_mut().zip(minibatch.nats(&network.logits(&context, &minibatch)?)?) {
                *sum += f64::from(nats.sum_all()?.to_scalar::<f32>()?);
            }
        }
        Ok(sums)
    })?;
    let notes = pieces.iter().map(|piece| piece.len()).sum::<usize>().max(1) as f64;
    Ok(Nats([0, 1, 2, 3].map(|n| sums.iter().map(|sums| sums[n]).sum::<f64>() / notes)))
}

/// Why a model cannot become a player's own.
#[derive(Debug, thiserror::Error)]
pub enum AdaptationError {
    #[error("{0} is a classic, which cannot become yours: choose antiphon, or a model trained from it")]
    Classic(String),
    #[error("the numbers of the network have run away: try another `--seed`")]
    NoNumber,
    #[error("the network cannot be reckoned with ({0}): report this, with the files")]
    Candle(#[from] candle_core::Error),
    #[error("the system has no thread to give ({0}): close another program and try again")]
    Threads(#[from] ThreadPoolBuildError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::registry,
        music::note::{Key, Velocity},
    };

    fn base() -> Weights {
        registry::read(registry::embedded_file("antiphon").expect("it is inside")).expect("complete")
    }

    /// Music that nobody else plays: whole tones up and down in even steps, each as loud as the next.
    fn pieces() -> Vec<Vec<GridNote>> {
        let note = |n: usize| GridNote {
            step: 20,
            key: Key::saturating(60 + 2 * (n % 6) as u8),
            velocity: Velocity::saturating(100),
            duration: 11,
            conditions: Default::default(),
        };
        (0..3).map(|piece| (0..300).map(|n| note(n * (1 + piece))).collect()).collect()
    }

    #[test]
    fn a_manner_is_learnt_and_foretold_better_on_what_was_held_out() {
        let (base, pieces) = (base(), pieces());
        let data_set = DataSet::divided(&pieces, 1).expect("music");
        let budget = Budget { time: Duration::from_secs(600), notes: 12 * THREADS * ROWS * TIME };
        let mut passed = Vec::new();
        let told = |progress: &Progress| {
            passed.push(progress.passed);
            true
        };
        let outcome =
            Adaptation::new(&base, &data_set, 1).and_then(|it| it.learn(budget, told)).expect("finite");
        assert!(outcome.gain() > 0.1, "{}", outcome.gain());
        assert!(passed.is_sorted() && passed.last() == Some(&1.0));
        let card = Card::of("me", &base, &data_set, &outcome, 1);
        let bytes = outcome.personal("me", &base, card.to_toml()).expect("a gain").to_bytes();
        assert!((10_000..300_000).contains(&bytes.len()), "{} bytes", bytes.len());
        let mine =
            Personal::read(&bytes).and_then(|personal| personal.applied(&base, 1.0)).expect("its base");
        let network = Network::new(|name| mine.tensor(name)).expect("complete");
        let after = score(&network, &data_set.held_out).expect("shapes fit");
        // The file has half precision, so the loss differs a little.
        assert!(
            (after.total() - outcome.after.total()).abs() < 0.02,
            "{} and {}",
            after.total(),
            outcome.after.total()
        );
    }

    #[test]
    fn whoever_stops_it_keeps_what_was_gained_so_far() {
        let (base, pieces) = (base(), pieces());
        let data_set = DataSet::divided(&pieces, 1).expect("music");
        let budget = Budget { time: Duration::from_secs(600), notes: 1_000_000 };
        let outcome =
            Adaptation::new(&base, &data_set, 1).and_then(|it| it.learn(budget, |_| false)).expect("finite");
        assert_eq!((outcome.steps, outcome.parts.is_none()), (0, true));
        assert_eq!(outcome.before, outcome.after);
    }

    #[test]
    fn a_classic_is_refused_by_name() {
        let classic =
            registry::read(registry::embedded_file("classic-25").expect("it is inside")).expect("complete");
        let data_set = DataSet::divided(&pieces(), 1).expect("music");
        let refused = Adaptation::new(&classic, &data_set, 1).err().map(|error| error.to_string());
        assert!(refused.is_some_and(|sentence| sentence.starts_with("classic-25 is a classic")));
    }
}
