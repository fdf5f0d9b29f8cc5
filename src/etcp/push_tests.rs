//! Pushes: what is signed in each reading, what is refused, what is read.

use proptest::prelude::*;

use super::*;
use crate::model::{OrderId, Timestamp};

const MERCHANT: &str = "M1";
const KEY: &str = "0123456789abcdef";
const JSON: &str = "application/json;charset=UTF-8";
const FORM: &str = "application/x-www-form-urlencoded";

/// The samples of §9, without their signatures, whose key nobody knows.
const ENTRANCE: &str = r#"{"synId":"4ebd80ff-cfcf-462a-94cb-727e9fa9547c","plateNumber":"渝 ATX061","parkName":"ETCP 智慧停车场","parkId":1,"entranceTime":"2017-08-20 12:59:54","userType":"76","pushTime":"2017-08-20 12:59:57","fixParkingId":"U7","remainingDays":"11"}"#;
const EXIT: &str = r#"{"synId":"fd92f645-880e-4c2a-9d7d-7081a2488181","plateNumber":"渝 ATX061","parkName":"ETCP 智慧停车场","parkId":1,"entranceTime":"2017-08-17 18:44:19","userType":"76","pushTime":"2017-08-20 11:57:51","exitTime":"2017-08-19 12:07:19","stayedTime":148980,"receivableFee":0,"fixParkingId":"U7","remainingDays":"12"}"#;

fn signature(text: &str) -> String {
    hex::encode_upper(Md5::digest(format!("{MERCHANT}{text}{KEY}")))
}

fn percent(text: impl AsRef<[u8]>) -> String {
    text.as_ref().iter().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02X}"))
}

fn read(kind: EventKind, content_type: &str, body: &str) -> Result<ParkingEvent, PushRefusal> {
    read_push(kind, Some(content_type), body.as_bytes(), MERCHANT, &SecretString::from(KEY))
}

/// A form with `data` as it is and the signature beside it.
fn form(data: &str) -> String {
    format!("data={}&signment={}", percent(data), signature(data))
}

/// `object` with one more member at its end.
fn with(object: &str, member: &str) -> String {
    format!("{},{member}}}", object.strip_suffix('}').unwrap())
}

