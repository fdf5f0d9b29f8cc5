//! The summary of a run: what `run --json` prints, and what the database keeps of it.

use serde::Serialize;
use serde_json::{Value, json};

use super::evidence::Judged;
use super::inbox::BillOutcome;
use super::notify::Told;
use crate::model::{BusinessDate, Total};
use crate::recon::Tally;
use crate::store::{CoverageRow, RunMode, RunStatus};

/// The version of the JSON.
const SCHEMA: u32 = 1;

/// What a run did, in the shape that the product promises.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    schema: u32,
    /// The run.
    pub run: String,
    /// The date.
    pub date: String,
    /// `live`, `dry_run` or `offline`.
    pub mode: &'static str,
    /// `complete`, `partial` or `failed`.
    pub status: &'static str,
    /// The last finished live run of the date.
    pub rerun_of: Option<String>,
    /// What was really pulled.
    pub coverage: CoverageSummary,
    /// The bills.
    pub bills: Vec<BillSummary>,
    /// The payments of the date, by gross.
    pub payments: Tally,
    /// The orders of the run's list, by `booked + due`.
    pub orders: Tally,
    /// The refunds of the date.
    pub refunds: Value,
    /// What this run told the platform.
    pub notifications: NotificationSummary,
    /// The exceptions in count.
    pub exceptions: ExceptionSummary,
    /// Whether all counts and sums add up.
    pub tie_out: bool,
    /// The report.
    pub report: ReportSummary,
}

/// Which plates were pulled.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CoverageSummary {
    /// Users in the roster.
    pub users: u64,
    /// Plates in the roster.
    pub plates: u64,
    /// Plates pulled.
    pub pulled: u64,
    /// Records that could not be taken.
    pub rejected_records: u64,
    /// The plates that were not pulled.
    pub failed: Vec<FailedPlate>,
}

/// A plate that was not pulled.
#[derive(Clone, Debug, Serialize)]
pub struct FailedPlate {
    /// The user's number, masked.
    pub mobile: String,
    /// The plate.
    pub plate: String,
    /// Why.
    pub reason: String,
}

/// A bill of the run.
#[derive(Clone, Debug, Serialize)]
pub struct BillSummary {
    /// The file's name.
    pub file: String,
    /// The hash of its content.
    pub sha256: String,
    /// Its format.
    pub profile: String,
    /// `imported`, `known` or `refused`.
    pub status: &'static str,
    /// Rows of payments.
    pub payments: u64,
    /// Rows of refunds.
    pub refunds: u64,
    /// Rows that are neither: without money, fees, movements that are none of ours.
    pub ignored: u64,
    /// Rows that could not be read.
    pub set_aside: u64,
    /// Why it was refused.
    pub reason: Option<String>,
}

/// What a run told the platform.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct NotificationSummary {
    /// The platform said yes, or its books showed it.
    pub acknowledged: u64,
    /// The platform said no.
    pub rejected: u64,
    /// Not known at the end of the run.
    pub unknown: u64,
    /// Put on hold for a person.
    pub held: u64,
    /// Due, and not sent.
    pub due: u64,
}

/// The exceptions in count: `opening + new − resolved = closing`.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ExceptionSummary {
    /// Open before.
    pub opening: u64,
    /// Found.
    pub new: u64,
    /// Gone.
    pub resolved: u64,
    /// Open now.
    pub closing: u64,
    /// Of the new ones, those that were resolved before and opened again.
    #[serde(skip)]
    pub reopened: u64,
}

/// Where the report went.
#[derive(Clone, Debug, Serialize)]
pub struct ReportSummary {
    /// The files.
    pub files: Vec<String>,
    /// `sent`, `file`, `off` or `pending`.
    pub mail: &'static str,
}

/// What a summary is made of, beside the evidence.
pub struct Parts<'a> {
    /// The run.
    pub run: &'a str,
    /// The mode.
    pub mode: RunMode,
    /// How it ended.
    pub status: RunStatus,
    /// The last finished live run of the date.
    pub rerun_of: Option<String>,
    /// What was pulled.
    pub coverage: &'a [CoverageRow],
    /// How many records could not be taken.
    pub rejected_records: u64,
    /// The bills.
    pub bills: &'a [BillOutcome],
    /// What was told.
    pub told: Told,
    /// Unknown at the end.
    pub unknown: u64,
    /// The exceptions.
    pub exceptions: ExceptionSummary,
}

