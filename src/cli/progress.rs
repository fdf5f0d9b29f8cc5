//! How far a job is: a bar on a terminal, a line at both ends of a stretch in a pipe, nothing with `-q`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

use super::console::Console;
use super::words::pick;
use crate::jobs::progress::Progress;
use crate::report::Lang;

const BAR: &str = "{msg} [{bar:30}] {pos}/{len} {elapsed}";
const SPINNER: &str = "{spinner} {msg} {pos} {elapsed}";

/// Shows the progress of a job on standard error.
pub struct Shown<'a> {
    console: &'a Console,
    lang: Lang,
    stretch: Mutex<Option<Stretch>>,
}

/// A stretch under way.
struct Stretch {
    what: &'static str,
    steps: Option<u64>,
    done: u64,
    bar: Option<ProgressBar>,
}

impl<'a> Shown<'a> {
    /// Progress in a language.
    pub fn new(console: &'a Console, lang: Lang) -> Self {
        Self { console, lang, stretch: Mutex::new(None) }
    }

    fn stretch(&self) -> MutexGuard<'_, Option<Stretch>> {
        // Progress is decoration: a panic elsewhere must not become one here.
        self.stretch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bar(&self, what: &'static str, steps: Option<u64>) -> ProgressBar {
        let bar = steps.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let template = if steps.is_some() { BAR } else { SPINNER };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.set_message(self.name(what));
        self.console.bars.add(bar)
    }

    fn name(&self, what: &'static str) -> &'static str {
        match what {
            "pull" => pick(self.lang, "拉取平台数据（用户）", "pulling users"),
            "notify" => pick(self.lang, "发送支付通知", "notifying payments"),
            other => other,
        }
    }
}

impl Progress for Shown<'_> {
    fn begin(&self, what: &'static str, steps: Option<u64>) {
        let bar = (self.console.watched && !self.console.quiet).then(|| self.bar(what, steps));
        if bar.is_none() {
            let count = steps.map_or_else(String::new, |steps| format!(": {steps}"));
            self.console.say(&format!("{}{count}", self.name(what)));
        }
        *self.stretch() = Some(Stretch { what, steps, done: 0, bar });
    }

    fn advance(&self) {
        if let Some(stretch) = self.stretch().as_mut() {
            stretch.done = stretch.done.saturating_add(1);
            if let Some(bar) = &stretch.bar {
                bar.inc(1);
            }
        }
    }

    fn end(&self) {
        let Some(Stretch { what, steps, done, bar }) = self.stretch().take() else { return };
        if let Some(bar) = bar {
            bar.finish_and_clear();
        } else {
            let of = steps.map_or_else(String::new, |steps| format!("/{steps}"));
            let finished = pick(self.lang, "完成", "done");
            self.console.say(&format!("{}: {done}{of} {finished}", self.name(what)));
        }
    }
}
