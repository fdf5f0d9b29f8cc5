//! A bill while it is read: where its items go, what is counted, and one row of a channel's table.

use super::header::{Fields, Header};
use super::place::FoundPlaces;
use super::{BillError, BillItem, BillRow, BillSink, BillSource, BillSummary, RawRow, RowKind, SetAside, shortened};
use crate::model::{Amount, ChannelFee, Difference, ExternalOrderId, Timestamp};

/// Bytes of a reason that are shown as they are; ours are shorter.
const MAX_REASON: usize = 300;

/// A reason fit to be shown: it may tell what stood in the bill.
fn presentable(reason: String) -> String {
    let is_fit = reason.len() <= MAX_REASON && !reason.contains(char::is_control);
    if is_fit { reason } else { shortened(&reason, MAX_REASON) }
}

/// What readers of all formats share.
pub(super) struct Reading<'a> {
    pub(super) source: &'a BillSource,
    pub(super) summary: BillSummary,
    /// Which part of an archive, the first being 1.
    pub(super) part: u32,
    sink: &'a mut dyn BillSink,
    places: Option<FoundPlaces<'a>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(source: &'a BillSource, summary: BillSummary, sink: &'a mut dyn BillSink) -> Self {
        Self { source, summary, part: 1, sink, places: None }
    }

    /// Finds the columns in which the source has its order ids and plates.
    ///
    /// # Errors
    /// When the table does not have one of them.
    pub(super) fn begin_table(&mut self, header: &Header) -> Result<(), BillError> {
        self.places = Some(FoundPlaces::of(&self.source.places, header)?);
        Ok(())
    }

    /// Shows a row as it stands in the bill to whoever wants to see it.
    pub(super) fn show<'t>(&mut self, line: u64, names: &[String], cells: impl FnOnce() -> Vec<&'t str>) {
        if self.sink.wants_cells() {
            self.sink.cells(&RawRow { part: self.part, line, names, cells: &cells() });
        }
    }

    /// Takes in what a row of a channel's table tells: with the ids that it is known by, the order and the plate where the
    /// source says. Nothing of it when its amount is zero: that is for a person.
    ///
    /// # Errors
    /// When it has no id.
    pub(super) fn tell(&mut self, row: &Row<'_>, told: Told<'_>) -> Result<(), BillError> {
        let Told {
            kind,
            payment_id,
            refund_id,
            own_id,
            amount,
            amount_at,
            received,
            refunded,
            fee,
            is_pending,
            at,
            channel,
        } = told;
        if amount.is_zero() {
            let reason = "the amount is zero".to_owned();
            self.set_aside(row.line, Some(row.header.name(amount_at)), row.cell(amount_at), reason);
            return Ok(());
        }
        let own = own_id.map(|own| row.id_if_any(own)).transpose()?;
        let own = own.filter(|own| *own != "0").and_then(ExternalOrderId::new);
        if kind == RowKind::Payment {
            self.summary.has_external_order_ids &= own.is_some();
        }
        let external_order_id = own
            .or_else(|| ExternalOrderId::new(&format!("{}{payment_id}", self.source.id_prefix)))
            .ok_or_else(|| row.fault(amount_at, "the row has no id".to_owned()))?;
        let places = self.places.as_ref();
        let order_id = places.and_then(|places| places.order_id(|at| row.cell(at)));
        let plate = places.and_then(|places| places.plate(|at| row.cell(at)));
        self.row(BillRow {
            part: self.part,
            line: row.line,
            kind,
            payment_id: payment_id.to_owned(),
            refund_id: refund_id.map(str::to_owned),
            external_order_id,
            trade_no: Some(payment_id.to_owned()),
            order_id,
            plate,
            amount,
            received: Some(received),
            fee,
            refunded,
            refund_pending: is_pending,
            at,
            channel: channel.to_owned(),
        });
        Ok(())
    }

    /// A row that counts.
    pub(super) fn row(&mut self, row: BillRow) {
        self.summary.count(&row);
        self.sink.item(BillItem::Row(row));
    }

    /// A row that is no payment and no refund, and need not be looked at.
    pub(super) fn ignored(&mut self, at: Option<Timestamp>) {
        self.summary.count_ignored(at);
        self.sink.ignored();
    }

    /// A row that somebody has to look at.
    pub(super) fn set_aside(&mut self, line: u64, column: Option<&str>, value: &str, reason: String) {
        self.summary.set_aside = self.summary.set_aside.saturating_add(1);
        self.sink.item(BillItem::SetAside(SetAside {
            part: self.part,
            line,
            column: column.map(str::to_owned),
            value: shortened(value, 200),
            reason: presentable(reason),
        }));
    }
}

