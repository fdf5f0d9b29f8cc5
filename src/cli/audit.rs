//! `audit`

use anyhow::Context;

use super::App;
use super::args::AuditCommand;
use super::console::Console;
use super::exit::Exit;
use crate::jobs::run::database_path;
use crate::report::Lang;
use crate::store::Store;

/// Goes through the journal's chain. A database that is not there is not made: an empty one would pass.
pub fn audit(app: &App, command: AuditCommand) -> anyhow::Result<Exit> {
    let AuditCommand::Verify = command;
    let settings = app.settings()?;
    let mut store = Store::open_existing(database_path(&settings))?;
    store.bind(&settings.platform.base_url, &settings.merchant.merchant_no)?;
    let rows = store.verify_journal()?.with_context(|| {
        let path = store.path().display();
        format!(
            "the journal of database {path} was changed\nhint: keep the database as it is, compare it with the last backup; `Journal` in the mailed reports is the chain's end at their time"
        )
    })?;
    let head = store.journal_head()?;
    Console::print(&match app.lang(&settings) {
        Lang::Zh => format!("日志完整：{rows} 行，末行哈希 {head}\n"),
        Lang::En => format!("the journal is whole: {rows} rows, the last has hash {head}\n"),
    })?;
    Ok(Exit::Done)
}
