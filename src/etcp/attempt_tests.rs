//! What an attempt at `orderpaid` is taken for.

use super::*;
use crate::etcp::request::Body;

fn request() -> PaidRequest {
    PaidRequest {
        order_id: OrderId::new("58231364-19F8-4EF1-8FC1-5FC9F4C635EA").unwrap(),
        external_order_id: ExternalOrderId::new("20170612095857258937").unwrap(),
        payment: "8".parse().unwrap(),
        pay_time: Timestamp::parse_wall("2017-06-12 09:58:58").unwrap(),
        verification_info: SecretString::from("FSED9J+xg/U6=="),
    }
}

fn answered(status: u16, body: &str) -> AttemptOutcome {
    let body = Body(body.as_bytes().to_vec());
    classify(&request(), &Ok(WireResponse { status, body, ..WireResponse::default() }))
}

const WHOLE: &str = r#"{"code":0,"data":{"externalOrderId":"20170612095857258937","orderId":"58231364-19F8-4EF1-8FC1-5FC9F4C635EA",
    "payOrderId":"no201707120958582728978","payTime":"2017-06-12 09:58:58","payment":8},"message":"支付通知成功"}"#;

fn is_unclear(outcome: &AttemptOutcome) -> bool {
    matches!(outcome, AttemptOutcome::Unclear { .. })
}

#[test]
fn the_text_has_two_places_and_the_wall_clock_and_the_app_id_when_there_is_one() {
    let token = SecretString::from("09f680e9");
    let without = request().data(&token, None);
    assert_eq!(
        without.expose_secret(),
        r#"{"token":"09f680e9","orderId":"58231364-19F8-4EF1-8FC1-5FC9F4C635EA","externalOrderId":"20170612095857258937","payment":"8.00","payTime":"2017-06-12 09:58:58","verificationInfo":"FSED9J+xg/U6=="}"#
    );
    let with = request().data(&token, Some("ETCP"));
    assert!(with.expose_secret().ends_with(r#","appId":"ETCP"}"#));
}

#[test]
fn the_hash_is_of_the_business_fields_only() {
    let first = request().hash();
    assert_eq!(first.len(), 64);
    let again = PaidRequest { verification_info: SecretString::from("other"), ..request() };
    let folded = PaidRequest { order_id: OrderId::new("58231364-19f8-4ef1-8fc1-5fc9f4c635ea").unwrap(), ..request() };
    assert_eq!((again.hash(), folded.hash()), (first.clone(), first.clone()));
    let changed = [
        PaidRequest { payment: "8.01".parse().unwrap(), ..request() },
        PaidRequest { pay_time: request().pay_time.plus_s(1), ..request() },
        PaidRequest { external_order_id: ExternalOrderId::new("2").unwrap(), ..request() },
        PaidRequest { order_id: OrderId::new("5").unwrap(), ..request() },
    ];
    for other in changed {
        assert_ne!(other.hash(), first);
    }
}

#[test]
fn the_whole_echo_is_an_acknowledgement() {
    let expected = AttemptOutcome::Acknowledged { pay_order_id: "no201707120958582728978".to_owned() };
    assert_eq!(answered(200, WHOLE), expected);
    let variants = [
        WHOLE.replace("58231364-19F8-4EF1", "58231364-19f8-4ef1"),
        WHOLE.replace(r#""payment":8"#, r#""payment":"8.0""#),
        WHOLE.replace(r#""payment":8"#, r#""payment":8.000"#),
        WHOLE.replace(r#""code":0"#, r#""code":"0""#),
        WHOLE.replace(r#""20170612095857258937""#, "20170612095857258937"),
        WHOLE.replace(r#""payTime":"2017-06-12 09:58:58","#, ""),
    ];
    for text in variants {
        assert_eq!(answered(200, &text), expected, "{text}");
    }
    let number = WHOLE.replace(r#""no201707120958582728978""#, "201707120958582728978");
    assert_eq!(
        answered(200, &number),
        AttemptOutcome::Acknowledged { pay_order_id: "201707120958582728978".to_owned() }
    );
}

#[test]
fn code_0_that_names_something_else_is_unclear() {
    let variants = [
        WHOLE.replace("C635EA", "C635EB"),
        WHOLE.replace("258937", "258938"),
        WHOLE.replace(r#""payment":8"#, r#""payment":8.01"#),
        WHOLE.replace(r#""payment":8"#, r#""payment":8.001"#),
        WHOLE.replace(r#""payment":8"#, r#""payment":null"#),
        WHOLE.replace("payOrderId", "x"),
        WHOLE.replace("no201707120958582728978", ""),
        r#"{"code":0,"message":"ok"}"#.to_owned(),
        r#"{"code":0,"data":[]}"#.to_owned(),
    ];
    for text in variants {
        let outcome = answered(200, &text);
        assert!(matches!(outcome, AttemptOutcome::Unclear { code: Some(Code::Success), .. }), "{text}: {outcome:?}");
    }
}

#[test]
fn a_whole_answer_with_another_code_is_a_refusal() {
    for code in Code::LISTED.iter().filter(|code| !code.is_success()).chain([&Code::Other(-7)]) {
        let text = format!(r#"{{"code":{},"message":"no FSED9J+xg/U6== for 13800000001"}}"#, code.number());
        let message = "no *** for 138****0001".to_owned();
        assert_eq!(answered(200, &text), AttemptOutcome::Refused { code: *code, message });
    }
}

#[test]
fn any_other_status_is_unclear_whatever_the_body_says() {
    for status in [100, 201, 204, 301, 307, 400, 404, 429, 500, 502, 504] {
        assert!(is_unclear(&answered(status, WHOLE)), "{status}");
        let refused = answered(status, r#"{"code":4}"#);
        assert!(matches!(refused, AttemptOutcome::Unclear { code: Some(Code::BadSignature), .. }), "{status}");
        assert!(is_unclear(&answered(status, "<html>")), "{status}");
    }
}

#[test]
fn a_cut_answer_is_unclear_wherever_it_is_cut() {
    for (length, _) in WHOLE.char_indices() {
        assert!(is_unclear(&answered(200, &WHOLE[..length])), "{length}");
    }
    assert!(is_unclear(&answered(200, &format!("{WHOLE}{WHOLE}"))));
    assert!(is_unclear(&answered(200, &WHOLE.replace(r#""payment":8"#, r#""payment":8,"payment":8"#))));
}

#[test]
fn only_what_never_left_the_machine_is_not_sent() {
    let of = |error| classify(&request(), &Err(error));
    let reason = || "refused".to_owned();
    assert_eq!(of(TransportError::NotSent { reason: reason() }), AttemptOutcome::NotSent { reason: reason() });
    assert!(is_unclear(&of(TransportError::Lost { reason: reason() })));
    assert!(is_unclear(&of(TransportError::TooLong { limit: 1 })));
}

#[test]
fn what_the_platform_cannot_take_is_known_before_a_byte_leaves() {
    assert_eq!(request().fault(), None);
    let faulty = [
        PaidRequest { external_order_id: ExternalOrderId::new("单号").unwrap(), ..request() },
        PaidRequest { payment: Amount::ZERO, ..request() },
        PaidRequest { verification_info: SecretString::default(), ..request() },
    ];
    for request in faulty {
        assert!(request.fault().is_some(), "{request:?}");
    }
}
