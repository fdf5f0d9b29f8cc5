//! Notifications: every step durable before what follows from it, each with its journal row.
//!
//! The database refuses two unfinished notifications of one order, two of one external order id, and
//! any step that [`crate::notify::is_allowed`] does not draw.

use rusqlite::{OptionalExtension, Row, Transaction, named_params};
use serde_json::json;

use super::{Store, StoreError, WriteError, journal, parsed};
use crate::model::{Amount, ExternalOrderId, Mobile, NotificationState, OrderId, Plate, Timestamp};
use crate::notify::{Baseline, Standing};

/// The plate whose fee is asked for, and its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlateUser {
    /// The plate.
    pub plate: Plate,
    /// Its user.
    pub mobile: Mobile,
}

/// A notification to be stored for the first time.
#[derive(Clone, Debug)]
pub struct NewNotification {
    /// Its id at the platform.
    pub external_order_id: ExternalOrderId,
    /// The payment id as it stands in the bill.
    pub payment_id: String,
    /// The order.
    pub order_id: OrderId,
    /// The order's plate and user.
    pub user: PlateUser,
    /// When it was paid.
    pub pay_time: Timestamp,
    /// Planned or held, with its amount.
    pub standing: Standing,
    /// Why it is held; empty when it is not.
    pub why: String,
}

/// A notification in the database.
#[derive(Clone, Debug)]
pub struct NotificationRecord {
    /// Its number.
    pub id: i64,
    /// Its id at the platform.
    pub external_order_id: ExternalOrderId,
    /// The payment id as it stands in the bill.
    pub payment_id: String,
    /// The order.
    pub order_id: OrderId,
    /// The order's plate and user.
    pub user: PlateUser,
    /// When it was paid.
    pub pay_time: Timestamp,
    /// Where it stands; `resent_in_run` speaks of the run in [`NotificationRecord::resent_run`].
    pub standing: Standing,
    /// Why it is held, rejected or unknown; empty when there is nothing to say.
    pub why: String,
    /// The last run that sent it again.
    pub resent_run: Option<String>,
    /// The last run that counted in `unlisted_runs`.
    pub unlisted_run: Option<String>,
    /// The platform's id of the booking.
    pub pay_order_id: Option<String>,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Grows with every change: a step from a look that is out of date is refused.
    pub revision: i64,
}

/// An attempt about to be made.
#[derive(Clone, Debug)]
pub struct AttemptStart {
    /// The hash of the business fields, in hex.
    pub request_sha256: String,
    /// The hash of the verification text, in hex; the text itself is a secret.
    pub verification_sha256: String,
}

/// What an attempt showed.
#[derive(Clone, Debug)]
pub struct AttemptEnd {
    /// `acknowledged`, `not_sent`, `refused` or `unclear`.
    pub outcome: &'static str,
    /// The platform's code, when it could be read.
    pub code: Option<i64>,
    /// Its message, or what went wrong.
    pub message: Option<String>,
    /// The platform's id of the booking.
    pub pay_order_id: Option<String>,
}

fn notification_record(row: &Row<'_>) -> rusqlite::Result<NotificationRecord> {
    let amount = |column: &str| -> rusqlite::Result<Option<Amount>> {
        let fen: Option<i64> = row.get(column)?;
        fen.map(|fen| Amount::from_fen(fen).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, fen))).transpose()
    };
    let at = |column: &str| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp::from_unix));
    let (paid, fee, remaining) = (amount("base_paid_fen")?, amount("base_fee_fen")?, amount("base_remaining_fen")?);
    let baseline = match (paid, fee, remaining) {
        (Some(paid_so_far), Some(fee), Some(remaining)) => Some(Baseline { paid_so_far, fee, remaining }),
        _ => None,
    };
    let standing = Standing {
        state: parsed(row, "state", NotificationState::from_name)?,
        amount: amount("amount_fen")?.unwrap_or(Amount::ZERO),
        sends: row.get("sends")?,
        tainted: row.get("tainted")?,
        baseline,
        last_byte_at: at("last_byte_at")?,
        negative_reads: row.get("negative_reads")?,
        unlisted_runs: row.get("unlisted_runs")?,
        first_unknown_at: at("first_unknown_at")?,
        resent_in_run: row.get::<_, Option<String>>("resent_run")?.is_some(),
        released: row.get("released")?,
        proved_absent: row.get("proved_absent")?,
        sends_released: row.get("sends_released")?,
    };
    Ok(NotificationRecord {
        id: row.get("id")?,
        external_order_id: parsed(row, "external_order_id", ExternalOrderId::new)?,
        payment_id: row.get("payment_id")?,
        order_id: parsed(row, "order_id", OrderId::new)?,
        user: PlateUser {
            plate: parsed(row, "plate", |text| Plate::parse(text).ok())?,
            mobile: parsed(row, "mobile", Mobile::parse)?,
        },
        pay_time: Timestamp::from_unix(row.get("pay_time_at")?),
        standing,
        why: row.get("why")?,
        resent_run: row.get("resent_run")?,
        unlisted_run: row.get("unlisted_run")?,
        pay_order_id: row.get("pay_order_id")?,
        planned_at: Timestamp::from_unix(row.get("planned_at")?),
        updated_at: Timestamp::from_unix(row.get("updated_at")?),
        revision: row.get("revision")?,
    })
}

