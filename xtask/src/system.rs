//! Where hosts look for plugins and presets on each system. All that depends on the system about that stands here.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A system that hosts run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    Linux,
    MacOs,
    Windows,
}

/// The user's folders, as the system names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFolders {
    pub home: PathBuf,
    /// On Windows `%LOCALAPPDATA%`.
    pub local_data: PathBuf,
    pub documents: PathBuf,
}

/// Where hosts look, for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFolders {
    pub clap: PathBuf,
    pub vst3: PathBuf,
    /// Presets of VST3 plugins, by vendor and plugin.
    pub presets: PathBuf,
}

impl System {
    pub const HERE: Self = if cfg!(target_os = "macos") {
        Self::MacOs
    } else if cfg!(windows) {
        Self::Windows
    } else {
        Self::Linux
    };

    /// As packages are named.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::MacOs => "macos",
            Self::Windows => "windows",
        }
    }

    /// The user's folders, which need no rights of an administrator.
    pub fn host_folders(self, user: &UserFolders) -> HostFolders {
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
    /// Those of the user who runs this.
    ///
    /// # Errors
    /// When the system knows no home.
    pub fn of_user() -> Result<Self> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
