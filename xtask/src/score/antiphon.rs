//! Our own network has a likelihood for every attribute.

use anyhow::Result;

use antiphon::model::antiphon::{Network, Page, Past, Scene};

use super::{Listener, Score};
use crate::corpus::GridNote;

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
        let mut score = Score { notes: page.notes, ..Score::default() };
        for (sum, nats) in score.nats.iter_mut().zip(self.nats(&context, &page)?) {
            *sum = Some(nats.to_vec1::<f32>()?.into_iter().map(f64::from).sum());
        }
        Ok(score)
    }
}
