//! The model of the player's own file, which plays before the embedded ones.

use std::{path::Path, sync::Arc};

use nice_plug::{nice_error, params::persist::PersistentField};
use parking_lot::RwLock;

use super::own::Own;
use crate::{model::Model, params::AntiphonParams};

/// Reads the model file again whenever its path is set, and blends a personal one as *You* says. For any thread but audio.
pub struct Guest {
    params: Arc<AntiphonParams>,
    /// The change of the path that was read last.
    seen: u32,
    own: Option<Own>,
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
        Self { params, seen: 0, own: None, standing: Arc::default() }
    }

    /// What became of the file; its lock is never held for long.
    pub fn standing(&self) -> Arc<RwLock<ModelStanding>> {
        self.standing.clone()
    }

    /// The model of the file, blended as *You* says now; the one before it where the file is no good, which the log then
    /// tells.
    pub fn model(&mut self) -> Option<Arc<dyn Model>> {
        let changes = self.params.model_file.changes();
        if changes != self.seen {
            self.seen = changes;
            let you = self.params.you_percent();
            match self.params.model_file.path().map(|path| Own::read(Path::new(&path), you)).transpose() {
                Ok(own) => self.seat(own),
                Err(fault) => self.refuse(&fault),
            }
        }
        let you = self.params.you_percent();
        self.own.as_mut().map(|own| {
            own.blend(you);
            own.model()
        })
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
        let own = Own::read(path, self.params.you_percent())?;
        let loaded = own.model().name().to_owned();
        self.params.model_file.set(name.to_owned());
        self.seen = self.params.model_file.changes();
        self.seat(Some(own));
        Ok(loaded)
    }

    /// Sends the player's model away: the embedded one of the parameter *Model* plays.
    pub fn dismiss(&mut self) {
        self.params.model_file.set(String::new());
        self.seen = self.params.model_file.changes();
        self.seat(None);
    }

    fn seat(&mut self, own: Option<Own>) {
        *self.standing.write() = match &own {
            Some(own) => ModelStanding::Own { name: own.model().name().to_owned() },
            None => ModelStanding::Embedded,
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
        nice_error!("{sentence}");
        *self.standing.write() = ModelStanding::Refused { sentence, own };
    }
}
