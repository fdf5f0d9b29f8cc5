//! The command line: every command, flag and example. Help is English; messages and tables follow `--lang`.

mod exceptions;
mod platform;
mod push;
mod report;
mod sandbox;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use exceptions::{ExceptionCommand, ExceptionsArgs, VerdictArgs, Which};
pub use platform::{BindArgs, LotsArgs, PlatformArgs, PlatformCommand, UnbindArgs};
pub use push::{PushArgs, PushCommand};
pub use report::{Form, ReportArgs};
pub use sandbox::SandboxArgs;

use crate::bills::Profile;
use crate::model::{BusinessDate, NotificationState};
use crate::report::Lang;

/// Nightly reconciliation of a parking merchant's payments with the ETCP open platform
///
/// Every night it pulls the platform's orders and unpaid fees for each bound plate, reads the day's payment bills,
/// matches the two to the cent, tells the platform of the payments that it has not booked, and mails the finance team
/// what does not agree.
///
/// 停车商户支付流水与 ETCP 开放平台的每日对账：拉取订单、读取账单、逐分核对、补发支付通知、邮件报告差异。
#[derive(Debug, Parser)]
#[command(name = "etcp-recon", version, max_term_width = 100, after_help = TOP_EXAMPLES, arg_required_else_help = true)]
pub struct Arguments {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const TOP_EXAMPLES: &str = "\
Examples:
  etcp-recon demo                        see it work, with nothing to set up
  etcp-recon init /etc/etcp-recon        write a configuration to fill in
  etcp-recon check                       is everything in its place
  etcp-recon plates import plates.csv    say which plates belong to which users
  etcp-recon run --dry-run               look at yesterday, tell nobody
  etcp-recon run                         reconcile yesterday

Exit codes:
  0 done   1 failed   2 wrong usage or configuration   3 done in part   4 report not delivered
  10 exceptions found (--fail-on-exceptions)   75 another run is under way";

/// What holds for every command.
#[derive(Args, Debug)]
pub struct Global {
    /// The configuration [default: ./etcp-recon.toml, then /etc/etcp-recon/config.toml]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub config: Option<PathBuf>,
    /// Say more: -v what is done, -vv details, -vvv everything (never secrets)
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet", help_heading = "Global options")]
    pub verbose: u8,
    /// Say less: errors only, no progress
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Global options")]
    pub quiet: u8,
    /// The language of messages and tables [default: that of the configuration]
    #[arg(long, global = true, value_enum, help_heading = "Global options")]
    pub lang: Option<Language>,
    /// Colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = "Global options")]
    pub color: Color,
}

/// The languages.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Language {
    /// 中文
    Zh,
    /// English
    En,
}

impl From<Language> for Lang {
    fn from(language: Language) -> Self {
        match language {
            Language::Zh => Self::Zh,
            Language::En => Self::En,
        }
    }
}

