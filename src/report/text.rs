//! The report as plain text that stands on its own: for mail programs without HTML, and for terminals.
//!
//! Columns line up where a Chinese character is two columns wide.

use unicode_width::UnicodeWidthStr;

use super::data::{
    Bucket, Change, ChannelTotal, ExceptionRow, ExceptionStatus, NamedTotal, RefundOwed, ReportData, TieOutSide,
};
use super::escape::visible;
use super::lang::{Lang, Phrase};
use super::view::{self, Group, MAX_ROWS};
use crate::model::{Amount, Difference, Timestamp, Total};

/// The whole report as text, lines ended by `\n`.
pub fn text(data: &ReportData, lang: Lang) -> String {
    mail_text(data, lang, &[])
}

/// The same as the text of a mail, with what there is to say of its files.
pub fn mail_text(data: &ReportData, lang: Lang, notes: &[String]) -> String {
    let words = lang.words();
    let mut page = Page { lines: Vec::new(), lang };
    answer(&mut page, data);
    tie_out(&mut page, data);
    exceptions(&mut page, data);
    refunds_owed(&mut page, &data.refunds_owed);
    page.title(words.dispositions);
    buckets(&mut page, words.payments, words.payments_base, &data.payments);
    page.line("");
    buckets(&mut page, words.orders, words.orders_base, &data.orders);
    if let Some(told) = view::history(data, lang) {
        page.title(words.history);
        told.lines().for_each(|line| page.line(line));
    }
    channel_totals(&mut page, &data.by_channel);
    named_totals(&mut page, words.by_car_park, &data.by_car_park);
    notifications(&mut page, data);
    coverage(&mut page, data);
    bills(&mut page, data);
    set_aside(&mut page, data);
    refunds(&mut page, data);
    changes(&mut page, data);
    if !notes.is_empty() {
        page.title(words.attachments);
        for note in notes {
            page.line(note);
        }
    }
    footer(&mut page, data);
    page.finish()
}

/// The lines so far.
struct Page {
    lines: Vec<String>,
    lang: Lang,
}

impl Page {
    fn line(&mut self, text: impl AsRef<str>) {
        self.lines.push(text.as_ref().trim_end().to_owned());
    }

    /// A section's title, underlined in its width.
    fn title(&mut self, title: &str) {
        self.line("");
        self.line("");
        self.line(title);
        self.line("-".repeat(title.width()));
    }

    /// A table: the first column to the left, the others to the right.
    fn table(&mut self, rows: &[Vec<String>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0))
            .collect();
        for row in rows {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (cell, &width))| {
                    let padding = " ".repeat(width.saturating_sub(cell.width()));
                    if column == 0 { format!("{cell}{padding}") } else { format!("{padding}{cell}") }
                })
                .collect();
            self.line(format!("  {}", cells.join("  ")));
        }
    }

    /// That rows were left out.
    fn more(&mut self, len: usize) {
        if let Some(count) = view::left_out(len) {
            let more = self.lang.say(&Phrase::More { count });
            self.line(format!("  {more}"));
        }
    }

    /// That exceptions were left out.
    fn more_attached(&mut self, len: usize) {
        if let Some(count) = view::left_out(len) {
            let more = self.lang.say(&Phrase::MoreAttached { count });
            self.line(format!("  {more}"));
        }
    }

    fn finish(mut self) -> String {
        self.lines.push(String::new());
        self.lines.join("\n")
    }
}

fn total_row(name: &str, total: Total) -> Vec<String> {
    vec![name.to_owned(), total.count.to_string(), total.grouped()]
}

fn answer(page: &mut Page, data: &ReportData) {
    let lang = page.lang;
    let words = lang.words();
    let mode = lang.mode(data.mode).map(|mode| format!(" · {mode}")).unwrap_or_default();
    page.line(format!("{} · {} · {}{mode}", words.title, data.date, lang.status(data.status)));
    page.line("");
    if !data.alerts.is_empty() {
        page.line(format!("!! {}", words.attention));
        for alert in &data.alerts {
            page.line(format!("  - {}", lang.alert(alert)));
        }
        page.line("");
    }
    page.line(view::headline(data, lang).1);
    if data.exceptions.closing.count > 0 || data.exceptions.resolved.count > 0 {
        page.line(view::movement(data, lang));
    }
    if let Some(explained) = lang.mode_explained(data.mode) {
        page.line(explained);
    }
    if let Some(rerun) = &data.rerun {
        page.line(view::rerun_of(rerun, lang));
    }
    if !data.partial_reasons.is_empty() {
        page.line("");
        page.line(words.partial_because);
        for reason in &data.partial_reasons {
            page.line(format!("  - {}", lang.partial(reason)));
        }
    }
    if let Some(skew) = view::clock_skew(data, lang) {
        page.line("");
        page.line(skew);
    }
}

