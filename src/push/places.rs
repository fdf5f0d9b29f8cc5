//! Places for connections: a fixed number of them, and who only holds one has to leave it to the next.
//!
//! A stranger who connects and says nothing, or says it slowly, could keep all places until its time is up, and true
//! pushes would queue behind. So when none is free, the connection that has held one longest without a whole request in
//! our hands is ended. Its sender, if it was true, got no answer and sends again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::counters::Counters;

/// All places.
pub(super) struct Places {
    free: Arc<Semaphore>,
    are_wanted: AtomicBool,
    taken: Mutex<Taken>,
    counters: Arc<Counters>,
}

/// Who sits where, by the order in which they came.
#[derive(Default)]
struct Taken {
    next: u64,
    guests: BTreeMap<u64, Arc<Guest>>,
}

/// A connection that has a place.
#[derive(Default)]
pub(super) struct Guest {
    in_hand: AtomicBool,
    is_asked: AtomicBool,
    asked: Notify,
}

/// A place that is taken; free again when this is dropped.
pub(super) struct Place {
    pub(super) guest: Arc<Guest>,
    number: u64,
    places: Arc<Places>,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(super) fn new(count: usize, counters: Arc<Counters>) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count)),
            are_wanted: AtomicBool::new(false),
            taken: Mutex::default(),
            counters,
        }
    }

    /// Whether a connection waits for a place, so that whoever is answered now is to leave his.
    pub(super) fn are_wanted(&self) -> bool {
        self.are_wanted.load(Ordering::SeqCst)
    }

    /// A place: a free one, else the next that is left, and somebody is asked to leave.
    pub(super) async fn take(self: &Arc<Self>) -> Place {
        let permit = if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            permit
        } else {
            self.are_wanted.store(true, Ordering::SeqCst);
            self.ask_one_to_leave();
            let permit = Arc::clone(&self.free).acquire_owned().await.expect("the semaphore is never closed");
            self.are_wanted.store(false, Ordering::SeqCst);
            permit
        };
        let guest = Arc::new(Guest::default());
        let mut taken = self.taken();
        let number = taken.next;
        taken.next = number.saturating_add(1);
        taken.guests.insert(number, Arc::clone(&guest));
        drop(taken);
        self.counters.connections.fetch_add(1, Ordering::Relaxed);
        Place { guest, number, places: Arc::clone(self), _permit: permit }
    }

    /// The one that came first among those whose request is not in hand.
    fn ask_one_to_leave(&self) {
        let taken = self.taken();
        let idle = taken.guests.values().find(|guest| !guest.has_request_in_hand() && !guest.is_asked());
        if let Some(guest) = idle {
            guest.is_asked.store(true, Ordering::SeqCst);
            guest.asked.notify_one();
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    /// Ready when it is to leave its place to another.
    pub(super) async fn asked_to_leave(&self) {
        self.asked.notified().await;
    }

    /// Says whether a whole request of it is being worked on: then it is not asked to leave.
    pub(super) fn set_in_hand(&self, in_hand: bool) {
        self.in_hand.store(in_hand, Ordering::SeqCst);
    }

    pub(super) fn has_request_in_hand(&self) -> bool {
        self.in_hand.load(Ordering::SeqCst)
    }

    fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::SeqCst)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().guests.remove(&self.number);
        self.places.counters.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
