//! One row of a `generic` bill → payment, refund, nothing, or set aside with the reason.

use csv::StringRecord;

use super::format::{Column, StatusMeaning, Unit};
use super::layout::Layout;
use crate::bills::place::Place;
use crate::bills::{BillRow, BillSource, RowKind, is_of_this_century, shortened};
use crate::model::{Amount, ExternalOrderId, OrderId, Plate, Timestamp};

/// What a row is.
pub(super) enum Parsed<'a> {
    /// A payment or a refund.
    Row {
        /// The row.
        row: Box<BillRow>,
        /// Whether its external order id stands in the bill.
        has_own_external_id: bool,
    },
    /// It moved no money; its time, if that can be read.
    Ignored(Option<Timestamp>),
    /// It is bad.
    SetAside {
        /// The column at fault, as the header names it.
        column: &'a str,
        /// What stands there.
        value: &'a str,
        /// What is wrong with it.
        reason: String,
    },
}

/// What is wrong with a row.
struct Fault {
    column: Column,
    reason: String,
}

impl Fault {
    fn new(column: Column, reason: impl Into<String>) -> Self {
        Self { column, reason: reason.into() }
    }
}

/// A row together with what is needed to read it.
struct Cells<'a> {
    record: &'a StringRecord,
    layout: &'a Layout,
    unit: Unit,
}

/// Reads one row that has as many fields as the header.
pub(super) fn parse<'a>(record: &'a StringRecord, line: u64, layout: &'a Layout, source: &BillSource) -> Parsed<'a> {
    let cells = Cells { record, layout, unit: source.generic.unit };
    let word = cells.text(Column::Status);
    let row = match source.generic.meaning(word) {
        Some(StatusMeaning::Ignored) => return Parsed::Ignored(cells.paid_at().ok()),
        Some(StatusMeaning::Payment) => cells.row(line, RowKind::Payment, source),
        Some(StatusMeaning::Refund) => cells.row(line, RowKind::Refund, source),
        None => Err(Fault::new(Column::Status, format!("the status `{}` is not known", shortened(word, 40)))),
    };
    match row {
        Ok(row) => {
            Parsed::Row { row: Box::new(row), has_own_external_id: !cells.text(Column::ExternalOrderId).is_empty() }
        }
        Err(Fault { column, reason }) => {
            Parsed::SetAside { column: layout.name(column), value: cells.text(column), reason }
        }
    }
}

