//! The take: everything that was played since the last reset, read from the event log, for the window and for
//! saving.
//!
//! The audio thread never runs this code. A [`TakeRecorder`] reads the event log under a lock that the audio
//! thread never takes.

mod read;
mod recorder;
mod save;
mod song;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

pub use self::{
    read::call,
    recorder::{SharedRecorder, TakeRecorder},
    save::{SaveError, Saved, folder, save_in, write, write_unnamed},
    song::{Line, LineKind, MOST_CHANGES, SongMap, TICKS_PER_BEAT},
};
use crate::{
    event_log::{Event, Planned, Record},
    music::{
        note::{Key, Velocity},
        note_tracker::{ChannelKey, ChannelKeys, Pedal},
        time::{SampleRate, SampleTime, Samples, Seconds},
        turn::Standing,
    },
};

/// Number of notes of each side that are kept; the oldest goes first. 4 MiB: hours of dense music.
pub const MOST_NOTES: usize = 100_000;
/// Number of movements of pedals that are kept; the oldest goes first. 2 MiB at most.
pub const MOST_PEDALS: usize = 100_000;

/// How long after its onset a planned note is forgotten: the record that said what became of it was lost.
const FADING: Seconds = Seconds(1.0);

/// What was played on one clock, oldest first. It is bounded: [`MOST_NOTES`] of each side, [`MOST_PEDALS`] and
/// [`MOST_CHANGES`]; in all at most 14 MiB, which hours of music do not reach.
#[derive(Debug, Clone)]
pub struct Take {
    rate: SampleRate,
    /// What the player played and the plugin heard.
    call: Notes,
    /// What the plugin played.
    answer: Notes,
    pedals: VecDeque<PedalMove>,
    song: SongMap,
    planned: PlannedNotes,
    floor: Standing,
    answers: Answers,
    /// The newest point in time that was recorded.
    now: SampleTime,
}

/// A movement of the player's sustain pedal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PedalMove {
    pub at: SampleTime,
    pub channel: u8,
    pub pedal: Pedal,
}

/// Which notes belong to the last answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// The player has had the floor since the last answer, which began here.
    Over(Option<SampleTime>),
    /// An answer that began here goes on.
    GoesOn(SampleTime),
}

impl Take {
    /// A take in which nothing has been played yet.
    pub fn new(rate: SampleRate) -> Self {
        Self {
            rate,
            call: Notes::default(),
            answer: Notes::default(),
            pedals: VecDeque::new(),
            song: SongMap::new(rate),
            planned: PlannedNotes::default(),
            floor: Standing::Player { hand_over: None },
            answers: Answers::Over(None),
            now: SampleTime(0),
        }
    }

    /// Whether nobody has played yet.
    pub fn is_empty(&self) -> bool {
        self.call.is_empty() && self.answer.is_empty()
    }

    /// The sample rate of the clock on which all points of the take lie.
    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// The newest recorded point; the clock itself has gone on ([`crate::telemetry::Telemetry::clock`]).
    pub fn now(&self) -> SampleTime {
        self.now
    }

    /// What the player played, as far as the plugin heard it.
    pub fn call(&self) -> &Notes {
        &self.call
    }

    /// What the plugin played.
    pub fn answer(&self) -> &Notes {
        &self.answer
    }

    /// The movements of the player's pedals, oldest first.
    pub fn pedals(&self) -> impl DoubleEndedIterator<Item = &PedalMove> {
        self.pedals.iter()
    }

    /// What is planned, in the order of onsets.
    pub fn planned(&self) -> &PlannedNotes {
        &self.planned
    }

    /// Who has the floor, as of the newest record.
    pub fn floor(&self) -> Standing {
        self.floor
    }

    /// Tempo, beats and bars.
    pub fn song(&self) -> &SongMap {
        &self.song
    }

    /// The newest answer, from its first note until the player had the floor again: the answer that goes on, if one does.
    /// `None` before the first one.
    pub fn last_answer(&self) -> Option<Self> {
        let (Answers::Over(Some(began)) | Answers::GoesOn(began)) = self.answers else { return None };
        let answer = self.answer.from(began);
        (!answer.is_empty()).then(|| Self {
            call: Notes::default(),
            pedals: VecDeque::new(),
            planned: PlannedNotes::default(),
            answer,
            ..self.clone()
        })
    }

    /// Adds a record to the take. Records come in the order of time, all on one clock.
    pub fn record(&mut self, Record { at, event }: Record) {
        self.now = self.now.max(at);
        self.planned.fade(self.now, self.rate.samples(FADING));
        match event {
            Event::Began(rate) => *self = Self { now: at, ..Self::new(rate) },
            Event::Struck(place, velocity) => self.call.strike(place, velocity, at),
            Event::Lifted(places) => self.call.release(places, at),
            Event::Pedal { channel, pedal } => self.press(PedalMove { at, channel, pedal }),
            Event::LetGo => self.let_go(at),
            Event::Planned(note) => self.planned.plan(note),
            Event::Sounded(place, velocity) => {
                self.planned.take_first(place.key);
                self.answer.strike(place, velocity, at);
                if let Answers::Over(_) = self.answers {
                    self.answers = Answers::GoesOn(at);
                }
            }
            Event::Skipped(key) => self.planned.take_first(key),
            Event::Dropped { from } => self.planned.drop_from(from),
            Event::Released(place) => self.answer.release(place.into(), at),
            Event::Floor(floor) => self.take_floor(floor),
            Event::Song(song) => self.song.locate(at, song),
            Event::Bars(measure) => self.song.count(at, measure),
            Event::Gap => {
                self.let_go(at);
                self.answer.release_all(at);
                self.planned.clear();
            }
        }
    }

