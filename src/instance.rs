//! What the parts of one instance share: the host's side, the worker, and the window.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::{Mutex, RwLock};

use crate::{
    improviser::key_predictions::KeyPredictions,
    learner::{Learner, LearnerStatus, Material, files_in},
    model::{self, personal},
    music::time::Seconds,
    params::AntiphonParams,
    take::{self, SaveError, Saved, SharedRecorder, Take},
    telemetry::Telemetry,
    user_model::{ModelStatus, UserModel},
    worker::WorkerLoad,
};

/// One instance, as its window sees it. A copy is the same instance. For any thread but audio.
#[derive(Clone)]
pub struct Instance {
    pub params: Arc<AntiphonParams>,
    /// Counts, and the clock on which the take lies.
    pub telemetry: Arc<Telemetry>,
    /// The take. Have it catch up first, and lock it only for as long as copying what is shown takes.
    pub recorder: SharedRecorder,
    /// The probability of each next key. Hold a [`Watch`](crate::improviser::key_predictions::Watch) of it
    /// while the window is open.
    pub key_predictions: Arc<KeyPredictions>,
    pub(crate) load: Arc<WorkerLoad>,
    pub(crate) user_model: Arc<Mutex<UserModel>>,
    learner: Arc<Learner>,
    model_status: Arc<RwLock<ModelStatus>>,
}

