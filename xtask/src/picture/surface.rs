//! One kind of paper for both formats, so that what draws need not know which.

use std::io;

use plotters::{
    backend::{BitMapBackend, SVGBackend},
    prelude::DrawingBackend,
};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind};

pub enum Surface<'a> {
    Bitmap(BitMapBackend<'a>),
    Svg(SVGBackend<'a>),
}

type Fault = DrawingErrorKind<io::Error>;

fn told<T, E: std::error::Error + Send + Sync + 'static>(
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
            Self::Bitmap($backend) => told($call),
            Self::Svg($backend) => told($call),
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
