//! Every sample of the channels' bills: what it holds, or why it is refused.
#![allow(clippy::arithmetic_side_effects, reason = "numbers of tests are small")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use serde_json::Value;

use super::*;
use crate::model::Payment;

pub(super) fn bytes(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bills").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a bill gave.
pub(super) struct Read {
    pub(super) rows: Vec<BillRow>,
    pub(super) summary: BillSummary,
}

pub(super) fn read(bytes: &[u8], source: &BillSource) -> Result<Read, BillError> {
    let mut rows = Vec::new();
    let summary = read_bill(Cursor::new(bytes), source, &mut |item: BillItem| {
        if let BillItem::Row(row) = item {
            rows.push(row);
        }
    })?;
    Ok(Read { rows, summary })
}

pub(super) fn sample(name: &str) -> Read {
    read(&bytes(name), &BillSource::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(super) fn refusal(name: &str) -> String {
    match read(&bytes(name), &BillSource::default()) {
        Ok(_) => panic!("{name} is not refused"),
        Err(error) => error.to_string(),
    }
}

fn expected(name: &str) -> Value {
    serde_json::from_slice(&bytes(&format!("expected/{name}.json"))).unwrap()
}

fn number(value: &Value, key: &str) -> i64 {
    value[key].as_i64().unwrap_or_else(|| panic!("{key} of {value}"))
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value[key].as_str()
}

fn fen(amount: Option<Amount>) -> i64 {
    amount.unwrap_or_default().fen()
}

fn fee_fen(row: &BillRow) -> i64 {
    row.fee.and_then(ChannelFee::whole_fen).unwrap_or_else(|| panic!("no fee in whole fen: {row:?}"))
}

const ALIPAY: &str = "alipay-trade/20881234567890120156_20260317_业务明细.csv";
const ALIPAY_ZIP: &str = "alipay-trade/20881234567890120156_20260317.csv.zip";
const LEDGER: &str = "alipay-signcustomer/20881234567890120156_20260317_账务明细.csv";
const LEDGER_ZIP: &str = "alipay-signcustomer/20881234567890120156_20260317.csv.zip";
const WECHAT: &str = "wechat-tradebill/1900000109All2026-03-17.csv";
const FUNDFLOW: &str = "wechat-fundflow/1900000109BASIC2026-03-17.csv";

#[test]
fn alipays_trade_bill_has_the_rows_that_are_expected() {
    let (read, expected) = (sample(ALIPAY), expected("alipay-trade"));
    assert_eq!(read.summary.profile, Profile::AlipayTrade);
    assert_eq!((read.summary.payments, read.summary.refunds, read.summary.ignored), (14, 5, 0));
    let period = read.summary.period.unwrap();
    assert_eq!((period.0.to_string(), period.1.to_string()), ("2026-03-17".into(), "2026-03-17".into()));
    assert!(read.summary.has_external_order_ids);
    for (row, expected) in read.rows.iter().zip(expected["rows"].as_array().unwrap()) {
        // There money effects have signs; here the kind says it, and a fee above zero is a cost.
        let sign = if row.kind == RowKind::Payment { 1 } else { -1 };
        assert_eq!(text(expected, "kind") == Some("payment"), row.kind == RowKind::Payment);
        assert_eq!(text(expected, "provider_id"), Some(row.payment_id.as_str()));
        assert_eq!(text(expected, "refund_id"), row.refund_id.as_deref());
        assert_eq!(text(expected, "merchant_order_id"), Some(row.external_order_id.as_str()));
        assert_eq!(number(expected, "gross_fen"), sign * row.amount.fen());
        assert_eq!(number(expected, "received_fen"), sign * fen(row.received));
        assert_eq!(number(expected, "fee_fen"), -fee_fen(row));
        assert_eq!(text(expected, "occurred_at"), Some(format!("{}+08:00", row.at.wall()).as_str()));
        assert_eq!((row.channel.as_str(), row.trade_no.as_deref()), ("alipay", Some(row.payment_id.as_str())));
    }
    let (sums, totals) = (read.summary.sums, &expected["totals"]);
    assert_eq!(sums.received.fen, number(totals, "payment_received_fen").into());
    assert_eq!(sums.taken_back.fen, (-number(totals, "refund_received_fen")).into());
    assert_eq!(sums.fee.units(), i128::from(-number(totals, "fee_fen")) * 1000);
}

#[test]
fn packed_resaved_or_with_a_comma_too_many_alipays_bill_is_the_same() {
    let plain = sample(ALIPAY).rows;
    for name in [ALIPAY_ZIP, "alipay-trade/trap-utf8-bom-resaved.csv", "alipay-trade/trap-unquoted-comma.csv"] {
        let mut rows = sample(name).rows;
        for row in &mut rows {
            row.part = 1;
        }
        assert_eq!(rows, plain, "{name}");
    }
    let empty = sample("alipay-trade/trap-empty-day.csv").summary;
    assert_eq!((empty.payments, empty.refunds, empty.first_date), (0, 0, None));
    assert_eq!(empty.period.unwrap().0.to_string(), "2026-03-17");
}

#[test]
fn alipays_ledger_has_the_rows_that_are_expected() {
    let (read, expected) = (sample(LEDGER), expected("alipay-signcustomer"));
    let rows = expected["rows"].as_array().unwrap();
    assert_eq!(read.summary.profile, Profile::AlipayLedger);
    assert_eq!((read.summary.payments, read.summary.refunds, read.summary.set_aside), (14, 5, 0));
    assert_eq!(read.rows.len() + 1, rows.len(), "all but the withdrawal");
    assert_eq!(read.summary.ignored, 18, "fees and the withdrawal");
    let mut found = read.rows.iter();
    for expected in rows.iter().filter(|row| text(row, "kind") != Some("提现")) {
        let row = found.next().unwrap();
        let moved = number(expected, "amount_fen");
        assert_eq!(moved.abs(), row.amount.fen());
        let kind = match text(expected, "kind").unwrap() {
            "在线支付" => RowKind::Payment,
            "交易退款" => RowKind::Refund,
            _ => RowKind::Fee,
        };
        assert_eq!(kind, row.kind);
        if kind == RowKind::Fee {
            assert_eq!(fee_fen(row), -moved);
            assert_eq!(text(expected, "flow_id"), row.refund_id.as_deref());
        }
        assert_eq!(text(expected, "provider_id"), Some(row.payment_id.as_str()));
        assert_eq!(text(expected, "merchant_order_id"), Some(row.external_order_id.as_str()));
    }
    let mut packed = sample(LEDGER_ZIP).rows;
    for row in &mut packed {
        row.part = 1;
    }
    assert_eq!(packed, read.rows);
}

#[test]
fn wechats_trade_bill_has_the_rows_that_are_expected() {
    let (read, expected) = (sample(WECHAT), expected("wechat-tradebill-all"));
    assert_eq!(read.summary.profile, Profile::WechatTrade);
    assert_eq!((read.summary.payments, read.summary.refunds, read.summary.ignored), (13, 6, 0));
    for (row, expected) in read.rows.iter().zip(expected["rows"].as_array().unwrap()) {
        let is_payment = row.kind == RowKind::Payment;
        assert_eq!(text(expected, "kind") == Some("payment"), is_payment);
        assert_eq!(text(expected, "provider_id"), Some(row.payment_id.as_str()));
        assert_eq!(text(expected, "refund_id"), row.refund_id.as_deref());
        assert_eq!(text(expected, "merchant_order_id"), Some(row.external_order_id.as_str()));
        let (amount, received) =
            if is_payment { ("order_fen", "settle_fen") } else { ("refund_asked_fen", "refund_fen") };
        assert_eq!((number(expected, amount), number(expected, received)), (row.amount.fen(), fen(row.received)));
        assert_eq!(number(expected, "fee_fen"), fee_fen(row));
        assert_eq!(expected["final"].as_bool(), Some(!row.refund_pending));
        assert_eq!(text(expected, "occurred_at"), Some(format!("{}+08:00", row.at.wall()).as_str()));
    }
    let (sums, totals) = (read.summary.sums, &expected["totals"]);
    assert_eq!(sums.gross.fen, number(totals, "order_fen").into());
    assert_eq!(sums.received.fen, number(totals, "settle_fen").into());
    assert_eq!(sums.refunded.fen, number(totals, "refund_asked_fen").into());
    assert_eq!(sums.taken_back.fen, number(totals, "refund_fen").into());
    assert_eq!(sums.fee.units(), i128::from(number(totals, "fee_fen")) * 1000);
}

#[test]
fn wechats_other_files_of_the_day_tell_the_same() {
    let all = sample(WECHAT);
    assert_eq!(sample("wechat-tradebill/1900000109All2026-03-17.csv.gz").rows, all.rows);
    assert_eq!(sample("wechat-tradebill/all-lf-nobom.csv").rows, all.rows);
    let of = |kind| all.rows.iter().filter(move |row| row.kind == kind);
    let success = sample("wechat-tradebill/1900000109Success2026-03-17.csv");
    let without_line = |row: &BillRow| BillRow { line: 0, ..row.clone() };
    let ids =
        |rows: &mut dyn Iterator<Item = &BillRow>| rows.map(|row| row.payment_id.clone()).collect::<BTreeSet<_>>();
    assert_eq!(ids(&mut success.rows.iter()), ids(&mut of(RowKind::Payment)));
    for row in &success.rows {
        assert!(of(RowKind::Payment).any(|other| without_line(other) == without_line(row)), "{row:?}");
    }
    let refunds = sample("wechat-tradebill/1900000109Refund2026-03-17.csv");
    assert_eq!(refunds.rows.len(), of(RowKind::Refund).count());
    for row in &refunds.rows {
        let twin = of(RowKind::Refund).find(|other| other.refund_id == row.refund_id).unwrap();
        // The day's file tells when it was asked for, the refunds' file when it was done.
        assert!((0..10).contains(&row.at.since_s(twin.at)), "{row:?}");
        assert_eq!(BillRow { line: 0, at: twin.at, ..row.clone() }, without_line(twin));
    }
    let empty = sample("wechat-tradebill/trap-empty.csv").summary;
    assert_eq!((empty.payments, empty.refunds, empty.ignored), (0, 0, 0));
}

#[test]
fn a_reversal_is_a_refund_of_its_payment() {
    let read = sample("wechat-tradebill/trap-revoked.csv");
    let [payment, refund] = read.rows.as_slice() else { panic!("{:?}", read.rows) };
    assert_eq!((payment.kind, refund.kind), (RowKind::Payment, RowKind::Refund));
    assert_eq!((refund.refund_id.as_deref(), refund.refund_pending), (Some("REVOKED"), false));
    assert_eq!((&refund.payment_id, refund.amount), (&payment.payment_id, payment.amount));
    let folded = payments_of_file(Cursor::new(bytes("wechat-tradebill/trap-revoked.csv")), &BillSource::default());
    assert!(folded.unwrap().0.payments[0].net().fen() == 0);
}

#[test]
fn wechats_fund_flow_has_the_rows_that_are_expected() {
    let (flow, trade) = (sample(FUNDFLOW), sample(WECHAT));
    assert_eq!(flow.summary.profile, Profile::WechatFundflow);
    assert_eq!((flow.summary.payments, flow.summary.refunds, flow.summary.ignored), (13, 6, 12));
    for row in flow.rows.iter().filter(|row| row.kind != RowKind::Fee) {
        let twin = trade.rows.iter().find(|other| {
            other.kind == row.kind && other.payment_id == row.payment_id && other.refund_id == row.refund_id
        });
        let twin = twin.unwrap_or_else(|| panic!("{row:?}"));
        assert_eq!(row.received, twin.received);
        if row.kind == RowKind::Refund {
            assert_eq!(row.fee, twin.fee);
        }
    }
    let charged = |rows: &[BillRow]| {
        let mut total = FeeTotal::default();
        rows.iter().filter_map(|row| row.fee).for_each(|fee| total.add(fee));
        total
    };
    assert_eq!(charged(&flow.rows), charged(&trade.rows));
}

/// The rows of files, all of one source, as a run has them.
fn sourced(names: &[&str]) -> Vec<SourcedRow> {
    let source = BillSource::default();
    let mut all = Vec::new();
    for (bill, name) in (1..).zip(names) {
        let read = sample(name);
        let role = source.role_of(read.summary.profile);
        all.extend(read.rows.into_iter().map(|row| SourcedRow {
            source: "default".into(),
            role,
            bill,
            is_id_derived: false,
            row,
        }));
    }
    all
}

#[test]
fn a_second_bill_of_the_channel_adds_no_payment_and_no_refund_and_agrees() {
    for (trade, ledger) in [(ALIPAY, LEDGER), (WECHAT, FUNDFLOW)] {
        let (alone, both) = (fold(sourced(&[trade])), fold(sourced(&[trade, ledger])));
        assert!(alone.ties_out() && both.ties_out());
        assert_eq!((alone.payments.len(), alone.refunds.len()), (both.payments.len(), both.refunds.len()), "{trade}");
        assert!(both.payments.iter().all(|payment| !payment.bill_disagrees && !payment.conflict), "{trade}");
        for (alone, both) in alone.payments.iter().zip(&both.payments) {
            assert_eq!((alone.gross, alone.refunded, alone.fee), (both.gross, both.refunded, both.fee));
        }
        // The other way round, and the ledger by itself.
        assert_eq!(fold(sourced(&[ledger, trade])).payments.len(), alone.payments.len());
        assert_eq!(fold(sourced(&[ledger])).payments.len(), alone.payments.len());
    }
    // WeChat's bill of the day leaves a refund under way; the fund flow says that it was done.
    let pending = |folded: Folded| folded.refunds.iter().filter(|refund| refund.pending).count();
    assert_eq!(pending(fold(sourced(&[WECHAT]))), 1);
    assert_eq!(pending(fold(sourced(&[WECHAT, FUNDFLOW]))), 0);
}

#[test]
fn one_fen_that_differs_in_the_second_bill_is_seen() {
    for (trade, ledger) in [(ALIPAY, LEDGER), (WECHAT, FUNDFLOW)] {
        for kind in [RowKind::Payment, RowKind::Refund, RowKind::Fee] {
            let mut rows = sourced(&[trade, ledger]);
            let row = rows.iter_mut().find(|row| row.role == Role::Ledger && row.row.kind == kind);
            let row = &mut row.unwrap().row;
            let fen = Amount::from_fen(1).unwrap();
            row.amount = row.amount.checked_add(fen).unwrap();
            row.received = row.received.and_then(|received| received.checked_add(fen));
            if kind == RowKind::Fee {
                row.fee = row.fee.and_then(|fee| ChannelFee::from_units(fee.units() + 1000));
            }
            let id = row.payment_id.clone();
            let folded = fold(rows);
            let differing: Vec<&str> = folded
                .payments
                .iter()
                .filter(|payment| payment.bill_disagrees)
                .map(|payment| payment.payment_id.as_str())
                .collect();
            // A refund of a payment that is in no bill has no payment to stand beside.
            let is_known = folded.payments.iter().any(|payment| payment.payment_id == id);
            assert_eq!(differing, if is_known { vec![id.as_str()] } else { vec![] }, "{ledger} {kind:?}");
        }
    }
}

#[test]
fn files_that_overlap_bring_each_payment_once() {
    let files = [
        WECHAT,
        "wechat-tradebill/1900000109Success2026-03-17.csv",
        "wechat-tradebill/1900000109Refund2026-03-17.csv",
        "wechat-tradebill/all-lf-nobom.csv",
    ];
    let (one, all) = (fold(sourced(&files[..1])), fold(sourced(&files)));
    assert_eq!((one.payments.len(), one.refunds.len()), (all.payments.len(), all.refunds.len()));
    for (one, all) in one.payments.iter().zip(&all.payments) {
        assert_eq!(Payment { rows: all.rows, ..one.clone() }, *all);
    }
}

#[test]
fn traps_are_refused_with_what_is_wrong_and_where() {
    for (name, says) in [
        ("alipay-trade/trap-duplicate-row.csv", "交易合计"),
        ("alipay-trade/trap-total-mismatch.csv", "交易合计"),
        ("alipay-trade/trap-truncated.csv", "line 15: 16 fields"),
        ("wechat-tradebill/trap-summary-mismatch.csv", "总"),
        ("wechat-tradebill/trap-truncated.csv", "line"),
        ("wechat-tradebill/trap-v2-error.xml", "No Bill Exist"),
    ] {
        let refusal = refusal(name);
        assert!(refusal.contains(says), "{name}: {refusal}");
        assert!(refusal.contains("hint:"), "{name}: {refusal}");
    }
}

/// A bill of each reader with a control character in every field, and in every column's name.
fn steering_bills() -> Vec<(Vec<u8>, BillSource)> {
    let generic = "payment_id,amount,paid_at,status\nA1,5.00,2026-03-17 08:00:00,success\n";
    let mut bills = Vec::new();
    for (bill, mark) in [
        (bytes(ALIPAY), ','),
        (bytes(LEDGER), ','),
        (bytes(WECHAT), ','),
        (bytes(FUNDFLOW), ','),
        (generic.as_bytes().to_vec(), ','),
    ] {
        let text = match String::from_utf8(bill) {
            Ok(text) => text,
            Err(error) => encoding_rs::GB18030.decode(error.as_bytes()).0.into_owned(),
        };
        for (at, _) in text.match_indices(['\n', mark]).take(400) {
            let changed = format!("{}\u{1b}[2J{}", &text[..at], &text[at..]);
            bills.push((changed.into_bytes(), BillSource::default()));
        }
    }
    bills
}

#[test]
fn no_message_of_a_bill_steers_the_terminal_that_shows_it() {
    let is_shown = |text: &str| !text.contains(|c: char| c.is_control() && c != '\n');
    let (mut refused, mut set_aside) = (0, 0);
    for (bill, source) in steering_bills() {
        let result = read_bill(Cursor::new(bill), &source, &mut |item: BillItem| {
            if let BillItem::SetAside(item) = item {
                set_aside += 1;
                assert!(is_shown(&item.to_string()) && is_shown(&item.value), "{item:?}");
            }
        });
        if let Err(error) = result {
            refused += 1;
            assert!(is_shown(&error.to_string()), "{error:?}");
        }
    }
    assert!(refused > 100 && set_aside > 10, "{refused} {set_aside}");
}
