//! Secrets: from the environment, else from a file, else from the configuration itself.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::document::Section;
use super::error::{ConfigError, Origin, Problem};
use super::{Env, PLACEHOLDER};

/// More than any key or password; a larger file is not one.
const MAX_SECRET_BYTES: u64 = 4096;

/// A secret, or why there is none. The reason waits until somebody asks: a command that needs no
/// secret runs without.
#[derive(Clone)]
pub struct Credential(Result<SecretString, ConfigError>);

/// The three places of one secret.
pub(super) struct Places {
    /// The environment variable.
    pub(super) variable: &'static str,
    /// The key of the secret itself.
    pub(super) inline: &'static str,
    /// The key of the file that holds it.
    pub(super) file: &'static str,
}

/// What [`read`] found.
pub(super) struct Found {
    pub(super) credential: Credential,
    /// The file that holds the secret and should be its owner's only.
    pub(super) guarded: Option<PathBuf>,
}

impl Credential {
    /// A secret that is known, for tests and the demo.
    pub fn new(secret: SecretString) -> Self {
        Self(Ok(secret))
    }

    /// The secret.
    ///
    /// # Errors
    /// When it stands nowhere, or its file cannot be read.
    pub fn get(&self) -> Result<SecretString, ConfigError> {
        self.0.clone()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_ok() { "Credential(set)" } else { "Credential(not set)" })
    }
}

/// Looks for a secret in its places. What is wrong in the configuration itself is noted there.
pub(super) fn read(section: &Section<'_, '_>, places: &Places, config: &Path, env: &Env<'_>) -> Found {
    let inline = section.secret(places.inline);
    let file = section.text(places.file);
    if inline.is_some() && file.is_some() {
        let message = format!("{{key}} and `{}` are both given", places.file);
        section.problem(places.inline, &message, "keep one of them");
    }
    if let Some(value) = variable(places.variable, env) {
        let overruled = inline.is_some_and(|secret| !is_blank(secret.expose_secret()));
        let credential = Credential(value.map_err(|problem| invalid(config, problem)));
        return Found { credential, guarded: overruled.then(|| config.to_owned()) };
    }
    if let Some(secret) = inline {
        check_inline(section, places, &secret);
        return Found { credential: Credential::new(secret), guarded: Some(config.to_owned()) };
    }
    let Some(name) = file else {
        return Found { credential: Credential(Err(invalid(config, nowhere(section, places)))), guarded: None };
    };
    let (path, guarded) = secret_path(name, config, env);
    let secret = read_file(&path).map_err(|why| {
        let hint = format!("put the secret there, alone on one line, or set {}", places.variable);
        let message = format!("`{}`: {}: {why}", section.name(places.file), path.display());
        invalid(
            config,
            Problem {
                origin: Origin::File { line: section.line(places.file) },
                key: section.name(places.file),
                message,
                hint: Some(hint),
            },
        )
    });
    Found { credential: Credential(secret), guarded: guarded.then_some(path) }
}

/// The value of a variable without line ends; unset and empty are the same.
pub(super) fn variable(name: &str, env: &Env<'_>) -> Option<Result<SecretString, Problem>> {
    let value = env(name).filter(|value| !value.is_empty())?;
    let trimmed = |text: String| SecretString::from(text.trim_end_matches(['\r', '\n']));
    Some(value.into_string().map(trimmed).map_err(|_| Problem {
        origin: Origin::Environment,
        key: name.to_owned(),
        message: format!("{name} is not UTF-8 text"),
        hint: None,
    }))
}

fn invalid(config: &Path, problem: Problem) -> ConfigError {
    ConfigError::Invalid { file: config.to_owned(), problems: vec![problem] }
}

fn nowhere(section: &Section<'_, '_>, places: &Places) -> Problem {
    let message = format!("`{}` is not set", section.name(places.inline));
    let hint = format!("set {}, or give `{}` or `{}`", places.variable, places.file, places.inline);
    Problem {
        origin: Origin::File { line: section.line(places.inline) },
        key: section.name(places.inline),
        message,
        hint: Some(hint),
    }
}

/// Whether nobody has filled it in yet.
fn is_blank(text: &str) -> bool {
    matches!(text.trim(), "" | PLACEHOLDER)
}

fn check_inline(section: &Section<'_, '_>, places: &Places, secret: &SecretString) {
    if is_blank(secret.expose_secret()) {
        let hint = format!("write the real one there, or give `{}`, or set {}", places.file, places.variable);
        section.problem(places.inline, "{key} is not filled in", &hint);
    }
}

/// Where a secret's file lies, and whether its permissions are ours to look after. A bare name is a
/// systemd credential when there is one of that name, whose permissions systemd sets.
fn secret_path(name: &str, config: &Path, env: &Env<'_>) -> (PathBuf, bool) {
    let is_bare = Path::new(name).components().count() == 1;
    let credential = env("CREDENTIALS_DIRECTORY").filter(|_| is_bare).map(|folder| Path::new(&folder).join(name));
    match credential.filter(|path| path.exists()) {
        Some(path) => (path, false),
        None => (config.parent().unwrap_or(Path::new("")).join(name), true),
    }
}

fn read_file(path: &Path) -> Result<SecretString, String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|err| err.to_string())?;
    let read = file.take(MAX_SECRET_BYTES).read_to_string(&mut text).map_err(|err| err.to_string())?;
    if u64::try_from(read).is_ok_and(|read| read == MAX_SECRET_BYTES) {
        return Err("the file is too large to be a key or a password".to_owned());
    }
    let secret = text.trim_end_matches(['\r', '\n']);
    if is_blank(secret) {
        return Err("the file is empty".to_owned());
    }
    if secret.contains('\n') {
        return Err("the file has more than one line".to_owned());
    }
    Ok(SecretString::from(secret))
}
