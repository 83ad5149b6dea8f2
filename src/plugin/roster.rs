//! Who plays in this process.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::lane::Telemetry;

pub(super) static INSTANCES: Mutex<Vec<Weak<Telemetry>>> = Mutex::new(Vec::new());

/// An instance is made. Locks and allocates: for the main thread.
pub fn enter(telemetry: &Arc<Telemetry>) {
    let mut instances = INSTANCES.lock();
    instances.retain(|instance| instance.strong_count() > 0);
    instances.push(Arc::downgrade(telemetry));
}

/// What every instance of this process has counted so far, in the order in which they were made. Locks and allocates: for
/// any thread but the audio thread.
pub fn telemetry() -> Vec<Arc<Telemetry>> {
    INSTANCES.lock().iter().filter_map(Weak::upgrade).collect()
}
