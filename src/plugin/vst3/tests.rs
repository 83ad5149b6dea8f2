//! Tests of a VST3 host that automates while it opens and closes the window, and that says only once that it
//! renders.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
};

use nice_plug::wrapper::vst3::vst3::Steinberg::{
    IPlugViewTrait, IPluginBaseTrait,
    Vst::{
        Event,
        Event_::EventTypes_::{kNoteOffEvent, kNoteOnEvent},
        IComponentTrait, IEventList, IEventListTrait, IParamValueQueue, NoteOffEvent, NoteOnEvent,
        ProcessModes_::{kOffline, kRealtime},
        SymbolicSampleSizes_::kSample32,
        ViewType::kEditor,
    },
    int32, uint16,
};

use super::*;
use crate::plugin::NoteEffect;

const RATE: f64 = 48_000.0;
const FRAMES: int32 = 64;
/// Number of blocks that are played meanwhile.
const BLOCKS: u32 = 500;
/// A number that no parameter of the plugin has.
const MIDI: ParamID = (1 << 31) - 100;

/// One change of a parameter, at the first sample.
struct Queue {
    id: ParamID,
    value: Cell<f64>,
}

impl Class for Queue {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Queue {
    unsafe fn getParameterId(&self) -> ParamID {
        self.id
    }

    unsafe fn getPointCount(&self) -> int32 {
        1
    }

    unsafe fn getPoint(&self, _: int32, offset: *mut int32, value: *mut ParamValue) -> tresult {
        // SAFETY: the callers give valid places.
        unsafe { (offset.write(0), value.write(self.value.get())) };
        kResultOk
    }

    unsafe fn addPoint(&self, _: int32, value: ParamValue, _: *mut int32) -> tresult {
        self.value.set(value);
        kResultOk
    }
}

struct Told(Vec<ComPtr<IParamValueQueue>>);

impl Class for Told {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for Told {
    unsafe fn getParameterCount(&self) -> int32 {
        self.0.len() as int32
    }

    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        self.0.get(index as usize).map_or(std::ptr::null_mut(), ComPtr::as_ptr)
    }

    unsafe fn addParameterData(&self, id: *const ParamID, _: *mut int32) -> *mut IParamValueQueue {
        // SAFETY: the callers give a valid place, and the queues are this object's.
        let is_it = |queue: &&ComPtr<IParamValueQueue>| unsafe { queue.getParameterId() == *id };
        self.0.iter().find(is_it).map_or(std::ptr::null_mut(), ComPtr::as_ptr)
    }
}

/// Counts how often the host is asked to read all values anew.
#[derive(Default)]
struct Handler(Cell<u32>);

impl Class for Handler {
    type Interfaces = (IComponentHandler,);
}

impl IComponentHandlerTrait for Handler {
    unsafe fn beginEdit(&self, _: ParamID) -> tresult {
        kResultOk
    }

    unsafe fn performEdit(&self, _: ParamID, _: ParamValue) -> tresult {
        kResultOk
    }

    unsafe fn endEdit(&self, _: ParamID) -> tresult {
        kResultOk
    }

    unsafe fn restartComponent(&self, flags: int32) -> tresult {
        assert_eq!(flags, kParamValuesChanged as int32);
        self.0.set(self.0.get() + 1);
        kResultOk
    }
}

/// The player's events of a block. Events that the plugin adds are dropped.
struct Events(Vec<Event>);

impl Events {
    /// One short note.
    fn note() -> Self {
        // SAFETY: zeroes are valid events.
        let (mut on, mut off): (Event, Event) = unsafe { std::mem::zeroed() };
        on.r#type = kNoteOnEvent as uint16;
        on.__field0.noteOn =
            NoteOnEvent { channel: 0, pitch: 60, tuning: 0.0, velocity: 0.7, length: 0, noteId: -1 };
        off.r#type = kNoteOffEvent as uint16;
        off.sampleOffset = FRAMES - 1;
        off.__field0.noteOff = NoteOffEvent { channel: 0, pitch: 60, velocity: 0.5, noteId: -1, tuning: 0.0 };
        Self(vec![on, off])
    }
}

impl Class for Events {
    type Interfaces = (IEventList,);
}

impl IEventListTrait for Events {
    unsafe fn getEventCount(&self) -> int32 {
        self.0.len() as int32
    }

    unsafe fn getEvent(&self, index: int32, place: *mut Event) -> tresult {
        // SAFETY: the callers give valid places.
        unsafe { place.write(self.0[index as usize]) };
        kResultOk
    }

