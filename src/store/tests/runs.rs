//! Runs: one at a time, finished whole or not at all, and their mail.

use super::*;
use crate::jobs::exceptions::{NotTied, PersonsAct, roll_forward};
use crate::model::{Difference, Disposition, Side};
use secrecy::SecretString;

pub(super) fn facts(subject: &str, kind: &str) -> ExceptionFacts {
    ExceptionFacts {
        key: ExceptionKey {
            side: ExceptionSide::Payment,
            subject: subject.to_owned(),
            n: 0,
            beside: kind == "bill_disagrees",
        },
        kind: kind.to_owned(),
        date: day(),
        payment_id: Some("p".to_owned()),
        external_order_id: Some(subject.to_owned()),
        order_id: None,
        plate: Some("渝B757D0".to_owned()),
        paid: Difference::from_fen(-500),
        due: fen(200),
        at: at(0),
        rule: "3c".to_owned(),
    }
}

fn mail(run: &str, recipients: &[&str]) -> OutboxMail {
    OutboxMail {
        run_id: run.to_owned(),
        message_id: format!("<{run}.{}@example>", recipients.len()),
        sender: "a@example".to_owned(),
        recipients: recipients.iter().map(ToString::to_string).collect(),
        subject: "s".to_owned(),
        raw: b"raw".to_vec(),
    }
}

fn outcome() -> OutcomeRow {
    OutcomeRow {
        side: Side::Payment,
        subject: "a".to_owned(),
        n: 0,
        disposition: Disposition::Settled,
        rule: "3a".to_owned(),
        counterpart: Some("o".to_owned()),
        amount_fen: 500,
    }
}

pub(super) fn finish(
    scratch: &mut Scratch,
    run: &str,
    exceptions: &ExceptionChanges,
    mail: Option<&OutboxMail>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "SELECT mode = 'dry_run' FROM run WHERE id = ?1";
    let dry: bool = scratch.raw().query_row(sql, [run], |row| row.get(0)).unwrap();
    let roll = (!dry).then(|| rolled(scratch, exceptions));
    scratch.store.finish_run(&FinishedRun {
        run_id: run,
        status: RunStatus::Complete,
        summary: "{}",
        outcomes: &[outcome()],
        order_days: &[("o".to_owned(), day())],
        exceptions,
        roll_forward: roll.as_ref(),
        report: None,
        mail,
        at: now,
    })
}

/// The roll-forward of a run that does that.
fn rolled(scratch: &Scratch, changes: &ExceptionChanges) -> RollForward {
    let store = &scratch.store;
    let acts = store.acts_since_last_run().unwrap().into_iter();
    let acts: Vec<_> =
        acts.map(|event| PersonsAct { row: store.exception(event.exception_id).unwrap().unwrap(), event }).collect();
    let open = store.open_exceptions().unwrap();
    roll_forward(store.last_roll_forward().unwrap(), &acts, &open, changes).unwrap_or_else(|NotTied(roll)| *roll)
}

pub(super) fn opened(facts: &[ExceptionFacts]) -> ExceptionChanges {
    ExceptionChanges { opened: facts.to_vec(), ..ExceptionChanges::default() }
}

fn status(scratch: &Scratch, run: &str) -> String {
    scratch.raw().query_row("SELECT status FROM run WHERE id = ?1", [run], |row| row.get(0)).unwrap()
}

#[test]
fn a_killed_run_is_failed_when_the_next_begins() {
    let mut scratch = Scratch::new();
    let killed = scratch.run();
    let next = scratch.run();
    assert_eq!((status(&scratch, &killed).as_str(), status(&scratch, &next).as_str()), ("failed", "running"));
    let late = finish(&mut scratch, &killed, &ExceptionChanges::default(), None, at(5));
    assert!(matches!(late, Err(StoreError::Refused(_))), "{late:?}");
    assert_eq!(count(&scratch.raw(), "outcome"), 0);
}

#[test]
fn a_rerun_names_the_last_finished_live_run_of_its_date() {
    let mut scratch = Scratch::new();
    let rerun_of = |scratch: &Scratch, run: &str| -> Option<String> {
        scratch.raw().query_row("SELECT rerun_of FROM run WHERE id = ?1", [run], |row| row.get(0)).unwrap()
    };
    let first = scratch.run();
    assert_eq!(rerun_of(&scratch, &first), None);
    finish(&mut scratch, &first, &ExceptionChanges::default(), None, at(5)).unwrap();
    let failed = scratch.run();
    scratch.store.fail_run(&failed, at(6)).unwrap();
    let dry = scratch.store.begin_run(day(), RunMode::DryRun, at(7)).unwrap().id;
    finish(&mut scratch, &dry, &ExceptionChanges::default(), None, at(8)).unwrap();
    let other_day = scratch.store.begin_run(day().minus_days(1), RunMode::Live, at(9)).unwrap().id;
    assert_eq!(rerun_of(&scratch, &other_day), None);
    let again = scratch.run();
    assert_eq!(rerun_of(&scratch, &again).as_deref(), Some(first.as_str()));
    assert_eq!(scratch.store.last_finished_live_run(day()).unwrap().unwrap().id, first);
    assert_eq!(scratch.store.last_complete_run().unwrap().unwrap().id, first);
}

