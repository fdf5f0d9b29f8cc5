//! Rows of text with their line and their end, over the CSV reader.

use std::io::Read;

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Terminator};

use crate::bills::tail::{End, MAX_ROW_BYTES, RowTooLong, Tail};
use crate::bills::{BillError, Encoding};

/// Large enough that the reader's own bookkeeping does not show.
const BUFFER_BYTES: usize = 64 * 1024;

/// The rows of a bill one after the other, blank lines left out.
pub(super) struct Rows<R> {
    reader: Reader<Tail<R>>,
    record: StringRecord,
    delimiter: u8,
    line: u64,
    end: End,
    has_line_breaks: bool,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            // With the default a CR ends a row by itself and the LF behind it counts to the next
            // one; so a CR is left to the trimming of fields, and lines stay right.
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(Tail::new(input));
        Self { reader, record: StringRecord::new(), delimiter, line: 0, end: End::Line, has_line_breaks: false }
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
        let first_line = self.reader.position().line();
        self.reader.get_mut().begin_row(start);
        let found = self.reader.read_record(&mut self.record).map_err(|error| refusal(error, first_line))?;
        if !found {
            return Ok(false);
        }
        let position = self.reader.position().byte();
        // Only a row that used up all bytes seen so far can be one that the end of the file closed.
        let tail = self.reader.get_ref();
        self.end = if tail.has_more(position) { End::Line } else { tail.end_of_row(start, self.delimiter) };
        let inside = self.record.as_slice().bytes().filter(|byte| *byte == b'\n').count();
        self.has_line_breaks = inside > 0;
        // Counted back from where the reader stands, because blank lines before the row were skipped.
        let own_end = self.end == End::Line && tail.ends_line(position);
        let passed = u64::try_from(inside).unwrap_or(u64::MAX).saturating_add(u64::from(own_end));
        self.line = self.reader.position().line().saturating_sub(passed);
        if self.end == End::OpenQuote {
            return Err(BillError::OpenQuote { line: self.line });
        }
        Ok(true)
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
    if let ErrorKind::Utf8 { pos, .. } = error.kind() {
        let line = pos.as_ref().map_or(line, csv::Position::line);
        return BillError::NotText { line, encoding: Encoding::Utf8 };
    }
    let ErrorKind::Io(error) = error.into_kind() else {
        // A reader of text without a fixed number of fields knows no other error.
        return BillError::Io(std::io::Error::other("not readable as rows with delimiters"));
    };
    if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<RowTooLong>) {
        return BillError::RowTooLong { line, limit: MAX_ROW_BYTES };
    }
    BillError::from(error)
}
