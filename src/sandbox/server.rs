//! A world behind a real HTTP server on a local port.
//!
//! The server carries out what [`World::handle`] says and adds nothing of its own but the pages of `control`.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use chrono::DateTime;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::connection::{BreakableListener, Fate};
use super::control;
use super::request::{Call, Line, PATH_PREFIX, Reaction};
use super::sender::Sender;
use super::stats::{Meter, Stats};
use super::world::World;
use crate::clock::Clock;
use crate::model::Timestamp;

/// The largest request that is read.
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// How long a shutdown waits for answers that are still on their way.
const SHUTDOWN_PATIENCE: Duration = Duration::from_millis(500);

/// A running sandbox. Dropping it stops it, without waiting.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    world: Arc<Mutex<World>>,
    meter: Arc<Meter>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// What the handler of a request needs.
#[derive(Clone)]
pub(super) struct Shared {
    world: Arc<Mutex<World>>,
    pub(super) meter: Arc<Meter>,
    pub(super) sender: Option<Arc<Sender>>,
    clock: Clock,
}

impl Shared {
    /// Looks at the world, or changes it. Requests wait meanwhile; not to be nested.
    pub(super) fn world<R>(&self, use_it: impl FnOnce(&mut World) -> R) -> R {
        use_it(&mut lock(&self.world))
    }
}

impl Server {
    /// Puts `world` on `addr` (port 0: any free one).
    ///
    /// # Errors
    /// When the address cannot be listened on, or is not of this machine alone.
    pub async fn start(world: Arc<Mutex<World>>, addr: SocketAddr, clock: Clock) -> io::Result<Self> {
        Self::start_with(world, addr, clock, None).await
    }

    /// [`Server::start`], with a sender for the pushes that the control pages ask for.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_with(
        world: Arc<Mutex<World>>,
        addr: SocketAddr,
        clock: Clock,
        sender: Option<Arc<Sender>>,
    ) -> io::Result<Self> {
        if !addr.ip().is_loopback() {
            let reason = format!("{addr} is not a loopback address; the sandbox shows its ledger to everybody");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let meter = Arc::new(Meter::default());
        let shared = Shared { world: Arc::clone(&world), meter: Arc::clone(&meter), sender, clock };
        let router = Router::new().fallback(answer).with_state(shared);
        let service = router.into_make_service_with_connect_info::<Fate>();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = axum::serve(BreakableListener(listener), service).with_graceful_shutdown(async {
            // An error means that the server was dropped, which stops it as well.
            drop(stopped.await);
        });
        let task = tokio::spawn(async {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the sandbox stopped");
            }
        });
        Ok(Self { addr, world, meter, stop: Some(stop), task })
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What a config names as `platform.base_url`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Looks at the world behind it, or changes it. Requests wait meanwhile; not to be nested.
    pub fn with_world<R>(&self, use_it: impl FnOnce(&mut World) -> R) -> R {
        use_it(&mut lock(&self.world))
    }

    /// What it counted of its clients.
    pub fn stats(&self) -> Stats {
        self.meter.stats(&lock(&self.world))
    }

    /// Counts anew.
    pub fn reset_stats(&self) {
        self.meter.reset(&mut lock(&self.world));
    }

    /// Stops, when the answers on their way are out or after half a second.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        if tokio::time::timeout(SHUTDOWN_PATIENCE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

/// A test that panics while it holds the world must not take the others with it.
fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(shared): State<Shared>, ConnectInfo(fate): ConnectInfo<Fate>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let meter = Arc::clone(&shared.meter);
    let _underway = head.uri.path().starts_with(PATH_PREFIX).then(|| meter.begin(Instant::now()));
    let now = shared.clock.now();
    let Ok(body) = to_bytes(body, MAX_REQUEST_BYTES).await else {
        return response(Reaction::whole(413, String::new()), now);
    };
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let call = Call {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        content_type,
        body: &body,
    };
    let reaction = match control::page(&shared, call.method, call.path, &body, now).await {
        Some(reaction) => reaction,
        None => shared.world(|world| world.handle(&call, now)),
    };
    if !reaction.delay.is_zero() {
        tokio::time::sleep(reaction.delay).await;
    }
    if reaction.line != Line::Whole {
        fate.set(reaction.line);
    }
    response(reaction, now)
}

fn response(reaction: Reaction, now: Timestamp) -> Response {
    let is_json = reaction.body.starts_with(['{', '[']);
    let content_type = if is_json { "application/json;charset=UTF-8" } else { "text/html;charset=UTF-8" };
    let mut builder = Response::builder();
    for (name, value) in reaction.headers {
        builder = builder.header(name, value);
    }
    if !builder.headers_ref().is_some_and(|headers| headers.contains_key(header::CONTENT_TYPE)) {
        builder = builder.header(header::CONTENT_TYPE, content_type);
    }
    builder
        .status(StatusCode::from_u16(reaction.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .header(header::DATE, http_date(now))
        .body(Body::from(reaction.body))
        .unwrap_or_default()
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, of the sandbox's own clock: a client may correct its time stamps by it.
fn http_date(now: Timestamp) -> String {
    let at = DateTime::from_timestamp(now.unix(), 0).unwrap_or_default();
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
