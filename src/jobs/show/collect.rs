//! Collecting a story: which payments and orders an id stands for, and everything stored about them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;

use super::{
    Attempt, BillEntry, ContradictionEntry, Entry, Event, Exception, ExceptionEntry, JournalEntry, Notification,
    OrderEntry, Outcome, PushEntry, Story, rule, side_name,
};
use crate::bills::{Role, SourcedRow};
use crate::model::{Difference, EventFinding, OrderId, ParkingEvent};
use crate::report::data::Sentence;
use crate::store::{
    ExceptionEvent, ExceptionRow, ExceptionSide, ExceptionStatus, JournalRow, NotificationRecord, OutcomeRow, Store,
};

/// How often new names of a payment are looked up: payment id, external order id, trade number lead to each other.
const ROUNDS: usize = 4;

/// All that is known of `id`: a payment id, an external order id, a refund id, a trade number, an order id or a
/// push's synId in any case, or the number of an exception, which stands behind all of these unless it is written `#7`.
/// `None` when nothing is.
///
/// # Errors
/// When the database cannot be read.
pub fn show(store: &Store, id: &str) -> anyhow::Result<Option<Story>> {
    let id = id.trim();
    let mut found = Found::default();
    let number = id.strip_prefix('#').unwrap_or(id).parse::<i64>().ok();
    if !id.starts_with('#') {
        found.begin(store, id)?;
    }
    if found.is_empty() {
        let exception = number.map(|number| store.exception(number)).transpose()?.flatten();
        let Some(exception) = exception else { return Ok(None) };
        found.begin_exception(store, &exception)?;
    }
    Ok(Some(found.story(store, id)?))
}

