//! What becomes of exceptions, case by case; numbers as small as can be.

use std::collections::{BTreeMap, HashSet};

use super::*;
use crate::model::{Amount, Difference, Timestamp};
use crate::store::{ExceptionAct, ExceptionStatus, Resolution, RollForward};

const DATE: &str = "2026-11-22";

fn at(text: &str) -> Timestamp {
    Timestamp::parse_wall(text).unwrap()
}

fn facts(subject: &str, kind: &str, paid: i64) -> ExceptionFacts {
    ExceptionFacts {
        key: ExceptionKey { side: ExceptionSide::Payment, subject: subject.to_owned(), n: 0, beside: false },
        kind: kind.to_owned(),
        date: DATE.parse().unwrap(),
        payment_id: Some(subject.to_owned()),
        external_order_id: Some(subject.to_owned()),
        order_id: Some("ORDER-A".to_owned()),
        plate: None,
        paid: Difference::from_fen(paid),
        due: Amount::from_fen(500).unwrap(),
        at: at("2026-11-22 09:00:00"),
        rule: "3c".to_owned(),
    }
}

/// An order that left the day after the date.
fn order(kind: &str) -> ExceptionFacts {
    let key = ExceptionKey { side: ExceptionSide::Order, subject: "order-a".to_owned(), n: 0, beside: false };
    let (date, at) = ("2026-11-23".parse().unwrap(), at("2026-11-23 09:00:00"));
    ExceptionFacts { key, date, at, payment_id: None, external_order_id: None, ..facts("", kind, 0) }
}

fn open(id: i64, facts: ExceptionFacts) -> ExceptionRow {
    let seen = at("2026-11-23 10:30:00");
    ExceptionRow {
        id,
        facts,
        status: ExceptionStatus::Open,
        first_seen_at: seen,
        last_seen_at: seen,
        resolution: None,
        reason: None,
        note: None,
    }
}

fn resolved(id: i64, facts: ExceptionFacts, person: Option<&str>) -> ExceptionRow {
    let at = at("2026-11-23 12:00:00");
    let run_id = person.is_none().then(|| "r1".to_owned());
    let resolution = Some(Resolution { at, run_id, person: person.map(str::to_owned) });
    ExceptionRow { status: ExceptionStatus::Resolved, resolution, ..open(id, facts) }
}

/// The changes in a line each: `+payment kind`, `^id reason`, `=id paid`, `-id reason`.
fn told(open: &[ExceptionRow], past: &[ExceptionRow], found: Vec<ExceptionFacts>) -> Vec<String> {
    let subjects = BTreeMap::from([(facts("settled", "", 0).key, "settled")]);
    let examined = Examined { date: DATE.parse().unwrap(), found, subjects, told_now: &HashSet::new() };
    let changes = changes(open, past, examined);
    let opened = changes.opened.iter().map(|facts| format!("+{} {}", facts.key.subject, facts.kind));
    let reopened = changes.reopened.iter().map(|one| format!("^{} {} {}", one.row.id, one.facts.kind, one.reason));
    let carried = changes.carried.iter().map(|(id, facts)| format!("={id} {} {}", facts.kind, facts.paid));
    let resolved = changes.resolved.iter().map(|(id, why)| format!("-{id} {why}"));
    opened.chain(reopened).chain(carried).chain(resolved).collect()
}

#[test]
fn open_ones_are_carried_resolved_or_become_another() {
    let mismatch = |subject: &str| facts(subject, "amount_mismatch", 300);
    let rows =
        [open(1, mismatch("a")), open(2, mismatch("settled")), open(3, mismatch("b")), open(4, mismatch("unseen"))];
    let found = vec![facts("a", "amount_mismatch", 200), facts("b", "duplicate_payment", 300)];
    let expected = [
        "+b duplicate_payment",
        "=1 amount_mismatch 2.00",
        "=4 amount_mismatch 3.00",
        "-2 now settled",
        "-3 became duplicate_payment",
    ];
    assert_eq!(told(&rows, &[], found), expected);
}

#[test]
fn what_a_person_resolved_stays_so_while_the_facts_are_the_same() {
    let was = facts("a", "amount_mismatch", 300);
    let past = [resolved(1, was.clone(), Some("Li"))];
    let spelled = ExceptionFacts { order_id: Some("order-a".to_owned()), rule: "other".to_owned(), ..was.clone() };
    let unverifiable = ExceptionFacts { kind: "unverifiable".to_owned(), due: Amount::ZERO, ..was.clone() };
    for same in [was.clone(), spelled, unverifiable] {
        assert!(told(&[], &past, vec![same.clone()]).is_empty(), "{same:?}");
    }
    let paid = ExceptionFacts { paid: Difference::from_fen(200), ..was.clone() };
    let due = ExceptionFacts { due: Amount::from_fen(600).unwrap(), ..was.clone() };
    let order = ExceptionFacts { order_id: Some("ORDER-B".to_owned()), ..was.clone() };
    let plate = ExceptionFacts { plate: Some("渝B757D0".to_owned()), ..was.clone() };
    for changed in [paid, due, order, plate] {
        assert_eq!(told(&[], &past, vec![changed.clone()]), ["^1 amount_mismatch the facts changed"], "{changed:?}");
    }
    let kind = ExceptionFacts { kind: "duplicate_payment".to_owned(), ..was };
    assert_eq!(told(&[], &past, vec![kind]), ["^1 duplicate_payment the facts changed"]);
}

