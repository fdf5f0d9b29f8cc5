//! Money: exact, in fen, never through a binary float.
//!
//! [`Amount`] is never negative, [`Difference`] is signed, [`Total`] is a sum that cannot overflow.
//! Decimals exist at the edges only, as text; inside and in SQL there are integers.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::reading;

/// The largest amount that is taken for real: one billion yuan. It keeps ninety million rows of
/// the largest amount within an `i64` sum, so that SQL sums cannot overflow either.
const MAX_FEN: i64 = 100_000_000_000;

/// A sum of money that is not negative, in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

/// A signed difference of two amounts, in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Difference(i64);

/// A count of things and the sum of their amounts; wide enough for any number of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// How many.
    pub count: u64,
    /// Their sum, in fen.
    pub fen: i128,
}

/// Why a text is not an amount; the text itself is in the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a plain decimal number.
    #[error("`{0}` is not an amount of money")]
    NotANumber(String),
    /// A third decimal that is not zero.
    #[error("`{0}` has more than two decimals")]
    TooPrecise(String),
    /// Below zero where only zero and above make sense.
    #[error("`{0}` is negative")]
    Negative(String),
    /// More than any parking fee can be.
    #[error("`{0}` is larger than 1,000,000,000.00")]
    TooLarge(String),
}

/// Plain decimal text in yuan → signed fen. No exponent, no separators, no currency sign, and nothing allocated: bills
/// have millions of them.
fn parse_fen(text: &str) -> Result<i64, AmountError> {
    let shown = || text.chars().take(40).collect::<String>();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return Err(AmountError::NotANumber(shown()));
    }
    let significant = fraction.trim_end_matches('0');
    if significant.len() > 2 {
        return Err(AmountError::TooPrecise(shown()));
    }
    let padding = std::iter::repeat_n(b'0', 2_usize.saturating_sub(significant.len()));
    let fen = whole
        .bytes()
        .chain(significant.bytes())
        .chain(padding)
        .try_fold(0_i64, |fen, digit| fen.checked_mul(10)?.checked_add(i64::from(digit.wrapping_sub(b'0'))));
    let fen = fen.filter(|fen| *fen <= MAX_FEN).ok_or_else(|| AmountError::TooLarge(shown()))?;
    Ok(if text.starts_with('-') { fen.saturating_neg() } else { fen })
}

/// Signed fen as yuan with two places: `-5.00`.
fn write_fen(f: &mut fmt::Formatter<'_>, fen: i128) -> fmt::Result {
    let sign = if fen < 0 { "-" } else { "" };
    let magnitude = fen.unsigned_abs();
    f.pad(&format!("{sign}{}.{:02}", magnitude / 100, magnitude % 100))
}

/// Signed fen as yuan with two places and thousands separators: `-1,234.50`.
fn grouped(fen: i128) -> String {
    let magnitude = fen.unsigned_abs();
    let whole = (magnitude / 100).to_string();
    let mut text = String::from(if fen < 0 { "-" } else { "" });
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && whole.len().saturating_sub(index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{text}.{:02}", magnitude % 100)
}

impl Amount {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// An amount of `fen`; `None` below zero or above one billion yuan.
    pub const fn from_fen(fen: i64) -> Option<Self> {
        if fen >= 0 && fen <= MAX_FEN { Some(Self(fen)) } else { None }
    }

    /// The amount in fen.
    pub const fn fen(self) -> i64 {
        self.0
    }

    /// Whether there is no money in it.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, `None` above one billion yuan.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(fen) => Self::from_fen(fen),
            None => None,
        }
    }

    /// What is left, `None` when `other` is larger.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(fen) => Self::from_fen(fen),
            None => None,
        }
    }

    /// `self − other`, signed.
    pub const fn minus(self, other: Self) -> Difference {
        // Both lie within ±MAX_FEN, so the difference always fits.
        Difference(self.0.saturating_sub(other.0))
    }

    /// As an exact decimal in yuan, scale 2.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.0, 2)
    }

    /// With thousands separators, for people: `1,234.50`.
    pub fn grouped(self) -> String {
        grouped(i128::from(self.0))
    }
}

impl Difference {
    /// No difference.
    pub const ZERO: Self = Self(0);

    /// A difference of `fen`.
    pub const fn from_fen(fen: i64) -> Self {
        Self(fen)
    }

    /// The difference in fen.
    pub const fn fen(self) -> i64 {
        self.0
    }

