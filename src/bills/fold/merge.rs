//! Rows of one identity → one payment, or several in conflict.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::groups::Members;
use super::{Role, SourcedRow, index};
use crate::model::{Amount, BusinessDate, ExternalOrderId, OrderId, Payment, Total};

/// Which row goes into which payment, before any row is taken apart.
pub(super) struct Plan {
    /// For each row the payment it goes into.
    pub(super) slot_of_row: Vec<Slot>,
    /// For each payment its group and whether it is in conflict.
    slots: Vec<SlotPlan>,
    groups: usize,
}

/// A payment to be, and how a row stands in it.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    place: usize,
    /// Only confirms or disagrees: a ledger row beside a trade row.
    is_beside: bool,
}

#[derive(Clone, Copy)]
struct SlotPlan {
    group: usize,
    /// What of its gross reached the merchant: that is what a ledger tells.
    received: Amount,
    conflict: bool,
    bill_disagrees: bool,
}

/// What rows of one identity must agree on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Content {
    /// Only where the rows name several payments: then these are what tells them apart.
    ids: Option<(String, Option<String>, Option<String>)>,
    amount: Amount,
    date: BusinessDate,
    order: Option<String>,
    plate: Option<String>,
}

impl Content {
    fn of(sourced: &SourcedRow, has_rivals: bool) -> Self {
        let row = &sourced.row;
        Self {
            ids: has_rivals
                .then(|| (row.payment_id.clone(), row.trade_no.clone(), own_id(sourced).map(ToString::to_string))),
            amount: row.amount,
            date: row.at.business_date(),
            order: row.order_id.as_ref().map(OrderId::key),
            plate: row.plate.as_ref().map(|plate| plate.as_str().to_owned()),
        }
    }
}

/// Decides for each row of each group which payment it goes into.
pub(super) fn plan(rows: &[SourcedRow], members: &Members) -> Plan {
    let nowhere = Slot { place: usize::MAX, is_beside: false };
    let mut plan = Plan { slot_of_row: vec![nowhere; rows.len()], slots: Vec::new(), groups: members.len() };
    for (group, members) in members.iter().enumerate() {
        if let [row] = members {
            let place = plan.open_slot(rows, group, &[*row], false);
            plan.slot_of_row[*row] = Slot { place, is_beside: false };
            continue;
        }
        let (ledger, trade): (Vec<usize>, Vec<usize>) =
            members.iter().partition(|row| rows[**row].role == Role::Ledger);
        let (counting, beside) = if trade.is_empty() { (ledger, trade) } else { (trade, ledger) };
        let first = plan.slots.len();
        plan.place_counting(rows, group, &counting);
        plan.place_beside(rows, &beside, first);
    }
    plan
}

/// Whether all of `members` can be told of one payment; what one does not say contradicts nothing.
fn agree(rows: &[SourcedRow], members: &[usize]) -> bool {
    if has_rivals(rows, members) {
        return false;
    }
    let all = || members.iter().map(|row| &rows[*row].row);
    all_same(all().map(|row| row.amount))
        && all_same(all().map(|row| row.at.business_date()))
        && all_same(all().filter_map(|row| row.order_id.as_ref()))
        && all_same(all().filter_map(|row| row.plate.as_ref()))
}

/// Whether the rows are of several payments, though some id joins them: one bill has two payment ids under one external
/// id, one payment id bears two numbers of the merchant, or the channels' own numbers differ. Money came in more than
/// once, and an id can be told for one payment only.
fn has_rivals(rows: &[SourcedRow], members: &[usize]) -> bool {
    let all = || members.iter().map(|row| &rows[*row]);
    let in_one_bill = all().map(|row| ((row.source.as_str(), row.bill), row.row.payment_id.as_str()));
    let under_one_id =
        all().filter_map(|row| Some(((row.source.as_str(), row.row.payment_id.as_str()), own_id(row)?.as_str())));
    differ(in_one_bill.collect())
        || differ(under_one_id.collect())
        || !all_same(all().filter_map(|row| row.row.trade_no.as_ref()))
}

/// Whether two of the pairs share the first part and not the second.
fn differ<K: Ord, V: Ord>(mut pairs: Vec<(K, V)>) -> bool {
    pairs.sort_unstable();
    pairs.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0 && a.1 != b.1))
}

/// The merchant's own number of a payment, where its row brings one.
fn own_id(row: &SourcedRow) -> Option<&ExternalOrderId> {
    (!row.is_id_derived).then_some(&row.row.external_order_id)
}

fn all_same<T: PartialEq>(mut values: impl Iterator<Item = T>) -> bool {
    values.next().is_none_or(|first| values.all(|value| value == first))
}

