//! The decisions of one notification on its way. Pure: the clock and the platform are arguments.

use crate::model::{Amount, NotificationState as State, Timestamp};

use super::{Baseline, Next, Policy, Reading, Resend, Standing, Verdict, WhyHeld, WhyUnknown};

/// How old the fee that was asked for may be when the first byte leaves, in seconds.
pub const FEE_VALID_S: i64 = 60;

/// What an attempt showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Code 0, naming the same order, external order id and amount.
    Acknowledged {
        /// The platform's id of the booking.
        pay_order_id: String,
    },
    /// The connection was refused before the first byte.
    NotSent,
    /// A whole answer with another code.
    Refused {
        /// The code.
        code: i64,
    },
    /// Anything else.
    Unclear {
        /// The code, when one could be read all the same.
        code: Option<i64>,
    },
}

/// Whether a planned one may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precheck {
    /// Yes, once `standing` is durable.
    Send {
        /// The money before the attempt; also in the standing.
        baseline: Baseline,
        /// The standing while it is being sent.
        standing: Standing,
    },
    /// No.
    NotSent {
        /// Why.
        why: WhyNot,
        /// What to store.
        next: Next,
    },
}

/// Why a planned one is not sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WhyNot {
    /// It is not planned.
    NotPlanned,
    /// Another amount is due: `amount_mismatch`.
    OtherAmount,
    /// The order is closed with just that much paid electronically: `settled`.
    SettledElsewhere,
    /// The order is closed, and the money was taken in cash.
    PaidInCash,
    /// In neither list: the next run asks again. [`count_unlisted`] at the end of a finished live run.
    Unlisted,
    /// A read failed or was incomplete.
    NoEvidence,
    /// It was sent before, and paid-so-far has moved since: unknown, to be resolved.
    Moved,
    /// It was sent again in this run already.
    ResentInRun,
    /// Sent as often as it may be: held.
    SendsUsedUp,
    /// Nothing is sent again by itself: held.
    ResendOff,
}

/// Whether a fee asked for at `asked_at` may still be paid at `now`.
pub const fn fee_is_fresh(asked_at: Timestamp, now: Timestamp) -> bool {
    let age_s = now.since_s(asked_at);
    age_s >= 0 && age_s <= FEE_VALID_S
}

/// The standing at the start of a run.
#[must_use]
pub const fn new_run(standing: &Standing) -> Standing {
    Standing { resent_in_run: false, ..*standing }
}

/// Decides whether a planned one may be sent, from the fee asked again right before.
///
/// `Open` needs the unpaid list only; for the other readings the history was read as well.
pub fn precheck(standing: &Standing, reading: &Reading, policy: &Policy) -> Precheck {
    match obstacle(standing, reading, policy) {
        None => match reading.baseline() {
            Some(baseline) => Precheck::Send { baseline, standing: begin(standing, baseline) },
            None => not_sent(standing, WhyNot::NoEvidence),
        },
        Some(why) => not_sent(standing, why),
    }
}

fn obstacle(standing: &Standing, reading: &Reading, policy: &Policy) -> Option<WhyNot> {
    if standing.state != State::Planned {
        return Some(WhyNot::NotPlanned);
    }
    if has_moved(standing, reading) {
        return Some(WhyNot::Moved);
    }
    match *reading {
        Reading::Incomplete => Some(WhyNot::NoEvidence),
        Reading::Absent => Some(WhyNot::Unlisted),
        Reading::Closed { cash, .. } => Some(if reading.paid_so_far() == Some(standing.amount) {
            WhyNot::SettledElsewhere
        } else if cash.is_zero() {
            WhyNot::Unlisted
        } else {
            WhyNot::PaidInCash
        }),
        Reading::Open { remaining, .. } if remaining != standing.amount || remaining.is_zero() => {
            Some(WhyNot::OtherAmount)
        }
        Reading::Open { .. } if standing.was_sent() => match may_resend(standing, policy) {
            Err(WhyHeld::SendsUsedUp) => Some(WhyNot::SendsUsedUp),
            Err(_) => Some(WhyNot::ResendOff),
            Ok(()) => standing.resent_in_run.then_some(WhyNot::ResentInRun),
        },
        Reading::Open { .. } => None,
    }
}

/// Whether paid-so-far of one that was sent before is not what it was then. Without a baseline any
/// sight of the order counts as moved: there is nothing to compare it with.
fn has_moved(standing: &Standing, reading: &Reading) -> bool {
    standing.was_sent()
        && reading.paid_so_far().is_some_and(|paid| standing.baseline.is_none_or(|base| base.paid_so_far != paid))
}