    /// As an amount, `None` when negative.
    pub const fn to_amount(self) -> Option<Amount> {
        Amount::from_fen(self.0)
    }

    /// With thousands separators, for people: `-1,234.50`.
    pub fn grouped(self) -> String {
        grouped(i128::from(self.0))
    }
}

impl Total {
    /// Counts one thing of `fen` more.
    pub fn add_fen(&mut self, fen: i64) {
        self.count = self.count.saturating_add(1);
        self.fen = self.fen.saturating_add(i128::from(fen));
    }

    /// Counts one thing more.
    pub fn add(&mut self, amount: Amount) {
        self.add_fen(amount.fen());
    }

    /// Counts everything that `other` counted.
    pub fn merge(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.fen = self.fen.saturating_add(other.fen);
    }

    /// The sum as yuan with two places.
    pub fn amount(&self) -> String {
        struct Fen(i128);
        impl fmt::Display for Fen {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_fen(f, self.0)
            }
        }
        Fen(self.fen).to_string()
    }

    /// The sum with thousands separators, for people.
    pub fn grouped(&self) -> String {
        grouped(self.fen)
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    /// Reads plain decimal yuan (`5`, `5.5`, `5.500`); `-0.00` is zero.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let fen = parse_fen(text)?;
        Self::from_fen(fen).ok_or_else(|| AmountError::Negative(text.to_owned()))
    }
}

impl FromStr for Difference {
    type Err = AmountError;

    /// Reads plain decimal yuan with an optional sign.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        parse_fen(text).map(Self)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_fen(f, i128::from(self.0))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_fen(f, i128::from(self.0))
    }
}

impl Serialize for Amount {
    /// As a string with two places, the form of every amount in JSON.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        reading::text(deserializer, str::parse)
    }
}

impl Serialize for Difference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Difference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        reading::text(deserializer, str::parse)
    }
}

impl Serialize for Total {
    /// As `{"count":1,"amount":"5.00"}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = serializer.serialize_struct("Total", 2)?;
        object.serialize_field("count", &self.count)?;
        object.serialize_field("amount", &self.amount())?;
        object.end()
    }
}

impl<'de> Deserialize<'de> for Total {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Written {
            count: u64,
            amount: String,
        }
        let Written { count, amount } = Written::deserialize(deserializer)?;
        let fen = reading::scaled(&amount, 2).ok_or_else(|| AmountError::NotANumber(amount.chars().take(40).collect()));
        Ok(Self { count, fen: fen.map_err(serde::de::Error::custom)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_amount_in_all_its_spellings() {
        for text in ["5.5", "5.50", "5.500", "05.5", "+5.5"] {
            assert_eq!(text.parse::<Amount>(), Ok(Amount(550)), "{text}");
        }
        assert_eq!("-0.00".parse::<Amount>(), Ok(Amount::ZERO));
        assert_eq!("0.01".parse::<Amount>(), Ok(Amount(1)));
        assert_eq!("10".parse::<Amount>(), Ok(Amount(1000)));
    }

    #[test]
    fn what_is_no_amount_is_refused_with_its_text() {
        for text in ["", ".", "5.", ".5", "NaN", "1e400", "1e2", "5,00", "５.00", "¥5", " 5", "--5", "1.2.3", "0x5"] {
            assert_eq!(text.parse::<Amount>(), Err(AmountError::NotANumber(text.into())), "{text}");
        }
        assert_eq!("5.555".parse::<Amount>(), Err(AmountError::TooPrecise("5.555".into())));
        assert_eq!("-5".parse::<Amount>(), Err(AmountError::Negative("-5".into())));
        for text in ["1000000000.01", "99999999999999999999999"] {
            assert_eq!(text.parse::<Amount>(), Err(AmountError::TooLarge(text.into())), "{text}");
        }
        assert_eq!("1000000000.00".parse::<Amount>(), Ok(Amount(MAX_FEN)));
    }

    #[test]
    fn text_has_two_places_and_groups_only_for_people() {
        assert_eq!(Amount(5).to_string(), "0.05");
        assert_eq!(Difference(-500).to_string(), "-5.00");
        assert_eq!(Difference(-123_456_789).grouped(), "-1,234,567.89");
        assert_eq!(Amount(99_999).grouped(), "999.99");
        assert_eq!(Total { count: 2, fen: 100_000 }.grouped(), "1,000.00");
    }
}
