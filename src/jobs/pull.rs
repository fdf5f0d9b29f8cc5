//! The pull: each bound plate's unpaid fees and each user's order history, stored as they come.
//!
//! One user's failure never spoils the others: it is in the coverage. A platform that stops answering is left
//! alone for a while and tried with one user; one that does not come back, or never answered, ends the pull
//! early. Code 4 or 5 ends it, and the run, after the first such answer.

mod turns;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;

use self::turns::{Taken, Turns};
use self::writer::{Batch, Writer};
use super::outage::Outage;
use super::platform::StoredTokens;
use super::progress::Progress;
use crate::clock::Clock;
use crate::etcp::{EtcpError, Sessions};
use crate::model::{Mobile, Plate, Timestamp};
use crate::store::{CoverageRow, PulledUser, RosterPlate, Store};

/// So many users are written at once, if the disk keeps up.
const BATCH: usize = 256;

/// What came in does not wait longer than this for more to come.
const BATCH_AGE: Duration = Duration::from_secs(1);

/// With so many users waiting to be written the asking waits too: with those being written and those being
/// asked, they are all that is held in memory.
const MOST_WAITING: usize = 1024;

/// A user and the plates of the roster, the first one first.
#[derive(Clone, Debug)]
pub struct User {
    /// The phone number.
    pub mobile: Mobile,
    /// The plates, at least one.
    pub plates: Vec<Plate>,
}

/// The users of a roster, in the order of their first plates.
pub fn users(roster: &[RosterPlate]) -> Vec<User> {
    let mut users: Vec<User> = Vec::new();
    let mut index: BTreeMap<&Mobile, usize> = BTreeMap::new();
    for entry in roster {
        let position = *index.entry(&entry.mobile).or_insert_with(|| {
            users.push(User { mobile: entry.mobile.clone(), plates: Vec::new() });
            users.len().saturating_sub(1)
        });
        if let Some(user) = users.get_mut(position) {
            user.plates.push(entry.plate.clone());
        }
    }
    users
}

/// What a pull asks of whom, and until when.
pub struct PullJob<'a> {
    /// The run that it belongs to.
    pub run_id: &'a str,
    /// The users.
    pub users: Vec<User>,
    /// The client, and the tokens of the run.
    pub sessions: &'a Sessions,
    /// Where those tokens are kept.
    pub tokens: &'a StoredTokens,
    /// Users asked at the same time; the client bounds the requests themselves.
    pub concurrency: usize,
    /// When what is left counts as not pulled.
    pub deadline: Instant,
    /// The clock.
    pub clock: &'a Clock,
}

/// How a pull came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullEnd {
    /// Everybody was asked, as far as the deadline allowed.
    Asked,
    /// The platform could not be asked for several users in a row, nor after a while; the rest was not asked.
    Outage,
}

/// Pulls all users and stores what they bring, many users in one transaction, a user in one at any rate.
///
/// # Errors
/// When the platform answers 4 or 5, or the database cannot be written; what came in before is stored.
pub async fn pull(job: PullJob<'_>, store: &Store, progress: &dyn Progress) -> anyhow::Result<PullEnd> {
    progress.begin("pull", u64::try_from(job.users.len()).ok());
    let (users, begun) = (job.users.len(), Instant::now());
    let tokens = job.tokens;
    let writer = Writer::beside(store, job.run_id, tokens)?;
    let client = job.sessions.client();
    tokens.hold();
    let mut pull = Pull::new(job, writer, progress);
    client.be_patient(true);
    let asked = pull.ask_all().await;
    client.be_patient(false);
    pull.add_kept();
    // What came in stands, however the asking ended; and every token that was given is worth a sign-in.
    let written = pull.write_all().await;
    tokens.release()?;
    progress.end();
    let end = asked?;
    written?;
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(users, took_ms, ended = ?end, "pulled and stored");
    Ok(end)
}

/// What asking one user came to.
struct Asked {
    pulled: PulledUser,
    seen_at: Timestamp,
    contact: Contact,
    /// Something of it failed for the platform's own sake, so that it is worth another try.
    is_hit: bool,
}

