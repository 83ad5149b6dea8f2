use std::collections::HashMap;

use proptest::prelude::*;
use quick_xml::{Reader, events::Event};

use super::*;

const HEADING: Heading = Heading { title: "a < b", signature: Signature::COMMON, pulse: Pulse::Steady(60.0) };

fn note(key: u8, onset: f64, end: f64) -> Note {
    let (key, velocity) = (Key::saturating(key), Velocity::saturating(72));
    Note { key, onset, end, step: 0.0, velocity, instrument: 0 }
}

/// An element's name and text, with those inside it.
type Leaf = (String, String);

/// The leaves of each element of that name, in order.
fn all(xml: &[u8], name: &str) -> Vec<Vec<Leaf>> {
    let mut reader = Reader::from_reader(xml);
    reader.config_mut().trim_text(true);
    let (mut found, mut path) = (Vec::<Vec<Leaf>>::new(), Vec::new());
    loop {
        match reader.read_event().expect("XML that is well formed") {
            Event::Start(tag) => {
                path.push(tag.name().as_ref().to_owned());
                if path.last().is_some_and(|tag| tag == name) {
                    found.push(Vec::new());
                }
            }
            Event::Empty(tag) if path.iter().any(|tag| tag == name) => {
                let tag = tag.name().as_ref().to_owned();
                found.last_mut().expect("inside").push((tag, String::new()));
            }
            Event::Text(text) if path.iter().any(|tag| tag == name) => {
                let text = (*text).to_owned();
                found.last_mut().expect("inside").push((path.last().expect("a tag").clone(), text));
            }
            Event::End(_) => drop(path.pop()),
            Event::Eof => return found,
            _ => {}
        }
    }
}

fn leaf<'a>(leaves: &'a [Leaf], name: &str) -> Option<&'a str> {
    leaves.iter().find(|(leaf, _)| leaf == name).map(|(_, text)| text.as_str())
}

/// The notes that are struck: those that no tie leads to.
fn struck(xml: &[u8]) -> Vec<String> {
    let is_struck = |note: &Vec<Leaf>| leaf(note, "step").is_some();
    let pitch = |note: &Vec<Leaf>| {
        let alter = leaf(note, "alter").unwrap_or("0");
        format!("{}{alter}{}", leaf(note, "step").unwrap_or(""), leaf(note, "octave").unwrap_or(""))
    };
    all(xml, "note").iter().filter(|note| is_struck(note)).map(pitch).collect()
}

proptest! {
    #[test]
    fn every_bar_of_both_staves_is_full_and_the_first_one_has_a_note_whatever_is_played(
        played in prop::collection::vec((21u8..=108, 0f64..1.5, 0.01f64..4.0), 1..60),
        tempo in prop::option::of(40f64..200.0),
    ) {
        let mut now = 0.0;
        let notes: Vec<Note> = played
            .into_iter()
            .map(|(key, step, length)| {
                // Half of the notes are chords.
                now += (step - 0.5).max(0.0);
                note(key, now, now + length)
            })
            .collect();
        let pulse = tempo.map_or(Pulse::Found, Pulse::Steady);
        let xml = of(&notes, &Heading { pulse, ..HEADING }).expect("memory takes all");
        let mut durations: HashMap<(usize, String), u32> = HashMap::new();
        let bars = all(&xml, "backup").len();
        let (mut bar, mut struck_first) = (0, false);
        let mut staff_before = "1".to_owned();
        for note in all(&xml, "note") {
            let staff = leaf(&note, "staff").expect("a staff").to_owned();
            bar += usize::from(staff == "1" && staff_before == "2");
            staff_before = staff.clone();
            struck_first |= bar == 0 && leaf(&note, "step").is_some();
            if leaf(&note, "chord").is_none() {
                let duration: u32 = leaf(&note, "duration").expect("a duration").parse().expect("a number");
                *durations.entry((bar, staff)).or_default() += duration;
            }
        }
        prop_assert!(struck_first);
        prop_assert_eq!(durations.len(), 2 * bars);
        prop_assert!(durations.values().all(|sum| *sum == 4 * DIVISIONS), "{:?}", durations);
    }
}

#[test]
fn what_is_played_in_time_is_written_as_it_is_counted() {
    // At a beat a second: two quarters, two eighths, a triplet, and a half note in the left hand below.
    let thirds = [3.0, 3.0 + 1.0 / 3.0, 3.0 + 2.0 / 3.0];
    let mut notes = vec![note(40, 0.0, 2.0), note(72, 0.0, 1.0), note(74, 1.0, 2.0)];
    notes.extend([note(43, 2.0, 4.0), note(76, 2.0, 2.5), note(77, 2.5, 3.0)]);
    notes.extend(thirds.map(|at| note(79, at, at + 0.33)));
    let xml = of(&notes, &HEADING).expect("memory takes all");
    let values: Vec<String> = all(&xml, "note")
        .iter()
        .map(|note| {
            let triplet = if leaf(note, "actual-notes").is_some() { "/3" } else { "" };
            format!("{}{triplet}", leaf(note, "type").expect("a type"))
        })
        .collect();
    let right = ["quarter", "quarter", "eighth", "eighth", "eighth/3", "eighth/3", "eighth/3"];
    assert_eq!(values, [&right[..], &["half", "half"]].concat());
    assert_eq!(all(&xml, "measure").len(), 1);
}

