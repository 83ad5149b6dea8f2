//! A model of the player's own file: a whole one, or a difference to one, of which so much is blended in as *You* says.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    model::{
        self, Model,
        personal::Personal,
        weights::{self, ModelError, Weights},
    },
    params::AntiphonParams,
};

/// Far beyond any network that answers in time.
const LARGEST_FILE_BYTES: u64 = 1 << 30;
/// A control that is being turned is followed when it has stood still for so long: blending takes some tens of
/// milliseconds.
const STANDS_STILL: Duration = Duration::from_millis(150);

/// A model that is ready to play.
pub struct Own {
    model: Arc<dyn Model>,
    blend: Option<Blend>,
}

/// What a personal model is made of.
struct Blend {
    personal: Personal,
    base: Weights,
    /// In percent.
    amount: u8,
}

/// Notices when the player's model is to be made anew: for another file at once, and for another *You*.
pub struct Changes {
    params: Arc<AntiphonParams>,
    file: u32,
    you: u8,
    /// The newest value of *You*, and since when it has stood.
    turned: Option<(u8, Instant)>,
}

impl Own {
    /// Reads a model file; of a personal one, so many percent of the difference play.
    ///
    /// # Errors
    /// Where the file is no good, or the model that it is a difference to is neither inside the plugin nor beside it.
    pub fn read(path: &Path, amount: u8) -> Result<Self, String> {
        let (shown, bytes) = (path.display(), bytes(path)?);
        let refused = |error: ModelError| format!("{shown}: {error}");
        if !Personal::is_one(&bytes) {
            return Ok(Self { model: model::load(&bytes).map_err(refused)?, blend: None });
        }
        let personal = Personal::read(&bytes).map_err(refused)?;
        let base = base(path, &personal).map_err(refused)?;
        let model = personal.applied(&base, share(amount)).map_err(refused)?.playable();
        Ok(Self { model, blend: Some(Blend { personal, base, amount }) })
    }

    pub fn model(&self) -> Arc<dyn Model> {
        self.model.clone()
    }

    /// From now on so many percent of the difference play. Allocates.
    pub fn blend(&mut self, percent: u8) {
        let Some(Blend { personal, base, amount }) = &mut self.blend else { return };
        if *amount != percent
            && let Ok(weights) = personal.applied(base, share(percent))
        {
            *amount = percent;
            self.model = weights.playable();
        }
    }
}

impl Changes {
    /// From what is set now.
    pub fn new(params: Arc<AntiphonParams>) -> Self {
        Self { file: params.model_file.changes(), you: params.you_percent(), turned: None, params }
    }

    /// Whether there is something new.
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

fn share(percent: u8) -> f32 {
    f32::from(percent) / 100.0
}

/// The model that it is a difference to: inside the plugin, or a file of its name beside its own.
fn base(path: &Path, personal: &Personal) -> Result<Weights, ModelError> {
    let fingerprint = personal.base.fingerprint;
    let beside = || {
        let bytes = bytes(&path.with_file_name(format!("{}.safetensors", personal.base.name))).ok()?;
        weights::read(&bytes).ok().filter(|weights| weights.fingerprint() == fingerprint)
    };
    let base = weights::embedded_base(fingerprint).or_else(beside);
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
mod tests;
