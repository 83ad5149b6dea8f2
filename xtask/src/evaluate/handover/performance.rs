//! A performance as a partner hears it: notes with their releases and ends, the pauses between them, and when
//! the plugin would take the floor in each pause by its own memory and rule.

use anyhow::Result;

use antiphon::music::{
    conditions::{Conditions, Who},
    memory::{KnownNote, Memory},
    note::Note,
    patience::{PHRASE_END_SILENCE, Patience, PhraseEnd, SHORTEST_RELEASE},
    time::{Moment, Seconds},
};

use crate::corpus::{
    self, Convention, LeftOut,
    beats::Beats,
    collection::{self, Music, Source},
};

/// What a player plays, and the phrases that a listener has marked in it.
#[derive(Debug, Clone, Default)]
pub struct Performance {
    /// The notes by onset.
    pub notes: Vec<Played>,
    beats: Option<Beats>,
    /// Indices of the notes that begin a phrase, in order; `None` where no phrases are marked.
    phrases: Option<Vec<usize>>,
    pub left_out: LeftOut,
}

/// A note of the player.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Played {
    /// The note as it sounds, the pedal included.
    pub note: Note,
    /// When its key is released.
    pub key_up: Moment,
    /// The input features at its onset.
    pub known: Conditions,
}

/// A pause: no key is held from `since` on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pause {
    /// Number of notes that were struck before the pause.
    pub struck: usize,
    /// The newest strike before the pause.
    pub onset: Moment,
    /// When the last key was released.
    pub since: Moment,
    /// The next strike; `None` after the last note.
    pub until: Option<Moment>,
    /// The length of a beat here; `None` where no beats are known.
    pub beat: Option<Seconds>,
    /// Whether a listener has marked the end of a phrase here; `None` where no phrases are marked.
    pub marked: Option<bool>,
}

impl Played {
    /// The end of the note as it sounds.
    pub fn end(&self) -> Moment {
        self.note.onset + self.note.duration
    }
}

impl Pause {
    /// From the last release to the next strike; `None` after the last note.
    pub fn length(&self) -> Option<Seconds> {
        self.until.map(|until| until - self.since)
    }

    /// From the newest strike to the last release.
    pub fn held(&self) -> Seconds {
        self.since - self.onset
    }

    /// Whether the plugin may take the floor in the pause, or would if the player stopped there.
    pub fn matters(&self) -> bool {
        self.length().is_none_or(|length| length > SHORTEST_RELEASE) || self.ends_phrase()
    }

    /// Whether a phrase ends in the pause: as marked, or else where the silence from the newest strike to the
    /// next is at least [`PHRASE_END_SILENCE`].
    pub fn ends_phrase(&self) -> bool {
        let is_long = |until: Moment| until - self.onset >= PHRASE_END_SILENCE;
        self.until.is_some_and(|until| self.marked.unwrap_or(is_long(until)))
    }

    /// Whether taking the floor in the pause is wrong. Where phrases are not marked, it always is if the
    /// player goes on.
    pub fn is_within_phrase(&self) -> bool {
        self.marked != Some(true)
    }
}

impl Performance {
    /// A performance of these notes, without beats or phrases.
    #[cfg(test)]
    pub fn of(notes: &[Played]) -> Self {
        Self { notes: notes.to_vec(), ..Self::default() }
    }

    /// # Errors
    /// When the file or what is known of it cannot be read.
    pub fn read(source: &Source) -> Result<Self> {
        let known = source.annotations.read()?;
        // The features that the plugin knows: the beat, and who plays.
        let conditions = |onset: f64| Conditions {
            pulse: collection::conditions(&known, None, onset).pulse,
            who: Some(Who::Player),
            ..Conditions::UNKNOWN
        };
        // Both conventions have the same notes in the same order: only their ends differ.
        let [sounding, held] =
            [Convention::Sustained, Convention::KeyUp].map(|convention| source.performance(convention));
        let (sounding, held) = (sounding?, held?.notes);
        let played = |(sounding, held): (&corpus::Note, &corpus::Note)| Played {
            note: Note {
                onset: Moment(sounding.onset),
                duration: Seconds(sounding.duration() as f32),
                key: sounding.key,
                velocity: sounding.velocity,
            },
            key_up: Moment(held.end),
            known: conditions(sounding.onset),
        };
        let phrases = match &source.music {
            Music::Solo(solo) => Some(solo.phrases.clone()),
            Music::File(_) => None,
        };
        let notes = sounding.notes.iter().zip(&held).map(played).collect();
        let left_out = sounding.left_out;
        Ok(Self { notes, beats: known.beats, phrases, left_out })
    }

