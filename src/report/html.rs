//! The report as one page, for mail programs and browsers.
//!
//! Tables and inline styles because Outlook knows little else; no pictures from elsewhere, no scripts, no
//! links. Everything passes through the template's escaping, and what comes from outside through [`visible`] as well.

mod exceptions;
mod parts;
pub(super) mod style;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::exceptions::{exceptions, refunds_owed};
use self::parts::{Figure, card, dim, figures, items, named};
use super::chart::{COLOURS, WIDTH, chart};
use super::data::{Bucket, Change, ChannelTotal, NamedTotal, ReportData, TieOutSide};
use super::escape::visible;
use super::lang::{Lang, Phrase};
use super::view::{self, MAX_ROWS, Tone};
use crate::model::Total;

/// The whole report as an HTML document that stands alone.
pub fn html(data: &ReportData, lang: Lang) -> String {
    let source = chart(data).map(|png| format!("data:image/png;base64,{}", STANDARD.encode(png)));
    document(data, lang, source.as_deref(), &[])
}

/// The Content-ID of the chart in a mail.
pub const CHART_ID: &str = "chart@etcp-recon";

/// The same as the page of a mail: the chart is the part [`CHART_ID`], and there is something to say of the files.
pub fn mail_html(data: &ReportData, lang: Lang, notes: &[String]) -> String {
    document(data, lang, Some(&format!("cid:{CHART_ID}")), notes)
}

fn document(data: &ReportData, lang: Lang, picture: Option<&str>, notes: &[String]) -> String {
    let words = lang.words();
    let body = html! {
        (answer(data, lang))
        (tie_out(data, lang))
        (exceptions(data, lang))
        (refunds_owed(data, lang))
        (card(words.dispositions, html! {
            (buckets(words.payments, words.payments_base, &data.payments, lang))
            (buckets(words.orders, words.orders_base, &data.orders, lang))
        }))
        (history(data, lang, picture))
        (channel_totals(&data.by_channel, lang))
        (named_totals(words.by_car_park, words.car_park, &data.by_car_park, lang))
        (notifications(data, lang))
        (coverage(data, lang))
        (bills(data, lang))
        (set_aside(data, lang))
        (refunds(data, lang))
        (changes(data, lang))
        @if !notes.is_empty() {
            (card(words.attachments, html! { @for note in notes { p class="ink" style={ (style::P) "overflow-wrap:anywhere;" } { (note) } } }))
        }
        (footer(data, lang))
    };
    page(&super::subject(data, lang), lang, &body)
}

/// The document around a body.
pub(super) fn page(title: &str, lang: Lang, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang=(lang.words().html_lang) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="supported-color-schemes" content="light dark";
                title { (title) }
                style { (PreEscaped(style::SHEET)) }
            }
            body class="page" style=(style::BODY) {
                div style=(style::PAGE) { (body) }
            }
        }
    }
    .into_string()
}

/// The first thing to read: does it agree, and if not, how much.
fn answer(data: &ReportData, lang: Lang) -> Markup {
    let words = lang.words();
    let (tone, headline) = view::headline(data, lang);
    let (class, ink_class, ink, banner) = match tone {
        Tone::Good => ("good", "good-ink", "color:#0b6b3a;", style::banner("#e6f5ec", "#b9e0c8")),
        Tone::Attention => ("warn", "warn-ink", "color:#8a5a00;", style::banner("#fff6e3", "#f0d9a6")),
        Tone::Bad => ("bad", "bad-ink", "color:#a1221a;", style::banner("#fdecea", "#f2c1bc")),
    };
    html! {
        @if !data.alerts.is_empty() {
            div class="bad" style=(style::banner("#fdecea", "#f2c1bc")) {
                h2 class="bad-ink" style={ (style::H2) "color:#a1221a;" } { (words.attention) }
                ul class="ink" style="margin:2px 0 0;padding:0 0 0 20px;" {
                    @for alert in &data.alerts { li { (lang.alert(alert)) } }
                }
            }
        }
        div class=(class) style=(banner) {
            div class="dim" style=(style::EYEBROW) {
                (words.title) " · " (data.date) " · " (lang.status(data.status))
                @if let Some(mode) = lang.mode(data.mode) { " · " (mode) }
            }
            h1 class=(ink_class) style={ (style::HEADLINE) (ink) } { (headline) }
            @if data.exceptions.closing.count > 0 || data.exceptions.resolved.count > 0 {
                p class="ink" style=(style::LEAD) { (view::movement(data, lang)) }
            }
            @if let Some(explained) = lang.mode_explained(data.mode) { p class="ink" style=(style::LEAD) { (explained) } }
            @if let Some(rerun) = &data.rerun { p class="ink" style=(style::LEAD) { (view::rerun_of(rerun, lang)) } }
            @if !data.partial_reasons.is_empty() {
                p class="ink" style={ (style::LEAD) (style::STRONG) } { (words.partial_because) }
                ul class="ink" style="margin:2px 0 0;padding:0 0 0 20px;" {
                    @for reason in &data.partial_reasons { li { (lang.partial(reason)) } }
                }
            }
            @if let Some(skew) = view::clock_skew(data, lang) { p class="ink" style=(style::LEAD) { (skew) } }
        }
    }
}