/// The payments, orders and pushes that belong together, and the rows that tell of them.
#[derive(Default)]
struct Found {
    /// External order ids.
    payments: BTreeSet<String>,
    /// Order keys.
    orders: BTreeSet<String>,
    /// Keys of synIds.
    pushes: BTreeSet<String>,
    /// By file and line, so that a row found twice stands once.
    rows: BTreeMap<(i64, u64), (SourcedRow, String)>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.payments.is_empty() && self.orders.is_empty() && self.pushes.is_empty()
    }

    fn begin_exception(&mut self, store: &Store, exception: &ExceptionRow) -> anyhow::Result<()> {
        let subject = &exception.facts.key.subject;
        self.begin(store, subject)?;
        match exception.facts.key.side {
            ExceptionSide::Payment => self.payments.insert(subject.clone()),
            ExceptionSide::Order => self.orders.insert(subject.clone()),
            ExceptionSide::Event => self.pushes.insert(subject.clone()),
        };
        Ok(())
    }

    fn begin(&mut self, store: &Store, id: &str) -> anyhow::Result<()> {
        let Some(key) = OrderId::new(id).map(|order| order.key()) else { return Ok(()) };
        self.orders_of_push(store, &key)?;
        if is_order(store, &key)? {
            self.orders.insert(key);
        } else {
            self.payments_and_orders(store, id)?;
        }
        for order in self.orders.clone() {
            self.payments_of_order(store, &order)?;
            self.pushes_of_order(store, &order)?;
        }
        Ok(())
    }

    fn payments_and_orders(&mut self, store: &Store, id: &str) -> anyhow::Result<()> {
        if store.notification(id)?.is_some() || !store.outcomes_of(id)?.is_empty() {
            self.payments.insert(id.to_owned());
        }
        self.payment_rows(store, id)?;
        for payment in self.payments.clone() {
            self.orders_of_payment(store, &payment)?;
        }
        Ok(())
    }

    /// If there are pushes of that synId: they, and the orders that they are about under another id.
    fn orders_of_push(&mut self, store: &Store, syn_key: &str) -> anyhow::Result<()> {
        let pushes = store.events_of(syn_key)?;
        if pushes.is_empty() {
            return Ok(());
        }
        self.pushes.insert(syn_key.to_owned());
        if store.order_history(syn_key)?.is_empty() {
            for push in &pushes {
                self.orders.extend(store.order_keys_of_car(&push.event.plate, push.event.entrance_at)?);
            }
        }
        Ok(())
    }

    /// The pushes whose synId is the order's id, and those of its car and entrance that name no order of their own.
    fn pushes_of_order(&mut self, store: &Store, order: &str) -> anyhow::Result<()> {
        if !store.events_of(order)?.is_empty() {
            self.pushes.insert(order.to_owned());
        }
        let Some((_, seen)) = store.order_history(order)?.pop() else { return Ok(()) };
        let Some(plate) = seen.plate else { return Ok(()) };
        for key in store.syn_keys_of_car(plate.as_str(), seen.entrance_at)? {
            if store.order_history(&key)?.is_empty() {
                self.pushes.insert(key);
            }
        }
        Ok(())
    }

    /// The rows that bear a name of one payment, and those that bear its other names.
    fn payment_rows(&mut self, store: &Store, name: &str) -> anyhow::Result<()> {
        let mut asked = BTreeSet::new();
        let mut names = BTreeSet::from([name.to_owned()]);
        for _ in 0..ROUNDS {
            let new: Vec<String> = names.difference(&asked).cloned().collect();
            for name in &new {
                for (row, file) in store.bill_rows_of(name)? {
                    let bill = &row.row;
                    if bill.order_id.as_ref().is_some_and(|order| order.as_str().eq_ignore_ascii_case(name)) {
                        // Named as an order: that says nothing of the payment's own names.
                        continue;
                    }
                    names.insert(bill.payment_id.clone());
                    names.insert(bill.external_order_id.to_string());
                    names.extend(bill.trade_no.clone());
                    self.payments.insert(bill.external_order_id.to_string());
                    self.rows.insert((row.bill, bill.line), (row, file));
                }
            }
            asked.extend(new);
        }
        Ok(())
    }

    fn orders_of_payment(&mut self, store: &Store, payment: &str) -> anyhow::Result<()> {
        let named = self.rows.values().filter(|(row, _)| row.row.external_order_id.as_str() == payment);
        let mut orders: Vec<String> = named.filter_map(|(row, _)| Some(row.row.order_id.as_ref()?.key())).collect();
        orders.extend(store.notification(payment)?.map(|record| record.order_id.key()));
        let outcomes = store.outcomes_of(payment)?;
        orders.extend(outcomes.into_iter().filter_map(|(_, _, outcome)| outcome.counterpart));
        self.orders.extend(orders);
        Ok(())
    }

    fn payments_of_order(&mut self, store: &Store, order: &str) -> anyhow::Result<()> {
        let mut payments: BTreeSet<String> = BTreeSet::new();
        let named = store.bill_rows_of(order)?.into_iter();
        payments.extend(named.map(|(row, _)| row.row.external_order_id.to_string()));
        let records = store.notifications_of_order(order)?;
        payments.extend(records.into_iter().map(|record| record.external_order_id.to_string()));
        let outcomes = store.outcomes_of(order)?;
        payments.extend(outcomes.into_iter().filter_map(|(_, _, outcome)| outcome.counterpart));
        for payment in payments {
            self.payment_rows(store, &payment)?;
            self.payments.insert(payment);
        }
        Ok(())
    }

    fn story(self, store: &Store, id: &str) -> anyhow::Result<Story> {
        let mut tale = Story {
            id: id.to_owned(),
            payments: self.payments.iter().cloned().collect(),
            orders: Vec::new(),
            pushes: Vec::new(),
            entries: self.rows.into_values().map(|(row, file)| bill_entry(row, file)).collect(),
            outcomes: Vec::new(),
            notifications: Vec::new(),
            exceptions: Vec::new(),
        };
        for order in &self.orders {
            add_order(&mut tale, store, order)?;
        }
        for payment in &self.payments {
            add_notification(&mut tale, store, payment)?;
        }
        for push in &self.pushes {
            add_pushes(&mut tale, store, push)?;
        }
        // A push and its order mostly share one id.
        let orders_and_pushes: BTreeSet<&String> = self.orders.union(&self.pushes).collect();
        for subject in self.payments.iter().chain(orders_and_pushes) {
            add_outcomes(&mut tale, store, subject)?;
            add_exceptions(&mut tale, store, subject)?;
        }
        tale.entries.sort_by_key(|entry| (entry.at, rank(&entry.event)));
        Ok(tale)
    }
}

