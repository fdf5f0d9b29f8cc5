//! A matcher that reads like the product's page: quadratic, without indexes, sorting or scratch. It shares
//! nothing with the real one but the row types, and is what the real one is compared with.

use super::super::*;
use crate::model::{Disposition, NotificationState, OrderState, Side};

/// Dispositions with the row they point to, and what is due.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub payments: Vec<(Disposition, Option<usize>)>,
    pub orders: Vec<(Disposition, Option<usize>)>,
    pub due: Vec<(usize, usize)>,
}

/// A payment as an order sees it; `None`: known by its notification only.
#[derive(Clone, Copy, PartialEq)]
struct Coin {
    payment: Option<usize>,
    net: i64,
    told: bool,
    refund: bool,
}

struct Naive<'a> {
    input: &'a Input<'a>,
}

pub fn reconcile(input: &Input<'_>) -> Answer {
    let naive = Naive { input };
    let (payments, orders) = (0..input.payments.len(), 0..input.orders.len());
    let mut due: Vec<(usize, usize)> = payments
        .clone()
        .filter(|p| naive.payment(*p) == Disposition::NotifyDue)
        .map(|p| (p, naive.order_of(p).unwrap()))
        .collect();
    due.sort_by(|a, b| naive.cmp(a.0, b.0));
    Answer {
        payments: payments.map(|p| (naive.payment(p), naive.order_of(p))).collect(),
        orders: orders.map(|o| naive.order(o)).collect(),
        due,
    }
}

