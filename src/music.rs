//! The musical core: pure types and rules, without a framework, a network or a thread.

pub mod memory;
pub mod note;
pub mod time;
