//! The CLAP entry of the library: the framework's plugins and the presets.
//!
//! The framework's own macro exports only plugins. This entry creates them as the macro does, and adds one
//! more extension to each, by which the host loads a preset. A factory lists the presets without loading a
//! plugin.

use std::{
    ffi::{CStr, CString, c_char, c_void},
    marker::PhantomData,
    sync::{Arc, OnceLock},
};

use clack_extensions::preset_discovery::prelude::{
    Flags, IndexerInfo, Location, LocationInfo, MetadataReceiver, PresetDiscoveryFactoryImpl,
    PresetDiscoveryFactoryWrapper, ProviderDescriptor, ProviderImpl, ProviderInstance, UniversalPluginId,
};
use clack_plugin::{factory::FactoryImplementation, prelude::PluginError};
use clap_sys::{
    entry::clap_plugin_entry,
    ext::preset_load::{CLAP_EXT_PRESET_LOAD, CLAP_EXT_PRESET_LOAD_COMPAT, clap_plugin_preset_load},
    factory::{
        plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory},
        preset_discovery::{
            CLAP_PRESET_DISCOVERY_FACTORY_ID, CLAP_PRESET_DISCOVERY_FACTORY_ID_COMPAT,
            CLAP_PRESET_DISCOVERY_LOCATION_PLUGIN, clap_preset_discovery_location_kind,
        },
    },
    host::clap_host,
    plugin::{clap_plugin, clap_plugin_descriptor},
    version::CLAP_VERSION,
};
use nice_plug::{
    prelude::ClapPlugin,
    wrapper::{
        clap::{PluginDescriptor, Wrapper},
        setup_logger,
    },
};

use super::{InstrumentSlotPlugin, NoteEffectPlugin};
use crate::params::presets::{PRESETS, Preset};

/// The entry point of the library for CLAP hosts.
#[unsafe(no_mangle)]
#[used]
#[allow(non_upper_case_globals, reason = "the name is CLAP's")]
pub static clap_entry: clap_plugin_entry = clap_plugin_entry {
    clap_version: CLAP_VERSION,
    init: Some(init),
    deinit: Some(deinit),
    get_factory: Some(get_factory),
};

static PLUGINS: clap_plugin_factory = clap_plugin_factory {
    get_plugin_count: Some(count),
    get_plugin_descriptor: Some(descriptor),
    create_plugin: Some(create),
};

const COUNT: usize = 2;
/// The index of each plugin in arrays that have one element for each plugin.
const NOTE_EFFECT: usize = 0;
const INSTRUMENT_SLOT: usize = 1;

const PROVIDER_ID: &CStr = c"audio.antiphon.presets";

type GetExtension = unsafe extern "C" fn(*const clap_plugin, *const c_char) -> *const c_void;
/// The framework's `get_extension` of each plugin: the same function for all its instances.
static FRAMEWORK: [OnceLock<GetExtension>; COUNT] = [const { OnceLock::new() }; COUNT];

fn descriptors() -> &'static [PluginDescriptor; COUNT] {
    static DESCRIPTORS: OnceLock<[PluginDescriptor; COUNT]> = OnceLock::new();
    DESCRIPTORS.get_or_init(|| {
        [
            PluginDescriptor::for_plugin::<NoteEffectPlugin>(),
            PluginDescriptor::for_plugin::<InstrumentSlotPlugin>(),
        ]
    })
}

unsafe extern "C" fn init(_path: *const c_char) -> bool {
    setup_logger::<NoteEffectPlugin>();
    true
}

unsafe extern "C" fn deinit() {}

unsafe extern "C" fn get_factory(id: *const c_char) -> *const c_void {
    if id.is_null() {
        return std::ptr::null();
    }
    // SAFETY: a host names a factory by a string of C.
    let id = unsafe { CStr::from_ptr(id) };
    if id == CLAP_PLUGIN_FACTORY_ID {
        (&raw const PLUGINS).cast()
    } else if [CLAP_PRESET_DISCOVERY_FACTORY_ID, CLAP_PRESET_DISCOVERY_FACTORY_ID_COMPAT].contains(&id) {
        preset_factory()
    } else {
        std::ptr::null()
    }
}

unsafe extern "C" fn count(_: *const clap_plugin_factory) -> u32 {
    COUNT as u32
}

unsafe extern "C" fn descriptor(_: *const clap_plugin_factory, index: u32) -> *const clap_plugin_descriptor {
    let descriptor = descriptors().get(index as usize);
    descriptor.map_or(std::ptr::null(), |descriptor| descriptor.clap_plugin_descriptor())
}

unsafe extern "C" fn create(
    _: *const clap_plugin_factory,
    host: *const clap_host,
    id: *const c_char,
) -> *const clap_plugin {
    if id.is_null() {
        return std::ptr::null();
    }
    // SAFETY: a host names a plugin by a string of C.
    let id = unsafe { CStr::from_ptr(id) };
    match descriptors().iter().position(|descriptor| descriptor.clap_id() == id) {
        Some(NOTE_EFFECT) => made::<NoteEffectPlugin, NOTE_EFFECT>(host),
        Some(INSTRUMENT_SLOT) => made::<InstrumentSlotPlugin, INSTRUMENT_SLOT>(host),
        _ => std::ptr::null(),
    }
}

