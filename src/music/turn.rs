//! Who has the floor: a pure state machine over positions of the music.

use super::{
    time::{Beats, SampleTime, Seconds},
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
    /// The silence with no key held that ends a call.
    pub silence: Beats,
    /// An answer is as long as its call, up to this.
    pub longest_answer: Beats,
}

/// An answer that is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ask {
    pub turn: TurnId,
    pub hand_over: Position,
    pub until: Position,
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
    Asked(Ask),
    /// The plugin plays.
    Answering(Ask),
}

/// Keeps the turn. Realtime-safe throughout.
#[derive(Debug)]
pub struct Turns {
    floor: Floor,
    call_began: Option<Position>,
    next: TurnId,
}

impl Turns {
    pub fn new() -> Self {
        Self { floor: Floor::Listening, call_began: None, next: TurnId(0) }
    }

    pub fn floor(&self) -> Floor {
        self.floor
    }

    /// The player strikes a key: the floor is the player's. Gives the turn that this ends.
    pub fn key_down(&mut self, at: Position) -> Option<TurnId> {
        self.call_began.get_or_insert(at);
        self.take_floor(Floor::Listening)
    }

    /// The player's last held key goes up.
    pub fn last_key_up(&mut self, at: Position) {
        if matches!(self.floor, Floor::Listening) && self.call_began.is_some() {
            self.floor = Floor::Silence { since: at };
        }
    }

    /// Beats from before mean nothing now: a silence is counted anew. Gives the turn that this ends.
    pub fn jump(&mut self, at: Position) -> Option<TurnId> {
        let waiting = matches!(self.floor, Floor::Silence { .. } | Floor::Asked(_));
        if self.call_began.is_some() {
            self.call_began = Some(at);
        }
        self.take_floor(if waiting { Floor::Silence { since: at } } else { Floor::Listening })
    }

    /// Nothing that was played is answered any more. Gives the turn that this ends.
    pub fn stop(&mut self) -> Option<TurnId> {
        self.call_began = None;
        self.take_floor(Floor::Listening)
    }

    /// A new take: turns are numbered from the first again.
    pub fn restart(&mut self) {
        *self = Self::new();
    }

    /// The next thing that happens if the player stays silent, and its sample.
    pub fn next_change(&self, timeline: &Timeline, rules: &Rules) -> Option<(SampleTime, Change)> {
        match self.floor {
            Floor::Listening => None,
            Floor::Silence { since } => {
                let hand_over = timeline.sample(timeline.after(since, rules.silence));
                let warned = hand_over - timeline.rate().samples(WARNING);
                Some((warned.max(timeline.sample(since)), Change::Ask))
            }
            Floor::Asked(ask) => Some((timeline.sample(ask.hand_over), Change::HandOver)),
            Floor::Answering(ask) => Some((timeline.sample(ask.until), Change::End)),
        }
    }

    /// The call seems to be over: what to ask for. `None` unless the floor is silent.
    pub fn ask(&mut self, timeline: &Timeline, rules: &Rules) -> Option<Ask> {
        let Floor::Silence { since } = self.floor else { return None };
        let hand_over = timeline.after(since, rules.silence);
        let call = self.call_began.and_then(|began| timeline.between(began, since));
        let length = call.unwrap_or(SHORTEST_ANSWER).0.max(SHORTEST_ANSWER.0).min(rules.longest_answer.0);
        let ask = Ask { turn: self.next, hand_over, until: timeline.after(hand_over, Beats(length)) };
        self.next = TurnId(self.next.0.wrapping_add(1));
        self.floor = Floor::Asked(ask);
        Some(ask)
    }

    /// The plugin takes the floor that was promised to it.
    pub fn hand_over(&mut self) {
        if let Floor::Asked(ask) = self.floor {
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
            Floor::Asked(ask) | Floor::Answering(ask) => Some(ask),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{
        time::{BeatTime, SampleRate, Tempo},
        timeline::Transport,
    };

    const RULES: Rules = Rules { silence: Beats(1.0), longest_answer: Beats(16.0) };

    /// 120 beats a minute at 48 kHz: 24,000 samples a beat.
    fn timeline() -> Timeline {
        let mut timeline = Timeline::new(SampleRate(48_000.0));
        let tempo = Tempo::new(120.0);
        timeline.begin_block(&Transport { playing: true, tempo, position: Some(BeatTime(0.0)) });
        timeline
    }

    fn called(timeline: &Timeline) -> Turns {
        let mut turns = Turns::new();
        turns.key_down(timeline.pin(SampleTime(0)));
        turns.last_key_up(timeline.pin(SampleTime(96_000)));
        turns
    }

    #[test]
    fn the_plugin_takes_the_floor_a_beat_after_the_last_release() {
        let timeline = timeline();
        let mut turns = called(&timeline);
        assert_eq!(turns.next_change(&timeline, &RULES), Some((SampleTime(108_000), Change::Ask)));
        turns.ask(&timeline, &RULES);
        assert_eq!(turns.next_change(&timeline, &RULES), Some((SampleTime(120_000), Change::HandOver)));
    }

    #[test]
    fn an_answer_is_as_long_as_its_call() {
        let timeline = timeline();
        let mut turns = called(&timeline);
        turns.ask(&timeline, &RULES);
        turns.hand_over();
        assert_eq!(turns.next_change(&timeline, &RULES), Some((SampleTime(216_000), Change::End)));
    }

    #[test]
    fn a_strike_at_any_time_takes_the_floor_back() {
        let timeline = timeline();
        let mut turns = called(&timeline);
        let asked = turns.ask(&timeline, &RULES).map(|ask| ask.turn);
        assert_eq!(turns.key_down(timeline.pin(SampleTime(110_000))), asked);
        assert_eq!(turns.next_change(&timeline, &RULES), None);
        turns.last_key_up(timeline.pin(SampleTime(111_000)));
        let asked = turns.ask(&timeline, &RULES).map(|ask| ask.turn);
        turns.hand_over();
        assert_eq!(turns.key_down(timeline.pin(SampleTime(140_000))), asked);
    }

    #[test]
    fn nothing_is_answered_twice() {
        let timeline = timeline();
        let mut turns = called(&timeline);
        turns.ask(&timeline, &RULES);
        turns.hand_over();
        turns.end();
        turns.last_key_up(timeline.pin(SampleTime(300_000)));
        assert_eq!(turns.next_change(&timeline, &RULES), None);
    }

    #[test]
    fn a_jump_counts_the_silence_anew_and_a_stop_forgets_the_call() {
        let timeline = timeline();
        let mut turns = called(&timeline);
        let asked = turns.ask(&timeline, &RULES).map(|ask| ask.turn);
        let landed = timeline.pin(SampleTime(119_000));
        assert_eq!(turns.jump(landed), asked);
        assert_eq!(turns.floor(), Floor::Silence { since: landed });
        assert_eq!(turns.stop(), None);
        assert_eq!(turns.floor(), Floor::Listening);
    }

    #[test]
    fn a_turn_that_was_asked_for_in_vain_keeps_its_number() {
        let timeline = timeline();
        let mut turns = called(&timeline);
        let first = turns.ask(&timeline, &RULES).map(|ask| ask.turn);
        turns.key_down(timeline.pin(SampleTime(110_000)));
        turns.last_key_up(timeline.pin(SampleTime(111_000)));
        assert!(turns.ask(&timeline, &RULES).map(|ask| ask.turn) > first);
    }
}