#[test]
fn a_run_is_finished_whole_or_not_at_all() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let twice = opened(&[facts("a", "amount_mismatch"), facts("a", "duplicate_payment")]);
    let mail = mail(&run, &["x@example"]);
    assert!(finish(&mut scratch, &run, &twice, Some(&mail), at(5)).is_err());
    let raw = scratch.raw();
    for table in ["outcome", "order_day", "exception", "mail", "journal"] {
        assert_eq!(count(&raw, table), 0, "{table}");
    }
    assert_eq!(status(&scratch, &run), "running");
    finish(
        &mut scratch,
        &run,
        &opened(&[facts("a", "amount_mismatch"), facts("a", "bill_disagrees")]),
        Some(&mail),
        at(5),
    )
    .unwrap();
    for (table, rows) in [("outcome", 1), ("order_day", 1), ("exception", 2), ("mail", 1), ("journal", 2)] {
        assert_eq!(count(&raw, table), rows, "{table}");
    }
    assert_eq!(scratch.store.outcomes_of("a").unwrap().len(), 1);
    let again = finish(&mut scratch, &run, &ExceptionChanges::default(), None, at(6));
    assert!(again.is_err(), "a run ends once");
}

#[test]
fn exceptions_are_opened_carried_and_resolved() {
    let mut scratch = Scratch::new();
    let first = scratch.run();
    let found = [facts("a", "amount_mismatch"), facts("b", "ambiguous"), facts("c", "order_not_found")];
    finish(&mut scratch, &first, &opened(&found), None, at(5)).unwrap();
    let open = scratch.store.open_exceptions().unwrap();
    assert_eq!(open.iter().map(|row| row.facts.clone()).collect::<Vec<_>>(), found);
    let second = scratch.run();
    let carried = ExceptionFacts { due: fen(300), ..facts("b", "ambiguous") };
    let changes = ExceptionChanges {
        opened: vec![facts("a", "duplicate_payment")],
        reopened: Vec::new(),
        carried: vec![(open[1].id, carried.clone())],
        resolved: vec![(open[0].id, "became duplicate_payment".to_owned()), (open[2].id, "now settled".to_owned())],
    };
    finish(&mut scratch, &second, &changes, None, at(9)).unwrap();
    let all = scratch.store.exceptions().unwrap();
    let seen: Vec<_> =
        all.iter().map(|row| (row.facts.kind.as_str(), row.status, row.first_seen_at, row.last_seen_at)).collect();
    assert_eq!(
        seen,
        [
            ("amount_mismatch", ExceptionStatus::Resolved, at(5), at(5)),
            ("ambiguous", ExceptionStatus::Open, at(5), at(9)),
            ("order_not_found", ExceptionStatus::Resolved, at(5), at(5)),
            ("duplicate_payment", ExceptionStatus::Open, at(9), at(9)),
        ]
    );
    assert_eq!((&all[1].facts, all[2].reason.as_deref()), (&carried, Some("now settled")));
    assert!(scratch.store.ever_duplicate().unwrap().contains("a"));
    assert_eq!(scratch.store.verify_journal().unwrap().unwrap(), 7);
}

#[test]
fn what_a_person_resolved_is_not_resolved_again() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    finish(&mut scratch, &run, &opened(&[facts("a", "ambiguous")]), None, at(5)).unwrap();
    let open = scratch.store.open_exceptions().unwrap();
    let next = scratch.run();
    let word = PersonsWord { by: "Li", note: "mine", at: at(6) };
    scratch.store.resolve_exception(open[0].id, word).unwrap();
    let resolved = vec![(open[0].id, "now settled".to_owned())];
    let changes = ExceptionChanges { resolved, ..ExceptionChanges::default() };
    let refused = finish(&mut scratch, &next, &changes, None, at(6)).unwrap_err();
    assert!(refused.to_string().contains("not open any more\nhint: "), "{refused}");
    assert_eq!(scratch.store.exceptions().unwrap()[0].note.as_deref(), Some("mine"));
    assert_eq!(scratch.store.verify_journal().unwrap().unwrap(), 2);
    assert!(scratch.store.resolve_exception(open[0].id, word).is_err(), "a second word on it");
}

