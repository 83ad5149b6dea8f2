//! The plugin in real hosts: CLAP linked into this process and its VST3 twin from the library. Each test's
//! name is a law.

mod rig;

mod answers;
mod controls;
mod extremes;
mod releases;
mod sound;
mod state;
mod time;
