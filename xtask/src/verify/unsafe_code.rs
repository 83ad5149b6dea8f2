//! Every unsafe block of the project, with its argument. That each has one is clippy's to check.

use std::{fmt::Write, fs, path::Path};

use anyhow::{Context, Result};

use crate::tidy::rust_files;

const ARGUMENT: &str = "// SAFETY:";

/// A chapter of the page.
pub fn listed(root: &Path) -> Result<String> {
    let mut chapter =
        String::from("\n## Unsafe code\n\n| where | blocks | why they are sound |\n|---|---|---|\n");
    for folder in ["src", "stage", "xtask"] {
        let mut files = rust_files(&root.join(folder))?;
        files.sort();
        for file in files {
            let text =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let name = file.strip_prefix(root).unwrap_or(&file).display();
            for (argument, blocks) in counted(arguments(&text)) {
                writeln!(chapter, "| `{name}` | {blocks} | {argument} |")?;
            }
        }
    }
    Ok(chapter)
}

/// What stands behind each mark, over as many lines of comment as it takes.
fn arguments(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        let Some(argument) = line.strip_prefix(ARGUMENT) else { continue };
        let mut argument = argument.trim().to_owned();
        while let Some(more) = lines.next_if(|line| line.starts_with("//")) {
            argument = format!("{argument} {}", more.trim_start_matches('/').trim());
        }
        found.push(argument);
    }
    found
}

/// Each argument once, in the order of their first blocks, and how many blocks it stands before.
fn counted(arguments: Vec<String>) -> Vec<(String, usize)> {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for argument in arguments {
        match counted.iter_mut().find(|(known, _)| *known == argument) {
            Some((_, blocks)) => *blocks += 1,
            None => counted.push((argument, 1)),
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_of_two_lines_is_one() {
        let text = concat!("x\n// SAFE", "TY: it is\n// sound.\nunsafe {}\n");
        assert_eq!(arguments(text), ["it is sound."]);
    }

    #[test]
    fn an_argument_that_stands_before_two_blocks_is_one_line() {
        let of = |arguments: [&str; 3]| counted(arguments.map(str::to_owned).into());
        assert_eq!(of(["a", "b", "a"]), [("a".to_owned(), 2), ("b".to_owned(), 1)]);
    }
}
