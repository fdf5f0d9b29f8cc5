//! Runs: their life, what they covered, and what they called each payment and order.

use std::collections::HashSet;

use rusqlite::{OptionalExtension, Row, Transaction, named_params};

use super::orders::{open_before_closed, record_snapshot};
use super::roster::{TokenChange, change_tokens};
use super::{Store, StoreError, WriteError, parsed};
use crate::model::{BusinessDate, Disposition, Mobile, OrderSnapshot, Plate, Side, Timestamp};

/// What a run may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunMode {
    /// Pulls, notifies, mails.
    Live,
    /// Pulls and stores evidence, but notifies, mails and opens nothing.
    DryRun,
    /// Stored evidence only, so nothing is notified.
    Offline,
}

impl RunMode {
    /// The name in JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::DryRun => "dry_run",
            Self::Offline => "offline",
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// Everything was done.
    Complete,
    /// Something is missing; what is there is right.
    Partial,
    /// Nothing of it is to be trusted.
    Failed,
}

impl RunStatus {
    /// The name in JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }
}

/// A run in the database.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// Its id.
    pub id: String,
    /// The date that it reconciled.
    pub date: BusinessDate,
    /// When it began.
    pub started_at: Timestamp,
    /// Its summary as JSON, when it finished.
    pub summary: Option<String>,
}

/// Whether a plate was pulled in a run.
#[derive(Clone, Debug)]
pub struct CoverageRow {
    /// The plate.
    pub plate: Plate,
    /// Its user.
    pub mobile: Mobile,
    /// When.
    pub pulled_at: Timestamp,
    /// Why not; none when it was.
    pub failure: Option<String>,
    /// Whether a record of it was rejected, so that an order may be missing.
    pub doubtful: bool,
}

/// What one pull of a user brought.
#[derive(Clone, Debug, Default)]
pub struct PulledUser {
    /// A row for each plate of the user.
    pub coverage: Vec<CoverageRow>,
    /// The orders, open and closed.
    pub orders: Vec<OrderSnapshot>,
    /// Records that could not be taken: order id, plate, reason.
    pub rejected: Vec<(Option<String>, Option<Plate>, String)>,
}

/// What a run called a payment or an order.
#[derive(Clone, Debug)]
pub struct OutcomeRow {
    /// Which book.
    pub side: Side,
    /// The external order id, or the order's key.
    pub subject: String,
    /// Tells the contents of one conflicting id apart.
    pub n: i64,
    /// The outcome.
    pub disposition: Disposition,
    /// The rule that decided, by name.
    pub rule: String,
    /// The other side's id, when there is one.
    pub counterpart: Option<String>,
    /// Gross of a payment, `booked + due` of an order, in fen.
    pub amount_fen: i64,
}

/// How a side is stored.
const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Payment => "payment",
        Side::Order => "order",
    }
}

fn side_from(row: &Row<'_>) -> rusqlite::Result<Side> {
    Ok(if row.get::<_, String>("side")? == "payment" { Side::Payment } else { Side::Order })
}

pub(super) fn run_record(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    Ok(RunRecord {
        id: row.get("id")?,
        date: parsed(row, "business_date", |day| day.parse().ok())?,
        started_at: Timestamp::from_unix(row.get("started_at")?),
        summary: row.get("summary")?,
    })
}

