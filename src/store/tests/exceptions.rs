//! The life of exceptions as SQLite keeps it: every step, and no roll-forward that does not tie out.

use super::runs::{facts, finish, opened};
use super::*;
use crate::model::{Difference, Total};

const LI: PersonsWord<'static> = PersonsWord { by: "Li", note: "refunded by hand", at: Timestamp::from_unix(50) };

/// `a` opened with 5.00 less than nothing at stake, `b` with 2.00; both open.
fn two_open() -> Scratch {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let b = ExceptionFacts { paid: Difference::from_fen(200), ..facts("b", "ambiguous") };
    finish(&mut scratch, &run, &opened(&[facts("a", "amount_mismatch"), b]), None, at(5)).unwrap();
    scratch
}

fn steps(scratch: &Scratch, id: i64) -> Vec<(&'static str, Option<String>, Option<String>, i64)> {
    let history = scratch.store.exception_history(id).unwrap().into_iter();
    history.map(|step| (step.act.name(), step.person, step.words, step.change.fen())).collect()
}

#[test]
fn every_step_of_an_exception_is_kept_with_who_and_why() {
    let mut scratch = two_open();
    scratch.store.resolve_exception(1, LI).unwrap();
    let resolved = scratch.store.exception(1).unwrap().unwrap();
    assert_eq!((resolved.resolved_by(), resolved.words()), (Some("Li"), Some("refunded by hand")));
    let row = resolved.clone();
    let run = scratch.run();
    let dearer = ExceptionFacts { paid: Difference::from_fen(300), ..facts("b", "ambiguous") };
    let back = Reopened {
        facts: ExceptionFacts { paid: Difference::from_fen(700), ..row.facts.clone() },
        row,
        reason: "the facts changed",
    };
    let changes =
        ExceptionChanges { reopened: vec![back], carried: vec![(2, dearer.clone())], ..ExceptionChanges::default() };
    finish(&mut scratch, &run, &changes, None, at(9)).unwrap();
    let next = scratch.run();
    let kept = scratch.store.exception(1).unwrap().unwrap().facts;
    let changes = ExceptionChanges {
        carried: vec![(1, kept)],
        resolved: vec![(2, "now settled".to_owned())],
        ..ExceptionChanges::default()
    };
    finish(&mut scratch, &next, &changes, None, at(12)).unwrap();

    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        steps(&scratch, 1),
        [
            ("opened", None, None, -500),
            ("resolved", text("Li"), text("refunded by hand"), 500),
            ("reopened", None, text("the facts changed"), 700),
        ],
        "carried as it was is no step"
    );
    assert_eq!(
        steps(&scratch, 2),
        [("opened", None, None, 200), ("changed", None, None, 100), ("resolved", None, text("now settled"), -300)]
    );
    let rolled = |run: &str| scratch.store.roll_forward(run).unwrap().unwrap();
    let total = |count, fen| Total { count, fen };
    let second = rolled(&run);
    assert_eq!((second.opening, second.new), (total(2, -300), total(1, 800)), "a person's resolution counts now");
    assert_eq!((second.resolved, second.closing), (total(1, -500), total(2, 1000)));
    let third = rolled(&next);
    assert_eq!(
        (third.opening, third.new, third.resolved, third.closing),
        (total(2, 1000), total(0, 0), total(1, 300), total(1, 700))
    );
    assert_eq!(scratch.store.verify_journal().unwrap().unwrap(), 6);
}

#[test]
fn the_history_of_an_exception_is_never_changed() {
    let scratch = two_open();
    let raw = scratch.raw();
    for sql in [
        "UPDATE exception_event SET words = 'x'",
        "DELETE FROM exception_event",
        "INSERT OR REPLACE INTO exception_event SELECT * FROM exception_event WHERE id = 1",
        "DELETE FROM exception WHERE id = 2",
        "UPDATE exception SET subject = 'c' WHERE id = 2",
        "UPDATE exception SET kind = 'bill_disagrees' WHERE id = 2",
        "UPDATE roll_forward SET up_to = 0",
        "DELETE FROM roll_forward",
    ] {
        let why = refusal(&raw, sql);
        assert!(
            why.contains("never") || why.contains("keep") || why.contains("kept") || why.contains("no such step"),
            "{sql}: {why}"
        );
    }
}

