//! Rule 7: no evidence is not evidence. What was really pulled decides whether a missing order may be called missing.

use std::collections::HashSet;

use crate::model::{Plate, Timestamp};

/// How far back the platform's history reaches: an order paid longer ago may have left it.
pub const HISTORY_S: i64 = 7 * 24 * 3600;

/// Which plates were pulled, and how well.
#[derive(Clone, Debug)]
pub struct Coverage {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Full,
    None,
    /// The pull, and whether every order of the roster was seen.
    Pull(Pull, bool),
}

/// One pull of the platform, as far as rule 7 asks for it.
#[derive(Clone, Debug, Default)]
pub struct Pull {
    /// The plates of the roster.
    pub roster: HashSet<Plate>,
    /// Those of them that were pulled in full.
    pub pulled: HashSet<Plate>,
    /// Those of whose records one or more were unreadable: the missing order may be among them.
    pub doubtful: HashSet<Plate>,
    /// Whether any pull failed, or a record was unreadable that names no plate.
    pub any_failed: bool,
    /// When the pull was made.
    pub pulled_at: Timestamp,
}

impl Coverage {
    /// Everything is known: two files are compared.
    pub const fn full() -> Self {
        Self { kind: Kind::Full }
    }

    /// Nothing was pulled: every missing order is unverifiable.
    pub const fn none() -> Self {
        Self { kind: Kind::None }
    }

    /// What one pull covers.
    pub fn of(pull: Pull) -> Self {
        let whole = !pull.any_failed && pull.doubtful.is_empty() && pull.roster.is_subset(&pull.pulled);
        Self { kind: Kind::Pull(pull, whole) }
    }

    /// Whether the missing order of a payment of `plate` (`None`: the bill has none) proves nothing.
    pub fn missing_is_unverifiable(&self, plate: Option<&Plate>, paid_at: Timestamp) -> bool {
        match &self.kind {
            Kind::Full => false,
            Kind::None => true,
            Kind::Pull(pull, whole) => {
                let covered = plate.map_or(*whole, |plate| pull.covers(plate));
                pull.pulled_at.since_s(paid_at) > HISTORY_S || !covered
            }
        }
    }
}

impl Pull {
    /// Whether every order of `plate` was seen.
    fn covers(&self, plate: &Plate) -> bool {
        self.roster.contains(plate) && self.pulled.contains(plate) && !self.doubtful.contains(plate)
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    fn plate(text: &str) -> Plate {
        Plate::parse(text).unwrap()
    }

    fn pull() -> Pull {
        let roster: HashSet<Plate> = ["渝A00001", "渝A00002", "渝A00003"].map(plate).into();
        Pull {
            pulled: [plate("渝A00001"), plate("渝A00003")].into(),
            doubtful: [plate("渝A00003")].into(),
            roster,
            any_failed: true,
            pulled_at: Timestamp::parse_wall("2026-11-23 02:00:00").unwrap(),
        }
    }

    #[test]
    fn a_missing_order_is_evidence_only_where_its_plate_was_pulled_in_full() {
        let (coverage, paid_at) = (Coverage::of(pull()), Timestamp::parse_wall("2026-11-22 12:00:00").unwrap());
        let unverifiable = |text: &str| coverage.missing_is_unverifiable(Some(&plate(text)), paid_at);
        assert!(!unverifiable("渝A00001"), "pulled");
        assert!(unverifiable("渝A00002"), "in the roster, not pulled");
        assert!(unverifiable("渝A00003"), "a record of it was rejected");
        assert!(unverifiable("渝A00009"), "in no roster");
    }

    #[test]
    fn without_a_plate_every_pull_must_have_succeeded() {
        let paid_at = Timestamp::parse_wall("2026-11-22 12:00:00").unwrap();
        let mut pull = pull();
        assert!(Coverage::of(pull.clone()).missing_is_unverifiable(None, paid_at));
        pull.any_failed = false;
        assert!(Coverage::of(pull.clone()).missing_is_unverifiable(None, paid_at), "a plate is doubtful");
        pull.doubtful.clear();
        assert!(Coverage::of(pull.clone()).missing_is_unverifiable(None, paid_at), "a plate was not pulled");
        pull.pulled = pull.roster.clone();
        assert!(!Coverage::of(pull).missing_is_unverifiable(None, paid_at));
    }

    #[test]
    fn a_payment_older_than_the_history_reaches_proves_nothing() {
        let coverage = Coverage::of(pull());
        let at = |text: &str| Timestamp::parse_wall(text).unwrap();
        let plate = plate("渝A00001");
        assert!(!coverage.missing_is_unverifiable(Some(&plate), at("2026-11-16 02:00:00")));
        assert!(coverage.missing_is_unverifiable(Some(&plate), at("2026-11-16 01:59:59")));
    }

    #[test]
    fn two_files_cover_everything_and_no_pull_nothing() {
        let at = Timestamp::from_unix(0);
        assert!(!Coverage::full().missing_is_unverifiable(None, at));
        assert!(Coverage::none().missing_is_unverifiable(Some(&plate("渝A00001")), at));
    }
}
