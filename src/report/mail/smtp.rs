//! Sending by SMTP. A password leaves this machine through TLS only, the certificate is checked, and every step has
//! an end.
//!
//! The connection is driven step by step rather than through lettre's transport: so each failure has
//! its place, and the rule about the password stands in front of the one line that sends it.

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use secrecy::{ExposeSecret, SecretString};

use super::MailError;
use crate::report::escape::visible;

/// Until the server has greeted and taken the login.
const CONNECT_TIMEOUT: Duration = Duration::from_mins(1);
/// Until it has taken the mail. RFC 5321 (4.5.3.2.6) wants ten minutes for the answer to the final dot.
const SEND_TIMEOUT: Duration = Duration::from_mins(10);

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS or nothing.
    StartTls,
    /// STARTTLS if the server offers it.
    Opportunistic,
    /// None: loopback only.
    Plain,
}

/// A mail server and how to talk to it.
#[derive(Clone, Debug)]
pub struct Smtp {
    host: String,
    port: u16,
    security: Security,
    login: Option<(String, SecretString)>,
    connect_timeout: Duration,
    send_timeout: Duration,
}

/// What became of a mail that was handed over.
#[derive(Debug, Default)]
pub struct HandedOver {
    /// The recipients for whom the server has taken it over.
    pub accepted: Vec<String>,
    /// Those for whom it has not.
    pub refused: Vec<Refusal>,
}

/// A recipient for whom the server does not take the mail.
#[derive(Debug)]
pub struct Refusal {
    /// The address.
    pub address: String,
    /// Its words: [`MailError::Permanent`] or [`MailError::Temporary`].
    pub error: MailError,
}

/// Why a URL of a mail server cannot be used. It never repeats the URL: a password may stand in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpUrlError {
    /// Not `smtp://` or `smtps://`.
    #[error("the mail server's URL must begin with smtps:// or smtp://")]
    Scheme,
    /// No host, or one that is none.
    #[error("the mail server's URL has no usable host\nhint: smtps://user@mail.example.com:465")]
    Host,
    /// A port that is none.
    #[error("the port in the mail server's URL is no number from 1 to 65535")]
    Port,
    /// A user that cannot be read.
    #[error("the user in the mail server's URL cannot be read\nhint: write @ as %40 and % as %25")]
    User,
    /// A password where others can read it.
    #[error(
        "a password stands in the mail server's URL\nhint: take it out; it belongs into ETCP_RECON_SMTP_PASSWORD or smtp_password_file"
    )]
    PasswordInUrl,
    /// Something behind the port.
    #[error("the mail server's URL takes nothing behind the port but ?tls=required, opportunistic or none")]
    Extra,
    /// `smtps` with a `tls` of its own.
    #[error(
        "smtps:// is TLS from the first byte and takes no ?tls=\nhint: for STARTTLS write smtp://host:587?tls=required"
    )]
    TlsTwice,
    /// No TLS to another machine.
    #[error(
        "tls=none is for a mail server on this machine only, and {host} is another\nhint: use tls=required or smtps://"
    )]
    PlainToElsewhere {
        /// The host.
        host: String,
    },
    /// A user, and no password.
    #[error(
        "the mail server's URL names a user, but there is no password\nhint: set ETCP_RECON_SMTP_PASSWORD or smtp_password_file"
    )]
    NoPassword,
    /// A password, and no user.
    #[error(
        "there is a password for the mail server, but its URL names no user\nhint: smtps://user@mail.example.com:465"
    )]
    NoUser,
}

