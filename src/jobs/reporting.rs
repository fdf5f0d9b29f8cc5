//! A report once more: rendered as its run rendered it, or sent again.

use std::path::Path;

use anyhow::Context;

use super::letter::letter;
use super::mailing::{self, MailKey};
use super::outbox::{self, Delivery};
use super::run::{lock, unique};
use crate::clock::Clock;
use crate::config::{self, Settings};
use crate::model::BusinessDate;
use crate::report::ledger::Ledger;
use crate::report::packed::unpack;
use crate::report::{Lang, ReportData, Sheets, exceptions_csv, html, text, workbook};
use crate::store::{OutboxMail, RecipientState, RunRecord, Store};

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The page.
    Html,
    /// Plain text.
    Text,
    /// The exceptions, for a spreadsheet.
    Csv,
    /// The whole workbook.
    Xlsx,
    /// All that it says, for machines.
    Json,
}

/// Why there is no such report.
#[derive(Debug, thiserror::Error)]
pub enum NoReport {
    /// No live run of the date ended.
    #[error("no finished run has reported {date}\nhint: etcp-recon run --date {date}")]
    OfDate {
        /// The date.
        date: BusinessDate,
    },
    /// No live run of any date ended.
    #[error("nothing has been reported yet\nhint: etcp-recon run")]
    AtAll,
    /// The run was made before reports were kept, or its report was pruned.
    #[error("the report of run {run} was not kept\nhint: etcp-recon run --date {date} makes a new one")]
    NotKept {
        /// The run.
        run: String,
        /// Its date.
        date: BusinessDate,
    },
    /// There is nothing to send a mail with.
    #[error("the config has no [report.email], so nothing can be sent\nhint: name from, to and smtp there")]
    NoEmail,
}

/// A report that was kept.
pub struct Kept {
    /// The run that made it.
    pub record: RunRecord,
    /// What it says.
    pub data: ReportData,
}

/// The report of the newest finished live run of `date`; without one, the last that was made.
///
/// # Errors
/// [`NoReport`], or when the database cannot be read.
pub fn kept_report(store: &Store, date: Option<BusinessDate>) -> anyhow::Result<Kept> {
    let record = match date {
        Some(date) => store.last_finished_live_run(date)?.ok_or(NoReport::OfDate { date })?,
        None => store.last_reported_run()?.ok_or(NoReport::AtAll)?,
    };
    let packed = store.report_data(&record.id)?;
    let packed = packed.ok_or_else(|| NoReport::NotKept { run: record.id.clone(), date: record.date })?;
    let read = unpack(&packed).with_context(|| format!("the report of run {}", record.id))?;
    Ok(Kept { record, data: read })
}

/// A kept report in one of its forms, byte for byte as its run rendered it in that language.
///
/// # Errors
/// When it cannot be made.
pub fn rendered(store: &Store, kept: &Kept, format: Format, lang: Lang) -> anyhow::Result<Vec<u8>> {
    Ok(match format {
        Format::Html => html(&kept.data, lang).into_bytes(),
        Format::Text => text(&kept.data, lang).into_bytes(),
        Format::Csv => exceptions_csv(&kept.data, lang),
        Format::Xlsx => workbook(&kept.data, &ledger(store, kept)?, Sheets::All, lang)?,
        Format::Json => {
            let mut json = serde_json::to_vec_pretty(&kept.data)?;
            json.push(b'\n');
            json
        }
    })
}

/// The rows behind a kept report.
fn ledger(store: &Store, kept: &Kept) -> anyhow::Result<Ledger> {
    let record = &kept.record;
    let packed = store.report_ledger(&record.id)?;
    let packed = packed.ok_or_else(|| NoReport::NotKept { run: record.id.clone(), date: record.date })?;
    unpack(&packed).with_context(|| format!("the rows of run {}", record.id))
}

/// What became of a report that was to be sent.
#[derive(Debug)]
pub struct Sent {
    /// The run that it reports.
    pub run_id: String,
    /// Its subject.
    pub subject: String,
    /// Who it was for.
    pub recipients: Vec<String>,
    /// Those of them who had it before, and got it once more.
    pub had_it: Vec<String>,
    /// What became of it and of everything else that waited.
    pub delivery: Delivery,
}

/// Sends a report, and whatever else waits in the outbox, to the configured people or to `to`.
///
/// Stored before it is sent. A set of recipients has one mail a run: asked for again, it is the same mail under the same
/// Message-ID.
///
/// # Errors
/// [`NoReport`]; [`super::run::Busy`] while a run may be sending; when the database cannot be used. A server that refuses
/// is no error here: see [`Sent::delivery`].
pub async fn send(
    settings: &Settings,
    date: Option<BusinessDate>,
    to: &[String],
    lang: Lang,
    clock: &Clock,
) -> anyhow::Result<Sent> {
    let email = settings.report.email.as_ref().ok_or(NoReport::NoEmail)?;
    mailing::mail_server(email)?;
    let _lock = lock(super::run::database_path(settings))?;
    let mut store = super::run::open_store(settings)?;
    let kept = kept_report(&store, date)?;
    let (to, cc): (&[String], &[String]) = if to.is_empty() { (&email.to, &email.cc) } else { (to, &[]) };
    let recipients = mailing::recipients(to, cc)?;
    let mail = match store.mail_to(&kept.record.id, &recipients)? {
        Some(mail) => mail,
        None => store_new(&mut store, settings, email, (to, cc), &kept, lang, clock)?,
    };
    let before = store.mail_recipients(&mail.message_id)?;
    let is = |state| move |(_, now): &&(String, RecipientState)| *now == state;
    let had_it: Vec<String> = before.iter().filter(is(RecipientState::Accepted)).map(|(to, _)| to.clone()).collect();
    let asked: Vec<String> = before
        .iter()
        // Those who wait are sent to with everything else that waits; nobody gets it twice by one command.
        .filter(|(_, now)| *now != RecipientState::Pending)
        .map(|(to, _)| to.clone())
        .collect();
    let dir = &settings.report.dir;
    let mut delivery = outbox::send_pending(&mut store, email, dir, clock).await?;
    if !asked.is_empty() {
        let again = OutboxMail { recipients: asked, ..mail.clone() };
        let second = outbox::send_again(&mut store, &again, email, dir, clock).await?;
        delivery.merge(second);
    }
    Ok(Sent { run_id: kept.record.id, subject: mail.subject, recipients, had_it, delivery })
}

fn store_new(
    store: &mut Store,
    settings: &Settings,
    email: &config::Email,
    people: (&[String], &[String]),
    kept: &Kept,
    lang: Lang,
    clock: &Clock,
) -> anyhow::Result<OutboxMail> {
    let rows = ledger(store, kept)?;
    let rendered = mailing::render(&kept.data, &rows, lang)?;
    let folder = mailing::folder(&settings.report.dir, kept.record.date);
    let letter = letter(&kept.data, &rows, &rendered, &folder, lang)?;
    if !letter.left_out.is_empty() {
        // The mail says that they are there; they may have been pruned.
        mailing::write_files(&folder, &kept.record.id, &rendered)?;
    }
    let key = MailKey { run_id: &kept.record.id, unique: &unique(settings, &kept.record) };
    let mail = mailing::mail_to(email, people, key, &letter, clock.now())?;
    store.store_mail(&mail, clock.now())?;
    Ok(mail)
}

/// Writes a report into a file: whole or not at all, readable by its owner only.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let name = path.file_name().and_then(|name| name.to_str()).context("--out names no file")?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    crate::report::mail::write_eml(folder, name, content)?;
    Ok(())
}
