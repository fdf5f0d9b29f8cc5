//! The end of a stream, kept while it is read, so that a cut inside the last row is noticed.
//!
//! A CSV reader is generous at the end of a file: an open quote closes by itself and a half field is
//! a field. In a bill both mean that money is missing, so the last row's bytes are looked at again.

use std::io::{self, ErrorKind, Read};

/// The longest row that is read. Real ones have some hundred bytes; an unclosed quote makes one of the rest of the file.
pub(super) const MAX_ROW_BYTES: u64 = 1024 * 1024;

/// Bytes of the end that are kept: one row and what the CSV reader has read ahead.
const KEPT_BYTES: usize = 2 * 1024 * 1024;

/// Marks the error of a row above [`MAX_ROW_BYTES`].
#[derive(Debug, thiserror::Error)]
#[error("a row of more than {MAX_ROW_BYTES} bytes")]
pub(super) struct RowTooLong;

/// What tells the end of a field from a character.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    /// What stands between two fields.
    pub(super) delimiter: u8,
    /// Whether a field may stand in quotes.
    pub(super) quote: bool,
    /// What begins a line that is no row.
    pub(super) comment: Option<u8>,
}

/// A reader that remembers the last of its bytes.
pub(super) struct Tail<R> {
    inner: R,
    kept: Vec<u8>,
    total: u64,
    row_start: u64,
}

/// How a row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a line end.
    Line,
    /// With the end of the stream.
    Stream,
    /// With the end of the stream, inside quotes.
    OpenQuote,
}

impl<R> Tail<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, kept: Vec::new(), total: 0, row_start: 0 }
    }

    /// Says that the row being read begins at byte `start`.
    pub(super) fn begin_row(&mut self, start: u64) {
        self.row_start = start;
    }

    /// How the row ends that begins at byte `start`, or behind comments there, once everything was read.
    pub(super) fn end_of_row(&self, start: u64, dialect: Dialect) -> End {
        let len = usize::try_from(self.total.saturating_sub(start)).unwrap_or(usize::MAX);
        let row = &self.kept[self.kept.len().saturating_sub(len)..];
        end_of(row, dialect)
    }

    /// Whether bytes behind `position` were read already.
    pub(super) fn has_more(&self, position: u64) -> bool {
        position < self.total
    }

    /// Whether a row that ends at `position` ends with a line feed: true for all but the last.
    pub(super) fn ends_line(&self, position: u64) -> bool {
        self.has_more(position) || self.kept.last() == Some(&b'\n')
    }
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.total.saturating_sub(self.row_start) > MAX_ROW_BYTES {
            return Err(io::Error::new(ErrorKind::InvalidData, RowTooLong));
        }
        let count = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.kept.extend_from_slice(&buffer[..count]);
        if self.kept.len() > KEPT_BYTES.saturating_mul(2) {
            self.kept.drain(..self.kept.len().saturating_sub(KEPT_BYTES));
        }
        self.total = self.total.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

impl<R: Read> Tail<R> {
    /// Reads what is left, whatever it is: an archive is checked at its end, and so is the encoding.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        io::copy(&mut self.inner, &mut io::sink()).map(drop)
    }
}

/// The same automaton as the CSV reader's: a quote opens only at the beginning of a field.
fn end_of(row: &[u8], dialect: Dialect) -> End {
    #[derive(Clone, Copy, PartialEq)]
    enum At {
        LineStart,
        Comment,
        FieldStart,
        Plain,
        Quoted,
        QuoteInQuoted,
    }
    let mut at = At::LineStart;
    for byte in row {
        at = match (at, *byte) {
            (At::Quoted, b'"') => At::QuoteInQuoted,
            (At::Quoted, _) => At::Quoted,
            (_, b'\n') => At::LineStart,
            (At::Comment, _) => At::Comment,
            (At::LineStart, byte) if dialect.comment == Some(byte) => At::Comment,
            (At::LineStart | At::FieldStart | At::QuoteInQuoted, b'"') if dialect.quote => At::Quoted,
            (_, byte) if byte == dialect.delimiter => At::FieldStart,
            (_, _) => At::Plain,
        };
    }
    match (at, row.last()) {
        (At::Quoted, _) => End::OpenQuote,
        // A lone CR is the first half of a line end, so the row before it is whole.
        (_, Some(b'\n' | b'\r')) => End::Line,
        _ => End::Stream,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_row_is_told_as_the_csv_reader_would() {
        for (row, end) in [
            ("a,b\n", End::Line),
            ("a,b\r\n", End::Line),
            ("a,b\r", End::Line),
            ("a,b", End::Stream),
            ("a,", End::Stream),
            ("a,\"b\"", End::Stream),
            ("a,\"b\"\"", End::OpenQuote),
            ("a,\"b\n", End::OpenQuote),
            ("a,5\" pipe\n", End::Line),
            ("a, \"b\n", End::Line),
        ] {
            let dialect = Dialect { delimiter: b',', quote: true, comment: None };
            assert_eq!(end_of(row.as_bytes(), dialect), end, "{row:?}");
        }
    }

    #[test]
    fn quotes_in_comments_open_nothing_nor_do_they_where_there_are_none() {
        let end = |row: &str, quote, comment| end_of(row.as_bytes(), Dialect { delimiter: b',', quote, comment });
        assert_eq!(end("#\"x\n#a,\"b\nc,d", true, Some(b'#')), End::Stream);
        assert_eq!(end("#x\nc,\"d", true, Some(b'#')), End::OpenQuote);
        assert_eq!(end("c,#\"d\n", true, Some(b'#')), End::Line);
        assert_eq!(end("c,\"d\n", false, None), End::Line);
        assert_eq!(end("c,\"d", false, None), End::Stream);
    }
}
