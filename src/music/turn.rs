//! Who has the floor: a pure state machine over positions of the music.

mod floor;
mod handover;
mod rules;
#[cfg(test)]
mod tests;

use self::floor::Due;
pub use self::{
    floor::{Ask, Asked, Floor, Standing},
    rules::{Alignment, Cue, Entry, Foot, Length, Rules},
};
use super::{
    bars::Bars,
    time::{Beats, SampleTime, Seconds, Tempo},
    timeline::{Motion, Position, Timeline},
};

/// How long before the hand-over the answer is asked for, so that its first notes are there in time
/// whatever the block size up to 8,192 samples. A silence shorter than this is all the warning there is.
const WARNING: Seconds = Seconds(0.25);
/// On a machine that proves slow it is asked for earlier: by so much more than the worker has lately needed, ...
const MARGIN: f32 = 1.5;
/// ... and by no more than this, since what is played afterwards is not answered.
const LONGEST_WARNING: Seconds = Seconds(2.0);

/// The number of a turn of the plugin; a later one has a higher number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TurnId(pub u32);

/// What the passing of time does to the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Prepare the answer.
    Ask,
    /// The plugin takes the floor.
    HandOver,
    /// The plugin's time is over.
    End,
}

/// What something that happened does to what the plugin plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// What sounds is released, what is planned is dropped; ends this turn, if there is one.
    FallSilent(Option<TurnId>),
    /// What sounds goes on to its end, what is planned is dropped; ends this turn, if there is one.
    PlanAnew(Option<TurnId>),
    /// What is planned is played.
    PlayOn,
}

/// Keeps the turn. Realtime-safe throughout.
#[derive(Debug)]
pub struct Turns {
    floor: Floor,
    /// Where the plugin is to come in, until it has the floor; then where its bars end, if they do.
    due: Option<Due>,
    /// From where on who plays along is to plan anew, where the player has struck.
    renewal: Option<Position>,
    is_along: bool,
    /// How bars were counted when that was decided.
    bars: Option<Bars>,
    call: Option<CallStart>,
    /// When the silence of now is expected to be the end of the call, if that is known.
    expected: Option<SampleTime>,
    next: TurnId,
    ordinal: u32,
    /// So long before a hand-over the answer is asked for.
    warning: Seconds,
}

/// What the player has begun to play.
#[derive(Debug, Clone, Copy)]
struct CallStart {
    began: Position,
    /// Free bars go at the tempo of their first note.
    tempo: Tempo,
}

impl Turns {
    pub fn new() -> Self {
        Self {
            floor: Floor::Listening,
            due: None,
            renewal: None,
            is_along: false,
            bars: None,
            call: None,
            expected: None,
            next: TurnId(0),
            ordinal: 0,
            warning: WARNING,
        }
    }

    /// After so many turns of the same take.
    pub fn after(ordinal: u32) -> Self {
        Self { ordinal, ..Self::new() }
    }

    /// How many turns of this take there were.
    pub fn count(&self) -> u32 {
        self.ordinal
    }

    /// The worker is rarely slower than this: the answer is asked for early enough.
    pub fn warn(&mut self, slow: Seconds) {
        self.warning = WARNING.max(Seconds(slow.0 * MARGIN)).min(LONGEST_WARNING);
    }

    /// The player strikes a key.
    pub fn key_down(&mut self, at: SampleTime, timeline: &Timeline, rules: &Rules) -> Consequence {
        let (began, tempo) = (timeline.pin(at), timeline.tempo());
        self.call.get_or_insert(CallStart { began, tempo });
        self.is_along = matches!(rules, Rules::Together { .. });
        match rules {
            Rules::Together { .. } => self.key_down_along(at, timeline),
            Rules::Trade { .. } => self.key_down_in_a_trade(at, timeline, rules),
            // Who has given the cue may play on to the line that the plugin waits for.
            _ if self.floor.is_cued() => Consequence::PlayOn,
            _ => self.take_floor(Floor::Listening),
        }
    }

