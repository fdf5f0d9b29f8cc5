//! The pull: each bound plate's unpaid fees and each user's order history, stored as they come.
//!
//! One user's failure never spoils the others: it is in the coverage. Code 4 or 5 ends the pull after
//! the first such answer.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::progress::Progress;
use crate::clock::Clock;
use crate::etcp::{EtcpError, Sessions};
use crate::model::{Mobile, Plate, Timestamp};
use crate::store::{CoverageRow, PulledUser, RosterPlate, Store};

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
    /// The tokens and the client.
    pub sessions: &'a Sessions,
    /// Users asked at the same time; the client bounds the requests themselves.
    pub concurrency: usize,
    /// When what is left counts as not pulled.
    pub deadline: Instant,
    /// The clock.
    pub clock: &'a Clock,
}

/// Pulls all users and stores what they bring, each user's in one transaction.
///
/// # Errors
/// When the platform answers 4 or 5, or the database cannot be written.
pub async fn pull(job: PullJob<'_>, store: &mut Store, progress: &dyn Progress) -> anyhow::Result<()> {
    progress.begin("pull", u64::try_from(job.users.len()).ok());
    let mut waiting = job.users.into_iter();
    let mut running = JoinSet::new();
    loop {
        while running.len() < job.concurrency.max(1) {
            let Some(user) = waiting.next() else { break };
            let (sessions, clock, deadline) = (job.sessions.clone(), job.clock.clone(), job.deadline);
            running.spawn(async move { pull_user(&sessions, &user, &clock, deadline).await });
        }
        let Some(finished) = running.join_next().await else { break };
        let (pulled, seen_at) = finished.context("a pull ended without an answer")??;
        store.record_pull(job.run_id, &pulled, seen_at)?;
        progress.advance();
    }
    progress.end();
    Ok(())
}

/// Pulls one user. The unpaid lists come first: an order that closes in between is then in both, not in none.
async fn pull_user(
    sessions: &Sessions,
    user: &User,
    clock: &Clock,
    deadline: Instant,
) -> Result<(PulledUser, Timestamp), EtcpError> {
    // All of a user's answers count as one moment, so that a closed order wins over an open one.
    let seen_at = clock.now();
    let failed_all = |reason: &str| PulledUser {
        coverage: user.plates.iter().map(|plate| coverage_row(user, plate, seen_at, Some(reason.to_owned()))).collect(),
        ..PulledUser::default()
    };
    if Instant::now() >= deadline {
        return Ok((failed_all("the run's deadline had passed"), seen_at));
    }
    let asked = ask_user(sessions, user, seen_at);
    match tokio::time::timeout_at(deadline, asked).await {
        Ok(Ok(pulled)) => Ok((pulled, seen_at)),
        Ok(Err(error)) if error.stops() => Err(error),
        Ok(Err(error)) => Ok((failed_all(&error.to_string()), seen_at)),
        Err(_) => Ok((failed_all("the run's deadline passed"), seen_at)),
    }
}

async fn ask_user(sessions: &Sessions, user: &User, seen_at: Timestamp) -> Result<PulledUser, EtcpError> {
    let mut pulled = PulledUser::default();
    let Some(first_plate) = user.plates.first() else { return Ok(pulled) };
    let client = sessions.client();
    for plate in &user.plates {
        let listing =
            sessions.with(&user.mobile, first_plate, |token| async move { client.unpaid(&token, plate).await });
        let failure = match listing.await {
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
            // Without a session nothing of this user can be asked.
            Err(error) if error.stops() || is_sign_in_failure(&error) => return Err(error),
            Err(error) => error.to_string(),
        };
        pulled.coverage.push(coverage_row(user, plate, seen_at, Some(failure)));
    }
    let history = sessions.with(&user.mobile, first_plate, |token| async move { client.history(&token).await });
    match history.await {
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
    Ok(pulled)
}

fn is_sign_in_failure(error: &EtcpError) -> bool {
    matches!(error, EtcpError::InvalidToken | EtcpError::TokenStore { .. })
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
