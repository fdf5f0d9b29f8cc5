//! Exceptions with a life: resolved by the facts or a person, opened again, every step kept, every run tied to the one before.

use std::process::{Command, Output};

use etcp_recon::jobs::people::{ExceptionVerdict, decide_exception};
use etcp_recon::jobs::run::{Finished, RunOptions, run};
use etcp_recon::jobs::show::{Event, render, show};
use etcp_recon::report::Lang;
use etcp_recon::report::data::{ExceptionRow, ExceptionStatus};
use etcp_recon::sandbox::Stay;
use etcp_recon::store::{PersonsWord, RunLock, RunMode, RunStatus};
use serde_json::Value;

use super::support::{DATE, Rig, at, date, yuan};

const USER: &str = "13800000001";
const A: &str = "渝B757D0";
const B: &str = "渝AD12345";

async fn rig() -> Rig {
    let rig = Rig::new().await;
    rig.bind(USER, A);
    rig.bind(USER, B);
    rig
}

/// One payment of 7.00 for an order that books 8.00.
async fn mismatch() -> Rig {
    let rig = rig().await;
    rig.left("ORDER-A", A, "8.00", "0.00");
    rig.bill("till-20261122.csv", &["p1,ORDER-A,渝B757D0,7.00,,success,2026-11-22 10:00:00,cash"]);
    rig
}

fn decide(rig: &Rig, id: i64, verdict: ExceptionVerdict, note: &str) {
    let word = PersonsWord { by: "Li", note, at: rig.clock.now() };
    decide_exception(&mut rig.store(), id, verdict, word).unwrap();
}

/// Opening, new, resolved, closing: how many and how much.
fn rolled(finished: &Finished) -> [String; 4] {
    let roll = finished.report.exceptions;
    let counted = finished.summary.exceptions;
    assert_eq!(
        [counted.opening, counted.new, counted.resolved, counted.closing],
        [roll.opening.count, roll.new.count, roll.resolved.count, roll.closing.count]
    );
    [roll.opening, roll.new, roll.resolved, roll.closing].map(|total| format!("{} {}", total.count, total.amount()))
}

fn told(finished: &Finished, status: ExceptionStatus) -> Vec<&ExceptionRow> {
    finished.report.exception_rows.iter().filter(|row| row.status == status).collect()
}

fn command(rig: &Rig, arguments: &[&str]) -> Output {
    rig.settings();
    Command::new(env!("CARGO_BIN_EXE_etcp-recon")).args(arguments).current_dir(rig.path("")).output().unwrap()
}

