//! The last thirty days as a picture: what agreed, what is open, how old the oldest is. Three panels, a bar a day.
//!
//! Whole numbers decide where everything stands; [`canvas`] alone knows of pixels. No letters, so no fonts: the words
//! stand beside the picture, and its alt text tells the figures. White of its own, for a dark mail program as well.

mod canvas;
mod digits;

use self::canvas::{Canvas, Ink};
use super::data::{HistoryDay, ReportData};
use crate::model::BusinessDate;

/// Days that the chart shows.
pub const DAYS: u32 = 30;

/// The picture's size; shown at half of it, so that it is sharp on a dense screen.
pub(super) const WIDTH: u16 = 1400;
const HEIGHT: u16 = 820;

const MARGIN: u16 = 24;
const PANEL: u16 = 250;
/// From a panel's top to that of its bars: room for its figures.
const HEAD: u16 = 54;
const BARS: u16 = PANEL - HEAD - 18;
const DIGIT: u16 = 30;

const LINE: Ink = Ink(0xc9, 0xd0, 0xd6);
const FIGURE: Ink = Ink(0x1c, 0x21, 0x26);
const DIM: Ink = Ink(0x5b, 0x65, 0x70);

/// The colours of the panels, from the top: the last day's, and the others'. The words beside the picture have them too.
pub(super) const COLOURS: [&str; 3] = ["#2f6f9f", "#c77d0a", "#7a5c9e"];
const LAST: [Ink; 3] = [Ink(0x2f, 0x6f, 0x9f), Ink(0xc7, 0x7d, 0x0a), Ink(0x7a, 0x5c, 0x9e)];
const OTHERS: [Ink; 3] = [Ink(0x9c, 0xc0, 0xda), Ink(0xeb, 0xc2, 0x82), Ink(0xc3, 0xb1, 0xd8)];

/// The chart of a report as PNG; none when nothing is known of any day. The same history is the same bytes.
pub fn chart(data: &ReportData) -> Option<Vec<u8>> {
    let last = data.history.last()?;
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    let values: [fn(&HistoryDay) -> u64; 3] =
        [|day| u64::try_from(day.matched.fen).unwrap_or(0), |day| day.open.count, |day| u64::from(day.oldest_days)];
    for (index, value) in (0_u16..).zip(values) {
        let top = MARGIN.saturating_add(index.saturating_mul(PANEL));
        panel(&mut canvas, top, index, &data.history, (data.date, value(last)), value);
    }
    let below = MARGIN.saturating_add(PANEL.saturating_mul(3)).saturating_add(8);
    digits::left(&mut canvas, (MARGIN, below), DIGIT, &short(data.date.minus_days(DAYS.saturating_sub(1))), DIM);
    digits::right(&mut canvas, (WIDTH.saturating_sub(MARGIN), below), DIGIT, &short(data.date), DIM);
    Some(canvas.png())
}

/// `11-22`.
fn short(date: BusinessDate) -> String {
    date.to_string().split_once('-').map(|(_, day)| day.to_owned()).unwrap_or_default()
}

fn panel(
    canvas: &mut Canvas,
    top: u16,
    index: u16,
    days: &[HistoryDay],
    (today, now): (BusinessDate, u64),
    value: fn(&HistoryDay) -> u64,
) {
    let kind = usize::from(index);
    let highest = days.iter().map(value).max().unwrap_or(0);
    // Only amounts are in fen; a chart shows whole yuan of them.
    let figure = |value: u64| grouped(if index == 0 { value / 100 } else { value });
    digits::left(canvas, (MARGIN, top.saturating_add(8)), DIGIT, &figure(highest), DIM);
    digits::right(canvas, (WIDTH.saturating_sub(MARGIN), top.saturating_add(8)), DIGIT, &figure(now), FIGURE);
    let floor = top.saturating_add(HEAD).saturating_add(BARS);
    let width = WIDTH.saturating_sub(MARGIN.saturating_mul(2));
    canvas.rectangle((MARGIN, top.saturating_add(HEAD)), (width, 1), LINE);
    canvas.rectangle((MARGIN, floor), (width, 2), LINE);
    for day in days {
        let Some(slot) = slot(today, day.date) else { continue };
        let height = height(value(day), highest);
        let ink = if day.date == today { LAST[kind] } else { OTHERS[kind] };
        canvas.rectangle((x_of(slot, width), floor.saturating_sub(height)), (bar_width(width), height), ink);
    }
}

/// The place of a day, from the left; none outside the chart.
fn slot(today: BusinessDate, day: BusinessDate) -> Option<u16> {
    let before = u16::try_from(today.days_since(day)).ok()?;
    u16::try_from(DAYS).ok()?.checked_sub(1)?.checked_sub(before)
}

fn x_of(slot: u16, width: u16) -> u16 {
    let along = u32::from(slot).saturating_mul(u32::from(width)) / DAYS;
    MARGIN.saturating_add(u16::try_from(along).unwrap_or(0)).saturating_add(5)
}

fn bar_width(width: u16) -> u16 {
    (width / 30).saturating_sub(10)
}

/// The height of a bar: a day without anything has a line, so that it is not taken for one without a report.
fn height(value: u64, highest: u64) -> u16 {
    let share = u128::from(value).saturating_mul(u128::from(BARS)).checked_div(u128::from(highest)).unwrap_or(0);
    u16::try_from(share).unwrap_or(BARS).max(4)
}

/// With thousands separators.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len().saturating_sub(index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{self, Outside};

    fn sample_report() -> ReportData {
        sample::full(&Outside(&|text: &str| text.to_owned()))
    }

    #[test]
    fn the_same_history_is_the_same_picture() {
        let data = sample_report();
        let png = chart(&data).unwrap();
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.len() < 40_000, "{}", png.len());
        assert!(chart(&data).unwrap() == png);
        let mut other = data.clone();
        other.history[3].open.count += 1;
        assert!(chart(&other).unwrap() != png);
        other.history.clear();
        assert!(chart(&other).is_none());
    }

    #[test]
    fn a_bar_is_as_high_as_its_share_and_never_nothing() {
        assert_eq!((height(0, 0), height(0, 10), height(10, 10), height(5, 10)), (4, 4, BARS, BARS / 2));
        assert_eq!(height(u64::MAX, u64::MAX), BARS);
        let data = sample_report();
        assert_eq!(slot(data.date, data.date), Some(29));
        assert_eq!(slot(data.date, data.date.minus_days(29)), Some(0));
        assert_eq!(slot(data.date, data.date.minus_days(30)), None);
        assert_eq!(slot(data.date.minus_days(1), data.date), None);
    }

    #[test]
    fn figures_of_any_size_stay_within_the_picture() {
        let mut data = sample_report();
        for day in &mut data.history {
            day.matched.fen = i128::MAX;
            day.open.count = u64::MAX;
            day.oldest_days = u32::MAX;
        }
        assert!(chart(&data).is_some());
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
