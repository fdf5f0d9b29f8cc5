//! What the client makes of answers, over a scripted transport.

use super::*;
use crate::etcp::lots::{LotQuery, PayType};
use crate::etcp::stub::{PHONE, Stub, TOKEN, clock, mobile, ok, plate, settings, status, token};
use crate::model::{ExternalOrderId, OrderId};

fn paid() -> PaidRequest {
    PaidRequest {
        order_id: OrderId::new("ORDER-1").unwrap(),
        external_order_id: ExternalOrderId::new("EXT-1").unwrap(),
        payment: "8".parse().unwrap(),
        pay_time: Timestamp::parse_wall("2026-11-22 08:00:00").unwrap(),
        verification_info: SecretString::from("VERIFYCANARY+/=="),
    }
}

fn lost() -> Result<WireResponse, TransportError> {
    Err(TransportError::Lost { reason: "reset".to_owned() })
}

fn not_sent() -> Result<WireResponse, TransportError> {
    Err(TransportError::NotSent { reason: "refused".to_owned() })
}

fn dated(body: &str, date: &str) -> Result<WireResponse, TransportError> {
    ok(body).map(|response| WireResponse { date: Some(date.to_owned()), ..response })
}

const EMPTY: &str = r#"{"code":0,"message":"ok","data":[]}"#;

