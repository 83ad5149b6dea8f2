//! The commands that stand on the pages.

use std::{fs, path::Path};

use anyhow::{Context, Result};

/// What is looked through beside the folder `docs`.
const PAGES: [&str; 5] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "models/antiphon.md"];
/// A command begins with one of these.
const BEGINNINGS: [&str; 3] = ["cargo ", "tests/", "benches/"];
/// And ends before one of these, where another begins or its output goes elsewhere.
const ENDS: [&str; 5] = [" # ", "; ", " && ", " | ", " > "];

/// A command on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub page: String,
    pub line: String,
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// To be typed as it stands.
    Block,
    Sentence,
}

/// All of them, page by page.
///
/// # Errors
/// When a page cannot be read.
pub fn commands(root: &Path) -> Result<Vec<Found>> {
    let mut pages: Vec<String> = PAGES.map(str::to_owned).into();
    for entry in root.join("docs").read_dir().context("there is a folder docs")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        pages.extend(name.ends_with(".md").then(|| format!("docs/{name}")));
    }
    pages.sort();
    let mut found = Vec::new();
    for page in pages {
        let text = fs::read_to_string(root.join(&page)).with_context(|| format!("cannot read {page}"))?;
        found.extend(on_page(&text).into_iter().map(|(line, place)| Found {
            page: page.clone(),
            line,
            place,
        }));
    }
    Ok(found)
}

/// What a shell makes of a command: `None` where a quote has no end. Dots that stand for more of the same go, and N is a
/// number.
pub fn words(line: &str) -> Option<Vec<String>> {
    let words = shlex::split(line)?.into_iter().filter(|word| word != "...");
    Some(words.map(|word| if word == "N" { "1".to_owned() } else { word }).collect())
}

fn on_page(text: &str) -> Vec<(String, Place)> {
    let mut found = Vec::new();
    // Blocks and sentences take turns, and so do sentences and the code in them.
    for (part, is_block) in text.split("```").zip([false, true].into_iter().cycle()) {
        if is_block {
            found.extend(part.lines().skip(1).filter_map(command).map(|line| (line, Place::Block)));
        } else {
            let code = part.split('`').skip(1).step_by(2).map(|code| code.replace('\n', " "));
            found.extend(code.filter_map(|code| command(&code)).map(|line| (line, Place::Sentence)));
        }
    }
    found
}

fn command(line: &str) -> Option<String> {
    let end = ENDS.iter().filter_map(|end| line.find(end)).min().unwrap_or(line.len());
    let line = line[..end].trim();
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning)).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_blocks_and_in_sentences_and_nothing_else_is() {
        let text = "Type `cargo xtask demo --bars\n9`, not `target` or `Play`.\n\n```sh\ncargo xtask tidy   # a rule\n\
                    musescore -o x && y\ncargo test; cargo doc\n```\n\nOr `tests/a.sh`.\n";
        let found = on_page(text);
        let lines: Vec<(&str, Place)> = found.iter().map(|(line, place)| (line.as_str(), *place)).collect();
        assert_eq!(
            lines,
            [
                ("cargo xtask demo --bars 9", Place::Sentence),
                ("cargo xtask tidy", Place::Block),
                ("cargo test", Place::Block),
                ("tests/a.sh", Place::Sentence),
            ]
        );
    }

    #[test]
    fn words_are_those_of_a_shell() {
        let words = words("inspect FILE ... --set \"Register low=C3\"").expect("words");
        assert_eq!(words, ["inspect", "FILE", "--set", "Register low=C3"]);
        assert_eq!(super::words("say \"so"), None);
    }
}
