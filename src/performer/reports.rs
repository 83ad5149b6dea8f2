//! The performer's log of what happens, for the take and for the window. Nothing depends on its readers.

use super::Performer;
use crate::{
    event_log::{Event, EventLog, Measure, Song},
    music::{
        time::{SampleTime, Seconds},
        timeline::Barlines,
        turn::Standing,
    },
};

/// Largest deviation of the song's beat from the last report before it is reported again, in beats: half a
/// tick of a saved take.
const STRAYED_BEATS: f64 = 1.0 / 1920.0;
/// Shortest time between two reports of a tempo that keeps changing.
const BETWEEN_TEMPI: Seconds = Seconds(0.01);

/// What was last reported to the reader.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reported {
    floor: Option<Standing>,
    song: Option<(SampleTime, Song)>,
    bars: Option<Measure>,
}

impl Performer {
    /// Writes what happens to `event_log` from now on, and begins a take.
    pub fn logged_to(mut self, event_log: EventLog) -> Self {
        self.event_log = event_log;
        self.begin_take();
        self
    }

    /// Begins a new take.
    pub(super) fn begin_take(&mut self) {
        self.reported = Reported::default();
        self.tell_at(self.timeline.now(), Event::Began(self.timeline.rate()));
    }

    /// Logs an event at the cursor.
    pub(super) fn tell(&mut self, event: Event) {
        self.tell_at(self.cursor, event);
    }

    fn tell_at(&mut self, at: SampleTime, event: Event) {
        if self.event_log.tell(at, event).is_err() {
            self.telemetry.untold.raise();
        }
    }

    /// Counts all keys and pedals of the player as up, without remembering their notes.
    pub(super) fn let_go(&mut self) {
        let is_touched = self.input.note_tracker.is_touched();
        self.input.note_tracker.clear();
        if is_touched {
            self.tell(Event::LetGo);
        }
    }

    /// Tells the worker up to which moment of the answer time has passed.
    pub(super) fn tell_reached(&mut self) {
        if let Some(ask) = self.turns.current() {
            let now = self.timeline.pin(self.timeline.now());
            let reached = self.timeline.moment_after(ask.hand_over, ask.from, now, ask.tempo);
            self.telemetry.answered_until.set(reached);
        }
    }

    /// Logs who has the floor, where that has changed.
    pub(super) fn tell_floor(&mut self) {
        if !self.event_log.is_read() {
            return;
        }
        let floor = self.turns.standing(self.cursor, &self.timeline);
        if self.reported.floor != Some(floor) {
            self.reported.floor = Some(floor);
            self.tell(Event::Floor(floor));
        }
    }

    /// Logs where the song is and how its bars are counted, at the beginning of a block, where that does
    /// not follow from the last report.
    pub(super) fn tell_song(&mut self) {
        if !self.event_log.is_read() {
            return;
        }
        let now = self.timeline.now();
        let bars = self.timeline.song_bars();
        let song = Song { beat: bars.map(|bars| bars.beat_at(now)), tempo: self.timeline.tempo() };
        let measure = bars.map(|bars| measure(bars, now));
        let is_recounted = measure.is_some_and(|now| self.reported.bars.is_none_or(|told| !told.counts(now)));
        if !self.is_news(now, song) && !is_recounted {
            return;
        }
        // Song and bars are logged together: between two such records, neither changes.
        self.reported.song = Some((now, song));
        self.tell(Event::Song(song));
        if let Some(measure) = measure {
            self.reported.bars = Some(measure);
            self.tell(Event::Bars(measure));
        }
    }

    fn is_news(&self, now: SampleTime, song: Song) -> bool {
        let Some((at, told)) = self.reported.song else { return true };
        let rate = self.timeline.rate();
        let expected = told.beat_after(now - at, rate);
        let strayed = match (song.beat, expected) {
            (Some(beat), Some(expected)) => (beat - expected).0.abs() > STRAYED_BEATS,
            (None, None) => false,
            _ => true,
        };
        strayed || (song.tempo != told.tempo && now - at >= rate.samples(BETWEEN_TEMPI))
    }
}

fn measure(bars: Barlines, now: SampleTime) -> Measure {
    // No real song has two thousand million bars.
    let number = i32::try_from(bars.number_at(now)).unwrap_or(0);
    Measure { line: bars.line_at(now), number, signature: bars.signature() }
}
