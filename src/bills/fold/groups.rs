//! Which payment rows are of one identity.

use std::collections::HashMap;

use super::SourcedRow;

/// Payment rows in sets of one identity each.
pub(super) struct Groups<'a> {
    by_payment_id: HashMap<(&'a str, &'a str), usize>,
    by_external_id: HashMap<&'a str, usize>,
    /// Trade numbers that tell of one payment.
    by_trade_no: HashMap<&'a str, usize>,
    group_of_row: Vec<usize>,
    len: usize,
}

impl<'a> Groups<'a> {
    pub(super) fn of(rows: &'a [SourcedRow]) -> Self {
        let mut sets = Sets::new(rows.len());
        let mut by_payment_id = HashMap::with_capacity(rows.len());
        let mut by_external_id = HashMap::with_capacity(rows.len());
        for (row, SourcedRow { source, row: bill_row, .. }) in rows.iter().enumerate() {
            let same_id = *by_payment_id.entry((source.as_str(), bill_row.payment_id.as_str())).or_insert(row);
            sets.join(row, same_id);
            let same_external_id = *by_external_id.entry(bill_row.external_order_id.as_str()).or_insert(row);
            sets.join(row, same_external_id);
        }
        let by_trade_no = join_trade_numbers(rows, &mut sets);
        let (group_of_row, len) = sets.numbered();
        Self { by_payment_id, by_external_id, by_trade_no, group_of_row, len }
    }

    /// The rows of each group.
    pub(super) fn members(&self) -> Members {
        let mut rows: Vec<usize> = (0..self.group_of_row.len()).collect();
        rows.sort_by_key(|row| self.group_of_row[*row]);
        let mut ends = vec![0; self.len];
        for (position, row) in rows.iter().enumerate() {
            ends[self.group_of_row[*row]] = position.saturating_add(1);
        }
        Members { rows, ends }
    }

    /// The group that a refund gives back or a fee was taken for: its source's payment id decides, else the external
    /// id, else the trade number.
    pub(super) fn spoken_of(&self, row: &SourcedRow) -> Option<usize> {
        self.by_payment_id
            .get(&(row.source.as_str(), row.row.payment_id.as_str()))
            .or_else(|| self.by_external_id.get(row.row.external_order_id.as_str()))
            .or_else(|| self.by_trade_no.get(row.row.trade_no.as_deref()?))
            .map(|row| self.group_of_row[*row])
    }
}

/// The rows of each group, in one allocation for all groups.
pub(super) struct Members {
    rows: Vec<usize>,
    /// Where each group ends in `rows`; it begins where the one before it ends.
    ends: Vec<usize>,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[usize]> {
        let mut start = 0;
        self.ends.iter().map(move |end| &self.rows[std::mem::replace(&mut start, *end)..*end])
    }
}

/// Joins rows of different bills or sources that have the same trade number.
///
/// A number that one bill has for several payments (a combined order) does not say which of them is
/// meant, and joining them all would make one payment of several.
/// Gives a row for each of the other numbers.
fn join_trade_numbers<'a>(rows: &'a [SourcedRow], sets: &mut Sets) -> HashMap<&'a str, usize> {
    let mut numbered: Vec<(&str, &str, i64, usize, usize)> = rows
        .iter()
        .enumerate()
        .filter_map(|(row, sourced)| {
            let trade_no = sourced.row.trade_no.as_deref()?;
            Some((trade_no, sourced.source.as_str(), sourced.bill, sets.find(row), row))
        })
        .collect();
    numbered.sort_unstable();
    let mut clear = HashMap::new();
    for same_number in numbered.chunk_by(|a, b| a.0 == b.0) {
        let is_unclear =
            same_number.windows(2).any(|pair| matches!(pair, [a, b] if (a.1, a.2) == (b.1, b.2) && a.3 != b.3));
        if !is_unclear {
            clear.extend(same_number.first().map(|(number, .., row)| (*number, *row)));
            for pair in same_number.windows(2) {
                if let [a, b] = pair {
                    sets.join(a.4, b.4);
                }
            }
        }
    }
    clear
}

/// Disjoint sets of `0..n`, with path halving and union by size: practically linear.
struct Sets {
    parent: Vec<usize>,
    size: Vec<usize>,
}

impl Sets {
    fn new(len: usize) -> Self {
        Self { parent: (0..len).collect(), size: vec![1; len] }
    }

    fn find(&mut self, mut item: usize) -> usize {
        while self.parent[item] != item {
            self.parent[item] = self.parent[self.parent[item]];
            item = self.parent[item];
        }
        item
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return;
        }
        let (large, small) = if self.size[a] < self.size[b] { (b, a) } else { (a, b) };
        self.parent[small] = large;
        self.size[large] = self.size[large].saturating_add(self.size[small]);
    }

    /// The number of each item's set, `0..count`, and the count.
    fn numbered(mut self) -> (Vec<usize>, usize) {
        let mut number_of_root: Vec<Option<usize>> = vec![None; self.parent.len()];
        let mut count: usize = 0;
        let numbers = (0..self.parent.len())
            .map(|item| {
                let root = self.find(item);
                *number_of_root[root].get_or_insert_with(|| {
                    let number = count;
                    count = count.saturating_add(1);
                    number
                })
            })
            .collect();
        (numbers, count)
    }
}
