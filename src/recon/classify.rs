//! Rules 2 to 7: what became of each payment and each order, once rule 1 has put them together.

use std::cmp::{Ordering, Reverse};

use crate::model::{Disposition, NotificationState, OrderState, Side};

use super::assign::{Assignment, Fate, NOWHERE, Notice};
use super::{Due, Input, OrderOutcome, OrderRow, Outcome, PaymentOutcome, PaymentRow, Rule, at, index, row};

/// Applies rules 2 to 7.
pub(super) fn classify(input: &Input<'_>, assignment: &Assignment) -> Outcome {
    let payments = input.payments.iter().enumerate().map(|(position, payment)| {
        let order = Some(assignment.order_of[position]).filter(|order| *order != NOWHERE);
        let (disposition, rule) = alone(payment, assignment.fate[position], assignment.state_of[position]);
        PaymentOutcome { disposition, rule, order }
    });
    let mut books = Books {
        input,
        assignment,
        outcome: Outcome {
            payments: payments.collect(),
            orders: Vec::with_capacity(input.orders.len()),
            due: Vec::new(),
        },
        items: Vec::new(),
        notices: 0,
        conflicts: 0,
    };
    for (position, order) in input.orders.iter().enumerate() {
        let outcome = books.order(index(position), order);
        books.outcome.orders.push(outcome);
    }
    let mut outcome = books.outcome;
    outcome.due.sort_by(|a, b| input.by_time(a.payment, b.payment));
    outcome
}

/// What can be said of a payment without its order; what the order says comes over it.
fn alone(payment: &PaymentRow, fate: Fate, state: Option<NotificationState>) -> (Disposition, Rule) {
    if let Some(state) = state.filter(|state| *state != NotificationState::Planned) {
        return (state.disposition(), Rule::Notification);
    }
    match fate {
        Fate::Conflict => (Disposition::ConflictingRecord, Rule::Conflict),
        Fate::Ambiguous => (Disposition::Ambiguous, Rule::Ambiguous),
        Fate::Assigned | Fate::NoOrder => match payment.net_fen().cmp(&0) {
            Ordering::Equal if payment.any_refund() => (Disposition::Refunded, Rule::Refunded),
            Ordering::Less | Ordering::Equal => (Disposition::AmountMismatch, Rule::RefundedTooMuch),
            Ordering::Greater if payment.missing_is_unverifiable => (Disposition::Unverifiable, Rule::NoEvidence),
            Ordering::Greater => (Disposition::OrderNotFound, Rule::NoOrder),
        },
    }
}

/// A payment of an order with `net > 0`, as rule 3 walks it.
#[derive(Clone, Copy)]
struct Item {
    /// `None`: known by its notification only, too old to be in the evidence.
    payment: Option<u32>,
    net_fen: i64,
    any_refund: bool,
    /// Its notification left planned: rule 4 has the word, here it only takes its place.
    told: bool,
    role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Settled(Rule),
    Pays,
    Rest,
}

/// What the notifications of one order say together.
#[derive(Clone, Copy, Default)]
struct Told {
    /// One is acknowledged or confirmed: what is booked has an explanation.
    accounts: bool,
    /// The order's disposition, by the most pressing of those that left planned.
    outcome: Option<OrderOutcome>,
}

struct Books<'a> {
    input: &'a Input<'a>,
    assignment: &'a Assignment,
    outcome: Outcome,
    /// Scratch for the payments of one order.
    items: Vec<Item>,
    /// How far the lists sorted by order have been read; orders come in their order.
    notices: usize,
    conflicts: usize,
}

