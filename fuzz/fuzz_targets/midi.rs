//! Any bytes as a MIDI file: the reader refuses it, or makes music of it that is in order.
#![no_main]
#![allow(dead_code)]

#[path = "../../xtask/src/corpus.rs"]
mod corpus;
#[path = "../../xtask/src/tonality.rs"]
mod tonality;

use std::path::Path;

use libfuzzer_sys::fuzz_target;

use corpus::Convention;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(piece) = corpus::midi::parse(Path::new("fuzzed.mid"), bytes, Convention::Sustained) {
        assert!(piece.notes.iter().all(|note| note.end >= note.onset && note.step >= 0.0));
    }
});
