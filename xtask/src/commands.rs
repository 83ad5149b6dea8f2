//! `cargo xtask commands`: checks that every command in the README and the pages exists and runs; its tests check
//! that the JSON that programs read is as docs/json.md says.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, Result, bail};
use clap::{Parser, error::ErrorKind};

use crate::{
    bundle, file,
    midi_file::{MidiFile, Part, Placed},
};

/// The pages that are searched besides the folder `docs`.
const PAGES: [&str; 5] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "models/antiphon.md"];
/// Beginnings of commands.
const BEGINNINGS: [&str; 3] = ["cargo ", "tests/", "benches/"];
/// Ends of commands: what follows is another command, a comment, or where the output goes.
const ENDS: [&str; 5] = [" # ", "; ", " && ", " | ", " > "];
/// Commands that need hours, a screen, a network or rights, and why each is left out.
const LEFT_OUT: [(&str, &str); 13] = [
    ("cargo test", "CI runs it"),
    ("cargo clippy", "CI runs it"),
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

/// The number of minutes that replaces any other in commands that train.
const MINUTES: &str = "0.1";

/// Check that every command in the README and in docs is one, and run them once
#[derive(clap::Args)]
pub struct Arguments {
    /// Run every command of a block once as well, in target/commands; hours where corpora are at hand
    #[arg(long)]
    run: bool,
    /// The folder that the pages call PATH, with corpora in it; without it, what needs one is not run
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

/// A command on a page, and how it is written there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PageCommand {
    page: String,
    line: String,
    markup: Markup,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Markup {
    /// In a code block: to be typed as it stands.
    Block,
    /// Within a sentence that names it.
    Inline,
}

/// The folder in which commands are run, and the files there.
struct Sandbox {
    folder: PathBuf,
    data: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let root = bundle::root_folder()?;
    let found = commands(root)?;
    let faults: Vec<String> = found.iter().filter_map(|found| fault(root, found)).collect();
    if !faults.is_empty() {
        bail!("some commands are none:\n{}", faults.join("\n"));
    }
    println!("{} commands are commands", found.len());
    if arguments.run { run_all(root, &found, arguments.data.as_deref()) } else { Ok(()) }
}

/// Why a command cannot be typed as it stands.
fn fault(root: &Path, found: &PageCommand) -> Option<String> {
    let told = |what: &str| Some(format!("{}: `{}`: {what}", found.page, found.line));
    let Some(words) = words(&found.line) else { return told("a quote has no end") };
    match words.first().map(String::as_str) {
        Some("cargo") if words.get(1).is_some_and(|word| word == "xtask") => {
            let error = crate::Command::try_parse_from(&words[1..]).err()?;
            let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // In a sentence a command may stand alone, without its arguments.
            let is_named = found.markup == Markup::Inline
                && matches!(
                    error.kind(),
                    ErrorKind::MissingRequiredArgument
                        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                        | ErrorKind::MissingSubcommand
                );
            let first = error.to_string();
            (!is_help && !is_named).then(|| told(first.lines().next().unwrap_or_default())).flatten()
        }
        Some(script) if script.starts_with("tests/") || script.starts_with("benches/") => {
            if root.join(script).exists() { None } else { told("there is no such script") }
        }
        _ => None,
    }
}

/// All commands, page by page.
///
/// # Errors
/// When a page cannot be read.
fn commands(root: &Path) -> Result<Vec<PageCommand>> {
    let mut pages: Vec<String> = PAGES.map(str::to_owned).into();
    for entry in root.join("docs").read_dir().context("there is a folder docs")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        pages.extend(name.ends_with(".md").then(|| format!("docs/{name}")));
    }
    pages.sort();
    let mut found = Vec::new();
    for page in pages {
        let text = fs::read_to_string(root.join(&page)).with_context(|| format!("cannot read {page}"))?;
        found.extend(on_page(&text).into_iter().map(|(line, markup)| PageCommand {
            page: page.clone(),
            line,
            markup,
        }));
    }
    Ok(found)
}

/// Splits a command into words as a shell does; `None` if a quote has no end. Dots for "and so on" are
/// removed, and N becomes a number.
fn words(line: &str) -> Option<Vec<String>> {
    let words = shlex::split(line)?.into_iter().filter(|word| word != "...");
    Some(words.map(|word| if word == "N" { "1".to_owned() } else { word }).collect())
}

fn on_page(text: &str) -> Vec<(String, Markup)> {
    let mut found = Vec::new();
    // Blocks and sentences alternate, and within sentences text and code alternate.
    for (part, is_block) in text.split("```").zip([false, true].into_iter().cycle()) {
        if is_block {
            found.extend(part.lines().skip(1).filter_map(command).map(|line| (line, Markup::Block)));
        } else {
            let code = part.split('`').skip(1).step_by(2).map(|code| code.replace('\n', " "));
            found.extend(code.filter_map(|code| command(&code)).map(|line| (line, Markup::Inline)));
        }
    }
    found
}

fn command(line: &str) -> Option<String> {
    let end = ENDS.iter().filter_map(|end| line.find(end)).min().unwrap_or(line.len());
    let line = line[..end].trim();
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning)).then(|| line.to_owned())
}

