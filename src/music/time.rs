//! Points and lengths of time. A point is not a length: only what makes sense compiles.

use std::ops::{Add, Sub};

/// A point of the instance's own time, in seconds since its clock began; the networks' time.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Moment(pub f64);

/// A length in seconds.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Seconds(pub f32);

impl Seconds {
    pub const ZERO: Self = Self(0.0);

    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
}

impl Add<Seconds> for Moment {
    type Output = Moment;

    fn add(self, length: Seconds) -> Moment {
        Moment(self.0 + f64::from(length.0))
    }
}

impl Sub for Moment {
    type Output = Seconds;

    fn sub(self, earlier: Moment) -> Seconds {
        Seconds((self.0 - earlier.0) as f32)
    }
}
