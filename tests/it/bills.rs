//! Bills of the channels, from the inbox to the report.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use etcp_recon::jobs::run::Finished;
use etcp_recon::jobs::summary::BillSummary;
use etcp_recon::model::Disposition;
use etcp_recon::store::RunStatus;
use serde_json::Value;

use super::support::{DATE, Rig, payments};

const USER: &str = "13800000001";
const PLATE: &str = "渝B757D0";

/// Where the samples' order numbers stand, as a merchant's config says it.
const SOURCES: &str = r#"
[[bills.source]]
name = "wechat"
files = "1900*"
order_id = { column = "商户数据包", pattern = 'session\\":\\"(S\d+)' }

[[bills.source]]
name = "wechat-account"
profile = "wechat-fundflow"
files = "fund-*"
"#;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bills").join(name)
}

/// Puts a sample of WeChat's into the inbox, moved to the day that tests reconcile, with some of its text replaced.
fn put(rig: &Rig, name: &str, as_name: &str, replaced: &[(&str, &str)]) {
    let mut text = fs::read_to_string(sample(name)).unwrap().replace("2026-03-17", DATE);
    for (from, to) in replaced {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    fs::write(rig.path("inbox").join(as_name), text).unwrap();
}

/// A merchant whose orders are those of three of the sample's payments: one paid at the platform, one not, one in part
/// by a coupon.
async fn merchant() -> Rig {
    let mut rig = Rig::new().await;
    rig.extra = SOURCES.to_owned();
    rig.bind(USER, PLATE);
    rig.inside("S000021", PLATE, "10.00");
    rig.left("S000022", PLATE, "5.00", "0.00");
    rig.inside("S000024", PLATE, "12.00");
    rig
}

const TRADE: &str = "wechat-tradebill/1900000109All2026-03-17.csv";
const FUNDFLOW: &str = "wechat-fundflow/1900000109BASIC2026-03-17.csv";

fn bill<'a>(run: &'a Finished, name: &str) -> &'a BillSummary {
    run.summary.bills.iter().find(|bill| bill.file == name).unwrap_or_else(|| panic!("{name}"))
}

#[tokio::test]
async fn a_night_on_wechats_bills_tells_the_platform_under_the_merchants_own_order_numbers() {
    let rig = merchant().await;
    put(&rig, TRADE, "1900000109All.csv", &[]);
    put(&rig, FUNDFLOW, "fund-1900000109BASIC.csv", &[]);
    let run = rig.run().await;
    assert!(run.summary.tie_out);
    assert_eq!((bill(&run, "1900000109All.csv").payments, bill(&run, "1900000109All.csv").refunds), (13, 6));
    assert_eq!(
        (bill(&run, "fund-1900000109BASIC.csv").payments, bill(&run, "fund-1900000109BASIC.csv").ignored),
        (13, 12)
    );
    // In both bills, and still one payment each; the one with a refund is not told.
    assert_eq!(run.summary.payments.total().count, 13);
    assert_eq!(rig.ledger(), [("PK260317A0100021".to_owned(), "S000021".to_owned(), "10.00".to_owned())]);
    assert_eq!((payments(&run, Disposition::Settled), payments(&run, Disposition::Refunded)), (1, 3));
    assert!(rig.store().open_exceptions().unwrap().iter().all(|row| row.facts.kind != "bill_disagrees"));
    let [wechat] = run.report.by_channel.as_slice() else { panic!("{:?}", run.report.by_channel) };
    assert_eq!((wechat.name.as_str(), wechat.payments.count, wechat.fee.to_string().as_str()), ("wechat", 13, "8.18"));
    // Again: known, and nothing is told twice.
    let again = rig.run().await;
    assert_eq!(bill(&again, "1900000109All.csv").status, "known");
    assert_eq!(rig.ledger().len(), 1);
}

