//! The musical core: pure types and rules, without a framework, a network or a thread.

pub mod bars;
pub mod beat_tracker;
pub mod call;
pub mod conditions;
pub mod feel;
pub mod generation;
pub mod hands;
pub mod harmony;
pub mod keys;
pub mod memory;
pub mod metre;
pub mod note;
pub mod note_tracker;
pub mod pace;
pub mod patience;
pub mod quantise;
pub mod scale;
pub mod schedule;
pub mod time;
pub mod timeline;
pub mod turn;
