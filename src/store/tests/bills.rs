//! Bills: whole or not at all, known by content, read back as they came.

use super::*;
use crate::bills::{
    BillItem, BillRow, BillSource, BillSummary, BillSums, Encoding, Packing, Profile, RowKind, SetAside,
};

pub(super) fn payment_row(line: u64, id: &str, paid_at: Timestamp) -> BillRow {
    BillRow {
        part: 1,
        line,
        kind: RowKind::Payment,
        payment_id: id.to_owned(),
        refund_id: None,
        external_order_id: ExternalOrderId::new(&format!("E-{id}")).unwrap(),
        trade_no: Some(format!("T-{id}")),
        order_id: OrderId::new(&format!("Order-{id}")),
        plate: Some(user().plate),
        amount: fen(500),
        received: None,
        fee: None,
        refunded: fen(100),
        refund_pending: true,
        at: paid_at,
        channel: "wxpay".to_owned(),
    }
}

pub(super) fn refund_row(line: u64, id: &str, at: Timestamp) -> BillRow {
    BillRow {
        kind: RowKind::Refund,
        refund_id: Some(format!("R-{id}")),
        received: None,
        fee: None,
        refunded: fen(0),
        refund_pending: false,
        order_id: None,
        plate: None,
        trade_no: None,
        // A refund may bear an id of its own.
        external_order_id: ExternalOrderId::new(&format!("ER-{id}")).unwrap(),
        ..payment_row(line, id, at)
    }
}

fn summary(rows: &[BillRow], set_aside: u64) -> BillSummary {
    let is_payment = |row: &&BillRow| row.kind == RowKind::Payment;
    let payments = rows.iter().filter(is_payment).count();
    BillSummary {
        profile: Profile::Generic,
        payments: u64::try_from(payments).unwrap(),
        refunds: u64::try_from(rows.len() - payments).unwrap(),
        ignored: 1,
        set_aside,
        first_date: rows.iter().map(|row| row.at.business_date()).min(),
        last_date: rows.iter().map(|row| row.at.business_date()).max(),
        period: None,
        packing: Packing::Plain,
        encoding: Encoding::Utf8,
        sums: BillSums::default(),
        has_external_order_ids: true,
    }
}

fn aside(line: u64) -> SetAside {
    SetAside { part: 1, line, column: Some("amount".to_owned()), value: "x".to_owned(), reason: "no amount".to_owned() }
}

pub(super) fn import(scratch: &mut Scratch, name: &str, rows: &[BillRow]) -> ImportedBill {
    let sha256 = format!("{name:0>64}");
    let source = BillSource::default();
    let record = BillRecord { sha256: &sha256, file_name: name, source: &source, at: at(5) };
    let imported = scratch.store.import_bill(&record, |writer| {
        for row in rows {
            writer.push(BillItem::Row(row.clone()));
        }
        writer.push(BillItem::SetAside(aside(99)));
        Ok::<_, String>(summary(rows, 1))
    });
    imported.unwrap().unwrap()
}

fn lines(store: &Store, start: Timestamp) -> Vec<(i64, u64)> {
    store.bill_rows_since(start).unwrap().iter().map(|row| (row.bill, row.row.line)).collect()
}

#[test]
fn rows_come_back_as_they_went_in() {
    let mut scratch = Scratch::new();
    let rows = [payment_row(2, "a", at(10)), refund_row(3, "a", at(20))];
    let bill = import(&mut scratch, "one", &rows);
    let stored = scratch.store.bill_rows_since(at(0)).unwrap();
    assert_eq!(stored.iter().map(|row| row.row.clone()).collect::<Vec<_>>(), rows);
    assert!(stored.iter().all(|row| row.bill == bill.id && row.source == BillSource::default().name));
    assert_eq!((bill.payments, bill.refunds, bill.ignored, bill.set_aside), (1, 1, 1, 1));
    assert_eq!(bill.dates, Some((day(), day())));
    assert_eq!(scratch.store.set_aside_rows(day(), at(9)).unwrap(), [("one".to_owned(), aside(99))]);
    assert_eq!(scratch.store.bill_rows_of("order-A").unwrap().len(), 1);
}

#[test]
fn a_reader_that_fails_in_the_middle_leaves_nothing() {
    let mut scratch = Scratch::new();
    let source = BillSource::default();
    let sha256 = "c".repeat(64);
    let record = BillRecord { sha256: &sha256, file_name: "bad", source: &source, at: at(5) };
    let refused = scratch.store.import_bill(&record, |writer| {
        writer.push(BillItem::Row(payment_row(2, "a", at(10))));
        writer.push(BillItem::SetAside(aside(3)));
        Err("line 4: an open quote")
    });
    assert_eq!(refused.unwrap().unwrap_err(), "line 4: an open quote");
    for table in ["bill", "bill_row", "set_aside"] {
        assert_eq!(count(&scratch.raw(), table), 0, "{table}");
    }
    assert_eq!(import(&mut scratch, "good", &[payment_row(2, "a", at(10))]).id, 1);
}

