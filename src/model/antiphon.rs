//! Our own network: two LSTMs that step once a note, each followed by an attention over the newest 150, and heads for
//! step, pitch, velocity and duration, each told what was chosen before. A duration may point at the end of a note
//! that sounds.

mod attention;
mod bag;
mod band;
mod cost;
mod dropout;
mod experts;
mod features;
pub(super) mod first;
mod median;
mod network;
mod norm;
#[cfg(test)]
mod operations;
mod page;
mod player;
mod scene;
mod shape;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use dropout::Dropout;
#[cfg(test)]
pub(crate) use experts::EXPERTS;
pub use network::{Network, Past};
pub use page::{Page, Stretch};
pub use player::Antiphon;
pub use scene::Scene;
pub use shape::{MEMORY, NAME, tensors};
