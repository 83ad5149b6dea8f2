//! What a personal model says of itself.

use serde::Serialize;

use super::{Material, Nats, Outcome, Player};
use crate::model::{personal::Base, weights::REPRESENTATION, weights::Weights};

/// The card inside the file, as TOML.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Card {
    pub name: String,
    pub base: String,
    pub fingerprint: String,
    pub representation: &'static str,
    /// As the player wishes.
    pub license: String,
    pub player: Player,
    pub learning: Learning,
    pub held_out: HeldOut,
}

/// How it was learnt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Learning {
    pub seconds: f64,
    pub steps: usize,
    /// Each as often as it was heard.
    pub notes_seen: usize,
    pub notes: usize,
    pub seed: u64,
}

/// What it is worth on music that it has not learnt from, in nats a note.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeldOut {
    pub notes: usize,
    pub whole_pieces: usize,
    pub gain: f64,
    pub before: Parts,
    pub after: Parts,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parts {
    pub step: f64,
    pub pitch: f64,
    pub velocity: f64,
    pub duration: f64,
    pub total: f64,
}

impl Card {
    pub fn of(
        name: &str,
        base: &Weights,
        player: Player,
        material: &Material,
        outcome: &Outcome,
        seed: u64,
    ) -> Self {
        let Base { name: base, fingerprint } = Base::of(base);
        Self {
            name: name.to_owned(),
            base,
            fingerprint: format!("{fingerprint:016x}"),
            representation: REPRESENTATION,
            license: "as that of the base and of the music it learnt from".to_owned(),
            player,
            learning: Learning {
                seconds: (outcome.time.as_secs_f64() * 10.0).round() / 10.0,
                steps: outcome.steps,
                notes_seen: outcome.notes,
                notes: material.learnt_notes(),
                seed,
            },
            held_out: HeldOut {
                notes: material.held_out_notes(),
                whole_pieces: material.held_out_pieces.len(),
                gain: rounded(outcome.gain()),
                before: outcome.before.into(),
                after: outcome.after.into(),
            },
        }
    }

    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a card is a table of plain values")
    }
}

impl From<Nats> for Parts {
    fn from(nats: Nats) -> Self {
        let [step, pitch, velocity, duration] = nats.0.map(rounded);
        Self { step, pitch, velocity, duration, total: rounded(nats.total()) }
    }
}

fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}