    /// Minutes from the first strike to the last release.
    pub fn minutes(&self) -> f64 {
        let end = self.notes.iter().map(|played| played.key_up.0).fold(0.0, f64::max);
        self.notes.first().map_or(0.0, |first| end - first.note.onset.0) / 60.0
    }

    /// The pauses of the performance, in order.
    pub fn pauses(&self) -> Vec<Pause> {
        let mut since = Moment(0.0);
        let pause = |(index, played): (usize, &Played)| {
            since = since.max(played.key_up);
            let next = index + 1;
            let onset = played.note.onset;
            let pause = Pause {
                struck: next,
                onset,
                since,
                until: self.notes.get(next).map(|next| next.note.onset),
                beat: self.beats.as_ref().and_then(|beats| Some(Seconds(beats.at(onset.0)?.period_s as f32))),
                marked: self.phrases.as_ref().map(|phrases| phrases.binary_search(&next).is_ok()),
            };
            pause.length().is_none_or(|length| length > Seconds::ZERO).then_some(pause)
        };
        self.notes.iter().enumerate().filter_map(pause).collect()
    }
}

/// What was known in a pause, from each moment at which a note ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Listened {
    pub pause: Pause,
    /// In the order of time: the silence so far, and how it looked as the end of a phrase.
    pub seen: Vec<(Seconds, PhraseEnd)>,
}

impl Listened {
    /// The silence after which the plugin takes the floor, if the pause lasts and the pedal stays as it was
    /// at the end of the pause; `None` for never.
    pub fn take_over(&self, patience: Patience) -> Option<Seconds> {
        let until = self.seen.iter().skip(1).map(|&(from, _)| Some(from)).chain([None]);
        let taken = |((from, silence), until): (&(Seconds, PhraseEnd), Option<Seconds>)| {
            silence.hand_over(*from, patience).filter(|&silence| until.is_none_or(|until| silence < until))
        };
        self.seen.iter().zip(until).find_map(taken)
    }
}

/// Hears a whole performance and examines these of its pauses.
pub fn listen(notes: &[Played], pauses: &[Pause]) -> Vec<Listened> {
    let mut listener = Listener::default();
    pauses.iter().map(|pause| listener.hear(notes, pause)).collect()
}

#[derive(Default)]
struct Listener {
    memory: Memory,
    scene: Memory,
    struck: usize,
    sounding: Vec<Played>,
}

impl Listener {
    /// Hears all up to a pause, and examines it when it begins and whenever the pedal ends a note.
    fn hear(&mut self, notes: &[Played], pause: &Pause) -> Listened {
        self.sounding.extend(&notes[self.struck..pause.struck]);
        self.struck = pause.struck;
        let ends = self.sounding.iter().map(Played::end);
        let within = |end: &Moment| *end > pause.since && pause.until.is_none_or(|until| *end < until);
        let mut moments: Vec<Moment> = ends.filter(within).chain([pause.since]).collect();
        moments.sort_by(|a, b| a.0.total_cmp(&b.0));
        moments.dedup();
        let seen = moments.into_iter().map(|now| (now - pause.since, self.look(pause.since, now)));
        Listened { pause: *pause, seen: seen.collect() }
    }

    fn look(&mut self, since: Moment, now: Moment) -> PhraseEnd {
        // Sorted by their ends, the order in which an instance hears them.
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
    use antiphon::music::note::{Key, Velocity};

    use super::*;
    use crate::corpus::beats::{BeatKind, BeatMark};

    fn played(onset: f64, key_up: f64) -> Played {
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(64));
        let note = Note { onset: Moment(onset), duration: Seconds(1.0), key, velocity };
        Played { note, key_up: Moment(key_up), known: Conditions::UNKNOWN }
    }