impl Store {
    /// Begins a run of `date` and gives its id: the date and a number that grows with every run.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn begin_run(&mut self, date: BusinessDate, mode: RunMode, at: Timestamp) -> Result<RunRecord, StoreError> {
        self.write("beginning a run", |transaction| {
            // The lock says that no other run is alive: one still marked running was killed.
            let killed = "UPDATE run SET status = 'failed', finished_at = :at WHERE status = 'running'";
            transaction.execute(killed, named_params! {":at": at.unix()})?;
            let seq: i64 = transaction.query_row("SELECT COALESCE(max(seq), 0) + 1 FROM run", [], |row| row.get(0))?;
            let id = format!("{date}.{seq}");
            let rerun_of = last_finished_live(transaction, date)?.map(|run| run.id);
            let sql = "INSERT INTO run (id, seq, business_date, mode, status, started_at, rerun_of)
                       VALUES (:id, :seq, :date, :mode, 'running', :at, :rerun_of)";
            transaction.execute(
                sql,
                named_params! {
                    ":id": id, ":seq": seq, ":date": date.to_string(), ":mode": mode.name(), ":at": at.unix(),
                    ":rerun_of": rerun_of,
                },
            )?;
            Ok(RunRecord { id, date, started_at: at, summary: None })
        })
    }

    /// The last finished live run of a date.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_finished_live_run(&self, date: BusinessDate) -> Result<Option<RunRecord>, StoreError> {
        last_finished_live(&self.connection, date).map_err(self.failed("looking for the last run"))
    }

    /// The dates that a finished run has reported; a dry run reports nothing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn reported_dates(&self) -> Result<HashSet<BusinessDate>, StoreError> {
        let failed = self.failed("reading the runs");
        let sql =
            "SELECT DISTINCT business_date FROM run WHERE mode <> 'dry_run' AND status IN ('complete', 'partial')";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map([], |row| parsed(row, "business_date", |day| day.parse().ok()));
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The newest complete live run of any date.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_complete_run(&self) -> Result<Option<RunRecord>, StoreError> {
        let sql = "SELECT * FROM run WHERE mode = 'live' AND status = 'complete' ORDER BY seq DESC LIMIT 1";
        self.connection.query_row(sql, [], run_record).optional().map_err(self.failed("looking for the last run"))
    }

    /// Marks a run failed, with what is known of it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn fail_run(&mut self, run_id: &str, at: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE run SET status = 'failed', finished_at = :at WHERE id = :id AND status = 'running'";
        let values = named_params! {":id": run_id, ":at": at.unix()};
        self.connection.execute(sql, values).map(drop).map_err(self.failed("ending a run"))
    }

    /// Replaces the summary of a finished run, when the mail's fate is known.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn set_summary(&mut self, run_id: &str, summary: &str) -> Result<(), StoreError> {
        let sql = "UPDATE run SET summary = :summary WHERE id = :id AND status IN ('complete', 'partial')";
        let values = named_params! {":id": run_id, ":summary": summary};
        self.connection.execute(sql, values).map(drop).map_err(self.failed("keeping the summary"))
    }

    /// Stores what the pull of some users brought, each as seen at one moment, and their tokens: all of it in
    /// one transaction.
    ///
    /// # Errors
    /// When the database cannot be written; then nothing of it is stored.
    pub fn record_pull(
        &mut self,
        run_id: &str,
        pulled: &[(PulledUser, Timestamp)],
        tokens: &[TokenChange],
    ) -> Result<(), StoreError> {
        self.write("storing a pull", |transaction| {
            for (user, seen_at) in pulled {
                record_user(transaction, run_id, user, *seen_at)?;
            }
            Ok(change_tokens(transaction, tokens)?)
        })
    }

    /// What a run covered, in the order of the plates.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn coverage(&self, run_id: &str) -> Result<Vec<CoverageRow>, StoreError> {
        let failed = self.failed("reading the coverage");
        let sql = "SELECT * FROM coverage WHERE run_id = :run_id ORDER BY plate";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":run_id": run_id}, |row| {
            Ok(CoverageRow {
                plate: parsed(row, "plate", |text| Plate::parse(text).ok())?,
                mobile: parsed(row, "mobile", Mobile::parse)?,
                pulled_at: Timestamp::from_unix(row.get("pulled_at")?),
                failure: row.get("failure")?,
                doubtful: row.get("doubtful")?,
            })
        });
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The order records that a run could not take: order id, plate, reason.
    ///
    /// # Errors
    /// When the database cannot be read.
    #[expect(clippy::type_complexity, reason = "three plain columns")]
    pub fn rejected_records(&self, run_id: &str) -> Result<Vec<(Option<String>, Option<String>, String)>, StoreError> {
        let failed = self.failed("reading the rejected records");
        let sql = "SELECT order_id, plate, reason FROM rejected_record WHERE run_id = :run_id ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows =
            statement.query_map(named_params! {":run_id": run_id}, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// What runs called a payment or an order, oldest run first: run, its date, outcome.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn outcomes_of(&self, subject: &str) -> Result<Vec<(String, Timestamp, OutcomeRow)>, StoreError> {
        let failed = self.failed("reading outcomes");
        let sql = "SELECT outcome.*, run.finished_at FROM outcome JOIN run ON run.id = outcome.run_id
                   WHERE outcome.subject = :subject ORDER BY run.seq, n";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":subject": subject}, |row| {
            let finished_at = Timestamp::from_unix(row.get::<_, Option<i64>>("finished_at")?.unwrap_or(0));
            let outcome = OutcomeRow {
                side: side_from(row)?,
                subject: row.get("subject")?,
                n: row.get("n")?,
                disposition: parsed(row, "disposition", Disposition::from_name)?,
                rule: row.get("rule")?,
                counterpart: row.get("counterpart")?,
                amount_fen: row.get("amount_fen")?,
            };
            Ok((row.get("run_id")?, finished_at, outcome))
        });
        rows.and_then(Iterator::collect).map_err(&failed)
    }
}

