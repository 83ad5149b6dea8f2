//! Every command of a block, run once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::pages::{Found, Place, words};
use crate::{
    bundle, file,
    score_file::{Part, Placed, ScoreFile},
};

/// What takes hours, a screen, a network or rights, and why it is left out.
const LEFT_OUT: [(&str, &str); 12] = [
    ("cargo test", "CI runs it"),
    ("cargo run", "it builds for half an hour"),
    ("cargo +nightly", "it takes nightly Rust"),
    ("cargo deny", "it takes cargo-deny"),
    ("cargo xtask package", "it builds for half an hour"),
    ("cargo xtask install", "it writes into the user's folders"),
    ("cargo xtask uninstall", "it writes into the user's folders"),
    ("cargo xtask verify", "it runs all tests again"),
    ("cargo xtask window", "it takes a screen"),
    ("cargo xtask train --preset antiphon", "it learns for hours"),
    ("tests/", "it takes real hosts"),
    ("benches/", "it takes the peers"),
];

/// Runs what can be run, and says what was not.
///
/// # Errors
/// When a command fails; the others are run all the same.
pub fn run_all(root: &Path, found: &[Found], data: Option<&Path>) -> Result<()> {
    let ground = Ground::new(data)?;
    let mut failed = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    for Found { line, .. } in found.iter().filter(|found| found.place == Place::Block) {
        if done.contains(&line.as_str()) {
            continue;
        }
        done.push(line);
        match ground.obstacle(line) {
            Some(why) => println!("not run  {line}: {why}"),
            None if ground.run(root, line)? => println!("ran      {line}"),
            None => failed.push(line.as_str()),
        }
    }
    if !failed.is_empty() {
        bail!("these fail:\n{}", failed.join("\n"));
    }
    Ok(())
}

/// Where commands are run, and what they find there.
struct Ground {
    folder: PathBuf,
    data: Option<PathBuf>,
}

impl Ground {
    fn new(data: Option<&Path>) -> Result<Self> {
        let folder = bundle::target_folder()?.join("commands");
        for inside in ["docs", "FOLDER"] {
            fs::create_dir_all(folder.join(inside))
                .with_context(|| format!("cannot write {}", folder.display()))?;
        }
        let song = song()?;
        for place in ["song.mid", "FILE", "ANY.mid", "FOLDER/one.mid", "FOLDER/two.mid"] {
            file::replace(&[(folder.join(place), song.clone())])?;
        }
        let data = data.map(Path::canonicalize).transpose().context("--data names a folder")?;
        Ok(Self { folder, data })
    }

    /// Why a command is not run.
    fn obstacle(&self, line: &str) -> Option<&'static str> {
        let long = LEFT_OUT.iter().find(|(beginning, _)| line.starts_with(beginning)).map(|(_, why)| *why);
        long.or_else(|| (line.contains("PATH/") && self.data.is_none()).then_some("it takes --data"))
            .or_else(|| line.contains("--peers").then_some("it takes the peers"))
    }

    /// Whether the command succeeds. What it would write into `docs` it writes here.
    fn run(&self, root: &Path, line: &str) -> Result<bool> {
        let here = |inside: &str| format!("{}/{inside}", self.folder.display());
        let mut words = words(line).context("the check has read it")?;
        for word in &mut words {
            if let Some(inside) = word.strip_prefix("docs/") {
                *word = here(&format!("docs/{inside}"));
            } else if let Some((inside, data)) = word.strip_prefix("PATH/").zip(self.data.as_ref()) {
                *word = data.join(inside).display().to_string();
            } else if let Some(inside) = word.strip_prefix("target/") {
                *word = root.join("target").join(inside).display().to_string();
            }
        }
        let status = match &words[..] {
            [cargo, xtask, rest @ ..] if cargo == "cargo" && xtask == "xtask" => {
                Command::new(std::env::current_exe()?).args(rest).current_dir(&self.folder).status()
            }
            [program, rest @ ..] => Command::new(program).args(rest).current_dir(root).status(),
            [] => return Ok(true),
        };
        Ok(status.with_context(|| format!("`{line}` does not start"))?.success())
    }
}

/// A minute of a tune, so that there is something to learn and to go on from.
fn song() -> Result<Vec<u8>> {
    const TICKS: u64 = 240;
    let note = |index: u64| Placed {
        channel: 0,
        key: 60 + (index * 5 % 12) as u8,
        velocity: 60 + (index % 40) as u8,
        on: index * TICKS,
        off: index * TICKS + TICKS - 20,
    };
    let part = Part { name: "Piano".to_owned(), program: None, notes: (0..240).map(note).collect() };
    ScoreFile { ticks_per_quarter: 480, marks: Vec::new(), parts: vec![part] }.bytes()
}
