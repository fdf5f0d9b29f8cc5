//! Exceptions with a life, and the one transaction that finishes a run.

use rusqlite::{Row, Transaction, named_params};

use super::mail::{OutboxMail, insert_mail};
use super::reports::{KeptReport, insert_report};
use super::runs::{OutcomeRow, RunStatus, end_run, insert_order_days, insert_outcomes};
use super::{Store, StoreError, WriteError, journal, parsed};
use crate::model::{Amount, BusinessDate, Difference, Timestamp};

/// What kind of thing an exception is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExceptionSide {
    /// A payment.
    Payment,
    /// An order.
    Order,
    /// A push.
    Event,
}

impl ExceptionSide {
    const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Order => "order",
            Self::Event => "event",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Payment, Self::Order, Self::Event].into_iter().find(|side| side.name() == name)
    }
}

/// What an exception is about: one open exception a key (`bill_disagrees` stands beside another one).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExceptionKey {
    /// What kind of thing.
    pub side: ExceptionSide,
    /// The external order id, the order's key, or the key of the push's synId.
    pub subject: String,
    /// Tells the contents of one conflicting id apart.
    pub n: i64,
    /// Whether it is the `bill_disagrees` of its subject.
    pub beside: bool,
}

/// What a run found of an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionFacts {
    /// What it is about.
    pub key: ExceptionKey,
    /// The disposition's name, `bill_disagrees`, or the name of an [`crate::model::event::EventFinding`].
    pub kind: String,
    /// The date that it belongs to.
    pub date: BusinessDate,
    /// The payment id as it stands in the bill.
    pub payment_id: Option<String>,
    /// The id at the platform.
    pub external_order_id: Option<String>,
    /// The order's id; of a push without order its synId.
    pub order_id: Option<String>,
    /// The plate.
    pub plate: Option<String>,
    /// The payment's net; of a push the fee that it tells.
    pub paid: Difference,
    /// The order's `booked + due`; beside a push the order's whole fee.
    pub due: Amount,
    /// When it was paid, else the exit, else the entrance.
    pub at: Timestamp,
    /// The rule that decided, by name.
    pub rule: String,
}

impl ExceptionFacts {
    /// `paid − due`.
    pub const fn difference(&self) -> Difference {
        Difference::from_fen(self.paid.fen().saturating_sub(self.due.fen()))
    }
}

/// Whether an exception is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExceptionStatus {
    /// Somebody has to look at it.
    Open,
    /// The facts, or a person, ended it.
    Resolved,
}

/// An exception in the database.
#[derive(Clone, Debug)]
pub struct ExceptionRow {
    /// Its number.
    pub id: i64,
    /// What the last run found.
    pub facts: ExceptionFacts,
    /// Open or not.
    pub status: ExceptionStatus,
    /// When the first run saw it.
    pub first_seen_at: Timestamp,
    /// When the last run saw it.
    pub last_seen_at: Timestamp,
    /// Why it ended, or a person's words.
    pub note: Option<String>,
}

/// What a run does to the exceptions.
#[derive(Clone, Debug, Default)]
pub struct ExceptionChanges {
    /// Found now.
    pub opened: Vec<ExceptionFacts>,
    /// Still there, with what is known now.
    pub carried: Vec<(i64, ExceptionFacts)>,
    /// Gone: the exception, and why.
    pub resolved: Vec<(i64, String)>,
}

/// All that a finished run leaves behind, written at once.
pub struct FinishedRun<'a> {
    /// The run.
    pub run_id: &'a str,
    /// How it ended.
    pub status: RunStatus,
    /// Its summary as JSON.
    pub summary: &'a str,
    /// What it called each payment and order of its date.
    pub outcomes: &'a [OutcomeRow],
    /// The days of the orders that it reports.
    pub order_days: &'a [(String, BusinessDate)],
    /// What becomes of the exceptions.
    pub exceptions: &'a ExceptionChanges,
    /// What it reports, to be rendered again.
    pub report: Option<&'a KeptReport>,
    /// The mail to be sent.
    pub mail: Option<&'a OutboxMail>,
    /// Now.
    pub at: Timestamp,
}

fn exception_row(row: &Row<'_>) -> rusqlite::Result<ExceptionRow> {
    let kind: String = row.get("kind")?;
    let due_fen: i64 = row.get("due_fen")?;
    let facts = ExceptionFacts {
        key: ExceptionKey {
            side: parsed(row, "side", ExceptionSide::from_name)?,
            subject: row.get("subject")?,
            n: row.get("n")?,
            beside: kind == crate::model::disposition::BILL_DISAGREES,
        },
        kind,
        date: parsed(row, "business_date", |day| day.parse().ok())?,
        payment_id: row.get("payment_id")?,
        external_order_id: row.get("external_order_id")?,
        order_id: row.get("order_id")?,
        plate: row.get("plate")?,
        paid: Difference::from_fen(row.get("paid_fen")?),
        due: Amount::from_fen(due_fen).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, due_fen))?,
        at: Timestamp::from_unix(row.get("at")?),
        rule: row.get("rule")?,
    };
    let open = row.get::<_, String>("status")? == "open";
    let (note, reason): (Option<String>, Option<String>) = (row.get("note")?, row.get("reason")?);
    Ok(ExceptionRow {
        id: row.get("id")?,
        facts,
        status: if open { ExceptionStatus::Open } else { ExceptionStatus::Resolved },
        first_seen_at: Timestamp::from_unix(row.get("first_seen_at")?),
        last_seen_at: Timestamp::from_unix(row.get("last_seen_at")?),
        note: note.or(reason),
    })
}

