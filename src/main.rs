//! Antiphon without a host: a MIDI keyboard suffices. `--help` lists backends and options.

use std::process::ExitCode;

use antiphon::plugin::ProgramPlugin;
use nice_plug::wrapper::standalone::nice_export_standalone;

fn main() -> ExitCode {
    if nice_export_standalone::<ProgramPlugin>() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
