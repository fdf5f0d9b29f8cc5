//! What all renderings share: the headline, the subject, and the exceptions in the order they are read.

use std::collections::BTreeMap;

use super::data::{
    Bucket, ChannelTotal, ExceptionRow, ExceptionStatus, NamedTotal, RefundOwed, ReportData, Rerun, Status,
};
use super::escape::visible;
use super::lang::{Kind, Lang, Phrase};
use crate::model::{BusinessDate, Timestamp, Total};

/// Rows of one list that a mail shows; the attachment has them all.
pub(super) const MAX_ROWS: usize = 100;

/// How the headline is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Attention,
    Bad,
}

/// The answer, in one line.
pub(super) fn headline(data: &ReportData, lang: Lang) -> (Tone, String) {
    let closing = data.exceptions.closing;
    let amount = closing.grouped();
    if data.status == Status::Failed || !data.tie_out.holds {
        (Tone::Bad, lang.say(&Phrase::NotToBeTrusted))
    } else if closing.count > 0 {
        (Tone::Attention, lang.say(&Phrase::Disagrees { count: closing.count, amount: &amount }))
    } else if data.status == Status::Partial {
        (Tone::Attention, lang.say(&Phrase::AgreesInPart))
    } else if data.payments.is_empty() && data.orders.is_empty() {
        (Tone::Good, lang.say(&Phrase::Nothing))
    } else {
        (Tone::Good, lang.say(&Phrase::Agrees))
    }
}

/// The subject of the mail: date, state, exceptions with their amount. Nothing from outside is in it, so
/// nothing can break a header.
pub fn subject(data: &ReportData, lang: Lang) -> String {
    let words = lang.words();
    let closing = data.exceptions.closing;
    let amount = closing.grouped();
    let exceptions = lang.say(&Phrase::SubjectExceptions { count: closing.count, amount: &amount });
    let mode = lang.mode(data.mode).map(|mode| format!("{}{mode}", words.comma)).unwrap_or_default();
    let state = lang.status(data.status);
    format!("{} {}{}{state}{mode}{}{exceptions}", words.title, data.date, words.colon, words.comma)
}

/// The open exceptions of one kind.
pub(super) struct Group<'a> {
    pub name: &'a str,
    pub kind: Kind,
    pub rows: Vec<&'a ExceptionRow>,
    pub total: Total,
}

/// The open exceptions by kind, in the order of the product's table; new ones first, then the oldest.
pub(super) fn groups(data: &ReportData) -> Vec<Group<'_>> {
    let mut by_kind: BTreeMap<(Kind, &str), Vec<&ExceptionRow>> = BTreeMap::new();
    for row in data.exception_rows.iter().filter(|row| row.is_open()) {
        by_kind.entry((Kind::from_name(&row.kind), &row.kind)).or_default().push(row);
    }
    by_kind
        .into_iter()
        .map(|((kind, name), mut rows)| {
            rows.sort_by(|a, b| reading_order(a).cmp(&reading_order(b)));
            let total = stake(&rows);
            Group { name, kind, rows, total }
        })
        .collect()
}

type ReadingOrder<'a> = (ExceptionStatus, BusinessDate, Option<Timestamp>, &'a Option<String>, &'a Option<String>);

fn reading_order(row: &ExceptionRow) -> ReadingOrder<'_> {
    (row.status, row.first_seen, row.at, &row.payment_id, &row.order_id)
}

/// The resolved exceptions, in the same order.
pub(super) fn resolved(data: &ReportData) -> Vec<&ExceptionRow> {
    let mut rows: Vec<_> = data.exception_rows.iter().filter(|row| !row.is_open()).collect();
    rows.sort_by(|a, b| reading_order(a).cmp(&reading_order(b)));
    rows
}

/// Count and sum of what is at stake.
pub(super) fn stake(rows: &[&ExceptionRow]) -> Total {
    let mut total = Total::default();
    for row in rows {
        total.add_fen(row.stake().fen());
    }
    total
}

/// The sum of all buckets.
pub(super) fn sum(buckets: &[Bucket]) -> Total {
    buckets.iter().fold(Total::default(), |mut sum, bucket| {
        sum.merge(bucket.total);
        sum
    })
}

/// Open exceptions found by this run, and found earlier.
pub(super) fn movement(data: &ReportData, lang: Lang) -> String {
    let exceptions = data.exceptions;
    let carried = exceptions.closing.count.saturating_sub(exceptions.new.count);
    lang.say(&Phrase::Movement { new: exceptions.new.count, carried, resolved: exceptions.resolved.count })
}