/// `4.20001E+27`: what a spreadsheet makes of a long number.
pub(super) fn is_rounded_number(text: &str) -> bool {
    let Some((number, exponent)) = text.split_once(['E', 'e']) else { return false };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    exponent.strip_prefix('+').is_some_and(is_digits) && is_digits(whole) && is_digits(fraction)
}

/// What a row of a channel's table tells.
#[derive(Clone, Copy)]
pub(super) struct Told<'t> {
    pub(super) kind: RowKind,
    /// The channel's own number of the payment, of a refund or a fee that of the payment it belongs to.
    pub(super) payment_id: &'t str,
    pub(super) refund_id: Option<&'t str>,
    /// The column with the merchant's own number of the payment.
    pub(super) own_id: Option<usize>,
    pub(super) amount: Amount,
    /// The column that it stands in.
    pub(super) amount_at: usize,
    pub(super) received: Amount,
    /// Of a payment: what its own row says was given back.
    pub(super) refunded: Amount,
    pub(super) fee: Option<ChannelFee>,
    pub(super) is_pending: bool,
    pub(super) at: Timestamp,
    pub(super) channel: &'static str,
}

/// One row of a channel's table. What cannot be read in it refuses the bill: its totals would not agree anyway.
pub(super) struct Row<'t> {
    pub(super) header: &'t Header,
    pub(super) fields: &'t Fields,
    pub(super) text: &'t str,
    pub(super) line: u64,
}

impl<'t> Row<'t> {
    /// The text of a column, trimmed.
    pub(super) fn cell(&self, at: usize) -> &'t str {
        self.fields.get(self.text, at)
    }

    /// The text of a column that the table may not have.
    pub(super) fn cell_if_any(&self, at: Option<usize>) -> &'t str {
        at.map(|at| self.cell(at)).unwrap_or_default()
    }

    /// An id that may not be empty.
    pub(super) fn id(&self, at: usize) -> Result<&'t str, BillError> {
        match self.id_if_any(at)? {
            "" => Err(self.fault(at, "it is empty".to_owned())),
            id => Ok(id),
        }
    }

    /// An id, or nothing. One that a spreadsheet rounded names many payments at once.
    pub(super) fn id_if_any(&self, at: usize) -> Result<&'t str, BillError> {
        match self.cell(at) {
            id if is_rounded_number(id) => {
                Err(self.fault(at, "a number that a spreadsheet has rounded, not an id".to_owned()))
            }
            id => Ok(id),
        }
    }

    /// An amount that is not negative.
    pub(super) fn amount(&self, at: usize) -> Result<Amount, BillError> {
        self.cell(at).parse().map_err(|error: crate::model::AmountError| self.fault(at, error.to_string()))
    }

    /// [`Row::amount`], where nothing stands for nothing.
    pub(super) fn amount_or_zero(&self, at: usize) -> Result<Amount, BillError> {
        if self.cell(at).is_empty() { Ok(Amount::ZERO) } else { self.amount(at) }
    }

    /// An amount with its sign.
    pub(super) fn signed(&self, at: usize) -> Result<Difference, BillError> {
        self.cell(at).parse().map_err(|error: crate::model::AmountError| self.fault(at, error.to_string()))
    }

    /// A fee with its sign.
    pub(super) fn fee(&self, at: usize) -> Result<ChannelFee, BillError> {
        self.cell(at).parse().map_err(|error: crate::model::AmountError| self.fault(at, error.to_string()))
    }

    /// A time of Asia/Shanghai.
    pub(super) fn time(&self, at: usize) -> Result<Timestamp, BillError> {
        let time = Timestamp::parse_wall(self.cell(at)).map_err(|error| self.fault(at, error.to_string()))?;
        if super::is_of_this_century(time) {
            Ok(time)
        } else {
            Err(self.fault(at, format!("`{}` is not a time of this century", shortened(self.cell(at), 40))))
        }
    }

    /// What is wrong with a column.
    pub(super) fn fault(&self, at: usize, reason: String) -> BillError {
        BillError::Cell {
            line: self.line,
            column: self.header.name(at).to_owned(),
            value: shortened(self.cell(at), 40),
            reason: presentable(reason),
        }
    }
}
