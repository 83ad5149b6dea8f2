//! A player who plays phrases on some channels, uses the pedal, and gives cues.

use antiphon::{
    music::{
        hearing::{Pedal, Place},
        note::{Key, Velocity},
        turn::{Cue, Rules},
    },
    performer::Gesture,
};
use rand::RngExt;
use rand_pcg::Pcg32;

use super::{RATE, phrases, wishes::CHANNELS};

/// Above the key that is a cue.
const LOWEST: i32 = 24;
const HIGHEST: i32 = 100;

/// What is to come of the player, in samples of the session.
pub struct Player {
    to_come: Vec<(u64, Gesture)>,
    /// When the next note is struck, and how many are left of the phrase.
    next_strike: u64,
    left: u32,
    /// The last strike.
    place: Place,
}

impl Player {
    pub fn new() -> Self {
        let place = Place { channel: 0, key: Key::saturating(60) };
        Self { to_come: Vec::new(), next_strike: 0, left: 8, place }
    }

    /// What the player does within a block.
    pub fn play(
        &mut self,
        begin: u64,
        frames: u64,
        rules: &Rules,
        chance: &mut Pcg32,
    ) -> Vec<(u64, Gesture)> {
        while self.next_strike < begin + frames {
            self.strike(self.next_strike.max(begin), rules, chance);
        }
        self.to_come.sort_by_key(|(at, _)| *at);
        let now = self.to_come.partition_point(|(at, _)| *at < begin + frames);
        self.to_come.drain(..now).collect()
    }

    fn strike(&mut self, at: u64, rules: &Rules, chance: &mut Pcg32) {
        let seconds = |seconds: f64| (seconds * RATE) as u64;
        let key = i32::from(self.place.key.number()) + phrases::interval(chance);
        self.place.key = Key::saturating(key.clamp(LOWEST, HIGHEST) as u8);
        let end = at + seconds(phrases::duration(chance)).max(1);
        let velocity = Velocity::saturating(phrases::velocity(chance));
        self.to_come.push((at, Gesture::KeyDown(self.place, velocity)));
        self.to_come.push((end, Gesture::KeysUp(self.place.into())));
        if chance.random_bool(0.05) {
            let pedal = |pedal| Gesture::Pedal { channel: self.place.channel, pedal };
            self.to_come.push((at, pedal(Pedal::Down)));
            self.to_come.push((at + seconds(chance.random_range(0.2..2.0)), pedal(Pedal::Up)));
        }
        if chance.random_bool(0.01) {
            let channel = self.place.channel;
            let messages = [
                Gesture::AllOff { channel: Some(channel) },
                Gesture::AllSoundOff { channel },
                Gesture::ResetControllers { channel },
            ];
            self.to_come.push((end + 1, messages[chance.random_range(0..messages.len())]));
        }
        self.left = self.left.saturating_sub(1);
        let pause = match self.left {
            0 => {
                self.cue(end, rules);
                self.left = chance.random_range(1..40);
                // The first channel is the one that is played most.
                self.place.channel = chance.random_range(0..2 * CHANNELS).saturating_sub(CHANNELS);
                chance.random_range(0.5..9.0)
            }
            _ => phrases::step(chance),
        };
        self.next_strike = at + seconds(pause);
    }

    /// Gives the cue that is wanted, now and then too often.
    fn cue(&mut self, at: u64, rules: &Rules) {
        let (on, off) = match rules.cue() {
            Some(Cue::Pedal(_)) => {
                let pedal = |value| Gesture::Controller { number: 67, value };
                (pedal(127), pedal(0))
            }
            Some(Cue::Key(key)) => {
                let switch = Place { key, ..self.place };
                (Gesture::KeyDown(switch, Velocity::saturating(1)), Gesture::KeysUp(switch.into()))
            }
            Some(Cue::Silence(_) | Cue::Controller(_)) | None => return,
        };
        self.to_come.push((at, on));
        self.to_come.push((at + 100, off));
    }
}
