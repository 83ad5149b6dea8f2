//! The embedded hosts: a score goes in, a performance comes out, in one vocabulary for both plugin formats.
//!
//! In reading order: input and output events ([`score`]), the host's transport ([`transport`]), the host
//! trait and the playing ([`mod@play`]), the two hosts ([`clap`], [`vst3`]), and the screen on which a window
//! opens (`screen`).

pub mod score;
pub mod transport;

pub mod play;

pub mod clap;
#[cfg(target_os = "linux")]
pub mod screen;
#[cfg(feature = "vst3")]
pub mod vst3;

pub use clap::Clap;
pub use play::{Blocks, Host, Pace, Part, play};
pub use score::{Event, Kind, Mode, Performance, Setup, Sounded};
pub use transport::Transport;
#[cfg(feature = "vst3")]
pub use vst3::Vst3;
