//! What the report of a run says, collected from the evidence and from what the run did.

use std::collections::{BTreeMap, HashMap};

use super::evidence::{Judged, at};
use super::exceptions::{CAME_BACK, ExceptionChanges, PersonsAct};
use super::inbox::{BillOutcome, BillStatus};
use super::notify::Alarm;
use super::summary::{Parts, coverage_summary, refund_totals};
use crate::model::{Amount, Disposition, EventFinding, Timestamp, Total};
use crate::notify::WhyHeld;
use crate::recon::{Rule, Tally};
use crate::report::Lang;
use crate::report::data::{self, Bucket, PartialReason, ReportData, Sentence};
use crate::store::{
    ExceptionAct, ExceptionFacts, ExceptionRow, NotificationRecord, Reopened, ReportFigures, RollForward, RunMode,
    RunRecord, RunStatus,
};

/// What a report needs beside the summary's parts.
pub struct Facts<'a> {
    /// Why the run is partial.
    pub partial_reasons: Vec<PartialReason>,
    /// What heads the report.
    pub alarms: &'a [Alarm],
    /// Nothing could be pulled, for no plate is bound.
    pub roster_is_empty: bool,
    /// The run of the same date before.
    pub before: Option<&'a RunRecord>,
    /// The rows that the date's bills had set aside.
    pub set_aside: Vec<(String, crate::bills::SetAside)>,
    /// The exceptions that were open before the run.
    pub open_before: &'a [ExceptionRow],
    /// What persons did since the run before.
    pub acts: &'a [PersonsAct],
    /// What the run does to the exceptions.
    pub changes: &'a ExceptionChanges,
    /// Acts and changes in count and amount.
    pub roll: RollForward,
    /// The synIds of pushes that came again with other content since the day began.
    pub contradicted_pushes: Vec<String>,
    /// How far the platform's clock is ahead of ours.
    pub platform_ahead_s: Option<i64>,
    /// What was added to our clock after the platform answered code 3; 0 when it did not.
    pub clock_correction_s: i64,
    /// The newest hash of the journal.
    pub journal_head: Option<String>,
    /// Now.
    pub at: Timestamp,
}

/// Collects the report of a run.
pub fn report_data(judged: &Judged, parts: &Parts<'_>, facts: Facts<'_>) -> ReportData {
    let (matched, unmatched) = refund_totals(judged);
    let payments = buckets(&judged.totals.payments);
    let orders = buckets(&judged.totals.orders);
    let rerun = facts.before.map(|run| rerun(run, &payments, &orders));
    let exception_rows = with_reasons(exception_rows(&facts), &judged.notifications);
    let set_aside_rows: u64 = u64::try_from(facts.set_aside.len()).unwrap_or(u64::MAX);
    ReportData {
        run_id: parts.run.to_owned(),
        date: judged.date,
        mode: match parts.mode {
            RunMode::Live => data::Mode::Live,
            RunMode::DryRun => data::Mode::DryRun,
            RunMode::Offline => data::Mode::Offline,
        },
        status: match parts.status {
            RunStatus::Complete => data::Status::Complete,
            RunStatus::Partial => data::Status::Partial,
            RunStatus::Failed => data::Status::Failed,
        },
        alerts: alerts(&facts),
        partial_reasons: facts.partial_reasons,
        rerun,
        made_at: facts.at,
        coverage: coverage(parts, facts.contradicted_pushes),
        bills: parts.bills.iter().map(bill).collect(),
        set_aside: facts.set_aside.into_iter().map(set_aside_row).collect(),
        payments,
        orders,
        refunds: data::Refunds { matched, unmatched },
        unmatched_refunds: unmatched_refunds(judged),
        notifications: data::Notifications {
            acknowledged: parts.told.acknowledged,
            rejected: parts.told.rejected,
            unknown: parts.unknown,
            held: parts.told.held,
            due: judged.due_count(),
        },
        exceptions: data::RollForward {
            opening: facts.roll.opening,
            new: facts.roll.new,
            resolved: facts.roll.resolved,
            closing: facts.roll.closing,
        },
        exception_rows,
        refunds_owed: refunds_owed(judged),
        by_channel: by_channel(judged),
        by_car_park: by_car_park(judged),
        tie_out: data::TieOut {
            payments: side(judged.control.payments, &judged.totals.payments),
            orders: side(judged.control.orders, &judged.totals.orders),
            refunds: data::TieOutSide { came_in: refunds_in(judged), accounted_for: sum(matched, unmatched) },
            set_aside_rows,
            holds: judged.tie_out,
        },
        clock_skew_s: facts.platform_ahead_s.map(i64::saturating_neg),
        clock_correction_s: facts.clock_correction_s,
        journal_head: facts.journal_head,
        history: Vec::new(),
    }
}

