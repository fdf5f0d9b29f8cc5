//! Two files against each other: which exceptions become lines, what stands in them, and that nothing depends on the order.

use proptest::prelude::*;

use super::super::exceptions::write_csv;
use super::super::files::{DEFAULT_GRACE_S, match_files};
use super::super::orders_csv::read_orders;
use crate::model::{Amount, ExternalOrderId, OrderId, OrderSnapshot, OrderState, Payment, Plate, Timestamp};

fn clock(text: &str) -> Timestamp {
    Timestamp::parse_wall(&format!("2026-11-22 {text}")).unwrap()
}

fn payment(id: &str, order: &str, plate: &str, amount: &str, at: &str) -> Payment {
    Payment {
        source: "default".into(),
        payment_id: id.into(),
        external_order_id: ExternalOrderId::new(id).unwrap(),
        order_id: OrderId::new(order),
        plate: Plate::parse(plate).ok(),
        gross: amount.parse().unwrap(),
        refunded: Amount::ZERO,
        has_refund: false,
        fee: None,
        paid_at: clock(at),
        channel: String::new(),
        conflict: false,
        bill_disagrees: false,
        rows: 1,
    }
}

fn order(id: &str, plate: &str, fee: &str, from: &str, to: &str) -> OrderSnapshot {
    let fee = fee.parse().unwrap();
    let state = if to.is_empty() { OrderState::open(fee, fee) } else { OrderState::closed(fee, Amount::ZERO) };
    OrderSnapshot {
        order_id: OrderId::new(id).unwrap(),
        plate: Plate::parse(plate).ok(),
        parking_id: String::new(),
        parking_name: String::new(),
        entrance_at: clock(from),
        exit_at: (!to.is_empty()).then(|| clock(to)),
        state: state.unwrap(),
    }
}

/// The CSV without its header.
fn lines(payments: &[Payment], orders: &[OrderSnapshot]) -> Vec<String> {
    let matched = match_files(payments, orders, DEFAULT_GRACE_S);
    assert!(matched.tie_out.holds());
    let mut csv = Vec::new();
    write_csv(&matched.exceptions, &mut csv).unwrap();
    let text = String::from_utf8(csv).unwrap();
    text.lines().skip(1).map(|line| line.replace("2026-11-22 ", "")).collect()
}

#[test]
fn an_order_has_a_line_of_its_own_only_where_no_payment_stands_for_it() {
    let conflict = |id, amount| Payment { conflict: true, ..payment(id, "C", "", amount, "09:00") };
    let payments = [
        payment("p1", "", "渝A00001", "10", "09:00"),
        payment("p2", "b", "", "7", "09:00"),
        conflict("p3", "5"),
        conflict("p4", "6"),
    ];
    let orders = [
        order("A1", "渝A00001", "10", "08:00", "10:00"),
        order("A2", "渝A00001", "10", "08:30", "10:00"),
        order("B", "渝A00002", "8", "08:00", "10:00"),
        order("C", "渝A00003", "5", "08:00", "10:00"),
        order("D", "", "4", "08:00", "10:00"),
        order("E", "", "4", "08:00", ""),
    ];
    let expected = [
        "ambiguous,p1,,渝A00001,10.00,0.00,10.00,09:00:00",
        "amount_mismatch,p2,B,渝A00002,7.00,8.00,-1.00,09:00:00",
        "conflicting_record,p3,C,,5.00,0.00,5.00,09:00:00",
        "conflicting_record,p4,C,,6.00,0.00,6.00,09:00:00",
        "ambiguous,,A1,渝A00001,0.00,10.00,-10.00,10:00:00",
        "ambiguous,,A2,渝A00001,0.00,10.00,-10.00,10:00:00",
        "payment_missing,,D,,0.00,4.00,-4.00,10:00:00",
    ];
    assert_eq!(lines(&payments, &orders), expected);
}