/// Whether anything was stored under that order key.
fn is_order(store: &Store, key: &str) -> anyhow::Result<bool> {
    let named = |rows: Vec<(SourcedRow, String)>| {
        rows.iter().any(|(row, _)| row.row.order_id.as_ref().is_some_and(|order| order.key() == key))
    };
    Ok(!store.order_history(key)?.is_empty()
        || !store.notifications_of_order(key)?.is_empty()
        || named(store.bill_rows_of(key)?))
}

/// Within one second: what was paid, what was pushed, what was seen, what a run decided, what became of the exceptions
/// (a person's part too: their own order is known), what a run called it, what a person did.
const fn rank(event: &Event) -> (u8, i64) {
    match event {
        Event::BillRow(_) => (0, 0),
        Event::Push(_) => (1, 0),
        Event::PushContradiction(_) => (1, 1),
        Event::Order(_) => (2, 0),
        Event::Journal(JournalEntry { run: Some(_), seq, .. }) => (3, *seq),
        Event::Exception(ExceptionEntry { seq, .. }) => (4, *seq),
        Event::Outcome(_) => (5, 0),
        Event::Journal(JournalEntry { run: None, seq, .. }) => (6, *seq),
    }
}

fn bill_entry(row: SourcedRow, file: String) -> Entry {
    let SourcedRow { source, role, row, .. } = row;
    Entry {
        at: row.at,
        event: Event::BillRow(BillEntry {
            file,
            line: row.line,
            source,
            ledger: role == Role::Ledger,
            kind: row.kind,
            payment_id: row.payment_id,
            refund_id: row.refund_id,
            external_order_id: row.external_order_id.to_string(),
            trade_no: row.trade_no,
            order_id: row.order_id.map(|order| order.to_string()),
            plate: row.plate,
            amount: row.amount,
            received: row.received,
            fee: row.fee,
            refunded: row.refunded,
            refund_pending: row.refund_pending,
            channel: row.channel,
        }),
    }
}

fn add_order(tale: &mut Story, store: &Store, key: &str) -> anyhow::Result<()> {
    let history = store.order_history(key)?;
    // The platform's own spelling, where it has shown one.
    tale.orders.push(history.last().map_or_else(|| key.to_owned(), |(_, seen)| seen.order_id.to_string()));
    let mut before = None;
    for (at, seen) in &history {
        tale.entries.push(Entry { at: *at, event: Event::Order(OrderEntry::new(seen, before)) });
        before = Some(seen);
    }
    Ok(())
}

fn add_pushes(tale: &mut Story, store: &Store, syn_key: &str) -> anyhow::Result<()> {
    let pushes = store.events_of(syn_key)?;
    tale.pushes.extend(pushes.first().map(|push| push.event.syn_id.to_string()));
    for push in pushes {
        let (kind, syn_id) = (push.event.kind(), push.event.syn_id.to_string());
        for (at, detail) in &push.contradictions {
            let otherwise = push.otherwise(detail);
            let contradiction = ContradictionEntry { kind, syn_id: syn_id.clone(), otherwise };
            tale.entries.push(Entry { at: *at, event: Event::PushContradiction(contradiction) });
        }
        let ParkingEvent { plate, parking_name, entrance_at, exit, pushed_at, .. } = push.event;
        let event = Event::Push(PushEntry {
            kind,
            syn_id,
            plate,
            parking: parking_name,
            entrance_at,
            exit_at: exit.map(|exit| exit.at),
            fee: exit.map(|exit| exit.fee),
            pushed_at,
        });
        tale.entries.push(Entry { at: push.received_at, event });
    }
    Ok(())
}

