//! `cargo xtask tidy`: the rules of the house that the compiler does not know.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use crate::bundle;

/// Check the rules of the house: the pure core stays pure, files stay short, nothing is left half done.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

/// Words that the pure core must not use: framework, tensors, lanes, threads, locks, clocks.
const FOREIGN_TO_MUSIC: [&str; 17] = [
    "nice_plug",
    "candle_core",
    "candle_nn",
    "gemm",
    "rayon",
    "rtrb",
    "crossbeam",
    "parking_lot",
    "thread",
    "sync",
    "atomic",
    "Mutex",
    "RwLock",
    "Instant",
    "performer",
    "improviser",
    "worker",
];
/// The files of the pure core, from the root of the project.
const PURE: [&str; 8] = [
    "src/music.rs",
    "src/music",
    "src/synth.rs",
    "src/synth",
    "src/model/sampling.rs",
    "src/model/sampling_settings.rs",
    "src/model/antiphon/vocabulary.rs",
    "src/model/antiphon/scene.rs",
];
/// Words of what the audio thread never does: to lock, to log, to wait.
const FOREIGN_TO_AUDIO: [&str; 10] = [
    "parking_lot",
    "Mutex",
    "RwLock",
    "Condvar",
    "LazyLock",
    "OnceLock",
    "mpsc",
    "println",
    "eprintln",
    "park",
];
/// The code that runs on the audio thread only.
const AUDIO: [&str; 5] = ["src/host.rs", "src/performer.rs", "src/performer", "src/synth.rs", "src/synth"];
/// The name of the framework's packages.
const FRAMEWORK: &str = "nice_plug";
/// The only files that may use that name.
const KNOW_THE_FRAMEWORK: [&str; 7] = [
    "src/editor.rs",
    "src/editor",
    "src/host.rs",
    "src/params.rs",
    "src/params",
    "src/plugin.rs",
    "src/plugin",
];
/// Marks of unfinished work and of tests that prove nothing. They are spelled in halves, so that this file
/// has none.
const UNFINISHED: [&str; 7] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[ig", "nore"),
    concat!("dbg", "!("),
    concat!("thread::sl", "eep"),
];
const LONGEST_FILE_LINES: usize = 400;
/// Files that may sleep: a host that plays in real time must wait.
const MAY_SLEEP: [&str; 3] =
    ["test-host/src/play.rs", "test-host/src/clap/process.rs", "xtask/src/verify/soak.rs"];

pub fn run(_: &Arguments) -> anyhow::Result<()> {
    let root = bundle::root_folder()?;
    let mut faults = Vec::new();
    for folder in ["src", "test-host", "xtask", "tests", "benches"] {
        for file in rust_files(&root.join(folder))? {
            let text =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            faults.extend(faults_of(&name, &text));
        }
    }
    if !faults.is_empty() {
        bail!("the house is not tidy:\n{}", faults.join("\n"));
    }
    println!("tidy");
    Ok(())
}

fn faults_of(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let is_among =
        |places: &[&str]| places.iter().any(|place| name == *place || name.starts_with(&format!("{place}/")));
    let (pure, audio) = (is_among(&PURE), is_among(&AUDIO));
    let frameless = name.starts_with("src/") && !is_among(&KNOW_THE_FRAMEWORK);
    for (number, line) in (1..).zip(text.lines()) {
        let mut fault = |what: &str| faults.push(format!("{name}:{number}: {what}"));
        let code = line.split("//").next().unwrap_or(line);
        for word in code.split(|letter: char| !letter.is_alphanumeric() && letter != '_') {
            if pure && FOREIGN_TO_MUSIC.contains(&word) {
                fault(&format!("the pure core names {word}"));
            }
            if frameless && word.starts_with(FRAMEWORK) {
                fault(&format!("{word} is named outside of what hosts and the window see"));
            }
            if audio && FOREIGN_TO_AUDIO.contains(&word) {
                fault(&format!("the audio thread names {word}"));
            }
        }
        let sleeps = MAY_SLEEP.contains(&name) && line.contains(UNFINISHED[6]);
        if let Some(mark) = UNFINISHED.iter().find(|mark| line.contains(**mark) && !sleeps) {
            fault(&format!("{mark} is left"));
        }
    }
    let lines = text.lines().count();
    if lines > LONGEST_FILE_LINES {
        faults.push(format!("{name}: {lines} lines, at most {LONGEST_FILE_LINES}: give each role a file"));
    }
    faults
}

/// All files of Rust in a folder and below; none where there is no such folder.
pub fn rust_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return Ok(files) };
    for entry in entries {
        let path = entry.with_context(|| format!("cannot list {}", folder.display()))?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        run(&Arguments {}).unwrap_or_else(|error| panic!("{error}"));
    }

    #[test]
    fn a_lock_in_the_pure_core_is_a_fault() {
        assert_eq!(faults_of("src/music/turn.rs", "use std::sync::Arc;\n").len(), 1);
        assert_eq!(faults_of("src/music/turn.rs", "use std::{sync::Arc, thread};\n").len(), 2);
        assert_eq!(faults_of("src/music/turn.rs", "// The worker does this.\n").len(), 0);
        assert_eq!(faults_of("src/music_box.rs", "use std::sync::Arc;\n").len(), 0);
    }

    #[test]
    fn a_lock_on_the_audio_thread_is_a_fault() {
        assert_eq!(faults_of("src/performer/port.rs", "static LOCK: Mutex<()> = Mutex::new(());\n").len(), 2);
        assert_eq!(faults_of("src/worker.rs", "use std::sync::Mutex;\n").len(), 0);
    }

    #[test]
    fn the_framework_in_the_engine_is_a_fault() {
        assert_eq!(faults_of("src/improviser.rs", "use nice_plug_egui::Frame;\n").len(), 1);
        assert_eq!(faults_of("src/editor/window.rs", "use nice_plug_egui::Frame;\n").len(), 0);
    }

    #[test]
    fn a_test_that_is_skipped_is_a_fault() {
        assert_eq!(faults_of("tests/any.rs", concat!("#[ig", "nore]\n")).len(), 1);
    }

    #[test]
    fn a_long_file_is_a_fault() {
        assert_eq!(faults_of("src/any.rs", &"\n".repeat(LONGEST_FILE_LINES + 1)).len(), 1);
    }
}
