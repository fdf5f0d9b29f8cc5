//! Faults on request: rules that make the sandbox misbehave at one interface, for one subject, so many times.
//!
//! As text: `INTERFACE[@TARGET]:KIND[:COUNT]`, where the target is a plate, a phone number or an order
//! id and the count is a number or `always` (left out: once).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::request::Interface;
use crate::model::{Mobile, OrderId, Plate};

/// How a request goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// `fail`: HTTP 500, nothing was done.
    FailBeforeBooking,
    /// `fail-after-booking`: done, then HTTP 500.
    FailAfterBooking,
    /// `delay=DURATION`: done at once, answered later.
    Delay(Duration),
    /// `drop`: the connection closes without an answer, nothing was done.
    DropBeforeBooking,
    /// `drop-after-booking`: done, then the connection closes without an answer.
    DropAfterBooking,
    /// `cut`: done, the answer stops in the middle of its body.
    CutAnswer,
    /// `expire-token`: the user's token is void before the request is looked at.
    ExpireToken,
    /// `answer=CODE`: that code, nothing was done.
    AnswerCode(i64),
    /// `status=STATUS`: that HTTP status, nothing was done.
    Status(u16),
    /// `retry-after=SECONDS`: HTTP 429 with that `Retry-After`, nothing was done.
    RetryAfter(u32),
    /// `redirect=URL`: HTTP 302 to there, nothing was done.
    Redirect(String),
    /// `garbage`: HTTP 200 and something that is no JSON; done.
    AnswerGarbage,
    /// `lose-booking`: code 0 as if it had been booked, and it was not.
    LoseBooking,
    /// `vanish`: no answer, nothing was done, and the car leaves without a record.
    Vanish,
    /// `postpone`: no answer; an accepted booking waits for `World::execute_postponed`.
    Postpone,
}

/// Whose requests go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultTarget {
    /// Everybody's.
    Any,
    /// Those about a plate, or about an order of it.
    Plate(Plate),
    /// Those about an order, or about its plate's unpaid fees.
    Order(OrderId),
    /// Those of a user.
    Mobile(Mobile),
}

/// One rule. `Debug` masks a phone number; `Display` is the command line's text and does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// At which interface.
    pub interface: Interface,
    /// For whom.
    pub target: FaultTarget,
    /// How.
    pub kind: FaultKind,
    /// How many times more; `None` always.
    pub remaining: Option<u32>,
}

/// Why a text is no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a fault: {reason}\nhint: write INTERFACE[@PLATE|PHONE|ORDER]:KIND[:COUNT|:always], such as orderpaid:fail-after-booking:1; kinds: {KINDS}"
)]
pub struct FaultError {
    /// What stood there.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// The kinds as they are written, each with an example of its argument.
pub const KINDS: &str = "fail, fail-after-booking, delay=5s, drop, drop-after-booking, cut, expire-token, answer=20100, status=503, retry-after=2, redirect=http://127.0.0.1:9/, garbage, lose-booking, vanish, postpone";

impl Fault {
    /// A rule for everybody, so many times.
    pub const fn times(interface: Interface, kind: FaultKind, count: u32) -> Self {
        Self { interface, target: FaultTarget::Any, kind, remaining: Some(count) }
    }

    /// The same rule for one subject only.
    #[must_use]
    pub fn for_target(self, target: FaultTarget) -> Self {
        Self { target, ..self }
    }

    /// The command line's text with a phone number masked.
    pub fn shown(&self) -> String {
        match &self.target {
            FaultTarget::Mobile(mobile) => self.to_string().replace(mobile.expose(), &mobile.masked()),
            FaultTarget::Any | FaultTarget::Plate(_) | FaultTarget::Order(_) => self.to_string(),
        }
    }

    /// Whether it still holds at an interface.
    pub(super) fn is_for(&self, interface: Interface) -> bool {
        self.interface == interface && self.remaining != Some(0)
    }

