//! What keeps every call of a client from leaving: a platform that asked to be left alone for a while
//! (`Retry-After`), or one that refused our signature or merchant number.
//!
//! All calls pass the one gate, also those that were under way when it closed and are repeated.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Code, EtcpError};

/// The longest wait that is waited out, but in a run's pull, which has the night. A platform that asks for more
/// is not called at all meanwhile.
const LONGEST_WAIT: Duration = Duration::from_mins(2);

/// No platform is away for longer than a run takes; this keeps the sums of instants within bounds.
const LONGEST_ASKED: Duration = Duration::from_hours(24);

/// Why a call may not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Shut {
    /// The platform answered 4 or 5 before.
    #[error("the platform answered code {0} before; nothing more is sent")]
    Stopped(Code),
    /// The platform asked for no calls for so long.
    #[error("the platform asks for no call for another {left_s} s (Retry-After)")]
    Asked {
        /// Whole seconds, rounded up.
        left_s: u64,
    },
}

impl From<Shut> for EtcpError {
    fn from(shut: Shut) -> Self {
        match shut {
            Shut::Stopped(code) => Self::Stop(code),
            Shut::Asked { .. } => Self::ServerFault { reason: shut.to_string() },
        }
    }
}

/// The gate of one client.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// No call before this.
    not_before: Option<Instant>,
    /// No wait beyond this.
    end_by: Option<Instant>,
    /// Any wait up to there is waited out.
    is_patient: bool,
    stopped: Option<Code>,
}

impl Gate {
    /// When the gate opens: `None` now. An error when a call that only asks is not to wait for it.
    pub(super) fn opens(&self, now: Instant) -> Result<Option<Instant>, Shut> {
        let state = self.lock();
        if let Some(code) = state.stopped {
            return Err(Shut::Stopped(code));
        }
        let Some(opens_at) = state.not_before.filter(|opens_at| *opens_at > now) else { return Ok(None) };
        let is_too_late = state.end_by.is_some_and(|end_by| opens_at >= end_by);
        let is_patient = state.is_patient && state.end_by.is_some();
        if is_too_late || (!is_patient && opens_at.duration_since(now) > LONGEST_WAIT) {
            return Err(asked(opens_at, now));
        }
        Ok(Some(opens_at))
    }

    /// As [`Gate::opens`], for a call that must leave now or not at all.
    pub(super) fn is_open(&self, now: Instant) -> Result<(), Shut> {
        self.opens(now)?.map_or(Ok(()), |opens_at| Err(asked(opens_at, now)))
    }

    /// The platform asks for no calls for so long. What it asked before stands too.
    pub(super) fn close_for(&self, wait: Duration, now: Instant) {
        let Some(opens_at) = now.checked_add(wait.min(LONGEST_ASKED)) else { return };
        let mut state = self.lock();
        state.not_before = state.not_before.max(Some(opens_at));
    }

    /// Nothing leaves any more.
    pub(super) fn stop(&self, code: Code) {
        self.lock().stopped.get_or_insert(code);
    }

    pub(super) fn end_by(&self, deadline: Instant) {
        self.lock().end_by = Some(deadline);
    }

    pub(super) fn be_patient(&self, is_patient: bool) {
        self.lock().is_patient = is_patient;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn asked(opens_at: Instant, now: Instant) -> Shut {
    let left_ms = opens_at.duration_since(now).as_millis();
    Shut::Asked { left_s: u64::try_from(left_ms.div_ceil(1000)).unwrap_or(u64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn the_latest_instant_that_was_asked_for_counts() {
        let (gate, now) = (Gate::default(), Instant::now());
        assert_eq!(gate.opens(now), Ok(None));
        gate.close_for(MINUTE, now);
        gate.close_for(Duration::from_secs(1), now);
        assert_eq!(gate.opens(now), Ok(Some(now + MINUTE)));
        assert_eq!(gate.opens(now + MINUTE), Ok(None));
    }

    #[test]
    fn money_does_not_wait_and_a_read_waits_two_minutes_at_most() {
        let (gate, now) = (Gate::default(), Instant::now());
        gate.close_for(LONGEST_WAIT, now);
        assert_eq!(gate.is_open(now), Err(Shut::Asked { left_s: 120 }));
        assert_eq!(gate.opens(now), Ok(Some(now + LONGEST_WAIT)));
        gate.close_for(LONGEST_WAIT + Duration::from_millis(1), now);
        assert_eq!(gate.opens(now), Err(Shut::Asked { left_s: 121 }));
        gate.close_for(Duration::MAX, now);
        assert_eq!(gate.opens(now), Err(Shut::Asked { left_s: 24 * 3600 }));
    }

    #[test]
    fn nobody_waits_beyond_the_deadline() {
        let (gate, now) = (Gate::default(), Instant::now());
        gate.end_by(now + MINUTE);
        gate.close_for(Duration::from_secs(59), now);
        assert!(gate.opens(now).is_ok());
        gate.close_for(MINUTE, now);
        assert_eq!(gate.opens(now), Err(Shut::Asked { left_s: 60 }));
    }

    #[test]
    fn a_pull_waits_for_anything_that_ends_before_the_deadline_and_money_does_not() {
        let (gate, now) = (Gate::default(), Instant::now());
        let hour = MINUTE * 60;
        gate.close_for(hour, now);
        gate.be_patient(true);
        assert_eq!(gate.opens(now), Err(Shut::Asked { left_s: 3600 }), "without a deadline nobody waits for hours");
        gate.end_by(now + hour * 4);
        assert_eq!(gate.opens(now), Ok(Some(now + hour)));
        assert_eq!(gate.is_open(now), Err(Shut::Asked { left_s: 3600 }));
        gate.close_for(hour * 4, now);
        assert_eq!(gate.opens(now), Err(Shut::Asked { left_s: 4 * 3600 }));
        assert_eq!(gate.opens(now + hour), Err(Shut::Asked { left_s: 3 * 3600 }));
        let gate = Gate::default();
        gate.end_by(now + hour * 4);
        gate.close_for(hour, now);
        gate.be_patient(true);
        gate.be_patient(false);
        assert_eq!(gate.opens(now), Err(Shut::Asked { left_s: 3600 }), "the pull is over");
    }

    #[test]
    fn a_stop_is_for_good_and_goes_before_everything_else() {
        let (gate, now) = (Gate::default(), Instant::now());
        gate.close_for(MINUTE, now);
        gate.stop(Code::BadSignature);
        gate.stop(Code::UnknownMerchant);
        assert_eq!(gate.opens(now + MINUTE * 9), Err(Shut::Stopped(Code::BadSignature)));
        assert_eq!(EtcpError::from(Shut::Stopped(Code::BadSignature)), EtcpError::Stop(Code::BadSignature));
    }
}
