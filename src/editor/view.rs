//! What the window shows at one moment, and what a player asks of it, as plain values: drawing needs no host,
//! no plugin and no lock.

use crate::{
    learner::LearnerStatus,
    music::{
        conditions::Harmony,
        keys::Keys,
        note::{Key, Velocity},
        time::{Moment, Seconds},
    },
    take::LineKind,
};

/// The music and the plugin's health at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The moment of the now-line.
    pub now: Moment,
    /// The notes that either side has played lately, in no special order.
    pub notes: Vec<RollNote>,
    /// The notes that the plugin plans to play.
    pub planned: Vec<PlannedRollNote>,
    /// The lines of beats and bars, in the past and in the near future.
    pub lines: Vec<RollLine>,
    /// Whether the host's song runs.
    pub song_runs: bool,
    pub turn: TurnState,
    /// The harmony that was held last, where one is followed.
    pub harmony: Option<Harmony>,
    /// The key that the player is in, where it is followed.
    pub key: Option<String>,
    /// Which keys an answer may play.
    pub allowed: Keys,
    /// The probability of each key to be the next one, 0..=1; all zero where it is not known.
    pub key_probabilities: [f32; Key::COUNT],
    pub health: Health,
    pub notice: Option<Notice>,
    /// The name of the player's own model, where one plays.
    pub own_model: Option<String>,
    /// The names of the personal models that lie beside the player's takes.
    pub personal_models: Vec<String>,
    /// The folder of the player's takes, where the system has one.
    pub takes: Option<String>,
    /// The progress of a personal model that is being made.
    pub learning: LearnerStatus,
    /// Whether a take can be saved: anything was played.
    pub has_take: bool,
    /// Whether an answer can be saved: anything was answered.
    pub has_answer: bool,
    /// Whether anything was saved yet, so that its path can be copied and its folder shown.
    pub has_path: bool,
}

/// The player or the plugin, by what they play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Call,
    Answer,
}

/// A note that sounds or has sounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RollNote {
    pub side: Side,
    pub key: Key,
    pub velocity: Velocity,
    pub onset: Moment,
    /// `None` while it sounds.
    pub end: Option<Moment>,
}

/// A note that is planned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedRollNote {
    pub key: Key,
    pub onset: Moment,
    pub duration: Seconds,
    /// The probability that the network gave it, 0..=1.
    pub likely: f32,
}

/// A beat or bar line of the song.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RollLine {
    pub at: Moment,
    /// The song's first bar has the number 0.
    pub kind: LineKind,
}

/// Who has the floor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TurnState {
    /// Everything passes, nothing is answered.
    Bypassed,
    /// *Listen* is off: nothing is heard.
    Deaf,
    /// The plugin listens, and nothing was played yet.
    Nobody,
    /// The player plays.
    Player,
    /// The player may play.
    Waiting,
    /// Nobody holds a key: the part of the patience that is used up, 0..=1, and the time that is left, where
    /// it is known.
    Silence { used: f32, left: Option<Seconds> },
    /// The cue was given; the plugin waits for its line.
    Cued,
    /// The plugin plays: the time that is left of its turn, and the whole length of the turn, where they are
    /// known.
    Plugin { left: Option<Seconds>, of: Option<Seconds> },
}

/// The state of the plugin's worker and of its timing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Health {
    /// The name of the model that plays.
    pub model: String,
    /// Median computing time of a note in the worker; `None` before the first note.
    pub step: Option<Seconds>,
    /// The worker's share of one core, 0..=1.
    pub worker: Option<f32>,
    /// Number of notes of answers that came late.
    pub late: u32,
    /// Number of notes and events that were given up.
    pub lost: u32,
    /// Number of faults of the worker, after each of which it began anew.
    pub faults: u32,
}

/// A sentence for the player.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub tone: Tone,
    pub sentence: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something was done.
    Done,
    /// The player has to do something.
    Trouble,
}

/// A request of the player that is no parameter; the window carries it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    SaveTake,
    SaveAnswer,
    /// The path of what was saved last goes to the clipboard.
    CopyPath,
    /// The folder of what was saved last is shown as the system shows folders.
    ShowFolder,
    /// Choose a model file.
    LoadModel,
    /// Make a personal model of the takes, or stop making one.
    Learn,
    StopLearning,
    /// Write what was learnt, and play with it.
    KeepLearnt,
    /// The menu of models has opened: look up which personal models there are.
    ListModels,
    /// Play with the personal model of this index.
    Personal(usize),
    /// Play with the embedded model of this index, whatever file was chosen.
    Embedded(usize),
    /// Set the controls as this preset has them.
    Preset(usize),
    /// The notice was read.
    Dismiss,
}

impl View {
    /// Nothing was played yet.
    pub fn empty() -> Self {
        Self {
            now: Moment(0.0),
            notes: Vec::new(),
            planned: Vec::new(),
            lines: Vec::new(),
            song_runs: false,
            turn: TurnState::Nobody,
            harmony: None,
            key: None,
            allowed: Keys::ALL,
            key_probabilities: [0.0; Key::COUNT],
            health: Health::default(),
            notice: None,
            own_model: None,
            personal_models: Vec::new(),
            takes: None,
            learning: LearnerStatus::Idle,
            has_take: false,
            has_answer: false,
            has_path: false,
        }
    }

    /// Whether there is anything on the roll, or about to be.
    pub fn has_anything(&self) -> bool {
        let is_quiet = matches!(
            self.turn,
            TurnState::Nobody | TurnState::Waiting | TurnState::Bypassed | TurnState::Deaf
        );
        !(is_quiet && self.notes.is_empty() && self.planned.is_empty() && self.lines.is_empty())
    }

    /// Whether a side holds any key.
    pub fn holds(&self, side: Side) -> bool {
        self.notes.iter().any(|note| note.side == side && note.end.is_none())
    }

    /// The side that sounds on a key, with its velocity; the player where both do.
    pub fn sounding(&self, key: Key) -> Option<(Side, Velocity)> {
        let on = |side| {
            self.notes
                .iter()
                .rev()
                .find(move |note| note.key == key && note.side == side && note.end.is_none())
                .map(|note| (side, note.velocity))
        };
        on(Side::Call).or_else(|| on(Side::Answer))
    }
}

impl RollNote {
    /// The end of the note as far as it is known at `now`.
    pub fn shown_end(&self, now: Moment) -> Moment {
        self.end.unwrap_or(now)
    }
}
