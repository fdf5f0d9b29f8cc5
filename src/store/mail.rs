//! The mail outbox: a mail is stored with the run that made it, sent afterwards, and marked when it was accepted.

use rusqlite::{Row, Transaction, named_params};

use super::{Store, StoreError, WriteError};
use crate::model::Timestamp;

/// A mail that waits, or was sent.
#[derive(Clone, Debug)]
pub struct OutboxMail {
    /// The run that it reports.
    pub run_id: String,
    /// Its Message-ID, the same on every try.
    pub message_id: String,
    /// The envelope's sender.
    pub sender: String,
    /// The envelope's recipients.
    pub recipients: Vec<String>,
    /// Its subject, for messages about it.
    pub subject: String,
    /// The whole mail, as it goes out.
    pub raw: Vec<u8>,
}

fn outbox_mail(row: &Row<'_>) -> rusqlite::Result<OutboxMail> {
    Ok(OutboxMail {
        run_id: row.get("run_id")?,
        message_id: row.get("message_id")?,
        sender: row.get("sender")?,
        recipients: super::parsed(row, "recipients", |text| serde_json::from_str(text).ok())?,
        subject: row.get("subject")?,
        raw: row.get("raw")?,
    })
}

/// Stores a mail within the transaction that finishes its run.
pub(super) fn insert_mail(transaction: &Transaction<'_>, mail: &OutboxMail, at: Timestamp) -> Result<(), WriteError> {
    let mut recipients = mail.recipients.clone();
    recipients.sort();
    let recipients = serde_json::Value::from(recipients).to_string();
    let sql = "INSERT INTO mail (run_id, message_id, sender, recipients, subject, raw, state, created_at)
               VALUES (:run_id, :message_id, :sender, :recipients, :subject, :raw, 'pending', :at)
               ON CONFLICT (run_id, recipients) DO NOTHING";
    transaction.execute(
        sql,
        named_params! {
            ":run_id": mail.run_id, ":message_id": mail.message_id, ":sender": mail.sender, ":recipients": recipients,
            ":subject": mail.subject, ":raw": mail.raw, ":at": at.unix(),
        },
    )?;
    Ok(())
}

impl Store {
    /// Stores a mail that belongs to no finished run (a failed run's).
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn store_mail(&mut self, mail: &OutboxMail, at: Timestamp) -> Result<(), StoreError> {
        self.write("storing a mail", |transaction| insert_mail(transaction, mail, at))
    }

    /// The mails that wait to be sent, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pending_mails(&self) -> Result<Vec<OutboxMail>, StoreError> {
        let failed = self.failed("reading the outbox");
        let sql = "SELECT * FROM mail WHERE state = 'pending' ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map([], outbox_mail);
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// Marks a mail accepted (`error` none), or counts a failed try.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn record_mail_try(&mut self, message_id: &str, error: Option<&str>, at: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE mail SET attempts = attempts + 1, last_error = :error,
                       state = CASE WHEN :error IS NULL THEN 'sent' ELSE state END,
                       sent_at = CASE WHEN :error IS NULL THEN :at ELSE sent_at END
                   WHERE message_id = :message_id AND state = 'pending'";
        let values = named_params! {":message_id": message_id, ":error": error, ":at": at.unix()};
        self.connection.execute(sql, values).map(drop).map_err(self.failed("recording a mail's fate"))
    }
}
