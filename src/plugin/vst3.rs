//! A shim around the framework's VST3 object: it corrects what a host says before the framework's object does
//! the work.
//!
//! - A new process mode takes effect with the call that sets it, and not with the next one.
//! - The values of parameters are set here. The framework would tell its window of each of them on a thread of its
//!   own. If the window is just being opened or closed then, that thread panics and takes the host with it.
//! - A host that sets a value between two steps is told the step that was taken, so that it shows what it will
//!   read from a project.
//!
//! `docs/framework.md` has the causes.

mod interfaces;

use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use nice_plug::{
    params::{Params, internals::ParamPtr},
    wrapper::vst3::{
        Wrapper,
        vst3::{
            Class, ComPtr, ComRef, ComWrapper,
            Steinberg::{
                Vst::{
                    ChannelContext::IInfoListener, IAudioProcessor, IAudioProcessorTrait, IComponent,
                    IComponentHandler, IComponentHandlerTrait, IEditController, IEditControllerTrait,
                    IMidiMapping, INoteExpressionController, IParamValueQueue, IParamValueQueueTrait,
                    IParameterChanges, IParameterChangesTrait, IProcessContextRequirements, IUnitInfo,
                    ParamID, ParamValue, ParameterInfo, ProcessData, ProcessSetup,
                    RestartFlags_::kParamValuesChanged,
                },
                int32, kResultOk, tresult,
            },
        },
    },
};

use parking_lot::Mutex;

use super::{Antiphon, Exported};
use crate::{instance::Instance, params::AntiphonParams};

/// Least difference of a value that was taken from the one that was set, as normalised values, that is not
/// mere rounding: the value that was set lay between two steps.
const BETWEEN_STEPS: ParamValue = 0.02;

thread_local! {
    /// Whether this thread is making an instance for a wrapper; below, that instance.
    static IS_AWAITED: Cell<bool> = const { Cell::new(false) };
    static NEWEST: RefCell<Option<Instance>> = const { RefCell::new(None) };
}

/// Announces a new instance to the shim. To be called by the thread that makes the instance.
pub(super) fn announce(instance: &Instance) {
    if IS_AWAITED.get() {
        NEWEST.set(Some(instance.clone()));
    }
}

/// Makes a wrapper of the framework; returns it with the instance within it.
fn wrapped<V: Exported>() -> (Wrapper<Antiphon<V>>, Instance) {
    IS_AWAITED.set(true);
    let wrapper = Wrapper::new();
    IS_AWAITED.set(false);
    (wrapper, NEWEST.take().expect("the framework makes its plugin at once"))
}

/// One instance of the plugin in a VST3 host.
struct Shim<V: Exported> {
    wrapper: Wrapper<Antiphon<V>>,
    values: Values,
    /// The changes of MIDI controllers, which come as parameters in VST3. These are left to the framework.
    midi: ComWrapper<MidiChanges>,
    told: ComPtr<IParameterChanges>,
    /// The host's handler for changes of parameters. Used by the main thread.
    handler: Mutex<Option<ComPtr<IComponentHandler>>>,
    /// Whether a block was processed since a value was set. Then the next block tells the host.
    processes: AtomicBool,
}

/// The parameters by their VST3 identifiers.
struct Values {
    /// Sorted by identifier.
    all: Box<[(ParamID, ParamPtr)]>,
    /// Keeps the parameters alive that the pointers point to.
    _params: Arc<AntiphonParams>,
}

// SAFETY: the values of parameters are atomics, to be set from any thread.
unsafe impl Send for Values {}
// SAFETY: as above.
unsafe impl Sync for Values {}

impl<V: Exported> Class for Shim<V> {
    type Interfaces = (
        IComponent,
        IEditController,
        IAudioProcessor,
        IMidiMapping,
        INoteExpressionController,
        IProcessContextRequirements,
        IUnitInfo,
        IInfoListener,
    );
}

impl<V: Exported> Shim<V> {
    fn new() -> Self {
        let (wrapper, instance) = wrapped();
        Self::around(wrapper, &instance)
    }

    fn around(wrapper: Wrapper<Antiphon<V>>, instance: &Instance) -> Self {
        let values = Values::new(&wrapper, instance.params.clone());
        let midi = ComWrapper::new(MidiChanges::new(values.ids()));
        let told = midi.to_com_ptr().expect("it has this interface");
        Self { wrapper, values, midi, told, handler: Mutex::new(None), processes: AtomicBool::new(false) }
    }

    /// Takes the changes of parameters that the host sends with a block. A value between two steps is
    /// reported back as the step that was taken. Realtime-safe.
    unsafe fn take_changes(
        &self,
        changes: &ComRef<'_, IParameterChanges>,
        told_back: *mut IParameterChanges,
    ) {
        // SAFETY: the host gives an object that lives as long as the call of `process`.
        let count = unsafe { changes.getParameterCount() };
        for index in 0..count {
            // SAFETY: as above; the queue lives as long as the object.
            let queue = unsafe { ComRef::from_raw(changes.getParameterData(index)) };
            if let Some(queue) = queue {
                // SAFETY: as above.
                let (id, points) = unsafe { (queue.getParameterId(), queue.getPointCount()) };
                let (mut offset, mut value) = (0, 0.0);
                // SAFETY: as above; both places are valid.
                let is_set =
                    points > 0 && unsafe { queue.getPoint(points - 1, &mut offset, &mut value) } == kResultOk;
                if is_set
                    && let Some(taken) = self.values.set(id, value).filter(|taken| is_between(value, *taken))
                {
                    // SAFETY: as above.
                    unsafe { tell(told_back, id, taken) };
                }
            }
        }
    }
}