/// Runs the commands that can be run, and names those that were not.
///
/// # Errors
/// When a command fails; the others are run all the same.
fn run_all(root: &Path, found: &[PageCommand], data: Option<&Path>) -> Result<()> {
    let sandbox = Sandbox::new(data)?;
    let mut failed = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    for PageCommand { line, .. } in found.iter().filter(|found| found.markup == Markup::Block) {
        if done.contains(&line.as_str()) {
            continue;
        }
        done.push(line);
        match sandbox.obstacle(line) {
            Some(why) => println!("not run  {line}: {why}"),
            None if sandbox.run(root, line)? => println!("ran      {line}"),
            None => failed.push(line.as_str()),
        }
    }
    if !failed.is_empty() {
        bail!("these fail:\n{}", failed.join("\n"));
    }
    Ok(())
}

impl Sandbox {
    fn new(data: Option<&Path>) -> Result<Self> {
        let folder = bundle::target_folder()?.join("commands");
        for inside in ["docs", "FOLDER", "FILES", "mine"] {
            fs::create_dir_all(folder.join(inside))
                .with_context(|| format!("cannot write {}", folder.display()))?;
        }
        for place in ["song.mid", "FILE", "ANY.mid"] {
            file::replace(&[(folder.join(place), song(0)?)])?;
        }
        for inside in ["FOLDER", "FILES", "mine"] {
            for (higher, name) in (1..).zip(["one.mid", "two.mid", "three.mid"]) {
                file::replace(&[(folder.join(inside).join(name), song(higher)?)])?;
            }
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

    /// Whether the command succeeds. Files that it would write into `docs` are written into the sandbox.
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
        if let Some(option) = words.iter().position(|word| word == "--minutes") {
            words[option + 1] = MINUTES.to_owned();
        }
        let status = match &words[..] {
            [cargo, xtask, rest @ ..] if cargo == "cargo" && xtask == "xtask" => {
                process::Command::new(std::env::current_exe()?).args(rest).current_dir(&self.folder).status()
            }
            [program, rest @ ..] => process::Command::new(program).args(rest).current_dir(root).status(),
            [] => return Ok(true),
        };
        Ok(status.with_context(|| format!("`{line}` does not start"))?.success())
    }
}

/// A MIDI file of a minute, transposed up by `higher` semitones, to learn from and to continue.
fn song(higher: u8) -> Result<Vec<u8>> {
    const TICKS: u64 = 240;
    let note = |index: u64| Placed {
        channel: 0,
        key: 60 + higher + (index * 5 % 12) as u8,
        velocity: 60 + (index % 40) as u8,
        on: index * TICKS,
        off: index * TICKS + TICKS - 20,
    };
    let part = Part { name: "Piano".to_owned(), program: None, notes: (0..240).map(note).collect() };
    MidiFile { ticks_per_quarter: 480, marks: Vec::new(), parts: vec![part] }.bytes()
}

#[cfg(test)]
pub mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    const PAGE: &str = include_str!("../../docs/json.md");

