//! The product's tables, row by row.
#![expect(clippy::arithmetic_side_effects, reason = "small numbers in tests")]

use super::*;
use crate::model::{Amount, NotificationState as State, OrderState, Timestamp};

const SETTLE: i64 = 20;

fn fen(fen: i64) -> Amount {
    Amount::from_fen(fen).unwrap()
}

fn at(s: i64) -> Timestamp {
    Timestamp::from_unix(1_000_000 + s)
}

fn open(fee: i64, remaining: i64) -> Reading {
    Reading::Open { fee: fen(fee), remaining: fen(remaining) }
}

fn closed(fee: i64, cash: i64) -> Reading {
    Reading::Closed { fee: fen(fee), cash: fen(cash) }
}

fn policy() -> Policy {
    Policy::new(SETTLE, Resend::AfterProof)
}

fn never() -> Policy {
    Policy::new(SETTLE, Resend::Never)
}

/// A payment of 5.00 on an order of 8.00 with 3.00 paid before.
fn planned() -> Standing {
    Standing::planned(fen(500))
}

fn send(standing: &Standing) -> Standing {
    match precheck(standing, &open(800, 500), &policy()) {
        Precheck::Send { standing, baseline } => {
            assert_eq!(standing.baseline, Some(baseline));
            standing
        }
        not @ Precheck::NotSent { .. } => panic!("{not:?}"),
    }
}

fn unclear() -> Attempt {
    Attempt::Unclear { code: None }
}

/// Sent at 0, outcome unknown.
fn unknown() -> Standing {
    after_attempt(&send(&planned()), &unclear(), at(0)).standing
}

fn resolved(standing: &Standing, readings: &[(i64, Reading)], policy: &Policy) -> Next {
    let mut next = Next::unchanged(standing);
    for (s, reading) in readings {
        next = resolve(&next.standing, reading, at(*s), policy);
    }
    next
}

fn proved() -> [(i64, Reading); 2] {
    [(SETTLE, open(800, 500)), (SETTLE, open(800, 500))]
}

fn planned_again() -> Standing {
    resolved(&unknown(), &proved(), &policy()).standing
}

fn why_not(standing: &Standing, reading: &Reading, policy: &Policy) -> (WhyNot, State) {
    match precheck(standing, reading, policy) {
        Precheck::NotSent { why, next } => (why, next.standing.state),
        send @ Precheck::Send { .. } => panic!("{send:?}"),
    }
}

// ---- the reading

#[test]
fn the_history_wins_over_the_unpaid_list() {
    let (o, c) = (OrderState::open(fen(800), fen(500)).unwrap(), OrderState::closed(fen(800), fen(0)).unwrap());
    assert_eq!(reading(&[o], &[], true), open(800, 500));
    assert_eq!(reading(&[], &[c], true), closed(800, 0));
    assert_eq!(reading(&[o], &[c], true), closed(800, 0));
    assert_eq!(reading(&[], &[], true), Reading::Absent);
    assert_eq!(reading(&[o, o], &[], true), open(800, 500));
}

#[test]
fn what_was_not_read_whole_or_contradicts_itself_is_no_evidence() {
    let (o, p) = (OrderState::open(fen(800), fen(500)).unwrap(), OrderState::open(fen(800), fen(0)).unwrap());
    let (c, d) = (OrderState::closed(fen(800), fen(0)).unwrap(), OrderState::closed(fen(800), fen(800)).unwrap());
    let cases: [(&[OrderState], &[OrderState], bool); 8] = [
        (&[o], &[], false),
        (&[], &[c], false),
        (&[], &[], false),
        (&[o, p], &[], true),
        (&[o], &[c, d], true),
        (&[c], &[], true),
        (&[], &[o], true),
        (&[o], &[d], true), // less paid in the history than the unpaid list showed
    ];
    for (unpaid, history, complete) in cases {
        assert_eq!(reading(unpaid, history, complete), Reading::Incomplete, "{unpaid:?} {history:?} {complete}");
    }
}

