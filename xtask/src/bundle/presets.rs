//! The presets as files, for VST3 hosts. CLAP hosts ask the plugin itself.

use std::{fs, path::Path};

use antiphon::{
    plugin::{Exported, InstrumentSlot, NoteEffect, Variant},
    presets::PRESETS,
};
use anyhow::{Context, Result};

/// The folder of the vendor, as hosts look for it.
const VENDOR: &str = "Antiphon";

/// Lays out a folder for each plugin within a folder, as VST3 hosts look for them; what lay there before is replaced.
///
/// # Errors
/// When a file cannot be written.
pub fn lay_out(folder: &Path) -> Result<()> {
    let plugins = [
        (NoteEffect::NAME, NoteEffect::VST3_CLASS_ID),
        (InstrumentSlot::NAME, InstrumentSlot::VST3_CLASS_ID),
    ];
    for (name, class) in plugins {
        let folder = folder.join(VENDOR).join(name);
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        for preset in PRESETS {
            let file = folder.join(preset.name).with_extension("vstpreset");
            fs::write(&file, preset.vstpreset(class))
                .with_context(|| format!("{} cannot be written", file.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Folder;

    #[test]
    fn every_plugin_has_a_file_for_every_preset() {
        let folder = Folder::new("presets");
        lay_out(&folder.join("presets")).expect("a folder");
        for plugin in [NoteEffect::NAME, InstrumentSlot::NAME] {
            for preset in PRESETS {
                let file = format!("presets/Antiphon/{plugin}/{}.vstpreset", preset.name);
                assert!(fs::read(folder.join(&file)).is_ok_and(|bytes| bytes.starts_with(b"VST3")), "{file}");
            }
        }
    }
}