impl Asked {
    fn was_answered(&self) -> bool {
        self.contact == Contact::Answered
    }

    /// Takes in one more result.
    fn note(&mut self, error: Option<&EtcpError>) {
        self.contact = self.contact.and(error);
        self.is_hit |= error.is_some_and(is_outage);
    }
}

/// Whether the platform could be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contact {
    /// It answered, if only to refuse.
    Answered,
    /// All that was asked failed for the platform's own sake.
    Failed,
    /// Nobody knows: time was up.
    Unknown,
}

impl Contact {
    /// Takes in one more result.
    fn and(self, error: Option<&EtcpError>) -> Self {
        match error {
            Some(error) if is_outage(error) && self != Self::Answered => Self::Failed,
            Some(error) if is_outage(error) => self,
            Some(_) | None => Self::Answered,
        }
    }
}

/// Whether it is the platform, not the user, that is at fault.
const fn is_outage(error: &EtcpError) -> bool {
    matches!(
        error,
        EtcpError::Unreachable { .. }
            | EtcpError::ServerFault { .. }
            | EtcpError::ClockOff { .. }
            | EtcpError::BadAnswer { .. }
    )
}

/// A pull under way.
struct Pull<'a> {
    sessions: &'a Sessions,
    concurrency: usize,
    deadline: Instant,
    clock: &'a Clock,
    writer: Writer<'a>,
    progress: &'a dyn Progress,
    users: Arc<[User]>,
    turns: Turns,
    /// What is not written yet, and since when there is any.
    batch: Batch,
    batch_since: Instant,
    outage: Outage,
    was_answered: bool,
    /// One user is asked whether the platform is back.
    is_probing: bool,
}

impl<'a> Pull<'a> {
    fn new(job: PullJob<'a>, writer: Writer<'a>, progress: &'a dyn Progress) -> Self {
        let concurrency = job.concurrency.max(1);
        Self {
            sessions: job.sessions,
            concurrency,
            deadline: job.deadline,
            clock: job.clock,
            writer,
            progress,
            turns: Turns::new(job.users.len(), concurrency),
            users: job.users.into(),
            batch: Vec::new(),
            batch_since: Instant::now(),
            outage: Outage::default(),
            was_answered: false,
            is_probing: false,
        }
    }

    async fn ask_all(&mut self) -> anyhow::Result<PullEnd> {
        let mut running = JoinSet::new();
        loop {
            while running.len() < self.width() {
                let Some(place) = self.turns.next() else { break };
                let (sessions, clock, deadline) = (self.sessions.clone(), self.clock.clone(), self.deadline);
                let users = Arc::clone(&self.users);
                let asking = async move {
                    let user = users.get(place)?;
                    let asked = pull_user(&sessions, user, &clock, deadline).await;
                    sessions.let_go(&user.mobile);
                    Some((place, asked))
                };
                // A task of its own has no span of the run by itself.
                running.spawn(asking.in_current_span());
            }
            if let Some(finished) = running.join_next().await {
                let finished = finished.context("a pull ended without an answer")?;
                let Some((place, asked)) = finished else { continue };
                self.take(place, asked?);
                self.write_some().await?;
                if self.was_answered || !self.outage.is_here() {
                    continue;
                }
                // A platform that never answered is waited for by the next run.
            } else if !self.outage.is_here() {
                return Ok(PullEnd::Asked);
            } else if self.wait_for_platform().await? {
                continue;
            }
            // Whoever is still being asked is asked no more.
            drop(running);
            self.give_up().await?;
            return Ok(PullEnd::Outage);
        }
    }

    /// How many users are asked at once. The first one goes alone, so that a wrong key or clock shows with one
    /// call; as long as nobody was answered, no more of them than it takes to know that the platform is down.
    /// When it does not answer any more nobody is, but the one who tries.
    fn width(&self) -> usize {
        if self.outage.is_here() {
            usize::from(self.is_probing)
        } else if self.was_answered {
            self.concurrency
        } else if self.outage.left() == Outage::LIMIT {
            1
        } else {
            self.outage.left().min(self.concurrency)
        }
    }

