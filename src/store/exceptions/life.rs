//! The steps of an exception as they are written: each changes its row, adds to its history and to the journal.

use rusqlite::{Transaction, named_params};
use serde_json::json;

use super::history::{ExceptionAct, Step, record};
use super::{ExceptionFacts, FinishedRun, Reopened};
use crate::model::Timestamp;
use crate::store::{Store, StoreError, WriteError, journal};

/// Who decides on an exception, and why.
#[derive(Clone, Copy, Debug)]
pub struct PersonsWord<'a> {
    /// The name.
    pub by: &'a str,
    /// The note.
    pub note: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Writes what a run does to the exceptions. Resolved first: a subject whose kind changed is closed before it is opened
/// again.
pub(super) fn apply(transaction: &Transaction<'_>, run: &FinishedRun<'_>) -> Result<(), WriteError> {
    for (id, reason) in &run.exceptions.resolved {
        resolve(transaction, run, *id, reason)?;
    }
    for (id, facts) in &run.exceptions.carried {
        carry(transaction, run, *id, facts)?;
    }
    for reopened in &run.exceptions.reopened {
        reopen(transaction, run, reopened)?;
    }
    for facts in &run.exceptions.opened {
        open(transaction, run, facts)?;
    }
    Ok(())
}

fn step<'a>(run: &FinishedRun<'a>, exception_id: i64, act: ExceptionAct, words: Option<&'a str>) -> Step<'a> {
    Step { exception_id, at: run.at, act, run_id: Some(run.run_id), person: None, words }
}

/// That exactly one row was as the caller had seen it.
fn stands(changed: usize, id: i64, status: &str) -> Result<(), WriteError> {
    if changed == 1 {
        return Ok(());
    }
    Err(WriteError::Refused(format!(
        "exception {id} is not {status} any more\nhint: something else changed it in between; try again"
    )))
}

fn resolve(transaction: &Transaction<'_>, run: &FinishedRun<'_>, id: i64, reason: &str) -> Result<(), WriteError> {
    let sql =
        "UPDATE exception SET status = 'resolved', resolved_at = :at, resolved_run_id = :run_id, reason = :reason,
                   note = NULL
               WHERE id = :id AND status = 'open'";
    let values = named_params! {":id": id, ":at": run.at.unix(), ":run_id": run.run_id, ":reason": reason};
    stands(transaction.prepare_cached(sql)?.execute(values)?, id, "open")?;
    record(transaction, &step(run, id, ExceptionAct::Resolved, Some(reason)))?;
    let detail = json!({"reason": reason});
    journal::append(transaction, run.at, Some(run.run_id), "exception.resolved", &id.to_string(), &detail)
}

fn carry(
    transaction: &Transaction<'_>,
    run: &FinishedRun<'_>,
    id: i64,
    facts: &ExceptionFacts,
) -> Result<(), WriteError> {
    let sql =
        "UPDATE exception SET last_seen_at = max(last_seen_at, :at), last_run_id = :run_id, payment_id = :payment_id,
                   order_id = :order_id, plate = :plate, paid_fen = :paid_fen, due_fen = :due_fen,
                   stake_fen = :stake_fen, rule = :rule
               WHERE id = :id AND status = 'open'";
    let carried = transaction.prepare_cached(sql)?.execute(named_params! {
        ":id": id, ":at": run.at.unix(), ":run_id": run.run_id, ":payment_id": facts.payment_id,
        ":order_id": facts.order_id, ":plate": facts.plate, ":paid_fen": facts.paid.fen(),
        ":due_fen": facts.due.fen(), ":stake_fen": facts.stake().fen(), ":rule": facts.rule,
    })?;
    stands(carried, id, "open")?;
    if record(transaction, &step(run, id, ExceptionAct::Changed, None))? {
        let detail = told(facts);
        journal::append(transaction, run.at, Some(run.run_id), "exception.changed", &id.to_string(), &detail)?;
    }
    Ok(())
}