    /// The first note begins the trade; no other one moves a line.
    fn key_down_in_a_trade(&mut self, at: SampleTime, timeline: &Timeline, rules: &Rules) -> Consequence {
        if self.current().is_some() || self.floor.is_cued() {
            return Consequence::PlayOn;
        }
        self.floor = Floor::Listening;
        if self.due.is_none() {
            self.decide(at, timeline, rules);
        }
        Consequence::FallSilent(None)
    }

    /// The player's last held key goes up.
    pub fn last_key_up(&mut self, at: SampleTime, timeline: &Timeline, rules: &Rules) {
        let waits = matches!(self.floor, Floor::Listening) && rules.entry().is_some();
        if waits && self.call.is_some() {
            self.expected = None;
            self.floor = Floor::Silence { since: timeline.pin(at) };
            self.decide(at, timeline, rules);
        }
    }

    /// A key turns out to be down that was not known to be: what seemed to be a silence is none.
    pub fn key_is_down(&mut self, rules: &Rules) -> Consequence {
        let is_waiting =
            matches!(self.floor, Floor::Silence { .. } | Floor::Asked(Asked { silent_since: Some(_), .. }));
        // Bars and strikes come whatever is held.
        if is_waiting && rules.entry().is_some() {
            self.take_floor(Floor::Listening)
        } else {
            Consequence::PlayOn
        }
    }

    /// The player gives the plugin its cue; or takes the floor back by the same cue while it plays.
    pub fn cue(&mut self, at: SampleTime, timeline: &Timeline, rules: &Rules) -> Consequence {
        match self.floor {
            Floor::Listening | Floor::Silence { .. } => {
                self.floor = Floor::Cued { at: timeline.pin(at) };
                self.decide(at, timeline, rules);
                Consequence::PlayOn
            }
            Floor::Cued { .. } | Floor::Asked(_) => Consequence::PlayOn,
            Floor::Answering(_) => self.take_floor(Floor::Listening),
        }
    }

    /// The silence of now is expected to be the end of the call at `hand_over`; `None` while nobody knows. What was
    /// asked for already stays as it is.
    pub fn expect(
        &mut self,
        hand_over: Option<SampleTime>,
        now: SampleTime,
        timeline: &Timeline,
        rules: &Rules,
    ) {
        self.expected = hand_over;
        self.decide(now, timeline, rules);
    }

    /// Whether nobody has the floor and the plugin has not made ready to take it.
    pub fn is_silent(&self) -> bool {
        matches!(self.floor, Floor::Silence { .. })
    }

    /// How long the player has been silent at `now`, while the plugin waits for its turn.
    pub fn silence(&self, timeline: &Timeline, now: Position) -> Option<Beats> {
        match self.floor {
            Floor::Silence { since } | Floor::Asked(Asked { silent_since: Some(since), .. }) => {
                timeline.between(since, now)
            }
            _ => None,
        }
    }

    /// Musical time has started or jumped, which is now; a silence of so many beats goes on. Where this gives
    /// [`Consequence::PlayOn`], what is planned has moved with the beat.
    pub fn jump(
        &mut self,
        motion: Motion,
        timeline: &Timeline,
        silence: Option<Beats>,
        rules: &Rules,
    ) -> Consequence {
        if let Motion::Looped(by) = motion {
            self.move_by(by);
            return Consequence::PlayOn;
        }
        let now = timeline.pin(timeline.now());
        self.call = self.call.map(|_| CallStart { began: now, tempo: timeline.tempo() });
        if self.plays_through(rules) {
            match motion {
                Motion::Sought(by) => self.move_by(by),
                _ => self.come_in_on_the_song(timeline),
            }
            return Consequence::PlayOn;
        }
        let next = match (rules, silence) {
            (Rules::Trade { .. }, _) if self.has_bars(timeline, rules) => Floor::Cued { at: now },
            (Rules::Trade { .. }, _) => Floor::Listening,
            (_, Some(length)) => Floor::Silence { since: timeline.earlier(now, length) },
            (_, None) if self.floor.is_cued() => Floor::Cued { at: now },
            (_, None) => Floor::Listening,
        };
        let consequence = self.take_floor(next);
        self.decide(timeline.now(), timeline, rules);
        consequence
    }

