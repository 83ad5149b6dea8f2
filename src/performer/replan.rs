//! Changes of mind: what the player presses, and an answer that is planned anew in its own turn.

use super::{Performer, Port, Settings};
use crate::{
    event_log::Event,
    lane::Request,
    music::{
        generation::GenerationSettings,
        pace::Touch,
        time::{Moment, SampleTime, Seconds},
        turn::TurnId,
    },
};

/// What was planned for so long from now is played all the same: new notes take a block and a moment to come.
const LEAD: Seconds = Seconds(0.1);
/// So many earlier plans of an answer may have notes on their way still.
const FORMER: usize = 8;
/// A control that moves makes a new plan no more often than this.
const BETWEEN_PLANS: Seconds = Seconds(0.25);

/// The plan of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How many plans of its turn came before.
    pub ordinal: u32,
    pub made: SampleTime,
    pub generation: GenerationSettings,
    /// Up to where it has sounded, in the time of the answer.
    pub sounded: Moment,
    /// The plans that it goes on from, and from when on each was given up. A ring.
    former: [Option<(TurnId, Moment)>; FORMER],
}

impl Plan {
    /// The first plan of an answer.
    pub fn new(made: SampleTime, generation: GenerationSettings) -> Self {
        Self { ordinal: 0, made, generation, sounded: Moment::EARLIEST, former: [None; FORMER] }
    }

    /// The plan of another turn that goes on from this one, which is given up from a moment on.
    pub fn renewed(
        self,
        turn: TurnId,
        from: Moment,
        made: SampleTime,
        generation: GenerationSettings,
    ) -> Self {
        Self { ordinal: 0, ..self.next(turn, from, made, generation) }
    }

    /// Whether a note still belongs to the answer: it was made for an earlier plan, and for before that was given up.
    pub fn keeps(&self, turn: TurnId, onset: Moment) -> bool {
        self.former.iter().flatten().any(|(former, from)| *former == turn && onset < *from)
    }

    /// The plan that goes on from this one, which is given up from a moment on.
    fn next(mut self, turn: TurnId, from: Moment, made: SampleTime, generation: GenerationSettings) -> Self {
        self.former[self.ordinal as usize % FORMER] = Some((turn, from));
        Self { ordinal: self.ordinal + 1, made, generation, ..self }
    }
}

impl Performer {
    /// Does what the player has switched since the block before, on the first sample of this one.
    pub(super) fn obey(&mut self, before: &Settings, port: &mut impl Port) {
        let triggers = before.triggers;
        if self.settings.zone != before.zone {
            self.input.note_tracker.set_zone(self.settings.zone);
            self.end_unpedalled(self.cursor);
        }
        self.turn_to(before.open_filter(), port);
        self.leave_sounding(self.settings.generation.polyphony.count(), port);
        self.tell_generation();
        let pressed = self.settings.triggers.since(triggers);
        if pressed.panic {
            self.panic(port);
        }
        if pressed.clear_memory {
            self.clear_memory(port);
        }
        if pressed.reset_seed {
            self.turns.begin_chance_anew();
        }
        if pressed.re_roll || self.has_changed_generation() {
            self.plan_again();
        }
    }

    /// Tells the worker how answers are to be, where it does not know yet.
    pub(super) fn tell_generation(&mut self) {
        let generation = self.settings.generation;
        if self.told != Some(generation) && self.request(Request::GenerationSettings(generation)) {
            self.told = Some(generation);
        }
    }

    fn panic(&mut self, port: &mut impl Port) {
        let ended = self.turns.stop();
        self.let_go();
        self.fall_silent(ended, port);
        self.output.release_all_played(self.offset(), port);
    }

    /// Forgets all that was heard. A call that goes on stays one, but there is nothing to say to one that is over.
    fn clear_memory(&mut self, port: &mut impl Port) {
        let ended = if self.any_key_held() { self.turns.hush() } else { self.turns.stop() };
        self.fall_silent(ended, port);
        self.input.touch = Touch::default();
        self.forget_owed = true;
        self.pay_forget();
    }

    fn has_changed_generation(&self) -> bool {
        let Plan { made, generation, .. } = self.plan;
        let rested = self.cursor - made >= self.timeline.rate().samples(BETWEEN_PLANS);
        generation != self.settings.generation && rested
    }

    /// Asks for the rest of the answer anew, with another seed. What sounds goes on.
    pub(super) fn plan_again(&mut self) {
        // What the worker has made since the block before is part of the plan, as it is where it is made at once.
        self.collect();
        let Some(before) = self.turns.current().map(|ask| ask.turn) else { return };
        let Some(ask) = self.turns.replan() else { return };
        let timeline = &self.timeline;
        let hand_over = timeline.sample(ask.hand_over);
        let kept = hand_over.max(self.cursor + timeline.rate().samples(LEAD));
        let after = |position| timeline.moment_after(ask.hand_over, ask.from, position, ask.tempo);
        // A sample of the hand-over may lie before its moment.
        let from = after(timeline.pin(kept)).max(ask.from);
        // By the very moment from which the improviser takes its notes back, wherever a grid has put them.
        self.output.schedule.drop_from(from);
        let now = after(timeline.pin(self.cursor));
        let length = ask.until.map_or(Seconds::FOREVER, |until| after(until) - from);
        self.tell(Event::Dropped { from: kept });
        self.plan = self.plan.next(before, from, self.cursor, self.settings.generation);
        let seed = self.settings.seed(ask.ordinal, self.plan.ordinal);
        let touch = self.input.touch.velocity();
        let sent = self.request(Request::Replan { turn: ask.turn, now, from, length, seed, touch });
        self.awaited = sent.then_some(ask.turn);
    }
}
