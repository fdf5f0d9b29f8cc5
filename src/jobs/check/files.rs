//! What lies in folders: reports, mails, bills. And the mail server.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Checked, Level, What, store_error};
use crate::clock::Clock;
use crate::config::Settings;
use crate::jobs::inbox::{ClaimedSource, has_bill_for, inbox_files};
use crate::jobs::mailing::mail_server;
use crate::jobs::sources::claimed_sources;
use crate::model::Timestamp;
use crate::report::data::Sentence;
use crate::store::Store;

/// How long the mail server may take to greet.
const MAIL_PATIENCE: Duration = Duration::from_secs(20);

/// How many names a line holds.
const SHOWN_NAMES: usize = 5;

/// Whether a folder can be written to; one that is not there yet, whether it can be made. Leaves nothing behind.
pub(super) fn writable(folder: &Path) -> Result<(), io::Error> {
    let existing = folder.ancestors().find(|folder| !matches!(folder.try_exists(), Ok(false)));
    // A bare relative name has the empty path as its last ancestor.
    let existing = existing.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !fs::metadata(existing)?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{} is no folder", existing.display())));
    }
    let probe = existing.join(format!(".etcp-recon-check-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&probe)?;
    fs::remove_file(&probe)
}

/// The folder of the reports.
pub(super) fn reports(checked: &mut Checked, settings: &Settings) {
    let dir = &settings.report.dir;
    let shown = dir.display();
    match writable(dir) {
        Ok(()) => checked.ok(What::Reports, format!("{shown} 可写"), format!("{shown} can be written to")),
        Err(why) => checked.add(
            What::Reports,
            Level::Wrong,
            Sentence::new(format!("{shown} 不可写：{why}"), format!("{shown} cannot be written to: {why}")),
            Sentence::new(
                "授予写权限，或修改 [report] dir",
                "give this user the right to write there, or change [report] dir",
            ),
        ),
    }
}

/// The mail server, or where mails go instead; and what waits to be sent.
pub(super) async fn mail(checked: &mut Checked, settings: &Settings, store: Option<&Store>) {
    let Some(email) = &settings.report.email else {
        return checked.add(
            What::Mail,
            Level::Warning,
            Sentence::new("没有 [report.email]，不发邮件", "no [report.email]: no mail is made"),
            Sentence::new(
                "写上收件人；没有邮件就不知道出了问题",
                "name who gets the report; silence is meant to say that something is broken",
            ),
        );
    };
    let server = match mail_server(email) {
        Ok(server) => server,
        Err(error) => {
            checked.wrong_config = true;
            let otherwise = Sentence::new("检查 report.email.smtp", "look at report.email.smtp");
            return checked.error(What::Mail, error.as_ref(), otherwise);
        }
    };
    match server {
        None => mail_folder(checked, &settings.report.dir),
        Some(server) => {
            let server = server.with_timeouts(MAIL_PATIENCE, MAIL_PATIENCE);
            let shown = server.server();
            match server.check().await {
                Ok(()) => {
                    checked.ok(
                        What::Mail,
                        format!("{shown} 可连接、可登录"),
                        format!("{shown} answers and lets us in"),
                    );
                }
                Err(error) => {
                    let otherwise = Sentence::new(
                        "检查 report.email.smtp 的地址、tls 与密码",
                        "look at host, port, tls and password in report.email.smtp",
                    );
                    checked.error(What::Mail, &error, otherwise);
                }
            }
        }
    }
    if let Some(store) = store {
        waiting_mails(checked, store);
    }
}

fn mail_folder(checked: &mut Checked, dir: &Path) {
    let shown = dir.display();
    match writable(dir) {
        Ok(()) => checked.ok(
            What::Mail,
            format!("未配置服务器，邮件写入 {shown}"),
            format!("no server is named: mails are written into {shown}"),
        ),
        Err(why) => checked.add(
            What::Mail,
            Level::Wrong,
            Sentence::new(
                format!("邮件无处可写：{shown}：{why}"),
                format!("mails cannot be written into {shown}: {why}"),
            ),
            Sentence::new(
                "配置 report.email.smtp，或修改 [report] dir",
                "name a server in report.email.smtp, or change [report] dir",
            ),
        ),
    }
}

fn waiting_mails(checked: &mut Checked, store: &Store) {
    match store.pending_mails() {
        Ok(mails) if mails.is_empty() => {}
        Ok(mails) => {
            let count = mails.len();
            checked.add(
                What::Mail,
                Level::Warning,
                Sentence::new(format!("{count} 封邮件待发"), format!("mails that wait to be sent: {count}")),
                Sentence::new("下次对账会再发", "the next run tries again"),
            );
        }
        Err(error) => store_error(checked, What::Mail, &error),
    }
}

/// The inbox: whether it can be read, what lies there, what is missing.
pub(super) fn inbox(checked: &mut Checked, settings: &Settings, store: Option<&Store>, clock: &Clock) {
    let folder = &settings.bills.inbox;
    let files = match inbox_files(folder) {
        Ok(files) => files,
        Err(error) => {
            let otherwise = Sentence::new("检查 [bills] inbox", "look at [bills] inbox");
            return checked.error(What::Inbox, error.as_ref(), otherwise);
        }
    };
    let shown = folder.display();
    match newest(&files) {
        None => checked.add(
            What::Inbox,
            Level::Warning,
            Sentence::new(format!("{shown} 为空"), format!("{shown} is empty")),
            Sentence::new("把账单放入该目录", "put the bills there"),
        ),
        Some((name, at)) => {
            let (count, age) = (files.len(), age(clock.now().since_s(at)));
            checked.ok(
                What::Inbox,
                format!("{shown}：{count} 个文件，最新 {name}({}前)", age.zh),
                format!("{shown}: files: {count}, the newest is {name} ({} ago)", age.en),
            );
        }
    }
    match claimed_sources(&settings.bills) {
        Ok(sources) => of_sources(checked, &sources, &files, store, clock),
        Err(error) => {
            checked.wrong_config = true;
            let otherwise = Sentence::new("检查 [[bills.source]] files", "look at [[bills.source]] files");
            checked.error(What::Inbox, error.as_ref(), otherwise);
        }
    }
}

fn of_sources(
    checked: &mut Checked,
    sources: &[ClaimedSource],
    files: &[PathBuf],
    store: Option<&Store>,
    clock: &Clock,
) {
    let names: Vec<String> = files.iter().map(|file| file_name(file)).collect();
    let unclaimed: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| !sources.iter().any(|source| source.claims(name))).collect();
    if !unclaimed.is_empty() {
        let count = unclaimed.len();
        let list = unclaimed.iter().take(SHOWN_NAMES).copied().collect::<Vec<_>>().join(", ");
        checked.add(
            What::Inbox,
            Level::Warning,
            Sentence::new(
                format!("{count} 个文件不属于任何账单来源：{list}"),
                format!("files that belong to no source: {list} ({count} in all)"),
            ),
            Sentence::new(
                "修改 [[bills.source]] files，或移走它们",
                "change `files` of a [[bills.source]], or move them away",
            ),
        );
    }
    let yesterday = clock.now().business_date().minus_days(1);
    let (compact, dashed) = (yesterday.to_string().replace('-', ""), yesterday.to_string());
    for source in sources.iter().filter(|source| source.required) {
        let of_date = |name: &&String| source.claims(name) && (name.contains(&compact) || name.contains(&dashed));
        let name = &source.source.name;
        let known = match store.map(|store| has_bill_for(store, name, yesterday)).transpose() {
            Ok(known) => known.unwrap_or(false),
            Err(error) => {
                let hint = Sentence::new("检查数据库", "look at the database");
                return checked.error(What::Inbox, error.as_ref(), hint);
            }
        };
        if !known && !names.iter().any(|name| of_date(&name)) {
            checked.add(
                What::Inbox,
                Level::Warning,
                Sentence::new(
                    format!("必需的来源 {name} 还没有 {yesterday} 的账单"),
                    format!("the required source {name} has no bill of {yesterday} yet"),
                ),
                Sentence::new("把它放入收件目录，否则对账不完整", "put it into the inbox, else the run is partial"),
            );
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The newest file by the time of its last change.
fn newest(files: &[PathBuf]) -> Option<(String, Timestamp)> {
    let changed = files.iter().filter_map(|file| {
        let modified = fs::metadata(file).and_then(|metadata| metadata.modified()).ok()?;
        let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some((Timestamp::from_unix(i64::try_from(since.as_secs()).ok()?), file))
    });
    changed.max_by_key(|(at, _)| *at).map(|(at, file)| (file_name(file), at))
}

/// An age in the largest unit that fits.
pub(super) fn age(seconds: i64) -> Sentence {
    let seconds = seconds.max(0);
    match (seconds / 86_400, seconds / 3600, seconds / 60) {
        (0, 0, 0) => Sentence::new(format!("{seconds} 秒"), format!("{seconds} s")),
        (0, 0, minutes) => Sentence::new(format!("{minutes} 分钟"), format!("{minutes} min")),
        (0, hours, _) => Sentence::new(format!("{hours} 小时"), format!("{hours} h")),
        (days, ..) => Sentence::new(format!("{days} 天"), format!("{days} d")),
    }
}
