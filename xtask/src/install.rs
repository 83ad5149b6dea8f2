//! `cargo xtask install` and `cargo xtask uninstall`: the bundles and presets, where hosts look.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    bundle,
    system::{HostFolders, System, UserFolders},
};

/// Build the plugin for musicians and copy it, with its presets, to where hosts look
#[derive(clap::Args)]
pub struct Arguments {
    /// Install what the last build has: sooner there, and slower
    #[arg(long)]
    as_built: bool,
}

/// Take away what `install` has copied
#[derive(clap::Args)]
pub struct RemovalArguments {}

pub fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.as_built && !bundle::is_release()? {
        return bundle::run_in_release(&["install".as_ref()]);
    }
    bundle::run(&bundle::Arguments {})?;
    let from = bundle::bundled_folder()?;
    for (what, to) in places(&host_folders()?) {
        put(&from.join(&what), &to)?;
        println!("{}", to.display());
    }
    println!(
        "Now have your host look for plugins again, and load Antiphon (instrument slot) to hear it at once."
    );
    Ok(())
}

pub fn run_removal(_: &RemovalArguments) -> Result<()> {
    for (_, place) in places(&host_folders()?) {
        match take_away(&place)? {
            Removal::Done => println!("removed {}", place.display()),
            Removal::NothingThere => println!("not there: {}", place.display()),
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Removal {
    Done,
    NothingThere,
}

fn host_folders() -> Result<HostFolders> {
    Ok(System::HERE.host_folders(&UserFolders::of_user()?))
}

/// What lies in the folder of bundles, and where it goes.
fn places(folders: &HostFolders) -> [(PathBuf, PathBuf); 3] {
    let (clap, vst3, vendor) = ("Antiphon.clap", "Antiphon.vst3", "Antiphon");
    [
        (clap.into(), folders.clap.join(clap)),
        (vst3.into(), folders.vst3.join(vst3)),
        (Path::new(bundle::PRESETS).join(vendor), folders.presets.join(vendor)),
    ]
}

/// Copies a file or a folder; what was there before is replaced, once all is copied.
///
/// # Errors
/// When something cannot be read or written, as where a host on Windows holds the old file.
fn put(from: &Path, to: &Path) -> Result<()> {
    let held = || {
        format!("{} cannot be written: close the hosts that have it open, and see whose it is", to.display())
    };
    let mut coming = to.as_os_str().to_owned();
    coming.push(".part");
    let coming = PathBuf::from(coming);
    fs::create_dir_all(to.parent().context("a place to install lies in a folder")?).with_context(held)?;
    take_away(&coming)?;
    copy_all(from, &coming).with_context(held)?;
    take_away(to).with_context(held)?;
    fs::rename(&coming, to).with_context(held)
}

fn take_away(place: &Path) -> Result<Removal> {
    let removed = match place.is_dir() {
        true => fs::remove_dir_all(place),
        false => fs::remove_file(place),
    };
    match removed {
        Ok(()) => Ok(Removal::Done),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Removal::NothingThere),
        Err(error) => Err(error).with_context(|| {
            format!("{} cannot be removed: close the hosts that have it open", place.display())
        }),
    }
}

/// A file, or a folder with all that is in it.
pub fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(|_| ());
    }
    fs::create_dir_all(to)?;
    for entry in from.read_dir()? {
        let entry = entry?;
        copy_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Folder;

    fn folders(home: &Folder) -> HostFolders {
        HostFolders { clap: home.join("clap"), vst3: home.join("vst3"), presets: home.join("vst3/presets") }
    }

    #[test]
    fn what_is_installed_is_whole_replaces_what_was_there_and_goes_again() {
        let (bundles, home) = (Folder::new("bundles"), Folder::new("home"));
        bundles.write("Antiphon.clap", b"new");
        fs::create_dir_all(bundles.join("Antiphon.vst3/Contents")).expect("a folder");
        bundles.write("Antiphon.vst3/Contents/library", b"new");
        fs::create_dir_all(bundles.join("VST3 Presets/Antiphon/Antiphon")).expect("a folder");
        bundles.write("VST3 Presets/Antiphon/Antiphon/one.vstpreset", b"new");
        fs::create_dir_all(home.join("vst3/Antiphon.vst3/Contents")).expect("a folder");
        home.write("vst3/Antiphon.vst3/Contents/stale", b"old");
        let places = places(&folders(&home));
        for (what, to) in &places {
            put(&bundles.join(&what.to_string_lossy()), to).expect("it is copied");
        }
        for file in [
            "clap/Antiphon.clap",
            "vst3/Antiphon.vst3/Contents/library",
            "vst3/presets/Antiphon/Antiphon/one.vstpreset",
        ] {
            assert_eq!(fs::read(home.join(file)).expect(file), b"new");
        }
        assert!(!home.join("vst3/Antiphon.vst3/Contents/stale").exists());
        for (_, place) in &places {
            assert_eq!(take_away(place).expect("it goes"), Removal::Done);
            assert_eq!(take_away(place).expect("it is gone"), Removal::NothingThere);
            assert!(!place.exists());
        }
        assert!(home.join("vst3/presets").exists(), "what is not ours stays");
    }

    #[test]
    fn where_nothing_was_bundled_a_sentence_says_so_and_what_was_there_stays() {
        let home = Folder::new("no-bundle");
        home.write("Antiphon.clap", b"old");
        let error =
            put(&home.join("missing.clap"), &home.join("Antiphon.clap")).expect_err("nothing to copy");
        assert!(format!("{error:#}").contains("cannot be written"), "{error:#}");
        assert_eq!(fs::read(home.join("Antiphon.clap")).expect("the old one"), b"old");
    }
}
