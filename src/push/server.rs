//! Connections and requests: every one bounded in number, size and time, and none of them can stop the others.

use std::fmt::Display;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use axum::http::{Method, Request, Response, header};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use secrecy::SecretString;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::answer::Answer;
use super::counters::{Counters, Counts, Throttle};
use super::places::{Guest, Place, Places};
use super::writer::{self, Queue, Waiting};
use crate::clock::Clock;
use crate::etcp::{Code, PushRefusal, read_push};
use crate::model::event::{EventKind, ParkingEvent};
use crate::store::Store;

/// The largest head of a request.
const LARGEST_HEAD: usize = 16 * 1024;

/// How much of a body that is too large is read and thrown away, so that its sender gets to read the answer.
const LARGEST_WASTE: usize = 1024 * 1024;

/// How long a stop waits for requests in hand.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// How long the receiver rests when the system gives it no connection, as when all descriptors are in use.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a receiver needs to know.
#[derive(Clone, Debug)]
pub struct ReceiverSettings {
    /// Where it listens; port 0 is any free one.
    pub listen: SocketAddr,
    /// What stands before `/entrance` and `/exit`; begins with a slash, or is empty.
    pub path_prefix: String,
    /// Our number, which is part of what is signed.
    pub merchant_no: String,
    /// The key that pushes are signed with.
    pub merchant_key: SecretString,
    /// What a stranger may cost.
    pub limits: Limits,
}

/// The bounds of a receiver.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body_bytes: usize,
    /// For the head of a request, from the end of the one before: it bounds idle connections too.
    pub header_time: Duration,
    /// For the body of a request.
    pub body_time: Duration,
    /// Connections at the same time. More wait, and those whose request is not in hand have to make room for them.
    pub connections: usize,
    /// How long a push may wait to be stored, before it is answered 503.
    pub store_time: Duration,
    /// How long a connection is kept in all.
    pub connection_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024,
            header_time: Duration::from_secs(5),
            body_time: Duration::from_secs(10),
            connections: 256,
            // Longer than the database waits for another writer: twice, for the batch before.
            store_time: Duration::from_secs(15),
            connection_time: Duration::from_mins(5),
        }
    }
}

/// Why the receiver does not start.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The address cannot be listened on.
    #[error(
        "pushes cannot be received on {listen}\nhint: is the address this machine's, and nobody else's there? it is `[push] listen`"
    )]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The writer's thread cannot be started.
    #[error("the thread that stores pushes cannot be started")]
    Thread(#[source] io::Error),
}

/// A running receiver.
#[derive(Debug)]
pub struct Receiver {
    addr: SocketAddr,
    counters: Arc<Counters>,
    stop: watch::Sender<bool>,
    queue: Queue,
    serving: JoinHandle<()>,
    writer: thread::JoinHandle<()>,
}

impl Receiver {
    /// Listens, and stores what comes in `store`, a connection of the receiver's own. It can be sent to at once.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(settings: ReceiverSettings, store: Store, clock: Clock) -> Result<Self, PushError> {
        let listen = settings.listen;
        let failed = |source| PushError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let counters = Arc::new(Counters::default());
        let (queue, writer) = writer::start(store, Arc::clone(&counters)).map_err(PushError::Thread)?;
        let (stop, stopped) = watch::channel(false);
        let places = Arc::new(Places::new(settings.limits.connections, Arc::clone(&counters)));
        let paths = EventKind::ALL.map(|kind| (kind, format!("{}/{}", settings.path_prefix, kind.name())));
        let desk = Desk {
            settings,
            paths,
            places,
            queue: queue.clone(),
            clock,
            counters: Arc::clone(&counters),
            throttles: Throttles::default(),
        };
        let serving = tokio::spawn(serve(listener, Arc::new(desk), stopped));
        Ok(Self { addr, counters, stop, queue, serving, writer })
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What came so far, and what became of it.
    pub const fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Ready when nothing can be stored any more, which no push can cause: then it is to be stopped and started anew.
    pub async fn broken(&self) {
        self.queue.closed().await;
    }

