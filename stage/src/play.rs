//! Playing a score into a plugin.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::{
    blocks::Blocks,
    host::{Block, Heard, Host, Setup},
    performance::Performance,
    score::{Event, Kind},
    transport::{Playhead, Transport},
};

/// What is played and how.
#[derive(Debug)]
pub struct Part<'a> {
    /// In the order of samples.
    pub score: &'a [Event],
    pub transport: &'a Transport,
    /// The sample at which playing ends.
    pub until: u64,
    pub blocks: Blocks,
    pub pace: Pace,
}

/// How fast the host's clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As fast as it goes.
    Free,
    /// A block is processed when its time has come, as a sound card asks for it.
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
    let mut playing = Playing {
        playhead: Playhead::new(part.transport, setup.sample_rate),
        sample_rate: setup.sample_rate,
        heard: Heard::default(),
        process: Vec::new(),
        acts: &acts,
        events: &events,
        now: 0,
        due: Instant::now(),
    };
    let mut sizes = part.blocks.sizes();
    while playing.now < part.until {
        let size = sizes.next().context("sizes never end")?;
        playing.block(host, size, part)?;
    }
    let Heard { events, peak } = playing.heard;
    Ok(Performance { events, process: playing.process, peak })
}

struct Playing<'a> {
    playhead: Playhead<'a>,
    sample_rate: f64,
    heard: Heard,
    process: Vec<Duration>,
    /// What the host itself is still to do, always before what is played at the same sample.
    acts: &'a [Event],
    /// What is still to be played.
    events: &'a [Event],
    now: u64,
    /// When the block at `now` is due, for a host in real time.
    due: Instant,
}

impl Playing<'_> {
    fn block(&mut self, host: &mut dyn Host, size: u32, part: &Part<'_>) -> Result<()> {
        self.act(host)?;
        let start = self.now;
        let place = self.playhead.advance(start);
        let act = self.acts.first().map(|event| event.at);
        let cuts = [Some(start + u64::from(size)), Some(part.until), self.playhead.next_cut(start), act];
        let end = cuts.into_iter().flatten().min().context("a block ends")?;
        let (events, rest) = self.events.split_at(self.events.partition_point(|event| event.at < end));
        self.events = rest;
        if part.pace == Pace::RealTime {
            std::thread::sleep(self.due.saturating_duration_since(Instant::now()));
        }
        let frames = u32::try_from(end - start).context("a block is short")?;
        let known = self.heard.events.len();
        let block = Block { start, frames, place, events };
        let cost = host
            .process(&block, &mut self.heard)
            .with_context(|| format!("in the block of {frames} samples at sample {start}"))?;
        check_order(&self.heard.events[known..], start, end)?;
        self.process.push(cost);
        self.due += Duration::from_secs_f64(f64::from(frames) / self.sample_rate);
        self.now = end;
        Ok(())
    }

    /// Carries out what the host itself does at this sample.
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

/// Whether the host itself acts, between two blocks, rather than plays.
fn is_act(event: &Event) -> bool {
    matches!(event.kind, Kind::Reset | Kind::Restart(_))
}

/// # Errors
/// When an event lies outside its block or before the one that came earlier.
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