/// Writes where a notification stands, if nothing of it has changed since `record` was read; in the caller's transaction.
fn write_standing(
    transaction: &Transaction<'_>,
    record: &NotificationRecord,
    next: &Standing,
    why: &str,
    run_id: Option<&str>,
    at: Timestamp,
) -> Result<(), WriteError> {
    let counted_unlisted = next.unlisted_runs > record.standing.unlisted_runs;
    // From the step alone: a record that was read plainly speaks of whatever run sent it again last.
    let resent = next.resent_in_run
        && (record.standing.state, next.state) == (NotificationState::Planned, NotificationState::Sending);
    let sql = "UPDATE notification SET state = :state, why = :why, sends = :sends, sends_released = :sends_released,
                   tainted = :tainted, proved_absent = :proved_absent, released = :released,
                   base_paid_fen = :base_paid, base_fee_fen = :base_fee, base_remaining_fen = :base_remaining,
                   last_byte_at = :last_byte_at, first_unknown_at = :first_unknown_at, negative_reads = :negative_reads,
                   unlisted_runs = :unlisted_runs,
                   unlisted_run = CASE WHEN :counted_unlisted THEN :run_id ELSE unlisted_run END,
                   resent_run = CASE WHEN :resent THEN :run_id ELSE resent_run END, updated_at = :at,
                   revision = revision + 1
               WHERE id = :id AND state = :was AND revision = :revision";
    let base = next.baseline;
    let changed = transaction.prepare_cached(sql)?.execute(named_params! {
        ":id": record.id, ":was": record.standing.state.name(), ":revision": record.revision,
        ":state": next.state.name(), ":why": why, ":sends": next.sends, ":sends_released": next.sends_released,
        ":tainted": next.tainted, ":proved_absent": next.proved_absent, ":released": next.released,
        ":base_paid": base.map(|base| base.paid_so_far.fen()), ":base_fee": base.map(|base| base.fee.fen()),
        ":base_remaining": base.map(|base| base.remaining.fen()),
        ":last_byte_at": next.last_byte_at.map(Timestamp::unix),
        ":first_unknown_at": next.first_unknown_at.map(Timestamp::unix), ":negative_reads": next.negative_reads,
        ":unlisted_runs": next.unlisted_runs, ":counted_unlisted": counted_unlisted, ":resent": resent,
        ":run_id": run_id, ":at": at.unix(),
    })?;
    if changed == 1 {
        return Ok(());
    }
    Err(changed_meanwhile(record))
}

fn changed_meanwhile(record: &NotificationRecord) -> WriteError {
    let (id, was) = (&record.external_order_id, record.standing.state);
    WriteError::Refused(format!(
        "notification {id} was {was} and has changed since\nhint: somebody else changed it; look again"
    ))
}

/// Writes the outcome of the one attempt that is open. Says whether there was one.
fn close_attempt(
    transaction: &Transaction<'_>,
    record: &NotificationRecord,
    end: &AttemptEnd,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE attempt SET finished_at = :at, outcome = :outcome, code = :code, message = :message,
                   pay_order_id = :pay_order_id
               WHERE external_order_id = :id AND finished_at IS NULL";
    let closed = transaction.prepare_cached(sql)?.execute(named_params! {
        ":id": record.external_order_id.as_str(), ":at": at.unix(), ":outcome": end.outcome, ":code": end.code,
        ":message": end.message, ":pay_order_id": end.pay_order_id,
    })?;
    Ok(closed == 1)
}