impl<'a> Books<'a> {
    fn order(&mut self, position: u32, order: &OrderRow) -> OrderOutcome {
        let assignment = self.assignment;
        let notices = next_run(&assignment.notices, &mut self.notices, position, |notice| notice.order);
        let conflict = next_run(&assignment.conflicts, &mut self.conflicts, position, |pair| pair.0).first();
        let members = assignment.members(position);

        let told = self.told(order, notices);
        self.walk(position, order, members, notices);
        let back = self.given_back(order, members, told);
        told.outcome
            .or_else(|| self.of_walk())
            .or(back)
            .or_else(|| self.of_rest(members))
            .or_else(|| {
                let (_, payment) = conflict.filter(|_| members.is_empty())?;
                Some(decided(Disposition::ConflictingRecord, Rule::Conflict, Some(*payment)))
            })
            .unwrap_or_else(|| self.of_figures(position, order, members))
    }

    /// Rules 4 and 6: what the notifications say of their payments and of the order.
    fn told(&mut self, order: &OrderRow, notices: &'a [Notice]) -> Told {
        if notices.is_empty() {
            return Told::default();
        }
        let sum_fen = |states: &[NotificationState]| {
            let amounts = notices.iter().filter(|notice| states.contains(&notice.state));
            amounts.fold(0_i64, |sum, notice| sum.saturating_add(notice.amount.fen()))
        };
        let confirmed_fen = sum_fen(&[NotificationState::Confirmed]);
        let said_fen = sum_fen(&[NotificationState::Acknowledged]).saturating_add(confirmed_fen);
        let booked_fen = order.state.booked().fen();
        let is_lost = |state| match state {
            _ if order.state.is_open() => false,
            NotificationState::Acknowledged => booked_fen < said_fen,
            NotificationState::Confirmed => booked_fen < confirmed_fen,
            NotificationState::Planned
            | NotificationState::Sending
            | NotificationState::Unknown
            | NotificationState::Rejected
            | NotificationState::Held
            | NotificationState::Void => false,
        };
        for notice in notices.iter().filter(|notice| is_lost(notice.state)) {
            if let Some(payment) = notice.payment {
                let outcome = &mut self.outcome.payments[at(payment)];
                (outcome.disposition, outcome.rule) = (Disposition::NotificationLost, Rule::Lost);
            }
        }
        let urgency = |notice: &Notice| urgency(notice.state, is_lost(notice.state));
        let most_pressing = notices
            .iter()
            .filter(|notice| notice.state != NotificationState::Planned)
            .max_by(|a, b| urgency(a).cmp(&urgency(b)).then_with(|| self.earlier(b.payment, a.payment)));
        Told {
            accounts: notices
                .iter()
                .any(|notice| matches!(notice.state, NotificationState::Acknowledged | NotificationState::Confirmed)),
            outcome: most_pressing.map(|notice| {
                let lost = is_lost(notice.state);
                let disposition = if lost { Disposition::NotificationLost } else { notice.state.disposition() };
                decided(disposition, if lost { Rule::Lost } else { Rule::Notification }, notice.payment)
            }),
        }
    }

    /// By time; a payment that is not in the evidence comes last.
    fn earlier(&self, a: Option<u32>, b: Option<u32>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) => self.input.by_time(a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }

    /// Rule 3: gives every payment with `net > 0` its role, and its disposition where rule 4 does not have the word.
    fn walk(&mut self, position: u32, order: &OrderRow, members: &[u32], notices: &[Notice]) {
        self.line_up(members, notices);
        let (booked_fen, due_fen) = (order.state.booked().fen(), order.state.due().fen());
        give_roles(&mut self.items, booked_fen, due_fen);
        let accounted = self.items.iter().any(|item| item.role != Role::Rest);
        for item in &self.items {
            let (Some(payment), false) = (item.payment, item.told) else { continue };
            let outcome = &mut self.outcome.payments[at(payment)];
            (outcome.disposition, outcome.rule) = match item.role {
                Role::Settled(rule) => (Disposition::Settled, rule),
                Role::Pays => (Disposition::NotifyDue, Rule::PaysDue),
                Role::Rest if accounted => (Disposition::DuplicatePayment, Rule::AlreadyPaid),
                Role::Rest if is_cash(order.state) => (Disposition::PaidTwice, Rule::PaidInCash),
                Role::Rest => (Disposition::AmountMismatch, Rule::FitsNothing),
            };
            if item.role == Role::Pays {
                self.outcome.due.push(Due { payment, order: position });
            }
        }
    }

