//! `push serve` as its user has it: the binary, its configuration, signals, and `kill -9` in the middle of a stream.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use etcp_recon::sandbox::{PushForm, Settings, Size, Stay, seeded};

use super::pusher::{JSON, KEY, Line, MERCHANT, OK, exit, signed, stored};

const OUT: &str = "/push/exit";

/// A folder with a configuration.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new(push: &str) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let config = format!(
            "[merchant]\nmerchant_no = \"{MERCHANT}\"\napp_id = \"ETCP\"\nmerchant_key = \"{KEY}\"\n\
             [platform]\nbase_url = \"http://127.0.0.1:9\"\n{push}\n"
        );
        fs::write(desk.path("etcp-recon.toml"), config).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_etcp-recon"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

/// A running `push serve`, which does not outlive its test.
struct Serving {
    child: Child,
    out: BufReader<ChildStdout>,
    /// Its first line.
    welcome: String,
    addr: SocketAddr,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Both fail when it ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Serving {
    fn start(desk: &Desk, flags: &[&str]) -> Self {
        let mut child = desk.command(&[&["push", "serve"], flags].concat()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let addr = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("where it listens");
        Self { addr: addr.parse().unwrap(), child, out, welcome: line }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as a service manager does: its last line, and its log.
    fn terminate(mut self) -> (String, String) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        (rest, log)
    }
}

fn id(number: usize) -> String {
    format!("K-{number:05}")
}

/// Posts one push after the other until the receiver is gone; tells of each that was answered 0.
fn stream(addr: SocketAddr, numbers: impl Iterator<Item = usize>, answered: &Mutex<BTreeSet<String>>) {
    let Ok(mut line) = Line::open(addr) else { return };
    for number in numbers {
        match line.send("POST", OUT, JSON, signed(&exit(&id(number), 500)).as_bytes()) {
            Ok(reply) => {
                assert_eq!(reply.body, OK);
                answered.lock().unwrap().insert(id(number));
            }
            Err(_) => return,
        }
    }
}

#[test]
fn what_was_answered_0_is_in_the_database_after_kill_9_and_what_comes_again_is_known() {
    let desk = Desk::new("[push]\nlisten = \"127.0.0.1:0\"");
    for (round, after) in [1, 30, 200].into_iter().enumerate() {
        let serving = Serving::start(&desk, &["--lang", "en"]);
        let (addr, answered) = (serving.addr, Mutex::new(BTreeSet::new()));
        let first = round * 100_000;
        thread::scope(|scope| {
            for sender in 0..8 {
                let numbers = (first + sender..).step_by(8);
                let answered = &answered;
                scope.spawn(move || stream(addr, numbers, answered));
            }
            let patience = Instant::now().checked_add(Duration::from_mins(1)).unwrap();
            while answered.lock().unwrap().len() < after {
                assert!(Instant::now() < patience, "nothing is answered");
                thread::yield_now();
            }
            // Whatever is under way now, between commit and answer too, is under way when it dies.
            serving.kill();
        });
        let answered = answered.into_inner().unwrap();
        let kept: Vec<String> = stored(&desk.path("recon.db")).into_iter().map(|(_, id)| id).collect();
        let distinct: BTreeSet<String> = kept.iter().cloned().collect();
        assert_eq!(kept.len(), distinct.len());
        assert!(answered.is_subset(&distinct), "{:?}", answered.difference(&distinct));
        // The platform sends again what it got no answer to, and more: all of it is known or new, once.
        let serving = Serving::start(&desk, &["--lang", "en"]);
        let again = Mutex::new(BTreeSet::new());
        stream(serving.addr, (first..).take(answered.len() + 16), &again);
        let again = again.into_inner().unwrap();
        assert_eq!(again.len(), answered.len() + 16);
        let (said, _) = serving.terminate();
        let kept_after = stored(&desk.path("recon.db"));
        let distinct_after: BTreeSet<String> = kept_after.iter().map(|(_, id)| id.clone()).collect();
        assert_eq!(kept_after.len(), distinct_after.len());
        assert_eq!(distinct_after, distinct.union(&again).cloned().collect());
        let new = distinct_after.len() - distinct.len();
        assert!(
            said.contains(&format!("{} received, {new} new, {} repeated", again.len(), again.len() - new)),
            "{said}"
        );
    }
}

#[test]
fn without_a_push_section_or_a_key_it_says_what_to_do() {
    let none = Desk::new("").run(&["push", "serve", "--lang", "en"]);
    let said = String::from_utf8(none.stderr).unwrap();
    assert_eq!(none.status.code(), Some(2), "{said}");
    assert!(said.contains("there is no [push] section") && said.contains("hint: add [push]"), "{said}");

    let desk = Desk::new("[push]\nlisten = \"127.0.0.1:0\"");
    let config = fs::read_to_string(desk.path("etcp-recon.toml")).unwrap();
    let line = format!("merchant_key = \"{KEY}\"\n");
    fs::write(desk.path("etcp-recon.toml"), config.replace(&line, "")).unwrap();
    let keyless = desk.run(&["push", "serve"]);
    let said = String::from_utf8(keyless.stderr).unwrap();
    assert_eq!(keyless.status.code(), Some(2), "{said}");
    assert!(said.contains("merchant_key") && !desk.path("recon.db").exists(), "{said}");
}

#[test]
fn an_address_in_use_and_another_merchants_database_are_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let desk = Desk::new(&format!("[push]\nlisten = \"{addr}\""));
    let refused = desk.run(&["push", "serve"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains(&addr.to_string()) && said.contains("hint: "), "{said}");

    let config = fs::read_to_string(desk.path("etcp-recon.toml")).unwrap();
    fs::write(desk.path("etcp-recon.toml"), config.replace(MERCHANT, "M2")).unwrap();
    let foreign = desk.run(&["push", "serve"]);
    let said = String::from_utf8(foreign.stderr).unwrap();
    assert_eq!(foreign.status.code(), Some(2), "{said}");
    assert!(said.contains("belongs to merchant number"), "{said}");
}

#[test]
fn it_speaks_both_languages_and_its_log_shows_nothing_of_a_stranger() {
    let desk = Desk::new("[push]\nlisten = \"127.0.0.1:0\"\npath_prefix = \"\"");
    let serving = Serving::start(&desk, &["-vvv", "--lang", "zh"]);
    assert!(serving.welcome.starts_with("正在接收推送：http://127.0.0.1:"), "{}", serving.welcome);
    let forged = signed(&exit("STRANGER", 1)).replace("ATX061", "ATX062");
    for body in [forged.as_str(), &signed(&exit("a", 1)), &signed(&exit("a", 2)), "STRANGER", &forged] {
        Line::open(serving.addr).unwrap().send("POST", "/exit", JSON, body.as_bytes()).unwrap();
    }
    let (said, log) = serving.terminate();
    assert!(said.contains("收到 5，新增 1，重复 0，内容不一致 1，签名不符 2，无法读取 1，未能保存 0"), "{said}");
    assert!(log.contains("signature that does not fit") && log.contains("push.syn_id=a"), "{log}");
    assert!(!log.contains("STRANGER") && !log.contains("ATX06") && !log.contains(KEY), "{log}");
    assert_eq!(log.matches("signature that does not fit").count(), 1, "{log}");
}

/// The sandbox, sending the pushes of a small world; it does not outlive its test.
struct Sending(Child);

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn the_sandboxs_own_pushes_are_taken_in_each_of_its_forms() {
    let date = "2026-11-22";
    let world = seeded(1, date.parse().unwrap(), Size { users: 3, orders: 12 }).world;
    let mut expected = Vec::new();
    for order in world.orders() {
        let id = order.order_id.to_string();
        expected.push(("entrance".to_owned(), id.clone()));
        if matches!(order.stay, Stay::Left { .. }) {
            expected.push(("exit".to_owned(), id));
        }
    }
    expected.sort();
    assert!(expected.iter().any(|(kind, _)| kind == "exit"));
    for form in PushForm::ALL {
        let desk = Desk::new("[push]\nlisten = \"127.0.0.1:0\"");
        let config = fs::read_to_string(desk.path("etcp-recon.toml")).unwrap();
        let Settings { merchant_no, merchant_key, .. } = world.settings();
        let own = format!("merchant_key = \"{merchant_key}\"");
        let config = config.replace(&format!("merchant_key = \"{KEY}\""), &own).replace(MERCHANT, merchant_no);
        fs::write(desk.path("etcp-recon.toml"), config).unwrap();
        let serving = Serving::start(&desk, &["--lang", "en"]);
        let url = format!("http://{}/push", serving.addr);
        let sandbox = ["sandbox", "--listen", "127.0.0.1:0", "--date", date, "--users", "3", "--orders", "12"];
        let push = ["--push-url", &url, "--push-form", form.name(), "--push-storm"];
        let sending = Sending(desk.command(&[&sandbox[..], &push].concat()).spawn().unwrap());
        let patience = Instant::now().checked_add(Duration::from_mins(1)).unwrap();
        while stored(&desk.path("recon.db")) != expected {
            assert!(Instant::now() < patience, "{form:?}: {:?} of {expected:?}", stored(&desk.path("recon.db")));
            thread::yield_now();
        }
        drop(sending);
        let (said, _) = serving.terminate();
        assert!(said.contains("0 contradicting, 0 forged, 0 malformed, 0 not stored"), "{form:?}: {said}");
    }
}
