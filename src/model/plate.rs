//! Number plates: one normal form for comparing; the spelling that came in is kept by the caller.

use std::fmt;

use serde::{Serialize, Serializer};

/// A plate in its normal form: no spaces, no middle dot, half-width, upper case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Plate(Box<str>);

/// Why a text is not a plate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlateError {
    /// A masked plate (`渝****87`) identifies no car.
    #[error("`{0}` is masked and names no car")]
    Masked(String),
    /// Neither 7 nor 8 characters.
    #[error("`{0}` is not a plate: 7 characters are expected, 8 for new-energy cars")]
    Length(String),
}

impl Plate {
    /// The normal form of `text`: `渝 B·757d0` and `渝Ｂ757D0` are both `渝B757D0`.
    ///
    /// # Errors
    /// When what is left is masked or has not 7 or 8 characters.
    pub fn parse(text: &str) -> Result<Self, PlateError> {
        let normal: String = text.chars().filter_map(normal_char).collect();
        if normal.contains('*') {
            return Err(PlateError::Masked(text.to_owned()));
        }
        match normal.chars().count() {
            7 | 8 => Ok(Self(normal.into_boxed_str())),
            _ => Err(PlateError::Length(text.chars().take(40).collect())),
        }
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One character of a plate in its normal form; `None` for what is only decoration.
fn normal_char(c: char) -> Option<char> {
    let half = match c {
        // Full-width forms U+FF01–FF5E stand 0xFEE0 above their ASCII twins.
        '\u{ff01}'..='\u{ff5e}' => u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c),
        other => other,
    };
    match half {
        c if c.is_whitespace() || c.is_control() => None,
        '·' | '•' | '・' | '‧' | '∙' | '.' | '-' | '\u{200b}' | '\u{feff}' => None,
        c => Some(c.to_ascii_uppercase()),
    }
}

impl fmt::Display for Plate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Plate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_has_one_normal_form() {
        for text in ["渝B757D0", "渝 B757D0", "渝b757d0", "渝Ｂ７５７Ｄ０", "渝B·757D0", " 渝B 757 D0\t"] {
            assert_eq!(Plate::parse(text).unwrap().as_str(), "渝B757D0", "{text}");
        }
        assert_eq!(Plate::parse("渝AD12345").unwrap().as_str(), "渝AD12345");
    }

    #[test]
    fn a_masked_or_cut_plate_is_none() {
        assert!(matches!(Plate::parse("渝****87"), Err(PlateError::Masked(_))));
        assert!(matches!(Plate::parse("渝＊＊＊＊87"), Err(PlateError::Masked(_))));
        assert!(matches!(Plate::parse("渝B757"), Err(PlateError::Length(_))));
        assert!(matches!(Plate::parse(""), Err(PlateError::Length(_))));
    }
}
