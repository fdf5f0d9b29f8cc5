//! Answers of the platform, read strictly: whole JSON, no member twice, money exact.
//!
//! A record that is bad is rejected with its reason and counted, the others are kept. What the
//! platform writes now as a number and now as a string is read as both; money goes from the digits
//! in the answer to an [`Amount`] without a binary float in between.

use std::collections::HashSet;
use std::fmt;

use secrecy::SecretString;
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Code;
use crate::model::{Amount, OrderId, OrderSnapshot, OrderState, Plate, Timestamp};

/// Why an answer cannot be read as a whole. No part of the answer's content is in it, but for
/// names of members.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Cut, or not JSON at all.
    #[error("the answer is no whole JSON text (line {line}, column {column})")]
    NotJson {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// One object names a member twice, so readers could disagree about its value.
    #[error("the answer names a member twice (line {line}, column {column})")]
    DuplicateMember {
        /// Where the second one stands.
        line: usize,
        /// Where the second one stands.
        column: usize,
    },
    /// JSON of another shape.
    #[error("the answer has another shape: {what}")]
    Shape {
        /// What was looked for.
        what: &'static str,
    },
}

/// An answer: code, message and whatever the interface adds.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The code.
    pub code: Code,
    /// The platform's own words; empty when it said nothing.
    pub message: String,
    /// `Null` when there is none.
    pub data: Value,
}

impl fmt::Debug for Answer {
    /// Without the data, which may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("code", &self.code).finish_non_exhaustive()
    }
}

/// A list of records: those that could be read, in the answer's order, and those that could not.
#[derive(Clone, Debug)]
pub struct Listing<T> {
    /// The good ones.
    pub records: Vec<T>,
    /// The bad ones.
    pub rejected: Vec<RejectedRecord>,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { records: Vec::new(), rejected: Vec::new() }
    }
}

impl<T> Listing<T> {
    /// Whether every record could be read: only then is what does not stand in it evidence.
    pub const fn is_complete(&self) -> bool {
        self.rejected.is_empty()
    }

    /// Whether the number of records is one at which servers like to cut a list without saying so
    /// (10, 20, 50, 100). What does not stand in such a list proves nothing.
    pub fn may_be_cut(&self) -> bool {
        matches!(self.records.len().saturating_add(self.rejected.len()), 10 | 20 | 50 | 100)
    }
}

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRecord {
    /// Its order, if that much could be read.
    pub order_id: Option<OrderId>,
    /// Its plate, if known.
    pub plate: Option<Plate>,
    /// Why, with the text that was bad.
    pub reason: String,
}

/// An open order with what is needed to pay it.
#[derive(Clone, Debug)]
pub struct UnpaidOrder {
    /// The order; its plate is the one that was asked for.
    pub snapshot: OrderSnapshot,
    /// Belongs to this one fee query; empty when the platform left it out, and then nothing can be paid.
    pub verification_info: SecretString,
}

/// Reads an answer. The code may be a number or a string.
///
/// # Errors
/// When the bytes are not one whole JSON object with a code, or a member stands twice in any object.
pub fn parse_answer(body: &[u8]) -> Result<Answer, WireError> {
    let value = strict_json(body)?;
    let Value::Object(mut members) = value else {
        return Err(WireError::Shape { what: "an object {code, message, data} is expected" });
    };
    let code = members.get("code").and_then(code_of).ok_or(WireError::Shape { what: "no whole number as `code`" })?;
    let message = members.get("message").and_then(text_of).unwrap_or_default();
    let data = members.remove("data").unwrap_or(Value::Null);
    Ok(Answer { code, message, data })
}

/// Reads the token of a sign-in.
///
/// # Errors
/// When there is none.
pub fn parse_token(data: &Value) -> Result<SecretString, WireError> {
    let token = data.get("token").and_then(text_of).filter(|token| !token.is_empty());
    token.map(SecretString::from).ok_or(WireError::Shape { what: "no `data.token`" })
}

/// Reads the closed orders of `orderhistory`.
///
/// # Errors
/// When `data` is neither a list nor empty; a bad record is no error, it is rejected.
pub fn parse_history(data: &Value) -> Result<Listing<OrderSnapshot>, WireError> {
    let mut listing = Listing::default();
    for record in records(data)? {
        // A masked plate names no car; the order is still known by its id.
        let plate = member(record, "carNumber").and_then(text_of).and_then(|text| Plate::parse(&text).ok());
        match closed_order(record, plate.clone()) {
            Ok(order) => listing.records.push(order),
            Err(reason) => listing.rejected.push(rejected(record, plate, &reason)),
        }
    }
    Ok(listing)
}

/// Reads the open orders of `orderunpay`, asked for `plate`. The plate in the answer is masked and
/// not looked at.
///
/// # Errors
/// When `data` is neither a list nor empty; a bad record is no error, it is rejected.
pub fn parse_unpaid(data: &Value, plate: &Plate) -> Result<Listing<UnpaidOrder>, WireError> {
    let mut listing = Listing::default();
    for record in records(data)? {
        match open_order(record, plate) {
            Ok(order) => listing.records.push(order),
            Err(reason) => listing.rejected.push(rejected(record, Some(plate.clone()), &reason)),
        }
    }
    Ok(listing)
}

