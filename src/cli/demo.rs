//! `demo`

use super::App;
use super::args::DemoArgs;
use super::console::Answer;
use super::exit::Exit;
use super::progress::Shown;
use crate::jobs::demo::{DemoOptions, demo as play};

/// Plays the whole job on built-in data; what it says goes out as it happens.
pub async fn demo(app: &App, args: DemoArgs) -> anyhow::Result<Exit> {
    let lang = app.lang_alone();
    let progress = Shown::new(&app.console, lang);
    let options = DemoOptions { dir: args.dir, lang };
    Box::pin(play(options, &app.clock, &progress, &mut Answer::new())).await?;
    Ok(Exit::Done)
}