/// When there are colours.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play the whole job on built-in data against a built-in platform; nothing leaves this machine
    ///
    /// Two nights with every disposition: real HTTP on loopback, a real database, a real mail in a file. The folder with
    /// the reports is kept to be looked at.
    #[command(after_help = "Examples:\n  etcp-recon demo\n  etcp-recon demo --lang en --dir demo")]
    Demo(DemoArgs),
    /// Write a commented configuration and schedules to start from
    ///
    /// Nothing is ever overwritten: when something of it is there already, nothing is written.
    #[command(after_help = "Examples:\n  etcp-recon init\n  etcp-recon init /etc/etcp-recon")]
    Init(InitArgs),
    /// Look at everything that a run needs: each a line, ok or what to do
    ///
    /// Configuration, secrets, database, journal, platform and signature, clock, mail, inbox. Nothing is notified or
    /// mailed. Exit code 1 when something is wrong, 2 when it is the configuration.
    ///
    /// With --bill a bill is looked at instead: what it is, whether its totals agree, and what the first rows are read
    /// as, so that one can say in the config in which columns order id and plate stand. Exit code 3 when it is refused.
    #[command(
        after_help = "Examples:\n  etcp-recon check\n  etcp-recon check --json\n  etcp-recon check --bill inbox/1900000109All2026-03-17.csv\n  etcp-recon check --bill till.csv --source till --rows 3"
    )]
    Check(CheckArgs),
    /// Reconcile one date
    ///
    /// Reads the bills in the inbox, pulls the platform's orders and unpaid fees, matches, notifies the platform of
    /// payments that it has not booked, writes the report and mails it. It can be run again at any time: the same
    /// evidence gives the same result, and no payment is ever notified twice.
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Print the report of a date once more, or send it again
    ///
    /// The newest finished live run of the date counts, and its report comes byte for byte as the run made it. With
    /// --send it is mailed, under the same Message-ID as before, and whatever else waits in the outbox with it.
    #[command(after_help = report::EXAMPLES)]
    Report(ReportArgs),
    /// Read bills now
    ///
    /// A bill is imported whole or not at all and known by its content: importing it again changes nothing. Rows that
    /// cannot be read are set aside and listed. Exit code 3 when a bill was refused.
    #[command(after_help = "Examples:\n  etcp-recon import bill.csv\n  etcp-recon import --profile generic till-*.csv")]
    Import(ImportArgs),
    /// Match a bill with an orders file: no database, no platform, no configuration
    ///
    /// PAYMENTS is a bill of any known format, ORDERS a CSV with the header shown below.
    #[command(after_help = MATCH_EXAMPLES)]
    Match(MatchArgs),
    /// Tell all that is known of a payment, an order or a notification, and why it is called what it is
    #[command(
        after_help = "Examples:\n  etcp-recon show C-20261122-0007\n  etcp-recon show 2026112222001 --json\n  etcp-recon show '#7'"
    )]
    Show(ShowArgs),
    /// List what does not agree, and resolve what a person has dealt with
    #[command(after_help = exceptions::EXAMPLES, args_conflicts_with_subcommands = true)]
    Exceptions(ExceptionsArgs),
    /// List the notifications owed to the platform, and decide on those that wait for a person
    #[command(after_help = NOTIFICATIONS_EXAMPLES, args_conflicts_with_subcommands = true)]
    Notifications(NotificationsArgs),
    /// The roster: which plates belong to which users
    #[command(after_help = PLATES_EXAMPLES)]
    Plates(PlatesArgs),
    /// Ask the platform one thing, and print its answer readably
    #[command(after_help = platform::PLATFORM_EXAMPLES)]
    Platform(PlatformArgs),
    /// Receive the platform's pushes: cars that come and go
    Push(PushArgs),
    /// Serve the platform of the document on a local port, with faults on request
    ///
    /// A stateful model behind a real HTTP server: as strict as the document, with a ledger of its own, and connected
    /// to nothing but, with --push-url, a receiver of pushes on this machine. With --dir it writes a configuration, a roster and the bills that belong to it.
    #[command(after_help = sandbox::EXAMPLES, after_long_help = sandbox::GUIDE)]
    Sandbox(SandboxArgs),
    /// Prove that the journal was not changed
    #[command(after_help = "Examples:\n  etcp-recon audit verify")]
    Audit(AuditArgs),
}

/// `demo`
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Where everything is written, a new or empty folder [default: a fresh one of the system's]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `init`
#[derive(Args, Debug)]
pub struct InitArgs {
    /// Where to; made when it is missing
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
}

/// `check`
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Show instead how this bill would be read; nothing is imported
    #[arg(long, value_name = "FILE")]
    pub bill: Option<PathBuf>,
    /// With --bill: read it as a bill of this source
    #[arg(long, value_name = "NAME", requires = "bill")]
    pub source: Option<String>,
    /// With --bill: read it as this format
    #[arg(long, value_name = "NAME", value_parser = profile(), requires = "bill")]
    pub profile: Option<Profile>,
    /// With --bill: so many rows
    #[arg(long, value_name = "N", default_value_t = 10, requires = "bill")]
    pub rows: usize,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

const RUN_EXAMPLES: &str = "\
Examples:
  etcp-recon run                              yesterday
  etcp-recon run --date 2026-11-22 --dry-run  look only: nothing is notified, mailed or opened
  etcp-recon run --offline --no-email         judge again by what is stored
  etcp-recon run --json | jq .exceptions      the summary for machines";

/// `run`
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line are independent")]
pub struct RunArgs {
    /// The date that is reconciled, as 2026-11-22 [default: yesterday in Asia/Shanghai]
    #[arg(long, value_name = "DATE")]
    pub date: Option<BusinessDate>,
    /// Pull and store evidence, but notify, mail and open nothing
    #[arg(long, conflicts_with = "offline")]
    pub dry_run: bool,
    /// Judge by stored evidence only; nothing is notified
    #[arg(long)]
    pub offline: bool,
    /// Send no mail, whatever the configuration says
    #[arg(long)]
    pub no_email: bool,
    /// Print the summary as JSON, alone, on standard output
    #[arg(long)]
    pub json: bool,
    /// Exit with 10 when exceptions are open at the end
    #[arg(long)]
    pub fail_on_exceptions: bool,
}

/// `import`
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// The bills
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The format, instead of what the configuration or the content says
    #[arg(long, value_name = "NAME", value_parser = profile())]
    pub profile: Option<Profile>,
}

const MATCH_EXAMPLES: &str = "\
The header of ORDERS (remaining_fee is empty when the stay is closed):
  order_id,plate,parking_id,parking_fee,remaining_fee,cash,entrance_time,exit_time

Examples:
  etcp-recon match bill.csv --orders orders.csv
  etcp-recon match bill.csv --orders orders.csv --out result --json";

