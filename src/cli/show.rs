//! `show`

use super::App;
use super::args::ShowArgs;
use super::console::Console;
use super::exit::{Exit, Misuse};
use super::page::Page;
use crate::jobs::run::open_store;
use crate::jobs::show::{render, show as collect};

/// Tells all that is known of an id.
pub fn show(app: &App, args: &ShowArgs) -> anyhow::Result<Exit> {
    let settings = app.settings()?;
    let store = open_store(&settings)?;
    let Some(known) = collect(&store, &args.id)? else {
        let hint = "hint: it may be a payment id, an external order id, a refund id, a trade number, an order id, a push's synId or an exception's number";
        return Err(Misuse(format!("nothing is known of `{}`\n{hint}", args.id.trim())).into());
    };
    if args.json {
        Console::print_json(&known)?;
        return Ok(Exit::Done);
    }
    let mut page = Page::new(&app.console);
    // Where no colours are wanted, they are taken out on the way.
    for line in render(&known, app.lang(&settings), true) {
        page.line(line);
    }
    Console::print(page.text())?;
    Ok(Exit::Done)
}
