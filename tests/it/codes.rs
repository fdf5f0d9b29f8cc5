//! Every code of §10, and one that it does not list, at each of the ten interfaces over real HTTP: what the caller
//! gets, and how often the platform was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use etcp_recon::clock::Clock;
use etcp_recon::etcp::lots::PayType;
use etcp_recon::etcp::{
    AttemptOutcome, Client, ClientSettings, Code, EtcpError, Interface, LotQuery, PaidRequest, Treatment,
};
use etcp_recon::model::{ExternalOrderId, Mobile, OrderId, Plate};
use etcp_recon::sandbox::{Fault, Server, World, request, world};
use secrecy::SecretString;

use super::support::{at, yuan};

/// Repetitions of a call that only asks.
const RETRIES: u32 = 2;

/// One that the document does not list.
const UNLISTED: i64 = 30_777;

/// A sandbox that answers `code` to every call of `interface`, and a client of it.
struct Case {
    server: Server,
    client: Client,
    interface: Interface,
}

/// What a call came to, whichever it was.
#[derive(Debug)]
enum Came {
    Good,
    Bad(EtcpError),
    Attempt(AttemptOutcome),
}

impl Case {
    async fn new(interface: Interface, code: Code) -> Self {
        let clock = Clock::fixed(at("2026-11-23 10:30:00"));
        let mut platform = World::new(world::Settings::default());
        let fault = format!("{}:answer={}:always", interface.name(), code.number());
        platform.add_fault(fault.parse::<Fault>().unwrap());
        let settings = ClientSettings {
            base_url: String::new(),
            allow_plain_http: false,
            merchant_no: platform.settings().merchant_no.clone(),
            merchant_key: SecretString::from(platform.settings().merchant_key.clone()),
            app_id: Some("ETCP".to_owned()),
            timeout: Duration::from_secs(30),
            max_concurrency: 1,
            max_requests_per_second: 0,
            retries: RETRIES,
            backoff: Duration::from_millis(1),
            strip_whitespace: false,
        };
        let world = Arc::new(Mutex::new(platform));
        let server = Server::start(world, "127.0.0.1:0".parse().unwrap(), clock.clone()).await.unwrap();
        let client = Client::over_http(ClientSettings { base_url: server.base_url(), ..settings }, clock).unwrap();
        Self { server, client, interface }
    }

    /// Requests that the platform counted at the interface.
    fn calls(&self) -> u64 {
        let interface = request::Interface::from_name(self.interface.name()).unwrap();
        self.server.with_world(|world| world.calls(interface))
    }

    async fn call(&self) -> Came {
        let (client, token) = (&self.client, SecretString::from("a-token-of-nobody"));
        let (mobile, plate) = (Mobile::parse("13800000001").unwrap(), Plate::parse("渝B757D0").unwrap());
        let result = match self.interface {
            Interface::SendCode => client.send_code(&mobile).await,
            Interface::Login => client.login(&mobile, &SecretString::from("562371")).await.map(drop),
            Interface::SignIn => client.sign_in(&mobile, &plate).await.map(drop),
            Interface::BindCar => client.bind_car(&token, &plate, None).await,
            Interface::UnbindCar => client.unbind_car(&token, &plate).await,
            Interface::OrderHistory => client.history(&token).await.map(drop),
            Interface::OrderUnpay => client.unpaid(&token, &plate).await.map(drop),
            Interface::OrderPaid => return Came::Attempt(client.order_paid(&token, &paid()).await),
            Interface::SurroundingParking => {
                client.lots(&LotQuery::city("重庆市", PayType::All).unwrap(), None).await.map(drop)
            }
            Interface::ParkingStatus => client.lot_status(&"VujsvT8mDNA=".parse().unwrap()).await.map(drop),
        };
        result.map_or_else(Came::Bad, |()| Came::Good)
    }
}

fn paid() -> PaidRequest {
    PaidRequest {
        order_id: OrderId::new("ORDER-1").unwrap(),
        external_order_id: ExternalOrderId::new("EXT-1").unwrap(),
        payment: yuan("8.00"),
        pay_time: at("2026-11-22 08:00:00"),
        verification_info: SecretString::from("of-the-last-query"),
    }
}

