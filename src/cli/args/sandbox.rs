//! `sandbox`: its flags, and a help that explains the whole rehearsal.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::model::BusinessDate;
use crate::sandbox::{Fault, PushForm, Size};

/// What `-h` adds.
pub(super) const EXAMPLES: &str = "\
Examples:
  etcp-recon sandbox --dir try               a platform, and a folder to run against it
  etcp-recon sandbox --fault orderpaid:fail-after-booking
  etcp-recon sandbox --push-url http://127.0.0.1:8088/push

--help explains the interfaces, limits, faults, control pages and pushes.";

/// What `--help` adds.
pub(super) const GUIDE: &str = "\
Interfaces, under /merchant/open/1.0.0/openapi/, each with its section in the document:
  uservalidatecode 8.1 GET    userlogin 8.2 POST      usersignin 8.3 POST      bindcar 8.4 POST
  unbindcar 8.5 POST          orderhistory 8.6 GET    orderunpay 8.7 GET       orderpaid 8.8 POST
  surroundingparking 8.9 POST                         parkingstatus 8.10 POST

Limits, and the code that answers who does not keep them:
  a time stamp at most 10 minutes off (3), a right signature (4), our merchant_no (5)
  no member that the document does not name, each in its form (6), none missing (20102)
  a token lasts a day, and the next sign-in voids it (20101)
  one SMS code a minute for a phone (20202); a code works once, for 5 minutes (20203)
  3 plates at once for a phone, 4 different ones in a calendar month; only what this merchant
  bound is unbound (20100); a plate has 7 or 8 characters, a colour is 1 to 4 (6)
  a place with a radius of 500 to 3000 m, or a city, not both (6); 10 car parks a page
  orderpaid: exactly what is due (20206), under an id never used (8), for a car inside (7),
  with the verificationInfo of the last fee query (6)

Faults: --fault INTERFACE[@PLATE|@MOBILE|@ORDER]:KIND[:COUNT|:always], once if no count is given
  fail                 HTTP 500, nothing was done
  fail-after-booking   done, then HTTP 500
  delay=DURATION       done at once, answered later
  drop                 the connection closes without an answer, nothing was done
  drop-after-booking   done, then the connection closes without an answer
  cut                  done, the answer stops in the middle of its body
  garbage              done, HTTP 200 and something that is no JSON
  answer=CODE          that code, nothing was done
  status=STATUS        that HTTP status, nothing was done
  retry-after=SECONDS  HTTP 429 that asks to wait so long, nothing was done
  redirect=URL         HTTP 302 to there, nothing was done
  expire-token         the user's token is void before the request is looked at
  lose-booking         code 0 as if it had been booked, and it was not
  vanish               no answer, nothing was done, and the car leaves without a record
  postpone             no answer, and the booking waits for POST /sandbox/postponed

Control pages, on the same port, for curl (GET /sandbox explains each):
  GET /sandbox/orders, ledger, violations, sms-codes, faults, stats
  POST and DELETE /sandbox/faults       POST /sandbox/orders/ID/leave, orders/ID/charge
  POST /sandbox/push                    POST /sandbox/stats/reset, postponed

Pushes: with --push-url each stay's entrance, and its exit if it left, is sent to URL/entrance or
URL/exit, signed as section 9 says: MD5 of merchant_no + data + merchant_key. --push-form says what
data is: json (the members in the document's order, without signment), sorted (by name), form (the
field data). One that is answered with anything but code 0 is sent three times; while nobody
listens, the sandbox waits.

A rehearsal from end to end:
  etcp-recon sandbox --dir try --push-url http://127.0.0.1:8088/push
  and then, in other terminals (the configuration says where pushes are received)
  etcp-recon --config try/etcp-recon.toml plates import try/plates.csv
  etcp-recon --config try/etcp-recon.toml push serve
  etcp-recon --config try/etcp-recon.toml run
  curl http://127.0.0.1:8099/sandbox/ledger

Examples:
  etcp-recon sandbox --fault orderhistory:delay=3s:always --fault usersignin:answer=20101:2
  etcp-recon sandbox --users 10000 --plates-per-user 2 --orders 20000
  etcp-recon sandbox --push-url http://127.0.0.1:8088/push --push-form sorted --push-storm";

/// `sandbox`
#[derive(Args, Debug)]
pub struct SandboxArgs {
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8099")]
    pub listen: SocketAddr,
    /// Which world: the same seed and date give the same one
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// The day on which everything happens, as 2026-11-22 [default: yesterday in Asia/Shanghai]
    #[arg(long, value_name = "DATE")]
    pub date: Option<BusinessDate>,
    /// How many users, at least: some stays bring one of their own
    #[arg(long, value_name = "N", default_value_t = Size::SMALL.users)]
    pub users: u32,
    /// How many plates each user has [default: one to three, as it happens]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3))]
    pub plates_per_user: Option<u32>,
    /// How many parking stays
    #[arg(long, value_name = "N", default_value_t = Size::SMALL.orders)]
    pub orders: u32,
    /// What goes wrong; may be given more than once
    #[arg(long = "fault", value_name = "FAULT")]
    pub faults: Vec<Fault>,
    /// Write a configuration, a roster and bills into this folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Send the entrance and exit pushes of all stays to URL/entrance and URL/exit, on this machine
    #[arg(long, value_name = "URL")]
    pub push_url: Option<String>,
    /// How pushes are written and signed: json, sorted (members by name) or form
    #[arg(long, value_name = "FORM", default_value = "json", requires = "push_url")]
    pub push_form: PushForm,
    /// Send the pushes out of order and a third of them twice
    #[arg(long, requires = "push_url")]
    pub push_storm: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Interface, fault};

    #[test]
    fn the_help_names_every_interface_and_every_kind_of_fault() {
        for interface in Interface::ALL {
            assert!(GUIDE.contains(&format!("{} 8.", interface.name())), "{interface:?}");
        }
        for kind in fault::KINDS.split(", ") {
            let kind = kind.split('=').next().unwrap();
            let is_listed =
                GUIDE.lines().any(|line| line.split([' ', '=']).find(|word| !word.is_empty()) == Some(kind));
            assert!(is_listed, "{kind}");
        }
    }
}