#[tokio::test]
async fn two_bills_of_one_channel_that_differ_are_an_exception_beside_the_payments_own() {
    let rig = merchant().await;
    put(&rig, TRADE, "1900000109All.csv", &[]);
    // One fen less reached the account than the trade bill says; the fund flow's own totals agree.
    let differing = [("`收入,`5.00,", "`收入,`4.99,"), ("`1423.50", "`1423.49")];
    put(&rig, FUNDFLOW, "fund-1900000109BASIC.csv", &differing);
    let run = rig.run().await;
    assert!(run.summary.tie_out);
    let open = rig.store().open_exceptions().unwrap();
    let kinds: Vec<_> = open.iter().filter(|row| row.facts.kind == "bill_disagrees").collect();
    assert_eq!(kinds.len(), 1, "{open:?}");
    assert_eq!(kinds[0].facts.external_order_id.as_deref(), Some("PK260317A0100022"));
    // The trade bill counts: the payment is what it was.
    assert_eq!(payments(&run, Disposition::Settled), 1);
}

#[tokio::test]
async fn a_bill_that_is_not_whole_changes_nothing_and_makes_the_run_partial_until_it_is_gone() {
    let rig = merchant().await;
    put(&rig, "wechat-tradebill/trap-summary-mismatch.csv", "1900000109All.csv", &[]);
    let run = rig.run().await;
    let refused = bill(&run, "1900000109All.csv");
    assert_eq!((run.status, refused.status), (RunStatus::Partial, "refused"));
    let reason = refused.reason.as_deref().unwrap();
    assert!(
        reason.contains("line 22") && reason.contains("总交易单数") && reason.contains("20") && reason.contains("19"),
        "{reason}"
    );
    assert_eq!((run.summary.payments.total().count, rig.ledger().len()), (0, 0));
    assert!(run.files.iter().any(|file| fs::read_to_string(file).is_ok_and(|text| text.contains("总交易单数"))));
    // The whole one under the same name takes its place.
    put(&rig, TRADE, "1900000109All.csv", &[]);
    let mended = rig.run().await;
    assert_eq!((mended.status, mended.summary.payments.total().count), (RunStatus::Complete, 13));
}

#[tokio::test]
async fn a_changed_bill_under_the_same_name_shows_the_conflict_and_tells_nothing() {
    let rig = merchant().await;
    put(&rig, TRADE, "1900000109All.csv", &[]);
    rig.run().await;
    let ledger = rig.ledger();
    // The order of the payment that was not told yet is named otherwise, in a file of the same name.
    put(
        &rig,
        TRADE,
        "1900000109All.csv",
        &[("S000031", "S000024"), ("S000024\\\"},`0.07000", "S009999\\\"},`0.07000")],
    );
    let run = rig.run().await;
    assert!(payments(&run, Disposition::ConflictingRecord) >= 2, "{:?}", run.summary.payments);
    assert_eq!(rig.ledger(), ledger);
    assert!(run.summary.tie_out);
}

#[tokio::test]
async fn the_same_days_files_in_any_packing_bring_each_payment_once() {
    let rig = merchant().await;
    for (name, as_name) in [
        (TRADE, "1900000109All.csv"),
        ("wechat-tradebill/all-lf-nobom.csv", "1900-resaved.csv"),
        ("wechat-tradebill/1900000109Success2026-03-17.csv", "1900000109Success.csv"),
        ("wechat-tradebill/1900000109Refund2026-03-17.csv", "1900000109Refund.csv"),
    ] {
        put(&rig, name, as_name, &[]);
    }
    fs::copy(rig.path("inbox").join("1900000109All.csv"), rig.path("inbox").join("1900-copy.csv")).unwrap();
    let run = rig.run().await;
    assert_eq!(run.summary.payments.total().count, 13);
    assert_eq!(run.summary.refunds["count"].as_u64(), Some(6));
    assert_eq!(bill(&run, "1900000109All.csv").status, "known", "its copy came first");
    assert_eq!(rig.ledger().len(), 1);
}

/// Runs the program in the merchant's folder.
fn command(rig: &Rig, arguments: &[&str]) -> Output {
    rig.settings();
    let mut command = Command::new(env!("CARGO_BIN_EXE_etcp-recon"));
    command.args(arguments).current_dir(rig.path("")).output().unwrap()
}

