//! What the client makes of answers, over a scripted transport.

use super::*;
use crate::etcp::lots::{LotQuery, PayType};
use crate::etcp::request::{TransportError, WireResponse};
use crate::etcp::stub::{PHONE, Stub, TOKEN, clock, mobile, ok, plate, settings, status, token};
use crate::model::{ExternalOrderId, OrderId, Timestamp};

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

/// A platform that cannot just now, and says for how long.
fn away(seconds: &str) -> Result<WireResponse, TransportError> {
    status(503, "").map(|response| WireResponse { retry_after: Some(seconds.to_owned()), ..response })
}

#[tokio::test(start_paused = true)]
async fn what_one_call_is_asked_to_wait_all_of_them_wait() {
    let stub = Stub::script([away("90"), ok(EMPTY), ok(EMPTY)]);
    let client = Client::new(ClientSettings { retries: 0, ..settings() }, Arc::new(stub.clone()), clock());
    let begun = Instant::now();
    let error = client.history(&token()).await.unwrap_err();
    assert_eq!(error, EtcpError::ServerFault { reason: "HTTP status 503, no call for 90 s (Retry-After)".to_owned() });
    assert_eq!(begun.elapsed(), Duration::ZERO);
    client.unpaid(&token(), &plate()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(90));
    assert_eq!(stub.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn calls_that_were_under_way_wait_as_well_before_they_are_repeated() {
    let stub = Stub::script([away("90"), status(503, ""), ok(EMPTY), ok(EMPTY)]);
    let (client, begun) = (stub.client(), Instant::now());
    let (one_token, other_token) = (token(), token());
    let (one, other) = tokio::join!(client.history(&one_token), client.history(&other_token));
    one.and(other).unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(90));
    assert_eq!(stub.calls().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_longer_than_sensible_ends_the_call_and_is_kept_all_the_same() {
    let stub = Stub::script([away("3600"), ok(EMPTY)]);
    let (client, begun) = (stub.client(), Instant::now());
    let fault = |reason: &str| EtcpError::ServerFault { reason: reason.to_owned() };
    let asked = client.history(&token()).await.unwrap_err();
    assert_eq!(asked, fault("HTTP status 503, no call for 3600 s (Retry-After)"));
    let next = client.sign_in(&mobile(), &plate()).await.unwrap_err();
    assert_eq!(next, fault("the platform asks for no call for another 3600 s (Retry-After)"));
    assert_eq!((stub.calls().len(), begun.elapsed()), (1, Duration::ZERO));
    tokio::time::advance(Duration::from_hours(1)).await;
    client.history(&token()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_deadline_ends_the_call_at_once() {
    let stub = Stub::script([away("60")]);
    let (client, begun) = (stub.client(), Instant::now());
    client.end_by(begun + Duration::from_mins(1));
    client.history(&token()).await.unwrap_err();
    client.history(&token()).await.unwrap_err();
    assert_eq!((stub.calls().len(), begun.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn orderpaid_leaves_only_while_the_platform_takes_calls_and_its_own_answer_holds_the_others() {
    let stub = Stub::script([away("60"), ok(EMPTY), away("60")]);
    let (client, begun) = (stub.client(), Instant::now());
    assert!(matches!(client.order_paid(&token(), &paid()).await, AttemptOutcome::Unclear { .. }));
    let outcome = client.order_paid(&token(), &paid()).await;
    let reason = "the platform asks for no call for another 60 s (Retry-After)".to_owned();
    assert_eq!(outcome, AttemptOutcome::NotSent { reason });
    assert_eq!((stub.calls().len(), begun.elapsed()), (1, Duration::ZERO));
    client.history(&token()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_mins(1));
}

#[tokio::test]
async fn after_a_read_was_refused_with_4_or_5_nothing_leaves_any_more() {
    for (number, code) in [(4, Code::BadSignature), (5, Code::UnknownMerchant)] {
        let stub = Stub::new(move |_| ok(&format!(r#"{{"code":{number}}}"#)));
        let client = stub.client();
        assert_eq!(client.sign_in(&mobile(), &plate()).await.unwrap_err(), EtcpError::Stop(code));
        assert_eq!(client.history(&token()).await.unwrap_err(), EtcpError::Stop(code));
        assert_eq!(client.sign_in(&mobile(), &plate()).await.unwrap_err(), EtcpError::Stop(code));
        let outcome = client.order_paid(&token(), &paid()).await;
        assert!(matches!(outcome, AttemptOutcome::NotSent { .. }), "{outcome:?}");
        assert_eq!(stub.calls().len(), 1);
    }
}

#[tokio::test]
async fn what_orderpaid_alone_is_refused_with_keeps_no_read_from_leaving() {
    let stub = Stub::script([ok(r#"{"code":4}"#), ok(EMPTY)]);
    let client = stub.client();
    let outcome = client.order_paid(&token(), &paid()).await;
    assert!(matches!(outcome, AttemptOutcome::Refused { code: Code::BadSignature, .. }), "{outcome:?}");
    client.history(&token()).await.unwrap();
}

#[tokio::test]
async fn of_calls_under_way_at_once_the_first_one_corrects_the_clock() {
    let old = |second| dated(r#"{"code":3}"#, &format!("Sun, 22 Nov 2026 02:08:{second} GMT"));
    let stub = Stub::script([old(58), old(59), ok(EMPTY), ok(EMPTY)]);
    let client = stub.client();
    let (one_token, other_token) = (token(), token());
    let (one, other) = tokio::join!(client.history(&one_token), client.history(&other_token));
    one.and(other).unwrap();
    assert_eq!(client.clock_correction_s(), 600);
    assert_eq!(stub.time_stamps(), ["20261122095858", "20261122095858", "20261122100858", "20261122100858"]);
}

#[test]
fn which_clock_is_ahead_is_said_and_that_they_agree() {
    let told = |skew_s| EtcpError::ClockOff { skew_s }.to_string();
    for (skew_s, words) in [
        (Some(7), "its clock is 7 s ahead of ours\n"),
        (Some(-7), "its clock is 7 s behind ours\n"),
        (Some(0), "although the clocks agree\n"),
        (None, "it does not say by how much the clocks differ\n"),
    ] {
        assert!(told(skew_s).contains(words), "{}", told(skew_s));
    }
    assert_eq!([7, 0, -7].map(skew_in_chinese), ["比本机快 7 秒", "与本机一致", "比本机慢 7 秒"]);
    assert_eq!(skew_in_words(0), "as ours");
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
    // Five calls have four gaps of 20 ms and more; one less is left for the timer's grain.
    assert!(begun.elapsed() >= Duration::from_millis(60), "{:?}", begun.elapsed());
    assert_eq!(stub.calls().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_no_call_waits() {
    let stub = Stub::new(|_| ok(EMPTY));
    let client =
        Client::new(ClientSettings { max_requests_per_second: 0, ..settings() }, Arc::new(stub.clone()), clock());
    let begun = Instant::now();
    for _ in 0..100 {
        client.history(&token()).await.unwrap();
    }
    assert_eq!((stub.calls().len(), begun.elapsed()), (100, Duration::ZERO));
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
