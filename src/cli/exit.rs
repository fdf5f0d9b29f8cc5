//! How a command ends: the exit codes, which error has which, and the error as people read it.

use std::io::Write;
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::jobs::init::InitError;
use crate::jobs::people::{ExceptionActError, PersonError};
use crate::jobs::push::NoPush;
use crate::jobs::reporting::NoReport;
use crate::jobs::roster::RosterFileError;
use crate::jobs::run::{Busy, Finished};
use crate::sandbox::serve::ServeError;
use crate::store::{RunStatus, StoreError};

/// The promised exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is done.
    Done,
    /// Nothing of it is to be trusted.
    Failed,
    /// Wrong usage or configuration; nothing was done.
    Usage,
    /// Done in part.
    Partial,
    /// Done, but the report could not be delivered.
    Undelivered,
    /// Done, exceptions are open, and that was to be told.
    Exceptions,
    /// Another run holds the lock; nothing was done.
    Busy,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::Undelivered => 4,
            Self::Exceptions => 10,
            // EX_TEMPFAIL of sysexits.h.
            Self::Busy => 75,
        }
    }

    /// How a run that came to its end ends.
    pub fn of_run(finished: &Finished, fail_on_exceptions: bool) -> Self {
        match finished.status {
            RunStatus::Failed => Self::Failed,
            RunStatus::Partial => Self::Partial,
            RunStatus::Complete if finished.undelivered.is_some() => Self::Undelivered,
            RunStatus::Complete if fail_on_exceptions && finished.summary.exceptions.closing > 0 => Self::Exceptions,
            RunStatus::Complete => Self::Done,
        }
    }

    /// How an error ends a command: what was found before anything was done is usage, the rest failure.
    pub fn of_error(error: &anyhow::Error) -> Self {
        let is_usage = error.is::<Misuse>()
            || has::<ConfigError>(error)
            || has::<RosterFileError>(error)
            || has::<PersonError>(error)
            || has::<ExceptionActError>(error)
            || has::<NoPush>(error)
            || has::<NoReport>(error)
            || error.chain().any(|cause| {
                matches!(cause.downcast_ref(), Some(StoreError::Foreign { .. }))
                    || matches!(cause.downcast_ref(), Some(InitError::Exists { .. }))
                    || matches!(
                        cause.downcast_ref(),
                        Some(
                            ServeError::Exists { .. }
                                | ServeError::TooManyPlates { .. }
                                | ServeError::TooManyOrders { .. }
                                | ServeError::Push(_)
                        )
                    )
            });
        match is_usage {
            _ if has::<Busy>(error) => Self::Busy,
            true => Self::Usage,
            false => Self::Failed,
        }
    }
}

fn has<E: std::error::Error + Send + Sync + 'static>(error: &anyhow::Error) -> bool {
    error.is::<E>() || error.chain().any(<dyn std::error::Error>::is::<E>)
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What the user asked for cannot be done; nothing was.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misuse(pub String);

/// Prints an error once on standard error, and says how the program ends.
pub fn report(error: &anyhow::Error) -> Exit {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let text = format!("{red}error:{red:#} {}", told(error));
    // Where standard error is gone nobody can be told; the exit code still says it.
    writeln!(anstream::stderr(), "{text}").ok();
    Exit::of_error(error)
}

/// The chain as people read it: what failed, below it why, indented, and last what to do.
fn told(error: &anyhow::Error) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut hints: Vec<String> = Vec::new();
    let mut before = String::new();
    for (depth, cause) in error.chain().enumerate() {
        let text = cause.to_string();
        // Some errors repeat their source in their own words.
        if depth > 0 && before.contains(&text) {
            continue;
        }
        let mut of_cause: Vec<&str> = text.lines().collect();
        if let Some(hint) = of_cause.pop_if(|line| line.starts_with("hint: ")) {
            hints.push(hint.to_owned());
        }
        let indent = if depth > 0 { "  " } else { "" };
        lines.extend(of_cause.iter().map(|line| format!("{indent}{line}")));
        before = text;
    }
    hints.dedup();
    lines.extend(hints);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn causes_stand_below_what_failed_and_hints_last() {
        let cause = std::io::Error::other("disk full");
        let error = anyhow::Error::new(cause).context("cannot write a.csv\nhint: make room").context("no report");
        assert_eq!(told(&error), "no report\n  cannot write a.csv\n  disk full\nhint: make room");
    }

    #[test]
    fn hints_of_several_mistakes_stay_with_them() {
        let error = anyhow::anyhow!("a:1: bad\nhint: one\na:2: bad\nhint: two");
        assert_eq!(told(&error), "a:1: bad\nhint: one\na:2: bad\nhint: two");
    }

    #[test]
    fn a_cause_that_was_told_already_is_not_told_again() {
        let error = anyhow::Error::new(std::io::Error::other("disk full")).context("writing: disk full");
        assert_eq!(told(&error), "writing: disk full");
    }

    #[test]
    fn the_exit_code_is_found_under_any_context() {
        let busy = || Busy { path: "a.db".into() };
        assert_eq!(Exit::of_error(&busy().into()), Exit::Busy);
        assert_eq!(Exit::of_error(&Err::<(), _>(busy()).context("x").unwrap_err()), Exit::Busy);
        let nowhere = ConfigError::NotFound { looked_for: Vec::new() };
        assert_eq!(Exit::of_error(&anyhow::Error::new(nowhere).context("x").context("y")), Exit::Usage);
        let foreign = StoreError::Foreign {
            path: "a.db".into(),
            what: "merchant number",
            stored: "1".into(),
            configured: "2".into(),
        };
        assert_eq!(Exit::of_error(&foreign.into()), Exit::Usage);
        assert_eq!(Exit::of_error(&StoreError::Refused("x".into()).into()), Exit::Failed);
        assert_eq!(Exit::of_error(&Misuse("x".into()).into()), Exit::Usage);
        assert_eq!(Exit::of_error(&anyhow::anyhow!("x")), Exit::Failed);
    }
}
