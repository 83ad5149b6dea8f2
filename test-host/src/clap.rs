//! The CLAP host.

mod extensions;
mod process;

use std::{
    ffi::{CStr, CString},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use clack_extensions::{
    gui::HostGui,
    params::PluginParams,
    render::{PluginRender, RenderMode},
    state::PluginState,
};
pub use clack_host::entry::EntryDescriptor;
use clack_host::{
    events::event_types::{ParamValueEvent, TransportEvent},
    extensions::{Extension, PluginExtensionSide},
    prelude::*,
};
use rtsan_standalone::ScopedSanitizeRealtime;
use serde_json::Value;

use self::{extensions::Range, process::Outputs};
pub use self::{
    extensions::{Pixels, Preset, presets},
    process::Chord,
};
use crate::{
    play::{Block, Host, Output, Parameter},
    score::{Kind, Mode, Setup},
};

/// Number of events of one block for which room is reserved, so that no process call allocates.
const EVENTS: usize = 16_384;
/// Bytes of the length in front of a state.
const LENGTH_BYTES: usize = 8;

/// A CLAP plugin in its host.
pub struct Clap {
    processor: Option<StartedPluginAudioProcessor<Handlers>>,
    instance: PluginInstance<Handlers>,
    parameters: Vec<Range>,
    /// Parameter changes that wait for the next block, as CLAP values.
    waiting: Vec<(u32, f64)>,
    outputs: Outputs,
    incoming: EventBuffer,
    outgoing: EventBuffer,
}

impl Clap {
    /// Loads the plugin called `id` from a `.clap` on disk.
    ///
    /// # Errors
    /// When the file cannot be loaded or exports no such plugin.
    pub fn open(path: &Path, id: &str) -> Result<Self> {
        // SAFETY: loading a library runs its code; the caller names one that may run.
        let entry = unsafe { PluginEntry::load(path) }
            .with_context(|| format!("{} cannot be loaded as a CLAP plugin", path.display()))?;
        Self::new(&entry, id)
    }

    /// Takes the plugin called `id` from an entry of this process.
    ///
    /// # Safety
    /// `entry` must point at a valid entry, which CLAP calls `clap_plugin_entry`.
    pub unsafe fn in_process(entry: *const EntryDescriptor, id: &str) -> Result<Self> {
        // SAFETY: by the caller's promise.
        Self::new(&unsafe { entry_of(entry) }?, id)
    }

    /// Starts recording the plugin's audio.
    pub fn record(&mut self) {
        self.outputs.record();
    }

    /// Ends the recording, and gives the audio: one list of samples for each output channel.
    pub fn recorded(&mut self) -> Vec<Vec<f32>> {
        self.outputs.take_recording()
    }

    fn new(entry: &PluginEntry, id: &str) -> Result<Self> {
        let host = information()?;
        let wanted = CString::new(id)?;
        let mut instance =
            PluginInstance::<Handlers>::new(|()| Handlers::default(), |_| (), entry, &wanted, &host)
                .map_err(|error| anyhow!("no plugin \"{id}\": {error}; there are {}", ids(entry)))?;
        Ok(Self {
            processor: None,
            parameters: extensions::ranges(&instance.plugin_handle()),
            waiting: Vec::new(),
            outputs: Outputs::of(&instance.plugin_handle()),
            instance,
            incoming: EventBuffer::with_capacity(EVENTS),
            outgoing: EventBuffer::with_capacity(EVENTS),
        })
    }

    fn range(&self, id: u32) -> Result<&Range> {
        self.parameters
            .iter()
            .find(|range| range.parameter.id == id)
            .with_context(|| format!("the plugin has no parameter with the id {id}"))
    }

    /// Converts the waiting changes and the block's events to CLAP events.
    fn take_events(&mut self, block: &Block<'_>) -> Result<()> {
        self.incoming.clear();
        for (id, plain) in self.waiting.drain(..) {
            self.incoming.push(&ParamValueEvent::new(0, ClapId::new(id), Pckn::match_all(), plain));
        }
        for event in block.events {
            let time = u32::try_from(event.at - block.start).context("events lie within their block")?;
            match event.kind {
                Kind::Parameter { id, value } => {
                    let plain = self.range(id)?.plain(value);
                    self.incoming.push(&ParamValueEvent::new(
                        time,
                        ClapId::new(id),
                        Pckn::match_all(),
                        plain,
                    ));
                }
                kind => process::push(&mut self.incoming, time, kind)?,
            }
        }
        Ok(())
    }

    /// Calls the plugin's process function, and gives its duration.
    fn call(&mut self, block: &Block<'_>, transport: Option<&TransportEvent>) -> Result<Duration> {
        let processor = self.processor.as_mut().context("an inactive plugin cannot process")?;
        // SAFETY: there is no buffer here at all; only the frame count, which no output buffer tells.
        let inputs = unsafe { InputAudioBuffers::from_raw_buffers(&[], block.frames) };
        let mut outputs = self.outputs.buffers(block.frames);
        self.outgoing.clear();
        let (incoming, mut outgoing) = (self.incoming.as_input(), self.outgoing.as_output());
        let before = Instant::now();
        let played = {
            let _realtime = ScopedSanitizeRealtime::default();
            processor.process(&inputs, &mut outputs, &incoming, &mut outgoing, Some(block.start), transport)
        };
        let cost = before.elapsed();
        played.map_err(|error| anyhow!("the plugin fails: {error}"))?;
        Ok(cost)
    }

    /// Carries out the plugin's requests to the main thread.
    fn serve(&mut self) {
        if self.instance.access_shared_handler(Handlers::take_callback) {
            self.instance.call_on_main_thread_callback();
        }
    }
}

impl Host for Clap {
    fn activate(&mut self, setup: Setup) -> Result<()> {
        self.deactivate();
        let handle = self.instance.plugin_handle();
        if let Some(render) = handle.get_extension::<PluginRender>() {
            let mode = match setup.mode {
                Mode::Realtime => RenderMode::Realtime,
                Mode::Offline => RenderMode::Offline,
            };
            render.set(&handle, mode).map_err(|error| anyhow!("{error}"))?;
        }
        let configuration = PluginAudioConfiguration {
            sample_rate: setup.sample_rate,
            min_frames_count: 1,
            max_frames_count: setup.largest_block,
        };
        let stopped = self
            .instance
            .activate(|_, _| (), configuration)
            .map_err(|error| anyhow!("the plugin does not activate: {error}"))?;
        let started = stopped.start_processing().map_err(|_| anyhow!("the plugin does not start"))?;
        self.processor = Some(started);
        self.outputs.resize(setup.largest_block);
        self.serve();
        Ok(())
    }

    fn deactivate(&mut self) {
        if let Some(processor) = self.processor.take() {
            self.instance.deactivate(processor.stop_processing());
        }
        self.serve();
    }

    fn reset(&mut self) -> Result<()> {
        let processor = self.processor.as_mut().context("an inactive plugin cannot be reset")?;
        let _realtime = ScopedSanitizeRealtime::default();
        processor.reset();
        Ok(())
    }

    fn process(&mut self, block: &Block<'_>, output: &mut Output) -> Result<Duration> {
        self.take_events(block)?;
        let transport = block.transport.map(|state| process::transport(&state));
        let cost = self.call(block, transport.as_ref())?;
        output.peak = self.outputs.peak(block.frames, output.peak);
        self.outputs.keep(block.frames);
        process::read(&self.outgoing, block, &mut output.events)?;
        self.serve();
        Ok(cost)
    }

    fn parameters(&mut self) -> Result<Vec<Parameter>> {
        Ok(self.parameters.iter().map(|range| range.parameter.clone()).collect())
    }

    fn set(&mut self, id: u32, value: f64) -> Result<()> {
        let plain = self.range(id)?.plain(value);
        let event = ParamValueEvent::new(0, ClapId::new(id), Pckn::match_all(), plain);
        let Some(mut inactive) = self.instance.inactive_plugin_handle() else {
            self.waiting.push((id, plain));
            return Ok(());
        };
        extension::<PluginParams>(&inactive)?.flush(
            &mut inactive,
            &InputEvents::from_buffer(&[event]),
            &mut OutputEvents::void(),
        );
        self.serve();
        Ok(())
    }

    fn get(&mut self, id: u32) -> Result<f64> {
        let handle = self.instance.plugin_handle();
        let plain = extension::<PluginParams>(&handle)?
            .get_value(&handle, ClapId::new(id))
            .with_context(|| format!("the plugin does not tell its parameter {id}"))?;
        Ok(self.range(id)?.share(plain))
    }

    fn save(&mut self) -> Result<Vec<u8>> {
        let handle = self.instance.plugin_handle();
        let mut state = Vec::new();
        extension::<PluginState>(&handle)?.save(&handle, &mut state)?;
        Ok(state)
    }

    fn load(&mut self, mut state: &[u8]) -> Result<()> {
        let handle = self.instance.plugin_handle();
        extension::<PluginState>(&handle)?
            .load(&handle, &mut state)
            .context("the plugin refuses the state")?;
        self.serve();
        Ok(())
    }
}

impl Drop for Clap {
    fn drop(&mut self) {
        self.deactivate();
    }
}

/// The host's side of one plugin, whose requests may come from any thread.
#[derive(Default)]
struct Handlers {
    callback: AtomicBool,
}

impl Handlers {
    /// Whether the plugin has asked for a main-thread callback since the last call of this function.
    fn take_callback(&self) -> bool {
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

/// Replaces the text of one persisted field in a saved state. The framework's state is an 8-byte
/// little-endian length and then JSON.
///
/// # Errors
/// When `state` is of another kind.
pub fn with_field(state: &[u8], field: &str, text: &str) -> Result<Vec<u8>> {
    let json = state.get(LENGTH_BYTES..).context("the plugin's state is too short")?;
    let mut state: Value = serde_json::from_slice(json).context("the plugin's state is not JSON")?;
    // A field is JSON within the JSON.
    state["fields"][field] = serde_json::to_string(text)?.into();
    let json = serde_json::to_vec(&state)?;
    let length = u64::try_from(json.len()).context("a state has a length")?;
    Ok([&length.to_le_bytes()[..], &json].concat())
}

/// The plugin's side of an extension.
///
/// # Errors
/// When the plugin has none.
fn extension<E: Extension<ExtensionSide = PluginExtensionSide>>(plugin: &PluginSharedHandle) -> Result<E> {
    plugin.get_extension().with_context(|| format!("the plugin lacks {:?}", E::IDENTIFIERS))
}

/// The entry of this process.
///
/// # Safety
/// `entry` must point at a valid entry, which CLAP calls `clap_plugin_entry`.
unsafe fn entry_of(entry: *const EntryDescriptor) -> Result<PluginEntry> {
    // SAFETY: by the caller's promise; an entry that is linked in lives as long as the process.
    unsafe { PluginEntry::load_from_raw(&*entry, c"/in/process.clap") }
        .map_err(|error| anyhow!("the entry of this process cannot be used: {error}"))
}

/// The host's name and version, as it reports them to plugins.
fn information() -> Result<HostInfo> {
    HostInfo::new("Antiphon's test host", "Antiphon", "", env!("CARGO_PKG_VERSION"))
        .context("a name without zero bytes")
}

fn ids(entry: &PluginEntry) -> String {
    let factory = entry.get_plugin_factory();
    let ids = factory.iter().flat_map(|factory| factory.plugin_descriptors()).filter_map(|found| found.id());
    ids.map(CStr::to_string_lossy).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_field_changes() -> Result<()> {
        let json = br#"{"fields":{"a":"\"old\""},"version":"1"}"#;
        let state = [&(json.len() as u64).to_le_bytes()[..], json].concat();
        let changed = with_field(&state, "a", "x")?;
        assert_eq!(&changed[LENGTH_BYTES..], br#"{"fields":{"a":"\"x\""},"version":"1"}"#);
        assert_eq!(changed[0] as usize, changed.len() - LENGTH_BYTES);
        assert!(with_field(&changed[..4], "a", "x").is_err());
        Ok(())
    }
}
