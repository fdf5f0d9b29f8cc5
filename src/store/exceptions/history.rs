//! What happened to exceptions: steps that are only added, each in the transaction of what it tells of.

use rusqlite::{Row, Transaction, named_params};

use crate::model::{Amount, Difference, Timestamp};
use crate::store::{Store, StoreError, parsed};

/// A step in the life of an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExceptionAct {
    /// A run found it.
    Opened,
    /// It is still there, with other amounts, another order or plate.
    Changed,
    /// The facts, or a person, ended it.
    Resolved,
    /// It is back: the facts showed it, or a person said so.
    Reopened,
}

impl ExceptionAct {
    const ALL: [Self; 4] = [Self::Opened, Self::Changed, Self::Resolved, Self::Reopened];

    /// The name in JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Changed => "changed",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.name() == name)
    }
}

/// One step, with what the exception was after it.
#[derive(Clone, Debug)]
pub struct ExceptionEvent {
    /// Its number: larger ones came later.
    pub id: i64,
    /// The exception.
    pub exception_id: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub act: ExceptionAct,
    /// The run that did it; none of a person.
    pub run_id: Option<String>,
    /// The person who did it.
    pub person: Option<String>,
    /// A run's reason, a person's note.
    pub words: Option<String>,
    /// The kind.
    pub kind: String,
    /// The order's id.
    pub order_id: Option<String>,
    /// The plate.
    pub plate: Option<String>,
    /// What was paid, net.
    pub paid: Difference,
    /// What is due.
    pub due: Amount,
    /// By how much the sum of what is open grew.
    pub change: Difference,
}

/// A step to be written.
pub(super) struct Step<'a> {
    pub exception_id: i64,
    pub at: Timestamp,
    pub act: ExceptionAct,
    pub run_id: Option<&'a str>,
    pub person: Option<&'a str>,
    pub words: Option<&'a str>,
}

/// Writes a step, with what the exception's row says now. A change that changes nothing is none: `false`.
pub(super) fn record(transaction: &Transaction<'_>, step: &Step<'_>) -> rusqlite::Result<bool> {
    let sql = "WITH last AS (SELECT paid_fen, due_fen, order_id, plate, stake_fen FROM exception_event
                             WHERE exception_id = :id ORDER BY id DESC LIMIT 1)
               INSERT INTO exception_event (exception_id, at, act, run_id, person, words, kind, order_id, plate,
                   paid_fen, due_fen, stake_fen, change_fen)
               SELECT id, :at, :act, :run_id, :person, :words, kind, order_id, plate, paid_fen, due_fen, stake_fen,
                   CASE :act WHEN 'resolved' THEN -stake_fen
                             WHEN 'changed' THEN stake_fen - (SELECT stake_fen FROM last) ELSE stake_fen END
               FROM exception
               WHERE id = :id AND (:act <> 'changed'
                   OR (paid_fen, due_fen, order_id, plate) IS NOT (SELECT paid_fen, due_fen, order_id, plate FROM last))";
    let written = transaction.prepare_cached(sql)?.execute(named_params! {
        ":id": step.exception_id, ":at": step.at.unix(), ":act": step.act.name(), ":run_id": step.run_id,
        ":person": step.person, ":words": step.words,
    })?;
    Ok(written > 0)
}

fn exception_event(row: &Row<'_>) -> rusqlite::Result<ExceptionEvent> {
    let due_fen: i64 = row.get("due_fen")?;
    Ok(ExceptionEvent {
        id: row.get("id")?,
        exception_id: row.get("exception_id")?,
        at: Timestamp::from_unix(row.get("at")?),
        act: parsed(row, "act", ExceptionAct::from_name)?,
        run_id: row.get("run_id")?,
        person: row.get("person")?,
        words: row.get("words")?,
        kind: row.get("kind")?,
        order_id: row.get("order_id")?,
        plate: row.get("plate")?,
        paid: Difference::from_fen(row.get("paid_fen")?),
        due: Amount::from_fen(due_fen).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, due_fen))?,
        change: Difference::from_fen(row.get("change_fen")?),
    })
}

impl Store {
    /// Everything that happened to an exception, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn exception_history(&self, exception_id: i64) -> Result<Vec<ExceptionEvent>, StoreError> {
        let failed = self.failed("reading the history of an exception");
        let sql = "SELECT * FROM exception_event WHERE exception_id = :id ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":id": exception_id}, exception_event);
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// What persons did since the last run that has a roll-forward, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn acts_since_last_run(&self) -> Result<Vec<ExceptionEvent>, StoreError> {
        let failed = self.failed("reading what was done since the last run");
        let sql = "SELECT * FROM exception_event
                   WHERE id > (SELECT COALESCE(max(up_to), 0) FROM roll_forward) ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map([], exception_event);
        rows.and_then(Iterator::collect).map_err(&failed)
    }
}
