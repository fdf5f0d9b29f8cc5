//! The list of exceptions for a spreadsheet: the fields of the JSON, under headers in the language.

use super::Listed;
use super::table::status;
use crate::report::{Lang, spreadsheet_cell};

/// Without it, spreadsheets on Chinese systems read UTF-8 as GBK.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The list as CSV: UTF-8 with BOM, money as plain decimals. Cells that a spreadsheet would take for a formula begin
/// with `'`.
pub(super) fn csv(lang: Lang, listed: &[Listed<'_>]) -> String {
    let mut writer = ::csv::WriterBuilder::new()
        .terminator(::csv::Terminator::CRLF)
        .from_writer(BYTE_ORDER_MARK.as_bytes().to_vec());
    writer.write_record(header(lang)).expect("memory takes everything");
    for one in listed {
        writer.write_record(cells(lang, one)).expect("memory takes everything");
    }
    String::from_utf8(writer.into_inner().expect("memory takes everything")).expect("texts make a text")
}

const fn header(lang: Lang) -> [&'static str; 15] {
    match lang {
        Lang::Zh => [
            "编号",
            "差异",
            "差异代码",
            "状态",
            "对账日",
            "支付流水",
            "订单",
            "车牌",
            "已付",
            "应付",
            "差额",
            "首次发现",
            "最近发现",
            "天数",
            "备注",
        ],
        Lang::En => [
            "id",
            "name",
            "kind",
            "status",
            "date",
            "payment",
            "order",
            "plate",
            "paid",
            "due",
            "difference",
            "first seen",
            "last seen",
            "days",
            "note",
        ],
    }
}

fn cells(lang: Lang, one: &Listed<'_>) -> [String; 15] {
    let outside = |text: Option<&str>| spreadsheet_cell(text.unwrap_or_default()).into_owned();
    [
        one.id.to_string(),
        outside(Some(lang.kind(one.kind))),
        outside(Some(one.kind)),
        status(lang, one.status).to_owned(),
        one.date.to_string(),
        outside(one.payment_id),
        outside(one.order_id),
        outside(one.plate),
        one.paid.to_string(),
        one.due.to_string(),
        one.difference.to_string(),
        one.first_seen.wall(),
        one.last_seen.wall(),
        one.age_days.to_string(),
        outside(one.note),
    ]
}
