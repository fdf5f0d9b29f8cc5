//! `check --bill`: how a bill would be read, before it is imported. Nothing is stored.
//!
//! The first rows are kept as they stand in the bill beside what was recognised in them, so that a person can say in
//! the config where order id and plate stand, and see at once whether it is so.

use std::fs::File;
use std::path::Path;

use serde::Serialize;

use crate::bills::{
    BillError, BillItem, BillRow, BillSink, BillSource, BillSummary, RawRow, RowKind, SetAside, masked, read_bill,
};
use crate::model::{Amount, ChannelFee, ExternalOrderId, OrderId, Plate, Timestamp};

/// Rows set aside that are kept beyond the first ones.
const MOST_SET_ASIDE: usize = 100;

/// How a bill is read.
#[derive(Debug)]
pub struct Preview {
    /// What it holds.
    pub summary: BillSummary,
    /// Its first rows.
    pub rows: Vec<PreviewRow>,
    /// Rows set aside behind those, the first of them.
    pub set_aside: Vec<SetAside>,
    /// The columns of its table.
    pub columns: Vec<String>,
    /// What was recognised in all of its payments and refunds.
    pub recognised: Recognised,
}

/// In how many rows of payments and refunds something was recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recognised {
    /// Rows of payments and refunds.
    pub rows: u64,
    /// Those that name an order.
    pub order_ids: u64,
    /// Those that name a plate.
    pub plates: u64,
    /// Those whose external order id the platform cannot take: they are held.
    pub not_sendable: u64,
}

/// One row as it stands in the bill, and as it was read.
#[derive(Debug, Serialize)]
pub struct PreviewRow {
    /// Which part of an archive, the first being 1.
    pub part: u32,
    /// Its line.
    pub line: u64,
    /// What stands in its columns, in the order of [`Preview::columns`].
    pub cells: Vec<String>,
    /// What it is.
    pub read: ReadAs,
}

/// What a row was read as.
#[derive(Debug, Serialize)]
#[serde(tag = "as", rename_all = "snake_case")]
pub enum ReadAs {
    /// Money in.
    Payment(Told),
    /// Money back.
    Refund(Told),
    /// A fee in a row of its own.
    Fee(Told),
    /// Neither a payment nor a refund.
    Ignored,
    /// It cannot be read.
    SetAside {
        /// The column at fault.
        column: Option<String>,
        /// What is wrong.
        reason: String,
    },
}

/// What a row tells.
#[derive(Debug, Serialize)]
pub struct Told {
    /// The payment's id in the bill.
    pub payment_id: String,
    /// The refund's id.
    pub refund_id: Option<String>,
    /// The id at the platform.
    pub external_order_id: String,
    /// The order.
    pub order_id: Option<String>,
    /// The plate.
    pub plate: Option<String>,
    /// What the order cost, or what was given back.
    pub amount: Amount,
    /// What of it reached the merchant.
    pub received: Option<Amount>,
    /// The channel's fee.
    pub fee: Option<ChannelFee>,
    /// When.
    pub at: Timestamp,
    /// Whether a refund is not done yet.
    pub pending: bool,
}

/// Reads all of a bill and keeps its first `wanted` rows.
///
/// # Errors
/// When the bill is refused.
pub fn preview(path: &Path, source: &BillSource, wanted: usize) -> Result<Preview, BillError> {
    let mut looker = Looker { wanted, ..Looker::default() };
    let summary = read_bill(File::open(path)?, source, &mut looker)?;
    Ok(Preview {
        summary,
        rows: looker.rows,
        set_aside: looker.set_aside,
        columns: looker.columns,
        recognised: looker.recognised,
    })
}

/// Keeps what is to be shown.
#[derive(Default)]
struct Looker {
    wanted: usize,
    columns: Vec<String>,
    rows: Vec<PreviewRow>,
    set_aside: Vec<SetAside>,
    /// The row that the next item is about.
    raw: Option<(u32, u64, Vec<String>)>,
    recognised: Recognised,
}

impl Looker {
    fn keep(&mut self, read: ReadAs) {
        if let Some((part, line, cells)) = self.raw.take() {
            self.rows.push(PreviewRow { part, line, cells, read });
        }
    }

    fn count(&mut self, row: &BillRow) {
        if row.kind == RowKind::Fee {
            return;
        }
        let Recognised { rows, order_ids, plates, not_sendable } = &mut self.recognised;
        let facts = [
            (rows, true),
            (order_ids, row.order_id.is_some()),
            (plates, row.plate.is_some()),
            (not_sendable, row.kind == RowKind::Payment && !row.external_order_id.is_sendable()),
        ];
        for (count, is_so) in facts {
            *count = count.saturating_add(u64::from(is_so));
        }
    }
}

impl BillSink for Looker {
    fn item(&mut self, item: BillItem) {
        match item {
            BillItem::Row(row) => {
                self.count(&row);
                if self.raw.is_some() {
                    self.keep(read_as(&row));
                }
            }
            BillItem::SetAside(aside) if self.raw.is_some() => {
                self.keep(ReadAs::SetAside { column: aside.column, reason: aside.reason });
            }
            BillItem::SetAside(aside) if self.set_aside.len() < MOST_SET_ASIDE => self.set_aside.push(aside),
            BillItem::SetAside(_) => {}
        }
    }

    fn ignored(&mut self) {
        self.keep(ReadAs::Ignored);
    }

    fn wants_cells(&self) -> bool {
        self.rows.len() < self.wanted
    }

    fn cells(&mut self, row: &RawRow<'_>) {
        if self.columns.is_empty() {
            self.columns = row.names.to_vec();
        }
        self.raw = Some((row.part, row.line, row.cells.iter().map(|cell| masked(cell).into_owned()).collect()));
    }
}

fn read_as(row: &BillRow) -> ReadAs {
    let told = Told {
        payment_id: row.payment_id.clone(),
        refund_id: row.refund_id.clone(),
        external_order_id: ExternalOrderId::to_string(&row.external_order_id),
        order_id: row.order_id.as_ref().map(OrderId::to_string),
        plate: row.plate.as_ref().map(Plate::to_string),
        amount: row.amount,
        received: row.received,
        fee: row.fee,
        at: row.at,
        pending: row.refund_pending,
    };
    match row.kind {
        RowKind::Payment => ReadAs::Payment(told),
        RowKind::Refund => ReadAs::Refund(told),
        RowKind::Fee => ReadAs::Fee(told),
    }
}
