//! The journal: every decision and attempt that concerns money, append-only, each row with the hash of the one before.

use rusqlite::{Row, Transaction, named_params};
use sha2::{Digest, Sha256};

use super::{Store, StoreError, WriteError};
use crate::model::Timestamp;

/// The hash before the first row.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One row of the journal.
#[derive(Clone, Debug)]
pub struct JournalRow {
    /// Its number, without gaps from 1.
    pub seq: i64,
    /// When it was written.
    pub at: Timestamp,
    /// The run that wrote it; none for a person's act outside a run.
    pub run_id: Option<String>,
    /// What happened, such as `notification.sending`.
    pub kind: String,
    /// To what: an external order id.
    pub subject: String,
    /// The facts, a JSON object.
    pub detail: String,
    prev_hash: String,
    hash: String,
}

/// The first row of the journal that is not what was written.
#[derive(Debug, thiserror::Error)]
#[error("journal row {seq}: {finding}")]
pub struct VerifyError {
    /// The row.
    pub seq: i64,
    /// What is wrong with it.
    pub finding: &'static str,
}

/// The hash of a row: over all of its fields, each with its length, so that none can flow into the next.
fn row_hash(
    prev: &str,
    seq: i64,
    at: Timestamp,
    run_id: Option<&str>,
    kind: &str,
    subject: &str,
    detail: &str,
) -> String {
    let mut hasher = Sha256::new();
    for field in [prev, &seq.to_string(), &at.unix().to_string(), run_id.unwrap_or(""), kind, subject, detail] {
        hasher.update(field.len().to_be_bytes());
        hasher.update(field.as_bytes());
    }
    hex::encode(hasher.finalize())
}

/// Writes one row within the transaction of what it tells of.
pub(super) fn append(
    transaction: &Transaction<'_>,
    at: Timestamp,
    run_id: Option<&str>,
    kind: &str,
    subject: &str,
    detail: &serde_json::Value,
) -> Result<(), WriteError> {
    let last = transaction
        .prepare_cached("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
    let (seq, prev) = match last {
        Ok((seq, hash)) => (seq.saturating_add(1), hash),
        Err(rusqlite::Error::QueryReturnedNoRows) => (1, GENESIS.to_owned()),
        Err(error) => return Err(error.into()),
    };
    let detail = detail.to_string();
    let hash = row_hash(&prev, seq, at, run_id, kind, subject, &detail);
    transaction
        .prepare_cached(
            "INSERT INTO journal (seq, at, run_id, kind, subject, detail, prev_hash, hash)
             VALUES (:seq, :at, :run_id, :kind, :subject, :detail, :prev_hash, :hash)",
        )?
        .execute(named_params! {
            ":seq": seq, ":at": at.unix(), ":run_id": run_id, ":kind": kind, ":subject": subject,
            ":detail": detail, ":prev_hash": prev, ":hash": hash,
        })?;
    Ok(())
}

fn journal_row(row: &Row<'_>) -> rusqlite::Result<JournalRow> {
    Ok(JournalRow {
        seq: row.get("seq")?,
        at: Timestamp::from_unix(row.get("at")?),
        run_id: row.get("run_id")?,
        kind: row.get("kind")?,
        subject: row.get("subject")?,
        detail: row.get("detail")?,
        prev_hash: row.get("prev_hash")?,
        hash: row.get("hash")?,
    })
}

impl Store {
    /// The journal rows about one external order id, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn journal_of(&self, subject: &str) -> Result<Vec<JournalRow>, StoreError> {
        let failed = self.failed("reading the journal");
        let mut statement = self
            .connection
            .prepare_cached("SELECT * FROM journal WHERE subject = :subject ORDER BY seq")
            .map_err(&failed)?;
        let rows = statement.query_map(named_params! {":subject": subject}, journal_row).map_err(&failed)?;
        rows.collect::<Result<_, _>>().map_err(&failed)
    }

    /// The hash of the newest row, that of an empty journal when there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn journal_head(&self) -> Result<String, StoreError> {
        let sql = "SELECT COALESCE((SELECT hash FROM journal ORDER BY seq DESC LIMIT 1), :genesis)";
        self.connection
            .query_row(sql, named_params! {":genesis": GENESIS}, |row| row.get(0))
            .map_err(self.failed("reading the journal's head"))
    }

    /// Goes through the whole chain: how many rows it has, or the first that is broken.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn verify_journal(&self) -> Result<Result<u64, VerifyError>, StoreError> {
        let failed = self.failed("reading the journal");
        let mut statement = self.connection.prepare("SELECT * FROM journal ORDER BY seq").map_err(&failed)?;
        let rows = statement.query_map([], journal_row).map_err(&failed)?;
        let (mut count, mut prev, mut expected) = (0_u64, GENESIS.to_owned(), 1_i64);
        for row in rows {
            let row = row.map_err(&failed)?;
            let broken = |finding| Ok(Err(VerifyError { seq: row.seq, finding }));
            if row.seq != expected {
                return broken("rows before it are missing");
            }
            if row.prev_hash != prev {
                return broken("it does not follow the row before it");
            }
            let run_id = row.run_id.as_deref();
            if row.hash != row_hash(&prev, row.seq, row.at, run_id, &row.kind, &row.subject, &row.detail) {
                return broken("its content is not what was written");
            }
            (count, prev, expected) = (count.saturating_add(1), row.hash, expected.saturating_add(1));
        }
        Ok(Ok(count))
    }
}
