//! What the rest of the program gets: checked values in plain types, defaults filled in, paths made
//! whole. `Debug` shows no secret.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::secret::Credential;
use crate::bills;
use crate::model::{Amount, BusinessDate};

/// A whole configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file it was read from.
    pub file: PathBuf,
    /// The folder beside the file that holds the schedules; it need not exist.
    pub schedules: PathBuf,
    /// `[merchant]`
    pub merchant: Merchant,
    /// `[platform]`
    pub platform: Platform,
    /// `[database]`
    pub database: Database,
    /// `[bills]`
    pub bills: Bills,
    /// `[matching]`
    pub matching: Matching,
    /// `[run]`
    pub run: Run,
    /// `[notify]`
    pub notify: Notify,
    /// `[report]`
    pub report: Report,
    /// `[push]`, when there is one.
    pub push: Option<Push>,
    /// `[health]`
    pub health: Health,
    /// Files in which a secret stands and which should be readable by their owner only.
    pub guarded_files: Vec<PathBuf>,
}

/// Who we are on the platform.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// The merchant's number.
    pub merchant_no: String,
    /// The application's id.
    pub app_id: String,
    /// The key that signs requests.
    pub merchant_key: Credential,
}

/// Which of the platform's addresses is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// The real one.
    Production,
    /// The platform's own test address.
    Test,
    /// An address of the configuration's own: a sandbox or a gateway.
    Custom,
}

/// How the platform is spoken to.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Which address it is.
    pub environment: Environment,
    /// Scheme, host and perhaps a path, without a slash at the end.
    pub base_url: String,
    /// For a whole request.
    pub timeout: Duration,
    /// Requests at the same time.
    pub max_concurrency: usize,
    /// Requests begun in a second; 0: no limit.
    pub max_requests_per_second: u32,
    /// How often a read is repeated after a fault; a payment never is.
    pub retries: u32,
    /// Whether white space is left out of the signed text.
    pub strip_whitespace: bool,
}

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file of `SQLite`.
    Sqlite(PathBuf),
}

/// Where bills come from.
#[derive(Clone, Debug)]
pub struct Bills {
    /// The folder that is looked through.
    pub inbox: PathBuf,
    /// The sources, in the order of the file; one named `default` that takes every file when none is configured.
    pub sources: Vec<BillSource>,
}

/// One source of bills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillSource {
    /// Glob of its files within the inbox; checked.
    pub files: String,
    /// Whether a date without its bill is incomplete.
    pub required: bool,
    /// Its name, and how its bills are read.
    pub source: bills::BillSource,
}

/// `[matching]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matching {
    /// How many days before the date evidence is taken from.
    pub lookback_days: u32,
    /// How long after the exit a payment may be.
    pub grace: Duration,
}

/// `[run]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// When a run stops pulling and is partial.
    pub deadline: Duration,
}

/// Whether a notification whose absence was proved is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resend {
    /// Yes, after two complete reads without it.
    AfterProof,
    /// No: it is held for a person.
    Never,
}

/// `[notify]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Whether the platform is told of payments at all.
    pub enabled: bool,
    /// Nothing paid before this day is sent.
    pub not_before: Option<BusinessDate>,
    /// Notifications in a run.
    pub max_per_run: u32,
    /// The largest payment that is sent without a person.
    pub max_amount: Amount,
    /// The sum that a run may send.
    pub max_total: Amount,
    /// Whether a lost one is sent again.
    pub resend: Resend,
    /// How long the platform may take to book what it was told.
    pub settle_time: Duration,
}

/// The language of reports and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 中文
    Zh,
    /// English
    En,
}

/// `[report]`
#[derive(Clone, Debug)]
pub struct Report {
    /// In which language.
    pub language: Language,
    /// Where reports are written.
    pub dir: PathBuf,
    /// How long rendered reports are kept.
    pub keep_days: u32,
    /// `[report.email]`, when there is one.
    pub email: Option<Email>,
}

/// When a mail goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailWhen {
    /// After every run.
    Always,
    /// After a run with exceptions or one that is not complete.
    Exceptions,
    /// After a run that failed.
    Failure,
}

/// `[report.email]`
#[derive(Clone, Debug)]
pub struct Email {
    /// The sender: a mailbox, checked.
    pub from: String,
    /// The recipients, at least one.
    pub to: Vec<String>,
    /// Who gets a copy.
    pub cc: Vec<String>,
    /// The server; without one mails are written to the report folder.
    pub smtp: Option<SmtpServer>,
    /// When a mail goes out.
    pub when: MailWhen,
}

/// How a connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte (`smtps://`).
    Implicit,
    /// STARTTLS, or nothing is sent.
    Required,
    /// STARTTLS where the server has it.
    Opportunistic,
    /// None; on this machine only.
    None,
}

/// A mail server.
#[derive(Clone, Debug)]
pub struct SmtpServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// Who signs in; without one nobody does and there is no password.
    pub user: Option<String>,
    /// The user's password.
    pub password: Credential,
}

/// `[push]`: where the platform's pushes are received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The address that is listened on.
    pub listen: SocketAddr,
    /// What stands before `/entrance` and `/exit`; begins with a slash, does not end with one, may be empty.
    pub path_prefix: String,
}

/// `[health]`
#[derive(Clone, Debug)]
pub struct Health {
    /// Where health and metrics are served.
    pub listen: Option<SocketAddr>,
    /// Who is told after each finished run; secret, since such addresses are their own key.
    pub ping_url: Option<SecretString>,
}

impl BillSource {
    /// The source when none is configured: every file of the inbox, its format told from its content.
    pub fn any() -> Self {
        Self { files: "*".to_owned(), required: false, source: bills::BillSource::default() }
    }
}

impl Matching {
    /// The grace in whole seconds.
    pub fn grace_s(&self) -> i64 {
        i64::try_from(self.grace.as_secs()).unwrap_or(i64::MAX)
    }
}

impl Notify {
    /// The settle time in whole seconds, rounded up: waiting longer is safe.
    pub fn settle_s(&self) -> i64 {
        let up = u64::from(self.settle_time.subsec_nanos() > 0);
        i64::try_from(self.settle_time.as_secs().saturating_add(up)).unwrap_or(i64::MAX)
    }
}
