//! Rule 1: which order each payment belongs to.
//!
//! By its notification, else by the order id in its bill, else by plate, amount and time, if that is one to one.
//! The last is found by one sweep over points (payments) and intervals (stays) of the same plate and amount,
//! so that a plate with ten thousand equal stays costs no more than its sorting.

use std::collections::HashMap;

use crate::model::{Amount, NotificationState};

use super::key::Positions;
use super::{Input, Key, OrderRow, at, index, row};

/// How rule 1 ended for a payment that is assigned to nothing, or that it is assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// To the order in [`Assignment::order_of`].
    Assigned,
    /// To nothing: there is no such order.
    NoOrder,
    /// To nothing: in conflict.
    Conflict,
    /// To nothing: more than one fits.
    Ambiguous,
}

/// What stands in [`Assignment::order_of`] without an order.
pub(super) const NOWHERE: u32 = u32::MAX;

/// A notification that counts for an order, sorted to lie beside the others of that order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notice {
    pub order: u32,
    pub payment: Option<u32>,
    pub state: NotificationState,
    pub amount: Amount,
}

/// Rule 1's result.
pub(super) struct Assignment {
    /// The order of each payment, or [`NOWHERE`].
    pub order_of: Vec<u32>,
    /// How it came to that.
    pub fate: Vec<Fate>,
    /// The state of each payment's notification.
    pub state_of: Vec<Option<NotificationState>>,
    /// The notifications whose order is known, by order.
    pub notices: Vec<Notice>,
    /// Orders and the payments in conflict that name them, by order, then oldest first.
    pub conflicts: Vec<(u32, u32)>,
    /// The orders that an ambiguous payment might pay, sorted.
    pub ambiguous: Vec<u32>,
    members: Vec<u32>,
    /// Where each order's members begin; one more than there are orders.
    offsets: Vec<u32>,
}

impl Assignment {
    /// The payments assigned to an order, in no particular order.
    pub(super) fn members(&self, order: u32) -> &[u32] {
        let (from, to) = (at(self.offsets[at(order)]), at(self.offsets[at(order).saturating_add(1)]));
        &self.members[from..to]
    }
}

/// Applies rule 1.
pub(super) fn assign(input: &Input<'_>) -> Assignment {
    let key_at = |order: u32| row(input.orders, order).key;
    let positions = Positions::new(input.orders.iter().map(|order| order.key), key_at);
    let find = |key: Key| positions.get(key, key_at);

    let mut work = Assignment {
        order_of: vec![NOWHERE; input.payments.len()],
        fate: vec![Fate::NoOrder; input.payments.len()],
        state_of: vec![None; input.payments.len()],
        notices: Vec::new(),
        conflicts: Vec::new(),
        ambiguous: Vec::new(),
        members: Vec::new(),
        offsets: Vec::new(),
    };
    let mut taken = vec![false; input.orders.len()];
    by_notification(input, &find, &mut work, &mut taken);
    let loose = by_order_id(input, &find, &mut work, &mut taken);
    if !loose.is_empty() {
        by_plate(input, &loose, &taken, &mut work);
    }
    group(&mut work, input.orders.len());
    work
}

/// Rule 1a, and the notifications by order.
fn by_notification(input: &Input<'_>, find: &impl Fn(Key) -> Option<u32>, work: &mut Assignment, taken: &mut [bool]) {
    for notification in input.notifications {
        let order = find(notification.order);
        let state = notification.state;
        if let Some(payment) = notification.payment {
            work.state_of[at(payment)] = Some(state);
            work.order_of[at(payment)] = order.unwrap_or(NOWHERE);
        }
        let Some(order) = order else { continue };
        work.notices.push(Notice { order, payment: notification.payment, state, amount: notification.amount });
        // The payment of a notification holds the order even when it is too old to be in the evidence.
        if notification.payment.is_none() && state != NotificationState::Void {
            taken[at(order)] = true;
        }
    }
    work.notices.sort_by_key(|notice| notice.order);
}

/// Rule 1b, conflicts among it; returns the payments that only rule 1c can place.
fn by_order_id(
    input: &Input<'_>,
    find: &impl Fn(Key) -> Option<u32>,
    work: &mut Assignment,
    taken: &mut [bool],
) -> Vec<u32> {
    let mut loose = Vec::new();
    for (position, payment) in input.payments.iter().enumerate() {
        let state = work.state_of[position];
        let notified = state.filter(|state| *state != NotificationState::Void);
        let order = match notified {
            Some(_) => Some(work.order_of[position]).filter(|order| *order != NOWHERE),
            None => payment.order.and_then(find),
        };
        // A conflict undoes the assignment, but not once the platform was told.
        if payment.conflict && notified.is_none_or(|state| state == NotificationState::Planned) {
            work.fate[position] = Fate::Conflict;
            work.conflicts.extend(order.map(|order| (order, index(position))));
        } else if let Some(order) = order {
            work.fate[position] = Fate::Assigned;
            work.order_of[position] = order;
            taken[at(order)] = true;
            continue;
        } else if notified.is_none() && payment.order.is_none() && payment.plate.is_some() && payment.net_fen() > 0 {
            loose.push(index(position));
        }
        work.order_of[position] = NOWHERE;
    }
    work.conflicts.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| input.by_time(a.1, b.1)));
    loose
}