/// What the chart shows: the days before as they were last reported, and the report's own. Pure.
pub fn history(before: Vec<ReportFigures>, data: &ReportData) -> Vec<data::HistoryDay> {
    let days = before.into_iter().filter(|day| day.date < data.date).chain([figures(data)]);
    let shown = days.map(|day| data::HistoryDay {
        date: day.date,
        matched: day.matched,
        open: day.open,
        oldest_days: day.oldest_days,
    });
    shown.collect()
}

/// What the charts of later reports show of this one.
pub fn figures(data: &ReportData) -> ReportFigures {
    let matched = data
        .payments
        .iter()
        .filter(|bucket| matches!(bucket.disposition, Disposition::Settled | Disposition::Notified));
    let open = data.exception_rows.iter().filter(|row| row.is_open());
    ReportFigures {
        date: data.date,
        matched: matched.fold(Total::default(), |total, bucket| sum(total, bucket.total)),
        open: data.exceptions.closing,
        oldest_days: open.map(|row| row.age_days).max().unwrap_or(0),
    }
}

fn sum(mut first: Total, second: Total) -> Total {
    first.merge(second);
    first
}

fn refunds_in(judged: &Judged) -> Total {
    judged.refunds_of_date().fold(Total::default(), |mut total, refund| {
        total.add(refund.amount);
        total
    })
}

fn side(came_in: Total, tally: &Tally) -> data::TieOutSide {
    data::TieOutSide { came_in, accounted_for: tally.total() }
}

fn buckets(tally: &Tally) -> Vec<Bucket> {
    tally.iter().map(|(disposition, total)| Bucket { disposition, total }).collect()
}

/// What changed since the run before, from the summary that it left.
fn rerun(run: &RunRecord, payments: &[Bucket], orders: &[Bucket]) -> data::Rerun {
    let summary: serde_json::Value =
        run.summary.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let before = |side: &str| stored_buckets(&summary, side);
    data::Rerun {
        of: run.id.clone(),
        of_made_at: Some(run.started_at),
        payments: data::Change::between(&before("payments"), payments),
        orders: data::Change::between(&before("orders"), orders),
    }
}

fn stored_buckets(summary: &serde_json::Value, side: &str) -> Vec<Bucket> {
    let by = summary.get(side).and_then(|side| side.get("by")).and_then(serde_json::Value::as_object);
    let stored = by.into_iter().flatten().filter_map(|(name, total)| {
        let fen = total.get("amount")?.as_str()?.replace('.', "").parse::<i128>().ok()?;
        let count = total.get("count")?.as_u64()?;
        Some(Bucket { disposition: Disposition::from_name(name)?, total: Total { count, fen } })
    });
    stored.collect()
}

fn alerts(facts: &Facts<'_>) -> Vec<data::Alert> {
    let empty = facts.roster_is_empty.then(|| data::Alert::Other {
        text: Sentence::new(
            "名册中没有车牌，未向平台查询任何数据：请用 etcp-recon plates import 导入",
            "No plate is in the roster, so nothing was asked of the platform: etcp-recon plates import FILE",
        ),
    });
    facts.alarms.iter().map(alert).chain(empty).collect()
}

