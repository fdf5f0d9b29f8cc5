//! Amounts as a `generic` bill writes them: yuan or fen, with or without commas between thousands, with or without sign.

use std::borrow::Cow;

use super::format::{GenericFormat, Negative, Unit};
use crate::bills::shortened;
use crate::model::{Amount, ChannelFee};

/// An amount and its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Money {
    /// How much.
    pub(super) amount: Amount,
    /// Below zero; never where that makes a row bad.
    pub(super) is_negative: bool,
}

/// Reads an amount.
///
/// # Errors
/// When it is none, or below zero where that is wrong; the text says why.
pub(super) fn parse(text: &str, format: &GenericFormat) -> Result<Money, String> {
    let plain = ungrouped(text, format)?;
    let unsigned = match format.negative {
        Negative::Refund => plain.strip_prefix('-').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())),
        Negative::SetAside => None,
    };
    let digits = unsigned.unwrap_or(&plain);
    let amount = match format.unit {
        Unit::Yuan => digits.parse::<Amount>().map_err(|error| error.to_string())?,
        Unit::Fen => amount_of_fen(digits)?,
    };
    Ok(Money { amount, is_negative: unsigned.is_some() && !amount.is_zero() })
}

/// Reads a fee; its sign says which way it went.
///
/// # Errors
/// When it is none; the text says why.
pub(super) fn parse_fee(text: &str, format: &GenericFormat) -> Result<ChannelFee, String> {
    let plain = ungrouped(text, format)?;
    match format.unit {
        Unit::Yuan => plain.parse().map_err(|error: crate::model::AmountError| error.to_string()),
        Unit::Fen => whole_fen(&plain)?.and_then(ChannelFee::from_fen).ok_or_else(|| too_large(&plain)),
    }
}

fn amount_of_fen(text: &str) -> Result<Amount, String> {
    match whole_fen(text)? {
        Some(fen) if fen < 0 => Err(format!("`{}` is negative", shortened(text, 40))),
        fen => fen.and_then(Amount::from_fen).ok_or_else(|| too_large(text)),
    }
}

/// Whole fen with an optional sign; `None` for more than there is room for.
fn whole_fen(text: &str) -> Result<Option<i64>, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{}` is not a whole number of fen", shortened(text, 40)));
    }
    Ok(text.parse().ok())
}

fn too_large(text: &str) -> String {
    format!("`{}` fen are more than 1,000,000,000.00", shortened(text, 40))
}

/// `1,234.50` without its commas, which must stand between thousands: `5,50` is no five hundred and fifty.
fn ungrouped<'t>(text: &'t str, format: &GenericFormat) -> Result<Cow<'t, str>, String> {
    if !format.thousands || !text.contains(',') {
        return Ok(Cow::Borrowed(text));
    }
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let mut groups = whole.strip_prefix('-').unwrap_or(whole).split(',');
    let is_first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()));
    if is_first && groups.all(|group| group.len() == 3) && text.matches(',').count() == whole.matches(',').count() {
        Ok(Cow::Owned(text.replace(',', "")))
    } else {
        Err(format!("`{}` does not have its commas between thousands", shortened(text, 40)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, format: &GenericFormat) -> Option<(String, bool)> {
        parse(text, format).ok().map(|money| (money.amount.to_string(), money.is_negative))
    }

    #[test]
    fn commas_stand_between_thousands_or_nowhere() {
        let format = GenericFormat { thousands: true, ..GenericFormat::default() };
        for (text, amount) in [("1,234.50", "1234.50"), ("1,234,567", "1234567.00"), ("12.5", "12.50")] {
            assert_eq!(read(text, &format), Some((amount.to_owned(), false)), "{text}");
        }
        for text in ["5,50", "1234,567.00", ",123", "1,2345", "1,,234", "1.234,567", "1,23a", "1,234,"] {
            assert_eq!(read(text, &format), None, "{text}");
        }
        assert_eq!(read("1,234.50", &GenericFormat::default()), None);
    }

    #[test]
    fn a_sign_counts_only_where_it_means_something() {
        let signed = GenericFormat { negative: Negative::Refund, thousands: true, ..GenericFormat::default() };
        assert_eq!(read("-1,234.50", &signed), Some(("1234.50".to_owned(), true)));
        assert_eq!(read("-0.00", &signed), Some(("0.00".to_owned(), false)));
        for text in ["--5", "-+5", "-", "- 5"] {
            assert_eq!(read(text, &signed), None, "{text}");
        }
        assert_eq!(read("-5", &GenericFormat::default()), None);
    }

    #[test]
    fn fen_are_whole() {
        let fen = GenericFormat { unit: Unit::Fen, negative: Negative::Refund, ..GenericFormat::default() };
        assert_eq!(read("-550", &fen), Some(("5.50".to_owned(), true)));
        assert_eq!(parse_fee("-3", &fen).unwrap().to_string(), "-0.03");
        for text in ["5.50", "", "+5", "99999999999999999999"] {
            assert!(parse(text, &fen).is_err() && parse_fee(text, &fen).is_err(), "{text}");
        }
        let unsigned = GenericFormat { unit: Unit::Fen, ..GenericFormat::default() };
        assert!(parse("-1", &unsigned).unwrap_err().contains("negative"));
        assert_eq!(read("-0", &unsigned), Some(("0.00".to_owned(), false)));
    }
}
