//! Where a notification stands, and what a decision about it looks like. Plain data.

use crate::model::{Amount, NotificationState, Timestamp};

use super::Baseline;

/// All that is kept of a notification for its decisions. Every field is durable.
///
/// An unknown one is tainted but for one case: refused as 20206 on its first attempt and the fee
/// not asked again yet. Every look at the facts taints that one too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each a column of its own")]
pub struct Standing {
    /// The state.
    pub state: NotificationState,
    /// What the platform is told was paid; the same on every attempt.
    pub amount: Amount,
    /// Attempts of which anything may have left the machine.
    pub sends: u8,
    /// An attempt had an outcome that nobody could be sure of. Never taken back, so that a refusal
    /// of a later attempt, which speaks of itself only, ends nothing.
    pub tainted: bool,
    /// The money of the order before the attempts; its paid-so-far is that of the first tainted one.
    pub baseline: Option<Baseline>,
    /// When the last byte of the last attempt may have left, at the latest.
    pub last_byte_at: Option<Timestamp>,
    /// Complete reads with an unchanged paid-so-far, all later than the settle time.
    pub negative_reads: u8,
    /// Finished live runs in a row that did not find the order in the unpaid list.
    pub unlisted_runs: u8,
    /// Since when it is unknown; kept over re-sends, begun anew by a release.
    pub first_unknown_at: Option<Timestamp>,
    /// It was sent again in this run.
    pub resent_in_run: bool,
    /// A person released it: caps on the single payment do not hold it any more.
    pub released: bool,
    /// Its absence was proved, and nothing that may book has been sent since.
    pub proved_absent: bool,
    /// Sends that a person allowed, counted from the first: one more than there were at the release.
    pub sends_released: u8,
}

impl Standing {
    /// A notification of `amount` that was never sent.
    pub const fn planned(amount: Amount) -> Self {
        Self {
            state: NotificationState::Planned,
            amount,
            sends: 0,
            tainted: false,
            baseline: None,
            last_byte_at: None,
            negative_reads: 0,
            unlisted_runs: 0,
            first_unknown_at: None,
            resent_in_run: false,
            released: false,
            proved_absent: false,
            sends_released: 0,
        }
    }

    /// The same, to be released by a person first.
    pub const fn held(amount: Amount) -> Self {
        Self { state: NotificationState::Held, ..Self::planned(amount) }
    }

    /// Whether the platform may have heard of it.
    pub const fn was_sent(&self) -> bool {
        self.tainted || self.sends > 0
    }

    /// Whether the attempt on the wire is the first, with nothing unresolved before it.
    pub(super) const fn is_first_attempt(&self) -> bool {
        !self.tainted && self.sends == 1
    }

    /// The next standing in another state.
    pub(super) const fn become_state(self, state: NotificationState) -> Self {
        Self { state, ..self }
    }
}

/// Whether something may be sent again once its absence is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resend {
    /// Yes.
    AfterProof,
    /// Never by itself: a person releases it.
    Never,
}

/// What the configuration says of sending again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The longest that the platform may take to execute a request and to show it, in seconds.
    pub settle_s: i64,
    /// Whether to send again.
    pub resend: Resend,
    /// Sends of one notification, the first included, that need no person.
    pub max_sends: u8,
    /// How long one may stay unknown before a person has to look at it, in seconds.
    pub hold_after_s: i64,
}

impl Policy {
    /// Complete reads without a change that prove an absence. One could be the one that was wrong.
    pub const PROOF_READS: u8 = 2;
    /// Finished live runs without the order in the unpaid list after which a person has to look.
    pub const UNLISTED_RUNS: u8 = 2;

    /// The product's policy: three sends in all, held after three days.
    pub const fn new(settle_s: i64, resend: Resend) -> Self {
        Self { settle_s, resend, max_sends: 3, hold_after_s: 3 * 24 * 3600 }
    }
}