    /// Takes no more connections, answers the requests in hand (for five seconds at most), and ends when all that was
    /// taken is stored. Tells what came in all.
    pub async fn stop(self) -> Counts {
        let Self { counters, stop, queue, serving, writer, .. } = self;
        drop(queue);
        // Nobody listens any more only when it has ended already.
        stop.send(true).ok();
        if let Err(error) = serving.await {
            tracing::error!(%error, "the push receiver broke off");
        }
        // The last of its queue is gone with the last connection, so the writer comes to its end.
        let joined = tokio::task::spawn_blocking(move || writer.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the thread that stores pushes broke off");
        }
        counters.counts()
    }
}

/// Takes connections until it is stopped.
async fn serve(listener: TcpListener, desk: Arc<Desk>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        // One at a time gets in before it has a place; the others wait in the system's queue and cost nothing here.
        let next = async {
            let (stream, _) = listener.accept().await?;
            io::Result::Ok((stream, desk.places.take().await))
        };
        tokio::select! {
            () = asked_to_stop(&mut stopped) => break,
            accepted = next => match accepted {
                Ok((stream, place)) => {
                    connections.spawn(connection(stream, place, Arc::clone(&desk), stopped.clone()));
                }
                Err(error) => {
                    Desk::complain(&desk.throttles.accept, &format_args!("no connection could be taken: {error}"));
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    if timeout(STOP_PATIENCE, async { while connections.join_next().await.is_some() {} }).await.is_err() {
        connections.shutdown().await;
    }
}

/// Serves one connection to its end, which is near when it grows old, when others want its place, or when the receiver
/// stops; what is in hand is answered.
async fn connection(stream: TcpStream, place: Place, desk: Arc<Desk>, mut stopped: watch::Receiver<bool>) {
    let limits = desk.settings.limits;
    let guest = Arc::clone(&place.guest);
    let service = service_fn(|request| {
        let (desk, guest) = (Arc::clone(&desk), Arc::clone(&guest));
        async move { desk.serve(request, &guest).await }
    });
    let mut served = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_time)
            .max_buf_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(stream), service)
    );
    let is_over = tokio::select! {
        biased;
        // What has come is read before anything else is looked at. What breaks a connection off is the other side's
        // affair: what it did not bring whole it brings again.
        result = served.as_mut() => { result.ok(); true }
        () = asked_to_stop(&mut stopped) => false,
        () = guest.asked_to_leave() => !guest.has_request_in_hand(),
        () = sleep(limits.connection_time) => false,
    };
    if !is_over {
        served.as_mut().graceful_shutdown();
        let rest = limits.header_time.saturating_add(limits.body_time).saturating_add(limits.store_time);
        // Who does not end by then is cut off.
        timeout(rest, served).await.map(Result::ok).ok();
    }
}

/// Ready when the receiver is to stop, or was dropped, which stops it as well.
async fn asked_to_stop(stopped: &mut watch::Receiver<bool>) {
    stopped.wait_for(|stop| *stop).await.map(drop).ok();
}

/// What every request needs.
struct Desk {
    settings: ReceiverSettings,
    paths: [(EventKind, String); 2],
    queue: Queue,
    places: Arc<Places>,
    clock: Clock,
    counters: Arc<Counters>,
    throttles: Throttles,
}

#[derive(Default)]
struct Throttles {
    accept: Throttle,
    forged: Throttle,
    malformed: Throttle,
}

/// The connection ends without an answer: the body did not come whole, so that its sender has to send it again.
#[derive(Debug, thiserror::Error)]
#[error("the body did not come whole in time")]
struct Incomplete;

