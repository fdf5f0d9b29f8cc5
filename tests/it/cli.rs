//! The command line from outside: exit codes, what stands on which stream, what a mistake is answered with.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

const CONFIG: &str = "\
[merchant]
merchant_no = \"M1\"
app_id = \"ETCP\"
merchant_key = \"0123456789abcdef\"
[platform]
base_url = \"http://127.0.0.1:9\"
retries = 0
[report]
language = \"en\"
";

const BILL: &str = "\
payment_id,order_id,plate,amount,refund_amount,status,paid_at,channel
p1,A,渝A00001,10.00,,success,2026-11-22 09:00:00,alipay
p2,X,渝A00001,3.00,,,2026-11-22 09:05:00,wechat
p3,A,渝A00001,1O.00,,success,2026-11-22 09:10:00,alipay
p4,A,渝A00001,10.00,,closed,2026-11-22 09:15:00,alipay
";

const ORDERS: &str = "\
order_id,plate,parking_id,parking_fee,remaining_fee,cash,entrance_time,exit_time
A,渝A00001,1,10,,0,2026-11-22 08:00:00,2026-11-22 10:00:00
B,渝A00001,1,7,,0,2026-11-22 11:00:00,2026-11-22 12:00:00
";

/// A scratch folder with a configuration, whose platform nobody answers for.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self::bare();
        fs::create_dir(desk.path("inbox")).unwrap();
        desk.write("etcp-recon.toml", CONFIG);
        desk
    }

    fn bare() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_etcp-recon"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command.env_remove("COLUMNS").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        command
    }

    fn run(&self, arguments: &[&str]) -> Said {
        Said::new(&self.command(arguments).output().unwrap())
    }
}

/// How a command ended.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// The whole of standard output, which must be one JSON document.
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    #[track_caller]
    fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.err.contains(word), "`{word}` is missing: {self:#?}");
        }
    }
}

const COMMANDS: &[&[&str]] = &[
    &[],
    &["audit"],
    &["audit", "verify"],
    &["check"],
    &["demo"],
    &["exceptions"],
    &["import"],
    &["init"],
    &["match"],
    &["notifications"],
    &["notifications", "hold"],
    &["notifications", "release"],
    &["notifications", "void"],
    &["plates"],
    &["plates", "bind"],
    &["plates", "import"],
    &["plates", "list"],
    &["plates", "unbind"],
    &["platform"],
    &["platform", "history"],
    &["platform", "login"],
    &["platform", "lot-status"],
    &["platform", "lots"],
    &["platform", "send-code"],
    &["platform", "unpaid"],
    &["push", "serve"],
    &["report"],
    &["run"],
    &["sandbox"],
    &["show"],
];

#[test]
fn every_command_has_help_in_both_lengths() {
    let desk = Desk::bare();
    for command in COMMANDS {
        for flag in ["-h", "--help"] {
            let said = desk.run(&[command, [flag].as_slice()].concat()).ends(0);
            assert!(said.out.contains("Usage: etcp-recon") && said.err.is_empty(), "{said:#?}");
        }
    }
    assert!(desk.run(&["--version"]).ends(0).out.starts_with("etcp-recon "));
}

#[test]
fn the_help_reads_well() {
    let desk = Desk::bare();
    insta::assert_snapshot!("help", desk.run(&["--help"]).ends(0).out);
    insta::assert_snapshot!("help_run", desk.run(&["run", "--help"]).ends(0).out);
}

#[test]
fn wrong_usage_is_2_and_says_what_is_meant() {
    let desk = Desk::new();
    desk.run(&[]).ends(2);
    desk.run(&["runn"]).ends(2).says(&["runn", "'run'"]);
    desk.run(&["run", "--dryrun"]).ends(2).says(&["--dry-run"]);
    desk.run(&["run", "--dry-run", "--offline"]).ends(2).says(&["cannot be used with"]);
    desk.run(&["run", "--date", "2026-11-31"]).ends(2).says(&["2026-11-31", "a day such as 2026-11-22"]);
    desk.run(&["notifications", "void", "X"]).ends(2).says(&["--note"]);
    desk.run(&["notifications", "--status", "lost"]).ends(2).says(&["lost", "acknowledged"]);
    desk.run(&["import", "a.csv", "--profile", "alipay"]).ends(2).says(&["generic", "alipay-trade"]);
    desk.run(&["plates", "import", "a.csv", "--yes"]).ends(2).says(&["--replace"]);
    assert!(!desk.path("recon.db").exists(), "nothing was done");
}

