//! The report: what a run found, told to the people who act on it.
//!
//! [`data`] is what there is to say; [`html()`], [`text()`], [`exceptions_csv`], [`workbook`] and [`subject()`] are
//! pure functions of it and of the language. [`mail`] makes a message of them and sends it; it is the only part that does IO.

pub mod data;
pub mod ledger;
pub mod mail;
pub mod packed;

mod chart;
mod csv;
mod en;
mod escape;
mod failure;
mod html;
mod lang;
mod text;
mod view;
mod xlsx;
mod zh;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
pub(crate) mod tests;

pub use chart::{DAYS, chart};
pub use csv::exceptions_csv;
pub use data::{FailureReport, ReportData};
pub use escape::{spreadsheet_cell, visible};
pub use failure::{failure_html, failure_subject, failure_text};
pub use html::{CHART_ID, html, mail_html};
pub use lang::{Kind, Lang, LangError, LeftOut};
pub use text::{mail_text, text};
pub use view::subject;
pub use xlsx::{Sheets, WorkbookError, workbook};