fn tie_out(page: &mut Page, data: &ReportData) {
    let lang = page.lang;
    let words = lang.words();
    let tie_out = data.tie_out;
    page.title(words.tie_out);
    page.line(if tie_out.holds { words.tie_out_holds } else { words.tie_out_fails });
    let row = |name: &str, side: TieOutSide| {
        let [came_in, accounted] = [side.came_in, side.accounted_for];
        let answer = if side.holds() { words.agrees } else { words.differs };
        vec![
            name.to_owned(),
            came_in.count.to_string(),
            came_in.grouped(),
            accounted.count.to_string(),
            accounted.grouped(),
            answer.to_owned(),
        ]
    };
    let header = ["", "", words.came_in, "", words.accounted_for, ""].map(str::to_owned).to_vec();
    page.table(&[
        header,
        row(words.payments, tie_out.payments),
        row(words.orders, tie_out.orders),
        row(words.refunds, tie_out.refunds),
    ]);
    if tie_out.set_aside_rows > 0 {
        page.line(lang.say(&Phrase::SetAsideRows { count: tie_out.set_aside_rows }));
    }
}

fn exceptions(page: &mut Page, data: &ReportData) {
    let lang = page.lang;
    let words = lang.words();
    let roll = data.exceptions;
    page.title(words.exceptions);
    page.table(&[
        total_row(&format!("  {}", words.opening), roll.opening),
        total_row(&format!("+ {}", words.new), roll.new),
        total_row(&format!("- {}", words.resolved), roll.resolved),
        total_row(&format!("= {}", words.closing), roll.closing),
    ]);
    let groups = view::groups(data);
    if groups.is_empty() {
        page.line(words.no_exceptions);
    } else {
        if groups.len() > 1 {
            page.line("");
            let name = |group: &Group<'_>| format!("{} {}", lang.advice(group.kind).name, visible(group.name));
            page.table(&groups.iter().map(|group| total_row(&name(group), group.total)).collect::<Vec<_>>());
            page.line("");
        }
        page.line(words.difference_base);
        page.line(lang.say(&Phrase::Commands));
    }
    for group in &groups {
        kind(page, group);
    }
    let resolved = view::resolved(data);
    if !resolved.is_empty() {
        page.title(words.resolved_rows);
        for row in resolved.iter().take(MAX_ROWS) {
            exception(page, row, true);
        }
        page.more_attached(resolved.len());
    }
}

fn kind(page: &mut Page, group: &Group<'_>) {
    let lang = page.lang;
    let words = lang.words();
    let advice = lang.advice(group.kind);
    page.line("");
    let count = lang.say(&Phrase::Count { count: group.total.count });
    page.line(format!("* {} ({})  {count}  ¥{}", advice.name, visible(group.name), group.total.grouped()));
    page.line(format!("  {}{}{}", words.means, words.colon, advice.means));
    page.line(format!("  {}{}{}", words.todo, words.colon, advice.todo));
    for row in group.rows.iter().take(MAX_ROWS) {
        exception(page, row, false);
    }
    page.more_attached(group.rows.len());
}

fn exception(page: &mut Page, row: &ExceptionRow, with_kind: bool) {
    let lang = page.lang;
    let words = lang.words();
    let mut head = format!("  [{}]", lang.exception_status(row.status));
    let mut push = |text: &str| {
        head.push(' ');
        head.push_str(text);
    };
    if with_kind {
        push(&visible(lang.kind(&row.kind)));
    }
    if let Some(plate) = &row.plate {
        push(&visible(plate));
    }
    push(&row.at.map_or_else(|| row.date.to_string(), Timestamp::wall));
    if let Some(id) = row.id {
        push(&format!("#{id}"));
    }
    if row.status == ExceptionStatus::Carried {
        let age = lang.say(&Phrase::Age { days: row.age_days });
        push(&format!("({} {}{}{age})", words.first_seen, row.first_seen, words.comma));
    }
    page.line(head);
    let figures = [
        (words.paid, row.paid.map(Difference::grouped)),
        (words.due, row.due.map(Amount::grouped)),
        (words.difference, Some(row.difference.grouped())),
    ];
    let figures: Vec<String> =
        figures.into_iter().filter_map(|(label, value)| Some(format!("{label} {}", value?))).collect();
    page.line(format!("      {}", figures.join("  ")));
    for (label, id) in view::ids(row, lang) {
        page.line(format!("      {label} {id}"));
    }
    let why = row.why.of(lang);
    if !why.is_empty() {
        page.line(format!("      {}{}{}", words.why, words.colon, visible(why)));
    }
    if let Some(note) = &row.note {
        page.line(format!("      {}{}{}", words.note, words.colon, visible(note)));
    }
}

