//! `cargo xtask window`: the plugin's window in a host, on a display that is there or on one that nobody sees.

mod bare;
mod compare;
mod display;
mod music;
mod openings;
mod picture;
#[cfg(feature = "jack")]
mod play;

use anyhow::Result;

/// Open the plugin's window in a host: keep a picture of it, open it again and again, tell what it costs
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Compare(compare::Arguments),
    Openings(openings::Arguments),
    Picture(picture::Arguments),
    #[cfg(feature = "jack")]
    Play(play::Arguments),
}

pub fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        Command::Compare(arguments) => compare::run(arguments),
        Command::Openings(arguments) => openings::run(arguments),
        Command::Picture(arguments) => picture::run(arguments),
        #[cfg(feature = "jack")]
        Command::Play(arguments) => play::run(arguments),
    }
}
