//! Answers in all the shapes that the platform is known or suspected to give.

use secrecy::ExposeSecret;
use serde_json::Value;

use super::*;

fn data(text: &str) -> Value {
    parse_answer(format!(r#"{{"code":0,"message":"ok","data":{text}}}"#).as_bytes()).unwrap().data
}

fn plate() -> Plate {
    Plate::parse("渝DE3787").unwrap()
}

fn fen(text: &str) -> Amount {
    text.parse().unwrap()
}

/// A closed order with `fee` and `cash` put in as JSON.
fn closed(fee: &str, cash: &str) -> String {
    format!(
        r#"{{"parkingName":"测试车场","entranceTime":"2017-06-10 16: 27: 30","exitTime":"2017-06-10 19: 27: 30",
            "parkingFee":{fee},"actual":{cash},"parkingId":"10361002","orderId":"B6269DE8","carNumber":"京 MZ1173"}}"#
    )
}

/// An open order with `fee` and `remaining` put in as JSON.
fn open(fee: &str, remaining: &str) -> String {
    format!(
        r#"{{"carNumber":"渝****87","entranceTime":"2017-06-11 11:19:27","exitTime":"2017-06-11 11:59:47","orderId":"B9466E26",
            "parkingFee":{fee},"parkingId":3126,"parkingName":"ETCP 停车场","remainingFee":{remaining} ,"verificationInfo":"FS/Ed+9=="}}"#
    )
}

fn history(records: &str) -> Listing<OrderSnapshot> {
    parse_history(&data(&format!("[{records}]"))).unwrap()
}

fn unpaid(records: &str) -> Listing<UnpaidOrder> {
    parse_unpaid(&data(&format!("[{records}]")), &plate()).unwrap()
}

