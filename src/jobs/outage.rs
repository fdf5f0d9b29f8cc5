//! When to stop asking a platform that cannot be asked, and how long to wait before it is tried again. Pure.

use std::collections::HashSet;
use std::time::Duration;

use crate::model::Mobile;

/// The waits before one user is asked whether the platform is back. A night has the time for a short hiccup,
/// and a platform that is away for longer is asked by the next run.
const WAITS: [Duration; 3] = [Duration::from_secs(15), Duration::from_secs(30), Duration::from_mins(1)];

/// Users one after the other for whom the platform could not be asked. One user's failures alone, however
/// many they are, never stop the others.
#[derive(Debug, Default)]
pub struct Outage {
    failed: HashSet<Mobile>,
    /// Waits that are used up.
    waits: usize,
}

impl Outage {
    /// So many users end the asking.
    pub const LIMIT: usize = 5;

    /// A user for whom the platform could not be asked.
    pub fn note_failed(&mut self, mobile: &Mobile) {
        self.failed.insert(mobile.clone());
    }

    /// The platform could be asked.
    pub fn note_answered(&mut self) {
        *self = Self::default();
    }

    /// Whether the platform is to be left alone.
    pub fn is_here(&self) -> bool {
        self.left() == 0
    }

    /// How many users more it takes.
    pub fn left(&self) -> usize {
        Self::LIMIT.saturating_sub(self.failed.len())
    }

    /// How long to wait before one user is asked once more; none when it was tried often enough.
    pub fn next_wait(&mut self) -> Option<Duration> {
        let wait = WAITS.get(self.waits).copied();
        self.waits = self.waits.saturating_add(1);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: usize) -> Mobile {
        Mobile::parse(&format!("1380000000{number}")).unwrap()
    }

    #[test]
    fn five_users_in_a_row_end_the_asking_and_one_user_alone_does_not() {
        let mut outage = Outage::default();
        (0..9).for_each(|_| outage.note_failed(&user(0)));
        assert_eq!((outage.left(), outage.is_here()), (4, false));
        (1..4).for_each(|number| outage.note_failed(&user(number)));
        outage.note_answered();
        (0..4).for_each(|number| outage.note_failed(&user(number)));
        assert!(!outage.is_here());
        outage.note_failed(&user(4));
        assert!(outage.is_here());
    }

    #[test]
    fn three_waits_grow_and_an_answer_makes_them_begin_anew() {
        let mut outage = Outage::default();
        let secs = |wait: Option<Duration>| wait.map(|wait| wait.as_secs());
        assert_eq!(std::array::from_fn(|_| secs(outage.next_wait())), [Some(15), Some(30), Some(60), None, None]);
        outage.note_answered();
        assert_eq!(secs(outage.next_wait()), Some(15));
    }
}