impl Store {
    /// All notifications, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn notifications(&self) -> Result<Vec<NotificationRecord>, StoreError> {
        let failed = self.failed("reading the notifications");
        let mut statement =
            self.connection.prepare_cached("SELECT * FROM notification ORDER BY id").map_err(&failed)?;
        let rows = statement.query_map([], notification_record);
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The notifications in one state, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn notifications_in(&self, state: NotificationState) -> Result<Vec<NotificationRecord>, StoreError> {
        let failed = self.failed("reading the notifications");
        let sql = "SELECT * FROM notification WHERE state = :state ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":state": state.name()}, notification_record);
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The notifications of a plate that are not finished, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn unfinished_of(&self, plate: &Plate) -> Result<Vec<NotificationRecord>, StoreError> {
        let failed = self.failed("reading the notifications");
        let sql = "SELECT * FROM notification WHERE plate = :plate ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":plate": plate.as_str()}, notification_record);
        let records: Vec<_> = rows.and_then(Iterator::collect).map_err(&failed)?;
        Ok(records.into_iter().filter(|record| record.standing.state.is_unfinished()).collect())
    }

    /// The notification with that external order id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn notification(&self, external_order_id: &str) -> Result<Option<NotificationRecord>, StoreError> {
        let sql = "SELECT * FROM notification WHERE external_order_id = :id";
        self.connection
            .query_row(sql, named_params! {":id": external_order_id}, notification_record)
            .optional()
            .map_err(self.failed("looking for a notification"))
    }

    /// The notifications of an order, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn notifications_of_order(&self, order_key: &str) -> Result<Vec<NotificationRecord>, StoreError> {
        let failed = self.failed("looking for notifications");
        let sql = "SELECT * FROM notification WHERE order_key = :key ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":key": order_key}, notification_record);
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The platform's code in the newest attempt that has ended, of any notification.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn newest_attempt_code(&self) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT code FROM attempt WHERE finished_at IS NOT NULL ORDER BY finished_at DESC, n DESC LIMIT 1";
        let code = self.connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).optional();
        code.map(Option::flatten).map_err(self.failed("looking for the newest attempt"))
    }

    /// Stores new notifications and withdraws plans that were never sent and are not due any more, all at once.
    ///
    /// # Errors
    /// When the database refuses any of them; then nothing is changed.
    pub fn plan_notifications(
        &mut self,
        run_id: &str,
        new: &[NewNotification],
        withdrawn: &[NotificationRecord],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("planning notifications", |transaction| {
            for record in withdrawn {
                let sql = "DELETE FROM notification WHERE id = :id AND state = 'planned' AND revision = :revision";
                let values = named_params! {":id": record.id, ":revision": record.revision};
                if transaction.prepare_cached(sql)?.execute(values)? == 0 {
                    return Err(changed_meanwhile(record));
                }
                let subject = record.external_order_id.as_str();
                let detail = json!({"order": record.order_id, "amount": record.standing.amount});
                journal::append(transaction, at, Some(run_id), "notification.withdrawn", subject, &detail)?;
            }
            for one in new {
                insert_notification(transaction, run_id, one, at)?;
            }
            Ok(())
        })
    }

    /// The durable mark before a send: the new standing, and the attempt that it announces.
    ///
    /// # Errors
    /// When the database cannot be written: then nothing may be sent.
    pub fn begin_attempt(
        &mut self,
        run_id: &str,
        record: &NotificationRecord,
        sending: &Standing,
        attempt: &AttemptStart,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("marking a notification as sending", |transaction| {
            write_standing(transaction, record, sending, "", Some(run_id), at)?;
            let sql = "INSERT INTO attempt (external_order_id, n, run_id, started_at, request_sha256, verification_sha256)
                       SELECT :id, COALESCE(max(n), 0) + 1, :run_id, :at, :request, :verification FROM attempt
                       WHERE external_order_id = :id";
            transaction.prepare_cached(sql)?.execute(named_params! {
                ":id": record.external_order_id.as_str(), ":run_id": run_id, ":at": at.unix(), ":request": attempt.request_sha256,
                ":verification": attempt.verification_sha256,
            })?;
            let detail = json!({
                "order": record.order_id, "amount": record.standing.amount, "send": sending.sends,
                "request_sha256": attempt.request_sha256,
            });
            let subject = record.external_order_id.as_str();
            journal::append(transaction, at, Some(run_id), "notification.sending", subject, &detail)
        })
    }

    /// What an attempt showed, and where the notification stands then.
    ///
    /// # Errors
    /// When the database cannot be written: then the row still says `sending`, which is right.
    pub fn end_attempt(
        &mut self,
        run_id: &str,
        record: &NotificationRecord,
        next: &Standing,
        end: &AttemptEnd,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("recording an attempt", |transaction| {
            if let Some(pay_order_id) = &end.pay_order_id {
                let sql = "UPDATE notification SET pay_order_id = COALESCE(pay_order_id, :pay_order_id) WHERE id = :id";
                transaction.execute(sql, named_params! {":pay_order_id": pay_order_id, ":id": record.id})?;
            }
            write_standing(transaction, record, next, end.message.as_deref().unwrap_or(""), Some(run_id), at)?;
            if !close_attempt(transaction, record, end, at)? {
                return Err(changed_meanwhile(record));
            }
            let detail = json!({
                "outcome": end.outcome, "code": end.code, "message": end.message, "pay_order_id": end.pay_order_id,
                "state": next.state,
            });
            let subject = record.external_order_id.as_str();
            journal::append(transaction, at, Some(run_id), "notification.attempted", subject, &detail)
        })
    }

    /// Moves a notification by a decision that sends nothing; `verdict` names it in the journal. One
    /// that was found `sending` has its open attempt closed as unclear.
    ///
    /// # Errors
    /// When it does not stand any more where `record` says, or the database cannot be written.
    pub fn move_notification(
        &mut self,
        run_id: Option<&str>,
        record: &NotificationRecord,
        next: &Standing,
        verdict: &str,
        detail: &serde_json::Value,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("moving a notification", |transaction| {
            // What is done needs no reason beside it; the journal keeps the verdict.
            let why = if next.state == NotificationState::Confirmed { "" } else { verdict };
            write_standing(transaction, record, next, why, run_id, at)?;
            if record.standing.state == NotificationState::Sending {
                let message = Some("the program ended before the outcome was known".to_owned());
                let end = AttemptEnd { outcome: "unclear", code: None, message, pay_order_id: None };
                close_attempt(transaction, record, &end, at)?;
            }
            let subject = record.external_order_id.as_str();
            let detail = json!({
                "from": record.standing.state, "to": next.state, "why": verdict, "facts": detail,
            });
            journal::append(transaction, at, run_id, "notification.moved", subject, &detail)
        })
    }

    /// The ids under which the platform says that this external order id was booked, or another one of the
    /// same order that its books do not show yet. A payment that is confirmed has a booking of its own.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pay_order_ids(&self, record: &NotificationRecord) -> Result<Vec<String>, StoreError> {
        let failed = self.failed("reading the bookings");
        let sql = "SELECT DISTINCT attempt.pay_order_id FROM notification
                   JOIN attempt ON attempt.external_order_id = notification.external_order_id
                   WHERE notification.order_key = :order_key AND attempt.pay_order_id IS NOT NULL
                     AND (notification.external_order_id = :id OR notification.state <> 'confirmed')
                   ORDER BY attempt.pay_order_id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(
            named_params! {":id": record.external_order_id.as_str(), ":order_key": record.order_id.key()},
            |row| row.get(0),
        );
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The attempts of a notification, oldest first: number, when, outcome, code, message.
    ///
    /// # Errors
    /// When the database cannot be read.
    #[expect(clippy::type_complexity, reason = "five plain columns for `show`")]
    pub fn attempts(
        &self,
        record: &NotificationRecord,
    ) -> Result<Vec<(i64, Timestamp, Option<String>, Option<i64>, Option<String>)>, StoreError> {
        let failed = self.failed("reading the attempts");
        let sql = "SELECT n, started_at, outcome, code, message FROM attempt WHERE external_order_id = :id ORDER BY n";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":id": record.external_order_id.as_str()}, |row| {
            let started_at = Timestamp::from_unix(row.get(1)?);
            Ok((row.get(0)?, started_at, row.get(2)?, row.get(3)?, row.get(4)?))
        });
        rows.and_then(Iterator::collect).map_err(&failed)
    }
}