#[test]
fn what_the_facts_resolved_opens_again_when_the_same_kind_comes_back() {
    let past =
        [resolved(1, facts("a", "amount_mismatch", 300), None), resolved(2, facts("a", "order_not_found", 300), None)];
    let again = |kind: &str| told(&[], &past, vec![facts("a", kind, 300)]);
    assert_eq!(again("amount_mismatch"), ["^1 amount_mismatch came back"]);
    assert_eq!(again("order_not_found"), ["^2 order_not_found came back"]);
    assert_eq!(again("duplicate_payment"), ["+a duplicate_payment"]);
    let now = [open(3, facts("a", "duplicate_payment", 300))];
    let became = ["^2 order_not_found came back", "-3 became order_not_found"];
    assert_eq!(told(&now, &past, vec![facts("a", "order_not_found", 300)]), became);
}

#[test]
fn an_open_one_that_becomes_what_a_person_has_dealt_with_is_resolved_and_nothing_opens() {
    let now = [open(2, facts("a", "duplicate_payment", 300))];
    let past = [resolved(1, facts("a", "amount_mismatch", 300), Some("Li"))];
    assert_eq!(told(&now, &past, vec![facts("a", "amount_mismatch", 300)]), ["-2 became amount_mismatch"]);
}

#[test]
fn what_a_run_of_this_date_does_not_tell_of_does_not_open_again_either() {
    let other_day = ExceptionFacts { date: "2026-11-21".parse().unwrap(), ..facts("a", "amount_mismatch", 200) };
    for person in [None, Some("Li")] {
        let past = [resolved(1, facts("a", "amount_mismatch", 300), person)];
        assert!(told(&[], &past, vec![other_day.clone()]).is_empty());
    }
}

#[test]
fn a_run_of_an_older_date_does_not_judge_an_order_whose_bills_it_does_not_look_for() {
    let rows = [open(1, order("unverifiable"))];
    assert_eq!(told(&rows, &[], vec![order("payment_missing")]), ["=1 unverifiable 0.00"]);
    assert!(told(&[], &[], vec![order("payment_missing")]).is_empty());
}

fn act(id: i64, act: ExceptionAct, change: i64) -> PersonsAct {
    let row = open(id, facts("a", "amount_mismatch", change.abs()));
    let event = ExceptionEvent {
        id,
        exception_id: id,
        at: row.first_seen_at,
        act,
        run_id: None,
        person: Some("Li".to_owned()),
        words: Some("x".to_owned()),
        kind: row.facts.kind.clone(),
        order_id: None,
        plate: None,
        paid: row.facts.paid,
        due: row.facts.due,
        change: Difference::from_fen(change),
    };
    PersonsAct { event, row }
}

#[test]
fn a_roll_forward_counts_persons_and_facts_and_moves_differences_without_counting() {
    let total = |count, fen| crate::model::Total { count, fen };
    let before = RollForward { closing: total(4, 1_400), ..RollForward::default() };
    // Of the four, one was resolved by a person; another, resolved long ago, was opened again.
    let acts = [act(1, ExceptionAct::Resolved, -100), act(9, ExceptionAct::Reopened, 700)];
    let rows = [
        open(2, facts("b", "x", 300)),
        open(3, facts("c", "x", 400)),
        open(4, facts("d", "x", 600)),
        open(9, facts("i", "x", 700)),
    ];
    let changes = ExceptionChanges {
        opened: vec![facts("e", "x", 50)],
        reopened: vec![Reopened {
            row: resolved(8, facts("h", "x", 1), None),
            facts: facts("h", "x", 20),
            reason: CAME_BACK,
        }],
        carried: vec![(2, facts("b", "x", 350)), (3, facts("c", "x", 390)), (9, facts("i", "x", 700))],
        resolved: vec![(4, "now settled".to_owned())],
    };
    let roll = roll_forward(Some(before), &acts, &rows, &changes).unwrap();
    assert_eq!(roll.opening, total(4, 1_400));
    assert_eq!(roll.new, total(3, 700 + 50 + 20 + 50));
    assert_eq!(roll.resolved, total(2, 100 + 600 + 10));
    assert_eq!(roll.closing, total(5, 350 + 390 + 700 + 50 + 20));
    let untold = roll_forward(Some(before), &acts[..1], &rows, &changes).unwrap_err();
    assert!(untold.to_string().contains("do not tie out: 4 of 14.00 before"), "{untold}");
}