impl Smtp {
    /// A server from `smtps://user@host:465` or `smtp://user@host:587?tls=required|opportunistic|none`.
    ///
    /// Without `tls` STARTTLS is required. With a password `opportunistic` is as good as `required`, save on loopback.
    ///
    /// # Errors
    /// When the URL has another form, would send a password or mail in the clear, or user and password do not
    /// come together.
    pub fn from_url(url: &str, password: Option<SecretString>) -> Result<Self, SmtpUrlError> {
        let (implicit, rest) = match (url.strip_prefix("smtps://"), url.strip_prefix("smtp://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(SmtpUrlError::Scheme),
        };
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return Err(SmtpUrlError::PasswordInUrl),
            Some((user, rest)) => (Some(percent_decoded(user).ok_or(SmtpUrlError::User)?), rest),
            None => (None, rest),
        };
        let (authority, query) = rest.split_once('?').map_or((rest, None), |(head, query)| (head, Some(query)));
        let (host, port) = host_and_port(authority.strip_suffix('/').unwrap_or(authority))?;
        let port = port.unwrap_or(if implicit { 465 } else { 587 });
        let mut security = security(implicit, query)?;
        if security == Security::Plain && !is_loopback(&host) {
            return Err(SmtpUrlError::PlainToElsewhere { host });
        }
        let login = match (user, password) {
            (Some(user), Some(password)) => Some((user, password)),
            (Some(_), None) => return Err(SmtpUrlError::NoPassword),
            (None, Some(_)) => return Err(SmtpUrlError::NoUser),
            (None, None) => None,
        };
        if login.is_some() && security == Security::Opportunistic && !is_loopback(&host) {
            security = Security::StartTls;
        }
        Ok(Self { host, port, security, login, connect_timeout: CONNECT_TIMEOUT, send_timeout: SEND_TIMEOUT })
    }

    /// The same server with other limits: until the login is through, and until the mail is taken.
    #[must_use]
    pub fn with_timeouts(self, connect: Duration, send: Duration) -> Self {
        Self { connect_timeout: connect, send_timeout: send, ..self }
    }

