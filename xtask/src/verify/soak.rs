//! The soak test: one instance plays in real time, by default for an hour, with a simulated player, in one
//! mode after the other.

use std::{
    hint,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use antiphon::{music::note_tracker::SUSTAIN, plugin::NoteEffect, telemetry::Telemetry};
use anyhow::{Context, Result, bail, ensure};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;
use test_host::{
    Clap, Event, Host, Kind, Mode, Pace, Setup, Transport,
    play::{Block, Output},
    score,
    transport::Playhead,
};

use crate::{bundle, memory::Growth};

const RATE: f64 = 48_000.0;
const BLOCK: u32 = 256;
/// Tempo in beats per minute, at which grid lines do not fall on whole samples, so that rounding errors would
/// add up.
const TEMPO: f64 = 117.3;
const SIXTEENTH_SAMPLES: f64 = RATE * 60.0 / TEMPO / 4.0;
/// With these settings every onset is on a grid, so that a drift is seen.
const SETTINGS: [(&str, &str); 3] = [("Thru", "off"), ("Silence", "2.0"), ("Quantise", "1/16")];
const MODES: [&str; 4] = ["Answer", "Trade", "Together", "Endless"];
/// Seconds for which the plugin is bypassed at the end of a part. A note that still sounds then hangs.
const REST_SECONDS: f64 = 1.0;
/// Beside two busy threads, at most one note in this number may come more than 5 ms late. At rest none may.
const NOTES_FOR_A_LATE_ONE: usize = 1_000;
/// Number of threads that use all the CPU time they get, at normal priority, in every second part.
const BUSY_THREADS: usize = 2;
/// Greatest distance from a grid line of an onset that is on the grid: the sample nearest to the line.
const ON_THE_GRID_SAMPLES: f64 = 1.0;
/// Lowest and highest key of the player.
const LOWEST: i32 = 36;
const HIGHEST: i32 = 96;

/// The plan of a soak: `parts` parts, each in one mode and followed by a reset.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub parts: u32,
    pub part_seconds: u32,
    pub pace: Pace,
}

struct Soak {
    plan: Plan,
    clap: Clap,
    player: Player,
    now: u64,
    due: Instant,
    notes: usize,
    off_grid: usize,
    /// The median distance of the onsets from the grid in each part, in samples.
    errors: Vec<f64>,
    at_rest: Lateness,
    beside_others: Lateness,
    worst_block: Duration,
    growth: Growth,
}

/// Number of notes, and of those that came more than 5 ms late.
#[derive(Debug, Default, Clone, Copy)]
struct Lateness {
    notes: usize,
    late: usize,
}

/// The simulated player, who never tires.
struct Player {
    rng: Pcg32,
    rate: f64,
    key: i32,
}

/// Other load on the machine: threads that use all the CPU time they get, until this is dropped.
struct Busy {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Plan {
    /// A plan for an hour, or for as many minutes as `ANTIPHON_SOAK_MINUTES` says.
    ///
    /// # Errors
    /// When that is no whole number of minutes.
    pub fn of_environment() -> Result<Self> {
        const HOUR: u32 = 60;
        const PART_MINUTES: u32 = 5;
        let minutes = match std::env::var("ANTIPHON_SOAK_MINUTES") {
            Ok(text) => text.parse().context("ANTIPHON_SOAK_MINUTES is a whole number of minutes")?,
            Err(_) => HOUR,
        };
        let parts = minutes.div_ceil(PART_MINUTES);
        Ok(Self { parts, part_seconds: PART_MINUTES * 60, pace: Pace::RealTime })
    }

    fn minutes(self) -> u32 {
        self.parts * self.part_seconds / 60
    }

