//! The parking orders of a world, found by id, by user and by plate without a scan.
//!
//! The indexes are kept here and nowhere else: an order is taken in whole, and only its stay changes afterwards.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::{Amount, Mobile, OrderId, Plate, Timestamp};

/// Where a car is, and the money side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// Inside; `paid ≤ fee`.
    Inside {
        /// The whole fee so far.
        fee: Amount,
        /// What was paid of it electronically.
        paid: Amount,
    },
    /// Left; `cash ≤ fee`.
    Left {
        /// The whole fee.
        fee: Amount,
        /// The part taken in cash at the exit.
        cash: Amount,
        /// When it left.
        exit_at: Timestamp,
    },
    /// Gone without a record: in neither list.
    Vanished,
}

/// One parking stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkingOrder {
    /// The platform's id.
    pub order_id: OrderId,
    /// The plate as the platform prints it.
    pub plate: String,
    /// The user to whom the plate is bound.
    pub mobile: Mobile,
    /// The car park's id.
    pub parking_id: String,
    /// The car park's name.
    pub parking_name: String,
    /// When the car came in.
    pub entrance_at: Timestamp,
    /// Where it is.
    pub stay: Stay,
}

impl ParkingOrder {
    /// What is still to be paid; `None` when the car is not inside.
    pub fn due(&self) -> Option<Amount> {
        match self.stay {
            Stay::Inside { fee, paid } => fee.checked_sub(paid),
            Stay::Left { .. } | Stay::Vanished => None,
        }
    }
}

/// Folded order ids, in their order.
type Keys = BTreeSet<String>;

/// All orders, each id once.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Orders {
    /// By the folded order id.
    filed: BTreeMap<String, ParkingOrder>,
    by_user: HashMap<Mobile, Keys>,
    by_plate: HashMap<Plate, Keys>,
}

impl Orders {
    /// Takes in an order; one with the same id is replaced.
    pub(super) fn insert(&mut self, order: ParkingOrder) {
        let key = order.order_id.key();
        if let Some(older) = self.filed.remove(&key) {
            forget(&mut self.by_user, &older.mobile, &key);
            if let Ok(plate) = Plate::parse(&older.plate) {
                forget(&mut self.by_plate, &plate, &key);
            }
        }
        self.by_user.entry(order.mobile.clone()).or_default().insert(key.clone());
        if let Ok(plate) = Plate::parse(&order.plate) {
            self.by_plate.entry(plate).or_default().insert(key.clone());
        }
        self.filed.insert(key, order);
    }

    pub(super) fn get(&self, order_id: &OrderId) -> Option<&ParkingOrder> {
        self.filed.get(&order_id.key())
    }

    /// All of them, by id.
    pub(super) fn all(&self) -> impl Iterator<Item = &ParkingOrder> {
        self.filed.values()
    }

    pub(super) fn len(&self) -> usize {
        self.filed.len()
    }

    /// A user's orders, by id.
    pub(super) fn of_user(&self, mobile: &Mobile) -> impl Iterator<Item = &ParkingOrder> {
        self.named(self.by_user.get(mobile))
    }

    /// The orders of a plate, by id.
    pub(super) fn of_plate(&self, plate: &Plate) -> impl Iterator<Item = &ParkingOrder> {
        self.named(self.by_plate.get(plate))
    }

    fn named<'a>(&'a self, keys: Option<&'a Keys>) -> impl Iterator<Item = &'a ParkingOrder> {
        keys.into_iter().flatten().filter_map(|key| self.filed.get(key))
    }

    /// Changes the stay of an order if `next` has another one. Whether it did.
    pub(super) fn change(&mut self, order_id: &OrderId, next: impl FnOnce(&Stay) -> Option<Stay>) -> bool {
        let order = self.filed.get_mut(&order_id.key());
        let changed = order.and_then(|order| next(&order.stay).map(|stay| order.stay = stay));
        changed.is_some()
    }
}

fn forget<K: std::hash::Hash + Eq>(index: &mut HashMap<K, Keys>, of: &K, key: &str) {
    if let Some(keys) = index.get_mut(of) {
        keys.remove(key);
    }
}