impl Naive<'_> {
    fn net(&self, p: usize) -> i64 {
        let row = &self.input.payments[p];
        row.gross.fen() - row.refunded.fen()
    }

    fn cmp(&self, a: usize, b: usize) -> std::cmp::Ordering {
        let paid_at = |p: usize| self.input.payments[p].paid_at;
        paid_at(a).cmp(&paid_at(b)).then_with(|| (self.input.id_order)(index(a), index(b)))
    }

    fn note(&self, p: usize) -> Option<&NotificationRow> {
        self.input.notifications.iter().find(|n| n.payment == Some(index(p)))
    }

    fn told(&self, p: usize) -> bool {
        self.note(p).is_some_and(|n| n.state != NotificationState::Planned)
    }

    fn with_key(&self, key: Key) -> Option<usize> {
        self.input.orders.iter().position(|o| o.key == key)
    }

    /// What rules 1a and 1b would say, conflicts set aside.
    fn named(&self, p: usize) -> Option<usize> {
        match self.note(p).filter(|n| n.state != NotificationState::Void) {
            Some(note) => self.with_key(note.order),
            None => self.input.payments[p].order.and_then(|key| self.with_key(key)),
        }
    }

    fn in_conflict(&self, p: usize) -> bool {
        let live = self.note(p).filter(|n| n.state != NotificationState::Void);
        self.input.payments[p].conflict && live.is_none_or(|n| n.state == NotificationState::Planned)
    }

    fn by_a_or_b(&self, p: usize) -> Option<usize> {
        if self.in_conflict(p) { None } else { self.named(p) }
    }

    /// Whether payment and order are a pair for rule 1c.
    fn fits(&self, p: usize, o: usize) -> bool {
        let (pay, order) = (&self.input.payments[p], &self.input.orders[o]);
        let note = self.note(p).filter(|n| n.state != NotificationState::Void);
        let asks = pay.order.is_none() && note.is_none() && !pay.conflict && pay.plate.is_some() && self.net(p) > 0;
        let free = (0..self.input.payments.len()).all(|q| self.by_a_or_b(q) != Some(o))
            && self.unseen(o).all(|n| n.state == NotificationState::Void);
        let (amount, end) = match order.state {
            OrderState::Open { remaining, .. } => (remaining.fen(), i64::MAX),
            OrderState::Closed { fee, cash } => {
                let end = order.exit_at.map_or(i64::MAX, |exit| exit.unix() + self.input.grace_s);
                (fee.fen() - cash.fen(), end)
            }
        };
        asks && free
            && order.plate == pay.plate
            && amount == self.net(p)
            && order.entrance_at <= pay.paid_at
            && pay.paid_at.unix() <= end
    }

    fn orders_for(&self, p: usize) -> Vec<usize> {
        (0..self.input.orders.len()).filter(|o| self.fits(p, *o)).collect()
    }

    fn payments_for(&self, o: usize) -> Vec<usize> {
        (0..self.input.payments.len()).filter(|p| self.fits(*p, o)).collect()
    }

    fn is_ambiguous(&self, p: usize) -> bool {
        let orders = self.orders_for(p);
        orders.len() > 1 || orders.iter().any(|o| self.payments_for(*o).len() > 1)
    }

    fn order_of(&self, p: usize) -> Option<usize> {
        self.by_a_or_b(p).or_else(|| {
            let orders = self.orders_for(p);
            (!orders.is_empty() && !self.is_ambiguous(p)).then(|| orders[0])
        })
    }

    /// All payments of an order, by time.
    fn of(&self, o: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.input.payments.len()).filter(|p| self.order_of(*p) == Some(o)).collect();
        all.sort_by(|a, b| self.cmp(*a, *b));
        all
    }

    fn notes(&self, o: usize) -> impl Iterator<Item = &NotificationRow> {
        let key = self.input.orders[o].key;
        self.input.notifications.iter().filter(move |n| n.order == key)
    }

    fn unseen(&self, o: usize) -> impl Iterator<Item = &NotificationRow> {
        self.notes(o).filter(|n| n.payment.is_none())
    }

    /// Rule 3's list.
    fn coins(&self, o: usize) -> Vec<Coin> {
        let mut old: Vec<Coin> = self
            .unseen(o)
            .filter(|n| n.state != NotificationState::Void && n.amount.fen() > 0)
            .map(|n| Coin {
                payment: None,
                net: n.amount.fen(),
                told: n.state != NotificationState::Planned,
                refund: false,
            })
            .collect();
        old.sort_by_key(|coin| coin.net);
        let seen = self.of(o).into_iter().filter(|p| self.net(*p) > 0).map(|p| {
            let row = &self.input.payments[p];
            Coin {
                payment: Some(p),
                net: self.net(p),
                told: self.told(p),
                refund: row.has_refund || row.refunded.fen() > 0,
            }
        });
        let all: Vec<Coin> = old.into_iter().chain(seen).collect();
        all.iter().filter(|coin| coin.told).chain(all.iter().filter(|coin| !coin.told)).copied().collect()
    }

    /// Rule 3a: how many coins from the front, or which one.
    fn settled(&self, o: usize) -> Vec<Coin> {
        let (coins, booked) = (self.coins(o), self.input.orders[o].state.booked().fen());
        for k in 1..=coins.len() {
            if coins[..k].iter().map(|coin| coin.net).sum::<i64>() == booked {
                return coins[..k].to_vec();
            }
        }
        coins.into_iter().find(|coin| coin.net == booked).into_iter().collect()
    }

    /// Rule 3b.
    fn pays(&self, o: usize) -> Option<Coin> {
        let (settled, due) = (self.settled(o), self.input.orders[o].state.due().fen());
        let mut rest = self.coins(o);
        for coin in &settled {
            let place = rest.iter().position(|other| other == coin).unwrap();
            rest.remove(place);
        }
        rest.into_iter().find(|coin| !coin.refund && coin.net == due && due > 0)
    }

    fn lost(&self, note: &NotificationRow) -> bool {
        use NotificationState::{Acknowledged, Confirmed};
        let Some(o) = self.with_key(note.order) else { return false };
        let sum = |states: &[NotificationState]| -> i64 {
            self.notes(o).filter(|n| states.contains(&n.state)).map(|n| n.amount.fen()).sum()
        };
        let booked = self.input.orders[o].state.booked().fen();
        let closed = matches!(self.input.orders[o].state, OrderState::Closed { .. });
        closed
            && ((note.state == Acknowledged && booked < sum(&[Acknowledged, Confirmed]))
                || (note.state == Confirmed && booked < sum(&[Confirmed])))
    }

    fn of_state(&self, note: &NotificationRow) -> Disposition {
        if self.lost(note) { Disposition::NotificationLost } else { note.state.disposition() }
    }

    fn payment(&self, p: usize) -> Disposition {
        let row = &self.input.payments[p];
        if let Some(note) = self.note(p).filter(|n| n.state != NotificationState::Planned) {
            return self.of_state(note);
        }
        if self.in_conflict(p) {
            return Disposition::ConflictingRecord;
        }
        let order = self.order_of(p);
        if self.net(p) < 0 || (self.net(p) == 0 && !row.has_refund && row.refunded.is_zero()) {
            return Disposition::AmountMismatch;
        }
        if self.net(p) == 0 {
            let after = order.is_some_and(|o| self.unexplained(o));
            return if after { Disposition::RefundedAfterSettlement } else { Disposition::Refunded };
        }
        let Some(o) = order else {
            return match (self.is_ambiguous(p), row.missing_is_unverifiable) {
                (true, _) => Disposition::Ambiguous,
                (false, true) => Disposition::Unverifiable,
                (false, false) => Disposition::OrderNotFound,
            };
        };
        let mine = |coin: &Coin| coin.payment == Some(p);
        let (settled, pays) = (self.settled(o), self.pays(o));
        let state = self.input.orders[o].state;
        if settled.iter().any(mine) {
            Disposition::Settled
        } else if pays.as_ref().is_some_and(mine) {
            Disposition::NotifyDue
        } else if !settled.is_empty() || pays.is_some() {
            Disposition::DuplicatePayment
        } else if !state.is_open() && state.booked().is_zero() && !state.cash().is_zero() {
            Disposition::PaidTwice
        } else {
            Disposition::AmountMismatch
        }
    }

    /// Closed and booked, and nothing that still stands accounts for it.
    fn unexplained(&self, o: usize) -> bool {
        let state = self.input.orders[o].state;
        let acknowledged = |n: &NotificationRow| state_is(n, "acknowledged") || state_is(n, "confirmed");
        !state.is_open() && !state.booked().is_zero() && self.settled(o).is_empty() && !self.notes(o).any(acknowledged)
    }

    fn order(&self, o: usize) -> (Disposition, Option<usize>) {
        let row = &self.input.orders[o];
        let all = self.of(o);
        let as_payment = |p: usize| (self.payment(p), Some(p));

        for names in [
            &["sending", "unknown"][..],
            &["held"],
            &["rejected"],
            &["lost"],
            &["acknowledged"],
            &["confirmed"],
            &["void"],
        ] {
            let mut at_hand: Vec<_> = self
                .notes(o)
                .filter(|n| if names[0] == "lost" { self.lost(n) } else { names.iter().any(|name| state_is(n, name)) })
                .collect();
            at_hand.sort_by(|a, b| match (a.payment, b.payment) {
                (Some(a), Some(b)) => self.cmp(at(a), at(b)),
                (a, b) => a.is_none().cmp(&b.is_none()),
            });
            if let Some(note) = at_hand.first() {
                return (self.of_state(note), note.payment.map(at));
            }
        }
        if let Some(coin) = self.pays(o) {
            return coin.payment.map_or((Disposition::NotifyDue, None), as_payment);
        }
        if let Some(coin) = self.settled(o).first() {
            return coin.payment.map_or((Disposition::Settled, None), as_payment);
        }
        if self.unexplained(o)
            && let Some(p) = all.iter().find(|p| self.payment(**p) == Disposition::RefundedAfterSettlement)
        {
            return as_payment(*p);
        }
        if let Some(p) = self.coins(o).iter().find_map(|coin| coin.payment) {
            return as_payment(p);
        }
        if let Some(p) = all.iter().find(|p| self.payment(**p).applies_to(Side::Order)) {
            return as_payment(*p);
        }
        let mut contradicting: Vec<usize> =
            (0..self.input.payments.len()).filter(|p| self.in_conflict(*p) && self.named(*p) == Some(o)).collect();
        contradicting.sort_by(|a, b| self.cmp(*a, *b));
        let figures = match row.state {
            _ if all.is_empty() && !contradicting.is_empty() => {
                return (Disposition::ConflictingRecord, Some(contradicting[0]));
            }
            _ if all.is_empty() && self.payments_for(o).iter().any(|p| self.is_ambiguous(*p)) => Disposition::Ambiguous,
            OrderState::Open { .. } if row.vanished => Disposition::Vanished,
            OrderState::Open { .. } => Disposition::Unpaid,
            OrderState::Closed { fee, cash } if fee > cash && row.missing_is_unverifiable => Disposition::Unverifiable,
            OrderState::Closed { fee, cash } if fee > cash => Disposition::PaymentMissing,
            OrderState::Closed { cash, .. } if cash.is_zero() => Disposition::Free,
            OrderState::Closed { .. } => Disposition::Cash,
        };
        (figures, None)
    }
}

fn state_is(note: &NotificationRow, name: &str) -> bool {
    note.state.name() == name
}
