//! The rule for taking the floor: how long a partner waits before it takes a silence for the end of a call.

use super::{
    memory::Memory,
    pace::longest_step,
    time::{Moment, Seconds},
};

/// Silence after an onset that ends a call: no other onset comes for this long.
pub const PHRASE_END_SILENCE: Seconds = Seconds(2.0);
/// Shortest time after the last release before the plugin takes the floor. Hands leave the keys for a
/// moment between the notes of a phrase too, and no partner reacts faster.
pub const SHORTEST_RELEASE: Seconds = Seconds(0.12);
/// Additional time since the last release, for each beat of *Patience*. By the jazz solos of `wjazzd` that
/// are not held out, values of .12 to .3 do alike; without it, the plugin waits half as long again.
const RELEASED_PER_BEAT: Seconds = Seconds(0.16);
/// A player who goes on at their own pace is not interrupted: the next step may take this many times as
/// long as the player's longest one.
const OWN_PACE: f32 = 1.3;
/// Factor of *Patience* while the pedal keeps something sounding.
const SUSTAINED: f32 = 1.2;
/// Length of a beat where none is known.
pub const USUAL_BEAT: Seconds = Seconds(0.5);

/// Longest wait that *Patience* alone asks for, in beats.
const MOST_BEATS: f32 = 4.5;
/// One take-over in this many is to be overridden: the weighted up-down method (Kaernbach, 1991) comes to
/// rest there.
const ONE_IN: i8 = 10;
/// Factor by which a step of what is learnt makes waits longer or shorter.
const STEP: f32 = 1.02;
/// Fewest learnt steps, at which waits are .8 times as long.
const SHORTER: i8 = -11;
/// Most learnt steps, at which waits are twice as long.
const LONGER: i8 = 35;

/// When a silence ends a call, 0..=1: at 0 only the player's own pace holds the plugin back, at 1 the
/// longest silence ends it.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Patience(f32);

impl Patience {
    /// One wrong take-over in eight minutes of jazz solos, one a minute at piano recitals: `cargo xtask
    /// evaluate --handover` measures it.
    pub const DEFAULT: Self = Self(0.75);

    /// The nearest patience in 0..=1; NaN becomes the default.
    pub fn saturating(part: f32) -> Self {
        if part.is_nan() { Self::DEFAULT } else { Self(part.clamp(0.0, 1.0)) }
    }

    /// 0..=1
    pub const fn part(self) -> f32 {
        self.0
    }

    /// Number of beats without an onset that end a call, up to four and a half; `None` where only the
    /// longest silence ends it. Realtime-safe.
    pub fn beats(self) -> Option<f32> {
        (self.0 < 1.0).then_some(MOST_BEATS * self.0 * self.0)
    }
}

/// What the take-overs of a session have taught about the player. Realtime-safe throughout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Learnt {
    /// Above 0, waits are longer than the set patience asks for; below 0, shorter.
    steps: i8,
}

impl Learnt {
    /// Learns from a player who has played on over the plugin's first notes: the plugin came too early.
    #[must_use]
    pub fn overridden(self) -> Self {
        self.moved(ONE_IN - 1)
    }

    /// Learns from a player who has let the plugin play: it might come a little earlier.
    #[must_use]
    pub fn let_be(self) -> Self {
        self.moved(-1)
    }

    fn moved(self, by: i8) -> Self {
        Self { steps: (self.steps + by).clamp(SHORTER, LONGER) }
    }

    /// The patience whose waits are longer or shorter by what is learnt. At 0 the first silence still ends
    /// a call, at 1 only the longest one.
    pub fn applied(self, patience: Patience) -> Patience {
        let longer = STEP.powi(self.steps.into());
        let learnt = (patience.0 * longer.sqrt()).min(1.0_f32.next_down());
        if patience.0 < 1.0 { Patience(learnt) } else { patience }
    }
}

/// What is known of a silence of the player, while no key is held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhraseEnd {
    /// From the last onset to the last release.
    held: Seconds,
    /// The longest of the player's newest steps; where there is none yet, as long as the last note was held.
    step: Seconds,
    beat: Seconds,
    /// The pedal keeps something sounding.
    is_sustained: bool,
}