    /// The growth of memory. It is that of the whole process, so it is only meaningful where the soak runs
    /// alone.
    fn memory(self, growth: &Growth) -> Result<String> {
        match self.pace {
            Pace::RealTime => growth.told(),
            Pace::Free => Ok("memory not measured".to_owned()),
        }
    }
}

/// Plays a soak and returns its figures.
///
/// # Errors
/// When a note hangs, the grid drifts, memory grows or the plugin fails.
pub fn play(plan: Plan) -> Result<String> {
    let mut soak = Soak::new(plan)?;
    let transport = Transport::playing(TEMPO);
    let mut playhead = Playhead::new(&transport, RATE);
    for part in 0..plan.parts {
        soak.part(part, &mut playhead)?;
        if plan.pace == Pace::RealTime {
            println!("{} of {} minutes", (part + 1) * plan.part_seconds / 60, plan.minutes());
        }
    }
    soak.figures()
}

impl Soak {
    fn new(plan: Plan) -> Result<Self> {
        let mut clap = bundle::linked::<NoteEffect>()?;
        for (name, text) in SETTINGS {
            clap.set_text(name, text)?;
        }
        let mode = if plan.pace == Pace::RealTime { Mode::Realtime } else { Mode::Offline };
        clap.activate(Setup { sample_rate: RATE, largest_block: BLOCK, mode })?;
        Ok(Self {
            plan,
            clap,
            player: Player::new(RATE),
            now: 0,
            due: Instant::now(),
            notes: 0,
            off_grid: 0,
            errors: Vec::new(),
            at_rest: Lateness::default(),
            beside_others: Lateness::default(),
            worst_block: Duration::ZERO,
            growth: Growth::default(),
        })
    }

    fn part(&mut self, part: u32, playhead: &mut Playhead<'_>) -> Result<()> {
        let end = self.now + (f64::from(self.plan.part_seconds) * RATE) as u64;
        let rest = end - (REST_SECONDS * RATE) as u64;
        self.clap.set_text("Mode", MODES[part as usize % MODES.len()])?;
        self.clap.set_text("Bypass", "off")?;
        let mut score = self.player.part(self.now, rest);
        let bypass = self.clap.parameter("Bypass")?.id;
        score.push(Event { at: rest, kind: Kind::Parameter { id: bypass, value: 1.0 } });
        let is_busy = self.plan.pace == Pace::RealTime && part % 2 == 1;
        let busy = Busy::start(if is_busy { BUSY_THREADS } else { 0 });
        let (late, notes) = (audibly_late(), self.notes);
        let mut output = Output::default();
        let mut to_come = &score[..];
        while self.now < end {
            let frames = u32::try_from((end - self.now).min(BLOCK.into())).context("a block is short")?;
            let now = to_come.partition_point(|event| event.at < self.now + u64::from(frames));
            let (events, rest) = to_come.split_at(now);
            to_come = rest;
            self.block(frames, events, playhead, &mut output)?;
        }
        drop(busy);
        self.judge(&output)?;
        let lateness = if is_busy { &mut self.beside_others } else { &mut self.at_rest };
        lateness.notes += self.notes - notes;
        lateness.late += audibly_late() - late;
        self.clap.reset()?;
        self.growth.measure();
        Ok(())
    }

    fn block(
        &mut self,
        frames: u32,
        events: &[Event],
        playhead: &mut Playhead<'_>,
        output: &mut Output,
    ) -> Result<()> {
        if self.plan.pace == Pace::RealTime {
            thread::sleep(self.due.saturating_duration_since(Instant::now()));
        }
        let block = Block { start: self.now, frames, transport: playhead.advance(self.now), events };
        self.worst_block = self.worst_block.max(self.clap.process(&block, output)?);
        self.due += Duration::from_secs_f64(f64::from(frames) / RATE);
        self.now += u64::from(frames);
        Ok(())
    }

    /// Judges the output of one part.
    fn judge(&mut self, output: &Output) -> Result<()> {
        let notes = score::notes(&output.events);
        let hanging = notes.iter().find(|note| note.off.is_none());
        if let Some(note) = hanging {
            bail!("{note:?} hangs");
        }
        let mut errors: Vec<f64> = notes.iter().map(|note| from_grid(note.on)).collect();
        errors.sort_by(f64::total_cmp);
        self.notes += notes.len();
        self.off_grid += errors.iter().filter(|error| **error > ON_THE_GRID_SAMPLES).count();
        self.errors.extend(errors.get(errors.len() / 2));
        Ok(())
    }

