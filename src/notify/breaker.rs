//! When to stop sending in a run: a platform that answers nothing certain is not told more.

use crate::model::NotificationState;

use super::{Next, Verdict};

/// Why nothing more is sent in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WhyStopped {
    /// The platform refuses our signature or merchant number.
    Refused,
    /// Too many attempts in a row with an unknown outcome.
    UnknownInARow,
}

/// Counts the outcomes of a run's attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    unknown_in_a_row: u8,
    stopped: Option<WhyStopped>,
}

impl Breaker {
    /// Unknown outcomes in a row that stop a run.
    pub const LIMIT: u8 = 5;

    /// Takes in what an attempt came to, after the fee was asked again where that was needed.
    /// One of which nothing left the machine counts neither way.
    pub fn note(&mut self, next: &Next) {
        if next.verdict == Verdict::NothingLeft {
            return;
        }
        let is_unknown = next.standing.state == NotificationState::Unknown;
        self.unknown_in_a_row = if is_unknown { self.unknown_in_a_row.saturating_add(1) } else { 0 };
        if self.unknown_in_a_row >= Self::LIMIT {
            self.stopped = self.stopped.or(Some(WhyStopped::UnknownInARow));
        }
        if next.stop_sending {
            self.stopped = Some(WhyStopped::Refused);
        }
    }

    /// Why nothing more may be sent, `None` while sending may go on. Once stopped it stays so.
    pub const fn stopped(&self) -> Option<WhyStopped> {
        self.stopped
    }
}
