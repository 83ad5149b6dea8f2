//! What a CLAP host finds in the library: the framework's plugins and, beside them, the presets.
//!
//! The framework's own macro exports plugins alone. This entry makes them as the macro does, and has each offer one more
//! extension, by which the host loads a preset.

mod discovery;
mod loading;

use std::{
    ffi::{CStr, c_char, c_void},
    sync::{Arc, OnceLock},
};

use clap_sys::{
    entry::clap_plugin_entry,
    ext::preset_load::{CLAP_EXT_PRESET_LOAD, CLAP_EXT_PRESET_LOAD_COMPAT},
    factory::{
        plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory},
        preset_discovery::{CLAP_PRESET_DISCOVERY_FACTORY_ID, CLAP_PRESET_DISCOVERY_FACTORY_ID_COMPAT},
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

/// What the library offers to a CLAP host.
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
/// The places of the plugins in all that has an element for each.
const NOTE_EFFECT: usize = 0;
const INSTRUMENT_SLOT: usize = 1;

type GetExtension = unsafe extern "C" fn(*const clap_plugin, *const c_char) -> *const c_void;
/// The framework's extensions of each plugin: the same function for all its instances.
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
        discovery::factory()
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

/// A plugin of the framework that offers one extension more.
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
        return loading::extension::<P>();
    }
    match FRAMEWORK[PLACE].get() {
        // SAFETY: it is the framework's function for a plugin of this type.
        Some(framework) => unsafe { framework(plugin, id) },
        None => std::ptr::null(),
    }
}
