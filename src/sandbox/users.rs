//! The users of a world: their tokens, SMS codes and bound plates, with the limits that the document sets (§8.1, §8.4, §8.5).
//!
//! Pure, as the world is: time is an argument.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::model::{Mobile, Plate, Timestamp};

/// How many plates a phone may have bound at once (§8.4).
const PLATES_AT_ONCE: usize = 3;

/// How many different plates a phone may bind within a month (§8.4): read as a calendar month of Asia/Shanghai.
const PLATES_A_MONTH: usize = 4;

#[derive(Clone, PartialEq, Eq)]
struct Token {
    text: String,
    issued_at: Timestamp,
}

/// A code that was sent by SMS.
#[derive(Clone, PartialEq, Eq)]
struct SmsCode {
    text: String,
    sent_at: Timestamp,
    used: bool,
}

/// An SMS code as the phone's owner sees it. It has no `Debug`: a code is nobody else's business.
#[derive(Clone, Serialize)]
pub struct SentCode {
    /// The phone, masked where it is shown.
    pub mobile: Mobile,
    /// The six digits.
    pub code: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Whether it was used.
    pub used: bool,
}

/// Through whom a plate was bound: unbinding is the same channel's business only (§8.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The merchant's, which asks here.
    Merchant,
    /// Another one, such as the platform's own app.
    Elsewhere,
}

#[derive(Clone, PartialEq, Eq)]
struct Binding {
    plate: Plate,
    color: u8,
    channel: Channel,
}

#[derive(Clone, Default, PartialEq)]
struct User {
    token: Option<Token>,
    bindings: Vec<Binding>,
    /// What was bound through the interface, and when.
    bound: Vec<(Plate, Timestamp)>,
    sign_ins: u64,
}

/// Why a plate is not bound or unbound: the document's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LimitReached;

/// All users.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Users {
    by_mobile: BTreeMap<Mobile, User>,
    /// Whose a token is; tokens that were voided are not in it.
    holders: HashMap<String, Mobile>,
    /// The last code sent to a phone, which need not be a user's yet.
    codes: BTreeMap<Mobile, SmsCode>,
}

impl Users {
    pub(super) fn add(&mut self, mobile: Mobile) {
        self.by_mobile.entry(mobile).or_default();
    }

    pub(super) fn knows(&self, mobile: &Mobile) -> bool {
        self.by_mobile.contains_key(mobile)
    }

    /// By phone number.
    pub(super) fn all(&self) -> impl Iterator<Item = &Mobile> {
        self.by_mobile.keys()
    }

    pub(super) fn len(&self) -> usize {
        self.by_mobile.len()
    }

    /// All tokens and SMS codes that are good for something.
    pub(super) fn secrets(&self) -> impl Iterator<Item = String> {
        self.holders.keys().cloned().chain(self.codes.values().map(|code| code.text.clone()))
    }

    /// Signs a user in: `token` is the user's from now on, an older one is void.
    pub(super) fn sign_in(&mut self, mobile: Mobile, token: String, now: Timestamp) {
        self.void_token(&mobile);
        self.holders.insert(token.clone(), mobile.clone());
        let user = self.by_mobile.entry(mobile).or_default();
        user.token = Some(Token { text: token, issued_at: now });
        user.sign_ins = user.sign_ins.saturating_add(1);
    }

    pub(super) fn void_token(&mut self, mobile: &Mobile) {
        if let Some(token) = self.by_mobile.get_mut(mobile).and_then(|user| user.token.take()) {
            self.holders.remove(&token.text);
        }
    }

    /// The user for whom a token stands, whatever its age.
    pub(super) fn holder(&self, token: &str) -> Option<&Mobile> {
        self.holders.get(token)
    }

    /// When the user's token was issued.
    pub(super) fn token_issued_at(&self, mobile: &Mobile) -> Option<Timestamp> {
        self.by_mobile.get(mobile)?.token.as_ref().map(|token| token.issued_at)
    }

    /// How often the user who did so most signed in.
    pub(super) fn sign_ins_per_user_max(&self) -> u64 {
        self.by_mobile.values().map(|user| user.sign_ins).max().unwrap_or_default()
    }

    pub(super) fn forget_sign_ins(&mut self) {
        self.by_mobile.values_mut().for_each(|user| user.sign_ins = 0);
    }

