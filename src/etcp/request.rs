//! Requests as data: what is sent, and whether a call that only asks is sent again.
//!
//! `data` is built without insignificant white space, with its members in the order given, and
//! signed exactly as it is sent. All of it is pure; a [`Transport`] moves the bytes.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use chrono::DateTime;
use secrecy::{ExposeSecret, SecretString};

use super::{Code, sign};
use crate::model::Timestamp;
use crate::model::ids::mask_mobile;

/// The version in every path (§6).
const VERSION: &str = "1.0.0";

/// The longest wait of ours before a repeated call.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The content type of a POST (§4).
pub const FORM: &str = "application/x-www-form-urlencoded;charset=utf-8";

/// How a request travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The four parameters in the query string.
    Get,
    /// The four parameters in the body, as a form.
    Post,
}

/// An interface of the platform (§8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interface {
    /// §8.1: sends a code by SMS.
    SendCode,
    /// §8.2: signs a user in with that code.
    Login,
    /// §8.3: signs a user in by phone number.
    SignIn,
    /// §8.4: binds a plate to a user.
    BindCar,
    /// §8.5: unbinds it.
    UnbindCar,
    /// §8.6: the closed orders of seven days.
    OrderHistory,
    /// §8.7: the open order of a plate.
    OrderUnpay,
    /// §8.8: tells the platform of a payment.
    OrderPaid,
    /// §8.9: car parks.
    SurroundingParking,
    /// §8.10: how full one is.
    ParkingStatus,
}

impl Interface {
    /// All ten.
    pub const ALL: &'static [Self] = &[
        Self::SendCode,
        Self::Login,
        Self::SignIn,
        Self::BindCar,
        Self::UnbindCar,
        Self::OrderHistory,
        Self::OrderUnpay,
        Self::OrderPaid,
        Self::SurroundingParking,
        Self::ParkingStatus,
    ];

    /// The name in the path.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendCode => "uservalidatecode",
            Self::Login => "userlogin",
            Self::SignIn => "usersignin",
            Self::BindCar => "bindcar",
            Self::UnbindCar => "unbindcar",
            Self::OrderHistory => "orderhistory",
            Self::OrderUnpay => "orderunpay",
            Self::OrderPaid => "orderpaid",
            Self::SurroundingParking => "surroundingparking",
            Self::ParkingStatus => "parkingstatus",
        }
    }

    /// How it is asked.
    pub const fn method(self) -> Method {
        match self {
            Self::SendCode | Self::OrderHistory | Self::OrderUnpay => Method::Get,
            Self::Login
            | Self::SignIn
            | Self::BindCar
            | Self::UnbindCar
            | Self::OrderPaid
            | Self::SurroundingParking
            | Self::ParkingStatus => Method::Post,
        }
    }

    /// The path below the base address.
    pub fn path(self) -> String {
        format!("/merchant/open/{VERSION}/openapi/{}", self.name())
    }

    /// What a repetition may do.
    pub const fn repeatable(self) -> Repeatable {
        match self {
            Self::OrderHistory | Self::OrderUnpay | Self::SurroundingParking | Self::ParkingStatus => {
                Repeatable::Always
            }
            // One that is still on its way would void the token of the one sent after it.
            Self::SignIn => Repeatable::WhenNotDone,
            // Money, an SMS, a code that works once, one of a month's four plates: once, by whoever asks.
            Self::OrderPaid | Self::SendCode | Self::Login | Self::BindCar | Self::UnbindCar => Repeatable::Never,
        }
    }
}

/// Whether a call may be sent again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeatable {
    /// It only asks.
    Always,
    /// When it is known not to have been done.
    WhenNotDone,
    /// Not by itself.
    Never,
}

/// The members of `data`, in the order in which they are given, without white space between them.
pub struct Data(String);

impl Data {
    /// No members yet.
    pub fn new() -> Self {
        Self(String::from("{"))
    }

    /// One member more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        self.0.push_str(&quoted(name));
        self.0.push(':');
        self.0.push_str(&quoted(value));
        self
    }

    /// One member more if there is a value.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The JSON text.
    pub fn finish(mut self) -> SecretString {
        self.0.push('}');
        SecretString::from(self.0)
    }
}

impl Default for Data {
    fn default() -> Self {
        Self::new()
    }
}

/// Who signs, and how.
#[derive(Clone, Debug)]
pub struct Signer {
    /// `merchant_no`.
    pub merchant_no: String,
    /// `merchant_key`.
    pub merchant_key: SecretString,
    /// `signature.strip_whitespace`: the other reading of what is signed.
    pub strip_whitespace: bool,
}

impl Signer {
    /// The four parameters, percent-encoded: a query string and a form alike.
    pub fn parameters(&self, data: &SecretString, at: Timestamp) -> SecretString {
        let time_stamp = at.format("%Y%m%d%H%M%S");
        let data = data.expose_secret();
        let signature = sign(data, &self.merchant_key, &time_stamp, self.strip_whitespace);
        // Half of a usual `data` is quotes and other characters that become three.
        let mut text = String::with_capacity(data.len().saturating_mul(2).saturating_add(160));
        let parameters = [
            ("merchant_no", self.merchant_no.as_str()),
            ("time_stamp", &time_stamp),
            ("data", data),
            ("sign", &signature),
        ];
        for (name, value) in parameters {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            percent_encode(value, &mut text);
        }
        SecretString::from(text)
    }
}

/// Writes `text` with everything but unreserved characters as `%XX`: `+`, `/` and `=` survive any reader.
fn percent_encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| HEX.get(usize::from(value & 0xF)).copied().map_or('0', char::from);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.extend(['%', digit(byte >> 4), digit(byte)]);
        }
    }
}

