//! Samples by the documented layouts: UnionPay, older and bank-routed bills, archives, and what is no bill at all.
#![allow(clippy::arithmetic_side_effects, reason = "numbers of tests are small")]

use super::channel_tests::{Read, bytes, read, refusal, sample};
use super::*;

/// Kind, payment, refund, external id, amount, fee, time, pending: a line a row.
fn shown(read: &Read) -> Vec<String> {
    let row = |row: &BillRow| {
        format!(
            "{:?} {} {} {} {} {} {}",
            row.kind,
            row.payment_id,
            row.refund_id.as_deref().unwrap_or("-"),
            row.external_order_id,
            row.amount,
            row.fee.map(|fee| fee.to_string()).unwrap_or_default(),
            row.at
        )
    };
    read.rows.iter().map(row).collect()
}

#[test]
fn unionpays_records_are_read_by_byte() {
    let read = sample("unionpay-zm/INN26031888ZM_802310075230001");
    assert_eq!(read.summary.profile, Profile::UnionpayZm);
    assert_eq!(
        shown(&read),
        [
            "Payment 202603170815020000001 - PK260317U0100001 10.00 0.06 2026-03-17 08:15:02",
            "Payment 202603170930110000002 - PK260317U0100002 25.50 0.15 2026-03-17 09:30:11",
            "Refund 202603170815020000001 202603171015000000003 PK260317U0100001 10.00 -0.06 2026-03-17 10:15:00",
            "Payment 202603172359590000004 - PK260317U0100004 1280.00 0.00 2026-03-17 23:59:59",
            "Refund 202603170930110000002 202603180001030000005 202603170930110000002 25.50 -0.15 2026-03-18 00:01:03",
        ]
    );
    assert_eq!(read.summary.set_aside, 1, "a kind of transaction that nobody knows");
    let folded = payments_of_file(
        std::io::Cursor::new(bytes("unionpay-zm/INN26031888ZM_802310075230001")),
        &BillSource::default(),
    );
    let nets: Vec<String> = folded.unwrap().0.payments.iter().map(|payment| payment.net().to_string()).collect();
    assert_eq!(nets, ["0.00", "0.00", "1280.00"]);
    assert!(refusal("unionpay-zm/trap-truncated").contains("300 bytes where the format has 607"));
    assert!(refusal("unionpay-zm/trap-other-record").contains("代理机构标识码"));
}

#[test]
fn a_plate_in_a_field_of_unionpays_record_is_found() {
    let plate = Place { column: "商户自定义域".into(), pattern: None };
    let source = BillSource { places: Places { order_id: None, plate: Some(plate) }, ..BillSource::default() };
    let read = read(&bytes("unionpay-zm/INN26031888ZM_802310075230001"), &source).unwrap();
    assert_eq!(read.rows[0].plate.as_ref().unwrap().as_str(), "渝B757D0");
    assert_eq!(read.rows[1].plate, None);
}

#[test]
fn wechats_bills_of_before_2018_are_read() {
    assert_eq!(
        shown(&sample("wechat-legacy/1900000109All2017.csv")),
        [
            "Payment 4200002701202603171000000001 - PK260317L0100001 12.00 0.07 2026-03-17 08:00:01",
            "Payment 4200002701202603171000000002 - PK260317L0200002 5.50 0.03 2026-03-17 09:00:01",
            "Refund 4200002701202603171000000001 5030002701202603170000000001 PK260317L0100001 2.00 -0.01 2026-03-17 10:00:01",
        ]
    );
    assert_eq!(shown(&sample("wechat-legacy/1900000109Success2017.csv")).len(), 2);
}

#[test]
fn bills_that_went_through_a_bank_are_read_as_the_channels_own() {
    let (own, bank) = ("wechat-tradebill/1900000109All2026-03-17.csv", "wechat-bank/1900000109All2026-03-17.csv");
    assert_eq!(sample(bank).rows, sample(own).rows);
    assert_eq!(
        shown(&sample("alipay-bank/20881234567890120156_20260317_DETAILS.csv")),
        [
            "Payment 2026031722001400000000900001 - PK260317Z0100001 10.00 0.05 2026-03-17 08:00:05",
            "Refund 2026031722001400000000900001 RF1 PK260317Z0100001 10.00 -0.05 2026-03-17 09:00:05",
        ]
    );
}

