//! The evidence of a run in the rows that its end stores. Pure.

use std::collections::{BTreeMap, HashMap};

use crate::jobs::evidence::{Judged, at};
use crate::model::{BusinessDate, NotificationState, Plate, Side};
use crate::store::{ExceptionKey, ExceptionSide, OutcomeRow, PlateUser, RosterPlate};

/// Each plate of the roster with its user.
pub(super) fn plate_users(roster: &[RosterPlate]) -> HashMap<Plate, PlateUser> {
    let users = roster.iter().map(|entry| {
        let user = PlateUser { plate: entry.plate.clone(), mobile: entry.mobile.clone() };
        (entry.plate.clone(), user)
    });
    users.collect()
}

pub(super) fn count_unknown(judged: &Judged) -> u64 {
    let unknown = judged
        .notifications
        .iter()
        .filter(|record| matches!(record.standing.state, NotificationState::Unknown | NotificationState::Sending));
    u64::try_from(unknown.count()).unwrap_or(u64::MAX)
}

/// Every subject in the evidence and what it is called now, so that a resolved exception has its reason.
pub(super) fn subjects(judged: &Judged) -> BTreeMap<ExceptionKey, &'static str> {
    let mut subjects = BTreeMap::new();
    let key = |side, subject: String, n, beside| ExceptionKey { side, subject, n, beside };
    let ordinals = judged.payment_ordinals();
    for ((payment, now), n) in judged.payments.iter().zip(&judged.outcome.payments).zip(ordinals) {
        let subject = payment.external_order_id.to_string();
        subjects.insert(key(ExceptionSide::Payment, subject.clone(), n, false), now.disposition.name());
        subjects.insert(key(ExceptionSide::Payment, subject, n, true), "agreeing");
    }
    for (order, now) in judged.orders.iter().zip(&judged.outcome.orders) {
        subjects.insert(key(ExceptionSide::Order, order.snapshot.order_id.key(), 0, false), now.disposition.name());
    }
    subjects
}

/// What the run calls each payment and order of its list.
pub(super) fn outcome_rows(judged: &Judged) -> Vec<OutcomeRow> {
    let ordinals = judged.payment_ordinals();
    let order_id = |index: Option<u32>| {
        let order = index.and_then(|index| judged.orders.get(at(index)));
        order.map(|order| order.snapshot.order_id.key())
    };
    let payment_id = |index: Option<u32>| {
        let payment = index.and_then(|index| judged.payments.get(at(index)));
        payment.map(|payment| payment.external_order_id.to_string())
    };
    let mut rows: Vec<OutcomeRow> = Vec::new();
    for (index, payment) in judged.payments_of_date() {
        let (Some(now), Some(n)) = (judged.outcome.payments.get(index), ordinals.get(index)) else { continue };
        rows.push(OutcomeRow {
            side: Side::Payment,
            subject: payment.external_order_id.to_string(),
            n: *n,
            disposition: now.disposition,
            rule: now.rule.key().to_owned(),
            counterpart: order_id(now.order),
            amount_fen: payment.gross.fen(),
        });
    }
    for (index, order) in judged.listed_orders() {
        let Some(now) = judged.outcome.orders.get(index) else { continue };
        rows.push(OutcomeRow {
            side: Side::Order,
            subject: order.snapshot.order_id.key(),
            n: 0,
            disposition: now.disposition,
            rule: now.rule.key().to_owned(),
            counterpart: payment_id(now.payment),
            amount_fen: order.snapshot.state.value().fen(),
        });
    }
    rows
}

/// The days of the date's orders, fixed from now on. Open orders of other days keep their freedom.
pub(super) fn order_days(judged: &Judged) -> Vec<(String, BusinessDate)> {
    let of_date = judged.orders.iter().zip(&judged.order_dates).filter(|(_, date)| **date == judged.date);
    of_date.map(|(order, date)| (order.snapshot.order_id.key(), *date)).collect()
}
