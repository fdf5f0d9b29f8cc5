//! `check`: everything that a run needs, looked at without running: each a finding, ok or what to do.
//!
//! It changes nothing that matters: no order is told, no mail is sent, a database that is nobody's
//! stays nobody's. Only a sign-in may be needed to ask the platform, and that waits for the lock.

mod books;
mod files;
mod platform;

use std::error::Error;
use std::path::Path;

use serde::{Serialize, Serializer};

use crate::clock::Clock;
use crate::config::{self, ConfigError, Settings};
use crate::report::Lang;
use crate::report::data::Sentence;
use crate::store::StoreError;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// A run works, somebody should look.
    Warning,
    /// A run cannot work, or secrets lie open.
    Wrong,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The configuration.
    Config,
    /// The files that hold secrets.
    Secrets,
    /// The database.
    Database,
    /// The journal's chain.
    Journal,
    /// The roster.
    Roster,
    /// The platform: reachable, signature, merchant number.
    Platform,
    /// Our clock against the platform's.
    Clock,
    /// The mail server, or the folder for mails.
    Mail,
    /// The report folder.
    Reports,
    /// The inbox.
    Inbox,
    /// The last complete run.
    LastRun,
    /// Notifications that wait for a person or for facts.
    Notifications,
}

impl What {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        self.names().0
    }

    /// What people call it.
    pub const fn title(self, lang: Lang) -> &'static str {
        let (_, zh, en) = self.names();
        match lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    const fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Config => ("config", "配置", "config"),
            Self::Secrets => ("secrets", "密钥文件", "secrets"),
            Self::Database => ("database", "数据库", "database"),
            Self::Journal => ("journal", "操作日志", "journal"),
            Self::Roster => ("roster", "车牌名册", "roster"),
            Self::Platform => ("platform", "平台", "platform"),
            Self::Clock => ("clock", "时钟", "clock"),
            Self::Mail => ("mail", "邮件", "mail"),
            Self::Reports => ("reports", "报告目录", "reports"),
            Self::Inbox => ("inbox", "账单收件目录", "inbox"),
            Self::LastRun => ("last_run", "最近完整对账", "last run"),
            Self::Notifications => ("notifications", "支付通知", "notifications"),
        }
    }
}

impl Serialize for What {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One line of the check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: What,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub message: Sentence,
    /// What to do; always there when something is wrong.
    pub hint: Option<Sentence>,
}

impl Finding {
    /// The finding as plain lines: `ok  config: …`, and the hint below.
    pub fn lines(&self, lang: Lang) -> Vec<String> {
        let level = match (self.level, lang) {
            (Level::Ok, Lang::Zh) => "正常",
            (Level::Ok, Lang::En) => "ok     ",
            (Level::Warning, Lang::Zh) => "注意",
            (Level::Warning, Lang::En) => "warning",
            (Level::Wrong, Lang::Zh) => "错误",
            (Level::Wrong, Lang::En) => "wrong  ",
        };
        let mut lines = vec![format!("{level}  {}: {}", self.what.title(lang), self.message.of(lang))];
        lines.extend(self.hint.iter().map(|hint| format!("         hint: {}", hint.of(lang))));
        lines
    }
}

/// What the check found, in the order it looked.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Checked {
    /// The findings.
    pub findings: Vec<Finding>,
    /// The config cannot be used, or the database belongs to somebody else.
    #[serde(skip)]
    pub wrong_config: bool,
}

impl Checked {
    /// 0, 1 when something is wrong, 2 when it is the config.
    pub fn exit_code(&self) -> u8 {
        match (self.wrong_config, self.worst()) {
            (true, _) => ConfigError::EXIT_CODE,
            (false, Level::Wrong) => 1,
            (false, Level::Ok | Level::Warning) => 0,
        }
    }

    /// The worst of the levels.
    pub fn worst(&self) -> Level {
        self.findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
    }

    fn ok(&mut self, what: What, zh: impl Into<String>, en: impl Into<String>) {
        self.findings.push(Finding { what, level: Level::Ok, message: Sentence::new(zh, en), hint: None });
    }

