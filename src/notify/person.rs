//! What a person may do with a notification: release, hold, void.

use crate::model::NotificationState as State;

use super::{Next, Standing, Verdict, WhyHeld};

/// A person's act; name and note are kept by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Let it be sent.
    Release,
    /// Do not send it before it is released.
    Hold,
    /// Never send it.
    Void,
}

/// Why a person's act is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Only what is held or was rejected can be released.
    #[error(
        "a notification that is {0} cannot be released\nhint: only held and rejected ones can; an unknown one is resolved from the platform's books, hold or void it otherwise"
    )]
    NotReleasable(State),
    /// Only what is planned or unknown can be held.
    #[error("a notification that is {0} cannot be held\nhint: only planned and unknown ones can")]
    NotHoldable(State),
    /// Nothing that is on the wire or that the platform has accepted can be voided.
    #[error(
        "a notification that is {0} cannot be voided\nhint: what the platform has accepted, or is being told, cannot be taken back here"
    )]
    NotVoidable(State),
}

/// What becomes of a notification by a person's act.
///
/// A release sends nothing by itself. One that was never sent is planned; one that may be booked is
/// unknown first, to be looked at from the facts, with one more send allowed once its absence is
/// proved; a rejected one is planned, and no refusal is taken as final again.
///
/// # Errors
/// When the state does not allow the act.
pub fn person(standing: &Standing, act: Act) -> Result<Next, Refusal> {
    match act {
        Act::Release => release(standing),
        Act::Hold => hold(standing),
        Act::Void => void(standing),
    }
}

fn release(standing: &Standing) -> Result<Next, Refusal> {
    let released = Standing { released: true, unlisted_runs: 0, ..*standing };
    // The person's word counts for one send, whatever the policy says of sending again.
    let again = Standing {
        tainted: true,
        negative_reads: 0,
        first_unknown_at: None,
        sends_released: standing.sends.saturating_add(1),
        ..released
    };
    let next = match standing.state {
        State::Held if standing.was_sent() => again.become_state(State::Unknown),
        State::Held => released.become_state(State::Planned),
        State::Rejected => again.become_state(State::Planned),
        State::Planned | State::Sending | State::Acknowledged | State::Confirmed | State::Unknown | State::Void => {
            return Err(Refusal::NotReleasable(standing.state));
        }
    };
    Ok(Next::new(next, Verdict::Released))
}

fn hold(standing: &Standing) -> Result<Next, Refusal> {
    match standing.state {
        State::Planned | State::Unknown => {
            let held = Standing { tainted: standing.was_sent(), ..*standing }.become_state(State::Held);
            Ok(Next::new(held, Verdict::Held(WhyHeld::ByPerson)))
        }
        State::Sending | State::Acknowledged | State::Confirmed | State::Rejected | State::Held | State::Void => {
            Err(Refusal::NotHoldable(standing.state))
        }
    }
}

fn void(standing: &Standing) -> Result<Next, Refusal> {
    // A refusal of the only attempt is trusted; anything else that was sent may be booked, now or later.
    let tainted = match standing.state {
        State::Planned | State::Unknown | State::Held => standing.was_sent(),
        State::Rejected => standing.tainted,
        State::Sending | State::Acknowledged | State::Confirmed | State::Void => {
            return Err(Refusal::NotVoidable(standing.state));
        }
    };
    let voided = Standing { tainted, ..*standing }.become_state(State::Void);
    Ok(Next::new(voided, Verdict::Voided { may_be_booked: tainted }))
}
