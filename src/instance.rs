//! What the parts of one instance share: the host's side, the worker, and the window.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::{Mutex, RwLock};

use crate::{
    foresight::Foresight,
    lane::Telemetry,
    model,
    music::time::Seconds,
    params::AntiphonParams,
    plugin::{Guest, Learner, Learning, ModelStanding},
    take::{self, SaveError, Saved, Scribing, Take},
    worker::Health,
};

/// One instance, as its window sees it. A copy is the same instance. For any thread but audio.
#[derive(Clone)]
pub struct Instance {
    pub params: Arc<AntiphonParams>,
    /// Counts, and the clock on which the take lies.
    pub telemetry: Arc<Telemetry>,
    /// The take. Lock it for as long as it takes to copy what is to be shown, and have it catch up first.
    pub scribe: Scribing,
    /// How likely each next key is. Hold a [`crate::foresight::Watch`] of it while the window is open.
    pub foresight: Arc<Foresight>,
    pub(crate) health: Arc<Health>,
    pub(crate) guest: Arc<Mutex<Guest>>,
    learner: Arc<Learner>,
    model: Arc<RwLock<ModelStanding>>,
}

/// How an instance does.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The model that plays.
    pub model: String,
    /// How long it takes for a note; `None` before the first and offline.
    pub step: Option<Seconds>,
    /// How much of one core the worker takes, 0..=1.
    pub share: f32,
    /// Notes of answers that came out later than planned.
    pub late: u32,
    /// Notes of answers that were given up.
    pub dropped: u32,
    /// Events of the player that the host did not take back.
    pub refused: u32,
    /// Strikes that were the plugin's own and came in again.
    pub echoes: u32,
    /// Requests that the worker never got.
    pub unsent: u32,
    /// Steps of the worker that panicked, after which it began anew.
    pub faults: u32,
    /// Records that the take lacks.
    pub untold: u32,
}

impl Instance {
    pub fn new(params: Arc<AntiphonParams>) -> Self {
        let guest = Guest::new(params.clone());
        Self {
            params,
            telemetry: Arc::default(),
            scribe: Arc::default(),
            foresight: Arc::default(),
            health: Arc::default(),
            learner: Arc::default(),
            model: guest.standing(),
            guest: Arc::new(Mutex::new(guest)),
        }
    }

    /// How it does now.
    pub fn report(&self) -> Report {
        let Self { telemetry, health, .. } = self;
        Report {
            model: self.model_name(),
            step: health.step(),
            share: health.share(),
            late: telemetry.late.count(),
            dropped: telemetry.dropped.count(),
            refused: telemetry.refused.count(),
            echoes: telemetry.echoes.count(),
            unsent: telemetry.unsent.count(),
            faults: telemetry.faults.count(),
            untold: telemetry.untold.count(),
        }
    }

    /// What became of the player's model file, if one was chosen.
    pub fn model(&self) -> ModelStanding {
        self.model.read().clone()
    }

    /// Reads a model file; from now on it plays, and the project remembers it. Gives its name. It reads for some tenths of
    /// a second: not for the thread that draws.
    ///
    /// # Errors
    /// Where the file is no good: a sentence that says why and what to do. What played plays on.
    pub fn load_model(&self, path: &Path) -> Result<String, String> {
        self.guest.lock().load(path)
    }

    /// Sends the player's own model away: the one of the parameter *Model* plays.
    pub fn dismiss_model(&self) {
        self.guest.lock().dismiss();
    }

    /// Writes a MIDI file into the player's folder for takes; gives its path. It writes to the disk: not for the thread
    /// that draws, where that is to be smooth.
    ///
    /// # Errors
    /// Where there is nothing to save or the file cannot be written: a sentence that says why and what to do.
    pub fn save(&self, what: Saved) -> Result<PathBuf, SaveError> {
        self.save_in(&take::folder()?, what)
    }

    /// The same into another folder.
    ///
    /// # Errors
    /// As [`Self::save`].
    pub fn save_in(&self, folder: &Path, what: Saved) -> Result<PathBuf, SaveError> {
        take::save_in(folder, &self.latest(), what)
    }

    /// Makes a personal model of the player's saved takes and of the take of now, in the background; it is written beside
    /// them.
    ///
    /// # Errors
    /// Where the system has no folder for takes.
    pub fn learn(&self) -> Result<(), SaveError> {
        self.learner.begin(take::folder()?, self.latest());
        Ok(())
    }

    /// Ends the learning soon; what was gained by then is kept.
    pub fn stop_learning(&self) {
        self.learner.stop();
    }

    /// How far the learning is.
    pub fn learning(&self) -> Learning {
        self.learner.standing()
    }

    fn latest(&self) -> Take {
        let mut scribe = self.scribe.lock();
        scribe.catch_up();
        scribe.latest_until(self.telemetry.clock.now())
    }

    fn model_name(&self) -> String {
        match &*self.model.read() {
            ModelStanding::Own { name } | ModelStanding::Refused { own: Some(name), .. } => name.clone(),
            ModelStanding::Embedded | ModelStanding::Refused { own: None, .. } => {
                let chosen = self.params.model.value() as usize;
                model::embedded().get(chosen).map_or_else(String::new, |model| model.name().to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests;