fn reopen(transaction: &Transaction<'_>, run: &FinishedRun<'_>, reopened: &Reopened) -> Result<(), WriteError> {
    let Reopened { row, facts, reason } = reopened;
    let sql = "UPDATE exception SET status = 'open', resolved_at = NULL, resolved_run_id = NULL, resolved_by = NULL,
                   note = NULL, reason = :reason, last_seen_at = max(last_seen_at, :at), last_run_id = :run_id,
                   kind = :kind, payment_id = :payment_id, order_id = :order_id, plate = :plate,
                   paid_fen = :paid_fen, due_fen = :due_fen, stake_fen = :stake_fen, at = :moment, rule = :rule
               WHERE id = :id AND status = 'resolved'";
    let opened = transaction.prepare_cached(sql)?.execute(named_params! {
        ":id": row.id, ":reason": reason, ":at": run.at.unix(), ":run_id": run.run_id, ":kind": facts.kind,
        ":payment_id": facts.payment_id, ":order_id": facts.order_id, ":plate": facts.plate,
        ":paid_fen": facts.paid.fen(), ":due_fen": facts.due.fen(), ":stake_fen": facts.stake().fen(),
        ":moment": facts.at.unix(), ":rule": facts.rule,
    })?;
    stands(opened, row.id, "resolved")?;
    record(transaction, &step(run, row.id, ExceptionAct::Reopened, Some(reason)))?;
    let mut detail = told(facts);
    detail["reason"] = (*reason).into();
    journal::append(transaction, run.at, Some(run.run_id), "exception.reopened", &row.id.to_string(), &detail)
}

fn open(transaction: &Transaction<'_>, run: &FinishedRun<'_>, facts: &ExceptionFacts) -> Result<(), WriteError> {
    let sql =
        "INSERT INTO exception (kind, business_date, side, subject, n, payment_id, external_order_id, order_id, plate,
                   paid_fen, due_fen, stake_fen, at, rule, status, first_seen_at, first_run_id, last_seen_at, last_run_id)
               VALUES (:kind, :date, :side, :subject, :n, :payment_id, :external_order_id, :order_id, :plate,
                   :paid_fen, :due_fen, :stake_fen, :at, :rule, 'open', :now, :run_id, :now, :run_id)";
    transaction.prepare_cached(sql)?.execute(named_params! {
        ":kind": facts.kind, ":date": facts.date.to_string(), ":side": facts.key.side.name(),
        ":subject": facts.key.subject, ":n": facts.key.n, ":payment_id": facts.payment_id,
        ":external_order_id": facts.external_order_id, ":order_id": facts.order_id, ":plate": facts.plate,
        ":paid_fen": facts.paid.fen(), ":due_fen": facts.due.fen(), ":stake_fen": facts.stake().fen(),
        ":at": facts.at.unix(), ":rule": facts.rule, ":now": run.at.unix(), ":run_id": run.run_id,
    })?;
    let id = transaction.last_insert_rowid();
    record(transaction, &step(run, id, ExceptionAct::Opened, None))?;
    journal::append(transaction, run.at, Some(run.run_id), "exception.opened", &id.to_string(), &told(facts))
}

/// What the journal keeps of the facts.
fn told(facts: &ExceptionFacts) -> serde_json::Value {
    json!({
        "kind": facts.kind, "subject": facts.key.subject, "paid": facts.paid, "due": facts.due, "rule": facts.rule,
    })
}

impl Store {
    /// A person resolves an open exception; with name and note in its history and in the journal.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it is not open, else when the database cannot be written.
    pub fn resolve_exception(&mut self, id: i64, word: PersonsWord<'_>) -> Result<(), StoreError> {
        self.write("resolving an exception", |transaction| {
            let sql = "UPDATE exception SET status = 'resolved', resolved_at = :at, resolved_by = :by, note = :note,
                           reason = NULL
                       WHERE id = :id AND status = 'open'";
            let values = named_params! {":id": id, ":at": word.at.unix(), ":by": word.by, ":note": word.note};
            stands(transaction.execute(sql, values)?, id, "open")?;
            record_word(transaction, id, ExceptionAct::Resolved, word)
        })
    }

    /// A person opens a resolved exception again, with the amounts that it had.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it is not resolved, else when the database cannot be written or another exception
    /// of the subject is open.
    pub fn reopen_exception(&mut self, id: i64, word: PersonsWord<'_>) -> Result<(), StoreError> {
        self.write("opening an exception again", |transaction| {
            let sql = "UPDATE exception SET status = 'open', resolved_at = NULL, resolved_run_id = NULL,
                           resolved_by = NULL, reason = NULL, note = :note
                       WHERE id = :id AND status = 'resolved'";
            stands(transaction.execute(sql, named_params! {":id": id, ":note": word.note})?, id, "resolved")?;
            record_word(transaction, id, ExceptionAct::Reopened, word)
        })
    }
}

fn record_word(
    transaction: &Transaction<'_>,
    id: i64,
    act: ExceptionAct,
    word: PersonsWord<'_>,
) -> Result<(), WriteError> {
    let PersonsWord { by, note, at } = word;
    record(transaction, &Step { exception_id: id, at, act, run_id: None, person: Some(by), words: Some(note) })?;
    let kind = format!("exception.{}", act.name());
    journal::append(transaction, at, None, &kind, &id.to_string(), &json!({"by": by, "note": note}))
}
