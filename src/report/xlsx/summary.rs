//! The first sheet: every figure of the report with its place, one a row, so that it can be filtered and summed.

use super::sheet::{Cell, Column};
use super::words::words;
use crate::model::Total;
use crate::report::data::{Bucket, ReportData, TieOutSide};
use crate::report::lang::{Lang, Phrase};
use crate::report::view;

/// Section, item, code, count, amount, value.
pub(super) fn columns(lang: Lang) -> Vec<Column> {
    let (common, own) = (lang.words(), words(lang));
    let columns = [
        (own.section, 24),
        (own.item, 30),
        (common.kind_name, 26),
        (common.count, 10),
        (common.amount, 16),
        (own.value, 70),
    ];
    columns.into_iter().map(|(header, width)| Column { header, width }).collect()
}

/// The rows so far.
struct Rows {
    rows: Vec<Vec<Cell>>,
    section: &'static str,
}

impl Rows {
    fn push(&mut self, item: &str, code: &str, figures: [Cell; 3]) {
        let mut row = vec![Cell::text(self.section), Cell::text(item), Cell::text(code)];
        row.extend(figures);
        self.rows.push(row);
    }

    fn total(&mut self, item: &str, code: &str, total: Total) {
        self.push(item, code, [Cell::Count(total.count), Cell::from(&total), Cell::Empty]);
    }

    fn count(&mut self, item: &str, count: u64) {
        self.push(item, "", [Cell::Count(count), Cell::Empty, Cell::Empty]);
    }

    fn value(&mut self, item: &str, value: &str) {
        self.push(item, "", [Cell::Empty, Cell::Empty, Cell::text(value)]);
    }

    fn in_section(&mut self, section: &'static str) {
        self.section = section;
    }
}

/// All rows.
pub(super) fn rows(data: &ReportData, lang: Lang) -> Vec<Vec<Cell>> {
    let mut rows = Rows { rows: Vec::new(), section: lang.words().title };
    answer(&mut rows, data, lang);
    tie_out(&mut rows, data, lang);
    outcomes(&mut rows, data, lang);
    totals(&mut rows, data, lang);
    coverage(&mut rows, data, lang);
    bills(&mut rows, data, lang);
    rows.rows
}

fn answer(rows: &mut Rows, data: &ReportData, lang: Lang) {
    let words = lang.words();
    rows.push(words.date, "", [Cell::Empty, Cell::Empty, Cell::Day(data.date)]);
    rows.value(words.status, lang.status(data.status));
    if let Some(mode) = lang.mode(data.mode) {
        rows.value(words.status, mode);
    }
    rows.value(words.exceptions, &view::headline(data, lang).1);
    for alert in &data.alerts {
        rows.value(words.attention, &lang.alert(alert));
    }
    for reason in &data.partial_reasons {
        rows.value(words.partial_because, &lang.partial(reason));
    }
    if let Some(rerun) = &data.rerun {
        rows.value(words.changes, &view::rerun_of(rerun, lang));
    }
    rows.value(words.run, &data.run_id);
    rows.push(words.made_at, "", [Cell::Empty, Cell::Empty, Cell::Moment(data.made_at)]);
    rows.in_section(words.exceptions);
    let roll = data.exceptions;
    for (name, total) in [
        (words.opening, roll.opening),
        (words.new, roll.new),
        (words.resolved, roll.resolved),
        (words.closing, roll.closing),
    ] {
        rows.total(name, "", total);
    }
    for group in view::groups(data) {
        rows.total(lang.advice(group.kind).name, group.name, group.total);
    }
    rows.total(words.refunds_owed, "", view::sum_owed(&data.refunds_owed));
}

fn tie_out(rows: &mut Rows, data: &ReportData, lang: Lang) {
    let words = lang.words();
    rows.in_section(words.tie_out);
    let tie_out = data.tie_out;
    rows.value(words.tie_out, if tie_out.holds { words.tie_out_holds } else { words.tie_out_fails });
    let mut side = |name: &str, side: TieOutSide| {
        rows.total(&format!("{name} · {}", words.came_in), "", side.came_in);
        rows.total(&format!("{name} · {}", words.accounted_for), "", side.accounted_for);
    };
    side(words.payments, tie_out.payments);
    side(words.orders, tie_out.orders);
    side(words.refunds, tie_out.refunds);
    rows.count(words.set_aside, tie_out.set_aside_rows);
}

fn outcomes(rows: &mut Rows, data: &ReportData, lang: Lang) {
    let words = lang.words();
    let mut side = |section: &'static str, buckets: &[Bucket]| {
        rows.in_section(section);
        for bucket in buckets {
            rows.total(lang.disposition(bucket.disposition), bucket.disposition.name(), bucket.total);
        }
    };
    side(words.payments, &data.payments);
    side(words.orders, &data.orders);
    rows.in_section(words.refunds);
    rows.total(words.refunds_matched, "", data.refunds.matched);
    rows.total(words.refunds_unmatched, "refund_unmatched", data.refunds.unmatched);
    for refund in &data.unmatched_refunds {
        let value = Cell::text(&format!("{} {}", refund.source, refund.payment_id));
        rows.push(words.unmatched_refunds, "", [Cell::Count(1), refund.amount.into(), value]);
    }
}

fn totals(rows: &mut Rows, data: &ReportData, lang: Lang) {
    let words = lang.words();
    let name = |name: &str| if name.is_empty() { words.not_known.to_owned() } else { name.to_owned() };
    rows.in_section(words.by_channel);
    for channel in &data.by_channel {
        rows.total(&name(&channel.name), "", channel.payments);
        rows.total(&format!("{} · {}", name(&channel.name), words.refunds), "", channel.refunds);
        let fee = [Cell::Empty, channel.fee.into(), Cell::Empty];
        rows.push(&format!("{} · {}", name(&channel.name), words.fee), "", fee);
    }
    rows.in_section(words.by_car_park);
    for park in &data.by_car_park {
        rows.total(&name(&park.name), "", park.total);
    }
}

fn coverage(rows: &mut Rows, data: &ReportData, lang: Lang) {
    let (words, own, told) = (lang.words(), words(lang), data.notifications);
    rows.in_section(words.notifications);
    for (name, count) in [
        (words.acknowledged, told.acknowledged),
        (words.rejected, told.rejected),
        (words.unknown, told.unknown),
        (words.held, told.held),
        (words.notify_due, told.due),
    ] {
        rows.count(name, count);
    }
    rows.in_section(words.coverage);
    let coverage = &data.coverage;
    rows.count(own.users, coverage.users);
    rows.count(own.plates, coverage.plates);
    rows.count(own.pulled, coverage.pulled);
    rows.count(own.rejected_records, coverage.rejected_records);
    for failed in &coverage.failed {
        rows.value(words.not_pulled, &format!("{} {} {}", failed.plate, failed.mobile, failed.reason));
    }
}

fn bills(rows: &mut Rows, data: &ReportData, lang: Lang) {
    let words = lang.words();
    rows.in_section(words.bills);
    for bill in &data.bills {
        let reason = bill.reason.as_deref().unwrap_or_default();
        let value = Cell::text(&format!("{} {reason}", lang.bill_status(bill.status)));
        rows.push(&bill.file, &bill.profile, [Cell::Count(bill.payments), Cell::Empty, value]);
    }
    rows.in_section(words.set_aside);
    for row in &data.set_aside {
        let line = lang.say(&Phrase::Line { line: row.line });
        rows.value(&format!("{} {line}", row.file), &format!("{} {}", row.reason, row.value));
    }
}