#[tokio::test]
async fn every_sample_is_imported_or_refused_with_its_reason() {
    let rig = Rig::new().await;
    let import = |name: &str| {
        let path = sample(name);
        let output = command(&rig, &["import", path.to_str().unwrap()]);
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    for (name, says) in [
        ("alipay-trade/20881234567890120156_20260317.csv.zip", "alipay-trade — 14 payments, 5 refunds, 0 ignored"),
        (
            "alipay-signcustomer/20881234567890120156_20260317.csv.zip",
            "alipay-ledger — 14 payments, 5 refunds, 18 ignored",
        ),
        ("wechat-tradebill/1900000109All2026-03-17.csv.gz", "wechat-trade — 13 payments, 6 refunds, 0 ignored"),
        ("wechat-tradebill/1900000109Refund2026-03-17.csv", "wechat-trade — 0 payments, 6 refunds, 0 ignored"),
        (FUNDFLOW, "wechat-fundflow — 13 payments, 6 refunds, 12 ignored"),
        ("unionpay-zm/INN26031888ZM_802310075230001", "unionpay-zm — 3 payments, 2 refunds, 0 ignored, 1 set aside"),
        ("packed/two-parts.zip", "alipay-trade — 14 payments, 5 refunds"),
    ] {
        let (code, out) = import(name);
        assert_eq!(code, Some(0), "{name}: {out}");
        assert!(out.contains(says), "{name}: {out}");
    }
    for (name, says) in [
        ("packed/trap-bomb.zip", "250 times"),
        ("packed/trap-workbook.xlsx", "Excel"),
        ("alipay-trade/trap-truncated.csv", "line 15"),
        ("wechat-tradebill/trap-v2-error.xml", "No Bill Exist (20002)"),
        ("wechat-tradebill/trap-foreign-currency.csv", "USD"),
    ] {
        let (code, out) = import(name);
        assert_eq!(code, Some(3), "{name}: {out}");
        assert!(out.contains("refused") && out.contains(says) && out.contains("hint:"), "{name}: {out}");
    }
    // No payment stands in the books twice for all that.
    let rows = rig.store().bill_rows_since(etcp_recon::model::Timestamp::from_unix(0)).unwrap();
    let folded = etcp_recon::bills::fold(rows);
    assert!(folded.ties_out());
    assert_eq!(folded.payments.len(), 14 + 13 + 3);
}

#[tokio::test]
async fn check_shows_what_a_bill_is_read_as_before_it_is_imported() {
    let mut rig = Rig::new().await;
    rig.extra = SOURCES.to_owned();
    let path = sample(TRADE);
    let path = path.to_str().unwrap();
    let out = |arguments: &[&str]| {
        let output = command(&rig, arguments);
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = out(&["check", "--bill", path, "--rows", "3"]);
    assert_eq!(code, Some(0), "{text}");
    for says in [
        "wechat-trade — 13 payments, 6 refunds",
        "source wechat · plain · utf-8 · 2026-03-17",
        "gross 1,425.50, received 1,423.50, refunded 62.00 (taken back 60.00), fees 8.18; agrees",
        "商户数据包",
        "S000024",
        "of 19 rows of payments and refunds 19 name an order, 0 a plate",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    let (_, json) = out(&["check", "--bill", path, "--rows", "2", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (json["status"].as_str(), json["profile"].as_str(), json["fee"].as_str()),
        (Some("readable"), Some("wechat-trade"), Some("8.18"))
    );
    assert_eq!(json["rows"].as_array().unwrap().len(), 2);
    assert_eq!(json["rows"][0]["read"]["order_id"].as_str(), Some("S000024"));
    let bad = sample("wechat-tradebill/trap-truncated.csv");
    let (code, text) = out(&["check", "--bill", bad.to_str().unwrap()]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("refused") && text.contains("line 12"), "{text}");
    let (code, _) = out(&["check", "--bill", path, "--source", "nobody"]);
    assert_eq!(code, Some(1));
    // Nothing was imported.
    assert!(rig.store().bills().unwrap().is_empty());
}
