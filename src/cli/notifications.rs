//! `notifications`

use serde::Serialize;

use super::App;
use super::args::{NotificationsArgs, PersonArgs, PersonCommand};
use super::console::Console;
use super::exit::Exit;
use super::page::{Grid, LOOK, Page};
use super::words::{pick, system_user};
use crate::jobs::people::{Decision, decide};
use crate::jobs::run::{database_path, lock, open_store};
use crate::model::{Amount, NotificationState, Timestamp};
use crate::notify::Act;
use crate::report::Lang;
use crate::store::NotificationRecord;

/// A notification as `--json` prints it.
#[derive(Serialize)]
struct Listed<'a> {
    external_order_id: &'a str,
    state: NotificationState,
    payment_id: &'a str,
    order_id: &'a str,
    plate: &'a str,
    mobile: String,
    amount: Amount,
    pay_time: Timestamp,
    sends: u8,
    pay_order_id: Option<&'a str>,
    why: Option<&'a str>,
    planned_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> Listed<'a> {
    fn new(record: &'a NotificationRecord) -> Self {
        Self {
            external_order_id: record.external_order_id.as_str(),
            state: record.standing.state,
            payment_id: &record.payment_id,
            order_id: record.order_id.as_str(),
            plate: record.user.plate.as_str(),
            mobile: record.user.mobile.masked(),
            amount: record.standing.amount,
            pay_time: record.pay_time,
            sends: record.standing.sends,
            pay_order_id: record.pay_order_id.as_deref(),
            why: Some(record.why.as_str()).filter(|why| !why.is_empty()),
            planned_at: record.planned_at,
            updated_at: record.updated_at,
        }
    }
}

/// Lists the notifications, or carries out a person's decision.
pub fn notifications(app: &App, args: NotificationsArgs) -> anyhow::Result<Exit> {
    match args.act {
        Some(PersonCommand::Release(person)) => act(app, Act::Release, &person),
        Some(PersonCommand::Hold(person)) => act(app, Act::Hold, &person),
        Some(PersonCommand::Void(person)) => act(app, Act::Void, &person),
        None => list(app, args.status, args.json),
    }
}

fn list(app: &App, status: Option<NotificationState>, json: bool) -> anyhow::Result<Exit> {
    let settings = app.settings()?;
    let mut records = open_store(&settings)?.notifications()?;
    records.retain(|record| status.is_none_or(|status| record.standing.state == status));
    let listed: Vec<Listed<'_>> = records.iter().map(Listed::new).collect();
    if json {
        Console::print_json(&listed)?;
        return Ok(Exit::Done);
    }
    let lang = app.lang(&settings);
    let mut page = Page::new(&app.console);
    if listed.is_empty() {
        page.line(pick(lang, "没有支付通知", "no notifications"));
    } else {
        page.grid(&grid(lang, &listed));
    }
    Console::print(page.text())?;
    Ok(Exit::Done)
}

fn grid(lang: Lang, listed: &[Listed<'_>]) -> Grid {
    let header = match lang {
        Lang::Zh => ["外部订单号", "状态", "金额", "支付时间", "车牌", "订单", "发送次数", "原因"],
        Lang::En => ["external order id", "state", "amount", "paid at", "plate", "order", "sends", "why"],
    };
    let mut grid = Grid::new(&header, &[2, 6]);
    for one in listed {
        let attention = matches!(
            one.state,
            NotificationState::Sending
                | NotificationState::Unknown
                | NotificationState::Held
                | NotificationState::Rejected
        );
        grid.styled(
            if attention { LOOK } else { anstyle::Style::new() },
            [
                one.external_order_id.to_owned(),
                state(lang, one.state).to_owned(),
                one.amount.grouped(),
                one.pay_time.wall(),
                one.plate.to_owned(),
                one.order_id.to_owned(),
                one.sends.to_string(),
                one.why.unwrap_or("").to_owned(),
            ],
        );
    }
    grid
}

fn state(lang: Lang, state: NotificationState) -> &'static str {
    let chinese = match state {
        NotificationState::Planned => "待发送",
        NotificationState::Sending => "发送中",
        NotificationState::Acknowledged => "平台已受理",
        NotificationState::Confirmed => "已入账",
        NotificationState::Unknown => "结果未知",
        NotificationState::Rejected => "被拒",
        NotificationState::Held => "待人工放行",
        NotificationState::Void => "已作废",
    };
    pick(lang, chinese, state.name())
}

fn act(app: &App, act: Act, args: &PersonArgs) -> anyhow::Result<Exit> {
    let settings = app.settings()?;
    let lang = app.lang(&settings);
    let by = args.by.clone().unwrap_or_else(system_user);
    // A run must not be sending what is decided on here.
    let _lock = lock(database_path(&settings))?;
    let mut store = open_store(&settings)?;
    let decision = Decision { external_order_id: &args.external_order_id, act, by: &by, note: &args.note };
    let moved = decide(&mut store, &decision, app.clock.now())?;
    let mut page = Page::new(&app.console);
    let (from, to) = (state(lang, moved.from), state(lang, moved.to));
    page.line(format_args!("{}: {from} → {to} ({by})", args.external_order_id));
    if act == Act::Release {
        page.line(pick(
            lang,
            "下一次 run 将先核对再发送",
            "the next run looks at the order and sends it if it is still due",
        ));
    }
    if moved.may_be_booked {
        page.colored(
            LOOK,
            pick(
                lang,
                "注意：此前的发送结果不明，平台可能已入账",
                "mind: it was sent before with an unclear outcome; the platform may have booked it",
            ),
        );
    }
    Console::print(page.text())?;
    Ok(Exit::Done)
}