/// `match`
#[derive(Args, Debug)]
pub struct MatchArgs {
    /// The payments: a bill
    #[arg(value_name = "PAYMENTS")]
    pub payments: PathBuf,
    /// The orders
    #[arg(long, value_name = "ORDERS")]
    pub orders: PathBuf,
    /// Write exceptions.csv into this folder, which is made when it is missing
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the totals as JSON
    #[arg(long)]
    pub json: bool,
    /// How long after the exit a payment may still belong to the stay
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = humantime::parse_duration)]
    pub grace: Duration,
    /// The format of the bill
    #[arg(long, value_name = "NAME", value_parser = profile())]
    pub profile: Option<Profile>,
    /// Read the bill as the config says for this source: where order id and plate stand, names of columns
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
}

/// `show`
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// A payment id, an external order id, a refund id, a trade number, an order id, a push's synId, or the number of an
    /// exception; `#7` is always exception 7
    #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub id: String,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

const NOTIFICATIONS_EXAMPLES: &str = "\
Examples:
  etcp-recon notifications --status held
  etcp-recon notifications release C-20261122-0007 --note 'amount checked with the till'
  etcp-recon notifications void C-20261122-0009 --note 'refunded by hand'";

/// `notifications`
#[derive(Args, Debug)]
pub struct NotificationsArgs {
    /// A person's act; without one the list is printed
    #[command(subcommand)]
    pub act: Option<PersonCommand>,
    /// Only those in this state
    #[arg(long, value_name = "STATE", value_parser = state())]
    pub status: Option<NotificationState>,
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// What a person decides on a notification.
#[derive(Debug, Subcommand)]
pub enum PersonCommand {
    /// Let a held or rejected one be sent by the next run
    Release(PersonArgs),
    /// Keep one from being sent until it is released
    Hold(PersonArgs),
    /// Never send it: the payment is written off
    Void(PersonArgs),
}

/// Which notification, and why.
#[derive(Args, Debug)]
pub struct PersonArgs {
    /// Its external order id
    #[arg(value_name = "EXT")]
    pub external_order_id: String,
    /// Why; kept in the journal
    #[arg(long, value_name = "TEXT", value_parser = said())]
    pub note: String,
    /// Who decides [default: the system user]
    #[arg(long, value_name = "NAME", value_parser = said())]
    pub by: Option<String>,
}

const PLATES_EXAMPLES: &str = "\
Examples:
  etcp-recon plates import plates.csv
  etcp-recon plates list --json
  etcp-recon plates bind 13800000001 渝B757D0 --plate-color blue";

/// `plates`
#[derive(Args, Debug)]
pub struct PlatesArgs {
    /// The act.
    #[command(subcommand)]
    pub command: PlatesCommand,
}

/// What is done with the roster.
#[derive(Debug, Subcommand)]
pub enum PlatesCommand {
    /// List the plates and their users; phone numbers are masked
    List {
        /// Print the list as JSON
        #[arg(long)]
        json: bool,
    },
    /// Merge a CSV with the header mobile,plate,color into the roster
    ///
    /// `color` may be left out: 1 blue, 2 black, 3 yellow, 4 white. A plate has one user: the newer one counts.
    Import(PlatesImportArgs),
    /// Ask the platform to bind a plate to a user; then it is in the roster
    ///
    /// The platform allows 3 plates at once and 4 different ones a month for a phone. A plate has one user in the roster:
    /// the newer one counts. Asks first on a terminal. While a run is under way nothing is done: exit code 75.
    #[command(
        after_help = "Examples:\n  etcp-recon plates bind 13800000001 渝B757D0\n  etcp-recon plates bind 13800000001 渝AD12345 --plate-color white --yes"
    )]
    Bind(BindArgs),
    /// Ask the platform to unbind a plate; then it is gone from the roster
    ///
    /// Only a plate that this channel bound can be unbound. Asks first on a terminal. While a run is under way nothing is
    /// done: exit code 75.
    #[command(
        after_help = "Examples:\n  etcp-recon plates unbind 渝B757D0\n  etcp-recon plates unbind 渝B757D0 --mobile 13800000001 --yes"
    )]
    Unbind(UnbindArgs),
}

/// `plates import`
#[derive(Args, Debug)]
pub struct PlatesImportArgs {
    /// The CSV
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Take out the plates that the file does not name; shows them and asks first
    #[arg(long)]
    pub replace: bool,
    /// Do not ask
    #[arg(long, requires = "replace")]
    pub yes: bool,
}

/// `audit`
#[derive(Args, Debug)]
pub struct AuditArgs {
    /// The act.
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// What is done with the journal.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum AuditCommand {
    /// Check the hash of every row of the journal against the row before it
    Verify,
}

fn profile() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(Profile::ALL.map(Profile::name))
        .map(|name| Profile::from_name(&name).expect("only names of profiles get here"))
}

/// A text in which something is said.
fn said() -> impl TypedValueParser<Value = String> {
    NonEmptyStringValueParser::new().try_map(|text| match text.trim() {
        "" => Err("it is blank"),
        said => Ok(said.to_owned()),
    })
}

fn state() -> impl TypedValueParser<Value = NotificationState> {
    PossibleValuesParser::new(NotificationState::ALL.iter().map(|state| state.name()))
        .map(|name| NotificationState::from_name(&name).expect("only names of states get here"))
}
