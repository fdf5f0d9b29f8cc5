//! TOML → [`Settings`]: one function a section, in the order of the template.
//!
//! A value that is wrong is noted and replaced by anything; the settings are only handed out when
//! nothing was noted.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::document::{Document, Section};
use super::error::{ConfigError, Origin, Problem};
use super::secret::{self, Places};
use super::settings::{
    Database, Email, Environment, Health, Language, MailWhen, Matching, Merchant, Notify, Platform, Push, Report,
    Resend, Run, Settings, SmtpServer,
};
use super::{Env, PLACEHOLDER, address, bills};
use crate::model::Amount;

/// The platform's address, document §4 (its PDF lost a dot).
const PRODUCTION_URL: &str = "https://mapi.etcp.cn";
/// The platform's test address; it has no HTTPS.
const TEST_URL: &str = "http://mapi.test.etcp.cn";
/// A settle time below this would take a slow booking for a lost one.
const SHORTEST_DEFAULT_SETTLE: Duration = Duration::from_secs(5);
/// The largest amount that goes out without a person, 1000.00.
const MAX_AMOUNT_FEN: i64 = 100_000;
/// The largest sum of a run, 1,000,000.00.
const MAX_TOTAL_FEN: i64 = 100_000_000;
/// Rendered reports are kept for a year and a month; evidence is kept for ever.
const KEEP_DAYS: u32 = 400;

const MERCHANT_KEY: Places =
    Places { variable: "ETCP_RECON_MERCHANT_KEY", inline: "merchant_key", file: "merchant_key_file" };
const SMTP_PASSWORD: Places =
    Places { variable: "ETCP_RECON_SMTP_PASSWORD", inline: "password", file: "password_file" };
const DATABASE_URL: &str = "ETCP_RECON_DATABASE_URL";

/// What every section is read with.
struct Context<'a> {
    file: &'a Path,
    env: &'a Env<'a>,
    guarded: Vec<PathBuf>,
}

impl Context<'_> {
    /// A path of the configuration: relative ones count from its folder.
    fn path(&self, text: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(text)
    }
}

pub(super) fn settings(text: &str, file: &Path, env: &Env<'_>) -> Result<Settings, ConfigError> {
    let document = Document::new(text.strip_prefix('\u{feff}').unwrap_or(text));
    let table = document.table();
    let settings = table.as_ref().map(|table| whole(&document, document.root(table), file, env));
    drop(table);
    let problems = document.finish();
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        _ => Err(ConfigError::Invalid { file: file.to_owned(), problems }),
    }
}

pub(super) fn whole(document: &Document<'_>, root: Section<'_, '_>, file: &Path, env: &Env<'_>) -> Settings {
    let mut context = Context { file, env, guarded: Vec::new() };
    let merchant = merchant(root.section("merchant"), &mut context);
    let platform = platform(root.section("platform"));
    let settings = Settings {
        file: file.to_owned(),
        schedules: context.path("schedules"),
        merchant,
        database: database(document, root.section("database"), &context),
        bills: bills::bills(root.section("bills"), |path| context.path(path)),
        matching: matching(root.section("matching")),
        run: run(root.section("run")),
        notify: notify(root.section("notify"), platform.timeout),
        report: report(root.section("report"), &mut context),
        push: push(root.section("push")),
        health: health(root.section("health")),
        platform,
        guarded_files: Vec::new(),
    };
    root.finish();
    Settings { guarded_files: context.guarded, ..settings }
}

/// The channel number of a merchant that was given none of its own.
const DEFAULT_APP_ID: &str = "ETCP";

/// A text that must be there and filled in.
pub(super) fn required(section: &Section<'_, '_>, key: &'static str, hint: &str) -> String {
    let text = section.text(key);
    match text.map(str::trim) {
        None if !section.has(key) => section.missing(key, hint),
        Some("" | PLACEHOLDER) => section.problem(key, "{key} is not filled in", hint),
        None | Some(_) => {}
    }
    text.unwrap_or_default().trim().to_owned()
}

fn merchant(section: Section<'_, '_>, context: &mut Context<'_>) -> Merchant {
    let merchant_no =
        required(&section, "merchant_no", "write there the merchant number that ETCP gave you, in quotes");
    // The one that the platform's document shows in every example.
    let app_id = section.text("app_id").map_or(DEFAULT_APP_ID, str::trim).to_owned();
    let found = secret::read(&section, &MERCHANT_KEY, context.file, context.env);
    context.guarded.extend(found.guarded);
    section.finish();
    Merchant { merchant_no, app_id, merchant_key: found.credential }
}

