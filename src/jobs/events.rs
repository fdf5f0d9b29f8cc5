//! What the exit pushes say beside the orders: an exit that no order tells of, and a fee that differs. Pure.
//!
//! A push is evidence and never a reason to send. What is found here is no disposition: it changes no tally of payments
//! or orders, and telling the platform (`jobs::notify`) knows nothing of it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::event::{EventFinding, Exit, ParkingEvent, SAME_ENTRANCE_S};
use crate::model::{Amount, OrderSnapshot, Plate, Timestamp};
use crate::recon::coverage::HISTORY_S;
use crate::store::{ExceptionFacts, ExceptionKey, ExceptionRow, ExceptionSide};

/// What the exits of a run show.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ExitFindings {
    /// Every exception that they show, of any date.
    pub found: Vec<ExceptionFacts>,
    /// Of the open ones, those whose subject is in order now, and what it is called. One that is in neither list is not
    /// to be judged by what this run knows.
    pub ended: Vec<(ExceptionKey, &'static str)>,
}

/// Lays exits beside orders. The order of neither matters.
///
/// `orders` are all of the evidence that the exits may be about, `pulled` the plates that were pulled in full, and when.
/// Several events of one synId are what was said of one exit at different times. It agrees if one of them does; where
/// none does, the one with the largest fee is told. An exit's order is the one with its synId as id; without one, of those of the same plate and, within a minute,
/// entrance, the nearest. Without any, it is an exception only where the pull would have listed it.
pub fn judge_exits<'a>(
    events: &[ParkingEvent],
    orders: impl IntoIterator<Item = &'a OrderSnapshot>,
    pulled: &BTreeMap<&Plate, Timestamp>,
    open: &[ExceptionRow],
) -> ExitFindings {
    let stays: Vec<Stay<'_>> = events.iter().filter_map(Stay::new).collect();
    let books = Books::new(&stays, orders);
    let open = open.iter().filter(|row| row.facts.key.side == ExceptionSide::Event);
    let open: HashMap<&str, Option<EventFinding>> =
        open.map(|row| (row.facts.key.subject.as_str(), EventFinding::from_name(&row.facts.kind))).collect();
    let mut judged: BTreeMap<&str, (&Stay<'_>, Verdict<'_>)> = BTreeMap::new();
    for stay in &stays {
        let one = (stay, verdict(stay, books.order_of(stay), pulled));
        match judged.entry(&stay.key) {
            Entry::Vacant(place) => drop(place.insert(one)),
            Entry::Occupied(mut place) if weight(&one) > weight(place.get()) => drop(place.insert(one)),
            Entry::Occupied(_) => {}
        }
    }
    let mut findings = ExitFindings::default();
    for (key, (stay, verdict)) in judged {
        findings.found.extend(stay.facts(&verdict));
        let was = open.get(key).copied().flatten();
        findings.ended.extend(was.and_then(|was| ended(was, &verdict)).map(|now| (stay.exception_key(), now)));
    }
    findings
}

/// Which of several contents of one push stands for it: the one that agrees, else one with an order, else the one
/// with the largest fee; what else they tell decides where that is the same.
fn weight<'a>((stay, verdict): &'a (&Stay<'_>, Verdict<'_>)) -> impl Ord + use<'a> {
    let rank = match verdict {
        Verdict::Agrees => 4,
        Verdict::NotClosed => 3,
        Verdict::FeeDiffers(_) => 2,
        Verdict::WithoutOrder => 1,
        Verdict::NotKnown => 0,
    };
    let Stay { event, exit, .. } = stay;
    (rank, exit.fee, exit.at, event.entrance_at, &event.plate)
}

/// What an exit is beside its order.
enum Verdict<'a> {
    /// There is none, and there should be.
    WithoutOrder,
    /// The closed order tells another fee.
    FeeDiffers(&'a OrderSnapshot),
    /// The closed order tells the same fee.
    Agrees,
    /// The order is there; what it cost in the end is not known.
    NotClosed,
    /// No order is known, which proves nothing or need not be.
    NotKnown,
}

fn verdict<'a>(stay: &Stay<'_>, order: Option<&'a OrderSnapshot>, pulled: &BTreeMap<&Plate, Timestamp>) -> Verdict<'a> {
    match order {
        // One that vanished from the platform's lists was last seen open, too.
        Some(order) if order.state.is_open() => Verdict::NotClosed,
        Some(order) if order.state.fee() == stay.exit.fee => Verdict::Agrees,
        Some(order) => Verdict::FeeDiffers(order),
        None if stay.exit.fee.is_zero() || !stay.would_be_listed(pulled) => Verdict::NotKnown,
        None => Verdict::WithoutOrder,
    }
}

