//! The profile `generic`: text in UTF-8 with delimiters and a header, columns found by name.
//!
//! A bad row is set aside. What hides rows refuses the bill: a row with another number of fields, an
//! open quote, a line break inside a field that is read, an end inside a value. A cut between two
//! rows cannot be seen (the format has no totals), nor one inside a last column that decides
//! nothing (the channel, or one that is not read) when the bill does not end with a line end.

pub mod format;
mod layout;
mod row;
mod rows;

use std::io::Read;

use self::format::Column;
use self::layout::Layout;
use self::row::Parsed;
use self::rows::Rows;
use super::reading::Reading;
use super::tail::End;
use super::{BillError, shortened};

/// Reads a bill in UTF-8 whose byte order mark is gone already.
///
/// # Errors
/// When the bill is refused.
pub(super) fn read(input: impl Read, reading: &mut Reading<'_>) -> Result<(), BillError> {
    let source = reading.source;
    let mut rows = Rows::new(input, source.generic.delimiter.byte());
    if !rows.advance()? {
        return Err(BillError::Empty);
    }
    let layout = Layout::of_header(rows.record(), rows.line(), source)?;
    if rows.end() == End::Stream {
        // Half a header reads like the header of a bill without rows.
        return Err(unfinished(&rows, &layout));
    }
    reading.summary.has_external_order_ids &= layout.has(Column::ExternalOrderId);
    while rows.advance()? {
        refuse_hidden_rows(&rows, &layout)?;
        let (record, line) = (rows.record(), rows.line());
        reading.show(line, layout.names(), || record.iter().map(str::trim).collect());
        let parsed = row::parse(record, line, &layout, source);
        if rows.end() == End::Stream && row::may_be_cut(record, &layout, source) {
            return Err(unfinished(&rows, &layout));
        }
        match parsed {
            Parsed::Ignored(at) => reading.ignored(at),
            Parsed::SetAside { column, value, reason } => reading.set_aside(line, Some(column), value, reason),
            Parsed::Row { mut row, has_own_external_id } => {
                reading.summary.has_external_order_ids &= has_own_external_id;
                row.part = reading.part;
                reading.row(*row);
            }
        }
    }
    Ok(())
}

fn refuse_hidden_rows<R: Read>(rows: &Rows<R>, layout: &Layout) -> Result<(), BillError> {
    let (record, line) = (rows.record(), rows.line());
    if record.len() != layout.width() {
        let value = shortened(record.get(0).unwrap_or_default(), 40);
        return Err(BillError::Fields { line, found: record.len(), expected: layout.width(), value });
    }
    if !rows.has_line_breaks() {
        return Ok(());
    }
    match Column::ALL.into_iter().find(|column| layout.text(record, *column).contains('\n')) {
        Some(column) => Err(BillError::LineBreak {
            line,
            column: layout.name(column).to_owned(),
            value: shortened(layout.text(record, column), 40),
        }),
        None => Ok(()),
    }
}

fn unfinished<R: Read>(rows: &Rows<R>, layout: &Layout) -> BillError {
    let value = shortened(rows.record().iter().next_back().unwrap_or_default().trim(), 40);
    BillError::Unfinished { line: rows.line(), column: layout.last_name().to_owned(), value }
}

#[cfg(test)]
mod tests;