#[test]
fn a_note_over_the_bar_line_is_tied_and_struck_once() {
    let notes = [note(72, 0.0, 3.0), note(74, 3.0, 6.0), note(76, 6.0, 8.0)];
    let xml = of(&notes, &HEADING).expect("memory takes all");
    let tied = |note: &Vec<Leaf>| leaf(note, "step") == Some("D");
    assert_eq!(all(&xml, "note").iter().filter(|note| tied(note)).count(), 2);
    assert_eq!(all(&xml, "measure").len(), 2);
}

#[test]
fn keys_are_spelled_as_their_key_signature_has_them() {
    // F minor: A flat and D flat are no sharps, and its leading note is no F flat.
    let scale = [53, 56, 60, 61, 60, 56, 53, 52, 53, 60, 56, 53];
    let notes: Vec<Note> =
        scale.iter().zip(0..).map(|(&key, n)| note(key, n.into(), f64::from(n) + 1.0)).collect();
    let xml = of(&notes, &HEADING).expect("memory takes all");
    let names = struck(&xml);
    assert!(names.contains(&"A-13".to_owned()) && names.contains(&"D-14".to_owned()), "{names:?}");
    assert!(names.contains(&"E03".to_owned()), "{names:?}");
}

#[test]
fn beats_are_found_where_they_are_played_even_if_time_is_bent() {
    // Quarter notes whose tempo rises by a fifth, with eighths between every second pair.
    let (mut now, mut onsets, mut notes) = (0.0, Vec::new(), Vec::new());
    for n in 0..40 {
        let beat = 0.6 - 0.0025 * f64::from(n);
        onsets.push(now);
        notes.push(note(48, now, now + 0.3));
        notes.push(note(72, now, now + 0.3));
        if n % 2 == 1 {
            notes.push(note(74, now + beat / 2.0, now + beat));
        }
        now += beat;
    }
    let beats = Beats::found(&notes);
    let off = onsets.iter().map(|onset| {
        let at = beats.at(*onset);
        (at - at.round()).abs()
    });
    assert!(off.fold(0.0, f64::max) < 0.1);
    let counted = beats.at(onsets[39]) - beats.at(onsets[0]);
    assert!((counted - 39.0).abs() < 0.1, "{counted} beats");
}

#[test]
fn a_file_that_is_counted_keeps_its_own_beats_and_bars() {
    // Half a second of silence at 120, then 140 quarter notes a minute in 3/4 from the second quarter on.
    for tempo in [140.0, 90.0] {
        let map = TempoMap::steady((6e7 / tempo) as u32, 480);
        let quarter = 60.0 / tempo;
        let played =
            |n: u32| note(60, quarter * (1.0 + f64::from(n) / 2.0), quarter * (1.4 + f64::from(n) / 2.0));
        let notes: Vec<Note> = (0..40).map(played).collect();
        assert!(beats::lie_on(&notes, &map));
        let signature = Signature { tick: 480, numerator: 3, denominator: 4 };
        let beats = Beats::written(&notes[7..], &map, signature);
        assert!((beats.tempo() - tempo).abs() < 0.01, "{}", beats.tempo());
        // The note begins at the fourth and a half quarter: a bar and a half behind the bar line before it.
        assert!((beats.at(notes[7].onset) - 0.5).abs() < 0.01, "{}", beats.at(notes[7].onset));
    }
}

#[test]
fn a_performance_without_a_click_has_no_beats_of_its_own() {
    let map = TempoMap::steady(500_000, 480);
    let notes: Vec<Note> =
        (0..300).map(|n| note(60, f64::from(n) * 0.2137, f64::from(n) * 0.2137 + 0.1)).collect();
    assert!(!beats::lie_on(&notes, &map));
    assert!(!beats::lie_on(&notes[..3], &map));
    assert!(!beats::lie_on(&[], &map));
}

#[test]
fn low_notes_go_to_the_left_hand_and_a_wide_chord_to_both() {
    let notes = [note(36, 0.0, 1.0), note(43, 0.0, 1.0), note(64, 0.0, 1.0), note(72, 0.0, 1.0)];
    let hands = Hands::of(&notes, &Beats::steady(&notes, 60.0));
    let keys = |notes: &[Note]| notes.iter().map(|note| note.key.number()).collect::<Vec<_>>();
    assert_eq!((keys(&hands.left), keys(&hands.right)), (vec![36, 43], vec![64, 72]));
}

#[test]
fn a_title_may_have_any_letters() {
    let xml = of(&[note(60, 0.0, 1.0)], &HEADING).expect("memory takes all");
    let text = String::from_utf8(xml).expect("letters");
    assert!(text.contains("<work-title>a &lt; b</work-title>"), "{text}");
}
