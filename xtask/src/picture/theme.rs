//! The colours of light and of dark paper.

use plotters::style::RGBColor;

use crate::ink::{BLUE, FAINT_INK, INK, LINE, VERMILION};

/// What a picture is drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Theme {
    Light,
    Dark,
}

/// The colours of a theme.
#[derive(Debug, Clone, Copy)]
pub struct Inks {
    pub ground: RGBColor,
    pub ink: RGBColor,
    pub faint: RGBColor,
    pub line: RGBColor,
    /// Of what was there before, or of all there is.
    pub first: RGBColor,
    /// Of what is new.
    pub second: RGBColor,
}

impl Theme {
    pub const fn inks(self) -> Inks {
        match self {
            Self::Light => Inks {
                ground: RGBColor(0xFF, 0xFF, 0xFF),
                ink: INK,
                faint: FAINT_INK,
                line: LINE,
                first: BLUE,
                second: VERMILION,
            },
            // Okabe and Ito's sky blue and orange.
            Self::Dark => Inks {
                ground: RGBColor(0x14, 0x17, 0x1C),
                ink: RGBColor(0xE4, 0xE6, 0xEA),
                faint: RGBColor(0x9A, 0xA1, 0xAC),
                line: RGBColor(0x38, 0x3E, 0x48),
                first: RGBColor(0x56, 0xB4, 0xE9),
                second: RGBColor(0xE6, 0x9F, 0x00),
            },
        }
    }
}
