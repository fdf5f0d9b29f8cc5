//! The report of a run as files and as a mail: rendered, written, addressed. Sending is the outbox's.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::letter::Letter;
use crate::config;
use crate::model::{BusinessDate, Timestamp};
use crate::report::ledger::Ledger;
use crate::report::mail::{Mailbox, Message, Smtp, message_id, parse_mailbox, write_eml};
use crate::report::{Lang, ReportData, Sheets, WorkbookError, exceptions_csv, html, subject, text, workbook};
use crate::store::OutboxMail;

/// The rendered files of one report.
pub struct Rendered {
    /// The mail's subject.
    pub subject: String,
    /// The page.
    pub html: String,
    /// The plain text.
    pub text: String,
    /// The exceptions.
    pub csv: Vec<u8>,
    /// The whole workbook.
    pub xlsx: Vec<u8>,
}

/// What the files of a run's report are called.
pub struct FileNames {
    /// The page.
    pub html: String,
    /// The plain text.
    pub text: String,
    /// The exceptions.
    pub csv: String,
    /// The workbook.
    pub xlsx: String,
}

impl FileNames {
    /// Those of a run.
    pub fn of(run_id: &str) -> Self {
        let name = |ending: &str| format!("{run_id}.{ending}");
        Self { html: name("html"), text: name("txt"), csv: name("csv"), xlsx: name("xlsx") }
    }
}

/// The folder of a date's reports.
pub fn folder(dir: &Path, date: BusinessDate) -> PathBuf {
    dir.join(date.to_string())
}

/// The language of reports.
pub const fn lang(settings: &config::Report) -> Lang {
    match settings.language {
        config::Language::Zh => Lang::Zh,
        config::Language::En => Lang::En,
    }
}

/// Renders a report.
///
/// # Errors
/// When the workbook cannot be made.
pub fn render(data: &ReportData, ledger: &Ledger, lang: Lang) -> Result<Rendered, WorkbookError> {
    Ok(Rendered {
        subject: subject(data, lang),
        html: html(data, lang),
        text: text(data, lang),
        csv: exceptions_csv(data, lang),
        xlsx: workbook(data, ledger, Sheets::All, lang)?,
    })
}

/// Writes the report's files into the folder of its date and gives their paths.
///
/// # Errors
/// When they cannot be written.
pub fn write_files(folder: &Path, run_id: &str, report: &Rendered) -> anyhow::Result<Vec<PathBuf>> {
    let names = FileNames::of(run_id);
    let files: [(String, &[u8]); 4] = [
        (names.html, report.html.as_bytes()),
        (names.text, report.text.as_bytes()),
        (names.csv, &report.csv),
        (names.xlsx, &report.xlsx),
    ];
    files.into_iter().map(|(name, content)| Ok(write_eml(folder, &name, content)?)).collect()
}

/// Everything that tells one mail from every other.
#[derive(Clone, Copy, Debug)]
pub struct MailKey<'a> {
    /// The run.
    pub run_id: &'a str,
    /// What tells the run apart from those of every other database.
    pub unique: &'a str,
}

/// The addresses of some mailboxes, each once, sorted: the set that a mail is sent to once.
///
/// # Errors
/// When one of them is no mail address.
pub fn recipients(to: &[String], cc: &[String]) -> anyhow::Result<Vec<String>> {
    let mut addresses =
        mailboxes(to)?.into_iter().chain(mailboxes(cc)?).map(|one| one.email.to_string()).collect::<Vec<_>>();
    addresses.sort();
    addresses.dedup();
    Ok(addresses)
}

fn mailboxes(texts: &[String]) -> anyhow::Result<Vec<Mailbox>> {
    Ok(texts.iter().map(|text| parse_mailbox(text)).collect::<Result<Vec<_>, _>>()?)
}

/// The mail of a run to the configured people.
///
/// # Errors
/// When an address of the config cannot stand in a header.
pub fn outbox_mail(
    email: &config::Email,
    key: MailKey<'_>,
    letter: &Letter,
    at: Timestamp,
) -> anyhow::Result<OutboxMail> {
    mail_to(email, (&email.to, &email.cc), key, letter, at)
}

/// The mail of a run to some people: who gets it, and who gets a copy. Its Message-ID depends on the run and on all of
/// them.
///
/// # Errors
/// When an address cannot stand in a header.
pub fn mail_to(
    email: &config::Email,
    (to, cc): (&[String], &[String]),
    key: MailKey<'_>,
    letter: &Letter,
    at: Timestamp,
) -> anyhow::Result<OutboxMail> {
    let from = parse_mailbox(&email.from).context("report.email.from")?;
    let everybody = recipients(to, cc)?.join(",");
    let message = Message {
        message_id: message_id(&format!("{}/{}/{everybody}", key.unique, key.run_id), &from),
        to: mailboxes(to).context("report.email.to")?,
        cc: mailboxes(cc).context("report.email.cc")?,
        from,
        subject: letter.subject.clone(),
        html: letter.html.clone(),
        text: letter.text.clone(),
        pictures: letter.pictures.clone(),
        attachments: letter.attachments.clone(),
        date: at,
    };
    let envelope = message.envelope()?;
    Ok(OutboxMail {
        run_id: key.run_id.to_owned(),
        message_id: message.message_id.clone(),
        sender: envelope.from().map(ToString::to_string).unwrap_or_default(),
        recipients: envelope.to().iter().map(ToString::to_string).collect(),
        subject: letter.subject.clone(),
        raw: message.to_bytes()?,
    })
}

/// The configured mail server; none when mails are written into the report folder.
///
/// # Errors
/// When its password cannot be had, or may not be sent that way.
pub fn mail_server(email: &config::Email) -> anyhow::Result<Option<Smtp>> {
    let Some(server) = &email.smtp else { return Ok(None) };
    let (scheme, tls) = match server.tls {
        config::SmtpTls::Implicit => ("smtps", None),
        config::SmtpTls::Required => ("smtp", Some("required")),
        config::SmtpTls::Opportunistic => ("smtp", Some("opportunistic")),
        config::SmtpTls::None => ("smtp", Some("none")),
    };
    let mut address = url::Url::parse(&format!("{scheme}://{}:{}", server.host, server.port))
        .with_context(|| format!("report.email.smtp: host {}", server.host))?;
    let password = match &server.user {
        Some(user) => {
            address.set_username(user).map_err(|()| anyhow::anyhow!("report.email.smtp: the user cannot be used"))?;
            Some(server.password.get()?)
        }
        None => None,
    };
    address.set_query(tls.map(|tls| format!("tls={tls}")).as_deref());
    Ok(Some(Smtp::from_url(address.as_str(), password).context("report.email.smtp")?))
}
