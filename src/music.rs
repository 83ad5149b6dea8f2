//! The musical core: pure types and rules, without a framework, a network or a thread.

pub mod grid;
pub mod hearing;
pub mod memory;
pub mod note;
pub mod patience;
pub mod schedule;
pub mod time;
pub mod timeline;
pub mod turn;
