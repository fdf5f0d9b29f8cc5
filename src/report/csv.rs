//! The exceptions as a table for a spreadsheet.

use super::data::{ExceptionRow, ReportData};
use super::escape::spreadsheet_cell;
use super::lang::Lang;
use crate::model::Timestamp;

/// Without it, spreadsheets on Chinese systems read UTF-8 as GBK.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// All exceptions of the report, resolved ones too: UTF-8 with BOM, a header in the language, money as plain decimals.
///
/// Cells with text from outside that a spreadsheet would take for a formula begin with `'`.
#[expect(clippy::missing_panics_doc, reason = "writing to memory cannot fail")]
pub fn exceptions_csv(data: &ReportData, lang: Lang) -> Vec<u8> {
    let words = lang.words();
    let mut writer =
        ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(BYTE_ORDER_MARK.to_vec());
    let header = [
        words.id,
        words.kind,
        words.kind_name,
        words.status,
        words.date,
        words.payment_id,
        words.external_order_id,
        words.order_id,
        words.plate,
        words.paid,
        words.due,
        words.difference,
        words.at,
        words.first_seen,
        words.age_days,
        words.why,
        words.note,
    ];
    writer.write_record(header).expect("memory takes everything");
    for row in &data.exception_rows {
        writer.write_record(cells(row, lang)).expect("memory takes everything");
    }
    writer.into_inner().expect("memory takes everything")
}

fn cells(row: &ExceptionRow, lang: Lang) -> [String; 17] {
    let outside = |text: &Option<String>| spreadsheet_cell(text.as_deref().unwrap_or_default()).into_owned();
    [
        row.id.map(|id| id.to_string()).unwrap_or_default(),
        spreadsheet_cell(lang.kind(&row.kind)).into_owned(),
        spreadsheet_cell(&row.kind).into_owned(),
        lang.exception_status(row.status).to_owned(),
        row.date.to_string(),
        outside(&row.payment_id),
        outside(&row.external_order_id),
        outside(&row.order_id),
        outside(&row.plate),
        row.paid.map(|paid| paid.to_string()).unwrap_or_default(),
        row.due.map(|due| due.to_string()).unwrap_or_default(),
        row.difference.to_string(),
        row.at.map(Timestamp::wall).unwrap_or_default(),
        row.first_seen.to_string(),
        row.age_days.to_string(),
        spreadsheet_cell(row.why.of(lang)).into_owned(),
        outside(&row.note),
    ]
}
