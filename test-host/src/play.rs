//! The trait of hosts of both formats, and playing a score into a host's plugin, block by block.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::{
    score::{Event, Kind, Performance, Setup},
    transport::{Playhead, Transport, TransportState},
};

/// A host with one plugin in it. One thread takes the roles of all its threads.
///
/// Every error is a fault of the plugin, described in one sentence.
pub trait Host {
    /// Makes the plugin ready for `setup`; deactivates it first if it is active.
    fn activate(&mut self, setup: Setup) -> Result<()>;

    /// Stops processing and deactivates. Nothing happens when the plugin is inactive.
    fn deactivate(&mut self);

    /// The host's reset: the plugin must forget all sounding and pending notes.
    fn reset(&mut self) -> Result<()>;

    /// Lets the plugin process one block. Appends what it plays to `output`, at the host's samples and in the
    /// order in which it came. Returns the duration of the call.
    fn process(&mut self, block: &Block<'_>, output: &mut Output) -> Result<Duration>;

    fn parameters(&mut self) -> Result<Vec<Parameter>>;

    /// Sets a parameter to a value of 0..=1: at once when inactive, else with the next block.
    fn set(&mut self, id: u32, value: f64) -> Result<()>;

    /// A parameter's present value, 0..=1.
    fn get(&mut self, id: u32) -> Result<f64>;

    fn save(&mut self) -> Result<Vec<u8>>;

    /// # Errors
    /// When the plugin refuses `state`.
    fn load(&mut self, state: &[u8]) -> Result<()>;

    /// The parameter of this name, in either case.
    ///
    /// # Errors
    /// When there is none; the sentence lists those that exist.
    fn parameter(&mut self, name: &str) -> Result<Parameter> {
        let all = self.parameters()?;
        let names = all.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>().join(", ");
        all.iter()
            .find(|parameter| parameter.name.eq_ignore_ascii_case(name))
            .cloned()
            .with_context(|| format!("the plugin has no parameter \"{name}\", only {names}"))
    }
}

/// The host's side of one process call.
#[derive(Debug)]
pub struct Block<'a> {
    /// The host's sample at which it starts.
    pub start: u64,
    pub frames: u32,
    /// `None` when the host tells nothing of its transport.
    pub transport: Option<TransportState>,
    /// The events within the block, in order.
    pub events: &'a [Event],
}

/// The output of a plugin so far.
#[derive(Debug, Default)]
pub struct Output {
    pub events: Vec<Event>,
    /// The loudest sample of its audio outputs, 1 for full scale; an unwritten sample counts as 1 in CLAP.
    pub peak: f32,
}

/// A parameter, as a host knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub id: u32,
    pub name: String,
}

/// What is played, and how.
#[derive(Debug)]
pub struct Part<'a> {
    /// The events to play, in the order of samples.
    pub score: &'a [Event],
    pub transport: &'a Transport,
    /// The sample at which playing ends.
    pub until: u64,
    pub blocks: Blocks,
    pub pace: Pace,
}

/// The sizes of blocks, in samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    Fixed(u32),
    /// Random sizes from 1 to `largest`, small ones as often as large ones; the same for the same seed.
    Random {
        largest: u32,
        seed: u64,
    },
}

/// How fast the host's clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As fast as possible.
    Free,
    /// Each block is processed when it is due, as for a sound card.
    RealTime,
}

/// Activates the plugin in `host` and plays the whole of `part` into it, from sample 0. Leaves it active.
///
/// # Errors
/// When the plugin fails, or plays out of order or outside the block it was asked for.
pub fn play(host: &mut dyn Host, setup: Setup, part: &Part<'_>) -> Result<Performance> {
    ensure!(part.blocks.largest() > 0, "a block of 0 samples holds no music");
    ensure!(part.score.is_sorted_by_key(|event| event.at), "the score is not in the order of its samples");
    host.activate(setup)?;
    let (acts, events): (Vec<Event>, Vec<Event>) = part.score.iter().partition(|event| is_act(event));
    let mut run = Run {
        playhead: Playhead::new(part.transport, setup.sample_rate),
        sample_rate: setup.sample_rate,
        output: Output::default(),
        process: Vec::new(),
        acts: &acts,
        events: &events,
        now: 0,
        due: Instant::now(),
    };
    let mut sizes = part.blocks.sizes();
    while run.now < part.until {
        let size = sizes.next().context("sizes never end")?;
        run.block(host, size, part)?;
    }
    let Output { events, peak } = run.output;
    Ok(Performance { events, process: run.process, peak })
}

