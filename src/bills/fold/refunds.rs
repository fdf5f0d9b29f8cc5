//! Refund rows → refunds, and what they take off their payments.

use std::collections::BTreeMap;

use super::{FoldedRefund, SourcedRow};
use crate::model::{Amount, Payment, Timestamp, Total};

/// A refund and what its rows told.
pub(super) struct Collected {
    pub(super) refund: FoldedRefund,
    pub(super) total: Total,
}

/// What makes two rows the same refund. The payment stands beside the refund's id, so that an id that a
/// bill uses for two payments loses neither refund.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    source: String,
    payment_id: String,
    refund_id: Option<String>,
    /// Without a refund id: amount and time tell refunds of one payment apart.
    otherwise: Option<(Amount, Timestamp)>,
}

/// One refund for each identity, sorted, each with its payment.
pub(super) fn collect(
    rows: Vec<SourcedRow>,
    groups: &[Option<usize>],
    first_of_group: &[Option<u32>],
) -> Vec<Collected> {
    let mut by_identity: BTreeMap<Identity, Collected> = BTreeMap::new();
    for (SourcedRow { source, row, .. }, group) in rows.into_iter().zip(groups) {
        let payment = group.and_then(|group| first_of_group.get(group).copied().flatten());
        let otherwise = row.refund_id.is_none().then_some((row.amount, row.at));
        let identity = Identity {
            source: source.clone(),
            payment_id: row.payment_id.clone(),
            refund_id: row.refund_id.clone(),
            otherwise,
        };
        let mut total = Total::default();
        total.add(row.amount);
        let found = FoldedRefund {
            source,
            payment_id: row.payment_id,
            refund_id: row.refund_id,
            amount: row.amount,
            at: row.at,
            pending: row.refund_pending,
            payment,
            rows: 1,
        };
        match by_identity.entry(identity) {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                vacant.insert(Collected { refund: found, total });
            }
            std::collections::btree_map::Entry::Occupied(mut known) => {
                known.get_mut().total.merge(total);
                absorb(&mut known.get_mut().refund, &found);
            }
        }
    }
    let mut refunds: Vec<Collected> = by_identity.into_values().collect();
    refunds.sort_by(|a, b| key(&a.refund).cmp(&key(&b.refund)));
    refunds
}

/// The same refund again: done once any bill says so, the larger amount where they differ, the earlier time.
fn absorb(refund: &mut FoldedRefund, other: &FoldedRefund) {
    refund.amount = refund.amount.max(other.amount);
    refund.at = refund.at.min(other.at);
    refund.pending &= other.pending;
    // Rows of one identity may name their payment by different external ids.
    refund.payment = refund.payment.into_iter().chain(other.payment).min();
    refund.rows = refund.rows.saturating_add(1);
}

fn key(refund: &FoldedRefund) -> (Timestamp, &str, &str, Option<&str>, Amount) {
    (refund.at, &refund.source, &refund.payment_id, refund.refund_id.as_deref(), refund.amount)
}

/// Takes refunds off their payments: the larger of what the payment's row says and what the refunds add up to.
///
/// Two sources that both tell of a payment both tell of its refunds, each under ids of its own; so refunds are
/// added up source by source and the largest sum counts.
pub(super) fn apply(refunds: &[Collected], payments: &mut [Payment]) {
    let mut sums: BTreeMap<(u32, &str), Amount> = BTreeMap::new();
    for refund in refunds.iter().map(|collected| &collected.refund) {
        let Some(payment) = refund.payment else { continue };
        let sum = sums.entry((payment, refund.source.as_str())).or_insert(Amount::ZERO);
        if !refund.pending {
            *sum = sum.checked_add(refund.amount).unwrap_or(LARGEST);
        }
    }
    for ((payment, _), sum) in sums {
        let payment = usize::try_from(payment).ok().and_then(|place| payments.get_mut(place));
        if let Some(payment) = payment {
            payment.refunded = payment.refunded.max(sum);
            payment.has_refund = true;
        }
    }
}

/// What a sum of refunds stops at: far above any payment, so that its net is negative and nothing is notified.
const LARGEST: Amount = match Amount::from_fen(100_000_000_000) {
    Some(amount) => amount,
    None => Amount::ZERO,
};
