//! `plates`

use serde::Serialize;

use super::App;
use super::args::{BindArgs, PlatesCommand, PlatesImportArgs, UnbindArgs};
use super::console::Console;
use super::exit::{Exit, Misuse};
use super::page::{Grid, Page};
use super::platform::{binding_in_words, unbinding_in_words};
use super::words::pick;
use crate::etcp::{LimitError, limits};
use crate::jobs::bindings::{BindingPlan, Unsettled, plan_bind, plan_unbind};
use crate::jobs::platform_calls::Desk;
use crate::jobs::roster::{changed, dropped, roster_file};
use crate::jobs::run::open_store;
use crate::model::Mobile;
use crate::report::Lang;
use crate::store::{RosterPlate, Store};

/// How many plates are shown before a question.
const SHOWN: usize = 20;

/// A plate as `plates list --json` prints it.
#[derive(Serialize)]
struct Listed<'a> {
    mobile: String,
    plate: &'a str,
    color: u8,
}

/// Lists, imports, binds or unbinds.
pub async fn plates(app: &App, command: PlatesCommand) -> anyhow::Result<Exit> {
    match command {
        PlatesCommand::List { json } => list(app, json),
        PlatesCommand::Import(args) => import(app, &args),
        PlatesCommand::Bind(args) => bind(app, &args).await,
        PlatesCommand::Unbind(args) => unbind(app, &args).await,
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

async fn bind(app: &App, args: &BindArgs) -> anyhow::Result<Exit> {
    let settings = app.settings()?;
    let lang = app.lang(&settings);
    let told = |error| binding_in_words(lang, error);
    let wanted = (|| {
        let color = limits::plate_color(&args.plate_color)?;
        Ok::<_, LimitError>((limits::mobile(&args.mobile)?, limits::plate(&args.plate)?, color))
    })();
    let (mobile, plate, plate_color) = wanted.map_err(|limit| told(limit.into()))?;
    let planned = |store: &Store| plan_bind(store, &mobile, &plate, plate_color, app.clock.now());
    let plan = planned(&open_store(&settings)?).map_err(told)?;
    let color = color(lang, plate_color);
    agree_to(
        app,
        lang,
        args.yes,
        &match (lang, other_user(&plan)) {
            (Lang::Zh, None) => format!("请平台将 {plate}（{color}）绑定到 {mobile}。"),
            (Lang::Zh, Some(other)) => {
                format!("请平台将 {plate}（{color}）绑定到 {mobile}；名册中该车牌现属 {other}，将改属 {mobile}。")
            }
            (Lang::En, None) => format!("the platform is asked to bind {plate} ({color}) to {mobile}."),
            (Lang::En, Some(other)) => format!(
                "the platform is asked to bind {plate} ({color}) to {mobile}; the roster has it as {other}'s, it will be {mobile}'s."
            ),
        },
    )?;
    // The lock is taken only now, since a person may think for long; so the limits are looked at again.
    let mut desk = Desk::open(&settings, &app.clock)?;
    let plan = planned(&desk.store).map_err(told)?;
    desk.carry_out(&plan).await.map_err(told)?;
    Console::print(&match lang {
        Lang::Zh => format!("平台已将 {plate} 绑定到 {mobile}；已记入名册\n"),
        Lang::En => format!("{plate} is bound to {mobile}, and in the roster\n"),
    })?;
    Ok(Exit::Done)
}

async fn unbind(app: &App, args: &UnbindArgs) -> anyhow::Result<Exit> {
    let settings = app.settings()?;
    let lang = app.lang(&settings);
    let told = |error| binding_in_words(lang, error);
    let wanted = (|| {
        let mobile = args.mobile.as_deref().map(limits::mobile).transpose()?;
        Ok::<_, LimitError>((limits::plate(&args.plate)?, mobile))
    })();
    let (plate, mobile) = wanted.map_err(|limit| told(limit.into()))?;
    let plan = plan_unbind(&open_store(&settings)?, &plate, mobile.as_ref()).map_err(told)?;
    let mobile = plan.user.mobile.clone();
    let asked = match lang {
        Lang::Zh => format!("请平台将 {plate} 从 {mobile} 解绑。"),
        Lang::En => format!("the platform is asked to unbind {plate} from {mobile}."),
    };
    let unsettled = unsettled(lang, &plan.unsettled).map(|line| format!("{line}\n")).unwrap_or_default();
    agree_to(app, lang, args.yes, &format!("{unsettled}{asked}"))?;
    let mut desk = Desk::open(&settings, &app.clock)?;
    let plan = plan_unbind(&desk.store, &plate, Some(&mobile)).map_err(told)?;
    desk.carry_out(&plan).await.map_err(|error| unbinding_in_words(lang, &plate, error))?;
    let roster = match (lang, &plan.entry, other_user(&plan)) {
        (Lang::Zh, None, _) => "名册中本来就没有".to_owned(),
        (Lang::En, None, _) => "the roster did not have it".to_owned(),
        (Lang::Zh, Some(_), Some(other)) => format!("名册中该车牌属 {other}，未变"),
        (Lang::En, Some(_), Some(other)) => format!("the roster has it as {other}'s and keeps it"),
        (Lang::Zh, Some(_), None) => "已从名册移除".to_owned(),
        (Lang::En, Some(_), None) => "it is gone from the roster".to_owned(),
    };
    Console::print(&match lang {
        Lang::Zh => format!("平台已将 {plate} 从 {mobile} 解绑；{roster}\n"),
        Lang::En => format!("{plate} is unbound from {mobile}; {roster}\n"),
    })?;
    Ok(Exit::Done)
}

/// One line about what is not over for a plate that is to be unbound.
fn unsettled(lang: Lang, unsettled: &Unsettled) -> Option<String> {
    let order = unsettled.open_order.as_ref().map(|order| match lang {
        Lang::Zh => format!("最近所见的订单 {order} 尚未关闭"),
        Lang::En => format!("its order seen last, {order}, was open"),
    });
    let notification = unsettled.notification.as_ref().map(|(id, state)| match lang {
        Lang::Zh => format!("支付通知 {id} 尚未完成（{state}）"),
        Lang::En => format!("its notification {id} is not finished ({state})"),
    });
    let what: Vec<String> = order.into_iter().chain(notification).collect();
    (!what.is_empty()).then(|| match lang {
        Lang::Zh => format!("注意：{}；解绑后无法再查询或通知。", what.join("，")),
        Lang::En => format!("mind: {}; once unbound nothing can be asked or told of it.", what.join(", and ")),
    })
}

/// Another user to whom the roster gives the plate.
fn other_user(plan: &BindingPlan) -> Option<&Mobile> {
    plan.entry.as_ref().map(|entry| &entry.mobile).filter(|mobile| **mobile != plan.user.mobile)
}

/// Says what is about to be asked and asks for consent; without a terminal only `--yes` agrees.
fn agree_to(app: &App, lang: Lang, yes: bool, what: &str) -> anyhow::Result<()> {
    if yes {
        app.console.say(what);
        return Ok(());
    }
    if !app.console.can_ask() {
        let why = pick(
            lang,
            "无法询问；什么都没有做\nhint: 在终端运行，或加 --yes",
            "nobody can be asked; nothing was done\nhint: run it on a terminal, or add --yes",
        );
        return Err(Misuse(format!("{what} {why}")).into());
    }
    app.console.tell(what);
    if Console::ask(pick(lang, "继续？", "go on?"))? {
        return Ok(());
    }
    Err(Misuse(pick(lang, "未同意；什么都没有做", "not agreed; nothing was done").to_owned()).into())
}
