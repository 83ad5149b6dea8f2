//! The framework's traits: two plugins from one library, alike but for a silent audio output.

use std::{marker::PhantomData, num::NonZeroU32, sync::Arc};

use nice_plug::prelude::*;

use crate::params::AntiphonParams;

/// *Antiphon*: a note effect without audio ports.
pub type NoteEffectPlugin = Antiphon<NoteEffect>;
/// *Antiphon (instrument slot)*: the same for hosts that refuse a plugin without audio.
pub type InstrumentSlotPlugin = Antiphon<InstrumentSlot>;

/// One instance of the plugin, as the host sees it.
pub struct Antiphon<V> {
    params: Arc<AntiphonParams>,
    variant: PhantomData<V>,
}

/// What tells the two exported plugins apart.
pub trait Variant: Send + Sync + 'static {
    const NAME: &'static str;
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout];
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
    const CLAP_ID: &'static str = "audio.antiphon.midi";
    const CLAP_FEATURES: &'static [ClapFeature] = &[ClapFeature::NoteEffect, ClapFeature::Utility];
    const VST3_CLASS_ID: [u8; 16] = *b"AntiphonMidiFx01";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[Vst3SubCategory::Fx, Vst3SubCategory::Tools];
}

/// A note effect with a silent stereo output, which takes the place of an instrument.
pub struct InstrumentSlot;

impl Variant for InstrumentSlot {
    const NAME: &'static str = "Antiphon (instrument slot)";
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] =
        &[AudioIOLayout { main_output_channels: NonZeroU32::new(2), ..AudioIOLayout::const_default() }];
    const CLAP_ID: &'static str = "audio.antiphon.slot";
    const CLAP_FEATURES: &'static [ClapFeature] =
        &[ClapFeature::Instrument, ClapFeature::NoteEffect, ClapFeature::Stereo];
    const VST3_CLASS_ID: [u8; 16] = *b"AntiphonSlotFx01";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] =
        &[Vst3SubCategory::Instrument, Vst3SubCategory::Tools];
}

impl<V: Variant> Default for Antiphon<V> {
    fn default() -> Self {
        Self { params: Arc::default(), variant: PhantomData }
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

    type Editor = ();
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        self.params.clone()
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        _aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        for channel in buffer.as_slice() {
            channel.fill(0.0);
        }
        while let Some(event) = context.next_event() {
            let _ = context.try_send_event(event);
        }
        ProcessStatus::KeepAlive
    }
}

impl<V: Variant> ClapPlugin for Antiphon<V> {
    const CLAP_ID: &'static str = V::CLAP_ID;
    const CLAP_DESCRIPTION: Option<&'static str> = Some("Listens to the player and answers");
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = V::CLAP_FEATURES;
}

impl<V: Variant> Vst3Plugin for Antiphon<V> {
    const VST3_CLASS_ID: [u8; 16] = V::VST3_CLASS_ID;
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = V::VST3_SUBCATEGORIES;
}

nice_export_clap!(NoteEffectPlugin, InstrumentSlotPlugin);
nice_export_vst3!(NoteEffectPlugin, InstrumentSlotPlugin);
