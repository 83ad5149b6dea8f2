//! The generation settings: all that shapes the notes of an answer, small enough to be sent to the worker.

use super::{
    conditions::Style, hands::Part, keys::Keys, memory::LARGEST_MEMORY, note::Key, scale::PitchClasses,
    time::Seconds,
};

/// How the notes of an answer are drawn. Each setting holds from the next note on that is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerationSettings {
    /// Temperature of all choices: 0 takes the most probable one, 1 the network's own probabilities.
    pub temperature: Thousandths,
    /// Multiplies the temperature of the keys.
    pub pitch_temperature: Thousandths,
    /// Multiplies the temperature of steps and durations.
    pub timing_temperature: Thousandths,
    /// Lowest probability that a choice may have, as a part of the most probable one's, 0..=1.
    pub focus: Thousandths,
    pub density: Density,
    pub register: Register,
    pub pitch_classes: PitchClasses,
    pub polyphony: Polyphony,
    /// Whether the answer is shaped by what was heard of the player, beyond what the network makes of the
    /// notes: by the call's register, dynamics, shortest note and motives, and by the player's beat and
    /// swing.
    pub adapts: bool,
    /// How far dynamics are drawn towards the player's touch, 0..=1.
    pub velocity_follow: Thousandths,
    /// How far the keys of an answer are drawn to the scale of what the player has played, 0..=1.
    pub key_follow: Thousandths,
    /// How far the notes of an answer are drawn towards the pace of the call, 0..=1.
    pub pace_follow: Thousandths,
    /// The kind of music, where the player has set it.
    pub style: Option<Style>,
    /// The part that an answer plays beside a player who goes on.
    pub part: Part,
    /// Whether the beat is that of the player's newest notes where no song runs.
    pub tempo_from_player: bool,
    /// How many of the newest notes count, 25..=150.
    pub memory: u8,
    /// The index of the embedded model, where the player has chosen no file.
    pub model: u8,
}

impl GenerationSettings {
    /// The defaults of the parameters: no limits, but a little focus, and the answer adapts to the player.
    pub const DEFAULT: Self = Self {
        temperature: Thousandths::ONE,
        pitch_temperature: Thousandths::ONE,
        timing_temperature: Thousandths::ONE,
        // Even one wrong note among hundreds is heard.
        focus: Thousandths(20),
        density: Density::UNLIMITED,
        register: Register::ALL,
        pitch_classes: PitchClasses::ALL,
        polyphony: Polyphony::UNLIMITED,
        adapts: true,
        velocity_follow: Thousandths::ZERO,
        // The player's own wrong notes are not imitated.
        key_follow: Thousandths::ONE,
        // Without it, a long answer becomes ever faster.
        pace_follow: Thousandths(500),
        style: None,
        part: Part::Free,
        tempo_from_player: true,
        memory: LARGEST_MEMORY as u8,
        model: 0,
    };

    /// The same settings for a part beside the player, with no more voices than the part has.
    pub fn playing(self, part: Part) -> Self {
        Self { part, polyphony: self.polyphony.min(voices(part)), ..self }
    }

    /// The same settings without any adaptation to what was heard of the player, whatever else is set.
    pub fn unadapted(self) -> Self {
        Self {
            adapts: false,
            velocity_follow: Thousandths::ZERO,
            key_follow: Thousandths::ZERO,
            pace_follow: Thousandths::ZERO,
            tempo_from_player: false,
            ..self
        }
    }

    /// The keys that may be played: those of the scale within the register; none where the two share none.
    pub const fn keys(&self) -> Keys {
        self.pitch_classes.keys().and(self.register.keys())
    }
}

/// A number of 0..=65 in steps of 0.001.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thousandths(pub u16);

impl Thousandths {
    pub const ZERO: Self = Self(0);
    pub const ONE: Self = Self(1000);

    /// The nearest value; NaN becomes 0.
    pub fn of(number: f32) -> Self {
        Self((number * 1000.0).round() as u16)
    }

    pub fn value(self) -> f32 {
        f32::from(self.0) / 1000.0
    }
}