fn refunds_owed(page: &mut Page, owed: &[RefundOwed]) {
    let lang = page.lang;
    let words = lang.words();
    if owed.is_empty() {
        return;
    }
    page.title(words.refunds_owed);
    page.line(words.refunds_owed_lead);
    for refund in owed.iter().take(MAX_ROWS) {
        let channel = if refund.channel.is_empty() { &refund.source } else { &refund.channel };
        let plate = refund.plate.as_deref().unwrap_or_default();
        let kind = lang.kind(&refund.kind);
        page.line(format!(
            "  ¥{}  {}  {}  {}  {}",
            refund.amount.grouped(),
            visible(channel),
            visible(plate),
            refund.paid_at,
            visible(kind)
        ));
        page.line(format!("      {} {}", words.payment_id, visible(&refund.payment_id)));
        if refund.external_order_id != refund.payment_id {
            page.line(format!("      {} {}", words.external_order_id, visible(&refund.external_order_id)));
        }
        if let Some(order) = &refund.order_id {
            page.line(format!("      {} {}", words.order_id, visible(order)));
        }
    }
    page.more_attached(owed.len());
    let total = view::sum_owed(owed);
    let count = lang.say(&Phrase::Count { count: total.count });
    page.line(format!("  {} {count}  ¥{}", words.total, total.grouped()));
}

fn buckets(page: &mut Page, name: &str, base: &str, buckets: &[Bucket]) {
    let lang = page.lang;
    let words = lang.words();
    page.line(format!("{name} ({base})"));
    let mut rows = vec![[words.disposition, words.count, words.amount].map(str::to_owned).to_vec()];
    rows.extend(buckets.iter().map(|bucket| {
        let mark = if bucket.disposition.is_exception() { "!" } else { " " };
        let name = format!("{mark} {} {}", lang.disposition(bucket.disposition), bucket.disposition.name());
        total_row(&name, bucket.total)
    }));
    rows.push(total_row(words.total, view::sum(buckets)));
    page.table(&rows);
}

fn channel_totals(page: &mut Page, totals: &[ChannelTotal]) {
    let words = page.lang.words();
    if totals.is_empty() {
        return;
    }
    page.title(words.by_channel);
    let row = |name: &str, total: &ChannelTotal| {
        let mut row = total_row(name, total.payments);
        row.extend([total.refunds.grouped(), total.fee.grouped()]);
        row
    };
    let name = |text: &str| if text.is_empty() { words.not_known.to_owned() } else { visible(text).into_owned() };
    let mut rows =
        vec![[words.channel, words.count, words.amount, words.refunds, words.fee].map(str::to_owned).to_vec()];
    rows.extend(totals.iter().take(MAX_ROWS).map(|total| row(&name(&total.name), total)));
    rows.push(row(words.total, &view::sum_channels(totals)));
    page.table(&rows);
    page.more(totals.len());
}

fn named_totals(page: &mut Page, title: &str, totals: &[NamedTotal]) {
    let words = page.lang.words();
    if totals.is_empty() {
        return;
    }
    page.title(title);
    let name = |text: &str| if text.is_empty() { words.not_known.to_owned() } else { visible(text).into_owned() };
    let mut rows: Vec<_> = totals.iter().take(MAX_ROWS).map(|t| total_row(&name(&t.name), t.total)).collect();
    rows.push(total_row(words.total, view::sum_named(totals)));
    page.table(&rows);
    page.more(totals.len());
}

fn notifications(page: &mut Page, data: &ReportData) {
    let words = page.lang.words();
    let n = data.notifications;
    page.title(words.notifications);
    let row = |name: &str, count: u64| vec![name.to_owned(), count.to_string()];
    page.table(&[
        row(words.acknowledged, n.acknowledged),
        row(words.rejected, n.rejected),
        row(words.unknown, n.unknown),
        row(words.held, n.held),
        row(words.notify_due, n.due),
    ]);
}

