//! The story of a payment, an order, a notification.

use etcp_recon::clock::Clock;
use etcp_recon::jobs::demo::Stage;
use etcp_recon::jobs::progress::Silent;
use etcp_recon::jobs::show::{Event, Story, render, show};
use etcp_recon::model::{Disposition, Side};
use etcp_recon::report::Lang;
use etcp_recon::store::Store;

use super::support::at;

/// The demo's database after its two runs, and its sample data.
async fn played(dir: &std::path::Path) -> (Store, Stage) {
    let clock = Clock::fixed(at("2026-11-23 10:30:00"));
    let stage = Stage::set_up(Some(dir), Lang::En, &clock).await.unwrap();
    stage.play(&Silent).await.unwrap();
    (Store::open_existing(&dir.join("recon.db")).unwrap(), stage)
}

fn kinds(story: &Story) -> Vec<&str> {
    story
        .entries
        .iter()
        .map(|entry| match &entry.event {
            Event::BillRow(row) => {
                if row.kind == etcp_recon::bills::RowKind::Refund {
                    "refund"
                } else {
                    "payment"
                }
            }
            Event::Order(_) => "order",
            Event::Push(_) => "push",
            Event::PushContradiction(_) => "contradiction",
            Event::Journal(row) => row.kind.as_str(),
            Event::Exception(step) => step.act,
            Event::Outcome(_) => "outcome",
        })
        .collect()
}

#[tokio::test]
async fn every_name_of_a_payment_leads_to_the_same_story() {
    let dir = tempfile::tempdir().unwrap();
    let (books, stage) = played(dir.path()).await;
    let lost = Disposition::NotificationLost;
    let mut expected = stage.world().expected.iter().filter(|one| one.disposition == lost);
    let id_of = |side: Side| expected.clone().find(|one| one.side == side).unwrap().id.clone();
    let (payment, order) = (id_of(Side::Payment), id_of(Side::Order));
    assert_eq!(expected.by_ref().count(), 2);

    let story = show(&books, &payment).unwrap().unwrap();
    assert_eq!(story.orders, std::slice::from_ref(&order));
    assert_eq!(story.payments.len(), 1);
    for name in [story.payments[0].clone(), order.clone(), order.to_lowercase(), format!("L{payment}")] {
        let same = show(&books, &name).unwrap().unwrap();
        let entries = |story: &Story| serde_json::to_value(&story.entries).unwrap();
        assert_eq!(entries(&same), entries(&story), "{name}");
        assert_eq!((same.payments, same.orders), (story.payments.clone(), story.orders.clone()), "{name}");
    }
    assert_eq!(
        kinds(&story),
        [
            "payment", // the cashier's
            "payment", // the ledger's
            "order",
            "notification.planned",
            "notification.sending",
            "notification.attempted",
            "outcome",
            "outcome",
            "order",
            "opened",
            "outcome",
            "outcome",
        ]
    );
    assert!(story.entries.is_sorted_by_key(|entry| entry.at));
    assert_eq!(story.outcomes.len(), 2);
    assert!(story.outcomes.iter().all(|outcome| outcome.disposition == lost && outcome.rule == "6"));
    let [notification] = story.notifications.as_slice() else { panic!("{:?}", story.notifications) };
    assert_eq!((notification.state, notification.attempts.len()), ("acknowledged", 1));
    assert_eq!(notification.attempts[0].code, Some(0));
    assert!(story.exceptions.iter().all(|one| one.open && one.kind == "notification_lost"));

    let text = render(&story, Lang::En, false).join("\n");
    assert!(text.contains("The platform acknowledged the notification, but the closed order books less"), "{text}");
    assert!(text.contains("wechat-cashier-2026-11-22.csv line ") && text.contains("(ledger)"), "{text}");
    assert!(!text.contains("13800000") && text.contains("138****"), "{text}");
    let text = render(&story, Lang::Zh, true).join("\n");
    assert!(text.contains("通知未入账 (notification_lost)") && text.contains("\u{1b}[1m"), "{text}");
    let json = serde_json::to_value(&story).unwrap();
    assert_eq!(json["entries"][0]["event"], "bill_row");
    assert!(!json.to_string().contains("13800000"), "{json}");
}

#[tokio::test]
async fn a_story_tells_what_went_wrong_and_what_a_person_did() {
    let dir = tempfile::tempdir().unwrap();
    let (books, stage) = played(dir.path()).await;
    let text_of = |id: &str| render(&show(&books, id).unwrap().unwrap(), Lang::En, false).join("\n");
    let find = |disposition: Disposition| {
        let mut payments = stage.world().expected.iter().filter(|one| one.side == Side::Payment);
        payments.find(|one| one.disposition == disposition).unwrap().id.clone()
    };

    let text = text_of(&find(Disposition::NotifyRejected));
    assert!(text.contains("refused, code 20102") && text.contains("rejected"), "{text}");
    let text = text_of(stage.world().void.as_str());
    assert!(text.contains("held → void, voided (by demo, note "), "{text}");
    assert!(text.contains("above_max_amount") || text.contains("amount"), "{text}");
    let text = text_of(&find(Disposition::DuplicatePayment));
    assert!(text.contains("Another payment accounts for the order already"), "{text}");
    assert!(text.contains("duplicate_payment") && text.contains("settled"), "the other payment is told too: {text}");
    let text = text_of(&find(Disposition::Refunded));
    assert!(text.contains("refund of payment") && text.contains("given back in full"), "{text}");
    let text = text_of(&find(Disposition::OrderNotFound));
    assert!(text.contains("show no order for the payment"), "{text}");
    let conflict = show(&books, &find(Disposition::ConflictingRecord)).unwrap().unwrap();
    assert_eq!(conflict.outcomes.iter().filter(|outcome| outcome.side == "payment").count(), 2);
    assert!(show(&books, &stage.world().unmatched_refund).unwrap().is_some());
    assert!(show(&books, "no such id").unwrap().is_none());
    assert!(show(&books, " ").unwrap().is_none());
}
