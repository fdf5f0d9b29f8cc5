//! The part of the page that people act on: exceptions by kind, those resolved, refunds owed.

use maud::{Markup, html};

use super::parts::{Figure, card, dim, figures, items, named};
use super::style;
use crate::model::{Amount, Difference, Total};
use crate::report::data::{ExceptionRow, ExceptionStatus, RefundOwed, ReportData};
use crate::report::escape::visible;
use crate::report::lang::{Lang, Phrase};
use crate::report::view::{self, Group, MAX_ROWS};

/// Roll-forward, then each kind with what it means and what to do.
pub(super) fn exceptions(data: &ReportData, lang: Lang) -> Markup {
    let words = lang.words();
    let groups = view::groups(data);
    let roll = data.exceptions;
    let line = |sign: &str, name: &str, total: Total, strong| Figure::total(html! { (sign) (name) }, total, strong);
    let lines = [
        line("", words.opening, roll.opening, false),
        line("+ ", words.new, roll.new, false),
        line("− ", words.resolved, roll.resolved, false),
        line("= ", words.closing, roll.closing, true),
    ];
    html! {
        (card(words.exceptions, html! {
            (figures(["", words.count, words.amount], &lines))
            @if groups.is_empty() {
                p class="ink" style=(style::P) { (words.no_exceptions) }
            } @else {
                @if groups.len() > 1 { (figures([words.kind, words.count, words.amount], &summary(&groups, lang))) }
                (dim(words.difference_base))
                (dim(&lang.say(&Phrase::Commands)))
            }
        }))
        @for group in &groups { (kind(group, lang)) }
        @let resolved = view::resolved(data);
        @if !resolved.is_empty() {
            (card(words.resolved_rows, html! {
                (items(&resolved.iter().take(MAX_ROWS).map(|row| exception(row, true, lang)).collect::<Vec<_>>()))
                (more_attached(resolved.len(), lang))
            }))
        }
    }
}

