//! The window without a host: what a hand, a keyboard and a screen reader find on it.

mod hands;
mod looks;
mod rig;