#[test]
fn a_row_that_cannot_be_stored_or_is_not_counted_ends_the_import() {
    let mut scratch = Scratch::new();
    let source = BillSource::default();
    let sha256 = "c".repeat(64);
    let record = BillRecord { sha256: &sha256, file_name: "bad", source: &source, at: at(5) };
    let nothing = BillRow { amount: fen(0), ..payment_row(2, "a", at(10)) };
    let good = payment_row(3, "b", at(10));
    for (rows, counted) in [(vec![nothing, good.clone()], 2), (vec![good.clone()], 2), (vec![good.clone(), good], 2)] {
        let summary = BillSummary { payments: counted, ..summary(&rows, 0) };
        let failed = scratch.store.import_bill(&record, |writer| {
            for row in rows {
                writer.push(BillItem::Row(row));
            }
            Ok::<_, String>(summary)
        });
        assert!(failed.is_err());
        assert_eq!(count(&scratch.raw(), "bill_row"), 0);
    }
}

#[test]
fn the_same_content_again_is_not_even_read() {
    let mut scratch = Scratch::new();
    let first = import(&mut scratch, "one", &[payment_row(2, "a", at(10))]);
    let known = scratch.store.bill_by_hash(&first.sha256).unwrap().unwrap();
    assert_eq!((known.id, known.file_name.as_str()), (first.id, "one"));
    let source = BillSource::default();
    let record = BillRecord { sha256: &first.sha256, file_name: "copy", source: &source, at: at(6) };
    let again = scratch.store.import_bill(&record, |_| -> Result<BillSummary, String> { panic!("read") });
    assert_eq!(again.unwrap().unwrap().id, first.id);
    assert_eq!(scratch.store.bills().unwrap().len(), 1);
}

#[test]
fn a_window_holds_its_rows_and_the_payments_that_its_refunds_give_back() {
    let mut scratch = Scratch::new();
    let old = at(-30 * 86400);
    let rows = [
        payment_row(2, "old", old),
        payment_row(3, "given-back", old),
        refund_row(4, "given-back", at(20)),
        payment_row(5, "new", at(10)),
        refund_row(6, "old", old),
    ];
    let bill = import(&mut scratch, "one", &rows).id;
    assert_eq!(lines(&scratch.store, at(0)), [(bill, 3), (bill, 4), (bill, 5)]);
    assert_eq!(lines(&scratch.store, old).len(), 5);
    assert!(lines(&scratch.store, at(21)).is_empty());
}

#[test]
fn a_row_that_contradicts_an_older_one_brings_it_into_the_window() {
    let mut scratch = Scratch::new();
    let first = import(&mut scratch, "one", &[payment_row(2, "a", at(-30 * 86400))]).id;
    let again = import(&mut scratch, "two", &[payment_row(2, "a", at(10))]).id;
    assert_eq!(lines(&scratch.store, at(0)), [(first, 2), (again, 2)]);
}

#[test]
fn an_unfinished_notification_keeps_its_payment_and_its_refunds_in_the_window() {
    let mut scratch = Scratch::new();
    let old = at(-30 * 86400);
    let rows = [payment_row(2, "a", old), refund_row(3, "a", old), payment_row(4, "b", old)];
    import(&mut scratch, "one", &rows);
    let run = scratch.run();
    let new = NewNotification { payment_id: "a".to_owned(), ..new_notification("E-a", "o", 500) };
    scratch.store.plan_notifications(&run, &[new], &[], at(2)).unwrap();
    assert_eq!(lines(&scratch.store, at(0)), [(1, 2), (1, 3)]);
}

#[test]
fn a_narrow_window_reads_no_whole_table() {
    let scratch = Scratch::new();
    let raw = scratch.raw();
    for sql in [
        include_str!("../../../sql/queries/bill_rows_since.sql"),
        include_str!("../../../sql/queries/orders_since.sql"),
        "SELECT * FROM notification WHERE state = :start",
        "SELECT * FROM notification WHERE external_order_id = :start",
        "SELECT * FROM exception WHERE status = 'open' ORDER BY id",
    ] {
        let mut statement = raw.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let parameters: &[(&str, &dyn rusqlite::ToSql)] = &[(":start", &at(0).unix())];
        let parameters = &parameters[..statement.parameter_count()];
        let plan = statement.query_map(parameters, |row| row.get::<_, String>("detail")).unwrap();
        for step in plan.map(Result::unwrap) {
            let whole = ["bill_row", "bill", "order_snapshot", "order_head", "order_day", "notification", "exception"];
            let scans = whole
                .iter()
                .any(|table| step == format!("SCAN {table}") || step.starts_with(&format!("SCAN {table} ")));
            // These indexes hold the open ones only.
            assert!(
                !scans
                    || step.ends_with("USING INDEX order_head_open")
                    || step.ends_with("order_head_open")
                    || step.ends_with("exception_open"),
                "{step}"
            );
            assert!(!step.contains("AUTOMATIC"), "{step}");
        }
    }
}
