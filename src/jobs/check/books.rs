//! What the database says of itself and of the runs before.

use super::{Checked, Level, What, files, store_error};
use crate::clock::Clock;
use crate::config::Settings;
use crate::jobs::run::database_path;
use crate::model::NotificationState;
use crate::report::data::Sentence;
use crate::store::{Store, StoreError};

/// A complete run older than this is a gap: there is one every night.
const OLD_RUN_S: i64 = 2 * 24 * 3600;

/// The database, when there is one that may be used: whose it is, its journal, its roster.
pub(super) fn database(checked: &mut Checked, settings: &Settings) -> Option<Store> {
    let path = database_path(settings);
    if matches!(path.try_exists(), Ok(false)) {
        not_made_yet(checked, settings);
        return None;
    }
    let opened = Store::open_existing(path).and_then(|store| {
        store.check_bound(&settings.platform.base_url, &settings.merchant.merchant_no)?;
        Ok(store)
    });
    let store = match opened {
        Ok(store) => store,
        Err(error) => {
            store_error(checked, What::Database, &error);
            return None;
        }
    };
    let shown = path.display();
    checked.ok(What::Database, format!("{shown} 可用"), format!("{shown} opens and is this merchant's"));
    if let Err(error) = journal(checked, &store) {
        store_error(checked, What::Journal, &error);
    }
    if let Err(error) = roster(checked, &store) {
        store_error(checked, What::Roster, &error);
    }
    Some(store)
}

fn not_made_yet(checked: &mut Checked, settings: &Settings) {
    let path = database_path(settings);
    let folder = path.parent().unwrap_or(path);
    match files::writable(folder) {
        Ok(()) => {
            let shown = path.display();
            checked.ok(
                What::Database,
                format!("{shown} 尚未建立,首次使用时自动建立"),
                format!("{shown} is not there yet; the first use makes it"),
            );
            no_roster(checked);
        }
        Err(why) => {
            let shown = folder.display();
            checked.add(
                What::Database,
                Level::Wrong,
                Sentence::new(
                    format!("数据库目录 {shown} 不可写: {why}"),
                    format!("the database's folder {shown} cannot be written to: {why}"),
                ),
                Sentence::new(
                    "建立该目录并授予写权限,或修改 [database] url",
                    "make it, give this user the right to write there, or change [database] url",
                ),
            );
        }
    }
}

fn journal(checked: &mut Checked, store: &Store) -> Result<(), StoreError> {
    match store.verify_journal()? {
        Ok(rows) => {
            checked.ok(What::Journal, format!("{rows} 条,链条完整"), format!("{rows} rows, the chain is whole"));
        }
        Err(broken) => {
            let otherwise = Sentence::new(
                "停止对账,保留现有文件,恢复最近的备份",
                "stop all runs, keep the file as it is, restore the newest backup",
            );
            checked.error(What::Journal, &broken, otherwise);
        }
    }
    Ok(())
}

fn roster(checked: &mut Checked, store: &Store) -> Result<(), StoreError> {
    let roster = store.roster()?;
    if roster.is_empty() {
        no_roster(checked);
        return Ok(());
    }
    let plates = roster.len();
    let users = crate::jobs::pull::users(&roster).len();
    checked.ok(What::Roster, format!("{users} 个用户,{plates} 个车牌"), format!("{users} users, {plates} plates"));
    Ok(())
}

fn no_roster(checked: &mut Checked) {
    checked.add(
        What::Roster,
        Level::Warning,
        Sentence::new("名册为空,不会拉取任何订单", "empty: no order is pulled"),
        Sentence::new("etcp-recon plates import plates.csv", "etcp-recon plates import plates.csv"),
    );
}

/// The age of the last complete run.
pub(super) fn last_run(checked: &mut Checked, store: &Store, clock: &Clock) {
    let run = match store.last_complete_run() {
        Ok(run) => run,
        Err(error) => return store_error(checked, What::LastRun, &error),
    };
    let hint = Sentence::new(
        "运行 etcp-recon run,并查看最近的报告为何不完整",
        "etcp-recon run; the newest report says why it was not complete",
    );
    let Some(run) = run else {
        let message = Sentence::new("还没有完整的对账", "there has been no complete run yet");
        return checked.add(What::LastRun, Level::Warning, message, hint);
    };
    let age_s = clock.now().since_s(run.started_at);
    let (date, age) = (run.date, files::age(age_s));
    let message = Sentence::new(format!("{date},{} 前", age.zh), format!("{date}, {} ago", age.en));
    if age_s > OLD_RUN_S {
        checked.add(What::LastRun, Level::Warning, message, hint);
    } else {
        checked.ok(What::LastRun, message.zh, message.en);
    }
}

/// Notifications that do not move by themselves.
pub(super) fn notifications(checked: &mut Checked, store: &Store) {
    use NotificationState::{Held, Rejected, Sending, Unknown};
    let records = match store.notifications() {
        Ok(records) => records,
        Err(error) => return store_error(checked, What::Notifications, &error),
    };
    let count =
        |states: &[NotificationState]| records.iter().filter(|record| states.contains(&record.standing.state)).count();
    let (unknown, held, rejected) = (count(&[Unknown, Sending]), count(&[Held]), count(&[Rejected]));
    let message = Sentence::new(
        format!("结果未知 {unknown}、待放行 {held}、被拒 {rejected}"),
        format!("{unknown} unknown, {held} held, {rejected} rejected"),
    );
    if unknown == 0 && held == 0 && rejected == 0 {
        checked.ok(What::Notifications, message.zh, message.en);
    } else {
        let hint = Sentence::new(
            "etcp-recon notifications 列出它们;未知的由下次对账查证,其余由人放行或核销",
            "`etcp-recon notifications` lists them; the next run resolves the unknown ones, a person releases or voids the others",
        );
        checked.add(What::Notifications, Level::Warning, message, hint);
    }
}
