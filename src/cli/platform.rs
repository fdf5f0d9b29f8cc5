//! `platform`: one call, printed readably.

mod shown;
mod told;

use secrecy::{ExposeSecret, SecretString};

pub use told::{binding_in_words, unbinding_in_words};
use told::{in_words, sms_in_words};

use super::App;
use super::args::{LotsArgs, PlatformCommand};
use super::console::Console;
use super::exit::{Exit, Misuse};
use super::page::Page;
use super::words::pick;
use crate::config::Settings;
use crate::etcp::lots::LotQuery;
use crate::etcp::{LotId, LotPager, limits};
use crate::jobs::platform::client;
use crate::jobs::platform_calls::{Caller, Desk, send_code};
use crate::jobs::run::open_store;
use crate::report::Lang;

/// Asks the platform and prints what it answers.
pub async fn platform(app: &App, command: PlatformCommand) -> anyhow::Result<Exit> {
    let settings = app.settings()?;
    let lang = app.lang(&settings);
    let asked = match command {
        PlatformCommand::History { user, json } => history(app, &settings, lang, &user, json).await,
        PlatformCommand::Unpaid { plate, json } => unpaid(app, &settings, lang, &plate, json).await,
        PlatformCommand::Lots(args) => {
            return lots(app, &settings, lang, args).await.map_err(|error| in_words(lang, error));
        }
        PlatformCommand::LotStatus { id, json } => lot_status(app, &settings, lang, &id, json).await,
        PlatformCommand::SendCode { mobile } => code_by_sms(app, &settings, lang, &mobile).await,
        PlatformCommand::Login { mobile, code } => login(app, &settings, lang, &mobile, code).await,
    };
    asked.map(|()| Exit::Done).map_err(|error| in_words(lang, error))
}

async fn history(app: &App, settings: &Settings, lang: Lang, user: &str, json: bool) -> anyhow::Result<()> {
    let user = Caller::named(&open_store(settings)?.roster()?, user)?;
    let listing = Desk::open(settings, &app.clock)?.history(&user).await?;
    if json {
        return Console::print_json(&shown::orders_json(&listing, shown::Closed::of));
    }
    let mut page = Page::new(&app.console);
    page.line(match lang {
        Lang::Zh => format!("{} 近 7 天的已结订单：{}", user.mobile, listing.records.len()),
        Lang::En => format!("closed orders of {} in the last 7 days: {}", user.mobile, listing.records.len()),
    });
    shown::history(&mut page, lang, &listing);
    Console::print(page.text())
}

async fn unpaid(app: &App, settings: &Settings, lang: Lang, plate: &str, json: bool) -> anyhow::Result<()> {
    let plate = limits::plate(plate)?;
    let user = Caller::of_plate(&open_store(settings)?.roster()?, &plate)?;
    let listing = Desk::open(settings, &app.clock)?.unpaid(&user, &plate).await?;
    if json {
        return Console::print_json(&shown::orders_json(&listing, shown::Open::of));
    }
    let mut page = Page::new(&app.console);
    page.line(match lang {
        Lang::Zh => format!("{plate}（{}）在场未结订单：{}", user.mobile, listing.records.len()),
        Lang::En => format!("open orders of {plate} ({}): {}", user.mobile, listing.records.len()),
    });
    shown::unpaid(&mut page, lang, &listing);
    Console::print(page.text())
}