impl PhraseEnd {
    /// `scene` is what was heard, with what sounds still; the last key went up at `since`. Realtime-safe.
    pub fn new(scene: &Memory, since: Moment) -> Self {
        let last = scene.newest(1).first();
        let held = last.map_or(Seconds::ZERO, |last| since - last.onset).max(Seconds::ZERO);
        let step = longest_step(scene.call()).unwrap_or(held);
        let beat = scene.newest_known().pulse.map_or(USUAL_BEAT, |pulse| Seconds(pulse.period() as f32));
        Self { held, step, beat, is_sustained: scene.unsettled() > 0 }
    }

    /// Length of the silence since the last release after which the call is over, at least `from`; `None`
    /// if only the longest silence ends the call. Realtime-safe.
    ///
    /// Three silences have to be over: the number of beats since the last onset that *Patience* asks for, a
    /// shorter silence since the last release, and a little more than the player's own longest step.
    pub fn hand_over(&self, from: Seconds, patience: Patience) -> Option<Seconds> {
        let beats = patience.beats()? * if self.is_sustained { SUSTAINED } else { 1.0 };
        let since_onset = Seconds(beats * self.beat.0 - self.held.0);
        let since_release = Seconds(SHORTEST_RELEASE.0 + beats * RELEASED_PER_BEAT.0);
        let own = Seconds(self.step.0 * OWN_PACE - self.held.0);
        Some(from.max(since_onset).max(since_release).max(own))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::music::note::{Key, Note, Velocity};

    const SINCE: Moment = Moment(20.0);

    /// A note that was held for half a second, after others that were `step` seconds apart; its key has
    /// just gone up.
    fn played(step: f64, pedal: bool) -> PhraseEnd {
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(64));
        let mut memory = Memory::new();
        for n in (0..6).rev() {
            let note =
                Note { onset: Moment(19.5 - step * f64::from(n)), duration: Seconds(0.5), key, velocity };
            if pedal && n == 0 { memory.suppose(note) } else { memory.remember(note) }
        }
        PhraseEnd::new(&memory, SINCE)
    }

    fn wait(silence: &PhraseEnd, patience: f32) -> f32 {
        silence.hand_over(Seconds::ZERO, Patience::saturating(patience)).map_or(f32::INFINITY, |wait| wait.0)
    }

    proptest! {
        #[test]
        fn more_patience_never_hands_over_earlier(step in 0.1f64..4.0, some in 0f32..=1.0, other in 0f32..=1.0) {
            let silence = played(step, false);
            prop_assert!(wait(&silence, some.min(other)) <= wait(&silence, some.max(other)));
        }

        #[test]
        fn a_player_who_goes_on_at_her_own_pace_is_not_interrupted(step in 0.6f32..4.0, patience in 0f32..=1.0) {
            prop_assert!(wait(&played(step.into(), false), patience) >= step * 1.25 - 0.5);
        }
    }

    #[test]
    fn no_patience_takes_the_first_silence_and_all_of_it_takes_none() {
        assert_eq!(wait(&played(0.1, false), 0.0), SHORTEST_RELEASE.0);
        assert_eq!(wait(&played(0.1, false), 1.0), f32::INFINITY);
    }

    #[test]
    fn what_the_pedal_keeps_sounding_waits_longer() {
        assert!(wait(&played(0.1, false), 0.8) < wait(&played(0.1, true), 0.8));
    }

    #[test]
    fn a_slower_song_waits_longer() {
        let wait = |period| {
            let beat = played(0.1, false);
            wait(&PhraseEnd { beat: Seconds(period), ..beat }, 0.75)
        };
        assert!(wait(0.4) < wait(0.5) && wait(0.5) < wait(0.75));
    }

    #[test]
    fn a_floor_is_never_taken_in_the_past() {
        let late = played(0.1, false).hand_over(Seconds(0.7), Patience::saturating(0.0));
        assert_eq!(late, Some(Seconds(0.7)));
    }

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
