//! Reading back what the types of the product write as text: amounts, days, moments, names.

use std::borrow::Cow;
use std::fmt::Display;

use serde::{Deserialize, Deserializer};

/// A text that `parse` understands.
pub(super) fn text<'de, T, E: Display, D: Deserializer<'de>>(
    deserializer: D,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    let text = <Cow<'de, str>>::deserialize(deserializer)?;
    parse(&text).map_err(serde::de::Error::custom)
}

/// A plain decimal with `places` digits at least in all behind the point, as an integer of the last of them.
///
/// The inverse of how sums are written: `-1.5` with five places is -150,000. `None` for any other text.
pub(super) fn scaled(text: &str, places: usize) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1_i128, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) || fraction.len() > places {
        return None;
    }
    let padding = "0".repeat(places.saturating_sub(fraction.len()));
    format!("{whole}{fraction}{padding}").parse::<i128>().ok()?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Amount, BusinessDate, Difference, Disposition, FeeTotal, Timestamp, Total};

    #[test]
    fn what_was_written_is_read_back() {
        fn same<T: serde::Serialize + for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug>(value: &T) {
            let text = serde_json::to_string(value).unwrap();
            assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
        }
        same(&Amount::from_fen(123_456).unwrap());
        same(&Difference::from_fen(-5));
        for fen in [0, 1, -1, 100, -12_345_678_901_234_567_890_i128] {
            same(&Total { count: 7, fen });
        }
        same(&Timestamp::parse_wall("2026-11-22 09:58:58").unwrap());
        same(&"2026-11-22".parse::<BusinessDate>().unwrap());
        Disposition::ALL.iter().for_each(same);
        for text in ["0.00", "-0.27", "1045.30018", "-1045.00001"] {
            let mut sum = FeeTotal::default();
            sum.add(text.parse().unwrap());
            same(&sum);
        }
    }

    #[test]
    fn what_nothing_of_ours_wrote_is_refused() {
        for text in
            ["", "-", ".5", "1.234", "1e3", "1,000.00", "１", "--1", "99999999999999999999999999999999999999999"]
        {
            assert_eq!(scaled(text, 2), None, "{text}");
        }
        assert!(serde_json::from_str::<Amount>("5.00").is_err(), "a number may have been a float");
        assert!(serde_json::from_str::<Disposition>("\"paid\"").is_err());
    }
}
