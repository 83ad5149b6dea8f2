//! How each preset is trained, unless told otherwise.

use antiphon::model::Preset;

use super::{Arguments, descent::Method};

/// How a preset is trained.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub batch: usize,
    /// Notes in a row.
    pub window: usize,
    /// Files of fewer notes are not learnt from.
    pub shortest: usize,
    /// The highest learning rate.
    pub rate: f64,
    pub method: Method,
    /// What a step at rate 1 takes off every weight: Muon's steps are never short, so weights would grow for ever.
    pub decay: f64,
    /// The part of its numbers that the network does without while it learns.
    pub dropout: f32,
}

impl Plan {
    pub fn new(preset: Preset, arguments: &Arguments) -> Self {
        let plan = match preset {
            Preset::Antiphon => Self {
                batch: 32,
                window: 128,
                shortest: 1,
                rate: 2e-3,
                method: Method::Muon,
                decay: 0.1,
                dropout: 0.1,
            },
            Preset::Classic(preset) => Self {
                batch: 64,
                window: preset.window,
                shortest: arguments.window.unwrap_or(preset.window),
                rate: 3e-3,
                method: Method::Adam,
                decay: 0.0,
                dropout: 0.0,
            },
        };
        Self {
            batch: arguments.batch.unwrap_or(plan.batch),
            window: arguments.window.unwrap_or(plan.window),
            rate: arguments.rate.unwrap_or(plan.rate),
            ..plan
        }
    }
}