    /// The payments with `net > 0` in the order of rule 3. One that is known by its notification only is
    /// older than the evidence, so it comes first among its kind; thus a later payment keeps its
    /// disposition when an earlier one grows too old to be read.
    fn line_up(&mut self, members: &[u32], notices: &[Notice]) {
        let (input, state_of) = (self.input, &self.assignment.state_of);
        self.items.clear();
        self.items.extend(members.iter().filter_map(|member| {
            let payment = row(input.payments, *member);
            let told = state_of[at(*member)].is_some_and(|state| state != NotificationState::Planned);
            let (net_fen, any_refund) = (payment.net_fen(), payment.any_refund());
            let item = Item { payment: Some(*member), net_fen, any_refund, told, role: Role::Rest };
            (net_fen > 0).then_some(item)
        }));
        let unseen =
            notices.iter().filter(|notice| notice.payment.is_none() && notice.state != NotificationState::Void);
        self.items.extend(unseen.filter(|notice| !notice.amount.is_zero()).map(|notice| Item {
            payment: None,
            net_fen: notice.amount.fen(),
            any_refund: false,
            told: notice.state != NotificationState::Planned,
            role: Role::Rest,
        }));
        if self.items.len() > 1 {
            self.items.sort_unstable_by(|a, b| {
                Reverse(a.told).cmp(&Reverse(b.told)).then_with(|| match (a.payment, b.payment) {
                    (Some(a), Some(b)) => input.by_time(a, b),
                    (None, None) => a.net_fen.cmp(&b.net_fen),
                    (a, b) => a.is_some().cmp(&b.is_some()),
                })
            });
        }
    }

    /// Rule 2's second half: payments given back whole although the closed order still books one.
    fn given_back(&mut self, order: &OrderRow, members: &[u32], told: Told) -> Option<OrderOutcome> {
        let explained = told.accounts || self.items.iter().any(|item| matches!(item.role, Role::Settled(_)));
        if order.state.is_open() || order.state.booked().is_zero() || explained {
            return None;
        }
        let mut first: Option<u32> = None;
        for member in members {
            let outcome = &mut self.outcome.payments[at(*member)];
            if outcome.disposition == Disposition::Refunded {
                (outcome.disposition, outcome.rule) =
                    (Disposition::RefundedAfterSettlement, Rule::RefundedAfterSettlement);
                first = Some(self.first_of(first, *member));
            }
        }
        first.map(|payment| decided(Disposition::RefundedAfterSettlement, Rule::RefundedAfterSettlement, Some(payment)))
    }

    fn first_of(&self, first: Option<u32>, other: u32) -> u32 {
        first.filter(|first| self.input.by_time(*first, other) == Ordering::Less).unwrap_or(other)
    }

    /// Rule 5: by the payment that pays, else by the first that is settled.
    fn of_walk(&self) -> Option<OrderOutcome> {
        let pays = self.items.iter().find(|item| item.role == Role::Pays);
        let settled = || self.items.iter().find(|item| matches!(item.role, Role::Settled(_)));
        let item = pays.or_else(settled)?;
        Some(match (item.payment, item.role) {
            (Some(payment), _) => self.as_payment(payment),
            (None, Role::Settled(rule)) => decided(Disposition::Settled, rule, None),
            (None, Role::Pays | Role::Rest) => decided(Disposition::NotifyDue, Rule::PaysDue, None),
        })
    }

    /// Rule 5: else by the first with `net > 0`, else by the first whose disposition an order can have.
    fn of_rest(&self, members: &[u32]) -> Option<OrderOutcome> {
        let in_walk = self.items.iter().find_map(|item| item.payment);
        in_walk.map(|payment| self.as_payment(payment)).or_else(|| {
            let fits = |member: &&u32| row(&self.outcome.payments, **member).disposition.applies_to(Side::Order);
            let first = members.iter().filter(fits).fold(None, |first, member| Some(self.first_of(first, *member)))?;
            Some(self.as_payment(first))
        })
    }