#[test]
fn paid_so_far_is_the_fee_less_what_remains_or_less_the_cash() {
    assert_eq!(open(800, 500).paid_so_far(), Some(fen(300)));
    assert_eq!(closed(800, 500).paid_so_far(), Some(fen(300)));
    assert_eq!(Reading::Absent.paid_so_far(), None);
    assert_eq!(Reading::Incomplete.paid_so_far(), None);
}

// ---- step 1: the fee asked again

#[test]
fn only_the_very_amount_that_is_due_is_sent() {
    let sending = send(&planned());
    assert_eq!((sending.state, sending.sends, sending.tainted), (State::Sending, 1, false));
    assert_eq!(sending.baseline, Some(Baseline { paid_so_far: fen(300), fee: fen(800), remaining: fen(500) }));
    for (reading, why) in [
        (open(801, 501), WhyNot::OtherAmount),
        (open(800, 499), WhyNot::OtherAmount),
        (open(800, 0), WhyNot::OtherAmount),
        (closed(500, 0), WhyNot::SettledElsewhere),
        (closed(500, 500), WhyNot::PaidInCash),
        (closed(800, 0), WhyNot::Unlisted),
        (Reading::Absent, WhyNot::Unlisted),
        (Reading::Incomplete, WhyNot::NoEvidence),
    ] {
        assert_eq!(why_not(&planned(), &reading, &policy()), (why, State::Planned), "{reading:?}");
    }
    let nothing = Standing::planned(Amount::ZERO);
    assert_eq!(why_not(&nothing, &open(800, 0), &policy()).0, WhyNot::OtherAmount);
}

#[test]
fn only_a_planned_one_is_sent() {
    for state in State::ALL.iter().filter(|state| **state != State::Planned) {
        let standing = Standing { state: *state, ..planned() };
        assert_eq!(why_not(&standing, &open(800, 500), &policy()), (WhyNot::NotPlanned, *state));
    }
}

#[test]
fn a_fee_is_good_for_a_minute() {
    assert!(fee_is_fresh(at(0), at(0)) && fee_is_fresh(at(0), at(60)));
    assert!(!fee_is_fresh(at(0), at(61)) && !fee_is_fresh(at(1), at(0)));
}

#[test]
fn one_that_two_finished_runs_do_not_find_is_held() {
    let once = count_unlisted(&planned());
    assert_eq!((once.standing.state, once.verdict), (State::Planned, Verdict::UnlistedCounted));
    let twice = count_unlisted(&once.standing);
    assert_eq!((twice.standing.state, twice.verdict), (State::Held, Verdict::Held(WhyHeld::Unlisted)));
    assert_eq!(send(&once.standing).unlisted_runs, 0);
    assert_eq!(count_unlisted(&unknown()).verdict, Verdict::Unchanged);
}

// ---- step 4: what the attempt showed

#[test]
fn code_0_with_our_own_ids_is_acknowledged_on_any_attempt() {
    for standing in [send(&planned()), send(&planned_again())] {
        let next = after_attempt(&standing, &Attempt::Acknowledged { pay_order_id: "P1".into() }, at(1));
        assert_eq!((next.standing.state, next.verdict), (State::Acknowledged, Verdict::Acknowledged));
        assert!(!next.standing.proved_absent);
    }
}

#[test]
fn nothing_left_the_machine_is_planned_on_the_first_attempt_and_unknown_later() {
    let first = after_attempt(&send(&planned()), &Attempt::NotSent, at(1));
    assert_eq!((first.standing, first.verdict), (planned(), Verdict::NothingLeft));
    let later = after_attempt(&send(&planned_again()), &Attempt::NotSent, at(99));
    assert_eq!((later.standing.state, later.standing.sends), (State::Unknown, 2));
}