#[test]
fn an_order_keeps_the_day_it_was_first_reported_under() {
    let mut scratch = Scratch::new();
    let first = scratch.run();
    finish(&mut scratch, &first, &ExceptionChanges::default(), None, at(5)).unwrap();
    let second = scratch.run();
    let run = FinishedRun {
        run_id: &second,
        status: RunStatus::Partial,
        summary: "{}",
        outcomes: &[],
        order_days: &[("o".to_owned(), day().minus_days(3))],
        exceptions: &ExceptionChanges::default(),
        roll_forward: Some(&RollForward::default()),
        report: None,
        mail: None,
        at: at(6),
    };
    scratch.store.finish_run(&run).unwrap();
    let kept: String = scratch.raw().query_row("SELECT business_date FROM order_day", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, day().to_string());
}

#[test]
fn a_pull_is_stored_with_its_coverage_or_not_at_all() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let row =
        CoverageRow { plate: user().plate, mobile: user().mobile, pulled_at: at(1), failure: None, doubtful: true };
    let pulled = PulledUser {
        coverage: vec![row],
        orders: vec![closed_order("A", 500, 0, at(0)), open_order("A", 500, 500)],
        rejected: vec![(Some("B".to_owned()), None, "no fee".to_owned())],
    };
    let pulled = [(pulled, at(1))];
    let tokens = [TokenChange { mobile: user().mobile, token: Some((SecretString::from("token"), at(1))) }];
    assert!(scratch.store.record_pull("no such run", &pulled, &tokens).is_err());
    assert_eq!((count(&scratch.raw(), "order_head"), count(&scratch.raw(), "session")), (0, 0));
    scratch.store.record_pull(&run, &pulled, &tokens).unwrap();
    assert_eq!(count(&scratch.raw(), "session"), 1);
    let covered = scratch.store.coverage(&run).unwrap();
    assert_eq!((covered.len(), covered[0].doubtful, &covered[0].failure), (1, true, &None));
    assert_eq!(scratch.store.rejected_records(&run).unwrap(), [(Some("B".to_owned()), None, "no fee".to_owned())]);
    assert!(!scratch.store.orders(OrderFilter::Since(at(0))).unwrap()[0].snapshot.state.is_open());
}

#[test]
fn a_mail_is_stored_once_for_a_run_and_its_recipients() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    for recipients in [&["x@example", "y@example"][..], &["y@example", "x@example"], &["x@example"]] {
        scratch.store.store_mail(&mail(&run, recipients), at(5)).unwrap();
    }
    let waiting = scratch.store.pending_mails().unwrap();
    let mails: Vec<_> = waiting.iter().map(|id| scratch.store.waiting_mail(id).unwrap().unwrap()).collect();
    assert_eq!(mails.iter().map(|mail| mail.recipients.len()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(mails[0].raw, b"raw");
    let set = ["y@example".to_owned(), "x@example".to_owned()];
    assert_eq!(scratch.store.mail_to(&run, &set).unwrap().unwrap().message_id, waiting[0]);
    assert!(scratch.store.mail_to(&run, &["z@example".to_owned()]).unwrap().is_none());
}

fn refused(limit: u32) -> Fate {
    Fate::Refused { error: "550".to_owned(), limit }
}

fn deferred() -> Fate {
    Fate::Deferred { error: "451".to_owned() }
}

/// A try of a mail, by the first letters of its recipients.
fn tried(scratch: &mut Scratch, mail: &OutboxMail, fates: &[(&str, Fate)], now: i64) {
    let fates: Vec<_> = fates.iter().map(|(who, fate)| (format!("{who}@example"), fate.clone())).collect();
    scratch.store.record_delivery(&mail.message_id, &fates, at(now)).unwrap();
}

#[test]
fn a_mail_waits_until_it_is_accepted_and_is_not_taken_back() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let mail = mail(&run, &["x@example"]);
    scratch.store.store_mail(&mail, at(5)).unwrap();
    tried(&mut scratch, &mail, &[("x", deferred())], 6);
    assert_eq!(scratch.store.pending_mails().unwrap().len(), 1);
    tried(&mut scratch, &mail, &[("x", Fate::Accepted)], 7);
    tried(&mut scratch, &mail, &[("x", deferred())], 8);
    assert!(scratch.store.pending_mails().unwrap().is_empty());
    let sql = "SELECT attempts, sent_at, last_error FROM mail";
    let seen: (i64, i64, Option<String>) =
        scratch.raw().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    assert_eq!(seen, (2, at(7).unix(), None));
    refusal(&scratch.raw(), "UPDATE mail SET state = 'pending', sent_at = NULL");
    assert!(
        refusal(&scratch.raw(), "UPDATE mail_recipient SET accepted = 0, state = 'pending'").contains("not taken back")
    );
}

