//! The model of the player's own file, which plays before the embedded ones.

use std::{fs, sync::Arc};

use nice_plug::nice_error;

use crate::{
    model::{self, Model},
    params::AntiphonParams,
};

/// Reads the model file again whenever its path is set. For the main thread and the worker.
pub struct Guest {
    params: Arc<AntiphonParams>,
    /// The change of the path that was read last.
    seen: u32,
    model: Option<Arc<dyn Model>>,
}

impl Guest {
    pub fn new(params: Arc<AntiphonParams>) -> Self {
        Self { params, seen: 0, model: None }
    }

    /// Whether the path was set since it was read last.
    pub fn has_changed(&self) -> bool {
        self.params.model_file.changes() != self.seen
    }

    /// The model of the file; the one before it where the file is no good, which the log then tells.
    pub fn model(&mut self) -> Option<Arc<dyn Model>> {
        if self.has_changed() {
            self.seen = self.params.model_file.changes();
            match self.params.model_file.path().map(|path| read(&path)).transpose() {
                Ok(model) => self.model = model,
                Err(sentence) => nice_error!("{sentence}"),
            }
        }
        self.model.clone()
    }
}

fn read(path: &str) -> Result<Arc<dyn Model>, String> {
    let bytes = fs::read(path).map_err(|error| {
        format!("{path} cannot be read ({error}): choose another model file; the old model plays on")
    })?;
    model::load(&bytes).map_err(|error| format!("{path}: {error}; the old model plays on"))
}
