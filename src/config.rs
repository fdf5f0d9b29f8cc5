//! The configuration: TOML text → checked [`Settings`]; the only reader of the environment.
//!
//! All mistakes of a file are reported at once, each with its line and what to do; a secret's value
//! never is. What stands outside the file (a key file, the environment) is only asked for when it
//! is needed, so that listing notifications works without the merchant's key.

mod address;
mod bills;
mod document;
mod error;
mod read;
pub mod roster;
mod secret;
mod settings;

mod warnings;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::{ConfigError, Origin, Problem};
pub use secret::Credential;
pub use settings::{
    BillSource, Bills, Database, Email, Environment, Health, Language, MailWhen, Matching, Merchant, Notify, Platform,
    Push, Report, Resend, Run, Settings, SmtpServer, SmtpTls,
};
pub use warnings::{Level, Warning, warnings};

/// What `init` writes: every key, documented.
pub const TEMPLATE: &str = include_str!("config/template.toml");

/// What the template says where a person has to fill something in.
pub const PLACEHOLDER: &str = "FILL-IN";

/// Where a configuration is looked for when none is named, in this order.
pub const DEFAULT_FILES: [&str; 2] = ["./etcp-recon.toml", "/etc/etcp-recon/config.toml"];

/// Looks up an environment variable; an argument so that tests need no environment.
pub type Env<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

/// The process's own environment.
pub fn system_env(name: &str) -> Option<OsString> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    std::env::var_os(name)
}

/// The configuration named by `--config`, else the first of [`DEFAULT_FILES`] that exists.
///
/// # Errors
/// When there is none, it cannot be read, or something in it is wrong.
pub fn load(explicit: Option<&Path>, env: &Env<'_>) -> Result<Settings, ConfigError> {
    load_file(&locate(explicit, &DEFAULT_FILES.map(Path::new))?, env)
}

/// `explicit`, else the first of `candidates` that exists.
///
/// # Errors
/// When none does; a file that is named is not looked at here.
pub fn locate(explicit: Option<&Path>, candidates: &[&Path]) -> Result<PathBuf, ConfigError> {
    if let Some(file) = explicit {
        return Ok(file.to_owned());
    }
    // A file that may not be looked at counts as there: reading it says why it cannot be read.
    let found = candidates.iter().find(|file| file.try_exists().unwrap_or(true));
    found
        .map(|file| file.to_path_buf())
        .ok_or_else(|| ConfigError::NotFound { looked_for: candidates.iter().map(|file| file.to_path_buf()).collect() })
}

/// The settings in `file`.
///
/// # Errors
/// When it cannot be read or something in it is wrong.
pub fn load_file(file: &Path, env: &Env<'_>) -> Result<Settings, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { file: file.to_owned(), source: Arc::new(source) };
    let bytes = std::fs::read(file).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|err| {
        let good = err.as_bytes().get(..err.utf8_error().valid_up_to()).unwrap_or_default();
        let line = document::line_of(good, good.len());
        let message = "this line is not UTF-8 text".to_owned();
        let hint = Some("save the file as UTF-8".to_owned());
        let problem = Problem { origin: Origin::File { line: Some(line) }, key: String::new(), message, hint };
        ConfigError::Invalid { file: file.to_owned(), problems: vec![problem] }
    })?;
    parse(&text, file, env)
}

/// The settings in `text`, as if it stood in `file` (which relative paths count from).
///
/// # Errors
/// When something in it is wrong; all of it is told.
pub fn parse(text: &str, file: &Path, env: &Env<'_>) -> Result<Settings, ConfigError> {
    read::settings(text, file, env)
}

#[cfg(test)]
mod tests;
