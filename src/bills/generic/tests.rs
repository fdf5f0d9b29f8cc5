//! Every rule of the profile `generic`, and what no bytes may do to it.
#![allow(clippy::arithmetic_side_effects, reason = "numbers of tests are small")]

mod options;
mod properties;

use std::collections::BTreeMap;
use std::io::Cursor;

use crate::bills::{
    BillError, BillItem, BillRow, BillSource, BillSummary, Column, Delimiter, GenericFormat, Profile, RowKind,
    SetAside, StatusMeaning, Unit, read_bill,
};
use crate::model::Amount;

const HEADER: &str = "payment_id,order_id,plate,amount,refund_amount,status,paid_at,channel\n";

struct Read {
    rows: Vec<BillRow>,
    set_aside: Vec<SetAside>,
    summary: BillSummary,
}

fn read_as(bytes: &[u8], source: &BillSource) -> Result<Read, BillError> {
    let (mut rows, mut set_aside) = (Vec::new(), Vec::new());
    let summary = read_bill(Cursor::new(bytes), source, &mut |item: BillItem| match item {
        BillItem::Row(row) => rows.push(row),
        BillItem::SetAside(item) => set_aside.push(item),
    })?;
    Ok(Read { rows, set_aside, summary })
}

fn read(text: &str) -> Result<Read, BillError> {
    read_as(text.as_bytes(), &BillSource::default())
}

/// Rows below the default header.
fn rows(text: &str) -> Read {
    read(&format!("{HEADER}{text}")).unwrap()
}

fn refusal(text: &str) -> String {
    match read(text) {
        Ok(_) => panic!("not refused: {text}"),
        Err(error) => error.to_string(),
    }
}

fn source(generic: GenericFormat) -> BillSource {
    BillSource { generic, ..BillSource::default() }
}

fn columns(names: &[(Column, &str)]) -> BTreeMap<Column, String> {
    names.iter().map(|(column, name)| (*column, (*name).to_owned())).collect()
}

fn words(words: &[(&str, StatusMeaning)]) -> BTreeMap<String, StatusMeaning> {
    words.iter().map(|(word, meaning)| ((*word).to_owned(), *meaning)).collect()
}

fn yuan(text: &str) -> Amount {
    text.parse().unwrap()
}

#[test]
fn the_default_header_is_read_with_every_field() {
    let read = rows("P1,ORD-1,渝 b757d0,5.500,0.50,SUCCESS,2026-11-22 09:58:58,wxpay\n");
    let row = &read.rows[0];
    assert_eq!((row.line, row.kind, row.payment_id.as_str()), (2, RowKind::Payment, "P1"));
    assert_eq!(row.external_order_id.as_str(), "P1");
    assert_eq!(row.order_id.as_ref().unwrap().as_str(), "ORD-1");
    assert_eq!(row.plate.as_ref().unwrap().as_str(), "渝B757D0");
    assert_eq!((row.amount, row.refunded), (yuan("5.50"), yuan("0.50")));
    assert_eq!((row.at.wall().as_str(), row.channel.as_str()), ("2026-11-22 09:58:58", "wxpay"));
    assert_eq!((row.refund_id.clone(), row.trade_no.clone(), row.refund_pending), (None, None, false));
    assert_eq!((read.summary.payments, read.summary.refunds, read.summary.set_aside), (1, 0, 0));
    assert_eq!(read.summary.first_date.unwrap().to_string(), "2026-11-22");
    assert!(!read.summary.has_external_order_ids);
}

#[test]
fn three_columns_are_enough_and_names_stand_in_any_case_and_order() {
    let read = read("\u{feff} Paid_At ,AMOUNT,Payment_ID,remark\r\n2026-11-22 09:58:58,5,P1,\"a,\nb\"\r\n").unwrap();
    assert_eq!(read.rows[0].payment_id, "P1");
    assert_eq!(read.rows[0].channel, "");
    for column in ["payment_id", "amount", "paid_at"] {
        let header = HEADER.replace(column, "other");
        assert!(refusal(&header).contains(&format!("no column `{column}`")), "{column}");
    }
    assert!(refusal("payment_id,amount,paid_at,Amount\n").contains("more than once"));
}

