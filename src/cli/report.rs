//! `report`

use super::App;
use super::args::{Form, ReportArgs};
use super::console::Console;
use super::exit::{Exit, Misuse};
use super::page::{BAD, GOOD, LOOK, Page};
use super::words::pick;
use crate::jobs::reporting::{Format, Sent, kept_report, rendered, send, write};
use crate::jobs::run::open_store;
use crate::report::{Lang, visible};

/// Prints a report, writes it into a file, or sends it.
pub async fn report(app: &App, args: &ReportArgs) -> anyhow::Result<Exit> {
    let settings = app.settings()?;
    let lang = app.lang(&settings);
    if args.send {
        let sent = Box::pin(send(&settings, args.date, &args.to, lang, &app.clock)).await?;
        return tell(app, lang, &sent);
    }
    if args.format == Form::Xlsx && args.out.is_none() && app.console.is_terminal() {
        return Err(Misuse("a workbook is nothing for a terminal\nhint: --out FILE".to_owned()).into());
    }
    let store = open_store(&settings)?;
    let kept = kept_report(&store, args.date)?;
    let content = rendered(&store, &kept, format(args.format), lang)?;
    match &args.out {
        Some(path) => write(path, &content)?,
        None => Console::print_bytes(&content)?,
    }
    Ok(Exit::Done)
}

const fn format(form: Form) -> Format {
    match form {
        Form::Html => Format::Html,
        Form::Text => Format::Text,
        Form::Csv => Format::Csv,
        Form::Xlsx => Format::Xlsx,
        Form::Json => Format::Json,
    }
}

fn tell(app: &App, lang: Lang, sent: &Sent) -> anyhow::Result<Exit> {
    let mut page = Page::new(&app.console);
    page.line(format_args!("{}{}", pick(lang, "报告：", "report: "), visible(&sent.subject)));
    page.line(format_args!("{}{}", pick(lang, "收件人：", "to: "), sent.recipients.join(", ")));
    if !sent.had_it.is_empty() {
        let again = pick(
            lang,
            "此前已收到，按要求再次发送（Message-ID 不变）：",
            "had it before, sent again as asked, under the same Message-ID: ",
        );
        page.colored(LOOK, format_args!("{again}{}", sent.had_it.join(", ")));
    }
    for (_, path) in &sent.delivery.files {
        page.line(format_args!("{}{}", pick(lang, "已写入文件：", "written: "), path.display()));
    }
    if sent.delivery.problems.is_empty() {
        page.colored(GOOD, pick(lang, "已全部送出", "delivered"));
        Console::print(page.text())?;
        return Ok(Exit::Done);
    }
    for problem in &sent.delivery.problems {
        let head = pick(lang, "未送达：对账 ", "not delivered: run ");
        page.colored(BAD, format_args!("{head}{}: {}", problem.run_id, visible(&problem.why)));
    }
    Console::print(page.text())?;
    Ok(Exit::Undelivered)
}
