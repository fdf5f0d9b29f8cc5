//! What changes after the day it belongs to was reported.

use etcp_recon::model::{Amount, Disposition, OrderId};
use etcp_recon::sandbox::Stay;
use etcp_recon::store::{ExceptionRow, RunStatus};

use super::support::{Rig, at, orders, payments, yuan};

const USER: &str = "13800000001";
const A: &str = "渝B757D0";

fn kinds(rows: &[ExceptionRow]) -> Vec<&str> {
    rows.iter().map(|row| row.facts.kind.as_str()).collect()
}

#[tokio::test]
async fn an_order_that_closes_without_money_after_its_day_was_reported_is_an_exception() {
    let rig = Rig::new().await;
    rig.bind(USER, A);
    rig.inside("ORDER-A", A, "8.00");
    rig.bill("till-20261122.csv", &["p9,,渝B757D0,1.00,,closed,2026-11-22 09:00:00,cash"]);
    let first = rig.run().await;
    assert_eq!(orders(&first, Disposition::Unpaid), 1);
    let id = OrderId::new("ORDER-A").unwrap();
    rig.server.with_world(|w| w.pay_elsewhere(&id, yuan("8.00")) && w.leave(&id, at("2026-11-23 12:00:00")));
    rig.clock.set(at("2026-11-24 10:30:00"));
    let second = rig.run_of("2026-11-23").await;
    assert!(second.summary.tie_out);
    let open = rig.store().open_exceptions().unwrap();
    assert_eq!(kinds(&open), ["payment_missing"], "{:?}", second.summary.orders);
    assert_eq!(second.summary.exceptions.new, 1);
}

#[tokio::test]
async fn a_refund_on_the_next_day_of_what_the_platform_booked_is_an_exception() {
    let rig = Rig::new().await;
    rig.bind(USER, A);
    rig.left("ORDER-C", A, "8.00", "0.00");
    rig.bill("till-20261122.csv", &["p3,ORDER-C,渝B757D0,8.00,,success,2026-11-22 10:00:00,cash"]);
    let first = rig.run().await;
    assert_eq!(payments(&first, Disposition::Settled), 1);
    assert_eq!(first.status, RunStatus::Complete);
    rig.bill("till-20261123.csv", &["p3,ORDER-C,渝B757D0,8.00,,refund,2026-11-23 10:00:00,cash"]);
    rig.clock.set(at("2026-11-24 10:30:00"));
    let second = rig.run_of("2026-11-23").await;
    let open = rig.store().open_exceptions().unwrap();
    assert_eq!(kinds(&open), ["refunded_after_settlement"], "{:?}", second.summary.payments);
}

#[tokio::test]
async fn the_second_payment_of_an_order_is_told_after_the_first() {
    let rig = Rig::new().await;
    rig.bind(USER, A);
    rig.order("ORDER-A", A, "2026-11-22 08:00:00", Stay::Inside { fee: yuan("5.00"), paid: Amount::ZERO });
    rig.bill("till-a.csv", &["p1,ORDER-A,渝B757D0,5.00,,success,2026-11-22 09:00:00,cash"]);
    rig.run().await;
    let id = OrderId::new("ORDER-A").unwrap();
    rig.server.with_world(|w| w.charge(&id, yuan("9.00")));
    rig.bill("till-b.csv", &["p2,ORDER-A,渝B757D0,4.00,,success,2026-11-22 19:00:00,cash"]);
    let second = rig.run().await;
    assert_eq!(rig.ledger().len(), 2);
    assert!(second.report.alerts.is_empty(), "{:?}", second.report.alerts);
}

/// Lets reads of the fee fail from the moment that notifying begins: everybody's, or one user's.
struct FailsFrom<'a>(&'a Rig, &'a str);

impl etcp_recon::jobs::progress::Progress for FailsFrom<'_> {
    fn begin(&self, what: &str, _: Option<u64>) {
        if what == "notify" {
            self.0.fault(self.1);
        }
    }
    fn advance(&self) {}
    fn end(&self) {}
}

#[tokio::test]
async fn a_fee_that_cannot_be_asked_again_makes_the_run_partial() {
    let rig = Rig::new().await;
    rig.bind(USER, A);
    rig.inside("ORDER-A", A, "5.50");
    rig.bill("till.csv", &["p1,ORDER-A,渝B757D0,5.50,,success,2026-11-22 09:00:00,cash"]);
    let run = run_failing(&rig, "orderunpay:fail:always").await;
    assert_eq!(payments(&run, Disposition::NotifyDue), 1);
    assert_eq!(run.status, RunStatus::Partial, "{:?}", run.reasons);
}

