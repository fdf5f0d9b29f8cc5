//! The interfaces of §8.1–§8.5 and §8.9–§8.10, each limit of the document one by one.

use serde_json::{Value, json};

use super::lots::{Degrees, Lot, Operator, Place};
use super::request::Interface;
use super::testing::*;
use super::world::{Settings, World};
use crate::model::{Plate, Timestamp};

/// The code of the answer, `after_s` seconds from now.
fn code_at(world: &mut World, interface: Interface, data: &Value, after_s: i64) -> i64 {
    code(&ask_at(world, interface, data, now().plus_s(after_s)))
}

fn code_of(world: &mut World, interface: Interface, data: &Value) -> i64 {
    code_at(world, interface, data, 0)
}

fn plates(world: &World) -> Vec<String> {
    world.plates_of(&mobile(PHONE)).iter().map(ToString::to_string).collect()
}

fn car(token: &str, plate: &str) -> Value {
    json!({"token": token, "plateNumber": plate})
}

#[test]
fn an_sms_code_is_sent_once_a_minute_to_a_phone() {
    let mut world = small_world();
    let ask = json!({ "mobilePhone": PHONE });
    assert_eq!(code_of(&mut world, Interface::UserValidateCode, &ask), 0);
    let first = world.sms_code(&mobile(PHONE)).unwrap();
    assert_eq!(code_at(&mut world, Interface::UserValidateCode, &ask, 59), 20202);
    assert_eq!(world.sms_code(&mobile(PHONE)).unwrap(), first);
    assert_eq!(code_of(&mut world, Interface::UserValidateCode, &json!({"mobilePhone": "13800000002"})), 0);
    assert_eq!(code_at(&mut world, Interface::UserValidateCode, &ask, 60), 0);
    assert_ne!(world.sms_code(&mobile(PHONE)).unwrap(), first);
    for bad in ["1380000000", "138 0000 0001", "+8613800000001", "23800000001", "x"] {
        assert_eq!(code_of(&mut world, Interface::UserValidateCode, &json!({ "mobilePhone": bad })), 20201, "{bad}");
    }
    assert_eq!(code_of(&mut world, Interface::UserValidateCode, &json!({})), 20102);
}

#[test]
fn an_sms_code_signs_in_once_and_for_five_minutes() {
    let mut world = small_world();
    ask(&mut world, Interface::UserValidateCode, &json!({ "mobilePhone": PHONE }));
    let sms = world.sms_code(&mobile(PHONE)).unwrap();
    let login = |code: &str| json!({"mobilePhone": PHONE, "code": code, "appId": "ETCP"});
    let other = if sms == "000000" { "000001" } else { "000000" };
    assert_eq!(code_of(&mut world, Interface::UserLogin, &login(other)), 20203);
    assert_eq!(code_at(&mut world, Interface::UserLogin, &login(&sms), 301), 20203);
    let answer = ask(&mut world, Interface::UserLogin, &login(&sms));
    let token = answer["data"]["token"].as_str().unwrap();
    assert_eq!(code_of(&mut world, Interface::OrderHistory, &json!({ "token": token })), 0);
    assert_eq!(code_of(&mut world, Interface::UserLogin, &login(&sms)), 20203);
    assert_eq!(code_of(&mut world, Interface::UserLogin, &json!({"mobilePhone": PHONE, "code": sms})), 20102);
    let wrong_app = json!({"mobilePhone": PHONE, "code": sms, "appId": "OTHER"});
    assert_eq!(code_of(&mut world, Interface::UserLogin, &wrong_app), 6);
}

#[test]
fn a_phone_becomes_a_users_with_its_first_code() {
    let mut world = small_world();
    let stranger = json!({"mobilePhone": "13900000009", "appId": "ETCP"});
    assert_eq!(code_of(&mut world, Interface::UserSignIn, &stranger), 20201);
    ask(&mut world, Interface::UserValidateCode, &json!({"mobilePhone": "13900000009"}));
    assert_eq!(code_of(&mut world, Interface::UserSignIn, &stranger), 20201);
    let sms = world.sms_code(&mobile("13900000009")).unwrap();
    let login = json!({"mobilePhone": "13900000009", "code": sms, "appId": "ETCP"});
    assert_eq!(code_of(&mut world, Interface::UserLogin, &login), 0);
    assert_eq!(code_of(&mut world, Interface::UserSignIn, &stranger), 0);
}

#[test]
fn a_login_voids_the_older_token_as_a_sign_in_does() {
    let mut world = small_world();
    let older = token(&mut world);
    ask(&mut world, Interface::UserValidateCode, &json!({ "mobilePhone": PHONE }));
    let sms = world.sms_code(&mobile(PHONE)).unwrap();
    ask(&mut world, Interface::UserLogin, &json!({"mobilePhone": PHONE, "code": sms, "appId": "ETCP"}));
    assert_eq!(code_of(&mut world, Interface::OrderHistory, &json!({ "token": older })), 20101);
    assert_eq!(world.sign_ins_per_user_max(), 2);
}

