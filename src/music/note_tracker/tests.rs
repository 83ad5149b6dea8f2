use proptest::prelude::*;

use super::*;
use crate::music::{note::Velocity, time::Seconds};

const C4: ChannelKey = ChannelKey { channel: 0, key: Key::saturating(60) };
const E4: ChannelKey = ChannelKey { channel: 0, key: Key::saturating(64) };

fn note(place: ChannelKey, at: f64) -> Note {
    Note { onset: Moment(at), duration: Seconds::ZERO, key: place.key, velocity: Velocity::saturating(100) }
}

fn strike(note_tracker: &mut NoteTracker, place: ChannelKey, id: Option<i32>, at: f64) -> Option<Note> {
    let (role, id) = (Role::Heard(note(place, at)), id.map(NoteId));
    note_tracker.strike(Strike { place, id, role, passed: false }, Moment(at))
}

/// Onset and end of each note that a release ends.
fn lift(
    note_tracker: &mut NoteTracker,
    places: ChannelKeys,
    id: Option<i32>,
    release: Release,
    at: f64,
) -> Vec<(f64, f64)> {
    note_tracker.release(places, id.map(NoteId), release);
    let released = std::iter::from_fn(|| note_tracker.next_released(Moment(at)));
    let notes = released.filter_map(|released| match released.outcome {
        Outcome::Over(note) => Some((note.onset.0, (note.onset + note.duration).0)),
        Outcome::Kept | Outcome::Nothing => None,
    });
    notes.collect()
}

fn holds_any(note_tracker: &NoteTracker) -> bool {
    note_tracker.any_held(|_| true)
}

#[test]
fn the_pedal_keeps_a_note_until_it_goes_up() {
    let mut note_tracker = NoteTracker::new();
    note_tracker.pedal(0, Pedal::Down);
    strike(&mut note_tracker, C4, None, 0.0);
    assert_eq!(lift(&mut note_tracker, C4.into(), None, Release::Key, 1.0), []);
    assert!(!holds_any(&note_tracker));
    assert_eq!(note_tracker.end_unpedalled(Moment(1.5)), None);
    note_tracker.pedal(0, Pedal::Up);
    assert_eq!(note_tracker.end_unpedalled(Moment(2.0)).map(|note| note.duration.0), Some(2.0));
    assert_eq!(note_tracker.end_unpedalled(Moment(2.0)), None);
}

#[test]
fn a_key_struck_again_ends_its_first_note_with_the_pedal_and_without() {
    for pedal in [Pedal::Up, Pedal::Down] {
        let mut note_tracker = NoteTracker::new();
        note_tracker.pedal(0, pedal);
        strike(&mut note_tracker, C4, None, 0.0);
        let ended = strike(&mut note_tracker, C4, None, 1.0);
        assert_eq!(ended.map(|note| (note.onset.0, note.duration.0)), Some((0.0, 1.0)));
    }
}

#[test]
fn a_key_is_held_until_every_strike_has_its_release() {
    let mut note_tracker = NoteTracker::new();
    strike(&mut note_tracker, C4, None, 0.0);
    strike(&mut note_tracker, C4, None, 1.0);
    assert_eq!(lift(&mut note_tracker, C4.into(), None, Release::Key, 1.1), []);
    assert!(note_tracker.holds(C4));
    assert_eq!(lift(&mut note_tracker, C4.into(), None, Release::Key, 6.0), [(1.0, 6.0)]);
    assert!(!note_tracker.holds(C4));
}

#[test]
fn a_release_that_names_a_note_ends_that_one_alone() {
    for release in [Release::Key, Release::Cut] {
        let mut note_tracker = NoteTracker::new();
        strike(&mut note_tracker, C4, Some(1), 0.0);
        strike(&mut note_tracker, E4, Some(2), 0.0);
        assert_eq!(lift(&mut note_tracker, ChannelKeys::EVERYWHERE, Some(9), release, 0.5), []);
        assert_eq!(lift(&mut note_tracker, ChannelKeys::EVERYWHERE, Some(1), release, 1.0), [(0.0, 1.0)]);
        assert!(note_tracker.holds(E4) && !note_tracker.holds(C4));
    }
}

#[test]
fn a_release_of_all_keys_ends_every_note_of_its_channel() {
    let mut note_tracker = NoteTracker::new();
    let elsewhere = ChannelKey { channel: 5, ..C4 };
    for place in [C4, E4, elsewhere] {
        strike(&mut note_tracker, place, None, 0.0);
    }
    let all = ChannelKeys { channel: Some(0), key: None };
    assert_eq!(lift(&mut note_tracker, all, None, Release::Key, 9.0).len(), 2);
    assert!(holds_any(&note_tracker));
    let anywhere = ChannelKeys { channel: None, key: Some(C4.key) };
    assert_eq!(lift(&mut note_tracker, anywhere, None, Release::Key, 9.0).len(), 1);
    assert!(!holds_any(&note_tracker));
}

