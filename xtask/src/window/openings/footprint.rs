//! What a process takes of the machine's memory, and how that grows.

use std::fs;

use anyhow::{Context, Result};

use crate::memory;

/// What this process takes of the machine's memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Footprint {
    /// Allocated and not freed.
    pub heap: usize,
    /// Resident, without what the allocator keeps for the next time.
    pub resident: usize,
}

impl Footprint {
    /// What it is now. Every look gives free memory back to the system.
    ///
    /// # Errors
    /// When the system tells no figures.
    pub fn now() -> Result<Self> {
        memory::give_back();
        let heap = memory::in_use().context("the system's allocator tells no figures")?;
        let status =
            fs::read_to_string("/proc/self/status").context("the system tells no figures of a process")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let figure =
            line.and_then(|line| line.split_whitespace().next()).context("there is no figure of memory")?;
        Ok(Self { heap, resident: figure.parse::<usize>()? * 1024 })
    }
}

/// How much more from one measure to the next: from the median of the first half to that of the second, since what the
/// display's library holds for a moment or gives back late is many times what could leak.
pub fn growth(mut measures: Vec<usize>) -> f64 {
    let middle = measures.len() / 2;
    let (first, second) = measures.split_at_mut(middle);
    let median = |half: &mut [usize]| {
        half.sort_unstable();
        half.get(half.len() / 2).map_or(0.0, |measure| *measure as f64)
    };
    (median(second) - median(first)) / middle.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_is_told_whatever_is_held_for_a_moment() {
        let leaking: Vec<usize> = (0..180).map(|opening| 1_000_000 + 54 * opening).collect();
        assert!((growth(leaking.clone()) - 54.0).abs() < 1.0);
        let mut held = leaking;
        held[0] += 5_000_000;
        held[179] -= 500_000;
        assert!((growth(held) - 54.0).abs() < 2.0);
        assert!(growth(vec![7; 180]).abs() < f64::EPSILON);
    }
}
