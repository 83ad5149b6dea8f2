//! Takes up the motives of a call: raises the logits of keys that continue as the player's upper line did
//! after the same intervals.
//!
//! The method is the cache of language models: what has followed once in the same context becomes likelier
//! (Grave, Joulin and Usunier, 2017). Here, the context is one or two intervals.

use crate::{
    model::antiphon::{
        scene::{Placed, Scene},
        vocabulary::CHORD_CELLS,
    },
    music::note::Key,
};

/// Nats that a key gains after one equal interval, and after two. Chosen by what comes out of the plugin.
const GAINS: [f32; 2] = [1.5, 2.5];
/// Number of newest chords of the memory that are searched.
const CHORDS: usize = 64;

/// The upper note of a chord, and whether the player struck it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Upper {
    key: i16,
    is_players: bool,
}

/// Raises the logits of keys that continue a motive of the player, scaled by `how_far` from 0 to 1.
/// Realtime-safe.
pub fn take_up(scene: &Scene, step: u32, how_far: f32, logits: &mut [f32]) {
    let mut gains = [0.0f32; Key::COUNT];
    for (key, alike) in continued(scene, step) {
        let gain = &mut gains[key.index()];
        *gain = gain.max(how_far * GAINS[alike - 1]);
    }
    logits.iter_mut().zip(gains).for_each(|(logit, gain)| *logit += gain);
}

/// The keys to which the player went on after the same intervals, each with the number of equal intervals,
/// one or two. The next note comes `step` cells after the newest onset. Realtime-safe.
fn continued(scene: &Scene, step: u32) -> impl Iterator<Item = (Key, usize)> {
    let mut line = [Upper { key: 0, is_players: false }; CHORDS];
    let joins = usize::from((step as usize) < CHORD_CELLS);
    let count =
        line.iter_mut().zip(upper_line(scene).skip(joins)).map(|(place, upper)| *place = upper).count();
    (1..count.saturating_sub(1)).filter_map(move |place| {
        let line = &line[..count];
        let interval = |newer: usize| line.get(newer + 1).map(|older| line[newer].key - older.key);
        let alike = (0..GAINS.len())
            .take_while(|&n| interval(n).is_some() && interval(n) == interval(place + n))
            .count();
        let is_players = line[place - 1..(place + alike + 1).min(count)].iter().all(|upper| upper.is_players);
        let key = line[0].key + interval(place - 1)?;
        (alike > 0 && is_players && (0..=127).contains(&key)).then(|| (Key::saturating(key as u8), alike))
    })
}

/// The upper notes of chords, the newest first.
fn upper_line(scene: &Scene) -> impl Iterator<Item = Upper> {
    let mut notes = scene.newest().peekable();
    std::iter::from_fn(move || {
        let mut last: Placed = *notes.next()?;
        let mut upper = Upper { key: last.key.number().into(), is_players: last.is_players };
        while let Some(note) = notes.next_if(|note| (last.onset - note.onset) < CHORD_CELLS as u32) {
            last = *note;
            upper.key = upper.key.max(last.key.number().into());
        }
        Some(upper)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{
        conditions::{Conditions, Who},
        note::{GridNote, Velocity},
    };

    const STEP: u32 = 25;

    fn hear(scene: &mut Scene, who: Who, keys: &[u8], step: u32) {
        for key in keys {
            let (key, velocity) = (Key::saturating(*key), Velocity::saturating(64));
            let conditions = Conditions { who: Some(who), ..Conditions::UNKNOWN };
            scene.hear(&GridNote { step, key, velocity, duration: 10, conditions });
        }
    }

    /// The keys that gain, and their gains.
    fn gains(scene: &Scene, step: u32) -> Vec<(u8, f32)> {
        let mut logits = [0.0; Key::COUNT];
        take_up(scene, step, 1.0, &mut logits);
        (0..).zip(logits).filter(|(_, gain)| *gain > 0.0).collect()
    }

    #[test]
    fn a_motive_of_the_players_is_taken_up_in_any_register() {
        let mut scene = Scene::SILENCE;
        hear(&mut scene, Who::Player, &[60, 62, 64, 67], STEP);
        hear(&mut scene, Who::Plugin, &[40, 42], STEP);
        assert_eq!(gains(&scene, STEP), [(44, GAINS[0]), (45, GAINS[0])]);
        hear(&mut scene, Who::Plugin, &[44], STEP);
        assert_eq!(gains(&scene, STEP), [(46, GAINS[0]), (47, GAINS[1])]);
    }

    #[test]
    fn what_the_plugin_has_played_is_no_motive() {
        let mut scene = Scene::SILENCE;
        hear(&mut scene, Who::Plugin, &[60, 62, 64, 67, 60, 62, 64], STEP);
        assert_eq!(gains(&scene, STEP), []);
        assert_eq!(gains(&Scene::SILENCE, STEP), []);
    }

    #[test]
    fn the_upper_notes_of_chords_are_the_line() {
        let mut scene = Scene::SILENCE;
        for (low, high) in [(48, 60), (47, 65), (48, 67)] {
            hear(&mut scene, Who::Player, &[low], STEP);
            hear(&mut scene, Who::Player, &[high], 0);
        }
        hear(&mut scene, Who::Plugin, &[70, 75], STEP);
        assert_eq!(gains(&scene, STEP), [(77, GAINS[0])]);
        hear(&mut scene, Who::Plugin, &[50], STEP);
        assert_eq!(gains(&scene, 0), [(77, GAINS[0])], "the chord's own upper note is still to come");
    }

    #[test]
    fn where_nothing_is_to_be_taken_up_the_odds_stay() {
        let mut scene = Scene::SILENCE;
        hear(&mut scene, Who::Player, &[60, 62, 64, 67, 60, 62, 64], STEP);
        let mut logits = [0.5; Key::COUNT];
        take_up(&scene, STEP, 0.0, &mut logits);
        assert_eq!(logits, [0.5; Key::COUNT]);
    }
}
