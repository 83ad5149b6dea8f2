//! Keys that would turn a pattern into a loop.

use crate::{
    model::antiphon::{scene::Scene, vocabulary::Bin},
    music::note::Key,
};

/// The longest pattern that is noticed, in notes: a bar of semiquavers.
const LONGEST: usize = 16;
/// A pattern may stand so often in a row...
const ROUNDS: usize = 3;
/// ...and a short one until so many notes have gone by: a trill, an Alberti bass, a repeated note.
const PATIENCE: usize = 12;
/// Where the rhythm wavers, it may take so many times as long.
const WAVERING: usize = 2;
/// So many notes are looked at: the longest loop whose rhythm wavers.
const NOTES: usize = WAVERING * ROUNDS * LONGEST;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Item {
    key: Key,
    step: usize,
}

/// The keys that would, after a step of so many cells, go on with a pattern that has been there often enough.
/// Realtime-safe.
pub fn worn_out(scene: &Scene, step: u32) -> impl Iterator<Item = Key> {
    let mut items = [Item { key: Key::saturating(0), step: 0 }; NOTES];
    let mut count = 0;
    for (item, (key, step)) in items.iter_mut().zip(scene.played()) {
        *item = Item { key, step: Bin::of(step).index };
        count += 1;
    }
    let step = Bin::of(step).index;
    (1..=LONGEST).filter_map(move |period| {
        let items = &items[..count];
        let next = items.get(period - 1)?;
        let most = PATIENCE.max(ROUNDS * period);
        let exact = next.step == step && run(items, period, |a, b| a == b) >= most;
        let wavering = run(items, period, |a, b| a.key == b.key) >= WAVERING * most;
        (exact || wavering).then_some(next.key)
    })
}

/// How many of the newest notes, which come first, follow a pattern of so many.
fn run(items: &[Item], period: usize, alike: impl Fn(&Item, &Item) -> bool) -> usize {
    period + items[period..].iter().zip(items).take_while(|(older, newer)| alike(older, newer)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{grid::GridNote, note::Velocity};

    fn scene(notes: impl Iterator<Item = (u8, u32)>) -> Scene {
        let mut scene = Scene::SILENCE;
        for (key, step) in notes {
            let (key, velocity) = (Key::saturating(key), Velocity::saturating(64));
            scene.hear(&GridNote { step, key, velocity, duration: 10, conditions: Default::default() });
        }
        scene
    }

    /// How many more notes of a pattern are allowed after others.
    fn allowed(pattern: &[(u8, u32)]) -> usize {
        let before = [(40, 10), (52, 30), (45, 20)];
        (0..200)
            .position(|count| {
                let played = before.into_iter().chain(pattern.iter().copied().cycle().take(count));
                let (key, step) = pattern[count % pattern.len()];
                worn_out(&scene(played), step).any(|worn| worn.number() == key)
            })
            .unwrap_or(usize::MAX)
    }

    #[test]
    fn a_pattern_stands_for_a_while_and_not_for_ever() {
        let alberti = [(60, 15), (67, 15), (64, 15), (67, 15)];
        assert_eq!(allowed(&alberti), 12);
        assert_eq!(allowed(&[(60, 15)]), 12);
        assert_eq!(allowed(&[(60, 8), (62, 9)]), 12);
        assert_eq!(allowed(&[(60, 30), (64, 0), (67, 0)]), 12);
        let bar: Vec<(u8, u32)> = (0..16).map(|n| (60 + n * 7 % 16, 12)).collect();
        assert_eq!(allowed(&bar), 48);
    }

    #[test]
    fn where_the_rhythm_wavers_it_takes_longer() {
        let trill: Vec<(u8, u32)> = (0..190).map(|n| (60 + n % 2, 7 + u32::from(n) * 5 % 11)).collect();
        assert_eq!(allowed(&trill), 24);
    }

    #[test]
    fn what_is_not_a_pattern_is_allowed() {
        let line: Vec<(u8, u32)> = (0..190_u16).map(|n| (40 + (n * n % 31) as u8, 10)).collect();
        assert_eq!(allowed(&line), usize::MAX);
        assert_eq!(worn_out(&Scene::SILENCE, 0).count(), 0);
    }

    #[test]
    fn no_loop_of_four_notes_comes_four_times() {
        let alberti = [(60, 15), (67, 15), (64, 15), (67, 15)];
        assert!(allowed(&alberti) < 4 * 4);
    }
}
