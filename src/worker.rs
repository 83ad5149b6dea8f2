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
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread that works until it is dropped or its lanes are closed. `between` is called at each
    /// rest, to bring news from the main thread. Fails where the system has no thread to give.
    pub fn spawn(
        mut improviser: Improviser,
        health: Arc<Health>,
        mut between: impl FnMut(&mut Improviser) + Send + 'static,
    ) -> std::io::Result<Self> {
        let mut watch = Stopwatch::new(health);
        Self::run(move || {
            let (begun, steps) = (Instant::now(), improviser.steps());
            let progress = improviser.step();
            match progress {
                Progress::Worked => watch.work(begun, improviser.steps() != steps),
                Progress::Idle => {
                    watch.look();
                    between(&mut improviser);
                }
                Progress::Closed => {}
            }
            progress
        })
    }

    /// Starts a thread that does nothing but keep the take, for where the audio thread improvises itself.
    pub fn of_scribe(scribe: Scribing) -> std::io::Result<Self> {
        Self::run(move || {
            if let Some(mut scribe) = scribe.try_lock() {
                scribe.catch_up();
            }
            Progress::Idle
        })
    }

    /// Starts a thread that takes steps, and rests after an idle one.
    fn run(mut step: impl FnMut() -> Progress + Send + 'static) -> std::io::Result<Self> {
        let leave = Arc::new(AtomicBool::new(false));
        let asked_to_leave = leave.clone();
        let work = move || {
            while !asked_to_leave.load(Ordering::Relaxed) {
                match step() {
                    Progress::Worked => {}
                    Progress::Idle => thread::park_timeout(REST),
                    Progress::Closed => return,
                }
            }
        };
        let thread = thread::Builder::new().name("antiphon worker".to_owned()).spawn(work)?;
        Ok(Self { leave, thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.leave.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A worker that panicked has nothing more to say: its lanes are closed, the music went on.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chronicle::{Event, chronicle},
        music::{
            hearing::Place,
            note::{Key, Velocity},
            time::SampleTime,
        },
    };

    #[test]
    fn offline_too_the_take_is_kept_while_nobody_looks() {
        let scribe = Scribing::default();
        let (mut lane, reader) = chronicle();
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
