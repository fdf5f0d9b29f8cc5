//! `run`

use super::App;
use super::args::RunArgs;
use super::console::Console;
use super::exit::Exit;
use super::page::{BAD, GOOD, LOOK, Page, SHOWN, dispositions};
use super::progress::Shown;
use super::words::{bill_counts, bill_status, pick};
use crate::config::{self, Level, Settings};
use crate::jobs::run::{FailedRun, Finished, RunOptions, run as reconcile};
use crate::jobs::summary::{BillSummary, Summary};
use crate::report::{Lang, visible};
use crate::store::{RunMode, RunStatus};

/// Runs one reconciliation and tells of it.
pub async fn run(app: &App, args: &RunArgs) -> anyhow::Result<Exit> {
    let settings = app.settings()?;
    let lang = app.lang(&settings);
    let yesterday = app.clock.now().business_date().minus_days(1);
    let mode = match (args.dry_run, args.offline) {
        (true, _) => RunMode::DryRun,
        (false, true) => RunMode::Offline,
        (false, false) => RunMode::Live,
    };
    let options = RunOptions { date: args.date.unwrap_or(yesterday), mode, no_email: args.no_email };
    log_warnings(&settings);
    let progress = Shown::new(&app.console, lang);
    let finished = Box::pin(reconcile(&settings, options, &app.clock, &progress)).await;
    if let (Err(error), true) = (&finished, args.json) {
        // The document says `failed`; standard error says why.
        if let Some(failed) = error.downcast_ref::<FailedRun>() {
            Console::print_json(&failed.summary)?;
        }
    }
    let finished = finished?;
    if args.json {
        Console::print_json(&finished.summary)?;
        say_why(app, lang, &finished);
    } else {
        let mut page = Page::new(&app.console);
        tell(&mut page, lang, &finished);
        Console::print(page.text())?;
    }
    Ok(Exit::of_run(&finished, args.fail_on_exceptions))
}

fn log_warnings(settings: &Settings) {
    for warning in config::warnings(settings) {
        match warning.level {
            Level::Warning => tracing::warn!("{}; {}", warning.message, warning.hint),
            Level::Info => tracing::info!("{}; {}", warning.message, warning.hint),
        }
    }
}

/// Beside the JSON: why it is not whole.
fn say_why(app: &App, lang: Lang, finished: &Finished) {
    for alert in &finished.report.alerts {
        app.console.say(&lang.alert(alert));
    }
    for reason in &finished.reasons {
        app.console.say(&lang.partial(reason));
    }
    if let Some(why) = &finished.undelivered {
        app.console.say(why);
    }
}

/// The whole answer for people.
pub fn tell(page: &mut Page, lang: Lang, finished: &Finished) {
    let summary = &finished.summary;
    headline(page, lang, finished);
    page.grid(&dispositions(lang, &summary.payments, &summary.orders));
    page.line(refunds(lang, summary));
    page.line(notifications(lang, summary));
    exceptions(page, lang, finished);
    coverage(page, lang, summary);
    bills(page, lang, finished);
    report(page, lang, finished);
}

fn headline(page: &mut Page, lang: Lang, finished: &Finished) {
    let summary = &finished.summary;
    let (style, status) = match finished.status {
        RunStatus::Complete => (GOOD, pick(lang, "完成", "complete")),
        RunStatus::Partial => (LOOK, pick(lang, "部分完成", "partial")),
        RunStatus::Failed => (BAD, pick(lang, "失败", "failed")),
    };
    let tie_out = if summary.tie_out {
        pick(lang, "总分核对一致", "ties out")
    } else {
        pick(lang, "总分核对不一致", "does not tie out")
    };
    let mode = match summary.mode {
        "dry_run" => pick(lang, "，试运行：未通知、未发邮件", ", dry run: nothing notified or mailed"),
        "offline" => pick(lang, "，离线：仅用已存数据", ", offline: by stored evidence"),
        _ => "",
    };
    let rerun = match (&summary.rerun_of, lang) {
        (None, _) => String::new(),
        (Some(run), Lang::Zh) => format!("，重跑（上次 {run}）"),
        (Some(run), Lang::En) => format!(", a rerun of {run}"),
    };
    let comma = pick(lang, "，", ", ");
    page.colored(style.bold(), format_args!("{} {status}{comma}{tie_out}{mode}{rerun}", summary.date));
    for alert in &finished.report.alerts {
        page.colored(BAD, format_args!("  {}", visible(&lang.alert(alert))));
    }
    for reason in &finished.reasons {
        page.colored(LOOK, format_args!("  {}", visible(&lang.partial(reason))));
    }
}