/// Exit code, standard output, standard error.
fn said(rig: &Rig, arguments: &[&str]) -> (i32, String, String) {
    let output = command(rig, arguments);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn json(rig: &Rig, arguments: &[&str]) -> Value {
    let (code, out, err) = said(rig, arguments);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

#[tokio::test]
async fn what_a_person_resolved_stays_resolved_until_the_facts_change() {
    let rig = mismatch().await;
    assert_eq!(rolled(&rig.run().await), ["0 0.00", "1 7.00", "0 0.00", "1 7.00"]);
    decide(&rig, 1, ExceptionVerdict::Resolve, "the till was wrong");
    let after = rig.run().await;
    assert_eq!(rolled(&after), ["1 7.00", "0 0.00", "1 7.00", "0 0.00"], "a person's act counts in the next run");
    let [row] = told(&after, ExceptionStatus::Resolved)[..] else { panic!("{:?}", after.report.exception_rows) };
    assert_eq!((row.why.en.as_str(), row.note.as_deref()), ("Resolved by Li.", Some("the till was wrong")));
    assert_eq!(rolled(&rig.run().await), ["0 0.00", "0 0.00", "0 0.00", "0 0.00"], "the same facts open nothing");

    rig.bill("till-20261123.csv", &["p1,ORDER-A,渝B757D0,2.00,,refund,2026-11-23 10:00:00,cash"]);
    rig.clock.set(at("2026-11-24 10:30:00"));
    let changed = rig.run_of("2026-11-23").await;
    assert_eq!(rolled(&changed), ["0 0.00", "1 5.00", "0 0.00", "1 5.00"]);
    assert_eq!(changed.summary.exceptions.reopened, 1);
    let [row] = told(&changed, ExceptionStatus::New)[..] else { panic!("{:?}", changed.report.exception_rows) };
    assert_eq!((row.id, row.first_seen), (Some(1), date("2026-11-23")), "the same exception");
    assert!(row.why.en.starts_with("The facts changed after Li had resolved it"), "{}", row.why.en);
    assert!(row.why.zh.contains("Li 处理后事实有变") && row.note.as_deref() == Some("the till was wrong"));
    assert_eq!(rolled(&rig.run_of("2026-11-23").await), ["1 5.00", "0 0.00", "0 0.00", "1 5.00"]);

    let history = rig.store().exception_history(1).unwrap();
    let steps: Vec<_> =
        history.iter().map(|step| (step.act.name(), step.person.as_deref(), step.paid.to_string())).collect();
    assert_eq!(
        steps,
        [
            ("opened", None, "7.00".to_owned()),
            ("resolved", Some("Li"), "7.00".to_owned()),
            ("reopened", None, "5.00".to_owned())
        ]
    );
}

#[tokio::test]
async fn another_kind_of_the_same_subject_opens_what_a_person_resolved_again() {
    let rig = rig().await;
    rig.bill("till.csv", &["p1,ORDER-A,渝B757D0,7.00,,success,2026-11-22 10:00:00,cash"]);
    rig.run().await;
    decide(&rig, 1, ExceptionVerdict::Resolve, "asked ETCP");
    rig.left("ORDER-A", A, "8.00", "0.00");
    let became = rig.run().await;
    assert_eq!(rolled(&became), ["1 7.00", "1 7.00", "1 7.00", "1 7.00"]);
    let [one] = &rig.store().open_exceptions().unwrap()[..] else { panic!() };
    assert_eq!((one.id, one.facts.kind.as_str()), (1, "amount_mismatch"));
}

#[tokio::test]
async fn what_the_facts_resolved_is_the_same_exception_when_it_comes_back() {
    let rig = mismatch().await;
    rig.run().await;
    rig.left("ORDER-A", A, "7.00", "0.00");
    let gone = rig.run().await;
    assert_eq!(rolled(&gone), ["1 7.00", "0 0.00", "1 7.00", "0 0.00"]);
    rig.left("ORDER-A", A, "8.00", "0.00");
    let back = rig.run().await;
    assert_eq!(rolled(&back), ["0 0.00", "1 7.00", "0 0.00", "1 7.00"]);
    let [row] = told(&back, ExceptionStatus::New)[..] else { panic!() };
    assert!(row.id == Some(1) && row.why.en.starts_with("It had gone and is back."), "{row:?}");
    assert_eq!(rig.store().exceptions().unwrap().len(), 1);
}

#[tokio::test]
async fn a_carried_one_whose_amount_changed_moves_the_difference_and_counts_nothing() {
    let rig = rig().await;
    let books = |fee: &str| rig.left("ORDER-C", A, fee, "0.00");
    books("8.00");
    rig.run().await;
    books("9.50");
    assert_eq!(rolled(&rig.run().await), ["1 8.00", "0 1.50", "0 0.00", "1 9.50"]);
    books("6.00");
    let fell = rig.run().await;
    assert_eq!(rolled(&fell), ["1 9.50", "0 0.00", "0 3.50", "1 6.00"]);
    assert_eq!(told(&fell, ExceptionStatus::Carried).len(), 1);
    let history = rig.store().exception_history(1).unwrap();
    let steps: Vec<_> = history.iter().map(|step| (step.act.name(), step.change.to_string())).collect();
    let expected = [("opened", "8.00"), ("changed", "1.50"), ("changed", "-3.50")];
    assert_eq!(steps, expected.map(|(act, change)| (act, change.to_owned())));
}

#[tokio::test]
async fn a_person_opens_again_and_the_next_run_looks() {
    let rig = mismatch().await;
    rig.run().await;
    decide(&rig, 1, ExceptionVerdict::Resolve, "done");
    decide(&rig, 1, ExceptionVerdict::Reopen, "not done");
    let both = rig.run().await;
    assert_eq!(rolled(&both), ["1 7.00", "1 7.00", "1 7.00", "1 7.00"], "both acts count");
    let [row] = told(&both, ExceptionStatus::New)[..] else { panic!() };
    assert!(row.why.en.starts_with("Li opened it again.") && row.note.as_deref() == Some("not done"), "{row:?}");
    assert!(told(&both, ExceptionStatus::Carried).is_empty());
    rig.left("ORDER-A", A, "7.00", "0.00");
    rig.run().await;
    decide(&rig, 1, ExceptionVerdict::Reopen, "I do not believe it");
    assert_eq!(rolled(&rig.run().await), ["0 0.00", "1 7.00", "1 7.00", "0 0.00"], "the facts end it again");
}

#[tokio::test]
async fn dry_runs_change_nothing_and_offline_runs_are_a_link_of_the_chain() {
    let rig = mismatch().await;
    let dry = rig.try_run(RunMode::DryRun).await.unwrap();
    assert_eq!(rolled(&dry), ["0 0.00", "0 0.00", "0 0.00", "0 0.00"]);
    assert!(rig.store().last_roll_forward().unwrap().is_none());
    rig.run().await;
    decide(&rig, 1, ExceptionVerdict::Resolve, "done");
    let dry = rig.try_run(RunMode::DryRun).await.unwrap();
    assert_eq!(
        rolled(&dry),
        ["1 7.00", "0 0.00", "1 7.00", "0 0.00"],
        "it tells what was done, and leaves it to be counted"
    );
    rig.left("ORDER-C", B, "3.00", "0.00");
    let offline = rig.try_run(RunMode::Offline).await.unwrap();
    assert_eq!(rolled(&offline), ["1 7.00", "0 0.00", "1 7.00", "0 0.00"]);
    assert_eq!(rolled(&rig.run().await), ["0 0.00", "1 3.00", "0 0.00", "1 3.00"]);
}

#[tokio::test]
async fn a_bill_that_comes_after_the_window_ends_an_exception_that_is_still_open() {
    let rig = rig().await;
    rig.left("ORDER-C", A, "8.00", "0.00");
    rig.run().await;
    rig.bill("late.csv", &["p1,ORDER-C,渝B757D0,8.00,,success,2026-11-22 10:00:00,cash"]);
    rig.clock.set(at("2026-12-05 10:30:00"));
    assert_eq!(rolled(&rig.run_of("2026-12-04").await), ["1 8.00", "0 0.00", "1 8.00", "0 0.00"]);
}

#[tokio::test]
async fn an_exception_older_than_the_window_is_not_ended_by_forgetting_what_it_stood_beside() {
    let mut rig = rig().await;
    rig.extra = "[[bills.source]]\nname = \"till\"\nfiles = \"till*\"\n[[bills.source]]\nname = \"flow\"\nfiles = \"flow*\"\nrole = \"ledger\"\nid_prefix = \"F-\"\n".to_owned();
    rig.left("ORDER-C", A, "8.00", "0.00");
    rig.left("ORDER-D", B, "5.00", "0.00");
    let header = "payment_id,trade_no,order_id,plate,amount,status,paid_at";
    let rows = [
        "p1,T1,ORDER-C,渝B757D0,8.00,,2026-11-22 10:00:00",
        "p2,T2,ORDER-C,渝B757D0,8.00,,2026-11-22 11:00:00",
        "p3,T3,ORDER-D,渝AD12345,5.00,,2026-11-22 11:00:00",
    ];
    std::fs::write(rig.path("inbox/till.csv"), format!("{header}\n{}\n", rows.join("\n"))).unwrap();
    std::fs::write(rig.path("inbox/flow.csv"), format!("{header}\nf3,T3,,,5.01,,2026-11-22 11:00:00\n")).unwrap();
    let first = rig.run().await;
    let kinds =
        |rig: &Rig| rig.store().open_exceptions().unwrap().into_iter().map(|row| row.facts.kind).collect::<Vec<_>>();
    assert_eq!(kinds(&rig), ["duplicate_payment", "bill_disagrees"], "{:?}", first.summary.payments);
    rig.clock.set(at("2026-12-05 10:30:00"));
    let later = rig.run_of("2026-12-04").await;
    assert_eq!(rolled(&later), ["2 13.00", "0 0.00", "0 0.00", "2 13.00"], "{:?}", later.report.exception_rows);
}

#[tokio::test]
async fn a_run_whose_exceptions_do_not_tie_out_fails() {
    let rig = mismatch().await;
    rig.run().await;
    #[expect(clippy::disallowed_methods, reason = "goes past the store on purpose")]
    let raw = rusqlite::Connection::open(rig.path("recon.db")).unwrap();
    raw.execute_batch("UPDATE exception SET status = 'resolved', resolved_at = 1, resolved_by = 'nobody'").unwrap();
    let (code, out, err) = said(&rig, &["run", "--offline", "--date", DATE, "--no-email", "--json"]);
    assert!(code == 1 && err.contains("do not tie out: 1 of 7.00 before") && err.contains("hint: "), "{code} {err}");
    assert!(out.contains("\"status\": \"failed\""), "{out}");
    assert_eq!(rig.store().last_roll_forward().unwrap().unwrap().closing.count, 1, "nothing of it is kept");
}

#[tokio::test]
async fn a_decision_needs_an_exception_a_name_and_a_reason() {
    let rig = mismatch().await;
    rig.run().await;
    let refused = |arguments: &[&str], why: &str| {
        let (code, out, err) = said(&rig, &[&["exceptions"], arguments].concat());
        assert!(code == 2 && out.is_empty() && err.contains(why), "{arguments:?}: {code} {err}");
        err
    };
    refused(&["resolve", "1"], "--note");
    refused(&["resolve", "1", "--note", ""], "--note");
    refused(&["resolve", "1", "--note", " \t"], "it is blank");
    refused(&["resolve", "1", "--note", "x", "--by", " "], "it is blank");
    refused(&["resolve", "none", "--note", "x"], "none");
    let unknown = refused(&["resolve", "7", "--note", "x"], "there is no exception 7");
    assert!(unknown.contains("hint: `etcp-recon exceptions --status all`"), "{unknown}");
    let open = refused(&["reopen", "1", "--note", "x"], "exception 1 is open already");
    assert!(open.contains("hint: `etcp-recon exceptions resolve 1 --note TEXT`"), "{open}");
    assert_eq!(rig.store().exception_history(1).unwrap().len(), 1, "nothing was done");

    let (code, out, err) = said(&rig, &["exceptions", "resolve", "1", "--note", " the till was wrong ", "--by", "Li"]);
    assert!(code == 0 && out.contains("1 amount_mismatch 7.00: open → resolved (Li)"), "{out}{err}");
    let again = refused(&["resolve", "1", "--note", "x"], "exception 1 is resolved already, ");
    assert!(again.contains("by Li (the till was wrong)\nhint: `etcp-recon exceptions reopen 1"), "{again}");
    let (code, out, err) = said(&rig, &["--lang", "zh", "exceptions", "reopen", "1", "--note", "no"]);
    assert!(code == 0 && out.contains("已解决 → 未处理"), "{out}{err}");
    let history = rig.store().exception_history(1).unwrap();
    let user = history[2].person.clone().unwrap();
    assert!(!user.is_empty() && user != "Li", "the system's user: {user}");
    let journal: Vec<_> = rig.store().journal_of("1").unwrap().into_iter().map(|row| (row.kind, row.detail)).collect();
    assert_eq!(journal[1], ("exception.resolved".to_owned(), r#"{"by":"Li","note":"the till was wrong"}"#.to_owned()));
    assert_eq!(journal[2].0, "exception.reopened");
    assert_eq!(said(&rig, &["audit", "verify"]).0, 0);
}

#[tokio::test]
async fn nothing_is_decided_while_a_run_is_under_way() {
    let rig = mismatch().await;
    rig.run().await;
    let lock = RunLock::try_acquire(&rig.path("recon.db")).unwrap().unwrap();
    assert_eq!(said(&rig, &["exceptions", "resolve", "1", "--note", "x"]).0, 75);
    drop(lock);
    assert_eq!(said(&rig, &["exceptions", "resolve", "1", "--note", "x"]).0, 0);
}

#[tokio::test]
async fn an_exception_is_not_opened_again_beside_another_of_its_subject() {
    let rig = rig().await;
    rig.bill("till.csv", &["p1,ORDER-A,渝B757D0,7.00,,success,2026-11-22 10:00:00,cash"]);
    rig.run().await;
    rig.left("ORDER-A", A, "8.00", "0.00");
    rig.run().await;
    let (code, _, err) = said(&rig, &["exceptions", "reopen", "1", "--note", "x"]);
    assert!(code == 2 && err.contains("2 is open for the same payment") && err.contains("hint: "), "{err}");
}

#[tokio::test]
async fn show_tells_the_life_of_an_exception_by_its_number_and_by_its_subject() {
    let rig = mismatch().await;
    rig.run().await;
    decide(&rig, 1, ExceptionVerdict::Resolve, "the till was wrong");
    rig.run().await;
    rig.left("ORDER-A", A, "9.00", "0.00");
    rig.run().await;
    rig.left("ORDER-A", A, "7.00", "0.00");
    rig.run().await;
    let steps = |id: &str| {
        let story = show(&rig.store(), id).unwrap().unwrap();
        assert!(story.entries.is_sorted_by_key(|entry| entry.at));
        let steps = story.entries.into_iter().filter_map(|entry| match entry.event {
            Event::Exception(step) => Some((step.id, step.act, step.by, step.note)),
            Event::BillRow(_)
            | Event::Order(_)
            | Event::Push(_)
            | Event::PushContradiction(_)
            | Event::Journal(_)
            | Event::Outcome(_) => None,
        });
        steps.collect::<Vec<_>>()
    };
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        (1, "opened", None, None),
        (1, "resolved", text("Li"), text("the till was wrong")),
        (1, "reopened", None, text("the facts changed")),
        (1, "resolved", None, text("now settled")),
    ];
    for id in ["1", "#1", "p1", "ORDER-A", "order-a"] {
        assert_eq!(steps(id), expected, "{id}");
    }
    assert!(show(&rig.store(), "2").unwrap().is_none() && show(&rig.store(), "#p1").unwrap().is_none());
    let story = show(&rig.store(), "1").unwrap().unwrap();
    let english = render(&story, Lang::En, false).join("\n");
    assert!(
        english.contains("exception 1 is resolved: Amounts differ (amount_mismatch), paid 7.00, due 8.00")
            && english.contains("(by Li: the till was wrong)"),
        "{english}"
    );
    let chinese = render(&story, Lang::Zh, false).join("\n");
    assert!(chinese.contains("差异 1 再次打开：金额不符 (amount_mismatch)，实付 7.00、应付 9.00"), "{chinese}");
    let (code, out, err) = said(&rig, &["show", "1"]);
    assert!(code == 0 && out.contains("opens again"), "{out}{err}");
}

/// Four open ones of two days, plates and kinds, and a resolved one; a plate that a spreadsheet would take for a formula.
async fn listed() -> Rig {
    let rig = mismatch().await;
    rig.left("ORDER-C", B, "1234.50", "0.00");
    rig.bill("more.csv", &["=p2,ORDER-X,渝B757D0,3.00,,success,2026-11-22 11:00:00,cash"]);
    rig.run().await;
    rig.order(
        "ORDER-D",
        A,
        "2026-11-23 08:00:00",
        Stay::Left { fee: yuan("4.00"), cash: yuan("0.00"), exit_at: at("2026-11-23 18:00:00") },
    );
    rig.clock.set(at("2026-11-24 10:30:00"));
    rig.run_of("2026-11-23").await;
    let row = rig
        .store()
        .exceptions()
        .unwrap()
        .into_iter()
        .find(|row| row.facts.order_id.as_deref() == Some("ORDER-C"))
        .unwrap();
    decide(&rig, row.id, ExceptionVerdict::Resolve, "ETCP 已更正");
    rig
}

fn subjects(rows: &Value) -> Vec<&str> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["payment_id"].as_str().or(row["order_id"].as_str()).unwrap()).collect()
}

#[tokio::test]
async fn the_list_is_filtered_by_date_status_kind_and_plate() {
    let rig = listed().await;
    let list = |arguments: &[&str]| {
        let rows = json(&rig, &[&["exceptions", "--json"], arguments].concat());
        let mut found: Vec<_> = subjects(&rows).into_iter().map(str::to_owned).collect();
        found.sort();
        found
    };
    assert_eq!(list(&[]), ["=p2", "ORDER-D", "p1"]);
    assert_eq!(list(&["--status", "resolved"]), ["ORDER-C"]);
    assert_eq!(list(&["--status", "all"]), ["=p2", "ORDER-C", "ORDER-D", "p1"]);
    assert_eq!(list(&["--date", "2026-11-23"]), ["ORDER-D"]);
    assert_eq!(list(&["--kind", "payment_missing", "--status", "all"]), ["ORDER-C", "ORDER-D"]);
    assert_eq!(list(&["--plate", "渝A·D12345", "--status", "all"]), ["ORDER-C"]);
    assert!(list(&["--plate", "京A00001"]).is_empty());
    let (code, _, err) = said(&rig, &["exceptions", "--kind", "settled"]);
    assert!(code == 2 && err.contains("settled"), "{err}");
    assert_eq!(said(&rig, &["exceptions", "--json", "--csv"]).0, 2);
}

#[tokio::test]
async fn the_json_of_an_exception_has_exactly_the_promised_fields() {
    let rig = listed().await;
    let rows = json(&rig, &["exceptions", "--json", "--status", "resolved"]);
    let row = rows[0].as_object().unwrap();
    let fields = [
        "id",
        "kind",
        "status",
        "date",
        "payment_id",
        "order_id",
        "plate",
        "paid",
        "due",
        "difference",
        "first_seen",
        "last_seen",
        "age_days",
        "note",
    ];
    let mut sorted = fields;
    sorted.sort_unstable();
    let mut names: Vec<&str> = row.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, sorted);
    assert_eq!(row["payment_id"], Value::Null);
    let texts = ["kind", "status", "date", "order_id", "plate", "paid", "due", "difference", "note"]
        .map(|name| row[name].as_str().unwrap());
    assert_eq!(
        texts,
        ["payment_missing", "resolved", "2026-11-22", "ORDER-C", B, "0.00", "1234.50", "-1234.50", "ETCP 已更正"]
    );
    assert_eq!(row["age_days"], 1, "counted to the day on which it was resolved");
}