    /// The same take at a later point, with no record in between.
    fn until(mut self, now: SampleTime) -> Self {
        self.now = self.now.max(now);
        self
    }

    /// The same take with nothing held any more.
    fn ended(mut self) -> Self {
        self.let_go(self.now);
        self.answer.release_all(self.now);
        self.planned.clear();
        self
    }

    fn press(&mut self, movement: PedalMove) {
        if self.pedals.len() == MOST_PEDALS {
            self.pedals.pop_front();
        }
        self.pedals.push_back(movement);
    }

    /// All keys and pedals go up.
    fn let_go(&mut self, at: SampleTime) {
        self.call.release_all(at);
        for channel in 0..16 {
            let last = self.pedals.iter().rev().find(|movement| movement.channel == channel);
            if last.is_some_and(|movement| movement.pedal == Pedal::Down) {
                self.press(PedalMove { at, channel, pedal: Pedal::Up });
            }
        }
    }

    fn take_floor(&mut self, floor: Standing) {
        self.floor = floor;
        // In together mode the plugin is cued at every strike, and it is one answer all the same.
        let is_players = matches!(floor, Standing::Player { .. } | Standing::Silence { .. });
        if let (true, Answers::GoesOn(began)) = (is_players, self.answers) {
            self.answers = Answers::Over(Some(began));
        }
    }
}

/// A note that was played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Played {
    pub onset: SampleTime,
    /// When the key went up, whatever the pedal did; `None` while it is down.
    pub end: Option<SampleTime>,
    pub place: ChannelKey,
    pub velocity: Velocity,
}

/// The notes of one side, in the order of onsets.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    notes: VecDeque<Played>,
    /// Number of earlier notes that are no longer kept.
    fallen: usize,
    /// The numbers of those that are not over, counted from the first note ever.
    open: Vec<usize>,
}

impl Notes {
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    pub fn len(&self) -> usize {
        self.notes.len()
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Played> {
        self.notes.iter()
    }

    /// Those whose key is down now, in the order of onsets.
    pub fn held(&self) -> impl Iterator<Item = &Played> {
        self.open.iter().filter_map(|number| self.notes.get(number.checked_sub(self.fallen)?))
    }

    /// The notes that sound at `from` or later and begin before `until`, newest first, and then older notes
    /// that are held. `longest` is how long notes last: it looks back no further, except for those that are
    /// held.
    pub fn between(
        &self,
        from: SampleTime,
        until: SampleTime,
        longest: Samples,
    ) -> impl Iterator<Item = &Played> {
        let first = from - longest;
        let recent = self.notes.iter().rev().take_while(move |note| note.onset >= first);
        let old = self.held().filter(move |note| note.onset < first);
        recent.chain(old).filter(move |note| note.onset < until && note.end.is_none_or(|end| end >= from))
    }

    /// The notes that begin at `onset` or later.
    fn from(&self, onset: SampleTime) -> Self {
        let first = self.notes.partition_point(|note| note.onset < onset);
        let fallen = self.fallen + first;
        let open = self.open.iter().copied().filter(|number| *number >= fallen).collect();
        Self { notes: self.notes.range(first..).copied().collect(), fallen, open }
    }

    /// A key goes down; a note of it that is not over ends.
    fn strike(&mut self, place: ChannelKey, velocity: Velocity, at: SampleTime) {
        self.release(place.into(), at);
        if self.notes.len() == MOST_NOTES {
            self.notes.pop_front();
            self.fallen += 1;
            self.open.retain(|number| *number >= self.fallen);
        }
        self.open.push(self.fallen + self.notes.len());
        self.notes.push_back(Played { onset: at, end: None, place, velocity });
    }

    /// Keys go up.
    fn release(&mut self, places: ChannelKeys, at: SampleTime) {
        let Self { notes, fallen, open } = self;
        open.retain(|number| {
            let note = &mut notes[number - *fallen];
            let is_over = places.contains(note.place);
            if is_over {
                note.end = Some(at);
            }
            !is_over
        });
    }

    /// All keys go up.
    fn release_all(&mut self, at: SampleTime) {
        self.release(ChannelKeys { channel: None, key: None }, at);
    }
}

/// The planned notes, in the order of onsets.
#[derive(Debug, Clone, Default)]
pub struct PlannedNotes(Vec<Planned>);

impl PlannedNotes {
    pub fn iter(&self) -> impl Iterator<Item = &Planned> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn plan(&mut self, note: Planned) {
        let place = self.0.partition_point(|other| other.onset <= note.onset);
        self.0.insert(place, note);
    }

    /// Removes the first planned note of this key: it sounds, or never will.
    fn take_first(&mut self, key: Key) {
        if let Some(place) = self.0.iter().position(|note| note.key == key) {
            self.0.remove(place);
        }
    }

    fn drop_from(&mut self, from: SampleTime) {
        self.0.retain(|note| note.onset < from);
    }

    /// Forgets notes that should have sounded more than `after` ago.
    fn fade(&mut self, now: SampleTime, after: Samples) {
        let faded = self.0.partition_point(|note| note.onset + after < now);
        self.0.drain(..faded);
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}