fn add_notification(tale: &mut Story, store: &Store, payment: &str) -> anyhow::Result<()> {
    // A withdrawn plan is in the journal only.
    add_journal(tale, store, payment, "notification.")?;
    let Some(record) = store.notification(payment)? else { return Ok(()) };
    let attempts = store.attempts(&record)?.into_iter();
    let attempts = attempts.map(|(n, at, outcome, code, message)| Attempt { n, at, outcome, code, message });
    tale.notifications.push(notification(&record, attempts.collect()));
    Ok(())
}

fn notification(record: &NotificationRecord, attempts: Vec<Attempt>) -> Notification {
    Notification {
        external_order_id: record.external_order_id.to_string(),
        order_id: record.order_id.to_string(),
        amount: record.standing.amount,
        mobile: record.user.mobile.clone(),
        state: record.standing.state.name(),
        why: record.why.clone(),
        pay_order_id: record.pay_order_id.clone(),
        updated_at: record.updated_at,
        attempts,
    }
}

/// The journal rows of a subject, of one kind: a payment may bear the number of an exception.
fn add_journal(tale: &mut Story, store: &Store, subject: &str, kind: &str) -> anyhow::Result<()> {
    for row in store.journal_of(subject)?.into_iter().filter(|row| row.kind.starts_with(kind)) {
        let JournalRow { seq, at, run_id, kind, subject, detail, .. } = row;
        let detail = serde_json::from_str(&detail).with_context(|| format!("journal row {seq}"))?;
        tale.entries
            .push(Entry { at, event: Event::Journal(JournalEntry { seq, run: run_id, kind, subject, detail }) });
    }
    Ok(())
}

fn add_outcomes(tale: &mut Story, store: &Store, subject: &str) -> anyhow::Result<()> {
    let outcomes = store.outcomes_of(subject)?;
    let newest = outcomes.last().map(|(run, ..)| run.clone());
    let spelled: BTreeMap<String, String> = tale.orders.iter().map(|id| (id.to_lowercase(), id.clone())).collect();
    let spelled = |id: String| spelled.get(&id).cloned().unwrap_or(id);
    for (run, at, row) in outcomes {
        let outcome = outcome(run, row, &spelled);
        if newest.as_ref() == Some(&outcome.run) {
            tale.outcomes.push(outcome.clone());
        }
        tale.entries.push(Entry { at, event: Event::Outcome(outcome) });
    }
    Ok(())
}

/// An outcome, with orders as the platform writes their ids.
fn outcome(run: String, row: OutcomeRow, spelled: &dyn Fn(String) -> String) -> Outcome {
    let (rule, why) = rule(&row.rule);
    Outcome {
        run,
        side: side_name(row.side),
        subject: spelled(row.subject),
        amount: Difference::from_fen(row.amount_fen),
        disposition: row.disposition,
        rule,
        why,
        counterpart: row.counterpart.map(spelled),
    }
}

fn add_exceptions(tale: &mut Story, store: &Store, subject: &str) -> anyhow::Result<()> {
    for row in store.exceptions_of(subject)? {
        let history = store.exception_history(row.id)?.into_iter();
        tale.entries.extend(history.map(exception_entry));
        tale.exceptions.push(exception(row));
    }
    Ok(())
}

fn exception_entry(step: ExceptionEvent) -> Entry {
    let entry = ExceptionEntry {
        id: step.exception_id,
        act: step.act.name(),
        kind: step.kind,
        paid: step.paid,
        due: step.due,
        difference: Difference::from_fen(step.paid.fen().saturating_sub(step.due.fen())),
        run: step.run_id,
        by: step.person,
        note: step.words,
        seq: step.id,
    };
    Entry { at: step.at, event: Event::Exception(entry) }
}

fn exception(row: ExceptionRow) -> Exception {
    Exception {
        id: row.id,
        open: row.status == ExceptionStatus::Open,
        date: row.facts.date,
        paid: row.facts.paid,
        due: row.facts.due,
        difference: row.facts.difference(),
        why: EventFinding::from_name(&row.facts.rule)
            .map(|finding| Sentence::new(finding.chinese(), finding.english())),
        first_seen: row.first_seen_at,
        last_seen: row.last_seen_at,
        resolved_by: row.resolved_by().map(str::to_owned),
        note: row.words().map(str::to_owned),
        kind: row.facts.kind,
    }
}
