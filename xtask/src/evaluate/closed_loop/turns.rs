//! Who plays when, and what the player plays.

use std::ops::Range;

use stage::{Event, Kind};

use super::excerpt::Excerpt;
use crate::demo::turns::Game;

/// In *Endless* the plugin plays for so many calls' lengths.
const ENDLESS: usize = 3;
const SUSTAIN: u8 = 64;

/// The turns of an excerpt.
#[derive(Debug, Clone, PartialEq)]
pub struct Turns(Vec<Turn>);

/// When the player plays and when the plugin does, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub call: Range<f64>,
    /// Together with the call in that game.
    pub answer: Range<f64>,
}

impl Turns {
    /// As many whole turns as there are bars for, at least one.
    pub fn new(mode: Game, excerpt: &Excerpt, call_bars: u32) -> Self {
        let all = excerpt.bars.len() - 1;
        let turn = |(call, answer): (Range<usize>, Range<usize>)| Turn {
            call: excerpt.bar(call.start)..excerpt.bar(call.end),
            answer: excerpt.bar(answer.start)..excerpt.bar(answer.end),
        };
        Self(shares(mode, all, call_bars as usize).into_iter().map(turn).collect())
    }

    pub fn all(&self) -> &[Turn] {
        &self.0
    }

    /// When the last one is over, in seconds.
    pub fn end(&self) -> f64 {
        self.0.last().map_or(0.0, |turn| turn.answer.end)
    }

    /// What the player plays: what stands in the calls. What is held at the end of a call is let go there.
    pub fn score(&self, excerpt: &Excerpt, sample_rate: f64) -> Vec<Event> {
        let sample = |second: f64| (second * sample_rate).round() as u64;
        let mut events = Vec::new();
        for Turn { call, .. } in &self.0 {
            for note in excerpt.keys.iter().filter(|note| call.contains(&note.onset)) {
                let on = sample(note.onset);
                let off = sample(note.end.min(call.end)).max(on + 1);
                events.extend(Event::note(on, off - on, note.key, note.velocity));
            }
            let pedal = excerpt.pedal.iter().filter(|down| down.start < call.end && down.end > call.start);
            for down in pedal {
                let foot = |second, value| Event {
                    at: sample(second),
                    kind: Kind::Controller { channel: 0, number: SUSTAIN, value },
                };
                events.extend([foot(down.start.max(call.start), 127), foot(down.end.min(call.end), 0)]);
            }
        }
        stage::score::sort(&mut events);
        events
    }
}

/// The bars of calls and answers.
fn shares(mode: Game, all: usize, call: usize) -> Vec<(Range<usize>, Range<usize>)> {
    let answer = match mode {
        Game::Together => return vec![(0..all, 0..all)],
        Game::Answer | Game::Trade => call,
        Game::Endless => ENDLESS * call,
    };
    // Where there is room for no turn, call and answer share what there is.
    let call = call.min((all / 2).max(1));
    let turn = (call + answer).min(all);
    (0..all / turn).map(|n| (n * turn..n * turn + call, n * turn + call..(n + 1) * turn)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_answers_take_turns_but_together_they_play_at_once() {
        assert_eq!(shares(Game::Answer, 16, 4), [(0..4, 4..8), (8..12, 12..16)]);
        assert_eq!(shares(Game::Endless, 33, 4), [(0..4, 4..16), (16..20, 20..32)]);
        assert_eq!(shares(Game::Together, 16, 4), [(0..16, 0..16)]);
        assert_eq!(shares(Game::Trade, 6, 4), [(0..3, 3..6)]);
    }
}