impl Summary {
    /// The summary of a run that failed: nothing that it counted is to be trusted, so it counts nothing.
    pub fn failed(run: &str, date: BusinessDate, mode: RunMode, rerun_of: Option<String>, mail: &'static str) -> Self {
        Self {
            schema: SCHEMA,
            run: run.to_owned(),
            date: date.to_string(),
            mode: mode.name(),
            status: RunStatus::Failed.name(),
            rerun_of,
            coverage: CoverageSummary::default(),
            bills: Vec::new(),
            payments: Tally::default(),
            orders: Tally::default(),
            refunds: refunds_json(Total::default(), Total::default()),
            notifications: NotificationSummary::default(),
            exceptions: ExceptionSummary::default(),
            tie_out: false,
            report: ReportSummary { files: Vec::new(), mail },
        }
    }

    /// The summary of what a run found and did.
    pub fn new(judged: &Judged, parts: Parts<'_>) -> Self {
        let due = judged.due_count();
        Self {
            schema: SCHEMA,
            run: parts.run.to_owned(),
            date: judged.date.to_string(),
            mode: parts.mode.name(),
            status: parts.status.name(),
            rerun_of: parts.rerun_of,
            coverage: coverage_summary(parts.coverage, parts.rejected_records),
            bills: parts.bills.iter().map(bill_summary).collect(),
            payments: judged.totals.payments.clone(),
            orders: judged.totals.orders.clone(),
            refunds: refunds(judged),
            notifications: NotificationSummary {
                acknowledged: parts.told.acknowledged,
                rejected: parts.told.rejected,
                unknown: parts.unknown,
                held: parts.told.held,
                due,
            },
            exceptions: parts.exceptions,
            tie_out: judged.tie_out,
            report: ReportSummary { files: Vec::new(), mail: "off" },
        }
    }
}

/// What a run covered, in counts and names.
pub fn coverage_summary(rows: &[CoverageRow], rejected_records: u64) -> CoverageSummary {
    let users: std::collections::BTreeSet<_> = rows.iter().map(|row| &row.mobile).collect();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let failed: Vec<FailedPlate> = rows
        .iter()
        .filter_map(|row| {
            let reason = row.failure.clone()?;
            Some(FailedPlate { mobile: row.mobile.masked(), plate: row.plate.to_string(), reason })
        })
        .collect();
    CoverageSummary {
        users: count(users.len()),
        plates: count(rows.len()),
        pulled: count(rows.len().saturating_sub(failed.len())),
        rejected_records,
        failed,
    }
}

/// A bill as the summary tells of it.
pub fn bill_summary(bill: &BillOutcome) -> BillSummary {
    BillSummary {
        file: bill.file.clone(),
        sha256: bill.sha256.clone(),
        profile: bill.profile.clone(),
        status: bill.status.name(),
        payments: bill.payments,
        refunds: bill.refunds,
        ignored: bill.ignored,
        set_aside: bill.set_aside,
        reason: bill.reason.clone(),
    }
}

/// The refunds of the date: those whose payment is known, and the others.
pub fn refund_totals(judged: &Judged) -> (Total, Total) {
    let (mut matched, mut unmatched) = (Total::default(), Total::default());
    for refund in judged.refunds_of_date() {
        let bucket = if refund.payment.is_some() { &mut matched } else { &mut unmatched };
        bucket.add(refund.amount);
    }
    (matched, unmatched)
}

fn refunds(judged: &Judged) -> Value {
    let (matched, unmatched) = refund_totals(judged);
    refunds_json(matched, unmatched)
}

fn refunds_json(matched: Total, unmatched: Total) -> Value {
    let mut all = matched;
    all.merge(unmatched);
    json!({
        "count": all.count, "amount": all.amount(),
        "by": {"matched": matched, "refund_unmatched": unmatched},
    })
}
