//! Ids from outside: newtypes that keep the text; what may be trimmed or folded stands here.

use std::fmt;

use serde::{Serialize, Serializer};

/// The platform's id of a parking order. Kept as it came, compared without case.
#[derive(Clone, Debug)]
pub struct OrderId(Box<str>);

impl OrderId {
    /// An order id, trimmed; `None` when nothing is left.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.into()))
    }

    /// The id as the platform wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is compared and stored as key: ASCII letters in lower case, as SQL's `lower` does.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for OrderId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for OrderId {}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for OrderId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// The id that a payment bears at the platform: the merchant's own order number of the payment.
///
/// It is kept whatever it looks like; [`ExternalOrderId::is_sendable`] says whether the platform may get it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalOrderId(Box<str>);

impl ExternalOrderId {
    /// The longest id that is sent.
    pub const MAX_LEN: usize = 64;

    /// An id, trimmed; `None` when nothing is left.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.into()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is short enough and made of letters, digits, `-` and `_` only. One that is not is
    /// held for a person, never rewritten.
    pub fn is_sendable(&self) -> bool {
        self.0.len() <= Self::MAX_LEN && self.0.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    }
}

impl fmt::Display for ExternalOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for ExternalOrderId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A user's mobile phone number. `Debug` and `Display` show it masked (`138****0001`); the whole
/// number leaves only through [`Mobile::expose`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mobile(Box<str>);

impl Mobile {
    /// A mainland number: 11 digits that begin with 1; spaces, hyphens and `+86` are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let digits = digits.strip_prefix("+86").unwrap_or(&digits);
        let is_mobile = digits.len() == 11 && digits.starts_with('1') && digits.bytes().all(|b| b.is_ascii_digit());
        is_mobile.then(|| Self(digits.into()))
    }

    /// The whole number, for the platform and the store only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The number as it may be shown: `138****0001`.
    pub fn masked(&self) -> String {
        mask_mobile(&self.0)
    }
}

/// Masks the middle of a phone number, of whatever length.
pub fn mask_mobile(digits: &str) -> String {
    match (digits.get(..3), digits.get(7..)) {
        (Some(head), Some(tail)) if digits.len() == 11 => format!("{head}****{tail}"),
        _ => "***".to_owned(),
    }
}

impl fmt::Debug for Mobile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.masked())
    }
}

impl fmt::Display for Mobile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.masked())
    }
}

impl Serialize for Mobile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_ids_are_compared_without_case_and_shown_as_they_came() {
        let upper = OrderId::new(" B6269DE8-03A0 ").unwrap();
        let lower = OrderId::new("b6269de8-03a0").unwrap();
        assert_eq!(upper, lower);
        assert_eq!(upper.as_str(), "B6269DE8-03A0");
        assert!(OrderId::new("  ").is_none());
    }

    #[test]
    fn only_ids_the_platform_can_take_are_sendable() {
        assert!(ExternalOrderId::new("A-b_9").unwrap().is_sendable());
        assert!(ExternalOrderId::new(&"x".repeat(64)).unwrap().is_sendable());
        for text in ["x".repeat(65).as_str(), "a b", "单号1", "a.b"] {
            assert!(!ExternalOrderId::new(text).unwrap().is_sendable(), "{text}");
        }
    }

    #[test]
    fn a_phone_number_is_never_shown_whole() {
        let mobile = Mobile::parse("+86 138-0000-0001").unwrap();
        assert_eq!(mobile.expose(), "13800000001");
        assert_eq!(format!("{mobile} {mobile:?}"), "138****0001 138****0001");
        assert!(Mobile::parse("12345").is_none());
        assert!(Mobile::parse("23800000001").is_none());
    }
}