fn alert(alarm: &Alarm) -> data::Alert {
    match alarm {
        Alarm::LateBooking { order_id, external_order_id } => {
            data::Alert::LateBooking { order_id: order_id.clone(), external_order_id: external_order_id.clone() }
        }
        Alarm::TwoBookings { order_id } => data::Alert::TwoBookings { order_id: order_id.clone() },
    }
}

fn coverage(parts: &Parts<'_>, contradicted_pushes: Vec<String>) -> data::Coverage {
    let summary = coverage_summary(parts.coverage, parts.rejected_records);
    let failed = summary.failed.into_iter();
    data::Coverage {
        users: summary.users,
        plates: summary.plates,
        pulled: summary.pulled,
        rejected_records: summary.rejected_records,
        failed: failed
            .map(|one| data::FailedPull { mobile: one.mobile, plate: one.plate, reason: one.reason })
            .collect(),
        contradicted_pushes,
    }
}

fn bill(bill: &BillOutcome) -> data::Bill {
    data::Bill {
        file: bill.file.clone(),
        sha256: bill.sha256.clone(),
        profile: bill.profile.clone(),
        status: match bill.status {
            BillStatus::Imported => data::BillStatus::Imported,
            BillStatus::Known => data::BillStatus::Known,
            BillStatus::Refused => data::BillStatus::Refused,
        },
        payments: bill.payments,
        refunds: bill.refunds,
        ignored: bill.ignored,
        set_aside: bill.set_aside,
        reason: bill.reason.clone(),
    }
}

fn set_aside_row((file, row): (String, crate::bills::SetAside)) -> data::SetAsideRow {
    data::SetAsideRow { file, line: row.line, column: row.column, value: row.value, reason: row.reason }
}

fn unmatched_refunds(judged: &Judged) -> Vec<data::UnmatchedRefund> {
    let unmatched = judged.refunds_of_date().filter(|refund| refund.payment.is_none());
    unmatched
        .map(|refund| data::UnmatchedRefund {
            source: refund.source.clone(),
            payment_id: refund.payment_id.clone(),
            refund_id: refund.refund_id.clone(),
            amount: refund.amount,
            at: refund.at,
        })
        .collect()
}

/// Duplicate and double payments of the whole window that still owe the customer money.
fn refunds_owed(judged: &Judged) -> Vec<data::RefundOwed> {
    let owed = judged.payments.iter().zip(&judged.outcome.payments).filter(|(_, now)| now.disposition.refund_owed());
    owed.filter_map(|(payment, now)| {
        let order = now.order.and_then(|order| judged.orders.get(at(order)));
        Some(data::RefundOwed {
            kind: now.disposition.name().to_owned(),
            date: payment.paid_at.business_date(),
            source: payment.source.clone(),
            channel: payment.channel.clone(),
            payment_id: payment.payment_id.clone(),
            external_order_id: payment.external_order_id.to_string(),
            order_id: order.map(|order| order.snapshot.order_id.to_string()),
            plate: payment
                .plate
                .as_ref()
                .or(order.and_then(|order| order.snapshot.plate.as_ref()))
                .map(ToString::to_string),
            amount: payment.net().to_amount()?,
            paid_at: payment.paid_at,
        })
    })
    .collect()
}

fn by_channel(judged: &Judged) -> Vec<data::ChannelTotal> {
    let mut totals: BTreeMap<&str, data::ChannelTotal> = BTreeMap::new();
    for (_, payment) in judged.payments_of_date() {
        let total = totals.entry(&payment.channel).or_default();
        total.payments.add(payment.gross);
        payment.fee.into_iter().for_each(|fee| total.fee.add(fee));
    }
    for refund in judged.refunds_of_date() {
        let total = totals.entry(&refund.channel).or_default();
        total.refunds.add(refund.amount);
        refund.fee.into_iter().for_each(|fee| total.fee.add(fee));
    }
    let named = totals.into_iter().map(|(name, total)| data::ChannelTotal { name: name.to_owned(), ..total });
    named.collect()
}