    /// The same rule without an end.
    #[must_use]
    pub fn always(self) -> Self {
        Self { remaining: None, ..self }
    }
}

impl FaultKind {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (name, argument) = text.split_once('=').map_or((text, None), |(name, argument)| (name, Some(argument)));
        Ok(match (name, argument) {
            ("fail" | "fail-before-booking", None) => Self::FailBeforeBooking,
            ("fail-after-booking", None) => Self::FailAfterBooking,
            ("delay", Some(duration)) => {
                Self::Delay(humantime::parse_duration(duration).map_err(|_| "the delay is no duration")?)
            }
            ("drop" | "drop-before-booking", None) => Self::DropBeforeBooking,
            ("drop-after-booking", None) => Self::DropAfterBooking,
            ("cut", None) => Self::CutAnswer,
            ("expire-token", None) => Self::ExpireToken,
            ("answer", Some(code)) => Self::AnswerCode(code.parse().map_err(|_| "the code is no number")?),
            ("status", Some(status)) => Self::Status(http_status(status)?),
            ("retry-after", Some(seconds)) => {
                Self::RetryAfter(seconds.parse().map_err(|_| "the wait is no number of seconds")?)
            }
            ("redirect", Some(url)) if path_of(url).is_some() => Self::Redirect(url.to_owned()),
            ("redirect", Some(_)) => return Err("the address is not like http://HOST:PORT/PATH"),
            ("garbage", None) => Self::AnswerGarbage,
            ("lose-booking", None) => Self::LoseBooking,
            ("vanish", None) => Self::Vanish,
            ("postpone", None) => Self::Postpone,
            _ => return Err("unknown kind"),
        })
    }
}

/// A status that an answer can have.
fn http_status(text: &str) -> Result<u16, &'static str> {
    let status = text.parse().ok().filter(|status| (200..=599).contains(status));
    status.ok_or("the status is no HTTP status from 200 to 599")
}

/// The path of an address. One must be there, so that a port is never the last thing in it.
fn path_of(url: &str) -> Option<&str> {
    let is_printable = url.bytes().all(|b| b.is_ascii_graphic());
    let (_, rest) = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
    rest.find('/').filter(|at| *at > 0 && is_printable).and_then(|at| rest.get(at..))
}

/// The kind and the count of a rule; the address of a redirect has colons of its own.
fn kind_and_count(text: &str) -> Result<(&str, Option<&str>), &'static str> {
    let is_count = |text: &str| text == "always" || text.bytes().all(|b| b.is_ascii_digit());
    if text.starts_with("redirect=") {
        let is_whole = |kind: &str| kind.strip_prefix("redirect=").and_then(path_of).is_some();
        let split = text.rsplit_once(':').filter(|(kind, count)| is_count(count) && is_whole(kind));
        return Ok(split.map_or((text, None), |(kind, count)| (kind, Some(count))));
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, count)) if count.contains(':') => Err("more stands behind the count"),
        Some((kind, count)) => Ok((kind, Some(count))),
    }
}

impl FaultTarget {
    fn parse(text: &str) -> Result<Self, &'static str> {
        // A plate begins with the sign of its province; ids and phone numbers do not.
        let looks_like_plate = text.chars().next().is_some_and(|c| !c.is_ascii());
        if let Some(mobile) = Mobile::parse(text) {
            return Ok(Self::Mobile(mobile));
        }
        if looks_like_plate {
            return Plate::parse(text).map(Self::Plate).map_err(|_| "the target is no plate");
        }
        OrderId::new(text).map(Self::Order).ok_or("nothing stands behind the @")
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let fail = |reason| FaultError { text: text.to_owned(), reason };
        let (place, rest) = text.split_once(':').map_or((text, None), |(place, rest)| (place, Some(rest)));
        let (name, target) = place.split_once('@').map_or((place, None), |(name, target)| (name, Some(target)));
        let interface = Interface::from_name(name).ok_or_else(|| fail("unknown interface"))?;
        let target = target.map_or(Ok(FaultTarget::Any), FaultTarget::parse).map_err(fail)?;
        let (kind, count) = rest.ok_or("the kind is missing").and_then(kind_and_count).map_err(fail)?;
        let kind = FaultKind::parse(kind).map_err(fail)?;
        let remaining = match count {
            None => Some(1),
            Some("always") => None,
            Some(count) => Some(count.parse().map_err(|_| fail("the count is neither a number nor `always`"))?),
        };
        Ok(Self { interface, target, kind, remaining })
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FailBeforeBooking => "fail",
            Self::FailAfterBooking => "fail-after-booking",
            Self::Delay(duration) => {
                let text = humantime::format_duration(*duration).to_string();
                return write!(f, "delay={}", text.replace(' ', ""));
            }
            Self::DropBeforeBooking => "drop",
            Self::DropAfterBooking => "drop-after-booking",
            Self::CutAnswer => "cut",
            Self::ExpireToken => "expire-token",
            Self::AnswerCode(code) => return write!(f, "answer={code}"),
            Self::Status(status) => return write!(f, "status={status}"),
            Self::RetryAfter(seconds) => return write!(f, "retry-after={seconds}"),
            Self::Redirect(url) => return write!(f, "redirect={url}"),
            Self::AnswerGarbage => "garbage",
            Self::LoseBooking => "lose-booking",
            Self::Vanish => "vanish",
            Self::Postpone => "postpone",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.interface.name())?;
        match &self.target {
            FaultTarget::Any => {}
            FaultTarget::Plate(plate) => write!(f, "@{plate}")?,
            FaultTarget::Order(order_id) => write!(f, "@{order_id}")?,
            FaultTarget::Mobile(mobile) => write!(f, "@{}", mobile.expose())?,
        }
        match self.remaining {
            None => write!(f, ":{}:always", self.kind),
            Some(count) => write!(f, ":{}:{count}", self.kind),
        }
    }
}

