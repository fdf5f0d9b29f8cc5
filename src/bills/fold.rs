//! Rows of all bills → payments and refunds: who is the same payment, and what is known of it.
//!
//! A pure function of the set of rows: their order, and that of the files, changes nothing. Every row
//! stands in exactly one payment or refund ([`Folded::ties_out`]); nothing is dropped, and what
//! contradicts itself is kept as several payments in conflict.

mod fees;
mod groups;
mod merge;
mod refunds;

use crate::model::{Amount, ChannelFee, ExternalOrderId, Payment, Timestamp, Total};

use self::groups::Groups;
use self::merge::Merging;
use super::{BillRow, Role, RowKind};

/// A row and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcedRow {
    /// Name of the configured source.
    pub source: String,
    /// What the source is evidence of.
    pub role: Role,
    /// The bill, any number that tells bills apart.
    pub bill: i64,
    /// Its external order id was made of `id_prefix` and payment id, for the bill brings none.
    pub is_id_derived: bool,
    /// The row.
    pub row: BillRow,
}

impl SourcedRow {
    /// Whether a row's external order id is what `id_prefix` and its payment id give.
    pub fn derives_id(row: &BillRow, id_prefix: &str) -> bool {
        row.external_order_id.as_str().strip_prefix(id_prefix) == Some(row.payment_id.as_str())
    }
}

/// A refund, from all rows that tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedRefund {
    /// The configured source.
    pub source: String,
    /// The payment given back, as the bill names it.
    pub payment_id: String,
    /// The refund's own id, if the bill has one.
    pub refund_id: Option<String>,
    /// What is given back.
    pub amount: Amount,
    /// When.
    pub at: Timestamp,
    /// Not done yet: in no row done.
    pub pending: bool,
    /// What the channel gives back of its fee with it (below zero), where a bill says.
    pub fee: Option<ChannelFee>,
    /// The channel, empty when the bill does not say.
    pub channel: String,
    /// Index of its payment in [`Folded::payments`]; `None`: `refund_unmatched`.
    pub payment: Option<u32>,
    /// How many rows it stands for, at least 1.
    pub rows: u32,
}

/// What all rows together say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// By time, then external order id. Those in conflict may share an external order id; no others do.
    pub payments: Vec<Payment>,
    /// By time, then source, payment id, refund id.
    pub refunds: Vec<FoldedRefund>,
    /// External order ids by which rows know a payment beside its own, with the payment's index,
    /// sorted. A notification under one of them is a notification of that payment.
    pub aliases: Vec<(ExternalOrderId, u32)>,
    /// For each payment: its rows and the sum of what they tell. A ledger tells what was received of the gross.
    pub row_totals: Vec<Total>,
    /// For each refund: its rows and their sum.
    pub refund_row_totals: Vec<Total>,
    /// All rows of payments and refunds that came in and their sum.
    pub rows_in: Total,
    /// Whether some payment's gross is not what its rows tell that count: a fault of the folding.
    pub is_miscounted: bool,
}

impl Folded {
    /// The rows that stand in payments, and their sum.
    pub fn payment_rows(&self) -> Total {
        sum(&self.row_totals)
    }

    /// The rows that stand in refunds, and their sum.
    pub fn refund_rows(&self) -> Total {
        sum(&self.refund_row_totals)
    }

    /// Whether every row that came in stands in a payment or a refund, in count and in money, and each payment is worth
    /// what its rows tell.
    pub fn ties_out(&self) -> bool {
        let mut standing = self.payment_rows();
        standing.merge(self.refund_rows());
        let told = |rows: u32, total: &Total| u64::from(rows) == total.count;
        standing == self.rows_in
            && !self.is_miscounted
            && self.payments.len() == self.row_totals.len()
            && self.refunds.len() == self.refund_row_totals.len()
            && self.payments.iter().zip(&self.row_totals).all(|(payment, total)| told(payment.rows, total))
            && self.refunds.iter().zip(&self.refund_row_totals).all(|(refund, total)| told(refund.rows, total))
    }
}

/// Folds rows into payments and refunds.
///
/// Two payment rows are of one identity if they have the same source and payment id, or the same
/// external order id, or, in different bills or sources, the same trade number (unless one bill has
/// it for several payments, then it tells nothing). Rows of one identity are one payment if amount
/// and day agree and orders and plates do not contradict; else each distinct (amount, day, order, plate)
/// is a payment in conflict. Where trade rows exist, ledger rows only confirm or disagree: in what was received, in what
/// was given back, and in the channel's fee.
pub fn fold(rows: Vec<SourcedRow>) -> Folded {
    let (mut payment_rows, mut refund_rows, mut fee_rows) = (Vec::with_capacity(rows.len()), Vec::new(), Vec::new());
    let mut rows_in = Total::default();
    for row in rows {
        let rows = match row.row.kind {
            RowKind::Payment => &mut payment_rows,
            RowKind::Refund => &mut refund_rows,
            RowKind::Fee => {
                fee_rows.push(row);
                continue;
            }
        };
        rows_in.add(row.row.amount);
        rows.push(row);
    }

    let groups = Groups::of(&payment_rows);
    let refund_groups: Vec<Option<usize>> = refund_rows.iter().map(|row| groups.spoken_of(row)).collect();
    let fee_groups: Vec<Option<usize>> = fee_rows.iter().map(|row| groups.spoken_of(row)).collect();
    let plan = merge::plan(&payment_rows, &groups.members());
    drop(groups);

    let mut merging = Merging::new(&plan);
    for (slot, row) in plan.slot_of_row.iter().zip(payment_rows) {
        merging.add(*slot, row);
    }
    let mut done = merging.finish(&plan);

    let refunds = refunds::collect(refund_rows, &refund_groups, &done.first_of_group);
    refunds::apply(&refunds, &mut done.payments);
    fees::apply(fee_rows, &fee_groups, &done.first_of_group, &refunds, &mut done.payments);
    let (refunds, refund_row_totals) = refunds.into_iter().map(|refund| (refund.refund, refund.total)).unzip();
    Folded {
        payments: done.payments,
        refunds,
        aliases: done.aliases,
        row_totals: done.row_totals,
        refund_row_totals,
        rows_in,
        is_miscounted: done.is_miscounted,
    }
}

fn sum(totals: &[Total]) -> Total {
    totals.iter().fold(Total::default(), |mut all, total| {
        all.merge(*total);
        all
    })
}

/// An index as the product's types carry it. Four thousand million rows do not fit in memory.
fn index(place: usize) -> u32 {
    u32::try_from(place).expect("fewer than 2^32 rows fit in memory")
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
