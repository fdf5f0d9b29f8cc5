//! Refund rows → refunds, and what they take off their payments.

use std::collections::{BTreeMap, HashMap};

use super::{FoldedRefund, Role, SourcedRow};
use crate::bills::CHANNEL_WECHAT;
use crate::model::{Amount, ChannelFee, Payment, Timestamp, Total};

/// A refund and what its rows told.
pub(super) struct Collected {
    pub(super) refund: FoldedRefund,
    pub(super) total: Total,
    role: Role,
    /// What was taken from the merchant, where a row says.
    received: Option<Amount>,
    /// What a ledger tells of it, if one does.
    pub(super) ledger: Option<Beside>,
}

/// A ledger's word on a refund that a trade bill tells of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    Agrees,
    Disagrees,
}

/// What makes two rows the same refund. The payment stands beside the refund's id, so that an id that a
/// bill uses for two payments loses neither refund.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    role: Role,
    source: String,
    payment_id: String,
    refund_id: Option<String>,
    /// Without a refund id: amount and time tell refunds of one payment apart.
    otherwise: Option<(Amount, Timestamp)>,
}

/// One refund for each identity, sorted, each with its payment. What a ledger tells of a refund that a trade bill tells
/// of too stands beside that one.
pub(super) fn collect(
    rows: Vec<SourcedRow>,
    groups: &[Option<usize>],
    first_of_group: &[Option<u32>],
) -> Vec<Collected> {
    let mut by_identity: BTreeMap<Identity, Collected> = BTreeMap::new();
    for (SourcedRow { source, role, row, .. }, group) in rows.into_iter().zip(groups) {
        let payment = group.and_then(|group| first_of_group.get(group).copied().flatten());
        let otherwise = row.refund_id.is_none().then_some((row.amount, row.at));
        let identity = Identity {
            role,
            source: source.clone(),
            payment_id: row.payment_id.clone(),
            refund_id: row.refund_id.clone(),
            otherwise,
        };
        let mut total = Total::default();
        total.add(row.amount);
        let refund = FoldedRefund {
            source,
            payment_id: row.payment_id,
            refund_id: row.refund_id,
            amount: row.amount,
            at: row.at,
            pending: row.refund_pending,
            fee: row.fee,
            channel: row.channel,
            payment,
            rows: 1,
        };
        let found = Collected { refund, total, role, received: row.received, ledger: None };
        match by_identity.entry(identity) {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                vacant.insert(found);
            }
            std::collections::btree_map::Entry::Occupied(mut known) => known.get_mut().absorb(found),
        }
    }
    let (mut refunds, ledger): (Vec<_>, Vec<_>) =
        by_identity.into_values().partition(|refund| refund.role == Role::Trade);
    let alone = set_beside(&mut refunds, ledger);
    refunds.extend(alone);
    refunds.sort_by(|a, b| key(&a.refund).cmp(&key(&b.refund)));
    refunds
}

impl Collected {
    /// The same refund again: done once any bill says so, the larger amount where they differ, the earlier time.
    fn absorb(&mut self, other: Self) {
        self.total.merge(other.total);
        self.received = self.received.max(other.received);
        let (refund, other) = (&mut self.refund, other.refund);
        refund.amount = refund.amount.max(other.amount);
        refund.at = refund.at.min(other.at);
        refund.pending &= other.pending;
        refund.fee = refund.fee.max(other.fee);
        if refund.channel.is_empty() || (!other.channel.is_empty() && other.channel < refund.channel) {
            refund.channel = other.channel;
        }
        // Rows of one identity may name their payment by different external ids.
        refund.payment = refund.payment.into_iter().chain(other.payment).min();
        refund.rows = refund.rows.saturating_add(other.rows);
    }

    /// What a ledger tells of the same refund: it confirms that it was done, or differs.
    fn set_beside(&mut self, ledger: &Self) {
        let says = if self.is_told_by(ledger) { Beside::Agrees } else { Beside::Disagrees };
        self.ledger = match self.ledger {
            Some(Beside::Disagrees) => Some(Beside::Disagrees),
            Some(Beside::Agrees) | None => Some(says),
        };
        self.total.merge(ledger.total);
        self.refund.pending &= ledger.refund.pending;
        self.refund.fee = self.refund.fee.or(ledger.refund.fee);
        self.refund.payment = self.refund.payment.or(ledger.refund.payment);
        self.refund.rows = self.refund.rows.saturating_add(ledger.refund.rows);
    }

    /// Whether a ledger's row tells what this refund tells: what was taken back and the fee that came with it, or, where
    /// it does not tell them apart, the one less the other.
    fn is_told_by(&self, ledger: &Self) -> bool {
        let taken_back = self.received.unwrap_or(self.refund.amount);
        let moved = ledger.received.unwrap_or(ledger.refund.amount);
        match (self.refund.fee, ledger.refund.fee) {
            (Some(fee), Some(told)) => moved == taken_back && fee == told,
            (Some(fee), None) => moved == taken_back || Some(moved) == less(taken_back, fee),
            (None, _) => moved == taken_back,
        }
    }
}