    fn figures(mut self) -> Result<String> {
        self.clap.deactivate();
        let telemetry = antiphon::plugin::telemetry();
        let sum = |count: fn(&Telemetry) -> u32| telemetry.iter().map(|one| count(one)).sum::<u32>();
        let (first, last) =
            (self.errors.first().context("nothing was played")?, self.errors.last().context("as above")?);
        ensure!(last.max(*first) <= ON_THE_GRID_SAMPLES, "onsets drift: {first} samples, at last {last}");
        let Self { plan, notes, off_grid, worst_block, growth, at_rest, beside_others, .. } = &self;
        ensure!(
            at_rest.late == 0,
            "{} of {} notes at rest are more than 5 ms late",
            at_rest.late,
            at_rest.notes
        );
        ensure!(
            beside_others.late * NOTES_FOR_A_LATE_ONE <= beside_others.notes,
            "{} of {} notes beside {BUSY_THREADS} busy threads are more than 5 ms late",
            beside_others.late,
            beside_others.notes
        );
        Ok(format!(
            "{} minutes, {notes} notes of the plugin's, 0 hanging, {} late ({} of {} at rest and {} of {} beside busy threads by \
             more than 5 ms), {} dropped, {off_grid} off the grid, {} requests \
             unsent, {} faults; half of the notes of the first part lie within {first:.2} samples of the grid, of the last \
             within {last:.2}; {}; worst block {:.2} ms",
            plan.minutes(),
            sum(|one| one.late.count()),
            at_rest.late,
            at_rest.notes,
            beside_others.late,
            beside_others.notes,
            sum(|one| one.dropped.count()),
            sum(|one| one.unsent.count()),
            sum(|one| one.faults.count()),
            plan.memory(growth)?,
            worst_block.as_secs_f64() * 1e3,
        ))
    }
}

impl Player {
    /// The player for a sample rate; always with the same seed.
    fn new(rate: f64) -> Self {
        Self { rng: Pcg32::seed_from_u64(1), rate, key: 60 }
    }

    /// Phrases and pauses from the sample `from` to `until`, with all keys and the pedal up at the end.
    fn part(&mut self, from: u64, until: u64) -> Vec<Event> {
        let mut score = Vec::new();
        let mut at = from;
        loop {
            let mut phrase = Vec::new();
            at = self.phrase(at, &mut phrase);
            if phrase.iter().any(|event| event.at >= until) {
                break;
            }
            score.append(&mut phrase);
        }
        score::sort(&mut score);
        score
    }

    /// Adds one phrase to the score; returns the sample at which the next one begins.
    fn phrase(&mut self, mut at: u64, score: &mut Vec<Event>) -> u64 {
        let (begin, pedal) = (at, self.rng.random_bool(0.2));
        for _ in 0..self.rng.random_range(3..12) {
            self.key = (self.key + self.rng.random_range(-7..=7)).clamp(LOWEST, HIGHEST);
            let key = u8::try_from(self.key).unwrap_or_default();
            let length = self.samples(0.05, 0.9);
            score.extend(Event::note(at, length, key, self.rng.random_range(40..110)));
            at += self.samples(0.08, 0.6);
        }
        if pedal {
            let moved = |value| Kind::Controller { channel: 0, number: SUSTAIN, value };
            score.push(Event { at: begin, kind: moved(127) });
            score.push(Event { at, kind: moved(0) });
        }
        at + self.samples(1.0, 7.0)
    }

    fn samples(&mut self, least_seconds: f64, most_seconds: f64) -> u64 {
        (self.rng.random_range(least_seconds..most_seconds) * self.rate) as u64
    }
}

impl Busy {
    fn start(threads: usize) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let work = |is_over: Arc<AtomicBool>| {
            move || {
                while !is_over.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            }
        };
        let threads = (0..threads).map(|_| thread::spawn(work(is_over.clone()))).collect();
        Self { is_over, threads }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // A thread that only spins does not fail.
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// The number of notes of all instances that have come more than 5 ms late until now.
fn audibly_late() -> usize {
    antiphon::plugin::telemetry().iter().map(|one| one.audibly_late.count() as usize).sum()
}

/// How far a sample lies from the nearest grid line, in samples.
fn from_grid(at: u64) -> f64 {
    let lines = at as f64 / SIXTEENTH_SAMPLES;
    (lines - lines.round()).abs() * SIXTEENTH_SAMPLES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_modes_one_after_the_other_leave_nothing_hanging_and_keep_to_the_grid() {
        let figures = play(Plan { parts: 4, part_seconds: 20, pace: Pace::Free }).expect("it holds");
        assert!(figures.contains("0 hanging") && figures.contains(" 0 off the grid"), "{figures}");
    }

    #[test]
    fn every_part_ends_with_all_keys_up() {
        let mut player = Player::new(48_000.0);
        for part in 0..100 {
            let played = player.part(part * 2_000_000, (part + 1) * 2_000_000);
            assert!(score::notes(&played).iter().all(|note| note.off.is_some()));
            assert!(played.last().is_some_and(|last| last.at < (part + 1) * 2_000_000));
        }
    }
}
