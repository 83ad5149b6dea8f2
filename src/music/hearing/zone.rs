//! MPE: channels that belong together.

use super::CHANNELS;

/// Which channels are one MPE instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zone {
    /// Each channel is an instrument of its own.
    #[default]
    Off,
    /// Channel 1 is the master of all others.
    Lower,
    /// Channel 16 is the master of all others.
    Upper,
}

impl Zone {
    /// The channel whose pedals and mode messages are everybody's, 0..16.
    pub fn master(self) -> Option<u8> {
        match self {
            Self::Off => None,
            Self::Lower => Some(0),
            Self::Upper => Some(CHANNELS - 1),
        }
    }

    /// Whether what is said on a channel is said to another one.
    pub fn reaches(self, from: u8, to: u8) -> bool {
        from == to || self.master() == Some(from)
    }

    /// The channels of its notes, the master's neighbour first; none where each channel is an instrument of its own.
    pub fn members(self) -> impl Iterator<Item = u8> {
        let count = if self == Self::Off { 0 } else { CHANNELS - 1 };
        (1..=count).map(move |n| if self == Self::Upper { CHANNELS - 1 - n } else { n })
    }
}
