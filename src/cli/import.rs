//! `import`

use super::App;
use super::args::ImportArgs;
use super::exit::Exit;
use super::page::{BAD, GOOD, LOOK, Page};
use super::words::{bill_counts, bill_status, pick};
use crate::bills::BillSource;
use crate::jobs::inbox::{BillOutcome, BillStatus, import_file, source_for};
use crate::jobs::run::{database_path, lock, open_store};
use crate::jobs::sources::claimed_sources;
use crate::report::{Lang, visible};
use crate::store::Store;

/// How many rows set aside are shown of a bill.
const SHOWN: usize = 20;

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
        tell_set_aside(&mut page, lang, &store, &bill)?;
    }
    app.console.print(page.text())?;
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

fn tell_set_aside(page: &mut Page, lang: Lang, store: &Store, bill: &BillOutcome) -> anyhow::Result<()> {
    if bill.set_aside == 0 {
        return Ok(());
    }
    let rows = store.set_aside_of_bill(&bill.sha256)?;
    for row in rows.iter().take(SHOWN) {
        page.line(format_args!("  {} [{}]", visible(&row.to_string()), visible(&row.value)));
    }
    if rows.len() > SHOWN {
        let more = rows.len().saturating_sub(SHOWN);
        page.line(format_args!("  … {more} {}", pick(lang, "行未列出", "more rows")));
    }
    Ok(())
}