/// `amount` less the fee that is given back with it.
fn less(amount: Amount, fee: ChannelFee) -> Option<Amount> {
    fee.reversed().whole_fen().and_then(Amount::from_fen).and_then(|fee| amount.checked_sub(fee))
}

/// The payment that refunds are compared within: the one they give back, else what their bills call it.
fn subject(refund: &FoldedRefund) -> (Option<u32>, &str, &str) {
    match refund.payment {
        Some(payment) => (Some(payment), "", ""),
        None => (None, refund.channel.as_str(), refund.payment_id.as_str()),
    }
}

/// Sets each refund of a ledger beside the trade bill's: by the refund's own number, else (where a ledger may not know
/// that number) by amount and day, else by the day. Gives back those that no trade bill tells of.
fn set_beside(trade: &mut [Collected], ledger: Vec<Collected>) -> Vec<Collected> {
    let mut places: HashMap<(Option<u32>, String, String), Vec<usize>> = HashMap::new();
    for (place, refund) in trade.iter().enumerate() {
        let (payment, channel, id) = subject(&refund.refund);
        places.entry((payment, channel.to_owned(), id.to_owned())).or_default().push(place);
    }
    let mut left = ledger;
    for way in [Way::Number, Way::AmountAndDay, Way::Day] {
        let mut alone = Vec::with_capacity(left.len());
        for refund in left {
            let (payment, channel, id) = subject(&refund.refund);
            let rivals = places.get(&(payment, channel.to_owned(), id.to_owned()));
            let twin = rivals.into_iter().flatten().find(|place| way.pairs(&trade[**place], &refund));
            match twin {
                Some(place) => trade[*place].set_beside(&refund),
                None => alone.push(refund),
            }
        }
        left = alone;
    }
    left
}

/// By what a ledger's refund is taken for a trade bill's.
#[derive(Clone, Copy)]
enum Way {
    Number,
    AmountAndDay,
    Day,
}

impl Way {
    fn pairs(self, trade: &Collected, ledger: &Collected) -> bool {
        let (a, b) = (&trade.refund, &ledger.refund);
        let is_same_day = a.at.business_date() == b.at.business_date();
        // Both bills of WeChat have the refund's own number: two numbers are two refunds.
        let may_differ = trade.ledger.is_none() && b.channel != CHANNEL_WECHAT;
        match self {
            Self::Number => a.refund_id.is_some() && a.refund_id == b.refund_id,
            Self::AmountAndDay => may_differ && is_same_day && trade.is_told_by(ledger),
            Self::Day => may_differ && is_same_day,
        }
    }
}

fn key(refund: &FoldedRefund) -> (Timestamp, &str, &str, Option<&str>, Amount) {
    (refund.at, &refund.source, &refund.payment_id, refund.refund_id.as_deref(), refund.amount)
}

/// Takes refunds off their payments: the larger of what the payment's row says and what the refunds add up to.
///
/// Two sources that both tell of a payment both tell of its refunds, each under ids of its own; so refunds are
/// added up source by source and the largest sum counts. What only a ledger tells of comes on top.
pub(super) fn apply(refunds: &[Collected], payments: &mut [Payment]) {
    let mut sums: BTreeMap<(u32, Role, &str), Amount> = BTreeMap::new();
    for Collected { refund, role, ledger, .. } in refunds {
        let Some(payment) = refund.payment else { continue };
        let sum = sums.entry((payment, *role, refund.source.as_str())).or_insert(Amount::ZERO);
        if !refund.pending {
            *sum = sum.checked_add(refund.amount).unwrap_or(LARGEST);
        }
        if let (Some(Beside::Disagrees), Some(payment)) = (ledger, at(payments, payment)) {
            payment.bill_disagrees = true;
        }
    }
    let mut largest: BTreeMap<u32, [Amount; 2]> = BTreeMap::new();
    for ((payment, role, _), sum) in sums {
        let [trade, ledger] = largest.entry(payment).or_default();
        let most = if role == Role::Trade { trade } else { ledger };
        *most = (*most).max(sum);
    }
    for (payment, [trade, ledger]) in largest {
        if let Some(payment) = at(payments, payment) {
            let sum = trade.checked_add(ledger).unwrap_or(LARGEST);
            payment.refunded = payment.refunded.max(sum);
            payment.has_refund = true;
        }
    }
}

/// The payment at an index of [`FoldedRefund::payment`].
pub(super) fn at(payments: &mut [Payment], index: u32) -> Option<&mut Payment> {
    usize::try_from(index).ok().and_then(|place| payments.get_mut(place))
}

/// What a sum of refunds stops at: far above any payment, so that its net is negative and nothing is notified.
const LARGEST: Amount = match Amount::from_fen(100_000_000_000) {
    Some(amount) => amount,
    None => Amount::ZERO,
};
