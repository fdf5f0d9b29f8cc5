//! Where the demo is played: the sandbox on loopback, a folder with a real config, and the two nights.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context, bail};
use serde_json::json;

use super::super::progress::Progress;
use super::super::run::{Finished, RunOptions, database_path, lock, open_store, run};
use crate::clock::Clock;
use crate::config::roster::read_roster;
use crate::config::{self, Settings};
use crate::model::{BusinessDate, Total};
use crate::notify::{Act, person};
use crate::report::data::Sentence;
use crate::report::mail::write_eml;
use crate::report::{Lang, html, text};
use crate::sandbox::server::Server;
use crate::sandbox::{DemoWorld, demo_world, roster_csv};
use crate::store::{RosterPlate, RunMode, RunStatus};

/// The config's name in the folder.
const CONFIG: &str = "etcp-recon.toml";

/// The roster's name in the folder.
const ROSTER: &str = "plates.csv";

/// How long the demo pretends to wait between the runs, where its clock can be moved.
const BETWEEN_S: i64 = 3600;

/// The mails go into the report folder: no server is named.
const EMAIL: &str = "\n[report.email]\nfrom = \"停车对账 <recon@example.com>\"\nto = [\"finance@example.com\"]\n";

/// The sandbox, the folder and the settings read from it.
#[derive(Debug)]
pub struct Stage {
    dir: PathBuf,
    date: BusinessDate,
    clock: Clock,
    settings: Settings,
    world: DemoWorld,
    server: Server,
}

/// The two runs.
#[derive(Debug)]
pub struct Played {
    /// The first night.
    pub first: Finished,
    /// The same date again, after the world has moved on.
    pub second: Finished,
}

impl Stage {
    /// Starts the sandbox and writes config, roster and bills of the day before now.
    ///
    /// # Errors
    /// When the folder is in use, or something cannot be written or started.
    pub async fn set_up(dir: Option<&Path>, lang: Lang, clock: &Clock) -> anyhow::Result<Self> {
        let now = clock.now();
        let date = now.business_date().minus_days(1);
        let dir = match dir {
            Some(dir) => empty_folder(dir)?,
            None => fresh_folder(&now.format("%Y%m%d-%H%M%S"))?,
        };
        let world = demo_world(date, now);
        let platform = Arc::new(Mutex::new(world.world.clone()));
        let listen = "127.0.0.1:0".parse().context("the loopback address")?;
        let server =
            Server::start(platform, listen, clock.clone()).await.context("the sandbox platform cannot start")?;
        write_folder(&dir, &world, &server.base_url(), lang)?;
        let settings = config::load(Some(&dir.join(CONFIG)), &|_| None)?;
        let stage = Self { dir, date, clock: clock.clone(), settings, world, server };
        stage.import_roster()?;
        Ok(stage)
    }

    fn import_roster(&self) -> anyhow::Result<()> {
        let path = self.dir.join(ROSTER);
        let file = fs::File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let entries = read_roster(file).with_context(|| format!("roster {}", path.display()))?;
        let plates: Vec<RosterPlate> = entries
            .into_iter()
            .map(|entry| RosterPlate { plate: entry.plate, mobile: entry.mobile, color: entry.color })
            .collect();
        open_store(&self.settings)?.merge_roster(&plates, false)?;
        Ok(())
    }

    /// Both nights and what happens between them.
    ///
    /// # Errors
    /// Those of a run.
    pub async fn play(&self, progress: &dyn Progress) -> anyhow::Result<Played> {
        let first = self.night(progress).await.context("the first run")?;
        self.void()?;
        self.server.with_world(|platform| self.world.move_on(platform));
        self.clock.set(self.clock.now().plus_s(BETWEEN_S));
        let second = self.night(progress).await.context("the second run")?;
        Ok(Played { first, second })
    }

    /// One run of the demo's date.
    ///
    /// # Errors
    /// Those of a run.
    pub async fn night(&self, progress: &dyn Progress) -> anyhow::Result<Finished> {
        let options = RunOptions { date: self.date, mode: RunMode::Live, no_email: false };
        run(&self.settings, options, &self.clock, progress).await
    }

