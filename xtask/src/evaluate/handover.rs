//! `evaluate --handover`: how well the plugin tells the end of a call from a breath, by its own rule at every
//! *Patience*, beside fixed silences.
//!
//! Silence is counted as in the fixed rules: from the last onset, with no key held. A phrase ends where the
//! silence reaches two seconds, or, in jazz solos, where a listener has marked its end. A player who never
//! stops is disturbed by every take-over, even at the end of a phrase unless that is marked. A player who
//! stops at the end of a phrase waits from the last release of a key, whatever the pedal does then, until the
//! plugin takes the floor.

mod performance;
mod report;

use std::path::Path;

use anyhow::{Result, ensure};

use antiphon::{
    music::{
        patience::{Patience, USUAL_BEAT},
        time::Seconds,
    },
    thread_pool::parallel_map,
};

use super::{Arguments, progress};
use crate::corpus::{
    self, LeftOut, Split,
    collection::{self, Source},
};
use performance::{Listened, Pause, Performance};
use report::{Contest, Fixed, Metrics, Patient, Report, Silence};

/// Silences that a fixed rule may wait for, in seconds and, where beats are known, in beats.
const SILENCES: [f32; 7] = [0.25, 0.5, 1.0, 1.25, 1.5, 1.75, 2.0];
const BEATS: [f32; 6] = [0.5, 1.0, 2.0, 3.0, 4.0, 6.0];
/// Distance of the fixed rules that are tried in a contest, in seconds, and below in beats.
const FINE_S: f32 = 0.05;
const FINE_BEATS: f32 = 0.125;
/// Number of fixed rules of each unit that are tried in a contest.
const FINE: u8 = 100;
/// Numbers of wrong take-overs a minute that a contest allows.
const RATES: [f64; 5] = [0.5, 1.0, 2.0, 3.0, 4.0];
/// Number of steps of the patience on the curve, from 0 to 1.
const STEPS: u16 = 20;
/// The default of *Silence*, in beats: after it the plugin takes the floor in any case.
const LONGEST: f32 = 4.0;

pub fn run(arguments: &Arguments) -> Result<()> {
    ensure!(arguments.model.is_empty(), "who has the floor hangs on no model: leave `--model` out");
    let heard = hear(&sources(arguments)?)?;
    let report = report_of(&heard);
    if let Some(path) = &arguments.picture {
        let minutes = heard.iter().map(|heard| heard.minutes).sum::<f64>();
        let title = format!("Wrong take-overs and waiting, {minutes:.0} minutes of real performances");
        report::draw(path, &title, &report.curve, report.default.patience, &report.fixed_rules)?;
    }
    match arguments.json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => print!("{}", report::table(&report)),
    }
    Ok(())
}

fn report_of(heard: &[Heard]) -> Report {
    let minutes = heard.iter().map(|heard| heard.minutes).sum();
    let listened: Vec<&Listened> = heard.iter().flat_map(|heard| &heard.listened).collect();
    let patient = |patience: Patience| {
        let take_over = |listened: &&Listened| {
            let longest = Seconds(LONGEST * listened.pause.beat.unwrap_or(USUAL_BEAT).0);
            (listened.pause, Some(listened.take_over(patience).unwrap_or(longest).min(longest)))
        };
        Patient { patience: patience.part(), metrics: Metrics::of(minutes, listened.iter().map(take_over)) }
    };
    let all: Vec<Pause> = heard.iter().flat_map(|heard| heard.pauses.iter().copied()).collect();
    let has_beats = all.iter().any(|pause| pause.beat.is_some());
    let in_beats = |beats: &[f32]| -> Vec<Silence> {
        if has_beats { beats.iter().copied().map(Silence::Beats).collect() } else { Vec::new() }
    };
    let fixed = |silence| Fixed { silence, metrics: Metrics::of_silence(minutes, &all, silence) };
    let rules = SILENCES.map(Silence::Seconds).into_iter().chain(in_beats(&BEATS));
    let fine = |unit: f32| -> Vec<f32> { (1..=FINE).map(|n| f32::from(n) * unit).collect() };
    let many = fine(FINE_S).into_iter().map(Silence::Seconds).chain(in_beats(&fine(FINE_BEATS)));
    let many: Vec<Fixed> = many.map(fixed).collect();
    let patiences = (0..=STEPS).map(|step| Patience::saturating(f32::from(step) / f32::from(STEPS)));
    let curve: Vec<Patient> = patiences.map(patient).collect();
    Report {
        default: patient(Patience::DEFAULT),
        fixed_rules: rules.map(fixed).collect(),
        contests: RATES.map(|rate| Contest::new(rate, &curve, &many)).to_vec(),
        curve,
    }
}

/// A performance as the rule has heard it.
struct Heard {
    minutes: f64,
    /// All pauses, even the shortest.
    pauses: Vec<Pause>,
    /// The pauses in which the plugin could take the floor.
    listened: Vec<Listened>,
    left_out: LeftOut,
}

/// The performances that are asked for, evenly spaced if not all are.
fn sources(arguments: &Arguments) -> Result<Vec<Source>> {
    let data: &Path = &arguments.data;
    let all = match arguments.split {
        // A file, or a list of files.
        _ if !data.is_dir() => {
            let split = arguments.split.or(corpus::has_list(data).then_some(Split::Validation));
            corpus::find(data, split)?.into_iter().map(Source::of_file).collect()
        }
        Some(split) => collection::find_all(data, split)?,
        None => collection::unlearnt(data)?,
    };
    let count = arguments.files.map_or(all.len(), |count| count as usize).min(all.len());
    Ok((0..count).map(|n| all[n * all.len() / count].clone()).collect())
}

fn hear(sources: &[Source]) -> Result<Vec<Heard>> {
    let bar = progress("performances", sources.len());
    let heard = parallel_map(sources, |source: &Source| -> Result<_> {
        let heard = hear_one(source)?;
        bar.inc(1);
        Ok(heard)
    })?;
    bar.finish_and_clear();
    heard.iter().map(|heard| heard.left_out).sum::<LeftOut>().warn(None);
    ensure!(heard.iter().any(|heard| heard.minutes > 0.0), "there are no notes: give MIDI files with notes");
    Ok(heard)
}

fn hear_one(source: &Source) -> Result<Heard> {
    let performance = Performance::read(source)?;
    let pauses = performance.pauses();
    let mattering: Vec<Pause> = pauses.iter().copied().filter(Pause::matters).collect();
    let listened = performance::listen(&performance.notes, &mattering);
    Ok(Heard { minutes: performance.minutes(), pauses, listened, left_out: performance.left_out })
}
