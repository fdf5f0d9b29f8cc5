//! The mail of a run: made, stored with the run, sent afterwards; what could not be sent waits in the outbox.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::clock::Clock;
use crate::config;
use crate::model::Timestamp;
use crate::report::mail::{MailAttachment, MailEnvelope, Message, Smtp, message_id, parse_mailbox, write_eml};
use crate::report::{FailureReport, Lang, ReportData, exceptions_csv, failure_html, failure_subject, failure_text};
use crate::report::{html, subject, text};
use crate::store::{OutboxMail, Store};

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

/// The mail of a run.
///
/// # Errors
/// When an address of the config cannot stand in a header.
pub fn outbox_mail(
    email: &config::Email,
    run_id: &str,
    unique: &str,
    report: Rendered,
    at: Timestamp,
) -> anyhow::Result<OutboxMail> {
    let attachments = if report.csv.is_empty() {
        Vec::new()
    } else {
        vec![MailAttachment {
            file_name: format!("exceptions-{run_id}.csv"),
            content_type: "text/csv; charset=utf-8".to_owned(),
            content: report.csv,
        }]
    };
    let mailboxes = |texts: &[String]| texts.iter().map(|text| parse_mailbox(text)).collect::<Result<Vec<_>, _>>();
    let from = parse_mailbox(&email.from).context("report.email.from")?;
    let message = Message {
        message_id: message_id(&format!("{unique}/{run_id}"), &from),
        to: mailboxes(&email.to).context("report.email.to")?,
        cc: mailboxes(&email.cc).context("report.email.cc")?,
        from,
        subject: report.subject.clone(),
        html: report.html,
        text: report.text,
        attachments,
        date: at,
    };
    let envelope = message.envelope()?;
    Ok(OutboxMail {
        run_id: run_id.to_owned(),
        message_id: message.message_id.clone(),
        sender: envelope.from().map(ToString::to_string).unwrap_or_default(),
        recipients: envelope.to().iter().map(ToString::to_string).collect(),
        subject: report.subject,
        raw: message.to_bytes()?,
    })
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

/// Sends everything that waits in the outbox, oldest first, and says what could not be sent.
///
/// # Errors
/// When the database cannot be read or written; a server that refuses is no error here.
pub async fn send_pending(
    store: &mut Store,
    email: &config::Email,
    dir: &Path,
    clock: &Clock,
) -> anyhow::Result<Delivery> {
    let server = mail_server(email)?;
    let mut delivery = Delivery::default();
    for mail in store.pending_mails()? {
        let sent = match &server {
            Some(server) => send_one(server, &mail).await,
            None => write_eml(dir, &format!("{}.eml", mail.run_id), &mail.raw)
                .map(|path| delivery.files.push((mail.run_id.clone(), path)))
                .map_err(anyhow::Error::from),
        };
        let error = sent.err().map(|error| format!("{error:#}"));
        store.record_mail_try(&mail.message_id, error.as_deref(), clock.now())?;
        if let Some(error) = error {
            delivery.failed.push((mail.run_id, error));
        }
    }
    Ok(delivery)
}

/// Sends a mail that no database keeps.
///
/// # Errors
/// When it cannot be sent or written.
pub async fn send_now(mail: &OutboxMail, email: &config::Email, dir: &Path) -> anyhow::Result<()> {
    match mail_server(email)? {
        Some(server) => send_one(&server, mail).await,
        None => Ok(write_eml(dir, &format!("{}.eml", mail.run_id), &mail.raw).map(drop)?),
    }
}

async fn send_one(server: &Smtp, mail: &OutboxMail) -> anyhow::Result<()> {
    let recipients = mail.recipients.iter().map(|to| to.parse()).collect::<Result<Vec<_>, _>>()?;
    let envelope = MailEnvelope::new(Some(mail.sender.parse()?), recipients)?;
    server.send(&envelope, &mail.raw).await?;
    Ok(())
}

/// What a mail is called in the summary once it is delivered.
pub const fn delivered_as(email: &config::Email) -> &'static str {
    if email.smtp.is_some() { "sent" } else { "file" }
}

/// What became of the outbox.
#[derive(Debug, Default)]
pub struct Delivery {
    /// Mails that were written as files: run and path.
    pub files: Vec<(String, PathBuf)>,
    /// Mails that still wait: run and why.
    pub failed: Vec<(String, String)>,
}
