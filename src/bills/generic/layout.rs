//! Which column stands where, from the header (or the columns' numbers) and the config.

use csv::StringRecord;

use super::format::{Column, Delimiter};
use crate::bills::header::{MAX_NAME, folded};
use crate::bills::{BillError, BillSource, shortened};

/// Where the known columns of one bill stand.
pub(super) struct Layout {
    names: Vec<String>,
    at: [Option<usize>; Column::ALL.len()],
    /// Whether a row may have one more field than there are columns, an empty one: a delimiter ends it.
    may_trail: bool,
}

impl Layout {
    /// Finds the columns in `header`; names are compared in any case and width. Without a name behind the last
    /// delimiter, that one only ends the line.
    ///
    /// # Errors
    /// When a required or configured column is missing, or a column that is read stands twice.
    pub(super) fn of_header(header: &StringRecord, line: u64, source: &BillSource) -> Result<Self, BillError> {
        let mut names: Vec<String> = header.iter().map(|name| plain_name(name, source.generic.strip_prefix)).collect();
        names.pop_if(|last| last.is_empty());
        let keys: Vec<String> = names.iter().map(|name| key(name)).collect();
        let mut at = [None; Column::ALL.len()];
        for (slot, column) in at.iter_mut().zip(Column::ALL) {
            let configured = configured(source, column);
            let Some(name) = configured.or(column.is_read_unasked().then_some(column.name())) else { continue };
            let wanted = key(name);
            let mut places = keys.iter().enumerate().filter(|(_, found)| **found == wanted).map(|(place, _)| place);
            *slot = places.next();
            if places.next().is_some() {
                return Err(BillError::ColumnTwice { line, column: name.trim().to_owned() });
            }
            if slot.is_none() && (configured.is_some() || column.is_required()) {
                return Err(BillError::ColumnMissing {
                    line,
                    column: name.trim().to_owned(),
                    found: shortened(&names.join(", "), 300),
                    hint: missing_hint(column, header, source),
                });
            }
        }
        let names = names.iter().map(|name| shortened(name, MAX_NAME)).collect();
        Ok(Self { names, at, may_trail: true })
    }

    /// Finds the columns by their numbers; `first` is the first row of a bill without a header.
    ///
    /// # Errors
    /// When a required column has no number, or the row has not so many fields.
    pub(super) fn of_numbers(first: &StringRecord, line: u64, source: &BillSource) -> Result<Self, BillError> {
        let fields = first.len();
        let mut at = [None; Column::ALL.len()];
        for (slot, column) in at.iter_mut().zip(Column::ALL) {
            let configured = configured(source, column);
            *slot = configured.and_then(column_number).and_then(|number| number.checked_sub(1));
            if slot.is_none_or(|place| place >= fields) && (configured.is_some() || column.is_required()) {
                let name = configured.unwrap_or(column.name()).trim().to_owned();
                return Err(BillError::ColumnBeyond {
                    line,
                    column: name,
                    fields,
                    hint: missing_hint(column, first, source),
                });
            }
        }
        Ok(Self { names: (1..=fields).map(|number| number.to_string()).collect(), at, may_trail: false })
    }

    /// What the columns are called.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// How many columns there are.
    pub(super) fn width(&self) -> usize {
        self.names.len()
    }

    /// Whether a row has as many fields as there are columns.
    pub(super) fn fits(&self, record: &StringRecord) -> bool {
        record.len() == self.width() || self.is_closed(record)
    }

    /// Whether a delimiter stands behind the row's last value, so that it is whole.
    pub(super) fn is_closed(&self, record: &StringRecord) -> bool {
        self.may_trail
            && record.len().checked_sub(1) == Some(self.width())
            && record.iter().next_back().is_some_and(|last| last.trim().is_empty())
    }

    /// Whether the bill has `column`.
    pub(super) fn has(&self, column: Column) -> bool {
        self.at[column.index()].is_some()
    }

    /// The name of `column` as the header writes it, else its default name.
    pub(super) fn name(&self, column: Column) -> &str {
        self.at[column.index()].and_then(|place| self.names.get(place)).map_or(column.name(), String::as_str)
    }

    /// The name of the last column, known or not.
    pub(super) fn last_name(&self) -> &str {
        self.names.last().map(String::as_str).unwrap_or_default()
    }

    /// The known columns that stand last in the row: one field may serve as several.
    pub(super) fn last_columns(&self) -> impl Iterator<Item = Column> {
        let last = self.width().checked_sub(1);
        Column::ALL.into_iter().filter(move |column| last.is_some() && self.at[column.index()] == last)
    }

    /// The trimmed text of `column` in `record`; empty when the bill does not have it.
    pub(super) fn text<'a>(&self, record: &'a StringRecord, column: Column) -> &'a str {
        self.at[column.index()].and_then(|place| record.get(place)).unwrap_or_default().trim()
    }
}

/// The number that a config calls a column by, the first being 1.
pub fn column_number(text: &str) -> Option<usize> {
    let text = text.trim();
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_number)
}

fn plain_name(name: &str, prefix: Option<char>) -> String {
    let name = name.trim();
    prefix.and_then(|prefix| name.strip_prefix(prefix)).unwrap_or(name).trim().to_owned()
}

/// A name as it is compared.
fn key(name: &str) -> String {
    folded(name).to_lowercase()
}

/// What the source calls a column.
fn configured(source: &BillSource, column: Column) -> Option<&str> {
    let place = match column {
        Column::OrderId => &source.places.order_id,
        Column::Plate => &source.places.plate,
        Column::PaymentId
        | Column::Amount
        | Column::RefundAmount
        | Column::Status
        | Column::PaidAt
        | Column::Channel
        | Column::ExternalOrderId
        | Column::TradeNo
        | Column::RefundId
        | Column::PaidTime
        | Column::Received
        | Column::Fee
        | Column::RefundOf
        | Column::RefundedAt => return source.generic.columns.get(&column).map(String::as_str),
    };
    place.as_ref().map(|place| place.column.as_str())
}

/// The likeliest slip: another delimiter than the configured one.
fn missing_hint(column: Column, row: &StringRecord, source: &BillSource) -> String {
    let only = row.get(0).filter(|_| row.len() == 1).unwrap_or_default();
    let tried = source.generic.delimiter;
    let other = [Delimiter::Tab, Delimiter::Pipe, Delimiter::Comma, Delimiter::Semicolon]
        .into_iter()
        .find(|delimiter| *delimiter != tried && only.contains(char::from(delimiter.byte())));
    let name = column.name();
    match other {
        Some(delimiter) => format!("say `delimiter = \"{}\"` in the bill's source", delimiter.name()),
        None if column.has_place() => format!("say in the source's `{name}` in which column it stands"),
        None => format!("say in the source's `columns` which column is `{name}`"),
    }
}