#[test]
fn a_payment_counts_by_net_and_a_bill_that_disagrees_stands_beside_its_disposition() {
    let mut paid = payment("p1", "A", "渝A00009", "10", "09:00");
    (paid.refunded, paid.has_refund, paid.bill_disagrees) = ("12".parse().unwrap(), true, true);
    let orders = [order("A", "渝A00001", "10", "08:00", "10:00")];
    let expected = [
        "amount_mismatch,p1,A,渝A00009,-2.00,10.00,-12.00,09:00:00",
        "bill_disagrees,p1,A,渝A00009,-2.00,10.00,-12.00,09:00:00",
    ];
    assert_eq!(lines(&[paid], &orders), expected);
}

fn payments() -> impl Strategy<Value = Vec<Payment>> {
    let one = (0..6_u8, 0..3_u8, 1..4_u8, 0..6_u8, 0..8_u8);
    proptest::collection::vec(one, 0..10).prop_map(|rows| {
        let row = |(n, (order, plate, amount, hour, odd)): (usize, (u8, u8, u8, u8, u8))| Payment {
            conflict: odd == 0,
            bill_disagrees: odd == 1,
            ..payment(
                // Records in conflict share their id.
                &if odd == 0 { "p".to_owned() } else { format!("p{n}") },
                if order < 4 { ["a", "B", "c", "x"][usize::from(order)] } else { "" },
                &format!("渝A0000{plate}"),
                &amount.to_string(),
                &format!("{hour:02}:00"),
            )
        };
        rows.into_iter().enumerate().map(row).collect()
    })
}

fn orders() -> impl Strategy<Value = Vec<OrderSnapshot>> {
    proptest::collection::vec((0..3_u8, 1..4_u8, 0..6_u8, any::<bool>()), 0..6).prop_map(|rows| {
        let row = |((plate, fee, hour, open), id): ((u8, u8, u8, bool), &str)| {
            let to = if open { String::new() } else { format!("{:02}:10", hour + 1) };
            order(id, &format!("渝A0000{plate}"), &fee.to_string(), &format!("{hour:02}:00"), &to)
        };
        rows.into_iter().zip(["A", "B", "C", "D", "E", "F"]).map(row).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_exceptions_are_the_same_bytes_whatever_the_order_of_rows(
        (payments, shuffled) in payments().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        (orders, mixed) in orders().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        prop_assert_eq!(lines(&payments, &orders), lines(&shuffled, &mixed));
    }

    #[test]
    fn no_bytes_at_all_make_the_reader_panic(rows in "[ -~\n\r,\"0-9]{0,200}", wild in proptest::collection::vec(any::<u8>(), 0..200)) {
        let header = b"order_id,plate,parking_id,parking_fee,remaining_fee,cash,entrance_time,exit_time\n";
        for bytes in [rows.as_bytes(), &wild] {
            if let Err(error) = read_orders([header, bytes].concat().as_slice(), "o.csv") {
                prop_assert!(error.to_string().starts_with("o.csv:"));
            }
        }
    }

    #[test]
    fn orders_are_read_back_as_they_were_written(orders in orders()) {
        let mut text = String::from("order_id,plate,parking_id,parking_fee,remaining_fee,cash,entrance_time,exit_time\n");
        for order in &orders {
            let (remaining, exit) = match order.state {
                OrderState::Open { remaining, .. } => (remaining.to_string(), String::new()),
                OrderState::Closed { .. } => (String::new(), order.exit_at.unwrap().wall()),
            };
            let plate = order.plate.as_ref().unwrap();
            let (fee, entrance) = (order.state.fee(), order.entrance_at);
            text += &[order.order_id.as_str(), plate.as_str(), "", &fee.to_string(), &remaining, "0.00", &entrance.wall(), &exit].join(",");
            text.push('\n');
        }
        prop_assert_eq!(read_orders(text.as_bytes(), "o.csv").unwrap(), orders);
    }
}
