//! A player who never tires.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;
use stage::{Event, Kind, score};

const LOWEST: i32 = 36;
const HIGHEST: i32 = 96;
const SUSTAIN: u8 = 64;

pub struct Player {
    chance: Pcg32,
    rate: f64,
    key: i32,
}

impl Player {
    /// The same one for a rate, in samples a second.
    pub fn new(rate: f64) -> Self {
        Self { chance: Pcg32::seed_from_u64(1), rate, key: 60 }
    }

    /// Phrases and pauses from one sample to another, with all keys and the pedal up at the end.
    pub fn part(&mut self, from: u64, until: u64) -> Vec<Event> {
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

    /// One phrase; the next one begins at the sample that comes back.
    fn phrase(&mut self, mut at: u64, score: &mut Vec<Event>) -> u64 {
        let (begin, pedal) = (at, self.chance.random_bool(0.2));
        for _ in 0..self.chance.random_range(3..12) {
            self.key = (self.key + self.chance.random_range(-7..=7)).clamp(LOWEST, HIGHEST);
            let key = u8::try_from(self.key).unwrap_or_default();
            let length = self.samples(0.05, 0.9);
            score.extend(Event::note(at, length, key, self.chance.random_range(40..110)));
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
        (self.chance.random_range(least_seconds..most_seconds) * self.rate) as u64
    }
}

#[cfg(test)]
mod tests {
    use stage::score::notes;

    use super::*;

    #[test]
    fn every_part_ends_with_all_keys_up() {
        let mut player = Player::new(48_000.0);
        for part in 0..100 {
            let score = player.part(part * 2_000_000, (part + 1) * 2_000_000);
            assert!(notes(&score).iter().all(|note| note.off.is_some()));
            assert!(score.last().is_some_and(|last| last.at < (part + 1) * 2_000_000));
        }
    }
}
