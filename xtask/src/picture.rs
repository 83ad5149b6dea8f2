//! Pictures as files: PNG or SVG, on light or dark paper, in one font and in the same few colours.

pub mod overview;
pub mod roll;

use std::{
    io::{self, Cursor},
    path::Path,
};

use anyhow::{Result, anyhow, bail};
use image::{ImageFormat, RgbImage};
use plotters::{
    backend::{BitMapBackend, SVGBackend},
    coord::Shift,
    prelude::*,
    style::register_font,
};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind};

use crate::file;

pub const FONT: &str = "Ubuntu Light";
/// Okabe and Ito's blue, vermilion and purple, which colour-blind eyes tell apart.
pub const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
pub const VERMILION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
pub const PURPLE: RGBColor = RGBColor(0xCC, 0x79, 0xA7);
pub const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
pub const FAINT_INK: RGBColor = RGBColor(0x6A, 0x6A, 0x6A);
pub const LINE: RGBColor = RGBColor(0xD8, 0xD8, 0xD8);

/// In pixels, width first.
pub type Size = (u32, u32);
pub type Canvas<'a> = DrawingArea<Surface<'a>, Shift>;

/// The format that a file's name asks for.
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

/// The paper of a picture.
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
    /// The colour of the prompt, or of all notes if nothing is new.
    pub first: RGBColor,
    /// The colour of new notes.
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

/// Draws on paper of the theme's colour, and writes the picture whole or not at all.
///
/// # Errors
/// When the file's name asks for no picture or it cannot be written.
pub fn write(path: &Path, size: Size, theme: Theme, draw: impl FnOnce(&Canvas) -> Result<()>) -> Result<()> {
    let bytes = match Format::of(path)? {
        Format::Png => png(size, theme, draw)?,
        Format::Svg => svg(size, theme, draw)?,
    };
    file::replace(&[(path.to_owned(), bytes)])
}

/// The bytes of a PNG.
pub fn png(size: Size, theme: Theme, draw: impl FnOnce(&Canvas) -> Result<()>) -> Result<Vec<u8>> {
    let mut image = RgbImage::new(size.0, size.1);
    on(Surface::Bitmap(BitMapBackend::with_buffer(&mut image, size)), theme, draw)?;
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
    Ok(bytes)
}

pub fn text<'a>(size: i32, color: RGBColor) -> TextStyle<'a> {
    (FONT, size).into_font().color(&color)
}

fn svg(size: Size, theme: Theme, draw: impl FnOnce(&Canvas) -> Result<()>) -> Result<Vec<u8>> {
    let mut drawn = String::new();
    on(Surface::Svg(SVGBackend::with_string(&mut drawn, size)), theme, draw)?;
    // If the font is not installed, similar ones are used.
    let fonts = format!("font-family=\"{FONT}, Ubuntu, Helvetica, sans-serif\"");
    Ok(drawn.replace(&format!("font-family=\"{FONT}\""), &fonts).into_bytes())
}

fn on(surface: Surface, theme: Theme, draw: impl FnOnce(&Canvas) -> Result<()>) -> Result<()> {
    prepare()?;
    let canvas = surface.into_drawing_area();
    canvas.fill(&theme.inks().ground)?;
    draw(&canvas)?;
    canvas.present().map_err(|error| anyhow!("the picture cannot be drawn: {error}"))
}

/// Registers the font; call it before any text is drawn.
pub fn prepare() -> Result<()> {
    register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT)
        .map_err(|_| anyhow!("the font that comes with this program cannot be read"))
}

/// A surface for both formats, so that drawing code need not know which.
pub enum Surface<'a> {
    Bitmap(BitMapBackend<'a>),
    Svg(SVGBackend<'a>),
}

type Fault = DrawingErrorKind<io::Error>;

fn with_io_error<T, E: std::error::Error + Send + Sync + 'static>(
    result: Result<T, DrawingErrorKind<E>>,
) -> Result<T, Fault> {
    result.map_err(|error| match error {
        DrawingErrorKind::DrawingError(error) => DrawingErrorKind::DrawingError(io::Error::other(error)),
        DrawingErrorKind::FontError(error) => DrawingErrorKind::FontError(error),
    })
}

macro_rules! forward {
    ($self:ident, $backend:ident => $call:expr) => {
        match $self {
            Self::Bitmap($backend) => with_io_error($call),
            Self::Svg($backend) => with_io_error($call),
        }
    };
}

impl DrawingBackend for Surface<'_> {
    type ErrorType = io::Error;

    fn get_size(&self) -> (u32, u32) {
        match self {
            Self::Bitmap(backend) => backend.get_size(),
            Self::Svg(backend) => backend.get_size(),
        }
    }

    fn ensure_prepared(&mut self) -> Result<(), Fault> {
        forward!(self, backend => backend.ensure_prepared())
    }

    fn present(&mut self) -> Result<(), Fault> {
        forward!(self, backend => backend.present())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Result<(), Fault> {
        forward!(self, backend => backend.draw_pixel(point, color))
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Result<(), Fault> {
        forward!(self, backend => backend.draw_line(from, to, style))
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Result<(), Fault> {
        forward!(self, backend => backend.draw_rect(upper_left, bottom_right, style, fill))
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Result<(), Fault> {
        forward!(self, backend => backend.draw_path(path, style))
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Result<(), Fault> {
        forward!(self, backend => backend.fill_polygon(corners, style))
    }

    fn draw_text<T: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &T,
        position: BackendCoord,
    ) -> Result<(), Fault> {
        forward!(self, backend => backend.draw_text(text, style, position))
    }

    fn estimate_text_size<T: BackendTextStyle>(&self, text: &str, style: &T) -> Result<(u32, u32), Fault> {
        forward!(self, backend => backend.estimate_text_size(text, style))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::Folder;

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
