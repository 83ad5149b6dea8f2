//! The file that hosts load. What it offers to them, [`antiphon`] exports.

use std::{
    env::{
        self,
        consts::{DLL_PREFIX, DLL_SUFFIX},
    },
    io,
    path::PathBuf,
};

pub use antiphon::plugin::clap_entry;

/// That file, as cargo has built it for the running program or test, which has to depend on this crate.
///
/// # Errors
/// When the system does not tell where the program lies.
pub fn built() -> io::Result<PathBuf> {
    let name = format!("{DLL_PREFIX}{}{DLL_SUFFIX}", env!("CARGO_CRATE_NAME"));
    let program = env::current_exe()?;
    // A test lies in that folder itself, a program above it.
    let is_test = program.parent().is_some_and(|folder| folder.ends_with("deps"));
    Ok(program.with_file_name(if is_test { name } else { format!("deps/{name}") }))
}
