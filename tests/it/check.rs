//! `check`: each line ok, or what is wrong and what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use etcp_recon::config::{self, Settings};
use etcp_recon::jobs::check::{Checked, Finding, Level, What, check};
use etcp_recon::report::Lang;
use etcp_recon::store::RunLock;

use super::support::Rig;

/// A merchant with a user, a bill and a complete run; its config is its owner's only.
async fn good() -> Rig {
    let mut rig = Rig::new().await;
    rig.extra.push_str("[report.email]\nfrom = \"recon@example.com\"\nto = [\"finance@example.com\"]\n");
    rig.key = rig.server.with_world(|world| world.settings().merchant_key.clone());
    rig.notify.push_str("not_before = \"2026-11-01\"");
    rig.bind("13800000001", "渝B757D0");
    rig.inside("ORDER-A", "渝B757D0", "5.50");
    rig.bill("till-20261122.csv", &["p1,ORDER-A,渝B757D0,5.50,,success,2026-11-22 09:00:00,wxpay"]);
    rig
}

/// The settings, from a file that only its owner can read.
fn closed(rig: &Rig) -> Settings {
    mode(&rig.settings().file, 0o600);
    rig.settings()
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

async fn checked(rig: &Rig, settings: Settings) -> Checked {
    check(Ok(settings), &rig.clock).await
}

fn of(checked: &Checked, what: What) -> Vec<&Finding> {
    checked.findings.iter().filter(|finding| finding.what == what).collect()
}

/// The one finding of a kind.
#[track_caller]
fn only(checked: &Checked, what: What) -> (Level, String) {
    let found = of(checked, what);
    let [finding] = found.as_slice() else { panic!("{what:?}: {found:?}") };
    (finding.level, finding.lines(Lang::En).join("\n"))
}

#[tokio::test]
async fn all_is_well_where_a_run_was_complete() {
    let rig = good().await;
    let settings = closed(&rig);
    let before = checked(&rig, settings.clone()).await;
    assert_eq!(only(&before, What::LastRun).0, Level::Warning, "there was none yet");
    rig.run().await;
    let after = checked(&rig, settings).await;
    let lines: Vec<String> = after.findings.iter().flat_map(|finding| finding.lines(Lang::En)).collect();
    // The sandbox's key is short, which is a warning and no more.
    let worst_elsewhere = after.findings.iter().filter(|finding| finding.what != What::Config);
    assert!(worst_elsewhere.clone().all(|finding| finding.level == Level::Ok), "{lines:#?}");
    assert_eq!(after.exit_code(), 0);
    let kinds: Vec<What> = after.findings.iter().map(|finding| finding.what).collect();
    for what in [
        What::Config,
        What::Secrets,
        What::Database,
        What::Journal,
        What::Roster,
        What::Platform,
        What::Clock,
        What::Reports,
        What::Mail,
        What::Inbox,
        What::LastRun,
        What::Notifications,
    ] {
        assert!(kinds.contains(&what), "{what:?}: {lines:#?}");
    }
    let text = lines.join("\n");
    assert!(text.contains("138****0001") && !text.contains("13800000001") && !text.contains(&rig.key), "{text}");
    assert!(text.contains("till-20261122.csv") && text.contains("2026-11-22, 0 s ago"), "{text}");
    let chinese: Vec<String> = after.findings.iter().flat_map(|finding| finding.lines(Lang::Zh)).collect();
    assert!(chinese.iter().any(|line| line.starts_with("正常  平台: ")), "{chinese:#?}");
}

#[tokio::test]
async fn it_signs_nobody_in_twice_and_tells_the_platform_nothing() {
    use etcp_recon::sandbox::Interface;
    let rig = good().await;
    let settings = closed(&rig);
    for _ in 0..3 {
        checked(&rig, settings.clone()).await;
    }
    let calls = |interface| rig.server.with_world(|world| world.calls(interface));
    assert_eq!((calls(Interface::UserSignIn), calls(Interface::OrderHistory), calls(Interface::OrderPaid)), (1, 3, 0));
}

#[tokio::test]
async fn without_a_database_the_platform_is_asked_without_a_sign_in_and_nothing_is_made() {
    let rig = Rig::new().await;
    let settings = closed(&rig);
    let checked = checked(&rig, settings.clone()).await;
    let (level, line) = only(&checked, What::Platform);
    assert_eq!(level, Level::Ok, "{line}");
    assert!(line.contains("accepts signature and merchant number"), "{line}");
    assert_eq!(only(&checked, What::Database).0, Level::Ok);
    assert_eq!(only(&checked, What::Roster).0, Level::Warning);
    let config::Database::Sqlite(path) = settings.database;
    assert!(!path.exists(), "a check with a wrong address must not bind a database to it");
    let mut left: Vec<_> = fs::read_dir(rig.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["etcp-recon.toml", "inbox"]);
}

#[tokio::test]
async fn a_wrong_key_is_code_4_with_and_without_a_roster() {
    for mut rig in [good().await, Rig::new().await] {
        rig.key = "another key of another merchant".to_owned();
        let settings = closed(&rig);
        let checked = checked(&rig, settings).await;
        let (level, line) = only(&checked, What::Platform);
        assert_eq!(level, Level::Wrong);
        assert!(line.contains("code 4") && line.contains("hint: check merchant_key"), "{line}");
        assert!(!line.contains(&rig.key));
        assert_eq!(checked.exit_code(), 1);
    }
}

#[tokio::test]
async fn a_wrong_merchant_number_is_code_5() {
    let rig = Rig::new().await;
    let mut settings = closed(&rig);
    settings.merchant.merchant_no = "00000000000000000000000000000000".to_owned();
    let (level, line) = only(&checked(&rig, settings).await, What::Platform);
    assert_eq!(level, Level::Wrong);
    assert!(line.contains("code 5") && line.contains("hint: check merchant_no"), "{line}");
}

#[tokio::test]
async fn a_database_of_another_merchant_is_the_configs_fault() {
    let rig = good().await;
    let mut settings = closed(&rig);
    settings.merchant.merchant_no = "00000000000000000000000000000000".to_owned();
    let checked = checked(&rig, settings).await;
    let (level, line) = only(&checked, What::Database);
    assert_eq!(level, Level::Wrong);
    assert!(line.contains("belongs to merchant number") && line.contains("hint: "), "{line}");
    assert_eq!(checked.exit_code(), 2);
}

#[tokio::test]
async fn an_unreachable_platform_is_said_with_what_to_look_at() {
    let rig = good().await;
    let mut settings = closed(&rig);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    settings.platform.base_url = format!("http://{nobody}");
    settings.database = config::Database::Sqlite(rig.path("other.db"));
    let checked = checked(&rig, settings).await;
    let (level, line) = only(&checked, What::Platform);
    assert_eq!(level, Level::Wrong);
    assert!(line.contains("cannot be reached") && line.contains("hint: look at [platform]"), "{line}");
    assert_eq!(checked.exit_code(), 1);
}

#[tokio::test]
async fn a_run_under_way_keeps_its_tokens() {
    let rig = good().await;
    let settings = closed(&rig);
    let config::Database::Sqlite(path) = &settings.database;
    let lock = RunLock::try_acquire(path).unwrap().unwrap();
    let (level, line) = only(&checked(&rig, settings.clone()).await, What::Platform);
    assert_eq!(level, Level::Warning);
    assert!(line.contains("a run is under way"), "{line}");
    assert_eq!(rig.server.with_world(|world| world.calls(etcp_recon::sandbox::Interface::UserSignIn)), 0);
    drop(lock);
    assert_eq!(only(&checked(&rig, settings).await, What::Platform).0, Level::Ok);
}

#[tokio::test]
async fn an_inbox_that_cannot_be_read_a_file_of_nobody_and_a_missing_bill_are_said() {
    let mut rig = good().await;
    rig.extra.push_str("[[bills.source]]\nname = \"till\"\nfiles = \"till-*.csv\"\nid_prefix = \"t-\"\n");
    rig.extra
        .push_str("[[bills.source]]\nname = \"alipay\"\nfiles = \"alipay-*\"\nid_prefix = \"a-\"\nrequired = true\n");
    fs::write(rig.path("inbox/notes.txt"), "x").unwrap();
    let settings = closed(&rig);
    let found = checked(&rig, settings.clone()).await;
    let lines: Vec<String> = of(&found, What::Inbox).iter().flat_map(|finding| finding.lines(Lang::En)).collect();
    let text = lines.join("\n");
    assert!(text.contains("files that belong to no source: notes.txt (1 in all)"), "{text}");
    assert!(text.contains("source alipay has no bill of 2026-11-22 yet"), "{text}");
    assert_eq!(found.exit_code(), 0);

    fs::remove_dir_all(rig.path("inbox")).unwrap();
    let found = checked(&rig, settings).await;
    let (level, line) = only(&found, What::Inbox);
    assert_eq!(level, Level::Wrong);
    assert!(line.contains("cannot be read") && line.contains("hint: is [bills] inbox right"), "{line}");
    assert_eq!(found.exit_code(), 1);
}

#[tokio::test]
async fn a_mail_folder_that_cannot_be_written_and_a_server_that_does_not_answer_are_wrong() {
    let mut rig = good().await;
    // Rights do not stop root, a file in the way does.
    fs::write(rig.path("reports"), "a file").unwrap();
    let settings = closed(&rig);
    let found = checked(&rig, settings).await;
    for what in [What::Mail, What::Reports] {
        let (level, line) = only(&found, what);
        assert_eq!(level, Level::Wrong, "{line}");
        assert!(line.contains("is no folder") && line.contains("hint: "), "{line}");
    }
    assert_eq!(found.exit_code(), 1);

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = format!("smtp = \"smtp://127.0.0.1:{}?tls=none\"\n", nobody.port());
    rig.extra.push_str(&server);
    let (level, line) = only(&checked(&rig, closed(&rig)).await, What::Mail);
    assert_eq!(level, Level::Wrong);
    assert!(line.contains("hint: "), "{line}");
}

#[tokio::test]
async fn a_config_that_others_can_read_is_wrong() {
    let rig = good().await;
    let settings = closed(&rig);
    mode(&settings.file, 0o640);
    let checked = checked(&rig, settings.clone()).await;
    let (level, line) = only(&checked, What::Secrets);
    assert_eq!(level, Level::Wrong);
    assert!(line.contains(&format!("hint: chmod 600 {}", settings.file.display())), "{line}");
    assert_eq!(checked.exit_code(), 1);
}

#[tokio::test]
async fn every_mistake_of_a_config_is_a_line_of_its_own_and_nothing_else_is_looked_at() {
    let rig = good().await;
    let text = "[merchant]\nmerchant_no = \"1\"\nmerchant_kee = \"x\"\n[notify]\nenabled = 3\n";
    let settings = config::parse(text, &rig.path("bad.toml"), &|_| None);
    let checked = check(settings, &rig.clock).await;
    assert!(checked.findings.len() >= 2, "{:#?}", checked.findings);
    assert!(checked.findings.iter().all(|finding| finding.what == What::Config && finding.hint.is_some()));
    assert_eq!(checked.exit_code(), 2);
    assert!(checked.findings.iter().any(|finding| finding.message.en.contains("bad.toml:3")));
}

#[tokio::test]
async fn a_clock_that_is_off_and_waiting_notifications_are_said() {
    let rig = good().await;
    let settings = closed(&rig);
    rig.fault("orderpaid:answer=20102");
    rig.run().await;
    let (level, line) = only(&checked(&rig, settings.clone()).await, What::Notifications);
    assert_eq!(level, Level::Warning);
    assert!(line.contains("1 rejected"), "{line}");

    // The sandbox has the first clock; ours is another one, an hour behind or ahead.
    for (off_s, words) in [(-3600, "3600 s ahead of ours"), (3600, "3600 s behind ours")] {
        let ours = etcp_recon::clock::Clock::fixed(rig.clock.now().plus_s(off_s));
        let found = check(Ok(settings.clone()), &ours).await;
        let (level, line) = only(&found, What::Clock);
        assert_eq!(level, Level::Wrong);
        assert!(line.contains(words), "{line}");
    }
}

#[tokio::test]
async fn code_4_on_orderpaid_alone_points_to_the_other_way_of_signing() {
    let rig = good().await;
    let settings = closed(&rig);
    rig.fault("orderpaid:answer=4");
    rig.run().await;
    let found = checked(&rig, settings).await;
    let lines: Vec<String> = of(&found, What::Platform).iter().flat_map(|finding| finding.lines(Lang::En)).collect();
    assert!(lines.iter().any(|line| line.contains("signature.strip_whitespace = true")), "{lines:#?}");
}
