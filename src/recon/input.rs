//! What the rules work on: rows without text, small enough that ten million of them fit a laptop.

use std::cmp::Ordering;

use crate::model::{Amount, NotificationState, OrderState, Timestamp};

use super::{Key, row};

/// One payment: what all its evidence says together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    /// The order that the bill names, whether or not there is such an order.
    pub order: Option<Key>,
    /// The plate in the bill.
    pub plate: Option<Key>,
    /// What the customer's order cost.
    pub gross: Amount,
    /// What was given back of it, pending refunds left out.
    pub refunded: Amount,
    /// Whether any refund exists, pending ones too: such a payment never has a notification due.
    pub has_refund: bool,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// Other evidence of the same identity contradicts it.
    pub conflict: bool,
    /// What [`super::Coverage::missing_is_unverifiable`] says of it.
    pub missing_is_unverifiable: bool,
}

impl PaymentRow {
    /// `gross − refunded` in fen.
    pub(super) const fn net_fen(&self) -> i64 {
        self.gross.minus(self.refunded).fen()
    }

    /// Whether anything was given back or is about to be.
    pub(super) const fn any_refund(&self) -> bool {
        self.has_refund || !self.refunded.is_zero()
    }
}

/// One order: its newest snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Its id; no two rows have the same.
    pub key: Key,
    /// Its plate, if the platform did not mask it.
    pub plate: Option<Key>,
    /// When the car came in.
    pub entrance_at: Timestamp,
    /// When it left; without one, a closed order has no upper bound for rule 1c.
    pub exit_at: Option<Timestamp>,
    /// The money.
    pub state: OrderState,
    /// Seen open once, now in neither list of the platform; `state` is the last open one.
    pub vanished: bool,
    /// A bill that might pay it is absent, so a missing payment is no evidence.
    pub missing_is_unverifiable: bool,
}

/// One notification of a payment, void ones included. A payment has at most one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotificationRow {
    /// The payment, as its position in [`Input::payments`]; `None` when it is no longer in the evidence.
    pub payment: Option<u32>,
    /// The order that it names.
    pub order: Key,
    /// The amount that it says or would say.
    pub amount: Amount,
    /// Where it stands.
    pub state: NotificationState,
}

/// All that the rules may know.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The payments, in any order.
    pub payments: &'a [PaymentRow],
    /// The orders, in any order.
    pub orders: &'a [OrderRow],
    /// The notifications, in any order.
    pub notifications: &'a [NotificationRow],
    /// How long after the exit a payment may come and still be found by its plate, in seconds.
    pub grace_s: i64,
    /// Compares the payment ids of two payments, given by their positions.
    pub id_order: &'a (dyn Fn(u32, u32) -> Ordering + Sync),
}

impl Input<'_> {
    /// Which of two payments comes first: by `paid_at`, then by payment id. Payments that agree in both
    /// are told apart by their amounts, so that the result cannot depend on the order of the rows.
    pub(super) fn by_time(&self, a: u32, b: u32) -> Ordering {
        let (x, y) = (row(self.payments, a), row(self.payments, b));
        x.paid_at
            .cmp(&y.paid_at)
            .then_with(|| (self.id_order)(a, b))
            .then_with(|| (x.gross, x.refunded, x.has_refund).cmp(&(y.gross, y.refunded, y.has_refund)))
            .then(a.cmp(&b))
    }
}
