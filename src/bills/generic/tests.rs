//! Every rule of the profile `generic`, and what no bytes may do to it.
#![allow(clippy::arithmetic_side_effects, reason = "numbers of tests are small")]

use std::io::Cursor;

use proptest::prelude::*;

use crate::bills::{
    BillError, BillItem, BillRow, BillSource, BillSummary, GenericFormat, Profile, RowKind, SetAside, read_bill,
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

fn source(format: &str) -> BillSource {
    let generic: GenericFormat = serde_json::from_str(format).unwrap();
    BillSource { generic, ..BillSource::default() }
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
    let source = source(
        r#"{"delimiter":"|","unit":"fen","columns":{"payment_id":"交易单号","amount":"金额(分)","paid_at":"交易时间","status":"状态"},
            "status":{"支付成功":"payment","转入退款":"refund","Paying":"ignored"}}"#,
    );
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
fn tab_is_a_delimiter_too() {
    let text = "payment_id\tamount\tpaid_at\nP1\t5.00\t2026-11-22 09:58:58\n";
    assert_eq!(read_as(text.as_bytes(), &source(r#"{"delimiter":"tab"}"#)).unwrap().rows.len(), 1);
    assert!(refusal(text).contains("delimiter = \"tab\""));
}

#[test]
fn a_configured_column_must_be_there_and_an_unknown_key_is_an_error() {
    let source = source(r#"{"columns":{"plate":"车牌"}}"#);
    let error = read_as(HEADER.as_bytes(), &source).err().unwrap().to_string();
    assert!(error.contains("no column `车牌`"), "{error}");
    let unknown = serde_json::from_str::<GenericFormat>(r#"{"colums":{}}"#).unwrap_err().to_string();
    assert!(unknown.contains("colums"), "{unknown}");
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

/// A writer for the tests: quotes what needs it.
fn write(rows: &[[String; 11]], header: &[&str; 11], line_end: &str) -> String {
    let mut text = header.join(",") + line_end;
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
        text.push_str(&(cells.join(",") + line_end));
    }
    text
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

const FULL_HEADER: [&str; 11] = [
    "payment_id",
    "order_id",
    "plate",
    "amount",
    "refund_amount",
    "status",
    "paid_at",
    "channel",
    "external_order_id",
    "trade_no",
    "refund_id",
];

/// A row as its cells; all of them good.
fn cells() -> impl Strategy<Value = [String; 11]> {
    let text = "[A-Za-z0-9\",'|微信]{1,12}";
    let time = (2020..2030, 1..13, 1..29, 0..24, 0..60, 0..60)
        .prop_map(|(y, m, d, h, min, s)| format!("{y}-{m:02}-{d:02} {h:02}:{min:02}:{s:02}"));
    let optional = || prop_oneof![Just(String::new()), text.prop_map(String::from)];
    let status = prop_oneof![Just(""), Just("success"), Just("refund")].prop_map(String::from);
    let plate = prop_oneof![Just(""), Just("渝B757D0"), Just("渝AD12345")].prop_map(String::from);
    let fen = || (1..1_000_000_i64).prop_map(|fen| Amount::from_fen(fen).unwrap().to_string());
    (text, optional(), plate, fen(), fen(), status, time, optional(), optional(), optional(), optional())
        .prop_map(|(a, b, c, d, e, f, g, h, i, j, k)| [a, b, c, d, e, f, g, h, i, j, k])
}

/// The cells a row was read from, as far as a row keeps them.
fn written_back(row: &BillRow) -> [String; 11] {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let (amount, refunded, status) = match row.kind {
        RowKind::Payment => (row.amount.to_string(), row.refunded.to_string(), "success"),
        RowKind::Refund | RowKind::Fee => (String::new(), row.amount.to_string(), "refund"),
    };
    [
        row.payment_id.clone(),
        text(row.order_id.as_ref().map(crate::model::OrderId::as_str)),
        text(row.plate.as_ref().map(crate::model::Plate::as_str)),
        amount,
        refunded,
        status.to_owned(),
        row.at.wall(),
        row.channel.clone(),
        row.external_order_id.to_string(),
        text(row.trade_no.as_deref()),
        text(row.refund_id.as_deref()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back(cells in proptest::collection::vec(cells(), 0..20), crlf: bool) {
        let text = write(&cells, &FULL_HEADER, if crlf { "\r\n" } else { "\n" });
        let first = read(&text).unwrap();
        prop_assert_eq!(first.rows.len(), cells.len());
        prop_assert!(first.set_aside.is_empty());
        for (row, cells) in first.rows.iter().zip(&cells) {
            prop_assert_eq!(&row.payment_id, &cells[0]);
            prop_assert_eq!(row.at.wall(), cells[6].clone());
            prop_assert_eq!(&row.channel, &cells[7]);
        }
        let again: Vec<_> = first.rows.iter().map(written_back).collect();
        prop_assert_eq!(read(&write(&again, &FULL_HEADER, "\n")).unwrap().rows, first.rows);
    }

    /// A cut between two rows cannot be seen: the format has no totals. Any other is refused, or leaves rows as they were.
    #[test]
    fn a_cut_is_refused_or_loses_whole_rows_only(cells in proptest::collection::vec(cells(), 1..5), crlf: bool) {
        let text = write(&cells, &FULL_HEADER, if crlf { "\r\n" } else { "\n" });
        let whole = read(&text).unwrap();
        for cut in 0..text.len() {
            if let Ok(read) = read_as(&text.as_bytes()[..cut], &BillSource::default()) {
                prop_assert_eq!(&read.rows[..], &whole.rows[..read.rows.len()], "cut at {}", cut);
                prop_assert!(read.set_aside.is_empty());
            }
        }
    }

    /// With the default header the channel stands last: a cut inside it shortens a label and nothing else.
    #[test]
    fn a_cut_in_the_last_channel_touches_nothing_else(cells in proptest::collection::vec(cells(), 1..5)) {
        let mut text = HEADER.to_owned();
        for row in &cells {
            let row: Vec<String> = row[..8].iter().map(|cell| quoted(cell)).collect();
            text.push_str(&(row.join(",") + "\n"));
        }
        let whole = read(&text).unwrap();
        for cut in 0..text.len() {
            if let Ok(mut read) = read_as(&text.as_bytes()[..cut], &BillSource::default()) {
                if let Some(last) = read.rows.len().checked_sub(1) {
                    let channel = whole.rows[last].channel.clone();
                    prop_assert!(channel.starts_with(read.rows[last].channel.trim_end_matches('"')), "cut at {}", cut);
                    read.rows[last].channel = channel;
                }
                prop_assert_eq!(&read.rows[..], &whole.rows[..read.rows.len()], "cut at {}", cut);
            }
        }
    }

    #[test]
    fn a_flipped_byte_never_panics_and_every_row_is_somewhere(
        cells in proptest::collection::vec(cells(), 1..4), at: proptest::sample::Index, byte: u8,
    ) {
        let mut bytes = write(&cells, &FULL_HEADER, "\n").into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = read_as(&bytes, &BillSource::default()) {
            let summary = &read.summary;
            prop_assert_eq!(summary.payments + summary.refunds, u64::try_from(read.rows.len()).unwrap());
            prop_assert_eq!(summary.set_aside, u64::try_from(read.set_aside.len()).unwrap());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), with_header: bool) {
        let mut text = if with_header { HEADER.as_bytes().to_vec() } else { Vec::new() };
        text.extend(bytes);
        drop(read_as(&text, &BillSource::default()));
    }
}
