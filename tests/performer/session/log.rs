//! What happened in a session.

use std::collections::{BTreeMap, VecDeque};

use antiphon::{
    lane::Request,
    music::{
        note::{Key, Note},
        turn::{Rules, TurnId},
    },
    performer::{Gesture, Sound},
};

use super::{RATE, host::Host};

/// Keys up to this one are cues.
const HIGHEST_SWITCH: u8 = 30;

/// All that happened, in the order of time.
#[derive(Default)]
pub struct Log {
    pub sounds: Vec<(u64, Sound)>,
    pub strikes: Vec<Strike>,
    pub notes: Vec<Sounded>,
    turns: BTreeMap<TurnId, Turn>,
    planned: Vec<Planned>,
    /// Gestures that are announced and not heard yet: what sounds before them comes after them.
    coming: VecDeque<(u64, Gesture)>,
    held: Vec<Key>,
    now: Option<Now>,
}

/// A strike of the player that was heard as music.
pub struct Strike {
    pub at: u64,
    pub rules: Rules,
    /// The newest turn that was asked for before the block of the strike.
    pub newest_turn: Option<TurnId>,
}

/// A note of the plugin's that sounded.
pub struct Sounded {
    pub at: u64,
    pub turn: TurnId,
    /// Where its plan said, in samples.
    pub expected: f64,
    /// How far that may be off, in samples: the asking tells a whole sample, of which a slower tempo makes more, and a
    /// seek is measured to half a sample.
    pub uncertain: f64,
    /// Hand-over of its turn, as it was asked for.
    pub handed_over: u64,
    pub is_held_by_player: bool,
}

/// The song as it is in a block.
#[derive(Clone, Copy)]
struct Now {
    begin: u64,
    song: Option<(f64, f64)>,
    tempo: f64,
    rules: Rules,
    newest_turn: Option<TurnId>,
}

#[derive(Clone, Copy)]
struct Turn {
    from: f64,
    /// The beat of the hand-over, with the jumps since; none where it hangs on the sample clock.
    beat: Option<f64>,
    jumps: f64,
    tempo: f64,
}

struct Planned {
    turn: TurnId,
    note: Note,
    delivered: u64,
}

impl Log {
    pub fn begin_block(&mut self, begin: u64, host: &Host, rules: Rules) {
        for turn in self.turns.values_mut().filter(|_| host.jumped() != 0.0) {
            turn.beat = turn.beat.map(|beat| beat + host.jumped());
            turn.jumps += 1.0;
        }
        let newest_turn = self.turns.keys().copied().max();
        self.now = Some(Now { begin, song: host.song(), tempo: host.tempo(), rules, newest_turn });
    }

    pub fn gesture(&mut self, at: u64, gesture: Gesture) {
        let now = self.now.expect("a block has begun");
        self.coming.push_back((at, gesture));
        if let Gesture::KeyDown(place, _) = gesture
            && place.key.number() > HIGHEST_SWITCH
        {
            self.strikes.push(Strike { at, rules: now.rules, newest_turn: now.newest_turn });
        }
    }

    /// The keys that are held when something sounds.
    fn hold(&mut self, at: u64) {
        while let Some((_, gesture)) = self.coming.pop_front_if(|(when, _)| *when <= at) {
            match gesture {
                Gesture::KeyDown(place, _) if place.key.number() > HIGHEST_SWITCH => {
                    self.held.push(place.key)
                }
                Gesture::KeysUp(places) => self.held.retain(|key| places.key != Some(*key)),
                Gesture::AllOff { .. } => self.held.clear(),
                _ => {}
            }
        }
    }

    pub fn request(&mut self, request: Request) {
        let now = self.now.expect("a block has begun");
        if let Request::Answer { turn, from, .. } = request {
            let from = from.0 * RATE;
            let beat = now.song.map(|(beat, pace)| beat + (from - now.begin as f64) * pace);
            self.turns.insert(turn, Turn { from, beat, jumps: 0.0, tempo: now.tempo });
        }
    }

    pub fn planned(&mut self, turn: TurnId, note: Note, delivered: u64) {
        self.planned.push(Planned { turn, note, delivered });
    }

    pub fn sound(&mut self, at: u64, sound: Sound) {
        self.hold(at);
        self.sounds.push((at, sound));
        let Sound::NoteOn(place, velocity) = sound else { return };
        let is_it = |plan: &&Planned| (plan.note.key, plan.note.velocity) == (place.key, velocity);
        // The newest one: marks come again after 127 notes.
        let plan = self.planned.iter().rev().find(is_it).expect("what sounds was planned");
        let turn = self.turns[&plan.turn];
        self.notes.push(Sounded {
            at,
            turn: plan.turn,
            expected: self.expected(&turn, plan),
            uncertain: self.uncertain(&turn),
            handed_over: turn.from as u64,
            is_held_by_player: self.held.contains(&place.key),
        });
    }

    pub fn sounded(&self) -> usize {
        self.notes.len()
    }

    fn uncertain(&self, turn: &Turn) -> f64 {
        let now = self.now.expect("a block has begun");
        0.5 * (turn.tempo / now.tempo - 1.0).max(0.0) + 0.5 * turn.jumps
    }

    /// Where the song of now puts a note; no earlier than it was there.
    fn expected(&self, turn: &Turn, plan: &Planned) -> f64 {
        let now = self.now.expect("a block has begun");
        let seconds = plan.note.onset.0 - turn.from / RATE;
        let at = match (turn.beat, now.song) {
            (Some(hand_over), Some((beat, pace))) => {
                let onset = hand_over + seconds * turn.tempo / 60.0;
                now.begin as f64 + (onset - beat) / pace
            }
            _ => plan.note.onset.0 * RATE,
        };
        at.max(plan.delivered as f64)
    }
}
