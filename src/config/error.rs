//! What can be wrong with a configuration. Every one of these ends the program with exit code 2.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why there are no settings.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConfigError {
    /// No file was named and none stands in the usual places.
    #[error(
        "no configuration found; looked for {}\nhint: run `etcp-recon init` to write one, or name one with --config FILE",
        list(looked_for)
    )]
    NotFound {
        /// The places, in the order they were looked at.
        looked_for: Vec<PathBuf>,
    },
    /// The file is not there or may not be read; the source says why.
    #[error("cannot read the configuration {}\nhint: check the path given with --config and the file's permissions", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: Arc<std::io::Error>,
    },
    /// Something in the file, in a secret's file or in the environment is wrong.
    #[error("{}", lines(file, problems))]
    Invalid {
        /// The configuration.
        file: PathBuf,
        /// What is wrong, in the order of the file; never empty.
        problems: Vec<Problem>,
    },
}

/// One mistake and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub origin: Origin,
    /// The key with its sections (`notify.enabled`), or the name of the environment variable; empty for broken TOML.
    pub key: String,
    /// What is wrong. Names the value, unless it is a secret.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The configuration file; no line for what is missing altogether.
    File {
        /// The line, from 1.
        line: Option<usize>,
    },
    /// An environment variable.
    Environment,
}

impl ConfigError {
    /// The exit code of every configuration error.
    pub const EXIT_CODE: u8 = 2;
}

impl Problem {
    fn write(&self, f: &mut fmt::Formatter<'_>, file: &Path) -> fmt::Result {
        match self.origin {
            Origin::File { line: Some(line) } => write!(f, "{}:{line}: ", file.display())?,
            Origin::File { line: None } => write!(f, "{}: ", file.display())?,
            Origin::Environment => f.write_str("environment: ")?,
        }
        f.write_str(&self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, "\nhint: {hint}"))
    }
}

fn list(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", then ")
}

fn lines(file: &Path, problems: &[Problem]) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        problems.iter().enumerate().try_for_each(|(index, problem)| {
            f.write_str(if index > 0 { "\n" } else { "" })?;
            problem.write(f, file)
        })
    })
}
