//! The plugin framework's traits: two plugins from one library, alike but for an audio output with a sound of
//! its own.

mod clap;
#[cfg(test)]
mod tests;
mod vst3;

use std::{
    marker::PhantomData,
    num::NonZeroU32,
    sync::{Arc, Weak},
};

use nice_plug::{params::internals::ParamPtr, plugin::ParamValue, prelude::*};
use parking_lot::Mutex;

pub use self::clap::clap_entry;
use crate::{
    event_log::{EventLog, event_log},
    host::{HostPort, SynthOutput},
    improviser::Improviser,
    instance::Instance,
    lane::lanes_of,
    model,
    music::time::{SampleRate, Samples},
    params::AntiphonParams,
    performer::{Partner, Past, Performer, RenderDetector},
    synth::Synth,
    telemetry::Telemetry,
    user_model::ModelChanges,
    worker::Worker,
};

/// Number of events in one block for which the framework has room from the start. For more it would allocate
/// on the audio thread. A host that renders in blocks of a second and more has thousands.
const EVENTS: usize = 8_192;

/// The telemetry of every instance of this process, in the order in which they were made.
static INSTANCES: Mutex<Vec<Weak<Telemetry>>> = Mutex::new(Vec::new());

const STEREO: &[AudioIOLayout] =
    &[AudioIOLayout { main_output_channels: NonZeroU32::new(2), ..AudioIOLayout::const_default() }];

/// *Antiphon*: a note effect without audio ports.
pub type NoteEffectPlugin = Antiphon<NoteEffect>;
/// *Antiphon (instrument slot)*: the same with a sound of its own, for an instrument slot of a host.
pub type InstrumentSlotPlugin = Antiphon<InstrumentSlot>;

/// Runs *Antiphon* as a standalone program with the arguments of this process; false where it cannot.
#[cfg(feature = "standalone")]
pub fn run_program() -> bool {
    nice_plug::wrapper::standalone::nice_export_standalone::<Antiphon<Program>>()
}

/// One instance of the plugin, as the host sees it.
pub struct Antiphon<V> {
    instance: Instance,
    active: Option<Active>,
    /// What the previous performer has left behind.
    past: Past,
    /// The improviser that has listened to the player so far. It is kept here while the plugin does not play
    /// in real time.
    improviser: Option<Improviser>,
    variant: PhantomData<V>,
}

/// What exists only while the plugin is active. The fields are dropped in this order: without its performer a
/// worker ends.
struct Active {
    performer: Performer,
    worker: Option<Worker>,
    synth: Option<Synth>,
}

/// What differs between the plugins.
pub trait Variant: Send + Sync + 'static {
    const NAME: &'static str;
    /// A plugin that has an audio output has a sound of its own.
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout];
    const HAS_SOUND: bool = !Self::AUDIO_IO_LAYOUTS.is_empty();
}

/// What hosts identify and classify an exported plugin by.
pub trait Exported: Variant {
    const CLAP_ID: &'static str;
    const CLAP_FEATURES: &'static [ClapFeature];
    const VST3_CLASS_ID: [u8; 16];
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory];
}

/// A note effect without audio ports.
pub struct NoteEffect;

impl Variant for NoteEffect {
    const NAME: &'static str = "Antiphon";
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = &[];
}

impl Exported for NoteEffect {
    const CLAP_ID: &'static str = "audio.antiphon.midi";
    const CLAP_FEATURES: &'static [ClapFeature] = &[ClapFeature::NoteEffect, ClapFeature::Utility];
    const VST3_CLASS_ID: [u8; 16] = *b"AntiphonMidiFx01";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[Vst3SubCategory::Fx, Vst3SubCategory::Tools];
}

/// A plugin for an instrument slot: what it plays is heard as audio and also goes out as notes.
pub struct InstrumentSlot;

impl Variant for InstrumentSlot {
    const NAME: &'static str = "Antiphon (instrument slot)";
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = STEREO;
}