struct Run<'a> {
    playhead: Playhead<'a>,
    sample_rate: f64,
    output: Output,
    process: Vec<Duration>,
    /// The remaining actions of the host itself; they come before the events at the same sample.
    acts: &'a [Event],
    /// The remaining events to play.
    events: &'a [Event],
    now: u64,
    /// When the block at `now` is due, for a host in real time.
    due: Instant,
}

impl Run<'_> {
    fn block(&mut self, host: &mut dyn Host, size: u32, part: &Part<'_>) -> Result<()> {
        self.act(host)?;
        let start = self.now;
        let transport = self.playhead.advance(start);
        let act = self.acts.first().map(|event| event.at);
        let cuts = [Some(start + u64::from(size)), Some(part.until), self.playhead.next_cut(start), act];
        let end = cuts.into_iter().flatten().min().context("a block ends")?;
        let (events, rest) = self.events.split_at(self.events.partition_point(|event| event.at < end));
        self.events = rest;
        if part.pace == Pace::RealTime {
            std::thread::sleep(self.due.saturating_duration_since(Instant::now()));
        }
        let frames = u32::try_from(end - start).context("a block is short")?;
        let known = self.output.events.len();
        let block = Block { start, frames, transport, events };
        let cost = host
            .process(&block, &mut self.output)
            .with_context(|| format!("in the block of {frames} samples at sample {start}"))?;
        check_order(&self.output.events[known..], start, end)?;
        self.process.push(cost);
        self.due += Duration::from_secs_f64(f64::from(frames) / self.sample_rate);
        self.now = end;
        Ok(())
    }

    /// Carries out the host's own actions at this sample.
    fn act(&mut self, host: &mut dyn Host) -> Result<()> {
        while let Some((act, rest)) = self.acts.split_first()
            && act.at <= self.now
        {
            match act.kind {
                Kind::Restart(setup) => {
                    host.activate(setup)?;
                    self.playhead.change_rate(self.now, setup.sample_rate);
                    self.sample_rate = setup.sample_rate;
                }
                _ => host.reset()?,
            }
            self.acts = rest;
        }
        Ok(())
    }
}

/// Whether an event is an action of the host itself between two blocks, and not played.
fn is_act(event: &Event) -> bool {
    matches!(event.kind, Kind::Reset | Kind::Restart(_))
}

/// # Errors
/// When an event is outside its block or before the previous event.
fn check_order(events: &[Event], start: u64, end: u64) -> Result<()> {
    for event in events {
        ensure!(
            (start..end).contains(&event.at),
            "the plugin plays {event:?} outside the block {start}..{end} it was asked for"
        );
    }
    for pair in events.windows(2) {
        ensure!(pair[0].at <= pair[1].at, "the plugin plays {:?} after {:?}", pair[1], pair[0]);
    }
    Ok(())
}

impl Blocks {
    /// The largest possible block.
    pub const fn largest(self) -> u32 {
        match self {
            Self::Fixed(size) => size,
            Self::Random { largest, .. } => largest,
        }
    }

    /// An endless sequence of block sizes, each at least 1.
    pub fn sizes(self) -> impl Iterator<Item = u32> {
        let mut state = match self {
            Self::Fixed(_) => 0,
            Self::Random { seed, .. } => seed,
        };
        std::iter::repeat_with(move || match self {
            Self::Fixed(size) => size.max(1),
            Self::Random { largest, .. } => {
                let draw = split_mix(&mut state);
                let bits = (draw >> 32) as u32 % (largest.max(1).ilog2() + 1);
                let below = largest.max(1) >> bits;
                1 + draw as u32 % below
            }
        })
    }
}

/// Vigna's SplitMix64.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_sizes_stay_within_their_bounds_and_repeat_for_one_seed() {
        let blocks = Blocks::Random { largest: 4096, seed: 7 };
        let sizes: Vec<u32> = blocks.sizes().take(1000).collect();
        assert!(sizes.iter().all(|size| (1..=4096).contains(size)));
        assert!(sizes.iter().any(|&size| size < 16) && sizes.iter().any(|&size| size > 2048));
        assert_eq!(sizes, blocks.sizes().take(1000).collect::<Vec<_>>());
    }
}