#[test]
fn three_plates_at_once_and_four_a_month() {
    let mut world = small_world();
    let token = token(&mut world);
    for plate in ["渝A00001", "渝 A·00002", "渝AD00003"] {
        assert_eq!(code_of(&mut world, Interface::BindCar, &car(&token, plate)), 0, "{plate}");
    }
    assert_eq!(code_of(&mut world, Interface::BindCar, &car(&token, "渝A00001")), 0);
    assert_eq!(plates(&world), ["渝A00001", "渝A00002", "渝AD00003"]);
    assert_eq!(code_of(&mut world, Interface::BindCar, &car(&token, "渝A00004")), 20100);
    for (from, to) in [("渝A00001", "渝A00004"), ("渝A00004", "渝A00001")] {
        assert_eq!(code_of(&mut world, Interface::UnbindCar, &car(&token, from)), 0);
        assert_eq!(
            code_of(&mut world, Interface::BindCar, &car(&token, to)),
            0,
            "{to} was bound before or is the fourth"
        );
    }
    assert_eq!(code_of(&mut world, Interface::UnbindCar, &car(&token, "渝A00001")), 0);
    assert_eq!(code_of(&mut world, Interface::BindCar, &car(&token, "渝A00005")), 20100);
    let next_month = Timestamp::parse_wall("2026-12-01 00:00:00").unwrap();
    let sign_in = json!({"mobilePhone": PHONE, "appId": "ETCP"});
    let token = ask_at(&mut world, Interface::UserSignIn, &sign_in, next_month)["data"]["token"].clone();
    let data = car(token.as_str().unwrap(), "渝A00005");
    assert_eq!(code(&ask_at(&mut world, Interface::BindCar, &data, next_month)), 0);
}

#[test]
fn a_plate_counts_once_whatever_its_colour() {
    let mut world = small_world();
    let token = token(&mut world);
    for color in ["1", "2", "4"] {
        let data = json!({"token": token, "plateNumber": "渝A00001", "plateColor": color});
        assert_eq!(code_of(&mut world, Interface::BindCar, &data), 0, "{color}");
    }
    assert_eq!(plates(&world), ["渝A00001"]);
    for plate in ["渝A00002", "渝A00003"] {
        assert_eq!(code_of(&mut world, Interface::BindCar, &car(&token, plate)), 0, "{plate}");
    }
    assert_eq!(code_of(&mut world, Interface::UnbindCar, &car(&token, "渝A00001")), 0);
    assert_eq!(plates(&world), ["渝A00002", "渝A00003"]);
    assert_eq!(code_of(&mut world, Interface::BindCar, &car(&token, "渝A00004")), 0, "the fourth of the month");
}

#[test]
fn a_plate_has_seven_or_eight_characters_and_a_colour_from_1_to_4() {
    let mut world = small_world();
    let token = token(&mut world);
    for plate in ["渝A0001", "渝AD000003", "渝****87"] {
        assert_eq!(code_of(&mut world, Interface::BindCar, &car(&token, plate)), 6, "{plate}");
        assert_eq!(code_of(&mut world, Interface::UnbindCar, &car(&token, plate)), 6, "{plate}");
    }
    for color in [json!("0"), json!("5"), json!("blue"), json!(1)] {
        let data = json!({"token": token, "plateNumber": "渝A00001", "plateColor": color});
        assert_eq!(code_of(&mut world, Interface::BindCar, &data), 6, "{data}");
    }
    assert_eq!(code_of(&mut world, Interface::BindCar, &json!({ "token": token })), 20102);
    assert_eq!(code_of(&mut world, Interface::BindCar, &car("x", "渝A00001")), 20101);
    assert_eq!(plates(&world), Vec::<String>::new());
    let data = json!({"token": token, "plateNumber": "渝A00001", "plateColor": "4"});
    assert_eq!(code_of(&mut world, Interface::BindCar, &data), 0);
}

#[test]
fn only_what_this_channel_bound_is_unbound() {
    let mut world = small_world();
    let token = token(&mut world);
    let plate = |text| Plate::parse(text).unwrap();
    world.bind(&mobile(PHONE), &plate("渝A00001"), 1);
    world.bind_elsewhere(&mobile(PHONE), &plate("渝A00002"), 1);
    world.bind(&mobile("13800000002"), &plate("渝A00003"), 1);
    assert_eq!(code_of(&mut world, Interface::UnbindCar, &car(&token, "渝A00001")), 0);
    for other in ["渝A00001", "渝A00002", "渝A00003"] {
        assert_eq!(code_of(&mut world, Interface::UnbindCar, &car(&token, other)), 20100, "{other}");
    }
    assert_eq!(plates(&world), ["渝A00002"]);
}

/// `count` car parks in a row to the north, some hundred metres apart, and one of a third party.
fn car_parks(count: i64) -> World {
    let mut world = World::new(Settings::default());
    let place = |lat| Place { lat: Degrees::from_micro(lat), lon: Degrees::from_micro(116_429_718) };
    let first = 39_872_740;
    for (index, lat) in (0..count).zip((first..).step_by(910)) {
        world.add_lot(Lot::new(&format!("{index}号停车场"), "北京市", place(lat)));
    }
    let third = Lot::new("路边停车", "天津市", place(first));
    world.add_lot(Lot { operator: Operator::ThirdParty, electronic: false, taken: 110, ..third });
    world
}

