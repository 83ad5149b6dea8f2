//! Any bytes as a MIDI file: the reader refuses it, or makes music of it that is in order.
#![no_main]
#![allow(dead_code)]

// The reader's own files, as the project's commands have them.
#[path = "../../xtask/src"]
mod commands {
    pub mod corpus;
    pub mod tonality;
}

use std::path::Path;

use libfuzzer_sys::fuzz_target;

use commands::{corpus, tonality};
use corpus::Convention;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = corpus::midi::read(Path::new("fuzzed.mid"), bytes, Convention::Sustained) {
        assert!(document.piece.notes.iter().all(|note| note.end >= note.onset && note.step >= 0.0));
    }
});