/// `object` with its signature over its own compact text.
fn signed(object: &str) -> String {
    with(object, &format!(r#""signment":"{}""#, signature(object)))
}

fn exit(body: &str) -> Result<ParkingEvent, PushRefusal> {
    read(EventKind::Exit, JSON, body)
}

fn reason(refused: Result<ParkingEvent, PushRefusal>) -> String {
    match refused {
        Err(PushRefusal::Malformed { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_wall(text).unwrap()
}

#[test]
fn the_documents_samples_are_read() {
    let entrance = read(EventKind::Entrance, JSON, &signed(ENTRANCE)).unwrap();
    let expected = ParkingEvent {
        syn_id: OrderId::new("4ebd80ff-cfcf-462a-94cb-727e9fa9547c").unwrap(),
        plate: "渝ATX061".to_owned(),
        parking_id: "1".to_owned(),
        parking_name: "ETCP 智慧停车场".to_owned(),
        entrance_at: at("2017-08-20 12:59:54"),
        exit: None,
        pushed_at: Some(at("2017-08-20 12:59:57")),
    };
    assert_eq!(entrance, expected);
    let left = exit(&signed(EXIT)).unwrap();
    assert_eq!(left.exit, Some(Exit { at: at("2017-08-19 12:07:19"), fee: Amount::ZERO }));
}

#[test]
fn the_documents_own_signatures_are_not_ours() {
    for (kind, object, signment) in [
        (EventKind::Entrance, ENTRANCE, "ECE8221EDACD186360B31CEE18C643C8"),
        (EventKind::Exit, EXIT, "DB64911AAAC94EC34DB57B94D86AE9CC"),
    ] {
        let printed = with(object, &format!("\n    \"signment\": \"{signment}\"\n"));
        assert_eq!(read(kind, JSON, &printed), Err(PushRefusal::Forged));
    }
}

#[test]
fn the_four_forms_of_a_push_are_one_push() {
    let spaced = EXIT.replace(',', " ,\r\n\t ").replace("\":", "\" : ");
    let mut members = Object::read(EXIT).unwrap().members;
    members.sort();
    let sorted = joined(&members.iter().collect::<Vec<_>>()).concat();
    assert_ne!(sorted, EXIT);
    let sorted_signature = format!(r#""signment":"{}""#, signature(&sorted));
    let expected = exit(&signed(EXIT)).unwrap();
    for body in [
        signed(EXIT).replacen('{', " {\n", 1),
        with(&spaced, &format!(r#""signment" : "{}""#, signature(EXIT))),
        format!(r#"{{"signment":"{}",{}"#, signature(EXIT), &EXIT[1..]),
        with(EXIT, &sorted_signature),
        with(&spaced, &sorted_signature),
    ] {
        assert_eq!(exit(&body).as_ref(), Ok(&expected), "{body}");
        let inside = format!("data={}", percent(&body));
        assert_eq!(read(EventKind::Exit, FORM, &inside).as_ref(), Ok(&expected), "{body}");
        // Of what lies beside a signed text nothing is used, a bad signature neither.
        let beside = format!("signment=x&{inside}&plateNumber=x&merchant_no=x");
        assert_eq!(read(EventKind::Exit, FORM, &beside).as_ref(), Ok(&expected), "{body}");
    }
    for data in [EXIT, spaced.as_str()] {
        assert_eq!(read(EventKind::Exit, FORM, &form(data)).as_ref(), Ok(&expected), "{data}");
    }
}

#[test]
fn what_was_seen_of_the_real_platform_is_read() {
    let seen = r#"{"callBackType":"1","deviceId":null,"entranceTime":"2019-01-01 08: 00: 00","exitTime":"2019-01-01 09:00:00","parkId":"3126","parkName":"\u6e1d\u5317","plateNumber":"\u6e1dA·12345","receivableFee":"0.0","synId":17,"unknown":[{"x":[1,2]}," } , "]}"#;
    let event = exit(&signed(seen)).unwrap();
    assert_eq!((event.plate.as_str(), event.parking_id.as_str(), event.syn_id.as_str()), ("渝A12345", "3126", "17"));
    assert_eq!((event.parking_name.as_str(), event.pushed_at), ("渝北", None));
    // The tokens are signed as they were written.
    let spelled_otherwise = seen.replace("\\u6e1d", "渝");
    assert_eq!(
        exit(&with(&spelled_otherwise, &format!(r#""signment":"{}""#, signature(seen)))),
        Err(PushRefusal::Forged)
    );
}

#[test]
fn a_signature_that_is_missing_empty_wrong_or_in_lower_case_is_forged() {
    let good = signature(EXIT);
    let other_key = hex::encode_upper(Md5::digest(format!("{MERCHANT}{EXIT}x")));
    let swapped = hex::encode_upper(Md5::digest(format!("{KEY}{EXIT}{MERCHANT}")));
    let without_merchant = hex::encode_upper(Md5::digest(format!("{EXIT}{KEY}")));
    let bad = ["", " ", &good.to_lowercase(), &good[1..], &format!("{good} "), &other_key, &swapped, &without_merchant];
    for text in bad {
        let body = with(EXIT, &format!(r#""signment":"{text}""#));
        assert_eq!(exit(&body), Err(PushRefusal::Forged), "{text}");
        let body = format!("data={}&signment={text}", percent(EXIT));
        assert_eq!(read(EventKind::Exit, FORM, &body), Err(PushRefusal::Forged), "{text}");
    }
    assert_eq!(exit(EXIT), Err(PushRefusal::Forged));
    assert_eq!(exit("{}"), Err(PushRefusal::Forged));
    for value in ["null", "0", "[]", "{}"] {
        assert_eq!(exit(&with(EXIT, &format!(r#""signment":{value}"#))), Err(PushRefusal::Forged), "{value}");
    }
    assert_eq!(read(EventKind::Exit, FORM, &format!("data={}", percent(EXIT))), Err(PushRefusal::Forged));
    // The merchant's number is ours, whatever the request says.
    let foreign = hex::encode_upper(Md5::digest(format!("M2{EXIT}{KEY}")));
    let body = format!("merchant_no=M2&data={}&signment={foreign}", percent(EXIT));
    assert_eq!(read(EventKind::Exit, FORM, &body), Err(PushRefusal::Forged));
}

#[test]
fn an_object_whose_sender_does_not_call_it_json_is_json_all_the_same() {
    let key = SecretString::from(KEY);
    for content_type in [None, Some(""), Some("text/plain;charset=utf-8"), Some("Text/JSON")] {
        let read = |body: &str| read_push(EventKind::Exit, content_type, body.as_bytes(), MERCHANT, &key);
        assert!(read(&signed(EXIT)).is_ok(), "{content_type:?}");
        assert_eq!(read(EXIT), Err(PushRefusal::Forged), "{content_type:?}");
    }
}

#[test]
fn what_cannot_be_read_is_malformed_before_any_signature() {
    let key = SecretString::from(KEY);
    for (content_type, body) in [
        (Some("multipart/form-data"), signed(EXIT)),
        (Some("application/xml"), signed(EXIT)),
        (None, "data=%7B%7D&signment=x".to_owned()),
        (Some("text/plain"), String::new()),
    ] {
        let read = read_push(EventKind::Exit, content_type, body.as_bytes(), MERCHANT, &key);
        assert!(reason(read).contains("content type"));
    }
    for body in
        ["", "null", "[]", "\"x\"", "{", &signed(EXIT)[..60], &format!("{}x", signed(EXIT)), "{\"a\":\"\\ud800\"}"]
    {
        reason(exit(body));
    }
    let twice = with(EXIT, r#""synId":"x""#);
    assert_eq!(reason(exit(&signed(&twice))), "a member stands twice");
    assert_eq!(
        reason(exit(&with(&signed(EXIT), &format!(r#""signment":"{}""#, signature(EXIT))))),
        "a member stands twice"
    );
    assert_eq!(reason(exit(&signed(&with(EXIT, r#""\u0073ynId":"x""#)))), "a member stands twice");
    assert_eq!(reason(read(EventKind::Exit, FORM, &form(&twice))), "a member stands twice");
    assert_eq!(reason(read(EventKind::Exit, FORM, &form("[1]"))), "it is no JSON object");
    for body in ["", "data", "data=%", "data=%zz", "data=%ff&signment=x", "synId=1&plateNumber=x&signment=x"] {
        let refused = read(EventKind::Exit, FORM, body);
        assert!(matches!(refused, Err(PushRefusal::Malformed { .. } | PushRefusal::Forged)), "{body}");
    }
    assert!(reason(read(EventKind::Exit, FORM, "synId=1&plateNumber=x&signment=x")).contains("no field `data`"));
    assert_eq!(
        reason(read(EventKind::Exit, FORM, &format!("{}&data={}", form(EXIT), percent(EXIT)))),
        "the form has a field twice"
    );
    let raw = read_push(EventKind::Exit, Some(JSON), b"{\"a\":\"\xff\"}", MERCHANT, &key);
    assert_eq!(reason(raw), "the body is not UTF-8");
    let deep = format!("{{\"a\":{}", "[".repeat(60_000));
    reason(exit(&deep));
}

#[test]
fn a_signed_push_that_lacks_something_is_malformed() {
    for (from, to, said) in [
        (r#""synId":"fd92f645-880e-4c2a-9d7d-7081a2488181""#, r#""synId":" ""#, "synId"),
        (r#""synId":"fd92f645-880e-4c2a-9d7d-7081a2488181""#, r#""synId":"a\u0000""#, "synId"),
        ("synId", "SynId", "synId"),
        ("plateNumber", "x", "plateNumber"),
        ("渝 ATX061", "", "plateNumber"),
        ("渝 ATX061", "a\\nb", "plateNumber"),
        (r#""渝 ATX061""#, "true", "plateNumber"),
        ("entranceTime", "x", "entranceTime"),
        ("2017-08-17 18:44:19", "2017-08-32 18:44:19", "entranceTime"),
        ("exitTime", "x", "exitTime"),
        ("receivableFee", "x", "receivableFee"),
        (r#""parkId":1"#, r#""parkId":{}"#, "parkId"),
    ] {
        let changed = EXIT.replace(from, to);
        assert_ne!(changed, EXIT, "{from}");
        assert!(reason(exit(&signed(&changed))).contains(said), "{changed}");
    }
    let long = EXIT.replace("渝 ATX061", &"车".repeat(41));
    assert!(reason(exit(&signed(&long))).contains("plateNumber"));
    assert!(reason(read(EventKind::Exit, JSON, &signed(ENTRANCE))).contains("exitTime"));
}

#[test]
fn a_fee_is_a_whole_number_of_fen_in_any_spelling() {
    let fee = |json: &str| exit(&signed(&EXIT.replace(r#""receivableFee":0"#, &format!(r#""receivableFee":{json}"#))));
    for (json, fen) in [
        ("0", 0),
        (r#""0.0""#, 0),
        ("500", 500),
        (r#""500.00""#, 500),
        ("500.000000", 500),
        (r#"" 7 ""#, 7),
        ("100000000000", 100_000_000_000),
    ] {
        assert_eq!(fee(json).unwrap().exit.unwrap().fee.fen(), fen, "{json}");
    }
    for json in [
        "0.5",
        r#""5.01""#,
        "-1",
        "-0",
        r#""+5""#,
        "1e2",
        r#""""#,
        r#"".0""#,
        r#""5.""#,
        r#""5.0.0""#,
        r#""五""#,
        "null",
        "true",
        "100000000001",
        "99999999999999999999999",
        r#""1,000""#,
        "[]",
    ] {
        assert!(reason(fee(json)).contains("receivableFee"), "{json}");
    }
}

#[test]
fn a_car_without_a_plate_an_exit_before_its_entrance_and_an_unreadable_push_time_are_kept() {
    let odd = EXIT.replace("渝 ATX061", " 无牌车临-0001号 ").replace("2017-08-19 12:07:19", "2017-08-01 00:00:00");
    let event = exit(&signed(&odd.replace("2017-08-20 11:57:51", "gestern").replace("parkName", "x"))).unwrap();
    assert_eq!((event.plate.as_str(), event.plate(), event.pushed_at), ("无牌车临-0001号", None, None));
    assert!(event.exit.unwrap().at < event.entrance_at);
    assert_eq!(event.parking_name, "");
}

#[test]
fn each_refusal_has_its_code() {
    assert_eq!(PushRefusal::Forged.code().number(), 4);
    assert_eq!(malformed("x").code().number(), 6);
}

/// JSON of any shape, as text, with the numbers and escapes that senders write.
fn json() -> impl Strategy<Value = String> {
    let string = proptest::collection::vec(
        prop_oneof![
            "[ -~&&[^\"\\\\]]{0,6}",
            "[渝京测试 ，]{0,3}",
            Just("\\u6e1d\\\"\\\\\\/".to_owned()),
            Just("{,}:[ ]".to_owned())
        ],
        0..3,
    )
    .prop_map(|parts| format!("\"{}\"", parts.concat()));
    let leaf =
        prop_oneof![string, "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,4})?", Just("null".to_owned()), Just("true".to_owned())];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let named = proptest::collection::vec(inner.clone(), 0..3).prop_map(|values| {
            let members = values.iter().enumerate().map(|(index, value)| format!("\"m{index}\":{value}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        });
        prop_oneof![named, proptest::collection::vec(inner, 0..3).prop_map(|values| format!("[{}]", values.join(",")))]
    })
}

/// An exit push's members with unknown ones among them, in any order, each compact.
fn any_members() -> impl Strategy<Value = Vec<String>> {
    let unknown = proptest::collection::vec(json(), 0..4);
    (unknown, "[0-9a-zA-Z-]{1,20}", 0_u32..1_000_000).prop_flat_map(|(unknown, id, fee)| {
        let mut members = vec![
            format!("\"synId\":\"{id}\""),
            "\"plateNumber\":\"渝 ATX061\"".to_owned(),
            "\"entranceTime\":\"2017-08-17 18: 44: 19\"".to_owned(),
            "\"exitTime\":\"2017-08-19 12:07:19\"".to_owned(),
            format!("\"receivableFee\":{fee}.0"),
        ];
        members.extend(unknown.iter().enumerate().map(|(index, value)| format!("\"a{index}\":{value}")));
        Just(members).prop_shuffle()
    })
}

/// The name of a member written by [`any_members`].
fn written_name(member: &str) -> &str {
    member.split('"').nth(1).unwrap()
}

proptest! {
    #[test]
    fn every_content_is_taken_in_all_readings(members in any_members(), space in "[ \t\r\n]{0,3}", place in 0_usize..9) {
        let received = format!("{{{}}}", members.join(","));
        let mut in_order = members.clone();
        in_order.sort_by(|one, other| written_name(one).cmp(written_name(other)));
        let sorted = format!("{{{}}}", in_order.join(","));
        let mut bodies = Vec::new();
        for text in [&received, &sorted] {
            let mut all = members.clone();
            all.insert(place.min(all.len()), format!("\"signment\"{space}:\"{}\"", signature(text)));
            bodies.push(format!("{space}{{{space}{}{space}}}", all.join(&format!("{space},{space}"))));
        }
        let expected = Ok(read(EventKind::Exit, FORM, &form(&received)).unwrap());
        for body in bodies {
            prop_assert_eq!(&exit(&body), &expected);
            let inside = format!("data={}", percent(&body));
            prop_assert_eq!(&read(EventKind::Exit, FORM, &inside), &expected);
        }
    }

    #[test]
    fn any_byte_of_the_signed_text_changed_added_or_removed_is_refused(
        members in any_members(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let data = format!("{{{}}}", members.join(",")).into_bytes();
        let text = String::from_utf8(data.clone()).unwrap();
        let at = at.index(data.len());
        let (mut changed, mut added, mut removed) = (data.clone(), data.clone(), data.clone());
        changed[at] = byte;
        added.insert(at, byte);
        removed.remove(at);
        for tampered in [changed, added, removed] {
            if tampered == data {
                continue;
            }
            let form = format!("data={}&signment={}", percent(&tampered), signature(&text));
            prop_assert!(read(EventKind::Exit, FORM, &form).is_err());
            // In an object the white space between tokens is not signed.
            if byte.is_ascii_whitespace() {
                continue;
            }
            let mut body = tampered;
            body.pop();
            body.extend_from_slice(format!(",\"signment\":\"{}\"}}", signature(&text)).as_bytes());
            let read = read_push(EventKind::Exit, Some(JSON), &body, MERCHANT, &SecretString::from(KEY));
            if let Ok(event) = read {
                // Only the last brace was touched, which was put back.
                prop_assert_eq!(Ok(event), exit(&signed(&text)));
                prop_assert!(at.saturating_add(1) >= text.len());
            }
        }
    }

    #[test]
    fn no_body_of_any_bytes_is_taken_or_panics(body in proptest::collection::vec(any::<u8>(), 0..200), is_form in any::<bool>()) {
        let content_type = if is_form { FORM } else { JSON };
        let read = read_push(EventKind::Exit, Some(content_type), &body, MERCHANT, &SecretString::from(KEY));
        prop_assert!(read.is_err());
    }
}