/// The ids of an exception, each with its label.
pub(super) fn ids(row: &ExceptionRow, lang: Lang) -> Vec<(&'static str, String)> {
    let words = lang.words();
    // The external order id is most often the payment id itself.
    let external = row.external_order_id.as_ref().filter(|id| row.payment_id.as_ref() != Some(id));
    [
        (words.payment_id, row.payment_id.as_ref()),
        (words.external_order_id, external),
        (words.order_id, row.order_id.as_ref()),
    ]
    .into_iter()
    .filter_map(|(label, id)| id.map(|id| (label, visible(id).into_owned())))
    .collect()
}

/// The sentence about an earlier run of the date.
pub(super) fn rerun_of(rerun: &Rerun, lang: Lang) -> String {
    let at = rerun.of_made_at.map(Timestamp::wall);
    lang.say(&Phrase::RerunOf { run: &visible(&rerun.of), at: at.as_deref() })
}

/// Seconds from which our clock's error is said.
const NOTABLE_SKEW_S: i64 = 60;

/// The sentence about the clock, when it is wrong enough; a correction is always said.
pub(super) fn clock_skew(data: &ReportData, lang: Lang) -> Option<String> {
    if data.clock_correction_s != 0 {
        return Some(lang.say(&Phrase::ClockCorrected { seconds: data.clock_correction_s }));
    }
    let seconds = data.clock_skew_s.filter(|s| s.unsigned_abs() > NOTABLE_SKEW_S.unsigned_abs())?;
    Some(lang.say(&Phrase::ClockSkew { seconds }))
}

/// The sentence about pushes that contradict each other.
pub(super) fn contradicted(pushes: &[String], lang: Lang) -> Option<String> {
    let syn_id = visible(pushes.first()?);
    let count = u64::try_from(pushes.len()).unwrap_or(u64::MAX);
    Some(lang.say(&Phrase::ContradictedPushes { count, syn_id: &syn_id }))
}

/// How many rows of a list are left out.
pub(super) fn left_out(len: usize) -> Option<u64> {
    let more = len.saturating_sub(MAX_ROWS);
    (more > 0).then(|| u64::try_from(more).unwrap_or(u64::MAX))
}

/// The sum of all channels.
pub(super) fn sum_channels(totals: &[ChannelTotal]) -> ChannelTotal {
    totals.iter().fold(ChannelTotal::default(), |mut sum, total| {
        sum.payments.merge(total.payments);
        sum.refunds.merge(total.refunds);
        sum.fee.merge(total.fee);
        sum
    })
}

/// The sum of named sums.
pub(super) fn sum_named(totals: &[NamedTotal]) -> Total {
    totals.iter().fold(Total::default(), |mut sum, named| {
        sum.merge(named.total);
        sum
    })
}

/// Count and sum of the refunds owed.
pub(super) fn sum_owed(owed: &[RefundOwed]) -> Total {
    owed.iter().fold(Total::default(), |mut sum, refund| {
        sum.add(refund.amount);
        sum
    })
}

/// What the chart shows, in figures; a peak has its day, the newest where several share it.
pub(super) struct History {
    pub first: BusinessDate,
    pub last: BusinessDate,
    pub days: usize,
    pub matched: String,
    pub matched_peak: (String, BusinessDate),
    pub matched_sum: String,
    pub open: u64,
    pub open_peak: (u64, BusinessDate),
    pub oldest: u32,
    pub oldest_peak: (u32, BusinessDate),
}

/// The sentences that tell what the chart shows, a line each: its alt text, and what stands for it in plain text.
pub(super) fn history(data: &ReportData, lang: Lang) -> Option<String> {
    let last = data.history.last()?;
    let matched = data.history.iter().max_by_key(|day| (day.matched.fen, day.date))?;
    let open = data.history.iter().max_by_key(|day| (day.open.count, day.date))?;
    let oldest = data.history.iter().max_by_key(|day| (day.oldest_days, day.date))?;
    let sum = data.history.iter().fold(Total::default(), |mut sum, day| {
        sum.merge(day.matched);
        sum
    });
    Some(lang.say(&Phrase::History(&History {
        first: data.date.minus_days(super::chart::DAYS.saturating_sub(1)),
        last: data.date,
        days: data.history.len(),
        matched: last.matched.grouped(),
        matched_peak: (matched.matched.grouped(), matched.date),
        matched_sum: sum.grouped(),
        open: last.open.count,
        open_peak: (open.open.count, open.date),
        oldest: last.oldest_days,
        oldest_peak: (oldest.oldest_days, oldest.date),
    })))
}
