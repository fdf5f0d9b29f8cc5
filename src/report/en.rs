//! Everything a report says in English.

use super::data::{Alert, BillStatus, Mode, PartialReason, Status};
use super::escape::visible;
use super::lang::{Advice, Kind, LeftOut, Phrase, Words};
use super::view::History;
use crate::model::Disposition as D;

pub(super) const WORDS: Words = Words {
    html_lang: "en",
    title: "Parking reconciliation",
    failed_title: "Reconciliation failed",
    failed_lead: "This reconciliation was not finished and nothing of it is to be trusted. The evidence collected so far is unharmed; rerun the date once the cause is gone.",
    failed_hint: "Run etcp-recon check to see what is wrong, then:",
    new: "new",
    carried: "carried",
    resolved: "resolved",
    opening: "Opening",
    closing: "Closing",
    tie_out: "Tie-out",
    tie_out_holds: "Everything that came in has exactly one outcome; counts and amounts agree.",
    tie_out_fails: "What came in and what has an outcome differ: this run is not to be trusted.",
    came_in: "Came in",
    accounted_for: "Accounted for",
    payments: "Payments",
    payments_base: "gross, before refunds",
    orders: "Orders",
    orders_base: "booked + due at the platform",
    refunds: "Refunds",
    exceptions: "Exceptions",
    means: "Means",
    todo: "To do",
    paid: "Paid",
    due: "Due",
    difference: "Difference",
    difference_base: "Paid = payment − refunds; due = booked + still due at the platform (without cash); difference = paid − due.",
    payment_id: "Payment",
    external_order_id: "External order id",
    order_id: "Order",
    plate: "Plate",
    date: "Date",
    at: "Time",
    first_seen: "First seen",
    age_days: "Age (days)",
    why: "Why",
    note: "Note",
    kind: "Exception",
    kind_name: "Kind",
    status: "Status",
    id: "No.",
    resolved_rows: "Exceptions resolved since the last run",
    refunds_owed: "Refunds owed",
    refunds_owed_lead: "This money was taken too much and has to go back to the customer. The exception resolves itself once the refund is in a bill.",
    dispositions: "Outcomes",
    disposition: "Outcome",
    count: "Count",
    amount: "Amount (CNY)",
    total: "Total",
    notifications: "Payment notifications (this run)",
    acknowledged: "Accepted by the platform",
    rejected: "Refused by the platform",
    unknown: "Outcome unknown",
    held: "Held for release",
    notify_due: "Left for the next run",
    coverage: "Coverage",
    not_pulled: "Plates not pulled",
    reason: "Reason",
    bills: "Bills",
    no_bills: "No bills in this run.",
    row_payments: "payments",
    row_refunds: "refunds",
    row_ignored: "ignored",
    row_set_aside: "set aside",
    set_aside: "Bill rows set aside",
    unmatched_refunds: "Refunds without their payment",
    unmatched_refunds_lead: "Listed for information, not exceptions: the payment is in no bill read so far, most likely because it is older.",
    refunds_matched: "With their payment",
    refunds_unmatched: "Without their payment",
    refund_id: "Refund",
    by_channel: "By payment channel",
    by_car_park: "By car park",
    channel: "Channel",
    car_park: "Car park",
    fee: "Fees",
    not_known: "(not stated)",
    changes: "Changed since the previous run",
    before: "Before",
    after: "Now",
    no_changes: "All counts and amounts are the same.",
    partial_because: "Not everything was done, because:",
    attention: "Look at this first",
    run: "Run",
    made_at: "Made at",
    journal_head: "Journal head hash",
    comma: ", ",
    colon: ": ",
    no_exceptions: "No exceptions are open.",
    agrees: "agrees",
    differs: "differs",
    rerun_command: "etcp-recon run --date",
    error: "Error",
    attachments: "Attachments",
    history: "The last 30 days",
    history_legend: ["Matched amount (CNY)", "Exceptions open at the end", "Age of the oldest (days)"],
    history_corners: "A bar a day; days without a report are left empty. Upper left the highest, upper right this day.",
};

pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::Complete => "complete",
        Status::Partial => "partial",
        Status::Failed => "failed",
    }
}

pub(super) const fn mode(mode: Mode) -> Option<&'static str> {
    match mode {
        Mode::Live => None,
        Mode::DryRun => Some("dry run"),
        Mode::Offline => Some("offline"),
    }
}

pub(super) const fn mode_explained(mode: Mode) -> Option<&'static str> {
    match mode {
        Mode::Live => None,
        Mode::DryRun => Some("Dry run: the platform was read, and told nothing."),
        Mode::Offline => Some("Offline run: from stored evidence, the platform was not asked."),
    }
}

pub(super) const fn bill_status(status: BillStatus) -> &'static str {
    match status {
        BillStatus::Imported => "imported",
        BillStatus::Known => "imported before",
        BillStatus::Refused => "refused",
    }
}

pub(super) const fn disposition(disposition: D) -> &'static str {
    match disposition {
        D::Settled => "Settled",
        D::Notified => "Notified",
        D::NotifyDue => "Notification due",
        D::NotifyUnknown => "Notification unknown",
        D::NotifyHeld => "Held for release",
        D::WrittenOff => "Written off",
        D::NotifyRejected => "Notification refused",
        D::NotificationLost => "Notification not booked",
        D::AmountMismatch => "Amounts differ",
        D::DuplicatePayment => "Duplicate payment",
        D::PaidTwice => "Paid online and in cash",
        D::OrderNotFound => "Payment without order",
        D::PaymentMissing => "Order without payment",
        D::Ambiguous => "No unique match",
        D::Refunded => "Refunded",
        D::RefundedAfterSettlement => "Refunded, still booked",
        D::ConflictingRecord => "Contradicting records",
        D::Unverifiable => "Cannot be verified",
        D::Unpaid => "Unpaid",
        D::Cash => "Paid in cash",
        D::Free => "Free",
        D::Vanished => "Gone without record",
    }
}

/// `1 payment`, `2 payments`.
fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

pub(super) fn partial(reason: &PartialReason) -> String {
    match reason {
        PartialReason::PlatesNotPulled { count } => format!(
            "{} could not be pulled; payments of theirs cannot be verified.",
            counted(*count, "plate", "plates")
        ),
        PartialReason::BillRefused { file } => {
            format!("The bill {} was refused; none of its rows went in.", visible(file))
        }
        PartialReason::BillMissing { source } => format!(
            "The required source {} has no bill for the date; orders that it might pay cannot be verified.",
            visible(source)
        ),
        PartialReason::NotificationsUnknown { count } => {
            format!("The outcome of {} is not known yet.", counted(*count, "notification", "notifications"))
        }
        PartialReason::SendingStopped { code } => {
            format!(
                "The platform answered with code {code} (signature or merchant not accepted); nothing more was sent."
            )
        }
        PartialReason::BreakerOpen { count } => {
            format!("The outcome of {count} notifications in a row was unknown; nothing more was sent in this run.")
        }
        PartialReason::DeadlineReached => "The run's deadline passed; the rest is left for the next run.".to_owned(),
        PartialReason::Other { text } => visible(&text.en).into_owned(),
    }
}

pub(super) fn alert(alert: &Alert) -> String {
    match alert {
        Alert::LateBooking { order_id, external_order_id } => format!(
            "Late booking: order {} (external order id {}) shows a booking that had been proved absent. Automatic re-sending is off for good; check whether the order was booked twice.",
            visible(order_id),
            visible(external_order_id)
        ),
        Alert::TwoBookings { order_id } => format!(
            "The platform named two different payment ids for order {}: it may be booked twice. Automatic re-sending is off for good; ask the platform.",
            visible(order_id)
        ),
        Alert::WeakKey => {
            "The merchant key is so short that it can be guessed; ask the platform for another.".to_owned()
        }
        Alert::Other { text } => visible(&text.en).into_owned(),
    }
}