/// The codes of §10 with what a caller does about each, and what the error then is.
fn is_right(code: Code, error: &EtcpError) -> bool {
    match code.number() {
        2 => *error == EtcpError::ServerFault { reason: "code 2 (server fault)".to_owned() },
        3 => *error == EtcpError::ClockOff { skew_s: Some(0) },
        4 | 5 => *error == EtcpError::Stop(code),
        20101 => *error == EtcpError::InvalidToken,
        _ => matches!(error, EtcpError::Refused { code: refused, .. } if *refused == code),
    }
}

/// How often the platform is to be asked: money and what works once, once; after code 3, which did nothing,
/// once more with the clock corrected, but for money.
fn expected_calls(interface: Interface, code: Code) -> u64 {
    let reads =
        [Interface::OrderHistory, Interface::OrderUnpay, Interface::SurroundingParking, Interface::ParkingStatus];
    let is_repeated = reads.contains(&interface) || interface == Interface::SignIn;
    match code.number() {
        _ if interface == Interface::OrderPaid => 1,
        2 if is_repeated => u64::from(RETRIES) + 1,
        3 => 2,
        _ => 1,
    }
}

fn all_codes() -> impl Iterator<Item = Code> {
    Code::LISTED.iter().copied().chain([Code::from_i64(UNLISTED)])
}

#[tokio::test]
async fn every_code_has_its_error_and_its_number_of_requests_at_every_interface() {
    for interface in Interface::ALL.iter().copied().filter(|interface| *interface != Interface::OrderPaid) {
        for code in all_codes().filter(|code| !code.is_success()) {
            let platform = Case::new(interface, code).await;
            let came = platform.call().await;
            assert!(matches!(&came, Came::Bad(error) if is_right(code, error)), "{interface:?} {code}: {came:?}");
            assert_eq!(platform.calls(), expected_calls(interface, code), "{interface:?} {code}");
            if let Came::Bad(error) = came {
                assert_eq!(error.code(), Some(code).filter(|code| *code != Code::ServerFault), "{interface:?}");
            }
        }
    }
}

#[tokio::test]
async fn code_0_is_success_where_no_data_is_needed_and_no_answer_where_it_is() {
    for interface in Interface::ALL.iter().copied() {
        let platform = Case::new(interface, Code::Success).await;
        let came = platform.call().await;
        let is_right = match interface {
            // A sign-in without a token, a state without its numbers.
            Interface::SignIn | Interface::Login | Interface::ParkingStatus => {
                matches!(came, Came::Bad(EtcpError::BadAnswer { .. }))
            }
            // A booking that names nothing may be another's.
            Interface::OrderPaid => {
                matches!(came, Came::Attempt(AttemptOutcome::Unclear { code: Some(Code::Success), .. }))
            }
            Interface::SendCode
            | Interface::BindCar
            | Interface::UnbindCar
            | Interface::OrderHistory
            | Interface::OrderUnpay
            | Interface::SurroundingParking => matches!(came, Came::Good),
        };
        assert!(is_right, "{interface:?}: {came:?}");
        assert_eq!(platform.calls(), 1, "{interface:?}");
    }
}

#[tokio::test]
async fn orderpaid_is_sent_once_whatever_the_code_and_the_code_is_told() {
    for code in all_codes().filter(|code| !code.is_success()) {
        let platform = Case::new(Interface::OrderPaid, code).await;
        let came = platform.call().await;
        let is_right =
            matches!(&came, Came::Attempt(AttemptOutcome::Refused { code: refused, .. }) if *refused == code);
        assert!(is_right, "{code}: {came:?}");
        assert_eq!(platform.calls(), 1, "{code}");
    }
}

#[tokio::test]
async fn after_4_or_5_nothing_more_leaves_but_after_every_other_code_it_does() {
    for interface in Interface::ALL.iter().copied() {
        for code in all_codes() {
            let platform = Case::new(interface, code).await;
            platform.call().await;
            let before = platform.calls();
            platform.call().await;
            // What orderpaid alone is refused with is for those who decide about money.
            let stops = code.treatment() == Treatment::Stop && interface != Interface::OrderPaid;
            assert_eq!(platform.calls() == before, stops, "{interface:?} {code}");
        }
    }
}

#[test]
fn every_code_is_told_in_both_languages() {
    for code in all_codes() {
        let (chinese, english) = (code.text(true), code.text(false));
        assert!(!chinese.is_ascii() && !chinese.is_empty(), "{code}");
        assert!(english.is_ascii() && !english.is_empty(), "{code}");
    }
}
