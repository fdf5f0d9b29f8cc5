//! What is put on the wire, and when a call is sent again.

use super::*;

const POLICY: RetryPolicy = RetryPolicy { retries: 3, backoff: Duration::from_millis(500) };

fn signer() -> Signer {
    Signer { merchant_no: "m/1".to_owned(), merchant_key: SecretString::from("noxxxxx"), strip_whitespace: false }
}

/// The reverse of the encoding, written independently of it.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = String::from_utf8(vec![rest.next().unwrap(), rest.next().unwrap()]).unwrap();
            bytes.push(u8::from_str_radix(&hex, 16).unwrap());
        } else {
            bytes.push(if byte == b'+' { b' ' } else { byte });
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn data_is_built_in_order_and_without_white_space() {
    let data = Data::new().with("b", "1").with_some("x", None).with("a", "渝B \"q\"\\/\n").finish();
    assert_eq!(data.expose_secret(), r#"{"b":"1","a":"渝B \"q\"\\/\n"}"#);
    assert_eq!(Data::default().finish().expose_secret(), "{}");
}

#[test]
fn the_four_parameters_are_sent_and_what_is_signed_is_what_is_sent() {
    let data = SecretString::from(r#"{"param1":"value1","param2":"value2","param3":"value3"}"#);
    let at = Timestamp::parse_wall("2017-07-21 13:24:52").unwrap();
    let text = signer().parameters(&data, at);
    let text = text.expose_secret();
    assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%&=".contains(&b)), "{text}");
    let parameters: Vec<(&str, String)> =
        text.split('&').map(|pair| pair.split_once('=').unwrap()).map(|(name, value)| (name, decoded(value))).collect();
    let expected = [
        ("merchant_no", "m/1"),
        ("time_stamp", "20170721132452"),
        ("data", data.expose_secret()),
        ("sign", "A3DE1813F4DDBADFC18555E18A2E579D"),
    ];
    assert_eq!(parameters, expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn plus_slash_and_equals_survive_the_encoding() {
    let mut text = String::new();
    percent_encode("a+b/c== 渝&%", &mut text);
    assert_eq!(text, "a%2Bb%2Fc%3D%3D%20%E6%B8%9D%26%25");
    assert_eq!(decoded(&text), "a+b/c== 渝&%");
}

#[test]
fn every_interface_has_the_path_and_method_of_the_document() {
    let gets: Vec<&str> =
        Interface::ALL.iter().filter(|interface| interface.method() == Method::Get).map(|i| i.name()).collect();
    assert_eq!(gets, ["uservalidatecode", "orderhistory", "orderunpay"]);
    assert_eq!(Interface::OrderPaid.path(), "/merchant/open/1.0.0/openapi/orderpaid");
}

#[test]
fn reads_are_repeated_after_a_fault_of_the_server_and_not_after_a_refusal() {
    let repeated = |seen| POLICY.wait(Interface::OrderHistory, seen, 0, 0).is_some();
    for seen in [Seen::Code(Code::ServerFault), Seen::Lost, Seen::NotSent, Seen::Unreadable] {
        assert!(repeated(seen), "{seen:?}");
    }
    for status in [301, 302, 307, 308, 429, 500, 502, 503, 599] {
        assert!(repeated(Seen::Status(status)), "{status}");
    }
    for status in [201, 204, 400, 401, 403, 404, 600] {
        assert!(!repeated(Seen::Status(status)), "{status}");
    }
    for code in Code::LISTED.iter().filter(|code| **code != Code::ServerFault) {
        assert!(!repeated(Seen::Code(*code)), "{code}");
    }
    assert!(!repeated(Seen::TooLong));
}

#[test]
fn money_and_everything_that_works_once_is_never_repeated() {
    let once = [Interface::OrderPaid, Interface::SendCode, Interface::Login, Interface::BindCar, Interface::UnbindCar];
    for interface in once {
        for seen in [Seen::Code(Code::ServerFault), Seen::Lost, Seen::NotSent, Seen::Unreadable, Seen::Status(503)] {
            assert_eq!(POLICY.wait(interface, seen, 0, 0), None, "{interface:?} {seen:?}");
        }
    }
}

#[test]
fn a_sign_in_that_may_still_be_on_its_way_is_not_repeated() {
    let repeated = |seen| POLICY.wait(Interface::SignIn, seen, 0, 0).is_some();
    assert!(repeated(Seen::Code(Code::ServerFault)) && repeated(Seen::Status(503)) && repeated(Seen::NotSent));
    assert!(!repeated(Seen::Lost) && !repeated(Seen::Unreadable));
}

#[test]
fn the_wait_doubles_spreads_and_ends() {
    let wait = |done, random| POLICY.wait(Interface::OrderUnpay, Seen::Lost, done, random);
    assert_eq!(wait(0, 0), Some(Duration::from_millis(250)));
    assert_eq!(wait(0, 1000), Some(Duration::from_millis(500)));
    assert_eq!(wait(2, 1000), Some(Duration::from_secs(2)));
    assert_eq!(wait(3, 0), None);
    let patient = RetryPolicy { retries: u32::MAX, ..POLICY };
    assert_eq!(patient.wait(Interface::OrderUnpay, Seen::Lost, 4_000_000, 1000), Some(Duration::from_secs(30)));
}

#[test]
fn retry_after_is_read_as_seconds_and_as_a_time() {
    let response = |text: &str| WireResponse {
        status: 503,
        date: Some("Sun, 22 Nov 2026 01:58:58 GMT".to_owned()),
        retry_after: Some(text.to_owned()),
        body: Body::default(),
    };
    // Our clock, a minute behind: it counts only where the answer shows none.
    let now = Timestamp::parse_wall("2026-11-22 09:57:58").unwrap();
    let until = "Sun, 22 Nov 2026 01:59:08 GMT";
    assert_eq!(response("12").retry_after(now), Some(Duration::from_secs(12)));
    assert_eq!(response(until).retry_after(now), Some(Duration::from_secs(10)));
    assert_eq!(WireResponse { date: None, ..response(until) }.retry_after(now), Some(Duration::from_secs(70)));
    assert_eq!(response("Sun, 22 Nov 2026 01:00:00 GMT").retry_after(now), Some(Duration::ZERO));
    for text in ["", "soon", "-5", "1.5", "99999999999999999999999"] {
        assert_eq!(response(text).retry_after(now), None, "{text}");
    }
    assert_eq!(response("1").platform_clock().unwrap().wall(), "2026-11-22 09:58:58");
}

#[test]
fn the_platforms_words_are_shown_without_secrets() {
    let shown = scrubbed("token TOK-123456\r\nof 13800000001 and 20170612095857258937\u{1b}[31m", &["TOK-123456", ""]);
    assert_eq!(shown, "token ***  of 138****0001 and 20170612095857258937 [31m");
    assert_eq!(scrubbed(&"长".repeat(500), &[]).chars().count(), 200);
}

#[test]
fn a_phone_number_behind_the_countrys_code_is_masked_and_another_long_number_is_not() {
    for code in ["86", "086", "0086", "+86", "+86-", "+86 ", ""] {
        assert_eq!(scrubbed(&format!("of {code}13800000001."), &[]), format!("of {code}138****0001."));
    }
    for number in ["8612800000001", "8713800000001", "00008613800000001", "138000000011", "20170613800000001", "86"] {
        assert_eq!(scrubbed(&format!("order {number}"), &[]), format!("order {number}"));
    }
}

#[test]
fn debug_of_a_request_and_an_answer_shows_no_content() {
    let request = WireRequest {
        interface: Interface::OrderPaid,
        text: SecretString::from("data=SECRET"),
        timeout: Duration::from_secs(1),
        fresh_connection: true,
    };
    let response = WireResponse { body: Body(b"SECRET".to_vec()), ..WireResponse::default() };
    assert!(!format!("{request:?}{response:?}{:?}", signer()).contains("SECRET"));
    assert!(!format!("{:?}", signer()).contains("noxxxxx"));
}
