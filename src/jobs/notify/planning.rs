//! Which due payments become notifications: planned, held, or withdrawn, all in one transaction.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::Teller;
use crate::jobs::evidence::{Judged, at};
use crate::model::{ExternalOrderId, NotificationState, Plate};
use crate::notify::{DueFact, Next, PlanState, Planned, Standing, Verdict, WhyHeld, plan};
use crate::store::{NewNotification, NotificationRecord, PlateUser};

/// The notifications by what they are looked up by.
struct Known<'a> {
    by_id: HashMap<&'a ExternalOrderId, &'a NotificationRecord>,
    by_order: HashMap<String, Vec<&'a NotificationRecord>>,
}

impl<'a> Known<'a> {
    fn new(records: &'a [NotificationRecord]) -> Self {
        let mut by_order: HashMap<String, Vec<&NotificationRecord>> = HashMap::new();
        for record in records {
            by_order.entry(record.order_id.key()).or_default().push(record);
        }
        Self { by_id: records.iter().map(|record| (&record.external_order_id, record)).collect(), by_order }
    }

    /// The states of an order's notifications other than `id`'s.
    fn others(&self, order_key: &str, id: &ExternalOrderId) -> Vec<NotificationState> {
        let records = self.by_order.get(order_key).into_iter().flatten();
        records.filter(|record| record.external_order_id != *id).map(|record| record.standing.state).collect()
    }
}

impl Teller<'_> {
    /// Plans the due payments of the evidence and withdraws plans that are not due any more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn plan(&mut self, judged: &Judged, users: &HashMap<Plate, PlateUser>) -> anyhow::Result<()> {
        let known = Known::new(&judged.notifications);
        let others = others_of_due(judged, &known);
        let planned = plan(&due_facts(judged, &known, &others, &self.store.ever_duplicate()?), &self.caps);
        let mut wanted = HashSet::new();
        let (mut new, mut to_hold) = (Vec::new(), Vec::new());
        for one in &planned {
            let Some(payment) = judged.payments.get(at(one.payment)) else { continue };
            wanted.insert(&payment.external_order_id);
            match (known.by_id.get(&payment.external_order_id), held(one)) {
                (Some(record), Some(why)) => to_hold.push(((*record).clone(), why)),
                (Some(_), None) => {}
                (None, _) => match new_notification(judged, one, users) {
                    Some(notification) => new.push(notification),
                    None => self.unsent = self.unsent.saturating_add(1),
                },
            }
        }
        let newly_held = new.iter().filter(|one| one.standing.state == NotificationState::Held).count();
        self.told.held = self.told.held.saturating_add(u64::try_from(newly_held).unwrap_or(u64::MAX));
        let withdrawn: Vec<NotificationRecord> = judged
            .notifications
            .iter()
            .filter(|record| record.standing.state == NotificationState::Planned && !record.standing.was_sent())
            .filter(|record| !record.standing.released && !wanted.contains(&record.external_order_id))
            .cloned()
            .collect();
        self.store.plan_notifications(self.run_id, &new, &withdrawn, self.clock.now())?;
        for (record, why) in to_hold {
            let standing = Standing { state: NotificationState::Held, ..record.standing };
            let next = Next { standing, verdict: Verdict::Held(why), stop_sending: false };
            self.apply(&record, &next, &json!({}))?;
        }
        Ok(())
    }
}

/// The due payments as the rules of planning take them; `others` belongs to each in turn.
fn due_facts<'a>(
    judged: &'a Judged,
    known: &Known<'_>,
    others: &'a [Vec<NotificationState>],
    ever_duplicate: &HashSet<String>,
) -> Vec<DueFact<'a>> {
    let facts = judged.outcome.due.iter().zip(others).filter_map(|(due, others)| {
        let payment = judged.payments.get(at(due.payment))?;
        let id = &payment.external_order_id;
        Some(DueFact {
            payment: due.payment,
            order: due.order,
            external_order_id: id,
            amount: payment.net().to_amount()?,
            paid_at: payment.paid_at,
            was_duplicate: ever_duplicate.contains(id.as_str()),
            own: known.by_id.get(id).map(|record| (record.standing.state, record.standing.released)),
            others,
        })
    });
    facts.collect()
}

/// For each due payment the states of its order's other notifications.
fn others_of_due(judged: &Judged, known: &Known<'_>) -> Vec<Vec<NotificationState>> {
    let others = judged.outcome.due.iter().map(|due| {
        let order = judged.orders.get(at(due.order)).map(|order| order.snapshot.order_id.key());
        let payment = judged.payments.get(at(due.payment)).map(|payment| &payment.external_order_id);
        order.zip(payment).map(|(order, payment)| known.others(&order, payment)).unwrap_or_default()
    });
    others.collect()
}

/// The notification of a due payment; none when the order's plate has no user to speak for.
fn new_notification(judged: &Judged, one: &Planned, users: &HashMap<Plate, PlateUser>) -> Option<NewNotification> {
    let payment = judged.payments.get(at(one.payment))?;
    let order = &judged.orders.get(at(one.order))?.snapshot;
    let Some(user) = order.plate.as_ref().and_then(|plate| users.get(plate)) else {
        tracing::warn!(order.id = %order.order_id, "not told: the order's plate is not in the roster");
        return None;
    };
    let held = held(one);
    Some(NewNotification {
        external_order_id: payment.external_order_id.clone(),
        payment_id: payment.payment_id.clone(),
        order_id: order.order_id.clone(),
        user: user.clone(),
        pay_time: payment.paid_at,
        standing: held.map_or_else(|| Standing::planned(one.amount), |_| Standing::held(one.amount)),
        why: held.map_or_else(String::new, |why| why.name().to_owned()),
    })
}

fn held(planned: &Planned) -> Option<WhyHeld> {
    match planned.state {
        PlanState::Planned => None,
        PlanState::Held(why) => Some(why),
    }
}