#[test]
fn a_plain_refusal_ends_a_first_attempt_only() {
    for code in [6, 20102, 20200, 20201, 20204, 20205, 20207, 20299] {
        let refused = Attempt::Refused { code };
        let first = after_attempt(&send(&planned()), &refused, at(1));
        assert_eq!((first.standing.state, first.verdict), (State::Rejected, Verdict::Rejected), "{code}");
        let later = after_attempt(&send(&planned_again()), &refused, at(99));
        assert_eq!(later.standing.state, State::Unknown, "{code}");
        let tainted = Standing { tainted: true, ..send(&planned()) };
        assert_eq!(after_attempt(&tainted, &refused, at(1)).standing.state, State::Unknown, "{code}");
    }
}

#[test]
fn any_other_code_and_anything_unclear_is_unknown() {
    for code in [0, 1, 2, 3, 7, 8, 20100, 20101, 20103, 20199, 20300, -6, 99_999] {
        let next = after_attempt(&send(&planned()), &Attempt::Refused { code }, at(1));
        assert_eq!(next.verdict, Verdict::Unknown(WhyUnknown::Attempt), "{code}");
        assert!(next.standing.tainted && !next.stop_sending, "{code}");
        assert_eq!((next.standing.last_byte_at, next.standing.first_unknown_at), (Some(at(1)), Some(at(1))));
    }
    assert_eq!(unknown().state, State::Unknown);
}

#[test]
fn four_and_five_stop_all_sending_and_are_unknown() {
    for attempt in [
        Attempt::Refused { code: 4 },
        Attempt::Refused { code: 5 },
        Attempt::Unclear { code: Some(4) },
        Attempt::Unclear { code: Some(5) },
    ] {
        for standing in [send(&planned()), send(&planned_again())] {
            let next = after_attempt(&standing, &attempt, at(1));
            assert!(next.stop_sending && next.standing.tainted);
            assert_eq!(next.standing.state, State::Unknown);
        }
    }
}

#[test]
fn a_refused_amount_is_final_only_when_the_fee_asked_again_differs() {
    let asked = after_attempt(&send(&planned()), &Attempt::Refused { code: 20206 }, at(1));
    assert_eq!((asked.standing.state, asked.verdict), (State::Unknown, Verdict::AskFeeAgain));
    let grown = after_fee_asked_again(&asked.standing, &open(900, 600));
    assert_eq!((grown.standing.state, grown.verdict), (State::Rejected, Verdict::Rejected));
    for reading in
        [open(800, 500), open(800, 0), open(900, 400), closed(800, 500), Reading::Absent, Reading::Incomplete]
    {
        let next = after_fee_asked_again(&asked.standing, &reading);
        assert_eq!((next.standing.state, next.standing.tainted), (State::Unknown, true), "{reading:?}");
    }
}

#[test]
fn a_refused_amount_on_a_later_attempt_mostly_means_that_the_first_was_booked() {
    let later = after_attempt(&send(&planned_again()), &Attempt::Refused { code: 20206 }, at(99));
    assert_eq!(later.verdict, Verdict::Unknown(WhyUnknown::Attempt));
    assert_eq!(after_fee_asked_again(&later.standing, &open(900, 600)).standing.state, State::Unknown);
}

#[test]
fn a_look_at_the_facts_closes_the_question_of_the_amount() {
    let asked = after_attempt(&send(&planned()), &Attempt::Refused { code: 20206 }, at(1)).standing;
    let looked = resolve(&asked, &Reading::Incomplete, at(2), &policy()).standing;
    assert_eq!(after_fee_asked_again(&looked, &open(900, 600)).standing.state, State::Unknown);
}

#[test]
fn a_crash_while_sending_is_unknown() {
    let next = found_sending(&send(&planned()), at(7));
    assert_eq!((next.standing.state, next.standing.tainted), (State::Unknown, true));
    assert_eq!((next.standing.last_byte_at, next.standing.sends), (Some(at(7)), 1));
    for state in State::ALL.iter().filter(|state| **state != State::Sending) {
        let standing = Standing { state: *state, ..planned() };
        assert_eq!(found_sending(&standing, at(7)), Next::unchanged(&standing));
        assert_eq!(after_attempt(&standing, &unclear(), at(7)), Next::unchanged(&standing));
    }
}

