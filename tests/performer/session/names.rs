//! The names that a host gives to notes.

use antiphon::{
    music::hearing::{NoteId, Place},
    performer::Gesture,
};

/// One name for each strike and its release, or none at all.
#[derive(Default)]
pub struct Names {
    given: i32,
    open: Vec<(Place, NoteId)>,
    are_given: bool,
}

impl Names {
    /// Every note has one.
    pub fn given() -> Self {
        Self { are_given: true, ..Self::default() }
    }

    pub fn of(&mut self, gesture: Gesture) -> Option<NoteId> {
        match gesture {
            _ if !self.are_given => None,
            Gesture::KeyDown(place, _) => {
                self.given += 1;
                let name = NoteId(self.given);
                self.open.push((place, name));
                Some(name)
            }
            Gesture::KeysUp(places) => {
                let index = self.open.iter().position(|(place, _)| places.contains(*place))?;
                Some(self.open.remove(index).1)
            }
            _ => None,
        }
    }
}
