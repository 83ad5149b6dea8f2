//! The games, as the demo's player plays them.

use std::fmt;

/// The plugin's mode, and what the player does in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Game {
    /// The player plays a call and waits for its answer
    Answer,
    /// The player and the plugin have as many bars each, in turn
    Trade,
    /// The player's right hand keeps playing, and leaves the last bars to the plugin
    Together,
    /// The player plays a call, and takes the floor back with the next one
    Endless,
}

/// How the bars are shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// Bars from one turn to the next.
    pub turn: u32,
    /// Bars of each turn in which the player plays.
    pub player: u32,
    pub turns: u32,
}

impl Game {
    /// With calls of `call` bars, after which the plugin may wait for `wait` bars; no turns where there is no room.
    pub fn shares(self, bars: u32, call: u32, wait: u32) -> Shares {
        let turn = match self {
            Self::Answer => 2 * call + wait,
            Self::Trade => 2 * call,
            Self::Together => (bars / call).max(2) * call,
            Self::Endless => 3 * call + wait,
        };
        let player = if self == Self::Together { turn - call } else { call };
        Shares { turn, player, turns: bars / turn }
    }

    /// Whether the plugin chooses the moment at which it takes the floor.
    pub fn has_hand_over(self) -> bool {
        matches!(self, Self::Answer | Self::Endless)
    }
}

impl fmt::Display for Game {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