// ---- step 5: unknown, from the facts

#[test]
fn paid_so_far_rose_by_exactly_the_amount_is_confirmed_at_once() {
    for reading in [open(800, 0), open(950, 150), closed(800, 0), closed(950, 150)] {
        let next = resolve(&unknown(), &reading, at(0), &policy());
        assert_eq!((next.standing.state, next.verdict), (State::Confirmed, Verdict::Confirmed { inferred: true }));
    }
}

#[test]
fn two_complete_reads_after_the_settle_time_plan_it_again() {
    let before = resolve(&unknown(), &open(800, 500), at(SETTLE - 1), &policy());
    assert_eq!((before.verdict, before.standing.negative_reads), (Verdict::Unknown(WhyUnknown::Settling), 0));
    let first = resolve(&before.standing, &open(800, 500), at(SETTLE), &policy());
    assert_eq!((first.standing.state, first.verdict), (State::Unknown, Verdict::AbsenceCounted));
    let second = resolve(&first.standing, &open(800, 500), at(SETTLE), &policy());
    assert_eq!((second.standing.state, second.verdict), (State::Planned, Verdict::PlannedAgain));
    assert!(second.standing.tainted && second.standing.proved_absent);
    let again = send(&second.standing);
    assert_eq!((again.sends, again.resent_in_run), (2, true));
}

#[test]
fn with_resend_never_a_proved_absence_is_held() {
    let next = resolved(&unknown(), &proved(), &never());
    assert_eq!((next.standing.state, next.verdict), (State::Held, Verdict::Held(WhyHeld::ResendOff)));
    // Turned off after it was planned again: the send does not happen either.
    assert_eq!(why_not(&planned_again(), &open(800, 500), &never()), (WhyNot::ResendOff, State::Held));
}

#[test]
fn one_resend_a_run_and_three_sends_in_all() {
    let again = after_attempt(&send(&planned_again()), &unclear(), at(0)).standing;
    let waits = resolved(&again, &proved(), &policy());
    assert_eq!((waits.standing.state, waits.verdict), (State::Unknown, Verdict::WaitsForNextRun));
    let next_run = resolve(&new_run(&waits.standing), &open(800, 500), at(99), &policy());
    assert_eq!(next_run.verdict, Verdict::PlannedAgain);
    let in_the_same_run = Standing { resent_in_run: true, ..next_run.standing };
    assert_eq!(why_not(&in_the_same_run, &open(800, 500), &policy()), (WhyNot::ResentInRun, State::Planned));
    let third = after_attempt(&send(&next_run.standing), &unclear(), at(0)).standing;
    assert_eq!(third.sends, 3);
    let used_up = resolved(&new_run(&third), &proved(), &policy());
    assert_eq!((used_up.standing.state, used_up.verdict), (State::Held, Verdict::Held(WhyHeld::SendsUsedUp)));
    let planned = Standing { sends: 3, ..planned_again() };
    assert_eq!(why_not(&planned, &open(800, 500), &policy()), (WhyNot::SendsUsedUp, State::Held));
}

#[test]
fn a_fee_that_grew_is_not_sent_after_the_same_proof() {
    let readings = [(SETTLE, open(900, 600)), (SETTLE, open(900, 600))];
    assert_eq!(resolved(&unknown(), &readings[..1], &policy()).verdict, Verdict::AbsenceCounted);
    for policy in [policy(), never()] {
        let next = resolved(&unknown(), &readings, &policy);
        assert_eq!((next.standing.state, next.verdict), (State::Planned, Verdict::NotSentAmountMismatch));
        assert_eq!(why_not(&next.standing, &open(900, 600), &policy).0, WhyNot::OtherAmount);
    }
}

