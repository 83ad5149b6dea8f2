//! The project's commands: `cargo xtask --help`.

use std::process::ExitCode;

use clap::Parser;

mod bench;
mod corpus;
mod evaluate;
mod inspect;
mod memory;
mod score;
mod train;

/// Everything around the plugin: training, measuring, packing.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
enum Command {
    Bench(bench::Arguments),
    Evaluate(evaluate::Arguments),
    Inspect(inspect::Arguments),
    Train(train::Arguments),
}

fn main() -> ExitCode {
    memory::keep_freed();
    let result = match Command::parse() {
        Command::Bench(arguments) => bench::run(arguments),
        Command::Evaluate(arguments) => evaluate::run(arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
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
