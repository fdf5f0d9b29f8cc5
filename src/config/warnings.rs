//! What is allowed but wants a person's eye; `check` shows it, and a run says it once.

use std::path::Path;

use secrecy::ExposeSecret;

use super::settings::{Settings, SmtpTls};

/// A key below this can be tried out from one overheard request: the signature is a bare MD5.
const SHORT_KEY_CHARS: usize = 16;

/// How much a warning matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Good to know.
    Info,
    /// To be changed.
    Warning,
}

/// Something that is allowed but deserves a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// How much it matters.
    pub level: Level,
    /// What it is.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// What deserves a look in these settings; reads the permissions of files that hold secrets.
pub fn warnings(settings: &Settings) -> Vec<Warning> {
    let mut found: Vec<Warning> = settings.guarded_files.iter().filter_map(|file| open_to_others(file)).collect();
    found.extend(short_key(settings));
    found.extend(password_in_clear(settings));
    found.extend(notifying(settings));
    found
}

fn warning(message: impl Into<String>, hint: impl Into<String>) -> Warning {
    Warning { level: Level::Warning, message: message.into(), hint: hint.into() }
}

#[cfg(unix)]
fn open_to_others(file: &Path) -> Option<Warning> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(file).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| {
        let shown = file.display();
        warning(format!("{shown} holds a secret and is open to others than its owner"), format!("chmod 600 {shown}"))
    })
}

#[cfg(not(unix))]
fn open_to_others(_file: &Path) -> Option<Warning> {
    None
}

fn short_key(settings: &Settings) -> Option<Warning> {
    let key = settings.merchant.merchant_key.get().ok()?;
    (key.expose_secret().chars().count() < SHORT_KEY_CHARS).then(|| {
        warning(
            format!("the merchant key has fewer than {SHORT_KEY_CHARS} characters"),
            "see whether it was copied whole; if it was, ask ETCP for a longer one",
        )
    })
}

fn password_in_clear(settings: &Settings) -> Option<Warning> {
    let smtp = settings.report.email.as_ref()?.smtp.as_ref()?;
    (smtp.tls == SmtpTls::Opportunistic && smtp.user.is_some()).then(|| {
        warning(
            "tls=opportunistic in `report.email.smtp` sends the password in clear if the server offers no TLS",
            "use tls=required",
        )
    })
}

fn notifying(settings: &Settings) -> Option<Warning> {
    let notify = &settings.notify;
    let (message, hint) = match (notify.enabled, notify.not_before) {
        (false, _) => (
            "`notify.enabled` is false: the platform is told of no payment",
            "look at `etcp-recon run --dry-run`; when its notify_due are right, set `notify.enabled` to true",
        ),
        (true, None) => (
            "`notify.not_before` is not set: payments of all days in the evidence may be sent",
            "set it to the first day whose payments this program should send",
        ),
        (true, Some(_)) => return None,
    };
    Some(Warning { level: Level::Info, message: message.to_owned(), hint: hint.to_owned() })
}
