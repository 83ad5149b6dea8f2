//! The command that this program was called with, as one can call it again.

use std::env;

const RESUME: &str = "--resume";

/// To begin.
pub fn to_begin() -> String {
    line(words())
}

/// To go on from the checkpoint.
pub fn to_go_on() -> String {
    line(words().chain([RESUME.to_owned()]))
}

fn words() -> impl Iterator<Item = String> {
    env::args().skip(1).filter(|word| word != RESUME)
}

fn line(words: impl Iterator<Item = String>) -> String {
    words.fold("cargo xtask".into(), |line, word| format!("{line} {}", quoted(&word)))
}

/// As shells understand it.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./\\:=,+@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_a_shell_would_take_apart_stand_in_quotes() {
        let words = ["train", "--corpus", "Bach's own", "--data", "a/b-1.mid"].map(String::from);
        assert_eq!(line(words.into_iter()), r"cargo xtask train --corpus 'Bach'\''s own' --data a/b-1.mid");
    }
}
