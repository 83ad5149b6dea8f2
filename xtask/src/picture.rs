//! Pictures as files: PNG or SVG, on light or dark paper.

mod distribution;
pub mod overview;
pub mod roll;
mod surface;
mod theme;

use std::{io::Cursor, path::Path};

use anyhow::{Result, anyhow, bail};
use image::{ImageFormat, RgbImage};
use plotters::{coord::Shift, prelude::*};

pub use self::{
    surface::Surface,
    theme::{Inks, Theme},
};
use crate::{
    file,
    ink::{self, FONT},
};

/// In pixels, width first.
pub type Size = (u32, u32);
pub type Canvas<'a> = DrawingArea<Surface<'a>, Shift>;

/// What a file's name asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Png,
    Svg,
}

impl Format {
    /// # Errors
    /// When the name ends otherwise.
    pub fn of(path: &Path) -> Result<Self> {
        match path.extension().map(|ending| ending.to_ascii_lowercase()) {
            Some(ending) if ending == "png" => Ok(Self::Png),
            Some(ending) if ending == "svg" => Ok(Self::Svg),
            _ => bail!("{} is no name for a picture: let it end in .png or .svg", path.display()),
        }
    }
}

/// Draws on paper of the theme's colour, and writes the picture whole or not at all.
///
/// # Errors
/// When the file's name asks for no picture or it cannot be written.
pub fn write(path: &Path, size: Size, theme: Theme, draw: impl FnOnce(&Canvas) -> Result<()>) -> Result<()> {
    ink::prepare()?;
    let bytes = match Format::of(path)? {
        Format::Png => png(size, theme, draw)?,
        Format::Svg => svg(size, theme, draw)?,
    };
    file::replace(&[(path.to_owned(), bytes)])
}

pub fn text<'a>(size: i32, color: RGBColor) -> TextStyle<'a> {
    (FONT, size).into_font().color(&color)
}

fn png(size: Size, theme: Theme, draw: impl FnOnce(&Canvas) -> Result<()>) -> Result<Vec<u8>> {
    let mut image = RgbImage::new(size.0, size.1);
    on(Surface::Bitmap(BitMapBackend::with_buffer(&mut image, size)), theme, draw)?;
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
    Ok(bytes)
}

fn svg(size: Size, theme: Theme, draw: impl FnOnce(&Canvas) -> Result<()>) -> Result<Vec<u8>> {
    let mut drawn = String::new();
    on(Surface::Svg(SVGBackend::with_string(&mut drawn, size)), theme, draw)?;
    // Where the font is not installed, its like is.
    let fonts = format!("font-family=\"{FONT}, Ubuntu, Helvetica, sans-serif\"");
    Ok(drawn.replace(&format!("font-family=\"{FONT}\""), &fonts).into_bytes())
}

fn on(surface: Surface, theme: Theme, draw: impl FnOnce(&Canvas) -> Result<()>) -> Result<()> {
    let canvas = surface.into_drawing_area();
    canvas.fill(&theme.inks().ground)?;
    draw(&canvas)?;
    canvas.present().map_err(|error| anyhow!("the picture cannot be drawn: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Folder;

    fn word(canvas: &Canvas) -> Result<()> {
        Ok(canvas.draw(&Text::new("word", (10, 10), text(20, RED)))?)
    }

    #[test]
    fn the_ending_of_the_name_is_the_format_and_the_theme_is_the_paper() -> Result<()> {
        let folder = Folder::new("picture");
        let (png, svg) = (folder.join("a.png"), folder.join("a.SVG"));
        write(&png, (80, 40), Theme::Dark, word)?;
        write(&svg, (80, 40), Theme::Light, word)?;
        let ground = Theme::Dark.inks().ground;
        assert_eq!(image::open(&png)?.to_rgb8().get_pixel(0, 0).0, [ground.0, ground.1, ground.2]);
        let drawn = std::fs::read_to_string(&svg)?;
        assert!(
            drawn.starts_with("<svg") && drawn.contains("sans-serif") && drawn.contains("word"),
            "{drawn}"
        );
        Ok(())
    }

    #[test]
    fn another_ending_is_refused_in_a_sentence() {
        let error = write(Path::new("a.jpg"), (8, 8), Theme::Light, |_| Ok(())).expect_err("no picture");
        assert!(error.to_string().contains(".png or .svg"), "{error}");
    }
}
