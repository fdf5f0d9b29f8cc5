//! `push`: its help says what is posted where, and how it is answered.

use clap::{Args, Subcommand};

/// What help adds.
const EXAMPLES: &str = "\
Example, with [push] listen = \"127.0.0.1:8088\" in the configuration:
  etcp-recon push serve

For each car the platform then posts, through a proxy, to
  http://127.0.0.1:8088/push/entrance
  http://127.0.0.1:8088/push/exit
a form with data={\"synId\":…} and signment=…, or JSON with \"signment\" in it, which is
MD5(merchant_no + data + merchant_key) in upper-case hex. It is answered with HTTP 200 and
  {\"code\":0,\"message\":\"ok\"}   when the push is on disk
  code 4                        when its signature does not fit
  code 6                        when it cannot be read
and with HTTP 503 when it could not be stored and is to be sent again.

It speaks plain HTTP: where it listens on more than this machine (127.0.0.1, ::1), a TLS proxy must
stand in front of it.";

/// `push`
#[derive(Args, Debug)]
pub struct PushArgs {
    /// The act.
    #[command(subcommand)]
    pub command: PushCommand,
}

/// What is done about pushes.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum PushCommand {
    /// Receive pushes until Ctrl-C or SIGTERM, beside whatever else is at work on the database
    ///
    /// Each push is stored once, by kind and synId, and answered when it is on disk. Pushes are evidence for the next
    /// run: nothing is ever sent because of one.
    #[command(after_help = EXAMPLES)]
    Serve,
}
