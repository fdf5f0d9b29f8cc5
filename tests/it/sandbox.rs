//! The command `sandbox` as a merchant rehearses with it: control pages with plain HTTP, and pushes that arrive.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use md5::{Digest, Md5};
use serde_json::{Value, json};

use crate::plain_http::{PATIENCE, exchange};

/// The binary's sandbox, killed when dropped.
struct Platform {
    child: Child,
    out: BufReader<ChildStdout>,
    welcome: String,
    addr: SocketAddr,
}

impl Drop for Platform {
    fn drop(&mut self) {
        // Both fail when it ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Platform {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_etcp-recon"))
            .args(["sandbox", "--listen", "127.0.0.1:0", "--date", "2026-11-22", "--users", "3", "--orders", "12"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut welcome = String::new();
        while !welcome.contains("Ctrl-C") {
            assert!(out.read_line(&mut welcome).unwrap() > 0, "the sandbox ended: {welcome}");
        }
        let (_, rest) = welcome.split_once("http://").unwrap();
        let addr = rest.split(':').take(2).collect::<Vec<_>>().join(":").parse().unwrap();
        Self { child, out, welcome, addr }
    }

    /// Status and body.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        exchange(self.addr, method, path, body)
    }

    fn json(&self, method: &str, path: &str, body: &str) -> Value {
        let (status, text) = self.ask(method, path, body);
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The ids of the stays in a state.
    fn orders(&self, state: &str) -> Vec<String> {
        let orders = self.json("GET", "/sandbox/orders", "");
        let chosen = orders.as_array().unwrap().iter().filter(|order| order["state"] == state);
        chosen.map(|order| order["order_id"].as_str().unwrap().to_owned()).collect()
    }

    /// Stops it as a person would, and returns what it said at the end.
    fn stop(mut self) -> String {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        rest
    }
}

/// A push as it arrived: path, content type, body.
type Arrived = (String, String, String);

/// Receives pushes and answers each with `answer`.
fn receiver(answer: &'static str) -> (SocketAddr, Receiver<Arrived>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert!(stream.read_line(&mut head).unwrap() > 0);
            }
            let header = |name: &str| {
                head.lines().find_map(|line| line.strip_prefix(name).map(|value| value.trim().to_owned())).unwrap()
            };
            let mut body = vec![0; header("content-length:").parse().unwrap()];
            stream.read_exact(&mut body).unwrap();
            let path = head.split(' ').nth(1).unwrap().to_owned();
            if sender.send((path, header("content-type:"), String::from_utf8(body).unwrap())).is_err() {
                return;
            }
            let length = answer.len();
            write!(
                stream.get_mut(),
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{answer}"
            )
            .unwrap();
        }
    });
    (addr, receiver)
}

const OK: &str = r#"{"code":0,"message":"ok"}"#;

/// The members of a JSON push, its signature checked: the members sorted, without `signment`.
fn sorted_members(body: &str) -> BTreeMap<String, Value> {
    let mut members: BTreeMap<String, Value> = serde_json::from_str(body).unwrap();
    let signment = members.remove("signment").unwrap();
    let data = serde_json::to_string(&members).unwrap();
    let text = format!("9827c6b5c6d94485b912b6e90c92a7ae{data}sandbox-merchant-key");
    assert_eq!(signment, hex::encode_upper(Md5::digest(text)), "{body}");
    members
}

