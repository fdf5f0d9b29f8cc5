//! What a run does to the exceptions: opens, carries, resolves, opens again. Pure.

mod roll;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::{BusinessDate, Disposition};
use crate::store::{ExceptionEvent, ExceptionFacts, ExceptionKey, ExceptionRow, ExceptionSide, Reopened};

pub use crate::store::ExceptionChanges;
pub use roll::{NotTied, roll_forward};

/// Why a run opens an exception again that the facts had ended.
pub const CAME_BACK: &str = "came back";
/// Why a run opens an exception again that a person had resolved.
pub const FACTS_CHANGED: &str = "the facts changed";

/// What a person did to an exception since the run before.
#[derive(Clone, Debug)]
pub struct PersonsAct {
    /// The step.
    pub event: ExceptionEvent,
    /// The exception, with the facts that it had then.
    pub row: ExceptionRow,
}

/// What the run looked at.
pub struct Examined<'a> {
    /// The date that is reconciled.
    pub date: BusinessDate,
    /// Every exception that the evidence shows.
    pub found: Vec<ExceptionFacts>,
    /// Every subject in the evidence, with what it is called now.
    pub subjects: BTreeMap<ExceptionKey, &'static str>,
    /// Subjects that this run tells of, whatever their date: those of its own list, and what became since of
    /// what earlier runs have reported.
    pub told_now: &'a HashSet<ExceptionKey>,
}

/// Decides what becomes of the open exceptions, which are new, and which of the `resolved` ones are back.
///
/// New ones are those of the date, those of any date that a notification left behind, and those that came
/// over what earlier runs had reported. An open one
/// whose subject the run did not see, or could only call unverifiable, is carried as it was: no
/// evidence is not evidence. What a person resolved stays so while the facts are what they were.
pub fn changes(open: &[ExceptionRow], resolved: &[ExceptionRow], examined: Examined<'_>) -> ExceptionChanges {
    let Examined { date, found, subjects, told_now } = examined;
    let mut found: BTreeMap<ExceptionKey, ExceptionFacts> =
        found.into_iter().map(|facts| (facts.key.clone(), facts)).collect();
    let past = Past::new(resolved);
    let mut changes = ExceptionChanges::default();
    // An order that left after the date may be paid for in bills that are not there yet: its own day tells.
    let is_early = |facts: &ExceptionFacts| facts.key.side == ExceptionSide::Order && facts.at.business_date() > date;
    for row in open {
        let key = &row.facts.key;
        match found.remove(key) {
            Some(facts) if facts.kind == row.facts.kind => changes.carried.push((row.id, facts)),
            Some(facts) if is_unverifiable(&facts) || is_early(&facts) => {
                changes.carried.push((row.id, row.facts.clone()));
            }
            Some(facts) => {
                changes.resolved.push((row.id, format!("became {}", facts.kind)));
                past.begin(&mut changes, facts);
            }
            None => match subjects.get(key) {
                Some(now) => changes.resolved.push((row.id, format!("now {now}"))),
                None => changes.carried.push((row.id, row.facts.clone())),
            },
        }
    }
    let is_told =
        |facts: &ExceptionFacts| facts.date == date || told_now.contains(&facts.key) || left_behind(&facts.kind);
    for facts in found.into_values().filter(|facts| is_told(facts) && !is_early(facts)) {
        past.begin(&mut changes, facts);
    }
    changes
}

/// The resolved exceptions of subjects that the evidence shows again.
struct Past<'a>(HashMap<&'a ExceptionKey, Vec<&'a ExceptionRow>>);

impl<'a> Past<'a> {
    /// Of one key, the one that was resolved last stands last.
    fn new(resolved: &'a [ExceptionRow]) -> Self {
        let mut by_key: HashMap<&ExceptionKey, Vec<&ExceptionRow>> = HashMap::new();
        for row in resolved {
            by_key.entry(&row.facts.key).or_default().push(row);
        }
        Self(by_key)
    }

    /// Opens an exception for `facts`, or the one again that told of them before, unless a person has dealt with them.
    fn begin(&self, changes: &mut ExceptionChanges, facts: ExceptionFacts) {
        let rows = self.0.get(&facts.key).map(Vec::as_slice).unwrap_or_default();
        if rows.iter().any(|row| is_settled_by_person(row, &facts)) {
            return;
        }
        let persons_last = || rows.last().filter(|row| row.resolved_by().is_some());
        let same_kind = rows.iter().rev().find(|row| row.facts.kind == facts.kind);
        match same_kind.or_else(persons_last) {
            Some(row) => {
                let reason = if row.resolved_by().is_some() { FACTS_CHANGED } else { CAME_BACK };
                changes.reopened.push(Reopened { row: (*row).clone(), facts, reason });
            }
            None => changes.opened.push(facts),
        }
    }
}

/// Whether a person resolved just these facts. That they cannot be verified this time does not change them.
fn is_settled_by_person(row: &ExceptionRow, facts: &ExceptionFacts) -> bool {
    let says_less = is_unverifiable(facts) && !is_unverifiable(&row.facts);
    row.resolved_by().is_some() && (row.facts.is_same(facts) || says_less)
}

fn is_unverifiable(facts: &ExceptionFacts) -> bool {
    facts.kind == Disposition::Unverifiable.name()
}

/// Whether the kind comes from a notification: it is told at once, whatever date it belongs to.
fn left_behind(kind: &str) -> bool {
    matches!(
        Disposition::from_name(kind),
        Some(
            Disposition::NotifyUnknown
                | Disposition::NotifyHeld
                | Disposition::NotifyRejected
                | Disposition::NotificationLost
        )
    )
}
