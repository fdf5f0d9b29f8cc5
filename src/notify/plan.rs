//! Which due payments become notifications, and how many of them a run may send.

use std::collections::HashSet;

use crate::model::{Amount, BusinessDate, ExternalOrderId, NotificationState, Timestamp};

use super::WhyHeld;

/// The limits of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Sends in a run.
    pub max_per_run: u32,
    /// Of one payment; above it a person has to release it.
    pub max_amount: Amount,
    /// The sum of a run.
    pub max_total: Amount,
    /// Nothing paid before this day is sent without a person.
    pub not_before: Option<BusinessDate>,
}

/// A payment that rule 3b calls due.
#[derive(Clone, Copy, Debug)]
pub struct DueFact<'a> {
    /// The payment, as the caller counts.
    pub payment: u32,
    /// The order, as the caller counts.
    pub order: u32,
    /// The id it bears at the platform.
    pub external_order_id: &'a ExternalOrderId,
    /// What is due.
    pub amount: Amount,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// A finished run once called it `duplicate_payment`.
    pub was_duplicate: bool,
    /// Its own notification: state, and whether a person released it.
    pub own: Option<(NotificationState, bool)>,
    /// The states of the order's notifications for other payments.
    pub others: &'a [NotificationState],
}

/// What a due payment becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlanState {
    /// To be sent.
    Planned,
    /// To be released by a person first.
    Held(WhyHeld),
}

/// A notification that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Planned {
    /// The payment, as the caller counts.
    pub payment: u32,
    /// The order, as the caller counts.
    pub order: u32,
    /// What the platform is to be told.
    pub amount: Amount,
    /// What it becomes.
    pub state: PlanState,
}

/// The notifications that are wanted, oldest payment first (then by external order id), at most one for
/// an order. One that is planned already stands among them, or becomes held; what is skipped stays as it is.
pub fn plan(due: &[DueFact<'_>], caps: &Caps) -> Vec<Planned> {
    let mut facts: Vec<&DueFact<'_>> = due.iter().filter(|fact| is_wanted(fact)).collect();
    // What is planned already goes before a newcomer of the same order, whatever their age.
    facts.sort_by_key(|fact| (fact.own.is_none(), fact.paid_at, fact.external_order_id));
    let (mut orders, mut ids) = (HashSet::new(), HashSet::new());
    facts.retain(|fact| orders.insert(fact.order) && ids.insert(fact.external_order_id));
    facts.sort_by_key(|fact| (fact.paid_at, fact.external_order_id));
    facts
        .into_iter()
        .map(|fact| {
            let state = why_held(fact, caps).map_or(PlanState::Planned, PlanState::Held);
            Planned { payment: fact.payment, order: fact.order, amount: fact.amount, state }
        })
        .collect()
}

/// Never sent, or planned; and everything before it for that order is confirmed or void.
fn is_wanted(fact: &DueFact<'_>) -> bool {
    let own_allows = fact.own.is_none_or(|(state, _)| state == NotificationState::Planned);
    let is_over = |state: &NotificationState| matches!(state, NotificationState::Confirmed | NotificationState::Void);
    own_allows && !fact.amount.is_zero() && fact.others.iter().all(is_over)
}

fn why_held(fact: &DueFact<'_>, caps: &Caps) -> Option<WhyHeld> {
    if !fact.external_order_id.is_sendable() {
        return Some(WhyHeld::BadExternalId);
    }
    if fact.own.is_some_and(|(_, released)| released) {
        return None;
    }
    if fact.was_duplicate {
        return Some(WhyHeld::WasDuplicate);
    }
    if caps.not_before.is_some_and(|date| fact.paid_at < date.start()) {
        return Some(WhyHeld::BeforeNotBefore);
    }
    (fact.amount > caps.max_amount).then_some(WhyHeld::AboveMaxAmount)
}

/// What a run may still send. Every attempt takes from it, a re-send too; what does not fit stays planned,
/// and a smaller one behind it may still go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    sends: u32,
    total: Amount,
}

impl Budget {
    /// The budget of a run.
    pub const fn new(caps: &Caps) -> Self {
        Self { sends: caps.max_per_run, total: caps.max_total }
    }

    /// Takes one send of `amount`, or nothing when it does not fit.
    pub fn take(&mut self, amount: Amount) -> bool {
        let (Some(sends), Some(total)) = (self.sends.checked_sub(1), self.total.checked_sub(amount)) else {
            return false;
        };
        *self = Self { sends, total };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NotificationState as State;

    fn fen(fen: i64) -> Amount {
        Amount::from_fen(fen).unwrap()
    }

    fn at(s: i64) -> Timestamp {
        Timestamp::from_unix(1_000_000).plus_s(s)
    }

    fn caps() -> Caps {
        Caps { max_per_run: 3, max_amount: fen(100_000), max_total: fen(1000), not_before: None }
    }

    fn due(payment: u32, id: &ExternalOrderId, amount: i64, paid: i64) -> DueFact<'_> {
        DueFact {
            payment,
            order: payment,
            external_order_id: id,
            amount: fen(amount),
            paid_at: at(paid),
            was_duplicate: false,
            own: None,
            others: &[],
        }
    }