fn insert_notification(
    transaction: &Transaction<'_>,
    run_id: &str,
    new: &NewNotification,
    at: Timestamp,
) -> Result<(), WriteError> {
    let sql = "INSERT INTO notification (external_order_id, payment_id, order_key, order_id, plate, mobile, amount_fen,
                   pay_time_at, state, why, planned_at, updated_at)
               VALUES (:external_order_id, :payment_id, :order_key, :order_id, :plate, :mobile, :amount_fen,
                   :pay_time_at, :state, :why, :at, :at)";
    transaction.prepare_cached(sql)?.execute(named_params! {
        ":external_order_id": new.external_order_id.as_str(), ":payment_id": new.payment_id,
        ":order_key": new.order_id.key(), ":order_id": new.order_id.as_str(), ":plate": new.user.plate.as_str(),
        ":mobile": new.user.mobile.expose(), ":amount_fen": new.standing.amount.fen(),
        ":pay_time_at": new.pay_time.unix(), ":state": new.standing.state.name(), ":why": new.why, ":at": at.unix(),
    })?;
    let detail = json!({
        "order": new.order_id, "payment": new.payment_id, "amount": new.standing.amount,
        "state": new.standing.state, "why": new.why,
    });
    journal::append(transaction, at, Some(run_id), "notification.planned", new.external_order_id.as_str(), &detail)
}