#[test]
fn the_rest_taken_in_cash_is_not_sent_after_the_same_proof() {
    let readings = [(SETTLE, closed(800, 500)), (SETTLE, closed(800, 500))];
    let next = resolved(&unknown(), &readings, &policy());
    assert_eq!((next.standing.state, next.verdict), (State::Planned, Verdict::NotSentPaidInCash));
    let shrunk = [(SETTLE, closed(300, 0)), (SETTLE, closed(300, 0))];
    assert_eq!(resolved(&unknown(), &shrunk, &policy()).verdict, Verdict::Unknown(WhyUnknown::Contradictory));
}

#[test]
fn anything_else_stays_unknown_and_is_held_after_three_days() {
    let three_days = 3 * 24 * 3600;
    for (reading, why) in [
        (open(800, 400), WhyUnknown::Contradictory),
        (open(1300, 400), WhyUnknown::Contradictory),
        (open(800, 600), WhyUnknown::Contradictory),
        (closed(1300, 0), WhyUnknown::Contradictory),
        (Reading::Absent, WhyUnknown::Unlisted),
        (Reading::Incomplete, WhyUnknown::Incomplete),
    ] {
        let soon = resolve(&unknown(), &reading, at(three_days - 1), &policy());
        assert_eq!((soon.standing.state, soon.verdict), (State::Unknown, Verdict::Unknown(why)), "{reading:?}");
        let late = resolve(&soon.standing, &reading, at(three_days), &policy());
        assert_eq!(late.verdict, Verdict::Held(WhyHeld::UnknownTooLong), "{reading:?}");
        assert!(late.standing.tainted);
    }
}

#[test]
fn a_failed_read_leaves_the_count_and_an_absent_order_begins_it_anew() {
    let counted = resolve(&unknown(), &open(800, 500), at(SETTLE), &policy()).standing;
    assert_eq!(counted.negative_reads, 1);
    let failed = resolve(&counted, &Reading::Incomplete, at(SETTLE), &policy()).standing;
    assert_eq!(failed.negative_reads, 1);
    let absent = resolve(&failed, &Reading::Absent, at(SETTLE), &policy()).standing;
    assert_eq!(absent.negative_reads, 0);
}

#[test]
fn a_paid_so_far_that_moves_begins_the_count_anew() {
    let counted = resolve(&unknown(), &open(800, 500), at(SETTLE), &policy()).standing;
    for reading in [open(800, 400), open(800, 600), closed(300, 0)] {
        let moved = resolve(&counted, &reading, at(SETTLE), &policy()).standing;
        assert_eq!((moved.state, moved.negative_reads), (State::Unknown, 0), "{reading:?}");
    }
    // Less paid than before, too, is not what was known when it was planned again.
    assert_eq!(why_not(&planned_again(), &open(700, 500), &policy()), (WhyNot::Moved, State::Unknown));
}

#[test]
fn the_three_days_run_on_over_a_resend_and_begin_anew_when_the_clock_goes_back() {
    let again = after_attempt(&send(&planned_again()), &unclear(), at(999)).standing;
    assert_eq!((again.first_unknown_at, again.last_byte_at), (Some(at(0)), Some(at(999))));
    let back = resolve(&again, &Reading::Incomplete, at(-7), &policy()).standing;
    assert_eq!(back.first_unknown_at, Some(at(-7)));
}

#[test]
fn a_clock_that_goes_back_counts_as_no_time_and_the_waiting_begins_anew() {
    let back = resolve(&unknown(), &open(800, 500), at(-5000), &policy());
    assert_eq!(back.verdict, Verdict::Unknown(WhyUnknown::Settling));
    assert_eq!(back.standing.last_byte_at, Some(at(-5000)));
    let counted = resolve(&back.standing, &open(800, 500), at(-5000 + SETTLE), &policy());
    assert_eq!(counted.verdict, Verdict::AbsenceCounted);
    let again = resolve(&counted.standing, &open(800, 500), at(-9000), &policy());
    assert_eq!((again.verdict, again.standing.negative_reads), (Verdict::Unknown(WhyUnknown::Settling), 0));
}

