//! How long a partner waits before it takes a silence for the end of a call.

/// How likely it is to be that the call is over: at 0 the first silence is enough, at 1 nothing but the longest is.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Patience(f32);

impl Patience {
    /// At most one wrong take-over a minute, at 400 ms: `cargo xtask evaluate --handover` shows what it costs.
    pub const DEFAULT: Self = Self(0.75);

    /// The nearest patience in 0..=1; what is not a number is the default.
    pub fn saturating(part: f32) -> Self {
        if part.is_nan() { Self::DEFAULT } else { Self(part.clamp(0.0, 1.0)) }
    }

    /// 0..=1
    pub const fn part(self) -> f32 {
        self.0
    }
}
