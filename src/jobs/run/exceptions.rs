//! What a run examines to know what becomes of the exceptions: what the rules say, and what the exit pushes show.

use std::collections::HashSet;

use super::rows::subjects;
use crate::jobs::events::{ExitFindings, judge_exits};
use crate::jobs::evidence::{Judged, Scope, pulled_plates};
use crate::jobs::exceptions::{Examined, ExceptionChanges, PersonsAct, changes};
use crate::model::BusinessDate;
use crate::store::{ExceptionAct, ExceptionFacts, ExceptionKey, ExceptionRow, ExceptionSide, Store, StoreError};

/// What the exits of the run's window, and those of which an exception is open, show.
pub(super) fn exit_findings(
    store: &Store,
    judged: &Judged,
    scope: &Scope,
    open: &[ExceptionRow],
) -> Result<ExitFindings, StoreError> {
    let events = store.exit_events(scope.start)?;
    if events.is_empty() {
        return Ok(ExitFindings::default());
    }
    let older = store.older_orders_of_exits(scope.start)?;
    let orders = judged.orders.iter().chain(&older).map(|order| &order.snapshot);
    let pulled = scope.coverage.as_deref().map(pulled_plates).unwrap_or_default();
    Ok(judge_exits(&events, orders, &pulled, open))
}

/// What persons did to the exceptions since the run before, oldest first.
pub(super) fn persons_acts(store: &Store) -> Result<Vec<PersonsAct>, StoreError> {
    let mut acts = Vec::new();
    for event in store.acts_since_last_run()? {
        let Some(mut row) = store.exception(event.exception_id)? else { continue };
        row.facts = ExceptionFacts {
            kind: event.kind.clone(),
            order_id: event.order_id.clone(),
            plate: event.plate.clone(),
            paid: event.paid,
            due: event.due,
            ..row.facts
        };
        acts.push(PersonsAct { event, row });
    }
    Ok(acts)
}

/// How many of them open an exception again.
pub(super) fn reopened_by_persons(acts: &[PersonsAct]) -> usize {
    acts.iter().filter(|act| act.event.act == ExceptionAct::Reopened).count()
}

/// What becomes of the exceptions by a dry run: nothing.
pub(super) fn all_carried(open: &[ExceptionRow]) -> ExceptionChanges {
    let carried = open.iter().map(|row| (row.id, row.facts.clone())).collect();
    ExceptionChanges { carried, ..ExceptionChanges::default() }
}

/// What becomes of the exceptions by what the run knows.
pub(super) fn changes_of_run(
    store: &Store,
    judged: &Judged,
    exits: ExitFindings,
    open: &[ExceptionRow],
    reported: &HashSet<BusinessDate>,
) -> Result<ExceptionChanges, StoreError> {
    let order_key = |subject| ExceptionKey { side: ExceptionSide::Order, subject, n: 0, beside: false };
    let listed = judged.listed_orders().map(|(_, order)| order_key(order.snapshot.order_id.key()));
    // A push that came late, or of which the run of its day could not know: no such run comes any more.
    let late = exits.found.iter().filter(|facts| reported.contains(&facts.date)).map(|facts| facts.key.clone());
    let told_now: HashSet<ExceptionKey> = listed.chain(judged.reported_before(reported)).chain(late).collect();
    let (mut found, mut subjects) = (judged.exceptions(), subjects(judged));
    found.extend(exits.found);
    subjects.extend(exits.ended);
    let is_carried: HashSet<(&ExceptionKey, &str)> =
        open.iter().map(|row| (&row.facts.key, row.facts.kind.as_str())).collect();
    let begun = found.iter().filter(|facts| !is_carried.contains(&(&facts.key, facts.kind.as_str())));
    let resolved = store.resolved_exceptions(begun.map(|facts| &facts.key))?;
    Ok(changes(open, &resolved, Examined { date: judged.date, found, subjects, told_now: &told_now }))
}
