//! Any events, transports and settings at any pace of the worker: the plugin leaves nothing sounding. The tests run the
//! same function.
#![no_main]

// Its test is left out here, and what that needs.
#[allow(unused_imports)]
#[path = "../../tests/performer/fuzzed.rs"]
mod fuzzed;
#[allow(dead_code)]
#[path = "../../tests/performer/rig.rs"]
mod rig;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzzed::perform(bytes));
