//! A report as a mail: addresses checked when the config is read, a message as bytes, and the two ways out of
//! the house, [`Smtp`] and a folder.
//!
//! The bytes are made first, so that they can be stored before anything is sent; the same content under the same
//! Message-ID gives the same bytes. Nothing from a bill or the platform gets into a header.

mod folder;
mod smtp;

#[cfg(test)]
mod tests;

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, MessageBuilder, MultiPart, MultiPartKind, SinglePart};
use sha2::{Digest, Sha256};

pub use folder::write_eml;
pub use lettre::address::Envelope as MailEnvelope;
pub use lettre::message::Mailbox;
pub use smtp::{HandedOver, Refusal, Smtp, SmtpUrlError};

use super::escape::visible;
use crate::model::Timestamp;

/// The last second of the year 9999: a mail's date has four digits for the year.
const LAST_DATE_S: u64 = 253_402_300_799;

/// Why a mail was not made or not delivered.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The message cannot be made.
    #[error("cannot make the mail: {reason}")]
    Message {
        /// What is wrong with it.
        reason: String,
    },
    /// The server was not reached, or the connection broke. The mail may have been accepted if it broke at
    /// the very end; it is sent again under the same Message-ID.
    #[error("no connection to the mail server {server}: {reason}")]
    Connection {
        /// Host and port.
        server: String,
        /// What happened.
        reason: String,
    },
    /// The server asks to try again later (4xx).
    #[error("the mail server {server} cannot take the mail now ({code}): {reason}")]
    Temporary {
        /// Host and port.
        server: String,
        /// The SMTP code.
        code: u16,
        /// The server's words.
        reason: String,
    },
    /// The server refuses (5xx).
    #[error("the mail server {server} refuses the mail ({code}): {reason}")]
    Permanent {
        /// Host and port.
        server: String,
        /// The SMTP code.
        code: u16,
        /// The server's words.
        reason: String,
    },
    /// The server refuses user and password. Its words are left out: they may repeat what it was told.
    #[error(
        "the mail server {server} refuses user and password ({code})\nhint: see report.email.smtp and the password"
    )]
    Login {
        /// Host and port.
        server: String,
        /// The SMTP code.
        code: u16,
    },
    /// The mail's file cannot be written.
    #[error("cannot write the mail {path}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl MailError {
    /// Whether the same mail may be accepted later without anybody changing anything.
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Connection { .. } | Self::Temporary { .. } | Self::File { .. } => true,
            Self::Login { code, .. } => *code < 500,
            Self::Message { .. } | Self::Permanent { .. } => false,
        }
    }
}

/// Why a text is no mail address that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no mail address: {reason}")]
pub struct AddressError {
    /// What stood there, its invisible characters made visible.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Reads `finance@example.com` or `财务 <finance@example.com>`.
///
/// # Errors
/// When it is neither, or holds a character that cannot be seen: such a name would break the mail's header.
pub fn parse_mailbox(text: &str) -> Result<Mailbox, AddressError> {
    let fail = |reason| AddressError { text: visible(text).into_owned(), reason };
    if !is_printable(text) {
        return Err(fail("it has a control character or another that cannot be seen"));
    }
    let mailbox: Mailbox =
        text.trim().parse().map_err(|_| fail("expected name@example.com or Name <name@example.com>"))?;
    if !mailbox.email.to_string().is_ascii() {
        return Err(fail("mail servers take only ASCII in the address itself"));
    }
    Ok(mailbox)
}

fn is_printable(text: &str) -> bool {
    text.chars().count() <= 200 && visible(text) == text
}

/// A file that goes along.
#[derive(Clone, Debug)]
pub struct MailAttachment {
    /// Its name, of any script.
    pub file_name: String,
    /// Its MIME type: `text/csv; charset=utf-8`.
    pub content_type: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// A picture within the page, as PNG.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its Content-ID, without angle brackets.
    pub id: &'static str,
    /// Its content.
    pub png: Vec<u8>,
}

/// A mail, before it is bytes.
#[derive(Clone, Debug)]
pub struct Message {
    /// The sender.
    pub from: Mailbox,
    /// The recipients, at least one here or in `cc`.
    pub to: Vec<Mailbox>,
    /// Those who get a copy.
    pub cc: Vec<Mailbox>,
    /// The subject.
    pub subject: String,
    /// The page.
    pub html: String,
    /// The same as plain text.
    pub text: String,
    /// Pictures that the page shows, by `cid:` and their id.
    pub pictures: Vec<Picture>,
    /// Files.
    pub attachments: Vec<MailAttachment>,
    /// The Message-ID with its angle brackets, see [`message_id`].
    pub message_id: String,
    /// The date in the header.
    pub date: Timestamp,
}

/// A Message-ID that depends on nothing but `key` and the sender's domain, so that a mail sent twice can be recognised.
pub fn message_id(key: &str, from: &Mailbox) -> String {
    let digest = hex::encode(Sha256::digest(key.as_bytes()));
    format!("<etcp-recon.{}@{}>", digest.get(..32).unwrap_or(&digest), from.email.domain())
}

impl Message {
    /// Who gets it: every address of `to` and `cc` once. Nothing else can add a recipient.
    ///
    /// # Errors
    /// When there is nobody.
    pub fn envelope(&self) -> Result<Envelope, MailError> {
        let mut recipients = Vec::new();
        for mailbox in self.to.iter().chain(&self.cc) {
            if !recipients.contains(&mailbox.email) {
                recipients.push(mailbox.email.clone());
            }
        }
        Envelope::new(Some(self.from.email.clone()), recipients).map_err(|error| failed(&error))
    }

