//! A night from bills and the platform to notifications and a report, against the sandbox over HTTP.

use std::fs;
use std::io::Write;
use std::sync::{Arc, Mutex};

use etcp_recon::model::Disposition::{
    AmountMismatch, DuplicatePayment, Notified, NotifyDue, NotifyHeld, NotifyRejected, NotifyUnknown, OrderNotFound,
    PaymentMissing, Settled, Unpaid, Unverifiable, Vanished,
};
use etcp_recon::store::{RunMode, RunStatus};
use tracing::level_filters::LevelFilter;

use super::support::{Rig, orders, payments};

const USER: &str = "13800000001";
const A: &str = "渝B757D0";
const B: &str = "渝AD12345";

/// Two cars inside that paid at the till, one that left and agrees, one of which nobody knows.
async fn two_due() -> Rig {
    let rig = Rig::new().await;
    rig.bind(USER, A);
    rig.bind(USER, B);
    rig.inside("ORDER-A", A, "5.50");
    rig.inside("ORDER-B", B, "12.00");
    rig.left("ORDER-C", A, "8.00", "0.00");
    rig.left("ORDER-D", A, "3.00", "0.00");
    rig.bill(
        "till-20261122.csv",
        &[
            "p1,ORDER-A,渝B757D0,5.50,,success,2026-11-22 09:00:00,wxpay",
            "p2,order-b,渝A·D12345,12,,success,2026-11-22 09:30:00,alipay",
            "p3,ORDER-C,渝B757D0,8.00,,success,2026-11-22 10:00:00,cash",
            "p4,ORDER-X,渝B757D0,1.00,,success,2026-11-22 11:00:00,cash",
        ],
    );
    rig
}

/// Lines of a log, kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn every_call_in_the_log_bears_the_id_of_its_run() {
    // Other tests have no subscriber, and what one of them meets first would be remembered as wanted by nobody.
    let everything = tracing_subscriber::fmt().with_max_level(LevelFilter::DEBUG).with_writer(std::io::sink);
    drop(tracing::subscriber::set_global_default(everything.finish()));
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_max_level(LevelFilter::DEBUG);
    let guard = tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish());
    let rig = two_due().await;
    let finished = rig.run().await;
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let id = format!("run.id={}", finished.summary.run);
    let calls: Vec<&str> = text.lines().filter(|line| line.contains("interface=")).collect();
    for interface in ["usersignin", "orderunpay", "orderhistory", "orderpaid"] {
        assert!(calls.iter().any(|line| line.contains(interface)), "{interface}: {text}");
    }
    assert!(calls.iter().all(|line| line.contains(&id)), "{calls:#?}");
}

#[tokio::test]
async fn what_is_due_is_booked_once_and_a_rerun_tells_nothing_more() {
    let rig = two_due().await;
    let first = rig.run().await;
    assert!(first.summary.tie_out);
    assert_eq!(first.status, RunStatus::Complete, "{:?}", first.reasons);
    assert_eq!(payments(&first, Notified), 2);
    assert_eq!(payments(&first, Settled), 1);
    assert_eq!(payments(&first, OrderNotFound), 1);
    assert_eq!(orders(&first, PaymentMissing), 1);
    assert_eq!(first.summary.notifications.acknowledged, 2);
    let expected = [("p1", "ORDER-A", "5.50"), ("p2", "ORDER-B", "12.00")];
    let expected: Vec<_> = expected.iter().map(|(p, o, a)| ((*p).into(), (*o).into(), (*a).into())).collect();
    assert_eq!(rig.ledger(), expected);

    let second = rig.run().await;
    assert_eq!(rig.ledger(), expected, "nothing is told twice");
    assert!(rig.server.with_world(|w| w.violations().is_empty()));
    assert_eq!(payments(&second, Notified), 2);
    assert_eq!(second.summary.payments, first.summary.payments);
    assert_eq!(second.summary.orders.get(Settled), first.summary.orders.get(Settled));
    assert_eq!(second.summary.exceptions.new, 0);
    assert_eq!(second.summary.rerun_of.as_deref(), Some(first.summary.run.as_str()));
}

#[tokio::test]
async fn dry_and_offline_runs_tell_nothing() {
    let rig = two_due().await;
    let dry = rig.try_run(RunMode::DryRun).await.unwrap();
    assert_eq!(payments(&dry, NotifyDue), 2);
    assert_eq!(dry.summary.notifications.due, 2);
    assert_eq!(dry.summary.exceptions.closing, 0, "a dry run opens nothing");
    let offline = rig.try_run(RunMode::Offline).await.unwrap();
    assert_eq!(payments(&offline, NotifyDue), 2);
    assert!(rig.ledger().is_empty());
    assert!(rig.store().notifications().unwrap().is_empty());
}

