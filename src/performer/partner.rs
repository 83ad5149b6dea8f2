//! The performer and its partner: asking for an answer, telling what was heard, collecting what was made.

use super::{Partner, Performer, sounding::Plan};
use crate::{
    event_log::{Event, Planned},
    improviser::StepResult,
    lane::{AUDIBLE, Ending, LATEST, PerformerEnd, Reply, Request, Telemetry},
    music::{
        conditions::Who,
        note::Note,
        note_tracker::Place,
        quantise::Grid,
        schedule::PlannedNote,
        time::{BeatTime, Beats, Moment, SampleTime, Seconds},
        timeline::Position,
        turn::{Ask, Rules, TurnId},
    },
};

/// Who plays along supposes that the player holds for so long what she holds.
const HELD_ON: Beats = Beats(1.0);

impl Performer {
    /// Asks for the answer that is to come, at the cursor.
    pub(super) fn ask(&mut self) {
        let at = self.cursor;
        let rules = self.settings.rules;
        let before = self.turns.answering();
        let Some(ask) = self.turns.ask(at, &self.timeline, &rules) else { return };
        self.plan = match before {
            Some(before) => self.give_up_from(&before, &ask),
            None => Plan::new(at, self.settings.generation),
        };
        self.tell_generation();
        let mut now = ask.hand_over;
        if matches!(rules, Rules::Together { .. }) {
            let held = self.input.note_tracker.held_keys().collect();
            let (hands, part) = (&self.input.hands, self.settings.generation.part);
            let mask = hands.mask(at, held, self.timeline.rate(), part);
            self.request(Request::Avoid(mask));
            self.tell_own();
            // What the player holds goes on for a while.
            now = self.timeline.after(now, HELD_ON);
        }
        // As of the hand-over, so that the answer does not depend on when it was asked for.
        self.tell_sounding(self.timeline.sample(now));
        let (seed, touch) = (self.settings.seed(ask.ordinal, 0), self.input.touch.velocity());
        let length = ask
            .until
            .map_or(Seconds::FOREVER, |until| self.timeline.moment(self.timeline.sample(until)) - ask.from);
        let ending = if rules.ends_with_the_phrase() { Ending::Phrase } else { Ending::Full };
        let (turn, from) = (ask.turn, ask.from);
        if ask.is_on_a_line {
            self.request(Request::OnTheLine);
        }
        self.telemetry.first_notes.begin();
        self.telemetry.answered_until.set(Moment::EARLIEST);
        let sent = self.request(Request::Answer { turn, from, length, seed, touch, ending });
        self.awaited = sent.then_some(ask.turn);
    }

    /// Of a plan that goes on to the hand-over of another one, what was to begin there or later is given up.
    fn give_up_from(&mut self, before: &Ask, next: &Ask) -> Plan {
        let from = self.timeline.moment_after(before.hand_over, before.from, next.hand_over, before.tempo);
        self.output.schedule.drop_from(from);
        self.tell(Event::Dropped { from: self.timeline.sample(next.hand_over) });
        let kept = Moment(from.0.next_down());
        self.request(Request::Cancel { turn: before.turn, sounded: kept });
        self.plan.renewed(before.turn, from, self.cursor, self.settings.generation)
    }

    /// Tells what the plugin plays and what it is going to play still, as it will have been.
    fn tell_own(&mut self) {
        self.pay_forget();
        let Self { output, timeline, lanes, telemetry, settings, .. } = self;
        let note = |onset: SampleTime, end: Position, key, velocity| {
            let (onset, end) = (timeline.moment(onset), timeline.moment(timeline.sample(end)));
            let heard = onset + settings.output.advance;
            Note { onset: heard, duration: (end - onset).max(Seconds::ZERO), key, velocity }
        };
        let sounding = output.schedule.sounding();
        let sounding = sounding.map(|it| note(it.onset, it.end(), it.place.key, it.velocity));
        let pending = output.schedule.pending();
        let pending = pending.map(|it| note(timeline.sample(it.onset), it.end, it.place.key, it.velocity));
        let own = sounding.chain(pending).map(|note| Request::Sounding { note, who: Who::Plugin });
        send_all(own, lanes, telemetry);
    }

    /// Takes what the worker has made, as far as there is room for it.
    pub(super) fn collect(&mut self) {
        while self.output.schedule.has_room() {
            self.work_inline();
            self.await_worker();
            match self.lanes.replies.pop() {
                Ok(Reply::Play { turn, note, likelihood }) => {
                    // A reply of an old turn cannot sound, but what is kept of the same answer.
                    let is_kept = self.plan.keeps(turn, note.onset);
                    if let Some(ask) = self.turns.current().filter(|ask| ask.turn == turn || is_kept) {
                        self.plan(&ask, note, likelihood);
                    }
                }
                Ok(Reply::Expect { silence, hand_over }) => self.expect(silence, hand_over),
                Ok(Reply::Done(turn)) => {
                    self.awaited.take_if(|awaited| *awaited == turn);
                    self.complete = Some(turn);
                }
                Err(_) => break,
            }
        }
    }