impl Exported for InstrumentSlot {
    const CLAP_ID: &'static str = "audio.antiphon.slot";
    const CLAP_FEATURES: &'static [ClapFeature] =
        &[ClapFeature::Instrument, ClapFeature::NoteEffect, ClapFeature::Stereo];
    const VST3_CLASS_ID: [u8; 16] = *b"AntiphonSlotFx01";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] =
        &[Vst3SubCategory::Instrument, Vst3SubCategory::Tools];
}

/// The program without a host.
pub struct Program;

impl Variant for Program {
    const NAME: &'static str = "Antiphon";
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = STEREO;
}

impl<V: Variant> Default for Antiphon<V> {
    fn default() -> Self {
        let params = if V::HAS_SOUND { AntiphonParams::with_sound() } else { AntiphonParams::default() };
        let instance = Instance::new(Arc::new(params));
        register(&instance.telemetry);
        vst3::announce(&instance);
        Self { instance, active: None, past: Past::default(), improviser: None, variant: PhantomData }
    }
}

impl<V: Variant> Plugin for Antiphon<V> {
    const NAME: &'static str = V::NAME;
    const VENDOR: &'static str = "Antiphon";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = V::AUDIO_IO_LAYOUTS;
    const MIDI_INPUT: MidiConfig = MidiConfig::MidiCCs;
    const MIDI_OUTPUT: MidiConfig = MidiConfig::MidiCCs;
    const INPUT_EVENT_CAPACITY: usize = EVENTS;

    #[cfg(feature = "editor")]
    type Editor = crate::editor::SizedEditor;
    #[cfg(not(feature = "editor"))]
    type Editor = ();
    type SysExMessage = ();
    type BackgroundTask = ();

    fn filter_state(state: &mut PluginState) {
        sanitise(state);
    }

    fn params(&self) -> Arc<dyn Params> {
        self.instance.params.clone()
    }

    #[cfg(feature = "editor")]
    fn editor(&mut self, _executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        crate::editor::SizedEditor::new(self.instance.clone())
    }

    fn activate(
        &mut self,
        _layout: &AudioIOLayout,
        config: &BufferConfig,
        _context: &mut impl ActivateContext<Self>,
    ) -> bool {
        self.deactivate();
        let (performer_end, improviser_end) = lanes_of(self.instance.telemetry.clone());
        let is_offline = config.process_mode == ProcessMode::Offline;
        let past = if is_offline { self.past.aside() } else { std::mem::take(&mut self.past) };
        let mut improviser = match self.improviser.take_if(|_| !is_offline) {
            Some(improviser) => improviser.resumed(improviser_end),
            None => Improviser::new(improviser_end, model::registry::embedded()),
        };
        let changes = ModelChanges::new(self.instance.params.clone());
        improviser.set_user_model(self.instance.user_model.lock().model());
        improviser.show_predictions_on(self.instance.key_predictions.clone());
        let (partner, worker) = if is_offline {
            (Partner::Inline(Box::new(improviser)), Worker::of_recorder(self.instance.recorder.clone()))
        } else {
            (Partner::Watched(RenderDetector::default()), self.spawn_worker(improviser, changes))
        };
        let worker = worker.inspect_err(|error| {
            nice_error!("Antiphon gets no thread of its own ({error}): live it only listens, and only an open window keeps the take");
        });
        let rate = SampleRate(f64::from(config.sample_rate));
        let settings = self.instance.params.snapshot();
        let telemetry = self.instance.telemetry.clone();
        let performer = Performer::new(rate, performer_end, partner, telemetry, settings, past);
        let performer = performer.logged_to(self.begin_event_log());
        let synth = V::HAS_SOUND.then(|| Synth::new(config.sample_rate));
        self.active = Some(Active { performer, worker: worker.ok(), synth });
        true
    }

