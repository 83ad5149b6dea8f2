//! The library that hosts load. It exports the plugins of [`antiphon`].

use std::{
    env::{
        self,
        consts::{DLL_PREFIX, DLL_SUFFIX},
    },
    io,
    path::PathBuf,
};

pub use antiphon::plugin::clap_entry;

/// The path of that library, as cargo has built it for the running program or test, which must depend on this
/// crate.
///
/// # Errors
/// When the system does not tell where the program lies.
pub fn built() -> io::Result<PathBuf> {
    let name = format!("{DLL_PREFIX}{}{DLL_SUFFIX}", env!("CARGO_CRATE_NAME"));
    let program = env::current_exe()?;
    // A test is in the folder `deps` itself, a program above it.
    let is_test = program.parent().is_some_and(|folder| folder.ends_with("deps"));
    Ok(program.with_file_name(if is_test { name } else { format!("deps/{name}") }))
}
