//! From what was read to what the rules work on: texts become keys, snapshots become rows, in the same order.

use std::cmp::Ordering;

use crate::model::{OrderId, OrderSnapshot, Payment};

use super::{Coverage, KeySpace, OrderRow, PaymentRow, row};

/// The rows of `payments`; keys come from `space`, which the orders must share.
pub fn rows_from_payments(payments: &[Payment], coverage: &Coverage, space: &mut KeySpace) -> Vec<PaymentRow> {
    let row = |payment: &Payment| PaymentRow {
        order: payment.order_id.as_ref().map(|id| space.order_key(id.as_str())),
        plate: payment.plate.as_ref().map(|plate| space.plate_key(plate.as_str())),
        gross: payment.gross,
        refunded: payment.refunded,
        has_refund: payment.has_refund,
        paid_at: payment.paid_at,
        conflict: payment.conflict,
        missing_is_unverifiable: coverage.missing_is_unverifiable(payment.plate.as_ref(), payment.paid_at),
    };
    payments.iter().map(row).collect()
}

/// The rows of `orders`, none vanished and none in want of a bill: the caller knows about that.
pub fn rows_from_orders(orders: &[OrderSnapshot], space: &mut KeySpace) -> Vec<OrderRow> {
    let row = |order: &OrderSnapshot| OrderRow {
        key: space.order_key(order.order_id.as_str()),
        plate: order.plate.as_ref().map(|plate| space.plate_key(plate.as_str())),
        entrance_at: order.entrance_at,
        exit_at: order.exit_at,
        state: order.state,
        vanished: false,
        missing_is_unverifiable: false,
    };
    orders.iter().map(row).collect()
}

/// The order of payment ids for [`super::Input::id_order`]. The same id of two sources goes by source; records in
/// conflict share even that, and go by what they contradict each other in.
pub fn id_order(payments: &[Payment]) -> impl Fn(u32, u32) -> Ordering + Sync + '_ {
    |a, b| {
        let (a, b) = (row(payments, a), row(payments, b));
        let order = |payment: &Payment| payment.order_id.as_ref().map(OrderId::key);
        let ids =
            (&a.payment_id, &a.source, &a.external_order_id).cmp(&(&b.payment_id, &b.source, &b.external_order_id));
        ids.then_with(|| a.plate.cmp(&b.plate)).then_with(|| order(a).cmp(&order(b)))
    }
}
