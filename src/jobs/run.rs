//! One reconciliation: bills in, the platform pulled, judged, notified, reported.
//!
//! Load → decide → apply, twice: once to know what is due, and, when the platform has been told, once
//! more to know what is. The run's end is one transaction; the mail is stored in it and sent after it.

mod exceptions;
mod failure;
mod reasons;
mod rows;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tokio::time::Instant;
use tracing::Instrument;

use self::exceptions::{all_carried, changes_of_run, exit_findings, persons_acts, reopened_by_persons};
use self::rows::{count_unknown, order_days, outcome_rows, plate_users};
use super::evidence::{Judged, Scope, judge};
use super::exceptions::{ExceptionChanges, roll_forward};
use super::inbox::{BillOutcome, BillStatus, ClaimedSource, InboxOutcome, has_bill_for, import_inbox};
use super::ledger::ledger;
use super::letter::{failure_letter, letter};
use super::mailing::{self, MailKey};
use super::notify::{Alarm, Stopped, Teller, TellerSettings, Told, caps, clear_alarms};
use super::outbox;
use super::platform::{StoredTokens, client};
use super::progress::Progress;
use super::pull::{PullEnd, PullJob, deadline_after, pull, users};
use super::report_data::{Facts, figures, history, report_data};
use super::sources::claimed_sources;
use super::summary::{ExceptionSummary, Parts, Summary};
use crate::clock::Clock;
use crate::config::{self, Settings};
use crate::etcp::Sessions;
use crate::model::BusinessDate;
use crate::notify::Resend;
use crate::report::data::PartialReason;
use crate::report::packed::pack;
use crate::report::{DAYS, FailureReport, ReportData};
use crate::store::{
    CoverageRow, FinishedRun, KeptReport, OutboxMail, RollForward, RosterPlate, RunLock, RunMode, RunRecord, RunStatus,
    Store, StoreError,
};

/// Which run, and how.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// The date that is reconciled.
    pub date: BusinessDate,
    /// Live, dry or offline.
    pub mode: RunMode,
    /// No mail, whatever the config says.
    pub no_email: bool,
}

/// What a run ended with.
#[derive(Debug)]
pub struct Finished {
    /// The summary.
    pub summary: Summary,
    /// How it ended.
    pub status: RunStatus,
    /// The report could not be delivered, and why; it is kept.
    pub undelivered: Option<String>,
    /// Why it is partial.
    pub reasons: Vec<PartialReason>,
    /// Files in the inbox that no source claims.
    pub unclaimed: Vec<String>,
    /// The report's files.
    pub files: Vec<PathBuf>,
    /// What the report says, to be rendered in another language too.
    pub report: ReportData,
}

/// Another run works on the database.
#[derive(Debug, thiserror::Error)]
#[error("another run holds the lock of database {}; nothing was done\nhint: wait for it to end, then run again", path.display())]
pub struct Busy {
    /// The database.
    pub path: PathBuf,
}

/// Counts or sums that do not add up.
#[derive(Debug, thiserror::Error)]
#[error(
    "the run of {date} does not tie out: counts or sums of the dispositions are not those of what came in\nhint: this is a fault of the program; nothing of this run is to be trusted, the evidence is kept"
)]
pub struct DoesNotTieOut {
    /// The date.
    pub date: BusinessDate,
}

/// A run that began and failed: the context of its error.
#[derive(Debug, thiserror::Error)]
#[error("run {} failed; nothing of it is to be trusted", summary.run)]
pub struct FailedRun {
    /// Its summary: who and when, and that it failed.
    pub summary: Box<Summary>,
}

/// The database file of the settings.
pub fn database_path(settings: &Settings) -> &Path {
    let config::Database::Sqlite(path) = &settings.database;
    path
}

/// Takes the one lock of all work on a database.
///
/// # Errors
/// [`Busy`] when another run holds it.
pub fn lock(path: &Path) -> anyhow::Result<RunLock> {
    let lock = RunLock::try_acquire(path).with_context(|| format!("the lock of database {}", path.display()))?;
    Ok(lock.ok_or_else(|| Busy { path: path.to_owned() })?)
}

/// Opens the database and makes sure that it is this merchant's.
///
/// # Errors
/// When it cannot be used, or belongs to another platform address or merchant.
pub fn open_store(settings: &Settings) -> anyhow::Result<Store> {
    let mut store = Store::open(database_path(settings))?;
    store.bind(&settings.platform.base_url, &settings.merchant.merchant_no)?;
    Ok(store)
}

