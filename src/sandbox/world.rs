//! The model of the platform: users, parking orders, its own ledger, and what it was wrongly asked to do.
//!
//! Pure: no sockets, no clock (time is an argument), no randomness (tokens and the like come from a
//! serial number). Two worlds that were told the same are equal.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::fault::Fault;
use super::lots::{Lot, Lots};
use super::orders::{Orders, ParkingOrder, Stay};
use super::request::Interface;
use super::users::{Channel, SentCode, Users};
use crate::model::{Amount, ExternalOrderId, Mobile, OrderId, Plate, Timestamp};

/// What an order that is paid while the car is still inside looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterPayment {
    /// It stays in the unpaid list with nothing remaining.
    Listed,
    /// It is in no list until the car leaves.
    Gone,
}

/// How this platform is set up.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// The merchant's number.
    pub merchant_no: String,
    /// The merchant's key. Not a secret here, and yet in no log.
    pub merchant_key: String,
    /// The only `appId` that is taken.
    pub app_id: String,
    /// Whether white space is left out of what is signed.
    pub strip_whitespace: bool,
    /// How old (or how far ahead) a time stamp may be.
    pub max_age_s: i64,
    /// How long a token lasts.
    pub token_life_s: i64,
    /// How long a phone waits for its next SMS code (§8.1).
    pub sms_pause_s: i64,
    /// How long an SMS code can be used.
    pub sms_life_s: i64,
    /// How far back the history goes, counted on the entrance.
    pub history_s: i64,
    /// How many car parks an answer holds at most.
    pub page_size: usize,
    /// What becomes of a paid order.
    pub after_payment: AfterPayment,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            merchant_no: "9827c6b5c6d94485b912b6e90c92a7ae".into(),
            merchant_key: "sandbox-merchant-key".into(),
            app_id: "ETCP".into(),
            strip_whitespace: false,
            max_age_s: 10 * 60,
            token_life_s: 24 * 3600,
            sms_pause_s: 60,
            sms_life_s: 5 * 60,
            history_s: 7 * 24 * 3600,
            page_size: 10,
            after_payment: AfterPayment::Listed,
        }
    }
}

/// A line of the platform's ledger: one `orderpaid` that was booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Booking {
    /// The merchant's id of the payment.
    pub external_order_id: ExternalOrderId,
    /// The order it pays.
    pub order_id: OrderId,
    /// How much.
    pub amount: Amount,
    /// When the customer paid, as the merchant says.
    pub pay_time: Timestamp,
    /// The platform's id of the payment.
    pub pay_order_id: String,
    /// When it was booked.
    pub at: Timestamp,
    /// The user in whose name it was told.
    pub mobile: Mobile,
}

/// What a client must never ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ViolationKind {
    /// A booking while nothing is due: 20206 while the car is inside, 7 when it is gone.
    NothingDue,
    /// A booking of another amount than is due: 20206.
    OtherAmount,
    /// A booking under an external order id that the ledger holds: 8.
    IdUsed,
}

impl ViolationKind {
    const fn text(self) -> &'static str {
        match self {
            Self::NothingDue => "a booking was asked for while nothing is due",
            Self::OtherAmount => "a booking of another amount than is due was asked for",
            Self::IdUsed => "a booking was asked for under an id already used",
        }
    }
}

/// A booking that was asked for and must not be; it was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// What was wrong.
    pub kind: ViolationKind,
    /// The order.
    pub order_id: OrderId,
    /// The id it came under.
    pub external_order_id: ExternalOrderId,
    /// What was to be booked.
    pub asked: Amount,
    /// What was due.
    pub due: Amount,
    /// The code it was refused with.
    pub code: i64,
    /// When.
    pub at: Timestamp,
}

/// The platform.
#[derive(Clone, PartialEq)]
pub struct World {
    pub(super) settings: Settings,
    pub(super) users: Users,
    pub(super) orders: Orders,
    pub(super) lots: Lots,
    /// The `verificationInfo` of the last fee query, by the folded order id.
    pub(super) verifications: BTreeMap<String, String>,
    ledger: Vec<Booking>,
    /// The external order ids that the ledger holds.
    used_ids: HashSet<ExternalOrderId>,
    pub(super) postponed: Vec<Booking>,
    pub(super) violations: Vec<Violation>,
    pub(super) faults: Vec<Fault>,
    pub(super) calls: BTreeMap<Interface, u64>,
    serial: u64,
}