/// A request, ready to be sent. Its text holds the token and the signature and is never shown.
#[derive(Clone, Debug)]
pub struct WireRequest {
    /// Which interface: its path and method.
    pub interface: Interface,
    /// The four parameters, percent-encoded: the query of a GET, the body of a POST.
    pub text: SecretString,
    /// For all of it, from the first byte to the end of the answer.
    pub timeout: Duration,
    /// Money: on a connection of its own, which no other request used.
    pub fresh_connection: bool,
}

/// An HTTP answer, whole.
#[derive(Clone, Debug, Default)]
pub struct WireResponse {
    /// The HTTP status.
    pub status: u16,
    /// The header `Date`.
    pub date: Option<String>,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// All of the body. Not shown: it may hold a token.
    pub body: Body,
}

/// Bytes that are not shown.
#[derive(Clone, Default)]
pub struct Body(pub Vec<u8>);

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl WireResponse {
    /// The platform's clock when it answered.
    pub fn platform_clock(&self) -> Option<Timestamp> {
        http_date(self.date.as_deref()?)
    }

    /// How long it asks to wait: in seconds, or until a time, which counts from its own clock, or from
    /// `now` where the answer shows none.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.retry_after.as_deref()?.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let wait = http_date(text)?.since_s(self.platform_clock().unwrap_or(now));
        Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|at| Timestamp::from_unix(at.timestamp()))
}

/// Why there is no whole answer. Never holds an address, a token or a phone number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Nothing left the machine: there was no connection.
    #[error("no connection: {reason}")]
    NotSent {
        /// What was in the way.
        reason: String,
    },
    /// The request may have arrived, in part or as a whole.
    #[error("no whole answer: {reason}")]
    Lost {
        /// What happened.
        reason: String,
    },
    /// The answer was longer than is read.
    #[error("the answer is longer than {limit} bytes")]
    TooLong {
        /// What is read at most.
        limit: usize,
    },
}

/// A future that can be kept in a box and sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Moves one request and its answer, once: no redirect, no proxy, no repetition.
pub trait Transport: Send + Sync {
    /// Sends `request` and reads the answer to its end.
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, TransportError>>;
}

/// What came of one call, as far as repeating it is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A code in a whole answer.
    Code(Code),
    /// An HTTP status other than 200.
    Status(u16),
    /// HTTP 200, unreadable.
    Unreadable,
    /// Nothing left the machine.
    NotSent,
    /// No whole answer.
    Lost,
    /// Too long an answer.
    TooLong,
}

/// How calls are repeated.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// How many times at most, after the first.
    pub retries: u32,
    /// The wait before the first repetition; it doubles from one to the next.
    pub backoff: Duration,
}

impl RetryPolicy {
    /// How long to wait before sending the call again; `None`: it is not sent again.
    ///
    /// `done` repetitions came before, `random` is any number: it puts the wait between a half and the
    /// whole of the backoff, so that callers spread. A `Retry-After` is the client's affair: it is for all calls.
    pub fn wait(&self, interface: Interface, seen: Seen, done: u32, random: u32) -> Option<Duration> {
        if done >= self.retries || !may_repeat(interface, seen) {
            return None;
        }
        let whole = self.backoff.saturating_mul(2_u32.saturating_pow(done)).min(LONGEST_WAIT);
        let half = whole.checked_div(2).unwrap_or_default();
        let jitter = half.saturating_mul(random % 1001).checked_div(1000).unwrap_or_default();
        Some(half.saturating_add(jitter))
    }
}

fn may_repeat(interface: Interface, seen: Seen) -> bool {
    let asks_only = match interface.repeatable() {
        Repeatable::Never => return false,
        Repeatable::WhenNotDone => false,
        Repeatable::Always => true,
    };
    match seen {
        Seen::Code(code) => code == Code::ServerFault,
        // A redirect is never followed and counts as a fault of the server.
        Seen::Status(status) => matches!(status, 300..=399 | 429 | 500..=599),
        Seen::NotSent => true,
        Seen::Lost | Seen::Unreadable => asks_only,
        Seen::TooLong => false,
    }
}

/// The platform's words as they may be shown: without the secrets named, with phone numbers
/// masked, on one line, 200 characters at most.
pub fn scrubbed(message: &str, secrets: &[&str]) -> String {
    /// Shorter ones are no secrets, and would tear words apart.
    const SHORTEST_SECRET: usize = 6;
    let mut text = message.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST_SECRET) {
        text = text.replace(secret, "***");
    }
    let mut shown = String::new();
    let mut digits = String::new();
    for c in text.chars().chain(std::iter::once('\n')) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        shown.push_str(&phone_masked(&digits).unwrap_or_else(|| digits.clone()));
        digits.clear();
        shown.push(if c.is_control() { ' ' } else { c });
    }
    shown.trim().chars().take(200).collect()
}

/// A run of digits with its middle masked, where it is a phone number, alone or behind the country's code.
fn phone_masked(digits: &str) -> Option<String> {
    const COUNTRY: [&str; 4] = ["", "86", "086", "0086"];
    let (code, number) = digits.split_at_checked(digits.len().checked_sub(11)?)?;
    // Alone, any that begins with 1; behind a code, only what is a mobile number: other long numbers are told whole.
    let is_phone = match number.as_bytes() {
        [b'1', second, ..] => code.is_empty() || matches!(second, b'3'..=b'9'),
        _ => false,
    };
    (COUNTRY.contains(&code) && is_phone).then(|| format!("{code}{}", mask_mobile(number)))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