#[test]
fn bom_line_ends_blank_lines_and_tabs_change_nothing_but_the_line() {
    let body = "P1,,,5,,,2026-11-22 09:58:58,a\nP2,,,6,,,2026-11-22 09:58:59,b\n";
    let plain = rows(body);
    let text = format!("{HEADER}{body}");
    for other in [format!("\u{feff}{text}"), text.replace('\n', "\r\n"), text.replace("P1", "\tP1\t")] {
        assert_eq!(read(&other).unwrap().rows, plain.rows, "{other:?}");
    }
    let lines = |text: &str| read(text).unwrap().rows.iter().map(|row| row.line).collect::<Vec<_>>();
    assert_eq!(lines(&text), [2, 3]);
    assert_eq!(lines(&text.replace('\n', "\r\n\r\n")), [3, 5]);
    assert_eq!(lines(&format!("\n\n{}", text.replace('\n', "\n \n"))), [5, 7]);
}

#[test]
fn a_row_behind_one_with_line_breaks_has_its_own_line() {
    let text = "payment_id,amount,paid_at,remark\nP1,5,2026-11-22 09:58:58,\"a\nb\"\nP2,x,2026-11-22 09:58:58,\n";
    let read = read(text).unwrap();
    assert_eq!((read.rows[0].line, read.set_aside[0].line), (2, 4));
}

#[test]
fn the_status_says_what_a_row_is() {
    let row = |status: &str| rows(&format!("P1,,,5.00,,{status},2026-11-22 09:58:58,\n"));
    for status in ["", "success", "SUCCESS", " Success "] {
        assert_eq!(row(status).rows[0].kind, RowKind::Payment, "{status}");
    }
    for status in ["refund", "Refund"] {
        assert_eq!(row(status).rows[0].kind, RowKind::Refund, "{status}");
    }
    for status in ["closed", "FAILED"] {
        let read = row(status);
        assert_eq!((read.rows.len(), read.set_aside.len(), read.summary.ignored), (0, 0, 1), "{status}");
    }
    let aside = &row("paying").set_aside[0];
    assert_eq!(
        (aside.column.as_deref(), aside.value.as_str(), aside.reason.as_str()),
        (Some("status"), "paying", "the status `paying` is not known")
    );
}

#[test]
fn a_row_that_moved_no_money_is_not_looked_at() {
    assert_eq!(rows(",,,x,,closed,,\n").summary.ignored, 1);
}

#[test]
fn a_refund_stands_in_the_refund_amount_else_in_the_amount() {
    let text = "P1,,,9.00,2.00,refund,2026-11-22 09:58:58,\nP1,,,3.00,,refund,2026-11-22 09:58:58,\nP1,,,4.00,0.00,refund,2026-11-22 09:58:58,\n";
    let amounts: Vec<String> = rows(text).rows.iter().map(|row| row.amount.to_string()).collect();
    assert_eq!(amounts, ["2.00", "3.00", "4.00"]);
    assert!(rows(text).rows.iter().all(|row| row.refunded.is_zero() && row.payment_id == "P1"));
}

#[test]
fn optional_ids_are_read_where_they_stand() {
    let header = "payment_id,amount,paid_at,status,external_order_id,trade_no,refund_id\n";
    let text = format!("{header}P1,5,2026-11-22 09:58:58,,E1,T1,\nP1,5,2026-11-22 09:58:58,refund,E1,T1,R1\n");
    let read_all = read(&text).unwrap();
    let ids = |row: &BillRow| (row.external_order_id.to_string(), row.trade_no.clone(), row.refund_id.clone());
    assert_eq!(ids(&read_all.rows[0]), ("E1".into(), Some("T1".into()), None));
    assert_eq!(ids(&read_all.rows[1]), ("E1".into(), Some("T1".into()), Some("R1".into())));
    assert!(read_all.summary.has_external_order_ids);
    let one_without = read(&text.replacen("E1", "", 1)).unwrap();
    assert!(!one_without.summary.has_external_order_ids);
}

#[test]
fn without_an_external_id_the_prefix_and_the_payment_id_make_one() {
    let source = BillSource { id_prefix: "KIOSK-".into(), ..BillSource::default() };
    let text = format!("{HEADER}P1,,,5.00,,,2026-11-22 09:58:58,\n");
    assert_eq!(read_as(text.as_bytes(), &source).unwrap().rows[0].external_order_id.as_str(), "KIOSK-P1");
}

