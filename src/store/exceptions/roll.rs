//! The exceptions of each run in count and amount. SQLite refuses one that does not tie out.

use rusqlite::{OptionalExtension, Row, Transaction, named_params};

use crate::model::Total;
use crate::store::{Store, StoreError, WriteError, int};

/// `opening + new − resolved = closing`, in count and amount ([`super::ExceptionFacts::stake`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RollForward {
    /// What the run before left open.
    pub opening: Total,
    /// Opened since, or again; and by how much the stake of carried ones grew.
    pub new: Total,
    /// Resolved since, by facts or persons; and by how much the stake of carried ones fell.
    pub resolved: Total,
    /// Open now.
    pub closing: Total,
}

impl RollForward {
    /// Whether it adds up, in count and amount.
    pub fn holds(&self) -> bool {
        let counts = self.opening.count.checked_add(self.new.count);
        let sums = self.opening.fen.checked_add(self.new.fen);
        counts.is_some()
            && counts == self.closing.count.checked_add(self.resolved.count)
            && sums.is_some()
            && sums == self.closing.fen.checked_add(self.resolved.fen)
    }
}

/// Writes the roll-forward of a run, within the transaction that changed the exceptions.
pub(super) fn insert(transaction: &Transaction<'_>, run_id: &str, roll: &RollForward) -> Result<(), WriteError> {
    let open = open_total(transaction)?;
    if open != roll.closing {
        return Err(WriteError::Refused(format!(
            "the exceptions of run {run_id} do not tie out: {} with {} were counted, {} with {} are open in the database\nhint: this is a fault of the program, or the database was changed past it; nothing of this run is to be trusted",
            roll.closing.count,
            roll.closing.amount(),
            open.count,
            open.amount()
        )));
    }
    let fen = |total: Total| i64::try_from(total.fen).map_err(|_| too_large(run_id));
    let sql = "INSERT INTO roll_forward (run_id, up_to, opening_count, opening_fen, new_count, new_fen, resolved_count,
                   resolved_fen, closing_count, closing_fen)
               VALUES (:run_id, (SELECT COALESCE(max(id), 0) FROM exception_event), :opening_count, :opening_fen,
                   :new_count, :new_fen, :resolved_count, :resolved_fen, :closing_count, :closing_fen)";
    transaction.prepare_cached(sql)?.execute(named_params! {
        ":run_id": run_id,
        ":opening_count": int(roll.opening.count), ":opening_fen": fen(roll.opening)?,
        ":new_count": int(roll.new.count), ":new_fen": fen(roll.new)?,
        ":resolved_count": int(roll.resolved.count), ":resolved_fen": fen(roll.resolved)?,
        ":closing_count": int(roll.closing.count), ":closing_fen": fen(roll.closing)?,
    })?;
    Ok(())
}

fn too_large(run_id: &str) -> WriteError {
    WriteError::Refused(format!("the exceptions of run {run_id} sum to more than can be stored"))
}

/// What is open in the database.
fn open_total(connection: &rusqlite::Connection) -> rusqlite::Result<Total> {
    let sql =
        "SELECT count(*) AS open_count, COALESCE(sum(stake_fen), 0) AS open_fen FROM exception WHERE status = 'open'";
    connection.query_row(sql, [], |row| total(row, "open"))
}

fn total(row: &Row<'_>, name: &str) -> rusqlite::Result<Total> {
    let count: i64 = row.get(format!("{name}_count").as_str())?;
    let fen: i64 = row.get(format!("{name}_fen").as_str())?;
    let count = u64::try_from(count).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, count))?;
    Ok(Total { count, fen: i128::from(fen) })
}

fn roll_forward(row: &Row<'_>) -> rusqlite::Result<RollForward> {
    Ok(RollForward {
        opening: total(row, "opening")?,
        new: total(row, "new")?,
        resolved: total(row, "resolved")?,
        closing: total(row, "closing")?,
    })
}

impl Store {
    /// The roll-forward of a run; none when it changed nothing or failed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn roll_forward(&self, run_id: &str) -> Result<Option<RollForward>, StoreError> {
        let sql = "SELECT * FROM roll_forward WHERE run_id = :run_id";
        let found = self.connection.query_row(sql, named_params! {":run_id": run_id}, roll_forward);
        found.optional().map_err(self.failed("reading a roll-forward"))
    }

    /// The roll-forward of the last run that has one, whatever its date.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_roll_forward(&self) -> Result<Option<RollForward>, StoreError> {
        let sql = "SELECT roll_forward.* FROM roll_forward JOIN run ON run.id = run_id ORDER BY seq DESC LIMIT 1";
        self.connection.query_row(sql, [], roll_forward).optional().map_err(self.failed("reading a roll-forward"))
    }

    /// What is open now, in count and amount.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_exceptions_total(&self) -> Result<Total, StoreError> {
        open_total(&self.connection).map_err(self.failed("counting the open exceptions"))
    }
}
