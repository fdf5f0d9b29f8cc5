//! The short report of a run that failed: there is no outcome to show, only what stopped it.

use maud::html;

use super::data::FailureReport;
use super::escape::visible;
use super::html::{page, style};
use super::lang::Lang;

/// The subject of the mail about a failed run.
pub fn failure_subject(report: &FailureReport, lang: Lang) -> String {
    let words = lang.words();
    format!("{} {}{}{}", words.title, report.date, words.colon, words.failed_title)
}

/// The failed run as plain text.
pub fn failure_text(report: &FailureReport, lang: Lang) -> String {
    let words = lang.words();
    let mut lines = vec![failure_subject(report, lang), String::new(), words.failed_lead.to_owned(), String::new()];
    lines.push(format!("{}{}", words.error, words.colon.trim_end()));
    lines.extend(report.error_chain.iter().map(|error| format!("  {}", visible(error))));
    lines.push(String::new());
    lines.push(words.failed_hint.to_owned());
    lines.push(format!("  {} {}", words.rerun_command, report.date));
    lines.push(String::new());
    lines.extend(footer(report, lang));
    lines.push(String::new());
    lines.join("\n")
}

/// The failed run as a page.
pub fn failure_html(report: &FailureReport, lang: Lang) -> String {
    let words = lang.words();
    let body = html! {
        div class="bad" style=(style::banner("#fdecea", "#f2c1bc")) {
            div class="dim" style=(style::EYEBROW) { (words.title) " · " (report.date) }
            h1 class="bad-ink" style={ (style::HEADLINE) "color:#a1221a;" } { (words.failed_title) }
            p class="ink" style=(style::LEAD) { (words.failed_lead) }
        }
        div class="card" style=(style::CARD) {
            h2 class="ink" style=(style::H2) { (words.error) }
            @for error in &report.error_chain {
                p class="ink" style={ (style::P) "overflow-wrap:anywhere;" } { (visible(error)) }
            }
            p class="dim" style=(style::P) { (words.failed_hint) }
            p class="ink" style={ (style::P) (style::MONO) } { (words.rerun_command) " " (report.date) }
        }
        div class="dim" style=(style::FOOTER) {
            @for line in footer(report, lang) { div { (line) } }
        }
    };
    page(&failure_subject(report, lang), lang, &body)
}

fn footer(report: &FailureReport, lang: Lang) -> Vec<String> {
    let words = lang.words();
    let run = report.run_id.as_ref().map(|run| format!("{}{}{}", words.run, words.colon, visible(run)));
    run.into_iter().chain([format!("{}{}{}", words.made_at, words.colon, report.made_at)]).collect()
}
