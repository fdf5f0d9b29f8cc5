//! The tie-out: counts and sums of all dispositions against what came in.
//!
//! The two sides are added up apart: [`Control`] by whoever reads the rows, before any rule saw them;
//! [`Totals`] from the buckets afterwards. They can only agree if each row stands in exactly one bucket.

use std::collections::BTreeMap;

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::model::{Amount, Disposition, OrderState, Side, Total};

use super::{Input, OrderRow, Outcome, PaymentRow};

/// Counts and sums by disposition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    by: BTreeMap<Disposition, Total>,
}

impl Tally {
    /// Counts one row.
    pub fn add(&mut self, disposition: Disposition, amount: Amount) {
        self.by.entry(disposition).or_default().add(amount);
    }

    /// Counts everything that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        for (disposition, total) in &other.by {
            self.by.entry(*disposition).or_default().merge(*total);
        }
    }

    /// All buckets together.
    pub fn total(&self) -> Total {
        self.by.values().fold(Total::default(), |mut sum, total| {
            sum.merge(*total);
            sum
        })
    }

    /// One bucket; empty when nothing fell into it.
    pub fn get(&self, disposition: Disposition) -> Total {
        self.by.get(&disposition).copied().unwrap_or_default()
    }

    /// The buckets that are not empty, in the order of the product's table.
    pub fn iter(&self) -> impl Iterator<Item = (Disposition, Total)> + '_ {
        self.by.iter().map(|(disposition, total)| (*disposition, *total))
    }
}

impl Serialize for Tally {
    /// As `{"count":1,"amount":"5.00","by":{"settled":{"count":1,"amount":"5.00"}}}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct By<'a>(&'a Tally);
        impl Serialize for By<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(self.0.by.len()))?;
                for (disposition, total) in self.0.iter() {
                    map.serialize_entry(disposition.name(), &total)?;
                }
                map.end()
            }
        }
        let total = self.total();
        let mut object = serializer.serialize_struct("Tally", 3)?;
        object.serialize_field("count", &total.count)?;
        object.serialize_field("amount", &total.amount())?;
        object.serialize_field("by", &By(self))?;
        object.end()
    }
}

/// What came in, counted as it was read: payments by gross, orders by `booked + due`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// The payments.
    pub payments: Total,
    /// The orders.
    pub orders: Total,
}

impl Control {
    /// Counts a payment.
    pub fn add_payment(&mut self, gross: Amount) {
        self.payments.add(gross);
    }

    /// Counts an order.
    pub fn add_order(&mut self, state: OrderState) {
        self.orders.add(state.value());
    }

    /// The control totals of rows that are all there.
    pub fn of(payments: &[PaymentRow], orders: &[OrderRow]) -> Self {
        let mut control = Self::default();
        for payment in payments {
            control.add_payment(payment.gross);
        }
        for order in orders {
            control.add_order(order.state);
        }
        control
    }
}

/// The buckets of both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The payments, by gross.
    pub payments: Tally,
    /// The orders, by `booked + due`.
    pub orders: Tally,
}

impl Totals {
    /// The buckets of a whole outcome. A row without outcome, or an outcome that its side cannot have, is in none.
    pub fn of(input: &Input<'_>, outcome: &Outcome) -> Self {
        let mut totals = Self::default();
        for (row, what) in input.payments.iter().zip(&outcome.payments) {
            totals.add_payment(row, what.disposition);
        }
        for (row, what) in input.orders.iter().zip(&outcome.orders) {
            totals.add_order(row, what.disposition);
        }
        totals
    }

    /// Puts one payment into its bucket.
    pub fn add_payment(&mut self, row: &PaymentRow, disposition: Disposition) {
        if disposition.applies_to(Side::Payment) {
            self.payments.add(disposition, row.gross);
        }
    }

    /// Puts one order into its bucket.
    pub fn add_order(&mut self, row: &OrderRow, disposition: Disposition) {
        if disposition.applies_to(Side::Order) {
            self.orders.add(disposition, row.state.value());
        }
    }

    /// Whether the buckets add up to what came in.
    pub fn tie_out(&self, control: &Control) -> TieOut {
        TieOut { payments: self.payments.total() == control.payments, orders: self.orders.total() == control.orders }
    }
}

/// Whether counts and sums of each side agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TieOut {
    /// The payments' do.
    pub payments: bool,
    /// The orders' do.
    pub orders: bool,
}

impl TieOut {
    /// Whether both do; a run without that has failed.
    pub const fn holds(self) -> bool {
        self.payments && self.orders
    }
}

impl Serialize for TieOut {
    /// As one `true` or `false`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(self.holds())
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_tally_is_written_with_its_filled_buckets_only_in_table_order() {
        let mut tally = Tally::default();
        tally.add(Disposition::Free, Amount::ZERO);
        tally.add(Disposition::Settled, "5".parse().unwrap());
        tally.add(Disposition::Settled, "0.50".parse().unwrap());
        assert_eq!(
            serde_json::to_string(&tally).unwrap(),
            r#"{"count":3,"amount":"5.50","by":{"settled":{"count":2,"amount":"5.50"},"free":{"count":1,"amount":"0.00"}}}"#
        );
        assert_eq!(serde_json::to_string(&Tally::default()).unwrap(), r#"{"count":0,"amount":"0.00","by":{}}"#);
    }

    #[test]
    fn a_lost_row_or_a_changed_amount_does_not_tie_out() {
        let mut control = Control::default();
        let mut totals = Totals::default();
        control.add_payment("5".parse().unwrap());
        assert_eq!(totals.tie_out(&control), TieOut { payments: false, orders: true });
        totals.payments.add(Disposition::Settled, "4".parse().unwrap());
        assert!(!totals.tie_out(&control).holds());
    }
}
