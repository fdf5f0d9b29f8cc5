//! The one writer: takes all pushes that wait, stores them in one transaction, then lets them be answered.
//!
//! A commit costs a sync of the disk however much is in it, so that under load many pushes share one, and without
//! load each has its own at once.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::counters::{Counters, Throttle};
use crate::model::Timestamp;
use crate::model::event::ParkingEvent;
use crate::store::{Recorded, Store, StoreError};

/// The most pushes in one transaction, so that it stays short: the night's run waits for it.
const LARGEST_BATCH: usize = 512;

/// A push that waits to be stored.
pub(super) struct Waiting {
    pub(super) event: ParkingEvent,
    pub(super) received_at: Timestamp,
    /// Told once it is on disk; dropped when it could not be stored.
    pub(super) stored: oneshot::Sender<()>,
}

/// Where pushes are handed in; the writer ends when the last of these is gone and all is written.
pub(super) type Queue = mpsc::Sender<Waiting>;

/// Starts the writer's thread.
pub(super) fn start(store: Store, counters: Arc<Counters>) -> io::Result<(Queue, JoinHandle<()>)> {
    let (queue, waiting) = mpsc::channel(LARGEST_BATCH);
    let writer = Writer { store, counters, failures: Throttle::default() };
    let thread = std::thread::Builder::new().name("push-writer".to_owned()).spawn(move || writer.work(waiting))?;
    Ok((queue, thread))
}

struct Writer {
    store: Store,
    counters: Arc<Counters>,
    failures: Throttle,
}

impl Writer {
    fn work(mut self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut batch = Vec::new();
        while waiting.blocking_recv_many(&mut batch, LARGEST_BATCH) > 0 {
            self.store_all(std::mem::take(&mut batch));
        }
    }

    fn store_all(&mut self, batch: Vec<Waiting>) {
        let (events, askers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|one| ((one.event, one.received_at), one.stored)).unzip();
        match self.store.record_events(&events) {
            Ok(recorded) => self.answer(&events, recorded, askers),
            // While another holds the database nothing goes in; else one push that it refuses must not stop the others.
            Err(error) if error.is_busy() || events.len() == 1 => self.fail(&error),
            Err(_) => self.store_each(&events, askers),
        }
    }

    fn store_each(&mut self, events: &[(ParkingEvent, Timestamp)], askers: Vec<oneshot::Sender<()>>) {
        for (event, asker) in events.iter().zip(askers) {
            let one = std::slice::from_ref(event);
            match self.store.record_events(one) {
                Ok(recorded) => self.answer(one, recorded, vec![asker]),
                Err(error) => self.fail(&error),
            }
        }
    }

    fn answer(&self, events: &[(ParkingEvent, Timestamp)], recorded: Vec<Recorded>, askers: Vec<oneshot::Sender<()>>) {
        for (((event, _), recorded), asker) in events.iter().zip(recorded).zip(askers) {
            self.counters.count_recorded(recorded);
            let kind = event.kind().name();
            tracing::debug!(push.kind = kind, push.syn_id = %event.syn_id, ?recorded, "a push is on disk");
            if recorded == Recorded::Contradicts {
                tracing::warn!(
                    push.kind = kind,
                    push.syn_id = %event.syn_id,
                    "a push says otherwise than the first of its synId, which counts; both are kept"
                );
            }
            // Who hung up meanwhile sends it again, and it is known then.
            asker.send(()).ok();
        }
    }

    fn fail(&self, error: &StoreError) {
        if let Some(count) = self.failures.pass(Instant::now()) {
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            tracing::error!(%error, why, count, "pushes could not be stored; they are answered 503, to be sent again");
        }
    }
}