fn not_sent(standing: &Standing, why: WhyNot) -> Precheck {
    let held = |why| Next::new(standing.become_state(State::Held), Verdict::Held(why));
    let next = match why {
        WhyNot::Moved => back_to_unknown(standing),
        WhyNot::SendsUsedUp => held(WhyHeld::SendsUsedUp),
        WhyNot::ResendOff => held(WhyHeld::ResendOff),
        WhyNot::NotPlanned
        | WhyNot::OtherAmount
        | WhyNot::SettledElsewhere
        | WhyNot::PaidInCash
        | WhyNot::Unlisted
        | WhyNot::NoEvidence
        | WhyNot::ResentInRun => Next::unchanged(standing),
    };
    Precheck::NotSent { why, next }
}

fn back_to_unknown(standing: &Standing) -> Next {
    let unknown = Standing { tainted: true, negative_reads: 0, ..*standing }.become_state(State::Unknown);
    Next::new(unknown, Verdict::Unknown(WhyUnknown::Moved))
}

fn begin(standing: &Standing, baseline: Baseline) -> Standing {
    Standing {
        state: State::Sending,
        sends: standing.sends.saturating_add(1),
        baseline: Some(baseline),
        negative_reads: 0,
        unlisted_runs: 0,
        resent_in_run: standing.was_sent(),
        ..*standing
    }
}

/// Whether one more send is allowed, by the policy or by a person; else why it has to be held.
fn may_resend(standing: &Standing, policy: &Policy) -> Result<(), WhyHeld> {
    if standing.sends < standing.sends_released {
        return Ok(());
    }
    match policy.resend {
        Resend::Never => Err(WhyHeld::ResendOff),
        Resend::AfterProof if standing.sends < policy.max_sends => Ok(()),
        Resend::AfterProof => Err(WhyHeld::SendsUsedUp),
    }
}

/// Counts a finished live run that ended with [`WhyNot::Unlisted`] or [`WhyNot::PaidInCash`] for it; the
/// second one in a row holds it.
pub fn count_unlisted(standing: &Standing) -> Next {
    if standing.state != State::Planned {
        return Next::unchanged(standing);
    }
    let counted = Standing { unlisted_runs: standing.unlisted_runs.saturating_add(1), ..*standing };
    if counted.unlisted_runs < Policy::UNLISTED_RUNS {
        return Next::new(counted, Verdict::UnlistedCounted);
    }
    Next::new(counted.become_state(State::Held), Verdict::Held(WhyHeld::Unlisted))
}

/// Decides from what an attempt showed; `now` is when the attempt was over.
///
/// A refusal ends only a first attempt with nothing unresolved before it. 4 and 5 stop all sending,
/// and even they leave the outcome unknown.
pub fn after_attempt(standing: &Standing, attempt: &Attempt, now: Timestamp) -> Next {
    if standing.state != State::Sending {
        return Next::unchanged(standing);
    }
    let first = standing.is_first_attempt();
    match *attempt {
        Attempt::Acknowledged { .. } => {
            let acknowledged = Standing { proved_absent: false, ..*standing }.become_state(State::Acknowledged);
            Next::new(acknowledged, Verdict::Acknowledged)
        }
        Attempt::NotSent if first => {
            let planned = Standing { sends: 0, baseline: None, ..*standing }.become_state(State::Planned);
            Next::new(planned, Verdict::NothingLeft)
        }
        // Nothing of this attempt can book, so a proof of absence before it still stands.
        Attempt::NotSent => unknown(standing, now, WhyUnknown::Attempt),
        Attempt::Refused { code: 20206 } if first => {
            let next = unknown(standing, now, WhyUnknown::Attempt);
            Next::new(Standing { tainted: false, ..next.standing }, Verdict::AskFeeAgain)
        }
        Attempt::Refused { code } if first && is_rejection(code) => {
            Next::new(standing.become_state(State::Rejected), Verdict::Rejected)
        }
        // The platform says that this attempt booked nothing: if it shows, an earlier one was late.
        Attempt::Refused { code } => {
            Next { stop_sending: stops_sending(code), ..unknown(standing, now, WhyUnknown::Attempt) }
        }
        Attempt::Unclear { code } => {
            let may_book = Standing { proved_absent: false, ..*standing };
            let stop_sending = code.is_some_and(stops_sending);
            Next { stop_sending, ..unknown(&may_book, now, WhyUnknown::Attempt) }
        }
    }
}