#[tokio::test]
async fn nothing_is_told_while_notifying_is_off() {
    let mut rig = two_due().await;
    rig.notify = "max_per_run = 10".to_owned();
    let settings = fs::read_to_string(rig.settings().file).unwrap().replace("enabled = true", "enabled = false");
    fs::write(rig.path("off.toml"), settings).unwrap();
    let off = etcp_recon::config::load_file(&rig.path("off.toml"), &|_| None).unwrap();
    let options = etcp_recon::jobs::run::RunOptions {
        date: super::support::date(super::support::DATE),
        mode: RunMode::Live,
        no_email: true,
    };
    let silent = etcp_recon::jobs::progress::Silent;
    let finished = etcp_recon::jobs::run::run(&off, options, &rig.clock, &silent).await.unwrap();
    assert_eq!(payments(&finished, NotifyDue), 2);
    assert!(rig.ledger().is_empty());
}

#[tokio::test]
async fn booked_and_then_a_fault_is_found_in_the_books_and_never_sent_again() {
    for fault in ["fail-after-booking", "drop-after-booking", "cut", "garbage"] {
        let rig = two_due().await;
        rig.fault(&format!("orderpaid@ORDER-A:{fault}:1"));
        let first = rig.run().await;
        let second = rig.run().await;
        assert_eq!(rig.ledger().len(), 2, "{fault}");
        assert!(rig.server.with_world(|w| w.violations().is_empty()), "{fault}");
        assert_eq!(payments(&first, Notified), 2, "{fault}: found by the end of the first run");
        assert_eq!(payments(&second, Notified), 2, "{fault}");
        assert_eq!(first.status, RunStatus::Complete, "{fault}: {:?}", first.reasons);
    }
}

#[tokio::test]
async fn not_booked_and_a_fault_is_proved_absent_and_sent_again_under_the_same_id() {
    for fault in ["fail", "drop"] {
        let rig = two_due().await;
        rig.fault(&format!("orderpaid@ORDER-A:{fault}:1"));
        let first = rig.run().await;
        assert!(rig.is_booked("p1"), "{fault}");
        assert_eq!(rig.ledger().len(), 2, "{fault}");
        assert_eq!(payments(&first, Notified), 2, "{fault}");
        let record = rig.store().notification("p1").unwrap().unwrap();
        assert_eq!(record.standing.sends, 2, "{fault}");
    }
}

#[tokio::test]
async fn three_sends_in_all_and_then_a_person() {
    let rig = two_due().await;
    rig.fault("orderpaid@ORDER-A:fail:always");
    let first = rig.run().await;
    assert_eq!(payments(&first, NotifyUnknown), 1);
    assert_eq!(first.status, RunStatus::Partial);
    rig.run().await;
    let third = rig.run().await;
    let record = rig.store().notification("p1").unwrap().unwrap();
    assert_eq!(record.standing.sends, 3);
    assert_eq!(payments(&third, NotifyHeld), 1, "{record:?}");
    assert!(!rig.is_booked("p1"));
}

#[tokio::test]
async fn resend_never_holds_what_was_not_booked() {
    let mut rig = two_due().await;
    rig.notify = "resend = \"never\"".to_owned();
    rig.fault("orderpaid@ORDER-A:fail:1");
    let first = rig.run().await;
    assert_eq!(payments(&first, NotifyHeld), 1);
    rig.run().await;
    assert!(!rig.is_booked("p1"));
    assert_eq!(rig.store().notification("p1").unwrap().unwrap().standing.sends, 1);
}

#[tokio::test]
async fn a_first_attempt_that_is_refused_is_rejected_and_not_tried_again() {
    let rig = two_due().await;
    rig.fault("orderpaid@ORDER-A:answer=20102:always");
    let first = rig.run().await;
    assert_eq!(payments(&first, NotifyRejected), 1);
    rig.run().await;
    assert_eq!(rig.store().notification("p1").unwrap().unwrap().standing.sends, 1);
}

#[tokio::test]
async fn caps_leave_the_rest_planned_and_hold_what_is_too_large() {
    let mut rig = two_due().await;
    rig.notify = "max_per_run = 1\nmax_amount = \"10.00\"".to_owned();
    let first = rig.run().await;
    assert_eq!(payments(&first, Notified), 1);
    assert_eq!(payments(&first, NotifyHeld), 1, "12.00 is above the cap");
    assert!(rig.is_booked("p1") && !rig.is_booked("p2"));
    let mut rig = two_due().await;
    rig.notify = "max_per_run = 1".to_owned();
    let first = rig.run().await;
    assert_eq!((payments(&first, Notified), payments(&first, NotifyDue)), (1, 1));
    assert_eq!(first.status, RunStatus::Complete);
    let second = rig.run().await;
    assert_eq!(payments(&second, Notified), 2, "the next run tells the rest");
}

