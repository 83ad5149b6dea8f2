//! How a CLAP host loads a preset into a plugin.

use std::ffi::{CStr, c_char, c_void};

use clap_sys::{
    ext::preset_load::clap_plugin_preset_load,
    factory::preset_discovery::{CLAP_PRESET_DISCOVERY_LOCATION_PLUGIN, clap_preset_discovery_location_kind},
    plugin::clap_plugin,
};
use nice_plug::{prelude::ClapPlugin, wrapper::clap::Wrapper};

use crate::presets::Preset;

/// The extension of a plugin of this type, as CLAP hands it to hosts.
pub fn extension<P: ClapPlugin>() -> *const c_void {
    (&raw const *Loading::<P>::EXTENSION).cast()
}

struct Loading<P>(std::marker::PhantomData<P>);

impl<P: ClapPlugin> Loading<P> {
    const EXTENSION: &'static clap_plugin_preset_load =
        &clap_plugin_preset_load { from_location: Some(from_location::<P>) };
}

/// Main thread. Sets what the preset sets, has the host ask for all values anew, and leaves the rest as it is; false for
/// a preset that is none of ours.
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
