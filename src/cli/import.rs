//! `import`

use super::App;
use super::args::ImportArgs;
use super::console::Console;
use super::exit::Exit;
use super::page::{BAD, GOOD, LOOK, Page};
use super::words::{bill_counts, bill_status};
use crate::bills::BillSource;
use crate::jobs::inbox::{BillOutcome, BillStatus, import_file, source_for};
use crate::jobs::run::{database_path, lock, open_store};
use crate::jobs::sources::claimed_sources;
use crate::report::{Lang, visible};

/// Imports each file and says what became of it.
pub fn import(app: &App, args: &ImportArgs) -> anyhow::Result<Exit> {
    let settings = app.settings()?;
    let lang = app.lang(&settings);
    let sources = claimed_sources(&settings.bills)?;
    let _lock = lock(database_path(&settings))?;
    let mut store = open_store(&settings)?;
    let fallback = BillSource::default();
    let mut page = Page::new(&app.console);
    let mut refused = false;
    for path in &args.files {
        let mut source = source_for(&sources, path, &fallback).clone();
        source.profile = args.profile.unwrap_or(source.profile);
        let bill = import_file(&mut store, path, &source, app.clock.now())?;
        refused |= bill.status == BillStatus::Refused;
        tell(&mut page, lang, &path.display().to_string(), &bill);
        if bill.set_aside > 0 {
            page.set_aside(lang, &store.set_aside_of_bill(&bill.sha256)?);
        }
    }
    Console::print(page.text())?;
    Ok(if refused { Exit::Partial } else { Exit::Done })
}

/// A line for a bill, and why it was refused.
fn tell(page: &mut Page, lang: Lang, file: &str, bill: &BillOutcome) {
    let status = bill_status(lang, bill.status.name());
    let file = visible(file);
    match bill.status {
        BillStatus::Refused => {
            page.colored(BAD, format_args!("{file}: {status}"));
            for line in bill.reason.iter().flat_map(|reason| reason.lines()) {
                page.line(format_args!("  {line}"));
            }
        }
        BillStatus::Imported | BillStatus::Known => {
            let style = if bill.set_aside > 0 { LOOK } else { GOOD };
            let counts = bill_counts(lang, bill.payments, bill.refunds, bill.ignored, bill.set_aside);
            page.colored(style, format_args!("{file}: {status}, {} — {counts}", bill.profile));
        }
    }
}
