//! `match`

use std::fs::File;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Serialize;

use super::App;
use super::args::MatchArgs;
use super::console::Console;
use super::exit::Exit;
use super::page::{BAD, GOOD, LOOK, Page, dispositions};
use super::words::{bill_counts, pick};
use crate::bills::{BillSource, BillSummary, Folded, SetAside, payments_of_file};
use crate::jobs::match_files;
use crate::jobs::sources::claimed_sources;
use crate::recon::files::Matched;
use crate::report::Lang;

/// What `match --json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    schema: u32,
    #[serde(flatten)]
    matched: &'a Matched<'a>,
    set_aside: u64,
}

/// Matches two files.
pub fn matching(app: &App, args: &MatchArgs) -> anyhow::Result<Exit> {
    let lang = app.lang_alone();
    let (folded, bill, set_aside) = bill(app, args)?;
    let orders = match_files::load_orders(&args.orders)?;
    let grace_s = i64::try_from(args.grace.as_secs()).unwrap_or(i64::MAX);
    let matched = match_files::run(&folded.payments, &orders, grace_s, args.out.as_deref())?;
    if args.json {
        Console::print_json(&Answer { schema: 1, matched: &matched, set_aside: bill.set_aside })?;
    } else {
        let mut page = Page::new(&app.console);
        tell(&mut page, lang, &matched, &bill, &set_aside);
        if let Some(folder) = &args.out {
            let file = folder.join(match_files::EXCEPTIONS_FILE);
            page.line(format_args!("{}{}", pick(lang, "差异明细：", "exceptions: "), file.display()));
        }
        Console::print(page.text())?;
    }
    if !matched.tie_out.holds() {
        bail!(
            "the match does not tie out: counts or sums of the dispositions are not those of the files\nhint: this is a fault of the program; nothing of it is to be trusted"
        );
    }
    Ok(Exit::Done)
}

fn bill(app: &App, args: &MatchArgs) -> anyhow::Result<(Folded, BillSummary, Vec<SetAside>)> {
    let path: &Path = &args.payments;
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut source = match &args.source {
        None => BillSource::default(),
        Some(name) => super::named_source(&claimed_sources(&app.settings()?.bills)?, name)?.clone(),
    };
    source.profile = args.profile.unwrap_or(source.profile);
    payments_of_file(file, &source).with_context(|| format!("the bill {} is refused", path.display()))
}

fn tell(page: &mut Page, lang: Lang, matched: &Matched<'_>, bill: &BillSummary, set_aside: &[SetAside]) {
    page.grid(&dispositions(lang, &matched.payments, &matched.orders));
    let counts = bill_counts(lang, bill.payments, bill.refunds, bill.ignored, bill.set_aside);
    page.line(format_args!("{}{}: {counts}", pick(lang, "账单 ", "bill "), bill.profile.name()));
    page.set_aside(lang, set_aside);
    if matched.tie_out.holds() {
        page.colored(GOOD, pick(lang, "总分核对：一致", "tie-out: all adds up"));
    } else {
        page.colored(BAD, pick(lang, "总分核对：不一致", "tie-out: does not add up"));
    }
    let (count, open) = (matched.exceptions.len(), !matched.exceptions.is_empty());
    let style = if open { LOOK } else { GOOD };
    page.colored(style, format_args!("{}{count}", pick(lang, "差异：", "exceptions: ")));
}