fn refunds(lang: Lang, summary: &Summary) -> String {
    let part = |name: &str| {
        let of = |key: &str| summary.refunds.pointer(&format!("/by/{name}/{key}"));
        let count = of("count").and_then(serde_json::Value::as_u64).unwrap_or(0);
        let amount = of("amount").and_then(serde_json::Value::as_str).unwrap_or("0.00");
        (count, amount.to_owned())
    };
    let ((matched, sum), (unmatched, other)) = (part("matched"), part("refund_unmatched"));
    match lang {
        Lang::Zh => format!("退款：{matched} 笔 {sum}；无原单 {unmatched} 笔 {other}"),
        Lang::En => format!("refunds: {matched}, {sum}; without their payment: {unmatched}, {other}"),
    }
}

fn notifications(lang: Lang, summary: &Summary) -> String {
    let told = &summary.notifications;
    let (acknowledged, rejected, unknown, held, due) =
        (told.acknowledged, told.rejected, told.unknown, told.held, told.due);
    match lang {
        Lang::Zh => {
            format!("支付通知：成功 {acknowledged}，被拒 {rejected}，结果未知 {unknown}，待放行 {held}，待通知 {due}")
        }
        Lang::En => format!(
            "notifications: {acknowledged} acknowledged, {rejected} rejected, {unknown} unknown, {held} held, {due} due"
        ),
    }
}

fn exceptions(page: &mut Page, lang: Lang, finished: &Finished) {
    let life = &finished.summary.exceptions;
    let (opening, new, resolved, closing) = (life.opening, life.new, life.resolved, life.closing);
    let again = match (life.reopened, lang) {
        (0, _) => String::new(),
        (count, Lang::Zh) => format!("；新增中 {count} 项为再次打开"),
        (count, Lang::En) => format!("; {count} of the new ones opened again"),
    };
    let text = match lang {
        Lang::Zh => format!("差异：期初 {opening} + 新增 {new} − 解决 {resolved} = 期末 {closing}{again}"),
        Lang::En => {
            format!("exceptions: {opening} open before + {new} new − {resolved} resolved = {closing} open{again}")
        }
    };
    page.colored(if closing > 0 { LOOK } else { GOOD }, text);
    let roll = &finished.report.exceptions;
    let amounts = [roll.opening, roll.new, roll.resolved, roll.closing].map(|total| total.grouped());
    let [opening, new, resolved, closing] = amounts;
    page.line(match lang {
        Lang::Zh => format!("  金额：{opening} + {new} − {resolved} = {closing}"),
        Lang::En => format!("  amounts: {opening} + {new} − {resolved} = {closing}"),
    });
}

fn coverage(page: &mut Page, lang: Lang, summary: &Summary) {
    let seen = &summary.coverage;
    let (users, plates, pulled, rejected) = (seen.users, seen.plates, seen.pulled, seen.rejected_records);
    page.line(match lang {
        Lang::Zh => format!("覆盖率：{users} 个用户，{pulled}/{plates} 个车牌，{rejected} 条记录无法读取"),
        Lang::En => {
            format!("coverage: {users} users, {pulled} of {plates} plates, {rejected} records could not be read")
        }
    });
    for plate in seen.failed.iter().take(SHOWN) {
        page.colored(LOOK, format_args!("  {} {}: {}", plate.plate, plate.mobile, visible(&plate.reason)));
    }
    page.more(lang, seen.failed.len());
}

fn bills(page: &mut Page, lang: Lang, finished: &Finished) {
    let bills = &finished.summary.bills;
    if bills.is_empty() {
        page.line(pick(lang, "账单：无", "bills: none"));
    }
    for bill in bills {
        bill_line(page, lang, bill);
    }
    for file in &finished.unclaimed {
        let why = pick(lang, "没有 [[bills.source]] 匹配此文件", "no [[bills.source]] claims this file");
        page.colored(LOOK, format_args!("{}{}: {why}", pick(lang, "账单 ", "bill "), visible(file)));
    }
}

fn bill_line(page: &mut Page, lang: Lang, bill: &BillSummary) {
    let head = format!("{}{}: {}", pick(lang, "账单 ", "bill "), visible(&bill.file), bill_status(lang, bill.status));
    let Some(reason) = &bill.reason else {
        let counts = bill_counts(lang, bill.payments, bill.refunds, bill.ignored, bill.set_aside);
        page.line(format_args!("{head}, {} — {counts}", bill.profile));
        return;
    };
    page.colored(BAD, head);
    for line in reason.lines() {
        page.line(format_args!("  {}", visible(line)));
    }
}

fn report(page: &mut Page, lang: Lang, finished: &Finished) {
    for file in &finished.files {
        page.line(format_args!("{}{}", pick(lang, "报告：", "report: "), file.display()));
    }
    let mail = match finished.summary.report.mail {
        "sent" => pick(lang, "已发送", "sent"),
        "file" => pick(lang, "已写入文件", "written to a file"),
        "pending" => pick(lang, "未送达，下次运行重试", "not delivered; the next run tries again"),
        _ => pick(lang, "未启用", "off"),
    };
    page.line(format_args!("{}{mail}", pick(lang, "邮件：", "mail: ")));
    if let Some(why) = &finished.undelivered {
        page.colored(BAD, format_args!("  {}", visible(why)));
    }
}
