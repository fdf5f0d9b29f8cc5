//! The database: the only SQL. One SQLite file, its constraints refuse wrong states whatever the Rust does.
//!
//! Every write is one `IMMEDIATE` transaction; none is open across a network call. `synchronous=FULL`,
//! read back at the start: a committed mark is on disk before the first byte of what it announces.
//!
//! Nothing else in the process may ever open the database file itself: POSIX drops all of a process's
//! locks on a file when any of its descriptors is closed, and without them another process would take
//! the write-ahead log away from under us.

mod bills;
mod bindings;
mod events;
mod exceptions;
mod journal;
mod lock;
mod mail;
mod migrate;
mod notifications;
mod orders;
mod reports;
mod roster;
mod runs;
#[cfg(test)]
mod tests;

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior, named_params,
};

pub use bills::{BillRecord, BillWriter, ImportedBill};
pub use events::{Recorded, StoredEvent};
pub use exceptions::{
    ExceptionAct, ExceptionChanges, ExceptionEvent, ExceptionFacts, ExceptionKey, ExceptionRow, ExceptionSide,
    ExceptionStatus, FinishedRun, PersonsWord, Reopened, Resolution, RollForward,
};
pub use journal::{JournalRow, VerifyError};
pub use lock::RunLock;
pub use mail::{Fate, OutboxMail, RecipientState};
pub use notifications::{AttemptEnd, AttemptStart, NewNotification, NotificationRecord, PlateUser};
pub use orders::{OrderFilter, StoredOrder};
pub use reports::{KeptReport, ReportFigures};
pub use roster::{RosterChange, RosterPlate, TokenChange};
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
    /// The file is damaged, or no database at all.
    #[error("database {} is damaged: {finding}\nhint: keep the file, and restore the newest backup", path.display())]
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
    /// A database of another program.
    #[error("database {}: it is another program's, with tables that are not ours\nhint: name a file of its own in [database] url", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// Something does not stand any more as the caller saw it, or is not allowed now.
    #[error("{0}")]
    Refused(String),
}

impl StoreError {
    /// Whether another program held the database for too long: later it may work.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Sqlite { source, .. } if source.sqlite_error_code() == Some(ErrorCode::DatabaseBusy))
    }
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
        create(path).map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
        let mut store = Self::connect(path)?;
        store.check_quickly()?;
        store.migrate()?;
        Ok(store)
    }

    /// A second connection to the same database, for another thread, without the checks that the first has made.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn beside(&self) -> Result<Self, StoreError> {
        Self::connect(&self.path)
    }

    fn connect(path: &Path) -> Result<Self, StoreError> {
        // No CREATE, whose mode is not ours, and no URI: a path is a path.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|source| store_error(path, "opening it", source))?;
        let store = Self { connection, path: path.to_owned() };
        store.set_pragmas()?;
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
        self.switch_to_wal().map_err(self.failed("switching to WAL"))?;
        self.connection
            .execute_batch(
                "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;
                 PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;
                 PRAGMA secure_delete=ON;",
            )
            .map_err(self.failed("setting its pragmas"))?;
        // Plans that do not depend on the values asked for. Else the partial indexes make SQLite compile a
        // statement anew whenever it is run with another value.
        self.connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(self.failed("setting how it plans"))?;
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

    /// The one lock for which SQLite does not wait by itself: two programs may open a new database at once.
    fn switch_to_wal(&self) -> rusqlite::Result<()> {
        const PAUSE: Duration = Duration::from_millis(10);
        let mut waited = Duration::ZERO;
        loop {
            match self.connection.execute_batch("PRAGMA journal_mode=WAL") {
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && waited < BUSY_TIMEOUT => {
                    std::thread::sleep(PAUSE);
                    waited = waited.saturating_add(PAUSE);
                }
                done => return done,
            }
        }
    }

    fn pragma<T: rusqlite::types::FromSql>(&self, sql: &str) -> Result<T, StoreError> {
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(self.failed("reading a pragma"))
    }

    /// Looks for damage that would make the books worthless.
    fn check_quickly(&self) -> Result<(), StoreError> {
        let finding: String = self.pragma("PRAGMA quick_check(1)")?;
        if finding == "ok" { Ok(()) } else { Err(StoreError::Damaged { path: self.path.clone(), finding }) }
    }

    /// Binds the database to a platform address and a merchant at the first use, and refuses any
    /// other afterwards.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] when it belongs to another one.
    pub fn bind(&mut self, base_url: &str, merchant_no: &str) -> Result<(), StoreError> {
        let wanted = bindings(base_url, merchant_no);
        let mut foreign = None;
        let bound = self.write("binding it", |transaction| {
            for (key, _, value) in wanted {
                if meta_value(transaction, key)?.is_none() {
                    set_meta_value(transaction, key, value)?;
                }
            }
            foreign = foreign_binding(transaction, wanted)?;
            if foreign.is_some() { Err(WriteError::Refused(String::new())) } else { Ok(()) }
        });
        foreign.map_or(bound, |foreign| Err(self.foreign(foreign)))
    }

    /// Whether the database may be used for a platform address and a merchant: it is theirs, or nobody's yet.
    /// Binds nothing.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] when it belongs to another one.
    pub fn check_bound(&self, base_url: &str, merchant_no: &str) -> Result<(), StoreError> {
        let found = foreign_binding(&self.connection, bindings(base_url, merchant_no));
        let foreign = found.map_err(self.failed("reading meta"))?;
        foreign.map_or(Ok(()), |foreign| Err(self.foreign(foreign)))
    }

    fn foreign(&self, (what, stored, configured): Foreign) -> StoreError {
        StoreError::Foreign { path: self.path.clone(), what, stored, configured }
    }

    /// A value of the `meta` table.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        meta_value(&self.connection, key).map_err(self.failed("reading meta"))
    }

    /// Sets a value of the `meta` table, in a transaction of its own.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        set_meta_value(&self.connection, key, value).map_err(self.failed("writing meta"))
    }

    /// Runs `write` in one transaction: all of it is on disk afterwards, or nothing.
    fn write<T>(
        &mut self,
        doing: &'static str,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, WriteError>,
    ) -> Result<T, StoreError> {
        let path = self.path.clone();
        let failed = |source| store_error(&path, doing, source);
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
        move |source| store_error(&path, doing, source)
    }
}