impl Plan {
    /// Gives the rows that count their payments: one, or one for each distinct content.
    fn place_counting(&mut self, rows: &[SourcedRow], group: usize, counting: &[usize]) {
        if agree(rows, counting) {
            let place = self.open_slot(rows, group, counting, false);
            for row in counting {
                self.slot_of_row[*row] = Slot { place, is_beside: false };
            }
            return;
        }
        let has_rivals = has_rivals(rows, counting);
        let mut contents: BTreeMap<Content, Vec<usize>> = BTreeMap::new();
        for row in counting {
            contents.entry(Content::of(&rows[*row], has_rivals)).or_default().push(*row);
        }
        for same in contents.into_values() {
            let place = self.open_slot(rows, group, &same, true);
            for row in same {
                self.slot_of_row[row] = Slot { place, is_beside: false };
            }
        }
    }

    /// Puts ledger rows beside the payment of which as much was received, else beside the first of the group's
    /// payments (those from `first` on), and notes which of them the ledger contradicts.
    fn place_beside(&mut self, rows: &[SourcedRow], beside: &[usize], first: usize) {
        let mut place_of_amount = BTreeMap::new();
        for place in first..self.slots.len() {
            place_of_amount.entry(self.slots[place].received).or_insert(place);
        }
        for row in beside {
            let place = place_of_amount.get(&rows[*row].row.amount).copied().unwrap_or(first);
            self.slot_of_row[*row] = Slot { place, is_beside: true };
        }
        let told = || beside.iter().map(|row| rows[*row].row.amount);
        let (least, most) = (told().min(), told().max());
        for slot in &mut self.slots[first..] {
            slot.bill_disagrees = [least, most].into_iter().flatten().any(|amount| amount != slot.received);
        }
    }

    /// A payment of rows that agree on its amount.
    fn open_slot(&mut self, rows: &[SourcedRow], group: usize, members: &[usize], conflict: bool) -> usize {
        let place = self.slots.len();
        let told = || members.iter().map(|row| &rows[*row].row);
        let gross = told().map(|row| row.amount).min();
        let received = told().filter_map(|row| row.received).min().or(gross).unwrap_or_default();
        self.slots.push(SlotPlan { group, received, conflict, bill_disagrees: false });
        place
    }
}

/// Payments while rows are put into them; the order of the rows does not show in the result.
pub(super) struct Merging {
    payments: Vec<Option<Named>>,
    totals: Vec<Total>,
    /// Of [`Merging::totals`] what rows tell that count.
    counted: Vec<Total>,
    aliases: Vec<(ExternalOrderId, usize)>,
}

/// A payment, and whether its external order id is only derived.
struct Named {
    payment: Payment,
    is_id_derived: bool,
}

/// Payments in their final order.
pub(super) struct Merged {
    pub(super) payments: Vec<Payment>,
    pub(super) row_totals: Vec<Total>,
    /// Whether some payment's gross is not what the rows tell that count.
    pub(super) is_miscounted: bool,
    pub(super) aliases: Vec<(ExternalOrderId, u32)>,
    /// The first payment of each group.
    pub(super) first_of_group: Vec<Option<u32>>,
}

impl Merging {
    pub(super) fn new(plan: &Plan) -> Self {
        let len = plan.slots.len();
        Self {
            payments: std::iter::repeat_with(|| None).take(len).collect(),
            totals: vec![Total::default(); len],
            counted: vec![Total::default(); len],
            aliases: Vec::new(),
        }
    }

    /// Puts a row where the plan wants it.
    pub(super) fn add(&mut self, slot: Slot, row: SourcedRow) {
        self.totals[slot.place].add(row.row.amount);
        if slot.is_beside {
            self.aliases.push((row.row.external_order_id, slot.place));
            return;
        }
        self.counted[slot.place].add(row.row.amount);
        let found = single(row);
        match &mut self.payments[slot.place] {
            empty @ None => *empty = Some(found),
            Some(known) => {
                if known.payment.external_order_id != found.payment.external_order_id {
                    self.aliases.push((known.payment.external_order_id.clone(), slot.place));
                    self.aliases.push((found.payment.external_order_id.clone(), slot.place));
                }
                absorb(known, found);
            }
        }
    }

