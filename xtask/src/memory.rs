//! Measures the memory of this process, and sets what the allocator does with freed memory.

use anyhow::{Result, ensure};

/// Largest growth of memory from the first quarter of a run to its end, in bytes: a running process is never
/// exactly constant.
const FLAT_BYTES: usize = 1 << 20;

/// Memory in use at successive moments of rest, in bytes.
#[derive(Debug, Default)]
pub struct Growth {
    allocated: Vec<usize>,
    resident: Vec<usize>,
}

impl Growth {
    pub fn measure(&mut self) {
        self.allocated.extend(in_use());
        self.resident.extend(resident());
    }

    /// # Errors
    /// When more is allocated at the end than after a quarter of the time.
    pub fn told(&self) -> Result<String> {
        let Some((settled, last)) = ends(&self.allocated) else { return Ok("memory unknown".to_owned()) };
        let allocated = format!("{} KiB allocated after a quarter, {} at the end", settled >> 10, last >> 10);
        ensure!(last.saturating_sub(settled) <= FLAT_BYTES, "memory grows: {allocated}");
        let resident = ends(&self.resident)
            .map(|(settled, last)| format!(" ({} and {} MiB resident)", settled >> 20, last >> 20));
        Ok(allocated + &resident.unwrap_or_default())
    }
}

/// Keeps freed memory for the next tensor. By default glibc returns every large block to the system at once,
/// and zeroing the same pages again and again takes a third of the training time.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn keep_freed() {
    // The largest threshold that glibc accepts on 64 bits.
    const MAPPED_FROM: i32 = 32 << 20;
    const GROW_BY: i32 = 256 << 20;
    // SAFETY: these calls set numbers of the allocator, under its own lock.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TOP_PAD, GROW_BY);
    }
}

/// Returns free memory to the system, so that the rest is memory in use.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn give_back() {
    // SAFETY: the call takes the allocator's own locks.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators keep freed memory by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_freed() {}

/// Memory that is allocated and not freed, in bytes, in all threads; `None` if the allocator does not tell.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn in_use() -> Option<usize> {
    // SAFETY: the call takes the allocator's own locks.
    let info = unsafe { libc::mallinfo2() };
    Some(info.uordblks + info.hblkhd)
}

/// Other allocators do not tell.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn in_use() -> Option<usize> {
    None
}

/// Resident memory of the process in bytes; `None` if the system does not tell.
#[cfg(target_os = "linux")]
pub fn resident() -> Option<usize> {
    const PAGE_BYTES: usize = 4096;
    let told = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = told.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}

/// Other systems do not tell.
#[cfg(not(target_os = "linux"))]
pub fn resident() -> Option<usize> {
    None
}

/// The measurements after a quarter of the run, by when everything was played once, and at the end.
fn ends(measured: &[usize]) -> Option<(usize, usize)> {
    Some((*measured.get(measured.len() / 4)?, *measured.last()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_grows_is_told_of() {
        let of = |allocated: &[usize]| Growth { allocated: allocated.to_vec(), resident: vec![] }.told();
        assert!(of(&[0, 5 << 20, 5 << 20, 5 << 20, (5 << 20) + 512]).is_ok());
        assert!(of(&[0, 5 << 20, 6 << 20, 7 << 20, 8 << 20]).is_err());
    }
}