impl Store {
    /// All exceptions, open and resolved, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn exceptions(&self) -> Result<Vec<ExceptionRow>, StoreError> {
        self.exceptions_where("SELECT * FROM exception ORDER BY id")
    }

    /// The open exceptions, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_exceptions(&self) -> Result<Vec<ExceptionRow>, StoreError> {
        self.exceptions_where("SELECT * FROM exception WHERE status = 'open' ORDER BY id")
    }

    fn exceptions_where(&self, sql: &'static str) -> Result<Vec<ExceptionRow>, StoreError> {
        let failed = self.failed("reading the exceptions");
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map([], exception_row);
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The exceptions about a payment (its external order id), an order (its key) or a push (its synId's key), oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn exceptions_of(&self, subject: &str) -> Result<Vec<ExceptionRow>, StoreError> {
        let failed = self.failed("reading the exceptions");
        let sql = "SELECT * FROM exception WHERE subject = :subject ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":subject": subject}, exception_row);
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The external order ids that were ever called `duplicate_payment`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn ever_duplicate(&self) -> Result<std::collections::HashSet<String>, StoreError> {
        let failed = self.failed("reading the exceptions");
        let sql = "SELECT DISTINCT subject FROM exception WHERE kind = 'duplicate_payment' AND side = 'payment'";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map([], |row| row.get(0));
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// Finishes a run: outcomes, order days, exceptions, its report and mail, its status, in one transaction.
    ///
    /// # Errors
    /// When the database cannot be written; then the run is still running, and nothing else changed.
    pub fn finish_run(&mut self, run: &FinishedRun<'_>) -> Result<(), StoreError> {
        self.write("finishing a run", |transaction| {
            insert_outcomes(transaction, run.run_id, run.outcomes)?;
            insert_order_days(transaction, run.run_id, run.order_days)?;
            apply_exceptions(transaction, run)?;
            if let Some(report) = run.report {
                insert_report(transaction, run.run_id, report)?;
            }
            if let Some(mail) = run.mail {
                insert_mail(transaction, mail, run.at)?;
            }
            end_run(transaction, run.run_id, run.status, run.summary, run.at)
        })
    }
}

fn apply_exceptions(transaction: &Transaction<'_>, run: &FinishedRun<'_>) -> Result<(), WriteError> {
    // Resolved first: a subject whose kind changed is closed before it is opened again.
    for (id, reason) in &run.exceptions.resolved {
        let sql =
            "UPDATE exception SET status = 'resolved', resolved_at = :at, resolved_run_id = :run_id, reason = :reason
                   WHERE id = :id AND status = 'open'";
        let values = named_params! {":id": id, ":at": run.at.unix(), ":run_id": run.run_id, ":reason": reason};
        if transaction.prepare_cached(sql)?.execute(values)? == 0 {
            // A person was faster; nothing was decided here.
            continue;
        }
        let detail = serde_json::json!({"reason": reason});
        journal::append(transaction, run.at, Some(run.run_id), "exception.resolved", &id.to_string(), &detail)?;
    }
    for (id, facts) in &run.exceptions.carried {
        let sql = "UPDATE exception SET last_seen_at = CASE WHEN last_seen_at > :at THEN last_seen_at ELSE :at END, last_run_id = :run_id, payment_id = :payment_id,
                       order_id = :order_id, plate = :plate, paid_fen = :paid_fen, due_fen = :due_fen, rule = :rule
                   WHERE id = :id AND status = 'open'";
        transaction.prepare_cached(sql)?.execute(named_params! {
            ":id": id, ":at": run.at.unix(), ":run_id": run.run_id, ":payment_id": facts.payment_id,
            ":order_id": facts.order_id, ":plate": facts.plate, ":paid_fen": facts.paid.fen(),
            ":due_fen": facts.due.fen(), ":rule": facts.rule,
        })?;
    }
    for facts in &run.exceptions.opened {
        open_exception(transaction, run, facts)?;
    }
    Ok(())
}

fn open_exception(
    transaction: &Transaction<'_>,
    run: &FinishedRun<'_>,
    facts: &ExceptionFacts,
) -> Result<(), WriteError> {
    let sql =
        "INSERT INTO exception (kind, business_date, side, subject, n, payment_id, external_order_id, order_id, plate,
                   paid_fen, due_fen, at, rule, status, first_seen_at, first_run_id, last_seen_at, last_run_id)
               VALUES (:kind, :date, :side, :subject, :n, :payment_id, :external_order_id, :order_id, :plate,
                   :paid_fen, :due_fen, :at, :rule, 'open', :now, :run_id, :now, :run_id)";
    transaction.prepare_cached(sql)?.execute(named_params! {
        ":kind": facts.kind, ":date": facts.date.to_string(), ":side": facts.key.side.name(),
        ":subject": facts.key.subject, ":n": facts.key.n, ":payment_id": facts.payment_id,
        ":external_order_id": facts.external_order_id, ":order_id": facts.order_id, ":plate": facts.plate,
        ":paid_fen": facts.paid.fen(), ":due_fen": facts.due.fen(), ":at": facts.at.unix(), ":rule": facts.rule,
        ":now": run.at.unix(), ":run_id": run.run_id,
    })?;
    let id = transaction.last_insert_rowid();
    let detail = serde_json::json!({
        "kind": facts.kind, "subject": facts.key.subject, "paid": facts.paid, "due": facts.due, "rule": facts.rule,
    });
    journal::append(transaction, run.at, Some(run.run_id), "exception.opened", &id.to_string(), &detail)
}