#[tokio::test]
async fn the_csv_of_the_list_opens_in_a_spreadsheet_and_runs_nothing() {
    let rig = listed().await;
    let output = command(&rig, &["exceptions", "--csv", "--status", "all"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with('\u{feff}') && text.contains("\r\n"), "{text:?}");
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header[..4], ["id", "name", "kind", "status"]);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row.len() == header.len()));
    assert!(rows.iter().any(|row| &row[5] == "'=p2"), "{rows:?}");
    assert!(rows.iter().any(|row| &row[10] == "-1234.50" && &row[14] == "ETCP 已更正"), "{rows:?}");
    let chinese = said(&rig, &["--lang", "zh", "exceptions", "--csv"]).1;
    assert!(chinese.starts_with("\u{feff}编号,差异,差异代码,状态"), "{chinese}");
}

#[tokio::test]
async fn the_table_for_people_is_coloured_on_a_terminal_and_plain_in_a_pipe() {
    let rig = mismatch().await;
    rig.run().await;
    let shown = said(&rig, &["--color", "always", "exceptions"]).1;
    let line = shown.lines().find(|line| line.contains("amount_mismatch")).unwrap();
    assert!(line.contains("7.00") && line.contains("-1.00") && line.contains("\u{1b}["), "{line}");
    let plain = said(&rig, &["--lang", "zh", "exceptions"]).1;
    assert!(plain.contains("天数") && plain.contains("金额不符") && plain.contains("未处理"), "{plain}");
    assert!(!plain.contains('\u{1b}'), "{plain}");
}

#[tokio::test]
async fn a_run_tells_count_and_amount_and_what_opened_again() {
    let rig = mismatch().await;
    rig.run().await;
    decide(&rig, 1, ExceptionVerdict::Resolve, "done");
    rig.left("ORDER-A", A, "9.00", "0.00");
    let (code, out, err) = said(&rig, &["run", "--offline", "--date", DATE, "--no-email"]);
    assert!(code == 0 && out.contains("exceptions: 1 open before + 0 new − 1 resolved = 0 open"), "{out}{err}");
    assert!(out.contains("amounts: 7.00 + 0.00 − 7.00 = 0.00"), "{out}");
    let options = RunOptions { date: date(DATE), mode: RunMode::Live, no_email: true };
    let silent = etcp_recon::jobs::progress::Silent;
    let finished = run(&rig.settings(), options, &rig.clock, &silent).await.unwrap();
    assert_eq!((finished.status, finished.summary.exceptions.reopened), (RunStatus::Complete, 1));
    let summary = serde_json::to_value(&finished.summary).unwrap();
    let names: Vec<_> = summary["exceptions"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["closing", "new", "opening", "resolved"], "no more than is promised");
}
