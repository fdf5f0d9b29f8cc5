//! What the sandbox counts of its clients: how many calls, how many at once, how many in a second.
//!
//! Only the ten interfaces count, the control pages do not. A call lasts from its head to the moment its answer is ready.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::request::Interface;
use super::world::World;

/// What was counted since the start or the last reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Calls by the interface's name, refused and failed ones too; one that was never called is not named.
    pub calls: BTreeMap<&'static str, u64>,
    /// The most calls that were open at one moment.
    pub max_concurrent: usize,
    /// The most calls that began within any one second.
    pub max_per_second: usize,
    /// How often the user who signed in most got a token.
    pub sign_ins_per_user_max: u64,
}

/// The server's own counters.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    open: usize,
    max_open: usize,
    /// When the calls of the last second began.
    begun: VecDeque<Instant>,
    max_begun: usize,
}

/// One call under way; it ends when this is dropped.
pub(super) struct Underway<'a>(&'a Meter);

impl Meter {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call that begins `at`.
    pub(super) fn begin(&self, at: Instant) -> Underway<'_> {
        let mut counts = self.counts();
        counts.open = counts.open.saturating_add(1);
        counts.max_open = counts.max_open.max(counts.open);
        let is_past = |begun: &Instant| at.saturating_duration_since(*begun) >= Duration::from_secs(1);
        while counts.begun.front().is_some_and(is_past) {
            counts.begun.pop_front();
        }
        counts.begun.push_back(at);
        counts.max_begun = counts.max_begun.max(counts.begun.len());
        Underway(self)
    }

    /// Everything that was counted, here and in the world.
    pub(super) fn stats(&self, world: &World) -> Stats {
        let calls = Interface::ALL.iter().map(|interface| (interface.name(), world.calls(*interface)));
        let counts = self.counts();
        Stats {
            calls: calls.filter(|(_, count)| *count > 0).collect(),
            max_concurrent: counts.max_open,
            max_per_second: counts.max_begun,
            sign_ins_per_user_max: world.sign_ins_per_user_max(),
        }
    }

    /// Begins anew; calls under way stay counted as such.
    pub(super) fn reset(&self, world: &mut World) {
        world.reset_calls();
        world.reset_sign_ins();
        let mut counts = self.counts();
        counts.max_open = counts.open;
        counts.begun.clear();
        counts.max_begun = 0;
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        let mut counts = self.0.counts();
        counts.open = counts.open.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::testing::{small_world, token};

    #[test]
    fn the_most_within_any_one_second_is_counted() {
        let (meter, start) = (Meter::default(), Instant::now());
        for ms in [0, 10, 20, 999, 1000, 1015, 2500] {
            drop(meter.begin(start + Duration::from_millis(ms)));
        }
        let stats = meter.stats(&small_world());
        assert_eq!((stats.max_per_second, stats.max_concurrent), (4, 1));
    }

    #[test]
    fn the_most_at_once_are_counted_and_a_reset_forgets() {
        let (meter, start, mut world) = (Meter::default(), Instant::now(), small_world());
        token(&mut world);
        token(&mut world);
        let first = meter.begin(start);
        let second = meter.begin(start);
        drop((first, second));
        drop(meter.begin(start));
        let stats = meter.stats(&world);
        assert_eq!((stats.max_concurrent, stats.sign_ins_per_user_max, stats.calls["usersignin"]), (2, 2, 2));
        meter.reset(&mut world);
        let expected = Stats { calls: BTreeMap::new(), max_concurrent: 0, max_per_second: 0, sign_ins_per_user_max: 0 };
        assert_eq!(meter.stats(&world), expected);
    }
}
