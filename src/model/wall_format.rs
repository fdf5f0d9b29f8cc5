//! How somebody writes a wall clock of Asia/Shanghai, where that is none of the ways that are read anyway.

use std::fmt::{self, Write};
use std::str::FromStr;

use chrono::format::{Item, Numeric, Parsed, StrftimeItems, parse};
use chrono::{NaiveDate, NaiveDateTime, Timelike};

use super::Timestamp;

/// A day and a time of day, as strftime describes them: `%Y%m%d%H%M%S`.
#[derive(Clone, PartialEq, Eq)]
pub struct WallFormat {
    text: String,
    items: Vec<Item<'static>>,
    /// Numbers stand side by side, so that only their widths tell where one ends.
    is_packed: bool,
    has_seconds: bool,
    /// Bytes of a time in which every number has its full width.
    widest: usize,
}

impl WallFormat {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The instant that `text` is; `None` when it is none of this format. Where numbers stand side by side each must
    /// have its full width: `12345` is no time of `%H%M%S`, for it could be two.
    pub fn parse(&self, text: &str) -> Option<Timestamp> {
        let wall = self.wall(text)?;
        if self.is_packed && self.write(wall).as_deref() != Some(text) {
            return None;
        }
        Timestamp::from_wall(wall)
    }

    /// Whether `text` is a time that no longer text begins with: seconds and all, each number in its full width.
    pub fn is_surely_whole(&self, text: &str) -> bool {
        let written = self.wall(text).and_then(|wall| self.write(wall));
        self.has_seconds && text.len() == self.widest && written.as_deref() == Some(text)
    }

    fn wall(&self, text: &str) -> Option<NaiveDateTime> {
        read(&self.items, text)
    }

    fn write(&self, wall: NaiveDateTime) -> Option<String> {
        written(&self.items, wall)
    }
}

impl fmt::Debug for WallFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WallFormat").field(&self.text).finish()
    }
}

impl FromStr for WallFormat {
    type Err = String;

    /// Reads a strftime format that has a day and a time of day, and no zone of its own.
    fn from_str(text: &str) -> Result<Self, String> {
        let items = StrftimeItems::new(text).parse_to_owned().map_err(|_| format!("`{text}` is no strftime format"))?;
        if items.iter().any(|item| matches!(item, Item::Numeric(Numeric::Timestamp, _))) {
            return Err("`%s` counts seconds and has no wall clock".to_owned());
        }
        let wall = widest_wall().ok_or_else(|| "no such day".to_owned())?;
        let written = written(&items, wall).ok_or_else(|| format!("`{text}` has a zone; bills are in Beijing time"))?;
        let again = read(&items, &written);
        let has_seconds = again == Some(wall);
        if !has_seconds && again != wall.with_second(0) {
            return Err(format!("`{text}` does not have a day and a time of day"));
        }
        let is_field = |item: &Item<'_>| matches!(item, Item::Numeric(..) | Item::Fixed(_));
        let is_packed = items.windows(2).any(|pair| pair.iter().all(is_field));
        Ok(Self { text: text.to_owned(), items, is_packed, has_seconds, widest: written.len() })
    }
}

/// A time whose numbers are as long as they get: two digits each.
fn widest_wall() -> Option<NaiveDateTime> {
    NaiveDate::from_ymd_opt(2026, 11, 25)?.and_hms_opt(22, 58, 47)
}

fn read(items: &[Item<'static>], text: &str) -> Option<NaiveDateTime> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, items.iter()).ok()?;
    let wall = parsed.to_naive_datetime_with_offset(0).ok()?;
    // `%S` reads 60 as a leap second; no wall clock of a till shows one.
    (wall.nanosecond() < 1_000_000_000).then_some(wall)
}

fn written(items: &[Item<'static>], wall: NaiveDateTime) -> Option<String> {
    let mut text = String::new();
    write!(text, "{}", wall.format_with_items(items.iter())).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(format: &str, text: &str) -> Option<String> {
        format.parse::<WallFormat>().unwrap().parse(text).map(Timestamp::wall)
    }

    #[test]
    fn a_time_is_read_as_its_format_says() {
        for (format, text) in [
            ("%Y%m%d%H%M%S", "20261122095858"),
            ("%Y%m%d %H%M%S", "20261122 095858"),
            ("%Y年%m月%d日 %H:%M:%S", "2026年11月22日 9:58:58"),
            ("%d/%m/%Y %H:%M:%S", "22/11/2026 09:58:58"),
            ("%y-%m-%d %H:%M:%S", "26-11-22 09:58:58"),
            ("%Y%m%d%H%M%S%3f", "20261122095858123"),
        ] {
            assert_eq!(read_as(format, text).as_deref(), Some("2026-11-22 09:58:58"), "{format} {text}");
        }
        assert_eq!(read_as("%Y-%m-%d %H:%M", "2026-11-22 09:58").as_deref(), Some("2026-11-22 09:58:00"));
        for text in ["2026-11-22", "2026-11-31 09:58:58", "2026-11-22 09:58:60", "2026-11-22 09:58:58 ", ""] {
            assert_eq!(read_as("%Y-%m-%d %H:%M:%S", text), None, "{text}");
        }
    }

    #[test]
    fn numbers_side_by_side_must_have_their_full_width() {
        for text in ["2026112295858", "2026112209585", "20261122 95858"] {
            assert_eq!(read_as("%Y%m%d%H%M%S", text), None, "{text}");
        }
        assert_eq!(read_as("%Y%m%d %H%M%S", "20261122 12345"), None);
    }

    #[test]
    fn a_format_without_a_day_a_time_or_with_a_zone_is_refused() {
        for format in ["", "%Y%m%d", "%H:%M:%S", "%Y-%m-%d %I:%M:%S", "%Q", "%", "%s", "%Y-%m-%d %H:%M:%S %z", "%+"] {
            assert!(format.parse::<WallFormat>().is_err(), "{format}");
        }
    }

    #[test]
    fn only_a_time_of_full_width_with_its_seconds_is_surely_whole() {
        let is_whole = |format: &str, text: &str| format.parse::<WallFormat>().unwrap().is_surely_whole(text);
        assert!(is_whole("%Y%m%d%H%M%S", "20261122095858"));
        assert!(is_whole("%Y-%m-%d %H:%M:%S", "2026-11-22 09:58:58"));
        assert!(!is_whole("%Y-%m-%d %H:%M:%S", "2026-11-22 09:58:5"));
        assert!(!is_whole("%Y-%m-%d %H:%M:%S", "2026-11-2 109:58:58"));
        assert!(!is_whole("%Y-%-m-%-d %-H:%-M:%-S", "2026-11-22 19:58:5"));
        assert!(!is_whole("%Y%m%d%H%M", "202611220958"));
    }
}