    /// Host and port, as they may be shown.
    pub fn server(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Hands `raw` over for the recipients of `envelope`, and says for whom the server took it. One that it refuses
    /// does not keep the others from it; when it refuses all of them, nothing is sent.
    ///
    /// # Errors
    /// See [`MailError`]: nobody is known to have got it.
    pub async fn send(&self, envelope: &Envelope, raw: &[u8]) -> Result<HandedOver, MailError> {
        let mut connection = self.connect().await?;
        let sending = self.hand_over(&mut connection, envelope, raw);
        let handed = match tokio::time::timeout(self.send_timeout, sending).await {
            Ok(handed) => handed?,
            Err(_) => return Err(self.no_end_of("sending", self.send_timeout)),
        };
        self.leave(connection).await;
        Ok(handed)
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        raw: &[u8],
    ) -> Result<HandedOver, MailError> {
        let told_apart = |error: SmtpError| self.told_apart(&error);
        connection.command(Mail::new(envelope.from().cloned(), Vec::new())).await.map_err(told_apart)?;
        let mut handed = HandedOver::default();
        for address in envelope.to() {
            match connection
                .command(Rcpt::new(address.clone(), Vec::new()))
                .await
                .map_err(|error| self.told_apart(&error))
            {
                Ok(_) => handed.accepted.push(address.to_string()),
                Err(error @ (MailError::Permanent { .. } | MailError::Temporary { .. })) => {
                    handed.refused.push(Refusal { address: address.to_string(), error });
                }
                Err(error) => return Err(error),
            }
        }
        if !handed.accepted.is_empty() {
            connection.command(Data).await.map_err(told_apart)?;
            connection.message(raw).await.map_err(told_apart)?;
        }
        Ok(handed)
    }

    /// Connects and logs in, and sends nothing.
    ///
    /// # Errors
    /// See [`MailError`].
    pub async fn check(&self) -> Result<(), MailError> {
        let connection = self.connect().await?;
        self.leave(connection).await;
        Ok(())
    }

    /// The mail is theirs, or nothing was to be sent: how the farewell goes does not matter.
    async fn leave(&self, mut connection: AsyncSmtpConnection) {
        if tokio::time::timeout(Duration::from_secs(5), connection.quit()).await.is_err() {
            tracing::debug!(server = %self.server(), "the mail server did not answer QUIT");
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, MailError> {
        let hello = ClientId::default();
        let tls = match self.security {
            Security::Plain => None,
            Security::Tls | Security::StartTls | Security::Opportunistic => Some(self.tls()?),
        };
        let (wrapper, upgrade) = if self.security == Security::Tls { (tls, None) } else { (None, tls) };
        let limit = self.connect_timeout;
        let address = (self.host.as_str(), self.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(address, Some(limit), &hello, wrapper, None);
        let mut connection = self.within(limit, "connecting", connecting).await?;
        if let Some(tls) = upgrade {
            if connection.can_starttls() {
                self.within(limit, "STARTTLS", connection.starttls(tls, &hello)).await?;
            } else if self.security == Security::StartTls {
                self.leave(connection).await;
                return Err(self.connection_error("it offers no STARTTLS, so nothing was sent".to_owned()));
            }
        }
        if let Some((user, password)) = &self.login {
            // The rule itself, whatever led here.
            if !connection.is_encrypted() && !is_loopback(&self.host) {
                return Err(self.connection_error("it is not encrypted, so no password was sent".to_owned()));
            }
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            let login = connection.auth(DEFAULT_MECHANISMS, &credentials);
            match tokio::time::timeout(limit, login).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(self.login_error(&error)),
                Err(_) => return Err(self.connection_error("no answer to the login".to_owned())),
            }
        }
        Ok(connection)
    }

    fn tls(&self) -> Result<TlsParameters, MailError> {
        TlsParameters::new(self.host.clone())
            .map_err(|error| self.connection_error(format!("TLS: {}", visible(&error.to_string()))))
    }

    async fn within<T>(
        &self,
        limit: Duration,
        step: &str,
        work: impl Future<Output = Result<T, SmtpError>>,
    ) -> Result<T, MailError> {
        match tokio::time::timeout(limit, work).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.told_apart(&error)),
            Err(_) => Err(self.no_end_of(step, limit)),
        }
    }

    fn no_end_of(&self, step: &str, limit: Duration) -> MailError {
        self.connection_error(format!("no end of {step} within {} s", limit.as_secs()))
    }

    fn told_apart(&self, error: &SmtpError) -> MailError {
        let server = self.server();
        // The source alone holds the server's words; the error's own text adds its class.
        let words = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        let reason = visible(&words).into_owned();
        match error.status().map(u16::from) {
            Some(code) if error.is_permanent() => MailError::Permanent { server, code, reason },
            Some(code) => MailError::Temporary { server, code, reason },
            None => self.connection_error(reason),
        }
    }

    fn login_error(&self, error: &SmtpError) -> MailError {
        match error.status().map(u16::from) {
            Some(code) => MailError::Login { server: self.server(), code },
            None if error.is_client() => self.connection_error("it offers no way to log in that is known".to_owned()),
            None => self.connection_error("the connection broke during the login".to_owned()),
        }
    }

    fn connection_error(&self, reason: String) -> MailError {
        MailError::Connection { server: self.server(), reason }
    }
}

fn security(implicit: bool, query: Option<&str>) -> Result<Security, SmtpUrlError> {
    match (implicit, query) {
        (true, None) => Ok(Security::Tls),
        (true, Some(_)) => Err(SmtpUrlError::TlsTwice),
        (false, None | Some("tls=required")) => Ok(Security::StartTls),
        (false, Some("tls=opportunistic")) => Ok(Security::Opportunistic),
        (false, Some("tls=none")) => Ok(Security::Plain),
        (false, Some(_)) => Err(SmtpUrlError::Extra),
    }
}

/// `host`, `host:port`, `[::1]:port`.
fn host_and_port(authority: &str) -> Result<(String, Option<u16>), SmtpUrlError> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => {
            host.parse::<std::net::Ipv6Addr>().map_err(|_| SmtpUrlError::Host)?;
            let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or(SmtpUrlError::Port)?) };
            (host, port)
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if host.contains('/') || port.is_some_and(|port| port.contains('/')) {
        return Err(SmtpUrlError::Extra);
    }
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(is_host) {
        return Err(SmtpUrlError::Host);
    }
    let port = port.map(|text| text.parse().ok().filter(|&port| port > 0).ok_or(SmtpUrlError::Port)).transpose()?;
    Ok((host.to_owned(), port))
}

/// Whether the name can mean no other machine.
fn is_loopback(host: &str) -> bool {
    let name = host.to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// `finance%40example.com` → `finance@example.com`; `None` when it is empty, broken or holds controls.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.extend(hex::decode(digits).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let decoded = String::from_utf8(bytes).ok()?;
    (!decoded.is_empty() && !decoded.contains(char::is_control)).then_some(decoded)
}
