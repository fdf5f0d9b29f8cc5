//! The exceptions of a run in count and amount, from what the run before left open to what is open now. Pure.

use std::collections::HashMap;

use super::PersonsAct;
use crate::model::{Difference, Total};
use crate::store::{ExceptionAct, ExceptionChanges, ExceptionEvent, ExceptionRow, RollForward};

/// The exceptions of a run do not add up.
#[derive(Debug, thiserror::Error)]
#[error(
    "the exceptions do not tie out: {} of {} before, {} of {} new, {} of {} resolved, {} of {} open now\nhint: this is a fault of the program, or the database was changed past it; nothing of this run is to be trusted",
    .0.opening.count, .0.opening.amount(), .0.new.count, .0.new.amount(),
    .0.resolved.count, .0.resolved.amount(), .0.closing.count, .0.closing.amount()
)]
pub struct NotTied(pub Box<RollForward>);

/// Counts what persons did since the run before (`acts`) and what this run does to the exceptions that it found open.
///
/// `closing` of the one before is this one's opening. What is open now is counted from the exceptions, not from the
/// other three, so that the line is a proof. A carried exception whose stake changed is counted in none of them; its
/// difference is.
///
/// # Errors
/// [`NotTied`] when it is none.
pub fn roll_forward(
    before: Option<RollForward>,
    acts: &[PersonsAct],
    open: &[ExceptionRow],
    changes: &ExceptionChanges,
) -> Result<RollForward, NotTied> {
    let mut roll = RollForward { opening: before.unwrap_or_default().closing, ..RollForward::default() };
    for act in acts {
        add_act(&mut roll, &act.event);
    }
    let open: HashMap<i64, &ExceptionRow> = open.iter().map(|row| (row.id, row)).collect();
    let stake_of = |id: &i64| open.get(id).map_or(Difference::ZERO, |row| row.facts.stake());
    for (id, _) in &changes.resolved {
        roll.resolved.add_fen(stake_of(id).fen());
    }
    for (id, facts) in &changes.carried {
        let (was, is) = (stake_of(id).fen(), facts.stake().fen());
        add_difference(&mut roll, is.saturating_sub(was));
        roll.closing.add_fen(is);
    }
    let reopened = changes.reopened.iter().map(|reopened| &reopened.facts);
    for facts in changes.opened.iter().chain(reopened) {
        roll.new.add_fen(facts.stake().fen());
        roll.closing.add_fen(facts.stake().fen());
    }
    if roll.holds() { Ok(roll) } else { Err(NotTied(Box::new(roll))) }
}

fn add_act(roll: &mut RollForward, act: &ExceptionEvent) {
    match act.act {
        ExceptionAct::Opened | ExceptionAct::Reopened => roll.new.add_fen(act.change.fen()),
        ExceptionAct::Resolved => roll.resolved.add_fen(act.change.fen().saturating_neg()),
        ExceptionAct::Changed => add_difference(roll, act.change.fen()),
    }
}

/// What is more is new, what is less is resolved; no exception came or went.
fn add_difference(roll: &mut RollForward, fen: i64) {
    let part = if fen > 0 { &mut roll.new } else { &mut roll.resolved };
    part.merge(Total { count: 0, fen: i128::from(fen.saturating_abs()) });
}