/// Runs one reconciliation from the lock to the mail.
///
/// # Errors
/// When nothing of it is to be trusted, or it could not begin; the failure is mailed if that is possible.
pub async fn run(
    settings: &Settings,
    options: RunOptions,
    clock: &Clock,
    progress: &dyn Progress,
) -> anyhow::Result<Finished> {
    if options.mode != RunMode::Offline {
        settings.merchant.merchant_key.get()?;
    }
    let email = settings.report.email.as_ref().filter(|_| !options.no_email && options.mode != RunMode::DryRun);
    if let Some(email) = email {
        mailing::mail_server(email)?;
    }
    let _lock = lock(database_path(settings))?;
    let (mut store, before, record) = match begin(settings, options, clock) {
        Ok(begun) => begun,
        Err(error) => {
            if let Some(email) = email.filter(|_| !is_foreign(&error)) {
                tell_of_no_begin(settings, email, options.date, clock, &error).await;
            }
            return Err(error);
        }
    };
    let span = tracing::info_span!("run", run.id = %record.id);
    let mut night = Night { settings, options, clock, progress, record: &record, before, email };
    let reconciled = async {
        let finished = night.run(&mut store).await;
        match finished {
            Ok(finished) => Ok(finished),
            Err(error) => {
                let mail = night.fail(&mut store, &error).await;
                Err(error.context(night.failed(mail)))
            }
        }
    };
    // Boxed: it holds a whole night, and callers hold it in turn.
    Box::pin(reconciled.instrument(span)).await
}

/// Opens the database and begins the run: also gives the finished live run of the date before it.
fn begin(
    settings: &Settings,
    options: RunOptions,
    clock: &Clock,
) -> anyhow::Result<(Store, Option<RunRecord>, RunRecord)> {
    let mut store = open_store(settings)?;
    let before = store.last_finished_live_run(options.date)?;
    let record = store.begin_run(options.date, options.mode, clock.now())?;
    Ok((store, before, record))
}

/// Whether the database is another's: a wrong configuration, not a failed run.
fn is_foreign(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StoreError::Foreign { .. }))
}

/// Mails that a run could not even begin. There is no database to store the mail in; what fails here is only logged.
async fn tell_of_no_begin(
    settings: &Settings,
    email: &config::Email,
    date: BusinessDate,
    clock: &Clock,
    error: &anyhow::Error,
) {
    let now = clock.now();
    let report = FailureReport {
        run_id: None,
        date,
        made_at: now,
        error_chain: error.chain().map(ToString::to_string).collect(),
    };
    let letter = failure_letter(&report, mailing::lang(&settings.report));
    let name = format!("{date}.not-begun-{}", now.unix());
    let told = async {
        let key = MailKey { run_id: &name, unique: &settings.merchant.merchant_no };
        let mail = mailing::outbox_mail(email, key, &letter, now)?;
        outbox::send_now(&mail, email, &settings.report.dir).await
    };
    if let Err(also) = told.await {
        tracing::error!(error = %format!("{also:#}"), "the failure could not be mailed");
    }
}

/// One run under way.
struct Night<'a> {
    settings: &'a Settings,
    options: RunOptions,
    clock: &'a Clock,
    progress: &'a dyn Progress,
    record: &'a RunRecord,
    before: Option<RunRecord>,
    email: Option<&'a config::Email>,
}

/// What came in.
struct Intake {
    inbox: InboxOutcome,
    missing_sources: Vec<String>,
    bill_missing: HashSet<BusinessDate>,
    coverage: Option<Vec<CoverageRow>>,
    covered_by: Option<String>,
    rejected_records: u64,
    roster: Vec<RosterPlate>,
    platform_ahead_s: Option<i64>,
    clock_correction_s: i64,
    pull_ended: PullEnd,
}

/// The platform's sessions of a run, and where their tokens are kept.
struct Platform {
    sessions: Sessions,
    tokens: Arc<StoredTokens>,
}

/// What was told.
#[derive(Default)]
struct Telling {
    told: Told,
    alarms: Vec<Alarm>,
    stopped: Option<Stopped>,
    unsent: u64,
}