#[test]
fn a_step_that_does_not_follow_is_refused() {
    let scratch = two_open();
    let raw = scratch.raw();
    let step = |act: &str, who: &str, words: &str, stake: i64, change: i64| {
        format!(
            "INSERT INTO exception_event (exception_id, at, act, run_id, person, words, kind, paid_fen, due_fen, stake_fen, change_fen)
             VALUES (2, 9, '{act}', {who}, {words}, 'ambiguous', {stake}, 0, {stake}, {change})"
        )
    };
    let run = "(SELECT id FROM run)";
    for (sql, why) in [
        (step("opened", &format!("{run}, NULL"), "NULL", 200, 200), "no such step"),
        (step("reopened", "NULL, 'Li'", "'x'", 200, 200), "no such step"),
        (step("resolved", "NULL, 'Li'", "'x'", 300, -300), "no such step"),
        (step("changed", &format!("{run}, NULL"), "NULL", 300, 50), "no such step"),
        (step("resolved", "NULL, 'Li'", "' '", 200, -200), "CHECK"),
        (step("resolved", "NULL, ' '", "'x'", 200, -200), "CHECK"),
        (step("resolved", "NULL, NULL", "'x'", 200, -200), "CHECK"),
        (step("resolved", &format!("{run}, 'Li'"), "'x'", 200, -200), "CHECK"),
        (step("resolved", &format!("{run}, NULL"), "NULL", 200, -200), "CHECK"),
        (step("changed", "NULL, 'Li'", "'x'", 300, 100), "CHECK"),
    ] {
        assert!(refusal(&raw, &sql).contains(why), "{sql}");
    }
    raw.execute_batch(&step("resolved", "NULL, 'Li'", "'x'", 200, -200)).unwrap();
    assert!(refusal(&raw, &step("changed", &format!("{run}, NULL"), "NULL", 300, 100)).contains("no such step"));
}

#[test]
fn a_roll_forward_that_does_not_tie_out_cannot_be_stored() {
    let mut scratch = two_open();
    let run = scratch.run();
    let raw = scratch.raw();
    let roll = |run: &str, values: [i64; 9]| {
        let values = values.map(|value| value.to_string()).join(", ");
        format!("INSERT INTO roll_forward VALUES ('{run}', {values})")
    };
    let right = [2, 2, -300, 0, 0, 0, 0, 2, -300];
    for (what, wrong) in [
        ("its sum is wrong in count", [2, 2, -300, 1, 0, 0, 0, 2, -300]),
        ("its sum is wrong in amount", [2, 2, -300, 0, 1, 0, 0, 2, -300]),
        ("it does not begin where the one before ended", [2, 1, -300, 1, 0, 0, 0, 2, -300]),
        ("it does not end with what is open", [2, 2, -300, 1, 7, 0, 0, 3, -293]),
        ("it counts what did not happen", [2, 2, -300, 1, 7, 1, 7, 2, -300]),
        ("it leaves a step out", [1, 2, -300, 0, 0, 0, 0, 2, -300]),
        ("nothing is something", [2, 0, 5, 0, 0, 0, 0, 0, 5]),
    ] {
        let why = refusal(&raw, &roll(&run, wrong));
        assert!(why.contains("CHECK") || why.contains("do not tie out"), "{what}: {why}");
    }
    raw.execute_batch(&roll(&run, right)).unwrap();
    assert!(refusal(&raw, &roll(&run, right)).contains("do not tie out"), "one a run");
    let dry = scratch.store.begin_run(day(), RunMode::DryRun, at(6)).unwrap().id;
    assert!(refusal(&raw, &roll(&dry, right)).contains("do not tie out"), "a dry run changes nothing");
}

#[test]
fn a_run_without_its_roll_forward_does_not_finish() {
    let mut scratch = two_open();
    let run = scratch.run();
    let nothing = ExceptionChanges::default();
    let bare = |roll_forward| FinishedRun {
        run_id: &run,
        status: RunStatus::Complete,
        summary: "{}",
        outcomes: &[],
        order_days: &[],
        exceptions: &nothing,
        roll_forward,
        report: None,
        mail: None,
        at: at(9),
    };
    let none = format!("{:?}", scratch.store.finish_run(&bare(None)).unwrap_err());
    assert!(none.contains("a finished run has its roll-forward"), "{none}");
    let wrong = RollForward { closing: Total { count: 1, fen: 100 }, ..RollForward::default() };
    let wrong = scratch.store.finish_run(&bare(Some(&wrong))).unwrap_err().to_string();
    assert!(
        wrong.contains("do not tie out: 1 with 1.00 were counted, 2 with -3.00 are open") && wrong.contains("\nhint: "),
        "{wrong}"
    );
}

#[test]
fn what_was_once_called_a_duplicate_stays_so_when_the_kind_changes() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    finish(&mut scratch, &run, &opened(&[facts("a", "duplicate_payment")]), None, at(5)).unwrap();
    scratch.store.resolve_exception(1, LI).unwrap();
    let row = scratch.store.exception(1).unwrap().unwrap();
    let next = scratch.run();
    let back = Reopened { facts: facts("a", "amount_mismatch"), row, reason: "the facts changed" };
    finish(&mut scratch, &next, &ExceptionChanges { reopened: vec![back], ..ExceptionChanges::default() }, None, at(9))
        .unwrap();
    assert_eq!(scratch.store.open_exceptions().unwrap()[0].facts.kind, "amount_mismatch");
    assert!(scratch.store.ever_duplicate().unwrap().contains("a"));
}
