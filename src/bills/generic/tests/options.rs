//! What a config can say about a bill, one rule at a time.

use super::*;
use crate::bills::{Encoding, Negative, Place, Places, UnknownStatus};

const TIME: &str = "2026-11-22 09:58:58";

/// What is read below `payment_id,amount,status,paid_at` as `format` says.
fn below_header(format: GenericFormat, rows: &str) -> Read {
    try_below_header(format, rows).unwrap()
}

fn try_below_header(format: GenericFormat, rows: &str) -> Result<Read, BillError> {
    let text = format!("payment_id,amount,refund_amount,status,paid_at\n{}", rows.replace("TIME", TIME));
    read_as(text.as_bytes(), &source(format))
}

fn said(result: Result<Read, BillError>) -> String {
    match result {
        Ok(_) => panic!("not refused"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_negative_amount_is_set_aside_or_a_refund_of_so_much() {
    let rows =
        "P1,-5.00,,,TIME\nP1,-5.00,-2.00,success,TIME\nP1,5.00,-2.00,,TIME\nP1,-5.00,,closed,TIME\nP1,-0.00,,,TIME\n";
    let strict = below_header(GenericFormat::default(), rows);
    assert_eq!((strict.rows.len(), strict.set_aside.len(), strict.summary.ignored), (0, 4, 1));
    let read = below_header(GenericFormat { negative: Negative::Refund, ..GenericFormat::default() }, rows);
    let seen: Vec<_> =
        read.rows.iter().map(|row| (row.kind, row.amount.to_string(), row.refunded.to_string())).collect();
    assert_eq!(
        seen,
        [
            (RowKind::Refund, "5.00".into(), "0.00".into()),
            (RowKind::Refund, "2.00".into(), "0.00".into()),
            (RowKind::Payment, "5.00".into(), "2.00".into()),
        ]
    );
    assert_eq!(read.set_aside[0].reason, "the amount is zero");
}

#[test]
fn a_status_that_nobody_explained_is_set_aside_ignored_or_refuses_the_bill() {
    let with = |unknown_status| GenericFormat { unknown_status, ..GenericFormat::default() };
    let rows = "P1,5.00,,,TIME\nP2,5.00,,paying,TIME\n";
    let counts = |read: Read| (read.rows.len(), read.set_aside.len(), read.summary.ignored);
    assert_eq!(counts(below_header(with(UnknownStatus::SetAside), rows)), (1, 1, 0));
    assert_eq!(counts(below_header(with(UnknownStatus::Ignore), rows)), (1, 0, 1));
    let refusal = said(try_below_header(with(UnknownStatus::Refuse), rows));
    assert!(refusal.starts_with("line 3, column \"status\": the status `paying` is not known\nhint: "), "{refusal}");
}

#[test]
fn the_row_that_ends_the_rows_must_come_and_nothing_behind_it_is_read() {
    let format = || GenericFormat { stop: Some("合计".into()), ..GenericFormat::default() };
    let row = "P1,5.00,,,TIME\n";
    for end in ["合计", "合计：1笔,5.00", "\"合计\",1\nP2,x\n\"", "合计,1\nP2,6.00,,,TIME\n"] {
        assert_eq!(below_header(format(), &format!("{row}{end}")).rows.len(), 1, "{end}");
    }
    assert_eq!(below_header(format(), "合计,0\n").rows.len(), 0);
    let refusal = said(try_below_header(format(), row));
    assert!(refusal.starts_with("line 2: the bill ends without a row that begins with `合计`"), "{refusal}");
    assert!(try_below_header(format(), &format!("{row}合")).is_err());
}

#[test]
fn lines_before_the_header_and_comments_are_left_out_and_lines_stay_right() {
    let format = || GenericFormat { skip_lines: 2, comment: Some('#'), ..GenericFormat::default() };
    let text = "对账单\n\"商户,号\n#\"x\npayment_id,amount,paid_at\n#,\"\nP1,x,2026-11-22 09:58:58\n\n# \"\nP2,5.00,2026-11-22 09:58:58\n#end";
    let read = read_as(text.as_bytes(), &source(format())).unwrap();
    assert_eq!((read.rows[0].line, read.set_aside[0].line), (9, 6));
    let cut = text.strip_suffix("\n#end").unwrap();
    assert!(read_as(cut.as_bytes(), &source(format())).is_ok(), "a full time is whole");
    assert!(read_as(&cut.as_bytes()[..cut.len() - 1], &source(format())).is_err());
    let mut bytes = text.as_bytes().to_vec();
    bytes.extend_from_slice(b"\n#\nP3,5.00,\xff\n");
    let utf8 = GenericFormat { encoding: Some(Encoding::Utf8), ..format() };
    assert!(matches!(read_as(&bytes, &source(utf8)), Err(BillError::NotText { line: 12, .. })));
    assert!(matches!(read_as(b"one line\n", &source(format())), Err(BillError::Empty)));
}

#[test]
fn without_a_header_columns_are_called_by_their_numbers() {
    let format = GenericFormat {
        header: false,
        columns: columns(&[(Column::PaymentId, "4"), (Column::Amount, "1"), (Column::PaidAt, "3")]),
        ..GenericFormat::default()
    };
    let place = |column: &str, pattern: &str| Place { column: column.into(), pattern: Some(pattern.parse().unwrap()) };
    let places = Places { order_id: Some(place("2", "订单(\\w+)")), plate: Some(place("2", "车牌(\\w+)")) };
    let source = BillSource { places, ..source(format) };
    let read = |text: &str| read_as(text.as_bytes(), &source);
    let good = read("5.00,订单A1;车牌渝B757D0,2026-11-22 09:58:58,P1\nx,,2026-11-22 09:58:58,P2\n").unwrap();
    let row = &good.rows[0];
    assert_eq!((row.line, row.order_id.as_ref().unwrap().as_str()), (1, "A1"));
    assert_eq!(row.plate.as_ref().unwrap().as_str(), "渝B757D0");
    assert_eq!((good.set_aside[0].line, good.set_aside[0].column.as_deref()), (2, Some("1")));
    let short = said(read("5.00,x,2026-11-22 09:58:58\n"));
    assert!(short.starts_with("line 1: there is no column `4`: the first row has 3 fields\nhint: "), "{short}");
    let uneven = said(read("5.00,x,2026-11-22 09:58:58,P1\n5.00,x,2026-11-22 09:58:58,P2,y\n"));
    assert!(uneven.starts_with("line 2: 5 fields where the first row has 4"), "{uneven}");
    assert!(said(read("5.00|x|2026-11-22 09:58:58|P1\n")).contains("`delimiter = \"|\"`"));
    assert!(matches!(read("5.00,x,2026-11-22 09:58:58,P1"), Err(BillError::Unfinished { line: 1, .. })));
}

#[test]
fn a_prefix_is_taken_off_and_guards_the_commas_in_a_value() {
    let format = || GenericFormat { strip_prefix: Some('`'), ..GenericFormat::default() };
    let header = "payment_id,remark,amount,paid_at\n";
    let read = |text: &str| read_as(format!("{header}{text}").as_bytes(), &source(format()));
    let good = read("`P1,`{\"a\":1,\"b\":2},`5.00,`2026-11-22 09:58:58\n`P2,`,`6.00,`2026-11-22 09:58:58,\n").unwrap();
    assert_eq!(good.rows.iter().map(|row| row.payment_id.as_str()).collect::<Vec<_>>(), ["P1", "P2"]);
    let bare = said(read("P1,x,5.00,2026-11-22 09:58:58\n"));
    assert!(
        bare.starts_with("line 2: `P1` does not begin with `` ` ``") || bare.contains("`P1` does not begin"),
        "{bare}"
    );
    assert!(matches!(read("`P1,`x,`5.00,2026-11-22 09:58:58\n"), Err(BillError::Fields { found: 3, .. })));
    // Cut inside the remark it would have as many fields as the header if the prefix did not count.
    assert!(matches!(read("`P1,`a,5.00,b"), Err(BillError::Fields { found: 2, .. })));
}

#[test]
fn a_delimiter_at_the_end_of_lines_does_no_harm() {
    let row = "P1,5.00,2026-11-22 09:58:58";
    for (header, row) in [("", ","), (",", ","), (",", "")].map(|(a, b)| (a, format!("{row}{b}"))) {
        let text = format!("payment_id,amount,paid_at{header}\n{row}\n");
        assert_eq!(read(&text).unwrap().rows[0].payment_id, "P1", "{text}");
    }
    let ids_last = |row: &str| read(&format!("amount,paid_at,payment_id\n5.00,2026-11-22 09:58:58,{row}"));
    assert!(ids_last("P1,").is_ok(), "what a delimiter ends is whole");
    assert!(matches!(ids_last("P1"), Err(BillError::Unfinished { .. })));
    assert!(matches!(ids_last("P1,x\n"), Err(BillError::Fields { found: 4, expected: 3, .. })));
    assert!(matches!(ids_last("P1,,\n"), Err(BillError::Fields { found: 5, .. })));
}

#[test]
fn day_and_time_may_stand_in_two_columns_and_be_written_in_any_way() {
    let format = |time_format: Option<&str>| GenericFormat {
        columns: columns(&[(Column::PaidAt, "日期"), (Column::PaidTime, "时间")]),
        time_format: time_format.map(|text| text.parse().unwrap()),
        ..GenericFormat::default()
    };
    let read = |time_format, day: &str, time: &str, end: &str| {
        read_as(
            format!("payment_id,amount,日期,时间\nP1,5.00,{day},{time}{end}").as_bytes(),
            &source(format(time_format)),
        )
    };
    let at = |time_format, day, time| read(time_format, day, time, "\n").unwrap().rows.first().map(|row| row.at.wall());
    let packed = Some("%Y%m%d %H%M%S");
    assert_eq!(at(None, "2026-11-22", "09:58:58").as_deref(), Some(TIME));
    assert_eq!(at(packed, "20261122", "095858").as_deref(), Some(TIME));
    for (time_format, day, time) in
        [(packed, "20261122", "95858"), (None, "2026-11-22", ""), (packed, "19261122", "095858")]
    {
        assert_eq!(at(time_format, day, time), None, "{day} {time}");
    }
    assert!(read(packed, "20261122", "095858", "").is_ok() && read(None, "2026-11-22", "09:58:58", "").is_ok());
    for (time_format, day, time) in
        [(packed, "20261122", "09585"), (None, "2026-11-22", "09:58"), (None, "2026-11-22", "")]
    {
        assert!(matches!(read(time_format, day, time, ""), Err(BillError::Unfinished { .. })), "{day} {time}");
    }
}

#[test]
fn fee_and_received_are_read_where_they_are_named() {
    let text = "payment_id,amount,status,paid_at,received,fee\nP1,5.00,,2026-11-22 09:58:58,4.50,0.02700\nP1,5.00,refund,2026-11-22 09:58:58,-4.50,-0.027\nP2,5.00,,2026-11-22 09:58:58,,\nP3,5.00,,2026-11-22 09:58:58,-1,\n";
    let plain = read(text).unwrap();
    assert!(plain.rows.iter().all(|row| row.fee.is_none() && row.received.is_none()));
    let source = source(GenericFormat {
        columns: columns(&[(Column::Received, "received"), (Column::Fee, "fee")]),
        negative: Negative::Refund,
        ..GenericFormat::default()
    });
    let read = read_as(text.as_bytes(), &source).unwrap();
    let seen: Vec<_> = read
        .rows
        .iter()
        .map(|row| (row.received.map(|amount| amount.to_string()), row.fee.map(|fee| fee.to_string())))
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(seen, [(text("4.50"), text("0.027")), (text("4.50"), text("-0.027")), (None, None)]);
    assert_eq!(read.set_aside[0].column.as_deref(), Some("received"));
    assert_eq!(read.summary.sums.fee.units(), 0);
}

#[test]
fn a_refund_with_an_id_of_its_own_names_its_payment_in_another_column() {
    let source =
        source(GenericFormat { columns: columns(&[(Column::RefundOf, "原单号")]), ..GenericFormat::default() });
    let text = "payment_id,amount,status,paid_at,原单号\nP1,5.00,,2026-11-22 09:58:58,\nR1,5.00,refund,2026-11-22 10:00:00,P1\nR2,5.00,refund,2026-11-22 10:00:00,\n";
    let read = read_as(text.as_bytes(), &source).unwrap();
    let refund = &read.rows[1];
    assert_eq!((refund.payment_id.as_str(), refund.refund_id.as_deref()), ("P1", Some("R1")));
    assert_eq!((refund.external_order_id.as_str(), read.rows[0].refund_id.as_deref()), ("P1", None));
    assert_eq!(read.set_aside[0].reason, "the refund does not say of which payment");
}

#[test]
fn a_configured_encoding_is_not_guessed_at_but_a_byte_order_mark_goes_before_it() {
    // In GBK these two bytes are one character, in UTF-8 another: nothing tells them apart.
    let mut bytes = format!("{HEADER}P1,,,5.00,,,{TIME},").into_bytes();
    bytes.extend_from_slice(b"\xce\xa2\n");
    let channel = |bytes: &[u8], encoding| {
        let read = read_as(bytes, &source(GenericFormat { encoding, ..GenericFormat::default() })).unwrap();
        (read.rows[0].channel.clone(), read.summary.encoding)
    };
    assert_eq!(channel(&bytes, None), ("\u{3a2}".into(), Encoding::Utf8));
    assert_eq!(channel(&bytes, Some(Encoding::Gb18030)), ("微".into(), Encoding::Gb18030));
    let marked = format!("\u{feff}{HEADER}P1,,,5.00,,,{TIME},微\n");
    assert_eq!(channel(marked.as_bytes(), Some(Encoding::Gb18030)), ("微".into(), Encoding::Utf8));
}

#[test]
fn one_field_that_serves_as_two_is_whole_only_as_both() {
    let source =
        source(GenericFormat { columns: columns(&[(Column::TradeNo, "channel")]), ..GenericFormat::default() });
    let text = format!("{HEADER}P1,,,5.00,,,{TIME},T1");
    assert!(matches!(read_as(text.as_bytes(), &source), Err(BillError::Unfinished { .. })));
}
