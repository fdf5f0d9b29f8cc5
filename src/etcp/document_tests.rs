//! The document's own samples: its answers are read, and our requests have the members of its requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::client::Client;
use super::lots::{LotKind, LotLevel, LotPayment, LotQuery, PayType, parse_lot_status, parse_lots};
use super::stub::{Stub, clock, ok, settings};
use super::wire::{parse_answer, parse_history, parse_token, parse_unpaid};
use super::{AttemptOutcome, ClientSettings, Code, Interface, PaidRequest};
use crate::model::{Amount, ExternalOrderId, Mobile, OrderId, OrderState, Plate, Timestamp};

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../tests/fixtures/platform-document/", $name, ".json"))
    };
}

/// The `data` of a sample answer that is a success.
fn answered(sample: &str) -> Value {
    let answer = parse_answer(sample.as_bytes()).unwrap();
    assert_eq!(answer.code, Code::Success);
    assert!(!answer.message.is_empty());
    answer.data
}

/// The members of a sample request, values without white space (plates are sent in their normal form).
fn printed(sample: &str) -> BTreeMap<String, String> {
    let value: Value = serde_json::from_str(sample).unwrap();
    members(value.get("data").unwrap_or(&value))
}

fn members(data: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().replace(' ', "");
    data.as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// A client whose every call is answered, and what it sent.
struct Desk {
    stub: Stub,
    client: Client,
}

impl Desk {
    fn new(app_id: Option<&str>) -> Self {
        let stub = Stub::new(|_| ok(r#"{"code":0,"data":{"token":"t-123456","list":[]}}"#));
        let app_id = app_id.map(ToOwned::to_owned);
        let client = Client::new(ClientSettings { app_id, ..settings() }, Arc::new(stub.clone()), clock());
        Self { stub, client }
    }

    /// The interface and the members of the last call.
    fn sent(&self) -> (Interface, BTreeMap<String, String>) {
        let call = self.stub.calls().pop().unwrap();
        let text = call.text.expose_secret().to_owned();
        let data = text.split('&').find_map(|pair| pair.strip_prefix("data=")).unwrap();
        (call.interface, members(&serde_json::from_str(&percent_decoded(data)).unwrap()))
    }
}

fn token(text: &str) -> SecretString {
    SecretString::from(text)
}

fn mobile(text: &str) -> Mobile {
    Mobile::parse(text).unwrap()
}

fn plate(text: &str) -> Plate {
    Plate::parse(text).unwrap()
}

#[tokio::test]
async fn our_requests_of_users_have_the_members_of_the_document() {
    let desk = Desk::new(Some("ETCP"));
    desk.client.send_code(&mobile("13800000001")).await.unwrap();
    assert_eq!(desk.sent(), (Interface::SendCode, printed(sample!("8.1-uservalidatecode-request"))));
    desk.client.login(&mobile("13800000001"), &token("562371")).await.unwrap();
    assert_eq!(desk.sent(), (Interface::Login, printed(sample!("8.2-userlogin-request"))));
    desk.client.sign_in(&mobile("13508381199"), &plate("渝 AJS537")).await.unwrap();
    let mut sign_in = printed(sample!("8.3-usersignin-request"));
    // The sample prints an L; its table, and §8.2, say appId.
    let app_id = sign_in.remove("appld").unwrap();
    sign_in.insert("appId".to_owned(), app_id);
    assert_eq!(desk.sent(), (Interface::SignIn, sign_in));
    desk.client.bind_car(&token("ee8b9712-fc20-4b9d-96eb-cd1fdacd3c1a"), &plate("渝 B757D0"), Some(2)).await.unwrap();
    assert_eq!(desk.sent(), (Interface::BindCar, printed(sample!("8.4-bindcar-request"))));
    desk.client.unbind_car(&token("36a575cf-b3ea-4591-a1f4-9977dd755e0b"), &plate("京 F43264")).await.unwrap();
    assert_eq!(desk.sent(), (Interface::UnbindCar, printed(sample!("8.5-unbindcar-request"))));
}

#[tokio::test]
async fn our_requests_of_orders_have_the_members_of_the_document() {
    // The samples leave the optional appId out.
    let desk = Desk::new(None);
    let user = token("36a575cf-b3ea-4591-a1f4-9977dd755e0b");
    drop(desk.client.history(&user).await);
    assert_eq!(desk.sent(), (Interface::OrderHistory, printed(sample!("8.6-orderhistory-request"))));
    drop(desk.client.unpaid(&user, &plate("渝 DE3787")).await);
    assert_eq!(desk.sent(), (Interface::OrderUnpay, printed(sample!("8.7-orderunpay-request"))));
    let expected = printed(sample!("8.8-orderpaid-request"));
    let request = PaidRequest {
        order_id: OrderId::new(&expected["orderId"]).unwrap(),
        external_order_id: ExternalOrderId::new(&expected["externalOrderId"]).unwrap(),
        payment: expected["payment"].parse().unwrap(),
        pay_time: Timestamp::parse_wall("2017-06-12 09:58:58").unwrap(),
        verification_info: token(&expected["verificationInfo"]),
    };
    desk.client.order_paid(&token(&expected["token"]), &request).await;
    let (interface, mut sent) = desk.sent();
    // One amount in two spellings.
    assert_eq!(sent.insert("payment".to_owned(), "8.0".to_owned()).unwrap().parse(), Ok(request.payment));
    assert_eq!((interface, sent), (Interface::OrderPaid, expected));
}

#[tokio::test]
async fn our_requests_of_lots_have_the_members_of_the_document_but_never_both_places() {
    let desk = Desk::new(Some("ETCP"));
    let expected = printed(sample!("8.9-surroundingparking-request"));
    let without = |names: &[&str]| {
        let kept = expected.clone().into_iter().filter(|(name, _)| !names.contains(&name.as_str()));
        (Interface::SurroundingParking, kept.collect::<BTreeMap<_, _>>())
    };
    let around = LotQuery::around("39.87274", "116.429718", 500, PayType::Electronic).unwrap();
    desk.client.lots(&around, Some("ekndddlfkdsjlj23412f4224ie")).await.unwrap();
    assert_eq!(desk.sent(), without(&["city"]));
    desk.client.lots(&around, None).await.unwrap();
    assert_eq!(desk.sent(), without(&["city", "scrollId"]));
    let city = LotQuery::city("北京市", PayType::Electronic).unwrap();
    desk.client.lots(&city, None).await.unwrap();
    assert_eq!(desk.sent(), without(&["lat", "lon", "radius", "scrollId"]));
    drop(desk.client.lot_status(&"VujsvT8mDNA=".parse().unwrap()).await);
    assert_eq!(desk.sent(), (Interface::ParkingStatus, printed(sample!("8.10-parkingstatus-request"))));
}

#[test]
fn the_answers_that_say_only_ok_are_read() {
    for sample in [
        sample!("8.1-uservalidatecode-answer"),
        sample!("8.4-bindcar-answer"),
        sample!("8.5-unbindcar-answer"),
        sample!("9.1-entrance-push-answer"),
        sample!("9.2-exit-push-answer"),
    ] {
        assert_eq!(answered(sample), Value::Null);
    }
}

#[test]
fn the_tokens_are_read() {
    for sample in [sample!("8.2-userlogin-answer"), sample!("8.3-usersignin-answer")] {
        let token = parse_token(&answered(sample)).unwrap();
        assert_eq!(token.expose_secret(), "0b59582d-ea6f-4bf1-a570-e803cc24ebe0");
    }
}

#[test]
fn the_closed_order_is_read() {
    let listing = parse_history(&answered(sample!("8.6-orderhistory-answer"))).unwrap();
    assert!(listing.is_complete());
    let [order] = listing.records.as_slice() else { panic!("{listing:?}") };
    assert_eq!(order.order_id.as_str(), "B6269DE8-03A0-4560-8EAF-000000C5FF6A");
    assert_eq!(order.plate, Some(plate("京MZ1173")));
    assert_eq!((order.parking_id.as_str(), order.parking_name.as_str()), ("10361002", "测试车场"));
    assert_eq!(order.entrance_at.wall(), "2017-06-10 16:27:30");
    assert_eq!(order.exit_at.unwrap().wall(), "2017-06-10 19:27:30");
    assert_eq!(order.state, OrderState::Closed { fee: "5.50".parse().unwrap(), cash: Amount::ZERO });
}

#[test]
fn the_open_order_is_read() {
    let asked = plate("渝DE3787");
    let listing = parse_unpaid(&answered(sample!("8.7-orderunpay-answer")), &asked).unwrap();
    assert!(listing.is_complete());
    let [order] = listing.records.as_slice() else { panic!("{listing:?}") };
    let two: Amount = "2.00".parse().unwrap();
    assert_eq!(order.snapshot.order_id.as_str(), "B9466E26-7420-4BDF-958D-E90106AB5F20");
    assert_eq!(order.snapshot.plate, Some(asked), "the plate of the answer is masked");
    assert_eq!((order.snapshot.parking_id.as_str(), order.snapshot.exit_at), ("3126", None));
    assert_eq!(order.snapshot.entrance_at.wall(), "2017-06-11 11:19:27");
    assert_eq!(order.snapshot.state, OrderState::Open { fee: two, remaining: two });
    assert!(order.verification_info.expose_secret().ends_with("8KnP16"));
}

#[tokio::test]
async fn the_acknowledged_payment_is_read() {
    let printed = printed(sample!("8.8-orderpaid-request"));
    let request = PaidRequest {
        order_id: OrderId::new(&printed["orderId"]).unwrap(),
        external_order_id: ExternalOrderId::new(&printed["externalOrderId"]).unwrap(),
        payment: printed["payment"].parse().unwrap(),
        pay_time: Timestamp::parse_wall("2017-06-12 09:58:58").unwrap(),
        verification_info: token(&printed["verificationInfo"]),
    };
    let stub = Stub::script([ok(sample!("8.8-orderpaid-answer"))]);
    let outcome = stub.client().order_paid(&token(&printed["token"]), &request).await;
    let AttemptOutcome::Acknowledged { pay_order_id } = outcome else { panic!("{outcome:?}") };
    assert_eq!(pay_order_id, "no201707120958582728978");
}

#[test]
fn the_car_park_is_read() {
    let page = parse_lots(&answered(sample!("8.9-surroundingparking-answer"))).unwrap();
    assert!(page.lots.is_complete());
    assert_eq!(page.scroll_id.as_deref(), Some("ekndddlfkdsj23412f4224ie"));
    let [lot] = page.lots.records.as_slice() else { panic!("{page:?}") };
    assert_eq!((lot.id.as_str(), lot.name.as_str()), ("dhX3ZLLQ3jk=", "莆田万达广场"));
    assert_eq!((&lot.kind, &lot.level, &lot.payment), (&LotKind::Own, &LotLevel::AboveGround, &LotPayment::Electronic));
    assert_eq!((lot.free_minutes, lot.cost_of_4h.unwrap().to_string().as_str()), (Some(120), "12.78"));
    assert_eq!((lot.capacity.as_str(), lot.distance.as_str()), ("充足", "0m"));
    assert_eq!(lot.lon.unwrap().to_string(), "119.0029");
    assert_eq!(lot.lat.unwrap().to_string(), "25.424324");
}

#[test]
fn the_state_of_a_car_park_is_read() {
    let status = parse_lot_status(&answered(sample!("8.10-parkingstatus-answer"))).unwrap();
    assert_eq!((status.total_spaces, status.status.as_str()), (114, "充足"));
    assert_eq!(status.at.wall(), "2017-09-04 22:37:14");
}
