//! The project's commands: `cargo xtask --help`.

use std::process::ExitCode;

use clap::Parser;

mod corpus;
mod score;
mod train;

/// Everything around the plugin: training, measuring, packing.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
enum Command {
    Train(train::Arguments),
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Train(arguments) => train::run(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