/// Codes that can only come before anything is booked. 20206 is asked about first where it may be final.
const fn is_rejection(code: i64) -> bool {
    matches!(code, 6 | 20102 | 20200..=20299)
}

const fn stops_sending(code: i64) -> bool {
    matches!(code, 4 | 5)
}

fn unknown(standing: &Standing, now: Timestamp, why: WhyUnknown) -> Next {
    let unknown = Standing {
        state: State::Unknown,
        tainted: true,
        last_byte_at: Some(now),
        negative_reads: 0,
        first_unknown_at: Some(standing.first_unknown_at.unwrap_or(now)),
        ..*standing
    };
    Next::new(unknown, Verdict::Unknown(why))
}

/// Decides on a first attempt that was refused as 20206 ([`Verdict::AskFeeAgain`]), from the fee asked
/// again: rejected when it is still open, nothing more was paid, and another amount is due; else unknown.
pub fn after_fee_asked_again(standing: &Standing, reading: &Reading) -> Next {
    if standing.state != State::Unknown {
        return Next::unchanged(standing);
    }
    let nothing_paid = standing.baseline.map(|base| base.paid_so_far) == reading.paid_so_far();
    match *reading {
        Reading::Open { remaining, .. }
            if standing.is_first_attempt() && nothing_paid && remaining != standing.amount =>
        {
            let rejected = Standing { last_byte_at: None, first_unknown_at: None, ..*standing };
            Next::new(rejected.become_state(State::Rejected), Verdict::Rejected)
        }
        Reading::Open { .. } | Reading::Closed { .. } | Reading::Absent | Reading::Incomplete => {
            Next::new(Standing { tainted: true, ..*standing }, Verdict::Unknown(WhyUnknown::Attempt))
        }
    }
}

/// Decides on one found `sending` at the start: the process died, the attempt may have been made.
pub fn found_sending(standing: &Standing, now: Timestamp) -> Next {
    if standing.state != State::Sending {
        return Next::unchanged(standing);
    }
    unknown(&Standing { proved_absent: false, ..*standing }, now, WhyUnknown::FoundSending)
}

/// Decides on an unknown one from the facts. `asked_at` is when the reading was asked for, before it
/// was answered; a clock that went backwards counts as no time at all.
pub fn resolve(standing: &Standing, reading: &Reading, asked_at: Timestamp, policy: &Policy) -> Next {
    if standing.state != State::Unknown {
        return Next::unchanged(standing);
    }
    let standing = anchored(&Standing { tainted: true, ..*standing }, asked_at);
    let Some(base) = standing.baseline else {
        return still_unknown(&standing, WhyUnknown::NoBaseline, asked_at, policy);
    };
    let Some(paid) = reading.paid_so_far() else {
        return not_seen(&standing, reading, asked_at, policy);
    };
    if base.paid_so_far.checked_add(standing.amount) == Some(paid) {
        return booked(&standing);
    }
    if paid != base.paid_so_far {
        let restarted = Standing { negative_reads: 0, ..standing };
        return still_unknown(&restarted, WhyUnknown::Contradictory, asked_at, policy);
    }
    not_shown(&standing, reading, asked_at, policy)
}

/// Never lets a time stand in the future: after a step back the waiting begins anew.
fn anchored(standing: &Standing, now: Timestamp) -> Standing {
    let last_byte_at = standing.last_byte_at.unwrap_or(now);
    Standing {
        last_byte_at: Some(last_byte_at.min(now)),
        first_unknown_at: Some(standing.first_unknown_at.unwrap_or(now).min(now)),
        negative_reads: if last_byte_at > now { 0 } else { standing.negative_reads },
        ..*standing
    }
}

fn still_unknown(standing: &Standing, why: WhyUnknown, now: Timestamp, policy: &Policy) -> Next {
    let age_s = standing.first_unknown_at.map_or(0, |since| now.since_s(since));
    if age_s >= policy.hold_after_s {
        return Next::new(standing.become_state(State::Held), Verdict::Held(WhyHeld::UnknownTooLong));
    }
    Next::new(*standing, Verdict::Unknown(why))
}

fn not_seen(standing: &Standing, reading: &Reading, now: Timestamp, policy: &Policy) -> Next {
    if *reading == Reading::Incomplete {
        return still_unknown(standing, WhyUnknown::Incomplete, now, policy);
    }
    // A paid order may leave the list: to be in neither proves nothing, and what was counted is worth less.
    still_unknown(&Standing { negative_reads: 0, ..*standing }, WhyUnknown::Unlisted, now, policy)
}

