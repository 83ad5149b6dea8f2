//! Who has the floor: a pure state machine over positions of the music.

#[cfg(test)]
mod tests;

use super::{
    time::{Beats, Moment, SampleTime, Seconds, Tempo},
    timeline::{Position, Timeline},
};

/// How long before the hand-over the answer is asked for, so that its first notes are there in time
/// whatever the block size up to 8,192 samples. A silence shorter than this is all the warning there is.
const WARNING: Seconds = Seconds(0.25);

/// The shortest answer, and the length of one whose call cannot be measured across a stop or a jump.
const SHORTEST_ANSWER: Beats = Beats(2.0);

/// The number of a turn of the plugin; a later one has a higher number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TurnId(pub u32);

/// The player's rules of the game.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// The longest silence with no key held that does not end a call.
    pub silence: Beats,
    /// An answer is as long as its call, up to this.
    pub longest_answer: Beats,
}

/// An answer that is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ask {
    pub turn: TurnId,
    /// How many turns of this take came before: chance moves on with it.
    pub ordinal: u32,
    pub hand_over: Position,
    pub until: Position,
    /// The hand-over in the models' time; all of the answer is counted from here, at this tempo.
    pub from: Moment,
    pub tempo: Tempo,
}

/// What the passing of time does to the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The call seems to be over: prepare the answer.
    Ask,
    /// The plugin takes the floor.
    HandOver,
    /// The plugin's time is over.
    End,
}

/// The turn, now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Floor {
    /// A key is held, or nothing was played since the last answer.
    Listening,
    /// The last key of a call went up at `since`.
    Silence { since: Position },
    /// The silence lasts; the answer is being prepared.
    Asked(Asked),
    /// The plugin plays.
    Answering(Ask),
}

/// An answer that was asked for, in a silence that may yet be broken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked {
    since: Position,
    ask: Ask,
}

/// Keeps the turn. Realtime-safe throughout.
#[derive(Debug)]
pub struct Turns {
    floor: Floor,
    call_began: Option<Position>,
    /// When the silence of now is expected to be the end of the call, if that is known.
    expected: Option<SampleTime>,
    next: TurnId,
    ordinal: u32,
}

impl Turns {
    pub fn new() -> Self {
        Self { floor: Floor::Listening, call_began: None, expected: None, next: TurnId(0), ordinal: 0 }
    }

    /// The player strikes a key: the floor is the player's. Gives the turn that this ends.
    pub fn key_down(&mut self, at: Position) -> Option<TurnId> {
        self.call_began.get_or_insert(at);
        self.take_floor(Floor::Listening)
    }

    /// The player's last held key goes up.
    pub fn last_key_up(&mut self, at: Position) {
        if matches!(self.floor, Floor::Listening) && self.call_began.is_some() {
            self.expected = None;
            self.floor = Floor::Silence { since: at };
        }
    }

    /// The silence of now is expected to be the end of the call at `hand_over`; `None` while nobody knows. What was
    /// asked for already stays as it is.
    pub fn expect(&mut self, hand_over: Option<SampleTime>) {
        self.expected = hand_over;
    }

    /// Whether nobody has the floor and the plugin has not made ready to take it.
    pub fn is_silent(&self) -> bool {
        matches!(self.floor, Floor::Silence { .. })
    }

    /// Where a silence gives the floor away: where it is expected to, and at the latest after the longest silence.
    fn silence_ends(&self, since: Position, timeline: &Timeline, rules: &Rules) -> Position {
        let latest = timeline.after(since, rules.silence);
        let expected = self.expected.filter(|&expected| expected < timeline.sample(latest));
        expected.map_or(latest, |expected| timeline.pin(expected))
    }

    /// How long the player has been silent at `now`, while the plugin waits for its turn.
    pub fn silence(&self, timeline: &Timeline, now: Position) -> Option<Beats> {
        match self.floor {
            Floor::Silence { since } | Floor::Asked(Asked { since, .. }) => timeline.between(since, now),
            Floor::Listening | Floor::Answering(_) => None,
        }
    }

    /// Beats from before mean nothing now, at `at`; a silence of so many beats goes on. Gives the turn that this
    /// ends.
    pub fn jump(&mut self, timeline: &Timeline, at: Position, silence: Option<Beats>) -> Option<TurnId> {
        if self.call_began.is_some() {
            self.call_began = Some(at);
        }
        self.take_floor(match silence {
            Some(length) => Floor::Silence { since: timeline.earlier(at, length) },
            None => Floor::Listening,
        })
    }

    /// Nothing that was played is answered any more. Gives the turn that this ends.
    pub fn stop(&mut self) -> Option<TurnId> {
        self.call_began = None;
        self.take_floor(Floor::Listening)
    }

    /// A new take: chance begins anew. Numbers of turns move on, lest a late reply be taken for one of a new turn.
    pub fn restart(&mut self) {
        *self = Self { next: self.next, ..Self::new() };
    }

    /// The next thing that happens if the player stays silent, and its sample.
    pub fn next_change(&self, timeline: &Timeline, rules: &Rules) -> Option<(SampleTime, Change)> {
        match self.floor {
            Floor::Listening => None,
            Floor::Silence { since } => {
                let hand_over = timeline.sample(self.silence_ends(since, timeline, rules));
                let warned = hand_over - timeline.rate().samples(WARNING);
                Some((warned.max(timeline.sample(since)), Change::Ask))
            }
            Floor::Asked(Asked { ask, .. }) => Some((timeline.sample(ask.hand_over), Change::HandOver)),
            Floor::Answering(ask) => Some((timeline.sample(ask.until), Change::End)),
        }
    }

    /// The call seems to be over at `at`: what to ask for. `None` unless the floor is silent.
    pub fn ask(&mut self, at: SampleTime, timeline: &Timeline, rules: &Rules) -> Option<Ask> {
        let Floor::Silence { since } = self.floor else { return None };
        let mut hand_over = self.silence_ends(since, timeline, rules);
        if timeline.sample(hand_over) < at {
            // More silence was shown already than the player wants, or than was expected.
            hand_over = timeline.pin(at);
        }
        let call = self.call_began.and_then(|began| timeline.between(began, since));
        let length = call.unwrap_or(SHORTEST_ANSWER).0.max(SHORTEST_ANSWER.0).min(rules.longest_answer.0);
        let ask = Ask {
            turn: self.next,
            ordinal: self.ordinal,
            hand_over,
            until: timeline.after(hand_over, Beats(length)),
            from: timeline.moment(timeline.sample(hand_over)),
            tempo: timeline.tempo(),
        };
        self.next = TurnId(self.next.0.wrapping_add(1));
        self.ordinal = self.ordinal.wrapping_add(1);
        self.floor = Floor::Asked(Asked { since, ask });
        Some(ask)
    }

    /// The plugin takes the floor that was promised to it.
    pub fn hand_over(&mut self) {
        if let Floor::Asked(Asked { ask, .. }) = self.floor {
            self.call_began = None;
            self.floor = Floor::Answering(ask);
        }
    }

    /// The plugin's time is over.
    pub fn end(&mut self) {
        self.floor = Floor::Listening;
    }

    /// The answer that may still be planned for.
    pub fn current(&self) -> Option<Ask> {
        match self.floor {
            Floor::Asked(Asked { ask, .. }) | Floor::Answering(ask) => Some(ask),
            Floor::Listening | Floor::Silence { .. } => None,
        }
    }

    fn take_floor(&mut self, next: Floor) -> Option<TurnId> {
        let ended = self.current().map(|ask| ask.turn);
        self.floor = next;
        ended
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self::new()
    }
}
