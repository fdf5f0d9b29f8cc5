//! The server over real HTTP, seen by a plain TCP client: every fault as it looks from outside.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::request::{Interface, PATH_PREFIX};
use super::server::Server;
use super::testing::*;
use crate::clock::Clock;

/// What a client saw: all bytes until the end of the connection.
#[derive(Debug)]
struct Seen {
    head: String,
    body: String,
}

impl Seen {
    fn promised(&self) -> usize {
        let head = self.head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
        length.unwrap().trim().parse().unwrap()
    }

    fn json(&self) -> Value {
        assert!(self.head.starts_with("HTTP/1.1 200"), "{}", self.head);
        serde_json::from_str(&self.body).unwrap()
    }
}

fn exchange(addr: SocketAddr, request: &str) -> Seen {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    // A reset is one way to see a broken connection; what came before it counts.
    drop(stream.read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    Seen { head: head.into(), body: body.into() }
}

fn request(server: &Server, interface: Interface, data: &Value) -> String {
    let form = server.with_world(|world| form(world.settings(), &data.to_string(), now()));
    let path = format!("{PATH_PREFIX}{}", interface.name());
    let common = format!("Host: {}\r\nConnection: close\r\n", server.addr());
    if interface.method() == "GET" {
        format!("GET {path}?{form} HTTP/1.1\r\n{common}\r\n")
    } else {
        let length = form.len();
        format!(
            "POST {path} HTTP/1.1\r\n{common}Content-Type: application/x-www-form-urlencoded;charset=utf-8\r\nContent-Length: {length}\r\n\r\n{form}"
        )
    }
}

async fn call(server: &Server, interface: Interface, data: &Value) -> Seen {
    let (addr, request) = (server.addr(), request(server, interface, data));
    tokio::task::spawn_blocking(move || exchange(addr, &request)).await.unwrap()
}

async fn start() -> Server {
    let world = Arc::new(Mutex::new(small_world()));
    Server::start(world, "127.0.0.1:0".parse().unwrap(), Clock::fixed(now())).await.unwrap()
}

/// Signs in, asks the fee, and tells of the payment while the fault holds.
async fn pay_with(server: &Server, fault: &str) -> Seen {
    let sign_in = json!({"mobilePhone": PHONE, "appId": "ETCP", "carNumber": PLATE});
    let token =
        call(server, Interface::UserSignIn, &sign_in).await.json()["data"]["token"].as_str().unwrap().to_owned();
    let fee = call(server, Interface::OrderUnpay, &json!({"token": token, "plateNumber": PLATE})).await.json();
    let info = fee["data"][0]["verificationInfo"].as_str().unwrap();
    server.with_world(|world| world.add_fault(fault.parse().unwrap()));
    call(server, Interface::OrderPaid, &paid(&token, "P-1", "8.50", info)).await
}

fn booked(server: &Server) -> usize {
    server.with_world(|world| world.ledger().len())
}

#[tokio::test]
async fn without_a_fault_it_books_and_shows_its_ledger() {
    let server = start().await;
    let seen = pay_with(&server, "orderhistory:fail").await;
    assert_eq!(code(&seen.json()), 0);
    assert!(seen.head.contains("date: Mon, 23 Nov 2026 02:30:00 GMT"), "{}", seen.head);
    let addr = server.addr();
    let page = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let (ledger, violations) = (page("/sandbox/ledger"), page("/sandbox/violations"));
    let ledger = tokio::task::spawn_blocking(move || exchange(addr, &ledger)).await.unwrap();
    assert_eq!(ledger.json()[0]["external_order_id"], "P-1");
    assert_eq!(ledger.json()[0]["amount"], "8.50");
    assert!(!ledger.body.contains(PHONE), "{}", ledger.body);
    let violations = tokio::task::spawn_blocking(move || exchange(addr, &violations)).await.unwrap();
    assert_eq!(violations.json(), json!([]));
    assert_eq!(server.with_world(|world| world.calls(Interface::OrderPaid)), 1);
    server.shutdown().await;
}

#[tokio::test]
async fn fail_before_booking_books_nothing() {
    let server = start().await;
    assert!(pay_with(&server, "orderpaid:fail").await.head.starts_with("HTTP/1.1 500"));
    assert_eq!(booked(&server), 0);
}

#[tokio::test]
async fn fail_after_booking_books_and_says_it_failed() {
    let server = start().await;
    assert!(pay_with(&server, "orderpaid:fail-after-booking").await.head.starts_with("HTTP/1.1 500"));
    assert_eq!(booked(&server), 1);
}

#[tokio::test]
async fn a_dropped_connection_shows_no_byte() {
    for (fault, expected) in [("orderpaid:drop", 0), ("orderpaid:drop-after-booking", 1), ("orderpaid:postpone", 0)] {
        let server = start().await;
        let seen = pay_with(&server, fault).await;
        assert_eq!((seen.head.as_str(), seen.body.as_str()), ("", ""), "{fault}");
        assert_eq!(booked(&server), expected, "{fault}");
    }
}

#[tokio::test]
async fn a_cut_answer_has_its_whole_length_in_the_head_and_half_a_body() {
    let server = start().await;
    let seen = pay_with(&server, "orderpaid:cut").await;
    assert!(seen.head.starts_with("HTTP/1.1 200"), "{}", seen.head);
    assert!(!seen.body.is_empty() && seen.body.len() < seen.promised(), "{seen:?}");
    assert_eq!(booked(&server), 1);
}

#[tokio::test]
async fn garbage_is_no_json_and_it_was_booked() {
    let server = start().await;
    let seen = pay_with(&server, "orderpaid:garbage").await;
    assert!(seen.head.starts_with("HTTP/1.1 200"));
    assert!(serde_json::from_str::<Value>(&seen.body).is_err());
    assert_eq!(booked(&server), 1);
}

#[tokio::test]
async fn an_expired_token_and_a_given_code_do_nothing() {
    for (fault, expected) in [("orderpaid:expire-token", 20101), ("orderpaid:answer=7", 7)] {
        let server = start().await;
        assert_eq!(code(&pay_with(&server, fault).await.json()), expected);
        assert_eq!(booked(&server), 0);
    }
}

#[tokio::test]
async fn a_lost_booking_says_yes_and_books_nothing() {
    let server = start().await;
    let answer = pay_with(&server, "orderpaid:lose-booking").await.json();
    assert_eq!(code(&answer), 0);
    assert!(answer["data"]["payOrderId"].as_str().is_some());
    assert_eq!(booked(&server), 0);
}

#[tokio::test]
async fn a_delayed_answer_is_done_at_once() {
    let server = start().await;
    assert_eq!(code(&pay_with(&server, "orderpaid:delay=20ms").await.json()), 0);
    assert_eq!(booked(&server), 1);
}

#[tokio::test]
async fn a_fault_holds_for_its_target_only() {
    let server = start().await;
    let seen = pay_with(&server, "orderpaid@00000000-0000-0000-0000-000000000000:fail:always").await;
    assert_eq!(code(&seen.json()), 0);
    for target in [ORDER, PHONE, "渝B757D0"] {
        let server = start().await;
        let seen = pay_with(&server, &format!("orderpaid@{target}:fail")).await;
        assert!(seen.head.starts_with("HTTP/1.1 500"), "{target}");
    }
}

#[tokio::test]
async fn a_busy_or_moved_platform_says_so_and_does_nothing() {
    for (fault, status, header) in [
        ("orderpaid:retry-after=7", "HTTP/1.1 429", "retry-after: 7"),
        ("orderpaid:redirect=http://127.0.0.1:9/a", "HTTP/1.1 302", "location: http://127.0.0.1:9/a"),
        ("orderpaid:status=503", "HTTP/1.1 503", "content-length: "),
    ] {
        let server = start().await;
        let seen = pay_with(&server, fault).await;
        assert!(seen.head.starts_with(status) && seen.head.to_lowercase().contains(header), "{fault}: {}", seen.head);
        assert_eq!(booked(&server), 0, "{fault}");
    }
}

#[tokio::test]
async fn it_listens_on_this_machine_only() {
    let world = Arc::new(Mutex::new(small_world()));
    let started = Server::start(world, "0.0.0.0:0".parse().unwrap(), Clock::fixed(now())).await;
    assert_eq!(started.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
}
