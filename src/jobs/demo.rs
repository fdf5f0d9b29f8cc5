//! `demo`: the real job, two nights of it, on the sandbox's world in which every disposition occurs.
//!
//! Nothing is simulated but the platform itself: its config is read from a file, its requests go over
//! HTTP on loopback, its database and its mail are files in a folder that is kept to be looked at.

mod stage;
mod table;
mod verdict;

use std::io::Write;
use std::path::PathBuf;

use super::progress::Progress;
use super::summary::Summary;
use crate::clock::Clock;
use crate::report::Lang;
use crate::report::data::Sentence;

pub use stage::{Played, Stage};
pub use verdict::{NotShown, verdict};

/// What a person said.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Where everything is written, a new or empty folder; none for a fresh one of the system's.
    pub dir: Option<PathBuf>,
    /// The language of what is said; the report is written in both.
    pub lang: Lang,
}

/// What the demo left behind.
#[derive(Debug)]
pub struct DemoEnd {
    /// The folder.
    pub dir: PathBuf,
    /// What the first run found.
    pub first: Summary,
    /// What the second run of the same date found.
    pub second: Summary,
    /// How many payments the platform booked.
    pub bookings: usize,
    /// The reports and the mail of the second run.
    pub files: Vec<PathBuf>,
}

/// Plays the demo for the day before now and says on `out` what happened.
///
/// # Errors
/// When it could not be played, or did not show all that it has to ([`NotShown`]).
pub async fn demo(
    options: DemoOptions,
    clock: &Clock,
    progress: &dyn Progress,
    out: &mut dyn Write,
) -> anyhow::Result<DemoEnd> {
    let lang = options.lang;
    let stage = Stage::set_up(options.dir.as_deref(), lang, clock).await?;
    say(out, lang, &stage.opening())?;
    let played = stage.play(progress).await?;
    let ending = played.ending();
    say(out, lang, &ending)?;
    out.write_all(table::dispositions(&played.second.report, lang).as_bytes())?;
    let files = stage.write_both_languages(&played)?;
    let seen = verdict(&stage, &played);
    let (bookings, platform) = stage.platform_books();
    say(out, lang, &platform)?;
    say(out, lang, &stage.closing(&files))?;
    let dir = stage.dir().to_owned();
    stage.close().await;
    seen?;
    Ok(DemoEnd { dir, first: played.first.summary, second: played.second.summary, bookings, files })
}

fn say(out: &mut dyn Write, lang: Lang, sentences: &[Sentence]) -> std::io::Result<()> {
    sentences.iter().try_for_each(|sentence| writeln!(out, "{}", sentence.of(lang)))?;
    out.flush()
}
