//! The rules of the turn: which mode it is, and what the player has set in it.

use std::num::NonZeroU8;

use crate::music::{note::Key, time::Beats};

/// The mode, and what the player has set in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rules {
    /// Call and response. A strike takes the floor back.
    Answer { entry: Entry, length: Length },
    /// The player has this number of bars, then the plugin has as many, and so on. What the player plays in
    /// the plugin's bars is heard and stops nothing: a phrase may end late and the next may begin early.
    Trade { bars: NonZeroU8 },
    /// The plugin plays along and plans anew at every strike, until the player has struck nothing for
    /// `longest`.
    Together { longest: Beats },
    /// Call and response without an end: the plugin plays until the player strikes a key or stops it.
    Endless { entry: Entry },
}

/// How the plugin comes in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    pub cue: Cue,
    pub alignment: Alignment,
}

/// What gives the floor to the plugin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cue {
    /// A silence with no key held, of this length at most.
    Silence(Beats),
    /// The pedal goes down: CC 66 or 67 from 64 up.
    Pedal(Foot),
    /// This key is struck, on any channel that is heard. It then plays no note.
    Key(Key),
    /// This controller rises to 64 or more, on any channel.
    Controller(u8),
}

/// A pedal that is free for cues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foot {
    Sostenuto,
    Soft,
}

/// Whether the plugin waits for the host's next beat or bar before it comes in. Without bars it does not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alignment {
    Off,
    Beat,
    Bar,
}

/// How long an answer is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Length {
    /// As long as its call, and at most `longest`.
    Call { longest: Beats },
    /// This number of bars; bars of 4/4 where the host reports none.
    Bars(NonZeroU8),
    /// Until the phrase ends, according to the model, and at most `longest`.
    Phrase { longest: Beats },
}

impl Rules {
    /// How the plugin comes in, where that is the player's to say.
    pub fn entry(&self) -> Option<Entry> {
        match *self {
            Self::Answer { entry, .. } | Self::Endless { entry } => Some(entry),
            Self::Trade { .. } | Self::Together { .. } => None,
        }
    }

    /// What gives the floor to the plugin, where bars and strikes do not.
    pub fn cue(&self) -> Option<Cue> {
        self.entry().map(|entry| entry.cue)
    }

    /// Whether the mode is another one than before. Settings within a mode may change while it goes on.
    pub fn is_other_mode(&self, before: &Self) -> bool {
        std::mem::discriminant(self) != std::mem::discriminant(before)
    }

    /// Whether an answer may end where the model hears the end of a phrase.
    pub fn ends_with_the_phrase(&self) -> bool {
        matches!(self, Self::Answer { length: Length::Phrase { .. }, .. })
    }
}