#[test]
fn a_bad_row_is_set_aside_with_line_column_and_value_and_the_others_go_in() {
    let good = "P9,,,5.00,,,2026-11-22 09:58:58,\n";
    for (row, column, value, reason) in [
        (",,,5.00,,,2026-11-22 09:58:58,", "payment_id", "", "empty"),
        ("4.2E+27,,,5.00,,,2026-11-22 09:58:58,", "payment_id", "4.2E+27", "spreadsheet"),
        ("P1,,,0.00,,,2026-11-22 09:58:58,", "amount", "0.00", "zero"),
        ("P1,,,-5.00,,,2026-11-22 09:58:58,", "amount", "-5.00", "negative"),
        ("P1,,,5.555,,,2026-11-22 09:58:58,", "amount", "5.555", "more than two decimals"),
        ("P1,,,\"1,000.00\",,,2026-11-22 09:58:58,", "amount", "1,000.00", "not an amount"),
        ("P1,,,,,,2026-11-22 09:58:58,", "amount", "", "not an amount"),
        ("P1,,,1e400,,,2026-11-22 09:58:58,", "amount", "1e400", "not an amount"),
        ("P1,,,5.00,-1.00,,2026-11-22 09:58:58,", "refund_amount", "-1.00", "negative"),
        ("P1,,,5.00,x,,2026-11-22 09:58:58,", "refund_amount", "x", "not an amount"),
        ("P1,,,0.00,0.00,refund,2026-11-22 09:58:58,", "amount", "0.00", "zero"),
        ("P1,,,5.00,,,2026-11-31 09:58:58,", "paid_at", "2026-11-31 09:58:58", "not a time"),
        ("P1,,,5.00,,,26-11-22 09:58:58,", "paid_at", "26-11-22 09:58:58", "this century"),
        ("P1,,,5.00,,,,", "paid_at", "", "not a time"),
    ] {
        let read = rows(&format!("{good}{row}\n{good}"));
        assert_eq!((read.rows.len(), read.set_aside.len()), (2, 1), "{row}");
        let aside = &read.set_aside[0];
        assert_eq!((aside.line, aside.column.as_deref(), aside.value.as_str()), (3, Some(column), value), "{row}");
        assert!(aside.reason.contains(reason), "{row}: {}", aside.reason);
        assert_eq!((read.summary.payments, read.summary.set_aside), (2, 1));
    }
}

#[test]
fn a_text_that_is_no_plate_does_not_lose_the_payment() {
    for plate in ["无牌", "渝****87", "-"] {
        let read = rows(&format!("P1,ORD-1,{plate},5.00,,,2026-11-22 09:58:58,\n"));
        assert_eq!(read.rows[0].plate, None, "{plate}");
    }
}

#[test]
fn a_refund_larger_than_the_payment_is_kept_for_the_rules_to_judge() {
    assert_eq!(rows("P1,,,5.00,6.00,,2026-11-22 09:58:58,\n").rows[0].refunded, yuan("6.00"));
}

#[test]
fn columns_delimiter_unit_and_words_can_be_configured() {
    let source = source(GenericFormat {
        delimiter: Delimiter::Pipe,
        unit: Unit::Fen,
        columns: columns(&[
            (Column::PaymentId, "交易单号"),
            (Column::Amount, "金额（分）"),
            (Column::PaidAt, "交易时间"),
            (Column::Status, "状态"),
        ]),
        status: words(&[
            ("支付成功", StatusMeaning::Payment),
            ("转入退款", StatusMeaning::Refund),
            ("Paying", StatusMeaning::Ignored),
        ]),
        ..GenericFormat::default()
    });
    let text = "交易单号|金额(分)|交易时间|状态|备注\nP1|550|2026/11/22 09:58|支付成功|a,b\nP1|50|2026-11-22 10:00:00|转入退款|\nP2|1|2026-11-22 10:00:00|PAYING|\nP3|5.50|2026-11-22 10:00:00|success|\n";
    let read = read_as(text.as_bytes(), &source).unwrap();
    let money: Vec<_> = read.rows.iter().map(|row| (row.kind, row.amount.to_string())).collect();
    assert_eq!(money, [(RowKind::Payment, "5.50".into()), (RowKind::Refund, "0.50".into())]);
    assert_eq!(read.summary.ignored, 1);
    let aside = &read.set_aside[0];
    assert_eq!(aside.column.as_deref(), Some("金额(分)"));
    assert_eq!(aside.reason, "`5.50` is not a whole number of fen");
}

