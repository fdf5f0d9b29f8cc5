//! Lines of text with their numbers, for formats that have no quotes.

use std::io::{BufRead, BufReader, ErrorKind, Read};

use super::BillError;
use super::package::UnpackError;
use super::tail::MAX_ROW_BYTES;
use super::text::{Encoding, NotText};

/// What is read at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// The lines of a text in UTF-8, one after the other.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    line: String,
    number: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { reader: BufReader::with_capacity(BUFFER_BYTES, input), line: String::new(), number: 0 }
    }

    /// The number of the line, the first being 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The line without its end; a byte order mark at the very beginning is left out.
    pub(super) fn text(&self) -> &str {
        let text = self.line.trim_end_matches(['\n', '\r']);
        if self.number == 1 { text.trim_start_matches('\u{feff}') } else { text }
    }

    /// Goes to the next line that is not blank; `false` after the last.
    ///
    /// # Errors
    /// When the line is no text, has U+FFFD in it, or is longer than any row.
    pub(super) fn advance(&mut self) -> Result<bool, BillError> {
        while self.read()? {
            if !self.text().trim().is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read(&mut self) -> Result<bool, BillError> {
        self.line.clear();
        let line = self.number.saturating_add(1);
        let limit = MAX_ROW_BYTES.saturating_add(1);
        let read = match self.reader.by_ref().take(limit).read_line(&mut self.line) {
            Ok(read) => u64::try_from(read).unwrap_or(u64::MAX),
            // The standard library's own words for bytes that are no UTF-8; other errors of this kind bring a cause.
            Err(error) if error.kind() == ErrorKind::InvalidData && is_bare(&error) => {
                return Err(BillError::NotText { line, encoding: Encoding::Utf8 });
            }
            Err(error) => return Err(error.into()),
        };
        if read > MAX_ROW_BYTES {
            return Err(BillError::RowTooLong { line, limit: MAX_ROW_BYTES });
        }
        self.number = line;
        if self.line.contains(char::REPLACEMENT_CHARACTER) {
            return Err(BillError::LossyText { line });
        }
        Ok(read > 0)
    }
}

fn is_bare(error: &std::io::Error) -> bool {
    error.get_ref().is_none_or(|cause| !cause.is::<UnpackError>() && !cause.is::<NotText>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_with_their_numbers_whatever_ends_them() {
        let mut lines = Lines::new("\u{feff}a\r\n\n \r\nb\nc".as_bytes());
        let mut seen = Vec::new();
        while lines.advance().unwrap() {
            seen.push((lines.number(), lines.text().to_owned()));
        }
        assert_eq!(seen, [(1, "a".to_owned()), (4, "b".to_owned()), (5, "c".to_owned())]);
    }

    #[test]
    fn what_is_no_line_of_text_is_refused() {
        let error = |bytes: &[u8]| {
            let mut lines = Lines::new(bytes);
            loop {
                match lines.advance() {
                    Ok(true) => {}
                    Ok(false) => panic!("not refused"),
                    Err(error) => return error,
                }
            }
        };
        assert!(matches!(error(b"a\n\xff\n"), BillError::NotText { line: 2, .. }));
        assert!(matches!(error("a\n\u{fffd}".as_bytes()), BillError::LossyText { line: 2 }));
        let long = vec![b'a'; usize::try_from(MAX_ROW_BYTES).unwrap() + 1];
        assert!(matches!(error(&long), BillError::RowTooLong { line: 1, .. }));
    }
}
