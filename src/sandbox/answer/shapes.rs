//! The shapes of answers: amounts, ids, times and lists vary from record to record as they do in the document,
//! always the same for the same record.

use serde_json::Value;

use crate::model::{Amount, Timestamp};

/// A number that is always the same for the same text, to choose among shapes.
pub(super) fn shape(text: &str) -> u32 {
    text.bytes().fold(7, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
}

/// A list; an empty one is absent, null or `[]`.
pub(super) fn list(records: Vec<Value>, subject: &str) -> Option<Value> {
    match (records.is_empty(), shape(subject) % 3) {
        (true, 0) => None,
        (true, 1) => Some(Value::Null),
        _ => Some(Value::Array(records)),
    }
}

/// An amount in one of its spellings: `"5.50"`, `5.5`, `"5.5"`, `5.50`.
pub(super) fn money(amount: Amount, shape: u32) -> Value {
    let two_places = amount.to_string();
    let short = two_places.strip_suffix(".00").unwrap_or_else(|| two_places.trim_end_matches('0'));
    match shape % 4 {
        0 => Value::String(two_places.clone()),
        1 => number(short),
        2 => Value::String(two_places.strip_suffix('0').unwrap_or(&two_places).to_owned()),
        _ => number(&two_places),
    }
}

/// A plain decimal as a JSON number: parsed, not converted, so that it keeps its digits.
pub(super) fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

/// An id as text, or as a number if it can be one.
pub(super) fn id(text: &str, shape: u32) -> Value {
    let is_number = !text.is_empty() && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    match (is_number, shape % 2) {
        (true, 0) => number(text),
        _ => text.into(),
    }
}

/// A time, now and then with the document's spaces behind the colons.
pub(super) fn time(at: Timestamp, shape: u32) -> String {
    if shape % 5 == 4 { at.wall().replace(':', ": ") } else { at.wall() }
}

/// `渝****87`.
pub(super) fn masked(plate: &str) -> String {
    let chars: Vec<char> = plate.chars().collect();
    let tail: String = chars.iter().skip(chars.len().saturating_sub(2)).collect();
    format!("{}****{tail}", chars.first().copied().unwrap_or_default())
}

/// Bytes as a UUID, lower case.
pub(super) fn uuid(bytes: [u8; 32]) -> String {
    let text = hex::encode(bytes);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// Bytes as six digits.
pub(super) fn six_digits(bytes: [u8; 32]) -> String {
    let number = bytes.first_chunk::<4>().map_or(0, |head| u32::from_be_bytes(*head));
    format!("{:06}", number % 1_000_000)
}

/// Bytes as something like base64, always with all three characters that a form must encode.
pub(super) fn base64_like(bytes: [u8; 32]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 64)).copied().map_or('A', char::from);
    let text: String = bytes.iter().map(letter).collect();
    format!("{text}+{}/{}=", hex::encode(&bytes[..6]).to_uppercase(), &text[..8])
}