fn last_finished_live(connection: &rusqlite::Connection, date: BusinessDate) -> rusqlite::Result<Option<RunRecord>> {
    let sql = "SELECT * FROM run WHERE business_date = :date AND mode = 'live' AND status IN ('complete', 'partial')
               ORDER BY seq DESC LIMIT 1";
    connection.query_row(sql, named_params! {":date": date.to_string()}, run_record).optional()
}

/// Evidence and coverage of one user. Rejected records have no name of their own: they are added.
fn record_user(
    transaction: &Transaction<'_>,
    run_id: &str,
    pulled: &PulledUser,
    seen_at: Timestamp,
) -> Result<(), WriteError> {
    for order in open_before_closed(&pulled.orders) {
        record_snapshot(transaction, Some(run_id), order, seen_at)?;
    }
    for row in &pulled.coverage {
        insert_coverage(transaction, run_id, row)?;
    }
    for (order_id, plate, reason) in &pulled.rejected {
        let sql = "INSERT INTO rejected_record (run_id, order_id, plate, reason)
                   VALUES (:run_id, :order_id, :plate, :reason)";
        transaction.prepare_cached(sql)?.execute(named_params! {
            ":run_id": run_id, ":order_id": order_id, ":plate": plate.as_ref().map(Plate::as_str), ":reason": reason,
        })?;
    }
    Ok(())
}

fn insert_coverage(transaction: &Transaction<'_>, run_id: &str, row: &CoverageRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO coverage (run_id, plate, mobile, pulled_at, failure, doubtful)
               VALUES (:run_id, :plate, :mobile, :pulled_at, :failure, :doubtful)
               ON CONFLICT (run_id, plate) DO UPDATE SET pulled_at = excluded.pulled_at, failure = excluded.failure,
                   doubtful = excluded.doubtful";
    transaction.prepare_cached(sql)?.execute(named_params! {
        ":run_id": run_id, ":plate": row.plate.as_str(), ":mobile": row.mobile.expose(),
        ":pulled_at": row.pulled_at.unix(), ":failure": row.failure, ":doubtful": row.doubtful,
    })?;
    Ok(())
}

/// Writes the outcomes of a run, within the transaction that finishes it.
pub(super) fn insert_outcomes(
    transaction: &Transaction<'_>,
    run_id: &str,
    outcomes: &[OutcomeRow],
) -> Result<(), WriteError> {
    let sql = "INSERT INTO outcome (run_id, side, subject, n, disposition, rule, counterpart, amount_fen)
               VALUES (:run_id, :side, :subject, :n, :disposition, :rule, :counterpart, :amount_fen)";
    let mut statement = transaction.prepare_cached(sql)?;
    for row in outcomes {
        statement.execute(named_params! {
            ":run_id": run_id, ":side": side_name(row.side), ":subject": row.subject, ":n": row.n,
            ":disposition": row.disposition.name(), ":rule": row.rule, ":counterpart": row.counterpart,
            ":amount_fen": row.amount_fen,
        })?;
    }
    Ok(())
}

/// Fixes the day of orders that a finished run reports for the first time.
pub(super) fn insert_order_days(
    transaction: &Transaction<'_>,
    run_id: &str,
    days: &[(String, BusinessDate)],
) -> Result<(), WriteError> {
    let sql = "INSERT INTO order_day (order_key, business_date, run_id) VALUES (:key, :date, :run_id)
               ON CONFLICT (order_key) DO NOTHING";
    let mut statement = transaction.prepare_cached(sql)?;
    for (key, date) in days {
        statement.execute(named_params! {":key": key, ":date": date.to_string(), ":run_id": run_id})?;
    }
    Ok(())
}

/// The end of a run in the database, within the transaction that holds its outcomes.
pub(super) fn end_run(
    transaction: &Transaction<'_>,
    run_id: &str,
    status: RunStatus,
    summary: &str,
    at: Timestamp,
) -> Result<(), WriteError> {
    let sql = "UPDATE run SET status = :status, summary = :summary, finished_at = :at
               WHERE id = :id AND status = 'running'";
    let values = named_params! {":id": run_id, ":status": status.name(), ":summary": summary, ":at": at.unix()};
    match transaction.execute(sql, values)? {
        1 => Ok(()),
        _ => Err(WriteError::Refused(format!(
            "run {run_id} is not running any more\nhint: another run began, and took this one for dead"
        ))),
    }
}
