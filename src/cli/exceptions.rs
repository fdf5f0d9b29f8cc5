//! `exceptions`

use serde::Serialize;

use super::App;
use super::args::{ExceptionsArgs, Which};
use super::console::Console;
use super::exit::Exit;
use super::page::{Grid, LOOK, Page};
use super::words::pick;
use crate::jobs::run::open_store;
use crate::model::{Amount, BusinessDate, Difference, Timestamp};
use crate::report::Lang;
use crate::store::{ExceptionRow, ExceptionStatus};

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
        let (status, until) = match row.status {
            ExceptionStatus::Open => ("open", now),
            ExceptionStatus::Resolved => ("resolved", row.last_seen_at),
        };
        Self {
            id: row.id,
            kind: &facts.kind,
            status,
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
            note: row.note.as_deref(),
        }
    }
}

/// Lists the exceptions, oldest first.
pub fn exceptions(app: &App, args: &ExceptionsArgs) -> anyhow::Result<Exit> {
    let settings = app.settings()?;
    let store = open_store(&settings)?;
    let mut rows = if args.status == Which::Open { store.open_exceptions()? } else { store.exceptions()? };
    rows.retain(|row| args.date.is_none_or(|date| row.facts.date == date));
    rows.retain(|row| args.status != Which::Resolved || row.status == ExceptionStatus::Resolved);
    let now = app.clock.now();
    let listed: Vec<Listed<'_>> = rows.iter().map(|row| Listed::new(row, now)).collect();
    if args.json {
        Console::print_json(&listed)?;
    } else {
        let mut page = Page::new(&app.console);
        shown(&mut page, app.lang(&settings), &listed);
        Console::print(page.text())?;
    }
    Ok(Exit::Done)
}

fn shown(page: &mut Page, lang: Lang, listed: &[Listed<'_>]) {
    if listed.is_empty() {
        page.line(pick(lang, "没有差异", "no exceptions"));
        return;
    }
    let header = match lang {
        Lang::Zh => {
            ["编号", "差异", "状态", "对账日", "支付流水", "订单", "车牌", "已付", "应付", "差额", "天数", "备注"]
        }
        Lang::En => {
            ["id", "kind", "status", "date", "payment", "order", "plate", "paid", "due", "difference", "days", "note"]
        }
    };
    let mut grid = Grid::new(&header, &[0, 7, 8, 9, 10]);
    for one in listed {
        let kind = pick(lang, lang.kind(one.kind), one.kind);
        let status = match (lang, one.status) {
            (Lang::Zh, "open") => "未处理",
            (Lang::Zh, _) => "已解决",
            (Lang::En, status) => status,
        };
        let text = |text: Option<&str>| text.unwrap_or("").to_owned();
        let style = if one.status == "open" { LOOK } else { anstyle::Style::new() };
        grid.styled(
            style,
            [
                one.id.to_string(),
                kind.to_owned(),
                status.to_owned(),
                one.date.to_string(),
                text(one.payment_id),
                text(one.order_id),
                text(one.plate),
                one.paid.grouped(),
                one.due.grouped(),
                one.difference.grouped(),
                one.age_days.to_string(),
                text(one.note),
            ],
        );
    }
    page.grid(&grid);
}