fn booked(standing: &Standing) -> Next {
    let confirmed = Standing { proved_absent: false, ..*standing }.become_state(State::Confirmed);
    if standing.proved_absent {
        return Next::new(confirmed, Verdict::LateBooking { turn_resend_off: true });
    }
    Next::new(confirmed, Verdict::Confirmed { inferred: true })
}

/// Paid-so-far is what it was.
fn not_shown(standing: &Standing, reading: &Reading, asked_at: Timestamp, policy: &Policy) -> Next {
    let waited_s = standing.last_byte_at.map_or(0, |last| asked_at.since_s(last));
    if waited_s < policy.settle_s {
        return still_unknown(standing, WhyUnknown::Settling, asked_at, policy);
    }
    if matches!(reading, Reading::Closed { cash, .. } if cash.is_zero()) {
        let restarted = Standing { negative_reads: 0, ..*standing };
        return still_unknown(&restarted, WhyUnknown::Contradictory, asked_at, policy);
    }
    let negative_reads = standing.negative_reads.saturating_add(1).min(Policy::PROOF_READS);
    let counted = Standing { negative_reads, ..*standing };
    if negative_reads < Policy::PROOF_READS {
        return Next::new(counted, Verdict::AbsenceCounted);
    }
    proved_absent(&counted, reading, policy)
}

fn proved_absent(standing: &Standing, reading: &Reading, policy: &Policy) -> Next {
    let proved = Standing { proved_absent: true, ..*standing };
    let planned = |verdict| Next::new(Standing { negative_reads: 0, ..proved }.become_state(State::Planned), verdict);
    match *reading {
        Reading::Open { remaining, .. } if remaining == standing.amount => match may_resend(standing, policy) {
            Err(why) => Next::new(proved.become_state(State::Held), Verdict::Held(why)),
            Ok(()) if standing.resent_in_run => Next::new(proved, Verdict::WaitsForNextRun),
            Ok(()) => planned(Verdict::PlannedAgain),
        },
        Reading::Open { .. } => planned(Verdict::NotSentAmountMismatch),
        Reading::Closed { .. } => planned(Verdict::NotSentPaidInCash),
        Reading::Absent | Reading::Incomplete => Next::unchanged(standing),
    }
}

/// Decides on an acknowledged one from a newer reading: confirmed when paid-so-far rose by its amount
/// or more (someone may have paid another part since).
pub fn confirm(standing: &Standing, reading: &Reading) -> Next {
    if standing.state != State::Acknowledged {
        return Next::unchanged(standing);
    }
    match rise(standing, reading) {
        Some(rise) if rise >= standing.amount => {
            Next::new(standing.become_state(State::Confirmed), Verdict::Confirmed { inferred: false })
        }
        Some(_) | None => Next::new(*standing, Verdict::NotShownYet),
    }
}

/// Looks at one that was sent and is on no way at the moment: planned again, held or void.
///
/// A planned one whose order has moved is unknown again, to be resolved from the same reading. For a
/// held or void one the state is a person's; that it shows after its absence was proved is said.
pub fn watch(standing: &Standing, reading: &Reading) -> Next {
    match standing.state {
        State::Planned if has_moved(standing, reading) => back_to_unknown(standing),
        State::Held | State::Void if standing.proved_absent && rise(standing, reading) == Some(standing.amount) => {
            // Said once: what is known now is no absence any more.
            let shown = Standing { proved_absent: false, ..*standing };
            Next::new(shown, Verdict::LateBooking { turn_resend_off: true })
        }
        State::Planned
        | State::Sending
        | State::Acknowledged
        | State::Confirmed
        | State::Unknown
        | State::Rejected
        | State::Held
        | State::Void => Next::unchanged(standing),
    }
}

/// By how much paid-so-far rose since the baseline; `None` when it fell or either is not known.
fn rise(standing: &Standing, reading: &Reading) -> Option<Amount> {
    reading.paid_so_far()?.checked_sub(standing.baseline?.paid_so_far)
}

/// Whether the platform's id of a booking is another than those it named before for that order or that
/// external order id: two bookings, all sending stops.
pub fn is_second_booking<'a>(known: impl IntoIterator<Item = &'a str>, answered: &str) -> bool {
    known.into_iter().any(|id| id != answered)
}
