//! The thread around an improviser: spawned by the main thread, joined when it is dropped.

mod health;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use thread_priority::ThreadPriority;
#[cfg(unix)]
use thread_priority::{RealtimeThreadSchedulePolicy, ThreadSchedulePolicy};

pub use self::health::Health;
use self::health::Stopwatch;
use crate::{
    improviser::{Improviser, Progress},
    take::Scribing,
};

/// How long the worker rests when there is nothing to do. The audio thread never wakes it, since that is a
/// system call; it asks early enough that a rest does no harm.
const REST: Duration = Duration::from_millis(2);

/// A running worker.
#[derive(Debug)]
pub struct Worker {
    leave: Arc<AtomicBool>,
    thread: Option<JoinHandle<Option<Improviser>>>,
}

impl Worker {
    /// Starts a thread that works until it is dropped or its lanes are closed. `between` is called at each
    /// rest, to bring news from the main thread. Fails where the system has no thread to give.
    pub fn spawn(
        improviser: Improviser,
        health: Arc<Health>,
        mut between: impl FnMut(&mut Improviser) + Send + 'static,
    ) -> std::io::Result<Self> {
        let mut watch = Stopwatch::new(health);
        let step = move |improviser: &mut Option<Improviser>| {
            let Some(improviser) = improviser else { return Progress::Closed };
            let (begun, steps) = (Instant::now(), improviser.steps());
            let progress = improviser.step();
            match progress {
                Progress::Worked => watch.work(begun, improviser.steps() != steps),
                Progress::Idle => {
                    watch.look();
                    between(improviser);
                }
                Progress::Closed => {}
            }
            progress
        };
        Self::run(Some(improviser), step)
    }

    /// Starts a thread that does nothing but keep the take, for where the audio thread improvises itself.
    pub fn of_scribe(scribe: Scribing) -> std::io::Result<Self> {
        Self::run(None, move |_| {
            if let Some(mut scribe) = scribe.try_lock() {
                scribe.catch_up();
            }
            Progress::Idle
        })
    }

    /// Ends the thread and gives back who improvised in it, unless that is past hope.
    pub fn dismiss(mut self) -> Option<Improviser> {
        self.end()
    }

    fn end(&mut self) -> Option<Improviser> {
        self.leave.store(true, Ordering::Relaxed);
        let thread = self.thread.take()?;
        thread.thread().unpark();
        // A worker that panicked has nothing more to say: its lanes are closed, the music went on.
        thread.join().ok().flatten()
    }

    /// Starts a thread that takes steps, and rests after an idle one.
    fn run(
        mut improviser: Option<Improviser>,
        mut step: impl FnMut(&mut Option<Improviser>) -> Progress + Send + 'static,
    ) -> std::io::Result<Self> {
        let leave = Arc::new(AtomicBool::new(false));
        let asked_to_leave = leave.clone();
        let work = move || {
            if improviser.is_some() {
                go_first();
            }
            while !asked_to_leave.load(Ordering::Relaxed) {
                match step(&mut improviser) {
                    Progress::Worked => {}
                    Progress::Idle => thread::park_timeout(REST),
                    Progress::Closed => break,
                }
            }
            // Whoever is past hope closes the lanes: nobody waits for it.
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

/// Asks the system to let this thread go before ordinary ones: a program that takes all cores is no reason to be late. It
/// stays behind every audio thread. Where the system does not allow it, the answer is asked for earlier instead.
fn go_first() {
    #[cfg(unix)]
    let asked = thread_priority::set_thread_priority_and_policy(
        thread_priority::thread_native_id(),
        ThreadPriority::Min,
        ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::RoundRobin),
    );
    #[cfg(not(unix))]
    let asked = thread_priority::set_current_thread_priority(ThreadPriority::Max);
    // Who may not is told nothing: the window shows what comes late.
    drop(asked);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event_log::{Event, event_log},
        music::{
            note::{Key, Velocity},
            note_tracker::Place,
            time::SampleTime,
        },
    };

    #[test]
    fn offline_too_the_take_is_kept_while_nobody_looks() {
        let scribe = Scribing::default();
        let (mut lane, reader) = event_log();
        scribe.lock().follow(reader);
        let worker = Worker::of_scribe(scribe.clone()).expect("a thread");
        let place = Place { channel: 0, key: Key::saturating(60) };
        lane.tell(SampleTime(0), Event::Struck(place, Velocity::saturating(80))).expect("room");
        while scribe.lock().take().is_empty() {
            thread::yield_now();
        }
        drop(worker);
    }
}
