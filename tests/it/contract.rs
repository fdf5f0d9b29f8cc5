//! Promises of the public contract, each seen from outside the parts that keep it.

use std::fs;

use etcp_recon::model::Disposition::{Notified, PaymentMissing};
use etcp_recon::store::RunStatus;

use super::support::{Rig, orders, payments};

const USER: &str = "13800000001";
const A: &str = "渝B757D0";
const HEADER: &str = "payment_id,order_id,plate,amount,status,paid_at,external_order_id,trade_no";

/// A till and a second bill of the same payments; the second one's ids would sort first.
async fn two_sources() -> Rig {
    let mut rig = Rig::new().await;
    rig.extra.push_str("[[bills.source]]\nname = \"till\"\nprofile = \"generic\"\nfiles = \"till-*\"\n\
                 [[bills.source]]\nname = \"channel\"\nprofile = \"generic\"\nfiles = \"channel-*\"\nid_prefix = \"0-\"\n");
    rig.bind(USER, A);
    rig
}

fn write_bill(rig: &Rig, name: &str, row: &str) {
    fs::write(rig.path("inbox").join(name), format!("{HEADER}\n{row}\n")).unwrap();
}

#[tokio::test]
async fn the_merchants_own_order_number_goes_before_an_id_made_of_prefix_and_payment_id() {
    let rig = two_sources().await;
    rig.inside("ORDER-A", A, "5.50");
    write_bill(&rig, "till-1.csv", "p1,ORDER-A,渝B757D0,5.50,success,2026-11-22 09:00:00,OWN-1,T1");
    write_bill(&rig, "channel-1.csv", "q1,,,5.50,success,2026-11-22 09:00:00,,T1");
    let finished = rig.run().await;
    assert_eq!(payments(&finished, Notified), 1);
    assert_eq!(rig.ledger(), [("OWN-1".into(), "ORDER-A".into(), "5.50".into())]);
}

#[tokio::test]
async fn a_required_bill_is_for_a_date_of_which_it_has_only_rows_without_money() {
    let mut rig = Rig::new().await;
    rig.extra =
        "[[bills.source]]\nname = \"till\"\nprofile = \"generic\"\nfiles = \"till-*\"\nrequired = true\n".to_owned();
    rig.bind(USER, A);
    rig.left("ORDER-A", A, "5.50", "0.00");
    rig.bill("till-1.csv", &["p1,ORDER-A,渝B757D0,5.50,,closed,2026-11-22 09:00:00,wxpay"]);
    let finished = rig.run().await;
    assert_eq!(finished.status, RunStatus::Complete, "{:?}", finished.reasons);
    assert_eq!(orders(&finished, PaymentMissing), 1);
}