/// One line a kind.
fn summary(groups: &[Group<'_>], lang: Lang) -> Vec<Figure> {
    let name = |group: &Group<'_>| named(lang.advice(group.kind).name, &visible(group.name));
    groups.iter().map(|group| Figure::total(name(group), group.total, false)).collect()
}

fn kind(group: &Group<'_>, lang: Lang) -> Markup {
    let words = lang.words();
    let advice = lang.advice(group.kind);
    let total = group.total;
    html! {
        div class="card" style=(style::CARD) {
            table style={ (style::TABLE) "margin:0 0 6px;" } {
                tr {
                    td style="padding:0;text-align:left;vertical-align:top;" {
                        h3 class="warn-ink" style={ (style::H3) "font-size:17px;color:#8a5a00;" } { (named(advice.name, &visible(group.name))) }
                    }
                    td class="ink" style="padding:2px 0 0 12px;text-align:right;white-space:nowrap;vertical-align:top;font-variant-numeric:tabular-nums;" {
                        strong { (lang.say(&Phrase::Count { count: total.count })) } " · ¥" (total.grouped())
                    }
                }
            }
            p class="ink" style={ (style::P) "margin-bottom:2px;" } { span class="dim" style="color:#5b6570;" { (words.means) (words.colon) } (advice.means) }
            p class="ink" style=(style::P) { span class="dim" style="color:#5b6570;" { (words.todo) (words.colon) } (advice.todo) }
            (items(&group.rows.iter().take(MAX_ROWS).map(|row| exception(row, false, lang)).collect::<Vec<_>>()))
            (more_attached(group.rows.len(), lang))
        }
    }
}

/// One exception: what it is about on the left, the money on the right.
fn exception(row: &ExceptionRow, with_kind: bool, lang: Lang) -> (Markup, Markup) {
    let words = lang.words();
    let story = html! {
        div {
            (status(row.status, lang)) " "
            @if with_kind { strong { (visible(lang.kind(&row.kind))) } " " }
            @if let Some(plate) = &row.plate { strong { (visible(plate)) } " " }
            span class="dim" style=(style::SMALL) {
                @if let Some(at) = row.at { (at) } @else { (row.date) }
                @if let Some(id) = row.id { " · #" (id) }
                @if row.status == ExceptionStatus::Carried { span style="white-space:nowrap;" { " · " (words.first_seen) " " (row.first_seen) (words.comma) (lang.say(&Phrase::Age { days: row.age_days })) } }
            }
        }
        @for (label, id) in view::ids(row, lang) {
            div class="dim" style=(style::IDS) { (label) " " span style=(style::MONO) { (id) } }
        }
        @let why = row.why.of(lang);
        @if !why.is_empty() { div class="dim" style=(style::IDS) { (words.why) (words.colon) (visible(why)) } }
        @if let Some(note) = &row.note { div class="ink" style="font-size:13px;" { (words.note) (words.colon) (visible(note)) } }
    };
    let figure = |label: &str, value: Option<String>| {
        html! {
            @if let Some(value) = value { div { span class="dim" style=(style::SMALL) { (label) " " } (value) } }
        }
    };
    let numbers = html! {
        (figure(words.paid, row.paid.map(Difference::grouped)))
        (figure(words.due, row.due.map(Amount::grouped)))
        div { span class="dim" style=(style::SMALL) { (words.difference) " " } strong { (row.difference.grouped()) } }
    };
    (story, numbers)
}

fn status(status: ExceptionStatus, lang: Lang) -> Markup {
    let (class, style) = match status {
        ExceptionStatus::New => ("tag-new", style::tag("#fdebc8", "#7a4f00")),
        ExceptionStatus::Carried => ("tag-carried", style::tag("#e7eaee", "#444d56")),
        ExceptionStatus::Resolved => ("tag-resolved", style::tag("#d9f2e3", "#0b5c33")),
    };
    html! { span class=(class) style=(style) { (lang.exception_status(status)) } }
}

/// The refunds owed, as a list to act on.
pub(super) fn refunds_owed(data: &ReportData, lang: Lang) -> Markup {
    let words = lang.words();
    if data.refunds_owed.is_empty() {
        return html! {};
    }
    let total = view::sum_owed(&data.refunds_owed);
    card(
        words.refunds_owed,
        html! {
            (dim(words.refunds_owed_lead))
            (items(&data.refunds_owed.iter().take(MAX_ROWS).map(|owed| refund_owed(owed, lang)).collect::<Vec<_>>()))
            (more_attached(data.refunds_owed.len(), lang))
            p class="ink" style={ (style::P) (style::STRONG) "text-align:right;" } {
                (words.total) " " (lang.say(&Phrase::Count { count: total.count })) " · ¥" (total.grouped())
            }
        },
    )
}

fn refund_owed(owed: &RefundOwed, lang: Lang) -> (Markup, Markup) {
    let words = lang.words();
    let channel = if owed.channel.is_empty() { &owed.source } else { &owed.channel };
    let id = |label: &str, id: &str| {
        html! { div class="dim" style=(style::IDS) { (label) " " span style=(style::MONO) { (visible(id)) } } }
    };
    let story = html! {
        div {
            strong { (visible(channel)) } " "
            @if let Some(plate) = &owed.plate { strong { (visible(plate)) } " " }
            span class="dim" style=(style::SMALL) { (owed.paid_at) " · " (visible(lang.kind(&owed.kind))) }
        }
        (id(words.payment_id, &owed.payment_id))
        @if owed.external_order_id != owed.payment_id { (id(words.external_order_id, &owed.external_order_id)) }
        @if let Some(order_id) = &owed.order_id { (id(words.order_id, order_id)) }
    };
    (story, html! { strong { "¥" (owed.amount.grouped()) } })
}

/// That exceptions were left out.
fn more_attached(len: usize, lang: Lang) -> Markup {
    html! {
        @if let Some(count) = view::left_out(len) { (dim(&lang.say(&Phrase::MoreAttached { count }))) }
    }
}
