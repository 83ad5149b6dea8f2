//! Runs a training from its first step, or from where it was interrupted, to its card.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use antiphon::model::{
    classic,
    vector::ADAM,
    weights::{self, Architecture},
};

use super::{
    TrainableModel,
    card::{self, Card, Corpus, Origin, Run, Scores},
    config::{self, Arguments, Hyperparameters, TrainingConfig},
    curves,
    data_set::DataSet,
    initialisation::Variables,
    optimiser,
    output::{self, Checkpoint, Output},
    progress::{Console, Length, Progress, Row, Tally},
};
use crate::{
    corpus::GridNote,
    file,
    score::{Metric, Score},
};

const BETWEEN_CHECKPOINTS: Duration = Duration::from_secs(120);
/// Part of a short training after which a checkpoint is saved.
const PART_BETWEEN_CHECKPOINTS: f64 = 0.05;
/// Largest part of the time that saving such a checkpoint may take.
const SAVING: f64 = 0.05;
/// Number of pieces that are scored at a checkpoint: enough to see the trend, and quick.
const GLANCE_PIECES: usize = 16;
/// Number of notes that are scored of each of these pieces, at most.
const GLANCE_NOTES: usize = 1500;

/// A running training: the model that learns, and its progress.
pub struct TrainingRun<'a> {
    setup: Setup<'a>,
    variables: Variables,
    pub model: Box<dyn TrainableModel>,
    progress: Progress,
    tally: Tally,
    glance: Vec<Vec<GridNote>>,
    clock: Clock,
    console: Console,
}

/// What stays the same during a training.
pub struct Setup<'a> {
    pub arguments: &'a Arguments,
    pub architecture: Architecture,
    pub hyperparameters: Hyperparameters,
    pub length: Length,
    pub data_set: DataSet,
    pub output: Output,
    pub origin: Origin,
    pub config: TrainingConfig,
}

/// The times of this sitting: when it began, and when something was last saved.
struct Clock {
    /// The time of all sittings before.
    before: Duration,
    begun: Instant,
    saved: Instant,
    /// The time that the last saving took.
    saving: Duration,
    /// The part of the training that was over at the last saving.
    passed: f64,
    /// The step of the checkpoint, if there is one to go on from.
    steps: Option<usize>,
}

impl<'a> TrainingRun<'a> {
    pub fn new(
        setup: Setup<'a>,
        variables: Variables,
        model: Box<dyn TrainableModel>,
        progress: Progress,
    ) -> Self {
        let now = Instant::now();
        let clock = Clock {
            before: progress.trained,
            begun: now,
            saved: now,
            saving: Duration::ZERO,
            passed: setup.length.passed(&progress),
            steps: (progress.steps > 0).then_some(progress.steps),
        };
        let glance = glance(&setup.data_set.validation);
        let (tally, console) = (Tally::new(), Console::new());
        Self { setup, variables, model, progress, tally, glance, clock, console }
    }

    /// Learns until the training is over, then scores and writes the card. Ends earlier when `stop` returns
    /// true, and prints how to go on.
    pub fn run(&mut self, stop: impl Fn(&Progress) -> bool) -> Result<()> {
        if self.progress.steps > 0 {
            self.console.line(&format!("going on from step {}", self.progress.steps));
        }
        let done = self.learn(stop).and_then(|()| match self.passed() {
            1.0.. => self.finish(),
            _ => {
                self.console.line(&format!("stopped early: go on with `{}`", config::to_go_on()));
                Ok(())
            }
        });
        self.console.end();
        done.map_err(|error| anyhow!("{error:#}; {}", self.left_behind()))
    }

    fn learn(&mut self, stop: impl Fn(&Progress) -> bool) -> Result<()> {
        while self.passed() < 1.0 && !stop(&self.progress) {
            let rate = self.rate(self.passed());
            let result = self.model.learn(rate)?;
            self.progress.steps += 1;
            self.progress.notes += result.notes;
            self.progress.trained = self.clock.before + self.clock.begun.elapsed();
            self.tally.add(&result, rate);
            self.console.step(self.setup.length, &self.progress, &self.tally);
            if self.is_due() {
                self.save()?;
            }
        }
        if self.tally.notes > 0 { self.save() } else { Ok(()) }
    }

    fn passed(&self) -> f64 {
        self.setup.length.passed(&self.progress)
    }

    /// The learning rate: a short warm-up, then the highest rate, and at the end a linear fall to 0. A
    /// training can go on from weights that were learnt at the highest rate (Hägele et al., 2024). `passed`
    /// is the part of the training that is over.
    fn rate(&self, passed: f64) -> f64 {
        const WARM_UP_STEPS: f64 = 200.0;
        const DESCENT_FROM: f64 = 0.65;
        let warmth = ((self.progress.steps + 1) as f64 / WARM_UP_STEPS).min(1.0);
        let left = ((1.0 - passed) / (1.0 - DESCENT_FROM)).clamp(0.0, 1.0);
        self.setup.hyperparameters.rate * warmth.min(left)
    }

    fn is_due(&self) -> bool {
        let since = self.clock.saved.elapsed();
        let part_passed = self.passed() - self.clock.passed >= PART_BETWEEN_CHECKPOINTS;
        since > BETWEEN_CHECKPOINTS || part_passed && self.clock.saving.div_duration_f64(since) < SAVING
    }