/// Makes a plugin of the framework that offers one more extension.
fn made<P: ClapPlugin, const PLACE: usize>(host: *const clap_host) -> *const clap_plugin {
    // SAFETY: the host gives itself, as the framework wants it. Its `destroy` takes the count of the `Arc` back.
    let wrapper = Arc::into_raw(unsafe { Wrapper::<P>::new(host) });
    // SAFETY: the wrapper lives until it is destroyed, and nobody else knows it yet.
    let plugin = unsafe { (*wrapper).clap_plugin.as_ptr() };
    // SAFETY: as above.
    let framework = unsafe { (*plugin).get_extension.replace(get_extension::<P, PLACE>) };
    if let Some(framework) = framework {
        FRAMEWORK[PLACE].get_or_init(|| framework);
    }
    plugin
}

unsafe extern "C" fn get_extension<P: ClapPlugin, const PLACE: usize>(
    plugin: *const clap_plugin,
    id: *const c_char,
) -> *const c_void {
    if id.is_null() {
        return std::ptr::null();
    }
    // SAFETY: a host names an extension by a string of C.
    if [CLAP_EXT_PRESET_LOAD, CLAP_EXT_PRESET_LOAD_COMPAT].contains(&unsafe { CStr::from_ptr(id) }) {
        return preset_loading::<P>();
    }
    match FRAMEWORK[PLACE].get() {
        // SAFETY: it is the framework's function for a plugin of this type.
        Some(framework) => unsafe { framework(plugin, id) },
        None => std::ptr::null(),
    }
}

/// The extension of a plugin of this type, as CLAP hands it to hosts.
fn preset_loading<P: ClapPlugin>() -> *const c_void {
    (&raw const *Loading::<P>::EXTENSION).cast()
}

struct Loading<P>(PhantomData<P>);

impl<P: ClapPlugin> Loading<P> {
    const EXTENSION: &'static clap_plugin_preset_load =
        &clap_plugin_preset_load { from_location: Some(from_location::<P>) };
}

/// Loads a preset, and has the host read all values anew. What the preset does not set stays as it is.
/// Returns false for a preset that is none of ours. Main thread.
unsafe extern "C" fn from_location<P: ClapPlugin>(
    plugin: *const clap_plugin,
    kind: clap_preset_discovery_location_kind,
    _location: *const c_char,
    load_key: *const c_char,
) -> bool {
    if plugin.is_null() || load_key.is_null() || kind != CLAP_PRESET_DISCOVERY_LOCATION_PLUGIN {
        return false;
    }
    // SAFETY: a host names a preset by a string of C.
    let name = unsafe { CStr::from_ptr(load_key) };
    let Some(preset) = name.to_str().ok().and_then(Preset::named) else { return false };
    // SAFETY: it is a plugin of this type, so its data is the framework's wrapper.
    let wrapper = unsafe { &*((*plugin).plugin_data as *const Wrapper<P>) };
    wrapper.set_state_inner(&mut preset.state())
}

/// The factory of the only preset provider, as CLAP hands it to hosts.
fn preset_factory() -> *const c_void {
    static FACTORY: OnceLock<PresetDiscoveryFactoryWrapper<Providers>> = OnceLock::new();
    let factory = FACTORY.get_or_init(|| {
        let descriptor =
            ProviderDescriptor::new(&PROVIDER_ID.to_string_lossy(), "Antiphon").with_vendor("Antiphon");
        PresetDiscoveryFactoryWrapper::new(Providers { descriptor })
    });
    factory.wrapper().as_raw_ptr().cast()
}

struct Providers {
    descriptor: ProviderDescriptor,
}

impl PresetDiscoveryFactoryImpl for Providers {
    fn provider_count(&self) -> u32 {
        1
    }

    fn provider_descriptor(&self, index: u32) -> Option<&ProviderDescriptor> {
        (index == 0).then_some(&self.descriptor)
    }

    fn create_provider<'a>(&'a self, host: IndexerInfo<'a>, id: &CStr) -> Option<ProviderInstance<'a>> {
        let presets =
            LocationInfo { name: c"Antiphon", flags: Flags::IS_FACTORY_CONTENT, location: Location::Plugin };
        (id == PROVIDER_ID).then(|| {
            ProviderInstance::new(host, &self.descriptor, move |mut indexer| {
                indexer.declare_location(presets)?;
                Ok(Provider)
            })
        })
    }
}

/// The preset provider: lists every preset that is built into the plugin.
struct Provider;

impl ProviderImpl<'_> for Provider {
    fn get_metadata(
        &mut self,
        location: Location,
        receiver: &mut MetadataReceiver,
    ) -> Result<(), PluginError> {
        if location == Location::Plugin {
            PRESETS.iter().try_for_each(|preset| tell(preset, receiver))?;
        }
        Ok(())
    }
}

fn tell(preset: &Preset, receiver: &mut MetadataReceiver) -> Result<(), PluginError> {
    let (name, purpose) = (CString::new(preset.name)?, CString::new(preset.purpose)?);
    let told = receiver.begin_preset(Some(&name), Some(&name))?;
    told.set_description(&purpose).set_flags(Flags::IS_FACTORY_CONTENT).add_creator(c"Antiphon");
    for descriptor in descriptors() {
        told.add_plugin_id(UniversalPluginId::clap(descriptor.clap_id()));
    }
    Ok(())
}
