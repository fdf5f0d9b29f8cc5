//! Exceptions with a life, and the one transaction that finishes a run.
//!
//! A row of `exception` is how one stands, `exception_event` how it came to stand so. Both are written together, and
//! the roll-forward of a run is proved against both.

mod history;
mod life;
mod roll;

use rusqlite::{OptionalExtension, Row, named_params};

use super::mail::{OutboxMail, insert_mail};
use super::reports::{KeptReport, insert_report};
use super::runs::{OutcomeRow, RunStatus, end_run, insert_order_days, insert_outcomes};
use super::{Store, StoreError, parsed};
use crate::model::{Amount, BusinessDate, Difference, Timestamp};

pub use history::{ExceptionAct, ExceptionEvent};
pub use life::PersonsWord;
pub use roll::RollForward;

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

    /// Whether it tells what was paid: a payment's net, or the fee that a push tells.
    pub fn tells_paid(&self) -> bool {
        self.payment_id.is_some() || self.key.side == ExceptionSide::Event
    }

    /// The money at stake, by which exceptions are summed: what was paid (or a push tells), without it what is due.
    pub fn stake(&self) -> Difference {
        if self.tells_paid() { self.paid } else { Difference::from_fen(self.due.fen()) }
    }

    /// Whether both tell the same of their subject: kind, amounts, order, plate.
    pub fn is_same(&self, other: &Self) -> bool {
        let order = |facts: &Self| facts.order_id.as_deref().map(str::to_lowercase);
        self.kind == other.kind
            && (self.paid, self.due) == (other.paid, other.due)
            && order(self) == order(other)
            && self.plate == other.plate
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
    /// When and by whom it ended; none while it is open.
    pub resolution: Option<Resolution>,
    /// Why a run ended it or opened it again, when that was the last word.
    pub reason: Option<String>,
    /// A person's words, when those were the last.
    pub note: Option<String>,
}

impl ExceptionRow {
    /// The last words on it, a person's or a run's.
    pub fn words(&self) -> Option<&str> {
        self.note.as_deref().or(self.reason.as_deref())
    }

    /// Who resolved it, if it was a person.
    pub fn resolved_by(&self) -> Option<&str> {
        self.resolution.as_ref()?.person.as_deref()
    }
}

/// How an exception ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// When.
    pub at: Timestamp,
    /// The run whose facts ended it; none when a person did.
    pub run_id: Option<String>,
    /// The person who did.
    pub person: Option<String>,
}

/// A resolved exception that opens again.
#[derive(Clone, Debug)]
pub struct Reopened {
    /// As it was.
    pub row: ExceptionRow,
    /// What is found now.
    pub facts: ExceptionFacts,
    /// Why.
    pub reason: &'static str,
}

/// What a run does to the exceptions.
#[derive(Clone, Debug, Default)]
pub struct ExceptionChanges {
    /// Found now.
    pub opened: Vec<ExceptionFacts>,
    /// Found again after they were resolved.
    pub reopened: Vec<Reopened>,
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
    /// Their counts and sums; none of a dry run, which changes nothing.
    pub roll_forward: Option<&'a RollForward>,
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
    let resolved_at: Option<i64> = row.get("resolved_at")?;
    let (run_id, person) = (row.get("resolved_run_id")?, row.get("resolved_by")?);
    Ok(ExceptionRow {
        id: row.get("id")?,
        facts,
        status: if open { ExceptionStatus::Open } else { ExceptionStatus::Resolved },
        first_seen_at: Timestamp::from_unix(row.get("first_seen_at")?),
        last_seen_at: Timestamp::from_unix(row.get("last_seen_at")?),
        resolution: resolved_at.map(|at| Resolution { at: Timestamp::from_unix(at), run_id, person }),
        reason: row.get("reason")?,
        note: row.get("note")?,
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

    /// The exception with that number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn exception(&self, id: i64) -> Result<Option<ExceptionRow>, StoreError> {
        let failed = self.failed("reading an exception");
        let mut statement =
            self.connection.prepare_cached("SELECT * FROM exception WHERE id = :id").map_err(&failed)?;
        statement.query_row(named_params! {":id": id}, exception_row).optional().map_err(&failed)
    }

    /// The resolved exceptions with one of these keys, for each key the one that was resolved last at the end.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn resolved_exceptions<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k ExceptionKey>,
    ) -> Result<Vec<ExceptionRow>, StoreError> {
        let failed = self.failed("reading the exceptions");
        let sql = "SELECT * FROM exception WHERE subject = :subject AND side = :side AND n = :n
                       AND (kind = 'bill_disagrees') = :beside AND status = 'resolved'
                   ORDER BY (SELECT max(id) FROM exception_event WHERE exception_id = exception.id)";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let mut found = Vec::new();
        for key in keys {
            let values = named_params! {
                ":subject": key.subject, ":side": key.side.name(), ":n": key.n, ":beside": key.beside,
            };
            for row in statement.query_map(values, exception_row).map_err(&failed)? {
                found.push(row.map_err(&failed)?);
            }
        }
        Ok(found)
    }

    /// The external order ids that were ever called `duplicate_payment`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn ever_duplicate(&self) -> Result<std::collections::HashSet<String>, StoreError> {
        let failed = self.failed("reading the exceptions");
        let sql = "SELECT DISTINCT subject FROM exception_event JOIN exception ON exception.id = exception_id
                   WHERE exception_event.kind = 'duplicate_payment' AND side = 'payment'";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map([], |row| row.get(0));
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// Finishes a run: outcomes, order days, exceptions, their roll-forward, its report and mail, its status, in one
    /// transaction.
    ///
    /// # Errors
    /// When the exceptions do not tie out, or the database cannot be written; then the run is still running, and nothing else changed.
    pub fn finish_run(&mut self, run: &FinishedRun<'_>) -> Result<(), StoreError> {
        self.write("finishing a run", |transaction| {
            insert_outcomes(transaction, run.run_id, run.outcomes)?;
            insert_order_days(transaction, run.run_id, run.order_days)?;
            life::apply(transaction, run)?;
            if let Some(roll) = run.roll_forward {
                roll::insert(transaction, run.run_id, roll)?;
            }
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
