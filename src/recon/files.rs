//! Matching what two files say: payments of any bill, orders of a CSV. No database, no platform, full coverage.

use serde::Serialize;

use crate::model::{OrderSnapshot, Payment};

use super::exceptions::{ExceptionLine, exceptions};
use super::rows::{id_order, rows_from_orders, rows_from_payments};
use super::{Control, Coverage, Input, KeySpace, Tally, TieOut, Totals, reconcile};

/// The grace of a payment after the exit when no configuration says otherwise: 30 minutes.
pub const DEFAULT_GRACE_S: i64 = 30 * 60;

/// What the two files say of each other. As JSON: `payments`, `orders`, `tie_out`.
#[derive(Clone, Debug, Serialize)]
pub struct Matched<'a> {
    /// The payments by disposition, by gross.
    pub payments: Tally,
    /// The orders by disposition, by `booked + due`.
    pub orders: Tally,
    /// Whether the buckets add up to the files.
    pub tie_out: TieOut,
    /// What a person has to look at, sorted.
    #[serde(skip)]
    pub exceptions: Vec<ExceptionLine<'a>>,
}

/// Matches payments with orders, no two of which have the same id.
pub fn match_files<'a>(payments: &'a [Payment], orders: &'a [OrderSnapshot], grace_s: i64) -> Matched<'a> {
    let mut control = Control::default();
    for payment in payments {
        control.add_payment(payment.gross);
    }
    for order in orders {
        control.add_order(order.state);
    }

    let mut space = KeySpace::new();
    let payment_rows = rows_from_payments(payments, &Coverage::full(), &mut space);
    let order_rows = rows_from_orders(orders, &mut space);
    let input = Input {
        payments: &payment_rows,
        orders: &order_rows,
        notifications: &[],
        grace_s,
        id_order: &id_order(payments),
    };
    let outcome = reconcile(&input);
    let totals = Totals::of(&input, &outcome);
    Matched {
        tie_out: totals.tie_out(&control),
        payments: totals.payments,
        orders: totals.orders,
        exceptions: exceptions(payments, orders, &outcome),
    }
}