impl Desk {
    async fn serve(&self, request: Request<Incoming>, guest: &Guest) -> Result<Response<axum::body::Body>, Incomplete> {
        let path = request.uri().path();
        let Some((kind, _)) = self.paths.iter().find(|(_, known)| known == path) else {
            return Ok(Answer::NoSuchPath.response(false));
        };
        if request.method() != Method::POST {
            return Ok(Answer::NotPosted.response(false));
        }
        let (head, body) = request.into_parts();
        let limits = self.settings.limits;
        if declares_more_than(&body, limits.body_bytes) {
            // Its sender gets to read the answer when what it sends is taken; one that waits to be asked for it has it
            // at once.
            if !head.headers.contains_key(header::EXPECT) {
                tokio::spawn(timeout(limits.body_time, whole(body, 0)));
            }
            return Ok(self.answer(*kind, None, None).await.response(false));
        }
        let read = timeout(limits.body_time, whole(body, limits.body_bytes)).await;
        let body = read.map_err(|_| Incomplete)?.map_err(|_| Incomplete)?;
        guest.set_in_hand(true);
        let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let answer = self.answer(*kind, content_type, body.as_deref()).await;
        guest.set_in_hand(false);
        Ok(answer.response(!self.places.are_wanted()))
    }

    /// The answer to a push whose body came whole; none was too large.
    async fn answer(&self, kind: EventKind, content_type: Option<&str>, body: Option<&[u8]>) -> Answer {
        self.counters.count_received();
        let ReceiverSettings { merchant_no, merchant_key, limits, .. } = &self.settings;
        let read = match body {
            None => Err(PushRefusal::Malformed { reason: format!("it has more than {} bytes", limits.body_bytes) }),
            Some(body) => read_push(kind, content_type, body, merchant_no, merchant_key),
        };
        match read {
            Ok(event) => self.store(event).await,
            Err(refusal) => Answer::Refused(self.refused(kind, &refusal)),
        }
    }

    /// Hands a push to the writer and waits until it is on disk.
    async fn store(&self, event: ParkingEvent) -> Answer {
        let (stored, told) = oneshot::channel();
        let waiting = Waiting { event, received_at: self.clock.now(), stored };
        let in_time = timeout(self.settings.limits.store_time, async {
            // Both fail only when the writer is gone or could not store it.
            self.queue.send(waiting).await.ok()?;
            told.await.ok()
        });
        if let Ok(Some(())) = in_time.await {
            return Answer::Stored;
        }
        self.counters.count_not_stored();
        Answer::NotStored
    }

    /// Counts a refusal and says so in the log: of strangers nothing but how many.
    fn refused(&self, kind: EventKind, refusal: &PushRefusal) -> Code {
        match refusal {
            PushRefusal::Forged => {
                self.counters.count_forged();
                Self::complain(&self.throttles.forged, &"pushes with a signature that does not fit were refused");
            }
            PushRefusal::Malformed { reason } => {
                self.counters.count_malformed();
                Self::complain(
                    &self.throttles.malformed,
                    &format_args!("pushes that cannot be read were refused; this one, an {}: {reason:?}", kind.name()),
                );
            }
        }
        refusal.code()
    }

    /// A warning that a flood cannot multiply.
    fn complain(throttle: &Throttle, what: &dyn Display) {
        if let Some(count) = throttle.pass(Instant::now()) {
            tracing::warn!(count, "{what}");
        }
    }
}

/// Whether the head of a request says that its body is larger than `largest`.
fn declares_more_than(body: &Incoming, largest: usize) -> bool {
    body.size_hint().lower() > u64::try_from(largest).unwrap_or(u64::MAX)
}

/// A body; none when it is too large.
async fn whole(mut body: Incoming, largest: usize) -> Result<Option<Vec<u8>>, hyper::Error> {
    let mut bytes = Vec::new();
    let mut total = 0_usize;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(data) = frame?.into_data() else { continue };
        total = total.saturating_add(data.len());
        if total <= largest {
            bytes.extend_from_slice(&data);
        } else if total > LARGEST_WASTE {
            break;
        }
    }
    Ok((total <= largest).then_some(bytes))
}
