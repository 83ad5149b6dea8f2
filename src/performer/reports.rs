//! The performer tells what happens, for the take and for the window. Nobody answers, and nothing depends on it.

use super::Performer;
use crate::{
    event_log::{Event, EventLog, Measure, Song},
    music::{
        time::{SampleTime, Seconds},
        timeline::Barlines,
        turn::Standing,
    },
};

/// A beat that strays from what was told by more than this is told anew, in beats: half a tick of a saved take.
const STRAYED_BEATS: f64 = 1.0 / 1920.0;
/// A tempo that keeps changing is told no more often than this.
const BETWEEN_TEMPI: Seconds = Seconds(0.01);

/// What the reader knows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reported {
    floor: Option<Standing>,
    song: Option<(SampleTime, Song)>,
    bars: Option<Measure>,
}

impl Performer {
    /// From now on tells what happens to whoever reads the lane; a take begins.
    pub fn logged_to(mut self, event_log: EventLog) -> Self {
        self.event_log = event_log;
        self.begin_take();
        self
    }

    /// A new take begins.
    pub(super) fn begin_take(&mut self) {
        self.reported = Reported::default();
        self.tell_at(self.timeline.now(), Event::Began(self.timeline.rate()));
    }

    /// Tells what happens at the cursor.
    pub(super) fn tell(&mut self, event: Event) {
        self.tell_at(self.cursor, event);
    }

    fn tell_at(&mut self, at: SampleTime, event: Event) {
        if self.event_log.tell(at, event).is_err() {
            self.telemetry.untold.raise();
        }
    }

    /// All keys and pedals of the player count as up, and no note is told of.
    pub(super) fn let_go(&mut self) {
        let is_touched = self.input.note_tracker.is_touched();
        self.input.note_tracker.clear();
        if is_touched {
            self.tell(Event::LetGo);
        }
    }

    /// Tells the worker how far the answer has come.
    pub(super) fn tell_reached(&mut self) {
        if let Some(ask) = self.turns.current() {
            let now = self.timeline.pin(self.timeline.now());
            let reached = self.timeline.moment_after(ask.hand_over, ask.from, now, ask.tempo);
            self.telemetry.answered_until.set(reached);
        }
    }

    /// Tells who has the floor, where that is news.
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

    /// Tells where the song is and how its bars are counted, where that is news, at the beginning of a block.
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
        // Both at once: between two such records, neither changes.
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
    // A song of two thousand million bars is none.
    let number = i32::try_from(bars.number_at(now)).unwrap_or(0);
    Measure { line: bars.line_at(now), number, signature: bars.signature() }
}
