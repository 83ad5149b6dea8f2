//! The model of the player's own file, which takes precedence over the embedded ones. It is a whole model, or
//! a difference to one that is blended in by the percentage *You*.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::RwLock;

use crate::{
    model::{
        Model,
        personal::Personal,
        registry,
        weights::{ModelError, Weights},
    },
    params::AntiphonParams,
};

/// Far beyond any network that answers in time.
const LARGEST_FILE_BYTES: u64 = 1 << 30;
/// How long a control that is being turned must stand still before it takes effect: blending takes some tens
/// of milliseconds.
const STANDS_STILL: Duration = Duration::from_millis(150);

/// Reads the model file again whenever its path is set, and blends a personal one by *You*. For any thread
/// but audio.
pub struct UserModel {
    params: Arc<AntiphonParams>,
    /// The count of changes of the path when it was read last.
    seen: u32,
    own: Option<LoadedModel>,
    status: Arc<RwLock<ModelStatus>>,
}

/// The state of the player's model file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ModelStatus {
    /// None is chosen: the embedded one of the parameter *Model* plays.
    #[default]
    Embedded,
    /// The model of the file plays, under its name.
    Own { name: String },
    /// The file cannot be used. The sentence says why, what to do, and what plays instead: the model of the
    /// file before, which is `own`, or the embedded one of the parameter *Model*.
    Refused { sentence: String, own: Option<String> },
}

impl UserModel {
    pub fn new(params: Arc<AntiphonParams>) -> Self {
        Self { params, seen: 0, own: None, status: Arc::default() }
    }

    /// The state of the file; its lock is never held for long.
    pub fn status(&self) -> Arc<RwLock<ModelStatus>> {
        self.status.clone()
    }

    /// The model of the file, blended by the current *You*. Where the file cannot be used: the one before it,
    /// and an error in the log.
    pub fn model(&mut self) -> Option<Arc<dyn Model>> {
        let changes = self.params.model_file.changes();
        if changes != self.seen {
            self.seen = changes;
            let you = self.params.you_percent();
            let read = self.params.model_file.path().map(|path| LoadedModel::read(Path::new(&path), you));
            match read.transpose() {
                Ok(own) => self.play(own),
                Err(fault) => self.refuse(&fault),
            }
        }
        let you = self.params.you_percent();
        self.own.as_mut().map(|own| {
            own.blend(you);
            own.model()
        })
    }

    /// Reads a model file that the player chose; from now on it plays, and the project remembers it. Returns
    /// the name of the model.
    ///
    /// # Errors
    /// Where the file cannot be used: a sentence that says why and what to do. The model before it plays on.
    pub fn load(&mut self, path: &Path) -> Result<String, String> {
        let name = path.to_str().ok_or_else(|| {
            format!(
                "{} is no name that a project can keep: rename the file, then choose it again",
                path.display()
            )
        })?;
        let own = LoadedModel::read(path, self.params.you_percent())?;
        let loaded = own.model().name().to_owned();
        self.params.model_file.choose(name.to_owned());
        self.seen = self.params.model_file.changes();
        self.play(Some(own));
        Ok(loaded)
    }

    /// Removes the player's model: the embedded one of the parameter *Model* plays.
    pub fn dismiss(&mut self) {
        self.params.model_file.choose(String::new());
        self.seen = self.params.model_file.changes();
        self.play(None);
    }

    fn play(&mut self, own: Option<LoadedModel>) {
        *self.status.write() = match &own {
            Some(own) => ModelStatus::Own { name: own.model().name().to_owned() },
            None => ModelStatus::Embedded,
        };
        self.own = own;
    }

    fn refuse(&mut self, fault: &str) {
        let own = self.own.as_ref().map(|own| own.model().name().to_owned());
        let instead = match &own {
            Some(name) => format!("{name} plays on"),
            None => "the model inside the plugin plays".to_owned(),
        };
        let sentence = format!("{fault}; {instead}");
        tracing::error!("{sentence}");
        *self.status.write() = ModelStatus::Refused { sentence, own };
    }
}

