//! The take: everything that was played since the last reset, as the event log tells it, for the window and for saving.
//!
//! The audio thread never comes here. A [`TakeRecorder`] reads the event log, under a lock that the audio thread does not know.

mod notes;
mod read;
mod recorder;
mod save;
mod song;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

pub use self::{
    notes::{MOST_NOTES, Notes, PlannedNotes, Played},
    read::call,
    recorder::{SharedRecorder, TakeRecorder},
    save::{SaveError, Saved, folder, save_in, write},
    song::{Line, LineKind, MOST_CHANGES, SongMap, TICKS_PER_BEAT},
};
use crate::{
    event_log::{Event, Record},
    music::{
        note_tracker::Pedal,
        time::{SampleRate, SampleTime, Seconds},
        turn::Standing,
    },
};

/// So many movements of pedals are kept; the oldest goes first. 2 MiB at most.
pub const MOST_PEDALS: usize = 100_000;

/// A planned note whose onset is over for so long was lost with the record that said what became of it.
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
    /// The newest point that was told of.
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
    /// Goes on since then.
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

    /// Of the clock on which all points of the take lie.
    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// The newest point that something was told of; the clock itself has gone on ([`crate::lane::Telemetry::clock`]).
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

    /// Takes what happened to its place. Records come in the order of time, all on one clock.
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

    /// The same take at a later point, to which time has passed and nothing was told.
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
        // Who plays along is cued at every strike, and it is one answer all the same.
        let is_players = matches!(floor, Standing::Player { .. } | Standing::Silence { .. });
        if let (true, Answers::GoesOn(began)) = (is_players, self.answers) {
            self.answers = Answers::Over(Some(began));
        }
    }
}
