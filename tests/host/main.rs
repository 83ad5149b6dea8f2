//! The plugin in real hosts: CLAP linked into this process and its VST3 twin from the library. Each test's
//! name is a law.

mod rig;

mod answers;
mod blocks;
mod chance;
mod controls;
mod extremes;
mod games;
mod hostile;
mod presets;
mod releases;
mod sound;
mod state;
mod storms;
mod thru;
mod time;
mod versions;
