//! Learning side by side: each desk has one thread of its own, since threads that share a product wait for each other.

use std::thread;

use anyhow::Result;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A thread and what it learns from.
pub struct Desk<T> {
    pool: ThreadPool,
    pub seat: T,
}

impl<T: Send> Desk<T> {
    /// Fails where the system has no thread to give.
    pub fn new(seat: T) -> Result<Self> {
        Ok(Self { pool: ThreadPoolBuilder::new().num_threads(1).build()?, seat })
    }
}

/// What came of the work at all desks, in their order.
pub fn side_by_side<T: Send, R: Send>(
    desks: &mut [Desk<T>],
    work: impl Fn(&mut T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let work = &work;
    thread::scope(|scope| {
        let mut threads = Vec::with_capacity(desks.len());
        for Desk { pool, seat } in desks {
            threads.push(scope.spawn(move || pool.install(|| work(seat))));
        }
        threads.into_iter().map(|thread| thread.join().expect("work does not panic")).collect()
    })
}