/// Detects when the player's model is to be made anew: at once for another file, after a rest for another
/// *You*.
pub(crate) struct ModelChanges {
    params: Arc<AntiphonParams>,
    file: u32,
    you: u8,
    /// The newest value of *You*, and since when it has stood.
    turned: Option<(u8, Instant)>,
}

impl ModelChanges {
    /// Starts from the current settings.
    pub fn new(params: Arc<AntiphonParams>) -> Self {
        Self { file: params.model_file.changes(), you: params.you_percent(), turned: None, params }
    }

    /// Whether the model is to be made anew.
    pub fn are_there(&mut self) -> bool {
        self.notice(self.params.model_file.changes(), self.params.you_percent(), Instant::now())
    }

    fn notice(&mut self, file: u32, you: u8, now: Instant) -> bool {
        let is_another_file = std::mem::replace(&mut self.file, file) != file;
        if you == self.you {
            self.turned = None;
        } else if self.turned.is_none_or(|(newest, _)| newest != you) {
            self.turned = Some((you, now));
        }
        let stands = self.turned.is_some_and(|(_, since)| now.duration_since(since) >= STANDS_STILL);
        if stands || is_another_file {
            (self.you, self.turned) = (you, None);
        }
        stands || is_another_file
    }
}

/// A model that is ready to play.
struct LoadedModel {
    model: Arc<dyn Model>,
    blend: Option<Blend>,
}

/// The parts from which a personal model is blended.
struct Blend {
    personal: Personal,
    base: Weights,
    /// How much of the difference is blended in, in percent.
    amount: u8,
}

impl LoadedModel {
    /// Reads a model file; of a personal one, `amount` percent of the difference are blended in.
    ///
    /// # Errors
    /// Where the file cannot be used, or its base model is neither inside the plugin nor beside it.
    fn read(path: &Path, amount: u8) -> Result<Self, String> {
        let (shown, bytes) = (path.display(), bytes(path)?);
        let refused = |error: ModelError| format!("{shown}: {error}");
        if !Personal::is_one(&bytes) {
            return Ok(Self { model: registry::load(&bytes).map_err(refused)?, blend: None });
        }
        let personal = Personal::read(&bytes).map_err(refused)?;
        let base = base(path, &personal).map_err(refused)?;
        let model = personal.applied(&base, share(amount)).map_err(refused)?.playable();
        Ok(Self { model, blend: Some(Blend { personal, base, amount }) })
    }

    fn model(&self) -> Arc<dyn Model> {
        self.model.clone()
    }

    /// From now on `percent` percent of the difference are blended in. Allocates.
    fn blend(&mut self, percent: u8) {
        let Some(Blend { personal, base, amount }) = &mut self.blend else { return };
        if *amount != percent
            && let Ok(weights) = personal.applied(base, share(percent))
        {
            *amount = percent;
            self.model = weights.playable();
        }
    }
}

fn share(percent: u8) -> f32 {
    f32::from(percent) / 100.0
}

