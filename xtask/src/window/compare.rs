//! `cargo xtask window compare`: what an open window costs those who play, in one run.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use test_host::{Mode, Performance, screen::Screen};

use super::{Display, instance, play_phrases};
use crate::demo::measure::late;

/// Play with the window closed and with it open, in turn, and tell what a process call costs and how many notes are late
#[derive(clap::Args)]
pub struct Arguments {
    /// Seconds of music for each playing, in real time
    #[arg(long, default_value = "30")]
    seconds: f64,
    /// How often each is played; the figures are the medians
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Print one JSON object only
    #[arg(long)]
    json: bool,
}

/// What is told of one playing, or of several.
struct Cost {
    median_us: f64,
    p99_us: f64,
    worst_us: f64,
    late: usize,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let _display = Display::open()?;
    let reference = play_phrases(&mut instance()?, arguments.seconds, Mode::Offline)?;
    let (mut closed, mut open) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        closed.push(Cost::of(&play_closed(arguments.seconds)?, &reference));
        open.push(Cost::of(&play_open(arguments.seconds)?, &reference));
    }
    let (closed, open) = (Cost::of_rounds(&closed), Cost::of_rounds(&open));
    if arguments.json {
        println!("{}", json!({"closed": closed.json(), "open": open.json()}));
    } else {
        println!("window closed   {}", closed.line());
        println!("window open     {}", open.line());
    }
    Ok(())
}

fn play_closed(seconds: f64) -> Result<Performance> {
    play_phrases(&mut instance()?, seconds, Mode::Realtime)
}

fn play_open(seconds: f64) -> Result<Performance> {
    let mut clap = instance()?;
    let screen = Screen::open(clap.make_window(1.0)?)?;
    // SAFETY: the screen's window goes after the plugin's has been closed.
    unsafe { clap.show_window(screen.window()) }?;
    let take = play_phrases(&mut clap, seconds, Mode::Realtime)?;
    clap.close_window()?;
    Ok(take)
}

impl Cost {
    fn of(take: &Performance, reference: &Performance) -> Self {
        let mut costs: Vec<f64> =
            take.process.iter().map(Duration::as_secs_f64).map(|cost| cost * 1e6).collect();
        costs.sort_by(f64::total_cmp);
        let at =
            |share: f64| costs.get(((costs.len() as f64 * share) as usize).min(costs.len() - 1)).copied();
        Self {
            median_us: at(0.5).unwrap_or(0.0),
            p99_us: at(0.99).unwrap_or(0.0),
            worst_us: at(1.0).unwrap_or(0.0),
            late: late(&take.notes(), &reference.notes()),
        }
    }

    /// The median of each figure; the late notes of all rounds.
    fn of_rounds(rounds: &[Self]) -> Self {
        let median = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        Self {
            median_us: median(|cost| cost.median_us),
            p99_us: median(|cost| cost.p99_us),
            worst_us: median(|cost| cost.worst_us),
            late: rounds.iter().map(|cost| cost.late).sum(),
        }
    }

    fn line(&self) -> String {
        let Self { median_us, p99_us, worst_us, late } = self;
        format!(
            "process median {median_us:.0} µs, p99 {p99_us:.0} µs, worst {worst_us:.0} µs; late notes {late}"
        )
    }

    fn json(&self) -> serde_json::Value {
        let Self { median_us, p99_us, worst_us, late } = self;
        json!({"process_us": {"median": median_us, "p99": p99_us, "worst": worst_us}, "late": late})
    }
}
