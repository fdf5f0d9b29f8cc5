//! The mail outbox: a mail is stored with the run that made it, sent afterwards, and each of its recipients marked when
//! the server has taken it over for them.

use rusqlite::{OptionalExtension, Row, Transaction, named_params};

use super::{Store, StoreError, WriteError, parsed};
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
    /// The envelope's recipients; of a mail that waits those who still wait for it.
    pub recipients: Vec<String>,
    /// Its subject, for messages about it.
    pub subject: String,
    /// The whole mail, as it goes out.
    pub raw: Vec<u8>,
}

/// Where a recipient of a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecipientState {
    /// Still to get it.
    Pending,
    /// Has it.
    Accepted,
    /// The server does not take it for them, and is not asked again by itself.
    Refused,
}

impl RecipientState {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "pending" => Some(Self::Pending),
            "accepted" => Some(Self::Accepted),
            "refused" => Some(Self::Refused),
            _ => None,
        }
    }
}

/// What one try brought one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server took the mail over for them.
    Accepted,
    /// It refuses, and with so many refusals it is not asked again by itself.
    Refused {
        /// Its words.
        error: String,
        /// The number.
        limit: u32,
    },
    /// Later, perhaps.
    Deferred {
        /// Why.
        error: String,
    },
}

impl Fate {
    fn error(&self) -> Option<&str> {
        match self {
            Self::Accepted => None,
            Self::Refused { error, .. } | Self::Deferred { error } => Some(error),
        }
    }
}

fn outbox_mail(row: &Row<'_>) -> rusqlite::Result<OutboxMail> {
    Ok(OutboxMail {
        run_id: row.get("run_id")?,
        message_id: row.get("message_id")?,
        sender: row.get("sender")?,
        recipients: parsed(row, "recipients", |text| serde_json::from_str(text).ok())?,
        subject: row.get("subject")?,
        raw: row.get("raw")?,
    })
}

/// A set of recipients as the database knows it.
fn recipient_set(recipients: &[String]) -> String {
    let mut sorted = recipients.to_vec();
    sorted.sort();
    sorted.dedup();
    serde_json::Value::from(sorted).to_string()
}

/// Stores a mail within the transaction that finishes its run; one that is there already stays as it is.
pub(super) fn insert_mail(transaction: &Transaction<'_>, mail: &OutboxMail, at: Timestamp) -> Result<(), WriteError> {
    let recipients = recipient_set(&mail.recipients);
    let sql = "INSERT INTO mail (run_id, message_id, sender, recipients, subject, raw, state, created_at)
               VALUES (:run_id, :message_id, :sender, :recipients, :subject, :raw, 'pending', :at)
               ON CONFLICT (run_id, recipients) DO NOTHING";
    let values = named_params! {
        ":run_id": mail.run_id, ":message_id": mail.message_id, ":sender": mail.sender, ":recipients": recipients,
        ":subject": mail.subject, ":raw": mail.raw, ":at": at.unix(),
    };
    if transaction.execute(sql, values)? > 0 {
        let sql = "INSERT INTO mail_recipient (mail_id, address, state, updated_at)
                   SELECT :mail_id, value, 'pending', :at FROM json_each(:recipients)";
        let mail_id = transaction.last_insert_rowid();
        transaction.execute(sql, named_params! {":mail_id": mail_id, ":recipients": recipients, ":at": at.unix()})?;
    }
    Ok(())
}

