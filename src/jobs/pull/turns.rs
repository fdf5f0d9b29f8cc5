//! Whose turn it is in a pull, and who is asked once more because the platform stopped answering. Pure.

use std::collections::{BTreeMap, VecDeque};

use super::Asked;
use crate::jobs::outage::Outage;

/// What becomes of a user's answers.
pub(super) enum Taken {
    /// They are kept for now: the user may be asked again.
    Kept,
    /// They stand.
    Final(Asked),
    /// The user was asked twice, and the last answers stand.
    Twice { first: Asked, last: Asked },
}

/// Users by their places, each asked once, and once more when the platform stopped answering meanwhile.
pub(super) struct Turns {
    /// The places that were not asked yet.
    waiting: std::ops::Range<usize>,
    /// Whose answers are in.
    done: Vec<bool>,
    /// Whom the platform failed lately, oldest first.
    recent: VecDeque<(usize, Asked)>,
    /// So many of them are looked back on.
    most_recent: usize,
    /// Who is asked again after all others.
    again: VecDeque<usize>,
    /// What the first asking of those brought, until the second one is in.
    first: BTreeMap<usize, Asked>,
}

impl Turns {
    /// `concurrency` users are under way at once. When the platform goes, each of them may get an answer in
    /// part, and that after four who get none; and as many are still under way when that is noticed. So far
    /// back goes what an outage did.
    pub(super) fn new(users: usize, concurrency: usize) -> Self {
        Self {
            waiting: 0..users,
            done: vec![false; users],
            recent: VecDeque::new(),
            most_recent: Outage::LIMIT.saturating_add(1).saturating_mul(concurrency.saturating_add(1)),
            again: VecDeque::new(),
            first: BTreeMap::new(),
        }
    }

    /// The next one to be asked.
    pub(super) fn next(&mut self) -> Option<usize> {
        self.waiting.next().or_else(|| self.again.pop_front())
    }

    /// Whether nobody is left to be asked.
    pub(super) fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.again.is_empty()
    }

    /// Takes in what asking one of them came to.
    pub(super) fn take(&mut self, place: usize, asked: Asked) -> Taken {
        if let Some(done) = self.done.get_mut(place) {
            *done = true;
        }
        match self.first.remove(&place) {
            Some(first) if asked.was_answered() => Taken::Twice { first, last: asked },
            Some(first) => Taken::Final(first),
            None if asked.is_hit => {
                self.recent.push_back((place, asked));
                Taken::Kept
            }
            None => Taken::Final(asked),
        }
    }

    /// One whose failure is too long ago to be part of an outage.
    pub(super) fn outlived(&mut self) -> Option<Asked> {
        if self.recent.len() <= self.most_recent {
            return None;
        }
        self.recent.pop_front().map(|(_, asked)| asked)
    }

    /// The platform does not answer any more: whom it failed lately is to be asked again.
    pub(super) fn ask_again(&mut self) {
        for (place, asked) in self.recent.drain(..) {
            self.again.push_back(place);
            self.first.insert(place, asked);
        }
    }

    /// Who was not asked, or whose answers did not come in.
    pub(super) fn not_asked(&mut self) -> impl Iterator<Item = usize> + use<> {
        let done = std::mem::take(&mut self.done);
        done.into_iter().enumerate().filter(|(_, done)| !done).map(|(place, _)| place)
    }

    /// What is kept of those who were not asked again.
    pub(super) fn kept(&mut self) -> Vec<Asked> {
        let recent = self.recent.drain(..).map(|(_, asked)| asked);
        recent.chain(std::mem::take(&mut self.first).into_values()).collect()
    }
}
