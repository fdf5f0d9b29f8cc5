//! What the user typed, and what the user gets to read.
//!
//! Standard output carries the answer, alone and whole; progress, logs and errors go to standard error. A
//! handler per command loads the settings, calls its job and puts the answer on a page.

mod args;
mod audit;
mod bill;
mod check;
mod console;
mod demo;
mod exceptions;
pub mod exit;
mod import;
mod init;
mod logging;
mod matching;
mod notifications;
mod page;
mod plates;
mod platform;
mod progress;
mod push;
mod report;
mod run;
mod sandbox;
mod show;
mod words;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;

pub use args::{Arguments, Command, Global};
use console::Console;
use exit::Exit;

use crate::bills::BillSource;
use crate::clock::Clock;
use crate::config::{self, ConfigError, Settings};
use crate::jobs::inbox::ClaimedSource;
use crate::jobs::mailing;
use crate::report::Lang;

/// What the user typed, or how the program ends without it: help and version are printed, a mistake is told.
///
/// # Errors
/// With [`Exit::Done`] after help and version, with [`Exit::Usage`] after a mistake.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, Exit> {
    Arguments::try_parse_from(arguments).map_err(|error| {
        // A pipe that closed is nobody's loss; the exit code says the rest.
        error.print().ok();
        if error.use_stderr() { Exit::Usage } else { Exit::Done }
    })
}

/// What every command has at hand.
pub struct App {
    config: Option<PathBuf>,
    lang: Option<Lang>,
    console: Console,
    clock: Clock,
}

impl App {
    /// Sets up logging and the terminal as the user wants them.
    pub fn new(global: &Global) -> Self {
        let console = Console::new(global);
        logging::start(global, &console);
        let lang = global.lang.map(Into::into);
        Self { config: global.config.clone(), lang, console, clock: Clock::System }
    }

    /// The configuration.
    fn settings(&self) -> Result<Settings, ConfigError> {
        config::load(self.config.as_deref(), &config::system_env)
    }

    /// The language of a command that has a configuration.
    fn lang(&self, settings: &Settings) -> Lang {
        self.lang.unwrap_or_else(|| mailing::lang(&settings.report))
    }

    /// The language of a command without.
    fn lang_alone(&self) -> Lang {
        self.lang.unwrap_or_default()
    }
}

/// The configured source of that name.
fn named_source<'a>(sources: &'a [ClaimedSource], name: &str) -> anyhow::Result<&'a BillSource> {
    let names = || sources.iter().map(|claimed| claimed.source.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = sources.iter().map(|claimed| &claimed.source).find(|source| source.name == name);
    found.with_context(|| format!("no [[bills.source]] is named {name:?}\nhint: the config has {}", names()))
}

/// Runs a command to its end.
///
/// # Errors
/// When it failed; [`exit::report`] says so and knows the exit code.
pub async fn execute(app: &App, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Demo(args) => Box::pin(demo::demo(app, args)).await,
        Command::Init(args) => init::init(app, &args),
        Command::Check(args) => check::check(app, &args).await,
        Command::Run(args) => Box::pin(run::run(app, &args)).await,
        Command::Report(args) => Box::pin(report::report(app, &args)).await,
        Command::Import(args) => import::import(app, &args),
        Command::Match(args) => matching::matching(app, &args),
        Command::Show(args) => show::show(app, &args),
        Command::Exceptions(args) => exceptions::exceptions(app, &args),
        Command::Notifications(args) => notifications::notifications(app, args),
        Command::Plates(args) => plates::plates(app, args.command).await,
        Command::Platform(args) => platform::platform(app, args.command).await,
        Command::Push(args) => push::push(app, args.command).await,
        Command::Sandbox(args) => sandbox::sandbox(app, args).await,
        Command::Audit(args) => audit::audit(app, args.command),
    }
}
