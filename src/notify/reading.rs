//! What the unpaid list and the history together say of one order, and the baseline kept before a send.

use crate::model::{Amount, OrderState};

/// One look at an order, in both lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// In the unpaid list.
    Open {
        /// `parkingFee`: the whole fee so far.
        fee: Amount,
        /// `remainingFee`: what is still due; never more than the fee.
        remaining: Amount,
    },
    /// In the history.
    Closed {
        /// `parkingFee`: the whole fee.
        fee: Amount,
        /// `actual`: the part paid in cash; never more than the fee.
        cash: Amount,
    },
    /// In neither list, and both were read whole.
    Absent,
    /// A read failed, was cut, or contradicts itself: no evidence of anything.
    Incomplete,
}

/// The money of an order right before an attempt; what an attempt did is told from the change since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Baseline {
    /// Paid so far electronically.
    pub paid_so_far: Amount,
    /// The whole fee.
    pub fee: Amount,
    /// What was still due.
    pub remaining: Amount,
}

/// Puts together what the lists say of one order.
///
/// `unpaid` and `history` are the records of that order in each list; `complete` says that every
/// list that was needed was read whole. The history wins over the unpaid list, for an order leaves
/// the one before it enters the other. Records that contradict each other are no evidence: two of a
/// list with different money, or a history with less paid than the unpaid list shows.
pub fn reading(unpaid: &[OrderState], history: &[OrderState], complete: bool) -> Reading {
    if !(complete && agree(unpaid) && agree(history)) {
        return Reading::Incomplete;
    }
    match (unpaid.first().copied(), history.first().copied()) {
        (None, None) => Reading::Absent,
        (Some(open), None) if open.is_open() => open.into(),
        (None, Some(closed)) if !closed.is_open() => closed.into(),
        (Some(open), Some(closed)) if open.is_open() && !closed.is_open() && open.booked() <= closed.booked() => {
            closed.into()
        }
        _ => Reading::Incomplete,
    }
}

/// Whether all records of one order in one list say the same.
fn agree(records: &[OrderState]) -> bool {
    records.windows(2).all(|pair| matches!(pair, [one, other] if one == other))
}

impl From<OrderState> for Reading {
    fn from(state: OrderState) -> Self {
        match state {
            OrderState::Open { fee, remaining } if remaining <= fee => Self::Open { fee, remaining },
            OrderState::Closed { fee, cash } if cash <= fee => Self::Closed { fee, cash },
            OrderState::Open { .. } | OrderState::Closed { .. } => Self::Incomplete,
        }
    }
}

impl Reading {
    /// Paid so far electronically; `None` when the order was not seen.
    pub const fn paid_so_far(&self) -> Option<Amount> {
        match *self {
            Self::Open { fee, remaining } => fee.checked_sub(remaining),
            Self::Closed { fee, cash } => fee.checked_sub(cash),
            Self::Absent | Self::Incomplete => None,
        }
    }

    /// The baseline of an attempt made on this reading: only an open order has one.
    pub(super) fn baseline(&self) -> Option<Baseline> {
        match *self {
            Self::Open { fee, remaining } => Some(Baseline { paid_so_far: self.paid_so_far()?, fee, remaining }),
            Self::Closed { .. } | Self::Absent | Self::Incomplete => None,
        }
    }
}