impl Night<'_> {
    async fn run(&mut self, store: &mut Store) -> anyhow::Result<Finished> {
        let deadline = deadline_after(self.settings.run.deadline);
        let sources = claimed_sources(&self.settings.bills)?;
        let platform = self.platform(store, deadline)?;
        let inbox = match self.options.mode {
            RunMode::Offline => known_bills(store, self.options.date)?,
            RunMode::Live | RunMode::DryRun => {
                import_inbox(store, &self.settings.bills.inbox, &sources, self.clock.now())?
            }
        };
        let mut missing_sources = Vec::new();
        for one in sources.iter().filter(|one| one.required) {
            if !has_bill_for(store, &one.source.name, self.options.date)? {
                missing_sources.push(one.source.name.clone());
            }
        }
        let mut intake = Intake {
            missing_sources,
            bill_missing: self.days_without_bill(store, &sources)?,
            inbox,
            coverage: None,
            covered_by: None,
            rejected_records: 0,
            roster: store.roster()?,
            platform_ahead_s: None,
            clock_correction_s: 0,
            pull_ended: PullEnd::Asked,
        };
        self.cover(store, platform.as_ref(), &mut intake, deadline).await?;
        let telling = match &platform {
            Some(platform) if self.options.mode == RunMode::Live => {
                self.tell(store, &platform.sessions, &intake, deadline).await?
            }
            _ => Telling::default(),
        };
        let judged = judge(store, &self.scope(&intake))?;
        if !judged.tie_out {
            return Err(DoesNotTieOut { date: self.options.date }.into());
        }
        self.finish(store, &judged, &intake, &telling).await
    }

    /// The platform's client and the tokens; none offline.
    fn platform(&self, store: &Store, deadline: Instant) -> anyhow::Result<Option<Platform>> {
        if self.options.mode == RunMode::Offline {
            return Ok(None);
        }
        let client = client(self.settings, self.clock)?;
        client.end_by(deadline);
        let tokens = Arc::new(StoredTokens::beside(store)?);
        let sessions = Sessions::new(client, Arc::<StoredTokens>::clone(&tokens), self.clock.clone());
        Ok(Some(Platform { sessions, tokens }))
    }

    /// Pulls, or takes the coverage of the last live run of the date.
    async fn cover(
        &self,
        store: &mut Store,
        platform: Option<&Platform>,
        intake: &mut Intake,
        deadline: Instant,
    ) -> anyhow::Result<()> {
        let covered_by = match platform {
            Some(Platform { sessions, tokens }) => {
                let job = PullJob {
                    run_id: &self.record.id,
                    users: users(&intake.roster),
                    sessions,
                    tokens,
                    concurrency: self.settings.platform.max_concurrency,
                    deadline,
                    clock: self.clock,
                };
                intake.pull_ended = pull(job, store, self.progress).await?;
                intake.platform_ahead_s = sessions.client().clock_skew_s();
                intake.clock_correction_s = sessions.client().clock_correction_s();
                Some(self.record.id.clone())
            }
            None => self.before.as_ref().map(|run| run.id.clone()),
        };
        if let Some(run_id) = covered_by {
            intake.coverage = Some(store.coverage(&run_id)?);
            intake.rejected_records = u64::try_from(store.rejected_records(&run_id)?.len()).unwrap_or(u64::MAX);
            intake.covered_by = Some(run_id);
        }
        Ok(())
    }

    /// The days of the window, up to the date, of which a required source has no bill.
    fn days_without_bill(&self, store: &Store, sources: &[ClaimedSource]) -> anyhow::Result<HashSet<BusinessDate>> {
        let mut without = HashSet::new();
        for days in 0..=self.settings.matching.lookback_days {
            let day = self.options.date.minus_days(days);
            for one in sources.iter().filter(|one| one.required) {
                if !has_bill_for(store, &one.source.name, day)? {
                    without.insert(day);
                }
            }
        }
        Ok(without)
    }

    fn scope(&self, intake: &Intake) -> Scope {
        let first_day = self.options.date.minus_days(self.settings.matching.lookback_days);
        Scope {
            date: self.options.date,
            start: first_day.start(),
            grace_s: self.settings.matching.grace_s(),
            coverage: intake.coverage.clone(),
            covered_by: intake.covered_by.clone(),
            bill_missing: intake.bill_missing.clone(),
        }
    }

    /// Resolves what is unknown, then tells the platform of what is due, when that is turned on.
    async fn tell(
        &self,
        store: &mut Store,
        sessions: &Sessions,
        intake: &Intake,
        deadline: Instant,
    ) -> anyhow::Result<Telling> {
        let settings = TellerSettings {
            caps: caps(&self.settings.notify),
            settle: self.settings.notify.settle_time,
            resend: match self.settings.notify.resend {
                config::Resend::AfterProof => Resend::AfterProof,
                config::Resend::Never => Resend::Never,
            },
            deadline,
        };
        let users = plate_users(&intake.roster);
        let scope = self.scope(intake);
        let mut teller = Teller::new(store, sessions, self.clock, &self.record.id, &settings)?;
        teller.recover()?;
        let judged = judge(teller.store(), &scope)?;
        teller.observe(&judged)?;
        teller.resolve_unknown().await?;
        if self.settings.notify.enabled {
            let judged = judge(teller.store(), &scope)?;
            teller.plan(&judged, &users)?;
            teller.deliver(&judged, false, self.progress).await?;
            if teller.settle().await? {
                let judged = judge(teller.store(), &scope)?;
                teller.deliver(&judged, true, self.progress).await?;
            }
            teller.count_unlisted()?;
        }
        Ok(Telling {
            told: teller.told,
            alarms: std::mem::take(&mut teller.alarms),
            stopped: teller.stopped,
            unsent: teller.unsent,
        })
    }

    async fn finish(
        &self,
        store: &mut Store,
        judged: &Judged,
        intake: &Intake,
        telling: &Telling,
    ) -> anyhow::Result<Finished> {
        let now = self.clock.now();
        let unknown = count_unknown(judged);
        let reasons = self.partial_reasons(intake, telling, unknown);
        let status = if reasons.is_empty() { RunStatus::Complete } else { RunStatus::Partial };
        let open_before = store.open_exceptions()?;
        let exits = exit_findings(store, judged, &self.scope(intake), &open_before)?;
        let changes = match self.options.mode {
            RunMode::DryRun => all_carried(&open_before),
            RunMode::Live | RunMode::Offline => {
                changes_of_run(store, judged, exits, &open_before, &store.reported_dates()?)?
            }
        };
        let acts = persons_acts(store)?;
        let roll = roll_forward(store.last_roll_forward()?, &acts, &open_before, &changes)?;
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let parts = Parts {
            run: &self.record.id,
            mode: self.options.mode,
            status,
            rerun_of: self.before.as_ref().map(|run| run.id.clone()),
            coverage: intake.coverage.as_deref().unwrap_or_default(),
            rejected_records: intake.rejected_records,
            bills: &intake.inbox.bills,
            told: telling.told,
            unknown: if self.options.mode == RunMode::Live { unknown } else { 0 },
            exceptions: ExceptionSummary {
                opening: roll.opening.count,
                new: roll.new.count,
                resolved: roll.resolved.count,
                closing: roll.closing.count,
                reopened: count(changes.reopened.len().saturating_add(reopened_by_persons(&acts))),
            },
        };
        let facts = Facts {
            partial_reasons: reasons.clone(),
            alarms: &telling.alarms,
            roster_is_empty: intake.roster.is_empty() && self.options.mode != RunMode::Offline,
            before: self.before.as_ref(),
            set_aside: store.set_aside_rows(self.options.date, self.record.started_at)?,
            open_before: &open_before,
            acts: &acts,
            changes: &changes,
            roll,
            contradicted_pushes: store.contradicted_since(self.options.date.start())?,
            platform_ahead_s: intake.platform_ahead_s,
            clock_correction_s: intake.clock_correction_s,
            journal_head: Some(store.journal_head()?),
            at: now,
        };
        let mut data = report_data(judged, &parts, facts);
        let first_day = self.options.date.minus_days(DAYS.saturating_sub(1));
        data.history = history(store.report_figures(first_day, self.options.date)?, &data);
        let rows = ledger(judged, self.record.started_at);
        let report = &self.settings.report;
        let (lang, folder) = (mailing::lang(report), mailing::folder(&report.dir, self.options.date));
        let rendered = mailing::render(&data, &rows, lang)?;
        // What the run has done stands, whether or not its report can be written; the mail has it too.
        let written = mailing::write_files(&folder, &self.record.id, &rendered);
        let (files, unwritten) = match written {
            Ok(files) => (files, None),
            Err(error) => (Vec::new(), Some(format!("{error:#}"))),
        };
        let mut summary = Summary::new(judged, parts);
        summary.report.files = files.iter().map(|path| path.display().to_string()).collect();
        let mail = match self.email.filter(|email| wants_mail(email.when, status, summary.exceptions.closing)) {
            Some(email) => {
                let letter = letter(&data, &rows, &rendered, &folder, lang)?;
                Some(mailing::outbox_mail(email, self.mail_key(&self.unique()), &letter, now)?)
            }
            None => None,
        };
        summary.report.mail = if mail.is_some() { "pending" } else { "off" };
        let kept = KeptReport { data: pack(&data)?, ledger: pack(&rows)?, figures: figures(&data) };
        self.store_end(store, judged, (status, &summary), (&changes, &roll), (&kept, mail.as_ref()))?;
        if self.options.mode == RunMode::Live {
            clear_alarms(store)?;
        }
        let mut finished = Finished {
            summary,
            status,
            undelivered: unwritten,
            reasons,
            unclaimed: intake.inbox.unclaimed.clone(),
            files,
            report: data,
        };
        self.deliver_mail(store, mail.as_ref(), &mut finished).await?;
        Ok(finished)
    }

    /// The one transaction that ends a run. A dry run opens nothing and reports nothing.
    fn store_end(
        &self,
        store: &mut Store,
        judged: &Judged,
        (status, summary): (RunStatus, &Summary),
        (changes, roll): (&ExceptionChanges, &RollForward),
        (report, mail): (&KeptReport, Option<&OutboxMail>),
    ) -> anyhow::Result<()> {
        let dry = self.options.mode == RunMode::DryRun;
        let nothing = ExceptionChanges::default();
        let (outcomes, days) = if dry { (Vec::new(), Vec::new()) } else { (outcome_rows(judged), order_days(judged)) };
        store.finish_run(&FinishedRun {
            run_id: &self.record.id,
            status,
            summary: &serde_json::to_string(summary)?,
            outcomes: &outcomes,
            order_days: &days,
            exceptions: if dry { &nothing } else { changes },
            roll_forward: (!dry).then_some(roll),
            report: Some(report),
            mail,
            at: self.clock.now(),
        })?;
        Ok(())
    }

    /// Sends this run's mail, and whatever earlier runs could not send.
    async fn deliver_mail(
        &self,
        store: &mut Store,
        mail: Option<&OutboxMail>,
        finished: &mut Finished,
    ) -> anyhow::Result<()> {
        let Some(email) = self.email else { return Ok(()) };
        let delivery = outbox::send_pending(store, email, &self.settings.report.dir, self.clock).await?;
        for (_, path) in delivery.files.iter().filter(|(run, _)| *run == self.record.id) {
            finished.summary.report.files.push(path.display().to_string());
            finished.files.push(path.clone());
        }
        let own = mail.map(|mail| mail.message_id.as_str());
        if own.is_some_and(|own| delivery.accepted.contains(own)) {
            finished.summary.report.mail = outbox::delivered_as(email);
        }
        let own_problem = delivery.problems.iter().find(|problem| Some(problem.message_id.as_str()) == own);
        if let Some(problem) = own_problem.or(delivery.problems.first()) {
            finished.undelivered = Some(format!("the mail of run {}: {}", problem.run_id, problem.why));
        }
        store.set_summary(&self.record.id, &serde_json::to_string(&finished.summary)?)?;
        Ok(())
    }

    fn mail_key<'a>(&'a self, unique: &'a str) -> MailKey<'a> {
        MailKey { run_id: &self.record.id, unique }
    }

    /// What tells this run apart from those of every other database.
    fn unique(&self) -> String {
        unique(self.settings, self.record)
    }
}

