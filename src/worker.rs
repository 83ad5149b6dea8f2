//! The thread around an improviser: spawned by the main thread, joined when it is dropped.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::improviser::{Improviser, Progress};

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
        mut between: impl FnMut(&mut Improviser) + Send + 'static,
    ) -> std::io::Result<Self> {
        let leave = Arc::new(AtomicBool::new(false));
        let asked_to_leave = leave.clone();
        let work = move || {
            while !asked_to_leave.load(Ordering::Relaxed) {
                match improviser.step() {
                    Progress::Worked => {}
                    Progress::Idle => {
                        between(&mut improviser);
                        thread::park_timeout(REST);
                    }
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
