//! What the platform answers: checks in the order of the document, then the interface, then the fault.
//!
//! Shapes vary from record to record as they do in the document (amounts and ids as numbers and as
//! strings, spaces in plates and times, `data` absent, null or an empty list), always the same for
//! the same record.

mod lots;
mod orders;
mod shapes;
mod users;

use serde_json::{Map, Value};

use super::fault::{self, FaultKind, Subject};
use super::request::{Call, Fields, Interface, Line, PATH_PREFIX, Parameters, Reaction, Refusal, message};
use super::world::World;
use crate::model::{Mobile, OrderId, Plate, Timestamp};

/// What becomes of a booking that is accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Booker {
    Books,
    Loses,
    Postpones,
}

/// The `data` of a success, and its message.
struct Success {
    data: Option<Value>,
    message: &'static str,
}

impl Success {
    /// Done, and nothing to say of it.
    const fn ok() -> Self {
        Self { data: None, message: "ok" }
    }

    const fn with(data: Value) -> Self {
        Self { data: Some(data), message: "ok" }
    }
}

impl World {
    /// Answers one request. The only way in for the server.
    pub fn handle(&mut self, call: &Call<'_>, now: Timestamp) -> Reaction {
        let Some(interface) = call.path.strip_prefix(PATH_PREFIX).and_then(Interface::from_name) else {
            return Reaction::whole(404, plain_text("no such interface"));
        };
        let count = self.calls.entry(interface).or_default();
        *count = count.saturating_add(1);
        if call.method != interface.method() {
            return Reaction::whole(405, plain_text("method not allowed"));
        }
        let parameters = parameters(interface, call);
        // Nobody pays for faults that nobody asked for.
        let is_smooth = !self.faults.iter().any(|rule| rule.is_for(interface));
        let subject = if is_smooth { Subject::default() } else { self.subject(interface, parameters.as_ref().ok()) };
        match fault::take(&mut self.faults, interface, &subject) {
            None => Reaction::whole(200, self.answer(interface, parameters, Booker::Books, now)),
            Some(kind) => self.misbehave(&kind, interface, parameters, &subject, now),
        }
    }

    fn misbehave(
        &mut self,
        kind: &FaultKind,
        interface: Interface,
        parameters: Result<Parameters, Refusal>,
        subject: &Subject,
        now: Timestamp,
    ) -> Reaction {
        let failure = || Reaction::whole(500, plain_text("internal error"));
        let dropped = || Reaction { line: Line::Dropped, ..Reaction::whole(200, String::new()) };
        let whole = |body| Reaction::whole(200, body);
        match kind {
            FaultKind::FailBeforeBooking => failure(),
            FaultKind::DropBeforeBooking => dropped(),
            FaultKind::RetryAfter(seconds) => {
                Reaction::whole(429, plain_text("too many requests")).with_header("retry-after", seconds.to_string())
            }
            FaultKind::Redirect(url) => Reaction::whole(302, plain_text("found")).with_header("location", url.clone()),
            FaultKind::Status(status) => Reaction::whole(*status, plain_text("not now")),
            FaultKind::AnswerCode(code) => whole(answer_text(*code, message(*code), None)),
            FaultKind::ExpireToken => {
                if let Some(mobile) = &subject.mobile {
                    self.void_token(mobile);
                }
                whole(self.answer(interface, parameters, Booker::Books, now))
            }
            FaultKind::Vanish => {
                for order_id in &subject.orders {
                    self.vanish(order_id);
                }
                dropped()
            }
            FaultKind::FailAfterBooking => {
                self.answer(interface, parameters, Booker::Books, now);
                failure()
            }
            FaultKind::DropAfterBooking => {
                self.answer(interface, parameters, Booker::Books, now);
                dropped()
            }
            FaultKind::AnswerGarbage => {
                self.answer(interface, parameters, Booker::Books, now);
                whole("<html><body>\u{fffd} 502 {\"code\":".into())
            }
            FaultKind::Postpone => {
                self.answer(interface, parameters, Booker::Postpones, now);
                dropped()
            }
            FaultKind::LoseBooking => whole(self.answer(interface, parameters, Booker::Loses, now)),
            FaultKind::CutAnswer => {
                Reaction { line: Line::Cut, ..whole(self.answer(interface, parameters, Booker::Books, now)) }
            }
            FaultKind::Delay(delay) => {
                Reaction { delay: *delay, ..whole(self.answer(interface, parameters, Booker::Books, now)) }
            }
        }
    }

