//! The roster of bound plates, and the platform's tokens.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};
use secrecy::{ExposeSecret, SecretString};

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

/// What a user's token is from now on.
#[derive(Clone, Debug)]
pub struct TokenChange {
    /// The user.
    pub mobile: Mobile,
    /// The token and when it was obtained; none when it is void.
    pub token: Option<(SecretString, Timestamp)>,
}

impl TokenChange {
    /// Whether both come to the same.
    pub fn is_same(&self, other: &Self) -> bool {
        let token = self.token.as_ref().map(|(token, at)| (token.expose_secret(), at));
        let other_token = other.token.as_ref().map(|(token, at)| (token.expose_secret(), at));
        self.mobile == other.mobile && token == other_token
    }
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

/// Takes out every plate that is not among `kept`.
fn remove_others(transaction: &Transaction<'_>, kept: &[RosterPlate]) -> rusqlite::Result<u64> {
    let kept: HashSet<&str> = kept.iter().map(|entry| entry.plate.as_str()).collect();
    let mut statement = transaction.prepare("SELECT plate FROM plate ORDER BY id")?;
    let plates: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut removed = 0_u64;
    for plate in plates.iter().filter(|plate| !kept.contains(plate.as_str())) {
        let sql = "DELETE FROM plate WHERE plate = :plate";
        transaction.prepare_cached(sql)?.execute(named_params! {":plate": plate})?;
        removed = removed.saturating_add(1);
    }
    Ok(removed)
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
                plate: parsed(row, "plate", |text| Plate::parse(text).ok())?,
                mobile: parsed(row, "mobile", Mobile::parse)?,
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
            }
            if replace {
                change.removed = remove_others(transaction, plates)?;
            }
            Ok(change)
        })
    }

    /// A user's kept token and the moment it was obtained.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn token(&self, mobile: &Mobile) -> Result<Option<(SecretString, Timestamp)>, StoreError> {
        let failed = self.failed("reading a token");
        let sql = "SELECT token, obtained_at FROM session WHERE mobile = :mobile";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let kept = statement.query_row(named_params! {":mobile": mobile.expose()}, |row| {
            Ok((SecretString::from(row.get::<_, String>(0)?), Timestamp::from_unix(row.get(1)?)))
        });
        kept.optional().map_err(&failed)
    }

    /// Keeps the users' tokens, each in place of the one before, or forgets them.
    ///
    /// # Errors
    /// When the database cannot be written; then nothing is changed.
    pub fn change_tokens(&mut self, changes: &[TokenChange]) -> Result<(), StoreError> {
        self.write("keeping tokens", |transaction| Ok(change_tokens(transaction, changes)?))
    }
}

/// Changes tokens within the caller's transaction.
pub(super) fn change_tokens(connection: &Connection, changes: &[TokenChange]) -> rusqlite::Result<()> {
    for change in changes {
        let mobile = change.mobile.expose();
        if let Some((token, obtained_at)) = &change.token {
            let sql = "INSERT INTO session (mobile, token, obtained_at) VALUES (:mobile, :token, :at)
                       ON CONFLICT (mobile) DO UPDATE SET token = excluded.token, obtained_at = excluded.obtained_at";
            connection.prepare_cached(sql)?.execute(
                named_params! {":mobile": mobile, ":token": token.expose_secret(), ":at": obtained_at.unix()},
            )?;
        } else {
            let sql = "DELETE FROM session WHERE mobile = :mobile";
            connection.prepare_cached(sql)?.execute(named_params! {":mobile": mobile})?;
        }
    }
    Ok(())
}