    fn as_payment(&self, payment: u32) -> OrderOutcome {
        let outcome = row(&self.outcome.payments, payment);
        decided(outcome.disposition, outcome.rule, Some(payment))
    }

    /// Rule 5's end: no payment says anything of the order.
    fn of_figures(&self, position: u32, order: &OrderRow, members: &[u32]) -> OrderOutcome {
        if members.is_empty() && self.assignment.ambiguous.binary_search(&position).is_ok() {
            return decided(Disposition::Ambiguous, Rule::Ambiguous, None);
        }
        match order.state {
            OrderState::Open { .. } if order.vanished => decided(Disposition::Vanished, Rule::NoPayment, None),
            OrderState::Open { .. } => decided(Disposition::Unpaid, Rule::NoPayment, None),
            OrderState::Closed { .. } if !order.state.booked().is_zero() => {
                if order.missing_is_unverifiable {
                    decided(Disposition::Unverifiable, Rule::NoEvidence, None)
                } else {
                    decided(Disposition::PaymentMissing, Rule::NoPayment, None)
                }
            }
            OrderState::Closed { .. } if is_cash(order.state) => decided(Disposition::Cash, Rule::NoPayment, None),
            OrderState::Closed { .. } => decided(Disposition::Free, Rule::NoPayment, None),
        }
    }
}

/// Rules 3a and 3b over the payments of one order, in their order.
fn give_roles(items: &mut [Item], booked_fen: i64, due_fen: i64) {
    let mut sum_fen = 0_i64;
    // The sums rise, so at most one of them is what is booked.
    let up_to = items.iter().position(|item| {
        sum_fen = sum_fen.saturating_add(item.net_fen);
        sum_fen == booked_fen
    });
    if let Some(last) = up_to {
        let rule = if last == 0 { Rule::OneBooked } else { Rule::SumBooked };
        items.iter_mut().take(last.saturating_add(1)).for_each(|item| item.role = Role::Settled(rule));
    } else if let Some(item) = items.iter_mut().find(|item| item.net_fen == booked_fen) {
        item.role = Role::Settled(Rule::OneBooked);
    }
    let pays = |item: &&mut Item| item.role == Role::Rest && !item.any_refund && item.net_fen == due_fen;
    if let Some(item) = items.iter_mut().find(pays) {
        item.role = Role::Pays;
    }
}

/// How pressing a notification is for its order, the lost ones in their place.
const fn urgency(state: NotificationState, lost: bool) -> u8 {
    match (state, lost) {
        (NotificationState::Sending | NotificationState::Unknown, _) => 7,
        (NotificationState::Held, _) => 6,
        (NotificationState::Rejected, _) => 5,
        (NotificationState::Acknowledged | NotificationState::Confirmed, true) => 4,
        (NotificationState::Acknowledged, false) => 3,
        (NotificationState::Confirmed, false) => 2,
        (NotificationState::Void, _) => 1,
        (NotificationState::Planned, _) => 0,
    }
}

/// Closed with nothing electronic and cash taken.
fn is_cash(state: OrderState) -> bool {
    !state.is_open() && state.booked().is_zero() && !state.cash().is_zero()
}

const fn decided(disposition: Disposition, rule: Rule, payment: Option<u32>) -> OrderOutcome {
    OrderOutcome { disposition, rule, payment }
}

/// The entries of `order` in a list that is sorted by order and read front to back.
fn next_run<'a, T>(list: &'a [T], read: &mut usize, order: u32, order_of: impl Fn(&T) -> u32) -> &'a [T] {
    let rest = list.get(*read..).unwrap_or_default();
    let run = rest.iter().take_while(|entry| order_of(entry) == order).count();
    *read = read.saturating_add(run);
    rest.get(..run).unwrap_or_default()
}