#[test]
fn other_delimiters_are_read_and_named_where_one_is_missing() {
    for delimiter in [Delimiter::Tab, Delimiter::Pipe, Delimiter::Semicolon] {
        let text = "payment_id,amount,paid_at\nP1,5.00,2026-11-22 09:58:58\n"
            .replace(',', &char::from(delimiter.byte()).to_string());
        let source = source(GenericFormat { delimiter, ..GenericFormat::default() });
        assert_eq!(read_as(text.as_bytes(), &source).unwrap().rows.len(), 1);
        assert!(refusal(&text).contains(&format!("delimiter = \"{}\"", delimiter.name())));
    }
}

#[test]
fn a_configured_column_must_be_there() {
    let source = source(GenericFormat { columns: columns(&[(Column::Fee, "手续费")]), ..GenericFormat::default() });
    let error = read_as(HEADER.as_bytes(), &source).err().unwrap().to_string();
    assert!(error.contains("no column `手续费`") && error.contains("which column is `fee`"), "{error}");
}

#[test]
fn a_header_alone_is_a_bill_without_rows_but_only_with_its_line_end() {
    assert_eq!(read(HEADER).unwrap().summary.payments, 0);
    assert!(matches!(read(HEADER.trim_end()), Err(BillError::Unfinished { line: 1, .. })));
    assert!(matches!(read(""), Err(BillError::Empty)));
}

#[test]
fn what_hides_rows_refuses_the_bill() {
    let good = "P1,,,5.00,,,2026-11-22 09:58:58,a\n";
    let fields = refusal(&format!("{HEADER}{good}P2,,,5.00,,,2026-11-22 09:58:58\n"));
    assert!(fields.contains("line 3: 7 fields where the header has 8") && fields.contains("`P2`"), "{fields}");
    assert!(refusal(&format!("{HEADER}P2,,,5.00,,,2026-11-22 09:58:58,a,b\n")).contains("9 fields"));
    assert!(refusal(&format!("{HEADER}{good}\"P2,,,5.00,,,2026-11-22 09:58:58,a\n{good}")).contains("line 3"));
    let open = read(&format!("{HEADER}{good}P2,,,5.00,,,2026-11-22 09:58:58,\"a\n{good}"));
    assert!(matches!(open, Err(BillError::OpenQuote { line: 3 })));
    let swallowed = format!("{HEADER}P2,,,5.00,,,2026-11-22 09:58:58,\"a\n{}", good.replace(",a", ",\"a"));
    assert!(matches!(read(&swallowed), Err(BillError::LineBreak { line: 2, .. })));
}

#[test]
fn a_quote_inside_a_field_is_a_character() {
    let read = rows("P1,,,5.00,,,2026-11-22 09:58:58,5\" pipe\n\"P\"\"2\",,,5.00,,,2026-11-22 09:58:58,\"a,b\"\n");
    assert_eq!((read.rows[0].channel.as_str(), read.rows[1].payment_id.as_str()), ("5\" pipe", "P\"2"));
    assert_eq!(read.rows[1].channel, "a,b");
}

#[test]
fn a_last_line_without_its_end_is_read_when_its_last_value_is_surely_whole() {
    let last = |column: &str, value: &str| {
        let filler = "2026-11-22 09:58:58".to_owned();
        let mut cells = vec![("payment_id", "P1".to_owned()), ("amount", "5.00".to_owned()), ("paid_at", filler)];
        cells.retain(|(name, _)| *name != column);
        cells.push((column, value.to_owned()));
        let names: Vec<&str> = cells.iter().map(|(name, _)| *name).collect();
        let values: Vec<&str> = cells.iter().map(|(_, value)| value.as_str()).collect();
        let text = format!("{}\n{}", names.join(","), values.join(","));
        assert!(read(&format!("{text}\r")).is_ok(), "half a line end shows that {value} is whole");
        read(&text).is_ok()
    };
    for (column, value) in [
        ("paid_at", "2026-11-22 09:58:58"),
        ("amount", "5.00"),
        ("status", "success"),
        ("plate", "渝AD12345"),
        ("order_id", "B6269DE8-03A0-4C5B-9D1E-000000000001"),
        ("channel", "wxp"),
        ("remark", ""),
    ] {
        assert!(last(column, value), "{column} {value}");
    }
    for (column, value) in [
        ("paid_at", "2026-11-22 09:58"),
        ("amount", "5"),
        ("amount", "5.0"),
        ("status", ""),
        ("plate", "渝B757D0"),
        ("order_id", "B6269DE8"),
        ("payment_id", "P1"),
        ("external_order_id", "E1"),
        ("trade_no", "T1"),
        ("refund_id", "R1"),
    ] {
        assert!(!last(column, value), "{column} {value}");
    }
}

