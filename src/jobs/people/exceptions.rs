//! What a person decides on an exception: it is dealt with, or it is not. Changes no evidence and no disposition.

use crate::store::{ExceptionRow, ExceptionStatus, PersonsWord, Store};

/// What becomes of an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExceptionVerdict {
    /// It is dealt with, and stays so while the facts are what they are.
    Resolve,
    /// It is not, after all.
    Reopen,
}

/// Why a decision on an exception is not carried out; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ExceptionActError {
    /// There is none with that number.
    #[error(
        "there is no exception {0}\nhint: `etcp-recon exceptions --status all` lists them; the id is the first column"
    )]
    Unknown(i64),
    /// A decision without a reason, or by nobody.
    #[error("a decision on an exception needs a name and a note that are not blank\nhint: say why with --note TEXT")]
    Blank,
    /// It is resolved.
    #[error(
        "exception {id} is resolved already, {how}\nhint: `etcp-recon exceptions reopen {id} --note TEXT` opens it again"
    )]
    Resolved {
        /// Its number.
        id: i64,
        /// When, by whom or why.
        how: String,
    },
    /// It is open.
    #[error("exception {0} is open already\nhint: `etcp-recon exceptions resolve {0} --note TEXT` resolves it")]
    Open(i64),
    /// What it is about has another one that is open.
    #[error(
        "exception {id} cannot be opened again: {open} is open for the same payment, order or push\nhint: `etcp-recon show '#{open}'` tells of it"
    )]
    Another {
        /// Its number.
        id: i64,
        /// The one that is open.
        open: i64,
    },
}

/// Carries out a person's decision on the exception with number `id`; gives it as it was before.
///
/// The caller holds the run lock, so that no run counts what is changed here.
///
/// # Errors
/// [`ExceptionActError`] when it may not be done, else when the database fails.
pub fn decide_exception(
    store: &mut Store,
    id: i64,
    verdict: ExceptionVerdict,
    word: PersonsWord<'_>,
) -> anyhow::Result<ExceptionRow> {
    let word = PersonsWord { by: word.by.trim(), note: word.note.trim(), at: word.at };
    if word.by.is_empty() || word.note.is_empty() {
        return Err(ExceptionActError::Blank.into());
    }
    let row = store.exception(id)?.ok_or(ExceptionActError::Unknown(id))?;
    match (verdict, row.status) {
        (ExceptionVerdict::Resolve, ExceptionStatus::Open) => store.resolve_exception(id, word)?,
        (ExceptionVerdict::Reopen, ExceptionStatus::Resolved) => {
            no_other_is_open(store, &row)?;
            store.reopen_exception(id, word)?;
        }
        (ExceptionVerdict::Resolve, ExceptionStatus::Resolved) => {
            return Err(ExceptionActError::Resolved { id, how: how(&row) }.into());
        }
        (ExceptionVerdict::Reopen, ExceptionStatus::Open) => return Err(ExceptionActError::Open(id).into()),
    }
    Ok(row)
}

fn no_other_is_open(store: &Store, row: &ExceptionRow) -> anyhow::Result<()> {
    let same = store.exceptions_of(&row.facts.key.subject)?.into_iter();
    let mut open = same.filter(|one| one.status == ExceptionStatus::Open && one.facts.key == row.facts.key);
    match open.next() {
        Some(open) => Err(ExceptionActError::Another { id: row.id, open: open.id }.into()),
        None => Ok(()),
    }
}

fn how(row: &ExceptionRow) -> String {
    let Some(resolution) = &row.resolution else { return String::new() };
    let by = resolution.person.as_deref().or(resolution.run_id.as_deref()).unwrap_or_default();
    let words = row.words().map(|words| format!(" ({words})")).unwrap_or_default();
    format!("{} by {by}{words}", resolution.at)
}
