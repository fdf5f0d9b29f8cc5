//! Telling the platform: claim, commit, send, record, one notification after the other.
//!
//! The decisions are [`crate::notify`]'s. Here each is made durable before what follows from it, and
//! nothing is sent when the database says no. The process may die after any line: `sending` found at the
//! next start is unknown, and an unknown one is resolved from the platform's books before anything new.

mod asking;
mod planning;
mod words;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::Context;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use tracing::Instrument;

use self::words::{attempt_and_end, outcome_code, reading_detail, verdict_name};
use super::evidence::{Judged, at};
use super::outage::Outage;
use super::progress::Progress;
use crate::clock::Clock;
use crate::etcp::{AttemptOutcome, Code, PaidRequest, Sessions};
use crate::model::NotificationState;
use crate::notify::{
    Breaker, Budget, Caps, Next, Policy, Precheck, Reading, Resend, Verdict, WhyNot, WhyStopped, WhyUnknown,
    after_attempt, after_fee_asked_again, confirm, count_unlisted, fee_is_fresh, found_sending, is_second_booking,
    precheck, resolve, watch,
};
use crate::store::{AttemptStart, NotificationRecord, Store};

/// The longest that a run waits for the settle time at its end.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// The longest pause between the two reads of an unknown one.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The key in `meta` that turns re-sending off for good.
const RESEND_OFF: &str = "resend_off";

/// The key in `meta` under which alarms wait until a finished run has reported them.
const ALARMS: &str = "alarms";

/// What a run told the platform, in counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The platform said yes, or its books showed it.
    pub acknowledged: u64,
    /// The platform said no.
    pub rejected: u64,
    /// Put on hold for a person.
    pub held: u64,
}

/// Something that heads the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Alarm {
    /// A booking showed up after it had been proved absent.
    LateBooking {
        /// The order.
        order_id: String,
        /// The payment's id at the platform.
        external_order_id: String,
    },
    /// Two different bookings of one order while none of them was confirmed.
    TwoBookings {
        /// The order.
        order_id: String,
    },
}

/// Why nothing more was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The platform answered 4 or 5.
    Refused(Code),
    /// Too many unknown outcomes in a row.
    Breaker,
    /// Too many reads in a row failed.
    Unreachable,
    /// Two bookings of one order.
    TwoBookings,
    /// The run's deadline passed.
    Deadline,
}

/// Tells the platform of payments within one run.
pub struct Teller<'a> {
    store: &'a mut Store,
    sessions: &'a Sessions,
    clock: &'a Clock,
    run_id: &'a str,
    policy: Policy,
    caps: Caps,
    settle: Duration,
    deadline: Instant,
    breaker: Breaker,
    budget: Budget,
    /// What was told so far.
    pub told: Told,
    /// What heads the report.
    pub alarms: Vec<Alarm>,
    /// Why nothing more is sent.
    pub stopped: Option<Stopped>,
    /// The planned ones that the platform did not list in this run.
    unlisted: HashSet<i64>,
    /// The users for whom a read failed since the last read that did not.
    outage: Outage,
    /// Payments due that could not be sent, for a read failed or there is nobody to ask for.
    pub unsent: u64,
}

/// What a teller needs of the settings.
pub struct TellerSettings {
    /// The caps on what is sent.
    pub caps: Caps,
    /// How long the platform may take to book.
    pub settle: Duration,
    /// Whether a lost one is sent again.
    pub resend: Resend,
    /// When the run has to be over.
    pub deadline: Instant,
}

