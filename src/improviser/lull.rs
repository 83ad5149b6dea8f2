//! The rule for taking the floor: how much speaks for the end of a call, in a lull.

use crate::{
    model::Expectation,
    music::{
        memory::Memory,
        note::Note,
        pace::longest_step,
        patience::Patience,
        time::{Moment, Seconds},
    },
};

/// A call is over if no onset comes for so long after the last one.
pub const PHRASE_END: Seconds = Seconds(2.0);
/// The plugin never takes the floor sooner after the last release: between the notes of a phrase, too, hands leave the
/// keys for a moment, and no partner reacts faster.
pub const SHORTEST: Seconds = Seconds(0.12);
/// Who goes on at her own pace is not interrupted: after a step of a player's, the next may take so many times as long.
const OWN_PACE: f32 = 1.3;
/// So finely the time is looked for, and no longer than this: by then a silence has ended every call.
const STRIDE: Seconds = Seconds(0.02);
const STRIDES: u16 = 400;

/// What a sign is worth in log-odds that the call is over: logistic regression on the first 1,500 notes of 31
/// performances of MAESTRO's *train* split. For a new model, `cargo xtask evaluate --handover --fit --data
/// PATH/maestro-v3.0.0` prints new ones.
const WEIGHTS: [f32; SIGNS] = [0.99, -0.55, -2.3, 0.56, 0.44, 0.0, 0.0, 0.8];
/// The same where a beat is known: on the jazz solos of `wjazzd` that nobody holds out.
const WEIGHTS_IN_TIME: [f32; SIGNS] = WEIGHTS;

/// How many signs there are: the model's own log-odds, the logarithm of the silence in seconds, whether the pedal keeps something sounding, how high and
/// how loud the last note is beside the newest ones, the logarithms of the step so far in steps of the player's and in beats, and a
/// 1 for what always speaks.
pub const SIGNS: usize = 8;
/// A beat where none is known.
const USUAL: Seconds = Seconds(0.5);
/// The last note is measured by the mean of so many of the newest ones, itself included.
const NEWEST: usize = 20;

/// What is known of a lull: what the model expects, and what the player's hands and foot say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signs {
    expectation: Expectation,
    /// From the last onset to the last release.
    held: Seconds,
    /// The longest of the player's newest steps; where there is none yet, as long as the last note was held.
    step: Seconds,
    /// How long a beat is, where that is known.
    beat: Option<Seconds>,
    /// Something sounds still.
    sustained: bool,
    /// How far the last note lies above the mean of the newest ones, in octaves, ...
    rise: f32,
    /// ... and how much louder it is, in velocities of 20.
    swell: f32,
}

impl Signs {
    /// `scene` is what was heard, with what sounds still; the last key went up at `since`. Realtime-safe.
    pub fn new(expectation: Expectation, scene: &Memory, since: Moment) -> Self {
        let last = scene.newest(1).first();
        let held = last.map_or(Seconds::ZERO, |last| since - last.onset).max(Seconds::ZERO);
        let step = longest_step(scene.call()).unwrap_or(held);
        let above = |of: fn(&Note) -> u8| above_mean(scene.newest(NEWEST), of);
        let rise = above(|note| note.key.number()) / 12.0;
        let swell = above(|note| note.velocity.value()) / 20.0;
        let beat = scene.newest_known().pulse.map(|pulse| Seconds(pulse.period() as f32));
        Self { expectation, held, step, beat, sustained: scene.unsettled() > 0, rise, swell }
    }

    /// The signs as they stand after so long a silence since the last release, one for each weight. Realtime-safe.
    pub fn after(&self, silence: Seconds) -> [f32; SIGNS] {
        let elapsed = Seconds(self.held.0 + silence.0);
        let (now, end) = (elapsed, elapsed.max(PHRASE_END));
        let over = part(self.expectation.survival(end), self.expectation.survival(now));
        let silence = silence.max(SHORTEST).0.ln();
        let sustained = f32::from(u8::from(self.sustained));
        let steps = elapsed.max(SHORTEST).0.ln() - self.step.max(SHORTEST).0.ln();
        let beats = elapsed.max(SHORTEST).0.ln() - self.beat.unwrap_or(USUAL).0.ln();
        [log_odds(over), silence, sustained, self.rise, self.swell, steps, beats, 1.0]
    }

