//! A performance as a partner hears it: notes whose keys go up and whose ends come later, and the lulls between them.

use std::path::Path;

use anyhow::Result;

use antiphon::{
    improviser::{PHRASE_END, SHORTEST},
    music::{
        note::Note,
        time::{Moment, Seconds},
    },
};

use crate::corpus::{self, Convention};

/// A note of the player.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Played {
    /// As it sounds, the pedal included.
    pub note: Note,
    /// When its key goes up.
    pub key_up: Moment,
}

/// No key is held from `since` on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lull {
    /// So many notes were struck before.
    pub struck: usize,
    /// The newest strike.
    pub onset: Moment,
    /// When the last key went up.
    pub since: Moment,
    /// The next strike; `None` after the last one.
    pub until: Option<Moment>,
}

impl Played {
    /// When it has died away.
    pub fn end(&self) -> Moment {
        self.note.onset + self.note.duration
    }
}

impl Lull {
    /// `None` after the last note.
    pub fn length(&self) -> Option<Seconds> {
        self.until.map(|until| until - self.since)
    }

    /// From the newest strike to the last release.
    pub fn held(&self) -> Seconds {
        self.since - self.onset
    }

    /// Whether the plugin may take the floor in it, or after it if the player stops there.
    pub fn matters(&self) -> bool {
        self.length().is_none_or(|length| length > SHORTEST) || self.ends_phrase()
    }

    /// Whether it leads to so long a silence, counted from the newest strike, that a phrase ends there.
    pub fn ends_phrase(&self) -> bool {
        self.until.is_some_and(|until| until - self.onset >= PHRASE_END)
    }
}

/// The notes of a file in the order of their onsets.
pub fn read(path: &Path) -> Result<Vec<Played>> {
    let notes = |convention| -> Result<Vec<corpus::Note>> {
        let pieces = corpus::read(&[path.to_owned()], convention)?.pieces;
        Ok(pieces.into_iter().flat_map(|piece| piece.notes).collect())
    };
    // Both conventions have the same notes in the same order: their ends alone differ.
    let (sounding, held) = (notes(Convention::Sustained)?, notes(Convention::KeyUp)?);
    let played = |(sounding, held): (&corpus::Note, &corpus::Note)| Played {
        note: Note {
            onset: Moment(sounding.onset),
            duration: Seconds(sounding.duration() as f32),
            key: sounding.key,
            velocity: sounding.velocity,
        },
        key_up: Moment(held.end),
    };
    Ok(sounding.iter().zip(&held).map(played).collect())
}

/// The lulls of a performance, in their order.
pub fn lulls(notes: &[Played]) -> Vec<Lull> {
    let mut since = Moment(0.0);
    let lull = |(index, played): (usize, &Played)| {
        since = since.max(played.key_up);
        let until = notes.get(index + 1).map(|next| next.note.onset);
        let lull = Lull { struck: index + 1, onset: played.note.onset, since, until };
        lull.length().is_none_or(|length| length > Seconds::ZERO).then_some(lull)
    };
    notes.iter().enumerate().filter_map(lull).collect()
}

#[cfg(test)]
mod tests {
    use antiphon::music::note::{Key, Velocity};

    use super::*;

    fn played(onset: f64, key_up: f64) -> Played {
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(64));
        let note = Note { onset: Moment(onset), duration: Seconds(1.0), key, velocity };
        Played { note, key_up: Moment(key_up) }
    }

    #[test]
    fn a_lull_lasts_from_the_release_of_the_last_held_key_to_the_next_strike() {
        // The second note is over before the first, and the fourth begins before the third is released.
        let notes = [played(0.0, 2.0), played(0.5, 0.75), played(3.0, 4.5), played(4.0, 4.25)];
        let lulls = lulls(&notes);
        let lull =
            |struck, onset, since, until| Lull { struck, onset: Moment(onset), since: Moment(since), until };
        assert_eq!(lulls, [lull(2, 0.5, 2.0, Some(Moment(3.0))), lull(4, 4.0, 4.5, None)]);
        assert_eq!((lulls[0].held(), lulls[0].length()), (Seconds(1.5), Some(Seconds(1.0))));
        assert!(lulls[0].ends_phrase() && !lulls[1].ends_phrase());
    }

    #[test]
    fn a_lull_in_which_nobody_could_react_matters_only_at_the_end_of_a_phrase() {
        let notes = [played(0.0, 0.9), played(1.0, 1.5), played(2.0, 4.9), played(5.0, 5.5)];
        let matters: Vec<bool> = lulls(&notes).iter().map(Lull::matters).collect();
        assert_eq!(matters, [false, true, true, true]);
    }
}
