//! Looks at the instance once a frame, and tells the window what there is to show.

use std::sync::Arc;

use super::view::{Floor, Health, View};
use crate::{lane::Telemetry, params::AntiphonParams};

/// What the window looks at. It never makes the audio thread or the worker wait.
pub struct Watch {
    params: Arc<AntiphonParams>,
    telemetry: Arc<Telemetry>,
}

impl Watch {
    pub fn new(params: Arc<AntiphonParams>, telemetry: Arc<Telemetry>) -> Self {
        Self { params, telemetry }
    }

    /// What there is to show now.
    pub fn look(&mut self) -> View {
        let settings = self.params.snapshot();
        let mut view = View::empty();
        view.allowed = settings.manner.keys();
        if settings.bypass {
            view.floor = Floor::Bypassed;
        }
        view.health = Health {
            model: self.params.model.to_string(),
            late: self.telemetry.late.count(),
            dropped: self.telemetry.dropped.count(),
            ..Health::default()
        };
        view
    }
}