impl<'a> Cells<'a> {
    fn text(&self, column: Column) -> &'a str {
        self.layout.text(self.record, column)
    }

    fn row(&self, line: u64, kind: RowKind, source: &BillSource) -> Result<BillRow, Fault> {
        let payment_id =
            self.id(Column::PaymentId)?.ok_or_else(|| Fault::new(Column::PaymentId, "the payment id is empty"))?;
        let own_external_id = self.id(Column::ExternalOrderId)?.and_then(ExternalOrderId::new);
        let (amount, refunded) = match kind {
            RowKind::Payment => (self.amount(Column::Amount)?, self.refunded_so_far()?),
            RowKind::Refund | RowKind::Fee => (self.given_back()?, Amount::ZERO),
        };
        let external_order_id = own_external_id
            .or_else(|| ExternalOrderId::new(&format!("{}{payment_id}", source.id_prefix)))
            .ok_or_else(|| Fault::new(Column::PaymentId, "the payment id is empty"))?;
        Ok(BillRow {
            part: 1,
            line,
            kind,
            payment_id: payment_id.to_owned(),
            refund_id: match kind {
                RowKind::Payment | RowKind::Fee => None,
                RowKind::Refund => self.id(Column::RefundId)?.map(str::to_owned),
            },
            external_order_id,
            trade_no: self.id(Column::TradeNo)?.map(str::to_owned),
            order_id: self.meant(source.places.order_id.as_ref(), Column::OrderId).and_then(OrderId::new),
            // A text that is no plate is as good as none: the payment is real all the same.
            plate: self.meant(source.places.plate.as_ref(), Column::Plate).and_then(|text| Plate::parse(text).ok()),
            amount,
            received: None,
            fee: None,
            refunded,
            refund_pending: false,
            at: self.paid_at()?,
            channel: self.text(Column::Channel).to_owned(),
        })
    }

    /// What is meant of a column in which other things may stand too.
    fn meant(&self, place: Option<&Place>, column: Column) -> Option<&'a str> {
        let text = self.text(column);
        match place {
            Some(place) => place.find(text),
            None => Some(text).filter(|text| !text.is_empty()),
        }
    }

    /// An id, `None` when empty. One that a spreadsheet rounded names many payments at once.
    fn id(&self, column: Column) -> Result<Option<&'a str>, Fault> {
        match self.text(column) {
            "" => Ok(None),
            text if is_rounded_number(text) => {
                Err(Fault::new(column, format!("`{text}` is a number that a spreadsheet has rounded, not an id")))
            }
            text => Ok(Some(text)),
        }
    }

    /// An amount above zero.
    fn amount(&self, column: Column) -> Result<Amount, Fault> {
        let amount = parse_amount(self.text(column), self.unit).map_err(|reason| Fault::new(column, reason))?;
        if amount.is_zero() { Err(Fault::new(column, "the amount is zero")) } else { Ok(amount) }
    }

    /// What a payment's row says was given back; nothing when it does not say.
    fn refunded_so_far(&self) -> Result<Amount, Fault> {
        match self.text(Column::RefundAmount) {
            "" => Ok(Amount::ZERO),
            text => parse_amount(text, self.unit).map_err(|reason| Fault::new(Column::RefundAmount, reason)),
        }
    }

    /// What a refund's row gives back: its refund amount, where there is none (or zero) its amount.
    fn given_back(&self) -> Result<Amount, Fault> {
        let refunded = self.refunded_so_far()?;
        if refunded.is_zero() { self.amount(Column::Amount) } else { Ok(refunded) }
    }

    fn paid_at(&self) -> Result<Timestamp, Fault> {
        let text = self.text(Column::PaidAt);
        let at = Timestamp::parse_wall(text).map_err(|error| Fault::new(Column::PaidAt, error.to_string()))?;
        // A year of two digits parses, and means the first century.
        let has_four_digit_year = text.len() >= 4 && text.as_bytes().iter().take(4).all(u8::is_ascii_digit);
        if has_four_digit_year && is_of_this_century(at) {
            Ok(at)
        } else {
            Err(Fault::new(Column::PaidAt, format!("`{}` is not a time of this century", shortened(text, 40))))
        }
    }
}

fn parse_amount(text: &str, unit: Unit) -> Result<Amount, String> {
    match unit {
        Unit::Yuan => text.parse::<Amount>().map_err(|error| error.to_string()),
        Unit::Fen => parse_fen(text),
    }
}

fn parse_fen(text: &str) -> Result<Amount, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{}` is not a whole number of fen", shortened(text, 40)));
    }
    let fen = digits.parse::<i64>().ok().and_then(Amount::from_fen);
    let fen = fen.ok_or_else(|| format!("`{}` fen are more than 1,000,000,000.00", shortened(text, 40)))?;
    if text.starts_with('-') && !fen.is_zero() {
        return Err(format!("`{}` is negative", shortened(text, 40)));
    }
    Ok(fen)
}

/// `4.20001E+27`: what a spreadsheet makes of a long number.
fn is_rounded_number(text: &str) -> bool {
    let Some((number, exponent)) = text.split_once(['E', 'e']) else { return false };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    exponent.strip_prefix('+').is_some_and(is_digits) && is_digits(whole) && is_digits(fraction)
}

/// Whether the last field of a row at the very end of a bill, without a line end behind it, may have been longer
/// with another meaning. What a cut cannot leave behind (a full time, an amount with its decimals) is whole.
pub(super) fn may_be_cut(record: &StringRecord, layout: &Layout, source: &BillSource) -> bool {
    let Some(column) = layout.last_column() else { return false };
    let text = layout.text(record, column);
    let is_whole = match column {
        Column::Channel => true,
        Column::PaidAt => text.len() == "2026-11-22 09:58:58".len(),
        Column::Amount | Column::RefundAmount => {
            source.generic.unit == Unit::Yuan && text.split_once('.').is_some_and(|(_, decimals)| decimals.len() >= 2)
        }
        Column::Status => !text.is_empty() && source.generic.meaning(text).is_some(),
        Column::Plate => text.chars().count() == 8,
        Column::OrderId => text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4,
        Column::PaymentId | Column::ExternalOrderId | Column::TradeNo | Column::RefundId => false,
    };
    !is_whole
}