/// What tells a run apart from those of every other database.
pub fn unique(settings: &Settings, record: &RunRecord) -> String {
    format!("{}/{}", settings.merchant.merchant_no, record.started_at.unix())
}

/// Whether a run's mail goes out.
fn wants_mail(when: config::MailWhen, status: RunStatus, open_exceptions: u64) -> bool {
    match when {
        config::MailWhen::Always => true,
        config::MailWhen::Exceptions => open_exceptions > 0 || status != RunStatus::Complete,
        config::MailWhen::Failure => status != RunStatus::Complete,
    }
}

/// The bills of a date that an offline run judges by.
fn known_bills(store: &Store, date: BusinessDate) -> anyhow::Result<InboxOutcome> {
    let of_date =
        store.bills()?.into_iter().filter(|bill| bill.dates.is_some_and(|(first, last)| first <= date && date <= last));
    let bills = of_date.map(|bill| BillOutcome {
        file: bill.file_name,
        sha256: bill.sha256,
        profile: bill.profile,
        status: BillStatus::Known,
        payments: bill.payments,
        refunds: bill.refunds,
        ignored: bill.ignored,
        set_aside: bill.set_aside,
        reason: None,
        blocks: false,
    });
    Ok(InboxOutcome { bills: bills.collect(), unclaimed: Vec::new() })
}