    fn reset(&mut self) {
        if let Some(active) = &mut self.active {
            active.performer.reset();
            if let Some(synth) = &mut active.synth {
                synth.reset();
            }
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        _aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        let Some(active) = &mut self.active else { return ProcessStatus::Error("not active") };
        let length = Samples(buffer.samples() as u64);
        let params = &self.instance.params;
        if let (Some(synth), Some(volume)) = (&mut active.synth, params.sound.volume()) {
            synth.set_volume(volume);
        }
        let output = SynthOutput::new(active.synth.as_mut(), buffer.as_slice());
        let mut port = HostPort::new(context, output);
        active.performer.process(&port.transport(), length, params.snapshot(), &mut port);
        port.finish();
        ProcessStatus::KeepAlive
    }

    fn deactivate(&mut self) {
        if let Some(Active { performer, worker, .. }) = self.active.take() {
            self.past.take_up(performer.leave());
            let improviser = worker.and_then(Worker::dismiss);
            self.improviser = improviser.or_else(|| self.improviser.take());
            self.instance.recorder.lock().catch_up();
        }
    }
}

impl<V: Variant> Antiphon<V> {
    /// The event log of a new performer, which the recorder follows from now on.
    fn begin_event_log(&self) -> EventLog {
        let (event_log, reader) = event_log();
        self.instance.recorder.lock().follow(reader);
        event_log
    }

    /// Starts a worker that also loads the player's own model when its file or *You* changes, and keeps the
    /// take.
    fn spawn_worker(&self, improviser: Improviser, mut changes: ModelChanges) -> std::io::Result<Worker> {
        let Instance { user_model, recorder, load, .. } = self.instance.clone();
        Worker::spawn(improviser, load, move |improviser| {
            if changes.are_there() {
                improviser.set_user_model(user_model.lock().model());
            }
            // Where the lock is taken, its holder brings the take up to date instead.
            if let Some(mut recorder) = recorder.try_lock() {
                recorder.catch_up();
            }
        })
    }
}

impl<V: Exported> ClapPlugin for Antiphon<V> {
    const CLAP_ID: &'static str = V::CLAP_ID;
    const CLAP_DESCRIPTION: Option<&'static str> = Some("Listens to the player and answers");
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = V::CLAP_FEATURES;
}

impl<V: Exported> Vst3Plugin for Antiphon<V> {
    const VST3_CLASS_ID: [u8; 16] = V::VST3_CLASS_ID;
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = V::VST3_SUBCATEGORIES;
}

/// The telemetry of every instance of this process, in the order in which they were made. Locks and
/// allocates: for any thread but the audio thread.
pub fn telemetry() -> Vec<Arc<Telemetry>> {
    INSTANCES.lock().iter().filter_map(Weak::upgrade).collect()
}

/// Brings every number of a state into the range of its parameter, and removes NaNs. A value that the
/// framework does not understand is left as it was. Allocates; main thread.
fn sanitise(state: &mut PluginState) {
    let params = AntiphonParams::with_sound();
    for (id, param, _) in params.param_map() {
        // SAFETY: the parameters live until the end of this function.
        let [low, high] = unsafe { [0.0, 1.0].map(|end| param.preview_plain(end)) };
        let is_number = match (param, state.params.get_mut(&id)) {
            (ParamPtr::FloatParam(_), Some(ParamValue::F32(value))) => {
                *value = value.clamp(low, high);
                !value.is_nan()
            }
            (ParamPtr::IntParam(_) | ParamPtr::EnumParam(_), Some(ParamValue::I32(value))) => {
                *value = (*value).clamp(low as i32, high as i32);
                true
            }
            _ => true,
        };
        if !is_number {
            state.params.remove(&id);
        }
    }
}

/// Adds a new instance to the list. Locks and allocates: for the main thread.
fn register(telemetry: &Arc<Telemetry>) {
    let mut instances = INSTANCES.lock();
    instances.retain(|instance| instance.strong_count() > 0);
    instances.push(Arc::downgrade(telemetry));
}
