//! How many notes sound at once, and how densely they begin.

use crate::corpus::Note;

/// How many sound at once.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Polyphony {
    pub most: usize,
    /// On average, while anything sounds.
    pub mean: f64,
}

impl Polyphony {
    pub fn of(notes: &[Note]) -> Self {
        // At one moment, what ends goes before what begins.
        let mut changes: Vec<(f64, bool)> =
            notes.iter().filter(|note| note.end > note.onset).flat_map(edges).collect();
        changes.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let (mut sounding, mut most, mut since) = (0usize, 0, 0.0);
        let (mut filled, mut voices) = (0.0, 0.0);
        for (now, begins) in changes {
            if sounding > 0 {
                filled += now - since;
                voices += (now - since) * sounding as f64;
            }
            sounding = if begins { sounding + 1 } else { sounding - 1 };
            most = most.max(sounding);
            since = now;
        }
        Self { most, mean: if filled > 0.0 { voices / filled } else { 0.0 } }
    }
}

fn edges(note: &Note) -> [(f64, bool); 2] {
    [(note.onset, true), (note.end, false)]
}

/// The most notes that begin within one second. `notes` are in the order of their onsets.
pub fn busiest_second(notes: &[Note]) -> usize {
    let mut first = 0;
    let within = notes.iter().enumerate().map(|(last, note)| {
        while note.onset - notes[first].onset >= 1.0 {
            first += 1;
        }
        last + 1 - first
    });
    within.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use antiphon::music::note::{Key, Velocity};

    use super::*;

    fn note(onset: f64, end: f64) -> Note {
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(64));
        Note { key, onset, end, step: 0.0, velocity, instrument: 0 }
    }

    #[test]
    fn polyphony_is_counted_while_anything_sounds() {
        // One voice for a second, two for a second, nothing for eight.
        let notes = [note(0.0, 2.0), note(1.0, 2.0), note(10.0, 10.0)];
        assert_eq!(Polyphony::of(&notes), Polyphony { most: 2, mean: 1.5 });
        assert_eq!(Polyphony::of(&[]), Polyphony::default());
    }

    #[test]
    fn a_note_that_ends_where_another_begins_does_not_sound_with_it() {
        assert_eq!(Polyphony::of(&[note(0.0, 1.0), note(1.0, 2.0)]).most, 1);
    }

    #[test]
    fn the_busiest_second_lies_anywhere() {
        let notes = [0.0, 0.5, 1.2, 1.3, 1.4, 2.1, 2.3].map(|onset| note(onset, onset));
        assert_eq!(busiest_second(&notes), 4);
        assert_eq!(busiest_second(&[]), 0);
    }
}
