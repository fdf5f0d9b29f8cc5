//! A white sheet of pixels. What is drawn comes as whole numbers; they become floats here, and nothing else does.

use tiny_skia::{Color, FillRule, LineCap, LineJoin, Paint, PathBuilder, Pixmap, Rect, Stroke, Transform};

/// A colour: red, green, blue.
#[derive(Clone, Copy)]
pub(super) struct Ink(pub u8, pub u8, pub u8);

impl Ink {
    fn paint(self) -> Paint<'static> {
        let mut paint = Paint::default();
        paint.set_color_rgba8(self.0, self.1, self.2, 255);
        paint
    }
}

/// A point: from the left, from the top.
pub(super) type Point = (u16, u16);

pub(super) struct Canvas(Pixmap);

impl Canvas {
    pub(super) fn new(width: u16, height: u16) -> Self {
        let mut pixels = Pixmap::new(u32::from(width), u32::from(height)).expect("a picture of some size");
        pixels.fill(Color::WHITE);
        Self(pixels)
    }

    pub(super) fn rectangle(&mut self, (x, y): Point, (width, height): (u16, u16), ink: Ink) {
        let [x, y, width, height] = [x, y, width, height].map(f32::from);
        if let Some(rect) = Rect::from_xywh(x, y, width, height) {
            let path = PathBuilder::from_rect(rect);
            self.0.fill_path(&path, &ink.paint(), FillRule::Winding, Transform::identity(), None);
        }
    }

    /// A line through some points, round at its ends and corners.
    pub(super) fn line(&mut self, points: &[Point], width: u16, ink: Ink) {
        let mut builder = PathBuilder::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let (x, y) = (f32::from(*x), f32::from(*y));
            if index == 0 { builder.move_to(x, y) } else { builder.line_to(x, y) }
        }
        let stroke = Stroke {
            width: f32::from(width),
            line_cap: LineCap::Round,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        if let Some(path) = builder.finish() {
            self.0.stroke_path(&path, &ink.paint(), &stroke, Transform::identity(), None);
        }
    }

    pub(super) fn png(&self) -> Vec<u8> {
        self.0.encode_png().expect("memory takes everything")
    }
}
