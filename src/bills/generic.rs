//! The profile `generic`: text in UTF-8 with delimiters, columns found by name or by number, as [`GenericFormat`] says.
//!
//! A bad row is set aside. What hides rows refuses the bill: a row with another number of fields, an
//! open quote, a line break inside a field that is read, an end inside a value, no row that ends the rows where the
//! config promises one. Without one a cut between two rows cannot be seen (the format has no totals), nor ever one
//! inside a last column that decides nothing (the channel, or one that is not read) when the bill does not end with a
//! line end.
//!
//! [`GenericFormat`]: format::GenericFormat

pub mod format;
pub(super) mod layout;
mod money;
mod row;
mod rows;

use std::io::Read;

use self::format::Column;
use self::layout::Layout;
use self::row::Parsed;
use self::rows::Rows;
use super::reading::Reading;
use super::tail::End;
use super::{BillError, BillSource, shortened};

/// Reads a bill in UTF-8 whose byte order mark is gone already.
///
/// # Errors
/// When the bill is refused.
pub(super) fn read(input: impl Read, reading: &mut Reading<'_>) -> Result<(), BillError> {
    let source = reading.source;
    let mut rows = Rows::new(input, &source.generic)?;
    let mut layout = if source.generic.header { Some(header(&mut rows, reading)?) } else { None };
    while rows.advance()? {
        if source.generic.stop.as_deref().is_some_and(|stop| rows.begins_with(stop)) {
            return rows.drain();
        }
        rows.strip_prefix()?;
        let layout = match &layout {
            Some(layout) => layout,
            None => layout.insert(Layout::of_numbers(rows.record(), rows.line(), source)?),
        };
        read_row(&rows, layout, reading)?;
    }
    match &source.generic.stop {
        Some(stop) => {
            Err(BillError::TotalsMissing { line: rows.line(), what: format!("a row that begins with `{stop}`") })
        }
        None if layout.is_none() => Err(BillError::Empty),
        None => Ok(()),
    }
}

fn header<R: Read>(rows: &mut Rows<R>, reading: &mut Reading<'_>) -> Result<Layout, BillError> {
    if !rows.advance()? {
        return Err(BillError::Empty);
    }
    let layout = Layout::of_header(rows.record(), rows.line(), reading.source)?;
    if rows.end() == End::Stream {
        // Half a header reads like the header of a bill without rows.
        return Err(unfinished(rows, &layout));
    }
    reading.summary.has_external_order_ids &= layout.has(Column::ExternalOrderId);
    Ok(layout)
}

fn read_row<R: Read>(rows: &Rows<R>, layout: &Layout, reading: &mut Reading<'_>) -> Result<(), BillError> {
    let source = reading.source;
    refuse_hidden_rows(rows, layout, source)?;
    let (record, line) = (rows.record(), rows.line());
    reading.show(line, layout.names(), || record.iter().take(layout.width()).map(str::trim).collect());
    let parsed = row::parse(record, line, layout, source)?;
    if rows.end() == End::Stream && row::may_be_cut(record, layout, source) {
        return Err(unfinished(rows, layout));
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
    Ok(())
}

fn refuse_hidden_rows<R: Read>(rows: &Rows<R>, layout: &Layout, source: &BillSource) -> Result<(), BillError> {
    let (record, line) = (rows.record(), rows.line());
    if !layout.fits(record) {
        let (found, expected) = (record.len(), layout.width());
        let value = shortened(record.get(0).unwrap_or_default(), 40);
        return Err(if source.generic.header {
            BillError::Fields { line, found, expected, value }
        } else {
            BillError::FieldsOfFirst { line, found, expected, value }
        });
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