    /// The mail as bytes (RFC 5322): plain text and HTML as alternatives, the pictures with
    /// the HTML, files beside them, all as base64.
    ///
    /// # Errors
    /// When there is no recipient, or a name, the Message-ID or a content type cannot stand in a header.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MailError> {
        let mailboxes = || std::iter::once(&self.from).chain(&self.to).chain(&self.cc);
        let bad_name = mailboxes().any(|mailbox| mailbox.name.as_deref().is_some_and(|name| !is_printable(name)));
        if bad_name {
            return Err(reason("a display name has a character that cannot be seen"));
        }
        let id = &self.message_id;
        let is_id =
            id.starts_with('<') && id.ends_with('>') && id.bytes().all(|b| b.is_ascii_graphic()) && id.len() < 250;
        if !is_id {
            return Err(reason("the Message-ID is not of the form <id@domain>"));
        }
        let mail = self.headers()?.multipart(self.body()?).map_err(|error| failed(&error))?;
        Ok(mail.formatted())
    }

    fn headers(&self) -> Result<MessageBuilder, MailError> {
        let seconds = u64::try_from(self.date.unix()).unwrap_or(0).min(LAST_DATE_S);
        let date = UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH);
        let mut headers = MessageBuilder::new()
            .envelope(self.envelope()?)
            .date(date)
            .message_id(Some(self.message_id.clone()))
            .from(self.from.clone());
        for mailbox in &self.to {
            headers = headers.to(mailbox.clone());
        }
        for mailbox in &self.cc {
            headers = headers.cc(mailbox.clone());
        }
        // Keeps out-of-office replies from answering every night.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Ok(headers
            .subject(visible(&self.subject).into_owned())
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned())))
    }

    fn body(&self) -> Result<MultiPart, MailError> {
        let boundary = self.boundary();
        let text = multipart(MultiPartKind::Alternative, &format!("{boundary}-a"))
            .singlepart(text_part(&self.text, ContentType::TEXT_PLAIN)?);
        let page = text_part(&self.html, ContentType::TEXT_HTML)?;
        let alternatives = if self.pictures.is_empty() {
            text.singlepart(page)
        } else {
            text.multipart(self.related(page, &boundary)?)
        };
        let mut mixed = multipart(MultiPartKind::Mixed, &format!("{boundary}-m")).multipart(alternatives);
        for file in &self.attachments {
            if !is_printable(&file.file_name) {
                return Err(reason("an attachment's name has a character that cannot be seen"));
            }
            let content_type = ContentType::parse(&file.content_type)
                .map_err(|_| reason("an attachment's content type cannot be read"))?;
            let part = Attachment::new(file.file_name.clone()).body(base64_body(file.content.clone())?, content_type);
            mixed = mixed.singlepart(part);
        }
        Ok(mixed)
    }

    /// The page with its pictures.
    fn related(&self, page: SinglePart, boundary: &str) -> Result<MultiPart, MailError> {
        let mut related = multipart(MultiPartKind::Related, &format!("{boundary}-r")).singlepart(page);
        for picture in &self.pictures {
            let png = ContentType::parse("image/png").map_err(|_| reason("image/png is no content type"))?;
            let part = Attachment::new_inline(picture.id.to_owned()).body(base64_body(picture.png.clone())?, png);
            related = related.singlepart(part);
        }
        Ok(related)
    }

    /// The line between the parts: from the content, so that the same mail has the same bytes, and so that
    /// no content can hold its own.
    fn boundary(&self) -> String {
        let mut hash = Sha256::new();
        let pictures = self.pictures.iter().map(|picture| picture.png.as_slice());
        let files = pictures.chain(self.attachments.iter().map(|file| file.content.as_slice()));
        for piece in [self.message_id.as_bytes(), self.text.as_bytes(), self.html.as_bytes()].into_iter().chain(files) {
            hash.update(piece);
        }
        hex::encode(hash.finalize()).chars().take(40).collect()
    }
}

fn multipart(kind: MultiPartKind, boundary: &str) -> MultiPart {
    MultiPart::builder().kind(kind).boundary(boundary).build()
}

/// A text with the line ends that mail wants, as base64: no server on the way can rewrap or change it.
fn text_part(text: &str, content_type: ContentType) -> Result<SinglePart, MailError> {
    let lines = text.replace("\r\n", "\n").replace('\n', "\r\n");
    Ok(SinglePart::builder().header(content_type).body(base64_body(lines.into_bytes())?))
}

fn base64_body(content: Vec<u8>) -> Result<Body, MailError> {
    Body::new_with_encoding(content, ContentTransferEncoding::Base64).map_err(|_| reason("a part cannot be encoded"))
}

fn reason(reason: &str) -> MailError {
    MailError::Message { reason: reason.to_owned() }
}

fn failed(error: &dyn std::error::Error) -> MailError {
    reason(&visible(&error.to_string()))
}