    /// Adds a row to the curves, and replaces all files: model, card, curves and checkpoint.
    fn save(&mut self) -> Result<()> {
        let begun = Instant::now();
        let score = self.model.score(&self.glance)?;
        let row = self.row(&score)?;
        self.console.row(self.setup.length, &self.progress, &row, self.tally.notes_per_second());
        self.progress.rows.push(row);
        let (rows, output) = (&self.progress.rows, &self.setup.output);
        let checkpoint = [(output.checkpoint(), self.checkpoint()?.to_bytes()?)];
        let status = format!("in training: {:.1} minutes of {}", self.progress.minutes(), self.setup.length);
        let model = self.model(&self.setup.card(status, &self.progress, self.glance.len(), &score)?)?;
        let curves = [
            (output.table(), curves::csv(rows).into_bytes()),
            (output.picture(), curves::png(&format!("The training of {}", output.name()), rows)?),
        ];
        file::replace(&checkpoint.into_iter().chain(model).chain(curves).collect::<Vec<_>>())?;
        self.tally = Tally::new();
        let (saving, passed, steps) = (begun.elapsed(), self.passed(), Some(self.progress.steps));
        self.clock = Clock { saved: Instant::now(), saving, passed, steps, ..self.clock };
        Ok(())
    }

    /// A row of the curves. Fails when the weights are no good, so that what was saved before is kept.
    fn row(&self, score: &Score) -> Result<Row> {
        let Progress { steps, notes, trained, .. } = self.progress;
        let (train, validation) = (self.tally.means(), score.figures());
        if !train.iter().chain(&validation).all(|figure: &Metric| figure.value.is_finite()) {
            bail!(optimiser::NO_NUMBER);
        }
        Ok(Row { steps, notes, seconds: trained.as_secs_f64(), rate: self.tally.rate, train, validation })
    }

    fn checkpoint(&self) -> Result<Checkpoint> {
        let mut checkpoint = Checkpoint::default();
        checkpoint.keep("terms", &self.setup.config)?;
        checkpoint.keep("origin", &self.setup.origin)?;
        checkpoint.keep("progress", &self.progress)?;
        checkpoint.keep("passed", &self.passed())?;
        checkpoint.keep_weights(&self.variables);
        self.model.keep(&mut checkpoint)?;
        Ok(checkpoint)
    }

    fn finish(&mut self) -> Result<()> {
        let Setup { data_set, output, arguments, .. } = &self.setup;
        output::round(&self.variables, arguments.precision())?;
        let score = self.model.score(&data_set.validation)?;
        self.console.line(&format!("validation: {score} on all {} notes to score on", score.notes));
        let card = self.setup.card("finished".into(), &self.progress, data_set.validation.len(), &score)?;
        file::replace(&self.model(&card)?)?;
        self.console.line(&format!("wrote {}, its card and its curves", output.model().display()));
        Ok(())
    }

    fn model(&self, card: &Card) -> Result<[file::New; 2]> {
        let Setup { architecture, output, arguments, .. } = &self.setup;
        let model =
            output::model_file(&output.name(), *architecture, &self.variables, arguments.precision())?;
        output.with_card(card, model)
    }

    /// A message about what is left after an error.
    fn left_behind(&self) -> String {
        let checkpoint = self.setup.output.checkpoint();
        match self.clock.steps {
            Some(steps) => format!(
                "{} still holds step {steps}: go on with `{}`",
                checkpoint.display(),
                config::to_go_on()
            ),
            None => "nothing had been saved yet".into(),
        }
    }
}

impl Setup<'_> {
    /// The card of the weights at some point, with a score on `files` files.
    fn card(&self, status: String, progress: &Progress, files: usize, score: &Score) -> Result<Card> {
        let Self { arguments, architecture, .. } = self;
        let runs = self.origin.and(&self.run(progress))?;
        Ok(Card {
            name: self.output.name(),
            preset: architecture.name(),
            representation: weights::REPRESENTATION,
            parameters: architecture.parameters(),
            license: arguments.license.clone(),
            status,
            minutes: card::minutes(&runs),
            notes_seen: card::notes_seen(&runs),
            corpus: self.corpus(),
            scores: Scores::new(files, score),
            training: runs,
        })
    }

    fn corpus(&self) -> Corpus {
        let Self { arguments, data_set, .. } = self;
        Corpus {
            name: arguments.corpus.clone(),
            split: data_set.scored_on.to_string(),
            files: data_set.training.pieces.len(),
            notes: data_set.notes(),
            convention: arguments.convention.to_string(),
            longest_s: matches!(self.architecture, Architecture::Classic(_)).then_some(classic::LONGEST.0),
        }
    }

    fn run(&self, progress: &Progress) -> Run {
        let Self { arguments, hyperparameters, .. } = self;
        let ours = self.architecture == Architecture::Antiphon;
        Run {
            begins_with: self.origin.name.clone(),
            command: config::to_begin(),
            corpus: arguments.corpus.clone(),
            seed: arguments.seed,
            minutes: (progress.minutes() * 10.0).round() / 10.0,
            notes_seen: progress.notes,
            steps: progress.steps,
            batch: hyperparameters.batch,
            window: hyperparameters.window,
            rate: hyperparameters.rate,
            varied: ours.then_some(arguments.varied),
            slipped: ours.then_some(arguments.slipped),
            dropout: ours.then_some(hyperparameters.dropout),
            method: hyperparameters.method,
            decay: hyperparameters.decay,
            longest_gradient: ADAM.max_norm,
        }
    }
}

/// The beginnings of pieces, spread over the whole list.
fn glance(pieces: &[Vec<GridNote>]) -> Vec<Vec<GridNote>> {
    let apart = pieces.len().div_ceil(GLANCE_PIECES).max(1);
    let beginning = |piece: &Vec<GridNote>| piece[..piece.len().min(GLANCE_NOTES)].to_vec();
    pieces.iter().step_by(apart).map(beginning).collect()
}
