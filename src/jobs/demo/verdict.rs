//! Whether the demo showed what it has to: every disposition, the tie-out, and books without a fault.

use std::collections::HashSet;

use super::stage::{Played, Stage};
use super::table::bill_disagrees;
use crate::model::{Disposition, OrderId, Side};
use crate::report::data::ReportData;
use crate::sandbox::World;
use crate::sandbox::demo::Expected;
use crate::store::{OutcomeRow, Store};

/// What the demo had to show and did not.
#[derive(Debug, thiserror::Error)]
#[error("the demo did not show what it has to:\n- {}\nhint: this is a fault of the program; {dir} is kept to be looked at", missing.join("\n- "))]
pub struct NotShown {
    /// The folder.
    pub dir: String,
    /// What is missing or wrong.
    pub missing: Vec<String>,
}

/// Looks at the second run, at what it called each payment and order, and at the platform's own books.
///
/// # Errors
/// [`NotShown`], or when the database cannot be read.
pub fn verdict(stage: &Stage, played: &Played) -> anyhow::Result<()> {
    let mut missing = Vec::new();
    for (night, run) in [("first", &played.first), ("second", &played.second)] {
        if !run.summary.tie_out {
            missing.push(format!("the {night} run does not tie out"));
        }
    }
    missing.extend(absent_dispositions(&played.second.report));
    let store = Store::open_existing(super::super::run::database_path(stage.settings()))?;
    for expected in &stage.world().expected {
        missing.extend(otherwise(&store, &played.second.summary.run, expected)?);
    }
    missing.extend(stage.server().with_world(|world| wrong_books(world)));
    if missing.is_empty() {
        return Ok(());
    }
    Err(NotShown { dir: stage.dir().display().to_string(), missing }.into())
}

fn absent_dispositions(report: &ReportData) -> Vec<String> {
    let sides = [(Side::Payment, &report.payments), (Side::Order, &report.orders)];
    let is_there = |wanted: Disposition| {
        sides.iter().any(|(_, buckets)| buckets.iter().any(|one| one.disposition == wanted && one.total.count > 0))
    };
    let absent = Disposition::ALL.iter().filter(|one| !is_there(**one));
    let mut missing: Vec<String> = absent.map(|one| format!("{one} does not occur")).collect();
    if bill_disagrees(report).count == 0 {
        missing.push("bill_disagrees does not occur".to_owned());
    }
    if report.refunds.unmatched.count == 0 {
        missing.push("refund_unmatched does not occur".to_owned());
    }
    missing
}

/// What a payment or order is called in the run, where that is not what its story says.
fn otherwise(store: &Store, run_id: &str, expected: &Expected) -> anyhow::Result<Option<String>> {
    let subjects: HashSet<String> = match expected.side {
        Side::Order => OrderId::new(&expected.id).iter().map(OrderId::key).collect(),
        Side::Payment => {
            let rows = store.bill_rows_of(&expected.id)?;
            rows.into_iter().map(|(row, _)| row.row.external_order_id.to_string()).collect()
        }
    };
    let mut called: Vec<OutcomeRow> = Vec::new();
    for subject in &subjects {
        let outcomes = store.outcomes_of(subject)?.into_iter();
        called.extend(outcomes.filter(|(run, ..)| run == run_id).map(|(_, _, outcome)| outcome));
    }
    called.retain(|outcome| outcome.side == expected.side);
    let agrees = !called.is_empty() && called.iter().all(|outcome| outcome.disposition == expected.disposition);
    let names: Vec<&str> = called.iter().map(|outcome| outcome.disposition.name()).collect();
    let (id, wanted, story) = (&expected.id, expected.disposition, expected.story);
    Ok((!agrees).then(|| format!("{id} ({story}) is called {names:?}, not {wanted}")))
}

/// What the platform's own books say against us.
fn wrong_books(world: &World) -> Vec<String> {
    let mut missing: Vec<String> =
        world.violations().iter().map(|violation| format!("the platform complains: {violation:?}")).collect();
    if world.ledger().is_empty() {
        missing.push("the platform has booked nothing".to_owned());
    }
    let mut ids = HashSet::new();
    let mut orders = HashSet::new();
    for booking in world.ledger() {
        let id = &booking.external_order_id;
        if !ids.insert(id) || !orders.insert(booking.order_id.key()) {
            missing.push(format!("payment {id} of order {} is booked twice", booking.order_id));
        }
    }
    missing
}
