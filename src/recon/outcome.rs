//! What the rules decided, row for row.

use crate::model::Disposition;

use super::Rule;

/// The result of [`super::reconcile`]; positions are those of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One for each payment.
    pub payments: Vec<PaymentOutcome>,
    /// One for each order.
    pub orders: Vec<OrderOutcome>,
    /// The payments that the platform has to be told of, oldest first, then by payment id.
    pub due: Vec<Due>,
}

/// What became of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentOutcome {
    /// Its disposition.
    pub disposition: Disposition,
    /// The rule that decided.
    pub rule: Rule,
    /// The order that it is assigned to.
    pub order: Option<u32>,
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderOutcome {
    /// Its disposition.
    pub disposition: Disposition,
    /// The rule that decided.
    pub rule: Rule,
    /// The payment that the disposition comes from.
    pub payment: Option<u32>,
}

/// A payment that pays what its order still costs, and whose notification has not left the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Due {
    /// The payment.
    pub payment: u32,
    /// The order that it pays.
    pub order: u32,
}
