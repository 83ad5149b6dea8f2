//! What of the player's gestures is a cue: it is neither heard as music nor passed on.

use super::desk::Gesture;
use crate::music::{
    hearing::{Pedal, Place, Places},
    turn::{Cue, Foot},
};

const SUSTAIN: u8 = 64;
const SOSTENUTO: u8 = 66;
const SOFT: u8 = 67;
/// A controller is a switch that is on from this value up.
const ON: u8 = 64;

/// The switch that gives cues. Realtime-safe.
#[derive(Debug, Default)]
pub(super) struct CueInput {
    /// What is down and whose release is not for the instrument.
    down: Option<Held>,
}

/// What is to be done with a gesture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heed {
    Music,
    Cue,
    /// The other half of a cue.
    Swallowed,
}

/// A switch that is down: a key on its own channel, lest the same key of another one lose its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Key(Place),
    Controller(u8),
}

impl CueInput {
    pub fn heed(&mut self, gesture: Gesture, cue: Option<Cue>) -> Heed {
        // Only the release of what was swallowed is swallowed: anything else may sound.
        if self.down.is_some_and(|held| held.is_released_by(gesture)) {
            self.down = None;
            return if is_for_many(gesture) { Heed::Music } else { Heed::Swallowed };
        }
        match pressed(gesture).filter(|held| cue.is_some_and(|cue| held.gives(cue))) {
            Some(held) if self.down.replace(held) == Some(held) => Heed::Swallowed,
            Some(_) => Heed::Cue,
            None => Heed::Music,
        }
    }

    /// Nothing is down: what happens meanwhile is not seen.
    pub fn clear(&mut self) {
        self.down = None;
    }
}

impl Held {
    fn gives(self, cue: Cue) -> bool {
        match (self, cue) {
            (Self::Key(place), Cue::Key(key)) => place.key == key,
            (Self::Controller(number), Cue::Pedal(Foot::Sostenuto)) => number == SOSTENUTO,
            (Self::Controller(number), Cue::Pedal(Foot::Soft)) => number == SOFT,
            (Self::Controller(number), Cue::Controller(other)) => number == other,
            _ => false,
        }
    }

    fn is_released_by(self, gesture: Gesture) -> bool {
        match (self, gesture) {
            (Self::Key(place), Gesture::KeysUp(places)) => places.contains(place),
            (Self::Key(place), Gesture::AllOff { channel }) => {
                channel.is_none_or(|channel| channel == place.channel)
            }
            (Self::Controller(SUSTAIN), Gesture::Pedal { pedal, .. }) => pedal == Pedal::Up,
            (Self::Controller(held), Gesture::Controller { number, value }) => held == number && value < ON,
            _ => false,
        }
    }
}

/// The switch that a gesture presses.
fn pressed(gesture: Gesture) -> Option<Held> {
    match gesture {
        Gesture::KeyDown(place, _) => Some(Held::Key(place)),
        Gesture::Pedal { pedal: Pedal::Down, .. } => Some(Held::Controller(SUSTAIN)),
        Gesture::Controller { number, value: ON.. } => Some(Held::Controller(number)),
        _ => None,
    }
}

/// Whether a release concerns other keys too, which may be music.
fn is_for_many(gesture: Gesture) -> bool {
    matches!(gesture, Gesture::AllOff { .. } | Gesture::KeysUp(Places { key: None, .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::note::{Key, Velocity};

    const LOW_A: Key = Key::saturating(21);
    const PLACE: Place = Place { channel: 3, key: LOW_A };
    const DOWN: Gesture = Gesture::KeyDown(PLACE, Velocity::saturating(80));
    const UP: Gesture = Gesture::KeysUp(Places { channel: Some(3), key: Some(LOW_A) });

    fn controller(value: u8) -> Gesture {
        Gesture::Controller { number: SOSTENUTO, value }
    }

    #[test]
    fn a_key_switch_is_a_cue_and_its_release_is_nothing() {
        let mut input = CueInput::default();
        assert_eq!(input.heed(DOWN, Some(Cue::Key(LOW_A))), Heed::Cue);
        assert_eq!(input.heed(UP, Some(Cue::Key(LOW_A))), Heed::Swallowed);
        assert_eq!(input.heed(DOWN, Some(Cue::Key(Key::saturating(22)))), Heed::Music);
    }

    #[test]
    fn a_pedal_that_goes_on_moving_down_is_one_cue() {
        let mut input = CueInput::default();
        let cue = Some(Cue::Pedal(Foot::Sostenuto));
        let heeded = [20, 64, 100, 127, 70, 10, 90].map(|value| input.heed(controller(value), cue));
        use Heed::{Cue as Taken, Music, Swallowed};
        assert_eq!(heeded, [Music, Taken, Swallowed, Swallowed, Swallowed, Swallowed, Taken]);
    }

    #[test]
    fn a_key_that_was_struck_as_music_is_released_as_music() {
        let mut input = CueInput::default();
        assert_eq!(input.heed(DOWN, None), Heed::Music);
        assert_eq!(input.heed(UP, Some(Cue::Key(LOW_A))), Heed::Music);
    }

    #[test]
    fn a_key_that_was_struck_as_a_cue_is_never_released_as_music() {
        let mut input = CueInput::default();
        assert_eq!(input.heed(DOWN, Some(Cue::Key(LOW_A))), Heed::Cue);
        assert_eq!(input.heed(UP, None), Heed::Swallowed);
    }

    #[test]
    fn the_same_key_of_another_channel_keeps_its_release() {
        let mut input = CueInput::default();
        assert_eq!(input.heed(DOWN, Some(Cue::Key(LOW_A))), Heed::Cue);
        let elsewhere = Place { channel: 4, ..PLACE };
        assert_eq!(input.heed(Gesture::KeysUp(elsewhere.into()), Some(Cue::Key(LOW_A))), Heed::Music);
        assert_eq!(input.heed(UP, Some(Cue::Key(LOW_A))), Heed::Swallowed);
    }

    #[test]
    fn a_key_switch_that_all_notes_off_has_lifted_is_a_cue_again() {
        for lifted in
            [Gesture::AllOff { channel: Some(3) }, Gesture::KeysUp(Places { channel: None, key: None })]
        {
            let mut input = CueInput::default();
            assert_eq!(input.heed(DOWN, Some(Cue::Key(LOW_A))), Heed::Cue);
            assert_eq!(input.heed(lifted, Some(Cue::Key(LOW_A))), Heed::Music);
            assert_eq!(input.heed(DOWN, Some(Cue::Key(LOW_A))), Heed::Cue);
        }
    }
}