/// A payment on the line of its plate and amount.
#[derive(Clone, Copy)]
struct Point {
    group: u32,
    time_s: i64,
    payment: u32,
}

/// The stay of an order on the line of its plate and amount, both ends within.
#[derive(Clone, Copy)]
struct Stay {
    group: u32,
    from_s: i64,
    to_s: i64,
    order: u32,
}

/// Rule 1c for payments with a plate, without an order id.
fn by_plate(input: &Input<'_>, loose: &[u32], taken: &[bool], work: &mut Assignment) {
    let mut groups: HashMap<(Key, i64), u32> = HashMap::new();
    let mut points = Vec::with_capacity(loose.len());
    for payment in loose {
        let bill = row(input.payments, *payment);
        let Some(plate) = bill.plate else { continue };
        let next = index(groups.len());
        let group = *groups.entry((plate, bill.net_fen())).or_insert(next);
        points.push(Point { group, time_s: bill.paid_at.unix(), payment: *payment });
    }
    let mut stays = Vec::new();
    for (position, order) in input.orders.iter().enumerate().filter(|(position, _)| !taken[*position]) {
        let Some(group) = order.plate.and_then(|plate| groups.get(&(plate, payable_fen(order)))) else { continue };
        let stay = stay(order, *group, index(position), input.grace_s);
        if stay.from_s <= stay.to_s {
            stays.push(stay);
        }
    }
    points.sort_unstable_by_key(|point| (point.group, point.time_s, point.payment));
    stays.sort_unstable_by_key(|stay| (stay.group, stay.from_s, stay.order));
    for points in points.chunk_by(|a, b| a.group == b.group) {
        let group = points[0].group;
        let from = stays.partition_point(|stay| stay.group < group);
        let to = stays.partition_point(|stay| stay.group <= group);
        pair(points, &stays[from..to], work);
    }
    work.ambiguous.sort_unstable();
}

/// What a payment has to be for rule 1c: `due` of an open order, `booked` of a closed one.
fn payable_fen(order: &OrderRow) -> i64 {
    if order.state.is_open() { order.state.due().fen() } else { order.state.booked().fen() }
}

fn stay(order: &OrderRow, group: u32, position: u32, grace_s: i64) -> Stay {
    let exit = order.exit_at.filter(|_| !order.state.is_open());
    let to_s = exit.map_or(i64::MAX, |exit| exit.plus_s(grace_s).unix());
    Stay { group, from_s: order.entrance_at.unix(), to_s, order: position }
}

/// Pairs the points and stays of one plate and amount: one to one is assigned, anything else is ambiguous.
///
/// Both lists are sorted by time. A sweep keeps how many stays are open at a point and the XOR of
/// their orders, which is the order itself when there is one.
fn pair(points: &[Point], stays: &[Stay], work: &mut Assignment) {
    let mut ends: Vec<(i64, u32)> = stays.iter().map(|stay| (stay.to_s, stay.order)).collect();
    ends.sort_unstable();
    let (mut entered, mut left, mut open, mut mix) = (0_usize, 0_usize, 0_usize, 0_u32);
    let mut fits = Vec::with_capacity(points.len());
    for point in points {
        while let Some(stay) = stays.get(entered).filter(|stay| stay.from_s <= point.time_s) {
            entered = entered.saturating_add(1);
            open = open.saturating_add(1);
            mix ^= stay.order;
        }
        while let Some((_, order)) = ends.get(left).filter(|(end, _)| *end < point.time_s) {
            left = left.saturating_add(1);
            open = open.saturating_sub(1);
            mix ^= order;
        }
        fits.push((open, mix));
    }
    let within = |stay: &Stay| {
        let first = points.partition_point(|point| point.time_s < stay.from_s);
        first..points.partition_point(|point| point.time_s <= stay.to_s)
    };
    // Whatever fits something is ambiguous, until a stay turns out to be its only one, and it the stay's.
    for (point, _) in points.iter().zip(&fits).filter(|(_, (open, _))| *open > 0) {
        work.fate[at(point.payment)] = Fate::Ambiguous;
    }
    for stay in stays {
        let inside = within(stay);
        match (inside.len(), inside.start) {
            (0, _) => {}
            (1, only) if fits[only] == (1, stay.order) => {
                work.fate[at(points[only].payment)] = Fate::Assigned;
                work.order_of[at(points[only].payment)] = stay.order;
            }
            _ => work.ambiguous.push(stay.order),
        }
    }
}

/// Lays the payments of each order side by side, by counting.
fn group(work: &mut Assignment, orders: usize) {
    let mut offsets = vec![0_u32; orders.saturating_add(1)];
    let assigned = || work.order_of.iter().enumerate().filter(|(_, order)| **order != NOWHERE);
    for (_, order) in assigned() {
        let slot = &mut offsets[at(*order)];
        *slot = slot.saturating_add(1);
    }
    // Ends first; filling from behind turns each end into a beginning.
    let mut end = 0_u32;
    for slot in &mut offsets {
        end = end.saturating_add(*slot);
        *slot = end;
    }
    let mut members = vec![0_u32; at(end)];
    for (payment, order) in assigned() {
        let slot = &mut offsets[at(*order)];
        *slot = slot.saturating_sub(1);
        members[at(*slot)] = index(payment);
    }
    work.members = members;
    work.offsets = offsets;
}
