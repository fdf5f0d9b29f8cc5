//! Text from outside, made harmless for people's eyes and for spreadsheets.
//!
//! HTML is escaped by the template engine; here is what it does not know: characters that cannot be seen, and
//! cells that a spreadsheet takes for a formula.

use std::borrow::Cow;
use std::fmt::Write;

/// The longest text from outside that a report shows whole; ids and reasons are far shorter.
const MAX_SHOWN: usize = 200;

/// `text` with every invisible character shown as `[U+202E]`, cut at 200 characters.
pub fn visible(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", escaped(text.get(..end).unwrap_or_default()))),
        None => escaped(text),
    }
}

/// `text` with every invisible character shown as `[U+202E]`.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) {
            // Writing to a String cannot fail.
            write!(shown, "[U+{:04X}]", u32::from(c)).expect("a String takes everything");
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Controls, direction marks and overrides, zero-width characters, line separators, tags.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A text from outside as a cell of a spreadsheet: a leading `'` keeps it from being a formula.
///
/// Not for numbers of our own: `-5.00` would be marked as well.
pub fn spreadsheet_cell(text: &str) -> Cow<'_, str> {
    let ignorable =
        |c: char| c == ' ' || (c.is_whitespace() && !c.is_control()) || (is_invisible(c) && !c.is_control());
    let first = text.trim_start_matches(ignorable).chars().next();
    let is_formula =
        first.is_some_and(|c| c.is_control() || matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'));
    let shown = escaped(text);
    if is_formula { Cow::Owned(format!("'{shown}")) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(visible("渝B757D0"), "渝B757D0");
        assert_eq!(visible("a\u{202e}b\r\nc\0"), "a[U+202E]b[U+000D][U+000A]c[U+0000]");
        assert_eq!(visible(&"长".repeat(300)).chars().count(), 201);
    }

    #[test]
    fn a_cell_is_never_a_formula() {
        for text in [
            "=1+1",
            "+1",
            "-5.00",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "  =1",
            "\u{3000}＝1",
            "＋1",
            "－1",
            "＠1",
            "\u{feff}=1",
        ] {
            assert!(spreadsheet_cell(text).starts_with('\''), "{text:?}");
        }
        for text in ["", "渝B757D0", "a=1", "1-1", "5.00"] {
            assert_eq!(spreadsheet_cell(text), text);
        }
    }
}
