//! The model of the player's own file, which plays before the embedded ones.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
    sync::Arc,
};

use nice_plug::{nice_error, params::persist::PersistentField};
use parking_lot::RwLock;

use crate::{
    model::{self, Model},
    params::AntiphonParams,
};

/// Far beyond any network that answers in time.
const LARGEST_FILE_BYTES: u64 = 1 << 30;

/// Reads the model file again whenever its path is set. For any thread but audio.
pub struct Guest {
    params: Arc<AntiphonParams>,
    /// The change of the path that was read last.
    seen: u32,
    model: Option<Arc<dyn Model>>,
    standing: Arc<RwLock<ModelStanding>>,
}

/// What became of the player's model file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ModelStanding {
    /// None is chosen: the embedded one of the parameter *Model* plays.
    #[default]
    Embedded,
    /// The file's model plays, which has this name.
    Own { name: String },
    /// The file is no good. The sentence says why, what to do, and what plays instead: the model of the file before,
    /// which is `own`, or the embedded one of the parameter *Model*.
    Refused { sentence: String, own: Option<String> },
}

impl Guest {
    pub fn new(params: Arc<AntiphonParams>) -> Self {
        Self { params, seen: 0, model: None, standing: Arc::default() }
    }

    /// What became of the file; its lock is never held for long.
    pub fn standing(&self) -> Arc<RwLock<ModelStanding>> {
        self.standing.clone()
    }

    /// The model of the file; the one before it where the file is no good, which the log then tells.
    pub fn model(&mut self) -> Option<Arc<dyn Model>> {
        let changes = self.params.model_file.changes();
        if changes != self.seen {
            self.seen = changes;
            match self.params.model_file.path().map(|path| read(Path::new(&path))).transpose() {
                Ok(model) => self.seat(model),
                Err(fault) => self.refuse(&fault),
            }
        }
        self.model.clone()
    }

    /// Reads a model file that the player chose; from now on it plays, and the project remembers it. Gives its name.
    ///
    /// # Errors
    /// Where the file is no good: a sentence that says why and what to do. What played plays on.
    pub fn load(&mut self, path: &Path) -> Result<String, String> {
        let name = path.to_str().ok_or_else(|| {
            format!(
                "{} is no name that a project can keep: rename the file, then choose it again",
                path.display()
            )
        })?;
        let model = read(path)?;
        let loaded = model.name().to_owned();
        self.params.model_file.set(name.to_owned());
        self.seen = self.params.model_file.changes();
        self.seat(Some(model));
        Ok(loaded)
    }

    /// Sends the player's model away: the embedded one of the parameter *Model* plays.
    pub fn dismiss(&mut self) {
        self.params.model_file.set(String::new());
        self.seen = self.params.model_file.changes();
        self.seat(None);
    }

    fn seat(&mut self, model: Option<Arc<dyn Model>>) {
        *self.standing.write() = match &model {
            Some(model) => ModelStanding::Own { name: model.name().to_owned() },
            None => ModelStanding::Embedded,
        };
        self.model = model;
    }

    fn refuse(&mut self, fault: &str) {
        let own = self.model.as_ref().map(|model| model.name().to_owned());
        let instead = match &own {
            Some(name) => format!("{name} plays on"),
            None => "the model inside the plugin plays".to_owned(),
        };
        let sentence = format!("{fault}; {instead}");
        nice_error!("{sentence}");
        *self.standing.write() = ModelStanding::Refused { sentence, own };
    }
}

fn read(path: &Path) -> Result<Arc<dyn Model>, String> {
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
    let bytes = fs::read(path).map_err(unreadable)?;
    model::load(&bytes).map_err(|error| format!("{shown}: {error}"))
}
