//! Antiphon without a host: a MIDI keyboard and a synthesiser suffice. `--help` lists backends and options.

use std::process::ExitCode;

use antiphon::plugin::NoteEffectPlugin;
use nice_plug::wrapper::standalone::nice_export_standalone;

fn main() -> ExitCode {
    if nice_export_standalone::<NoteEffectPlugin>() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
