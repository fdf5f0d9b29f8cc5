//! Rows of text with their line and their end, over the CSV reader.

use std::io::{BufRead, BufReader, Read};

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Terminator};

use super::format::GenericFormat;
use crate::bills::tail::{Dialect, End, MAX_ROW_BYTES, RowTooLong, Tail};
use crate::bills::{BillError, Encoding, shortened};

/// Large enough that the reader's own bookkeeping does not show.
const BUFFER_BYTES: usize = 64 * 1024;

/// The rows of a bill one after the other, blank lines and comments left out.
pub(super) struct Rows<R> {
    reader: Reader<Tail<BufReader<R>>>,
    record: StringRecord,
    dialect: Dialect,
    prefix: Option<char>,
    /// Lines before the first that the reader sees.
    skipped: u64,
    line: u64,
    end: End,
    has_line_breaks: bool,
}

impl<R: Read> Rows<R> {
    /// Goes to the first line that `format` does not skip.
    ///
    /// # Errors
    /// When the lines before it cannot be read.
    pub(super) fn new(input: R, format: &GenericFormat) -> Result<Self, BillError> {
        let ascii = |c: char| u8::try_from(c).ok().filter(u8::is_ascii);
        let dialect = Dialect {
            delimiter: format.delimiter.byte(),
            // A value in quotes would begin with the quote and not with the prefix.
            quote: format.quote && format.strip_prefix.is_none(),
            comment: format.comment.and_then(ascii),
        };
        // The CSV reader asks for more at once than this buffer holds and so reads past it.
        let mut input = BufReader::new(input);
        for _ in 0..format.skip_lines {
            input.skip_until(b'\n')?;
        }
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(dialect.delimiter)
            .quoting(dialect.quote)
            .comment(dialect.comment)
            // With the default a CR ends a row by itself and the LF behind it counts to the next
            // one; so a CR is left to the trimming of fields, and lines stay right.
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(Tail::new(input));
        Ok(Self {
            reader,
            record: StringRecord::new(),
            dialect,
            prefix: format.strip_prefix,
            skipped: format.skip_lines.into(),
            line: 0,
            end: End::Line,
            has_line_breaks: false,
        })
    }

    /// Goes to the next row; `false` after the last.
    pub(super) fn advance(&mut self) -> Result<bool, BillError> {
        loop {
            if !self.read()? {
                return Ok(false);
            }
            let is_blank = self.record.len() == 1 && self.record.get(0).is_some_and(|text| text.trim().is_empty());
            if !is_blank {
                return Ok(true);
            }
        }
    }

    fn read(&mut self) -> Result<bool, BillError> {
        let start = self.reader.position().byte();
        let first_line = self.reader.position().line().saturating_add(self.skipped);
        self.reader.get_mut().begin_row(start);
        let found = match self.reader.read_record(&mut self.record) {
            Ok(found) => found,
            // The row is read already, and the reader at the beginning of the next one.
            Err(error) if matches!(error.kind(), ErrorKind::Utf8 { .. }) => {
                let line = self.reader.position().line().saturating_sub(u64::from(self.is_at_line_start()));
                let line = line.saturating_add(self.skipped);
                return Err(BillError::NotText { line, encoding: Encoding::Utf8 });
            }
            Err(error) => return Err(refusal(error, first_line)),
        };
        if !found {
            return Ok(false);
        }
        let position = self.reader.position().byte();
        // Only a row that used up all bytes seen so far can be one that the end of the file closed.
        let tail = self.reader.get_ref();
        self.end = if tail.has_more(position) { End::Line } else { tail.end_of_row(start, self.dialect) };
        let inside = self.record.as_slice().bytes().filter(|byte| *byte == b'\n').count();
        self.has_line_breaks = inside > 0;
        // Counted back from where the reader stands, because blank lines before the row were skipped.
        let own_end = self.end == End::Line && self.is_at_line_start();
        let passed = u64::try_from(inside).unwrap_or(u64::MAX).saturating_add(u64::from(own_end));
        self.line = self.reader.position().line().saturating_sub(passed).saturating_add(self.skipped);
        if self.end == End::OpenQuote {
            return Err(BillError::OpenQuote { line: self.line });
        }
        Ok(true)
    }

    /// Whether the row that was read ended with a line feed.
    fn is_at_line_start(&self) -> bool {
        self.reader.get_ref().ends_line(self.reader.position().byte())
    }

    /// Whether the row's first value begins with `mark`.
    pub(super) fn begins_with(&self, mark: &str) -> bool {
        let first = self.record.get(0).unwrap_or_default().trim();
        let bare = self.prefix.and_then(|prefix| first.strip_prefix(prefix));
        first.starts_with(mark) || bare.is_some_and(|bare| bare.trim_start().starts_with(mark))
    }

    /// Takes away what stands before every value. A field without it belongs to the value before it, which has a
    /// delimiter in it; an empty one at the end is none, a delimiter only ends the row.
    ///
    /// # Errors
    /// When it does not stand before the first value.
    pub(super) fn strip_prefix(&mut self) -> Result<(), BillError> {
        let Some(prefix) = self.prefix else { return Ok(()) };
        let mut values: Vec<String> = Vec::with_capacity(self.record.len());
        let last = self.record.len().saturating_sub(1);
        for (place, field) in self.record.iter().enumerate() {
            match (field.trim_start().strip_prefix(prefix), values.last_mut()) {
                (Some(value), _) => values.push(value.to_owned()),
                (None, Some(_)) if place == last && field.trim().is_empty() => {}
                (None, Some(value)) => {
                    value.push(char::from(self.dialect.delimiter));
                    value.push_str(field);
                }
                (None, None) => {
                    return Err(BillError::NoPrefix { line: self.line, prefix, value: shortened(field, 40) });
                }
            }
        }
        self.record = StringRecord::from(values);
        Ok(())
    }

    /// Reads what is left without looking at it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn drain(&mut self) -> Result<(), BillError> {
        Ok(self.reader.get_mut().drain()?)
    }

    /// The row's fields, not trimmed.
    pub(super) fn record(&self) -> &StringRecord {
        &self.record
    }

    /// The line where the row begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// How the row ends.
    pub(super) fn end(&self) -> End {
        self.end
    }

    /// Whether a field of the row holds a line break.
    pub(super) fn has_line_breaks(&self) -> bool {
        self.has_line_breaks
    }
}

fn refusal(error: csv::Error, line: u64) -> BillError {
    let ErrorKind::Io(error) = error.into_kind() else {
        // A reader of text without a fixed number of fields knows no other error.
        return BillError::Io(std::io::Error::other("not readable as rows with delimiters"));
    };
    if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<RowTooLong>) {
        return BillError::RowTooLong { line, limit: MAX_ROW_BYTES };
    }
    BillError::from(error)
}
