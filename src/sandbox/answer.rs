//! What the platform answers: checks in the order of the document, then the interface, then the fault.
//!
//! Shapes vary from record to record as they do in the document (amounts and ids as numbers and as
//! strings, spaces in plates and times, `data` absent, null or an empty list), always the same for
//! the same record.

use serde_json::{Map, Value, json};

use super::fault::{self, FaultKind, Subject};
use super::request::{Call, Fields, Interface, Line, PATH_PREFIX, Parameters, Reaction, Refusal, message};
use super::world::{AfterPayment, Booking, ParkingOrder, Stay, Token, World};
use crate::model::{Amount, ExternalOrderId, Mobile, OrderId, Plate, Timestamp};

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
        let subject = self.subject(interface, parameters.as_ref().ok());
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
            (None, Some(plate)) => self.orders().filter(|o| o.is_of(plate)).map(|o| o.order_id.clone()).collect(),
            (None, None) => Vec::new(),
        };
        let by_token = text("token").and_then(|token| self.holder(token));
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
            Interface::UserSignIn => self.user_sign_in(fields, now),
            Interface::OrderHistory => self.order_history(fields, now),
            Interface::OrderUnpay => self.order_unpay(fields, now),
            Interface::OrderPaid => self.order_paid(fields, booker, now),
            // The other six have their place here.
            Interface::UserValidateCode
            | Interface::UserLogin
            | Interface::BindCar
            | Interface::UnbindCar
            | Interface::SurroundingParking
            | Interface::ParkingStatus => Err(Refusal(20100)),
        }
    }

    /// §8.3: a new token; the older one is void from now on.
    fn user_sign_in(&mut self, fields: &Fields, now: Timestamp) -> Result<Success, Refusal> {
        self.check_app_id(Some(fields.text("appId")?))?;
        let mobile = Mobile::parse(fields.text("mobilePhone")?).ok_or(Refusal(20201))?;
        if let Some(plate) = fields.optional("carNumber")? {
            Plate::parse(plate).map_err(|_| Refusal(6))?;
        }
        if !self.users.contains_key(&mobile) {
            return Err(Refusal(20201));
        }
        let text = uuid(self.fresh("token"));
        self.users.insert(mobile, Some(Token { text: text.clone(), issued_at: now }));
        Ok(Success { data: Some(json!({ "token": text })), message: "ok" })
    }

    /// §8.6: closed orders, the newest entrance first.
    fn order_history(&self, fields: &Fields, now: Timestamp) -> Result<Success, Refusal> {
        let mobile = self.user(fields, now)?;
        let oldest = now.plus_s(self.settings.history_s.saturating_neg());
        let mut orders: Vec<_> = self
            .orders()
            .filter(|order| order.mobile == mobile && order.entrance_at >= oldest)
            .filter(|order| matches!(order.stay, Stay::Left { exit_at, .. } if exit_at <= now))
            .collect();
        orders.sort_by_key(|order| (std::cmp::Reverse(order.entrance_at), order.order_id.key()));
        let records = orders.into_iter().filter_map(history_record).collect();
        Ok(Success { data: list(records, mobile.expose()), message: "ok" })
    }

    /// §8.7: the open orders of a plate, each with a new `verificationInfo` that voids the one before.
    fn order_unpay(&mut self, fields: &Fields, now: Timestamp) -> Result<Success, Refusal> {
        let mobile = self.user(fields, now)?;
        self.check_app_id(fields.optional("appId")?)?;
        let plate = Plate::parse(fields.text("plateNumber")?).map_err(|_| Refusal(6))?;
        let is_gone = |due: Amount| due.is_zero() && self.settings.after_payment == AfterPayment::Gone;
        let open: Vec<_> = self
            .orders()
            .filter(|order| order.mobile == mobile && order.is_of(&plate))
            .filter(|order| order.entrance_at <= now && order.due().is_some_and(|due| !is_gone(due)))
            .cloned()
            .collect();
        let mut records = Vec::with_capacity(open.len());
        for order in open {
            let verification = base64_like(self.fresh("verification"));
            records.extend(unpaid_record(&order, &verification, now));
            self.verifications.insert(order.order_id.key(), verification);
        }
        Ok(Success { data: list(records, plate.as_str()), message: "ok" })
    }

    /// §8.8: books a payment, or says why not.
    fn order_paid(&mut self, fields: &Fields, booker: Booker, now: Timestamp) -> Result<Success, Refusal> {
        let mobile = self.user(fields, now)?;
        let order_id = OrderId::new(fields.text("orderId")?).ok_or(Refusal(20102))?;
        let external_order_id = ExternalOrderId::new(fields.text("externalOrderId")?).ok_or(Refusal(20102))?;
        let amount: Amount = fields.decimal("payment")?.parse().map_err(|_| Refusal(6))?;
        let pay_time = strict_time(fields.text("payTime")?)?;
        let verification = fields.text("verificationInfo")?.to_owned();
        self.check_app_id(fields.optional("appId")?)?;
        let order = self.order(&order_id).filter(|order| order.mobile == mobile).ok_or(Refusal(6))?;
        if amount.is_zero() || external_order_id.as_str().len() > ExternalOrderId::MAX_LEN {
            return Err(Refusal(6));
        }
        let order_id = order.order_id.clone();
        self.fresh("payment");
        let pay_order_id = format!("no{}{:06}", now.format("%Y%m%d%H%M%S"), self.serial());
        let booking = Booking { external_order_id, order_id, amount, pay_time, pay_order_id, at: now, mobile };
        // Asked for before the verification, so that a wrong booking is recorded whatever else is wrong with it.
        self.admit(&booking).map_err(Refusal)?;
        if self.verifications.get(&booking.order_id.key()) != Some(&verification) {
            return Err(Refusal(6));
        }
        let data = paid_record(&booking);
        match booker {
            Booker::Books => self.book(booking).map_err(Refusal)?,
            Booker::Loses => {}
            Booker::Postpones => self.postponed.push(booking),
        }
        Ok(Success { data: Some(data), message: "支付通知成功" })
    }

    fn check_app_id(&self, app_id: Option<&str>) -> Result<(), Refusal> {
        if app_id.is_none_or(|app_id| app_id == self.settings.app_id) { Ok(()) } else { Err(Refusal(6)) }
    }

    /// The user for whom the token of a request stands.
    fn user(&self, fields: &Fields, now: Timestamp) -> Result<Mobile, Refusal> {
        let text = fields.text("token")?;
        let mobile = self.holder(text).ok_or(Refusal(20101))?;
        let token = self.users.get(&mobile).and_then(Option::as_ref).ok_or(Refusal(20101))?;
        let is_fresh = now.since_s(token.issued_at) <= self.settings.token_life_s;
        if is_fresh { Ok(mobile) } else { Err(Refusal(20101)) }
    }

    fn holder(&self, text: &str) -> Option<Mobile> {
        let is_held = |token: &Option<Token>| token.as_ref().is_some_and(|token| token.text == text);
        self.users.iter().find(|(_, token)| is_held(token)).map(|(mobile, _)| mobile.clone())
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

/// A number that is always the same for the same text, to choose among shapes.
fn shape(text: &str) -> u32 {
    text.bytes().fold(7, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
}

/// A list; an empty one is absent, null or `[]`.
fn list(records: Vec<Value>, subject: &str) -> Option<Value> {
    match (records.is_empty(), shape(subject) % 3) {
        (true, 0) => None,
        (true, 1) => Some(Value::Null),
        _ => Some(Value::Array(records)),
    }
}

/// An amount in one of its spellings: `"5.50"`, `5.5`, `"5.5"`, `5.50`.
fn money(amount: Amount, shape: u32) -> Value {
    let two_places = amount.to_string();
    let short = two_places.strip_suffix(".00").unwrap_or_else(|| two_places.trim_end_matches('0'));
    // Parsed, not converted: with arbitrary precision a number keeps its digits.
    let number = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    match shape % 4 {
        0 => Value::String(two_places.clone()),
        1 => number(short),
        2 => Value::String(two_places.strip_suffix('0').unwrap_or(&two_places).to_owned()),
        _ => number(&two_places),
    }
}

fn id(text: &str, shape: u32) -> Value {
    let is_number = !text.is_empty() && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    match (is_number, shape % 2) {
        (true, 0) => serde_json::from_str(text).unwrap_or(Value::Null),
        _ => text.into(),
    }
}

/// A time, now and then with the document's spaces behind the colons.
fn time(at: Timestamp, shape: u32) -> String {
    if shape % 5 == 4 { at.wall().replace(':', ": ") } else { at.wall() }
}

/// The platform takes a time in one form only, though it prints several.
fn strict_time(text: &str) -> Result<Timestamp, Refusal> {
    Timestamp::parse_wall(text).ok().filter(|at| at.wall() == text).ok_or(Refusal(6))
}

/// `渝****87`.
fn masked(plate: &str) -> String {
    let chars: Vec<char> = plate.chars().collect();
    let tail: String = chars.iter().skip(chars.len().saturating_sub(2)).collect();
    format!("{}****{tail}", chars.first().copied().unwrap_or_default())
}

fn history_record(order: &ParkingOrder) -> Option<Value> {
    let Stay::Left { fee, cash, exit_at } = order.stay else { return None };
    let shape = shape(&order.order_id.key());
    Some(json!({
        "parkingName": order.parking_name,
        "entranceTime": time(order.entrance_at, shape),
        "exitTime": time(exit_at, shape),
        "parkingFee": money(fee, shape),
        "actual": money(cash, shape >> 2),
        "parkingId": id(&order.parking_id, shape >> 4),
        "orderId": order.order_id.as_str(),
        "carNumber": order.plate,
    }))
}

fn unpaid_record(order: &ParkingOrder, verification: &str, now: Timestamp) -> Option<Value> {
    let Stay::Inside { fee, .. } = order.stay else { return None };
    let shape = shape(&order.order_id.key());
    Some(json!({
        "carNumber": masked(&order.plate),
        "entranceTime": time(order.entrance_at, shape),
        "exitTime": now.wall(),
        "orderId": order.order_id.as_str(),
        "parkingFee": money(fee, shape),
        "parkingId": id(&order.parking_id, shape >> 4),
        "parkingName": order.parking_name,
        "remainingFee": money(order.due()?, shape >> 2),
        "verificationInfo": verification,
    }))
}

fn paid_record(booking: &Booking) -> Value {
    json!({
        "externalOrderId": booking.external_order_id.as_str(),
        "orderId": booking.order_id.as_str(),
        "payOrderId": booking.pay_order_id,
        "payTime": booking.pay_time.wall(),
        "payment": money(booking.amount, shape(booking.external_order_id.as_str())),
    })
}

/// Bytes as a UUID, lower case.
fn uuid(bytes: [u8; 32]) -> String {
    let text = hex::encode(bytes);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// Bytes as something like base64, always with all three characters that a form must encode.
fn base64_like(bytes: [u8; 32]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 64)).copied().map_or('A', char::from);
    let text: String = bytes.iter().map(letter).collect();
    format!("{text}+{}/{}=", hex::encode(&bytes[..6]).to_uppercase(), &text[..8])
}
