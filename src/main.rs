//! The command: parse, run, print the error chain once, exit code.

use std::process::ExitCode;

use etcp_recon::cli;

fn main() -> ExitCode {
    let arguments = match cli::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(exit) => return exit.into(),
    };
    let app = cli::App::new(&arguments.global);
    // One thread asks; what takes its time (a database that syncs, a match) has threads of its own. Wakes across
    // threads cost a pull of thousands of users more than a second core brings.
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(cli::execute(&app, arguments.command)));
    match result {
        Ok(exit) => exit.into(),
        Err(error) => cli::exit::report(&error).into(),
    }
}