    fn found(line: &str, markup: Markup) -> PageCommand {
        PageCommand { page: "README.md".to_owned(), line: line.to_owned(), markup }
    }

    #[test]
    fn every_command_in_the_readme_and_in_docs_is_one() {
        run(&Arguments { run: false, data: None }).unwrap_or_else(|error| panic!("{error}"));
    }

    #[test]
    fn a_command_that_is_none_is_a_fault() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let fault = |line: &str, markup| fault(root, &found(line, markup));
        assert_eq!(fault("cargo xtask demo --fast", Markup::Block), None);
        assert_eq!(fault("cargo xtask --help", Markup::Inline), None);
        assert!(
            fault("cargo xtask demo --quick", Markup::Block).is_some_and(|told| told.contains("--quick"))
        );
        assert!(fault("cargo xtask dance", Markup::Inline).is_some());
        assert!(fault("cargo xtask inspect", Markup::Block).is_some(), "a block is typed as it stands");
        assert_eq!(fault("cargo xtask inspect", Markup::Inline), None);
        assert!(fault("tests/hosts/none.sh", Markup::Block).is_some());
    }

    #[test]
    fn commands_are_found_in_blocks_and_in_sentences_and_nothing_else_is() {
        let text = "Type `cargo xtask demo --bars\n9`, not `target` or `Play`.\n\n```sh\ncargo xtask tidy   # a rule\n\
                    musescore -o x && y\ncargo test; cargo doc\n```\n\nOr `tests/a.sh`.\n";
        let found = on_page(text);
        let lines: Vec<(&str, Markup)> =
            found.iter().map(|(line, markup)| (line.as_str(), *markup)).collect();
        assert_eq!(
            lines,
            [
                ("cargo xtask demo --bars 9", Markup::Inline),
                ("cargo xtask tidy", Markup::Block),
                ("cargo test", Markup::Block),
                ("tests/a.sh", Markup::Inline),
            ]
        );
    }

    #[test]
    fn words_are_those_of_a_shell() {
        let words = words("inspect FILE ... --set \"Register low=C3\"").expect("words");
        assert_eq!(words, ["inspect", "FILE", "--set", "Register low=C3"]);
        assert_eq!(super::words("say \"so"), None);
    }

    /// Asserts that the section of a command names the keys that are printed and no others.
    pub fn assert_documented(command: &str, printed: &Value) {
        let begins = format!("## `{command}`\n");
        let (_, section) = PAGE.split_once(&begins).expect("each command has a section");
        let section = section.split("\n## ").next().unwrap_or_default();
        let mut keys = BTreeSet::new();
        collect(printed, &mut keys);
        let (mut rows, mut named) = (BTreeSet::new(), BTreeSet::new());
        for row in section.lines().filter(|line| line.starts_with("| `")) {
            let (head, told) = row[2..].split_once('|').expect("two columns");
            rows.extend(code(head));
            named.extend(code(told));
        }
        let untold: Vec<_> =
            keys.iter().filter(|key| !rows.contains(*key) && !named.contains(*key)).collect();
        assert!(untold.is_empty(), "{command}: docs/json.md does not tell of {untold:?}");
        let gone: Vec<_> = rows.difference(&keys).collect();
        assert!(gone.is_empty(), "{command}: {gone:?} of docs/json.md are not printed");
    }

    /// The texts between backticks.
    fn code(text: &str) -> impl Iterator<Item = String> {
        text.split('`').skip(1).step_by(2).map(str::to_owned)
    }

    fn collect(value: &Value, keys: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    keys.insert(key.clone());
                    collect(value, keys);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, keys)),
            _ => {}
        }
    }
}
