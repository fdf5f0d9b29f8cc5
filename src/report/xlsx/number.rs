//! Decimals as a spreadsheet's numbers, which are binary floats whatever one does: the one place where that happens.

/// Digits that a spreadsheet keeps of a number.
const DIGITS: usize = 15;

/// The number nearest to a plain decimal; `None` where a spreadsheet would not keep all of its digits, or it is none.
///
/// Nothing is computed with it, and shown with its decimals it is the text again.
pub(super) fn number(decimal: &str) -> Option<f64> {
    let digits = decimal.trim_start_matches('-').trim_start_matches('0').bytes().filter(u8::is_ascii_digit).count();
    let is_decimal = decimal.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    (is_decimal && digits <= DIGITS).then(|| decimal.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Amount, Total};

    #[test]
    fn an_amount_comes_back_to_the_cent() {
        for fen in [0, 1, 10, 99, 100, 1_005, 29, 57_029, 113, 99_999_999_999, 100_000_000_000] {
            let amount = Amount::from_fen(fen).unwrap();
            let cell = number(&amount.to_string()).unwrap();
            assert_eq!(format!("{cell:.2}"), amount.to_string());
            assert_eq!(cell.to_string().parse::<Amount>().unwrap(), amount, "as the file has it");
        }
    }

    proptest! {
        #[test]
        fn every_sum_of_fifteen_digits_comes_back(fen in -999_999_999_999_999_i64..=999_999_999_999_999) {
            let text = Total { count: 1, fen: i128::from(fen) }.amount();
            let cell = number(&text).unwrap();
            prop_assert_eq!(format!("{cell:.2}"), text);
        }
    }

    #[test]
    fn what_a_spreadsheet_would_round_stays_text() {
        assert_eq!(number("10000000000000.00"), None);
        assert_eq!(number("-9999999999999.99"), Some(-9_999_999_999_999.99));
        for text in ["", "NaN", "inf", "1e5", "1,000.00"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
