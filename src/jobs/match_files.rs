//! `match`: the same matching on two files, with no database and no platform.
//!
//! The payments come folded from whatever bill was read; this job reads the orders, decides and
//! writes `exceptions.csv`, whole or not at all.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::model::{OrderSnapshot, Payment};
use crate::recon::exceptions::write_csv;
use crate::recon::files::{Matched, match_files};
use crate::recon::orders_csv::read_orders;

/// The name of the file that is written to the output folder.
pub const EXCEPTIONS_FILE: &str = "exceptions.csv";

/// Reads the orders file.
///
/// # Errors
/// When it cannot be read or anything in it is not as it should be, with its line and column.
pub fn load_orders(path: &Path) -> anyhow::Result<Vec<OrderSnapshot>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    Ok(read_orders(file, &path.display().to_string())?)
}

/// Matches payments with orders and, if `out` is a folder's name, writes the exceptions into it; the folder
/// is made when it is missing, an older file is replaced. The caller asks for `tie_out` and fails without it.
///
/// # Errors
/// When the exceptions cannot be written.
pub fn run<'a>(
    payments: &'a [Payment],
    orders: &'a [OrderSnapshot],
    grace_s: i64,
    out: Option<&Path>,
) -> anyhow::Result<Matched<'a>> {
    let matched = match_files(payments, orders, grace_s);
    if let Some(folder) = out {
        write_exceptions(&matched, folder)?;
    }
    Ok(matched)
}

/// Writes `exceptions.csv` under another name first, so that nobody reads half of it. Returns its path.
fn write_exceptions(matched: &Matched<'_>, folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join(EXCEPTIONS_FILE);
    let draft = folder.join(format!("{EXCEPTIONS_FILE}.part"));
    let write = || {
        fs::create_dir_all(folder)?;
        let file = File::create(&draft)?;
        write_csv(&matched.exceptions, BufWriter::new(&file))?;
        file.sync_all()?;
        fs::rename(&draft, &path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Amount, ExternalOrderId, OrderId, Timestamp};
    use crate::recon::files::DEFAULT_GRACE_S;

    fn payment(id: &str, order: &str, amount: &str) -> Payment {
        Payment {
            source: "default".into(),
            payment_id: id.into(),
            external_order_id: ExternalOrderId::new(id).unwrap(),
            order_id: OrderId::new(order),
            plate: None,
            gross: amount.parse().unwrap(),
            refunded: Amount::ZERO,
            has_refund: false,
            fee: None,
            paid_at: Timestamp::parse_wall("2026-11-22 09:00:00").unwrap(),
            channel: String::new(),
            conflict: false,
            bill_disagrees: false,
            rows: 1,
        }
    }

    #[test]
    fn two_files_become_exceptions_and_a_summary_and_again_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("orders.csv");
        let text = "order_id,plate,parking_id,parking_fee,remaining_fee,cash,entrance_time,exit_time\n\
                    A,渝A00001,1,10,,0,2026-11-22 08:00:00,2026-11-22 10:00:00\n\
                    B,渝A00001,1,7,,0,2026-11-22 11:00:00,2026-11-22 12:00:00\n";
        fs::write(&file, text).unwrap();
        let out = folder.path().join("new/out");
        let payments = [payment("p1", "a", "10"), payment("p2", "x", "3"), payment("p3", "A", "10")];
        for _ in 0..2 {
            let orders = load_orders(&file).unwrap();
            let matched = run(&payments, &orders, DEFAULT_GRACE_S, Some(&out)).unwrap();
            assert_eq!(
                serde_json::to_value(&matched).unwrap(),
                serde_json::json!({
                    "payments": {"count": 3, "amount": "23.00", "by": {
                        "settled": {"count": 1, "amount": "10.00"},
                        "duplicate_payment": {"count": 1, "amount": "10.00"},
                        "order_not_found": {"count": 1, "amount": "3.00"},
                    }},
                    "orders": {"count": 2, "amount": "17.00", "by": {
                        "settled": {"count": 1, "amount": "10.00"},
                        "payment_missing": {"count": 1, "amount": "7.00"},
                    }},
                    "tie_out": true,
                })
            );
            assert_eq!(
                fs::read_to_string(out.join(EXCEPTIONS_FILE)).unwrap(),
                "kind,payment_id,order_id,plate,paid,due,difference,at\n\
                 order_not_found,p2,x,,3.00,0.00,3.00,2026-11-22 09:00:00\n\
                 duplicate_payment,p3,A,渝A00001,10.00,10.00,0.00,2026-11-22 09:00:00\n\
                 payment_missing,,B,渝A00001,0.00,7.00,-7.00,2026-11-22 12:00:00\n"
            );
            assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_missing_orders_file_is_named() {
        let error = load_orders(Path::new("no such file.csv")).unwrap_err();
        assert_eq!(error.to_string(), "cannot open no such file.csv");
    }
}
