//! How long a partner waits before it takes a silence for the end of a call.

/// The longest wait that patience alone asks for.
const MOST_BEATS: f32 = 4.5;
/// Of so many take-overs one is to be overridden: the weighted up-down method (Kaernbach, 1991) comes to rest there.
const ONE_IN: i8 = 10;
/// A step of what is learnt makes waits longer or shorter by so much.
const STEP: f32 = 1.02;
/// What is learnt makes waits at least .8 and at most twice as long.
const SHORTER: i8 = -11;
const LONGER: i8 = 35;

/// At 0 the first silence is enough, at 1 nothing but the longest is.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Patience(f32);

impl Patience {
    /// In jazz solos one wrong take-over in eight minutes, at piano recitals one a minute: `cargo xtask evaluate --handover` tells.
    pub const DEFAULT: Self = Self(0.75);

    /// The nearest patience in 0..=1; what is not a number is the default.
    pub fn saturating(part: f32) -> Self {
        if part.is_nan() { Self::DEFAULT } else { Self(part.clamp(0.0, 1.0)) }
    }

    /// 0..=1
    pub const fn part(self) -> f32 {
        self.0
    }

    /// Since the last onset nothing is to come for so many beats, up to four and a half; `None` where nothing but the longest silence ends a
    /// call. Realtime-safe.
    pub fn beats(self) -> Option<f32> {
        (self.0 < 1.0).then_some(MOST_BEATS * self.0 * self.0)
    }
}

/// What the take-overs of a session have taught about the player. Realtime-safe throughout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Learnt {
    /// Above 0 waits are longer than by the patience that is set.
    steps: i8,
}

impl Learnt {
    /// The player has played on over the plugin's first notes: it came too early.
    #[must_use]
    pub fn overridden(self) -> Self {
        self.moved(ONE_IN - 1)
    }

    /// The player has let the plugin play: it might come a little earlier.
    #[must_use]
    pub fn let_be(self) -> Self {
        self.moved(-1)
    }

    fn moved(self, by: i8) -> Self {
        Self { steps: (self.steps + by).clamp(SHORTER, LONGER) }
    }

    /// The patience that waits so much longer. The first silence stays the first, and the longest the longest.
    pub fn applied(self, patience: Patience) -> Patience {
        let longer = STEP.powi(self.steps.into());
        let learnt = (patience.0 * longer.sqrt()).min(1.0_f32.next_down());
        if patience.0 < 1.0 { Patience(learnt) } else { patience }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_overridden_take_over_in_ten_changes_nothing() {
        let mut learnt = Learnt::default().overridden();
        for _ in 0..9 {
            learnt = learnt.let_be();
        }
        assert_eq!(learnt, Learnt::default());
    }

    #[test]
    fn waits_stay_between_four_fifths_and_twice_the_usual() {
        let usual = Patience::DEFAULT.beats().expect("a wait");
        let wait = |step: fn(Learnt) -> Learnt| {
            let learnt = (0..100).fold(Learnt::default(), |learnt, _| step(learnt));
            learnt.applied(Patience::DEFAULT).beats().expect("a wait") / usual
        };
        assert!((wait(Learnt::let_be) - 0.8).abs() < 0.01, "{}", wait(Learnt::let_be));
        assert!(wait(Learnt::overridden) <= 2.0 && wait(Learnt::overridden) > 1.7);
    }

    #[test]
    fn no_patience_and_all_of_it_stay_what_they_are() {
        let learnt = Learnt::default().overridden();
        for part in [0.0, 1.0] {
            let patience = Patience::saturating(part);
            assert_eq!(learnt.applied(patience), patience);
        }
        let wait = learnt.applied(Patience::saturating(0.999)).beats();
        assert!(wait.is_some_and(|beats| beats <= MOST_BEATS));
    }
}