/// The text of a string or a number, trimmed; ids come as both.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A member's amount in yuan, of a string or a number.
pub(super) fn amount_of(value: &Value) -> Result<Amount, String> {
    let text = text_of(value).ok_or("is no amount")?;
    text.parse::<Amount>().map_err(|error| error.to_string())
}

fn closed_order(record: &Value, plate: Option<Plate>) -> Result<OrderSnapshot, String> {
    let fee = amount(record, "parkingFee")?;
    let cash = amount(record, "actual")?;
    let state = OrderState::closed(fee, cash).ok_or_else(|| format!("actual {cash} is more than parkingFee {fee}"))?;
    let exit_at = match member(record, "exitTime").and_then(text_of) {
        None => None,
        Some(text) if text.is_empty() => None,
        Some(_) => Some(time(record, "exitTime")?),
    };
    snapshot(record, plate, exit_at, state)
}

fn open_order(record: &Value, plate: &Plate) -> Result<UnpaidOrder, String> {
    let fee = amount(record, "parkingFee")?;
    let remaining = amount(record, "remainingFee")?;
    let state = OrderState::open(fee, remaining)
        .ok_or_else(|| format!("remainingFee {remaining} is more than parkingFee {fee}"))?;
    // The exit time of an open order is that of the fee's calculation: nothing left yet.
    let snapshot = snapshot(record, Some(plate.clone()), None, state)?;
    let verification_info = match member(record, "verificationInfo") {
        Some(Value::String(text)) => SecretString::from(text.as_str()),
        _ => SecretString::default(),
    };
    Ok(UnpaidOrder { snapshot, verification_info })
}

fn snapshot(
    record: &Value,
    plate: Option<Plate>,
    exit_at: Option<Timestamp>,
    state: OrderState,
) -> Result<OrderSnapshot, String> {
    let text = |name| member(record, name).and_then(text_of).unwrap_or_default();
    Ok(OrderSnapshot {
        order_id: order_id(record).ok_or("orderId is missing or unreadable")?,
        plate,
        parking_id: text("parkingId"),
        parking_name: text("parkingName"),
        entrance_at: time(record, "entranceTime")?,
        exit_at,
        state,
    })
}

fn rejected(record: &Value, plate: Option<Plate>, reason: &str) -> RejectedRecord {
    RejectedRecord { order_id: order_id(record), plate, reason: reason.chars().take(200).collect() }
}

/// The records of a listing: a list, an object with the list in `list`, one record alone, or nothing.
fn records(data: &Value) -> Result<&[Value], WireError> {
    match data {
        Value::Null => Ok(&[]),
        Value::Array(records) => Ok(records),
        Value::Object(members) if members.is_empty() => Ok(&[]),
        Value::Object(members) => match members.get("list") {
            Some(Value::Array(records)) => Ok(records),
            None if members.contains_key("orderId") => Ok(std::slice::from_ref(data)),
            _ => Err(WireError::Shape { what: "`data` is an object without records" }),
        },
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Err(WireError::Shape { what: "`data` is no list" }),
    }
}

/// A member of an object that is there and not null.
pub(super) fn member<'a>(record: &'a Value, name: &str) -> Option<&'a Value> {
    record.as_object().and_then(|members: &Map<String, Value>| members.get(name)).filter(|value| !value.is_null())
}

fn amount(record: &Value, name: &str) -> Result<Amount, String> {
    let value = member(record, name).ok_or_else(|| format!("{name} is missing"))?;
    amount_of(value).map_err(|reason| format!("{name}: {reason}"))
}

fn time(record: &Value, name: &str) -> Result<Timestamp, String> {
    let text = member(record, name).and_then(text_of).ok_or_else(|| format!("{name} is missing"))?;
    Timestamp::parse_wall(&text).map_err(|error| format!("{name}: {error}"))
}

/// The order id, if it is one that can be kept, shown and sent back.
fn order_id(record: &Value) -> Option<OrderId> {
    const LONGEST: usize = 128;
    let text = member(record, "orderId").and_then(text_of)?;
    let fits = text.len() <= LONGEST && !text.chars().any(char::is_control);
    fits.then(|| OrderId::new(&text)).flatten()
}

/// A code of a whole number in its usual spelling, or of a string that holds one.
fn code_of(value: &Value) -> Option<Code> {
    let text = text_of(value)?;
    let number = text.parse::<i64>().ok()?;
    (number.to_string() == text).then(|| Code::from_i64(number))
}

/// JSON without trailing bytes in which no object names a member twice.
fn strict_json(body: &[u8]) -> Result<Value, WireError> {
    let at = |error: &serde_json::Error| (error.line(), error.column());
    if let Err(error) = serde_json::from_slice::<Unique>(body) {
        let (line, column) = at(&error);
        return Err(match error.classify() {
            serde_json::error::Category::Data => WireError::DuplicateMember { line, column },
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => WireError::NotJson { line, column },
        });
    }
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = at(&error);
        WireError::NotJson { line, column }
    })
}

/// Walks JSON of any shape and fails, with an error of the data category, at a member that is named twice.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unique, A::Error> {
        while items.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    // With arbitrary_precision a number arrives here too, as a map of one member.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unique, A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == "$serde_json::private::Number" {
                members.next_value::<IgnoredAny>()?;
            } else {
                members.next_value::<Unique>()?;
            }
            if !seen.insert(name) {
                return Err(de::Error::custom("a member twice"));
            }
        }
        Ok(Unique)
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