    /// When a code was last sent to a phone.
    pub(super) fn code_sent_at(&self, mobile: &Mobile) -> Option<Timestamp> {
        self.codes.get(mobile).map(|code| code.sent_at)
    }

    /// Sends a code; it replaces the one before.
    pub(super) fn send_code(&mut self, mobile: Mobile, text: String, now: Timestamp) {
        self.codes.insert(mobile, SmsCode { text, sent_at: now, used: false });
    }

    /// Uses a code up: whether it was the right one, not used before and not older than `life_s`.
    pub(super) fn use_code(&mut self, mobile: &Mobile, text: &str, life_s: i64, now: Timestamp) -> bool {
        let code = self.codes.get_mut(mobile);
        let fits = |code: &&mut SmsCode| code.text == text && !code.used && now.since_s(code.sent_at) <= life_s;
        code.filter(fits).map(|code| code.used = true).is_some()
    }

    pub(super) fn code(&self, mobile: &Mobile) -> Option<&str> {
        self.codes.get(mobile).map(|code| code.text.as_str())
    }

    /// The last code of each phone, by phone number.
    pub(super) fn codes(&self) -> impl Iterator<Item = SentCode> {
        self.codes.iter().map(|(mobile, code)| SentCode {
            mobile: mobile.clone(),
            code: code.text.clone(),
            sent_at: code.sent_at,
            used: code.used,
        })
    }

    /// Binds a plate without asking for limits, as if long ago.
    pub(super) fn set_bound(&mut self, mobile: &Mobile, plate: Plate, color: u8, channel: Channel) {
        let user = self.by_mobile.entry(mobile.clone()).or_default();
        if user.binding(&plate).is_none() {
            user.bindings.push(Binding { plate, color, channel });
        }
    }

    /// Unbinds a plate, whoever bound it.
    pub(super) fn set_unbound(&mut self, mobile: &Mobile, plate: &Plate) {
        if let Some(user) = self.by_mobile.get_mut(mobile) {
            user.bindings.retain(|binding| binding.plate != *plate);
        }
    }

    /// Binds a plate through the merchant's channel. Again is a success, and its colour is the one said last:
    /// §8.4 says that a number may exist in two colours, but no other interface tells them apart, so that a plate
    /// counts once. `etcp::limits` reads it in the same way.
    pub(super) fn bind(
        &mut self,
        mobile: &Mobile,
        plate: Plate,
        color: u8,
        now: Timestamp,
    ) -> Result<(), LimitReached> {
        let user = self.by_mobile.entry(mobile.clone()).or_default();
        if let Some(binding) = user.binding(&plate) {
            binding.color = color;
            return Ok(());
        }
        if user.bindings.len() >= PLATES_AT_ONCE || user.this_month(now, &plate) >= PLATES_A_MONTH {
            return Err(LimitReached);
        }
        user.bound.push((plate.clone(), now));
        user.bindings.push(Binding { plate, color, channel: Channel::Merchant });
        Ok(())
    }

    /// Unbinds a plate, in whatever colour, that the merchant's channel bound.
    pub(super) fn unbind(&mut self, mobile: &Mobile, plate: &Plate) -> Result<(), LimitReached> {
        let user = self.by_mobile.get_mut(mobile).ok_or(LimitReached)?;
        let before = user.bindings.len();
        user.bindings.retain(|binding| binding.plate != *plate || binding.channel != Channel::Merchant);
        if user.bindings.len() < before { Ok(()) } else { Err(LimitReached) }
    }

    /// The plates bound to a user, the oldest binding first.
    pub(super) fn plates_of(&self, mobile: &Mobile) -> impl Iterator<Item = &Plate> {
        self.by_mobile.get(mobile).into_iter().flat_map(|user| &user.bindings).map(|binding| &binding.plate)
    }
}

impl User {
    fn binding(&mut self, plate: &Plate) -> Option<&mut Binding> {
        self.bindings.iter_mut().find(|binding| binding.plate == *plate)
    }

    /// How many other plates than `plate` were bound in the month of `now`.
    fn this_month(&self, now: Timestamp, plate: &Plate) -> usize {
        let month = now.format("%Y%m");
        let others = self.bound.iter().filter(|(other, at)| other != plate && at.format("%Y%m") == month);
        let mut plates: Vec<_> = others.map(|(other, _)| other).collect();
        plates.sort_unstable();
        plates.dedup();
        plates.len()
    }
}