#[tokio::test]
async fn a_fee_that_grew_is_not_told() {
    let rig = two_due().await;
    let settings = rig.settings();
    let id = etcp_recon::model::OrderId::new("ORDER-A").unwrap();
    rig.server.with_world(|w| w.charge(&id, super::support::yuan("6.50")));
    drop(settings);
    let first = rig.run().await;
    assert_eq!(payments(&first, AmountMismatch), 1);
    assert!(!rig.is_booked("p1"));
}

#[tokio::test]
async fn a_plate_that_cannot_be_pulled_makes_the_run_partial_and_spoils_nothing_else() {
    let rig = two_due().await;
    rig.bind("13800000002", "京A00001");
    rig.bill("other.csv", &["q1,,京A00001,2.00,,success,2026-11-22 09:00:00,cash"]);
    rig.fault("usersignin@13800000002:fail:always");
    let first = rig.run().await;
    assert_eq!(first.status, RunStatus::Partial);
    assert_eq!(first.summary.coverage.failed.len(), 1);
    assert_eq!(first.summary.coverage.failed[0].mobile, "138****0002");
    assert_eq!(first.summary.coverage.pulled, 2);
    assert_eq!(payments(&first, Unverifiable), 1);
    assert_eq!(payments(&first, Notified), 2);
}

#[tokio::test]
async fn a_wrong_key_ends_the_run_after_the_first_answer() {
    let mut rig = two_due().await;
    rig.key = "another-key-altogether".to_owned();
    let error = rig.try_run(RunMode::Live).await.unwrap_err();
    assert!(format!("{error:#}").contains("code 4"), "{error:#}");
    let failed = error.downcast_ref::<etcp_recon::jobs::run::FailedRun>().unwrap();
    assert_eq!((failed.summary.status, failed.summary.tie_out), ("failed", false));
    assert!(rig.ledger().is_empty());
}

#[tokio::test]
async fn a_required_bill_that_is_missing_makes_orders_unverifiable() {
    let mut rig = two_due().await;
    rig.extra = "[[bills.source]]\nname = \"till\"\nfiles = \"till-*\"\n[[bills.source]]\nname = \"bank\"\nfiles = \"bank-*\"\nrequired = true\nid_prefix = \"b\"\n".to_owned();
    let first = rig.run().await;
    assert_eq!(first.status, RunStatus::Partial);
    assert_eq!(orders(&first, PaymentMissing), 0);
    assert_eq!(orders(&first, Unverifiable), 1);
    assert_eq!(orders(&first, Unpaid), 0);
}

#[tokio::test]
async fn a_refused_bill_changes_nothing_and_makes_the_run_partial() {
    let rig = two_due().await;
    fs::write(rig.path("inbox/broken.csv"), "payment_id,amount,paid_at\np9,5.00\n").unwrap();
    let first = rig.run().await;
    assert_eq!(first.status, RunStatus::Partial);
    assert_eq!(payments(&first, Notified), 2);
    let refused = first.summary.bills.iter().find(|bill| bill.status == "refused").unwrap();
    assert!(refused.reason.as_deref().unwrap().contains("line 2"), "{refused:?}");
    fs::remove_file(rig.path("inbox/broken.csv")).unwrap();
    assert_eq!(rig.run().await.status, RunStatus::Complete);
}

#[tokio::test]
async fn an_order_that_is_gone_has_vanished_even_when_two_runs_fall_into_one_second() {
    let rig = Rig::new().await;
    rig.bind(USER, A);
    rig.inside("ORDER-A", A, "5.50");
    let first = rig.run().await;
    assert_eq!(orders(&first, Unpaid), 1);
    let id = etcp_recon::model::OrderId::new("ORDER-A").unwrap();
    rig.server.with_world(|world| assert!(world.vanish(&id)));
    let second = rig.run().await;
    assert_eq!((orders(&second, Unpaid), orders(&second, Vanished)), (0, 1));
    let offline = rig.try_run(RunMode::Offline).await.unwrap();
    assert_eq!(orders(&offline, Vanished), 1, "offline judges by the same coverage");
    assert_eq!(offline.summary.coverage.pulled, 1);
}

#[tokio::test]
async fn the_first_of_two_payments_is_known_also_when_it_is_older_than_the_window() {
    let rig = Rig::new().await;
    rig.bind(USER, A);
    let stay = etcp_recon::sandbox::Stay::Left {
        fee: super::support::yuan("8.00"),
        cash: super::support::yuan("0.00"),
        exit_at: super::support::at("2026-11-22 18:00:00"),
    };
    rig.order("ORDER-A", A, "2026-11-17 08:00:00", stay);
    rig.bill(
        "till.csv",
        &[
            "p1,ORDER-A,渝B757D0,8.00,,success,2026-11-13 09:00:00,wxpay",
            "p2,ORDER-A,渝B757D0,8.00,,success,2026-11-22 09:00:00,wxpay",
        ],
    );
    let finished = rig.run().await;
    assert_eq!(payments(&finished, DuplicatePayment), 1, "{:?}", finished.summary.payments);
}
