//! Load: all evidence of a run's window, and what the rules make of it.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::bills::{Folded, FoldedRefund, fold};
use crate::model::{BusinessDate, Disposition, Payment, Plate, Timestamp};
use crate::recon::coverage::Pull;
use crate::recon::rows::{id_order, rows_from_orders, rows_from_payments};
use crate::recon::{
    Control, Coverage, Input, KeySpace, NotificationRow, OrderRow, Outcome, PaymentRow, Totals, reconcile,
};
use crate::store::{
    CoverageRow, ExceptionFacts, ExceptionKey, ExceptionSide, NotificationRecord, OrderFilter, Store, StoreError,
    StoredOrder,
};

/// What a run judges by.
pub struct Scope {
    /// The date that is reconciled.
    pub date: BusinessDate,
    /// The first moment of the window.
    pub start: Timestamp,
    /// How long after the exit a payment may come, in seconds.
    pub grace_s: i64,
    /// What was pulled, by the run that counts for it; none when none ever was.
    pub coverage: Option<Vec<CoverageRow>>,
    /// The run whose coverage that is.
    pub covered_by: Option<String>,
    /// The days of the window, up to the date, of which a required bill is absent.
    pub bill_missing: HashSet<BusinessDate>,
}

/// Everything in the window, judged.
pub struct Judged {
    /// The date.
    pub date: BusinessDate,
    /// The payments, in the order of [`Outcome::payments`].
    pub payments: Vec<Payment>,
    /// The refunds.
    pub refunds: Vec<FoldedRefund>,
    /// The orders, in the order of [`Outcome::orders`].
    pub orders: Vec<StoredOrder>,
    /// Which of them are in neither list any more.
    pub vanished: Vec<bool>,
    /// The day of each order.
    pub order_dates: Vec<BusinessDate>,
    /// The notifications.
    pub notifications: Vec<NotificationRecord>,
    /// What the rules say.
    pub outcome: Outcome,
    /// The buckets of the date.
    pub totals: Totals,
    /// What came in for the date, counted before any rule saw it.
    pub control: Control,
    /// Whether all counts and sums add up.
    pub tie_out: bool,
    window_start: Timestamp,
    grace_s: i64,
}

/// Reads the evidence and judges it.
///
/// # Errors
/// When the database cannot be read.
pub fn judge(store: &Store, scope: &Scope) -> Result<Judged, StoreError> {
    let rows = store.bill_rows_since(scope.start)?;
    let folded = fold(rows);
    let every_row_stands = folded.ties_out();
    let orders = store.orders(OrderFilter::Since(scope.start))?;
    let notifications = store.notifications()?;
    let tables = Tables::build(scope, &folded, &orders, &notifications);
    let by_id = id_order(&folded.payments);
    let input = Input {
        payments: &tables.payments,
        orders: &tables.orders,
        notifications: &tables.notifications,
        grace_s: scope.grace_s,
        id_order: &by_id,
    };
    let outcome = reconcile(&input);
    let all = Totals::of(&input, &outcome).tie_out(&Control::of(&tables.payments, &tables.orders));
    drop(by_id);
    let order_dates = order_dates(&folded.payments, &orders, &outcome);
    let mut judged = Judged {
        date: scope.date,
        vanished: tables.orders.iter().map(|row| row.vanished).collect(),
        payments: folded.payments,
        refunds: folded.refunds,
        orders,
        order_dates,
        notifications,
        outcome,
        totals: Totals::default(),
        control: Control::default(),
        tie_out: false,
        window_start: scope.start,
        grace_s: scope.grace_s,
    };
    judged.count(&tables);
    judged.tie_out = every_row_stands && all.holds() && judged.totals.tie_out(&judged.control).holds();
    Ok(judged)
}

/// The compact rows that the rules work on.
struct Tables {
    payments: Vec<PaymentRow>,
    orders: Vec<OrderRow>,
    notifications: Vec<NotificationRow>,
}

