//! What of an answer sounds when, as it will sound.

use crate::music::{
    manner::Polyphony,
    note::{Key, Note},
    time::{Moment, Seconds},
};

/// By key: when its last note ends. Never allocates.
#[derive(Debug, Clone, Copy)]
pub struct Voices([Moment; Key::COUNT]);

impl Voices {
    pub const fn new() -> Self {
        Self([Moment(0.0); Key::COUNT])
    }

    /// A note begins. Where no voice is free, the one that would end first ends, as on the stage.
    pub fn strike(&mut self, note: &Note, polyphony: Polyphony) {
        let at = note.onset;
        self.0[note.key.index()] = at;
        let sounding = self.0.iter().filter(|end| **end > at).count();
        for _ in polyphony.count()..=sounding {
            let sounding = self.0.iter_mut().filter(|end| **end > at);
            let Some(first) = sounding.min_by(|one, other| one.0.total_cmp(&other.0)) else { break };
            *first = at;
        }
        self.0[note.key.index()] = at + note.duration;
    }

    /// By key: how long it still sounds after a moment.
    pub fn after(&self, moment: Moment) -> [Seconds; Key::COUNT] {
        self.0.map(|end| (end - moment).max(Seconds::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::note::Velocity;

    #[test]
    fn where_no_voice_is_free_the_one_that_would_end_first_ends() {
        let (mut voices, velocity) = (Voices::new(), Velocity::saturating(64));
        let mut strike = |key: u8, onset: f64, duration: f32| {
            let (key, onset, duration) = (Key::saturating(key), Moment(onset), Seconds(duration));
            voices.strike(&Note { onset, duration, key, velocity }, Polyphony::voices(2));
            voices.after(onset).map(|left| left > Seconds::ZERO)
        };
        strike(60, 0.0, 9.0);
        strike(64, 0.1, 2.0);
        let sounding = strike(67, 0.2, 3.0);
        assert!(sounding[60] && !sounding[64] && sounding[67]);
        let sounding = strike(60, 0.3, 1.0);
        assert!(sounding[60] && sounding[67], "a key that is struck again needs no other voice");
    }
}
