//! What a channel charges for a payment. A scale of its own: `WeChat` writes fees with five decimals.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AmountError, reading};

/// Units in a fen: a fee counts in 1/100,000 of a yuan.
const UNITS_PER_FEN: i64 = 1000;

/// The largest fee that is taken for real, as of amounts: one billion yuan.
const MAX_UNITS: i64 = 100_000_000_000_000;

/// A channel's fee (手续费, 服务费), in 1/100,000 yuan: above zero a cost, below zero given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelFee(i64);

/// A sum of fees, wide enough for any number of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeTotal {
    units: i128,
}

impl ChannelFee {
    /// Decimals of a yuan.
    pub const DECIMALS: usize = 5;

    /// No fee.
    pub const ZERO: Self = Self(0);

    /// A fee of whole fen.
    pub const fn from_fen(fen: i64) -> Option<Self> {
        match fen.checked_mul(UNITS_PER_FEN) {
            Some(units) => Self::from_units(units),
            None => None,
        }
    }

    /// A fee of `units` of 1/100,000 yuan; `None` beyond one billion yuan either way.
    pub const fn from_units(units: i64) -> Option<Self> {
        if units >= -MAX_UNITS && units <= MAX_UNITS { Some(Self(units)) } else { None }
    }

    /// In 1/100,000 yuan.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Given back where it was a cost, and the other way round.
    #[must_use]
    pub const fn reversed(self) -> Self {
        // The range is symmetric.
        Self(self.0.saturating_neg())
    }

    /// In fen, signed; `None` where it is no whole number of them.
    pub const fn whole_fen(self) -> Option<i64> {
        if self.0 % UNITS_PER_FEN == 0 { Some(self.0 / UNITS_PER_FEN) } else { None }
    }
}

impl FeeTotal {
    /// Adds one fee.
    pub fn add(&mut self, fee: ChannelFee) {
        self.units = self.units.saturating_add(i128::from(fee.0));
    }

    /// Adds everything that `other` added up.
    pub fn merge(&mut self, other: Self) {
        self.units = self.units.saturating_add(other.units);
    }

    /// In 1/100,000 yuan.
    pub const fn units(self) -> i128 {
        self.units
    }

    /// With thousands separators, for people: `-1,234.50`.
    pub fn grouped(self) -> String {
        let text = self.to_string();
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, "00"));
        let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && digits.len().saturating_sub(index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        format!("{sign}{grouped}.{decimals}")
    }
}

impl FromStr for ChannelFee {
    type Err = AmountError;

    /// Reads plain decimal yuan with an optional sign and up to five significant decimals.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let shown = || text.chars().take(40).collect::<String>();
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return Err(AmountError::NotANumber(shown()));
        }
        let significant = fraction.trim_end_matches('0');
        if significant.len() > Self::DECIMALS {
            return Err(AmountError::TooPrecise(shown()));
        }
        let padding = std::iter::repeat_n(b'0', Self::DECIMALS.saturating_sub(significant.len()));
        let units =
            whole.bytes().chain(significant.bytes()).chain(padding).try_fold(0_i64, |units, digit| {
                units.checked_mul(10)?.checked_add(i64::from(digit.wrapping_sub(b'0')))
            });
        let fee = units.and_then(Self::from_units).ok_or_else(|| AmountError::TooLarge(shown()))?;
        Ok(if text.starts_with('-') { fee.reversed() } else { fee })
    }
}

/// Yuan with two places, or as many more as there are.
fn write_units(f: &mut fmt::Formatter<'_>, units: i128) -> fmt::Result {
    let sign = if units < 0 { "-" } else { "" };
    let magnitude = units.unsigned_abs();
    let text = format!("{sign}{}.{:05}", magnitude / 100_000, magnitude % 100_000);
    let shortest = text.len().saturating_sub(3);
    let zeros = text.len().saturating_sub(text.trim_end_matches('0').len());
    f.pad(text.get(..text.len().saturating_sub(zeros).max(shortest)).unwrap_or(&text))
}

impl fmt::Display for ChannelFee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_units(f, i128::from(self.0))
    }
}

impl fmt::Display for FeeTotal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_units(f, self.units)
    }
}

impl Serialize for ChannelFee {
    /// As a string, the form of every amount in JSON.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for FeeTotal {
    /// As a string, the form of every amount in JSON.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChannelFee {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        reading::text(deserializer, str::parse)
    }
}

impl<'de> Deserialize<'de> for FeeTotal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| {
            let units = reading::scaled(text, ChannelFee::DECIMALS);
            units.map(|units| Self { units }).ok_or_else(|| AmountError::NotANumber(text.chars().take(40).collect()))
        };
        reading::text(deserializer, read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_of_every_channel_are_read_exactly() {
        for (text, units) in [
            ("0.32000", 32_000),
            ("-0.27000", -27_000),
            ("0.0", 0),
            ("-0.00", 0),
            ("45.0", 4_500_000),
            ("0.00001", 1),
            ("7.68", 768_000),
            ("0.0000100", 1),
        ] {
            assert_eq!(text.parse::<ChannelFee>().map(ChannelFee::units), Ok(units), "{text}");
        }
    }

    #[test]
    fn what_is_no_fee_is_refused() {
        for text in ["", "-", "1.", ".5", "1e3", "１", "0,5", "--1", "1.2.3"] {
            assert_eq!(text.parse::<ChannelFee>(), Err(AmountError::NotANumber(text.into())), "{text}");
        }
        assert!(matches!("0.000001".parse::<ChannelFee>(), Err(AmountError::TooPrecise(_))));
        assert!(matches!("1000000000.00001".parse::<ChannelFee>(), Err(AmountError::TooLarge(_))));
        assert!(matches!("99999999999999999999".parse::<ChannelFee>(), Err(AmountError::TooLarge(_))));
    }

    #[test]
    fn it_is_shown_with_two_places_or_all_that_count() {
        let shown = |units| ChannelFee::from_units(units).map(|fee| fee.to_string());
        assert_eq!(shown(32_000).as_deref(), Some("0.32"));
        assert_eq!(shown(-27_050).as_deref(), Some("-0.2705"));
        assert_eq!(shown(1).as_deref(), Some("0.00001"));
        assert_eq!(shown(0).as_deref(), Some("0.00"));
        assert_eq!(shown(12_345_600_000).as_deref(), Some("123456.00"));
    }

    #[test]
    fn fen_and_units_agree() {
        let fee = ChannelFee::from_fen(-7).expect("small");
        assert_eq!((fee.units(), fee.whole_fen(), fee.reversed().whole_fen()), (-7000, Some(-7), Some(7)));
        assert_eq!(ChannelFee::from_units(1).and_then(ChannelFee::whole_fen), None);
        assert_eq!(ChannelFee::from_fen(i64::MAX), None);
        let mut total = FeeTotal::default();
        total.add(fee);
        total.merge(total);
        assert_eq!((total.units(), total.to_string().as_str()), (-14_000, "-0.14"));
        for (units, text) in [(-14_000, "-0.14"), (123_456_789_012, "1,234,567.89012"), (99_900_000, "999.00")] {
            assert_eq!(FeeTotal { units }.grouped(), text);
        }
    }
}
