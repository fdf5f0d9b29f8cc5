//! The schema, brought up to date step by step; each step is one transaction with its version number.

use super::{Store, StoreError};

/// Append-only: a migration that has been released is never edited.
const MIGRATIONS: &[&str] = &[include_str!("../../sql/migrations/0001_first.sql")];

impl Store {
    /// Applies the migrations that this database has not had.
    pub(super) fn migrate(&mut self) -> Result<(), StoreError> {
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        let found: i64 = self.pragma("PRAGMA user_version")?;
        if found > known {
            return Err(StoreError::Newer { path: self.path.clone(), found, known });
        }
        for (version, migration) in (1_i64..).zip(MIGRATIONS).skip_while(|(version, _)| *version <= found) {
            self.write("bringing its schema up to date", |transaction| {
                // Two programs may open a new database at once; whoever comes second finds it done.
                let now: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
                if now < version {
                    transaction.execute_batch(migration)?;
                    transaction.pragma_update(None, "user_version", version)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}
