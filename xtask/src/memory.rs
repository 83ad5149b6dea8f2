//! What the allocator does with freed memory.

/// Keeps freed memory for the next tensor. By default glibc gives every large block back to the system at once, and
/// clearing the same pages again and again takes a third of a training's time.
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

/// Gives what is free back to the system, so that what is left is what is used.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn give_back() {
    // SAFETY: the call takes the allocator's own locks.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators keep freed memory by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_freed() {}

/// What is allocated and not freed, in bytes, in all threads; `None` where the allocator does not tell.
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

/// What the process holds in the machine's memory, in bytes; `None` where the system does not tell.
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