/// Makes the database's file when there is none. SQLite would do it by the umask; tokens and phone
/// numbers want 0600, and the WAL beside it takes the mode of the database.
fn create(path: &Path) -> std::io::Result<()> {
    /// Held while the new file is open, lest closing it drop the locks of a connection made in between.
    static CREATING: Mutex<()> = Mutex::new(());
    let _creating = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
    if path.exists() {
        return Ok(());
    }
    match fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop),
    }
}

/// What it is, what is stored, what the config says.
type Foreign = (&'static str, String, String);

/// What a database is bound to: key, name, value.
const fn bindings<'a>(base_url: &'a str, merchant_no: &'a str) -> [(&'static str, &'static str, &'a str); 2] {
    [("platform", "the platform", base_url), ("merchant_no", "merchant number", merchant_no)]
}

/// The first of `wanted` that is bound to something else.
fn foreign_binding(
    connection: &Connection,
    wanted: [(&'static str, &'static str, &str); 2],
) -> rusqlite::Result<Option<Foreign>> {
    for (key, what, value) in wanted {
        match meta_value(connection, key)? {
            Some(stored) if stored != value => return Ok(Some((what, stored, value.to_owned()))),
            _ => {}
        }
    }
    Ok(None)
}

fn meta_value(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT value FROM meta WHERE key = :key";
    connection.query_row(sql, named_params! {":key": key}, |row| row.get(0)).optional()
}

fn set_meta_value(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta (key, value) VALUES (:key, :value)
               ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    connection.execute(sql, named_params! {":key": key, ":value": value}).map(drop)
}

/// SQLite's error as ours; damage is told apart whatever was being done.
fn store_error(path: &Path, doing: &'static str, source: rusqlite::Error) -> StoreError {
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Damaged { path: path.to_owned(), finding: source.to_string() }
        }
        _ => StoreError::Sqlite { path: path.to_owned(), doing, source },
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
/// The text itself is not told: it may be a phone number.
fn parsed<T>(row: &Row<'_>, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
    parse(&row.get::<_, String>(column)?).ok_or_else(|| not_understood(row, column))
}

/// A stored text that must parse unless it is NULL.
fn parsed_if_any<T>(row: &Row<'_>, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<Option<T>> {
    let text = row.get::<_, Option<String>>(column)?;
    text.map(|text| parse(&text).ok_or_else(|| not_understood(row, column))).transpose()
}

fn not_understood(row: &Row<'_>, column: &str) -> rusqlite::Error {
    let index = row.as_ref().column_index(column).unwrap_or(usize::MAX);
    let why = format!("column `{column}` holds a text that cannot be understood");
    rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, why.into())
}
