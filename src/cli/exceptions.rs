//! `exceptions`: the list, and a person's decision on one of them.

mod csv;
mod table;

use serde::Serialize;

use super::App;
use super::args::{ExceptionCommand, ExceptionsArgs, VerdictArgs, Which};
use super::console::Console;
use super::exit::Exit;
use super::page::Page;
use super::words::{pick, system_user};
use crate::jobs::people::{ExceptionVerdict, decide_exception};
use crate::jobs::run::{database_path, lock, open_store};
use crate::model::{Amount, BusinessDate, Difference, Plate, Timestamp};
use crate::report::{Lang, visible};
use crate::store::{ExceptionRow, ExceptionStatus, PersonsWord, Store, StoreError};

/// An exception as the product promises it.
#[derive(Serialize)]
struct Listed<'a> {
    id: i64,
    kind: &'a str,
    status: &'static str,
    date: BusinessDate,
    payment_id: Option<&'a str>,
    order_id: Option<&'a str>,
    plate: Option<&'a str>,
    paid: Difference,
    due: Amount,
    difference: Difference,
    first_seen: Timestamp,
    last_seen: Timestamp,
    age_days: i64,
    note: Option<&'a str>,
}

impl<'a> Listed<'a> {
    fn new(row: &'a ExceptionRow, now: Timestamp) -> Self {
        let facts = &row.facts;
        let until = row.resolution.as_ref().map_or(now, |resolution| resolution.at);
        Self {
            id: row.id,
            kind: &facts.kind,
            status: status(row),
            date: facts.date,
            payment_id: facts.payment_id.as_deref(),
            order_id: facts.order_id.as_deref(),
            plate: facts.plate.as_deref(),
            paid: facts.paid,
            due: facts.due,
            difference: facts.difference(),
            first_seen: row.first_seen_at,
            last_seen: row.last_seen_at,
            age_days: until.business_date().days_since(row.first_seen_at.business_date()).max(0),
            note: row.words(),
        }
    }
}

const fn status(row: &ExceptionRow) -> &'static str {
    match row.status {
        ExceptionStatus::Open => "open",
        ExceptionStatus::Resolved => "resolved",
    }
}

/// Lists the exceptions, or carries out a person's decision.
pub fn exceptions(app: &App, args: &ExceptionsArgs) -> anyhow::Result<Exit> {
    match &args.verdict {
        Some(ExceptionCommand::Resolve(verdict)) => decide(app, ExceptionVerdict::Resolve, verdict),
        Some(ExceptionCommand::Reopen(verdict)) => decide(app, ExceptionVerdict::Reopen, verdict),
        None => list(app, args),
    }
}

/// Prints the list, oldest first.
fn list(app: &App, args: &ExceptionsArgs) -> anyhow::Result<Exit> {
    let settings = app.settings()?;
    let store = open_store(&settings)?;
    let rows = wanted(&store, args)?;
    let now = app.clock.now();
    let listed: Vec<Listed<'_>> = rows.iter().map(|row| Listed::new(row, now)).collect();
    let lang = app.lang(&settings);
    if args.json {
        Console::print_json(&listed)?;
    } else if args.csv {
        Console::print(&csv::csv(lang, &listed))?;
    } else {
        let mut page = Page::new(&app.console);
        shown(&mut page, lang, &listed);
        Console::print(page.text())?;
    }
    Ok(Exit::Done)
}

/// The exceptions that all filters let through, oldest first.
fn wanted(store: &Store, args: &ExceptionsArgs) -> Result<Vec<ExceptionRow>, StoreError> {
    let mut rows = if args.status == Which::Open { store.open_exceptions()? } else { store.exceptions()? };
    let plate = args.plate.as_deref().map(plate_form);
    rows.retain(|row| {
        let facts = &row.facts;
        args.date.is_none_or(|date| facts.date == date)
            && (args.status != Which::Resolved || row.status == ExceptionStatus::Resolved)
            && args.kind.as_ref().is_none_or(|kind| facts.kind == *kind)
            && plate.as_ref().is_none_or(|wanted| facts.plate.as_deref().map(plate_form).as_ref() == Some(wanted))
    });
    Ok(rows)
}

/// A plate in its normal form; a text that is none, as a push may bear it, as it is.
fn plate_form(text: &str) -> String {
    Plate::parse(text).map_or_else(|_| text.trim().to_owned(), |plate| plate.to_string())
}

fn shown(page: &mut Page, lang: Lang, listed: &[Listed<'_>]) {
    if listed.is_empty() {
        page.line(pick(lang, "没有差异", "no exceptions"));
    } else {
        page.grid(&table::grid(lang, listed));
    }
}

fn decide(app: &App, verdict: ExceptionVerdict, args: &VerdictArgs) -> anyhow::Result<Exit> {
    let settings = app.settings()?;
    let lang = app.lang(&settings);
    let by = args.by.clone().unwrap_or_else(system_user);
    // A run must not be counting what is decided on here.
    let _lock = lock(database_path(&settings))?;
    let mut store = open_store(&settings)?;
    let word = PersonsWord { by: &by, note: &args.note, at: app.clock.now() };
    let was = decide_exception(&mut store, args.id, verdict, word)?;
    let (from, to) = match verdict {
        ExceptionVerdict::Resolve => ("open", "resolved"),
        ExceptionVerdict::Reopen => ("resolved", "open"),
    };
    let (from, to) = (table::status(lang, from), table::status(lang, to));
    let kind = pick(lang, lang.kind(&was.facts.kind), &was.facts.kind).to_owned();
    let stake = was.facts.stake().grouped();
    let mut page = Page::new(&app.console);
    page.line(visible(&format!("{} {kind} {stake}: {from} → {to} ({by})", args.id)));
    page.line(match (lang, verdict) {
        (Lang::Zh, ExceptionVerdict::Resolve) => "下一次 run 计入“解决”；事实有变时将再次打开",
        (Lang::En, ExceptionVerdict::Resolve) => {
            "the next run counts it as resolved; it opens again when the facts change"
        }
        (Lang::Zh, ExceptionVerdict::Reopen) => "下一次 run 计入“新增”并重新核对",
        (Lang::En, ExceptionVerdict::Reopen) => "the next run counts it as new and looks at it again",
    });
    Console::print(page.text())?;
    Ok(Exit::Done)
}
