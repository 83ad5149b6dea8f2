//! What of the player's gestures is a cue: it is neither heard as music nor passed on.

use super::desk::Gesture;
use crate::music::{
    hearing::{Pedal, Places},
    note::Key,
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
    /// The switch that is down and whose release is not for the instrument.
    down: Option<Switch>,
}

/// What is to be done with a gesture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heed {
    Music,
    Cue,
    /// The other half of a cue.
    Swallowed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Switch {
    Key(Key),
    Controller(u8),
}

impl CueInput {
    pub fn heed(&mut self, gesture: Gesture, cue: Option<Cue>) -> Heed {
        match moved(gesture) {
            // Only the release of what was swallowed is swallowed: anything else may sound.
            Some((switch, false)) if self.down == Some(switch) => {
                self.down = None;
                Heed::Swallowed
            }
            Some((switch, true)) if cue.and_then(switch_of) == Some(switch) => {
                let was_down = self.down.replace(switch) == Some(switch);
                if was_down { Heed::Swallowed } else { Heed::Cue }
            }
            _ => Heed::Music,
        }
    }
}

fn switch_of(cue: Cue) -> Option<Switch> {
    match cue {
        Cue::Silence(_) => None,
        Cue::Pedal(Foot::Sostenuto) => Some(Switch::Controller(SOSTENUTO)),
        Cue::Pedal(Foot::Soft) => Some(Switch::Controller(SOFT)),
        Cue::Key(key) => Some(Switch::Key(key)),
        Cue::Controller(number) => Some(Switch::Controller(number)),
    }
}

/// The switch that a gesture moves, and whether it goes down.
fn moved(gesture: Gesture) -> Option<(Switch, bool)> {
    match gesture {
        Gesture::KeyDown(place, _) => Some((Switch::Key(place.key), true)),
        Gesture::KeysUp(Places { key: Some(key), .. }) => Some((Switch::Key(key), false)),
        Gesture::Pedal { pedal, .. } => Some((Switch::Controller(SUSTAIN), pedal == Pedal::Down)),
        Gesture::Controller { number, value } => Some((Switch::Controller(number), value >= ON)),
        Gesture::KeysUp(Places { key: None, .. }) | Gesture::AllOff { .. } | Gesture::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{hearing::Place, note::Velocity};

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
}
