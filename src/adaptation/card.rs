//! The card of a personal model: how it was learnt, what it gains, and the player's own figures.

use serde::Serialize;

use super::{DataSet, Nats, Outcome, Player, player::rounded};
use crate::model::{
    personal::Base,
    weights::{REPRESENTATION, Weights},
};

/// The card inside the file, as TOML.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Card {
    pub name: String,
    pub base: String,
    pub fingerprint: String,
    pub representation: &'static str,
    /// The license: that of the base and of the music.
    pub license: String,
    pub player: Player,
    pub learning: Learning,
    pub held_out: HeldOut,
}

/// How the personal model was learnt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Learning {
    pub seconds: f64,
    pub steps: usize,
    /// Number of notes learnt from; a note that was heard twice counts twice.
    pub notes_seen: usize,
    pub notes: usize,
    pub seed: u64,
}

/// What the personal model gains on held-out music, in nats a note.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeldOut {
    pub notes: usize,
    pub whole_pieces: usize,
    pub gain: f64,
    pub before: NatsByAttribute,
    pub after: NatsByAttribute,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NatsByAttribute {
    pub step: f64,
    pub pitch: f64,
    pub velocity: f64,
    pub duration: f64,
    pub total: f64,
}

impl Card {
    pub fn of(name: &str, base: &Weights, data_set: &DataSet, outcome: &Outcome, seed: u64) -> Self {
        let Base { name: base, fingerprint } = Base::of(base);
        Self {
            name: name.to_owned(),
            base,
            fingerprint: format!("{fingerprint:016x}"),
            representation: REPRESENTATION,
            license: "as that of the base and of the music it learnt from".to_owned(),
            player: data_set.player.clone(),
            learning: Learning {
                seconds: rounded(outcome.time.as_secs_f64(), 10.0),
                steps: outcome.steps,
                notes_seen: outcome.notes,
                notes: data_set.learnt_notes(),
                seed,
            },
            held_out: HeldOut {
                notes: data_set.held_out_notes(),
                whole_pieces: data_set.held_out_pieces.len(),
                gain: rounded(outcome.gain(), 1e4),
                before: outcome.before.into(),
                after: outcome.after.into(),
            },
        }
    }

    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a card is a table of plain values")
    }
}

impl From<Nats> for NatsByAttribute {
    fn from(nats: Nats) -> Self {
        let [step, pitch, velocity, duration] = nats.0.map(|nats| rounded(nats, 1e4));
        Self { step, pitch, velocity, duration, total: rounded(nats.total(), 1e4) }
    }
}
