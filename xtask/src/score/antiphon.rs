//! Our own network has a likelihood for every attribute.

use anyhow::Result;

use antiphon::model::antiphon::{Network, Page, Past, Scene};

use super::{Listener, Score};
use crate::corpus::{CELLS_PER_SECOND, GridNote};

/// What is known of each sequence: by the network, and of what sounds.
pub struct Known {
    past: Past,
    scenes: Vec<Scene>,
}

impl Listener for Network {
    type Known = Known;

    fn silence(&self, rows: usize) -> Result<Known> {
        Ok(Known { past: Past::silence(rows, self.device())?, scenes: vec![Scene::SILENCE; rows] })
    }

    fn beginning(&self, rows: usize) -> Result<Known> {
        Ok(Known { scenes: vec![Scene::BEGINNING; rows], ..self.silence(rows)? })
    }

    fn narrow(&self, mut known: Known, rows: usize) -> Result<Known> {
        known.scenes.truncate(rows);
        Ok(Known { past: known.past.first(rows)?, ..known })
    }

    fn hear(&self, sequences: &[&[GridNote]], time: usize, known: &mut Known) -> Result<()> {
        let page = Page::new(sequences, time, &mut known.scenes);
        known.past = self.listen(&page, &known.past)?.1;
        Ok(())
    }

    fn score(&self, sequences: &[&[GridNote]], time: usize, known: &mut Known) -> Result<Score> {
        let page = Page::new(sequences, time, &mut known.scenes);
        let (context, past) = self.listen(&page, &known.past)?;
        known.past = past;
        let logits = self.logits(&context, &page)?;
        let mut score = Score { notes: page.notes, ..Score::default() };
        for (sum, nats) in score.nats.iter_mut().zip(page.nats(&logits)?) {
            *sum = Some(nats.to_vec1::<f32>()?.into_iter().map(f64::from).sum());
        }
        let [steps, durations] = page.medians(&logits)?;
        let mut errors = [0.0; 2];
        for (row, notes) in sequences.iter().enumerate() {
            for (note, at) in notes.iter().take(time).zip(row * time..) {
                errors[0] += error(note.step, steps[at]);
                errors[1] += error(note.duration, durations[at]);
            }
        }
        score.errors_s = errors.map(Some);
        Ok(score)
    }
}

/// In seconds.
fn error(cells: u32, median: f32) -> f64 {
    (f64::from(cells) - f64::from(median)).abs() / CELLS_PER_SECOND
}
