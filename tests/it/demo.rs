//! The demo, end to end: over HTTP, with its database and its mail in a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use etcp_recon::clock::Clock;
use etcp_recon::jobs::demo::{DemoOptions, Stage, demo, verdict};
use etcp_recon::jobs::progress::Silent;
use etcp_recon::model::Disposition;
use etcp_recon::report::Lang;
use etcp_recon::store::Store;

use super::support::at;

/// The morning after the demo's date.
fn morning() -> Clock {
    Clock::fixed(at("2026-11-23 10:30:00"))
}

#[tokio::test]
async fn the_demo_shows_every_disposition_ties_out_and_reads_in_both_languages() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("new/demo");
    let mut out = Vec::new();
    let options = DemoOptions { dir: Some(dir.clone()), lang: Lang::Zh };
    let end = demo(options, &Clock::System, &Silent, &mut out).await.unwrap();
    assert!(end.first.tie_out && end.second.tie_out);
    assert!(end.bookings > 10);
    let out = String::from_utf8(out).unwrap();
    for disposition in Disposition::ALL {
        let line =
            out.lines().find(|line| line.starts_with(disposition.name()) && line.contains(disposition.chinese()));
        let line = line.unwrap_or_else(|| panic!("{disposition} is not in:\n{out}"));
        assert!(line.split_whitespace().any(|cell| cell.parse::<u32>().is_ok_and(|count| count > 0)), "{line}");
    }
    assert!(out.contains("bill_disagrees") && out.contains("refund_unmatched"), "{out}");
    assert!(out.contains("总分核对：相符") && out.contains("不应有的请求 0 个"), "{out}");
    assert!(!out.contains('\u{1b}'), "plain lines");
    for file in &end.files {
        assert!(out.contains(&file.display().to_string()), "{}", file.display());
        assert!(fs::metadata(file).unwrap().len() > 0, "{}", file.display());
    }
    let page = |name: &str| fs::read_to_string(end.dir.join(name)).unwrap();
    assert!(page("report.zh.html").contains("重复支付") && page("report.en.html").contains("lang=\"en\""));
    assert!(end.files.iter().any(|file| file.extension().is_some_and(|ending| ending == "eml")));
}

#[tokio::test]
async fn the_demo_speaks_english_and_overwrites_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut out = Vec::new();
    let options = DemoOptions { dir: Some(dir.path().to_owned()), lang: Lang::En };
    demo(options.clone(), &morning(), &Silent, &mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("tie-out: holds") && out.contains("business date: 2026-11-22"), "{out}");
    let again = demo(options, &morning(), &Silent, &mut Vec::new()).await.unwrap_err();
    assert!(again.to_string().contains("is not empty"), "{again}");
}

/// What the newest run calls each subject.
fn outcomes(dir: &Path, run: &str, subjects: &[String]) -> BTreeMap<String, Vec<Disposition>> {
    let store = Store::open_existing(&dir.join("recon.db")).unwrap();
    let of = |subject: &String| {
        let all = store.outcomes_of(subject).unwrap().into_iter();
        (subject.clone(), all.filter(|(of, ..)| of == run).map(|(_, _, row)| row.disposition).collect())
    };
    subjects.iter().map(of).collect()
}

#[tokio::test]
async fn further_runs_tell_what_the_cap_kept_back_once_and_then_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let clock = morning();
    let stage = Stage::set_up(Some(dir.path()), Lang::En, &clock).await.unwrap();
    let played = stage.play(&Silent).await.unwrap();
    verdict(&stage, &played).unwrap();
    let notes = |kind: &str| {
        let rows = played.second.report.exception_rows.iter().filter(|row| row.kind == kind);
        rows.map(|row| format!("{} {}", row.why.en, row.note.as_deref().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join("; ")
    };
    assert!(notes("notify_rejected").contains("20102"), "the report says what the platform said");
    assert!(notes("notify_held").contains("max_amount"), "the report says what holds it");
    let due = played.second.summary.notifications.due;
    assert!(due > 0, "the cap keeps some back");
    let booked = stage.server().with_world(|world| world.ledger().len());

    let third = stage.night(&Silent).await.unwrap();
    let ledger = stage.server().with_world(|world| world.ledger().to_vec());
    assert_eq!(u64::try_from(ledger.len() - booked).unwrap(), due, "each of them once");
    assert_eq!(third.summary.notifications.due, 0);

    let fourth = stage.night(&Silent).await.unwrap();
    assert_eq!(stage.server().with_world(|world| world.ledger().to_vec()), ledger, "nothing is told again");
    assert!(stage.server().with_world(|world| world.violations().is_empty()));
    assert_eq!(fourth.summary.payments, third.summary.payments);
    assert_eq!(fourth.summary.orders, third.summary.orders);
    assert_eq!(fourth.summary.exceptions.new, 0);
    let orders = stage.world().expected.iter().map(|expected| expected.id.to_lowercase());
    let subjects: Vec<String> = orders.chain(ledger.iter().map(|one| one.external_order_id.to_string())).collect();
    let (before, now) = (&third.summary.run, &fourth.summary.run);
    assert_eq!(outcomes(stage.dir(), before, &subjects), outcomes(stage.dir(), now, &subjects));
    stage.close().await;
}
