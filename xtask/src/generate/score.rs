//! Prompt and continuation as a MIDI file, in the prompt's own ticks.

use super::{ensemble::Player, prompt::Prompt};
use crate::{
    corpus::{Note, TempoMap},
    score_file::{Mark, Part, Placed, ScoreFile},
};

/// Coarser ticks are divided, so that what is played keeps its time to the millisecond.
const FINEST_NEEDED: u16 = 480;

pub fn of(prompt: &Prompt, players: &[Player]) -> ScoreFile {
    let ticks = Ticks::of(&prompt.tempo_map);
    let parts = players.iter().map(|player| part(player, &ticks)).collect();
    ScoreFile { ticks_per_quarter: ticks.per_quarter, marks: marks(prompt, &ticks), parts }
}

/// The ticks of the file to write.
struct Ticks<'a> {
    map: &'a TempoMap,
    /// So many for one of the prompt's.
    factor: u16,
    per_quarter: u16,
    /// Of a quarter note, where the prompt counts film frames.
    steady: Option<f64>,
}

impl<'a> Ticks<'a> {
    fn of(map: &'a TempoMap) -> Self {
        match map.ticks_per_quarter() {
            Some(ticks) => {
                let factor = FINEST_NEEDED.div_ceil(ticks);
                Self { map, factor, per_quarter: ticks * factor, steady: None }
            }
            None => Self { map, factor: 1, per_quarter: FINEST_NEEDED, steady: Some(0.5) },
        }
    }

    fn at(&self, seconds: f64) -> u32 {
        let tick = match self.steady {
            Some(quarter) => seconds / quarter * f64::from(self.per_quarter),
            None => self.map.tick_at(seconds) * f64::from(self.factor),
        };
        tick.round() as u32
    }

    fn scaled(&self, tick: u64) -> u32 {
        u32::try_from(tick.saturating_mul(self.factor.into())).unwrap_or(u32::MAX)
    }
}

fn marks(prompt: &Prompt, ticks: &Ticks) -> Vec<(u32, Mark)> {
    let tempo = |(tick, microseconds): (u64, f64)| {
        (ticks.scaled(tick), Mark::Tempo { microseconds_per_quarter: microseconds.round() as u32 })
    };
    let signatures = prompt.signatures.iter().map(|signature| {
        let mark = Mark::Signature { numerator: signature.numerator, denominator: signature.denominator };
        (ticks.scaled(signature.tick), mark)
    });
    let mut marks: Vec<_> = prompt.tempo_map.tempos().map(tempo).chain(signatures).collect();
    marks.sort_by_key(|&(tick, _)| tick);
    marks
}

fn part(player: &Player, ticks: &Ticks) -> Part {
    let placed = |note: &Note| Placed {
        channel: player.instrument.channel,
        key: note.key.number(),
        velocity: note.velocity.value(),
        on: ticks.at(note.onset),
        off: ticks.at(note.end),
    };
    let program = (!player.instrument.is_drums).then_some(player.instrument.program);
    Part { name: player.name.clone(), program, notes: player.notes.iter().map(placed).collect() }
}
