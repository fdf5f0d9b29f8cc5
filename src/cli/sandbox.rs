//! `sandbox`

use anyhow::Context;

use super::App;
use super::args::SandboxArgs;
use super::console::Answer;
use super::exit::Exit;
use crate::sandbox::serve::Options;
use crate::sandbox::{PlatesPerUser, PushOptions, Size, serve};

/// Serves a seeded platform until Ctrl-C or SIGTERM.
pub async fn sandbox(app: &App, args: SandboxArgs) -> anyhow::Result<Exit> {
    let yesterday = app.clock.now().business_date().minus_days(1);
    let options = Options {
        listen: args.listen,
        seed: args.seed,
        date: args.date.unwrap_or(yesterday),
        size: Size { users: args.users, orders: args.orders },
        plates_per_user: args.plates_per_user.map_or(PlatesPerUser::OneToThree, PlatesPerUser::Each),
        faults: args.faults,
        dir: args.dir,
        push: args.push_url.map(|url| PushOptions { url, form: args.push_form, storm: args.push_storm }),
    };
    let stop = stop_signal()?;
    serve(options, app.clock.clone(), &mut Answer::new(), stop).await?;
    Ok(Exit::Done)
}

/// Ready at the first SIGINT or SIGTERM.
pub(super) fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).context("cannot listen for signals");
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
