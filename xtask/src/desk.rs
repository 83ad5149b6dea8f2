//! Work side by side: each desk has one thread of its own, since threads that share a product wait for each other.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::Result;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A thread and what it works on.
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

/// What came of the work at all desks, in their order. Fails where one fails.
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

/// What comes of each item, in their order; desks take one after the other. Fails where one fails.
pub fn shared_out<I: Sync, R: Send>(items: &[I], work: impl Fn(&I) -> Result<R> + Sync) -> Result<Vec<R>> {
    let desk = |_| Desk::new(());
    let mut desks = (0..rayon::current_num_threads()).map(desk).collect::<Result<Vec<_>>>()?;
    let next = AtomicUsize::new(0);
    let done = side_by_side(&mut desks, |()| {
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
    use anyhow::bail;

    use super::*;

    #[test]
    fn what_comes_of_items_stands_in_their_order() {
        let items: Vec<u32> = (0..100).collect();
        let squares = shared_out(&items, |item| Ok(item * item)).expect("threads");
        assert!(squares.into_iter().eq(items.iter().map(|item| item * item)));
    }

    #[test]
    fn work_that_fails_at_one_desk_is_told() {
        let work = |&item: &u32| if item == 7 { bail!("seven") } else { Ok(item) };
        assert_eq!(shared_out(&[5, 6, 7, 8], work).expect_err("it fails").to_string(), "seven");
    }
}
