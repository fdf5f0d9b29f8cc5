//! Telling the platform of payments: the decisions, pure. At most one booking for a payment,
//! whatever dies or is lost on the way.
//!
//! [`plan()`] says which due payments become notifications, [`precheck`] whether one may be sent now,
//! [`after_attempt`] what an attempt showed, [`resolve`] what the facts say of one whose outcome is
//! unknown, [`person()`] what a person may do. Every function is total: a call that does not fit the
//! state changes nothing and says so. What is returned is to be stored before anything else is done.

mod breaker;
mod person;
pub mod plan;
mod reading;
mod standing;
mod step;
mod transitions;

#[cfg(test)]
mod model_check;
#[cfg(test)]
mod tests;

pub use breaker::{Breaker, WhyStopped};
pub use person::{Act, Refusal, person};
pub use plan::{Budget, Caps, DueFact, PlanState, Planned, plan};
pub use reading::{Baseline, Reading, reading};
pub use standing::{Next, Policy, Resend, Standing, Verdict, WhyHeld, WhyUnknown};
pub use step::{
    Attempt, FEE_VALID_S, Precheck, WhyNot, after_attempt, after_fee_asked_again, confirm, count_unlisted,
    fee_is_fresh, found_sending, is_second_booking, new_run, precheck, resolve, watch,
};
pub use transitions::{By, INITIAL_STATES, allowed_transitions, is_allowed};