#[test]
fn one_who_is_refused_keeps_nobody_waiting() {
    use RecipientState::{Accepted, Pending, Refused};
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let mail = mail(&run, &["x@example", "y@example", "z@example"]);
    scratch.store.store_mail(&mail, at(5)).unwrap();
    let states = |scratch: &Scratch| -> Vec<_> {
        scratch.store.mail_recipients(&mail.message_id).unwrap().into_iter().map(|(_, state)| state).collect()
    };
    tried(&mut scratch, &mail, &[("x", Fate::Accepted), ("y", refused(1)), ("z", deferred())], 6);
    assert_eq!(states(&scratch), [Accepted, Refused, Pending]);
    let waiting = scratch.store.waiting_mail(&mail.message_id).unwrap().unwrap();
    assert_eq!(waiting.recipients, ["z@example"], "nobody gets it twice");
    tried(&mut scratch, &mail, &[("z", Fate::Accepted)], 7);
    assert!(scratch.store.pending_mails().unwrap().is_empty());
    tried(&mut scratch, &mail, &[("y", Fate::Accepted)], 8);
    assert_eq!(states(&scratch), [Accepted, Accepted, Accepted], "asked for again, after the mailbox was made");
}

#[test]
fn a_mail_that_everybody_is_refused_is_given_up_in_the_end() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let mail = mail(&run, &["x@example"]);
    scratch.store.store_mail(&mail, at(5)).unwrap();
    tried(&mut scratch, &mail, &[("x", refused(3))], 6);
    tried(&mut scratch, &mail, &[("x", deferred())], 7);
    tried(&mut scratch, &mail, &[("x", refused(3))], 8);
    assert_eq!(scratch.store.pending_mails().unwrap().len(), 1, "a deferral is no refusal");
    tried(&mut scratch, &mail, &[("x", refused(3))], 9);
    assert!(scratch.store.pending_mails().unwrap().is_empty());
    let state: String = scratch.raw().query_row("SELECT state FROM mail", [], |row| row.get(0)).unwrap();
    assert_eq!(state, "pending", "it was never sent");
}

fn report(date: &str, matched: i128) -> KeptReport {
    let figures = ReportFigures {
        date: date.parse().unwrap(),
        matched: crate::model::Total { count: 2, fen: matched },
        open: crate::model::Total { count: 1, fen: -500 },
        oldest_days: 3,
    };
    KeptReport { data: date.as_bytes().to_vec(), ledger: b"ledger".to_vec(), figures }
}

/// A run of `date` that ended with a report of so much matched.
fn reported(scratch: &mut Scratch, date: &str, mode: RunMode, matched: i128) -> String {
    let run = scratch.store.begin_run(date.parse().unwrap(), mode, at(1)).unwrap().id;
    let kept = report(date, matched);
    let roll = (mode != RunMode::DryRun).then(RollForward::default);
    let finished = FinishedRun {
        run_id: &run,
        status: RunStatus::Partial,
        summary: "{}",
        outcomes: &[],
        order_days: &[],
        exceptions: &ExceptionChanges::default(),
        roll_forward: roll.as_ref(),
        report: Some(&kept),
        mail: None,
        at: at(9),
    };
    scratch.store.finish_run(&finished).unwrap();
    run
}

#[test]
fn a_report_is_kept_with_its_run_and_never_changed() {
    let mut scratch = Scratch::new();
    let run = reported(&mut scratch, "2026-11-22", RunMode::Live, 100);
    assert_eq!(scratch.store.report_data(&run).unwrap().as_deref(), Some(&b"2026-11-22"[..]));
    assert_eq!(scratch.store.report_ledger(&run).unwrap().as_deref(), Some(&b"ledger"[..]));
    assert_eq!(scratch.store.report_data("none").unwrap(), None);
    assert!(refusal(&scratch.raw(), "UPDATE report SET data = x'00'").contains("stays as it was made"));
    let older = reported(&mut scratch, "2026-11-20", RunMode::Live, 100);
    reported(&mut scratch, "2026-11-22", RunMode::Offline, 100);
    assert_eq!(scratch.store.last_reported_run().unwrap().map(|run| run.id), Some(older), "the live run made last");
}

#[test]
fn a_chart_shows_each_day_by_the_newest_run_that_reported_it() {
    let mut scratch = Scratch::new();
    let day = |text: &str| text.parse::<BusinessDate>().unwrap();
    reported(&mut scratch, "2026-11-22", RunMode::Live, 100);
    reported(&mut scratch, "2026-11-20", RunMode::Live, 300);
    reported(&mut scratch, "2026-11-22", RunMode::Live, 200);
    reported(&mut scratch, "2026-11-22", RunMode::DryRun, 900);
    reported(&mut scratch, "2026-11-10", RunMode::Live, 400);
    let figures = scratch.store.report_figures(day("2026-11-15"), day("2026-11-22")).unwrap();
    assert_eq!(figures, [report("2026-11-20", 300).figures, report("2026-11-22", 200).figures]);
}
