//! The report as a workbook: what it says in sum, the exceptions, the refunds owed, and the rows behind them.
//!
//! Row by row into temporary files of the system's, so that a large day does not stand in memory twice. The same report
//! is the same bytes. Text from outside is made harmless as in the CSV, and money becomes a number in [`number`] alone.

mod number;
mod sheet;
mod summary;
mod tables;
mod words;

#[cfg(test)]
mod tests;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook};

use self::sheet::Formats;
use self::words::words;
use super::data::ReportData;
use super::lang::Lang;
use super::ledger::Ledger;

/// Why a workbook was not made: the disk for its temporary files, mostly.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the spreadsheet")]
pub struct WorkbookError(#[from] rust_xlsxwriter::XlsxError);

/// Which sheets a workbook has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sheets {
    /// All of them.
    All,
    /// Without payments and orders, the large ones.
    WithoutRows,
}

/// The report as an xlsx file.
///
/// # Errors
/// When its temporary files cannot be written.
pub fn workbook(data: &ReportData, ledger: &Ledger, sheets: Sheets, lang: Lang) -> Result<Vec<u8>, WorkbookError> {
    let mut book = Workbook::new();
    let words = words(lang);
    let made_at = ExcelDateTime::parse_from_str(&data.made_at.wall())?;
    book.set_properties(&DocProperties::new().set_title(super::subject(data, lang)).set_creation_datetime(&made_at));
    let formats = Formats::new();
    sheet::write(&mut book, words.summary, &summary::columns(lang), summary::rows(data, lang).into_iter(), &formats)?;
    let exceptions = data.exception_rows.iter().map(|row| tables::exception(row, lang));
    sheet::write(&mut book, lang.words().exceptions, &tables::exception_columns(lang), exceptions, &formats)?;
    let owed = data.refunds_owed.iter().map(|owed| tables::refund_owed(owed, lang));
    sheet::write(&mut book, words.refunds_owed, &tables::refund_columns(lang), owed, &formats)?;
    if sheets == Sheets::All {
        let payments = ledger.payments.iter().map(|line| tables::payment(line, lang));
        sheet::write(&mut book, lang.words().payments, &tables::payment_columns(lang), payments, &formats)?;
        let orders = ledger.orders.iter().map(|line| tables::order(line, lang));
        sheet::write(&mut book, lang.words().orders, &tables::order_columns(lang), orders, &formats)?;
    }
    let notifications = ledger.notifications.iter().map(|line| tables::notification(line, lang));
    sheet::write(&mut book, words.notifications, &tables::notification_columns(lang), notifications, &formats)?;
    Ok(book.save_to_buffer()?)
}
