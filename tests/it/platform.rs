//! The commands `platform …`, each over real HTTP.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use etcp_recon::model::Amount;
use etcp_recon::sandbox::{Degrees, Interface, Lot, Operator, Place, Stay};
use serde_json::json;

use super::counter::{A, Counter, OTHER, PHONE, phone};
use super::support::yuan;

#[tokio::test(flavor = "multi_thread")]
async fn history_shows_the_closed_orders_of_a_user_named_by_phone_or_plate() {
    let counter = Counter::new().await;
    counter.roster(PHONE, &[A, "渝A00002"]);
    counter.order("ORDER-1", "渝A00002", |now| Stay::Left {
        fee: yuan("8.50"),
        cash: yuan("3"),
        exit_at: now.plus_s(-60),
    });
    let by_plate = counter.run(&["platform", "history", A, "--json"]).ends(0).json();
    let order = &by_plate["orders"][0];
    assert_eq!(order["order_id"], "ORDER-1");
    assert_eq!(
        (&order["plate"], &order["parking_id"], &order["parking_name"]),
        (&json!("渝A00002"), &json!("3126"), &json!("测试车场"))
    );
    assert_eq!(
        (&order["parking_fee"], &order["cash"], &order["electronic"]),
        (&json!("8.50"), &json!("3.00"), &json!("5.50"))
    );
    assert!(order["entrance_time"].is_string() && order["exit_time"].is_string());
    assert_eq!((&by_plate["rejected"], by_plate["orders"].as_array().unwrap().len()), (&json!([]), 1));
    assert_eq!(counter.run(&["platform", "history", PHONE, "--json"]).ends(0).json(), by_plate);
    assert_eq!(counter.calls(Interface::UserSignIn), 1, "the kept token is used");

    counter.server.with_world(|world| world.void_token(&phone(PHONE)));
    let said = counter.run(&["platform", "history", A]).ends(0);
    said.says(&["closed orders of 138****0001 in the last 7 days: 1", "ORDER-1", "8.50", "5.50"]);
    assert_eq!(counter.calls(Interface::UserSignIn), 2, "a void one is replaced once");
    counter.run(&["platform", "history", A, "--lang", "zh"]).ends(0).says(&["138****0001 近 7 天的已结订单：1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unpaid_shows_what_remains_and_that_the_verification_came_but_not_it() {
    let counter = Counter::new().await;
    counter.roster(PHONE, &[A]);
    counter.run(&["platform", "unpaid", A]).ends(0).says(&["open orders of 渝B757D0 (138****0001): 0"]);
    counter.order("ORDER-1", A, |_| Stay::Inside { fee: yuan("8.50"), paid: yuan("2.00") });
    // What the platform gives out is among the secrets that `run` looks for.
    let said = counter.run(&["platform", "unpaid", "渝 b757d0", "--json"]).ends(0).json();
    let order = &said["orders"][0];
    assert_eq!(
        (&order["parking_fee"], &order["electronic"], &order["remaining_fee"]),
        (&json!("8.50"), &json!("2.00"), &json!("6.50"))
    );
    assert_eq!((&order["plate"], &order["has_verification_info"]), (&json!(A), &json!(true)));
    counter.run(&["platform", "unpaid", A]).ends(0).says(&["ORDER-1", "6.50", "yes"]);
    counter.run(&["platform", "unpaid", "渝A99999"]).ends(2).says(&["渝A99999 is not in the roster", "\nhint: "]);
    counter.run(&["platform", "history", "渝A99999"]).ends(2).says(&["not in the roster"]);
}

/// So many car parks north of each other, in Beijing.
fn add_lots(counter: &Counter, count: i64) {
    counter.server.with_world(|world| {
        for n in 0..count {
            let place = Place { lat: Degrees::from_micro(39_872_748 + 10 * n), lon: "116.429718".parse().unwrap() };
            world.add_lot(Lot::new(&format!("车场{n:02}"), "北京市", place));
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn lots_are_listed_to_the_last_page_around_a_place_or_in_a_city() {
    let counter = Counter::new().await;
    add_lots(&counter, 35);
    let around = ["platform", "lots", "--lat", "39.872748", "--lon", "116.429718", "--radius", "500"];
    let all = counter.run(&[around.as_slice(), &["--json"]].concat()).ends(0).json();
    let lots = all["lots"].as_array().unwrap();
    assert_eq!((lots.len(), &all["rejected"], &all["more"]), (35, &json!([]), &json!(false)));
    assert!(counter.calls(Interface::SurroundingParking) >= 4, "it takes pages");
    assert_eq!(
        (&lots[0]["name"], &lots[0]["lat"], &lots[0]["kind"]),
        (&json!("车场00"), &json!("39.872748"), &json!("own"))
    );
    let city = counter.run(&["platform", "lots", "--city", "北京市", "--json"]).ends(0).json();
    assert_eq!(city["lots"].as_array().unwrap().len(), 35);
    let few = counter.run(&["platform", "lots", "--city", "北京市", "--limit", "3"]).ends(0);
    few.says(&["car parks: 3\n", "there are more"]);
    assert_eq!(few.out.lines().filter(|line| line.contains("车场")).count(), 3);
    let exact = counter.run(&["platform", "lots", "--city", "北京市", "--limit", "35", "--json"]).ends(0).json();
    assert_eq!((exact["lots"].as_array().unwrap().len(), &exact["more"]), (35, &json!(false)));
    counter.run(&["platform", "lots", "--city", "上海市", "--lang", "zh"]).ends(0).says(&["车场：0"]);

    counter.server.with_world(|world| {
        let mut third =
            Lot::new("三方", "北京市", Place { lat: "39.9".parse().unwrap(), lon: "116.4".parse().unwrap() });
        (third.operator, third.electronic) = (Operator::ThirdParty, false);
        world.add_lot(third);
    });
    let names = |pay_type: &str| {
        let said = counter.run(&["platform", "lots", "--city", "北京市", "--pay-type", pay_type, "--json"]).ends(0);
        said.json()["lots"].as_array().unwrap().iter().filter(|lot| lot["kind"] == "third_party").count()
    };
    assert_eq!((names("all"), names("electronic"), names("other")), (1, 0, 1));
}

/// A platform that answers one call after the other with these, each on a connection of its own.
fn scripted(answers: Vec<(&'static str, String)>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
            // The signature is what is sent last.
            while String::from_utf8_lossy(&seen).rsplit_once("sign=").is_none_or(|(_, sign)| sign.len() != 32) {
                let length = stream.read(&mut buffer).unwrap();
                seen.extend_from_slice(&buffer[..length]);
            }
            let length = body.len();
            write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        }
    });
    (base, thread)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_lots_that_the_platform_breaks_off_is_printed_and_said_to_be_cut() {
    let page = |id: &str| {
        json!({"code": 0, "message": "ok", "data": {"list": [{"id": id, "parkingName": "P", "scrollId": id}]}})
            .to_string()
    };
    let broken = || vec![("200 OK", page("a")), ("200 OK", page("b")), ("500 Broken", String::new())];
    let counter = Counter::new().await;
    let run = |answers, arguments: &[&str]| {
        let (base, thread) = scripted(answers);
        counter.configure(&base);
        let said = counter.run(&[&["platform", "lots", "--city", "北京市"], arguments].concat());
        thread.join().unwrap();
        said
    };
    let said = run(broken(), &["--json"]).ends(3);
    let json = said.json();
    assert_eq!((json["lots"].as_array().unwrap().len(), &json["more"]), (2, &json!(true)));
    assert!(json["cut"].as_str().unwrap().contains("HTTP status 500"), "{json}");
    assert!(
        said.err.contains("the list is cut after 2 car parks: the platform has a fault: HTTP status 500"),
        "{said:?}"
    );
    let said = run(broken(), &["--lang", "zh"]).ends(3);
    assert!(said.out.contains("车场：2") && said.err.contains("列表不完整，只列出前 2 个车场：平台故障"), "{said:?}");
    // Where nothing was found, the call failed; and what was wanted was found before it could.
    let said = run(vec![("500 Broken", String::new())], &["--json"]).ends(1);
    assert!(said.out.is_empty());
    let whole = run(vec![("200 OK", page("a")), ("200 OK", page("b"))], &["--json", "--limit", "1"]).ends(0).json();
    assert_eq!((&whole["more"], &whole["cut"]), (&json!(true), &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_a_lot_is_shown_and_an_unknown_one_is_refused_by_the_platform() {
    let counter = Counter::new().await;
    add_lots(&counter, 1);
    let id = counter.run(&["platform", "lots", "--city", "北京市", "--json"]).ends(0).json()["lots"][0]["id"].clone();
    let id = id.as_str().unwrap();
    let status = counter.run(&["platform", "lot-status", id, "--json"]).ends(0).json();
    assert_eq!(status["id"], id);
    assert!(status["total_spaces"].is_u64() && status["at"].is_string() && status["status"].is_string());
    counter.run(&["platform", "lot-status", id]).ends(0).says(&[id, "spaces in all"]);
    let words = counter.run(&["platform", "lot-status", "nowhere"]).ends(1);
    words.says(&["error: the platform refuses with code 6 (bad parameter)"]);
    assert!(words.out.is_empty());
    let words = counter.run(&["platform", "lot-status", "nowhere", "--lang", "zh"]).ends(1);
    words.says(&["平台拒绝：代码 6（参数错误）"]);
    assert!(!counter.path("recon.db").exists(), "car parks need no database");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_by_sms_signs_in_and_its_token_serves_the_other_commands() {
    let counter = Counter::new().await;
    counter.run(&["platform", "history", PHONE]).ends(2).says(&["138****0001 has no plate in the roster", "send-code"]);
    counter.run(&["platform", "send-code", PHONE]).ends(0).says(&["138****0001"]);
    counter.run(&["platform", "login", PHONE]).ends(2).says(&["nobody can be asked", "--code"]);
    counter.run(&["platform", "login", PHONE, "--code", " "]).ends(2);
    let refused = counter.run(&["platform", "login", PHONE, "--code", "x"]).ends(1);
    refused.says(&["code 20203 (wrong SMS code)", "\nhint: check the code"]);
    let code = counter.server.with_world(|world| world.sms_code(&phone(PHONE))).unwrap();
    let said = counter.run(&["platform", "login", "+86 138-0000-0001", "--code", &code]).ends(0);
    said.says(&["138****0001 is signed in"]);
    // A user without plates: the kept token is all there is.
    counter.run(&["platform", "history", PHONE]).ends(0).says(&["138****0001 in the last 7 days: 0"]);
    assert_eq!(counter.calls(Interface::UserSignIn), 0);
    counter.run(&["platform", "login", PHONE, "--code", &code]).ends(1).says(&["20203"]);

    counter.server.with_world(|world| world.void_token(&phone(PHONE)));
    let void = counter.run(&["platform", "history", PHONE]).ends(1);
    void.says(&["the token is void (code 20101)", "\nhint: sign the user in again"]);
    counter.run(&["platform", "history", PHONE]).ends(2).says(&["no token of it is kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_is_sent_one_code_a_minute_by_us_and_by_the_platform() {
    let counter = Counter::new().await;
    counter.run(&["platform", "send-code", PHONE]).ends(0);
    let soon = counter.run(&["platform", "send-code", PHONE]).ends(2);
    soon.says(&["one SMS code a minute for a phone (document §8.1)", "\nhint: ask again in "]);
    counter.run(&["platform", "send-code", PHONE, "--lang", "zh"]).ends(2).says(&["1 分钟内只能获取一次验证码"]);
    assert_eq!(counter.calls(Interface::UserValidateCode), 1, "the limit is checked before asking");
    counter.run(&["platform", "send-code", OTHER]).ends(0);

    // What another program asked for only the platform knows.
    let other = Counter::at(&counter.server);
    other.run(&["platform", "send-code", PHONE]).ends(1).says(&["code 20202 (no SMS code)", "\nhint: one a minute"]);
    other.run(&["platform", "send-code", PHONE]).ends(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_was_not_asked_for_does_not_count() {
    let counter = Counter::new().await;
    counter.configure("http://127.0.0.1:9");
    for _ in 0..2 {
        counter.run(&["platform", "send-code", PHONE]).ends(1).says(&["cannot be reached: no connection"]);
    }
    // One whose answer is lost may have been sent.
    let other = Counter::at(&counter.server);
    other.fault("uservalidatecode:drop-after-booking");
    other.run(&["platform", "send-code", PHONE]).ends(1).says(&["no whole answer", "the SMS may be on its way"]);
    other.run(&["platform", "send-code", PHONE]).ends(2).says(&["one SMS code a minute"]);
    assert_eq!(other.calls(Interface::UserValidateCode), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_void_the_token_of_a_run_waits_for_its_end() {
    let counter = Counter::new().await;
    counter.roster(PHONE, &[A]);
    let lock = File::create(counter.path("recon.db.lock")).unwrap();
    lock.lock().unwrap();
    for arguments in [
        ["platform", "history", A].as_slice(),
        &["platform", "unpaid", A],
        &["platform", "login", PHONE, "--code", "562371"],
        &["plates", "bind", PHONE, "渝A00002", "--yes"],
        &["plates", "unbind", A, "--yes"],
    ] {
        counter.run(arguments).ends(75).says(&["another run holds the lock", "nothing was done"]);
    }
    assert_eq!(counter.all_calls(), 0);
    // These need no token.
    counter.run(&["platform", "lots", "--city", "北京市"]).ends(0);
    counter.run(&["platform", "send-code", PHONE]).ends(0);
    drop(lock);
    counter.run(&["platform", "history", A]).ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_the_document_is_wrong_usage_and_nothing_is_asked() {
    let counter = Counter::new().await;
    let around = ["platform", "lots", "--lat", "39.87", "--lon", "116.42", "--radius"];
    for (arguments, words) in [
        ([around.as_slice(), &["499"]].concat(), "the radius is 500 to 3000 metres"),
        ([around.as_slice(), &["3001"]].concat(), "3001 was given"),
        ([around.as_slice(), &["500", "--city", "北京市"]].concat(), "cannot be used with"),
        (vec!["platform", "lots"], "--lat"),
        (vec!["platform", "lots", "--lat", "39.87", "--lon", "116.42"], "--radius"),
        (vec!["platform", "lots", "--lat", "-91", "--lon", "116.42", "--radius", "500"], "latitude"),
        (vec!["platform", "lots", "--lat", "39", "--lon", "1e2", "--radius", "500"], "longitude"),
        (vec!["platform", "lots", "--city", " "], "a city has a name"),
        (vec!["platform", "lot-status", " "], "a car park's id"),
        (vec!["platform", "history", "1380000000"], "a mobile number has 11 digits"),
        (vec!["platform", "send-code", "12345"], "a mobile number has 11 digits"),
        (vec!["plates", "bind", A, PHONE, "--yes"], "a mobile number has 11 digits"),
        (vec!["plates", "bind", PHONE, PHONE, "--yes"], "this number is no plate"),
        (vec!["plates", "bind", PHONE, "渝B757", "--yes"], "7 characters, 8 for new-energy cars"),
        (vec!["plates", "bind", PHONE, A, "--plate-color", "5", "--yes"], "a plate's colour is 1 (blue)"),
        (vec!["plates", "unbind", "渝****87", "--yes"], "7 characters"),
    ] {
        let said = counter.run(&arguments).ends(2);
        said.says(&[words]);
        assert!(!said.err.contains("1380000000"), "{said:#?}");
    }
    assert_eq!(counter.all_calls(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_is_shown_with_its_reason() {
    let counter = Counter::new().await;
    counter.roster(PHONE, &[A]);
    let zero = Amount::ZERO;
    counter.order("BAD\u{7}ID", A, |now| Stay::Left { fee: yuan("1"), cash: zero, exit_at: now.plus_s(-60) });
    counter.order("GOOD", A, |now| Stay::Left { fee: yuan("1"), cash: zero, exit_at: now.plus_s(-60) });
    let said = counter.run(&["platform", "history", A, "--json"]).ends(0).json();
    assert_eq!((said["orders"].as_array().unwrap().len(), said["rejected"].as_array().unwrap().len()), (1, 1));
    assert_eq!(said["rejected"][0]["reason"], "orderId is missing or unreadable");
    counter.run(&["platform", "history", A]).ends(0).says(&["records that cannot be read: 1", "orderId is missing"]);
}
