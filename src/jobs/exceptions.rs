//! What a run does to the exceptions: opens, carries, resolves. Pure.

use std::collections::{BTreeMap, HashSet};

use crate::model::{BusinessDate, Disposition};
use crate::store::{ExceptionFacts, ExceptionKey, ExceptionRow, ExceptionSide};

pub use crate::store::ExceptionChanges;

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

/// Decides what becomes of the open exceptions, and which are new.
///
/// New ones are those of the date, those of any date that a notification left behind, and those that came
/// over what earlier runs had reported. An open one
/// whose subject the run did not see, or could only call unverifiable, is carried as it was: no
/// evidence is not evidence.
pub fn changes(open: &[ExceptionRow], examined: Examined<'_>) -> ExceptionChanges {
    let Examined { date, found, subjects, told_now } = examined;
    let mut found: BTreeMap<ExceptionKey, ExceptionFacts> =
        found.into_iter().map(|facts| (facts.key.clone(), facts)).collect();
    let mut changes = ExceptionChanges::default();
    for row in open {
        let key = &row.facts.key;
        match found.remove(key) {
            Some(facts) if facts.kind == row.facts.kind => changes.carried.push((row.id, facts)),
            Some(facts) if facts.kind == Disposition::Unverifiable.name() => {
                changes.carried.push((row.id, row.facts.clone()));
            }
            Some(facts) => {
                changes.resolved.push((row.id, format!("became {}", facts.kind)));
                changes.opened.push(facts);
            }
            None => match subjects.get(key) {
                Some(now) => changes.resolved.push((row.id, format!("now {now}"))),
                None => changes.carried.push((row.id, row.facts.clone())),
            },
        }
    }
    // An order that left after the date may be paid for in bills that are not there yet: its own day tells.
    let is_early = |facts: &ExceptionFacts| facts.key.side == ExceptionSide::Order && facts.at.business_date() > date;
    let is_told =
        |facts: &ExceptionFacts| facts.date == date || told_now.contains(&facts.key) || left_behind(&facts.kind);
    let is_new = |facts: &ExceptionFacts| is_told(facts) && !is_early(facts);
    changes.opened.extend(found.into_values().filter(is_new));
    changes
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
