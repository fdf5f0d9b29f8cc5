//! `push`

use std::io::Write;

use anyhow::{Context, ensure};

use super::App;
use super::args::PushCommand;
use super::console::Answer;
use super::exit::Exit;
use super::sandbox::stop_signal;
use crate::jobs::push::start;
use crate::push::Counts;
use crate::report::Lang;

/// Receives pushes until Ctrl-C or SIGTERM. Says where, as soon as it can be sent to, and at the end what came.
pub async fn push(app: &App, command: PushCommand) -> anyhow::Result<Exit> {
    let PushCommand::Serve = command;
    let settings = app.settings()?;
    let lang = app.lang(&settings);
    let stop = stop_signal()?;
    let receiver = start(&settings, &app.clock).await?;
    let prefix = settings.push.as_ref().map(|push| push.path_prefix.as_str()).unwrap_or_default();
    let base = format!("http://{}{prefix}", receiver.addr());
    if !receiver.addr().ip().is_loopback() {
        app.console.tell(in_the_open(lang));
    }
    let mut out = Answer::new();
    let said = writeln!(out, "{}", welcome(lang, &base)).and_then(|()| out.flush());
    let mut is_broken = false;
    if said.is_ok() {
        tokio::select! {
            () = stop => {}
            () = receiver.broken() => is_broken = true,
        }
    }
    let counts = receiver.stop().await;
    said.and_then(|()| writeln!(out, "{}", farewell(lang, &counts))).context("cannot write to standard output")?;
    ensure!(
        !is_broken,
        "pushes could not be stored any more\nhint: start it again; the platform sends again what was not answered"
    );
    Ok(Exit::Done)
}

const fn in_the_open(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => "注意：监听地址不是本机回环，接收的是明文 HTTP；前面必须有 TLS 代理",
        Lang::En => "note: this is not a loopback address, and it is plain HTTP; a TLS proxy must stand in front of it",
    }
}

fn welcome(lang: Lang, base: &str) -> String {
    match lang {
        Lang::Zh => format!("正在接收推送：{base}/entrance（入场）和 {base}/exit（出场）。Ctrl-C 停止。"),
        Lang::En => format!("receiving pushes at {base}/entrance and {base}/exit. Ctrl-C stops it."),
    }
}

fn farewell(lang: Lang, counts: &Counts) -> String {
    let Counts { received, new, repeated, contradicting, forged, malformed, not_stored, .. } = counts;
    match lang {
        Lang::Zh => format!(
            "已停止：收到 {received}，新增 {new}，重复 {repeated}，内容不一致 {contradicting}，签名不符 {forged}，\
             无法读取 {malformed}，未能保存 {not_stored}"
        ),
        Lang::En => format!("stopped: {counts}"),
    }
}
