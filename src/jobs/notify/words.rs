//! Attempts, verdicts and readings in the words of the store and the journal. Pure.

use serde_json::json;

use crate::etcp::{AttemptOutcome, Code};
use crate::notify::{Attempt, Reading, Verdict, WhyUnknown};
use crate::store::AttemptEnd;

/// An attempt as the notification step takes it, and as the store keeps it.
pub(super) fn attempt_and_end(outcome: &AttemptOutcome) -> (Attempt, AttemptEnd) {
    let end = |outcome, code, message: &str, pay_order_id| AttemptEnd {
        outcome,
        code,
        message: (!message.is_empty()).then(|| message.to_owned()),
        pay_order_id,
    };
    match outcome {
        AttemptOutcome::Acknowledged { pay_order_id } => (
            Attempt::Acknowledged { pay_order_id: pay_order_id.clone() },
            end("acknowledged", Some(0), "", Some(pay_order_id.clone())),
        ),
        AttemptOutcome::NotSent { reason } => (Attempt::NotSent, end("not_sent", None, reason, None)),
        AttemptOutcome::Refused { code, message } => {
            let number = code.number();
            (Attempt::Refused { code: number }, end("refused", Some(number), &format!("{number}: {message}"), None))
        }
        AttemptOutcome::Unclear { reason, code } => {
            let number = code.map(Code::number);
            (Attempt::Unclear { code: number }, end("unclear", number, reason, None))
        }
    }
}

pub(super) fn outcome_code(outcome: &AttemptOutcome) -> Option<i64> {
    attempt_and_end(outcome).1.code
}

/// The verdict's name in the journal.
pub(super) const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Acknowledged => "acknowledged",
        Verdict::NotShownYet => "not_shown_yet",
        Verdict::Confirmed { inferred: true } => "confirmed_inferred",
        Verdict::Confirmed { inferred: false } => "confirmed",
        Verdict::LateBooking { .. } => "late_booking",
        Verdict::NothingLeft => "nothing_left",
        Verdict::Rejected => "rejected",
        Verdict::AskFeeAgain => "ask_fee_again",
        Verdict::Unknown(why) => match why {
            WhyUnknown::Attempt => "unknown_attempt",
            WhyUnknown::FoundSending => "found_sending",
            WhyUnknown::Incomplete => "reads_incomplete",
            WhyUnknown::Unlisted => "in_neither_list",
            WhyUnknown::NoBaseline => "no_baseline",
            WhyUnknown::Settling => "settling",
            WhyUnknown::Contradictory => "contradictory",
            WhyUnknown::Moved => "moved",
        },
        Verdict::AbsenceCounted => "absence_counted",
        Verdict::WaitsForNextRun => "waits_for_next_run",
        Verdict::PlannedAgain => "planned_again",
        Verdict::NotSentAmountMismatch => "amount_mismatch",
        Verdict::NotSentPaidInCash => "paid_in_cash",
        Verdict::UnlistedCounted => "unlisted_counted",
        Verdict::Held(why) => why.name(),
        Verdict::Released => "released",
        Verdict::Voided { .. } => "voided",
        Verdict::Unchanged => "unchanged",
    }
}

pub(super) fn reading_detail(reading: &Reading) -> serde_json::Value {
    match reading {
        Reading::Open { fee, remaining } => json!({"listed": "open", "fee": fee, "remaining": remaining}),
        Reading::Closed { fee, cash } => json!({"listed": "closed", "fee": fee, "cash": cash}),
        Reading::Absent => json!({"listed": "nowhere"}),
        Reading::Incomplete => json!({"listed": "incomplete"}),
    }
}
