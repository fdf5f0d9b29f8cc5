//! The invariants of `lib.rs` that a reader of `use` lines can keep: who may do IO, hold SQL, open sockets, read the environment.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The lines outside tests and comments that hold one of `words`, in files that `forbidden` names.
fn offenders(words: &[&str], forbidden: impl Fn(&str) -> bool) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut offenders = Vec::new();
    for path in sources(&root) {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        let is_test = name.contains("test") || name.contains("model_check") || name.contains("naive");
        if is_test || !forbidden(&name) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        for (number, line) in (1..).zip(code.lines()) {
            let is_comment = line.trim_start().starts_with("//");
            if !is_comment && words.iter().any(|word| line.contains(word)) {
                offenders.push(format!("{name}:{number}: {}", line.trim()));
            }
        }
    }
    offenders
}

fn within(name: &str, module: &str) -> bool {
    name == format!("{module}.rs") || name.starts_with(&format!("{module}/"))
}

#[test]
fn the_model_and_the_rules_do_no_io() {
    let words = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "tokio",
        "reqwest",
        "rusqlite",
        "lettre",
        "rand::",
        "SystemTime",
        "clock::",
    ];
    let pure =
        |name: &str| within(name, "model") || within(name, "recon") || within(name, "notify") || within(name, "bills");
    assert_eq!(offenders(&words, pure), Vec::<String>::new());
}

#[test]
fn only_the_store_holds_sql() {
    assert_eq!(offenders(&["rusqlite", "SELECT ", "INSERT INTO"], |name| !within(name, "store")), Vec::<String>::new());
}

#[test]
fn only_the_client_the_mail_the_push_receiver_and_the_sandbox_open_sockets() {
    let modules = ["etcp/client", "report/mail", "push", "sandbox"];
    let allowed = |name: &str| modules.iter().any(|module| within(name, module));
    let words = ["reqwest::", "TcpStream", "TcpListener", "AsyncSmtpTransport", "axum::", "hyper::", "hyper_util::"];
    assert_eq!(offenders(&words, |name| !allowed(name)), Vec::<String>::new());
}

#[test]
fn telling_the_platform_knows_nothing_of_pushes() {
    let telling = |name: &str| within(name, "notify") || within(name, "jobs/notify");
    let words = ["event::", "ParkingEvent", "EventFinding", "StoredEvent", "exit_events", "events_of", "push_event"];
    assert_eq!(offenders(&words, telling), Vec::<String>::new());
    // Nor does what is judged for it: the orders that it may tell of, and who is due.
    assert_eq!(
        offenders(&["exit_events", "older_orders_of_exits"], |name| name == "jobs/evidence.rs"),
        Vec::<String>::new()
    );
}

#[test]
fn only_the_config_reads_the_environment() {
    assert_eq!(offenders(&["env::var", "env::vars"], |name| !within(name, "config")), Vec::<String>::new());
}

#[test]
fn no_amount_goes_through_a_binary_float() {
    let mut found = offenders(&["f64", "f32"], |_| true);
    // serde's visitor must have it; with `arbitrary_precision` it is never called for a number in an answer.
    found.retain(|line| !line.contains("fn visit_f64"));
    // A spreadsheet's numbers are binary floats: each is the nearest to its decimal, and nothing is computed with it.
    found.retain(|line| !line.starts_with("report/xlsx/number.rs:"));
    // Pixels of a picture.
    found.retain(|line| !line.starts_with("report/chart/canvas.rs:"));
    assert_eq!(found, Vec::<String>::new());
}
