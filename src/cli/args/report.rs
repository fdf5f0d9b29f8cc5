//! `report`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::model::BusinessDate;
use crate::report::mail::{AddressError, parse_mailbox};

pub(super) const EXAMPLES: &str = "\
Examples:
  etcp-recon report                                        the last one, as text
  etcp-recon report --date 2026-11-22 --format html --out report.html
  etcp-recon report --format xlsx --out report.xlsx
  etcp-recon report --format json | jq .exceptions
  etcp-recon report --date 2026-11-22 --send               again to those of the configuration
  etcp-recon report --send --to boss@example.com           to somebody else

Exit code 4 when it was to be sent and somebody did not get it; it is kept.";

/// `report`
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// The date that was reconciled, as 2026-11-22 [default: that of the last report]
    #[arg(long, value_name = "DATE")]
    pub date: Option<BusinessDate>,
    /// Its form
    #[arg(long, value_enum, default_value_t, conflicts_with = "send")]
    pub format: Form,
    /// Write it into this file instead of to standard output
    #[arg(long, value_name = "FILE", conflicts_with = "send")]
    pub out: Option<PathBuf>,
    /// Mail it
    #[arg(long)]
    pub send: bool,
    /// With --send: to these people instead of those of the configuration
    #[arg(long, value_name = "ADDR", value_parser = address, num_args = 1.., requires = "send")]
    pub to: Vec<String>,
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// The page of the mail
    Html,
    /// Plain text
    #[default]
    Text,
    /// The exceptions, for a spreadsheet
    Csv,
    /// The whole workbook: summary, exceptions, refunds owed, payments, orders, notifications
    Xlsx,
    /// All that it says, for machines
    Json,
}

fn address(text: &str) -> Result<String, AddressError> {
    parse_mailbox(text).map(|_| text.trim().to_owned())
}
