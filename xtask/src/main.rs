//! The project's own commands; `cargo xtask --help` lists them.

mod bundle;
mod demo;
mod tidy;

use std::process::ExitCode;

use clap::Parser;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
enum Command {
    Bundle(bundle::Args),
    Demo(demo::Args),
    Tidy(tidy::Arguments),
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Bundle(args) => bundle::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Tidy(arguments) => tidy::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