#[test]
fn without_a_baseline_nothing_is_inferred() {
    let standing = Standing { baseline: None, ..unknown() };
    for reading in [open(800, 0), open(800, 500), closed(800, 0)] {
        let next = resolve(&standing, &reading, at(SETTLE), &policy());
        assert_eq!(next.verdict, Verdict::Unknown(WhyUnknown::NoBaseline));
    }
    let planned = Standing { state: State::Planned, ..standing };
    assert_eq!(why_not(&planned, &open(800, 500), &policy()), (WhyNot::Moved, State::Unknown));
}

#[test]
fn only_an_unknown_one_is_resolved() {
    for state in State::ALL.iter().filter(|state| **state != State::Unknown) {
        let standing = Standing { state: *state, ..unknown() };
        assert_eq!(resolve(&standing, &open(800, 0), at(99), &policy()), Next::unchanged(&standing));
        assert_eq!(after_fee_asked_again(&standing, &open(900, 600)), Next::unchanged(&standing));
    }
}

// ---- step 6: late bookings, the breaker

#[test]
fn a_booking_after_a_proved_absence_turns_resending_off() {
    let late = Verdict::LateBooking { turn_resend_off: true };
    let moved = watch(&planned_again(), &open(800, 0));
    assert_eq!(moved.verdict, Verdict::Unknown(WhyUnknown::Moved));
    let next = resolve(&moved.standing, &open(800, 0), at(99), &policy());
    assert_eq!((next.standing.state, next.verdict), (State::Confirmed, late));
    assert!(!next.standing.proved_absent);
    // The same through the fee asked again before the re-send: nothing is sent.
    assert_eq!(why_not(&planned_again(), &open(800, 0), &policy()), (WhyNot::Moved, State::Unknown));
    // Refused on the second attempt, so it was the first that booked late.
    let refused = after_attempt(&send(&planned_again()), &Attempt::Refused { code: 7 }, at(99)).standing;
    assert_eq!(resolve(&refused, &open(800, 0), at(99), &policy()).verdict, late);
    // Unclear on the second attempt: it may just have booked.
    let second = after_attempt(&send(&planned_again()), &unclear(), at(99)).standing;
    assert_eq!(resolve(&second, &open(800, 0), at(99), &policy()).verdict, Verdict::Confirmed { inferred: true });
    let crashed = found_sending(&send(&planned_again()), at(99)).standing;
    assert_eq!(resolve(&crashed, &open(800, 0), at(99), &policy()).verdict, Verdict::Confirmed { inferred: true });
}

#[test]
fn a_held_or_void_one_is_watched_and_said_once() {
    let held = resolved(&unknown(), &proved(), &never()).standing;
    let void = person(&held, Act::Void).unwrap().standing;
    for standing in [held, void] {
        let next = watch(&standing, &open(800, 0));
        assert_eq!(next.verdict, Verdict::LateBooking { turn_resend_off: true });
        assert_eq!(next.standing.state, standing.state);
        assert_eq!(watch(&next.standing, &open(800, 0)).verdict, Verdict::Unchanged);
        assert_eq!(watch(&standing, &open(800, 500)).verdict, Verdict::Unchanged);
    }
    assert_eq!(watch(&planned(), &open(800, 0)).verdict, Verdict::Unchanged);
    assert_eq!(watch(&planned_again(), &open(800, 500)).verdict, Verdict::Unchanged);
    assert_eq!(watch(&planned_again(), &Reading::Absent).verdict, Verdict::Unchanged);
}