fn platform(section: Section<'_, '_>) -> Platform {
    let choices = [("production", Environment::Production), ("test", Environment::Test)];
    let named = section.choice("environment", &choices);
    let hint = format!("use environment = \"test\" for {TEST_URL}, base_url for a sandbox or a gateway of your own");
    let own = section.parsed("base_url", "https://HOST, or http:// on this machine", address::base_url);
    match (section.has("environment"), section.has("base_url")) {
        (true, true) => section.problem(
            "base_url",
            "{key} and `platform.environment` are both given",
            &format!("keep one of them; {hint}"),
        ),
        (false, false) => {
            let hint =
                "write environment = \"production\" or \"test\", or base_url = \"http://127.0.0.1:PORT\" for a sandbox";
            section.missing("environment", hint);
        }
        _ => {}
    }
    let environment = named.unwrap_or(Environment::Custom);
    let base_url = match environment {
        Environment::Production => PRODUCTION_URL.to_owned(),
        Environment::Test => TEST_URL.to_owned(),
        Environment::Custom => own.unwrap_or_default(),
    };
    let signature = section.section("signature");
    let platform = Platform {
        environment,
        base_url,
        timeout: section.positive_duration("timeout").unwrap_or(Duration::from_secs(10)),
        max_concurrency: section.integer("max_concurrency", 1_u16..=256).unwrap_or(8).into(),
        max_requests_per_second: section.integer("max_requests_per_second", 0..=100_000).unwrap_or(20),
        retries: section.integer("retries", 0..=10).unwrap_or(3),
        strip_whitespace: signature.boolean("strip_whitespace").unwrap_or(false),
    };
    signature.finish();
    section.finish();
    platform
}

fn database(document: &Document<'_>, section: Section<'_, '_>, context: &Context<'_>) -> Database {
    let written = section.secret("url");
    let from_env = secret::variable(DATABASE_URL, context.env);
    let result = match (&from_env, &written) {
        (Some(Ok(url)), _) | (None, Some(url)) => database_file(url.expose_secret()),
        (Some(Err(_)), _) => Err("is not UTF-8 text".to_owned()),
        (None, None) => Ok("recon.db"),
    };
    let hint = "write url = \"sqlite:recon.db\"; the path counts from the folder of the configuration";
    match (&result, &from_env) {
        (Ok(_), _) => {}
        (Err(why), None) => section.problem("url", &format!("{{key}} {why}"), hint),
        (Err(why), Some(_)) => document.note(Problem {
            origin: Origin::Environment,
            key: DATABASE_URL.to_owned(),
            message: format!("{DATABASE_URL} {why}"),
            hint: Some(hint.to_owned()),
        }),
    }
    section.finish();
    Database::Sqlite(context.path(result.unwrap_or_default()))
}

/// The file of `sqlite:FILE`, `sqlite://FILE` or `sqlite:///FILE`. Errors never show the address.
fn database_file(url: &str) -> Result<&str, String> {
    let (scheme, rest) = url.split_once(':').ok_or("is no address: it has no `sqlite:` before the file")?;
    match scheme {
        "sqlite" => {}
        "postgres" | "postgresql" => return Err("asks for PostgreSQL, which cannot be used yet".to_owned()),
        _ => return Err("is of a kind that is not known".to_owned()),
    }
    let file = rest.strip_prefix("//").unwrap_or(rest);
    match file {
        "" => Err("names no file".to_owned()),
        _ if file.starts_with(':') => Err("must name a file: what was notified has to outlive the program".to_owned()),
        _ if file.contains('?') => Err("has options after `?`, which are not taken".to_owned()),
        file => Ok(file),
    }
}

fn matching(section: Section<'_, '_>) -> Matching {
    let matching = Matching {
        lookback_days: section.integer("lookback_days", 0..=366).unwrap_or(7),
        grace: section.duration("grace").unwrap_or(Duration::from_mins(30)),
    };
    section.finish();
    matching
}

fn run(section: Section<'_, '_>) -> Run {
    let run = Run { deadline: section.positive_duration("deadline").unwrap_or(Duration::from_hours(4)) };
    section.finish();
    run
}

