//! Parallel work on private threads, each alone: threads that share a matrix product wait for each other.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread::{self, JoinHandle},
};

use rayon::{ThreadBuilder, ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// A private thread and the state that it works on.
pub struct PoolThread<T> {
    pool: OwnPool,
    pub state: T,
}

/// A private pool of threads. They have ended when it is dropped: a plugin may be unloaded then.
pub struct OwnPool {
    pool: Option<ThreadPool>,
    threads: Vec<JoinHandle<()>>,
}

impl OwnPool {
    /// Fails where the system cannot start a thread.
    pub fn new(threads: usize) -> Result<Self, ThreadPoolBuildError> {
        let mut own = Self { pool: None, threads: Vec::new() };
        let spawn = |work: ThreadBuilder| {
            let thread = thread::Builder::new().name("antiphon pool".to_owned());
            own.threads.push(thread.spawn(|| work.run())?);
            Ok(())
        };
        own.pool = Some(ThreadPoolBuilder::new().num_threads(threads).spawn_handler(spawn).build()?);
        Ok(own)
    }

    /// Runs `work` on its threads; parallel work inside stays on them.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.as_ref().expect("it lasts as long as this").install(work)
    }
}

impl Drop for OwnPool {
    fn drop(&mut self) {
        self.pool = None;
        // A panic of a thread was already reported where its work was waited for.
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

impl<T: Send> PoolThread<T> {
    /// Fails where the system cannot start a thread.
    pub fn new(state: T) -> Result<Self, ThreadPoolBuildError> {
        Ok(Self { pool: OwnPool::new(1)?, state })
    }
}

/// Runs `work` on all threads and returns their results in order. Fails if one fails.
pub fn run_each<T: Send, R: Send, E: Send>(
    threads: &mut [PoolThread<T>],
    work: impl Fn(&mut T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let work = &work;
    thread::scope(|scope| {
        let mut running = Vec::with_capacity(threads.len());
        for PoolThread { pool, state } in threads {
            running.push(scope.spawn(move || pool.install(|| work(state))));
        }
        running.into_iter().map(|thread| thread.join().expect("work does not panic")).collect()
    })
}

/// Maps all items and returns the results in order; each thread takes one after the other. Fails if one
/// fails.
pub fn parallel_map<I, R, E>(items: &[I], work: impl Fn(&I) -> Result<R, E> + Sync) -> Result<Vec<R>, E>
where
    I: Sync,
    R: Send,
    E: Send + From<ThreadPoolBuildError>,
{
    let thread = |_| PoolThread::new(());
    let mut threads = (0..rayon::current_num_threads()).map(thread).collect::<Result<Vec<_>, _>>()?;
    let next = AtomicUsize::new(0);
    let done = run_each(&mut threads, |()| -> Result<_, E> {
        let mut done = Vec::new();
        while let Some((index, item)) = take(items, &next) {
            done.push((index, work(item)?));
        }
        Ok(done)
    })?;
    let mut done: Vec<_> = done.into_iter().flatten().collect();
    done.sort_by_key(|&(index, _)| index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

fn take<'a, I>(items: &'a [I], next: &AtomicUsize) -> Option<(usize, &'a I)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    items.get(index).map(|item| (index, item))
}

#[cfg(test)]
mod tests {
    use anyhow::{Result, bail};

    use super::*;

    #[test]
    fn what_comes_of_items_stands_in_their_order() {
        let items: Vec<u32> = (0..100).collect();
        let squares = parallel_map(&items, |item| -> Result<u32> { Ok(item * item) }).expect("threads");
        assert!(squares.into_iter().eq(items.iter().map(|item| item * item)));
    }

    #[test]
    fn work_that_fails_in_one_thread_is_told() {
        let work = |&item: &u32| -> Result<u32> { if item == 7 { bail!("seven") } else { Ok(item) } };
        assert_eq!(parallel_map(&[5, 6, 7, 8], work).expect_err("it fails").to_string(), "seven");
    }
}