#[test]
fn another_id_of_a_booking_is_a_second_booking() {
    assert!(!is_second_booking([], "P1"));
    assert!(!is_second_booking(["P1", "P1"], "P1"));
    assert!(is_second_booking(["P1"], "P2"));
}

#[test]
fn an_acknowledged_one_is_confirmed_once_paid_so_far_shows_it() {
    let done = Attempt::Acknowledged { pay_order_id: "P1".into() };
    let acknowledged = after_attempt(&send(&planned()), &done, at(1)).standing;
    for reading in [open(800, 0), closed(800, 0), open(950, 100)] {
        let next = confirm(&acknowledged, &reading);
        assert_eq!((next.standing.state, next.verdict), (State::Confirmed, Verdict::Confirmed { inferred: false }));
    }
    for reading in [open(800, 500), open(800, 1), closed(800, 500), Reading::Absent, Reading::Incomplete] {
        assert_eq!(confirm(&acknowledged, &reading).verdict, Verdict::NotShownYet, "{reading:?}");
    }
    assert_eq!(confirm(&unknown(), &open(800, 0)).verdict, Verdict::Unchanged);
}

#[test]
fn five_unknown_in_a_row_stop_the_run() {
    let first = send(&planned());
    let unknown = after_attempt(&first, &unclear(), at(0));
    let nothing_left = after_attempt(&first, &Attempt::NotSent, at(0));
    let refused = after_attempt(&first, &Attempt::Refused { code: 6 }, at(0));
    let mut breaker = Breaker::default();
    for next in [unknown, unknown, unknown, unknown, refused, unknown, unknown, unknown, nothing_left, unknown] {
        breaker.note(&next);
        assert_eq!(breaker.stopped(), None);
    }
    breaker.note(&unknown);
    assert_eq!(breaker.stopped(), Some(WhyStopped::UnknownInARow));
    breaker.note(&refused);
    assert_eq!(breaker.stopped(), Some(WhyStopped::UnknownInARow));
    let mut breaker = Breaker::default();
    breaker.note(&after_attempt(&first, &Attempt::Refused { code: 4 }, at(0)));
    (0..5).for_each(|_| breaker.note(&unknown));
    assert_eq!(breaker.stopped(), Some(WhyStopped::Refused));
}

// ---- step 7: a person

#[test]
fn a_release_of_one_that_was_never_sent_plans_it() {
    let next = person(&Standing::held(fen(500)), Act::Release).unwrap();
    assert_eq!(next.standing, Standing { released: true, ..planned() });
    assert_eq!(next.verdict, Verdict::Released);
}

#[test]
fn a_release_of_one_that_may_be_booked_looks_at_the_facts_first_and_allows_one_send() {
    let three = Standing { sends: 3, ..unknown() };
    for policy in [policy(), never()] {
        let held = resolved(&three, &proved(), &policy).standing;
        assert_eq!(held.state, State::Held);
        let released = person(&held, Act::Release).unwrap().standing;
        assert_eq!((released.state, released.tainted, released.negative_reads), (State::Unknown, true, 0));
        assert_eq!(resolve(&released, &open(800, 0), at(99), &policy).standing.state, State::Confirmed);
        let fourth = send(&resolved(&released, &proved(), &policy).standing);
        assert_eq!(fourth.sends, 4);
        let again = after_attempt(&fourth, &unclear(), at(0)).standing;
        assert_eq!(resolved(&new_run(&again), &proved(), &policy).standing.state, State::Held);
    }
}

#[test]
fn a_release_begins_the_three_days_anew() {
    let held = resolve(&unknown(), &Reading::Absent, at(3 * 24 * 3600), &policy()).standing;
    let released = person(&held, Act::Release).unwrap().standing;
    let next = resolve(&released, &Reading::Absent, at(3 * 24 * 3600), &policy());
    assert_eq!(next.verdict, Verdict::Unknown(WhyUnknown::Unlisted));
}