fn notify(section: Section<'_, '_>, timeout: Duration) -> Notify {
    let fen = |fen| Amount::from_fen(fen).expect("a default lies within the amounts");
    let resend = [("after_proof", Resend::AfterProof), ("never", Resend::Never)];
    let notify = Notify {
        enabled: section.boolean("enabled").unwrap_or(false),
        not_before: section.date("not_before"),
        max_per_run: section.integer("max_per_run", 0..=u32::MAX).unwrap_or(10_000),
        max_amount: section.amount("max_amount").unwrap_or(fen(MAX_AMOUNT_FEN)),
        max_total: section.amount("max_total").unwrap_or(fen(MAX_TOTAL_FEN)),
        resend: section.choice("resend", &resend).unwrap_or(Resend::AfterProof),
        settle_time: section
            .duration("settle_time")
            .unwrap_or_else(|| timeout.saturating_mul(2).max(SHORTEST_DEFAULT_SETTLE)),
    };
    section.finish();
    notify
}

fn report(section: Section<'_, '_>, context: &mut Context<'_>) -> Report {
    let email = section.section("email");
    let report = Report {
        language: section.choice("language", &[("zh", Language::Zh), ("en", Language::En)]).unwrap_or(Language::Zh),
        dir: context.path(section.text("dir").unwrap_or("reports")),
        keep_days: section.integer("keep_days", 1..=36_500).unwrap_or(KEEP_DAYS),
        email: email.is_present().then(|| self::email(email, context)),
    };
    section.finish();
    report
}

fn email(section: Section<'_, '_>, context: &mut Context<'_>) -> Email {
    let from = required(&section, "from", "write there the sender's address");
    let (to, cc) = (mailboxes(&section, "to"), mailboxes(&section, "cc"));
    if to.is_empty() {
        section.missing("to", "write there who gets the report: one address or a list");
    }
    if !from.is_empty() && from != PLACEHOLDER {
        check_mailbox(&section, "from", &from);
    }
    let address = section.parsed("smtp", "smtps://user@host:465 or smtp://host:587?tls=required", address::smtp);
    let found = secret::read(&section, &SMTP_PASSWORD, context.file, context.env);
    let smtp = address.map(|address| SmtpServer {
        host: address.host,
        port: address.port,
        tls: address.tls,
        user: address.user,
        password: found.credential,
    });
    context.guarded.extend(found.guarded);
    let whens = [("always", MailWhen::Always), ("exceptions", MailWhen::Exceptions), ("failure", MailWhen::Failure)];
    let when = section.choice("when", &whens).unwrap_or(MailWhen::Always);
    section.finish();
    Email { from, to, cc, smtp, when }
}

fn mailboxes(section: &Section<'_, '_>, key: &'static str) -> Vec<String> {
    let texts: Vec<String> = section.texts(key).into_iter().map(|text| text.trim().to_owned()).collect();
    for text in &texts {
        check_mailbox(section, key, text);
    }
    texts
}

fn check_mailbox(section: &Section<'_, '_>, key: &'static str, text: &str) {
    if text.parse::<lettre::message::Mailbox>().is_err() {
        let message = format!("{{key}}: `{}` is not a mail address", text.escape_debug());
        section.problem(key, &message, "write name@example.com or \"Name <name@example.com>\"");
    }
}

fn push(section: Section<'_, '_>) -> Option<Push> {
    let listen = listen(&section);
    let path_prefix = section.parsed("path_prefix", "a path such as \"/push\"", path_prefix);
    if section.is_present() && !section.has("listen") {
        section.missing("listen", "write listen = \"127.0.0.1:8088\", the address that the platform's pushes reach");
    }
    section.finish();
    listen.map(|listen| Push { listen, path_prefix: path_prefix.unwrap_or_else(|| "/push".to_owned()) })
}

fn listen(section: &Section<'_, '_>) -> Option<SocketAddr> {
    let parse = |text: &str| text.parse().map_err(|_| format!("`{}` is not an address", text.escape_debug()));
    section.parsed("listen", "an IP address with a port, such as \"127.0.0.1:8088\"", parse)
}

fn path_prefix(text: &str) -> Result<String, String> {
    let path = text.trim_end_matches('/');
    let is_plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b));
    if (path.is_empty() || path.starts_with('/')) && is_plain && !path.contains("//") {
        Ok(path.to_owned())
    } else {
        Err(format!("`{}` is no path", text.escape_debug()))
    }
}

fn health(section: Section<'_, '_>) -> Health {
    let listen = listen(&section);
    let check = |text: &str| address::ping_url(text).map(|()| SecretString::from(text));
    let ping_url = section.parsed("ping_url", "https://HOST/…", check);
    section.finish();
    Health { listen, ping_url }
}