impl<'a> Teller<'a> {
    /// A teller of one run.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn new(
        store: &'a mut Store,
        sessions: &'a Sessions,
        clock: &'a Clock,
        run_id: &'a str,
        settings: &TellerSettings,
    ) -> anyhow::Result<Self> {
        let off = store.meta(RESEND_OFF)?.is_some();
        let alarms = waiting_alarms(store)?;
        let resend = if off { Resend::Never } else { settings.resend };
        let settle_s = i64::try_from(settings.settle.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
        Ok(Self {
            store,
            sessions,
            clock,
            run_id,
            policy: Policy::new(settle_s, resend),
            caps: settings.caps,
            settle: settings.settle,
            deadline: settings.deadline,
            breaker: Breaker::default(),
            budget: Budget::new(&settings.caps),
            told: Told::default(),
            alarms,
            outage: Outage::default(),
            stopped: None,
            unlisted: HashSet::new(),
            unsent: 0,
        })
    }

    /// The database, to judge by.
    pub const fn store(&self) -> &Store {
        self.store
    }

    /// What a process that died left behind: `sending` means unknown.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn recover(&mut self) -> anyhow::Result<()> {
        for record in self.in_state(NotificationState::Sending)? {
            let next = found_sending(&record.standing, self.clock.now());
            self.apply(&record, &next, &json!({"found": "sending"}))?;
        }
        Ok(())
    }

    /// Looks at what the pull showed of the notifications that are on no way: confirms, and notices what moved.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn observe(&mut self, judged: &Judged) -> anyhow::Result<()> {
        let orders: HashMap<String, _> =
            judged.orders.iter().map(|order| (order.snapshot.order_id.key(), order)).collect();
        for record in self.records()? {
            let Some(order) = orders.get(&record.order_id.key()) else { continue };
            if order.last_seen_at < record.updated_at {
                continue;
            }
            let reading = Reading::from(order.snapshot.state);
            let is_acknowledged = record.standing.state == NotificationState::Acknowledged;
            let look = if is_acknowledged { confirm } else { watch };
            let next = look(&record.standing, &reading);
            self.apply(&record, &next, &json!({"order": order.snapshot.state}))?;
        }
        Ok(())
    }

    /// Resolves the unknown ones from the platform's books: two complete reads, a moment apart.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn resolve_unknown(&mut self) -> anyhow::Result<()> {
        if self.read_unknown().await? {
            // Two reads in one breath would be one read.
            let pause = self.settle.checked_div(4).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
            tokio::time::sleep(pause).await;
            self.read_unknown().await?;
        }
        Ok(())
    }

    /// One read of each unknown one; says whether a second read would decide more.
    async fn read_unknown(&mut self) -> anyhow::Result<bool> {
        let mut again = false;
        for record in self.in_state(NotificationState::Unknown)? {
            if self.is_over() {
                break;
            }
            let Some(asked) = self.ask(&record, true).await? else { continue };
            let next = resolve(&record.standing, &asked.reading, asked.at, &self.policy);
            again |= next.verdict == Verdict::AbsenceCounted;
            self.apply(&record, &next, &reading_detail(&asked.reading))?;
        }
        Ok(again)
    }

    /// Sends what is planned and due, oldest first, within the caps. With `again` only what was sent before.
    ///
    /// # Errors
    /// When the database cannot be written: nothing more is sent then.
    pub async fn deliver(&mut self, judged: &Judged, again: bool, progress: &dyn Progress) -> anyhow::Result<()> {
        let mut due: Vec<NotificationRecord> = Vec::new();
        for one in &judged.outcome.due {
            let Some(payment) = judged.payments.get(at(one.payment)) else { continue };
            if let Some(record) = self.record(payment.external_order_id.as_str())? {
                let is_planned = record.standing.state == NotificationState::Planned;
                if is_planned && (!again || record.standing.was_sent()) {
                    due.push(record);
                }
            }
        }
        progress.begin("notify", u64::try_from(due.len()).ok());
        for record in due {
            if self.is_over() {
                break;
            }
            let before = self.budget;
            if self.budget.take(record.standing.amount) && !self.deliver_one(&record).await? {
                // Nothing was sent, so nothing of the caps is used up.
                self.budget = before;
            }
            progress.advance();
        }
        progress.end();
        Ok(())
    }

    /// The end of the run's sending: unknown ones are given the settle time once and resolved. Says
    /// whether any of them may be sent again now.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn settle(&mut self) -> anyhow::Result<bool> {
        if self.in_state(NotificationState::Unknown)?.is_empty() || self.is_refused() {
            return Ok(false);
        }
        tokio::time::sleep(self.settle.min(LONGEST_WAIT)).await;
        self.resolve_unknown().await?;
        let planned = self.in_state(NotificationState::Planned)?;
        Ok(planned.iter().any(|record| record.standing.was_sent()) && !self.is_over())
    }

    /// Counts, at the end of a finished run, the planned ones that the platform did not list.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn count_unlisted(&mut self) -> anyhow::Result<()> {
        for record in self.records()? {
            let counted_before = record.unlisted_run.as_deref() == Some(self.run_id);
            if self.unlisted.contains(&record.id) && !counted_before {
                let next = count_unlisted(&record.standing);
                self.apply(&record, &next, &json!({}))?;
            }
        }
        Ok(())
    }

    /// One that is due stays planned for want of evidence: the run is not complete, and the next one tries again.
    const fn left_unsent(&mut self) -> bool {
        self.unsent = self.unsent.saturating_add(1);
        false
    }

    /// One notification: fee asked again, mark durable, sent, outcome durable. Says whether it was sent.
    async fn deliver_one(&mut self, record: &NotificationRecord) -> anyhow::Result<bool> {
        let Some(asked) = self.ask(record, false).await? else { return Ok(self.left_unsent()) };
        let (sending, entry) = match (precheck(&record.standing, &asked.reading, &self.policy), asked.entry) {
            (Precheck::Send { standing, .. }, Some(entry)) => (standing, entry),
            (Precheck::Send { .. }, None) => return Ok(false),
            (Precheck::NotSent { why, next }, _) => {
                if matches!(why, WhyNot::Unlisted | WhyNot::PaidInCash) {
                    self.unlisted.insert(record.id);
                } else if why == WhyNot::NoEvidence {
                    self.left_unsent();
                }
                self.apply(record, &next, &reading_detail(&asked.reading))?;
                return Ok(false);
            }
        };
        let request = PaidRequest {
            order_id: entry.snapshot.order_id.clone(),
            external_order_id: record.external_order_id.clone(),
            payment: record.standing.amount,
            pay_time: record.pay_time,
            verification_info: entry.verification_info,
        };
        if let Some(fault) = request.fault() {
            tracing::warn!(payment.external_id = %record.external_order_id, fault, "not sent");
            return Ok(self.left_unsent());
        }
        let token = match self.sessions.token(&record.user.mobile, &record.user.plate).await {
            Ok(token) => token,
            Err(error) => {
                self.note_error(&record.user.mobile, &error);
                return Ok(self.left_unsent());
            }
        };
        let now = self.clock.now();
        if !fee_is_fresh(asked.at, now) {
            return Ok(self.left_unsent());
        }
        let start = AttemptStart {
            request_sha256: request.hash(),
            verification_sha256: hex::encode(Sha256::digest(request.verification_info.expose_secret().as_bytes())),
        };
        self.store.begin_attempt(self.run_id, record, &sending, &start, now)?;
        let marked = self.marked(record)?;
        // In a task of its own: once it may be on the wire, nothing cancels it.
        let (client, sent_token) = (self.sessions.client().clone(), token.clone());
        let attempt = async move { client.order_paid(&sent_token, &request).await };
        let attempt = tokio::spawn(attempt.in_current_span());
        let outcome = attempt.await.unwrap_or_else(|error| AttemptOutcome::Unclear {
            reason: format!("the attempt ended without an outcome ({error})"),
            code: None,
        });
        self.record_outcome(&marked, &outcome)?;
        if outcome_code(&outcome) == Some(Code::InvalidToken.number()) {
            self.sessions.refused(&record.user.mobile, &token).await?;
        }
        if let Some(record) = self.awaiting_fee(&marked)? {
            self.ask_after_amount_refusal(&record).await?;
        }
        Ok(true)
    }

    fn record_outcome(&mut self, marked: &NotificationRecord, outcome: &AttemptOutcome) -> anyhow::Result<()> {
        let (attempt, end) = attempt_and_end(outcome);
        let next = after_attempt(&marked.standing, &attempt, self.clock.now());
        if let Some(pay_order_id) = &end.pay_order_id {
            let known = self.store.pay_order_ids(marked)?;
            if is_second_booking(known.iter().map(String::as_str), pay_order_id) {
                self.raise(Alarm::TwoBookings { order_id: marked.order_id.to_string() })?;
                self.stopped = Some(Stopped::TwoBookings);
            }
        }
        self.store.end_attempt(self.run_id, marked, &next.standing, &end, self.clock.now())?;
        self.note(&next);
        if next.stop_sending {
            let code = end.code.map_or(Code::BadSignature, Code::from_i64);
            self.stopped = Some(Stopped::Refused(code));
        }
        Ok(())
    }

    /// Asks the fee again after a first attempt was refused as 20206, the one refusal that needs it.
    async fn ask_after_amount_refusal(&mut self, record: &NotificationRecord) -> anyhow::Result<()> {
        let Some(asked) = self.ask(record, false).await? else { return Ok(()) };
        let next = after_fee_asked_again(&record.standing, &asked.reading);
        self.apply(record, &next, &reading_detail(&asked.reading))
    }

    /// The record when its refusal is still to be checked against the fee.
    fn awaiting_fee(&self, marked: &NotificationRecord) -> anyhow::Result<Option<NotificationRecord>> {
        let record = self.record(marked.external_order_id.as_str())?;
        Ok(record.filter(|record| record.standing.state == NotificationState::Unknown && !record.standing.tainted))
    }

    /// Makes a decision durable, counts it, and says what has to be said aloud.
    fn apply(&mut self, record: &NotificationRecord, next: &Next, detail: &serde_json::Value) -> anyhow::Result<()> {
        if next.verdict == Verdict::Unchanged && next.standing == record.standing {
            return Ok(());
        }
        if let Verdict::LateBooking { .. } = next.verdict {
            // Before the step itself: a crash in between must not lose that re-sending is off.
            self.raise(Alarm::LateBooking {
                order_id: record.order_id.to_string(),
                external_order_id: record.external_order_id.to_string(),
            })?;
        }
        if next.standing != record.standing {
            let verdict = verdict_name(next.verdict);
            let now = self.clock.now();
            self.store.move_notification(Some(self.run_id), record, &next.standing, verdict, detail, now)?;
        }
        self.note(next);
        Ok(())
    }

    /// Nothing is sent again by itself any more, in this run and every later one; the next report that
    /// comes about says why, whatever dies before it.
    fn raise(&mut self, alarm: Alarm) -> anyhow::Result<()> {
        self.policy.resend = Resend::Never;
        self.store.set_meta(RESEND_OFF, &self.clock.now().to_string())?;
        if !self.alarms.contains(&alarm) {
            self.alarms.push(alarm);
            self.store.set_meta(ALARMS, &serde_json::to_string(&self.alarms)?)?;
        }
        Ok(())
    }

    fn note(&mut self, next: &Next) {
        let shown = matches!(next.verdict, Verdict::Confirmed { inferred: true } | Verdict::LateBooking { .. });
        let counter = if next.verdict == Verdict::Acknowledged
            || (shown && next.standing.state == NotificationState::Confirmed)
        {
            Some(&mut self.told.acknowledged)
        } else if next.verdict == Verdict::Rejected {
            Some(&mut self.told.rejected)
        } else if matches!(next.verdict, Verdict::Held(_)) {
            Some(&mut self.told.held)
        } else {
            None
        };
        if let Some(counter) = counter {
            *counter = counter.saturating_add(1);
        }
        self.note_breaker(next);
    }

    /// Only attempts count for the breaker.
    fn note_breaker(&mut self, next: &Next) {
        let of_an_attempt = matches!(next.verdict, Verdict::Acknowledged | Verdict::Rejected | Verdict::NothingLeft)
            || next.verdict == Verdict::Unknown(WhyUnknown::Attempt);
        if of_an_attempt {
            self.breaker.note(next);
        }
        if self.breaker.stopped() == Some(WhyStopped::UnknownInARow) && self.stopped.is_none() {
            self.stopped = Some(Stopped::Breaker);
        }
    }

    fn is_refused(&self) -> bool {
        matches!(self.stopped, Some(Stopped::Refused(_)))
    }

    /// Whether nothing more may be sent in this run.
    fn is_over(&mut self) -> bool {
        if self.stopped.is_none() && Instant::now() >= self.deadline {
            self.stopped = Some(Stopped::Deadline);
        }
        self.stopped.is_some()
    }

    /// All notifications, with `resent_in_run` speaking of this run.
    fn records(&self) -> anyhow::Result<Vec<NotificationRecord>> {
        let mut records = self.store.notifications()?;
        for record in &mut records {
            self.in_this_run(record);
        }
        Ok(records)
    }

    fn record(&self, external_order_id: &str) -> anyhow::Result<Option<NotificationRecord>> {
        let mut record = self.store.notification(external_order_id)?;
        if let Some(record) = &mut record {
            self.in_this_run(record);
        }
        Ok(record)
    }

    fn in_this_run(&self, record: &mut NotificationRecord) {
        record.standing.resent_in_run = record.resent_run.as_deref() == Some(self.run_id);
    }

    fn in_state(&self, state: NotificationState) -> anyhow::Result<Vec<NotificationRecord>> {
        let mut records = self.store.notifications_in(state)?;
        for record in &mut records {
            self.in_this_run(record);
        }
        Ok(records)
    }

    /// The record as it was just committed.
    fn marked(&self, record: &NotificationRecord) -> anyhow::Result<NotificationRecord> {
        self.record(record.external_order_id.as_str())?.context("a notification that was just marked is gone")
    }
}

/// The alarms that no finished run has reported yet.
///
/// # Errors
/// When the database cannot be read.
pub fn waiting_alarms(store: &Store) -> anyhow::Result<Vec<Alarm>> {
    Ok(match store.meta(ALARMS)? {
        Some(text) => serde_json::from_str(&text).context("the alarms kept in the database")?,
        None => Vec::new(),
    })
}

/// Forgets the alarms: a report has them.
///
/// # Errors
/// When the database cannot be written.
pub fn clear_alarms(store: &mut Store) -> anyhow::Result<()> {
    if !waiting_alarms(store)?.is_empty() {
        store.set_meta(ALARMS, "[]")?;
    }
    Ok(())
}

/// Caps as the notification rules take them.
pub fn caps(settings: &crate::config::Notify) -> Caps {
    Caps {
        max_per_run: settings.max_per_run,
        max_amount: settings.max_amount,
        max_total: settings.max_total,
        not_before: settings.not_before,
    }
}
