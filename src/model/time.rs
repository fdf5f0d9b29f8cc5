//! Days and instants. The zone, Asia/Shanghai (UTC+8, no summer time since 1991), is written here and nowhere else.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::reading;

/// Seconds that Asia/Shanghai is ahead of UTC.
const SHANGHAI_OFFSET_S: i32 = 8 * 3600;

/// Bytes of the longest text that is looked at for a time: the blanks in it are taken out one by one, and a damaged bill
/// may have a megabyte of them.
const LONGEST_WALL: usize = 80;

fn shanghai() -> FixedOffset {
    FixedOffset::east_opt(SHANGHAI_OFFSET_S).expect("eight hours are an offset")
}

/// An instant: whole seconds since 1970 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Why a text is not a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time; expected {expected}")]
pub struct TimeError {
    /// What stood there.
    pub text: String,
    /// The form that was looked for.
    pub expected: &'static str,
}

impl Timestamp {
    /// An instant from seconds since 1970 UTC.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970 UTC.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Reads a wall-clock time of Asia/Shanghai: `2026-11-22 09:58:58`. Also with spaces after the
    /// colons (the platform's document), `/` or `T` as separators, and without seconds.
    ///
    /// # Errors
    /// When the text is no such time.
    pub fn parse_wall(text: &str) -> Result<Self, TimeError> {
        if let Some(at) = plain_wall(text) {
            return Ok(at);
        }
        let fail = || TimeError { text: text.chars().take(40).collect(), expected: "yyyy-MM-dd HH:mm:ss" };
        if text.len() > LONGEST_WALL {
            return Err(fail());
        }
        let mut plain = text.trim().replace('/', "-").replace('T', " ");
        while plain.contains(": ") {
            plain = plain.replace(": ", ":");
        }
        let wall = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(&plain, format).ok())
            .ok_or_else(fail)?;
        // `%S` reads 60 as a leap second; no wall clock of a till shows one.
        if plain.ends_with(":60") {
            return Err(fail());
        }
        Self::from_wall(wall).ok_or_else(fail)
    }

    /// The instant at which a clock in Asia/Shanghai shows `wall`.
    pub(super) fn from_wall(wall: NaiveDateTime) -> Option<Self> {
        wall.and_local_timezone(shanghai()).single().map(|local| Self(local.timestamp()))
    }

    /// The wall clock in Asia/Shanghai: `2026-11-22 09:58:58`.
    pub fn wall(self) -> String {
        self.format("%Y-%m-%d %H:%M:%S")
    }

    /// The wall clock in Asia/Shanghai, as `format` (strftime) says.
    pub fn format(self, format: &str) -> String {
        DateTime::<Utc>::from_timestamp(self.0, 0)
            .map_or_else(|| self.0.to_string(), |at| at.with_timezone(&shanghai()).format(format).to_string())
    }

    /// The calendar day in Asia/Shanghai.
    pub fn business_date(self) -> BusinessDate {
        let at = DateTime::<Utc>::from_timestamp(self.0, 0).unwrap_or_default();
        BusinessDate(at.with_timezone(&shanghai()).date_naive())
    }

    /// `seconds` later (earlier when negative).
    #[must_use]
    pub const fn plus_s(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this instant.
    pub const fn since_s(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.wall())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        reading::text(deserializer, Self::parse_wall)
    }
}

/// `2026-11-22 09:58:58` exactly, as nearly every row of a bill has it; anything else is for the slower reading.
fn plain_wall(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 19] = text.as_bytes().try_into().ok()?;
    let number = |from: usize, to: usize| {
        bytes.get(from..to)?.iter().try_fold(0_u32, |number, byte| {
            let digit = byte.wrapping_sub(b'0');
            (digit < 10).then(|| number.saturating_mul(10).saturating_add(u32::from(digit)))
        })
    };
    let is_plain =
        [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')].iter().all(|(at, byte)| bytes[*at] == *byte);
    if !is_plain {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)?;
    let wall = day.and_hms_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?)?;
    let utc = wall.checked_sub_signed(TimeDelta::seconds(i64::from(SHANGHAI_OFFSET_S)))?;
    Some(Timestamp(utc.and_utc().timestamp()))
}

/// A calendar day in Asia/Shanghai.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BusinessDate(NaiveDate);

impl BusinessDate {
    /// A day from its parts; `None` when there is no such day.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self)
    }

    /// The first second of the day.
    pub fn start(self) -> Timestamp {
        let midnight = self.0.and_time(chrono::NaiveTime::MIN);
        let utc = midnight.checked_sub_signed(TimeDelta::seconds(i64::from(SHANGHAI_OFFSET_S))).unwrap_or(midnight);
        Timestamp(utc.and_utc().timestamp())
    }

    /// The first second of the next day.
    pub fn end(self) -> Timestamp {
        self.start().plus_s(24 * 3600)
    }

    /// `days` earlier.
    #[must_use]
    pub fn minus_days(self, days: u32) -> Self {
        Self(self.0.checked_sub_days(Days::new(u64::from(days))).unwrap_or(self.0))
    }

    /// Whole days from `earlier` to this day.
    pub fn days_since(self, earlier: Self) -> i64 {
        self.0.signed_duration_since(earlier.0).num_days()
    }
}

impl FromStr for BusinessDate {
    type Err = TimeError;

    /// Reads `2026-11-22`.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let fail = || TimeError { text: text.chars().take(40).collect(), expected: "a day such as 2026-11-22" };
        if text.len() != 10 {
            return Err(fail());
        }
        NaiveDate::parse_from_str(text, "%Y-%m-%d").map(Self).map_err(|_| fail())
    }
}

impl fmt::Display for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.format("%Y-%m-%d").to_string())
    }
}

impl Serialize for BusinessDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BusinessDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        reading::text(deserializer, str::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_cut_at_midnight_in_shanghai_whatever_the_host() {
        let last = Timestamp::parse_wall("2026-11-22 23:59:59").unwrap();
        let first = Timestamp::parse_wall("2026-11-23 00:00:00").unwrap();
        assert_eq!(first.since_s(last), 1);
        assert_eq!(last.business_date().to_string(), "2026-11-22");
        assert_eq!(first.business_date().start(), first);
        assert_eq!(last.business_date().end(), first);
        assert_eq!(first.unix(), 1_795_363_200);
    }

    #[test]
    fn the_documents_own_slips_are_read() {
        let at = Timestamp::parse_wall("2017-06-10 16: 27: 30").unwrap();
        assert_eq!(at.wall(), "2017-06-10 16:27:30");
        for text in ["", "2017-13-01 00:00:00", "2017-06-10 24:00:00", "2017-06-10 16:27:60", "2017-06-10", "昨天"] {
            assert!(Timestamp::parse_wall(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_of_any_length_is_refused_at_once() {
        let long = format!("2017-06-10 16:{}27:30", " ".repeat(10_000_000));
        let error = Timestamp::parse_wall(&long).unwrap_err();
        assert!(error.text.len() < 50, "{}", error.text.len());
    }

    #[test]
    fn days_are_read_strictly() {
        let day: BusinessDate = "2026-03-01".parse().unwrap();
        assert_eq!(day.minus_days(1).to_string(), "2026-02-28");
        assert_eq!(day.days_since("2026-02-22".parse().unwrap()), 7);
        for text in ["2026-3-1", "2026-02-30", "20260301", ""] {
            assert!(text.parse::<BusinessDate>().is_err(), "{text}");
        }
    }
}
