//! The plugin in real hosts: CLAP in process and the VST3 twin from its library. Each test's name is a law.

mod rig;

mod thru;
