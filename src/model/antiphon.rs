//! Our own network: an LSTM that steps once a note and reads the newest 150 by attention, and heads for step, pitch,
//! velocity and duration, each told what was chosen before. A duration may point at the end of a note that sounds.

mod attention;
mod band;
mod network;
mod page;
mod scene;
mod shape;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use network::{Network, Past};
pub use page::Page;
pub use scene::Scene;
pub use shape::{MEMORY, NAME, tensors};
