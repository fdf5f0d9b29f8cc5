//! The database: the only SQL. One SQLite file, its constraints refuse wrong states whatever the Rust does.
//!
//! Every write is one `IMMEDIATE` transaction; none is open across a network call. `synchronous=FULL`,
//! read back at the start: a committed mark is on disk before the first byte of what it announces.

mod bills;
mod exceptions;
mod journal;
mod lock;
mod mail;
mod migrate;
mod notifications;
mod orders;
mod roster;
mod runs;

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, named_params};

pub use bills::{BillRecord, BillWriter, ImportedBill};
pub use exceptions::{ExceptionChanges, ExceptionFacts, ExceptionKey, ExceptionRow, ExceptionStatus, FinishedRun};
pub use journal::{JournalRow, VerifyError};
pub use lock::RunLock;
pub use mail::OutboxMail;
pub use notifications::{AttemptEnd, AttemptStart, NewNotification, NotificationRecord, PlateUser};
pub use orders::{OrderFilter, StoredOrder};
pub use roster::{RosterChange, RosterPlate};
pub use runs::{CoverageRow, OutcomeRow, PulledUser, RunMode, RunRecord, RunStatus};

/// How long a statement waits for another writer before it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite said no.
    #[error("database {}: {doing}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// SQLite's words.
        source: rusqlite::Error,
    },
    /// The file cannot be made or opened.
    #[error("database {}: cannot open it\nhint: does the folder exist, and may this user write there?", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// The database was made by a newer version.
    #[error("database {}: its schema is version {found}, this program knows {known}\nhint: install the newer program again", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// SQLite did not take a setting that safety rests on.
    #[error("database {}: {pragma} is `{found}`, not `{wanted}`\nhint: the file system may not support it; use a local disk", path.display())]
    Pragma {
        /// The file.
        path: PathBuf,
        /// The setting.
        pragma: &'static str,
        /// What it reads back as.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// The file is damaged.
    #[error("database {} is damaged: {finding}\nhint: restore the newest backup; nothing was sent", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the check found.
        finding: String,
    },
    /// The database belongs to somebody else.
    #[error("database {} belongs to {what} `{stored}`, the config says `{configured}`\nhint: give each platform address and merchant its own [database] url", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Address or merchant.
        what: &'static str,
        /// What is in the database.
        stored: String,
        /// What the config says.
        configured: String,
    },
    /// Something stored cannot be read back as what it must be.
    #[error("database {}: {what} `{value}` cannot be understood", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The column.
        what: &'static str,
        /// What stands there.
        value: String,
    },
    /// A person asked for something that does not exist, or that is not allowed now.
    #[error("{0}")]
    Refused(String),
}

