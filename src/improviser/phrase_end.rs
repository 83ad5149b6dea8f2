//! The rule for taking the floor: when a silence of the player's is the end of a call.

use crate::music::{
    memory::Memory,
    pace::longest_step,
    patience::Patience,
    time::{Moment, Seconds},
};

/// A call is over if no onset comes for so long after the last one.
pub const PHRASE_END: Seconds = Seconds(2.0);
/// The plugin never takes the floor sooner after the last release: between the notes of a phrase, too, hands leave the
/// keys for a moment, and no partner reacts faster.
pub const SHORTEST: Seconds = Seconds(0.12);
/// For each beat of *Patience* since the last onset, hands are to be off the keys for so long besides. By the jazz solos of `wjazzd`
/// that nobody holds out, .12 to .3 are alike, and without it the plugin waits half as long again.
const RELEASED_PER_BEAT: Seconds = Seconds(0.16);
/// Who goes on at her own pace is not interrupted: after a step of a player's, the next may take so many times as long.
const OWN_PACE: f32 = 1.3;
/// While the pedal keeps something sounding, *Patience* counts so many times.
const SUSTAINED: f32 = 1.2;
/// A beat where none is known.
pub const USUAL_BEAT: Seconds = Seconds(0.5);

/// What is known of a silence of the player's, while no key is held.
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

    /// The silence since the last release after which the call is over, and no less than `from`; `None` if only the longest silence
    /// ends it. Realtime-safe.
    ///
    /// Three silences have to be over: so many beats since the last onset as *Patience* asks for, a shorter one since the last release,
    /// and a little more than the player's own longest step.
    pub fn hand_over(&self, from: Seconds, patience: Patience) -> Option<Seconds> {
        let beats = patience.beats()? * if self.is_sustained { SUSTAINED } else { 1.0 };
        let since_onset = Seconds(beats * self.beat.0 - self.held.0);
        let since_release = Seconds(SHORTEST.0 + beats * RELEASED_PER_BEAT.0);
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

    /// A note that was held for half a second, after others in steps of so many seconds; its key has just gone up.
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
        assert_eq!(wait(&played(0.1, false), 0.0), SHORTEST.0);
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
}
