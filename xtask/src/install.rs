//! `cargo xtask install` and `uninstall`: copy bundles and presets to where hosts look on each system, or remove them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::bundle;

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

/// An operating system that hosts run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    Linux,
    MacOs,
    Windows,
}

/// The user's folders, as the system names them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UserFolders {
    home: PathBuf,
    /// `%LOCALAPPDATA%` on Windows.
    local_data: PathBuf,
    documents: PathBuf,
}

/// The folders in which hosts look, for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HostFolders {
    clap: PathBuf,
    vst3: PathBuf,
    /// The folder of VST3 presets, with folders for vendors and plugins.
    presets: PathBuf,
}

#[derive(Debug, PartialEq, Eq)]
enum Removal {
    Done,
    NothingThere,
}

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

/// Copies a file, or a folder with everything in it.
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

impl System {
    pub const HERE: Self = if cfg!(target_os = "macos") {
        Self::MacOs
    } else if cfg!(windows) {
        Self::Windows
    } else {
        Self::Linux
    };

    /// Its name in the names of packages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::MacOs => "macos",
            Self::Windows => "windows",
        }
    }

    /// The host folders of a user, which need no administrator rights.
    fn host_folders(self, user: &UserFolders) -> HostFolders {
        let in_home = |folder: &str| user.home.join(folder);
        match self {
            Self::Linux => HostFolders {
                clap: in_home(".clap"),
                vst3: in_home(".vst3"),
                presets: in_home(".vst3").join("presets"),
            },
            Self::MacOs => HostFolders {
                clap: in_home("Library/Audio/Plug-Ins/CLAP"),
                vst3: in_home("Library/Audio/Plug-Ins/VST3"),
                presets: in_home("Library/Audio/Presets"),
            },
            Self::Windows => {
                let common = user.local_data.join("Programs").join("Common");
                HostFolders {
                    clap: common.join("CLAP"),
                    vst3: common.join("VST3"),
                    presets: user.documents.join("VST3 Presets"),
                }
            }
        }
    }
}

impl UserFolders {
    /// The folders of the user who runs this.
    ///
    /// # Errors
    /// When the system knows no home folder.
    fn of_user() -> Result<Self> {
        let home = dirs::home_dir().context("this system names no home folder: set HOME to yours")?;
        Ok(Self::in_home(&home, dirs::data_local_dir().as_deref(), dirs::document_dir().as_deref()))
    }

    fn in_home(home: &Path, local_data: Option<&Path>, documents: Option<&Path>) -> Self {
        Self {
            home: home.to_owned(),
            local_data: local_data.map_or_else(|| home.join("AppData/Local"), Path::to_owned),
            documents: documents.map_or_else(|| home.join("Documents"), Path::to_owned),
        }
    }
}

fn host_folders() -> Result<HostFolders> {
    Ok(System::HERE.host_folders(&UserFolders::of_user()?))
}

/// The files and folders among the bundles, each with its destination.
fn places(folders: &HostFolders) -> [(PathBuf, PathBuf); 3] {
    let (clap, vst3, vendor) = ("Antiphon.clap", "Antiphon.vst3", bundle::VENDOR);
    [
        (clap.into(), folders.clap.join(clap)),
        (vst3.into(), folders.vst3.join(vst3)),
        (Path::new(bundle::PRESETS).join(vendor), folders.presets.join(vendor)),
    ]
}

/// Copies a file or a folder, and replaces what was there once everything is copied.
///
/// # Errors
/// When something cannot be read or written, for example because a host on Windows has the old file open.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::Folder;

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

    #[test]
    fn every_system_has_the_folders_that_its_hosts_look_into() {
        let user = UserFolders::in_home(Path::new("/me"), Some(Path::new("/local")), None);
        let folders = |system: System| {
            let HostFolders { clap, vst3, presets } = system.host_folders(&user);
            [clap, vst3, presets].map(|folder| folder.to_string_lossy().replace('\\', "/"))
        };
        assert_eq!(folders(System::Linux), ["/me/.clap", "/me/.vst3", "/me/.vst3/presets"]);
        assert_eq!(
            folders(System::MacOs),
            [
                "/me/Library/Audio/Plug-Ins/CLAP",
                "/me/Library/Audio/Plug-Ins/VST3",
                "/me/Library/Audio/Presets"
            ]
        );
        assert_eq!(
            folders(System::Windows),
            ["/local/Programs/Common/CLAP", "/local/Programs/Common/VST3", "/me/Documents/VST3 Presets"]
        );
    }
}