    #[test]
    fn a_phrase_ends_where_it_is_marked_however_long_the_silence_is() {
        let marks = [0.0, 1.0, 2.0, 4.0, 6.0].map(|at| BeatMark { at, what: BeatKind::Downbeat });
        let solo = Performance {
            phrases: Some(vec![0, 1]),
            beats: Some(Beats::new(&marks)),
            ..Performance::of(&[played(0.0, 0.5), played(1.0, 1.5), played(4.0, 4.5), played(5.0, 6.0)])
        };
        let pauses = solo.pauses();
        let ends: Vec<bool> = pauses.iter().map(Pause::ends_phrase).collect();
        assert_eq!(ends, [true, false, false, false]);
        assert_eq!(pauses.iter().map(Pause::is_within_phrase).collect::<Vec<_>>(), [false, true, true, true]);
        let beats: Vec<Option<f32>> = pauses.iter().map(|pause| pause.beat.map(|beat| beat.0)).collect();
        assert_eq!(beats, [Some(1.0), Some(1.0), Some(2.0), Some(2.0)]);
        assert_eq!(solo.minutes(), 0.1);
    }

    #[test]
    fn a_pause_lasts_from_the_release_of_the_last_held_key_to_the_next_strike() {
        // The second note is over before the first, and the fourth begins before the third is released.
        let notes = [played(0.0, 2.0), played(0.5, 0.75), played(3.0, 4.5), played(4.0, 4.25)];
        let pauses = Performance::of(&notes).pauses();
        let pause = |struck, onset, since, until| Pause {
            struck,
            onset: Moment(onset),
            since: Moment(since),
            until,
            beat: None,
            marked: None,
        };
        assert_eq!(pauses, [pause(2, 0.5, 2.0, Some(Moment(3.0))), pause(4, 4.0, 4.5, None)]);
        assert_eq!((pauses[0].held(), pauses[0].length()), (Seconds(1.5), Some(Seconds(1.0))));
        assert!(pauses[0].ends_phrase() && !pauses[1].ends_phrase());
    }

    #[test]
    fn a_pause_in_which_nobody_could_react_matters_only_at_the_end_of_a_phrase() {
        let notes = [played(0.0, 0.9), played(1.0, 1.5), played(2.0, 4.9), played(5.0, 5.5)];
        let matters: Vec<bool> = Performance::of(&notes).pauses().iter().map(Pause::matters).collect();
        assert_eq!(matters, [false, true, true, true]);
    }

    fn sounding(onset: f64, key_up: f64, end: f64) -> Played {
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(64));
        let duration = Moment(end) - Moment(onset);
        let note = Note { onset: Moment(onset), duration, key, velocity };
        Played { note, key_up: Moment(key_up), known: Conditions::UNKNOWN }
    }

    #[test]
    fn a_pause_is_looked_at_again_when_the_pedal_comes_up_and_not_after_the_next_strike() {
        let notes = [sounding(0.0, 0.5, 1.0), sounding(3.0, 3.5, 3.5), sounding(4.0, 4.5, 9.0)];
        let listened = listen(&notes, &Performance::of(&notes).pauses());
        let seen: Vec<Vec<Seconds>> =
            listened.iter().map(|listened| listened.seen.iter().map(|&(from, _)| from).collect()).collect();
        let nothing = Seconds(0.0);
        assert_eq!(seen, [vec![nothing, Seconds(0.5)], vec![nothing], vec![nothing, Seconds(4.5)]]);
    }

    #[test]
    fn no_patience_takes_over_at_once_and_all_of_it_never() {
        let notes = [sounding(0.0, 0.5, 0.5), sounding(3.0, 3.5, 3.5)];
        let listened = &listen(&notes, &Performance::of(&notes).pauses())[0];
        let take_over = |part| listened.take_over(Patience::saturating(part));
        assert!(take_over(0.0).is_some_and(|silence| silence.0 < 0.2));
        assert_eq!(take_over(1.0), None);
    }
}