    /// All that was decided goes on from another beat; but bars that are counted on are looked up: [`Self::recount`].
    fn move_by(&mut self, by: Beats) {
        self.floor = self.floor.moved(by);
        self.due = self.due.map(|due| due.moved(by));
        self.renewal = self.renewal.map(|at| at.moved(by));
        if let Some(call) = &mut self.call {
            call.began = call.began.moved(by);
        }
    }

    /// Nothing that was played is answered any more. Gives the turn that this ends.
    pub fn stop(&mut self) -> Option<TurnId> {
        (self.call, self.is_along) = (None, false);
        let ended = self.current().map(|ask| ask.turn);
        (self.floor, self.due, self.renewal) = (Floor::Listening, None, None);
        ended
    }

    /// The plugin is to be silent, if it plays or was told to; a call that goes on stays one. Gives the turn that this
    /// ends.
    pub fn hush(&mut self) -> Option<TurnId> {
        let plays = self.current().is_some() || self.floor.is_cued();
        if plays { self.stop() } else { None }
    }

    /// A new take: chance begins anew. Numbers of turns move on, lest a late reply be taken for one of a new turn.
    pub fn restart(&mut self) {
        *self = Self { next: self.next, warning: self.warning, ..Self::new() };
    }

    /// The next turn has the chance of a take's first one.
    pub fn begin_chance_anew(&mut self) {
        self.ordinal = 0;
    }

    /// The rest of the answer is to be planned anew, under another number. `None` where there is no answer.
    pub fn replan(&mut self) -> Option<Ask> {
        let turn = self.current().map(|_| self.number())?;
        let (Floor::Asked(Asked { ask, .. }) | Floor::Answering(ask)) = &mut self.floor else { return None };
        ask.turn = turn;
        Some(*ask)
    }

    /// The plugin takes the floor that was promised to it.
    pub fn hand_over(&mut self, timeline: &Timeline, rules: &Rules) {
        if let Floor::Asked(Asked { ask, .. }) = self.floor {
            self.floor = Floor::Answering(ask);
            self.due = self.end_of_bars(ask.hand_over, timeline, rules);
            // Trading goes on whether or not the player has used their bars.
            if !matches!(rules, Rules::Trade { .. }) {
                self.call = None;
            }
        }
    }

    /// The plugin's time is over.
    pub fn end(&mut self, timeline: &Timeline, rules: &Rules) {
        self.floor = Floor::Listening;
        self.due = self.due.and_then(|end| self.begin_of_bars(end, timeline, rules));
        if let Some(at) = self.renewal {
            self.come_in(at);
        }
    }

    /// The answer that may still be planned for.
    pub fn current(&self) -> Option<Ask> {
        match self.floor {
            Floor::Asked(Asked { ask, .. }) | Floor::Answering(ask) => Some(ask),
            Floor::Listening | Floor::Silence { .. } | Floor::Cued { .. } => None,
        }
    }

    /// The answer that plays.
    pub fn answering(&self) -> Option<Ask> {
        self.current().filter(|_| matches!(self.floor, Floor::Answering(_)))
    }

    fn number(&mut self) -> TurnId {
        let next = TurnId(self.next.0.wrapping_add(1));
        std::mem::replace(&mut self.next, next)
    }

    fn take_floor(&mut self, next: Floor) -> Consequence {
        let ended = self.current().map(|ask| ask.turn);
        (self.floor, self.due, self.renewal) = (next, None, None);
        Consequence::FallSilent(ended)
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self::new()
    }
}
