//! Fees in rows of their own: what a ledger says that the channel took for a payment, and gave back of it.

use std::collections::BTreeMap;

use super::SourcedRow;
use super::refunds::{Collected, at};
use crate::model::{ChannelFee, FeeTotal, Payment};

/// What fee rows and refunds tell of one payment.
#[derive(Default)]
struct Told {
    charged: FeeTotal,
    returned: FeeTotal,
    /// How many refunds the trade bill tells of, and how many of them a ledger tells of too.
    refunds: (u64, u64),
    /// What the trade bill says was given back with its refunds, if it says so for each.
    returned_by_trade: Option<FeeTotal>,
    has_charge: bool,
    has_return: bool,
}

/// Gives payments the fees that only a ledger tells, and marks those of which it tells others than the trade bill.
///
/// A ledger that is silent about a fee contradicts nothing: channels also take their fees by the month, or from another
/// account.
pub(super) fn apply(
    rows: Vec<SourcedRow>,
    groups: &[Option<usize>],
    first_of_group: &[Option<u32>],
    refunds: &[Collected],
    payments: &mut [Payment],
) {
    let mut payment_of_fee = BTreeMap::new();
    for (SourcedRow { source, row, .. }, group) in rows.into_iter().zip(groups) {
        let payment = group.and_then(|group| first_of_group.get(group).copied().flatten());
        let (Some(payment), Some(fee)) = (payment, row.fee) else { continue };
        // The same row again, from another file, counts once. It may name its payment by another external id.
        let first = payment_of_fee.entry((source, row.refund_id, row.payment_id, fee, row.at)).or_insert(payment);
        *first = payment.min(*first);
    }
    let mut told: BTreeMap<u32, Told> = BTreeMap::new();
    for ((_, _, _, fee, _), payment) in payment_of_fee {
        let told = told.entry(payment).or_default();
        if fee >= ChannelFee::ZERO {
            told.charged.add(fee);
            told.has_charge = true;
        } else {
            told.returned.add(fee);
            told.has_return = true;
        }
    }
    if told.is_empty() {
        return;
    }
    for Collected { refund, ledger, .. } in refunds {
        let Some(told) = refund.payment.and_then(|payment| told.get_mut(&payment)) else { continue };
        told.refunds.0 = told.refunds.0.saturating_add(1);
        told.refunds.1 = told.refunds.1.saturating_add(u64::from(ledger.is_some()));
        if let Some(fee) = refund.fee {
            told.returned_by_trade.get_or_insert_default().add(fee);
        }
    }
    for (payment, told) in told {
        if let Some(payment) = at(payments, payment) {
            told.compare(payment);
        }
    }
}

impl Told {
    fn compare(&self, payment: &mut Payment) {
        if self.has_charge {
            let charged = i64::try_from(self.charged.units()).ok().and_then(ChannelFee::from_units);
            match payment.fee {
                None => payment.fee = charged,
                Some(fee) => payment.bill_disagrees |= Some(fee) != charged,
            }
        }
        // Only where both tell of the same refunds.
        let (refunds, beside) = self.refunds;
        if self.has_return && refunds == beside && refunds > 0 {
            payment.bill_disagrees |= self.returned_by_trade.is_some_and(|returned| returned != self.returned);
        }
    }
}
