//! `exceptions`: the list, and what a person decides on one of them.

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Args, Subcommand, ValueEnum, value_parser};

use super::said;
use crate::model::disposition::BILL_DISAGREES;
use crate::model::{BusinessDate, Disposition, EventFinding};

pub(super) const EXAMPLES: &str = "\
Examples:
  etcp-recon exceptions
  etcp-recon exceptions --date 2026-11-22 --status all --json
  etcp-recon exceptions --kind duplicate_payment --csv > refunds.csv
  etcp-recon exceptions resolve 7 --note 'refunded by hand, slip 113'
  etcp-recon exceptions reopen 7 --note 'the refund came back' --by Li";

/// `exceptions`
#[derive(Args, Debug)]
pub struct ExceptionsArgs {
    /// What a person decides; without it the list is printed
    #[command(subcommand)]
    pub verdict: Option<ExceptionCommand>,
    /// Only those of this date
    #[arg(long, value_name = "DATE")]
    pub date: Option<BusinessDate>,
    /// Which
    #[arg(long, value_enum, default_value_t)]
    pub status: Which,
    /// Only those of this kind
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(kinds()), hide_possible_values = true)]
    pub kind: Option<String>,
    /// Only those of this plate
    #[arg(long, value_name = "PLATE", value_parser = NonEmptyStringValueParser::new())]
    pub plate: Option<String>,
    /// Print the list as JSON
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print the list as CSV for a spreadsheet: UTF-8 with BOM
    #[arg(long)]
    pub csv: bool,
}

/// Which exceptions are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// Those that somebody has to look at
    #[default]
    Open,
    /// Those that ended
    Resolved,
    /// All
    All,
}

/// What a person decides on an exception.
#[derive(Debug, Subcommand)]
pub enum ExceptionCommand {
    /// It is dealt with: it stays resolved while the facts are what they are
    ///
    /// The next run counts it as resolved. When the facts change afterwards it opens again. While a run is under way
    /// nothing is done: exit code 75.
    Resolve(VerdictArgs),
    /// It is not, after all: it is open again
    ///
    /// The next run counts it as new, and looks at it again. While a run is under way nothing is done: exit code 75.
    Reopen(VerdictArgs),
}

/// Which exception, and why.
#[derive(Args, Debug)]
pub struct VerdictArgs {
    /// Its number, the first column of the list
    #[arg(value_name = "ID", value_parser = value_parser!(i64).range(1..))]
    pub id: i64,
    /// Why; kept with it and in the journal
    #[arg(long, value_name = "TEXT", value_parser = said())]
    pub note: String,
    /// Who decides [default: the system user]
    #[arg(long, value_name = "NAME", value_parser = said())]
    pub by: Option<String>,
}

/// The names of all kinds of exceptions.
fn kinds() -> Vec<&'static str> {
    let dispositions = Disposition::ALL.iter().filter(|disposition| disposition.is_exception());
    let events = EventFinding::ALL.into_iter().map(EventFinding::name);
    dispositions.map(|disposition| disposition.name()).chain([BILL_DISAGREES]).chain(events).collect()
}
