//! Which state may follow which, and by whom. The database refuses every other pair.

use crate::model::NotificationState as State;

/// Who changes a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// The program, from what it saw.
    Machine,
    /// A person, with name and note.
    Person,
}

/// The states that a notification may begin in.
pub const INITIAL_STATES: &[State] = &[State::Planned, State::Held];

/// Whether `from` may become `to` by that hand. Staying in a state is no transition.
///
/// `unknown → rejected` is for one case only: the first attempt was refused as 20206, and the fee asked
/// again is another. `planned → unknown` is for one that was sent before and whose order moved since.
pub const fn is_allowed(from: State, to: State, by: By) -> bool {
    match by {
        By::Machine => matches!(
            (from, to),
            (State::Planned, State::Sending | State::Unknown | State::Held)
                | (State::Sending, State::Acknowledged | State::Unknown | State::Rejected | State::Planned)
                | (State::Acknowledged, State::Confirmed)
                | (State::Unknown, State::Confirmed | State::Planned | State::Rejected | State::Held)
        ),
        By::Person => matches!(
            (from, to),
            (State::Planned | State::Unknown, State::Held | State::Void)
                | (State::Held, State::Planned | State::Unknown | State::Void)
                | (State::Rejected, State::Planned | State::Void)
        ),
    }
}

/// All allowed pairs, by the order of the states.
pub fn allowed_transitions() -> Vec<(State, State, By)> {
    let pairs = State::ALL.iter().flat_map(|from| State::ALL.iter().map(move |to| (*from, *to)));
    pairs
        .flat_map(|(from, to)| [By::Machine, By::Person].map(|by| (from, to, by)))
        .filter(|(from, to, by)| is_allowed(*from, *to, *by))
        .collect()
}