#[test]
fn a_file_of_several_days_has_the_rows_of_all() {
    let (one, two) = (sample("wechat-tradebill/1900000109All2026-03-17.csv"), sample("wechat-tradebill/two-days.csv"));
    assert_eq!(two.rows.len(), 2 * one.rows.len());
    assert_eq!(two.summary.last_date.unwrap().to_string(), "2026-03-18");
    assert_eq!(two.summary.sums.gross.fen, 2 * one.summary.sums.gross.fen);
}

#[test]
fn where_order_and_plate_stand_is_the_sources_affair() {
    let place = |column: &str, pattern: Option<&str>| {
        Some(Place { column: column.into(), pattern: pattern.map(|pattern| pattern.parse().unwrap()) })
    };
    let places =
        Places { order_id: place("商户数据包", Some(r#"session\\":\\"(S\d+)"#)), plate: place("设备号", None) };
    let source = BillSource { places, ..BillSource::default() };
    let read = read(&bytes("wechat-tradebill/1900000109All2026-03-17.csv"), &source).unwrap();
    assert_eq!(read.rows[0].order_id.as_ref().unwrap().as_str(), "S000024");
    assert!(read.rows.iter().all(|row| row.order_id.is_some() && row.plate.is_none()));
    let lacking =
        BillSource { places: Places { order_id: place("备注", None), plate: None }, ..BillSource::default() };
    let error = super::channel_tests::read(&bytes("wechat-tradebill/1900000109All2026-03-17.csv"), &lacking);
    assert!(error.err().unwrap().to_string().contains("`备注`"));
}

#[test]
fn the_parts_of_an_archive_are_one_bill_and_what_is_none_is_passed_over() {
    let (alone, parts) =
        (sample("alipay-trade/20881234567890120156_20260317_业务明细.csv"), sample("packed/two-parts.zip"));
    assert_eq!(parts.rows, alone.rows);
    assert_eq!((parts.summary.packing, parts.summary.encoding), (Packing::Zip, Encoding::Gb18030));
}

#[test]
fn what_is_no_bill_is_refused_with_what_it_is_and_what_to_do() {
    for (name, says) in [
        ("packed/trap-two-formats.zip", "`alipay-trade` and of `wechat-trade`"),
        ("packed/trap-nested.zip", "an archive inside an archive"),
        ("packed/trap-workbook.xlsx", "an Excel workbook"),
        ("packed/trap-summary-only.zip", "汇总"),
        ("packed/trap-bomb.zip", "250 times its size"),
        ("packed/trap-truncated.zip", "damaged"),
        ("packed/trap-damaged.zip", "damaged"),
        ("packed/trap-truncated.csv.gz", "damaged"),
        ("alipay-trade/trap-summary-alone.csv", "汇总"),
        ("alipay-trade/trap-personal.csv", "a personal export"),
        ("wechat-tradebill/trap-personal.csv", "a personal export"),
        ("wechat-tradebill/trap-foreign-currency.csv", "USD"),
    ] {
        let refusal = refusal(name);
        assert!(refusal.contains(says) && refusal.contains("hint:"), "{name}: {refusal}");
    }
}

#[test]
fn a_part_that_is_refused_is_named() {
    assert!(refusal("packed/trap-nested.zip").contains("`inner.zip`"));
}

#[test]
fn a_profile_that_the_content_contradicts_is_refused_whatever_it_is_packed_in() {
    let source = BillSource { profile: Profile::WechatTrade, ..BillSource::default() };
    let error = read(&bytes("packed/two-parts.zip"), &source).err().unwrap().to_string();
    assert!(error.contains("`wechat-trade`") && error.contains("`alipay-trade`"), "{error}");
}
