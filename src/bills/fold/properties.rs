//! Properties of folding over small worlds in which ids collide often.
#![allow(clippy::arithmetic_side_effects, reason = "numbers of tests are small")]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::{OrderId, Plate};

fn sourced_row() -> impl Strategy<Value = SourcedRow> {
    let ids = (0..2u8, 0..3i64, 0..4u8, 0..5u8, proptest::option::of(0..4u8), proptest::option::of(0..3u8));
    let facts = (0..4u8, any::<bool>(), proptest::option::of(0..3usize), proptest::option::of(0..2u8));
    let money = (1..4i64, 0..3i64, any::<bool>(), 0..3i64, 0..3u8);
    let told = (proptest::option::of(0..2i64), proptest::option::of(-1..3i64));
    (ids, facts, money, told).prop_map(|(ids, facts, money, (coupon, fee))| {
        let (source, bill, payment, external, trade, refund) = ids;
        let (kind, is_ledger, order, plate) = facts;
        let (is_refund, is_fee) = (kind == 1, kind == 2);
        let (amount, refunded, refund_pending, hours, channel) = money;
        let kind = [RowKind::Payment, RowKind::Refund, RowKind::Fee, RowKind::Payment][usize::from(kind)];
        SourcedRow {
            source: format!("s{source}"),
            role: if is_ledger && source == 1 { Role::Ledger } else { Role::Trade },
            bill,
            is_id_derived: payment % 2 == 0,
            row: BillRow {
                part: 1,
                line: 2,
                kind,
                payment_id: format!("P{payment}"),
                refund_id: refund.filter(|_| is_refund || is_fee).map(|id| format!("R{id}")),
                external_order_id: ExternalOrderId::new(&format!("s{source}-E{external}")).unwrap(),
                trade_no: trade.map(|id| format!("T{id}")),
                order_id: order.and_then(|id| OrderId::new(["ord", "ORD", "other"][id])),
                plate: plate.and_then(|id| Plate::parse(&format!("渝B757D{id}")).ok()),
                amount: Amount::from_fen(amount).unwrap(),
                received: coupon.map(|coupon| Amount::from_fen((amount - coupon).max(0)).unwrap()),
                fee: fee.or(is_fee.then_some(1)).and_then(ChannelFee::from_fen),
                refunded: Amount::from_fen(refunded).unwrap(),
                refund_pending,
                at: Timestamp::from_unix(1_795_276_800 + hours * 9 * 3600),
                channel: ["", "wxpay", "alipay"][usize::from(channel)].to_owned(),
            },
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_order_of_rows_changes_nothing(
        (rows, shuffled) in proptest::collection::vec(sourced_row(), 0..14)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        prop_assert_eq!(fold(rows), fold(shuffled));
    }

    #[test]
    fn every_row_stands_somewhere_and_sums_agree(rows in proptest::collection::vec(sourced_row(), 0..14)) {
        let counting = rows.iter().filter(|row| row.row.kind != RowKind::Fee).count();
        let count = u64::try_from(counting).unwrap();
        let folded = fold(rows);
        prop_assert!(folded.ties_out());
        prop_assert_eq!(folded.rows_in.count, count);
        prop_assert_eq!(folded.payment_rows().count + folded.refund_rows().count, count);
    }

    #[test]
    fn only_conflicts_share_an_external_id(rows in proptest::collection::vec(sourced_row(), 0..14)) {
        let folded = fold(rows);
        let mut seen = BTreeSet::new();
        for payment in folded.payments.iter().filter(|payment| !payment.conflict) {
            prop_assert!(seen.insert(payment.external_order_id.clone()), "{:?}", payment);
        }
        for (alias, _) in &folded.aliases {
            prop_assert!(!seen.contains(alias), "{alias} names two payments");
        }
    }

    /// Importing everything a second time, as one more file, adds rows and nothing else.
    #[test]
    fn the_same_rows_again_change_no_payment(rows in proptest::collection::vec(sourced_row(), 0..14)) {
        let once = fold(rows.clone());
        let again = rows.iter().cloned().map(|row| SourcedRow { bill: row.bill + 100, ..row });
        let twice = fold(rows.iter().cloned().chain(again).collect());
        let without_rows = |folded: &Folded| -> Vec<Payment> {
            folded.payments.iter().map(|payment| Payment { rows: 0, ..payment.clone() }).collect()
        };
        prop_assert_eq!(without_rows(&once), without_rows(&twice));
        prop_assert_eq!(once.refunds.len(), twice.refunds.len());
    }

    #[test]
    fn a_refund_is_never_lost(rows in proptest::collection::vec(sourced_row(), 0..14)) {
        let folded = fold(rows);
        for refund in &folded.refunds {
            if let Some(payment) = refund.payment {
                let payment = &folded.payments[usize::try_from(payment).unwrap()];
                prop_assert!(payment.has_refund);
                prop_assert!(refund.pending || payment.refunded >= refund.amount);
            }
        }
    }
}
