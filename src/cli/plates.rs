//! `plates`

use serde::Serialize;

use super::App;
use super::args::{PlatesCommand, PlatesImportArgs};
use super::console::Console;
use super::exit::{Exit, Misuse};
use super::page::{Grid, Page};
use super::words::pick;
use crate::jobs::roster::{changed, dropped, roster_file};
use crate::jobs::run::open_store;
use crate::report::Lang;
use crate::store::RosterPlate;

/// How many plates are shown before a question.
const SHOWN: usize = 20;

/// A plate as `plates list --json` prints it.
#[derive(Serialize)]
struct Listed<'a> {
    mobile: String,
    plate: &'a str,
    color: u8,
}

/// Lists or imports.
pub fn plates(app: &App, command: &PlatesCommand) -> anyhow::Result<Exit> {
    match command {
        PlatesCommand::List { json } => list(app, *json),
        PlatesCommand::Import(args) => import(app, args),
    }
}

fn list(app: &App, json: bool) -> anyhow::Result<Exit> {
    let settings = app.settings()?;
    let roster = open_store(&settings)?.roster()?;
    if json {
        let listed = roster.iter().map(|entry| Listed {
            mobile: entry.mobile.masked(),
            plate: entry.plate.as_str(),
            color: entry.color,
        });
        Console::print_json(&listed.collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    let lang = app.lang(&settings);
    let mut page = Page::new(&app.console);
    if roster.is_empty() {
        page.line(pick(
            lang,
            "还没有车牌；用 `etcp-recon plates import FILE` 导入",
            "no plates yet; `etcp-recon plates import FILE` brings them in",
        ));
    } else {
        let mut grid = Grid::new(&pick(lang, ["手机号", "车牌", "颜色"], ["user", "plate", "colour"]), &[]);
        for entry in &roster {
            grid.row([entry.mobile.masked(), entry.plate.to_string(), color(lang, entry.color).to_owned()]);
        }
        page.grid(&grid);
    }
    Console::print(page.text())?;
    Ok(Exit::Done)
}

fn color(lang: Lang, color: u8) -> &'static str {
    match color {
        1 => pick(lang, "蓝", "blue"),
        2 => pick(lang, "黑", "black"),
        3 => pick(lang, "黄", "yellow"),
        4 => pick(lang, "白", "white"),
        _ => "?",
    }
}

fn import(app: &App, args: &PlatesImportArgs) -> anyhow::Result<Exit> {
    let settings = app.settings()?;
    let lang = app.lang(&settings);
    let wanted = roster_file(&args.file)?;
    let mut store = open_store(&settings)?;
    let current = store.roster()?;
    let gone = if args.replace { dropped(&current, &wanted) } else { Vec::new() };
    if !gone.is_empty() {
        agree(app, lang, args, &gone)?;
    }
    for (before, after) in changed(&current, &wanted).iter().take(SHOWN) {
        app.console.say(&format!(
            "{}: {} {} → {} {}",
            after.plate,
            before.mobile,
            color(lang, before.color),
            after.mobile,
            color(lang, after.color)
        ));
    }
    let change = store.merge_roster(&wanted, args.replace)?;
    Console::print(&match lang {
        Lang::Zh => format!(
            "车牌：新增 {}，变更 {}，未变 {}，移除 {}\n",
            change.added, change.changed, change.unchanged, change.removed
        ),
        Lang::En => format!(
            "plates: {} added, {} changed, {} unchanged, {} removed\n",
            change.added, change.changed, change.unchanged, change.removed
        ),
    })?;
    Ok(Exit::Done)
}

/// Shows what would go and asks; without a terminal only `--yes` agrees.
fn agree(app: &App, lang: Lang, args: &PlatesImportArgs, gone: &[&RosterPlate]) -> anyhow::Result<()> {
    let count = gone.len();
    app.console.tell(&match lang {
        Lang::Zh => format!("{} 中没有以下 {count} 个车牌，它们将被移除：", args.file.display()),
        Lang::En => format!("{count} plates are not in {} and would go:", args.file.display()),
    });
    for entry in gone.iter().take(SHOWN) {
        app.console.tell(&format!("  {}  {}", entry.plate, entry.mobile));
    }
    if count > SHOWN {
        app.console.tell("  …");
    }
    if args.yes {
        return Ok(());
    }
    if !app.console.can_ask() {
        let hint = "hint: run it on a terminal, or add --yes";
        return Err(Misuse(format!(
            "{count} plates would be taken out, and nobody can be asked; nothing was changed\n{hint}"
        ))
        .into());
    }
    if Console::ask(pick(lang, "移除？", "take them out?"))? {
        return Ok(());
    }
    Err(Misuse("not agreed; nothing was changed".to_owned()).into())
}
