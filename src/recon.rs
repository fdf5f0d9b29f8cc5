//! The rules: which payment belongs to which order, and what became of each. The pure core of the product.
//!
//! [`reconcile`] is a total, deterministic function of plain rows: it cannot fail, reads no clock and
//! no file, and its result does not depend on the order of its input. A disagreement between the books
//! is data here, never an error.
//!
//! Rows are small and [`Copy`]; identities are [`Key`]s, exact and 16 bytes wide. The work is linear in the
//! rows and allocates per table, never per row; only what lacks an order id is sorted (rule 1c).

mod assign;
mod classify;

pub mod coverage;
pub mod exceptions;
pub mod files;
pub mod input;
pub mod key;
pub mod orders_csv;
pub mod outcome;
pub mod rows;
pub mod rule;
pub mod totals;

#[cfg(test)]
mod tests;

pub use coverage::Coverage;
pub use input::{Input, NotificationRow, OrderRow, PaymentRow};
pub use key::{Key, KeySpace};
pub use outcome::{Due, OrderOutcome, Outcome, PaymentOutcome};
pub use rule::Rule;
pub use totals::{Control, Tally, TieOut, Totals};

/// Gives every payment and every order its one disposition, and lists the payments whose notification is due.
///
/// Expects what [`Input`] says of its rows; cannot fail.
pub fn reconcile(input: &Input<'_>) -> Outcome {
    classify::classify(input, &assign::assign(input))
}

/// An index that other tables hold in 32 bits, as a position.
fn at(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// A position as the 32 bits that tables hold; positions beyond them do not occur, memory ends before.
fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// The row at `index`, which came from that table.
fn row<T>(table: &[T], index: u32) -> &T {
    &table[at(index)]
}
