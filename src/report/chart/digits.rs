//! Digits as lines, so that the picture needs no font: each on a grid of four by six, five apart.

use super::canvas::{Canvas, Ink, Point};

/// The height of a digit on its grid.
const GRID: u16 = 6;
/// From the left of one sign to that of the next.
const ADVANCE: u16 = 6;

type Lines = &'static [&'static [(u8, u8)]];

const fn lines(sign: char) -> Lines {
    match sign {
        '0' => &[&[(1, 0), (3, 0), (4, 1), (4, 5), (3, 6), (1, 6), (0, 5), (0, 1), (1, 0)]],
        '1' => &[&[(1, 1), (2, 0), (2, 6)]],
        '2' => &[&[(0, 1), (1, 0), (3, 0), (4, 1), (4, 2), (0, 6), (4, 6)]],
        '3' => &[
            &[(0, 1), (1, 0), (3, 0), (4, 1), (4, 2), (3, 3), (4, 4), (4, 5), (3, 6), (1, 6), (0, 5)],
            &[(2, 3), (3, 3)],
        ],
        '4' => &[&[(3, 6), (3, 0), (0, 4), (4, 4)]],
        '5' => &[&[(4, 0), (0, 0), (0, 3), (3, 3), (4, 4), (4, 5), (3, 6), (1, 6), (0, 5)]],
        '6' => &[&[(4, 1), (3, 0), (1, 0), (0, 1), (0, 5), (1, 6), (3, 6), (4, 5), (4, 4), (3, 3), (0, 3)]],
        '7' => &[&[(0, 0), (4, 0), (1, 6)]],
        '8' => &[
            &[(1, 3), (0, 2), (0, 1), (1, 0), (3, 0), (4, 1), (4, 2), (3, 3), (1, 3)],
            &[(3, 3), (4, 4), (4, 5), (3, 6), (1, 6), (0, 5), (0, 4), (1, 3)],
        ],
        '9' => &[&[(4, 3), (1, 3), (0, 2), (0, 1), (1, 0), (3, 0), (4, 1), (4, 5), (3, 6), (1, 6), (0, 5)]],
        '-' => &[&[(1, 3), (3, 3)]],
        ',' => &[&[(1, 6), (0, 7)]],
        _ => &[],
    }
}

const fn advance(sign: char) -> u16 {
    if sign == ',' { 3 } else { ADVANCE }
}

/// Writes `text` with its upper left corner at a point.
pub(super) fn left(canvas: &mut Canvas, (x, y): Point, height: u16, text: &str, ink: Ink) {
    let unit = height / GRID;
    let mut from = x;
    for sign in text.chars() {
        for line in lines(sign) {
            let points: Vec<Point> = line
                .iter()
                .map(|(right, down)| {
                    let along = |start: u16, steps: u8| start.saturating_add(unit.saturating_mul(u16::from(steps)));
                    (along(from, *right), along(y, *down))
                })
                .collect();
            canvas.line(&points, 4, ink);
        }
        from = from.saturating_add(unit.saturating_mul(advance(sign)));
    }
}

/// Writes `text` with its upper right corner at a point.
pub(super) fn right(canvas: &mut Canvas, (x, y): Point, height: u16, text: &str, ink: Ink) {
    let steps = text.chars().map(advance).fold(0, u16::saturating_add).saturating_sub(2);
    left(canvas, (x.saturating_sub(steps.saturating_mul(height / GRID)), y), height, text, ink);
}
