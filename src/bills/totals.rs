//! A bill's own totals against what was read of it: the only proof that a file is whole.

use super::{BillError, shortened};
use crate::model::{Amount, ChannelFee, Difference};

/// Units of 1/100,000 yuan in a yuan: `WeChat` sums fees with five decimals.
const DECIMALS: usize = 5;

/// A sum of money in 1/100,000 yuan, of any number of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum(i128);

impl Sum {
    pub(super) fn add(&mut self, amount: Amount) {
        self.add_fen(amount.fen());
    }

    pub(super) fn add_signed(&mut self, amount: Difference) {
        self.add_fen(amount.fen());
    }

    pub(super) fn add_fee(&mut self, fee: ChannelFee) {
        self.0 = self.0.saturating_add(i128::from(fee.units()));
    }

    fn add_fen(&mut self, fen: i64) {
        self.0 = self.0.saturating_add(i128::from(fen).saturating_mul(1000));
    }

    /// As yuan with two places, or as many more as there are.
    fn text(self) -> String {
        let magnitude = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let text = format!("{sign}{}.{:05}", magnitude / 100_000, magnitude % 100_000);
        text.strip_suffix("000").map(str::to_owned).unwrap_or(text)
    }
}

/// Compares a sum that the bill states.
///
/// # Errors
/// When it is another, or no number.
pub(super) fn compare_sum(what: &str, stated: &str, counted: Sum, line: u64) -> Result<(), BillError> {
    if parse(stated) == Some(counted.0) {
        return Ok(());
    }
    Err(differ(what, stated, counted.text(), line))
}

/// Compares a count of rows that the bill states.
///
/// # Errors
/// When it is another, or no number.
pub(super) fn compare_count(what: &str, stated: &str, counted: u64, line: u64) -> Result<(), BillError> {
    if stated.parse::<u64>() == Ok(counted) {
        return Ok(());
    }
    Err(differ(what, stated, counted.to_string(), line))
}

fn differ(what: &str, stated: &str, counted: String, line: u64) -> BillError {
    BillError::TotalsDiffer { line, what: shortened(what, 100), stated: shortened(stated, 40), counted }
}

/// Plain decimal yuan with an optional sign, exactly; formats write `45.0`, `-0.00` and `8.18000`.
fn parse(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let significant = fraction.trim_end_matches('0');
    if !is_number(whole) || !is_number(fraction) || significant.len() > DECIMALS {
        return None;
    }
    let padding = std::iter::repeat_n(b'0', DECIMALS.saturating_sub(significant.len()));
    let units =
        whole.bytes().chain(significant.bytes()).chain(padding).try_fold(0_i128, |units, digit| {
            units.checked_mul(10)?.checked_add(i128::from(digit.wrapping_sub(b'0')))
        })?;
    Some(if text.starts_with('-') { units.saturating_neg() } else { units })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_compared_as_numbers_and_not_as_text() {
        let mut sum = Sum::default();
        sum.add("45".parse().unwrap());
        sum.add_fee("-0.00001".parse().unwrap());
        sum.add_fee("0.00001".parse().unwrap());
        sum.add_signed("-0.50".parse().unwrap());
        sum.add_signed("0.5".parse().unwrap());
        for stated in ["45", "45.0", "45.00", "045.00000"] {
            assert!(compare_sum("x", stated, sum, 1).is_ok(), "{stated}");
        }
        assert!(compare_sum("x", "-0.00", Sum::default(), 1).is_ok());
        for stated in ["45.01", "-45", "", "4.5e1", "45.000001", "."] {
            let error = compare_sum("退款总金额", stated, sum, 9).unwrap_err().to_string();
            assert!(error.contains("line 9") && error.contains("退款总金额") && error.contains("45.00"), "{error}");
        }
    }

    #[test]
    fn counts_are_whole_numbers() {
        assert!(compare_count("x", "19", 19, 1).is_ok());
        for stated in ["18", "19.0", "", "-19"] {
            assert!(compare_count("x", stated, 19, 1).is_err(), "{stated}");
        }
    }
}
