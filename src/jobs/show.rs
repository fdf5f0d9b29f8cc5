//! `show`: all that is known of a payment, an order, a notification or a push, in time order, and why it is called what it is.
//!
//! Evidence, decisions and attempts are read as they were stored; nothing is judged again here. The
//! links are followed once: from a payment to its order, to that order's other payments and to its pushes.

mod collect;
mod render;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::bills::RowKind;
use crate::model::{
    Amount, BusinessDate, ChannelFee, Difference, Disposition, EventKind, Mobile, OrderSnapshot, Plate, Side, Timestamp,
};
use crate::recon::Rule;
use crate::report::data::Sentence;

pub use collect::show;
pub use render::render;

/// All that is known of one id.
#[derive(Clone, Debug, Serialize)]
pub struct Story {
    /// The id that was asked for.
    pub id: String,
    /// The payments it is about, by external order id.
    pub payments: Vec<String>,
    /// The orders it is about, as the platform writes their ids.
    pub orders: Vec<String>,
    /// The synIds of the pushes it is about, as they came.
    pub pushes: Vec<String>,
    /// What happened, in time order.
    pub entries: Vec<Entry>,
    /// What the newest run that speaks of them calls each of them, and why.
    pub outcomes: Vec<Outcome>,
    /// Where the notifications stand.
    pub notifications: Vec<Notification>,
    /// The exceptions, open and resolved.
    pub exceptions: Vec<Exception>,
}

/// Something that happened or was seen.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// When: a bill's row at its own time, an order when the platform showed it.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What an entry tells.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A row of a bill.
    BillRow(BillEntry),
    /// The platform showed an order, for the first time or otherwise than before.
    Order(OrderEntry),
    /// A push came, the first of its kind and synId.
    Push(PushEntry),
    /// The same push came with other content.
    PushContradiction(ContradictionEntry),
    /// A row of the journal.
    Journal(JournalEntry),
    /// A step of an exception.
    Exception(ExceptionEntry),
    /// A run gave a payment or an order its disposition.
    Outcome(Outcome),
}

/// A row of a bill.
#[derive(Clone, Debug, Serialize)]
pub struct BillEntry {
    /// The file.
    pub file: String,
    /// The line in it.
    pub line: u64,
    /// The source.
    pub source: String,
    /// Whether it is only the second evidence of a payment.
    pub ledger: bool,
    /// What the row is.
    pub kind: RowKind,
    /// The payment id.
    pub payment_id: String,
    /// The refund id.
    pub refund_id: Option<String>,
    /// The payment's id at the platform.
    pub external_order_id: String,
    /// The channel's trade number.
    pub trade_no: Option<String>,
    /// The order that the row names.
    pub order_id: Option<String>,
    /// The plate that the row names.
    pub plate: Option<Plate>,
    /// What was paid, given back, or charged.
    pub amount: Amount,
    /// What of it reached the merchant, or was taken back.
    pub received: Option<Amount>,
    /// The channel's fee.
    pub fee: Option<ChannelFee>,
    /// What a payment's row says was given back so far.
    pub refunded: Amount,
    /// A refund that is not through yet.
    pub refund_pending: bool,
    /// The channel.
    pub channel: String,
}

/// An order as the platform showed it.
#[derive(Clone, Debug, Serialize)]
pub struct OrderEntry {
    /// The order.
    pub order_id: String,
    /// Its car.
    pub plate: Option<Plate>,
    /// The car park.
    pub parking: String,
    /// When the car came in.
    pub entrance_at: Timestamp,
    /// When it left.
    pub exit_at: Option<Timestamp>,
    /// The car is inside.
    pub open: bool,
    /// The whole fee.
    pub fee: Amount,
    /// Paid electronically so far.
    pub booked: Amount,
    /// Still to be paid.
    pub due: Amount,
    /// Taken in cash at the exit.
    pub cash: Amount,
    /// What changed since it was shown before; empty the first time.
    pub changed: Vec<&'static str>,
}

/// A push.
#[derive(Clone, Debug, Serialize)]
pub struct PushEntry {
    /// Entrance or exit.
    pub kind: EventKind,
    /// The parking record.
    pub syn_id: String,
    /// Its car, as the push writes it.
    pub plate: String,
    /// The car park.
    pub parking: String,
    /// When the car came in.
    pub entrance_at: Timestamp,
    /// When it left; none of an entrance.
    pub exit_at: Option<Timestamp>,
    /// What the stay cost; none of an entrance.
    pub fee: Option<Amount>,
    /// When the platform says that it sent it.
    pub pushed_at: Option<Timestamp>,
}

/// A push that says otherwise than the first of its kind and synId.
#[derive(Clone, Debug, Serialize)]
pub struct ContradictionEntry {
    /// Entrance or exit.
    pub kind: EventKind,
    /// The parking record.
    pub syn_id: String,
    /// What it says otherwise.
    pub otherwise: BTreeMap<String, Value>,
}

