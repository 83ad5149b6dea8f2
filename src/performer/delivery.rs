//! How an answer goes out to the instrument, whatever its notes are.

use crate::music::{note::Velocity, quantise::Quantise, time::Seconds};

/// What the player has set of it, as of one block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delivery {
    pub quantise: Quantise,
    /// Multiplies what is sent, 0.25..=2. What is remembered stays as it was meant, lest answers grow ever louder.
    pub velocity_scale: f32,
    /// So much earlier than it is to be heard it goes out: for an instrument that takes its time, 0..=0.1.
    pub advance: Seconds,
    /// 0..16; `None` for the channel of the call.
    pub channel: Option<u8>,
}

impl Delivery {
    /// As it was drawn and where it was called.
    pub const PLAIN: Self =
        Self { quantise: Quantise::OFF, velocity_scale: 1.0, advance: Seconds::ZERO, channel: None };

    /// What is sent for a velocity.
    pub fn velocity(&self, meant: Velocity) -> Velocity {
        Velocity::saturating((f32::from(meant.value()) * self.velocity_scale).round() as u8)
    }
}
