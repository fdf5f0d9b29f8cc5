//! The report of a run as files and as a mail: rendered, written, addressed. Sending is the outbox's.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::config;
use crate::model::Timestamp;
use crate::report::mail::{MailAttachment, Mailbox, Message, Smtp, message_id, parse_mailbox, write_eml};
use crate::report::{FailureReport, Lang, ReportData, exceptions_csv, failure_html, failure_subject, failure_text};
use crate::report::{html, subject, text};
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
}

/// The language of reports.
pub const fn lang(settings: &config::Report) -> Lang {
    match settings.language {
        config::Language::Zh => Lang::Zh,
        config::Language::En => Lang::En,
    }
}

/// Renders a report.
pub fn render(data: &ReportData, lang: Lang) -> Rendered {
    Rendered {
        subject: subject(data, lang),
        html: html(data, lang),
        text: text(data, lang),
        csv: exceptions_csv(data, lang),
    }
}

/// Writes the report's files into the folder of its date and gives their paths.
///
/// # Errors
/// When they cannot be written.
pub fn write_files(dir: &Path, date: &str, run_id: &str, report: &Rendered) -> anyhow::Result<Vec<PathBuf>> {
    let folder = dir.join(date);
    let files: [(&str, &[u8]); 3] =
        [("html", report.html.as_bytes()), ("txt", report.text.as_bytes()), ("csv", &report.csv)];
    let write = |(ending, content): (&str, &[u8])| -> anyhow::Result<PathBuf> {
        let path = write_eml(&folder, &format!("{run_id}.{ending}"), content)?;
        Ok(path)
    };
    files.into_iter().map(write).collect()
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
    report: &Rendered,
    at: Timestamp,
) -> anyhow::Result<OutboxMail> {
    mail_to(email, (&email.to, &email.cc), key, report, at)
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
    report: &Rendered,
    at: Timestamp,
) -> anyhow::Result<OutboxMail> {
    let from = parse_mailbox(&email.from).context("report.email.from")?;
    let everybody = recipients(to, cc)?.join(",");
    let message = Message {
        message_id: message_id(&format!("{}/{}/{everybody}", key.unique, key.run_id), &from),
        to: mailboxes(to).context("report.email.to")?,
        cc: mailboxes(cc).context("report.email.cc")?,
        from,
        subject: report.subject.clone(),
        html: report.html.clone(),
        text: report.text.clone(),
        attachments: attachments(key.run_id, report),
        date: at,
    };
    let envelope = message.envelope()?;
    Ok(OutboxMail {
        run_id: key.run_id.to_owned(),
        message_id: message.message_id.clone(),
        sender: envelope.from().map(ToString::to_string).unwrap_or_default(),
        recipients: envelope.to().iter().map(ToString::to_string).collect(),
        subject: report.subject.clone(),
        raw: message.to_bytes()?,
    })
}

fn attachments(run_id: &str, report: &Rendered) -> Vec<MailAttachment> {
    if report.csv.is_empty() {
        return Vec::new();
    }
    vec![MailAttachment {
        file_name: format!("exceptions-{run_id}.csv"),
        content_type: "text/csv; charset=utf-8".to_owned(),
        content: report.csv.clone(),
    }]
}

/// The report of a run that failed.
pub fn failure_report(report: &FailureReport, lang: Lang) -> Rendered {
    Rendered {
        subject: failure_subject(report, lang),
        html: failure_html(report, lang),
        text: failure_text(report, lang),
        csv: Vec::new(),
    }
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