#[test]
fn the_documents_history_is_read() {
    let listing = history(&closed(r#""5.5""#, r#""0.0""#));
    assert!(listing.is_complete());
    let order = &listing.records[0];
    assert_eq!(order.order_id.as_str(), "B6269DE8");
    assert_eq!(order.plate.as_ref().unwrap().as_str(), "京MZ1173");
    assert_eq!(order.entrance_at.wall(), "2017-06-10 16:27:30");
    assert_eq!(order.exit_at.unwrap().wall(), "2017-06-10 19:27:30");
    assert_eq!((order.parking_id.as_str(), order.parking_name.as_str()), ("10361002", "测试车场"));
    assert_eq!(order.state, OrderState::Closed { fee: fen("5.50"), cash: Amount::ZERO });
}

#[test]
fn the_documents_unpaid_order_is_read_under_the_plate_that_was_asked_for() {
    let listing = unpaid(&open("2", "2"));
    let order = &listing.records[0];
    assert_eq!(order.snapshot.plate, Some(plate()));
    assert_eq!(order.snapshot.parking_id, "3126");
    assert_eq!(order.snapshot.exit_at, None);
    assert_eq!(order.snapshot.state, OrderState::Open { fee: fen("2"), remaining: fen("2") });
    assert_eq!(order.verification_info.expose_secret(), "FS/Ed+9==");
}

#[test]
fn one_amount_comes_as_a_number_and_as_a_string() {
    for spelling in ["2", "2.0", "2.00", "2.000", r#""2""#, r#""2.0""#, r#""2.00""#, r#"" 2.00 ""#] {
        let listing = history(&closed(spelling, "0"));
        assert_eq!(listing.records[0].state.fee(), fen("2.00"), "{spelling}");
    }
}

#[test]
fn digits_that_a_binary_float_would_lose_are_kept_or_refused() {
    let kept = history(&closed("999999999.99", "0.29"));
    assert_eq!(kept.records[0].state.booked().fen(), 99_999_999_970);
    let refused = history(&closed("5.000000000000000000001", "0"));
    assert!(refused.rejected[0].reason.contains("5.000000000000000000001"), "{:?}", refused.rejected);
}

#[test]
fn a_bad_record_is_rejected_with_its_reason_and_the_rest_is_kept() {
    let bad = [
        (closed("-1", "0"), "parkingFee: `-1` is negative"),
        (closed(r#""5.555""#, "0"), "parkingFee: `5.555` has more than two decimals"),
        (closed(r#""NaN""#, "0"), "parkingFee: `NaN` is not an amount of money"),
        (closed("1e400", "0"), "parkingFee: "),
        (closed("99999999999999999999999999", "0"), "is larger than"),
        (closed("5", "5.01"), "actual 5.01 is more than parkingFee 5.00"),
        (closed("null", "0"), "parkingFee is missing"),
        (closed("true", "0"), "parkingFee: is no amount"),
        (closed(r#""""#, "0"), "parkingFee: "),
        (closed("5", "null"), "actual is missing"),
        (closed("5", "0").replace("2017-06-10 16: 27: 30", "gestern"), "entranceTime: `gestern` is not a time"),
        (closed("5", "0").replace("2017-06-10 19: 27: 30", "2017-06-31 00:00:00"), "exitTime: "),
        (closed("5", "0").replace("B6269DE8", " "), "orderId is missing or unreadable"),
        (closed("5", "0").replace("B6269DE8", "a\\u0000b"), "orderId is missing or unreadable"),
        ("7".to_owned(), "parkingFee is missing"),
        ("null".to_owned(), "parkingFee is missing"),
    ];
    for (record, reason) in bad {
        let listing = history(&format!("{record},{}", closed("5", "0").replace("B6269DE8", "GOOD")));
        assert_eq!(listing.records.len(), 1, "{record}");
        assert_eq!(listing.records[0].order_id.as_str(), "GOOD");
        assert_eq!(listing.rejected.len(), 1, "{record}");
        assert!(listing.rejected[0].reason.contains(reason), "{:?} for {reason}", listing.rejected[0]);
        assert!(!listing.is_complete());
    }
}

#[test]
fn a_rejected_record_still_names_its_order_and_plate() {
    let listing = history(&closed("-1", "0"));
    assert_eq!(listing.rejected[0].order_id, OrderId::new("b6269de8"));
    assert_eq!(listing.rejected[0].plate, Plate::parse("京MZ1173").ok());
    let listing = unpaid(&open("2", "2.01"));
    assert_eq!(listing.rejected[0].plate, Some(plate()));
    assert_eq!(listing.rejected[0].reason, "remainingFee 2.01 is more than parkingFee 2.00");
}

#[test]
fn a_masked_plate_in_the_history_names_no_car() {
    let listing = history(&closed("5", "0").replace("京 MZ1173", "渝****87"));
    assert_eq!(listing.records[0].plate, None);
    let without = history(&closed("5", "0").replace("carNumber", "x"));
    assert_eq!(without.records[0].plate, None);
}

#[test]
fn ids_may_be_numbers_and_keep_all_their_digits() {
    let listing = history(&closed("5", "0").replace(r#""B6269DE8""#, "20170612095857258937"));
    assert_eq!(listing.records[0].order_id.as_str(), "20170612095857258937");
}

#[test]
fn an_order_without_verification_info_is_listed_but_has_nothing_to_pay_with() {
    let listing = unpaid(&open("2", "2").replace("verificationInfo", "x"));
    assert!(listing.records[0].verification_info.expose_secret().is_empty());
}

#[test]
fn no_data_is_an_empty_list_and_an_object_may_hold_it() {
    for text in [
        r#"{"code":0,"message":"ok"}"#,
        r#"{"code":0,"data":null}"#,
        r#"{"code":"0","data":[]}"#,
        r#"{"code":0,"data":{}}"#,
    ] {
        let answer = parse_answer(text.as_bytes()).unwrap();
        assert!(answer.code.is_success());
        assert!(parse_history(&answer.data).unwrap().records.is_empty(), "{text}");
    }
    let one = closed("5", "0");
    assert_eq!(parse_history(&data(&one)).unwrap().records.len(), 1);
    assert_eq!(parse_history(&data(&format!(r#"{{"list":[{one}]}}"#))).unwrap().records.len(), 1);
    for text in [r#""""#, "5", "true", r#"{"other":1}"#, r#"{"list":5}"#] {
        assert!(parse_history(&data(text)).is_err(), "{text} is no evidence of absence");
    }
}

#[test]
fn the_code_is_a_whole_number_or_a_string_of_one() {
    for (text, code) in
        [("0", Code::Success), (r#""0""#, Code::Success), (r#""20101""#, Code::InvalidToken), ("-1", Code::Other(-1))]
    {
        assert_eq!(parse_answer(format!(r#"{{"code":{text}}}"#).as_bytes()).unwrap().code, code);
    }
    for text in ["null", "0.0", "true", r#""""#, r#""ok""#, r#""00""#, r#""+0""#, "1e0", "99999999999999999999", "[]"] {
        let error = parse_answer(format!(r#"{{"code":{text}}}"#).as_bytes()).unwrap_err();
        assert!(matches!(error, WireError::Shape { .. }), "{text}");
    }
    assert!(parse_answer(b"{}").is_err() && parse_answer(b"[]").is_err() && parse_answer(b"0").is_err());
}

#[test]
fn what_is_cut_or_followed_by_more_is_not_an_answer() {
    let whole = r#"{"code":0,"message":"ok","data":{"token":"t"}}"#;
    for length in 0..whole.len() {
        assert!(matches!(parse_answer(&whole.as_bytes()[..length]), Err(WireError::NotJson { .. })), "{length}");
    }
    for text in
        [format!("{whole}x"), format!("{whole}{whole}"), format!("\u{feff}{whole}"), r#"{"code":NaN}"#.to_owned()]
    {
        assert!(matches!(parse_answer(text.as_bytes()), Err(WireError::NotJson { .. })), "{text}");
    }
    assert!(parse_answer(b"{\"code\":0,\"message\":\"\xff\"}").is_err());
    assert!(parse_answer(format!("{{\"code\":0,\"data\":{}", "[".repeat(1_000_000)).as_bytes()).is_err());
}

#[test]
fn a_member_that_stands_twice_spoils_the_answer_at_any_depth() {
    for text in [
        r#"{"code":1,"code":0}"#,
        r#"{"code":0,"\u0063ode":0}"#,
        r#"{"code":0,"data":[{"orderId":"a","orderId":"b"}]}"#,
        r#"{"code":0,"data":{"x":{"y":1,"y":1}}}"#,
    ] {
        assert!(matches!(parse_answer(text.as_bytes()), Err(WireError::DuplicateMember { .. })), "{text}");
    }
}

#[test]
fn a_token_is_text_or_there_is_none() {
    assert_eq!(parse_token(&data(r#"{"token":"0b59582d"}"#)).unwrap().expose_secret(), "0b59582d");
    for text in ["null", "[]", "{}", r#"{"token":null}"#, r#"{"token":" "}"#] {
        assert!(parse_token(&data(text)).is_err(), "{text}");
    }
}

#[test]
fn a_list_of_a_round_length_may_be_cut() {
    let ten = vec![closed("5", "0"); 10].join(",");
    assert!(history(&ten).may_be_cut());
    assert!(!history(&closed("5", "0")).may_be_cut());
}

#[test]
fn debug_shows_neither_tokens_nor_verification_info() {
    let answer = parse_answer(br#"{"code":0,"data":{"token":"SECRET"}}"#).unwrap();
    assert!(!format!("{answer:?}").contains("SECRET"));
    assert!(!format!("{:?}", unpaid(&open("2", "2"))).contains("Ed+9"));
}
