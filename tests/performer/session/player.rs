//! A player who plays phrases, uses the pedal, gives cues and changes the game.

use std::num::NonZeroU8;

use antiphon::{
    music::{
        hearing::Pedal,
        note::{Key, Velocity},
        time::Beats,
        turn::{Alignment, Cue, Entry, Foot, Length, Rules},
    },
    performer::{Gesture, Settings},
};
use rand::RngExt;
use rand_pcg::Pcg32;

use super::RATE;
use crate::rig::place;

const CUE_KEY: Key = Key::saturating(21);

/// What is to come of the player, in samples of the session.
pub struct Player {
    to_come: Vec<(u64, Gesture)>,
    /// When the next note is struck, and how many are left of the phrase.
    next_strike: u64,
    left: u32,
    key: u8,
}

impl Player {
    pub fn new() -> Self {
        Self { to_come: Vec::new(), next_strike: 0, left: 8, key: 60 }
    }

    /// Sets another game, or the same one otherwise.
    pub fn change_mind(&mut self, settings: Settings, chance: &mut Pcg32) -> Settings {
        let cue = match chance.random_range(0..6) {
            0 => Cue::Pedal(Foot::Soft),
            1 => Cue::Key(CUE_KEY),
            _ => Cue::Silence(Beats(chance.random_range(0.25..2.0))),
        };
        let alignment = [Alignment::Off, Alignment::Off, Alignment::Beat, Alignment::Bar];
        let entry = Entry { cue, alignment: alignment[chance.random_range(0..4)] };
        let bars = NonZeroU8::new(chance.random_range(1..4)).expect("not nought");
        let longest = Beats(chance.random_range(2.0..16.0));
        let length = match chance.random_range(0..3) {
            0 => Length::Call { longest },
            1 => Length::Bars(bars),
            _ => Length::Phrase { longest },
        };
        let rules = match chance.random_range(0..5) {
            0 | 1 => Rules::Answer { entry, length },
            2 => Rules::Trade { bars },
            3 => Rules::Together { longest },
            _ => Rules::Endless { entry },
        };
        Settings { rules, seed: chance.random_range(0..9_999), varying: chance.random_bool(0.5), ..settings }
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
        self.key = (i32::from(self.key) + chance.random_range(-5..=5)).clamp(36, 84) as u8;
        let end = at + seconds(chance.random_range(0.05..1.0));
        let velocity = Velocity::saturating(chance.random_range(20..=127));
        self.to_come.push((at, Gesture::KeyDown(place(self.key), velocity)));
        self.to_come.push((end, Gesture::KeysUp(place(self.key).into())));
        if chance.random_bool(0.1) {
            let pedal = |pedal| Gesture::Pedal { channel: 0, pedal };
            self.to_come.push((at, pedal(Pedal::Down)));
            self.to_come.push((at + seconds(chance.random_range(0.2..2.0)), pedal(Pedal::Up)));
        }
        self.left = self.left.saturating_sub(1);
        let pause = match self.left {
            0 => {
                self.left = chance.random_range(1..16);
                self.cue(end, rules);
                chance.random_range(0.5..9.0)
            }
            _ if chance.random_bool(0.2) => 0.0,
            _ => chance.random_range(0.02..0.5),
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
                let switch = place(key.number());
                (Gesture::KeyDown(switch, Velocity::saturating(1)), Gesture::KeysUp(switch.into()))
            }
            Some(Cue::Silence(_) | Cue::Controller(_)) | None => return,
        };
        self.to_come.push((at, on));
        self.to_come.push((at + 100, off));
    }
}