#[test]
fn the_control_pages_say_and_change_what_the_guide_promises() {
    let platform = Platform::start(&["--fault", "orderhistory@13800000001:fail:always"]);
    let (status, guide) = platform.ask("GET", "/sandbox", "");
    assert_eq!(status, 200);
    for page in ["/sandbox/orders", "/sandbox/faults", "/sandbox/stats/reset", "/sandbox/push"] {
        assert!(guide.contains(page), "{guide}");
    }
    assert_eq!(platform.json("GET", "/sandbox/ledger", ""), json!([]));
    assert_eq!(platform.json("GET", "/sandbox/violations", ""), json!([]));
    assert_eq!(platform.json("GET", "/sandbox/sms-codes", ""), json!([]));

    let masked = "orderhistory@138****0001:fail:always\n";
    assert_eq!(platform.ask("GET", "/sandbox/faults", ""), (200, masked.to_owned()));
    let both = "orderpaid:cut\n\nusersignin:answer=2:3\n";
    let all = format!("{masked}orderpaid:cut:1\nusersignin:answer=2:3\n");
    assert_eq!(platform.ask("POST", "/sandbox/faults", both), (200, all.clone()));
    let (status, refused) = platform.ask("POST", "/sandbox/faults", "orderpaid:cut\norderpaid:explode");
    assert_eq!((status, refused.contains("unknown kind") && refused.contains("hint: ")), (400, true), "{refused}");
    assert_eq!(platform.ask("GET", "/sandbox/faults", ""), (200, all));
    assert_eq!(platform.ask("DELETE", "/sandbox/faults", ""), (200, String::new()));

    let nothing = json!({"calls": {}, "max_concurrent": 0, "max_per_second": 0, "sign_ins_per_user_max": 0});
    assert_eq!(platform.json("GET", "/sandbox/stats", ""), nothing);
    platform.ask("GET", "/merchant/open/1.0.0/openapi/orderhistory", "");
    let counted = platform.json("GET", "/sandbox/stats", "");
    assert_eq!(
        (&counted["calls"], &counted["max_concurrent"], &counted["max_per_second"]),
        (&json!({"orderhistory": 1}), &json!(1), &json!(1))
    );
    assert_eq!(platform.json("POST", "/sandbox/stats/reset", ""), nothing);

    assert_eq!(platform.json("POST", "/sandbox/postponed", ""), json!({"booked": 0}));
    assert_eq!(platform.ask("POST", "/sandbox/ledger", "").0, 405);
    assert_eq!(platform.ask("GET", "/sandbox/unheard-of", "").0, 404);
    assert!(platform.ask("POST", "/sandbox/push", r#"{"kind":"exit","orderId":"x"}"#).1.contains("--push-url"));
    assert!(platform.stop().ends_with("0 violations\n"));
}

#[test]
fn a_car_is_charged_and_leaves_on_request() {
    let platform = Platform::start(&[]);
    let id = platform.orders("inside").remove(0);
    let page = |act: &str| format!("/sandbox/orders/{id}/{act}");
    assert_eq!(platform.json("POST", &page("charge"), "99.50")["fee"], "99.50");
    assert_eq!(platform.ask("POST", &page("charge"), "a lot").0, 400);
    let left = platform.json("POST", &page("leave"), "");
    assert_eq!((&left["state"], left.get("push")), (&json!("left"), None));
    assert!(platform.orders("left").contains(&id));
    for act in ["leave", "charge"] {
        assert_eq!(platform.ask("POST", &page(act), "99.50").0, 404);
    }
}

#[test]
fn every_stay_is_pushed_signed_and_counted() {
    let (addr, pushes) = receiver(OK);
    let url = format!("http://{addr}/push");
    let platform = Platform::start(&["--push-url", &url, "--push-form", "sorted"]);
    let (inside, left) = (platform.orders("inside"), platform.orders("left"));
    let mut wanted: Vec<_> = inside.iter().chain(&left).map(|id| ("/push/entrance".to_owned(), id.clone())).collect();
    wanted.extend(left.iter().map(|id| ("/push/exit".to_owned(), id.clone())));
    assert!(
        platform.welcome.contains(&format!("{} pushes as sorted to {url}/entrance", wanted.len())),
        "{}",
        platform.welcome
    );
    let mut arrived = Vec::new();
    while arrived.len() < wanted.len() {
        let (path, content_type, body) = pushes.recv_timeout(PATIENCE).unwrap();
        assert_eq!(content_type, "application/json;charset=utf-8");
        let members = sorted_members(&body);
        assert_eq!(members.contains_key("exitTime"), path == "/push/exit");
        arrived.push((path, members["synId"].as_str().unwrap().to_owned()));
    }
    let count = wanted.len();
    arrived.sort();
    wanted.sort();
    assert_eq!(arrived, wanted);

    let leaving = platform.json("POST", &format!("/sandbox/orders/{}/leave", inside[0]), "");
    assert_eq!(leaving["push"]["accepted"], true);
    let (path, _, body) = pushes.recv_timeout(PATIENCE).unwrap();
    assert_eq!((path.as_str(), &sorted_members(&body)["synId"]), ("/push/exit", &json!(inside[0])));

    let again = json!({"kind": "entrance", "orderId": inside[0]}).to_string();
    assert_eq!(platform.json("POST", "/sandbox/push", &again)["answer"], OK);
    assert_eq!(pushes.recv_timeout(PATIENCE).unwrap().0, "/push/entrance");
    for (bad, status) in [
        (r#"{"kind":"exit"}"#, 400),
        (r#"{"kind":"tow","orderId":"x"}"#, 400),
        (r#"{"kind":"exit","orderId":"x"}"#, 404),
    ] {
        assert_eq!(platform.ask("POST", "/sandbox/push", bad).0, status, "{bad}");
    }
    let said = platform.stop();
    assert!(said.contains(&format!("pushes: {count} owed, {0} requests sent, {0} accepted\n", count + 2)), "{said}");
}

#[test]
fn a_push_that_is_refused_is_sent_three_times() {
    let (addr, pushes) = receiver(r#"{"code":4,"message":"签名校验非法"}"#);
    let url = format!("http://{addr}");
    let platform = Platform::start(&["--push-url", &url, "--push-form", "form"]);
    let bodies: Vec<_> = (0..4).map(|_| pushes.recv_timeout(PATIENCE).unwrap().2).collect();
    let id = |body: &str| body.split("%22").nth(3).unwrap().to_owned();
    assert!(id(&bodies[0]) == id(&bodies[1]) && id(&bodies[0]) == id(&bodies[2]) && id(&bodies[0]) != id(&bodies[3]));
    let inside = platform.orders("inside").remove(0);
    let said = platform.json("POST", "/sandbox/push", &json!({"kind": "entrance", "orderId": inside}).to_string());
    assert_eq!((&said["accepted"], &said["status"]), (&json!(false), &json!(200)));
}

#[test]
fn what_cannot_be_served_is_refused_before_anything_is_done() {
    let refused = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_etcp-recon")).arg("sandbox").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&["--push-url", "http://192.0.2.1/push"]).contains("this machine only"));
    assert!(refused(&["--push-url", "http://127.0.0.1:1/", "--push-form", "xml"]).contains("json, sorted or form"));
    refused(&["--push-storm"]);
    refused(&["--plates-per-user", "4"]);
    assert!(refused(&["--plates-per-user", "3", "--users", "200000"]).contains("fewer users"));
}