/// The state of an instance, in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The model that plays.
    pub model: String,
    /// How long the model takes for a note; `None` before the first and offline.
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
        let user_model = UserModel::new(params.clone());
        Self {
            params,
            telemetry: Arc::default(),
            recorder: Arc::default(),
            key_predictions: Arc::default(),
            load: Arc::default(),
            learner: Arc::default(),
            model_status: user_model.status(),
            user_model: Arc::new(Mutex::new(user_model)),
        }
    }

    /// The report of this moment.
    pub fn report(&self) -> Report {
        let Self { telemetry, load, .. } = self;
        Report {
            model: self.model_name(),
            step: load.step(),
            share: load.share(),
            late: telemetry.late.count(),
            dropped: telemetry.dropped.count(),
            refused: telemetry.refused.count(),
            echoes: telemetry.echoes.count(),
            unsent: telemetry.unsent.count(),
            faults: telemetry.faults.count(),
            untold: telemetry.untold.count(),
        }
    }

    /// The state of the player's model file, if one was chosen.
    pub fn model_status(&self) -> ModelStatus {
        self.model_status.read().clone()
    }

    /// Reads a model file; from now on it plays, and the project remembers it. Returns the name of the model.
    /// It reads for some tenths of a second: not for the thread that draws.
    ///
    /// # Errors
    /// Where the file cannot be used: a sentence that says why and what to do. The model before it plays on.
    pub fn load_model(&self, path: &Path) -> Result<String, String> {
        self.user_model.lock().load(path)
    }

    /// Removes the player's own model: the one of the parameter *Model* plays.
    pub fn dismiss_model(&self) {
        self.user_model.lock().dismiss();
    }

    /// Writes a MIDI file into the player's folder for takes; returns its path. It writes to the disk: not
    /// for the thread that draws, where that is to be smooth.
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

    /// Trains a personal model on the player's saved takes and the current take, in the background.
    ///
    /// # Errors
    /// Where the system has no folder for takes.
    pub fn learn(&self) -> Result<(), SaveError> {
        let style = self.params.snapshot().generation.style;
        self.learner.begin(Material { folder: take::folder()?, take: self.latest(), style });
        Ok(())
    }

    /// Writes the newly trained personal model beside the takes; returns its path. Not for the thread that
    /// draws.
    ///
    /// # Errors
    /// As [`Learner::keep`].
    pub fn keep_learnt(&self) -> Result<PathBuf, String> {
        self.learner.keep()
    }

    /// The personal models that lie beside the player's takes, in the order of their names.
    pub fn personal_models(&self) -> Vec<PathBuf> {
        take::folder().map_or_else(|_| Vec::new(), |folder| files_in(&folder, &[personal::ENDING]))
    }

    /// Ends the training soon; what was gained by then is offered.
    pub fn stop_learning(&self) {
        self.learner.stop();
    }

    /// The state of the training.
    pub fn learning(&self) -> LearnerStatus {
        self.learner.status()
    }

    fn latest(&self) -> Take {
        let mut recorder = self.recorder.lock();
        recorder.catch_up();
        recorder.latest_until(self.telemetry.clock.now())
    }

    fn model_name(&self) -> String {
        match &*self.model_status.read() {
            ModelStatus::Own { name } | ModelStatus::Refused { own: Some(name), .. } => name.clone(),
            ModelStatus::Embedded | ModelStatus::Refused { own: None, .. } => {
                let chosen = self.params.model.value() as usize;
                model::registry::embedded()
                    .get(chosen)
                    .map_or_else(String::new, |model| model.name().to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        event_log::{Event, event_log},
        model::registry::embedded_file,
        music::{
            note::{Key, Velocity},
            note_tracker::ChannelKey,
            time::{SampleRate, SampleTime},
        },
    };

    fn instance() -> Instance {
        Instance::new(Arc::default())
    }

    /// A folder with the file of a model in it, and its path.
    fn own_model() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mine.safetensors");
        fs::write(&path, embedded_file("classic-25").expect("embedded")).expect("a file");
        (folder, path)
    }

    #[test]
    fn a_model_that_the_player_chose_plays_and_is_saved_with_the_project() {
        let (_folder, path) = own_model();
        let instance = instance();
        assert_eq!(
            (instance.model_status(), instance.report().model),
            (ModelStatus::Embedded, "antiphon".to_owned())
        );
        assert_eq!(instance.load_model(&path).as_deref(), Ok("classic-25"));
        assert_eq!(instance.model_status(), ModelStatus::Own { name: "classic-25".to_owned() });
        assert_eq!(instance.report().model, "classic-25");
        assert_eq!(instance.params.model_file.path().as_deref(), path.to_str());
        assert_eq!(
            instance.user_model.lock().model().map(|model| model.name().to_owned()).as_deref(),
            Some("classic-25")
        );
        instance.dismiss_model();
        assert_eq!(
            (instance.model_status(), instance.params.model_file.path()),
            (ModelStatus::Embedded, None)
        );
        assert!(instance.user_model.lock().model().is_none());
    }

    #[test]
    fn a_file_that_is_no_model_is_refused_in_one_sentence_and_changes_nothing() {
        let (folder, path) = own_model();
        let instance = instance();
        instance.load_model(&path).expect("a model");
        let broken = folder.path().join("broken.safetensors");
        let model = embedded_file("classic-25").expect("embedded");
        fs::write(&broken, &model[..model.len() / 2]).expect("a file");
        for path in [broken, folder.path().join("missing.safetensors"), folder.path().to_owned()] {
            let sentence = instance.load_model(&path).expect_err("no model");
            assert!(sentence.contains(&*path.to_string_lossy()) && !sentence.contains('\n'), "{sentence}");
        }
        assert_eq!(instance.model_status(), ModelStatus::Own { name: "classic-25".to_owned() });
        assert_eq!(instance.params.model_file.path().as_deref(), path.to_str());
    }

    #[test]
    fn a_project_whose_model_file_is_missing_plays_the_embedded_one_and_says_so() {
        let instance = instance();
        instance.params.model_file.choose("/no/such/mine.safetensors".to_owned());
        assert!(instance.user_model.lock().model().is_none());
        let ModelStatus::Refused { sentence, own: None } = instance.model_status() else {
            panic!("it is missing")
        };
        assert!(sentence.starts_with("/no/such/mine.safetensors is not there:"), "{sentence}");
        assert!(
            sentence.ends_with("choose another model file; the model inside the plugin plays"),
            "{sentence}"
        );
        assert_eq!(instance.report().model, "antiphon");
        assert!(
            instance.params.model_file.path().is_some(),
            "the project keeps the path: the file may come back"
        );
    }

    #[test]
    fn where_the_new_file_is_no_good_the_one_before_plays_on_and_is_named() {
        let (_folder, path) = own_model();
        let instance = instance();
        instance.load_model(&path).expect("a model");
        instance.params.model_file.choose("/no/such/other.safetensors".to_owned());
        assert!(instance.user_model.lock().model().is_some());
        let ModelStatus::Refused { sentence, own } = instance.model_status() else { panic!("it is missing") };
        assert!(
            sentence.ends_with("classic-25 plays on") && own.as_deref() == Some("classic-25"),
            "{sentence}"
        );
    }

    #[test]
    fn what_was_played_is_saved_and_what_was_not_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let instance = instance();
        let save = |what| instance.save_in(folder.path(), what).map_err(|error| error.to_string());
        let nothing = save(Saved::Take).expect_err("nothing was played");
        assert_eq!(nothing, "nothing has been played yet: play something, then save it");
        let (mut lane, reader) = event_log();
        instance.recorder.lock().follow(reader);
        let (key, velocity) = (Key::saturating(60), Velocity::saturating(80));
        lane.tell(SampleTime(0), Event::Began(SampleRate(48_000.0))).expect("room");
        lane.tell(SampleTime(9), Event::Struck(ChannelKey { channel: 0, key }, velocity)).expect("room");
        let path = save(Saved::Take).expect("a take");
        assert!(fs::read(&path).expect("a file").starts_with(b"MThd"));
        let nothing = save(Saved::LastAnswer).expect_err("nobody has answered");
        assert_eq!(nothing, "there is no answer yet: let the plugin answer, then save it");
    }
}
