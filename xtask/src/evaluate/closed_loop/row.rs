//! The result for a kind of files, a game and a model, for a person or for a machine.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    distance::{self, Window},
    figures::{Figures, Heard, MEASURES, Values},
    passage,
};
use crate::{corpus::collection::Corpus, demo::turns::Game, evaluate::row::columns};

/// Means over performances.
#[derive(Debug, Serialize)]
pub struct Row {
    kind: String,
    mode: String,
    model: String,
    files: usize,
    turns: usize,
    /// Turns in which the plugin has played.
    answered: usize,
    #[serde(flatten)]
    measures: BTreeMap<&'static str, Compared>,
    /// Of the answers from the true continuations.
    distance: Option<f64>,
    /// Of the player's own calls from them: what two passages of the same player differ by.
    distance_of_calls: Option<f64>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Compared {
    player: Option<f64>,
    continuation: Option<f64>,
    answer: Option<f64>,
}

impl Row {
    pub fn new(corpus: Corpus, mode: Game, model: &str, figures: &[Figures], heard: &[Heard]) -> Self {
        let mean = |of: fn(&Figures) -> &Values, measure: usize| {
            let mean = passage::mean(figures.iter().filter_map(|figures| of(figures)[measure]));
            mean.map(thousandths)
        };
        let compared = |measure| Compared {
            player: mean(|figures| &figures.player, measure),
            continuation: mean(|figures| &figures.continuation, measure),
            answer: mean(|figures| &figures.answer, measure),
        };
        let windows = |of: fn(&Figures) -> &Vec<Window>| -> Vec<Window> {
            figures.iter().flat_map(of).copied().collect()
        };
        let real = windows(|figures| &figures.continuation_windows);
        let distance = |other: &[Window]| distance::frechet(&real, other).map(thousandths);
        Self {
            kind: corpus.to_string(),
            mode: mode.to_string(),
            model: model.to_owned(),
            files: figures.len(),
            turns: heard.iter().map(|heard| heard.turns).sum(),
            answered: heard.iter().map(|heard| heard.answers.len()).sum(),
            measures: MEASURES
                .iter()
                .enumerate()
                .map(|(index, (name, _))| (*name, compared(index)))
                .collect(),
            distance: distance(&windows(|figures| &figures.answer_windows)),
            distance_of_calls: distance(&windows(|figures| &figures.call_windows)),
        }
    }
}

fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// One table for each kind of files: a line for each measure, a column for each game and model.
pub fn table(rows: &[Row]) -> String {
    let number = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.3}"));
    let mut text = String::new();
    for rows in rows.chunk_by(|one, other| one.kind == other.kind) {
        let head = ["player".to_owned(), "continuation".to_owned()].into_iter();
        let head = head.chain(rows.iter().map(|row| format!("{} {}", row.mode, row.model)));
        let mut lines = vec![[rows[0].kind.clone()].into_iter().chain(head).collect::<Vec<_>>()];
        for (name, meaning) in MEASURES {
            let real = rows[0].measures[name];
            let answers = rows.iter().map(|row| number(row.measures[name].answer));
            let line = [meaning.to_owned(), number(real.player), number(real.continuation)];
            lines.push(line.into_iter().chain(answers).collect());
        }
        let distances = rows.iter().map(|row| number(row.distance));
        let line =
            ["distance from the continuations".to_owned(), number(rows[0].distance_of_calls), "0".to_owned()];
        lines.push(line.into_iter().chain(distances).collect());
        let answered = rows.iter().map(|row| format!("{}/{}", row.answered, row.turns));
        let line = [format!("turns answered, {} files", rows[0].files), "-".to_owned(), "-".to_owned()];
        lines.push(line.into_iter().chain(answered).collect());
        text += &columns(&lines);
        text.push('\n');
    }
    text
}