impl Store {
    /// Stores a mail that belongs to no run that is being finished. One for the same run and recipients that is
    /// there already stays as it is.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn store_mail(&mut self, mail: &OutboxMail, at: Timestamp) -> Result<(), StoreError> {
        self.write("storing a mail", |transaction| insert_mail(transaction, mail, at))
    }

    /// The Message-IDs of the mails that somebody still waits for, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pending_mails(&self) -> Result<Vec<String>, StoreError> {
        let failed = self.failed("reading the outbox");
        let sql = "SELECT message_id FROM mail WHERE state = 'pending' AND EXISTS (
                       SELECT 1 FROM mail_recipient WHERE mail_id = mail.id AND state = 'pending') ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map([], |row| row.get(0));
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// A mail with those who still wait for it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn waiting_mail(&self, message_id: &str) -> Result<Option<OutboxMail>, StoreError> {
        let sql = "SELECT run_id, message_id, sender, subject, raw, (
                       SELECT json_group_array(address) FROM mail_recipient
                       WHERE mail_id = mail.id AND state = 'pending') AS recipients
                   FROM mail WHERE message_id = :message_id";
        let found = self.connection.query_row(sql, named_params! {":message_id": message_id}, outbox_mail).optional();
        found.map_err(self.failed("reading the outbox"))
    }

    /// The mail of a run to exactly these recipients, whatever became of it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn mail_to(&self, run_id: &str, recipients: &[String]) -> Result<Option<OutboxMail>, StoreError> {
        let sql = "SELECT * FROM mail WHERE run_id = :run_id AND recipients = :recipients";
        let values = named_params! {":run_id": run_id, ":recipients": recipient_set(recipients)};
        self.connection.query_row(sql, values, outbox_mail).optional().map_err(self.failed("reading the outbox"))
    }

    /// Where each recipient of a mail stands, by address.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn mail_recipients(&self, message_id: &str) -> Result<Vec<(String, RecipientState)>, StoreError> {
        let failed = self.failed("reading the outbox");
        let sql = "SELECT address, state FROM mail_recipient
                   WHERE mail_id = (SELECT id FROM mail WHERE message_id = :message_id) ORDER BY address";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":message_id": message_id}, |row| {
            Ok((row.get("address")?, parsed(row, "state", RecipientState::from_name)?))
        });
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// Records what a try brought each recipient that it was for. A mail is sent when nobody waits for it any more
    /// and somebody has it; what a recipient was given is never taken back.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn record_delivery(
        &mut self,
        message_id: &str,
        fates: &[(String, Fate)],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("recording a mail's fate", |transaction| {
            for (address, fate) in fates {
                record_fate(transaction, message_id, address, fate, at)?;
            }
            let error = fates.iter().find_map(|(_, fate)| fate.error());
            let sql = "UPDATE mail SET attempts = attempts + 1, last_error = :error WHERE message_id = :message_id AND state = 'pending'";
            transaction.execute(sql, named_params! {":message_id": message_id, ":error": error})?;
            let sql = "UPDATE mail SET state = 'sent', sent_at = :at
                       WHERE message_id = :message_id AND state = 'pending'
                       AND NOT EXISTS (SELECT 1 FROM mail_recipient WHERE mail_id = mail.id AND state = 'pending')
                       AND EXISTS (SELECT 1 FROM mail_recipient WHERE mail_id = mail.id AND state = 'accepted')";
            transaction.execute(sql, named_params! {":message_id": message_id, ":at": at.unix()})?;
            Ok(())
        })
    }
}

fn record_fate(
    transaction: &Transaction<'_>,
    message_id: &str,
    address: &str,
    fate: &Fate,
    at: Timestamp,
) -> Result<(), WriteError> {
    let (name, limit) = match fate {
        Fate::Accepted => ("accepted", 0),
        Fate::Refused { limit, .. } => ("refused", *limit),
        Fate::Deferred { .. } => ("deferred", 0),
    };
    let sql = "UPDATE mail_recipient SET accepted = accepted + (:fate = 'accepted'), refusals = refusals + (:fate = 'refused'),
                   state = CASE WHEN :fate = 'accepted' THEN 'accepted'
                       WHEN :fate = 'refused' AND state = 'pending' AND refusals + 1 >= :limit THEN 'refused' ELSE state END,
                   last_error = :error, updated_at = :at
               WHERE address = :address AND mail_id = (SELECT id FROM mail WHERE message_id = :message_id)";
    transaction.prepare_cached(sql)?.execute(named_params! {
        ":message_id": message_id, ":address": address, ":fate": name, ":limit": limit, ":error": fate.error(),
        ":at": at.unix(),
    })?;
    Ok(())
}