#[tokio::test]
async fn a_read_is_repeated_after_faults_and_then_succeeds() {
    for fault in
        [status(503, ""), status(429, ""), status(302, ""), ok(r#"{"code":2}"#), ok("<html>"), lost(), not_sent()]
    {
        let stub = Stub::script([fault.clone(), fault, ok(EMPTY)]);
        assert!(stub.client().history(&token()).await.unwrap().records.is_empty());
        assert_eq!(stub.calls().len(), 3);
    }
}

#[tokio::test]
async fn a_read_gives_up_after_its_repetitions_and_says_why() {
    let cases = [
        (status(503, ""), EtcpError::ServerFault { reason: "HTTP status 503".to_owned() }),
        (ok(r#"{"code":2}"#), EtcpError::ServerFault { reason: "code 2 (server fault)".to_owned() }),
        (lost(), EtcpError::Unreachable { reason: "no whole answer: reset".to_owned(), sent: true }),
    ];
    for (fault, error) in cases {
        let stub = Stub::new(move |_| fault.clone());
        assert_eq!(stub.client().unpaid(&token(), &plate()).await.unwrap_err(), error);
        assert_eq!(stub.calls().len(), 3);
    }
}

#[tokio::test]
async fn a_refusal_is_final_and_named() {
    let cases = [
        (4, EtcpError::Stop(Code::BadSignature)),
        (5, EtcpError::Stop(Code::UnknownMerchant)),
        (20101, EtcpError::InvalidToken),
        (6, EtcpError::Refused { code: Code::BadParameter, message: "no".to_owned() }),
        (1, EtcpError::Refused { code: Code::Failure, message: "no".to_owned() }),
        (77, EtcpError::Refused { code: Code::Other(77), message: "no".to_owned() }),
    ];
    for (number, error) in cases {
        let stub = Stub::script([ok(&format!(r#"{{"code":{number},"message":"no"}}"#))]);
        let found = stub.client().history(&token()).await.unwrap_err();
        assert_eq!(found, error);
        assert_eq!(found.code(), Some(Code::from_i64(number)));
        assert_eq!(stub.calls().len(), 1);
    }
}

#[tokio::test]
async fn orderpaid_is_sent_once_whatever_comes_back() {
    let results =
        [status(503, ""), status(429, ""), status(307, ""), ok(r#"{"code":2}"#), ok("<html>"), ok(EMPTY), lost()];
    for result in results {
        let stub = Stub::new(move |_| result.clone());
        let outcome = stub.client().order_paid(&token(), &paid()).await;
        assert!(matches!(
            outcome,
            AttemptOutcome::Unclear { .. } | AttemptOutcome::Refused { code: Code::ServerFault, .. }
        ));
        assert_eq!(stub.calls().len(), 1);
        assert!(stub.calls()[0].fresh_connection);
    }
    let stub = Stub::new(|_| not_sent());
    assert!(matches!(stub.client().order_paid(&token(), &paid()).await, AttemptOutcome::NotSent { .. }));
    assert_eq!(stub.calls().len(), 1);
}

#[tokio::test]
async fn orderpaid_without_verification_info_sends_nothing() {
    let stub = Stub::script([]);
    let request = PaidRequest { verification_info: SecretString::default(), ..paid() };
    assert!(matches!(stub.client().order_paid(&token(), &request).await, AttemptOutcome::NotSent { .. }));
    assert!(stub.calls().is_empty());
}

#[tokio::test]
async fn orderpaid_with_code_3_corrects_the_clock_and_stays_one_attempt() {
    let stub = Stub::script([dated(r#"{"code":3}"#, "Sun, 22 Nov 2026 02:08:58 GMT"), ok(EMPTY)]);
    let client = stub.client();
    let outcome = client.order_paid(&token(), &paid()).await;
    assert_eq!(outcome, AttemptOutcome::Refused { code: Code::TimestampExpired, message: String::new() });
    assert_eq!(client.clock_correction_s(), 600);
    client.history(&token()).await.unwrap();
    assert_eq!(stub.time_stamps(), ["20261122095858", "20261122100858"]);
}

#[tokio::test]
async fn code_3_on_a_read_is_corrected_once_and_said() {
    let stub = Stub::script([dated(r#"{"code":3}"#, "Sun, 22 Nov 2026 01:48:58 GMT"), ok(EMPTY)]);
    let client = stub.client();
    assert_eq!((client.clock_skew_s(), client.clock_correction_s()), (None, 0));
    client.history(&token()).await.unwrap();
    assert_eq!((client.clock_skew_s(), client.clock_correction_s()), (Some(-600), -600));
    assert_eq!(stub.time_stamps(), ["20261122095858", "20261122094858"]);
}

#[tokio::test]
async fn code_3_a_second_time_or_without_a_date_is_an_error() {
    let stub = Stub::new(|_| dated(r#"{"code":3}"#, "Sun, 22 Nov 2026 02:08:58 GMT"));
    let error = stub.client().history(&token()).await.unwrap_err();
    assert_eq!(error, EtcpError::ClockOff { skew_s: Some(600) });
    assert_eq!(stub.calls().len(), 2);
    let stub = Stub::new(|_| ok(r#"{"code":3}"#));
    assert_eq!(stub.client().history(&token()).await.unwrap_err(), EtcpError::ClockOff { skew_s: None });
    assert_eq!(stub.calls().len(), 1);
}

#[tokio::test]
async fn the_skew_is_known_from_any_answer_and_followed_only_after_code_3() {
    let stub = Stub::script([dated(EMPTY, "Sun, 22 Nov 2026 01:59:01 GMT")]);
    let client = stub.client();
    client.history(&token()).await.unwrap();
    assert_eq!((client.clock_skew_s(), client.clock_correction_s()), (Some(3), 0));
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let busy = status(429, "").map(|response| WireResponse { retry_after: Some("1".to_owned()), ..response });
    let stub = Stub::script([busy, ok(EMPTY)]);
    let begun = Instant::now();
    stub.client().history(&token()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_allowed_also_under_repetition() {
    let mut turn = 0_u32;
    let stub = Stub::new(move |_| {
        turn = turn.wrapping_add(1);
        if turn.is_multiple_of(2) { ok(EMPTY) } else { status(503, "") }
    });
    let client = Client::new(ClientSettings { max_concurrency: 2, ..settings() }, Arc::new(stub.clone()), clock());
    let callers: Vec<_> = (0..12)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.history(&token()).await.map(drop) })
        })
        .collect();
    for caller in callers {
        drop(caller.await.unwrap());
    }
    assert_eq!(stub.most_under_way(), 2);
    assert!(stub.calls().len() > 12, "some were repeated");
}

#[tokio::test]
async fn calls_begin_no_faster_than_allowed_repetitions_too() {
    let stub = Stub::script([status(503, ""), status(503, ""), ok(EMPTY), ok(EMPTY), ok(EMPTY)]);
    let client =
        Client::new(ClientSettings { max_requests_per_second: 50, ..settings() }, Arc::new(stub.clone()), clock());
    let begun = Instant::now();
    for _ in 0..3 {
        client.history(&token()).await.unwrap();
    }
    // Five calls have four gaps of 20 ms; one less is left for the timer's grain.
    assert!(begun.elapsed() >= Duration::from_millis(60), "{:?}", begun.elapsed());
    assert_eq!(stub.calls().len(), 5);
}

#[tokio::test]
async fn the_app_id_is_sent_when_there_is_one() {
    for (app_id, expected) in [(Some("ETCP".to_owned()), true), (None, false), (Some(String::new()), false)] {
        let stub = Stub::new(|_| ok(r#"{"code":0,"data":{"token":"t-123456"}}"#));
        let client = Client::new(ClientSettings { app_id, ..settings() }, Arc::new(stub.clone()), clock());
        client.sign_in(&mobile(), &plate()).await.unwrap();
        drop(client.unpaid(&token(), &plate()).await);
        client.order_paid(&token(), &paid()).await;
        for call in stub.calls() {
            assert_eq!(call.text.expose_secret().contains("appId%22%3A%22ETCP"), expected, "{:?}", call.interface);
        }
        assert_eq!(stub.calls().len(), 3);
    }
}

#[tokio::test]
async fn what_the_platform_says_is_shown_without_token_and_phone() {
    let words = format!(r#"{{"code":6,"message":"bad {TOKEN} of {PHONE}"}}"#);
    let error = Stub::script([ok(&words)]).client().history(&token()).await.unwrap_err();
    assert_eq!(error.to_string(), "the platform refuses with code 6 (bad parameter): bad *** of 138****0001");
    let outcome = Stub::script([ok(&words)]).client().order_paid(&token(), &paid()).await;
    let message = "bad *** of 138****0001".to_owned();
    assert_eq!(outcome, AttemptOutcome::Refused { code: Code::BadParameter, message });
}

#[tokio::test]
async fn the_other_interfaces_send_what_the_document_lists() {
    let stub = Stub::new(|_| ok(r#"{"code":0,"data":{"token":"t-123456","list":[]}}"#));
    let client = stub.client();
    client.send_code(&mobile()).await.unwrap();
    client.login(&mobile(), &SecretString::from("562371")).await.unwrap();
    client.bind_car(&token(), &plate(), Some(2)).await.unwrap();
    client.unbind_car(&token(), &plate()).await.unwrap();
    let query = LotQuery::city("北京市", PayType::All).unwrap();
    client.lots(&query, Some("s-1")).await.unwrap();
    client.lot_status(&"VujsvT8mDNA=".parse().unwrap()).await.unwrap_err();
    let texts: Vec<String> = stub.calls().iter().map(|call| call.text.expose_secret().to_owned()).collect();
    let members = [
        "%7B%22mobilePhone%22%3A%2213800000001%22%7D",
        "%22code%22%3A%22562371%22%2C%22appId%22%3A%22ETCP%22%7D",
        "%22plateNumber%22%3A%22%E6%B8%9DB757D0%22%2C%22plateColor%22%3A%222%22%7D",
        "%22plateNumber%22%3A%22%E6%B8%9DB757D0%22%7D",
        "%22city%22%3A%22%E5%8C%97%E4%BA%AC%E5%B8%82%22%2C%22scrollId%22%3A%22s-1%22%7D",
        "%7B%22parkingId%22%3A%22VujsvT8mDNA%3D%22%7D",
    ];
    for (text, expected) in texts.iter().zip(members) {
        assert!(text.contains(expected), "{text} has no {expected}");
    }
    assert_eq!(texts.len(), 6);
}
