//! The rows behind a report, collected from what the run judged. Pure.

use std::collections::HashSet;

use super::evidence::{Judged, at};
use crate::model::Timestamp;
use crate::recon::Rule;
use crate::report::data::Sentence;
use crate::report::ledger::{Ledger, NotificationLine, OrderLine, PaymentLine};

/// The rows of a run's spreadsheet; `since` is when the run began.
pub fn ledger(judged: &Judged, since: Timestamp) -> Ledger {
    Ledger { payments: payments(judged), orders: orders(judged), notifications: notifications(judged, since) }
}

fn why(rule: Rule) -> Sentence {
    Sentence::new(rule.chinese(), rule.english())
}

fn payments(judged: &Judged) -> Vec<PaymentLine> {
    let lines = judged.payments_of_date().filter_map(|(index, payment)| {
        let now = judged.outcome.payments.get(index)?;
        let order = now.order.and_then(|order| judged.orders.get(at(order))).map(|order| &order.snapshot);
        Some(PaymentLine {
            source: payment.source.clone(),
            channel: payment.channel.clone(),
            payment_id: payment.payment_id.clone(),
            external_order_id: payment.external_order_id.to_string(),
            order_id: order.map(|order| &order.order_id).or(payment.order_id.as_ref()).map(ToString::to_string),
            plate: payment.plate.as_ref().or(order.and_then(|order| order.plate.as_ref())).map(ToString::to_string),
            paid_at: payment.paid_at,
            gross: payment.gross,
            refunded: payment.refunded,
            net: payment.net(),
            fee: payment.fee,
            disposition: now.disposition,
            why: why(now.rule),
        })
    });
    lines.collect()
}

fn orders(judged: &Judged) -> Vec<OrderLine> {
    let lines = judged.listed_orders().filter_map(|(index, order)| {
        let now = judged.outcome.orders.get(index)?;
        let payment = now.payment.and_then(|payment| judged.payments.get(at(payment)));
        let seen = &order.snapshot;
        let car_park = if seen.parking_name.is_empty() { &seen.parking_id } else { &seen.parking_name };
        Some(OrderLine {
            order_id: seen.order_id.to_string(),
            plate: seen.plate.as_ref().map(ToString::to_string),
            car_park: car_park.clone(),
            entrance_at: seen.entrance_at,
            exit_at: seen.exit_at,
            is_open: seen.state.is_open(),
            fee: seen.state.fee(),
            cash: seen.state.cash(),
            booked: seen.state.booked(),
            due: seen.state.due(),
            external_order_id: payment.map(|payment| payment.external_order_id.to_string()),
            disposition: now.disposition,
            why: why(now.rule),
        })
    });
    lines.collect()
}

fn notifications(judged: &Judged, since: Timestamp) -> Vec<NotificationLine> {
    let of_date: HashSet<&str> =
        judged.payments_of_date().map(|(_, payment)| payment.external_order_id.as_str()).collect();
    let listed = judged.notifications.iter().filter(|record| {
        of_date.contains(record.external_order_id.as_str())
            || record.standing.state.is_unfinished()
            || record.updated_at >= since
    });
    let lines = listed.map(|record| NotificationLine {
        external_order_id: record.external_order_id.to_string(),
        payment_id: record.payment_id.clone(),
        order_id: record.order_id.to_string(),
        plate: record.user.plate.to_string(),
        amount: record.standing.amount,
        pay_time: record.pay_time,
        state: record.standing.state,
        sends: record.standing.sends,
        pay_order_id: record.pay_order_id.clone(),
        why: record.why.clone(),
        planned_at: record.planned_at,
        updated_at: record.updated_at,
    });
    lines.collect()
}