fn around(radius: &str) -> Value {
    json!({"lat": "39.87274", "lon": "116.429718", "radius": radius})
}

fn listed(world: &mut World, data: &Value) -> Vec<Value> {
    let answer = ask(world, Interface::SurroundingParking, data);
    assert_eq!(code(&answer), 0, "{data}");
    answer["data"]["list"].as_array().unwrap().clone()
}

#[test]
fn car_parks_come_nearest_first_as_the_document_prints_them() {
    let mut world = car_parks(8);
    let names =
        |list: &[Value]| list.iter().map(|lot| lot["parkingName"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let mut data = around("500");
    data["payType"] = json!("1");
    let list = listed(&mut world, &data);
    assert_eq!(names(&list), ["0号停车场", "1号停车场", "2号停车场", "3号停车场", "4号停车场"]);
    let mut first = list[0].clone();
    assert!(first["id"].as_str().unwrap().ends_with('=') && first["scrollId"].as_str().unwrap().len() > 20);
    (first["id"], first["scrollId"]) = (json!("…"), json!("…"));
    let expected = r#"{"id":"…","parkingName":"0号停车场","type":"ss","minFreeTime":"30","avgCostPrecise":12.78,"parkingType":"8",
        "capacityStatus":"充足","payType":"1","distance":"0m","scrollId":"…","lon":"116.429718","lat":"39.87274"}"#;
    assert_eq!(first, serde_json::from_str::<Value>(expected).unwrap());
    assert_eq!(list[4]["distance"], "404m");
    data["payType"] = json!("2");
    assert_eq!(names(&listed(&mut world, &data)), ["路边停车"]);
    assert_eq!(listed(&mut world, &around("500")).len(), 6);
    let city = listed(&mut world, &json!({"city": "天津市", "scrollId": ""}));
    assert_eq!((names(&city), city[0].get("distance")), (vec!["路边停车".to_owned()], None));
    assert_eq!(listed(&mut world, &json!({"city": "上海市"})), Vec::<Value>::new());
}

#[test]
fn a_scroll_id_leads_through_all_pages_to_an_empty_one() {
    let mut world = car_parks(20);
    let mut data = json!({"city": "北京市"});
    let mut names = Vec::new();
    for expected in [10, 10, 0] {
        let list = listed(&mut world, &data);
        assert_eq!(list.len(), expected);
        if let Some(last) = list.last() {
            data["scrollId"] = last["scrollId"].clone();
        }
        names.extend(list.iter().map(|lot| lot["parkingName"].to_string()));
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 20);
    let other = json!({"city": "天津市", "scrollId": data["scrollId"]});
    assert_eq!(code_of(&mut world, Interface::SurroundingParking, &other), 6);
    for unknown in ["ekndddlfkdsj23412f4224ie", "x", "ekndddlfkdsj23412f42241"] {
        let data = json!({"city": "北京市", "scrollId": unknown});
        assert_eq!(code_of(&mut world, Interface::SurroundingParking, &data), 6, "{unknown}");
    }
}

#[test]
fn a_place_with_its_radius_or_a_city_and_never_both() {
    let mut world = car_parks(1);
    let with = |member: &str, value: Value| {
        let mut data = around("500");
        data[member] = value;
        data
    };
    for (data, expected) in [
        (around("500"), 0),
        (around("3000"), 0),
        (around("499"), 6),
        (around("3001"), 6),
        (around("far"), 6),
        (with("city", json!("北京市")), 6),
        (json!({"city": "北京市", "radius": "500"}), 6),
        (with("radius", Value::Null), 20102),
        (with("lat", json!("")), 20102),
        (json!({}), 20102),
        (with("lat", json!("90.000001")), 6),
        (with("lon", json!("180.1")), 6),
        (with("lon", json!("1e2")), 6),
        (with("radius", json!(500)), 6),
        (with("payType", json!("3")), 6),
        (with("payType", json!("0")), 0),
        (with("token", json!("x")), 6),
    ] {
        assert_eq!(code_of(&mut world, Interface::SurroundingParking, &data), expected, "{data}");
    }
}

#[test]
fn the_status_of_a_car_park_says_its_spaces() {
    let mut world = car_parks(1);
    let list = listed(&mut world, &json!({"city": "天津市"}));
    let answer = ask(&mut world, Interface::ParkingStatus, &json!({"parkingId": list[0]["id"]}));
    let expected = json!({"totalSpace": "114", "time": "2026-11-23 10:30:00", "status": "紧张"});
    assert_eq!((code(&answer), &answer["data"]), (0, &expected));
    assert_eq!(code_of(&mut world, Interface::ParkingStatus, &json!({"parkingId": "VujsvT8mDNA="})), 6);
    assert_eq!(code_of(&mut world, Interface::ParkingStatus, &json!({})), 20102);
}