    fn plan(&mut self, ask: &Ask, note: Note, likelihood: Option<f32>) {
        let timeline = &self.timeline;
        // The tempo of the asking: notes that come early or late to the schedule keep the same beats.
        let mut onset = timeline.after_moments(ask.hand_over, ask.from, note.onset, ask.tempo);
        let sample = timeline.sample(onset);
        if sample < self.cursor {
            // A hand-over may have been decided for a line that had just gone by.
            let decided = self.plan.made - timeline.sample(ask.hand_over);
            let late = self.cursor - sample;
            if late > decided {
                self.telemetry.late.raise();
            }
            if late > decided + timeline.rate().samples(AUDIBLE) {
                self.telemetry.audibly_late.raise();
            }
            if late > decided + timeline.rate().samples(LATEST) {
                self.telemetry.dropped.raise();
                return;
            }
            onset = timeline.pin(self.cursor);
        }
        onset = self.advanced(self.quantised(ask, onset));
        let end = timeline.after_seconds(onset, note.duration, ask.tempo);
        let place = Place { channel: self.input.channel, key: note.key };
        let planned = PlannedNote { drawn: note.onset, onset, end, place, velocity: note.velocity };
        let told = Planned {
            onset: timeline.sample(onset),
            end: timeline.sample(end),
            key: note.key,
            velocity: note.velocity,
            likelihood,
        };
        match self.output.schedule.plan(planned, timeline) {
            Ok(()) => self.tell(Event::Planned(told)),
            Err(_) => self.telemetry.dropped.raise(),
        }
    }

    /// Where an onset at the cursor or later belongs on the player's grid, which counts from the hand-over while the
    /// transport stands still.
    fn quantised(&self, ask: &Ask, onset: Position) -> Position {
        let (timeline, quantise) = (&self.timeline, &self.settings.output.quantise);
        let earliest = self.cursor.max(timeline.sample(ask.hand_over));
        let earliest = match onset {
            Position::Beat(_) => timeline.pin(earliest),
            // An answer that began before the transport did hangs on the sample clock still.
            Position::Sample(_) => Position::Sample(earliest),
        };
        match (onset, earliest) {
            (Position::Beat(beat), Position::Beat(earliest)) => {
                Position::Beat(quantise.place(beat, earliest))
            }
            (Position::Sample(_), _) if quantise.grid != Grid::Off => {
                let beats =
                    |to| timeline.between(ask.hand_over, to).map_or(BeatTime(0.0), |beats| BeatTime(beats.0));
                let placed = quantise.place(beats(onset), beats(earliest));
                timeline.after(ask.hand_over, placed - BeatTime(0.0))
            }
            _ => onset,
        }
    }

    /// Where what is to be heard at an onset goes out; not in the past.
    fn advanced(&self, onset: Position) -> Position {
        let timeline = &self.timeline;
        let advance = timeline.rate().samples(self.settings.output.advance);
        let sample = timeline.sample(onset);
        let early = (sample - advance).max(self.cursor.min(sample));
        match (onset, early < sample) {
            (_, false) => onset,
            (Position::Beat(_), true) => timeline.pin(early),
            (Position::Sample(_), true) => Position::Sample(early),
        }
    }

    pub(super) fn cancel(&mut self, turn: TurnId) {
        self.request(Request::Cancel { turn, sounded: self.plan.sounded });
    }

    pub(super) fn remember(&mut self, note: Note) {
        self.request(Request::heard(note));
    }

    /// A note of the answer has sounded.
    pub(super) fn remember_own(&mut self, note: Note) {
        self.request(Request::Heard { note, who: Who::Plugin });
    }

    /// Tells the worker how the song goes, where that does not follow from what it knows.
    pub(super) fn tell_metre(&mut self) {
        let metre = self.timeline.metre();
        if !metre.follows_from(&self.metre) && self.request(Request::Song(metre)) {
            self.metre = metre;
        }
    }

    /// What the player holds, or the pedal, is over where nothing more is heard.
    pub(super) fn remember_sounding(&mut self) {
        let Self { input, timeline, lanes, .. } = self;
        for note in input.note_tracker.sounding(timeline.moment(timeline.now())) {
            // A full lane is nobody's concern any more.
            let _ = lanes.requests.push(Request::heard(note));
        }
    }

    /// Whether there was room for it.
    pub(super) fn request(&mut self, request: Request) -> bool {
        // Nothing overtakes a `Forget`, which would forget it too.
        self.pay_forget();
        let sent = !self.forget_owed && self.lanes.requests.push(request).is_ok();
        if !sent {
            self.telemetry.unsent.raise();
        }
        self.work_inline();
        sent
    }

    pub(super) fn pay_forget(&mut self) {
        if self.forget_owed && self.lanes.requests.push(Request::Forget).is_ok() {
            self.forget_owed = false;
        }
    }

    fn work_inline(&mut self) {
        if let Partner::Inline(improviser) = &mut self.partner {
            while improviser.step() == StepResult::Worked {}
        }
    }
}

/// For requests that leave the worker nothing to do yet.
pub(super) fn send_all(
    requests: impl Iterator<Item = Request>,
    lanes: &mut PerformerEnd,
    telemetry: &Telemetry,
) {
    for request in requests {
        if lanes.requests.push(request).is_err() {
            telemetry.unsent.raise();
        }
    }
}