fn by_car_park(judged: &Judged) -> Vec<data::NamedTotal> {
    named(judged.listed_orders().map(|(_, order)| {
        let seen = &order.snapshot;
        let name = if seen.parking_name.is_empty() { &seen.parking_id } else { &seen.parking_name };
        (name.clone(), seen.state.value())
    }))
}

fn named(rows: impl Iterator<Item = (String, Amount)>) -> Vec<data::NamedTotal> {
    let mut totals: BTreeMap<String, Total> = BTreeMap::new();
    for (name, amount) in rows {
        totals.entry(name).or_default().add(amount);
    }
    totals.into_iter().map(|(name, total)| data::NamedTotal { name, total }).collect()
}

/// The exceptions of the run: each that is open once, new or carried, and each resolution.
fn exception_rows(facts: &Facts<'_>) -> Vec<data::ExceptionRow> {
    let Facts { changes, acts, at, .. } = *facts;
    let open: HashMap<i64, &ExceptionRow> = facts.open_before.iter().map(|row| (row.id, row)).collect();
    let known = |id: i64| open.get(&id).copied();
    let reopened_by: HashMap<i64, &str> = acts
        .iter()
        .filter(|act| act.event.act == ExceptionAct::Reopened)
        .filter_map(|act| Some((act.row.id, act.event.person.as_deref()?)))
        .collect();
    let mut rows: Vec<data::ExceptionRow> = Vec::new();
    for facts in &changes.opened {
        rows.push(exception_row(facts, None, data::ExceptionStatus::New, why(&facts.rule), at));
    }
    for Reopened { row, facts, reason } in &changes.reopened {
        let status = data::ExceptionStatus::New;
        rows.push(exception_row(facts, Some(row), status, opened_again(reason, row, facts), at));
    }
    for (id, facts) in &changes.carried {
        let (status, why) = match reopened_by.get(id) {
            Some(person) => (data::ExceptionStatus::New, opened_by(person, facts)),
            None => (data::ExceptionStatus::Carried, why(&facts.rule)),
        };
        rows.push(exception_row(facts, known(*id), status, why, at));
    }
    let status = data::ExceptionStatus::Resolved;
    for act in acts.iter().filter(|act| act.event.act == ExceptionAct::Resolved) {
        let row = ExceptionRow { note: act.event.words.clone(), ..act.row.clone() };
        let by = act.event.person.as_deref().unwrap_or_default();
        let why = Sentence::new(format!("由 {by} 处理"), format!("Resolved by {by}."));
        rows.push(exception_row(&row.facts, Some(&row), status, why, at));
    }
    for (id, reason) in &changes.resolved {
        if let Some(row) = known(*id) {
            rows.push(exception_row(&row.facts, Some(row), status, resolved_why(reason), at));
        }
    }
    rows
}

/// Why an exception that was resolved is open again, and which rule says that it is one.
fn opened_again(reason: &str, row: &ExceptionRow, facts: &ExceptionFacts) -> Sentence {
    let rule = why(&facts.rule);
    match row.resolved_by() {
        Some(person) if reason != CAME_BACK => Sentence::new(
            format!("{person} 处理后事实有变，再次打开。{}", rule.zh),
            format!("The facts changed after {person} had resolved it; it is open again. {}", rule.en),
        ),
        Some(_) | None => {
            Sentence::new(format!("曾消除，现再次出现。{}", rule.zh), format!("It had gone and is back. {}", rule.en))
        }
    }
}

fn opened_by(person: &str, facts: &ExceptionFacts) -> Sentence {
    let rule = why(&facts.rule);
    Sentence::new(format!("由 {person} 再次打开。{}", rule.zh), format!("{person} opened it again. {}", rule.en))
}

