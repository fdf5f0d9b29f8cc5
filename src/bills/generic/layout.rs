//! Which column stands where, from the header and the config.

use csv::StringRecord;

use super::format::{Column, GenericFormat};
use crate::bills::header::MAX_NAME;
use crate::bills::{BillError, BillSource, shortened};

/// Where the known columns of one bill stand.
pub(super) struct Layout {
    header: Vec<String>,
    at: [Option<usize>; Column::ALL.len()],
}

impl Layout {
    /// Finds the columns in `header`; names are compared trimmed and in any case.
    ///
    /// # Errors
    /// When a required or configured column is missing, or a column that is read stands twice.
    pub(super) fn of_header(header: &StringRecord, line: u64, source: &BillSource) -> Result<Self, BillError> {
        let format = &source.generic;
        let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        let folded: Vec<String> = header.iter().map(|name| name.to_lowercase()).collect();
        let mut at = [None; Column::ALL.len()];
        for (slot, column) in at.iter_mut().zip(Column::ALL) {
            let configured = placed(source, column).or(format.columns.configured(column));
            let name = configured.unwrap_or(column.default_name()).trim();
            let wanted = name.to_lowercase();
            let mut places = folded.iter().enumerate().filter(|(_, found)| **found == wanted).map(|(place, _)| place);
            *slot = places.next();
            if places.next().is_some() {
                return Err(BillError::ColumnTwice { line, column: name.to_owned() });
            }
            if slot.is_none() && (configured.is_some() || column.is_required()) {
                return Err(BillError::ColumnMissing {
                    line,
                    column: name.to_owned(),
                    found: shortened(&header.join(", "), 300),
                    hint: missing_hint(column, &header, format),
                });
            }
        }
        Ok(Self { header: header.iter().map(|name| shortened(name, MAX_NAME)).collect(), at })
    }

    /// What the columns are called.
    pub(super) fn names(&self) -> &[String] {
        &self.header
    }

    /// How many fields each row has.
    pub(super) fn width(&self) -> usize {
        self.header.len()
    }

    /// Whether the bill has `column`.
    pub(super) fn has(&self, column: Column) -> bool {
        self.at[column.index()].is_some()
    }

    /// The name of `column` as the header writes it, else its default name.
    pub(super) fn name(&self, column: Column) -> &str {
        self.at[column.index()].and_then(|place| self.header.get(place)).map_or(column.default_name(), String::as_str)
    }

    /// The name of the last column, known or not.
    pub(super) fn last_name(&self) -> &str {
        self.header.last().map(String::as_str).unwrap_or_default()
    }

    /// The known column that stands last in the row.
    pub(super) fn last_column(&self) -> Option<Column> {
        let last = self.header.len().checked_sub(1);
        Column::ALL.into_iter().find(|column| self.at[column.index()] == last)
    }

    /// The trimmed text of `column` in `record`; empty when the bill does not have it.
    pub(super) fn text<'a>(&self, record: &'a StringRecord, column: Column) -> &'a str {
        self.at[column.index()].and_then(|place| record.get(place)).unwrap_or_default().trim()
    }
}

/// The column that the source names for what may stand anywhere.
fn placed(source: &BillSource, column: Column) -> Option<&str> {
    let place = match column {
        Column::OrderId => source.places.order_id.as_ref(),
        Column::Plate => source.places.plate.as_ref(),
        Column::PaymentId
        | Column::Amount
        | Column::RefundAmount
        | Column::Status
        | Column::PaidAt
        | Column::Channel
        | Column::ExternalOrderId
        | Column::TradeNo
        | Column::RefundId => None,
    };
    place.map(|place| place.column.as_str())
}

/// The likeliest slip: another delimiter than the configured one.
fn missing_hint(column: Column, header: &[String], format: &GenericFormat) -> String {
    let line = header.join("");
    let other = [("tab", '\t'), ("|", '|'), (",", ','), (";", ';')]
        .into_iter()
        .find(|(name, c)| header.len() == 1 && *name != format.delimiter.name() && line.contains(*c));
    match other {
        Some((";", _)) => "the fields are separated by `;`; save the bill with commas".to_owned(),
        Some((name, _)) => format!("say `delimiter = \"{name}\"` in the source's `generic` table"),
        None => {
            format!("say in the source's `generic.columns` table which column is `{}`", column.default_name())
        }
    }
}