/// Both sides of the proof.
fn tie_out(data: &ReportData, lang: Lang) -> Markup {
    let words = lang.words();
    let tie_out = data.tie_out;
    let cell = |total: Total| {
        html! { (lang.say(&Phrase::Count { count: total.count })) br; "¥" (total.grouped()) }
    };
    let line = |name: &str, side: TieOutSide| {
        html! {
            tr {
                td class="ink rule" style=(style::TD) { (name) }
                td class="ink rule" style=(style::TD_NUMBER) { (cell(side.came_in)) }
                td class="ink rule" style=(style::TD_NUMBER) { (cell(side.accounted_for)) }
                @if side.holds() {
                    td class="good-ink rule" style={ (style::TD_NUMBER) "color:#0b6b3a;" } { "✓ " (words.agrees) }
                } @else {
                    td class="bad-ink rule" style={ (style::TD_NUMBER) (style::STRONG) "color:#a1221a;" } { "✗ " (words.differs) }
                }
            }
        }
    };
    card(
        words.tie_out,
        html! {
            p class="ink" style=(style::P) { @if tie_out.holds { (words.tie_out_holds) } @else { strong { (words.tie_out_fails) } } }
            table style=(style::TABLE) {
                thead {
                    tr {
                        th class="dim rule" style={ (style::TH) "width:100%;" } { }
                        th class="dim rule" style=(style::TH_NUMBER) { (words.came_in) }
                        th class="dim rule" style=(style::TH_NUMBER) { (words.accounted_for) }
                        th class="dim rule" style=(style::TH_NUMBER) { }
                    }
                }
                tbody {
                    (line(words.payments, tie_out.payments))
                    (line(words.orders, tie_out.orders))
                    (line(words.refunds, tie_out.refunds))
                }
            }
            @if tie_out.set_aside_rows > 0 { (dim(&lang.say(&Phrase::SetAsideRows { count: tie_out.set_aside_rows }))) }
        },
    )
}

/// One side's dispositions, with their sum.
fn buckets(name: &str, base: &str, buckets: &[Bucket], lang: Lang) -> Markup {
    let words = lang.words();
    let mut lines: Vec<Figure> = buckets.iter().map(|bucket| bucket_line(bucket, lang)).collect();
    lines.push(Figure::total(html! { (words.total) }, view::sum(buckets), true));
    html! {
        h3 class="ink" style={ (style::H3) "margin-top:8px;" } { (name) " " span class="dim" style={ (style::SMALL) "font-weight:400;" } { (base) } }
        (figures([words.disposition, words.count, words.amount], &lines))
    }
}

fn bucket_line(bucket: &Bucket, lang: Lang) -> Figure {
    let disposition = bucket.disposition;
    let name = html! {
        (named(lang.disposition(disposition), disposition.name()))
        @if disposition.is_exception() {
            " " span class="tag-new" style=(style::tag("#fdebc8", "#7a4f00")) { (lang.words().exceptions) }
        }
    };
    Figure::total(name, bucket.total, false)
}

/// The chart, with the words that it does not have.
fn history(data: &ReportData, lang: Lang, picture: Option<&str>) -> Markup {
    let words = lang.words();
    let (Some(told), Some(source)) = (view::history(data, lang), picture) else { return html! {} };
    let told = told.replace('\n', " ");
    let width = WIDTH / 2;
    card(
        words.history,
        html! {
            @for (legend, colour) in words.history_legend.iter().zip(COLOURS) {
                div class="ink" style=(style::SMALL) { span style={ "color:" (colour) ";" } { "■ " } (legend) }
            }
            img src=(source) alt=(told) width=(width) style="display:block;width:100%;max-width:700px;height:auto;border:0;background:#ffffff;border-radius:6px;margin:6px 0 4px;";
            (dim(words.history_corners))
        },
    )
}

