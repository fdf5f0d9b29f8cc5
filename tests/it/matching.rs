//! `match` on large files: the order of the rows changes nothing.

use std::fmt::Write as _;
use std::fs;

use etcp_recon::bills::{BillSource, payments_of_file};
use etcp_recon::jobs::match_files;
use etcp_recon::model::Disposition;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

const ROWS: usize = 100_000;

/// Payments and orders of which most agree, some are off by a fen, doubled, refunded, without id or without order.
fn world(rng: &mut ChaCha8Rng) -> (Vec<String>, Vec<String>) {
    let (mut payments, mut orders) = (Vec::new(), Vec::new());
    for n in 0..ROWS {
        let fen: u32 = rng.random_range(50..30_000);
        let plate = format!("渝A{:05}", n % 90_000);
        let order = format!("{n:08X}-1111-4222-8333-{n:012X}");
        let (hour, minute) = (n % 20, n % 60);
        let text = |fen: u32| format!("{}.{:02}", fen / 100, fen % 100);
        orders.push(format!(
            "{order},{plate},3126,{},,0.00,2026-11-22 {hour:02}:{minute:02}:00,2026-11-22 {:02}:{minute:02}:00",
            text(fen),
            hour + 2
        ));
        let at = format!("2026-11-22 {:02}:{minute:02}:30", hour + 1);
        let named = if n % 50 == 1 { "" } else { &order };
        let paid = if n % 40 == 3 { fen + 1 } else { fen };
        let refunded = if n % 70 == 5 { text(paid) } else { String::new() };
        match n % 33 {
            7 => {}
            8 => {
                payments.push(format!("P{n},{named},{plate},{},{refunded},success,{at},wxpay", text(paid)));
                payments.push(format!("Q{n},{named},{plate},{},,success,{at},alipay", text(fen)));
            }
            9 => payments.push(format!("P{n},NO-{n},{plate},{},,success,{at},wxpay", text(paid))),
            _ => payments.push(format!("P{n},{named},{plate},{},{refunded},success,{at},wxpay", text(paid))),
        }
    }
    (payments, orders)
}

fn matched(payments: &[String], orders: &[String]) -> (String, String) {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, header: &str, rows: &[String]| {
        let mut text = String::from(header);
        for row in rows {
            write!(text, "\n{row}").unwrap();
        }
        text.push('\n');
        fs::write(dir.path().join(name), text).unwrap();
    };
    write("payments.csv", "payment_id,order_id,plate,amount,refund_amount,status,paid_at,channel", payments);
    write("orders.csv", "order_id,plate,parking_id,parking_fee,remaining_fee,cash,entrance_time,exit_time", orders);
    let bill = fs::File::open(dir.path().join("payments.csv")).unwrap();
    let (folded, _, set_aside) = payments_of_file(bill, &BillSource::default()).unwrap();
    assert!(set_aside.is_empty());
    let orders = match_files::load_orders(&dir.path().join("orders.csv")).unwrap();
    let matched = match_files::run(&folded.payments, &orders, 1800, Some(dir.path())).unwrap();
    assert!(matched.tie_out.holds());
    for disposition in [
        Disposition::Settled,
        Disposition::AmountMismatch,
        Disposition::DuplicatePayment,
        Disposition::RefundedAfterSettlement,
        Disposition::OrderNotFound,
    ] {
        assert!(matched.payments.get(disposition).count > 100, "{disposition}: {:?}", matched.payments);
    }
    let csv = fs::read_to_string(dir.path().join(match_files::EXCEPTIONS_FILE)).unwrap();
    (serde_json::to_string(&matched).unwrap(), csv)
}

#[test]
fn a_hundred_thousand_shuffled_rows_give_the_same_output_as_in_order() {
    let mut rng = ChaCha8Rng::seed_from_u64(20_261_122);
    let (mut payments, mut orders) = world(&mut rng);
    let in_order = matched(&payments, &orders);
    payments.shuffle(&mut rng);
    orders.shuffle(&mut rng);
    let shuffled = matched(&payments, &orders);
    assert_eq!(in_order.0, shuffled.0);
    assert!(in_order.1 == shuffled.1, "the exceptions differ");
}