    /// What `notifications void EXT --note …` does.
    fn void(&self) -> anyhow::Result<()> {
        let _lock = lock(database_path(&self.settings))?;
        let mut store = open_store(&self.settings)?;
        let id = self.world.void.as_str();
        let record = store.notification(id)?.with_context(|| format!("there is no notification {id} to void"))?;
        let next = person(&record.standing, Act::Void)?;
        let detail = json!({"by": "demo", "note": "settled with the car park by hand"});
        store.move_notification(None, &record, &next.standing, "voided", &detail, self.clock.now())?;
        Ok(())
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The settings that were read from the folder.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The day that is reconciled.
    pub const fn date(&self) -> BusinessDate {
        self.date
    }

    /// What the sample data holds and how it must be called.
    pub const fn world(&self) -> &DemoWorld {
        &self.world
    }

    /// The platform.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// Stops the sandbox; the folder stays.
    pub async fn close(self) {
        self.server.shutdown().await;
    }

    /// Writes the second run's report in both languages beside the config, and names all there is to look at.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_both_languages(&self, played: &Played) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for lang in [Lang::Zh, Lang::En] {
            let report = &played.second.report;
            files.push(write_eml(&self.dir, &format!("report.{lang}.html"), html(report, lang).as_bytes())?);
            files.push(write_eml(&self.dir, &format!("report.{lang}.txt"), text(report, lang).as_bytes())?);
        }
        files.extend(played.second.files.iter().cloned());
        Ok(files)
    }

    /// What is said before the first night.
    pub(super) fn opening(&self) -> Vec<Sentence> {
        let (dir, url, date) = (self.dir.display(), self.server.base_url(), self.date);
        let (plates, orders) = (self.world.roster.len(), self.world.world.orders().count());
        vec![
            Sentence::new(format!("演示目录：{dir}"), format!("folder: {dir}")),
            Sentence::new(
                format!("沙箱平台：{url}({plates} 个车牌，{orders} 个订单)；不会连接外部"),
                format!("sandbox platform: {url} ({plates} plates, {orders} orders); nothing is sent outside"),
            ),
            Sentence::new(format!("对账日：{date}"), format!("business date: {date}")),
        ]
    }

    /// How many payments the platform booked, and what there is to say of its books.
    pub(super) fn platform_books(&self) -> (usize, Vec<Sentence>) {
        let (count, amount, violations) = self.server.with_world(|world| {
            let mut booked = Total::default();
            world.ledger().iter().for_each(|booking| booked.add(booking.amount));
            (world.ledger().len(), booked.amount(), world.violations().len())
        });
        let sentence = Sentence::new(
            format!("平台账：已入账 {count} 笔，共 {amount} 元；不应有的请求 {violations} 个"),
            format!(
                "platform's ledger: {count} payments booked, {amount} yuan; {violations} requests that must not be"
            ),
        );
        (count, vec![sentence])
    }

    /// What is said at the end.
    pub(super) fn closing(&self, files: &[PathBuf]) -> Vec<Sentence> {
        let shown = |path: &PathBuf| format!("  {}", path.display());
        let mut sentences = vec![Sentence::new("报告:", "report:")];
        sentences.extend(files.iter().map(|path| Sentence::new(shown(path), shown(path))));
        let command = format!("  etcp-recon --config {} show {}", self.dir.join(CONFIG).display(), self.world.void);
        sentences.push(Sentence::new("逐笔查看，例如:", "look closer, for example:"));
        sentences.push(Sentence::new(command.clone(), command));
        sentences
    }
}

impl Played {
    /// What the two nights did.
    pub(super) fn ending(&self) -> Vec<Sentence> {
        let told = |run: &Finished, zh: &str, en: &str| {
            let (summary, count) = (&run.summary, &run.summary.notifications);
            let (acknowledged, rejected, unknown, held) =
                (count.acknowledged, count.rejected, count.unknown, count.held);
            let (new, resolved, closing) =
                (summary.exceptions.new, summary.exceptions.resolved, summary.exceptions.closing);
            let status = summary.status;
            let zh_status = if run.status == RunStatus::Complete { "完成" } else { "部分完成" };
            Sentence::new(
                format!(
                    "{zh}：{zh_status}；通知成功 {acknowledged}、被拒 {rejected}、结果未知 {unknown}、待放行 {held}；差异新增 {new}、消除 {resolved}、现有 {closing}"
                ),
                format!(
                    "{en}: {status}; notified {acknowledged}, refused {rejected}, unknown {unknown}, held {held}; exceptions {new} new, {resolved} resolved, {closing} open"
                ),
            )
        };
        vec![
            told(&self.first, "第一次对账", "first run"),
            Sentence::new(
                "其间：人工核销一笔通知；两辆车离场，一个订单从平台消失",
                "meanwhile: a person voids a notification; two cars leave, an order disappears from the platform",
            ),
            told(&self.second, "同日重跑", "same date again"),
        ]
    }
}

/// A folder that a person named: made when it is not there, refused when something lies in it.
fn empty_folder(dir: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let mut entries = fs::read_dir(dir).with_context(|| format!("cannot read the folder {}", dir.display()))?;
    if entries.next().is_some() {
        bail!("the folder {} is not empty\nhint: name a new one; the demo overwrites nothing", dir.display());
    }
    // The config counts its paths from where it lies.
    dir.canonicalize().with_context(|| format!("cannot find the folder {}", dir.display()))
}

/// A folder of the system's own for such things, readable by its owner only.
fn fresh_folder(stamp: &str) -> anyhow::Result<PathBuf> {
    let parent = std::env::temp_dir();
    for n in 1..100_u32 {
        let dir = parent.join(format!("etcp-recon-demo-{stamp}-{n}"));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("cannot make the folder {}", dir.display())),
        }
    }
    bail!("cannot make a fresh folder in {}\nhint: name one with --dir", parent.display())
}

fn write_folder(dir: &Path, world: &DemoWorld, base_url: &str, lang: Lang) -> anyhow::Result<()> {
    let inbox = dir.join("inbox");
    fs::create_dir(&inbox).with_context(|| format!("cannot make the folder {}", inbox.display()))?;
    // The demo's config ends within [report].
    let config = format!("{}language = \"{lang}\"\n{EMAIL}", world.config_toml(base_url));
    write_new(&dir.join(CONFIG), &config)?;
    write_new(&dir.join(ROSTER), &roster_csv(&world.roster))?;
    world.bills.iter().try_for_each(|bill| write_new(&inbox.join(&bill.name), &bill.text))
}

/// Writes a file that is not there yet, readable by its owner only: a config holds a key, a roster phone numbers.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot write {}", path.display()))
}