    pub(super) fn finish(self, plan: &Plan) -> Merged {
        let mut sorted: Vec<(usize, Payment)> =
            self.payments.into_iter().enumerate().filter_map(|(place, named)| Some((place, named?.payment))).collect();
        sorted.sort_unstable_by(|(_, a), (_, b)| in_order(a, b));

        let mut place_to_index = vec![0; plan.slots.len()];
        let mut first_of_group = vec![None; plan.groups];
        let mut row_totals = Vec::with_capacity(sorted.len());
        let mut payments = Vec::with_capacity(sorted.len());
        let mut is_miscounted = false;
        for (position, (place, mut payment)) in sorted.into_iter().enumerate() {
            let slot = plan.slots[place];
            payment.conflict = slot.conflict;
            payment.bill_disagrees = slot.bill_disagrees;
            payment.rows = u32::try_from(self.totals[place].count).unwrap_or(u32::MAX);
            place_to_index[place] = index(position);
            first_of_group[slot.group].get_or_insert(index(position));
            row_totals.push(self.totals[place]);
            is_miscounted |= !is_told_by(payment.gross, self.counted[place]);
            payments.push(payment);
        }
        let mut aliases: Vec<(ExternalOrderId, u32)> =
            self.aliases.into_iter().map(|(alias, place)| (alias, place_to_index[place])).collect();
        aliases.retain(|(alias, at)| usize::try_from(*at).is_ok_and(|at| payments[at].external_order_id != *alias));
        aliases.sort_unstable();
        aliases.dedup();
        Merged { payments, row_totals, is_miscounted, aliases, first_of_group }
    }
}

/// Whether rows that tell `counted` in all tell `gross` each.
fn is_told_by(gross: Amount, counted: Total) -> bool {
    i128::from(gross.fen()).checked_mul(i128::from(counted.count)) == Some(counted.fen)
}

/// What one row by itself says.
fn single(sourced: SourcedRow) -> Named {
    let SourcedRow { source, is_id_derived, row, .. } = sourced;
    let payment = Payment {
        source,
        payment_id: row.payment_id,
        external_order_id: row.external_order_id,
        order_id: row.order_id,
        plate: row.plate,
        gross: row.amount,
        refunded: row.refunded,
        has_refund: row.refund_pending || !row.refunded.is_zero(),
        fee: row.fee,
        paid_at: row.at,
        channel: row.channel,
        conflict: false,
        bill_disagrees: false,
        rows: 1,
    };
    Named { payment, is_id_derived }
}

/// Adds what `other` knows. Commutative and associative, so that the order of rows does not matter.
fn absorb(known: &mut Named, found: Named) {
    let is_better = represents_better(&found, known);
    let (payment, other) = (&mut known.payment, found.payment);
    if is_better {
        known.is_id_derived = found.is_id_derived;
        payment.source = other.source;
        payment.payment_id = other.payment_id;
        payment.external_order_id = other.external_order_id;
    }
    payment.order_id = match (payment.order_id.take(), other.order_id) {
        // The same id in two spellings: any will do, but always the same one.
        (Some(a), Some(b)) => Some(if b.as_str() < a.as_str() { b } else { a }),
        (a, b) => a.or(b),
    };
    payment.plate = payment.plate.take().or(other.plate);
    payment.refunded = payment.refunded.max(other.refunded);
    payment.has_refund |= other.has_refund;
    payment.fee = payment.fee.max(other.fee);
    payment.paid_at = payment.paid_at.min(other.paid_at);
    let has_better_channel =
        payment.channel.is_empty() || (!other.channel.is_empty() && other.channel < payment.channel);
    if has_better_channel {
        payment.channel = other.channel;
    }
}

/// Whether `a` names a payment better than `b`: by the merchant's own order number, else under an id that the
/// platform can take, else by the lesser one.
fn represents_better(a: &Named, b: &Named) -> bool {
    let rank = |named: &Named| (named.is_id_derived, !named.payment.external_order_id.is_sendable());
    let ranks = rank(a).cmp(&rank(b));
    let (a, b) = (&a.payment, &b.payment);
    ranks
        .then_with(|| a.external_order_id.cmp(&b.external_order_id))
        .then_with(|| a.source.cmp(&b.source))
        .then_with(|| a.payment_id.cmp(&b.payment_id))
        .is_lt()
}

/// A total order of payments: what shares all of it cannot be two payments.
fn in_order(a: &Payment, b: &Payment) -> Ordering {
    a.paid_at
        .cmp(&b.paid_at)
        .then_with(|| a.external_order_id.cmp(&b.external_order_id))
        .then_with(|| (&a.source, &a.payment_id, a.gross).cmp(&(&b.source, &b.payment_id, b.gross)))
        .then_with(|| a.order_id.as_ref().map(OrderId::key).cmp(&b.order_id.as_ref().map(OrderId::key)))
        .then_with(|| a.plate.cmp(&b.plate))
}