pub(super) fn say(phrase: &Phrase<'_>) -> String {
    match phrase {
        Phrase::Agrees => "The books agree: no exceptions".to_owned(),
        Phrase::AgreesInPart => "No exceptions in what could be checked".to_owned(),
        Phrase::Nothing => "No payments and no orders on this day".to_owned(),
        Phrase::Disagrees { count, amount } => format!("{}, ¥{amount}", counted(*count, "exception", "exceptions")),
        Phrase::NotToBeTrusted => "Does not tie out: not to be trusted".to_owned(),
        Phrase::Movement { new, carried, resolved } => format!("{new} new, {carried} carried, {resolved} resolved"),
        Phrase::SubjectExceptions { count: 0, .. } => "no exceptions".to_owned(),
        Phrase::SubjectExceptions { count, amount } => {
            format!("{} ¥{amount}", counted(*count, "exception", "exceptions"))
        }
        Phrase::RerunOf { run, at: Some(at) } => format!("This date was run before: {run} ({at})."),
        Phrase::RerunOf { run, at: None } => format!("This date was run before: {run}."),
        Phrase::Pulled { users, plates, pulled } => format!(
            "{} and {} in the roster, {pulled} pulled.",
            counted(*users, "user", "users"),
            counted(*plates, "plate", "plates")
        ),
        Phrase::RejectedRecords { count } => {
            format!(
                "{} of the platform could not be read and were kept as they came.",
                counted(*count, "record", "records")
            )
        }
        Phrase::ContradictedPushes { count, syn_id } => {
            format!(
                "{} came again with other content; an exit agrees if one of its contents does. See etcp-recon show {syn_id}.",
                counted(*count, "push", "pushes")
            )
        }
        Phrase::MoreAttached { count } => {
            format!("{count} more not shown here; all exceptions are in the attachment.")
        }
        Phrase::More { count } => format!("{} more not shown here.", counted(*count, "row", "rows")),
        Phrase::SetAsideRows { count } => format!(
            "Left out beside these: {} that could not be read, see below.",
            counted(*count, "bill row", "bill rows")
        ),
        Phrase::ClockSkew { seconds } => {
            format!("This machine's clock and the platform's differ by {seconds} s (positive: ours is ahead).")
        }
        Phrase::ClockCorrected { seconds } => format!(
            "The platform called our time stamps expired (code 3); its clock was followed, which is {} s {} this machine's.",
            seconds.unsigned_abs(),
            if *seconds > 0 { "ahead of" } else { "behind" }
        ),
        Phrase::Line { line } => format!("line {line}"),
        Phrase::Age { days: 0 } => "today".to_owned(),
        Phrase::Age { days } => counted(u64::from(*days), "day", "days"),
        Phrase::Count { count } => count.to_string(),
        Phrase::History(history) => {
            let History { first, last, days, matched, matched_peak, matched_sum, open, open_peak, oldest, oldest_peak } =
                history;
            format!(
                "{first} to {last}, {days} days of them reported.\nMatched amount: ¥{matched} on this day, ¥{} at most ({}), ¥{matched_sum} in all.\nExceptions open at the end: {open} on this day, {} at most ({}).\nAge of the oldest in days: {oldest} on this day, {} at most ({}).",
                matched_peak.0, matched_peak.1, open_peak.0, open_peak.1, oldest_peak.0, oldest_peak.1
            )
        }
        Phrase::NotAttached { what, path } => {
            let what = match what {
                LeftOut::Rows => "The payments and orders are",
                LeftOut::Csv => "The list of exceptions (CSV) is",
                LeftOut::Workbook => "The spreadsheet is",
            };
            format!("{what} too large for a mail (10 MiB) and not attached; on the machine that reconciles: {path}")
        }
        Phrase::Commands => "The whole story of any of them: etcp-recon show ID".to_owned(),
    }
}