async fn run_failing(rig: &Rig, fault: &str) -> etcp_recon::jobs::run::Finished {
    let options = etcp_recon::jobs::run::RunOptions {
        date: super::support::date(super::support::DATE),
        mode: etcp_recon::store::RunMode::Live,
        no_email: true,
    };
    etcp_recon::jobs::run::run(&rig.settings(), options, &rig.clock, &FailsFrom(rig, fault)).await.unwrap()
}

/// Eight users with a car inside that has paid at the till.
async fn eight_due() -> Rig {
    let rig = Rig::new().await;
    let mut rows = Vec::new();
    for n in 1..=8 {
        let (mobile, plate) = (format!("1380000000{n}"), format!("渝A0000{n}"));
        rig.bind(&mobile, &plate);
        rig.inside_of(&mobile, &format!("ORDER-{n}"), &plate, "5.50");
        rows.push(format!("p{n},ORDER-{n},{plate},5.50,,success,2026-11-22 09:00:0{n},cash"));
    }
    rig.bill("till.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    rig
}

#[tokio::test]
async fn a_platform_that_cannot_be_asked_for_five_users_in_a_row_is_asked_no_more() {
    let rig = eight_due().await;
    rig.server.with_world(etcp_recon::sandbox::World::reset_calls);
    let run = run_failing(&rig, "orderunpay:fail:always").await;
    assert_eq!(run.status, RunStatus::Partial);
    let asked = rig.server.with_world(|world| world.calls(etcp_recon::sandbox::Interface::OrderUnpay));
    assert_eq!(asked, 8 + 5, "eight of the pull, five before sending");
    assert!(rig.ledger().is_empty());
}

#[tokio::test]
async fn one_user_whose_fee_cannot_be_asked_spoils_no_other() {
    let rig = eight_due().await;
    let run = run_failing(&rig, "orderunpay@13800000002:fail:always").await;
    assert_eq!((payments(&run, Disposition::Notified), payments(&run, Disposition::NotifyDue)), (7, 1));
    assert_eq!(rig.ledger().len(), 7);
}

#[tokio::test]
async fn an_order_whose_required_bill_is_still_missing_stays_unverifiable_on_the_next_day() {
    let mut rig = Rig::new().await;
    rig.bind(USER, A);
    rig.left("ORDER-C", A, "8.00", "0.00");
    rig.extra = "[[bills.source]]\nname = \"bank\"\nfiles = \"bank-*\"\nrequired = true\n".to_owned();
    let first = rig.run().await;
    assert_eq!(orders(&first, Disposition::Unverifiable), 1);
    rig.bill(
        "bank-20261123.csv",
        &["p9,,渝B757D0,1.00,,closed,2026-11-23 09:00:00,cash", "p8,,渝B757D0,1.00,,success,2026-11-23 09:00:00,cash"],
    );
    rig.clock.set(at("2026-11-24 10:30:00"));
    rig.run_of("2026-11-23").await;
    let open = rig.store().open_exceptions().unwrap();
    assert!(!kinds(&open).contains(&"payment_missing"), "{:?}", kinds(&open));
}

#[tokio::test]
async fn what_is_due_of_an_earlier_day_is_counted_as_due() {
    let rig = Rig::new().await;
    rig.bind(USER, A);
    rig.order("ORDER-A", A, "2026-11-21 08:00:00", Stay::Inside { fee: yuan("5.50"), paid: Amount::ZERO });
    rig.bill("till.csv", &["p1,ORDER-A,渝B757D0,5.50,,success,2026-11-21 09:00:00,cash"]);
    let dry = rig.try_run(etcp_recon::store::RunMode::DryRun).await.unwrap();
    assert_eq!(dry.summary.notifications.due, 1);
}

#[tokio::test]
async fn a_run_that_cannot_open_its_database_is_mailed_too() {
    let mut rig = Rig::new().await;
    rig.extra = "[report.email]\nfrom = \"a@example.com\"\nto = [\"b@example.com\"]\n".to_owned();
    std::fs::write(rig.path("recon.db"), vec![b'x'; 8192]).unwrap();
    let error = rig.try_run(etcp_recon::store::RunMode::Live).await.unwrap_err();
    assert!(format!("{error:#}").contains("damaged"), "{error:#}");
    let reports = rig.settings().report.dir;
    let mails = std::fs::read_dir(&reports).unwrap().filter(|one| one.as_ref().unwrap().path().extension().is_some());
    assert_eq!(mails.count(), 1);
}
