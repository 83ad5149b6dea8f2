//! Whether memory stays flat.

use anyhow::{Result, ensure};

use crate::memory;

/// Between the first quarter and the end, memory may differ by no more: what is measured is a living process.
const FLAT_BYTES: usize = 1 << 20;

/// Memory in use at one rest after the other, in bytes.
#[derive(Debug, Default)]
pub struct Growth {
    allocated: Vec<usize>,
    resident: Vec<usize>,
}

impl Growth {
    pub fn measure(&mut self) {
        self.allocated.extend(memory::in_use());
        self.resident.extend(memory::resident());
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

/// After a quarter, by when everything was played once, and at the end.
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
