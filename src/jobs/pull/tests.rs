//! A platform that stops answering in the middle of a pull, by a clock that stands still while nobody waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use secrecy::ExposeSecret;

use super::*;
use crate::etcp::stub::{Stub, clock, ok, settings};
use crate::etcp::{Client, ClientSettings, Interface, TransportError, WireRequest, WireResponse};
use crate::jobs::progress::Silent;
use crate::model::BusinessDate;
use crate::store::RunMode;

type Reply = Result<WireResponse, TransportError>;

fn lost() -> Reply {
    Err(TransportError::Lost { reason: "gone".to_owned() })
}

/// A platform that knows everybody and no orders.
fn good(request: &WireRequest) -> Reply {
    let is_sign_in = request.interface == Interface::SignIn;
    ok(if is_sign_in { r#"{"code":0,"data":{"token":"t-123456"}}"# } else { r#"{"code":0,"data":[]}"# })
}

/// A pull of so many users with one plate each.
struct Scene {
    _dir: tempfile::TempDir,
    store: Store,
    run_id: String,
    stub: Stub,
    users: usize,
    concurrency: usize,
    retries: u32,
    deadline: Duration,
}

impl Scene {
    fn new(users: usize, reply: impl FnMut(&WireRequest) -> Reply + Send + 'static) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(&dir.path().join("recon.db")).unwrap();
        let date: BusinessDate = "2026-11-22".parse().unwrap();
        let run_id = store.begin_run(date, RunMode::Live, clock().now()).unwrap().id;
        let deadline = Duration::from_hours(4);
        Self { _dir: dir, store, run_id, stub: Stub::new(reply), users, concurrency: 1, retries: 0, deadline }
    }

    async fn pull(&self) -> anyhow::Result<PullEnd> {
        let settings =
            ClientSettings { retries: self.retries, max_concurrency: 64, max_requests_per_second: 0, ..settings() };
        let client = Client::new(settings, Arc::new(self.stub.clone()), clock());
        let deadline = deadline_after(self.deadline);
        client.end_by(deadline);
        let tokens = Arc::new(StoredTokens::beside(&self.store).unwrap());
        let sessions = Sessions::new(client, Arc::<StoredTokens>::clone(&tokens), clock());
        let users = (0..self.users).map(|user| User {
            mobile: Mobile::parse(&mobile(user)).unwrap(),
            plates: vec![Plate::parse(&format!("渝A{user:05}")).unwrap()],
        });
        let job = PullJob {
            run_id: &self.run_id,
            users: users.collect(),
            sessions: &sessions,
            tokens: &tokens,
            concurrency: self.concurrency,
            deadline,
            clock: &clock(),
        };
        pull(job, &self.store, &Silent).await
    }

    /// Why plates were not pulled, in the order of the users; each plate is in the coverage once.
    fn failures(&self) -> Vec<String> {
        let coverage = self.store.coverage(&self.run_id).unwrap();
        assert_eq!(coverage.len(), self.users);
        coverage.into_iter().filter_map(|row| row.failure).collect()
    }

    /// How often each user was signed in, or was to be.
    fn sign_ins(&self) -> HashMap<String, usize> {
        let mut count: HashMap<String, usize> = HashMap::new();
        for call in self.stub.calls().iter().filter(|call| call.interface == Interface::SignIn) {
            let times = count.entry(signed_in(call)).or_default();
            *times = times.saturating_add(1);
        }
        count
    }
}

fn mobile(user: usize) -> String {
    format!("138{user:08}")
}

fn signed_in(request: &WireRequest) -> String {
    let text = request.text.expose_secret();
    let at = text.find("138").unwrap();
    text.get(at..at.saturating_add(11)).unwrap().to_owned()
}

/// Answers so many calls, then nothing for so long.
fn away_after(calls: usize, away: Duration) -> impl FnMut(&WireRequest) -> Reply + Send {
    let (mut left, mut back_at) = (calls, None);
    move |request| {
        if left > 0 {
            left = left.saturating_sub(1);
            return good(request);
        }
        let now = Instant::now();
        let back_at = *back_at.get_or_insert_with(|| now.checked_add(away));
        if back_at.is_none_or(|back_at| now < back_at) { lost() } else { good(request) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_hiccup_costs_a_wait_and_nobody_is_left_out() {
    for concurrency in [1, 4, 32] {
        let mut scene = Scene::new(200, away_after(100, Duration::from_secs(20)));
        scene.concurrency = concurrency;
        let begun = Instant::now();
        assert_eq!(scene.pull().await.unwrap(), PullEnd::Asked);
        assert_eq!(begun.elapsed().as_secs(), 15 + 30, "{concurrency}: the first try is too early");
        assert_eq!(scene.failures(), Vec::<String>::new(), "{concurrency}");
        let sign_ins = scene.sign_ins();
        assert!(sign_ins.len() == 200 && sign_ins.values().all(|count| *count <= 2), "{sign_ins:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_stays_away_is_tried_three_times_and_given_up() {
    // Three calls a user: ten are pulled.
    let scene = Scene::new(60, away_after(30, Duration::from_hours(9)));
    let begun = Instant::now();
    assert_eq!(scene.pull().await.unwrap(), PullEnd::Outage);
    assert_eq!(begun.elapsed().as_secs(), 15 + 30 + 60);
    assert_eq!(scene.stub.count(Interface::SignIn), 10 + 5 + 3);
    let failures = scene.failures();
    let not_asked = failures.iter().filter(|failure| failure.starts_with("not asked: ")).count();
    assert_eq!((failures.len(), not_asked), (50, 42));
    assert!(failures.first().unwrap().contains("cannot be reached: "), "{failures:?}");
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_never_answered_is_not_waited_for() {
    let mut scene = Scene::new(60, |_| lost());
    scene.concurrency = 32;
    let begun = Instant::now();
    assert_eq!(scene.pull().await.unwrap(), PullEnd::Outage);
    assert_eq!((begun.elapsed().as_secs(), scene.stub.calls().len()), (0, 5));
}

#[tokio::test(start_paused = true)]
async fn no_wait_goes_beyond_the_deadline() {
    let mut scene = Scene::new(60, away_after(30, Duration::from_hours(9)));
    scene.deadline = Duration::from_mins(1);
    let begun = Instant::now();
    assert_eq!(scene.pull().await.unwrap(), PullEnd::Outage);
    assert_eq!((begun.elapsed().as_secs(), scene.stub.count(Interface::SignIn)), (15 + 30, 10 + 5 + 2));
}

#[tokio::test(start_paused = true)]
async fn who_fails_again_after_the_gap_is_not_asked_a_third_time() {
    let broken: Vec<String> = (10..13).map(mobile).collect();
    let mut away = away_after(30, Duration::from_secs(1));
    let scene = Scene::new(60, move |request| {
        let answer = away(request);
        let is_broken = request.interface == Interface::SignIn && broken.contains(&signed_in(request));
        if is_broken { lost() } else { answer }
    });
    assert_eq!(scene.pull().await.unwrap(), PullEnd::Asked);
    assert_eq!(scene.failures().len(), 3);
    let twice = scene.sign_ins().into_values().filter(|count| *count == 2).count();
    assert_eq!((scene.stub.count(Interface::SignIn), twice), (60 + 5, 5));
}

#[tokio::test(start_paused = true)]
async fn the_last_users_are_asked_again_too() {
    let scene = Scene::new(15, away_after(30, Duration::from_secs(1)));
    assert_eq!(scene.pull().await.unwrap(), PullEnd::Asked);
    assert_eq!(scene.failures(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn without_an_outage_nobody_is_asked_again() {
    let scene = Scene::new(40, |request| {
        let is_broken = request.interface == Interface::SignIn && signed_in(request).ends_with('3');
        if is_broken { lost() } else { good(request) }
    });
    assert_eq!(scene.pull().await.unwrap(), PullEnd::Asked);
    assert_eq!((scene.failures().len(), scene.stub.count(Interface::SignIn)), (4, 40));
}

/// Answers so many calls and the one after them with 429, to come back after so long.
fn busy_after(calls: usize, away: Duration) -> impl FnMut(&WireRequest) -> Reply + Send {
    let mut left = calls;
    move |request| {
        let is_busy = left == 0;
        left = left.checked_sub(1).unwrap_or(usize::MAX);
        let retry_after = Some(away.as_secs().to_string());
        if is_busy { Ok(WireResponse { status: 429, retry_after, ..WireResponse::default() }) } else { good(request) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_asks_for_an_hour_is_asked_after_it_and_nobody_before() {
    let mut scene = Scene::new(60, busy_after(30, Duration::from_hours(1)));
    (scene.concurrency, scene.retries) = (4, 1);
    let begun = Instant::now();
    assert_eq!(scene.pull().await.unwrap(), PullEnd::Asked);
    assert_eq!(begun.elapsed().as_secs(), 3600);
    assert_eq!((scene.failures(), scene.stub.calls().len()), (Vec::new(), 3 * 60 + 1));
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_asks_for_more_than_the_night_has_is_given_up_at_once() {
    let mut scene = Scene::new(60, busy_after(30, Duration::from_hours(5)));
    scene.retries = 1;
    let begun = Instant::now();
    assert_eq!(scene.pull().await.unwrap(), PullEnd::Outage);
    assert_eq!((begun.elapsed().as_secs(), scene.stub.calls().len(), scene.failures().len()), (0, 30 + 1, 50));
}

#[tokio::test(start_paused = true)]
async fn code_4_ends_the_waiting_and_what_was_kept_is_stored() {
    let mut away = away_after(30, Duration::from_secs(1));
    let is_away = Arc::new(Mutex::new(false));
    let seen = Arc::clone(&is_away);
    let scene = Scene::new(60, move |request| {
        let answer = away(request);
        let mut seen = seen.lock().unwrap();
        let is_back = *seen && answer.is_ok();
        *seen |= answer.is_err();
        if is_back { ok(r#"{"code":4}"#) } else { answer }
    });
    scene.pull().await.unwrap_err();
    assert!(*is_away.lock().unwrap());
    assert_eq!(scene.store.coverage(&scene.run_id).unwrap().len(), 10 + 5, "the others were not asked");
}
