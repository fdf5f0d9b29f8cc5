//! What a person decides: on a notification (release, hold, void), on an exception (resolve, reopen). Sends nothing.
//!
//! Name and note go into the journal with the change, in one transaction; the caller holds the run lock, so
//! that no run is in the middle of sending what is held or voided here.

mod exceptions;

use serde_json::json;

use crate::model::{NotificationState, Timestamp};
use crate::notify::{Act, Refusal, Verdict, person};
use crate::store::{NotificationRecord, Store};

pub use exceptions::{ExceptionActError, ExceptionVerdict, decide_exception};

/// A person's decision.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    /// The notification's id at the platform.
    pub external_order_id: &'a str,
    /// What is to become of it.
    pub act: Act,
    /// Who decides.
    pub by: &'a str,
    /// Why.
    pub note: &'a str,
}

/// What a decision did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The state before.
    pub from: NotificationState,
    /// The state now.
    pub to: NotificationState,
    /// It was voided although the platform may have booked it, or may still.
    pub may_be_booked: bool,
}

/// Why a decision is not carried out; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// There is none with that id.
    #[error(
        "there is no notification `{0}`\nhint: `etcp-recon notifications` lists them; the id is the external order id"
    )]
    Unknown(String),
    /// The platform must not get such an id, and ids are never rewritten.
    #[error(
        "notification `{0}` cannot be released: its id is longer than 64 characters or has other characters than letters, digits, `-` and `_`\nhint: settle the order with ETCP by hand and void it"
    )]
    NotSendable(String),
    /// Its state does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Carries out a person's decision.
///
/// # Errors
/// [`PersonError`] when it may not be done, else when the database fails.
pub fn decide(store: &mut Store, decision: &Decision<'_>, at: Timestamp) -> anyhow::Result<Moved> {
    let id = decision.external_order_id.trim();
    let record = store.notification(id)?.ok_or_else(|| PersonError::Unknown(id.to_owned()))?;
    let next = allowed(&record, decision.act)?;
    let verdict = match decision.act {
        Act::Release => "released by a person",
        Act::Hold => "held by a person",
        Act::Void => "voided by a person",
    };
    let may_be_booked = matches!(next.verdict, Verdict::Voided { may_be_booked: true });
    let detail = json!({"by": decision.by, "note": decision.note, "may_be_booked": may_be_booked});
    store.move_notification(None, &record, &next.standing, verdict, &detail, at)?;
    Ok(Moved { from: record.standing.state, to: next.standing.state, may_be_booked })
}

fn allowed(record: &NotificationRecord, act: Act) -> Result<crate::notify::Next, PersonError> {
    let next = person(&record.standing, act)?;
    if act == Act::Release && !record.external_order_id.is_sendable() {
        return Err(PersonError::NotSendable(record.external_order_id.to_string()));
    }
    Ok(next)
}