/// The channels, each with its refunds and fees below its name: five columns are too many for a phone.
fn channel_totals(totals: &[ChannelTotal], lang: Lang) -> Markup {
    let words = lang.words();
    if totals.is_empty() {
        return html! {};
    }
    let line = |name: Markup, total: &ChannelTotal, strong| {
        let name = html! {
            (name)
            div class="dim" style=(style::SMALL) {
                (words.refunds) " " (total.refunds.grouped()) " · " (words.fee) " " (total.fee.grouped())
            }
        };
        Figure::total(name, total.payments, strong)
    };
    let name = |text: &str| html! { @if text.is_empty() { (words.not_known) } @else { (visible(text)) } };
    let mut lines: Vec<Figure> =
        totals.iter().take(MAX_ROWS).map(|total| line(name(&total.name), total, false)).collect();
    lines.push(line(html! { (words.total) }, &view::sum_channels(totals), true));
    card(
        words.by_channel,
        html! { (figures([words.channel, words.count, words.amount], &lines)) (more(totals.len(), lang)) },
    )
}

fn named_totals(title: &str, header: &str, totals: &[NamedTotal], lang: Lang) -> Markup {
    let words = lang.words();
    if totals.is_empty() {
        return html! {};
    }
    let name = |text: &str| html! { @if text.is_empty() { (words.not_known) } @else { (visible(text)) } };
    let shown = totals.iter().take(MAX_ROWS);
    let mut lines: Vec<Figure> = shown.map(|t| Figure::total(name(&t.name), t.total, false)).collect();
    lines.push(Figure::total(html! { (words.total) }, view::sum_named(totals), true));
    card(title, html! { (figures([header, words.count, words.amount], &lines)) (more(totals.len(), lang)) })
}

fn notifications(data: &ReportData, lang: Lang) -> Markup {
    let words = lang.words();
    let n = data.notifications;
    let line = |name: &str, count: u64| Figure {
        name: html! { (name) },
        count: count.to_string(),
        amount: None,
        strong: false,
    };
    let lines = [
        line(words.acknowledged, n.acknowledged),
        line(words.rejected, n.rejected),
        line(words.unknown, n.unknown),
        line(words.held, n.held),
        line(words.notify_due, n.due),
    ];
    card(words.notifications, figures(["", words.count, ""], &lines))
}

fn coverage(data: &ReportData, lang: Lang) -> Markup {
    let words = lang.words();
    let coverage = &data.coverage;
    let failed: Vec<_> = coverage
        .failed
        .iter()
        .take(MAX_ROWS)
        .map(|failed| {
            let story = html! {
                strong { (visible(&failed.plate)) } " " span class="dim" style=(style::SMALL) { (visible(&failed.mobile)) }
                div class="dim" style=(style::IDS) { (visible(&failed.reason)) }
            };
            (story, html! {})
        })
        .collect();
    let pulled = Phrase::Pulled { users: coverage.users, plates: coverage.plates, pulled: coverage.pulled };
    card(
        words.coverage,
        html! {
            p class="ink" style=(style::P) { (lang.say(&pulled)) }
            @if coverage.rejected_records > 0 {
                p class="ink" style=(style::P) { (lang.say(&Phrase::RejectedRecords { count: coverage.rejected_records })) }
            }
            @if let Some(told) = view::contradicted(&coverage.contradicted_pushes, lang) {
                p class="ink" style=(style::P) { (told) }
            }
            @if !failed.is_empty() {
                h3 class="ink" style=(style::H3) { (words.not_pulled) }
                (items(&failed))
                (more(coverage.failed.len(), lang))
            }
        },
    )
}

fn bills(data: &ReportData, lang: Lang) -> Markup {
    let words = lang.words();
    let rows: Vec<_> = data
        .bills
        .iter()
        .take(MAX_ROWS)
        .map(|bill| {
            let refused = bill.reason.as_ref();
            let story = html! {
                strong { (visible(&bill.file)) }
                div class="dim" style=(style::IDS) { (visible(&bill.profile)) " · " (lang.bill_status(bill.status)) }
                @if let Some(reason) = refused { div class="bad-ink" style="font-size:13px;color:#a1221a;" { (visible(reason)) } }
            };
            let figure = |name: &str, count: u64| {
                html! { @if count > 0 { div { span class="dim" style=(style::SMALL) { (name) " " } (count) } } }
            };
            let numbers = html! {
                (figure(words.row_payments, bill.payments))
                (figure(words.row_refunds, bill.refunds))
                (figure(words.row_ignored, bill.ignored))
                (figure(words.row_set_aside, bill.set_aside))
            };
            (story, numbers)
        })
        .collect();
    card(
        words.bills,
        html! {
            @if rows.is_empty() { p class="ink" style=(style::P) { (words.no_bills) } } @else { (items(&rows)) }
            (more(data.bills.len(), lang))
        },
    )
}