/// The open database.
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the database, makes it when there is none (readable by its owner only), brings its
    /// schema up to date, and reads back the settings that safety rests on.
    ///
    /// # Errors
    /// When the file cannot be used, is damaged, or is newer than this program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let open_error = |source| StoreError::Open { path: path.to_owned(), source };
        // SQLite would create the file by the umask; tokens and phone numbers want 0600, and the
        // WAL beside it takes the mode of the database.
        fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(open_error)?;
        #[expect(clippy::disallowed_methods, reason = "the one place that opens it, with its settings")]
        let connection = Connection::open(path);
        let connection =
            connection.map_err(|source| StoreError::Sqlite { path: path.to_owned(), doing: "opening it", source })?;
        let mut store = Self { connection, path: path.to_owned() };
        store.set_pragmas()?;
        store.check_quickly()?;
        store.migrate()?;
        Ok(store)
    }

    /// Opens a database that must exist already, for commands that only look.
    ///
    /// # Errors
    /// As [`Store::open`], and when there is no such file.
    pub fn open_existing(path: &Path) -> Result<Self, StoreError> {
        fs::metadata(path).map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
        Self::open(path)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn set_pragmas(&self) -> Result<(), StoreError> {
        self.connection.busy_timeout(BUSY_TIMEOUT).map_err(self.failed("setting the busy timeout"))?;
        self.connection
            .execute_batch(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;
                 PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;",
            )
            .map_err(self.failed("setting its pragmas"))?;
        // A switch to WAL can fail without an error, so what safety rests on is read back.
        let journal_mode: String = self.pragma("PRAGMA journal_mode")?;
        let synchronous: i64 = self.pragma("PRAGMA synchronous")?;
        let foreign_keys: i64 = self.pragma("PRAGMA foreign_keys")?;
        let wrong =
            |pragma, found: String, wanted| Err(StoreError::Pragma { path: self.path.clone(), pragma, found, wanted });
        match (journal_mode.as_str(), synchronous, foreign_keys) {
            ("wal", 2, 1) => Ok(()),
            ("wal", 2, other) => wrong("foreign_keys", other.to_string(), "1"),
            ("wal", other, _) => wrong("synchronous", other.to_string(), "2 (FULL)"),
            (other, _, _) => wrong("journal_mode", other.to_owned(), "wal"),
        }
    }

    fn pragma<T: rusqlite::types::FromSql>(&self, sql: &str) -> Result<T, StoreError> {
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(self.failed("reading a pragma"))
    }

    /// Looks for damage that would make the books worthless.
    fn check_quickly(&self) -> Result<(), StoreError> {
        let finding: String = match self.pragma("PRAGMA quick_check(1)") {
            Ok(finding) => finding,
            Err(StoreError::Sqlite { source, .. }) => source.to_string(),
            Err(other) => return Err(other),
        };
        if finding == "ok" { Ok(()) } else { Err(StoreError::Damaged { path: self.path.clone(), finding }) }
    }

    /// Binds the database to a platform address and a merchant at the first use, and refuses any
    /// other afterwards.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] when it belongs to another one.
    pub fn bind(&mut self, base_url: &str, merchant_no: &str) -> Result<(), StoreError> {
        for (key, value) in self.unbound(base_url, merchant_no)? {
            self.set_meta(key, value)?;
        }
        Ok(())
    }

    /// Whether the database may be used for a platform address and a merchant: it is theirs, or nobody's yet.
    /// Binds nothing.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] when it belongs to another one.
    pub fn check_bound(&self, base_url: &str, merchant_no: &str) -> Result<(), StoreError> {
        self.unbound(base_url, merchant_no).map(drop)
    }

    /// What is still to be written to bind it.
    fn unbound<'a>(&self, base_url: &'a str, merchant_no: &'a str) -> Result<Vec<(&'static str, &'a str)>, StoreError> {
        let mut unbound = Vec::new();
        for (key, what, value) in
            [("platform", "the platform", base_url), ("merchant_no", "merchant number", merchant_no)]
        {
            match self.meta(key)? {
                Some(stored) if stored != value => {
                    let (path, configured) = (self.path.clone(), value.to_owned());
                    return Err(StoreError::Foreign { path, what, stored, configured });
                }
                Some(_) => {}
                None => unbound.push((key, value)),
            }
        }
        Ok(unbound)
    }

    /// A value of the `meta` table.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.connection
            .query_row("SELECT value FROM meta WHERE key = :key", named_params! {":key": key}, |row| row.get(0))
            .optional()
            .map_err(self.failed("reading meta"))
    }

    /// Sets a value of the `meta` table, in a transaction of its own.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO meta (key, value) VALUES (:key, :value)
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        self.connection
            .execute(sql, named_params! {":key": key, ":value": value})
            .map(drop)
            .map_err(self.failed("writing meta"))
    }

    /// Runs `write` in one transaction: all of it is on disk afterwards, or nothing.
    fn write<T>(
        &mut self,
        doing: &'static str,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, WriteError>,
    ) -> Result<T, StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Sqlite { path: path.clone(), doing, source };
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let value = write(&transaction).map_err(|error| match error {
            WriteError::Sqlite(source) => failed(source),
            WriteError::Refused(why) => StoreError::Refused(why),
        })?;
        transaction.commit().map_err(failed)?;
        Ok(value)
    }

    /// Turns SQLite's error into ours, with what was being done.
    fn failed(&self, doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + use<> {
        let path = self.path.clone();
        move |source| StoreError::Sqlite { path: path.clone(), doing, source }
    }
}

/// Why a transaction was rolled back.
#[derive(Debug)]
enum WriteError {
    Sqlite(rusqlite::Error),
    Refused(String),
}

impl From<rusqlite::Error> for WriteError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sqlite(source)
    }
}

/// A count for SQLite, whose integers are signed.
fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A stored text that must parse; SQLite's own error type, so that it travels through row readers.
fn parsed<T>(column: usize, value: &str, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
    parse(value).ok_or_else(|| {
        let why = format!("`{value}` cannot be understood");
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, why.into())
    })
}
