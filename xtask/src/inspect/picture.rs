//! A file at a glance.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::{
    corpus::{Document, Note},
    picture::{
        Theme,
        overview::{Layer, Overview},
    },
};

/// Draws all but the drums.
///
/// # Errors
/// When there is no note to show or the picture cannot be written.
pub fn draw(path: &Path, document: &Document, theme: Theme) -> Result<()> {
    let piece = &document.piece;
    let notes: Vec<Note> = piece.melodic().copied().collect();
    ensure!(!notes.is_empty(), "{} has no note to draw", piece.path.display());
    let end = notes.iter().map(|note| note.end).fold(0.0, f64::max);
    let name = piece.path.file_stem().unwrap_or_default().to_string_lossy();
    let overview = Overview {
        title: &name,
        subtitle: &players(document),
        layers: vec![Layer { name: "", notes: &notes }],
        seconds: notes[0].onset.floor()..end.max(notes[0].onset.floor() + 1.0),
        boundary: None,
    };
    overview.draw(path, theme)
}

fn players(document: &Document) -> String {
    let mut names: Vec<&str> = document.piece.instruments.iter().map(|player| player.name()).collect();
    names.dedup();
    names.join(", ")
}