/// A row of the journal.
#[derive(Clone, Debug, Serialize)]
pub struct JournalEntry {
    /// Its number.
    pub seq: i64,
    /// The run that wrote it.
    pub run: Option<String>,
    /// Such as `notification.sending`.
    pub kind: String,
    /// The external order id.
    pub subject: String,
    /// The facts.
    pub detail: Value,
}

/// A step in the life of an exception.
#[derive(Clone, Debug, Serialize)]
pub struct ExceptionEntry {
    /// The exception's number.
    pub id: i64,
    /// `opened`, `changed`, `resolved` or `reopened`.
    pub act: &'static str,
    /// What it was after that.
    pub kind: String,
    /// What was paid, net; the fee that a push tells.
    pub paid: Difference,
    /// The order's `booked + due`; beside a push the order's whole fee.
    pub due: Amount,
    /// `paid − due`.
    pub difference: Difference,
    /// The run whose facts did it.
    pub run: Option<String>,
    /// The person who did it.
    pub by: Option<String>,
    /// A run's reason, a person's note.
    pub note: Option<String>,
    #[serde(skip)]
    seq: i64,
}

/// What a run called a payment or an order.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The run.
    pub run: String,
    /// Payment or order.
    pub side: &'static str,
    /// The external order id, or the order's id.
    pub subject: String,
    /// Gross of a payment, `booked + due` of an order.
    pub amount: Difference,
    /// The disposition.
    pub disposition: Disposition,
    /// The rule's number in the documentation.
    pub rule: String,
    /// Why, in a sentence; empty for a rule that this version does not know.
    pub why: Sentence,
    /// The other side's id.
    pub counterpart: Option<String>,
}

/// Where a notification stands.
#[derive(Clone, Debug, Serialize)]
pub struct Notification {
    /// Its id at the platform.
    pub external_order_id: String,
    /// The order.
    pub order_id: String,
    /// How much.
    pub amount: Amount,
    /// The user in whose name it is told; shown masked.
    pub mobile: Mobile,
    /// Its state.
    pub state: &'static str,
    /// Why, when there is something to say.
    pub why: String,
    /// The platform's id of the booking.
    pub pay_order_id: Option<String>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What was sent, oldest first.
    pub attempts: Vec<Attempt>,
}

/// One `orderpaid` on the wire.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// Which one.
    pub n: i64,
    /// When it began.
    pub at: Timestamp,
    /// What it showed; none when the process died before it was known.
    pub outcome: Option<String>,
    /// The platform's code.
    pub code: Option<i64>,
    /// The platform's words, or what went wrong.
    pub message: Option<String>,
}

/// An exception.
#[derive(Clone, Debug, Serialize)]
pub struct Exception {
    /// Its number.
    pub id: i64,
    /// Its kind.
    pub kind: String,
    /// Its date.
    pub date: BusinessDate,
    /// Whether it is open.
    pub open: bool,
    /// What was paid, net; the fee that a push tells.
    pub paid: Difference,
    /// The order's `booked + due`; beside a push the order's whole fee.
    pub due: Amount,
    /// `paid − due`.
    pub difference: Difference,
    /// When a run first saw it.
    pub first_seen: Timestamp,
    /// When a run last saw it.
    pub last_seen: Timestamp,
    /// The person who resolved it.
    pub resolved_by: Option<String>,
    /// Why it ended or opened again, or a person's words.
    pub note: Option<String>,
    /// What a push shows, in a sentence; none of payments and orders, of which the outcomes tell.
    pub why: Option<Sentence>,
}

impl OrderEntry {
    fn new(seen: &OrderSnapshot, before: Option<&OrderSnapshot>) -> Self {
        Self {
            order_id: seen.order_id.to_string(),
            plate: seen.plate.clone(),
            parking: seen.parking_name.clone(),
            entrance_at: seen.entrance_at,
            exit_at: seen.exit_at,
            open: seen.state.is_open(),
            fee: seen.state.fee(),
            booked: seen.state.booked(),
            due: seen.state.due(),
            cash: seen.state.cash(),
            changed: before.map(|before| changed(before, seen)).unwrap_or_default(),
        }
    }
}

/// What is otherwise than before, by the names of [`OrderEntry`].
fn changed(before: &OrderSnapshot, now: &OrderSnapshot) -> Vec<&'static str> {
    let (was, is) = (before.state, now.state);
    let compared = [
        ("open", was.is_open() != is.is_open()),
        ("fee", was.fee() != is.fee()),
        ("booked", was.booked() != is.booked()),
        ("due", was.due() != is.due()),
        ("cash", was.cash() != is.cash()),
        ("plate", before.plate != now.plate),
        ("parking", before.parking_name != now.parking_name || before.parking_id != now.parking_id),
        ("entrance_at", before.entrance_at != now.entrance_at),
        ("exit_at", before.exit_at != now.exit_at),
    ];
    compared.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// A rule by the name it is stored under: its number and its sentence.
fn rule(key: &str) -> (String, Sentence) {
    match Rule::from_key(key) {
        Some(rule) => (rule.name().to_owned(), Sentence::new(rule.chinese(), rule.english())),
        None => (key.to_owned(), Sentence::default()),
    }
}

const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Payment => "payment",
        Side::Order => "order",
    }
}