impl World {
    /// A platform without users and orders.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            users: Users::default(),
            orders: Orders::default(),
            lots: Lots::default(),
            verifications: BTreeMap::new(),
            ledger: Vec::new(),
            used_ids: HashSet::new(),
            postponed: Vec::new(),
            violations: Vec::new(),
            faults: Vec::new(),
            calls: BTreeMap::new(),
            serial: 0,
        }
    }

    /// How it is set up.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How it is set up, to be changed.
    pub const fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Knows a user from now on.
    pub fn add_user(&mut self, mobile: Mobile) {
        self.users.add(mobile);
    }

    /// Binds a plate to a user through the merchant's channel, as if long ago: no limit is asked for.
    pub fn bind(&mut self, mobile: &Mobile, plate: &Plate, color: u8) {
        self.users.set_bound(mobile, plate.clone(), color, Channel::Merchant);
    }

    /// Binds a plate to a user through another channel, so that the merchant cannot unbind it.
    pub fn bind_elsewhere(&mut self, mobile: &Mobile, plate: &Plate, color: u8) {
        self.users.set_bound(mobile, plate.clone(), color, Channel::Elsewhere);
    }

    /// Unbinds a plate through another channel, such as the platform's own app, whoever bound it.
    pub fn unbind_elsewhere(&mut self, mobile: &Mobile, plate: &Plate) {
        self.users.set_unbound(mobile, plate);
    }

    /// The plates bound to a user, the oldest binding first.
    pub fn plates_of(&self, mobile: &Mobile) -> Vec<Plate> {
        self.users.plates_of(mobile).cloned().collect()
    }

    /// The code last sent to a phone by SMS.
    pub fn sms_code(&self, mobile: &Mobile) -> Option<String> {
        self.users.code(mobile).map(str::to_owned)
    }

    /// The last SMS code of each phone.
    pub fn sms_codes(&self) -> Vec<SentCode> {
        self.users.codes().collect()
    }

    /// Knows a car park from now on; one with the same id is replaced.
    pub fn add_lot(&mut self, lot: Lot) {
        self.lots.add(lot);
    }

    /// Takes in an order (and its user); one with the same id is replaced.
    pub fn add_order(&mut self, order: ParkingOrder) {
        self.add_user(order.mobile.clone());
        self.orders.insert(order);
    }

    /// The order with that id.
    pub fn order(&self, order_id: &OrderId) -> Option<&ParkingOrder> {
        self.orders.get(order_id)
    }

    /// All orders, by id.
    pub fn orders(&self) -> impl Iterator<Item = &ParkingOrder> {
        self.orders.all()
    }

    /// All users, by phone number.
    pub fn users(&self) -> impl Iterator<Item = &Mobile> {
        self.users.all()
    }

    /// What was booked, in this order.
    pub fn ledger(&self) -> &[Booking] {
        &self.ledger
    }

    /// Every text that a client must keep to itself: the users' tokens, SMS codes and phone numbers, what was given
    /// out with the last fee queries, the merchant's key. For a test that looks for them in a client's output.
    pub fn secrets(&self) -> Vec<String> {
        let phones = self.users.all().map(|mobile| mobile.expose().to_owned());
        let verifications = self.verifications.values().cloned();
        self.users.secrets().chain(phones).chain(verifications).chain([self.settings.merchant_key.clone()]).collect()
    }

    /// What was asked for and must not be.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// How many requests came in for an interface, refused and failed ones too.
    pub fn calls(&self, interface: Interface) -> u64 {
        self.calls.get(&interface).copied().unwrap_or_default()
    }

    /// Forgets the counts of requests.
    pub fn reset_calls(&mut self) {
        self.calls.clear();
    }

    /// How often the user who signed in most did so, with a code or without.
    pub fn sign_ins_per_user_max(&self) -> u64 {
        self.users.sign_ins_per_user_max()
    }

    /// Forgets how often users signed in.
    pub fn reset_sign_ins(&mut self) {
        self.users.forget_sign_ins();
    }

    /// Adds a rule; rules are tried in the order they were added.
    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// The rules, those that are used up too.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }

    /// Ends all faults.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Voids a user's token, as a sign-in elsewhere would.
    pub fn void_token(&mut self, mobile: &Mobile) {
        self.users.void_token(mobile);
    }

    /// The fee of a car inside grows to `fee`. `false` when it is not inside or paid more already.
    pub fn charge(&mut self, order_id: &OrderId, fee: Amount) -> bool {
        self.change(order_id, |stay| match *stay {
            Stay::Inside { paid, .. } => (paid <= fee).then_some(Stay::Inside { fee, paid }),
            Stay::Left { .. } | Stay::Vanished => None,
        })
    }

    /// The user pays `amount` through the platform's own app. `false` when less is due.
    pub fn pay_elsewhere(&mut self, order_id: &OrderId, amount: Amount) -> bool {
        self.change(order_id, |stay| with_paid(*stay, amount))
    }

    /// The car leaves; what is due is taken in cash. `false` when it is not inside.
    pub fn leave(&mut self, order_id: &OrderId, exit_at: Timestamp) -> bool {
        self.change(order_id, |stay| match *stay {
            Stay::Inside { fee, paid } => Some(Stay::Left { fee, cash: fee.checked_sub(paid)?, exit_at }),
            Stay::Left { .. } | Stay::Vanished => None,
        })
    }

    /// The order disappears from both lists. `false` when there is no such order.
    pub fn vanish(&mut self, order_id: &OrderId) -> bool {
        self.change(order_id, |_| Some(Stay::Vanished))
    }

    /// The platform loses a booking of a car inside: it is struck from the ledger and the fee is due again.
    pub fn lose_booking(&mut self, external_order_id: &ExternalOrderId) -> Option<Booking> {
        let place = self.ledger.iter().position(|booking| booking.external_order_id == *external_order_id)?;
        let booking = self.ledger.get(place)?.clone();
        let changed = self.change(&booking.order_id, |stay| match *stay {
            Stay::Inside { fee, paid } => Some(Stay::Inside { fee, paid: paid.checked_sub(booking.amount)? }),
            Stay::Left { .. } | Stay::Vanished => None,
        });
        changed.then(|| {
            self.used_ids.remove(external_order_id);
            self.ledger.remove(place)
        })
    }

    /// Books what the fault `postpone` kept back, if it can still be booked. Returns how much was.
    pub fn execute_postponed(&mut self, now: Timestamp) -> usize {
        let waiting = std::mem::take(&mut self.postponed);
        waiting.into_iter().filter(|booking| self.book(Booking { at: now, ..booking.clone() }).is_ok()).count()
    }

    fn change(&mut self, order_id: &OrderId, next: impl FnOnce(&Stay) -> Option<Stay>) -> bool {
        self.orders.change(order_id, next)
    }

    /// Whether a booking may be made; if not, the code, and the violation is kept.
    pub(super) fn admit(&mut self, booking: &Booking) -> Result<(), i64> {
        let due = self.order(&booking.order_id).and_then(ParkingOrder::due);
        let used = self.used_ids.contains(&booking.external_order_id);
        let (kind, code) = match due {
            _ if used => (ViolationKind::IdUsed, 8),
            None => (ViolationKind::NothingDue, 7),
            Some(Amount::ZERO) => (ViolationKind::NothingDue, 20206),
            Some(due) if due != booking.amount => (ViolationKind::OtherAmount, 20206),
            Some(_) => return Ok(()),
        };
        let due = due.unwrap_or(Amount::ZERO);
        tracing::error!(
            order.id = %booking.order_id, external_order.id = %booking.external_order_id,
            asked = %booking.amount, %due, code, "sandbox violation: {}", kind.text()
        );
        self.violations.push(Violation {
            kind,
            order_id: booking.order_id.clone(),
            external_order_id: booking.external_order_id.clone(),
            asked: booking.amount,
            due,
            code,
            at: booking.at,
        });
        Err(code)
    }

    /// Books, or refuses with a code.
    pub(super) fn book(&mut self, booking: Booking) -> Result<(), i64> {
        self.admit(&booking)?;
        if !self.change(&booking.order_id, |stay| with_paid(*stay, booking.amount)) {
            return Err(7);
        }
        self.verifications.remove(&booking.order_id.key());
        self.used_ids.insert(booking.external_order_id.clone());
        self.ledger.push(booking);
        Ok(())
    }

    /// A text that was never given out before.
    pub(super) fn fresh(&mut self, what: &str) -> [u8; 32] {
        self.serial = self.serial.saturating_add(1);
        Sha256::digest(format!("{what} {} {}", self.serial, self.settings.merchant_no)).into()
    }

    /// The number of the last fresh text.
    pub(super) const fn serial(&self) -> u64 {
        self.serial
    }
}

fn with_paid(stay: Stay, amount: Amount) -> Option<Stay> {
    match stay {
        Stay::Inside { fee, paid } => {
            let paid = paid.checked_add(amount)?;
            (paid <= fee).then_some(Stay::Inside { fee, paid })
        }
        Stay::Left { .. } | Stay::Vanished => None,
    }
}

impl fmt::Debug for World {
    /// Counts only: a world holds tokens and phone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("users", &self.users.len())
            .field("orders", &self.orders.len())
            .field("ledger", &self.ledger.len())
            .field("violations", &self.violations)
            .finish_non_exhaustive()
    }
}
