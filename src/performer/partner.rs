//! The performer and its partner: asking for an answer, telling what was heard, collecting what was made.

use super::{Partner, Performer, sounding::Plan};
use crate::{
    event_log::{Event, Planned},
    improviser::StepResult,
    lane::{AUDIBLE, Ending, LATEST, PerformerEnd, Reply, Request},
    music::{
        conditions::Who,
        note::Note,
        note_tracker::ChannelKey,
        quantise::Grid,
        schedule::PlannedNote,
        time::{BeatTime, Beats, Moment, SampleTime, Seconds},
        timeline::Position,
        turn::{Ask, Rules, TurnId},
    },
    telemetry::Telemetry,
};

/// In *together*, how long the player is assumed to hold on to the keys that are down.
const HELD_ON: Beats = Beats(1.0);

impl Performer {
    /// Requests the next answer from the worker, at the cursor.
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
            // The player is assumed to hold the keys for a while longer.
            now = self.timeline.after(now, HELD_ON);
        }
        // With durations as of the hand-over, so that the answer does not depend on when it was requested.
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

    /// Gives up the notes of the current plan that would begin at the hand-over of the next one or later.
    fn give_up_from(&mut self, before: &Ask, next: &Ask) -> Plan {
        let from = self.timeline.moment_after(before.hand_over, before.from, next.hand_over, before.tempo);
        self.output.schedule.drop_from(from);
        self.tell(Event::Dropped { from: self.timeline.sample(next.hand_over) });
        let kept = Moment(from.0.next_down());
        self.request(Request::Cancel { turn: before.turn, sounded: kept });
        self.plan.renewed(before.turn, from, self.cursor, self.settings.generation)
    }

    /// Tells the worker which notes of the plugin sound or are pending, each with its full duration.
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

    /// Takes the worker's replies, as long as the schedule has room.
    pub(super) fn collect(&mut self) {
        while self.output.schedule.has_room() {
            self.work_inline();
            self.await_worker();
            match self.lanes.replies.pop() {
                Ok(Reply::Play { turn, note, likelihood }) => {
                    // A note of an old turn does not sound, unless the plan keeps it as part of the same
                    // answer.
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
        // The tempo of the request: a note gets the same beat whether it reaches the schedule early or
        // late.
        let mut onset = timeline.after_moments(ask.hand_over, ask.from, note.onset, ask.tempo);
        let sample = timeline.sample(onset);
        if sample < self.cursor {
            // The hand-over may lie on a line that had just passed when it was decided. That delay does not
            // count as late.
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
        let place = ChannelKey { channel: self.input.channel, key: note.key };
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

    /// The quantised position of an onset at the cursor or later. While the transport stands still, the
    /// grid counts from the hand-over.
    fn quantised(&self, ask: &Ask, onset: Position) -> Position {
        let (timeline, quantise) = (&self.timeline, &self.settings.output.quantise);
        let earliest = self.cursor.max(timeline.sample(ask.hand_over));
        let earliest = match onset {
            Position::Beat(_) => timeline.pin(earliest),
            // An answer that began before the transport is still tied to the sample clock.
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

    /// The position at which a note is sent so that it is heard at `onset`. It is not moved into the past.
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

    /// Tells the worker of a note of the answer that has sounded.
    pub(super) fn remember_own(&mut self, note: Note) {
        self.request(Request::Heard { note, who: Who::Plugin });
    }

    /// Sends the worker the song's metre, where it does not follow from the last one that was sent.
    pub(super) fn tell_metre(&mut self) {
        let metre = self.timeline.metre();
        if !metre.follows_from(&self.metre) && self.request(Request::Song(metre)) {
            self.metre = metre;
        }
    }

    /// Tells the worker of the notes that the player or the pedal still holds, as if they ended now:
    /// nothing more is heard.
    pub(super) fn remember_sounding(&mut self) {
        let Self { input, timeline, lanes, .. } = self;
        for note in input.note_tracker.sounding(timeline.moment(timeline.now())) {
            // A full lane does not matter any more.
            let _ = lanes.requests.push(Request::heard(note));
        }
    }

    /// Sends a request to the worker; false where it could not be sent.
    pub(super) fn request(&mut self, request: Request) -> bool {
        // A pending `Forget` goes first; if it came later, it would wipe this request too.
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

/// Sends requests that give the worker nothing to do yet.
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
