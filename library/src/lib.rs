//! The file that hosts load. What it offers to them, [`antiphon`] exports.

pub use antiphon::plugin::clap_entry;