    fn add(&mut self, what: What, level: Level, message: Sentence, hint: Sentence) {
        self.findings.push(Finding { what, level, message, hint: Some(hint) });
    }

    /// An error of another part, whose own hint goes before `otherwise`.
    fn error(&mut self, what: What, error: &(dyn Error + 'static), otherwise: Sentence) {
        let (message, hint) = told(error);
        let hint = hint.map_or(otherwise, same_in_both);
        self.add(what, Level::Wrong, same_in_both(message), hint);
    }
}

/// Looks at everything, as far as each step leaves something to look at.
pub async fn check(settings: Result<Settings, ConfigError>, clock: &Clock) -> Checked {
    let mut checked = Checked::default();
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => {
            config_error(&mut checked, &error);
            return checked;
        }
    };
    config(&mut checked, &settings);
    let store = books::database(&mut checked, &settings);
    platform::platform(&mut checked, &settings, store.as_ref(), clock).await;
    files::reports(&mut checked, &settings);
    files::mail(&mut checked, &settings, store.as_ref()).await;
    files::inbox(&mut checked, &settings, store.as_ref(), clock);
    if let Some(store) = &store {
        books::last_run(&mut checked, store, clock);
        books::notifications(&mut checked, store);
    }
    checked
}

fn config_error(checked: &mut Checked, error: &ConfigError) {
    checked.wrong_config = true;
    let otherwise = Sentence::new("改正后再检查一次", "put it right, then check again");
    let ConfigError::Invalid { file, problems } = error else { return checked.error(What::Config, error, otherwise) };
    for problem in problems {
        let alone = ConfigError::Invalid { file: file.clone(), problems: vec![problem.clone()] };
        checked.error(What::Config, &alone, otherwise.clone());
    }
}

fn config(checked: &mut Checked, settings: &Settings) {
    let file = settings.file.display();
    checked.ok(What::Config, format!("{file} 已读取"), format!("{file} read"));
    let is_about = |file: &Path, message: &str| message.starts_with(&file.display().to_string());
    for warning in config::warnings(settings) {
        // A file with a secret that others can read is more than a warning here.
        let open_file = settings.guarded_files.iter().any(|file| is_about(file, &warning.message));
        let (what, level) = match (open_file, warning.level) {
            (true, _) => (What::Secrets, Level::Wrong),
            (false, config::Level::Warning) => (What::Config, Level::Warning),
            (false, config::Level::Info) => (What::Config, Level::Ok),
        };
        checked.add(what, level, same_in_both(warning.message), same_in_both(warning.hint));
    }
    if !checked.findings.iter().any(|finding| finding.what == What::Secrets) {
        let count = settings.guarded_files.len();
        checked.ok(
            What::Secrets,
            format!("{count} 个含密钥的文件,他人均不可读"),
            format!("{count} files hold secrets, all of them closed to others"),
        );
    }
}

/// The messages of an error and of its causes in one line, and the first hint among them.
fn told(error: &(dyn Error + 'static)) -> (String, Option<String>) {
    let (mut parts, mut hint): (Vec<String>, Option<String>) = (Vec::new(), None);
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        let (message, own_hint) = match text.split_once("\nhint: ") {
            Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
            None => (text, None),
        };
        hint = hint.or(own_hint);
        parts.push(message);
        next = error.source();
    }
    (parts.join(": "), hint)
}

/// A text that other parts of the program give in one language only.
fn same_in_both(text: impl Into<String>) -> Sentence {
    let text = text.into();
    Sentence::new(text.clone(), text)
}

/// A database that cannot be read, whatever was asked of it.
fn store_error(checked: &mut Checked, what: What, error: &StoreError) {
    checked.wrong_config |= matches!(error, StoreError::Foreign { .. });
    let otherwise = Sentence::new("检查数据库文件及其所在目录", "look at the database file and its folder");
    checked.error(what, error, otherwise);
}
