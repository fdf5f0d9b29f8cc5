//! The schema, brought up to date step by step; each step is one transaction with its version number.

use rusqlite::Connection;

use super::{Store, StoreError};

/// Append-only: a migration that has been released is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("../../sql/migrations/0001_first.sql"),
    include_str!("../../sql/migrations/0002_pushes_and_bindings.sql"),
    include_str!("../../sql/migrations/0003_channel_bills.sql"),
    include_str!("../../sql/migrations/0004_exceptions_with_a_life.sql"),
    include_str!("../../sql/migrations/0005_reports.sql"),
];

impl Store {
    /// Applies the migrations that this database has not had.
    pub(super) fn migrate(&mut self) -> Result<(), StoreError> {
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        let found = schema_version(&self.connection).map_err(self.failed("reading its version"))?;
        if found > known {
            return Err(StoreError::Newer { path: self.path.clone(), found, known });
        }
        if found == 0 && self.is_taken()? {
            return Err(StoreError::NotOurs { path: self.path.clone() });
        }
        for (version, migration) in (1_i64..).zip(MIGRATIONS).skip_while(|(version, _)| *version <= found) {
            self.write("bringing its schema up to date", |transaction| {
                // Two programs may open a new database at once; whoever comes second finds it done.
                let now = schema_version(transaction)?;
                if now < version {
                    transaction.execute_batch(migration)?;
                    transaction.pragma_update(None, "user_version", version)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Whether there is something in it, though none of our migrations was ever applied. One statement,
    /// so that another program's first migration is seen whole or not at all.
    fn is_taken(&self) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema) AND (SELECT user_version FROM pragma_user_version) = 0";
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(self.failed("looking at its tables"))
    }
}

fn schema_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}