#[test]
fn a_rejected_one_is_sent_again_only_when_a_person_says_so_and_is_never_rejected_again() {
    let refused = Attempt::Refused { code: 6 };
    let rejected = after_attempt(&send(&planned()), &refused, at(0)).standing;
    assert_eq!(why_not(&rejected, &open(800, 500), &policy()).0, WhyNot::NotPlanned);
    let released = person(&rejected, Act::Release).unwrap().standing;
    assert_eq!((released.state, released.tainted, released.released), (State::Planned, true, true));
    let Precheck::Send { standing, .. } = precheck(&released, &open(800, 500), &never()) else { panic!() };
    assert_eq!(after_attempt(&standing, &refused, at(0)).standing.state, State::Unknown);
}

#[test]
fn acts_follow_the_state() {
    let outcome = |state, act| {
        let standing = Standing { state, ..planned() };
        person(&standing, act).ok().map(|next| next.standing.state)
    };
    for state in State::ALL.iter().copied() {
        for (act, to) in [(Act::Release, None), (Act::Hold, Some(State::Held)), (Act::Void, Some(State::Void))] {
            let to = match (state, act) {
                (State::Held | State::Rejected, Act::Release) => Some(State::Planned),
                (State::Planned | State::Unknown, Act::Hold)
                | (State::Planned | State::Unknown | State::Rejected | State::Held, Act::Void) => to,
                _ => None,
            };
            assert_eq!(outcome(state, act), to, "{state} {act:?}");
        }
    }
    let refusal = person(&send(&planned()), Act::Void).unwrap_err().to_string();
    assert!(refusal.contains("sending") && refusal.contains("hint:"), "{refusal}");
}

#[test]
fn whatever_was_sent_is_tainted_once_it_is_held() {
    let asked = after_attempt(&send(&planned()), &Attempt::Refused { code: 20206 }, at(0)).standing;
    for standing in [asked, unknown(), planned_again()] {
        let held = person(&standing, Act::Hold).unwrap();
        assert_eq!((held.standing.tainted, held.verdict), (true, Verdict::Held(WhyHeld::ByPerson)));
        assert_eq!(person(&held.standing, Act::Release).unwrap().standing.state, State::Unknown);
    }
    assert!(!person(&planned(), Act::Hold).unwrap().standing.tainted);
}

#[test]
fn a_void_remembers_that_it_may_be_booked() {
    let cases = [
        (planned(), false),
        (Standing::held(fen(500)), false),
        (unknown(), true),
        (planned_again(), true),
        (Standing { tainted: false, ..unknown() }, true),
        (after_attempt(&send(&planned()), &Attempt::Refused { code: 6 }, at(0)).standing, false),
    ];
    for (standing, may_be_booked) in cases {
        let next = person(&standing, Act::Void).unwrap();
        assert_eq!(next.verdict, Verdict::Voided { may_be_booked });
        assert_eq!(next.standing.tainted, may_be_booked);
    }
}

// ---- the states

#[test]
fn the_allowed_transitions() {
    let lines: Vec<String> =
        allowed_transitions().iter().map(|(from, to, by)| format!("{from} -> {to} ({by:?})")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    planned -> sending (Machine)
    planned -> unknown (Machine)
    planned -> held (Machine)
    planned -> held (Person)
    planned -> void (Person)
    sending -> planned (Machine)
    sending -> acknowledged (Machine)
    sending -> unknown (Machine)
    sending -> rejected (Machine)
    acknowledged -> confirmed (Machine)
    unknown -> planned (Machine)
    unknown -> confirmed (Machine)
    unknown -> rejected (Machine)
    unknown -> held (Machine)
    unknown -> held (Person)
    unknown -> void (Person)
    rejected -> planned (Person)
    rejected -> void (Person)
    held -> planned (Person)
    held -> unknown (Person)
    held -> void (Person)
    ");
    let finals = [State::Confirmed, State::Void];
    assert!(allowed_transitions().iter().all(|(from, to, _)| !finals.contains(from) && from != to));
}
