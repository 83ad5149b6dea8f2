//! The embedded hosts: a score goes in, a performance comes out, in one vocabulary for both plugin formats.
//!
//! In reading order: what is played ([`score`]), where the host's song is ([`transport`]), how time is cut
//! ([`blocks`]), who plays ([`host`], [`clap`], [`state`], [`vst3`]), where a window opens (`screen`), the playing itself
//! ([`play()`]), what came out
//! ([`performance`]).

pub mod score;
pub mod transport;

pub mod blocks;
pub mod host;

pub mod clap;
#[cfg(target_os = "linux")]
pub mod screen;
pub mod state;
#[cfg(feature = "vst3")]
pub mod vst3;

pub mod play;

pub mod performance;

pub use blocks::Blocks;
pub use clap::Clap;
pub use host::{Host, Mode, Setup};
pub use performance::{Performance, Sounded};
pub use play::{Pace, Part, play};
pub use score::{Event, Kind};
pub use transport::Transport;
#[cfg(feature = "vst3")]
pub use vst3::Vst3;