/// What a request is about, as far as can be told before it is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) mobile: Option<Mobile>,
    pub(super) plate: Option<Plate>,
    /// The orders: the one that is named, or those of the plate that is asked for.
    pub(super) orders: Vec<OrderId>,
}

/// Takes the first rule that fits, and counts it down.
pub(super) fn take(faults: &mut [Fault], interface: Interface, subject: &Subject) -> Option<FaultKind> {
    let rule = faults.iter_mut().find(|rule| rule.is_for(interface) && rule.target.fits(subject))?;
    rule.remaining = rule.remaining.map(|count| count.saturating_sub(1));
    Some(rule.kind.clone())
}

impl FaultTarget {
    fn fits(&self, subject: &Subject) -> bool {
        match self {
            Self::Any => true,
            Self::Plate(plate) => subject.plate.as_ref() == Some(plate),
            Self::Order(order_id) => subject.orders.contains(order_id),
            Self::Mobile(mobile) => subject.mobile.as_ref() == Some(mobile),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_written_as_it_is_read() {
        for text in [
            "orderpaid:fail-after-booking:1",
            "orderpaid@B6269DE8-03A0-4560-8EAF-000000C5FF6A:drop-after-booking:2",
            "orderhistory@13800000001:fail:always",
            "orderunpay@渝B757D0:delay=1m5s:3",
            "usersignin:drop:1",
            "orderpaid:cut:1",
            "orderpaid:expire-token:1",
            "orderpaid:answer=20100:always",
            "orderhistory:status=503:2",
            "orderhistory:retry-after=2:1",
            "orderpaid:redirect=http://127.0.0.1:9/a:b:always",
            "orderpaid:garbage:1",
            "orderpaid:lose-booking:1",
            "orderpaid:vanish:1",
            "orderpaid:postpone:1",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_port_of_a_redirect_is_no_count() {
        let once: Fault = "orderpaid:redirect=https://127.0.0.1:80/x".parse().unwrap();
        assert_eq!((once.remaining, once.kind), (Some(1), FaultKind::Redirect("https://127.0.0.1:80/x".into())));
    }

    #[test]
    fn a_rule_without_a_count_holds_once() {
        let fault: Fault = "orderpaid:fail".parse().unwrap();
        assert_eq!(fault, Fault::times(Interface::OrderPaid, FaultKind::FailBeforeBooking, 1));
        let mut faults = [fault];
        let subject = Subject::default();
        assert!(take(&mut faults, Interface::OrderHistory, &subject).is_none());
        assert!(take(&mut faults, Interface::OrderPaid, &subject).is_some());
        assert!(take(&mut faults, Interface::OrderPaid, &subject).is_none());
    }

    #[test]
    fn what_is_no_rule_says_why() {
        for (text, reason) in [
            ("", "unknown interface"),
            ("orderpaid", "the kind is missing"),
            ("orderpay:fail", "unknown interface"),
            ("orderpaid:explode", "unknown kind"),
            ("orderpaid:delay=soon", "the delay is no duration"),
            ("orderpaid:answer=x", "the code is no number"),
            ("orderpaid@:fail", "nothing stands behind the @"),
            ("orderpaid@渝B:fail", "the target is no plate"),
            ("orderpaid:fail:often", "the count is neither a number nor `always`"),
            ("orderpaid:status=99", "the status is no HTTP status from 200 to 599"),
            ("orderpaid:retry-after=soon", "the wait is no number of seconds"),
            ("orderpaid:redirect=http://127.0.0.1:80", "the address is not like http://HOST:PORT/PATH"),
            ("orderpaid:redirect=elsewhere/", "the address is not like http://HOST:PORT/PATH"),
            ("orderpaid:redirect=http:///", "the address is not like http://HOST:PORT/PATH"),
            ("orderpaid:fail:1:2", "more stands behind the count"),
        ] {
            assert_eq!(text.parse::<Fault>().unwrap_err().reason, reason, "{text}");
        }
    }

    #[test]
    fn debug_masks_the_phone_number() {
        let fault: Fault = "orderhistory@13800000001:fail".parse().unwrap();
        assert!(!format!("{fault:?}").contains("13800000001"));
    }
}