/// An error on a later page cuts the list: what was found is printed, and it is said why that is not all.
async fn lots(app: &App, settings: &Settings, lang: Lang, args: LotsArgs) -> anyhow::Result<Exit> {
    let pay_type = args.pay_type.into();
    let query = match (&args.lat, &args.lon, args.radius, &args.city) {
        (Some(lat), Some(lon), Some(radius_m), None) => LotQuery::around(lat, lon, radius_m, pay_type)?,
        (None, None, None, Some(city)) => LotQuery::city(city, pay_type)?,
        // The command line sees to it; nothing is guessed where it did not.
        _ => return Err(Misuse("either --lat, --lon and --radius, or --city".to_owned()).into()),
    };
    let mut pager = LotPager::new(client(settings, &app.clock)?, query);
    let limit = args.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let mut found = shown::FoundLots::default();
    // One more than is wanted says that there are more.
    while found.lots.len() <= limit {
        let page = match pager.next().await {
            Ok(Some(page)) => page,
            Ok(None) => break,
            Err(error) if found.is_empty() => return Err(error.into()),
            Err(error) => {
                found.cut = Some(in_words(lang, error.into()).to_string());
                break;
            }
        };
        found.lots.extend(page.lots.records);
        found.rejected.extend(page.lots.rejected);
    }
    found.more = found.lots.len() > limit;
    found.lots.truncate(limit);
    if args.json {
        Console::print_json(&found.json())?;
    } else {
        let mut page = Page::new(&app.console);
        found.print(&mut page, lang);
        Console::print(page.text())?;
    }
    let Some(why) = &found.cut else { return Ok(Exit::Done) };
    app.console.tell(&match lang {
        Lang::Zh => format!("列表不完整，只列出前 {} 个车场：{why}", found.lots.len()),
        Lang::En => format!("the list is cut after {} car parks: {why}", found.lots.len()),
    });
    Ok(Exit::Partial)
}

async fn lot_status(app: &App, settings: &Settings, lang: Lang, id: &str, json: bool) -> anyhow::Result<()> {
    let id: LotId = id.parse()?;
    let status = client(settings, &app.clock)?.lot_status(&id).await?;
    if json {
        return Console::print_json(&shown::lot_status_json(&id, &status));
    }
    let mut page = Page::new(&app.console);
    shown::lot_status(&mut page, lang, &id, &status);
    Console::print(page.text())
}

async fn code_by_sms(app: &App, settings: &Settings, lang: Lang, mobile: &str) -> anyhow::Result<()> {
    let mobile = limits::mobile(mobile)?;
    let client = client(settings, &app.clock)?;
    let sent = send_code(&mut open_store(settings)?, &client, &mobile, &app.clock).await;
    sent.map_err(|error| sms_in_words(lang, error))?;
    Console::print(&match lang {
        Lang::Zh => format!("已请求向 {mobile} 发送验证码；收到后用 `etcp-recon platform login` 登录\n"),
        Lang::En => format!("a code is on its way to {mobile}; `etcp-recon platform login` signs in with it\n"),
    })
}

async fn login(
    app: &App,
    settings: &Settings,
    lang: Lang,
    mobile: &str,
    code: Option<SecretString>,
) -> anyhow::Result<()> {
    let mobile = limits::mobile(mobile)?;
    let code = match code {
        Some(code) => code,
        // Asked for before the lock is taken: a person may think for long.
        None if app.console.can_ask() => Console::ask_text(pick(lang, "短信验证码：", "the code of the SMS: "))?.into(),
        None => {
            let text = pick(
                lang,
                "没有验证码，也无法询问；什么都没有做\nhint: 在终端运行，或加 --code",
                "there is no code, and nobody can be asked; nothing was done\nhint: run it on a terminal, or add --code",
            );
            return Err(Misuse(text.to_owned()).into());
        }
    };
    if code.expose_secret().is_empty() {
        return Err(
            Misuse(pick(lang, "验证码为空；什么都没有做", "the code is empty; nothing was done").to_owned()).into()
        );
    }
    let signed_in = Desk::open(settings, &app.clock)?.login(&mobile, &code).await;
    signed_in.map_err(|error| sms_in_words(lang, error))?;
    Console::print(&match lang {
        Lang::Zh => format!("{mobile} 已登录；令牌已保存，此前的令牌已失效\n"),
        Lang::En => format!("{mobile} is signed in; the token is kept, the one of before is void\n"),
    })
}