fn coverage(page: &mut Page, data: &ReportData) {
    let lang = page.lang;
    let words = lang.words();
    let coverage = &data.coverage;
    page.title(words.coverage);
    let pulled = Phrase::Pulled { users: coverage.users, plates: coverage.plates, pulled: coverage.pulled };
    page.line(lang.say(&pulled));
    if coverage.rejected_records > 0 {
        page.line(lang.say(&Phrase::RejectedRecords { count: coverage.rejected_records }));
    }
    if let Some(told) = view::contradicted(&coverage.contradicted_pushes, lang) {
        page.line(told);
    }
    if !coverage.failed.is_empty() {
        page.line(format!("{}{}", words.not_pulled, words.colon.trim_end()));
        for failed in coverage.failed.iter().take(MAX_ROWS) {
            let [plate, mobile, reason] = [&failed.plate, &failed.mobile, &failed.reason].map(|text| visible(text));
            page.line(format!("  {plate}  {mobile}  {reason}"));
        }
        page.more(coverage.failed.len());
    }
}

fn bills(page: &mut Page, data: &ReportData) {
    let lang = page.lang;
    let words = lang.words();
    page.title(words.bills);
    if data.bills.is_empty() {
        page.line(words.no_bills);
    }
    for bill in data.bills.iter().take(MAX_ROWS) {
        page.line(format!("  {}  {}  {}", visible(&bill.file), visible(&bill.profile), lang.bill_status(bill.status)));
        let counts: Vec<String> = [
            (words.row_payments, bill.payments),
            (words.row_refunds, bill.refunds),
            (words.row_ignored, bill.ignored),
            (words.row_set_aside, bill.set_aside),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(label, count)| format!("{label} {count}"))
        .collect();
        if !counts.is_empty() {
            page.line(format!("      {}", counts.join("  ")));
        }
        if let Some(reason) = &bill.reason {
            page.line(format!("      {}{}{}", words.reason, words.colon, visible(reason)));
        }
    }
    page.more(data.bills.len());
}

fn set_aside(page: &mut Page, data: &ReportData) {
    let words = page.lang.words();
    if data.set_aside.is_empty() {
        return;
    }
    page.title(words.set_aside);
    for row in data.set_aside.iter().take(MAX_ROWS) {
        let line = page.lang.say(&Phrase::Line { line: row.line });
        page.line(format!("  {}  {line}  {}", visible(&row.file), visible(&row.reason)));
        let column = row.column.as_deref().map(visible).unwrap_or_default();
        if !(column.is_empty() && row.value.is_empty()) {
            page.line(format!("      {column}{}{}", words.colon, visible(&row.value)));
        }
    }
    page.more(data.set_aside.len());
}

fn refunds(page: &mut Page, data: &ReportData) {
    let words = page.lang.words();
    page.title(words.refunds);
    page.table(&[
        total_row(words.refunds_matched, data.refunds.matched),
        total_row(words.refunds_unmatched, data.refunds.unmatched),
    ]);
    if data.unmatched_refunds.is_empty() {
        return;
    }
    page.line("");
    page.line(words.unmatched_refunds);
    page.line(words.unmatched_refunds_lead);
    for refund in data.unmatched_refunds.iter().take(MAX_ROWS) {
        let id = refund.refund_id.as_deref().map(|id| format!("  {} {}", words.refund_id, visible(id)));
        page.line(format!("  ¥{}  {}  {}", refund.amount.grouped(), visible(&refund.source), refund.at));
        page.line(format!("      {} {}{}", words.payment_id, visible(&refund.payment_id), id.unwrap_or_default()));
    }
    page.more(data.unmatched_refunds.len());
}

fn changes(page: &mut Page, data: &ReportData) {
    let lang = page.lang;
    let words = lang.words();
    let Some(rerun) = &data.rerun else { return };
    page.title(words.changes);
    if !rerun.is_changed() {
        page.line(words.no_changes);
        return;
    }
    let row = |side: &str, change: &Change| {
        let [before, after] = [change.before, change.after];
        vec![
            format!("{side} {} {}", lang.disposition(change.disposition), change.disposition.name()),
            before.count.to_string(),
            before.grouped(),
            after.count.to_string(),
            after.grouped(),
        ]
    };
    let mut rows = vec![["", "", words.before, "", words.after].map(str::to_owned).to_vec()];
    rows.extend(rerun.payments.iter().map(|change| row(words.payments, change)));
    rows.extend(rerun.orders.iter().map(|change| row(words.orders, change)));
    page.table(&rows);
}

fn footer(page: &mut Page, data: &ReportData) {
    let words = page.lang.words();
    page.line("");
    page.line("");
    page.line(format!("{}{}{}", words.run, words.colon, visible(&data.run_id)));
    page.line(format!("{}{}{}", words.made_at, words.colon, data.made_at));
    if let Some(head) = &data.journal_head {
        page.line(format!("{}{}{}", words.journal_head, words.colon, visible(head)));
    }
}
