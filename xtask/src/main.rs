//! The project's own commands; `cargo xtask --help` lists them.

mod bench;
mod bundle;
mod corpus;
mod demo;
mod evaluate;
mod inspect;
mod memory;
mod score;
mod tidy;
mod train;

use std::process::ExitCode;

use clap::Parser;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Command {
    Bench(bench::Arguments),
    Bundle(bundle::Args),
    Demo(demo::Args),
    Evaluate(evaluate::Arguments),
    Inspect(inspect::Arguments),
    Tidy(tidy::Arguments),
    Train(train::Arguments),
}

fn main() -> ExitCode {
    memory::keep_freed();
    let result = match Command::parse() {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Bundle(args) => bundle::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Tidy(arguments) => tidy::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
