//! The thread that runs an improviser, and how busy it is. The main thread spawns it; dropping it joins it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use atomic_float::AtomicF32;
use thread_priority::ThreadPriority;
#[cfg(unix)]
use thread_priority::{RealtimeThreadSchedulePolicy, ThreadSchedulePolicy};

use crate::{
    improviser::{Improviser, StepResult},
    music::time::Seconds,
    take::SharedRecorder,
};

/// How long the worker rests when there is nothing to do. The audio thread never wakes it, since that is a
/// system call; it asks early enough that a rest does no harm.
const REST: Duration = Duration::from_millis(2);

/// Number of newest steps over which the median is taken.
const STEPS: usize = 63;
/// Length of time over which the share is measured.
const PERIOD: Duration = Duration::from_secs(1);

/// A running worker.
#[derive(Debug)]
pub struct Worker {
    leave: Arc<AtomicBool>,
    thread: Option<JoinHandle<Option<Improviser>>>,
}

impl Worker {
    /// Starts a thread that works until it is dropped or its lanes are closed. `between` is called at each
    /// rest, to bring changes from the main thread. Fails where the system cannot start a thread.
    pub fn spawn(
        improviser: Improviser,
        load: Arc<WorkerLoad>,
        mut between: impl FnMut(&mut Improviser) + Send + 'static,
    ) -> std::io::Result<Self> {
        let mut meter = LoadMeter::new(load);
        let step = move |improviser: &mut Option<Improviser>| {
            let Some(improviser) = improviser else { return StepResult::Closed };
            let (begun, steps) = (Instant::now(), improviser.steps());
            let progress = improviser.step();
            match progress {
                StepResult::Worked => meter.work(begun, improviser.steps() != steps),
                StepResult::Idle => {
                    meter.look();
                    between(improviser);
                }
                StepResult::Closed => {}
            }
            progress
        };
        Self::run(Some(improviser), step)
    }

    /// Starts a thread that only keeps the take, for where the audio thread runs the improviser itself.
    pub fn of_recorder(recorder: SharedRecorder) -> std::io::Result<Self> {
        Self::run(None, move |_| {
            if let Some(mut recorder) = recorder.try_lock() {
                recorder.catch_up();
            }
            StepResult::Idle
        })
    }

    /// Ends the thread and returns its improviser, unless that has failed too often.
    pub fn dismiss(mut self) -> Option<Improviser> {
        self.end()
    }

    fn end(&mut self) -> Option<Improviser> {
        self.leave.store(true, Ordering::Relaxed);
        let thread = self.thread.take()?;
        thread.thread().unpark();
        // A worker that panicked returns nothing: its lanes are closed, and the music went on.
        thread.join().ok().flatten()
    }

