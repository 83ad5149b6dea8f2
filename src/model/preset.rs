//! The networks that a model file may hold.

use super::{antiphon, classic};

/// The parts of an LSTM: (4H, I), (4H, H), (4H).
pub const LSTM: [&str; 3] = ["weight_ih", "weight_hh", "bias"];
/// The parts of an affine layer: (O, I), (O).
pub const AFFINE: [&str; 2] = ["weight", "bias"];

/// The name of a tensor in a model file, and its shape.
pub type Named = (String, Vec<usize>);

/// Which network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    Antiphon,
    Classic(classic::Preset),
}

impl Preset {
    pub const ALL: [Self; 3] =
        [Self::Antiphon, Self::Classic(classic::CLASSIC_25), Self::Classic(classic::CLASSIC_150)];

    /// The preset of this name; `None` where there is none.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Antiphon => antiphon::NAME,
            Self::Classic(classic) => classic.name,
        }
    }

    /// Every tensor of a model file with its shape. Weights are drawn in this order.
    pub fn tensors(self) -> Vec<Named> {
        match self {
            Self::Antiphon => antiphon::tensors(),
            Self::Classic(classic) => classic.tensors(),
        }
    }

    /// How many numbers all tensors have together.
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

/// The name of a part of an affine layer in a model file.
pub fn affine_tensor(name: &str, part: &str) -> String {
    format!("{name}.{part}")
}

/// The tensors of an LSTM of so many units.
pub fn lstm_tensors(layer: usize, hidden: usize, inputs: usize) -> impl Iterator<Item = Named> {
    let gates = 4 * hidden;
    let shapes = [vec![gates, inputs], vec![gates, hidden], vec![gates]];
    LSTM.into_iter().zip(shapes).map(move |(part, shape)| (lstm_tensor(layer, part), shape))
}

/// The tensors of an affine layer.
pub fn affine_tensors(name: &str, outputs: usize, inputs: usize) -> impl Iterator<Item = Named> {
    let shapes = [vec![outputs, inputs], vec![outputs]];
    AFFINE.into_iter().zip(shapes).map(move |(part, shape)| (affine_tensor(name, part), shape))
}
