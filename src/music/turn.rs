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

/// Usual lead time: how long before the hand-over the answer is asked for. Its first notes are then ready in
/// time for every block size up to 8,192 samples. A silence that is shorter than this leaves only its own
/// length.
const WARNING: Seconds = Seconds(0.25);
/// On a slow machine the lead time is this many times the wait that the worker rarely exceeds.
const MARGIN: f32 = 1.5;
/// Upper limit of the lead time, since what is played after the request is not answered.
const LONGEST_WARNING: Seconds = Seconds(2.0);

/// The number of a turn of the plugin; a later one has a higher number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TurnId(pub u32);

/// A change of the turn that comes with time alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Prepare the answer.
    Ask,
    /// The plugin takes the floor.
    HandOver,
    /// The plugin's time is over.
    End,
}

/// What an event means for the notes that the plugin plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Sounding notes are released and pending notes are dropped. Ends this turn, if there is one.
    FallSilent(Option<TurnId>),
    /// Sounding notes go on to their end and pending notes are dropped. Ends this turn, if there is one.
    DropPending(Option<TurnId>),
    /// Pending notes are played as planned.
    PlayOn,
}

/// The state machine of the turn. Realtime-safe throughout.
#[derive(Debug)]
pub struct Turns {
    floor: Floor,
    /// Where the plugin is to come in. Once it has the floor: where its bars end, in a trade.
    due: Option<Due>,
    /// Together mode: where the next plan begins, after a strike of the player beside the plugin.
    renewal: Option<Position>,
    is_along: bool,
    /// How bars were counted when `due` was decided.
    bars: Option<Bars>,
    call: Option<CallStart>,
    /// When the current silence is expected to end the call, if that is known.
    expected: Option<SampleTime>,
    next: TurnId,
    ordinal: u32,
    /// Lead time: how long before a hand-over the answer is asked for.
    warning: Seconds,
}

/// The beginning of a call.
#[derive(Debug, Clone, Copy)]
struct CallStart {
    began: Position,
    /// Tempo at the first note. Free bars, without a song, go at this tempo.
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

    /// Begins after `ordinal` turns of the same take.
    pub fn after(ordinal: u32) -> Self {
        Self { ordinal, ..Self::new() }
    }

    /// Number of turns of this take so far.
    pub fn count(&self) -> u32 {
        self.ordinal
    }

    /// Sets the lead time. `slow` is a wait for the first note that the worker rarely exceeds.
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
            // A player who has given the cue may play on to the line that the plugin waits for.
            _ if self.floor.is_cued() => Consequence::PlayOn,
            _ => self.take_floor(Floor::Listening),
        }
    }

    /// The first note begins the trade. Later notes move no line.
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

    /// A key is down that was not known to be down: the supposed silence was not one.
    pub fn key_is_down(&mut self, rules: &Rules) -> Consequence {
        let is_waiting =
            matches!(self.floor, Floor::Silence { .. } | Floor::Asked(Asked { silent_since: Some(_), .. }));
        // A trade and together mode do not depend on held keys.
        if is_waiting && rules.entry().is_some() {
            self.take_floor(Floor::Listening)
        } else {
            Consequence::PlayOn
        }
    }

    /// The player gives the cue. While the plugin plays, the same cue takes the floor back.
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

    /// Sets when the current silence is expected to end the call; `None` while that is unknown. An answer
    /// that was asked for already stays as it is.
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

    /// Whether nobody has the floor and no answer was asked for yet.
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

    /// Musical time has started or jumped just now. `silence` is how long the player had been silent; it goes
    /// on. If this returns [`Consequence::PlayOn`], the plan goes on: after a loop or a seek it has
    /// moved with the beat; after a start, what was not asked for yet comes in on a line of the song.
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

    /// Moves all decided points by some beats. Points on bars that are counted on are then put right by
    /// [`Self::recount`].
    fn move_by(&mut self, by: Beats) {
        self.floor = self.floor.moved(by);
        self.due = self.due.map(|due| due.moved(by));
        self.renewal = self.renewal.map(|at| at.moved(by));
        if let Some(call) = &mut self.call {
            call.began = call.began.moved(by);
        }
    }

    /// Drops call and answer: nothing that was played is answered any more. Returns the turn that this ends.
    pub fn stop(&mut self) -> Option<TurnId> {
        (self.call, self.is_along) = (None, false);
        let ended = self.current().map(|ask| ask.turn);
        (self.floor, self.due, self.renewal) = (Floor::Listening, None, None);
        ended
    }

    /// Silences the plugin, if it plays or was told to come in. Otherwise a call that is under way stays.
    /// Returns the turn that this ends.
    pub fn hush(&mut self) -> Option<TurnId> {
        let plays = self.current().is_some() || self.floor.is_cued();
        if plays { self.stop() } else { None }
    }

    /// Begins a new take: random seeds begin anew. Turn numbers go on, so that a late reply fits no new turn.
    pub fn restart(&mut self) {
        *self = Self { next: self.next, warning: self.warning, ..Self::new() };
    }

    /// The next turn gets the random seed of a take's first turn.
    pub fn begin_chance_anew(&mut self) {
        self.ordinal = 0;
    }

    /// Plans the rest of the answer anew, under a new turn number. `None` if there is no answer.
    pub fn replan(&mut self) -> Option<Ask> {
        let turn = self.current().map(|_| self.number())?;
        let (Floor::Asked(Asked { ask, .. }) | Floor::Answering(ask)) = &mut self.floor else { return None };
        ask.turn = turn;
        Some(*ask)
    }

    /// The plugin takes the floor for the answer that was asked for.
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

    /// The answer that was asked for or that plays.
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
