//! What must stay the same for a training to go on as if it had never stopped.

use std::path::Path;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use antiphon::model::Preset;

use super::{Arguments, Plan, material::Material};

const THREADS: &str = "threads";
const CORPUS: &str = "corpus";

/// Names and values, in the order in which they are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms(Vec<(String, String)>);

impl Terms {
    pub fn new(preset: Preset, plan: &Plan, arguments: &Arguments, material: &Material) -> Self {
        let init = arguments.init.as_ref().map_or("nothing".into(), |path| path.display().to_string());
        let terms = [
            ("--preset", preset.name().into()),
            ("--init", init),
            ("--device", format!("{:?}", arguments.device).to_lowercase()),
            ("--convention", arguments.convention.to_string()),
            ("--batch", plan.batch.to_string()),
            ("--window", plan.window.to_string()),
            ("--seed", arguments.seed.to_string()),
            ("--varied", arguments.varied.to_string()),
            ("--slipped", arguments.slipped.to_string()),
            // Each learns from rows of its own.
            (THREADS, rayon::current_num_threads().to_string()),
            (CORPUS, material.digest()),
        ];
        Self(terms.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// Fails when a training with other terms left the checkpoint. A term that was not known then is not asked for.
    pub fn check(&self, kept: &Self, checkpoint: &Path) -> Result<()> {
        let then = |name: &str| kept.0.iter().find(|(kept, _)| kept == name).map(|(_, then)| then);
        let mut terms = self.0.iter().filter_map(|(name, now)| Some((name, now, then(name)?)));
        let Some((name, now, then)) = terms.find(|(_, now, then)| now != then) else { return Ok(()) };
        let path = checkpoint.display();
        match name.as_str() {
            THREADS => bail!("{path} was made with {then} threads, not {now}: set RAYON_NUM_THREADS={then}"),
            CORPUS => bail!(
                "{path} was made from other files, or some have changed: give the same `--data` and `--validation`, or \
                 begin anew with the model beside it as `--init`, and another `--output`"
            ),
            _ => bail!("{path} was made with `{name} {then}`, not `{name} {now}`: give the same arguments"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(batch: &str, threads: &str, corpus: &str) -> Terms {
        Terms(
            [("--batch", batch), (THREADS, threads), (CORPUS, corpus)]
                .map(|(a, b)| (a.into(), b.into()))
                .into(),
        )
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let kept = terms("16", "2", "a");
        let told = |now: Terms| now.check(&kept, Path::new("x")).err().map(|error| error.to_string());
        assert_eq!(told(kept.clone()), None);
        let batch = told(terms("8", "4", "b")).expect("all differ");
        assert_eq!(batch, "x was made with `--batch 16`, not `--batch 8`: give the same arguments");
        assert!(told(terms("16", "4", "a")).expect("they differ").ends_with("set RAYON_NUM_THREADS=2"));
        assert_eq!(told(Terms(vec![("--new".into(), "1".into())])), None);
        assert!(told(terms("16", "2", "b")).expect("they differ").contains("other files"));
    }
}