    /// What a request is about, told without checking it.
    fn subject(&self, interface: Interface, parameters: Option<&Parameters>) -> Subject {
        let fields = parameters.and_then(|parameters| Fields::parse(interface, &parameters.data).ok());
        let Some(fields) = fields else { return Subject::default() };
        let text = |name| fields.text(name).ok();
        let order = text("orderId").and_then(OrderId::new).and_then(|order_id| self.order(&order_id));
        let printed = text("plateNumber").or(text("carNumber")).or(order.map(|order| order.plate.as_str()));
        let plate = printed.and_then(|plate| Plate::parse(plate).ok());
        let orders = match (order, &plate) {
            (Some(order), _) => vec![order.order_id.clone()],
            (None, Some(plate)) => self.orders.of_plate(plate).map(|o| o.order_id.clone()).collect(),
            (None, None) => Vec::new(),
        };
        let by_token = text("token").and_then(|token| self.users.holder(token).cloned());
        Subject { mobile: by_token.or_else(|| text("mobilePhone").and_then(Mobile::parse)), plate, orders }
    }

    fn answer(
        &mut self,
        interface: Interface,
        parameters: Result<Parameters, Refusal>,
        booker: Booker,
        now: Timestamp,
    ) -> String {
        let outcome = parameters.and_then(|parameters| {
            self.authenticate(&parameters, now)?;
            let fields = Fields::parse(interface, &parameters.data)?;
            self.serve(interface, &fields, booker, now)
        });
        match outcome {
            Ok(success) => answer_text(0, success.message, success.data),
            Err(Refusal(code)) => answer_text(code, message(code), None),
        }
    }

    fn authenticate(&self, parameters: &Parameters, now: Timestamp) -> Result<(), Refusal> {
        let settings = &self.settings;
        if parameters.merchant_no != settings.merchant_no {
            return Err(Refusal(5));
        }
        if !parameters.is_signed_with(&settings.merchant_key, settings.strip_whitespace) {
            return Err(Refusal(4));
        }
        let age_s = now.since_s(parameters.sent_at()?);
        if age_s.saturating_abs() > settings.max_age_s { Err(Refusal(3)) } else { Ok(()) }
    }

    fn serve(
        &mut self,
        interface: Interface,
        fields: &Fields,
        booker: Booker,
        now: Timestamp,
    ) -> Result<Success, Refusal> {
        match interface {
            Interface::UserValidateCode => self.user_validate_code(fields, now),
            Interface::UserLogin => self.user_login(fields, now),
            Interface::UserSignIn => self.user_sign_in(fields, now),
            Interface::BindCar => self.bind_car(fields, now),
            Interface::UnbindCar => self.unbind_car(fields, now),
            Interface::OrderHistory => self.order_history(fields, now),
            Interface::OrderUnpay => self.order_unpay(fields, now),
            Interface::OrderPaid => self.order_paid(fields, booker, now),
            Interface::SurroundingParking => self.surrounding_parking(fields),
            Interface::ParkingStatus => self.parking_status(fields, now),
        }
    }

    fn check_app_id(&self, app_id: Option<&str>) -> Result<(), Refusal> {
        if app_id.is_none_or(|app_id| app_id == self.settings.app_id) { Ok(()) } else { Err(Refusal(6)) }
    }

    /// The user for whom the token of a request stands.
    fn user(&self, fields: &Fields, now: Timestamp) -> Result<Mobile, Refusal> {
        let mobile = self.users.holder(fields.text("token")?).ok_or(Refusal(20101))?;
        let issued_at = self.users.token_issued_at(mobile).ok_or(Refusal(20101))?;
        let is_fresh = now.since_s(issued_at) <= self.settings.token_life_s;
        if is_fresh { Ok(mobile.clone()) } else { Err(Refusal(20101)) }
    }
}

/// The four parameters, from where the method puts them.
fn parameters(interface: Interface, call: &Call<'_>) -> Result<Parameters, Refusal> {
    if interface.method() == "GET" {
        return Parameters::parse(call.query);
    }
    let content_type = call.content_type.unwrap_or_default().to_ascii_lowercase().replace(' ', "");
    let is_form = ["application/x-www-form-urlencoded", "application/x-www-form-urlencoded;charset=utf-8"]
        .contains(&&*content_type);
    if !is_form || !call.query.is_empty() {
        return Err(Refusal(6));
    }
    Parameters::parse(std::str::from_utf8(call.body).map_err(|_| Refusal(6))?)
}

fn plain_text(text: &str) -> String {
    format!("<html><body>{text}</body></html>")
}

fn answer_text(code: i64, message: &str, data: Option<Value>) -> String {
    let mut answer = Map::new();
    answer.insert("code".into(), code.into());
    answer.insert("message".into(), message.into());
    if let Some(data) = data {
        answer.insert("data".into(), data);
    }
    Value::Object(answer).to_string()
}
