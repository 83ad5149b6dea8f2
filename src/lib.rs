//! Antiphon listens to a player and answers: the map of the crate, in reading order.
//!
//! `ARCHITECTURE.md` follows one note through these modules and states the invariants; `docs/design.md` says
//! how each part works.

#[cfg(feature = "plugin")]
pub mod plugin;

#[cfg(feature = "editor")]
pub mod editor;

#[cfg(feature = "plugin")]
pub mod instance;

#[cfg(feature = "plugin")]
pub mod user_model;

#[cfg(feature = "plugin")]
pub mod learner;

#[cfg(feature = "plugin")]
pub mod params;

#[cfg(feature = "plugin")]
pub mod host;

pub mod synth;

pub mod performer;

pub mod lane;

pub mod telemetry;

pub mod event_log;

pub mod take;

pub mod improviser;

pub mod worker;

pub mod music;

pub mod model;

pub mod adaptation;

pub mod thread_pool;
