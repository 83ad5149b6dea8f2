//! How a CLAP host finds the presets without loading a plugin.

use std::{
    ffi::{CStr, CString, c_void},
    sync::OnceLock,
};

use clack_extensions::preset_discovery::prelude::{
    Flags, IndexerInfo, Location, LocationInfo, MetadataReceiver, PresetDiscoveryFactoryImpl,
    PresetDiscoveryFactoryWrapper, ProviderDescriptor, ProviderImpl, ProviderInstance, UniversalPluginId,
};
use clack_plugin::{factory::FactoryImplementation, prelude::PluginError};

use super::descriptors;
use crate::presets::{PRESETS, Preset};

const ID: &CStr = c"audio.antiphon.presets";

/// The factory of the one provider that there is, as CLAP hands it to hosts.
pub fn factory() -> *const c_void {
    static FACTORY: OnceLock<PresetDiscoveryFactoryWrapper<Providers>> = OnceLock::new();
    let factory = FACTORY.get_or_init(|| {
        let descriptor = ProviderDescriptor::new(&ID.to_string_lossy(), "Antiphon").with_vendor("Antiphon");
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
        (id == ID).then(|| {
            ProviderInstance::new(host, &self.descriptor, move |mut indexer| {
                indexer.declare_location(presets)?;
                Ok(Provider)
            })
        })
    }
}

/// Tells of every preset that lies within the plugin.
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