    fn take(&mut self, place: usize, asked: Asked) {
        self.is_probing = false;
        match (asked.contact, self.users.get(place)) {
            (Contact::Answered, _) => {
                self.was_answered = true;
                self.outage.note_answered();
            }
            (Contact::Failed, Some(user)) => self.outage.note_failed(&user.mobile),
            (Contact::Failed, None) | (Contact::Unknown, _) => {}
        }
        match self.turns.take(place, asked) {
            Taken::Kept => {}
            Taken::Final(asked) => self.add(asked.pulled, asked.seen_at),
            Taken::Twice { first, last } => {
                // What the first asking saw is evidence, too.
                let seen = PulledUser { orders: first.pulled.orders, ..PulledUser::default() };
                self.batch.push((seen, first.seen_at));
                self.add(last.pulled, last.seen_at);
            }
        }
        while let Some(asked) = self.turns.outlived() {
            self.add(asked.pulled, asked.seen_at);
        }
    }

    /// Waits before one user is asked whether the platform is back. Says whether there is one to be asked.
    async fn wait_for_platform(&mut self) -> anyhow::Result<bool> {
        self.turns.ask_again();
        let Some(wait) = self.outage.next_wait().filter(|_| !self.turns.is_over()) else {
            return Ok(false);
        };
        let until = Instant::now().checked_add(wait).filter(|until| *until < self.deadline);
        // Where it wants to be left alone beyond the deadline, nobody needs to be asked.
        let Some(until) = until.filter(|_| !self.sessions.client().is_shut()) else { return Ok(false) };
        tracing::warn!(wait_s = wait.as_secs(), "the platform does not answer; one user is asked after a wait");
        self.writer.begin(std::mem::take(&mut self.batch)).await?;
        tokio::time::sleep_until(until).await;
        self.is_probing = true;
        Ok(true)
    }

    fn add(&mut self, pulled: PulledUser, seen_at: Timestamp) {
        if self.batch.is_empty() {
            self.batch_since = Instant::now();
        }
        self.batch.push((pulled, seen_at));
        self.progress.advance();
    }

    /// Everybody who was not asked is not covered, and it is said why.
    async fn give_up(&mut self) -> anyhow::Result<()> {
        let reason = format!("not asked: the platform could not be asked for {} users in a row", Outage::LIMIT);
        let users = Arc::clone(&self.users);
        let now = self.clock.now();
        for user in self.turns.not_asked().filter_map(|place| users.get(place)) {
            self.add(uncovered(user, now, &reason), now);
            self.write_some().await?;
        }
        Ok(())
    }

    /// Whoever was to be asked again and was not has what the first asking brought.
    fn add_kept(&mut self) {
        for asked in self.turns.kept() {
            self.add(asked.pulled, asked.seen_at);
        }
    }

    /// Begins to write what came in when there is enough of it, and waits for the disk when there is too much.
    async fn write_some(&mut self) -> anyhow::Result<()> {
        let is_due = self.batch.len() >= BATCH || self.batch_since.elapsed() >= BATCH_AGE;
        if (is_due && self.writer.is_idle()) || self.batch.len() >= MOST_WAITING {
            self.writer.begin(std::mem::take(&mut self.batch)).await?;
            self.batch_since = Instant::now();
        }
        Ok(())
    }

    /// Writes what is left.
    async fn write_all(&mut self) -> anyhow::Result<()> {
        self.writer.begin(std::mem::take(&mut self.batch)).await?;
        self.writer.end().await
    }
}

