//! What a host tells of parameters in a block, without those of the plugin.

use std::cell::Cell;

use nice_plug::wrapper::vst3::vst3::{
    Class, ComRef,
    Steinberg::{
        Vst::{IParamValueQueue, IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait, ParamID},
        int32,
    },
};

/// A view of the host's own object, for as long as a call of `process` lasts. For the audio thread alone.
pub struct MidiChanges {
    /// The plugin's parameters, sorted.
    left_out: Box<[ParamID]>,
    told: Cell<*mut IParameterChanges>,
    /// Where the newest queue was found: here, and in the host's object. They are read one after the other.
    newest: Cell<(int32, int32)>,
}

impl MidiChanges {
    pub fn new(left_out: Box<[ParamID]>) -> Self {
        Self { left_out, told: Cell::new(std::ptr::null_mut()), newest: Cell::new((-1, -1)) }
    }

    /// From now on this is what the host tells.
    ///
    /// # Safety
    /// It is valid until the next call of this, or nothing is asked any more.
    pub unsafe fn look_at(&self, told: *mut IParameterChanges) {
        self.told.set(told);
        self.newest.set((-1, -1));
    }

    /// The host's places of the queues from one on that are not left out.
    fn places(&self, from: int32) -> impl Iterator<Item = (int32, *mut IParamValueQueue)> {
        // SAFETY: by the promise of `look_at`.
        let told = unsafe { ComRef::from_raw(self.told.get()) };
        // SAFETY: as above.
        let count = told.as_ref().map_or(0, |told| unsafe { told.getParameterCount() });
        (from..count).filter_map(move |place| {
            // SAFETY: as above; the queues live as long as their object.
            let raw = unsafe { told.as_ref()?.getParameterData(place) };
            // SAFETY: as above.
            let id = unsafe { ComRef::from_raw(raw)?.getParameterId() };
            self.left_out.binary_search(&id).is_err().then_some((place, raw))
        })
    }
}

impl Class for MidiChanges {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for MidiChanges {
    unsafe fn getParameterCount(&self) -> int32 {
        self.places(0).count() as int32
    }

    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        let (here, there) = self.newest.get();
        let (from, before) = if index > here { (there + 1, here + 1) } else { (0, 0) };
        let skipped = usize::try_from(index - before).unwrap_or(0);
        let Some((place, queue)) = self.places(from).nth(skipped) else { return std::ptr::null_mut() };
        self.newest.set((index, place));
        queue
    }

    unsafe fn addParameterData(&self, _: *const ParamID, _: *mut int32) -> *mut IParamValueQueue {
        std::ptr::null_mut()
    }
}