    unsafe fn addEvent(&self, _: *mut Event) -> tresult {
        kResultOk
    }
}

/// A host with one instance of the plugin, which plays.
struct Host {
    shim: ComWrapper<Shim<NoteEffect>>,
    instance: Instance,
    queues: Vec<ComWrapper<Queue>>,
    told: ComPtr<IParameterChanges>,
}

impl Host {
    fn new() -> Self {
        let (wrapper, instance) = wrapped();
        let shim = ComWrapper::new(Shim::<NoteEffect>::around(wrapper, &instance));
        // SAFETY: the calls come in a host's order.
        unsafe { shim.initialize(std::ptr::null_mut()) };
        let ids = shim.values.ids();
        let queue = |id: &ParamID| ComWrapper::new(Queue { id: *id, value: Cell::new(0.0) });
        let queues: Vec<_> = ids.iter().chain(&[MIDI]).map(queue).collect();
        let told = queues.iter().map(|queue| queue.to_com_ptr().expect("a queue")).collect();
        let told = ComWrapper::new(Told(told)).to_com_ptr().expect("changes");
        let host = Self { shim, instance, queues, told };
        host.activate(kRealtime as int32);
        host
    }

    /// Sets the plugin up once with a process mode, and activates it.
    fn activate(&self, mode: int32) {
        let mut setup = ProcessSetup {
            processMode: mode,
            symbolicSampleSize: kSample32 as int32,
            maxSamplesPerBlock: FRAMES,
            sampleRate: RATE,
        };
        // SAFETY: the calls come in a host's order.
        unsafe {
            assert_eq!(self.shim.set_up(&mut setup), kResultOk);
            assert_eq!(self.shim.setActive(1), kResultOk);
            assert_eq!(self.shim.setProcessing(1), kResultOk);
        }
    }

    fn deactivate(&self) {
        // SAFETY: as above.
        unsafe { (self.shim.setProcessing(0), self.shim.setActive(0)) };
    }

    /// A block in which the host moves every parameter.
    fn automate(&self, value: f64) {
        self.queues.iter().for_each(|queue| queue.value.set(value));
        let data = self.play(ProcessData { inputParameterChanges: self.told.as_ptr(), ..block() });
        assert_eq!(data.inputParameterChanges, self.told.as_ptr(), "the host's block is as it was");
    }

    fn play(&self, mut data: ProcessData) -> ProcessData {
        // SAFETY: the block is valid.
        assert_eq!(unsafe { self.shim.perform(&mut data) }, kResultOk);
        data
    }

    /// Plays a note, then more blocks until a worker has listened to it or two notes have answered it.
    /// Returns whether a worker has listened.
    fn is_heard_by_the_worker(&self) -> bool {
        let events = |events: Events| ComWrapper::new(events).to_com_ptr::<IEventList>().expect("events");
        let (played, heard) = (events(Events::note()), events(Events(Vec::new())));
        let on = || ProcessData { outputEvents: heard.as_ptr(), ..block() };
        self.play(ProcessData { inputEvents: played.as_ptr(), ..on() });
        let (load, answered) = (&self.instance.load, &self.instance.telemetry.answered);
        let enough = answered.count() + 2;
        while load.step().is_none() && answered.count() < enough {
            self.play(on());
            thread::yield_now();
        }
        load.step().is_some()
    }

    fn value(&self, id: ParamID) -> f64 {
        // SAFETY: it has no conditions.
        unsafe { self.shim.getParamNormalized(id) }
    }
}

/// A block without channels, in which nothing happens.
fn block() -> ProcessData {
    // SAFETY: zeroes are a valid block.
    let data: ProcessData = unsafe { std::mem::zeroed() };
    ProcessData { symbolicSampleSize: kSample32 as int32, numSamples: FRAMES, ..data }
}

/// The host as the playing thread uses it.
struct Player<'a>(&'a Host);

// SAFETY: the host's objects are looked at by the playing thread alone while it plays; the shim is made for two threads.
unsafe impl Send for Player<'_> {}

impl Player<'_> {
    fn play_until(&self, done: &AtomicBool, blocks: &AtomicU32) {
        while !done.load(Ordering::Relaxed) {
            let before = blocks.fetch_add(1, Ordering::Relaxed);
            self.0.automate(f64::from(before % 97) / 97.0);
        }
    }
}

