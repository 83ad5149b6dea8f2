//! The networks that a model file may hold.

use super::{antiphon, classic};

/// The parts of an LSTM: (4H, I), (4H, H), (4H).
pub const LSTM: [&str; 3] = ["weight_ih", "weight_hh", "bias"];

/// Which network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    Antiphon,
    Classic(classic::Preset),
}

impl Preset {
    pub const ALL: [Self; 3] =
        [Self::Antiphon, Self::Classic(classic::CLASSIC_25), Self::Classic(classic::CLASSIC_150)];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Antiphon => antiphon::NAME,
            Self::Classic(classic) => classic.name,
        }
    }

    /// Every tensor of a model file with its shape.
    pub fn tensors(self) -> Vec<(String, Vec<usize>)> {
        match self {
            Self::Antiphon => antiphon::tensors(),
            Self::Classic(classic) => classic.tensors(),
        }
    }

    pub fn parameters(self) -> usize {
        self.tensors().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
    }

    /// All names, for a message.
    pub fn known() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

/// The name of a part of an LSTM in a model file.
pub fn lstm_tensor(layer: usize, part: &str) -> String {
    format!("lstm.{layer}.{part}")
}