/// Beside each notification that waits for a person: which cap holds it, or what the platform said of it.
fn with_reasons(mut rows: Vec<data::ExceptionRow>, notifications: &[NotificationRecord]) -> Vec<data::ExceptionRow> {
    let said = notifications.iter().filter(|record| !record.why.is_empty());
    let said: HashMap<&str, &str> =
        said.map(|record| (record.external_order_id.as_str(), record.why.as_str())).collect();
    for row in rows.iter_mut().filter(|row| row.kind.starts_with("notify_") && row.note.is_none()) {
        let Some(reason) = row.external_order_id.as_deref().and_then(|id| said.get(id)) else { continue };
        match held_why(reason) {
            Some(why) => row.why = why,
            None => row.note = Some((*reason).to_owned()),
        }
    }
    rows
}

/// Why a notification is held, by the name that the store keeps.
fn held_why(name: &str) -> Option<Sentence> {
    let why = WhyHeld::ALL.iter().find(|why| why.name() == name)?;
    let (zh, en) = match why {
        WhyHeld::BadExternalId => (
            "外部订单号超过 64 位或含有平台不接受的字符",
            "The external order id is longer than 64 or has characters that the platform does not take.",
        ),
        WhyHeld::AboveMaxAmount => ("金额超过单笔上限 max_amount", "The amount is above max_amount."),
        WhyHeld::BeforeNotBefore => ("支付早于 not_before", "It was paid before not_before."),
        WhyHeld::WasDuplicate => ("该笔支付曾被判为重复支付", "It was once called a duplicate payment."),
        WhyHeld::Unlisted => {
            ("平台连续两次对账均未列出该订单", "The platform did not list the order in two finished runs.")
        }
        WhyHeld::SendsUsedUp => ("已发送三次仍未入账", "It was sent three times and is not booked."),
        WhyHeld::ResendOff => ("自动重发已关闭", "Sending again by itself is off."),
        WhyHeld::UnknownTooLong => ("结果未知已满三天", "Its outcome has been unknown for three days."),
        WhyHeld::ByPerson => ("由人工暂停", "A person put it on hold."),
    };
    Some(Sentence::new(zh, en))
}

fn exception_row(
    facts: &ExceptionFacts,
    known: Option<&ExceptionRow>,
    status: data::ExceptionStatus,
    why: Sentence,
    now: Timestamp,
) -> data::ExceptionRow {
    let first_seen = known.map_or(now, |row| row.first_seen_at).business_date();
    data::ExceptionRow {
        id: known.map(|row| row.id),
        kind: facts.kind.clone(),
        status,
        date: facts.date,
        payment_id: facts.payment_id.clone(),
        external_order_id: facts.external_order_id.clone(),
        order_id: facts.order_id.clone(),
        plate: facts.plate.clone(),
        paid: facts.tells_paid().then_some(facts.paid),
        due: Some(facts.due),
        difference: facts.difference(),
        at: Some(facts.at),
        first_seen,
        age_days: u32::try_from(now.business_date().days_since(first_seen)).unwrap_or(0),
        why,
        note: known.and_then(|row| row.note.clone()),
    }
}

/// The sentence of a rule, by its key.
fn why(rule: &str) -> Sentence {
    match (Rule::from_key(rule), EventFinding::from_name(rule)) {
        (Some(rule), _) => Sentence::new(rule.chinese(), rule.english()),
        (None, Some(finding)) => Sentence::new(finding.chinese(), finding.english()),
        (None, None) => Sentence::default(),
    }
}

/// The sentence of a resolution: `now settled`, `became amount_mismatch`.
fn resolved_why(reason: &str) -> Sentence {
    let name = reason.rsplit(' ').next().unwrap_or(reason);
    match name {
        "order_found" => return Sentence::new("已有对应的停车订单", "Its order is there now."),
        "fee_agrees" => return Sentence::new("推送与订单的费用现已一致", "Push and order tell the same fee now."),
        "agreeing" => return Sentence::new("各账单现已一致", "The bills agree now."),
        _ => {}
    }
    let chinese = Lang::Zh.kind(name);
    Sentence::new(format!("现为：{chinese}"), format!("It is {name} now."))
}
