//! Every refusal of the model one by one, and what can never be in its ledger.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::orders::Stay;
use super::request::{Call, Interface, PATH_PREFIX};
use super::testing::*;
use super::world::{AfterPayment, ViolationKind, World};
use crate::model::{Amount, ExternalOrderId};

fn violations(world: &World) -> Vec<(ViolationKind, i64)> {
    world.violations().iter().map(|violation| (violation.kind, violation.code)).collect()
}

fn history(world: &mut World, token: &str) -> Vec<Value> {
    let answer = ask(world, Interface::OrderHistory, &json!({ "token": token }));
    answer["data"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_payment_of_the_exact_fee_is_booked_once() {
    let mut world = small_world();
    let token = token(&mut world);
    let info = verification(&mut world, &token);
    let answer = ask(&mut world, Interface::OrderPaid, &paid(&token, "P-1", "8.50", &info));
    assert_eq!(code(&answer), 0);
    assert_eq!(answer["data"]["orderId"], ORDER);
    assert_eq!(answer["data"]["externalOrderId"], "P-1");
    assert_eq!(answer["data"]["payTime"], "2026-11-22 09:58:58");
    let [booking] = world.ledger() else { panic!("{:?}", world.ledger()) };
    assert_eq!(
        (booking.amount, booking.pay_order_id.as_str()),
        (yuan("8.50"), answer["data"]["payOrderId"].as_str().unwrap())
    );

    let listed = ask(&mut world, Interface::OrderUnpay, &json!({"token": token, "plateNumber": "渝B757D0"}));
    let remaining = listed["data"][0]["remainingFee"].to_string();
    assert!(yuan(remaining.trim_matches('"')).is_zero(), "{listed}");
    assert_eq!(violations(&world), []);
}

#[test]
fn a_paid_order_may_be_in_no_list_if_so_set() {
    let mut world = small_world();
    world.settings_mut().after_payment = AfterPayment::Gone;
    let token = token(&mut world);
    assert!(world.pay_elsewhere(&order_id(ORDER), yuan("8.50")));
    let listed = ask(&mut world, Interface::OrderUnpay, &json!({"token": token, "plateNumber": PLATE}));
    assert!(listed["data"].as_array().is_none_or(Vec::is_empty), "{listed}");
    assert_eq!(history(&mut world, &token), Vec::<Value>::new());
}

#[test]
fn every_bad_frame_has_its_code() {
    let world = small_world();
    let data = json!({"mobilePhone": PHONE, "appId": "ETCP"}).to_string();
    let good = form(world.settings(), &data, now());
    let code_of = |form: &str| {
        let reaction = send(&mut world.clone(), Interface::UserSignIn, form, now());
        code(&serde_json::from_str(&reaction.body).unwrap())
    };
    assert_eq!(code_of(&good), 0);
    assert_eq!(code_of(&good.replace("merchant_no=9", "merchant_no=8")), 5);
    assert_eq!(code_of(&good.replace("&sign=", "&sign=0")), 4);
    assert_eq!(code_of(&form(world.settings(), &data, now().plus_s(-601))), 3);
    assert_eq!(code_of(&form(world.settings(), &data, now().plus_s(601))), 3);
    assert_eq!(code_of(&form(world.settings(), &data, now().plus_s(-600))), 0);
    assert_eq!(code_of(&good.replace("&data=", "&other=1&data=")), 6);
    assert_eq!(code_of(good.split("&sign=").next().unwrap()), 20102);
    assert_eq!(code_of(&form(world.settings(), "[]", now())), 6);
    assert_eq!(code_of(&form(world.settings(), "{", now())), 6);
}

#[test]
fn the_method_and_the_path_are_those_of_the_document() {
    let mut world = small_world();
    let mut status = |method, path: &str| {
        world.handle(&Call { method, path, query: "", content_type: None, body: b"" }, now()).status
    };
    for interface in Interface::ALL {
        let path = format!("{PATH_PREFIX}{}", interface.name());
        let other = if interface.method() == "GET" { "POST" } else { "GET" };
        assert_eq!(status(other, &path), 405, "{path}");
        assert_eq!(status(interface.method(), &path), 200, "{path}");
    }
    assert_eq!(status("GET", "/merchant/open/1.0.1/openapi/orderhistory"), 404);
    assert_eq!(status("GET", "/merchant/open/1.0.0/openapi/orders"), 404);
}

#[test]
fn a_form_must_come_as_a_form() {
    let mut world = small_world();
    let form = form(world.settings(), &json!({"mobilePhone": PHONE, "appId": "ETCP"}).to_string(), now());
    let path = format!("{PATH_PREFIX}usersignin");
    let call = Call { method: "POST", path: &path, query: "", content_type: Some("text/plain"), body: form.as_bytes() };
    assert!(world.handle(&call, now()).body.contains("\"code\":6"));
    let call = Call { content_type: Some("application/x-www-form-urlencoded"), query: "a=b", ..call };
    assert!(world.handle(&call, now()).body.contains("\"code\":6"));
}

#[test]
fn white_space_is_left_out_of_what_is_signed_only_if_so_set() {
    let mut world = small_world();
    let data = json!({"mobilePhone": PHONE, "appId": "ETCP", "carNumber": PLATE}).to_string();
    let signed_as_sent = form(world.settings(), &data, now());
    world.settings_mut().strip_whitespace = true;
    assert!(send(&mut world, Interface::UserSignIn, &signed_as_sent, now()).body.contains("\"code\":4"));
    let stripped = form(world.settings(), &data.replace(' ', ""), now());
    let sign = stripped.rsplit('=').next().unwrap();
    let mixed = format!("{}={sign}", signed_as_sent.rsplit_once('=').unwrap().0);
    assert!(send(&mut world, Interface::UserSignIn, &mixed, now()).body.contains("\"code\":0"));
}

#[test]
fn a_sign_in_names_a_known_user_and_the_app() {
    let mut world = small_world();
    let mut code_of = |data: &Value| code(&ask(&mut world, Interface::UserSignIn, data));
    assert_eq!(code_of(&json!({"mobilePhone": PHONE})), 20102);
    assert_eq!(code_of(&json!({"appId": "ETCP"})), 20102);
    assert_eq!(code_of(&json!({"mobilePhone": PHONE, "appId": "OTHER"})), 6);
    assert_eq!(code_of(&json!({"mobilePhone": PHONE, "appld": "ETCP"})), 6);
    assert_eq!(code_of(&json!({"mobilePhone": "13800000002", "appId": "ETCP"})), 20201);
    assert_eq!(code_of(&json!({"mobilePhone": "1380000", "appId": "ETCP"})), 20201);
    assert_eq!(code_of(&json!({"mobilePhone": 13_800_000_001_u64, "appId": "ETCP"})), 6);
    assert_eq!(code_of(&json!({"mobilePhone": PHONE, "appId": "ETCP", "carNumber": "渝"})), 6);
}

#[test]
fn a_newer_sign_in_voids_the_older_token_and_a_day_does_too() {
    let mut world = small_world();
    let older = token(&mut world);
    let newer = token(&mut world);
    assert_ne!(older, newer);
    let ask_history = |world: &mut World, token: &str, at| {
        code(&ask_at(world, Interface::OrderHistory, &json!({ "token": token }), at))
    };
    assert_eq!(ask_history(&mut world, &older, now()), 20101);
    assert_eq!(ask_history(&mut world, &newer, now().plus_s(24 * 3600)), 0);
    assert_eq!(ask_history(&mut world, &newer, now().plus_s(24 * 3600 + 1)), 20101);
    world.void_token(&mobile(PHONE));
    assert_eq!(ask_history(&mut world, &newer, now()), 20101);
    assert_eq!(code(&ask(&mut world, Interface::OrderHistory, &json!({}))), 20102);
}

#[test]
fn a_user_sees_only_his_own_cars() {
    let mut world = small_world();
    world.add_user(mobile("13800000002"));
    let sign_in = json!({"mobilePhone": "13800000002", "appId": "ETCP"});
    let stranger = ask(&mut world, Interface::UserSignIn, &sign_in)["data"]["token"].as_str().unwrap().to_owned();
    let listed = ask(&mut world, Interface::OrderUnpay, &json!({"token": stranger, "plateNumber": PLATE}));
    assert!(listed["data"].as_array().is_none_or(Vec::is_empty), "{listed}");
    let owner = token(&mut world);
    let info = verification(&mut world, &owner);
    assert_eq!(code(&ask(&mut world, Interface::OrderPaid, &paid(&stranger, "P-1", "8.50", &info))), 6);
}

#[test]
fn a_verification_is_good_for_the_last_query_and_one_booking() {
    let mut world = small_world();
    let token = token(&mut world);
    let older = verification(&mut world, &token);
    let newer = verification(&mut world, &token);
    assert!(["+", "/", "="].iter().all(|sign| older.contains(sign)));
    assert_eq!(code(&ask(&mut world, Interface::OrderPaid, &paid(&token, "P-1", "8.50", &older))), 6);
    assert_eq!(code(&ask(&mut world, Interface::OrderPaid, &paid(&token, "P-1", "8.50", &newer))), 0);
    assert!(world.charge(&order_id(ORDER), yuan("10.00")));
    assert_eq!(code(&ask(&mut world, Interface::OrderPaid, &paid(&token, "P-2", "1.50", &newer))), 6);
    let info = verification(&mut world, &token);
    assert_eq!(code(&ask(&mut world, Interface::OrderPaid, &paid(&token, "P-2", "1.5", &info))), 0);
    assert_eq!(violations(&world), []);
}

#[test]
fn a_bad_payment_is_refused_and_books_nothing() {
    let mut world = small_world();
    let token = token(&mut world);
    let info = verification(&mut world, &token);
    let good = paid(&token, "P-1", "8.50", &info);
    for (member, value, expected) in [
        ("token", json!("x"), 20101),
        ("orderId", Value::Null, 20102),
        ("orderId", json!("00000000-0000-0000-0000-000000000000"), 6),
        ("externalOrderId", json!(""), 20102),
        ("externalOrderId", json!("x".repeat(65)), 6),
        ("payment", json!("8.505"), 6),
        ("payment", json!("-8.50"), 6),
        ("payment", json!("0"), 6),
        ("payTime", json!("2026-11-22"), 6),
        ("payTime", json!("2026-11-22T09:58:58"), 6),
        ("verificationInfo", json!(info.replace('+', " ")), 6),
        ("appId", json!("OTHER"), 6),
        ("unheardOf", json!("1"), 6),
    ] {
        let mut data = good.clone();
        data[member] = value;
        assert_eq!(code(&ask(&mut world, Interface::OrderPaid, &data)), expected, "{data}");
    }
    assert_eq!((world.ledger(), violations(&world)), (&[][..], vec![]));
    let mut data = good.clone();
    data["payment"] = json!(8.5);
    data["orderId"] = json!(ORDER.to_lowercase());
    assert_eq!(code(&ask(&mut world, Interface::OrderPaid, &data)), 0);
}

#[test]
fn what_must_never_be_asked_is_refused_and_recorded() {
    let mut world = small_world();
    let token = token(&mut world);
    let info = verification(&mut world, &token);
    let pay = |world: &mut World, external: &str, payment: &str, info: &str| {
        code(&ask(world, Interface::OrderPaid, &paid(&token, external, payment, info)))
    };
    assert_eq!(pay(&mut world, "P-1", "8.49", &info), 20206);
    assert_eq!(pay(&mut world, "P-1", "8.50", &info), 0);
    assert_eq!(pay(&mut world, "P-2", "8.50", &info), 20206);
    assert!(world.charge(&order_id(ORDER), yuan("17.00")));
    assert_eq!(pay(&mut world, "P-1", "8.50", &info), 8);
    assert!(world.leave(&order_id(ORDER), now()));
    assert_eq!(pay(&mut world, "P-3", "8.50", &info), 7);
    assert_eq!(
        violations(&world),
        [
            (ViolationKind::OtherAmount, 20206),
            (ViolationKind::NothingDue, 20206),
            (ViolationKind::IdUsed, 8),
            (ViolationKind::NothingDue, 7),
        ]
    );
    assert_eq!(world.ledger().len(), 1);
}

#[test]
fn the_history_has_seven_days_newest_entrance_first() {
    let mut world = small_world();
    let token = token(&mut world);
    let left = |days: i64, index: u32| {
        let mut order = order(&format!("{index:08}-0000-0000-0000-000000000000"), Stay::Vanished);
        order.entrance_at = now().plus_s(-days * 24 * 3600);
        order.stay = Stay::Left { fee: yuan("5"), cash: yuan("2"), exit_at: order.entrance_at.plus_s(1800) };
        order
    };
    for (index, days) in [3, 1, 7, 8, 2].into_iter().enumerate() {
        world.add_order(left(days, u32::try_from(index).unwrap()));
    }
    let ids: Vec<_> =
        history(&mut world, &token).iter().map(|r| r["orderId"].as_str().unwrap()[7..8].to_owned()).collect();
    assert_eq!(ids, ["1", "4", "0", "2"]);
}

#[test]
fn shapes_vary_as_in_the_document() {
    let mut world = small_world();
    let token = token(&mut world);
    for index in 0..40 {
        let stay = Stay::Left { fee: yuan("5.50"), cash: Amount::ZERO, exit_at: now() };
        world.add_order(order(&format!("{index:08}-0000-0000-0000-000000000000"), stay));
    }
    let records = history(&mut world, &token);
    let spellings = |member: &str| {
        let mut texts: Vec<_> = records.iter().map(|record| record[member].to_string()).collect();
        texts.sort();
        texts.dedup();
        texts
    };
    assert_eq!(spellings("parkingFee"), ["\"5.5\"", "\"5.50\"", "5.5", "5.50"]);
    assert_eq!(spellings("actual"), ["\"0.0\"", "\"0.00\"", "0", "0.00"]);
    assert_eq!(spellings("parkingId"), ["\"3126\"", "3126"]);
    assert_eq!(spellings("exitTime"), ["\"2026-11-23 10: 30: 00\"", "\"2026-11-23 10:30:00\""]);
    let listed = ask(&mut world, Interface::OrderUnpay, &json!({"token": token, "plateNumber": PLATE}));
    assert_eq!(listed["data"][0]["carNumber"], "渝****D0");
}

#[test]
fn a_vanished_order_is_in_neither_list() {
    let mut world = small_world();
    let token = token(&mut world);
    assert!(world.vanish(&order_id(ORDER)));
    let listed = ask(&mut world, Interface::OrderUnpay, &json!({"token": token, "plateNumber": PLATE}));
    assert!(listed["data"].as_array().is_none_or(Vec::is_empty));
    assert_eq!(history(&mut world, &token), Vec::<Value>::new());
}

#[test]
fn a_postponed_booking_is_made_later_if_it_still_can_be() {
    for charge in [None, Some("9.00")] {
        let mut world = small_world();
        let token = token(&mut world);
        let info = verification(&mut world, &token);
        world.add_fault("orderpaid:postpone".parse().unwrap());
        let form = form(world.settings(), &paid(&token, "P-1", "8.50", &info).to_string(), now());
        send(&mut world, Interface::OrderPaid, &form, now());
        assert_eq!(world.ledger().len(), 0);
        if let Some(fee) = charge {
            assert!(world.charge(&order_id(ORDER), yuan(fee)));
        }
        let expected = usize::from(charge.is_none());
        assert_eq!(world.execute_postponed(now()), expected);
        assert_eq!((world.ledger().len(), world.violations().len()), (expected, 1 - expected));
    }
}

#[test]
fn a_lost_booking_is_due_again() {
    let mut world = small_world();
    let token = token(&mut world);
    let info = verification(&mut world, &token);
    ask(&mut world, Interface::OrderPaid, &paid(&token, "P-1", "8.50", &info));
    assert!(world.lose_booking(&ExternalOrderId::new("P-1").unwrap()).is_some());
    assert_eq!(world.order(&order_id(ORDER)).unwrap().due(), Some(yuan("8.50")));
    assert_eq!(world.ledger(), &[]);
}

#[test]
fn debug_shows_no_token_and_no_phone_number() {
    let mut world = small_world();
    let token = token(&mut world);
    let text = format!("{world:?}");
    assert!(!text.contains(&token) && !text.contains(PHONE), "{text}");
}

/// One step of a random client, or of the car.
#[derive(Clone, Debug)]
enum Step {
    Query,
    Pay { external: u8, amount: u8, info: bool },
    Charge(u8),
    Elsewhere(u8),
    Leave,
    Fault(&'static str),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Query),
        6 => (0..4u8, 1..6u8, any::<bool>()).prop_map(|(external, amount, info)| Step::Pay { external, amount, info }),
        2 => (5..40u8).prop_map(Step::Charge),
        1 => (1..3u8).prop_map(Step::Elsewhere),
        1 => Just(Step::Leave),
        1 => prop::sample::select(vec![
            "orderpaid:fail-after-booking", "orderpaid:drop", "orderpaid:lose-booking", "orderpaid:postpone",
            "orderpaid:garbage", "orderpaid:cut", "orderpaid:vanish",
        ]).prop_map(Step::Fault),
    ]
}

proptest! {
    #[test]
    fn the_ledger_never_holds_an_id_twice_nor_more_than_the_fee(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = small_world();
        let token = token(&mut world);
        let mut info = String::from("none");
        for step in steps {
            match step {
                Step::Query => {
                    let listed = ask(&mut world, Interface::OrderUnpay, &json!({"token": token, "plateNumber": PLATE}));
                    if let Some(text) = listed["data"][0]["verificationInfo"].as_str() { text.clone_into(&mut info); }
                }
                Step::Pay { external, amount, info: good } => {
                    let due = world.order(&order_id(ORDER)).unwrap().due().unwrap_or(yuan("1"));
                    let amount = if amount > 2 { due } else { yuan(&amount.to_string()) };
                    let info = if good { info.as_str() } else { "wrong" };
                    let data = paid(&token, &format!("P-{external}"), &amount.to_string(), info).to_string();
                    let form = form(world.settings(), &data, now());
                    send(&mut world, Interface::OrderPaid, &form, now());
                }
                Step::Charge(fee) => { world.charge(&order_id(ORDER), yuan(&fee.to_string())); }
                Step::Elsewhere(amount) => { world.pay_elsewhere(&order_id(ORDER), yuan(&amount.to_string())); }
                Step::Leave => { world.leave(&order_id(ORDER), now()); }
                Step::Fault(text) => world.add_fault(text.parse().unwrap()),
            }
            world.execute_postponed(now());
            let mut ids: Vec<_> = world.ledger().iter().map(|booking| booking.external_order_id.as_str()).collect();
            let count = ids.len();
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), count);
            let booked: i64 = world.ledger().iter().map(|booking| booking.amount.fen()).sum();
            let fee = match world.order(&order_id(ORDER)).unwrap().stay {
                Stay::Inside { fee, .. } | Stay::Left { fee, .. } => fee.fen(),
                Stay::Vanished => i64::MAX,
            };
            prop_assert!(booked <= fee);
        }
    }
}