#[test]
fn a_bill_that_a_chinese_spreadsheet_saved_is_read_and_one_in_no_encoding_is_refused_with_the_line() {
    let mut bytes = format!("{HEADER}P1,,,5.00,,,2026-11-22 09:58:58,a\n").into_bytes();
    bytes.extend_from_slice(b"P2,,\xd3\xe5B757D0,5.00,,,2026-11-22 09:58:58,a\n");
    let read = read_as(&bytes, &BillSource::default()).unwrap();
    assert_eq!(read.rows[1].plate.as_ref().unwrap().as_str(), "渝B757D0");
    bytes.extend_from_slice(b"P3,,\xff,5.00,,,2026-11-22 09:58:58,a\n");
    assert!(matches!(read_as(&bytes, &BillSource::default()), Err(BillError::NotText { line: 4, .. })));
    // Far behind the head the encoding shows all the same.
    let mut late = format!("{HEADER}{}", "P0,,,5.00,,closed,2026-11-22 09:58:58,a\n".repeat(1000)).into_bytes();
    late.extend_from_slice(b"P2,,\xd3\xe5B757D0,5.00,,,2026-11-22 09:58:58,a\n");
    assert_eq!(read_as(&late, &BillSource::default()).unwrap().rows[0].plate, read.rows[1].plate);
}

#[test]
fn a_row_without_end_does_not_fill_the_memory() {
    let mut text = format!("{HEADER}P1,\"");
    text.push_str(&"x\n".repeat(2 * 1024 * 1024));
    assert!(matches!(read(&text), Err(BillError::RowTooLong { line: 2, .. })));
}

#[test]
fn bills_of_other_profiles_are_named() {
    let text = "交易时间,公众账号ID,交易状态,微信订单号\n`2026-11-22 09:58:58,`wx,`SUCCESS,`4200\n";
    let generic = BillSource { profile: Profile::Generic, ..BillSource::default() };
    let message = read_as(text.as_bytes(), &generic).err().unwrap().to_string();
    assert!(message.contains("`wechat-trade`") && message.contains("`generic`"), "{message}");
}

/// Gives a few bytes at a time and is interrupted now and then, as pipes and signals do.
struct Trickle<'a> {
    all: &'a [u8],
    bytes: &'a [u8],
    reads: usize,
    fails_at_end: bool,
}

impl std::io::Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.reads += 1;
        if self.reads.is_multiple_of(5) {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        if self.bytes.is_empty() && self.fails_at_end {
            return Err(std::io::ErrorKind::ConnectionReset.into());
        }
        let count = (self.reads % 7 + 1).min(self.bytes.len()).min(buffer.len());
        let (now, later) = self.bytes.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.bytes = later;
        Ok(count)
    }
}

impl std::io::Seek for Trickle<'_> {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        let at = match to {
            std::io::SeekFrom::Start(at) => usize::try_from(at).unwrap(),
            std::io::SeekFrom::End(0) => self.all.len(),
            std::io::SeekFrom::End(_) | std::io::SeekFrom::Current(_) => panic!("{to:?}"),
        };
        self.bytes = &self.all[at..];
        Ok(u64::try_from(at).unwrap())
    }
}

#[test]
fn the_size_of_the_pieces_a_bill_comes_in_changes_nothing() {
    let mut text = HEADER.replace("channel", "remark");
    text.extend((0..600).map(|n| {
        let status = if n % 9 == 0 { "?" } else { "" };
        format!("P{n},,,5.00,,{status},2026-11-22 09:58:58,\"a\n,b\"\r\n")
    }));
    let collect = |fails_at_end| {
        let mut items = Vec::new();
        let input = Trickle { all: text.as_bytes(), bytes: text.as_bytes(), reads: 0, fails_at_end };
        read_bill(input, &BillSource::default(), &mut |item: BillItem| items.push(item)).map(|summary| (items, summary))
    };
    let mut whole = Vec::new();
    let summary =
        read_bill(Cursor::new(&text), &BillSource::default(), &mut |item: BillItem| whole.push(item)).unwrap();
    assert_eq!(collect(false).unwrap(), (whole, summary));
    assert!(matches!(collect(true), Err(BillError::Io(_))));
}

#[test]
fn what_is_shown_of_a_bill_cannot_steer_a_terminal() {
    let read = rows("P1,,,\u{1b}[2J5,,,2026-11-22 09:58:58,\n");
    assert_eq!(read.set_aside[0].value, "\u{fffd}[2J5");
}