    /// The silence since the last release after which enough speaks for the end of the call, not before `from`, nor while
    /// the player may go on at her own pace; `None` if it never does. Realtime-safe.
    pub fn hand_over(&self, from: Seconds, patience: Patience) -> Option<Seconds> {
        let enough = (patience.part() / (1.0 - patience.part())).ln();
        let own = Seconds(self.step.0 * OWN_PACE - self.held.0);
        let from = from.max(SHORTEST).max(own);
        let silences = (0..STRIDES).map(|n| Seconds(from.0 + STRIDE.0 * f32::from(n)));
        silences.into_iter().find(|&silence| self.over(silence) >= enough)
    }

    /// How likely it is that the call is over after so long a silence since the last release, 0..=1. Realtime-safe.
    pub fn sureness(&self, silence: Seconds) -> f32 {
        1.0 / (1.0 + (-self.over(silence.max(SHORTEST))).exp())
    }

    /// The log-odds that the call is over.
    fn over(&self, silence: Seconds) -> f32 {
        let weights = if self.beat.is_some() { WEIGHTS_IN_TIME } else { WEIGHTS };
        self.after(silence).iter().zip(weights).map(|(sign, weight)| sign * weight).sum()
    }
}

/// By how much the last note exceeds the mean of all; 0 where there is none.
fn above_mean(notes: &[Note], of: impl Fn(&Note) -> u8) -> f32 {
    let Some(last) = notes.last() else { return 0.0 };
    let sum: f32 = notes.iter().map(|note| f32::from(of(note))).sum();
    f32::from(of(last)) - sum / notes.len() as f32
}

/// How much of `now` is left at `end`. Where a silence that cannot be has come, no onset is expected any more.
fn part(end: f32, now: f32) -> f32 {
    if now > 0.0 { end / now } else { 1.0 }
}

/// Within ±10: nothing is more certain than that.
fn log_odds(part: f32) -> f32 {
    (part / (1.0 - part)).ln().clamp(-10.0, 10.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::music::note::{Key, Velocity};

    fn signs(weights: &[f32]) -> Signs {
        Signs::new(Expectation::of(weights), &Memory::new(), Moment(0.0))
    }

    proptest! {
        #[test]
        fn more_patience_never_hands_over_earlier(
            weights in prop::collection::vec(0f32..1.0, 113),
            some in 0f32..=1.0,
            other in 0f32..=1.0,
        ) {
            let wait = |part| {
                let silence = signs(&weights).hand_over(Seconds::ZERO, Patience::saturating(part));
                silence.map_or(f32::INFINITY, |silence| silence.0)
            };
            prop_assert!(wait(some.min(other)) <= wait(some.max(other)));
        }
    }

    #[test]
    fn no_patience_takes_the_first_silence_and_all_of_it_takes_none() {
        let signs = signs(&[1.0; 113]);
        assert_eq!(signs.hand_over(Seconds::ZERO, Patience::saturating(0.0)), Some(SHORTEST));
        assert_eq!(signs.hand_over(Seconds::ZERO, Patience::saturating(1.0)), None);
    }

    #[test]
    fn what_the_pedal_keeps_sounding_waits_longer() {
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(64));
        let note = Note { onset: Moment(0.0), duration: Seconds(0.5), key, velocity };
        let (mut over, mut sounding) = (Memory::new(), Memory::new());
        over.remember(note);
        sounding.suppose(note);
        let wait = |memory| {
            let signs = Signs::new(Expectation::of(&[1.0; 113]), memory, Moment(0.5));
            signs.hand_over(Seconds::ZERO, Patience::saturating(0.8)).expect("an end").0
        };
        assert!(wait(&over) < wait(&sounding));
    }

    #[test]
    fn a_floor_is_never_taken_in_the_past() {
        let signs = signs(&[1.0; 113]);
        assert_eq!(signs.hand_over(Seconds(0.7), Patience::saturating(0.0)), Some(Seconds(0.7)));
    }
}