#[test]
fn without_a_configuration_it_is_2_and_says_where_it_looked() {
    let desk = Desk::bare();
    for command in [["run", "--offline"].as_slice(), &["plates", "list"], &["audit", "verify"], &["exceptions"]] {
        let said = desk.run(&[command, &["--config", "gone.toml"]].concat()).ends(2);
        said.says(&["error: ", "gone.toml", "\nhint: "]);
        assert!(said.out.is_empty(), "{said:#?}");
    }
    desk.write("etcp-recon.toml", &format!("{CONFIG}\n[notify]\nenable = true\n"));
    desk.run(&["run"]).ends(2).says(&["etcp-recon.toml:12", "notify.enable"]);
}

#[test]
fn init_writes_once_and_overwrites_nothing() {
    let desk = Desk::bare();
    let said = desk.run(&["init", "new", "--lang", "en"]).ends(0);
    assert!(said.out.contains("new/etcp-recon.toml") && said.out.contains("FILL-IN"), "{said:#?}");
    desk.run(&["init", "new"]).ends(2).says(&["already there", "nothing was written"]);
    desk.run(&["run", "--config", "new/etcp-recon.toml"]).ends(2).says(&["merchant.merchant_no", "not filled in"]);
}

#[test]
fn match_answers_in_json_and_writes_the_exceptions() {
    let desk = Desk::bare();
    desk.write("bill.csv", BILL);
    desk.write("orders.csv", ORDERS);
    let said = desk.run(&["match", "bill.csv", "--orders", "orders.csv", "--json", "--out", "new/out"]).ends(0);
    assert_eq!(
        said.json(),
        json!({
            "schema": 1,
            "payments": {"count": 2, "amount": "13.00", "by": {
                "settled": {"count": 1, "amount": "10.00"},
                "order_not_found": {"count": 1, "amount": "3.00"},
            }},
            "orders": {"count": 2, "amount": "17.00", "by": {
                "settled": {"count": 1, "amount": "10.00"},
                "payment_missing": {"count": 1, "amount": "7.00"},
            }},
            "tie_out": true,
            "set_aside": 1,
        })
    );
    assert!(said.out.ends_with("}\n") && said.err.is_empty(), "{said:#?}");
    assert_eq!(
        fs::read_to_string(desk.path("new/out/exceptions.csv")).unwrap(),
        "kind,payment_id,order_id,plate,paid,due,difference,at\n\
         order_not_found,p2,X,渝A00001,3.00,0.00,3.00,2026-11-22 09:05:00\n\
         payment_missing,,B,渝A00001,0.00,7.00,-7.00,2026-11-22 12:00:00\n"
    );
    let names = fs::read_dir(desk.0.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert_eq!(names, ["bill.csv", "new", "orders.csv"], "no database, no configuration");
}

#[test]
fn match_without_json_is_a_table_for_people() {
    let desk = Desk::bare();
    desk.write("bill.csv", &BILL.replace("3.00", "1234567.00"));
    desk.write("orders.csv", ORDERS);
    insta::assert_snapshot!(
        "match_en",
        desk.run(&["match", "bill.csv", "--orders", "orders.csv", "--lang", "en"]).ends(0).out
    );
    insta::assert_snapshot!("match_zh", desk.run(&["match", "bill.csv", "--orders", "orders.csv"]).ends(0).out);
    let colored = desk.run(&["match", "bill.csv", "--orders", "orders.csv", "--color", "always"]).ends(0);
    assert!(colored.out.contains("\u{1b}["));
}

#[test]
fn match_stops_at_what_it_cannot_read_with_its_place() {
    let desk = Desk::bare();
    desk.write("bill.csv", BILL);
    desk.write("orders.csv", &ORDERS.replace(",7,,", ",7OO,,"));
    let both = ["match", "bill.csv", "--orders", "orders.csv", "--out", "out"];
    let said = desk.run(&both).ends(1);
    said.says(&["error: orders.csv:3, column \"parking_fee\"", "\n  `7OO` is not an amount"]);
    assert!(said.out.is_empty() && !desk.path("out").exists());

    desk.write("orders.csv", ORDERS);
    desk.write("bill.csv", &BILL.replace(",alipay\np2", "\np2"));
    desk.run(&both).ends(1).says(&["bill.csv", "line 2", "7 fields where the header has 8", "\nhint: "]);
    desk.run(&["match", "bill.csv", "--orders", "gone.csv"]).ends(1);
    desk.run(&["match", "gone.csv", "--orders", "orders.csv"]).ends(1).says(&["cannot open gone.csv"]);
}

#[test]
fn the_grace_after_the_exit_can_be_given() {
    let desk = Desk::bare();
    let bill = "payment_id,plate,amount,paid_at\np1,渝A00001,10.00,2026-11-22 10:45:00\n";
    desk.write("bill.csv", bill);
    desk.write("orders.csv", ORDERS);
    let both = ["match", "bill.csv", "--orders", "orders.csv", "--json"];
    assert_eq!(desk.run(&both).ends(0).json()["payments"]["by"]["settled"], Value::Null);
    let said = desk.run(&[both.as_slice(), &["--grace", "1h"]].concat()).ends(0);
    assert_eq!(said.json()["payments"]["by"]["settled"]["count"], 1);
    desk.run(&[both.as_slice(), &["--grace", "soon"]].concat()).ends(2);
}

#[test]
fn plates_are_merged_listed_masked_and_replaced_only_with_consent() {
    let desk = Desk::new();
    desk.write("plates.csv", "mobile,plate,color\n13800000001,渝A00001,1\n13900000002,渝A00002,2\n");
    let said = desk.run(&["plates", "import", "plates.csv"]).ends(0);
    assert_eq!(said.out, "plates: 2 added, 0 changed, 0 unchanged, 0 removed\n");
    let list = desk.run(&["plates", "list", "--json"]).ends(0);
    let expected = json!([
        {"mobile": "138****0001", "plate": "渝A00001", "color": 1},
        {"mobile": "139****0002", "plate": "渝A00002", "color": 2},
    ]);
    assert_eq!(list.json(), expected);
    let shown = desk.run(&["plates", "list"]).ends(0);
    assert_eq!(shown.out.lines().nth(1), Some("138****0001  渝A00001  blue"), "{shown:#?}");

    desk.write("one.csv", "mobile,plate\n13900000002,渝A00001\n");
    let refused = desk.run(&["plates", "import", "one.csv", "--replace"]).ends(2);
    refused.says(&["渝A00002", "139****0002", "--yes", "nothing was changed"]);
    assert_eq!(desk.run(&["plates", "list", "--json"]).json(), expected);

    desk.write("bad.csv", "mobile,plate\n13900000002,渝A00003\n13900000002,xx\n");
    desk.run(&["plates", "import", "bad.csv"]).ends(2).says(&["bad.csv", "line 3", "`xx`"]);
    desk.run(&["plates", "import", "gone.csv"]).ends(2).says(&["gone.csv"]);
    assert_eq!(desk.run(&["plates", "list", "--json"]).json(), expected);

    let replaced = desk.run(&["plates", "import", "one.csv", "--replace", "--yes"]).ends(0);
    assert_eq!(replaced.out, "plates: 0 added, 1 changed, 0 unchanged, 1 removed\n");
    let again = desk.run(&["plates", "import", "one.csv", "--replace"]).ends(0);
    assert_eq!(again.out, "plates: 0 added, 0 changed, 1 unchanged, 0 removed\n");
    for said in [list, shown, refused, replaced] {
        assert!(!said.out.contains("13900000002") && !said.err.contains("13900000002"), "{said:#?}");
    }
}

#[test]
fn a_bill_is_imported_once_and_a_refused_one_is_3() {
    let desk = Desk::new();
    desk.write("bill.csv", BILL);
    let said = desk.run(&["import", "bill.csv"]).ends(0);
    let counts = "2 payments, 0 refunds, 1 ignored, 1 set aside";
    assert_eq!(
        said.out,
        format!(
            "bill.csv: imported, generic — {counts}\n  line 4, column \"amount\": `1O.00` is not an amount of money\n"
        )
    );
    let again = desk.run(&["import", "bill.csv"]).ends(0);
    assert!(again.out.starts_with(&format!("bill.csv: known, generic — {counts}\n")), "{again:#?}");

    desk.write("cut.csv", &BILL.replace(",alipay\np2", "\np2"));
    desk.write("other.csv", &BILL.replace("p1", "q1").replace("p2", "q2"));
    let said = desk.run(&["import", "cut.csv", "gone.csv", "other.csv"]).ends(3);
    assert!(said.out.contains("cut.csv: refused\n  line 2: 7 fields"), "{said:#?}");
    assert!(said.out.contains("gone.csv: refused\n  cannot be read"), "{said:#?}");
    assert!(said.out.contains(&format!("other.csv: imported, generic — {counts}")), "the good one goes in: {said:#?}");

    desk.write("third.csv", &BILL.replace("p1", "r1"));
    desk.run(&["import", "third.csv", "--profile", "wechat-trade"]).ends(3);
    desk.run(&["import", "third.csv", "--profile", "generic"]).ends(0);
}

#[test]
fn while_another_run_holds_the_lock_it_is_75_and_nothing_is_done() {
    let desk = Desk::new();
    desk.write("bill.csv", BILL);
    let lock = File::create(desk.path("recon.db.lock")).unwrap();
    lock.lock().unwrap();
    for arguments in [
        ["import", "bill.csv"].as_slice(),
        &["run", "--offline", "--date", "2026-11-22"],
        &["run", "--date", "2026-11-22", "--json"],
        &["notifications", "void", "X", "--note", "n"],
    ] {
        let said = desk.run(arguments).ends(75);
        said.says(&["another run holds the lock", "nothing was done"]);
        assert!(said.out.is_empty(), "{said:#?}");
    }
    assert!(!desk.path("recon.db").exists());
    desk.run(&["plates", "list"]).ends(0);
    drop(lock);
    desk.run(&["import", "bill.csv"]).ends(0);
}

#[test]
fn the_database_of_another_merchant_is_2() {
    let desk = Desk::new();
    desk.write("bill.csv", BILL);
    desk.run(&["plates", "list"]).ends(0);
    for (from, to) in [("\"M1\"", "\"M2\""), ("127.0.0.1:9", "127.0.0.1:10")] {
        desk.write("etcp-recon.toml", &CONFIG.replace(from, to));
        for arguments in [
            ["run"].as_slice(),
            &["import", "bill.csv"],
            &["plates", "list"],
            &["notifications"],
            &["exceptions"],
            &["audit", "verify"],
        ] {
            desk.run(arguments).ends(2).says(&["belongs to", "\nhint: "]);
        }
    }
}

#[test]
fn an_offline_run_prints_its_summary_alone_and_tells_of_exceptions_when_asked() {
    let desk = Desk::new();
    desk.write("bill.csv", BILL);
    desk.run(&["import", "bill.csv"]).ends(0);
    let run = ["run", "--offline", "--date", "2026-11-22"];
    let said = desk.run(&[run.as_slice(), &["--json"]].concat()).ends(0);
    let summary = said.json();
    assert_eq!(
        (&summary["schema"], &summary["status"], &summary["mode"]),
        (&json!(1), &json!("complete"), &json!("offline"))
    );
    assert_eq!(summary["exceptions"], json!({"opening": 0, "new": 2, "resolved": 0, "closing": 2}));
    assert!(desk.run(&run).ends(0).out.contains("exceptions: 2 open before + 0 new − 0 resolved = 2 open"));
    desk.run(&[run.as_slice(), &["--fail-on-exceptions"]].concat()).ends(10);
    desk.run(&["run", "--offline", "--date", "2026-01-01", "--fail-on-exceptions"]).ends(10);

    let list = desk.run(&["exceptions", "--date", "2026-11-22", "--json"]).ends(0).json();
    let mut keys: Vec<&str> = list[0].as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let mut expected =
        "id,kind,status,date,payment_id,order_id,plate,paid,due,difference,first_seen,last_seen,age_days,note"
            .split(',')
            .collect::<Vec<_>>();
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(
        (&list[0]["payment_id"], &list[0]["paid"], &list[0]["status"]),
        (&json!("p1"), &json!("10.00"), &json!("open"))
    );
    assert_eq!(desk.run(&["exceptions", "--date", "2026-11-21", "--json"]).ends(0).json(), json!([]));
    assert_eq!(desk.run(&["exceptions", "--status", "resolved", "--json"]).ends(0).json(), json!([]));
    assert_eq!(desk.run(&["exceptions"]).ends(0).out.lines().count(), 3);
}

#[test]
fn a_platform_that_cannot_be_reached_makes_the_run_partial() {
    let desk = Desk::new();
    desk.write("plates.csv", "mobile,plate\n13800000001,渝A00001\n");
    desk.run(&["plates", "import", "plates.csv"]).ends(0);
    let said = desk.run(&["run", "--date", "2026-11-22", "--json", "--fail-on-exceptions"]).ends(3);
    assert_eq!(said.json()["coverage"]["failed"][0]["mobile"], "138****0001");
    said.says(&["pulling users: 1\n", "pulling users: 1/1 done\n", "1 plate could not be pulled"]);
    let quiet = desk.run(&["-q", "run", "--date", "2026-11-22", "--json"]).ends(3);
    assert_eq!(quiet.err, "");
}

#[test]
fn a_decision_on_a_notification_that_is_not_there_is_2() {
    let desk = Desk::new();
    for act in ["release", "hold", "void"] {
        let said = desk.run(&["notifications", act, "C-1", "--note", "checked", "--by", "Li"]).ends(2);
        said.says(&["no notification `C-1`", "\nhint: "]);
    }
    assert_eq!(desk.run(&["notifications", "--json"]).ends(0).json(), json!([]));
}

#[test]
fn the_journal_is_verified_and_a_missing_database_is_not_made() {
    let desk = Desk::new();
    desk.run(&["audit", "verify"]).ends(1).says(&["recon.db"]);
    assert!(!desk.path("recon.db").exists());
    desk.run(&["plates", "list"]).ends(0);
    assert!(desk.run(&["audit", "verify"]).ends(0).out.starts_with("the journal is whole: 0 rows"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let desk = Desk::new();
    let rows: Vec<String> = (0..5000).map(|n| format!("13800000001,渝A{n:05}\n")).collect();
    desk.write("plates.csv", &format!("mobile,plate\n{}", rows.concat()));
    desk.run(&["plates", "import", "plates.csv"]).ends(0);
    let mut child = desk.command(&["plates", "list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("user"), "{line}");
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_standard_output_is_an_error() {
    let desk = Desk::bare();
    desk.write("bill.csv", BILL);
    desk.write("orders.csv", ORDERS);
    let mut command = desk.command(&["match", "bill.csv", "--orders", "orders.csv", "--json"]);
    let full = File::options().write(true).open(Path::new("/dev/full")).unwrap();
    Said::new(&command.stdout(full).output().unwrap()).ends(1).says(&["cannot write to standard output"]);
}

#[test]
fn check_tells_wrong_from_wrong_configuration() {
    let desk = Desk::new();
    let said = desk.run(&["check"]).ends(1);
    assert!(said.out.contains("platform: ") && said.err.is_empty(), "{said:#?}");
    let findings = desk.run(&["check", "--json"]).ends(1).json();
    assert!(
        findings["findings"].as_array().unwrap().iter().any(|one| one["what"] == "platform" && one["level"] == "wrong")
    );
    desk.write("etcp-recon.toml", &CONFIG.replace("retries", "retires"));
    let said = desk.run(&["check"]).ends(2);
    assert!(said.out.contains("retires"), "{said:#?}");
}

#[test]
fn show_tells_what_is_known_of_an_id_and_of_an_unknown_one_that_nothing_is() {
    let desk = Desk::new();
    desk.write("bill.csv", BILL);
    desk.run(&["import", "bill.csv"]).ends(0);
    desk.run(&["run", "--offline", "--date", "2026-11-22"]).ends(0);
    let said = desk.run(&["show", "p1"]).ends(0);
    assert!(said.out.contains("bill.csv") && said.out.contains("unverifiable"), "{said:#?}");
    assert!(!said.out.contains('\u{1b}'), "no colours in a pipe: {said:#?}");
    assert_eq!(desk.run(&["show", "p1", "--json"]).ends(0).json()["payments"], json!(["p1"]));
    desk.run(&["show", "gone"]).ends(2).says(&["nothing is known of `gone`", "\nhint: "]);
}

/// A process that does not outlive its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // Both fail when it ended by itself, which is what the test is about.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn the_sandbox_serves_what_a_run_needs_until_it_is_told_to_stop() {
    let desk = Desk::bare();
    let arguments = ["sandbox", "--listen", "127.0.0.1:0", "--dir", "try", "--date", "2026-11-22", "--users", "3"];
    let mut platform = Ended(desk.command(&arguments).stdout(Stdio::piped()).spawn().unwrap());
    let mut out = BufReader::new(platform.0.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("Ctrl-C") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "the sandbox ended");
    }
    let config = ["--config", "try/etcp-recon.toml"];
    desk.run(&[config.as_slice(), &["plates", "import", "try/plates.csv"]].concat()).ends(0);
    let run = [config.as_slice(), &["run", "--date", "2026-11-22", "--json", "--no-email"]].concat();
    let said = desk.run(&run).ends(0);
    assert_eq!(said.json()["tie_out"], true);
    assert!(said.json()["coverage"]["pulled"].as_u64() >= Some(3), "{said:#?}");

    desk.run(&arguments).ends(2).says(&["exists already and is not overwritten"]);
    desk.run(&["sandbox", "--fault", "orderpaid:explode"]).ends(2).says(&["orderpaid:explode"]);
    assert!(Command::new("kill").arg(platform.0.id().to_string()).status().unwrap().success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(rest.starts_with("stopped: "), "{rest}");
    assert_eq!(platform.0.wait().unwrap().code(), Some(0));
}
