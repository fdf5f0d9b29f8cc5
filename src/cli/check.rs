//! `check`

use super::App;
use super::args::CheckArgs;
use super::console::Console;
use super::exit::Exit;
use super::page::{BAD, GOOD, LOOK, Page};
use crate::config::ConfigError;
use crate::jobs::check::{Level, check as look};

/// Looks at everything that a run needs; a line each.
pub async fn check(app: &App, args: &CheckArgs) -> anyhow::Result<Exit> {
    let settings = app.settings();
    if let Some(path) = &args.bill {
        // A bill can be looked at without any config, but not with one that is wrong.
        let settings = match settings {
            Err(ConfigError::NotFound { .. }) if args.source.is_none() => None,
            other => Some(other?),
        };
        return super::bill::bill(app, settings.as_ref(), path, args);
    }
    let lang = settings.as_ref().map_or_else(|_| app.lang_alone(), |settings| app.lang(settings));
    let checked = Box::pin(look(settings, &app.clock)).await;
    if args.json {
        Console::print_json(&checked)?;
    } else {
        let mut page = Page::new(&app.console);
        for finding in &checked.findings {
            let style = match finding.level {
                Level::Ok => GOOD,
                Level::Warning => LOOK,
                Level::Wrong => BAD,
            };
            for line in finding.lines(lang) {
                page.colored(style, line);
            }
        }
        Console::print(page.text())?;
    }
    Ok(match (checked.wrong_config, checked.worst()) {
        (true, _) => Exit::Usage,
        (false, Level::Wrong) => Exit::Failed,
        (false, Level::Ok | Level::Warning) => Exit::Done,
    })
}
