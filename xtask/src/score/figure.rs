//! Numbers that have a name.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

/// What a note costs, or how far off a prediction is, on average.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    pub name: Cow<'static, str>,
    pub unit: Cow<'static, str>,
    pub value: f64,
}

impl Figure {
    pub const fn new(name: &'static str, unit: &'static str, value: f64) -> Self {
        Self { name: Cow::Borrowed(name), unit: Cow::Borrowed(unit), value }
    }

    /// All in one line.
    pub fn line(figures: &[Self]) -> String {
        figures.iter().map(Self::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {:.4} {}", self.name, self.value, self.unit)
    }
}
