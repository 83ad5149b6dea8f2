//! A partner who listens to a performance, and when it would take the floor in each lull: by the plugin's own memory and rule.

use antiphon::{
    improviser::PhraseEnd,
    music::{
        memory::Memory,
        note::{KnownNote, Note},
        patience::Patience,
        time::{Moment, Seconds},
    },
};

use super::performance::{Lull, Played};

/// What was known in a lull, from each moment on at which something ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Listened {
    pub lull: Lull,
    /// In the order of time: the silence so far, and what it looked like.
    pub seen: Vec<(Seconds, PhraseEnd)>,
}

impl Listened {
    /// The silence after which the plugin takes the floor, if the lull lasts and the pedal stays as it was at its end;
    /// `None` for never.
    pub fn take_over(&self, patience: Patience) -> Option<Seconds> {
        let until = self.seen.iter().skip(1).map(|&(from, _)| Some(from)).chain([None]);
        let taken = |((from, silence), until): (&(Seconds, PhraseEnd), Option<Seconds>)| {
            silence.hand_over(*from, patience).filter(|&silence| until.is_none_or(|until| silence < until))
        };
        self.seen.iter().zip(until).find_map(taken)
    }
}

/// Hears a whole performance and looks at these of its lulls.
pub fn listen(notes: &[Played], lulls: &[Lull]) -> Vec<Listened> {
    let mut ear = Ear::default();
    lulls.iter().map(|lull| ear.hear(notes, lull)).collect()
}

#[derive(Default)]
struct Ear {
    memory: Memory,
    scene: Memory,
    struck: usize,
    sounding: Vec<Played>,
}

impl Ear {
    /// Hears all up to a lull, and looks at it when it begins and whenever the pedal ends something.
    fn hear(&mut self, notes: &[Played], lull: &Lull) -> Listened {
        self.sounding.extend(&notes[self.struck..lull.struck]);
        self.struck = lull.struck;
        let ends = self.sounding.iter().map(Played::end);
        let within = |end: &Moment| *end > lull.since && lull.until.is_none_or(|until| *end < until);
        let mut moments: Vec<Moment> = ends.filter(within).chain([lull.since]).collect();
        moments.sort_by(|a, b| a.0.total_cmp(&b.0));
        moments.dedup();
        let seen = moments.into_iter().map(|now| (now - lull.since, self.look(lull.since, now)));
        Listened { lull: *lull, seen: seen.collect() }
    }

    fn look(&mut self, since: Moment, now: Moment) -> PhraseEnd {
        // In the order of their ends, as an instance hears them.
        self.sounding.sort_by(|a, b| a.end().0.total_cmp(&b.end().0));
        let over = self.sounding.partition_point(|played| played.end() <= now);
        for Played { note, known, .. } in self.sounding.drain(..over) {
            self.memory.remember(KnownNote { note, conditions: known });
        }
        self.scene.copy_from(&self.memory);
        for &Played { note, known, .. } in &self.sounding {
            let note = Note { duration: now - note.onset, ..note };
            self.scene.suppose(KnownNote { note, conditions: known });
        }
        PhraseEnd::new(&self.scene, since)
    }
}

#[cfg(test)]
mod tests {
    use antiphon::music::{
        conditions::Conditions,
        note::{Key, Velocity},
    };

    use super::*;
    use crate::evaluate::handover::performance::Performance;

    fn lulls(notes: &[Played]) -> Vec<Lull> {
        Performance::of(notes).lulls()
    }

    fn played(onset: f64, key_up: f64, end: f64) -> Played {
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(64));
        let duration = Moment(end) - Moment(onset);
        let note = Note { onset: Moment(onset), duration, key, velocity };
        Played { note, key_up: Moment(key_up), known: Conditions::UNKNOWN }
    }

    #[test]
    fn a_lull_is_looked_at_again_when_the_pedal_comes_up_and_not_after_the_next_strike() {
        let notes = [played(0.0, 0.5, 1.0), played(3.0, 3.5, 3.5), played(4.0, 4.5, 9.0)];
        let listened = listen(&notes, &lulls(&notes));
        let seen: Vec<Vec<Seconds>> =
            listened.iter().map(|listened| listened.seen.iter().map(|&(from, _)| from).collect()).collect();
        let nothing = Seconds(0.0);
        assert_eq!(seen, [vec![nothing, Seconds(0.5)], vec![nothing], vec![nothing, Seconds(4.5)]]);
    }

    #[test]
    fn no_patience_takes_over_at_once_and_all_of_it_never() {
        let notes = [played(0.0, 0.5, 0.5), played(3.0, 3.5, 3.5)];
        let listened = &listen(&notes, &lulls(&notes))[0];
        let take_over = |part| listened.take_over(Patience::saturating(part));
        assert!(take_over(0.0).is_some_and(|silence| silence.0 < 0.2));
        assert_eq!(take_over(1.0), None);
    }
}
