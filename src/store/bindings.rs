//! What the platform was asked by hand: codes by SMS, and plates to bind and unbind.
//!
//! Each is written before the platform is asked, its outcome after. Where the program ends in between,
//! the outcome is unknown and counts towards the document's limits.

use rusqlite::{OptionalExtension, Row, Transaction, named_params};

use super::{Store, StoreError, WriteError, parsed};
use crate::etcp::LimitError;
use crate::etcp::limits::{BindingAct, BindingOutcome, PastBinding, sms_code};
use crate::model::{Mobile, Plate, Timestamp};

const fn act_name(act: BindingAct) -> &'static str {
    match act {
        BindingAct::Bind => "bind",
        BindingAct::Unbind => "unbind",
    }
}

fn act_of(name: &str) -> Option<BindingAct> {
    [BindingAct::Bind, BindingAct::Unbind].into_iter().find(|act| act_name(*act) == name)
}

const fn outcome_name(outcome: BindingOutcome) -> &'static str {
    match outcome {
        BindingOutcome::Done => "done",
        BindingOutcome::Refused => "refused",
        BindingOutcome::NotSent => "not_sent",
        BindingOutcome::Unknown => "unknown",
    }
}

fn outcome_of(name: &str) -> Option<BindingOutcome> {
    use BindingOutcome::{Done, NotSent, Refused, Unknown};
    [Done, Refused, NotSent, Unknown].into_iter().find(|outcome| outcome_name(*outcome) == name)
}

fn past_binding(row: &Row<'_>) -> rusqlite::Result<PastBinding> {
    let outcome = super::parsed_if_any(row, "outcome", outcome_of)?;
    Ok(PastBinding {
        act: parsed(row, "act", act_of)?,
        plate: parsed(row, "plate", |text| Plate::parse(text).ok())?,
        asked_at: Timestamp::from_unix(row.get("asked_at")?),
        outcome: outcome.unwrap_or(BindingOutcome::Unknown),
    })
}

/// The roster says what the platform has done: a plate that is bound has this user and no other, one that
/// is unbound is gone, unless the roster gives it to somebody else.
fn follow(transaction: &Transaction<'_>, id: i64) -> Result<(), WriteError> {
    let values = named_params! {":id": id};
    let bound = "INSERT INTO plate (plate, mobile, color)
                 SELECT plate, mobile, color FROM binding WHERE id = :id AND act = 'bind'
                 ON CONFLICT (plate) DO UPDATE SET mobile = excluded.mobile, color = excluded.color";
    transaction.prepare_cached(bound)?.execute(values)?;
    let unbound = "DELETE FROM plate WHERE EXISTS (
                   SELECT 1 FROM binding b WHERE b.id = :id AND b.act = 'unbind'
                   AND b.plate = plate.plate AND b.mobile = plate.mobile)";
    transaction.prepare_cached(unbound)?.execute(values)?;
    Ok(())
}

impl Store {
    /// Takes note that a code is asked for `mobile`, if a minute has passed since the last time: in one
    /// transaction, so that of two programs one is told to wait.
    ///
    /// # Errors
    /// When the database cannot be written. The inner one: the limit; nothing was noted.
    pub fn note_sms_code(&mut self, mobile: &Mobile, at: Timestamp) -> Result<Result<(), LimitError>, StoreError> {
        self.write("noting an SMS code", |transaction| {
            let last: Option<i64> = transaction
                .prepare_cached("SELECT asked_at FROM sms_code WHERE mobile = :mobile")?
                .query_row(named_params! {":mobile": mobile.expose()}, |row| row.get(0))
                .optional()?;
            if let Err(limit) = sms_code(last.map(Timestamp::from_unix), at) {
                return Ok(Err(limit));
            }
            transaction
                .prepare_cached(
                    "INSERT INTO sms_code (mobile, asked_at) VALUES (:mobile, :at)
                     ON CONFLICT (mobile) DO UPDATE SET asked_at = excluded.asked_at",
                )?
                .execute(named_params! {":mobile": mobile.expose(), ":at": at.unix()})?;
            Ok(Ok(()))
        })
    }

    /// Forgets the request noted at `at`, which never left the machine.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn drop_sms_code(&mut self, mobile: &Mobile, at: Timestamp) -> Result<(), StoreError> {
        let sql = "DELETE FROM sms_code WHERE mobile = :mobile AND asked_at = :at";
        let values = named_params! {":mobile": mobile.expose(), ":at": at.unix()};
        self.connection.execute(sql, values).map(drop).map_err(self.failed("forgetting an SMS code"))
    }

    /// What was asked of the platform about a phone's plates, in the order of time.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn bindings(&self, mobile: &Mobile) -> Result<Vec<PastBinding>, StoreError> {
        let failed = self.failed("reading bindings");
        let sql = "SELECT act, plate, asked_at, outcome FROM binding WHERE mobile = :mobile ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":mobile": mobile.expose()}, past_binding);
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// Writes down that the platform is about to be asked; gives the number for [`Store::end_binding`].
    /// `color` is that of a plate to bind, none otherwise.
    ///
    /// # Errors
    /// When the database cannot be written; then the platform must not be asked.
    pub fn begin_binding(
        &mut self,
        act: BindingAct,
        mobile: &Mobile,
        plate: &Plate,
        color: Option<u8>,
        at: Timestamp,
    ) -> Result<i64, StoreError> {
        self.write("noting a binding", |transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO binding (act, mobile, plate, color, asked_at)
                     VALUES (:act, :mobile, :plate, :color, :at)",
                )?
                .execute(named_params! {
                    ":act": act_name(act), ":mobile": mobile.expose(), ":plate": plate.as_str(), ":color": color,
                    ":at": at.unix(),
                })?;
            Ok(transaction.last_insert_rowid())
        })
    }

    /// Writes down what came of it and, in the same transaction, lets the roster follow what was done.
    ///
    /// # Errors
    /// When the database cannot be written, or the outcome is known already; then nothing is changed.
    pub fn end_binding(&mut self, id: i64, outcome: BindingOutcome) -> Result<(), StoreError> {
        self.write("noting what came of a binding", |transaction| {
            let ended = transaction
                .prepare_cached("UPDATE binding SET outcome = :outcome WHERE id = :id AND outcome IS NULL")?
                .execute(named_params! {":outcome": outcome_name(outcome), ":id": id})?;
            if ended != 1 {
                return Err(WriteError::Refused(format!("binding {id} is not under way")));
            }
            if outcome == BindingOutcome::Done { follow(transaction, id) } else { Ok(()) }
        })
    }
}
