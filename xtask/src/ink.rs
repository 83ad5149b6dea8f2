//! The font and the colours of all pictures.

use anyhow::{Result, anyhow};
use plotters::style::{FontStyle, RGBColor, register_font};

pub const FONT: &str = "Ubuntu Light";
/// Okabe and Ito's blue, vermilion and purple, which colour-blind eyes tell apart.
pub const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
pub const VERMILION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
pub const PURPLE: RGBColor = RGBColor(0xCC, 0x79, 0xA7);
pub const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
pub const FAINT_INK: RGBColor = RGBColor(0x6A, 0x6A, 0x6A);
pub const LINE: RGBColor = RGBColor(0xD8, 0xD8, 0xD8);

/// Before the first word of a picture.
pub fn prepare() -> Result<()> {
    register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT)
        .map_err(|_| anyhow!("the font that comes with this program cannot be read"))
}
