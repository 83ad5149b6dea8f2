//! What a CLAP plugin may ask of its host.

use std::sync::atomic::{AtomicBool, Ordering};

use clack_extensions::gui::HostGui;
use clack_host::prelude::*;

/// The host's side of one plugin. Its requests may come from any thread.
#[derive(Default)]
pub struct Handlers {
    callback: AtomicBool,
}

impl Handlers {
    /// Whether the plugin has asked for its main thread since the last time.
    pub fn take_callback(&self) -> bool {
        self.callback.swap(false, Ordering::Relaxed)
    }
}

impl SharedHandler<'_> for Handlers {
    fn request_restart(&self) {}

    fn request_process(&self) {}

    fn request_callback(&self) {
        self.callback.store(true, Ordering::Relaxed);
    }
}

impl HostHandlers for Handlers {
    type Shared<'a> = Self;
    type MainThread<'a> = ();
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<Self>, _: &Self::Shared<'_>) {
        builder.register::<HostGui>();
    }
}