fn set_aside(data: &ReportData, lang: Lang) -> Markup {
    let words = lang.words();
    if data.set_aside.is_empty() {
        return html! {};
    }
    let rows: Vec<_> = data
        .set_aside
        .iter()
        .take(MAX_ROWS)
        .map(|row| {
            let story = html! {
                div { (visible(&row.reason)) }
                div class="dim" style=(style::IDS) {
                    (visible(&row.file))
                    @if let Some(column) = &row.column { " · " (visible(column)) }
                    @if !row.value.is_empty() { (words.colon) span style=(style::MONO) { (visible(&row.value)) } }
                }
            };
            (story, html! { (lang.say(&Phrase::Line { line: row.line })) })
        })
        .collect();
    card(words.set_aside, html! { (items(&rows)) (more(data.set_aside.len(), lang)) })
}

fn refunds(data: &ReportData, lang: Lang) -> Markup {
    let words = lang.words();
    let sums = data.refunds;
    let lines = [
        Figure::total(html! { (words.refunds_matched) }, sums.matched, false),
        Figure::total(html! { (words.refunds_unmatched) }, sums.unmatched, false),
    ];
    let rows: Vec<_> = data
        .unmatched_refunds
        .iter()
        .take(MAX_ROWS)
        .map(|refund| {
            let story = html! {
                div { strong { (visible(&refund.source)) } " " span class="dim" style=(style::SMALL) { (refund.at) } }
                div class="dim" style=(style::IDS) { (words.payment_id) " " span style=(style::MONO) { (visible(&refund.payment_id)) } }
                @if let Some(id) = &refund.refund_id {
                    div class="dim" style=(style::IDS) { (words.refund_id) " " span style=(style::MONO) { (visible(id)) } }
                }
            };
            (story, html! { "¥" (refund.amount.grouped()) })
        })
        .collect();
    card(
        words.refunds,
        html! {
            (figures([words.refunds, words.count, words.amount], &lines))
            @if !rows.is_empty() {
                h3 class="ink" style={ (style::H3) "margin-top:8px;" } { (words.unmatched_refunds) }
                (dim(words.unmatched_refunds_lead))
                (items(&rows))
                (more(data.unmatched_refunds.len(), lang))
            }
        },
    )
}

fn changes(data: &ReportData, lang: Lang) -> Markup {
    let words = lang.words();
    let Some(rerun) = &data.rerun else { return html! {} };
    let total = |total: Total| html! { (lang.say(&Phrase::Count { count: total.count })) " · ¥" (total.grouped()) };
    let lines = |side: &str, changes: &[Change]| {
        let rows: Vec<_> = changes
            .iter()
            .map(|change| {
                let story = html! {
                    span class="dim" style=(style::SMALL) { (side) " " }
                    (named(lang.disposition(change.disposition), change.disposition.name()))
                };
                let numbers = html! {
                    div class="dim" style=(style::SMALL) { (words.before) " " (total(change.before)) }
                    div { span class="dim" style=(style::SMALL) { (words.after) " " } (total(change.after)) }
                };
                (story, numbers)
            })
            .collect();
        html! { @if !rows.is_empty() { (items(&rows)) } }
    };
    card(
        words.changes,
        html! {
            @if rerun.is_changed() {
                (lines(words.payments, &rerun.payments))
                (lines(words.orders, &rerun.orders))
            } @else {
                p class="ink" style=(style::P) { (words.no_changes) }
            }
        },
    )
}

/// That rows were left out.
fn more(len: usize, lang: Lang) -> Markup {
    html! {
        @if let Some(count) = view::left_out(len) { (dim(&lang.say(&Phrase::More { count }))) }
    }
}

fn footer(data: &ReportData, lang: Lang) -> Markup {
    let words = lang.words();
    html! {
        div class="dim" style=(style::FOOTER) {
            div { (words.run) (words.colon) (visible(&data.run_id)) }
            div { (words.made_at) (words.colon) (data.made_at) }
            @if let Some(head) = &data.journal_head { div { (words.journal_head) (words.colon) (visible(head)) } }
        }
    }
}
