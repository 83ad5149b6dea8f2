//! Antiphon without a host: a MIDI keyboard suffices. `--help` lists backends and options.

use std::process::ExitCode;

fn main() -> ExitCode {
    if antiphon::plugin::run_program() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
