//! Cases in text: one row a line, what is expected of it behind `=>`.
//!
//! ```text
//! order A 渝A00001 08:00-10:00 fee 10 cash 2      => settled 3a p1
//! order B - 08:00- fee 10 left 4 vanished missing => vanished 5
//! pay p1 order A plate 渝A00001 8 09:00 back 1 pending conflict missing => settled 3a A
//! note p1 A 8 acknowledged                          (`-` for a payment that is not in the evidence)
//! due p2 B
//! ```

use std::fmt::Write as _;

use super::super::*;
use crate::model::{Amount, NotificationState, OrderState, Timestamp};

/// Thirty minutes, the default.
pub const GRACE_S: i64 = 1800;

/// A small world and what is expected of it.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub payment_ids: Vec<String>,
    pub order_ids: Vec<String>,
    pub payments: Vec<PaymentRow>,
    pub orders: Vec<OrderRow>,
    pub notifications: Vec<NotificationRow>,
    pub expected: Vec<String>,
}

/// Runs the case, forwards and with all rows reversed, and compares.
#[track_caller]
pub fn check(text: &str) {
    let world = World::parse(text);
    assert_eq!(world.expected.join("\n"), world.outcome().join("\n"));
    let mirror = world.reversed();
    assert_eq!(mirror.expected.join("\n"), mirror.outcome().join("\n"), "with the rows reversed");
}

impl World {
    pub fn parse(text: &str) -> Self {
        let mut world = Self::default();
        let mut keys = KeySpace::new();
        // Orders and payments first: notifications name payments by position.
        for kind in ["order", "pay", "note", "due"] {
            for line in text.lines().map(str::trim) {
                let (row, expected) = line.split_once("=>").unwrap_or((line, ""));
                let words: Vec<&str> = row.split_whitespace().collect();
                match (words.first().copied(), kind) {
                    (Some("order"), "order") => world.add_order(&words, &mut keys),
                    (Some("pay"), "pay") => world.add_payment(&words, &mut keys),
                    (Some("note"), "note") => world.add_note(&words, &mut keys),
                    (Some("due"), "due") => world.expected.push(words.join(" ")),
                    (Some("order" | "pay" | "note" | "due") | None, _) => continue,
                    (Some(other), _) => panic!("what is `{other}`?"),
                }
                if matches!(kind, "order" | "pay") {
                    let expected: Vec<&str> = expected.split_whitespace().collect();
                    world.expected.push(format!("{kind} {} => {}", words[1], expected.join(" ")));
                }
            }
        }
        world
    }

    fn add_order(&mut self, words: &[&str], keys: &mut KeySpace) {
        let [_, id, plate, stay, "fee", fee, rest, amount, flags @ ..] = words else { panic!("{words:?}") };
        let (from, to) = stay.split_once('-').unwrap();
        let (fee, amount): (Amount, Amount) = (fee.parse().unwrap(), amount.parse().unwrap());
        let state = if *rest == "left" { OrderState::open(fee, amount) } else { OrderState::closed(fee, amount) };
        self.order_ids.push((*id).to_owned());
        self.orders.push(OrderRow {
            key: keys.order_key(id),
            plate: (*plate != "-").then(|| keys.plate_key(plate)),
            entrance_at: clock(from),
            exit_at: (!to.is_empty()).then(|| clock(to)),
            state: state.unwrap(),
            vanished: flags.contains(&"vanished"),
            missing_is_unverifiable: flags.contains(&"missing"),
        });
    }

    fn add_payment(&mut self, words: &[&str], keys: &mut KeySpace) {
        let mut row = PaymentRow {
            order: None,
            plate: None,
            gross: Amount::ZERO,
            refunded: Amount::ZERO,
            has_refund: words.contains(&"pending"),
            paid_at: clock("00:00"),
            conflict: words.contains(&"conflict"),
            missing_is_unverifiable: words.contains(&"missing"),
        };
        let mut rest = words[2..].iter();
        while let Some(word) = rest.next() {
            match *word {
                "order" => row.order = Some(keys.order_key(rest.next().unwrap())),
                "plate" => row.plate = Some(keys.plate_key(rest.next().unwrap())),
                "back" => {
                    row.refunded = rest.next().unwrap().parse().unwrap();
                    row.has_refund = true;
                }
                "pending" | "conflict" | "missing" => {}
                word if word.contains(':') => row.paid_at = clock(word),
                word => row.gross = word.parse().unwrap(),
            }
        }
        self.payment_ids.push(words[1].to_owned());
        self.payments.push(row);
    }

    fn add_note(&mut self, words: &[&str], keys: &mut KeySpace) {
        let [_, payment, order, amount, state] = words else { panic!("{words:?}") };
        let position = self.payment_ids.iter().position(|id| id == payment);
        assert_eq!(position.is_none(), *payment == "-", "{payment}");
        self.notifications.push(NotificationRow {
            payment: position.map(index),
            order: keys.order_key(order),
            amount: amount.parse().unwrap(),
            state: NotificationState::from_name(state).unwrap(),
        });
    }

    /// Hands the world to `act` as the rules take it.
    pub fn with_input<T>(&self, act: impl FnOnce(&Input<'_>) -> T) -> T {
        let id_order = |a: u32, b: u32| self.payment_ids[at(a)].cmp(&self.payment_ids[at(b)]);
        act(&Input {
            payments: &self.payments,
            orders: &self.orders,
            notifications: &self.notifications,
            grace_s: GRACE_S,
            id_order: &id_order,
        })
    }

    /// The outcome in the words of the expectation; checks what must hold of every outcome on the way.
    fn outcome(&self) -> Vec<String> {
        let outcome = self.with_input(reconcile);
        let mut lines = Vec::new();
        for (id, what) in self.order_ids.iter().zip(&outcome.orders) {
            let mut line = format!("order {id} => {} {}", what.disposition, what.rule);
            if let Some(payment) = what.payment {
                write!(line, " {}", self.payment_ids[at(payment)]).unwrap();
            }
            lines.push(line);
        }
        for (id, what) in self.payment_ids.iter().zip(&outcome.payments) {
            let mut line = format!("pay {id} => {} {}", what.disposition, what.rule);
            if let Some(order) = what.order {
                write!(line, " {}", self.order_ids[at(order)]).unwrap();
            }
            lines.push(line);
        }
        for due in &outcome.due {
            lines.push(format!("due {} {}", self.payment_ids[at(due.payment)], self.order_ids[at(due.order)]));
        }
        let control = Control::of(&self.payments, &self.orders);
        let totals = self.with_input(|input| Totals::of(input, &outcome));
        assert!(totals.tie_out(&control).holds(), "{totals:?}");
        lines
    }

    fn reversed(&self) -> Self {
        let last = self.payments.len().saturating_sub(1);
        let mut world = self.clone();
        world.payment_ids.reverse();
        world.order_ids.reverse();
        world.payments.reverse();
        world.orders.reverse();
        world.notifications.reverse();
        for note in &mut world.notifications {
            note.payment = note.payment.map(|payment| index(last - at(payment)));
        }
        let (orders, payments) = (self.orders.len(), self.payments.len());
        world.expected[..orders].reverse();
        world.expected[orders..orders + payments].reverse();
        world
    }
}

/// A time of the one day that cases play on.
fn clock(text: &str) -> Timestamp {
    Timestamp::parse_wall(&format!("2026-11-22 {text}")).unwrap()
}