    /// Starts a thread that takes steps, and rests after an idle one.
    fn run(
        mut improviser: Option<Improviser>,
        mut step: impl FnMut(&mut Option<Improviser>) -> StepResult + Send + 'static,
    ) -> std::io::Result<Self> {
        let leave = Arc::new(AtomicBool::new(false));
        let asked_to_leave = leave.clone();
        let work = move || {
            if improviser.is_some() {
                go_first();
            }
            while !asked_to_leave.load(Ordering::Relaxed) {
                match step(&mut improviser) {
                    StepResult::Worked => {}
                    StepResult::Idle => thread::park_timeout(REST),
                    StepResult::Closed => break,
                }
            }
            // One that has failed too often is dropped, which closes its lanes: nobody waits for it.
            improviser.filter(|improviser| !improviser.is_hopeless())
        };
        let thread = thread::Builder::new().name("antiphon worker".to_owned()).spawn(work)?;
        Ok(Self { leave, thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

/// Asks the system for a priority above ordinary threads, so that a program that takes all cores does not
/// delay this one. It stays below every audio thread. Where the system refuses, the answer is asked for
/// earlier instead.
fn go_first() {
    #[cfg(unix)]
    let asked = thread_priority::set_thread_priority_and_policy(
        thread_priority::thread_native_id(),
        ThreadPriority::Min,
        ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::RoundRobin),
    );
    #[cfg(not(unix))]
    let asked = thread_priority::set_current_thread_priority(ThreadPriority::Max);
    // A refusal is not reported: the window shows which notes come late.
    drop(asked);
}

/// The load of the worker: written by it alone, read by any thread.
#[derive(Debug)]
pub struct WorkerLoad {
    /// NaN before the first step.
    step: AtomicF32,
    share: AtomicF32,
}

impl WorkerLoad {
    /// How long the model takes for a note, heard or made: the median of the newest 63 steps. `None` before
    /// the first one, and offline, where the audio thread does the work.
    pub fn step(&self) -> Option<Seconds> {
        let step = self.step.load(Ordering::Relaxed);
        (!step.is_nan()).then_some(Seconds(step))
    }

    /// How much of the last second the worker has worked, 0..=1 of one core.
    pub fn share(&self) -> f32 {
        self.share.load(Ordering::Relaxed)
    }
}

impl Default for WorkerLoad {
    fn default() -> Self {
        Self { step: AtomicF32::new(f32::NAN), share: AtomicF32::new(0.0) }
    }
}

/// Measures the worker's load.
struct LoadMeter {
    load: Arc<WorkerLoad>,
    /// A ring buffer of the durations of the newest steps, in seconds.
    steps: [f32; STEPS],
    taken: usize,
    busy: Duration,
    since: Instant,
}

impl LoadMeter {
    fn new(load: Arc<WorkerLoad>) -> Self {
        Self { load, steps: [0.0; STEPS], taken: 0, busy: Duration::ZERO, since: Instant::now() }
    }

    /// Counts work that took from `begun` until now; `is_step` says whether a model was used.
    fn work(&mut self, begun: Instant, is_step: bool) {
        let took = begun.elapsed();
        self.busy += took;
        if is_step {
            self.steps[self.taken % STEPS] = took.as_secs_f32();
            self.taken += 1;
            self.load.step.store(self.median(), Ordering::Relaxed);
        }
        self.look();
    }

    /// Publishes the share if a period is over.
    fn look(&mut self) {
        let passed = self.since.elapsed();
        if passed >= PERIOD {
            let share = self.busy.as_secs_f32() / passed.as_secs_f32();
            self.load.share.store(share.min(1.0), Ordering::Relaxed);
            (self.busy, self.since) = (Duration::ZERO, Instant::now());
        }
    }

    fn median(&self) -> f32 {
        let mut steps = self.steps;
        let steps = &mut steps[..self.taken.min(STEPS)];
        *steps.select_nth_unstable_by(steps.len() / 2, f32::total_cmp).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event_log::{Event, event_log},
        music::{
            note::{Key, Velocity},
            note_tracker::ChannelKey,
            time::SampleTime,
        },
    };

    #[test]
    fn offline_too_the_take_is_kept_while_nobody_looks() {
        let recorder = SharedRecorder::default();
        let (mut lane, reader) = event_log();
        recorder.lock().follow(reader);
        let worker = Worker::of_recorder(recorder.clone()).expect("a thread");
        let place = ChannelKey { channel: 0, key: Key::saturating(60) };
        lane.tell(SampleTime(0), Event::Struck(place, Velocity::saturating(80))).expect("room");
        while recorder.lock().take().is_empty() {
            thread::yield_now();
        }
        drop(worker);
    }

    #[test]
    fn one_slow_step_does_not_hide_how_quick_the_others_are() {
        let load = Arc::new(WorkerLoad::default());
        let mut meter = LoadMeter::new(load.clone());
        assert_eq!(load.step(), None);
        let Some(long_ago) = Instant::now().checked_sub(Duration::from_secs(9)) else { return };
        meter.work(long_ago, true);
        assert!(load.step().is_some_and(|step| step.0 >= 9.0));
        (0..4).for_each(|_| meter.work(Instant::now(), true));
        assert!(load.step().is_some_and(|step| step.0 < 9.0));
    }
}
