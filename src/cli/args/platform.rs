//! The command line of what is asked of the platform by hand: `platform …`, `plates bind|unbind`.
//!
//! Phone numbers, plates and codes are texts here: the handlers read them, whose messages never show a number.

use std::convert::Infallible;

use clap::{Args, Subcommand, ValueEnum};
use secrecy::SecretString;

use crate::etcp::lots::PayType;

/// `platform`
#[derive(Args, Debug)]
pub struct PlatformArgs {
    /// The call.
    #[command(subcommand)]
    pub command: PlatformCommand,
}

/// The examples of `platform`.
pub const PLATFORM_EXAMPLES: &str = "\
Examples:
  etcp-recon platform history 渝B757D0
  etcp-recon platform unpaid 渝B757D0 --json
  etcp-recon platform lots --city 北京市 --limit 20";

/// What is asked.
#[derive(Debug, Subcommand)]
pub enum PlatformCommand {
    /// A user's closed orders of the last seven days
    ///
    /// Only asks: nothing but the token is stored. Uses the kept token and signs the user in when there is none that
    /// holds; a sign-in voids the user's token of before. Waits for no run: exit code 75 while one is under way.
    #[command(
        after_help = "Examples:\n  etcp-recon platform history 渝B757D0\n  etcp-recon platform history 13800000001 --json"
    )]
    History {
        /// A phone number, or a plate of the roster (then its user)
        #[arg(value_name = "USER")]
        user: String,
        /// Print the list as JSON
        #[arg(long)]
        json: bool,
    },
    /// The open orders of a plate, and what is still to be paid
    ///
    /// Only asks: nothing but the token is stored. Whether verificationInfo came is told, it is never shown. Each such
    /// query may void the verificationInfo of the one before, so none is made while a run is under way (exit code 75).
    #[command(
        after_help = "Examples:\n  etcp-recon platform unpaid 渝B757D0\n  etcp-recon platform unpaid 渝B757D0 --json"
    )]
    Unpaid {
        /// A plate of the roster
        #[arg(value_name = "PLATE")]
        plate: String,
        /// Print the list as JSON
        #[arg(long)]
        json: bool,
    },
    /// Car parks around a place, or all of a city
    ///
    /// Coordinates are Baidu's (BD-09): those of a GPS receiver or of another map lie some hundred metres beside them.
    /// A list that the platform breaks off is printed as far as it came: exit code 3.
    #[command(after_help = LOTS_EXAMPLES)]
    Lots(LotsArgs),
    /// How full a car park is
    #[command(after_help = "Examples:\n  etcp-recon platform lot-status VujsvT8mDNA=")]
    LotStatus {
        /// The car park's id, as `platform lots` shows it
        #[arg(value_name = "ID", allow_hyphen_values = true)]
        id: String,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Have the platform send a code to a phone by SMS, one a minute
    #[command(after_help = "Examples:\n  etcp-recon platform send-code 13800000001")]
    SendCode {
        /// The phone number
        #[arg(value_name = "MOBILE")]
        mobile: String,
    },
    /// Sign a user in with the code of an SMS
    ///
    /// The token is kept for runs and other commands and never shown. It voids the user's token of before, also the one
    /// that another program of the merchant holds. While a run is under way nobody is signed in: exit code 75.
    #[command(
        after_help = "Examples:\n  etcp-recon platform login 13800000001\n  etcp-recon platform login 13800000001 --code 562371"
    )]
    Login {
        /// The phone number
        #[arg(value_name = "MOBILE")]
        mobile: String,
        /// The code [default: asks for it on the terminal]
        #[arg(long, value_name = "CODE", value_parser = secret)]
        code: Option<SecretString>,
    },
}

const LOTS_EXAMPLES: &str = "\
Either a place (--lat, --lon and --radius) or a city, not both (document §8.9).

Examples:
  etcp-recon platform lots --lat 39.872748 --lon 116.429718 --radius 500
  etcp-recon platform lots --city 北京市 --pay-type electronic --limit 20 --json";

/// `platform lots`
#[derive(Args, Debug)]
pub struct LotsArgs {
    /// Baidu's latitude
    #[arg(
        long,
        value_name = "DEGREES",
        allow_hyphen_values = true,
        required_unless_present = "city",
        conflicts_with = "city",
        requires = "lon"
    )]
    pub lat: Option<String>,
    /// Baidu's longitude
    #[arg(long, value_name = "DEGREES", allow_hyphen_values = true, conflicts_with = "city", requires = "radius")]
    pub lon: Option<String>,
    /// How far around, 500 to 3000 metres
    #[arg(long, value_name = "METRES", conflicts_with = "city", requires = "lat")]
    pub radius: Option<u32>,
    /// All of a city, such as 北京市
    #[arg(long, value_name = "NAME")]
    pub city: Option<String>,
    /// Which
    #[arg(long, value_enum, default_value_t)]
    pub pay_type: WhichLots,
    /// Stop after so many [default: all of them]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// Which car parks are listed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum WhichLots {
    /// All
    #[default]
    All,
    /// ETCP's own that take electronic payment
    Electronic,
    /// ETCP's own that do not, and those of third parties
    Other,
}

impl From<WhichLots> for PayType {
    fn from(which: WhichLots) -> Self {
        match which {
            WhichLots::All => Self::All,
            WhichLots::Electronic => Self::Electronic,
            WhichLots::Other => Self::Other,
        }
    }
}

/// `plates bind`
#[derive(Args, Debug)]
pub struct BindArgs {
    /// The user's phone number
    #[arg(value_name = "MOBILE")]
    pub mobile: String,
    /// The plate
    #[arg(value_name = "PLATE")]
    pub plate: String,
    /// The plate's colour: 1 blue, 2 black, 3 yellow, 4 white, or its name
    #[arg(long, value_name = "COLOUR", default_value = "blue")]
    pub plate_color: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// `plates unbind`
#[derive(Args, Debug)]
pub struct UnbindArgs {
    /// The plate
    #[arg(value_name = "PLATE")]
    pub plate: String,
    /// The phone number of its user, where the roster does not say
    #[arg(long, value_name = "MOBILE")]
    pub mobile: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "the form of a value parser")]
fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text.trim()))
}