/// What a decision came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The platform said yes, naming what was sent.
    Acknowledged,
    /// Acknowledged, and the books do not show it yet.
    NotShownYet,
    /// Paid-so-far shows it.
    Confirmed {
        /// Without an answer of the platform: from the books alone.
        inferred: bool,
    },
    /// It shows as booked after its absence had been proved: the settle time is too short.
    LateBooking {
        /// Sending again has to be turned off for good, and the mail has to begin with it.
        turn_resend_off: bool,
    },
    /// Nothing left the machine: still planned.
    NothingLeft,
    /// Refused on the first and only attempt.
    Rejected,
    /// Refused as 20206 on the first attempt: unknown until the fee was asked again.
    AskFeeAgain,
    /// It may be booked or not.
    Unknown(WhyUnknown),
    /// A first complete read after the settle time does not show it.
    AbsenceCounted,
    /// Proved absent, but sent again in this run already: the next run does.
    WaitsForNextRun,
    /// Proved absent and still due: to be sent again under the same id.
    PlannedAgain,
    /// Proved absent, and another amount is due by now: not sent, `amount_mismatch`.
    NotSentAmountMismatch,
    /// Proved absent, and the rest was taken in cash: not sent, `paid_twice`.
    NotSentPaidInCash,
    /// Not found in the unpaid list by a first finished run.
    UnlistedCounted,
    /// A person has to decide.
    Held(WhyHeld),
    /// A person released it: planned, or unknown if it may be booked.
    Released,
    /// A person decided that it is never sent.
    Voided {
        /// An attempt had been made that was not plainly refused: the platform may book it, now or later.
        may_be_booked: bool,
    },
    /// Nothing to say, or the call does not fit the state: nothing changed.
    Unchanged,
}

/// Why it is not known whether it is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WhyUnknown {
    /// What the attempt showed decides nothing.
    Attempt,
    /// The process died during an attempt.
    FoundSending,
    /// A read failed or was incomplete.
    Incomplete,
    /// In neither list.
    Unlisted,
    /// What was paid before the attempt is not known.
    NoBaseline,
    /// The settle time is not over.
    Settling,
    /// Paid-so-far moved, but not by the amount; or closed with nothing paid and no cash.
    Contradictory,
    /// Paid-so-far moved although nothing was thought to be on its way.
    Moved,
}

/// Why a person has to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WhyHeld {
    /// The external order id is too long or has characters that are not sent.
    BadExternalId,
    /// Above `max_amount`.
    AboveMaxAmount,
    /// Paid before `not_before`.
    BeforeNotBefore,
    /// It was once called `duplicate_payment`.
    WasDuplicate,
    /// In two finished live runs the order was not in the unpaid list.
    Unlisted,
    /// Sent as often as it may be.
    SendsUsedUp,
    /// Proved absent, and nothing is sent again by itself.
    ResendOff,
    /// Unknown for too long.
    UnknownTooLong,
    /// A person said so.
    ByPerson,
}

impl WhyHeld {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::BadExternalId,
        Self::AboveMaxAmount,
        Self::BeforeNotBefore,
        Self::WasDuplicate,
        Self::Unlisted,
        Self::SendsUsedUp,
        Self::ResendOff,
        Self::UnknownTooLong,
        Self::ByPerson,
    ];

    /// The name in JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadExternalId => "bad_external_id",
            Self::AboveMaxAmount => "above_max_amount",
            Self::BeforeNotBefore => "before_not_before",
            Self::WasDuplicate => "was_duplicate",
            Self::Unlisted => "unlisted",
            Self::SendsUsedUp => "sends_used_up",
            Self::ResendOff => "resend_off",
            Self::UnknownTooLong => "unknown_too_long",
            Self::ByPerson => "by_person",
        }
    }
}

/// A decision: what to store, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Next {
    /// To be stored, in one transaction with whatever led to it.
    pub standing: Standing,
    /// What it came to.
    pub verdict: Verdict,
    /// The platform refuses our signature or our merchant number: nothing more is sent at all.
    pub stop_sending: bool,
}

impl Next {
    pub(super) const fn new(standing: Standing, verdict: Verdict) -> Self {
        Self { standing, verdict, stop_sending: false }
    }

    /// Nothing changed.
    pub(super) const fn unchanged(standing: &Standing) -> Self {
        Self::new(*standing, Verdict::Unchanged)
    }
}
