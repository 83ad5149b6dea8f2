//! Our own network learns whole notes: the loss is what evaluation measures.

use anyhow::Result;

use antiphon::model::antiphon::{Network, Past};

use super::{
    beginning::Variables,
    chunks::Chunks,
    descent::Descent,
    pupil::{Lesson, Pupil},
};
use crate::{
    corpus::GridNote,
    score::{self, Score},
};

pub struct Antiphon {
    network: Network,
    descent: Descent,
    past: Past,
    chunks: Chunks,
}

impl Antiphon {
    pub fn new(variables: &Variables, chunks: Chunks) -> Result<Self> {
        Ok(Self {
            network: Network::new(|name| Ok(variables[name].as_tensor().clone()))?,
            descent: Descent::new(variables)?,
            past: Past::silence(chunks.rows())?,
            chunks,
        })
    }
}

impl Pupil for Antiphon {
    fn learn(&mut self, rate: f64) -> Result<Lesson> {
        let (page, going_on) = self.chunks.next()?;
        let past = self.past.going_on(&going_on)?;
        let (context, after) = self.network.listen(&page.heard, &past)?;
        let [step, pitch, velocity, duration] = self.network.nats(&context, &page)?;
        let mean = |nats: &candle_core::Tensor| nats.sum_all()? / page.notes as f64;
        let parts = [mean(&step)?, mean(&pitch)?, mean(&velocity)?, mean(&duration)?];
        let total = (((&parts[0] + &parts[1])? + &parts[2])? + &parts[3])?;
        self.descent.step(&total, rate)?;
        self.past = after;
        let [step, pitch, velocity, duration] = parts.map(|part| part.to_scalar::<f32>());
        let loss = format!(
            "step {:.3}, pitch {:.3}, velocity {:.3}, duration {:.3}, total {:.3} nats",
            step?,
            pitch?,
            velocity?,
            duration?,
            total.to_scalar::<f32>()?
        );
        Ok(Lesson { notes: page.notes, loss })
    }

    fn score(&self, pieces: &[Vec<GridNote>]) -> Result<Score> {
        score::unbounded(&self.network, pieces, |_| ())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use antiphon::model::{Chance, Preset};

    use super::*;
    use crate::train::{beginning, pupil::melody};

    #[test]
    fn a_melody_that_repeats_is_learnt() {
        let piece = melody();
        let mut chance = Chance::seed_from_u64(1);
        let variables = beginning::drawn(Preset::Antiphon, &mut chance).expect("shapes fit");
        let chunks = Chunks::new(vec![piece.clone()], 4, 24, chance).expect("a note");
        let mut pupil = Antiphon::new(&variables, chunks).expect("shapes fit");
        let total = |pupil: &Antiphon| {
            pupil.score(std::slice::from_ref(&piece)).expect("shapes fit").total().expect("a likelihood")
        };
        let before = total(&pupil);
        for _ in 0..25 {
            pupil.learn(3e-3).expect("finite");
        }
        let after = total(&pupil);
        assert!(before > 15.0 && after < 8.0, "{before} and {after}");
    }
}
