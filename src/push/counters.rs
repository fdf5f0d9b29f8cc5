//! How many pushes came and what became of them, and log lines that a flood cannot multiply.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::store::Recorded;

/// What became of pushes since the start; shared with whoever shows it.
#[derive(Debug, Default)]
pub struct Counters {
    received: AtomicU64,
    new: AtomicU64,
    repeated: AtomicU64,
    contradicting: AtomicU64,
    forged: AtomicU64,
    malformed: AtomicU64,
    not_stored: AtomicU64,
    pub(super) connections: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Requests to one of the two addresses that came whole, or were too large, be it by their heads alone.
    pub received: u64,
    /// Stored, the first of their kind and synId.
    pub new: u64,
    /// Known, with the same content.
    pub repeated: u64,
    /// Known, with another content, which is kept beside the first.
    pub contradicting: u64,
    /// Refused for their signature.
    pub forged: u64,
    /// Refused because they cannot be read.
    pub malformed: u64,
    /// Answered 503, so that the platform sends them again.
    pub not_stored: u64,
    /// Connections that are open now.
    pub connections: u64,
}

impl Counters {
    /// The counters now.
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            received: read(&self.received),
            new: read(&self.new),
            repeated: read(&self.repeated),
            contradicting: read(&self.contradicting),
            forged: read(&self.forged),
            malformed: read(&self.malformed),
            not_stored: read(&self.not_stored),
            connections: read(&self.connections),
        }
    }

    pub(super) fn count_received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_recorded(&self, recorded: Recorded) {
        let counter = match recorded {
            Recorded::New => &self.new,
            Recorded::Repeated => &self.repeated,
            Recorded::Contradicts => &self.contradicting,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_forged(&self) {
        self.forged.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_malformed(&self) {
        self.malformed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_not_stored(&self) {
        self.not_stored.fetch_add(1, Ordering::Relaxed);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { received, new, repeated, contradicting, forged, malformed, not_stored, .. } = self;
        write!(
            f,
            "{received} received, {new} new, {repeated} repeated, {contradicting} contradicting, {forged} forged, \
             {malformed} malformed, {not_stored} not stored"
        )
    }
}

/// Lets the first log line of a kind through, then one a minute.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<Passed>);

#[derive(Debug, Default)]
struct Passed {
    last: Option<Instant>,
    silent: u64,
}

impl Throttle {
    const PAUSE: Duration = Duration::from_mins(1);

    /// Whether a line may be written now, and then of how many it speaks: itself and those that were not written.
    pub(super) fn pass(&self, now: Instant) -> Option<u64> {
        let mut passed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        passed.silent = passed.silent.saturating_add(1);
        if passed.last.is_some_and(|last| now.saturating_duration_since(last) < Self::PAUSE) {
            return None;
        }
        passed.last = Some(now);
        Some(std::mem::take(&mut passed.silent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_writes_one_line_a_minute_which_says_how_many_it_speaks_of() {
        let throttle = Throttle::default();
        let start = Instant::now();
        assert_eq!(throttle.pass(start), Some(1));
        for _ in 0..10_000 {
            assert_eq!(throttle.pass(start), None);
        }
        let later = start.checked_add(Throttle::PAUSE).unwrap();
        assert_eq!((throttle.pass(later), throttle.pass(later)), (Some(10_001), None));
    }
}