impl Tables {
    fn build(scope: &Scope, folded: &Folded, orders: &[StoredOrder], notifications: &[NotificationRecord]) -> Self {
        let payments = &folded.payments;
        let mut keys = KeySpace::new();
        let coverage = scope.coverage.as_deref().map_or_else(Coverage::none, pull_coverage);
        let pulled_at = scope.coverage.as_deref().map(pulled_plates).unwrap_or_default();
        let payment_rows = rows_from_payments(payments, &coverage, &mut keys);
        let snapshots: Vec<_> = orders.iter().map(|order| order.snapshot.clone()).collect();
        let mut order_rows = rows_from_orders(&snapshots, &mut keys);
        for (row, order) in order_rows.iter_mut().zip(orders) {
            let seen = &order.snapshot;
            let moment = seen.plate.as_ref().and_then(|plate| pulled_at.get(plate));
            let seen_then = order.last_seen_run == scope.covered_by;
            row.vanished = seen.state.is_open() && !seen_then && moment.is_some_and(|at| order.last_seen_at <= *at);
            let day = seen.exit_at.unwrap_or(seen.entrance_at).business_date();
            row.missing_is_unverifiable = scope.bill_missing.contains(&day);
        }
        let notification_rows = notification_rows(folded, notifications, &mut keys);
        Self { payments: payment_rows, orders: order_rows, notifications: notification_rows }
    }
}

/// Each notification with the payment that it speaks of: the same id, and, where contents contradict
/// each other, the one whose amount and order were told.
fn notification_rows(
    folded: &Folded,
    notifications: &[NotificationRecord],
    keys: &mut KeySpace,
) -> Vec<NotificationRow> {
    let payments = &folded.payments;
    let mut by_id: HashMap<&str, Vec<u32>> = HashMap::new();
    for (index, payment) in (0_u32..).zip(payments) {
        by_id.entry(payment.external_order_id.as_str()).or_default().push(index);
    }
    for (alias, index) in &folded.aliases {
        by_id.entry(alias.as_str()).or_default().push(*index);
    }
    notifications
        .iter()
        .map(|record| {
            let same_id = by_id.get(record.external_order_id.as_str()).map(Vec::as_slice).unwrap_or_default();
            let told = same_id.iter().copied().find(|index| {
                payments.get(at(*index)).is_some_and(|payment| {
                    payment.net() == record.standing.amount.minus(crate::model::Amount::ZERO)
                        && payment.order_id.as_ref().is_none_or(|id| *id == record.order_id)
                })
            });
            NotificationRow {
                payment: told.or_else(|| same_id.first().copied()),
                order: keys.order_key(record.order_id.as_str()),
                amount: record.standing.amount,
                state: record.standing.state,
            }
        })
        .collect()
}

/// What rule 7 may rely on.
fn pull_coverage(rows: &[CoverageRow]) -> Coverage {
    if rows.is_empty() {
        return Coverage::none();
    }
    let plates = |wanted: &dyn Fn(&CoverageRow) -> bool| -> HashSet<Plate> {
        rows.iter().filter(|row| wanted(row)).map(|row| row.plate.clone()).collect()
    };
    Coverage::of(Pull {
        roster: plates(&|_| true),
        pulled: plates(&|row| row.failure.is_none()),
        doubtful: plates(&|row| row.doubtful),
        any_failed: rows.iter().any(|row| row.failure.is_some()),
        pulled_at: rows.iter().map(|row| row.pulled_at).min().unwrap_or_default(),
    })
}

/// The plates that were pulled in full, and when.
pub(super) fn pulled_plates(rows: &[CoverageRow]) -> BTreeMap<&Plate, Timestamp> {
    let pulled = rows.iter().filter(|row| row.failure.is_none() && !row.doubtful);
    pulled.map(|row| (&row.plate, row.pulled_at)).collect()
}

