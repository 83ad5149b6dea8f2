//! Antiphon listens to a player and answers: the map of the crate, in reading order.
//!
//! `ARCHITECTURE.md` walks one note through these modules and states the invariants.

pub mod model;
pub mod music;