/// Whether the value that was taken differs from the one that was set by more than rounding.
fn is_between(value: ParamValue, taken: ParamValue) -> bool {
    (taken - value).abs() > BETWEEN_STEPS
}

/// Tells the host the value of a parameter, where it asks for changes. Realtime-safe.
///
/// # Safety
/// There is nothing at `changes`, or a valid object.
unsafe fn tell(changes: *mut IParameterChanges, id: ParamID, value: ParamValue) {
    let (mut index, mut place) = (0, 0);
    // SAFETY: by the caller's promise; all places are valid, and the queue lives as long as its object.
    unsafe {
        let Some(changes) = ComRef::from_raw(changes) else { return };
        if let Some(queue) = ComRef::from_raw(changes.addParameterData(&id, &mut index)) {
            queue.addPoint(0, value, &mut place);
        }
    }
}

impl Values {
    fn new<V: Exported>(wrapper: &Wrapper<Antiphon<V>>, params: Arc<AntiphonParams>) -> Self {
        let mut all: Box<[_]> = (0..)
            .zip(params.param_map())
            .map(|(index, (_, param, _))| {
                // SAFETY: zeroes are a valid value of this struct of numbers.
                let mut info: ParameterInfo = unsafe { std::mem::zeroed() };
                // SAFETY: the place is valid, and the framework numbers the parameters of its plugin in this order.
                let told = unsafe { wrapper.getParameterInfo(index, &mut info) };
                debug_assert_eq!(told, kResultOk);
                (info.id, param)
            })
            .collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        Self { all, _params: params }
    }

    fn ids(&self) -> Box<[ParamID]> {
        self.all.iter().map(|(id, _)| *id).collect()
    }

    /// Sets the normalised value of a parameter, and returns the value that was taken; `None` where the
    /// parameter is none of the plugin's. Realtime-safe.
    fn set(&self, id: ParamID, value: ParamValue) -> Option<ParamValue> {
        let index = self.all.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        let param = self.all[index].1;
        if value.is_finite() {
            // SAFETY: the parameters live as long as this.
            unsafe { param._internal_set_normalized_value(value as f32) };
        }
        // SAFETY: as above.
        Some(unsafe { param.unmodulated_normalized_value() }.into())
    }
}

impl<V: Exported> Shim<V> {
    /// Sets up twice, since the framework reads the process mode one call late.
    unsafe fn set_up(&self, setup: *mut ProcessSetup) -> tresult {
        // SAFETY: by the caller's promise.
        let first = unsafe { self.wrapper.setupProcessing(setup) };
        // SAFETY: as above; what was well set up may be set up again.
        if first == kResultOk { unsafe { self.wrapper.setupProcessing(setup) } } else { first }
    }

    /// Processes one block. Realtime-safe.
    unsafe fn perform(&self, data: *mut ProcessData) -> tresult {
        // SAFETY: the host gives a valid block, or none.
        let changes = unsafe { data.as_ref().and_then(|data| ComRef::from_raw(data.inputParameterChanges)) };
        if let Some(changes) = changes {
            // SAFETY: the object lives as long as this call.
            unsafe {
                self.take_changes(&changes, (*data).outputParameterChanges);
                self.midi.look_at(changes.as_ptr());
                (*data).inputParameterChanges = self.told.as_ptr();
            }
        }
        self.processes.store(true, Ordering::Relaxed);
        // SAFETY: by the caller's promise.
        let status = unsafe { self.wrapper.process(data) };
        if let Some(changes) = changes {
            // SAFETY: as above; the host finds its block as it was.
            unsafe { (*data).inputParameterChanges = changes.as_ptr() };
        }
        status
    }

    unsafe fn set_value(&self, id: ParamID, value: ParamValue) -> tresult {
        let Some(taken) = self.values.set(id, value) else {
            // SAFETY: by the caller's promise.
            return unsafe { self.wrapper.setParamNormalized(id, value) };
        };
        let processes = self.processes.swap(false, Ordering::Relaxed);
        let handler = self.handler.lock().clone().filter(|_| !processes && is_between(value, taken));
        if let Some(handler) = handler {
            // SAFETY: this is the main thread, and the host's object lives as long as it is held.
            unsafe { handler.restartComponent(kParamValuesChanged as int32) };
        }
        kResultOk
    }

    unsafe fn set_handler(&self, handler: *mut IComponentHandler) -> tresult {
        // SAFETY: the host gives a valid object, or none.
        *self.handler.lock() = unsafe { ComRef::from_raw(handler) }.map(|handler| handler.to_com_ptr());
        // SAFETY: by the caller's promise.
        unsafe { self.wrapper.setComponentHandler(handler) }
    }
}

/// A filtered view of the host's own parameter changes, valid for one call of `process`. For the audio thread
/// only.
struct MidiChanges {
    /// The plugin's own parameters, sorted by identifier. They are left out.
    left_out: Box<[ParamID]>,
    told: Cell<*mut IParameterChanges>,
    /// Index of the newest queue that was read, here and in the host's object. Queues are read one after the
    /// other.
    newest: Cell<(int32, int32)>,
}

impl MidiChanges {
    fn new(left_out: Box<[ParamID]>) -> Self {
        Self { left_out, told: Cell::new(std::ptr::null_mut()), newest: Cell::new((-1, -1)) }
    }

    /// Sets the host's object that is viewed from now on.
    ///
    /// # Safety
    /// It is valid until the next call of this, or nothing is asked any more.
    unsafe fn look_at(&self, told: *mut IParameterChanges) {
        self.told.set(told);
        self.newest.set((-1, -1));
    }

    /// The queues that are not left out, with their index in the host's object, from the index `from` on.
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

#[cfg(test)]
mod tests;
