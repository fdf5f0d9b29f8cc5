//! A small client for the tests of the sandbox: signs, encodes, and reads answers without any of our own client code.

use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::orders::{ParkingOrder, Stay};
use super::request::{Call, Interface, PATH_PREFIX, Reaction};
use super::world::{Settings, World};
use crate::model::{Amount, Mobile, OrderId, Timestamp};

pub(super) const ORDER: &str = "B6269DE8-03A0-4560-8EAF-000000C5FF6A";
pub(super) const PLATE: &str = "渝 B757D0";
pub(super) const PHONE: &str = "13800000001";

pub(super) fn now() -> Timestamp {
    Timestamp::parse_wall("2026-11-23 10:30:00").unwrap()
}

pub(super) fn yuan(text: &str) -> Amount {
    text.parse().unwrap()
}

pub(super) fn order_id(text: &str) -> OrderId {
    OrderId::new(text).unwrap()
}

pub(super) fn mobile(text: &str) -> Mobile {
    Mobile::parse(text).unwrap()
}

/// An order of the one user, an hour old.
pub(super) fn order(id: &str, stay: Stay) -> ParkingOrder {
    ParkingOrder {
        order_id: order_id(id),
        plate: PLATE.into(),
        mobile: mobile(PHONE),
        parking_id: "3126".into(),
        parking_name: "ETCP停车场".into(),
        entrance_at: now().plus_s(-3600),
        stay,
    }
}

/// One user with one car inside that owes 8.50.
pub(super) fn small_world() -> World {
    let mut world = World::new(Settings::default());
    world.add_order(order(ORDER, Stay::Inside { fee: yuan("8.50"), paid: Amount::ZERO }));
    world
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// The four parameters, signed as the document says.
pub(super) fn form(settings: &Settings, data: &str, at: Timestamp) -> String {
    let time_stamp = at.format("%Y%m%d%H%M%S");
    let sign = hex::encode_upper(Md5::digest(format!("{data}{}{time_stamp}", settings.merchant_key)));
    format!("merchant_no={}&time_stamp={time_stamp}&data={}&sign={sign}", settings.merchant_no, encoded(data))
}

/// Sends a ready form to the model.
pub(super) fn send(world: &mut World, interface: Interface, form: &str, at: Timestamp) -> Reaction {
    let is_get = interface.method() == "GET";
    let path = format!("{PATH_PREFIX}{}", interface.name());
    let call = Call {
        method: interface.method(),
        path: &path,
        query: if is_get { form } else { "" },
        content_type: (!is_get).then_some("application/x-www-form-urlencoded;charset=utf-8"),
        body: if is_get { b"" } else { form.as_bytes() },
    };
    world.handle(&call, at)
}

/// Signs, sends, and reads the answer.
pub(super) fn ask(world: &mut World, interface: Interface, data: &Value) -> Value {
    ask_at(world, interface, data, now())
}

pub(super) fn ask_at(world: &mut World, interface: Interface, data: &Value, at: Timestamp) -> Value {
    let form = form(world.settings(), &data.to_string(), at);
    let reaction = send(world, interface, &form, at);
    assert_eq!(reaction.status, 200, "{}", reaction.body);
    serde_json::from_str(&reaction.body).unwrap()
}

pub(super) fn code(answer: &Value) -> i64 {
    answer["code"].as_i64().unwrap()
}

pub(super) fn token(world: &mut World) -> String {
    let answer = ask(world, Interface::UserSignIn, &json!({"mobilePhone": PHONE, "appId": "ETCP", "carNumber": PLATE}));
    answer["data"]["token"].as_str().unwrap().to_owned()
}

/// The `verificationInfo` of the one order of the plate.
pub(super) fn verification(world: &mut World, token: &str) -> String {
    let answer = ask(world, Interface::OrderUnpay, &json!({"token": token, "plateNumber": PLATE}));
    answer["data"][0]["verificationInfo"].as_str().unwrap().to_owned()
}

/// The `data` of an `orderpaid`.
pub(super) fn paid(token: &str, external: &str, payment: &str, verification: &str) -> Value {
    json!({
        "token": token, "orderId": ORDER, "externalOrderId": external, "payment": payment,
        "payTime": "2026-11-22 09:58:58", "verificationInfo": verification, "appId": "ETCP",
    })
}