#[test]
fn a_release_without_a_strike_is_nothing() {
    let mut note_tracker = NoteTracker::new();
    assert_eq!(lift(&mut note_tracker, C4.into(), None, Release::Key, 5.0), []);
    assert!(!holds_any(&note_tracker));
}

#[test]
fn a_cut_ends_what_the_pedal_keeps() {
    let mut note_tracker = NoteTracker::new();
    note_tracker.pedal(0, Pedal::Down);
    strike(&mut note_tracker, C4, None, 0.0);
    strike(&mut note_tracker, E4, None, 0.0);
    lift(&mut note_tracker, C4.into(), None, Release::Key, 1.0);
    let all = ChannelKeys { channel: Some(0), key: None };
    assert_eq!(lift(&mut note_tracker, all, None, Release::Cut, 2.0), [(0.0, 2.0), (0.0, 2.0)]);
}

#[test]
fn the_pedal_of_a_master_holds_the_notes_of_its_zone() {
    for (zone, master, member) in [(Zone::Lower, 0, 3), (Zone::Upper, 15, 14)] {
        let mut note_tracker = NoteTracker::new();
        note_tracker.set_zone(zone);
        let place = ChannelKey { channel: member, ..C4 };
        note_tracker.pedal(master, Pedal::Down);
        strike(&mut note_tracker, place, None, 0.0);
        assert_eq!(lift(&mut note_tracker, place.into(), None, Release::Key, 1.0), []);
        note_tracker.reset_controllers(master);
        assert!(note_tracker.end_unpedalled(Moment(2.0)).is_some());
        assert!(zone.members().all(|channel| channel != master) && zone.members().count() == 15);
    }
}

#[test]
fn what_is_swallowed_is_no_key_and_its_release_no_music() {
    let mut note_tracker = NoteTracker::new();
    let swallowed = Strike { place: C4, id: None, role: Role::Swallowed, passed: false };
    note_tracker.strike(swallowed, Moment(0.0));
    assert!(!note_tracker.holds(C4) && !holds_any(&note_tracker) && note_tracker.swallows(C4));
    note_tracker.release(C4.into(), None, Release::Key);
    let released = note_tracker.next_released(Moment(1.0));
    assert_eq!(released.map(|released| released.outcome), Some(Outcome::Nothing));
}

/// What a receiver of MIDI holds: strikes without a release, and pedals.
#[derive(Default)]
struct Receiver {
    strikes: Vec<(ChannelKey, Option<i32>)>,
    pedals: [bool; 16],
}

impl Receiver {
    fn release(&mut self, places: ChannelKeys, id: Option<i32>) {
        let first = |strikes: &[(ChannelKey, Option<i32>)], named: Option<i32>| {
            strikes.iter().position(|(place, other)| places.contains(*place) && *other == named)
        };
        let nameless = |strikes: &[(ChannelKey, Option<i32>)]| {
            if places.single().is_some() { first(strikes, None) } else { None }
        };
        let one = if id.is_some() { first(&self.strikes, id) } else { None };
        match one.or_else(|| nameless(&self.strikes)) {
            Some(index) => {
                self.strikes.remove(index);
            }
            None if id.is_some() => {}
            None => self.strikes.retain(|(place, _)| !places.contains(*place)),
        }
    }
}

proptest! {
    #[test]
    fn held_keys_and_pedals_are_those_of_any_receiver(
        events in prop::collection::vec((0..8u8, 0..3u8, 60..63u8, prop::option::of(0..3i32), 0..4u8), 1..200),
    ) {
        let (mut note_tracker, mut receiver) = (NoteTracker::new(), Receiver::default());
        for (nth, (kind, channel, key, id, wild)) in (0u32..).zip(events) {
            let at = f64::from(nth);
            let place = ChannelKey { channel, key: Key::saturating(key) };
            let channels = (wild & 1 == 0).then_some(channel);
            let places = ChannelKeys { channel: channels, key: (wild & 2 == 0).then_some(place.key) };
            match kind {
                0..=3 => {
                    strike(&mut note_tracker, place, id, at);
                    receiver.strikes.push((place, id));
                }
                4 | 5 => {
                    let release = if kind == 4 { Release::Key } else { Release::Cut };
                    lift(&mut note_tracker, places, id, release, at);
                    receiver.release(places, id);
                }
                6 => {
                    note_tracker.pedal(channel, if wild > 1 { Pedal::Down } else { Pedal::Up });
                    receiver.pedals[usize::from(channel)] = wild > 1;
                }
                _ => {
                    note_tracker.reset_controllers(channel);
                    receiver.pedals[usize::from(channel)] = false;
                }
            }
            while note_tracker.end_unpedalled(Moment(at)).is_some() {}
            for channel in 0..3 {
                for key in (60..63).map(Key::saturating) {
                    let place = ChannelKey { channel, key };
                    let held = receiver.strikes.iter().any(|(other, _)| *other == place);
                    prop_assert_eq!(note_tracker.holds(place), held, "{:?} after {}", place, nth);
                }
                prop_assert_eq!(note_tracker.is_pedalled(channel), receiver.pedals[usize::from(channel)]);
            }
        }
    }
}