/// Pulls one user. The unpaid lists come first: an order that closes in between is then in both, not in none.
async fn pull_user(sessions: &Sessions, user: &User, clock: &Clock, deadline: Instant) -> Result<Asked, EtcpError> {
    // All of a user's answers count as one moment, so that a closed order wins over an open one.
    let seen_at = clock.now();
    let failed = |reason: &str, contact| Asked {
        pulled: uncovered(user, seen_at, reason),
        seen_at,
        contact,
        is_hit: contact == Contact::Failed,
    };
    if Instant::now() >= deadline {
        return Ok(failed("the run's deadline had passed", Contact::Unknown));
    }
    let asked = ask_user(sessions, user, seen_at);
    match tokio::time::timeout_at(deadline, asked).await {
        Ok(Ok(asked)) => Ok(asked),
        Ok(Err(error)) if error.stops() => Err(error),
        Ok(Err(error)) => Ok(failed(&error.to_string(), Contact::Unknown.and(Some(&error)))),
        Err(_) => Ok(failed("the run's deadline passed", Contact::Unknown)),
    }
}

async fn ask_user(sessions: &Sessions, user: &User, seen_at: Timestamp) -> Result<Asked, EtcpError> {
    let mut asked = Asked { pulled: PulledUser::default(), seen_at, contact: Contact::Unknown, is_hit: false };
    let Some(first_plate) = user.plates.first() else { return Ok(asked) };
    let client = sessions.client();
    // Without a session nothing of this user can be asked.
    sessions.token(&user.mobile, first_plate).await?;
    for plate in &user.plates {
        let listing =
            sessions.with(&user.mobile, first_plate, |token| async move { client.unpaid(&token, plate).await });
        let listing = listing.await;
        asked.note(listing.as_ref().err());
        let pulled = &mut asked.pulled;
        let failure = match listing {
            Ok(listing) => {
                let doubtful = !listing.is_complete();
                pulled.orders.extend(listing.records.into_iter().map(|order| order.snapshot));
                let rejected = listing.rejected.into_iter();
                pulled.rejected.extend(
                    rejected
                        .map(|record| (record.order_id.map(|id| id.to_string()), Some(plate.clone()), record.reason)),
                );
                pulled.coverage.push(CoverageRow { doubtful, ..coverage_row(user, plate, seen_at, None) });
                continue;
            }
            Err(error) if error.stops() || is_sign_in_failure(&error) => return Err(error),
            Err(error) => error.to_string(),
        };
        pulled.coverage.push(coverage_row(user, plate, seen_at, Some(failure)));
    }
    let history = sessions.with(&user.mobile, first_plate, |token| async move { client.history(&token).await }).await;
    asked.note(history.as_ref().err());
    let pulled = &mut asked.pulled;
    match history {
        Ok(listing) => {
            pulled.orders.extend(listing.records);
            for record in listing.rejected {
                mark_doubtful(&mut pulled.coverage, record.plate.as_ref());
                pulled.rejected.push((record.order_id.map(|id| id.to_string()), record.plate, record.reason));
            }
        }
        Err(error) if error.stops() => return Err(error),
        Err(error) => {
            let reason = format!("order history: {error}");
            pulled
                .coverage
                .iter_mut()
                .for_each(|row| row.failure = row.failure.take().or_else(|| Some(reason.clone())));
        }
    }
    Ok(asked)
}

fn is_sign_in_failure(error: &EtcpError) -> bool {
    matches!(error, EtcpError::InvalidToken | EtcpError::TokenStore { .. })
}

/// Nothing of a user, and why.
fn uncovered(user: &User, at: Timestamp, reason: &str) -> PulledUser {
    let rows = user.plates.iter().map(|plate| coverage_row(user, plate, at, Some(reason.to_owned())));
    PulledUser { coverage: rows.collect(), ..PulledUser::default() }
}

fn coverage_row(user: &User, plate: &Plate, pulled_at: Timestamp, failure: Option<String>) -> CoverageRow {
    CoverageRow { plate: plate.clone(), mobile: user.mobile.clone(), pulled_at, failure, doubtful: false }
}

/// A record that could not be read makes its plate doubtful, all plates of the user when it names none.
fn mark_doubtful(coverage: &mut [CoverageRow], plate: Option<&Plate>) {
    for row in coverage {
        row.doubtful |= plate.is_none_or(|plate| *plate == row.plate);
    }
}

/// When a run has to be over.
pub fn deadline_after(deadline: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(deadline).unwrap_or(now)
}

#[cfg(test)]
mod tests;
