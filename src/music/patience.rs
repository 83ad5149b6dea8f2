//! How long a partner waits before it takes a silence for the end of a call.

/// The longest wait that patience alone asks for.
const MOST_BEATS: f32 = 4.5;

/// At 0 the first silence is enough, at 1 nothing but the longest is.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Patience(f32);

impl Patience {
    /// In jazz solos one wrong take-over in eight minutes, at piano recitals one a minute: `cargo xtask evaluate --handover` tells.
    pub const DEFAULT: Self = Self(0.75);

    /// The nearest patience in 0..=1; what is not a number is the default.
    pub fn saturating(part: f32) -> Self {
        if part.is_nan() { Self::DEFAULT } else { Self(part.clamp(0.0, 1.0)) }
    }

    /// 0..=1
    pub const fn part(self) -> f32 {
        self.0
    }

    /// Since the last onset nothing is to come for so many beats, up to four and a half; `None` where nothing but the longest silence ends a
    /// call. Realtime-safe.
    pub fn beats(self) -> Option<f32> {
        (self.0 < 1.0).then_some(MOST_BEATS * self.0 * self.0)
    }
}