/// What ends an open exception, if the facts do.
const fn ended(was: EventFinding, now: &Verdict<'_>) -> Option<&'static str> {
    match (was, now) {
        (EventFinding::WithoutOrder, Verdict::Agrees | Verdict::NotClosed) => Some("order_found"),
        (EventFinding::FeeDiffers, Verdict::Agrees) => Some("fee_agrees"),
        (_, _) => None,
    }
}

/// An exit push, with what it is looked up by.
struct Stay<'a> {
    event: &'a ParkingEvent,
    exit: Exit,
    key: String,
    plate: Option<Plate>,
}

impl<'a> Stay<'a> {
    fn new(event: &'a ParkingEvent) -> Option<Self> {
        Some(Self { event, exit: event.exit?, key: event.syn_id.key(), plate: event.plate() })
    }

    /// Whether the platform would have listed the order when the car's plate was pulled: the car had left, and had come
    /// in no longer ago than the history reaches.
    fn would_be_listed(&self, pulled: &BTreeMap<&Plate, Timestamp>) -> bool {
        let pulled_at = self.plate.as_ref().and_then(|plate| pulled.get(plate));
        pulled_at.is_some_and(|at| self.exit.at <= *at && at.since_s(self.event.entrance_at) <= HISTORY_S)
    }

    fn exception_key(&self) -> ExceptionKey {
        ExceptionKey { side: ExceptionSide::Event, subject: self.key.clone(), n: 0, beside: false }
    }

    /// The exception: what the push tells against the order's whole fee, cash included.
    fn facts(&self, verdict: &Verdict<'_>) -> Option<ExceptionFacts> {
        let (finding, order_id, due) = match verdict {
            Verdict::WithoutOrder => (EventFinding::WithoutOrder, &self.event.syn_id, Amount::ZERO),
            Verdict::FeeDiffers(order) => (EventFinding::FeeDiffers, &order.order_id, order.state.fee()),
            Verdict::Agrees | Verdict::NotClosed | Verdict::NotKnown => return None,
        };
        Some(ExceptionFacts {
            key: self.exception_key(),
            kind: finding.name().to_owned(),
            date: self.exit.at.business_date(),
            payment_id: None,
            external_order_id: None,
            order_id: Some(order_id.to_string()),
            plate: Some(self.event.plate.clone()),
            paid: self.exit.fee.minus(Amount::ZERO),
            due,
            at: self.exit.at,
            rule: finding.name().to_owned(),
        })
    }
}

/// The orders that exits may be about, to be looked up. It holds no more than the exits ask for.
struct Books<'a> {
    by_id: HashMap<String, &'a OrderSnapshot>,
    /// By entrance.
    by_plate: HashMap<&'a Plate, Vec<&'a OrderSnapshot>>,
}

impl<'a> Books<'a> {
    fn new(stays: &[Stay<'_>], orders: impl IntoIterator<Item = &'a OrderSnapshot>) -> Self {
        let ids: HashSet<&str> = stays.iter().map(|stay| stay.key.as_str()).collect();
        let plates: HashSet<&Plate> = stays.iter().filter_map(|stay| stay.plate.as_ref()).collect();
        let mut books = Self { by_id: HashMap::new(), by_plate: HashMap::new() };
        for order in orders {
            let key = order.order_id.key();
            if ids.contains(key.as_str()) {
                books.by_id.insert(key, order);
            }
            if let Some(plate) = order.plate.as_ref().filter(|plate| plates.contains(plate)) {
                books.by_plate.entry(plate).or_default().push(order);
            }
        }
        books.by_plate.values_mut().for_each(|orders| orders.sort_by_key(|order| order.entrance_at));
        books
    }

    fn order_of(&self, stay: &Stay<'_>) -> Option<&'a OrderSnapshot> {
        self.by_id.get(&stay.key).copied().or_else(|| self.nearest(stay))
    }

    /// The order of that plate whose entrance is nearest, within a minute; of two as near, the one with the fee.
    fn nearest(&self, stay: &Stay<'_>) -> Option<&'a OrderSnapshot> {
        let orders = self.by_plate.get(stay.plate.as_ref()?)?;
        let entrance_at = stay.event.entrance_at;
        let first = orders.partition_point(|order| order.entrance_at < entrance_at.plus_s(-SAME_ENTRANCE_S));
        let near = orders.get(first..)?.iter();
        let near = near.take_while(|order| order.entrance_at <= entrance_at.plus_s(SAME_ENTRANCE_S)).copied();
        near.min_by_key(|order| {
            let apart_s = order.entrance_at.since_s(entrance_at).unsigned_abs();
            (apart_s, order.state.fee() != stay.exit.fee, order.order_id.key())
        })
    }
}

#[cfg(test)]
mod tests;
