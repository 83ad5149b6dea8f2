//! The project's own commands; `cargo xtask --help` lists them.

mod adapt;
mod bench;
mod bundle;
mod commands;
mod continuation;
mod corpus;
mod demo;
mod evaluate;
mod file;
mod generate;
mod inspect;
mod install;
mod memory;
mod midi_file;
mod models;
mod pack;
mod package;
mod picture;
mod score;
mod sheet;
mod table;
mod tidy;
mod tonality;
mod train;
mod verify;
#[cfg(target_os = "linux")]
mod window;

use std::process::ExitCode;

use clap::Parser;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Command {
    Adapt(adapt::Arguments),
    Bench(bench::Arguments),
    Bundle(bundle::Arguments),
    Commands(commands::Arguments),
    Demo(demo::Arguments),
    Evaluate(Box<evaluate::Arguments>),
    Generate(generate::Arguments),
    Inspect(inspect::Arguments),
    Install(install::Arguments),
    Pack(pack::Arguments),
    Package(package::Arguments),
    Tidy(tidy::Arguments),
    Train(train::Arguments),
    Uninstall(install::RemovalArguments),
    Verify(verify::Arguments),
    #[cfg(target_os = "linux")]
    Window(window::Arguments),
}

fn main() -> ExitCode {
    memory::keep_freed();
    let result = match Command::parse() {
        Command::Adapt(arguments) => adapt::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Bundle(arguments) => bundle::run(&arguments),
        Command::Commands(arguments) => commands::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Install(arguments) => install::run(&arguments),
        Command::Pack(arguments) => pack::run(&arguments),
        Command::Package(arguments) => package::run(&arguments),
        Command::Tidy(arguments) => tidy::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Uninstall(arguments) => install::run_removal(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        #[cfg(target_os = "linux")]
        Command::Window(arguments) => window::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
