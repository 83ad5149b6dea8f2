//! `bench --turns`: how soon the first notes of answers are ready, and how many notes are late, in real time.

use std::{
    sync::{
        Arc, Barrier,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use antiphon::telemetry::Telemetry;
use anyhow::{Context, Result, anyhow, ensure};
use indicatif::ProgressBar;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;
use serde::Serialize;
use test_host::{Blocks, Clap, Event, Mode, Pace, Part, Setup, Transport};

use super::Spread;

const PLUGIN: &str = "audio.antiphon.midi";
/// Number of plugins that play at once, each with a player of its own.
const INSTANCES: u32 = 8;
const RATE: f64 = 48_000.0;
const BLOCK: u32 = 512;
/// Tempo in beats per minute: a beat is half a second.
const TEMPO: f64 = 120.0;
/// With these settings the answer comes half a second after the call at the latest, and lasts a second.
const SETTINGS: [(&str, &str); 3] = [("Thru", "off"), ("Silence", "1.0"), ("Length", "2.0")];
/// Length of a turn in samples. The call lasts a second; in the rest of the turn the answer comes and dies
/// away.
const TURN_SAMPLES: u64 = 3 * RATE as u64;
const CALL_NOTES: u64 = 8;
const NOTE_SAMPLES: u64 = RATE as u64 / CALL_NOTES;
const TELL_EVERY: Duration = Duration::from_millis(200);

/// The results of the turns.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Turns {
    /// Number of calls of the players.
    pub turns: u32,
    /// Number of answers that had a note.
    pub answered: usize,
    /// Number of notes that sounded; below, of those that came later than planned.
    pub notes: u32,
    pub late: u32,
    /// Time in ms from the request, at the hand-over or before it, until the first note is in the lane.
    pub first_note_ms: Spread,
    pub worst_ms: f64,
}

impl Turns {
    pub fn tell(&self) {
        let Self { turns, answered, notes, late, first_note_ms: Spread { median, p99 }, worst_ms } = self;
        println!("{turns} turns in real time, {answered} answered with {notes} notes, {late} of them late");
        println!(
            "the first note lies in the lane {median:.2} ms after it was asked for, 99 % within {p99:.2} ms, all within \
             {worst_ms:.2} ms"
        );
    }
}

/// Plays `turns` turns in real time, in several plugins at once.
///
/// # Errors
/// When a plugin cannot be loaded or fails.
pub fn measure(turns: u32, progress: &ProgressBar) -> Result<Turns> {
    let each = turns.div_ceil(INSTANCES);
    progress.set_length(u64::from(each * INSTANCES));
    let loaded = Barrier::new(INSTANCES as usize + 1);
    let telemetry = thread::scope(|scope| {
        let loaded = &loaded;
        let (done, all_done) = mpsc::channel::<()>();
        let player = |instance| {
            let done = done.clone();
            scope.spawn(move || {
                let _until_the_end = done;
                play(instance, each, loaded)
            })
        };
        let players: Vec<_> = (0..INSTANCES).map(player).collect();
        drop(done);
        loaded.wait();
        let telemetry = antiphon::plugin::telemetry();
        while all_done.recv_timeout(TELL_EVERY) == Err(RecvTimeoutError::Timeout) {
            let answered: u32 = telemetry.iter().map(|instance| instance.first_notes.count()).sum();
            progress.set_position(answered.into());
        }
        for player in players {
            player.join().map_err(|_| anyhow!("a player has died"))??;
        }
        anyhow::Ok(telemetry)
    })?;
    sum_up(each * INSTANCES, &telemetry)
}

fn sum_up(turns: u32, telemetry: &[Arc<Telemetry>]) -> Result<Turns> {
    let waits = telemetry.iter().flat_map(|instance| instance.first_notes.newest());
    let mut waits_ms: Vec<f64> = waits.map(|wait| wait.as_secs_f64() * 1e3).collect();
    ensure!(!waits_ms.is_empty(), "no call was answered: ask for more turns");
    waits_ms.sort_by(f64::total_cmp);
    Ok(Turns {
        turns,
        answered: waits_ms.len(),
        notes: telemetry.iter().map(|instance| instance.answered.count()).sum(),
        late: telemetry.iter().map(|instance| instance.late.count()).sum(),
        first_note_ms: Spread::of(&waits_ms),
        worst_ms: waits_ms.last().copied().unwrap_or_default(),
    })
}

/// Plays the turns of one player with their plugin, once all plugins are loaded.
fn play(instance: u32, turns: u32, loaded: &Barrier) -> Result<()> {
    let plugin = load();
    loaded.wait();
    let mut plugin = plugin?;
    let score = score(instance, turns);
    let until = score.last().context("there is a turn")?.at + TURN_SAMPLES;
    let transport = Transport::playing(TEMPO);
    let blocks = Blocks::Fixed(BLOCK);
    let setup = Setup { sample_rate: RATE, largest_block: BLOCK, mode: Mode::Realtime };
    let part = Part { score: &score, transport: &transport, until, blocks, pace: Pace::RealTime };
    test_host::play(&mut plugin, setup, &part)?;
    Ok(())
}

fn load() -> Result<Clap> {
    // SAFETY: the framework's entry is a valid one.
    let mut plugin = unsafe { Clap::in_process((&raw const antiphon::plugin::clap_entry).cast(), PLUGIN) }?;
    SETTINGS.iter().try_for_each(|(name, text)| plugin.set_text(name, text))?;
    Ok(plugin)
}

/// The calls of one player: melodies that are never the same, at other times than those of the other players.
fn score(instance: u32, turns: u32) -> Vec<Event> {
    let mut rng = Pcg32::seed_from_u64(instance.into());
    let first = TURN_SAMPLES * u64::from(instance) / u64::from(INSTANCES);
    let mut key: u8 = 60;
    let mut events = Vec::new();
    for note in 0..u64::from(turns) * CALL_NOTES {
        let (turn, place) = (note / CALL_NOTES, note % CALL_NOTES);
        let at = first + turn * TURN_SAMPLES + place * NOTE_SAMPLES + rng.random_range(0..NOTE_SAMPLES / 8);
        key = (key + rng.random_range(0..=8) - 4).clamp(48, 84);
        events.extend(Event::note(at, NOTE_SAMPLES * 3 / 4, key, rng.random_range(50..100)));
    }
    test_host::score::sort(&mut events);
    events
}