#[test]
fn a_window_may_be_closed_at_any_moment_while_the_host_automates() {
    let host = Host::new();
    let (done, blocks) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        let player = Player(&host);
        let playing = scope.spawn(|| {
            let player = player;
            player.play_until(&done, &blocks);
        });
        while blocks.load(Ordering::Relaxed) < BLOCKS && !playing.is_finished() {
            // SAFETY: the calls come in a host's order; the view is given back below.
            let view = unsafe { ComPtr::from_raw(host.shim.createView(kEditor)) }.expect("a window");
            for _ in 0..100 {
                // SAFETY: a view that is not attached refuses, and holds what the window would be kept in meanwhile.
                unsafe { view.removed() };
            }
        }
        done.store(true, Ordering::Relaxed);
        assert!(playing.join().is_ok());
    });
}

#[test]
fn after_a_bounce_the_worker_plays_again_as_soon_as_the_host_says_so() {
    let host = Host::new();
    host.deactivate();
    host.activate(kOffline as int32);
    assert!(!host.is_heard_by_the_worker(), "a bounce needs no worker");
    host.deactivate();
    host.activate(kRealtime as int32);
    assert!(host.is_heard_by_the_worker(), "live, the audio thread does the worker's work");
}

#[test]
fn what_is_automated_is_set_and_reads_back_what_it_is() {
    let host = Host::new();
    host.automate(0.775);
    for (id, _) in &host.shim.values.all {
        let once = host.value(*id);
        // SAFETY: it has no conditions.
        unsafe { host.shim.set_value(*id, once) };
        assert_eq!(host.value(*id), once, "a value that was read is one that stays");
    }
    host.automate(0.0);
    assert!(host.shim.values.all.iter().all(|(id, _)| host.value(*id) == 0.0));
}

#[test]
fn a_value_that_is_set_while_the_plugin_processes_is_taken() {
    let host = Host::new();
    for (id, _) in &host.shim.values.all {
        // SAFETY: it has no conditions.
        assert_eq!(unsafe { host.shim.set_value(*id, 1.0) }, kResultOk);
        assert_eq!(host.value(*id), 1.0);
    }
}

#[test]
fn a_host_that_sets_a_value_between_two_steps_is_told_the_step() {
    const BETWEEN: f64 = 0.82;
    let host = Host::new();
    let queues: Vec<_> =
        host.queues.iter().map(|queue| Queue { id: queue.id, value: Cell::new(BETWEEN) }).collect();
    let back: Vec<_> = queues.into_iter().map(ComWrapper::new).collect();
    let told = back.iter().map(|queue| queue.to_com_ptr().expect("a queue")).collect();
    let told_back = ComWrapper::new(Told(told)).to_com_ptr::<IParameterChanges>().expect("changes");
    host.queues.iter().for_each(|queue| queue.value.set(BETWEEN));
    let (input, output) = (host.told.as_ptr(), told_back.as_ptr());
    host.play(ProcessData { inputParameterChanges: input, outputParameterChanges: output, ..block() });
    let shown = |id: ParamID| back.iter().find(|queue| queue.id == id).map(|queue| queue.value.get());
    for (id, _) in &host.shim.values.all {
        assert!(shown(*id).is_some_and(|shown| (shown - host.value(*id)).abs() <= BETWEEN_STEPS), "{id}");
    }
    let stepped = |id: &ParamID| (host.value(*id) - BETWEEN).abs() > BETWEEN_STEPS;
    let id = host.shim.values.ids().iter().copied().find(stepped).expect("a choice of three");

    let handler = ComWrapper::new(Handler::default());
    let asked = handler.to_com_ptr::<IComponentHandler>().expect("a handler");
    // SAFETY: the handler lives until it is taken back.
    unsafe {
        host.shim.set_handler(asked.as_ptr());
        host.shim.set_value(id, BETWEEN);
        assert_eq!(handler.0.get(), 0, "a block was processed: the next one tells");
        host.shim.set_value(id, BETWEEN);
        host.shim.set_value(id, host.value(id));
        host.shim.set_handler(std::ptr::null_mut());
        host.shim.set_value(id, BETWEEN);
    }
    assert_eq!(handler.0.get(), 1);
}

#[test]
fn the_framework_is_told_of_midi_controllers_alone() {
    let host = Host::new();
    // SAFETY: the host's object lives.
    unsafe { host.shim.midi.look_at(host.told.as_ptr()) };
    // SAFETY: as above.
    unsafe {
        assert_eq!(host.shim.midi.getParameterCount(), 1);
        for _ in 0..2 {
            let queue = ComRef::from_raw(host.shim.midi.getParameterData(0)).expect("a queue");
            assert_eq!(queue.getParameterId(), MIDI);
        }
        assert!(host.shim.midi.getParameterData(1).is_null());
    }
}