/// The lowest and the highest key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register {
    low: Key,
    high: Key,
}

impl Register {
    pub const ALL: Self = Self { low: Key::saturating(0), high: Key::saturating(127) };

    /// From one key to another, whichever is lower: bounds that are crossed mean the same as in order.
    pub fn between(one: Key, other: Key) -> Self {
        Self { low: one.min(other), high: one.max(other) }
    }

    pub const fn keys(self) -> Keys {
        Keys::from(self.low).without(Keys::above(self.high))
    }
}

/// Largest number of notes per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Density(Thousandths);

impl Density {
    pub const UNLIMITED: Self = Self(Thousandths(u16::MAX));
    /// Largest number of onsets of a [`Crowd`].
    pub const LARGEST_CROWD: usize = 32;
    const LEAST: Thousandths = Thousandths(100);

    /// `notes` is the number of notes per second, 0.1..32; from 32 on there is no limit.
    pub fn per_second(notes: f32) -> Self {
        if notes >= Self::LARGEST_CROWD as f32 {
            Self::UNLIMITED
        } else {
            Self(Thousandths::of(notes).max(Self::LEAST))
        }
    }

    /// The same limit for any stretch of about a second, or of one note where a note takes longer; `None`
    /// without a limit.
    pub fn crowd(self) -> Option<Crowd> {
        if self == Self::UNLIMITED {
            return None;
        }
        let per_second = self.0.value();
        let onsets = per_second.ceil().max(1.0);
        Some(Crowd { onsets: onsets as usize, span: Seconds(onsets / per_second) })
    }
}

/// At most `onsets` onsets in any stretch that is shorter than `span`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crowd {
    /// At least 1. More than [`Density::LARGEST_CROWD`] limit nothing.
    pub onsets: usize,
    pub span: Seconds,
}

/// Largest number of notes of an answer that sound at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Polyphony(u8);

impl Polyphony {
    pub const UNLIMITED: Self = Self(Key::COUNT as u8);

    /// At least one voice; as many as there are keys are no limit.
    pub const fn voices(voices: u8) -> Self {
        match voices {
            0 => Self(1),
            1..=127 => Self(voices),
            _ => Self::UNLIMITED,
        }
    }

    pub const fn count(self) -> usize {
        self.0 as usize
    }
}

/// Largest number of notes of a part that sound at once.
fn voices(part: Part) -> Polyphony {
    match part {
        Part::Free => Polyphony::UNLIMITED,
        Part::LeftHand => Polyphony::voices(4),
        Part::Bass | Part::SecondVoice => Polyphony::voices(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_density_is_counted_over_a_second_or_over_a_note_that_takes_longer() {
        let crowd = |notes| Density::per_second(notes).crowd().map(|crowd| (crowd.onsets, crowd.span.0));
        assert_eq!(crowd(4.0), Some((4, 1.0)));
        assert_eq!(crowd(2.5), Some((3, 1.2)));
        assert_eq!(crowd(0.5), Some((1, 2.0)));
        assert_eq!(crowd(0.0), Some((1, 10.0)));
        assert_eq!(crowd(31.9).map(|(onsets, _)| onsets), Some(Density::LARGEST_CROWD));
        assert_eq!(crowd(32.0), None);
    }

    #[test]
    fn a_crossed_register_means_the_same_as_one_in_order() {
        let (c3, c5) = (Key::saturating(48), Key::saturating(72));
        assert_eq!(Register::between(c5, c3), Register::between(c3, c5));
        let keys = Register::between(c5, c3).keys();
        assert!((0..128).all(|n| keys.contains(Key::saturating(n)) == (48..=72).contains(&n)));
        assert_eq!(Register::ALL.keys(), Keys::ALL);
    }

    #[test]
    fn numbers_of_three_decimals_are_kept() {
        for number in [0.0, 0.02, 0.7, 1.0, 1.3, 1.999, 2.0, 32.0] {
            assert_eq!(Thousandths::of(number).value(), number);
        }
        assert_eq!(Thousandths::of(f32::NAN), Thousandths::ZERO);
    }
}