/// The day of each order: the one it was reported under, else of its first payment, else of its exit, else of its entrance.
fn order_dates(payments: &[Payment], orders: &[StoredOrder], outcome: &Outcome) -> Vec<BusinessDate> {
    let mut first_paid: Vec<Option<Timestamp>> = vec![None; orders.len()];
    for (payment, judged) in payments.iter().zip(&outcome.payments) {
        let slot = judged.order.and_then(|order| first_paid.get_mut(at(order)));
        if let Some(slot) = slot {
            *slot = Some(slot.map_or(payment.paid_at, |first| first.min(payment.paid_at)));
        }
    }
    let dated = orders.iter().zip(first_paid).map(|(order, paid_at)| {
        let seen = &order.snapshot;
        let day = paid_at.or(seen.exit_at).unwrap_or(seen.entrance_at).business_date();
        order.reported_date.unwrap_or(day)
    });
    dated.collect()
}

/// An index of the rules as a position.
pub fn at(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

impl Judged {
    /// Fills the buckets of the date and, apart from them, the control totals.
    fn count(&mut self, tables: &Tables) {
        for (index, row) in tables.payments.iter().enumerate() {
            if row.paid_at.business_date() == self.date {
                self.control.add_payment(row.gross);
                if let Some(judged) = self.outcome.payments.get(index) {
                    self.totals.add_payment(row, judged.disposition);
                }
            }
        }
        for (index, row) in tables.orders.iter().enumerate() {
            if self.order_is_listed(index) {
                self.control.add_order(row.state);
                if let Some(judged) = self.outcome.orders.get(index) {
                    self.totals.add_order(row, judged.disposition);
                }
            }
        }
    }

    /// Whether an order stands in the run's list: it is of the date, or open.
    pub fn order_is_listed(&self, index: usize) -> bool {
        let (Some(order), Some(date)) = (self.orders.get(index), self.order_dates.get(index)) else { return false };
        let vanished = self.vanished.get(index).copied().unwrap_or(false);
        // One that nobody has pulled since the window began is only history.
        let is_open = order.snapshot.state.is_open() && !vanished && order.last_seen_at >= self.window_start;
        *date == self.date || is_open
    }

    /// The payments of the date, with their positions.
    pub fn payments_of_date(&self) -> impl Iterator<Item = (usize, &Payment)> {
        self.payments.iter().enumerate().filter(|(_, payment)| payment.paid_at.business_date() == self.date)
    }

    /// The orders of the run's list, with their positions.
    pub fn listed_orders(&self) -> impl Iterator<Item = (usize, &StoredOrder)> {
        self.orders.iter().enumerate().filter(|(index, _)| self.order_is_listed(*index))
    }

    /// The refunds of the date.
    pub fn refunds_of_date(&self) -> impl Iterator<Item = &FoldedRefund> {
        self.refunds.iter().filter(|refund| refund.at.business_date() == self.date)
    }

    /// How many payments of any day the platform still has to be told of.
    pub fn due_count(&self) -> u64 {
        u64::try_from(self.outcome.due.len()).unwrap_or(u64::MAX)
    }

    /// Tells the contents of one conflicting id apart: how many before this one bear the same.
    pub fn payment_ordinals(&self) -> Vec<i64> {
        let mut seen: HashMap<&str, i64> = HashMap::new();
        self.payments
            .iter()
            .map(|payment| {
                let next = seen.entry(payment.external_order_id.as_str()).or_insert(0);
                let ordinal = *next;
                *next = next.saturating_add(1);
                ordinal
            })
            .collect()
    }

    /// Every exception that the evidence shows, of any date: each payment's, and each order's that has no payment.
    pub fn exceptions(&self) -> Vec<ExceptionFacts> {
        let ordinals = self.payment_ordinals();
        let mut found = Vec::new();
        for ((payment, judged), n) in self.payments.iter().zip(&self.outcome.payments).zip(&ordinals) {
            let order = judged.order.and_then(|order| self.orders.get(at(order)));
            let facts = |kind: &str, beside: bool| ExceptionFacts {
                key: ExceptionKey {
                    side: ExceptionSide::Payment,
                    subject: payment.external_order_id.to_string(),
                    n: *n,
                    beside,
                },
                kind: kind.to_owned(),
                date: payment.paid_at.business_date(),
                payment_id: Some(payment.payment_id.clone()),
                external_order_id: Some(payment.external_order_id.to_string()),
                order_id: order
                    .map(|order| &order.snapshot.order_id)
                    .or(payment.order_id.as_ref())
                    .map(ToString::to_string),
                plate: payment
                    .plate
                    .as_ref()
                    .or(order.and_then(|order| order.snapshot.plate.as_ref()))
                    .map(ToString::to_string),
                paid: payment.net(),
                due: order.map(|order| order.snapshot.state.value()).unwrap_or_default(),
                at: payment.paid_at,
                rule: judged.rule.key().to_owned(),
            };
            if judged.disposition.is_exception() {
                found.push(facts(judged.disposition.name(), false));
            }
            if payment.bill_disagrees {
                found.push(facts(crate::model::disposition::BILL_DISAGREES, true));
            }
        }
        found.extend(self.lone_order_exceptions());
        found
    }

    /// Subjects of earlier days that a finished run has reported. What became of them since is told now, for
    /// no run of their own day will: a refund of the next day, an order that closed in the night. Only those
    /// of which the window holds everything, and orders whose last day has its bills.
    pub fn reported_before(&self, reported: &HashSet<BusinessDate>) -> HashSet<ExceptionKey> {
        let is_earlier = |date: BusinessDate| date < self.date && reported.contains(&date);
        let from = self.window_start.plus_s(self.grace_s);
        let is_whole = |order: &StoredOrder| {
            let seen = &order.snapshot;
            seen.entrance_at >= from && seen.exit_at.is_none_or(|exit| exit.business_date() <= self.date)
        };
        let mut keys = HashSet::new();
        let key = |side, subject: String, n, beside| ExceptionKey { side, subject, n, beside };
        let ordinals = self.payment_ordinals();
        for ((payment, judged), n) in self.payments.iter().zip(&self.outcome.payments).zip(ordinals) {
            let order = judged.order.and_then(|order| self.orders.get(at(order)));
            let tells = judged.disposition != Disposition::Unverifiable;
            if tells
                && is_earlier(payment.paid_at.business_date())
                && payment.paid_at >= from
                && order.is_none_or(is_whole)
            {
                let subject = payment.external_order_id.to_string();
                keys.insert(key(ExceptionSide::Payment, subject.clone(), n, false));
                keys.insert(key(ExceptionSide::Payment, subject, n, true));
            }
        }
        for ((order, judged), date) in self.orders.iter().zip(&self.outcome.orders).zip(&self.order_dates) {
            if judged.disposition != Disposition::Unverifiable && is_earlier(*date) && is_whole(order) {
                keys.insert(key(ExceptionSide::Order, order.snapshot.order_id.key(), 0, false));
            }
        }
        keys
    }

    fn lone_order_exceptions(&self) -> impl Iterator<Item = ExceptionFacts> + '_ {
        let orders = self.orders.iter().zip(&self.outcome.orders).zip(&self.order_dates);
        let lone = orders.filter(|((_, judged), _)| judged.disposition.is_exception() && judged.payment.is_none());
        lone.map(|((order, judged), date)| ExceptionFacts {
            key: ExceptionKey {
                side: ExceptionSide::Order,
                subject: order.snapshot.order_id.key(),
                n: 0,
                beside: false,
            },
            kind: judged.disposition.name().to_owned(),
            date: *date,
            payment_id: None,
            external_order_id: None,
            order_id: Some(order.snapshot.order_id.to_string()),
            plate: order.snapshot.plate.as_ref().map(ToString::to_string),
            paid: crate::model::Difference::ZERO,
            due: order.snapshot.state.value(),
            at: order.snapshot.exit_at.unwrap_or(order.snapshot.entrance_at),
            rule: judged.rule.key().to_owned(),
        })
    }
}