    fn id(text: &str) -> ExternalOrderId {
        ExternalOrderId::new(text).unwrap()
    }

    #[test]
    fn the_oldest_payment_goes_first_whatever_the_order_of_the_input() {
        let ids = [id("c"), id("b"), id("a")];
        let facts = [due(0, &ids[0], 500, 9), due(1, &ids[1], 500, 1), due(2, &ids[2], 500, 9)];
        let mut reversed = facts;
        reversed.reverse();
        let order: Vec<u32> = plan(&facts, &caps()).iter().map(|one| one.payment).collect();
        assert_eq!(order, [1, 2, 0]);
        assert_eq!(plan(&facts, &caps()), plan(&reversed, &caps()));
    }

    #[test]
    fn what_a_person_has_to_see_first_is_held() {
        let (good, bad) = (id("A-1"), id("单号 1"));
        let date: BusinessDate = at(0).business_date();
        let caps = Caps { not_before: Some(date), max_amount: fen(500), ..caps() };
        let held = |fact: DueFact<'_>| plan(&[fact], &caps)[0].state;
        assert_eq!(held(due(0, &good, 500, 0)), PlanState::Planned);
        assert_eq!(held(due(0, &good, 501, 0)), PlanState::Held(WhyHeld::AboveMaxAmount));
        assert_eq!(held(due(0, &bad, 500, 0)), PlanState::Held(WhyHeld::BadExternalId));
        let before = DueFact { paid_at: date.start().plus_s(-1), ..due(0, &good, 500, 0) };
        assert_eq!(held(before), PlanState::Held(WhyHeld::BeforeNotBefore));
        assert_eq!(held(DueFact { paid_at: date.start(), ..before }), PlanState::Planned);
        let duplicate = DueFact { was_duplicate: true, ..due(0, &good, 500, 0) };
        assert_eq!(held(duplicate), PlanState::Held(WhyHeld::WasDuplicate));
        // A release lifts all of these, but never the check of the id.
        let released = Some((State::Planned, true));
        let all = DueFact { own: released, was_duplicate: true, amount: fen(501), ..before };
        assert_eq!(held(all), PlanState::Planned);
        assert_eq!(held(DueFact { external_order_id: &bad, ..all }), PlanState::Held(WhyHeld::BadExternalId));
    }

    #[test]
    fn one_notification_for_a_payment_and_one_unfinished_for_an_order() {
        let (first, second) = (id("A-1"), id("A-2"));
        for state in State::ALL.iter().copied() {
            let own = DueFact { own: Some((state, false)), ..due(0, &first, 500, 0) };
            assert_eq!(plan(&[own], &caps()).len(), usize::from(state == State::Planned), "own {state}");
            let others = [State::Confirmed, state];
            let other = DueFact { others: &others, ..due(0, &first, 500, 0) };
            let free = matches!(state, State::Confirmed | State::Void);
            assert_eq!(plan(&[other], &caps()).len(), usize::from(free), "other {state}");
        }
        let same_order = [due(0, &first, 500, 5), DueFact { order: 0, ..due(1, &second, 500, 1) }];
        assert_eq!(plan(&same_order, &caps())[0].payment, 1);
        assert_eq!(plan(&same_order, &caps()).len(), 1);
        assert!(plan(&[due(0, &first, 0, 5)], &caps()).is_empty(), "nothing is due");
        let same_id = [due(0, &first, 500, 5), due(1, &first, 500, 1)];
        assert_eq!(plan(&same_id, &caps()).len(), 1);
    }

    /// Which of the wanted a run sends, as it goes through them in their order.
    fn within_caps(wanted: &[Planned], caps: &Caps) -> Vec<usize> {
        let mut budget = Budget::new(caps);
        let planned = wanted.iter().enumerate().filter(|(_, one)| one.state == PlanState::Planned);
        planned.filter(|(_, one)| budget.take(one.amount)).map(|(index, _)| index).collect()
    }

    #[test]
    fn what_is_over_the_caps_of_a_run_stays_planned() {
        let ids: Vec<_> = (0..6).map(|n| id(&format!("A-{n}"))).collect();
        let amounts = (0..6).zip([600, 500, 100, 100, 100, 100]);
        let facts: Vec<_> = amounts.zip(&ids).map(|((n, amount), id)| due(n, id, amount, i64::from(n))).collect();
        let wanted = plan(&facts, &caps());
        assert!(wanted.iter().all(|one| one.state == PlanState::Planned));
        // 600, then 500 is over the total, 100, 100, then the count is used up.
        assert_eq!(within_caps(&wanted, &caps()), [0, 2, 3]);
        assert_eq!(within_caps(&wanted, &Caps { max_per_run: 0, ..caps() }), [0_usize; 0]);
        let exact = Caps { max_total: fen(1100), ..caps() };
        assert_eq!(within_caps(&wanted, &exact), [0, 1]);
    }

    #[test]
    fn what_is_held_takes_nothing_from_the_caps() {
        let (good, bad) = (id("A-1"), id("A 2"));
        let wanted = plan(&[due(0, &bad, 1000, 0), due(1, &good, 1000, 1)], &caps());
        assert_eq!(within_caps(&wanted, &caps()), [1]);
    }
}
