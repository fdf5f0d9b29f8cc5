//! The roster of bound plates, and the platform's tokens.

use rusqlite::{OptionalExtension, named_params};

use super::{Store, StoreError, parsed};
use crate::model::{Mobile, Plate, Timestamp};

/// A bound plate and its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterPlate {
    /// The plate.
    pub plate: Plate,
    /// Its user.
    pub mobile: Mobile,
    /// 1 blue, 2 black, 3 yellow, 4 white.
    pub color: u8,
}

/// What an import of a roster changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RosterChange {
    /// Plates that were not there.
    pub added: u64,
    /// Plates whose user or colour is another now.
    pub changed: u64,
    /// Plates that were there already.
    pub unchanged: u64,
    /// Plates that were taken out (`--replace` only).
    pub removed: u64,
}

impl Store {
    /// All bound plates, a user's first plate before the others.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn roster(&self) -> Result<Vec<RosterPlate>, StoreError> {
        let failed = self.failed("reading the roster");
        let sql = "SELECT plate, mobile, color FROM plate ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map([], |row| {
            Ok(RosterPlate {
                plate: parsed(0, &row.get::<_, String>(0)?, |text| Plate::parse(text).ok())?,
                mobile: parsed(1, &row.get::<_, String>(1)?, Mobile::parse)?,
                color: row.get(2)?,
            })
        });
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// Merges `plates` into the roster; with `replace` whatever is not among them is taken out.
    ///
    /// # Errors
    /// When the database cannot be written; then nothing is changed.
    pub fn merge_roster(&mut self, plates: &[RosterPlate], replace: bool) -> Result<RosterChange, StoreError> {
        self.write("importing the roster", |transaction| {
            let mut change = RosterChange::default();
            transaction
                .execute_batch("CREATE TEMP TABLE IF NOT EXISTS kept (plate TEXT PRIMARY KEY); DELETE FROM kept;")?;
            for entry in plates {
                let found: Option<(String, u8)> = transaction
                    .prepare_cached("SELECT mobile, color FROM plate WHERE plate = :plate")?
                    .query_row(named_params! {":plate": entry.plate.as_str()}, |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                let counter = match found {
                    None => &mut change.added,
                    Some((mobile, color)) if mobile == entry.mobile.expose() && color == entry.color => {
                        &mut change.unchanged
                    }
                    Some(_) => &mut change.changed,
                };
                *counter = counter.saturating_add(1);
                transaction
                    .prepare_cached(
                        "INSERT INTO plate (plate, mobile, color) VALUES (:plate, :mobile, :color)
                         ON CONFLICT (plate) DO UPDATE SET mobile = excluded.mobile, color = excluded.color",
                    )?
                    .execute(named_params! {
                        ":plate": entry.plate.as_str(), ":mobile": entry.mobile.expose(), ":color": entry.color,
                    })?;
                transaction
                    .prepare_cached("INSERT OR IGNORE INTO kept (plate) VALUES (:plate)")?
                    .execute(named_params! {":plate": entry.plate.as_str()})?;
            }
            if replace {
                let removed =
                    transaction.execute("DELETE FROM plate WHERE plate NOT IN (SELECT plate FROM kept)", [])?;
                change.removed = u64::try_from(removed).unwrap_or(u64::MAX);
            }
            Ok(change)
        })
    }

    /// A user's kept token and the moment it was obtained.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn token(&self, mobile: &Mobile) -> Result<Option<(String, Timestamp)>, StoreError> {
        let sql = "SELECT token, obtained_at FROM session WHERE mobile = :mobile";
        self.connection
            .query_row(sql, named_params! {":mobile": mobile.expose()}, |row| {
                Ok((row.get(0)?, Timestamp::from_unix(row.get(1)?)))
            })
            .optional()
            .map_err(self.failed("reading a token"))
    }

    /// Keeps a user's token, in place of the one before.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn keep_token(&mut self, mobile: &Mobile, token: &str, at: Timestamp) -> Result<(), StoreError> {
        let sql = "INSERT INTO session (mobile, token, obtained_at) VALUES (:mobile, :token, :at)
                   ON CONFLICT (mobile) DO UPDATE SET token = excluded.token, obtained_at = excluded.obtained_at";
        let values = named_params! {":mobile": mobile.expose(), ":token": token, ":at": at.unix()};
        self.connection.execute(sql, values).map(drop).map_err(self.failed("keeping a token"))
    }

    /// Forgets a user's token: it is void.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn drop_token(&mut self, mobile: &Mobile) -> Result<(), StoreError> {
        let sql = "DELETE FROM session WHERE mobile = :mobile";
        let values = named_params! {":mobile": mobile.expose()};
        self.connection.execute(sql, values).map(drop).map_err(self.failed("dropping a token"))
    }
}