pub(super) fn advice(kind: Kind) -> Advice {
    let (name, means, todo) = match kind {
        Kind::Of(disposition) => return of_disposition(disposition),
        Kind::BillDisagrees => (
            "Bills disagree",
            "The trade bill and the fund bill of one channel tell different amounts of the same payment; the trade bill counts.",
            "Look the transaction up in the channel's merchant portal; if the two still differ, take it up with the channel.",
        ),
        Kind::EventWithoutOrder => (
            "Exit without order",
            "The platform pushed an exit with a fee, but its lists have no such order. Paid is the fee that the push tells; due is 0, for there is no order.",
            "Give plate, entrance and exit (etcp-recon show ID) to the platform and have the order added.",
        ),
        Kind::EventFeeDiffers => (
            "Announced fee differs",
            "The fee that the exit push tells is not the order's; the order counts. Paid is the fee of the push, due the order's whole fee, cash included.",
            "Ask the platform which of the two fees is right; when the order is corrected, the next run resolves this.",
        ),
        Kind::Other => ("Other", "A kind of exception that this version does not know.", "See etcp-recon show ID."),
    };
    Advice { name, means, todo }
}

fn of_disposition(kind: D) -> Advice {
    let (means, todo) = match kind {
        D::NotifyUnknown => (
            "The platform was told of the payment and gave no clear answer: it may have booked it or not.",
            "Nothing to send by hand: the platform's books are read before anything is sent again, and after 3 days it is held for a person. Meanwhile do not book the order in any other way.",
        ),
        D::NotifyHeld => (
            "The money is there, but the notification waits for a person: above a cap, an external order id the platform cannot take, an order no longer listed as unpaid, or an outcome unknown for too long.",
            "Check order and amount. To send it: etcp-recon notifications release EXT --note TEXT; never to send it: notifications void.",
        ),
        D::NotifyRejected => (
            "The money is there, and the platform plainly refused the notification: the order is not booked.",
            "Take the code in the note up with the platform. If it can be booked, notifications release sends it again; if not, refund the customer and write it off with notifications void.",
        ),
        D::NotificationLost => (
            "The platform accepted the notification, but the closed order does not show the money.",
            "Have the platform book it, by the external order id and its own payment id. Do not send it again: it could be booked twice.",
        ),
        D::AmountMismatch => (
            "What was paid is not what the platform asks, so it was not told.",
            "See the difference. Paid too little: collect the rest or grant it; too much: give it back; if the fee grew after the payment, take the charge up with the platform.",
        ),
        D::DuplicatePayment => (
            "Another payment has settled this order: this one was taken too much.",
            "Refund the customer through the same channel; the exception resolves itself once the refund is in a bill.",
        ),
        D::PaidTwice => (
            "Paid online, and again in cash at the exit; the platform booked the cash only.",
            "Confirm the cash with the car park, then give one of the two back, usually the online payment.",
        ),
        D::OrderNotFound => (
            "The money is there, but the platform has no such order, although the plate was pulled.",
            "Check order id and plate in the bill. If they are wrong, correct the bill and rerun; if there is no such stay, refund the customer.",
        ),
        D::PaymentMissing => (
            "The platform shows the order as paid online, but no bill has the money.",
            "See first whether a bill is missing (channel, date, file); if all are there, ask the platform for its proof of payment.",
        ),
        D::Ambiguous => (
            "The bill names no order, and plate and amount fit in more than one way. Nothing is guessed, nothing was sent.",
            "Decide by the times of payment and stay. The lasting cure is a bill that carries the order id.",
        ),
        D::RefundedAfterSettlement => (
            "The money went back to the customer in full, the platform still shows the order as paid.",
            "Have the platform reverse the booking; if the refund was a mistake, collect the fee again.",
        ),
        D::ConflictingRecord => (
            "Bill rows of one payment disagree about amount, day, order or plate. All are kept, nothing was sent.",
            "Find the wrong export with the channel's official bill, correct it and import it again.",
        ),
        D::Unverifiable => (
            "The evidence to decide is missing: a plate not in the roster or not pulled, a bill that is not there, or a payment older than 7 days.",
            "Deal with what stands under coverage and bills, then rerun the date; import plates that are not in the roster.",
        ),
        D::Settled
        | D::Notified
        | D::NotifyDue
        | D::WrittenOff
        | D::Refunded
        | D::Unpaid
        | D::Cash
        | D::Free
        | D::Vanished => ("Not an exception.", "Nothing to do."),
    };
    Advice { name: disposition(kind), means, todo }
}
