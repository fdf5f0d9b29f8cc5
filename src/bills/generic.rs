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
use super::tail::End;
use super::{BillError, BillItem, BillSource, BillSummary, Profile, shortened};

/// Reads a bill whose byte order mark is gone already.
///
/// # Errors
/// When the bill is refused.
pub(super) fn read(
    input: impl Read,
    source: &BillSource,
    sink: &mut dyn FnMut(BillItem),
) -> Result<BillSummary, BillError> {
    let mut rows = Rows::new(input, source.generic.delimiter.byte());
    if !rows.advance()? {
        return Err(BillError::Empty);
    }
    let layout = Layout::of_header(rows.record(), rows.line(), &source.generic)?;
    if rows.end() == End::Stream {
        // Half a header reads like the header of a bill without rows.
        return Err(unfinished(&rows, &layout));
    }
    let mut summary = BillSummary::new(Profile::Generic, layout.has(Column::ExternalOrderId));
    while rows.advance()? {
        refuse_hidden_rows(&rows, &layout)?;
        let parsed = row::parse(rows.record(), rows.line(), &layout, source);
        if rows.end() == End::Stream && row::may_be_cut(rows.record(), &layout, source) {
            return Err(unfinished(&rows, &layout));
        }
        match parsed {
            Parsed::Ignored(at) => summary.count_ignored(at),
            Parsed::SetAside(item) => {
                summary.set_aside = summary.set_aside.saturating_add(1);
                sink(BillItem::SetAside(item));
            }
            Parsed::Row { row, has_own_external_id } => {
                summary.has_external_order_ids &= has_own_external_id;
                summary.count(&row);
                sink(BillItem::Row(row));
            }
        }
    }
    Ok(summary)
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
