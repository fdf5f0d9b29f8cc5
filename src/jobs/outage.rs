//! When to stop asking a platform that cannot be asked. Pure.

use std::collections::HashSet;

use crate::model::Mobile;

/// Users one after the other for whom the platform could not be asked. One user's failures alone, however
/// many they are, never stop the others.
#[derive(Debug, Default)]
pub struct Outage(HashSet<Mobile>);

impl Outage {
    /// So many users end the asking.
    pub const LIMIT: usize = 5;

    /// A user for whom the platform could not be asked.
    pub fn note_failed(&mut self, mobile: &Mobile) {
        self.0.insert(mobile.clone());
    }

    /// The platform could be asked.
    pub fn note_answered(&mut self) {
        self.0.clear();
    }

    /// Whether the platform is to be asked no more.
    pub fn is_here(&self) -> bool {
        self.left() == 0
    }

    /// How many users more it takes.
    pub fn left(&self) -> usize {
        Self::LIMIT.saturating_sub(self.0.len())
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
}