/// The base model of a personal one: inside the plugin, or a file of its name beside the personal one.
fn base(path: &Path, personal: &Personal) -> Result<Weights, ModelError> {
    let fingerprint = personal.base.fingerprint;
    let beside = || {
        let bytes = bytes(&path.with_file_name(format!("{}.safetensors", personal.base.name))).ok()?;
        registry::read(&bytes).ok().filter(|weights| weights.fingerprint() == fingerprint)
    };
    let base = registry::embedded_base(fingerprint).or_else(beside);
    base.ok_or_else(|| ModelError::OtherBase { base: personal.base.name.clone() })
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let unreadable = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => format!("{shown} is not there: choose another model file"),
        _ => format!("{shown} cannot be read ({error}): choose another model file"),
    };
    // A device or a pipe may have no end.
    let file = fs::metadata(path).map_err(unreadable)?;
    if !file.is_file() || file.len() > LARGEST_FILE_BYTES {
        return Err(format!("{shown} is no model file, or larger than 1 GiB: choose another model file"));
    }
    fs::read(path).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            Limits, SamplingSettings,
            personal::{Base, Part},
            registry::embedded_file,
        },
        music::note::RelativeNote,
    };

    /// The embedded model, and a file that is a difference to it: the highest key is far likelier.
    fn personal() -> (tempfile::TempDir, std::path::PathBuf) {
        let base = registry::read(embedded_file("antiphon").expect("embedded")).expect("complete");
        let (folder, personal) = (tempfile::tempdir().expect("a folder"), towards_the_top(&base));
        let path = folder.path().join("me.antiphon");
        fs::write(&path, personal.to_bytes()).expect("a file");
        (folder, path)
    }

    fn towards_the_top(base: &Weights) -> Personal {
        let mut bias = vec![0.0; base.numbers("pitch.bias").len()];
        bias[127] = 50.0;
        Personal {
            name: "me".to_owned(),
            base: Base::of(base),
            architecture: base.architecture,
            card: String::new(),
            parts: [("pitch.bias".to_owned(), Part::Sum(bias))].into(),
        }
    }

    fn first_note(model: &dyn Model) -> RelativeNote {
        let mut rng = rand::SeedableRng::seed_from_u64(5);
        model.draw(&mut model.initial_state(), &SamplingSettings::PLAIN, &Limits::NONE, &mut rng)
    }

    #[test]
    fn you_blends_the_difference_in_and_out() {
        let (_folder, path) = personal();
        let mut own = LoadedModel::read(&path, 100).unwrap_or_else(|sentence| panic!("{sentence}"));
        let embedded = &*registry::embedded()[0];
        assert_eq!(own.model().name(), "me");
        assert_eq!(first_note(&*own.model()).key.number(), 127);
        own.blend(0);
        assert_eq!(first_note(&*own.model()), first_note(embedded));
        own.blend(100);
        assert_eq!(first_note(&*own.model()).key.number(), 127);
    }

    #[test]
    fn a_difference_to_a_model_that_is_not_there_is_refused_unless_its_file_lies_beside_it() {
        let (folder, path) = personal();
        let mut base = registry::read(embedded_file("antiphon").expect("embedded")).expect("complete");
        "other".clone_into(&mut base.name);
        let mut other = towards_the_top(&base);
        other.base.fingerprint ^= 1;
        fs::write(&path, other.to_bytes()).expect("a file");
        let sentence = LoadedModel::read(&path, 100).err().expect("its base is missing");
        assert!(
            sentence.contains("me.antiphon: the personal model is a difference to another `other`"),
            "{sentence}"
        );
        // A model of the player's own training.
        let mut bytes = embedded_file("classic-25").expect("embedded").to_vec();
        let last = bytes.len() - 1;
        bytes[last] ^= 0x80;
        let classic = registry::read(&bytes).expect("complete");
        other.base = Base { name: "trained".to_owned(), fingerprint: classic.fingerprint() };
        (other.architecture, other.parts) = (classic.architecture, Default::default());
        fs::write(&path, other.to_bytes()).expect("a file");
        let beside = folder.path().join("trained.safetensors");
        assert!(LoadedModel::read(&path, 100).is_err());
        fs::write(&beside, bytes).expect("a file");
        assert_eq!(
            LoadedModel::read(&path, 100).map(|own| own.model().name().to_owned()),
            Ok("me".to_owned())
        );
    }

    #[test]
    fn a_control_that_turns_is_followed_once_when_it_stands_still() {
        let (mut changes, begun) = (ModelChanges::new(Arc::default()), Instant::now());
        let at = |milliseconds| begun + Duration::from_millis(milliseconds);
        assert!(!changes.notice(0, 100, at(0)));
        for step in 0..20 {
            assert!(!changes.notice(0, 99 - step, at(20 * u64::from(step))));
        }
        assert!(!changes.notice(0, 80, at(500)));
        assert!(changes.notice(0, 80, at(531)) && !changes.notice(0, 80, at(900)));
        assert!(changes.notice(1, 80, at(901)) && !changes.notice(1, 80, at(902)));
    }
}
