//! Logs on standard error, for people: no times, no targets.

use tracing_subscriber::EnvFilter;

use super::args::Global;
use super::console::{BesideBars, Console, stderr_has_colors};

/// Starts logging. Libraries never log below `warn`: the HTTP stack would print addresses with tokens in them.
pub fn start(global: &Global, console: &Console) {
    let filter = match (global.quiet, global.verbose) {
        (1.., _) => "error",
        (0, 0) => "warn",
        (0, 1) => "warn,etcp_recon=info",
        (0, 2) => "warn,etcp_recon=debug",
        (0, 3..) => "warn,etcp_recon=trace",
    };
    let beside = BesideBars(console.bars.clone());
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(move || beside.clone())
        .with_ansi(stderr_has_colors())
        .with_target(false)
        .without_time()
        .finish();
    // Only a second start in one process could fail, and then there is one already.
    tracing::subscriber::set_global_default(subscriber).ok();
}
