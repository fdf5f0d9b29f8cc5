//! The store against a real file, with a second connection that goes past the Rust.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers of tests")]
#![expect(clippy::cloned_ref_to_slice_refs, reason = "shorter, and a test copies what it likes")]

mod bills;
mod bindings;
mod constraints;
mod events;
mod exceptions;
mod journal;
mod locks;
mod notifications;
mod opening;
mod orders;
mod runs;

use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::model::{
    Amount, BusinessDate, ExternalOrderId, Mobile, NotificationState, OrderId, OrderSnapshot, OrderState, Plate,
    Timestamp,
};
use crate::notify::{Baseline, Standing};

/// A store in a folder of its own.
struct Scratch {
    dir: TempDir,
    store: Store,
}

impl Scratch {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("recon.db")).unwrap();
        Self { dir, store }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("recon.db")
    }

    /// A connection that knows nothing of us.
    fn raw(&self) -> Connection {
        raw(&self.path())
    }

    fn run(&mut self) -> String {
        self.store.begin_run(day(), RunMode::Live, at(1)).unwrap().id
    }

    /// A planned notification of 5.00 for order `o-<ext>`.
    fn planned(&mut self, run: &str, ext: &str) -> NotificationRecord {
        let new = new_notification(ext, &format!("o-{ext}"), 500);
        self.store.plan_notifications(run, &[new], &[], at(2)).unwrap();
        self.record(ext)
    }

    fn record(&self, ext: &str) -> NotificationRecord {
        self.store.notification(ext).unwrap().unwrap()
    }

    /// One that is being sent.
    fn sending(&mut self, run: &str, ext: &str) -> NotificationRecord {
        let record = self.planned(run, ext);
        self.store.begin_attempt(run, &record, &sending(&record.standing), &start(), at(3)).unwrap();
        self.record(ext)
    }
}

#[expect(clippy::disallowed_methods, reason = "goes past the store on purpose")]
fn raw(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(BUSY_TIMEOUT).unwrap();
    connection.execute_batch("PRAGMA foreign_keys=ON").unwrap();
    connection
}

/// The message with which SQLite refuses `sql`.
fn refusal(connection: &Connection, sql: &str) -> String {
    match connection.execute_batch(sql) {
        Ok(()) => panic!("not refused: {sql}"),
        Err(error) => error.to_string(),
    }
}

fn count(connection: &Connection, table: &str) -> i64 {
    connection.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn day() -> BusinessDate {
    "2026-11-22".parse().unwrap()
}

/// Moments within the day.
fn at(seconds: i64) -> Timestamp {
    day().start().plus_s(seconds)
}

fn fen(fen: i64) -> Amount {
    Amount::from_fen(fen).unwrap()
}

fn user() -> PlateUser {
    PlateUser { plate: Plate::parse("渝B757D0").unwrap(), mobile: Mobile::parse("13800000001").unwrap() }
}

fn new_notification(ext: &str, order: &str, amount: i64) -> NewNotification {
    NewNotification {
        external_order_id: ExternalOrderId::new(ext).unwrap(),
        payment_id: format!("p-{ext}"),
        order_id: OrderId::new(order).unwrap(),
        user: user(),
        pay_time: at(0),
        standing: Standing::planned(fen(amount)),
        why: String::new(),
    }
}

fn baseline() -> Baseline {
    Baseline { paid_so_far: fen(0), fee: fen(500), remaining: fen(500) }
}

fn sending(standing: &Standing) -> Standing {
    Standing {
        state: NotificationState::Sending,
        sends: standing.sends + 1,
        baseline: Some(baseline()),
        resent_in_run: standing.was_sent(),
        ..*standing
    }
}

fn start() -> AttemptStart {
    AttemptStart { request_sha256: "a".repeat(64), verification_sha256: "b".repeat(64) }
}

fn end(outcome: &'static str) -> AttemptEnd {
    let pay_order_id = (outcome == "acknowledged").then(|| "PO-1".to_owned());
    AttemptEnd { outcome, code: None, message: Some(outcome.to_owned()), pay_order_id }
}

fn unknown(standing: &Standing) -> Standing {
    Standing {
        state: NotificationState::Unknown,
        tainted: true,
        last_byte_at: Some(at(4)),
        first_unknown_at: Some(at(4)),
        ..*standing
    }
}

fn open_order(id: &str, fee: i64, remaining: i64) -> OrderSnapshot {
    OrderSnapshot {
        order_id: OrderId::new(id).unwrap(),
        plate: Some(user().plate),
        parking_id: "7".to_owned(),
        parking_name: "东门".to_owned(),
        entrance_at: at(-3600),
        exit_at: None,
        state: OrderState::open(fen(fee), fen(remaining)).unwrap(),
    }
}

fn closed_order(id: &str, fee: i64, cash: i64, exit_at: Timestamp) -> OrderSnapshot {
    OrderSnapshot {
        exit_at: Some(exit_at),
        state: OrderState::closed(fen(fee), fen(cash)).unwrap(),
        ..open_order(id, fee, 0)
    }
}
