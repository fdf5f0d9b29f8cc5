//! One row of a `generic` bill → payment, refund, nothing, or set aside with the reason.

use std::borrow::Cow;

use csv::StringRecord;

use super::format::{Column, GenericFormat, StatusMeaning, Unit, UnknownStatus};
use super::layout::Layout;
use super::money::{self, Money};
use crate::bills::place::Place;
use crate::bills::{BillError, BillRow, BillSource, RowKind, is_of_this_century, shortened};
use crate::model::{Amount, ChannelFee, ExternalOrderId, OrderId, Plate, Timestamp};

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
    format: &'a GenericFormat,
}

/// Reads one row that has as many fields as the header.
///
/// # Errors
/// When its status is not known and that refuses the bill.
pub(super) fn parse<'a>(
    record: &'a StringRecord,
    line: u64,
    layout: &'a Layout,
    source: &'a BillSource,
) -> Result<Parsed<'a>, BillError> {
    let cells = Cells { record, layout, format: &source.generic };
    let row = match cells.meaning(line)? {
        Some(StatusMeaning::Ignored) => return Ok(Parsed::Ignored(cells.paid_at().ok())),
        Some(StatusMeaning::Payment) => cells.payment_or_refund().and_then(|kind| cells.row(line, kind, source)),
        Some(StatusMeaning::Refund) => cells.row(line, RowKind::Refund, source),
        None => {
            let word = shortened(cells.text(Column::Status), 40);
            Err(Fault::new(Column::Status, format!("the status `{word}` is not known")))
        }
    };
    Ok(match row {
        Ok(row) => {
            Parsed::Row { row: Box::new(row), has_own_external_id: !cells.text(Column::ExternalOrderId).is_empty() }
        }
        Err(Fault { column, reason }) => {
            Parsed::SetAside { column: layout.name(column), value: cells.text(column), reason }
        }
    })
}

impl<'a> Cells<'a> {
    fn text(&self, column: Column) -> &'a str {
        self.layout.text(self.record, column)
    }

    /// What the status says; `None` when a person has to say.
    fn meaning(&self, line: u64) -> Result<Option<StatusMeaning>, BillError> {
        let word = self.text(Column::Status);
        match (self.format.meaning(word), self.format.unknown_status) {
            (None, UnknownStatus::Ignore) => Ok(Some(StatusMeaning::Ignored)),
            (None, UnknownStatus::Refuse) => Err(BillError::UnknownStatus {
                line,
                column: self.layout.name(Column::Status).to_owned(),
                value: shortened(word, 40),
            }),
            (meaning, _) => Ok(meaning),
        }
    }

    /// What a row is whose status says that money moved: its sign may say more.
    fn payment_or_refund(&self) -> Result<RowKind, Fault> {
        let is_refund = self.money(Column::Amount)?.is_negative;
        Ok(if is_refund { RowKind::Refund } else { RowKind::Payment })
    }

    fn row(&self, line: u64, kind: RowKind, source: &BillSource) -> Result<BillRow, Fault> {
        let (payment_id, refund_id) = self.ids(kind)?;
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
            refund_id: refund_id.map(str::to_owned),
            external_order_id,
            trade_no: self.id(Column::TradeNo)?.map(str::to_owned),
            order_id: self.meant(source.places.order_id.as_ref(), Column::OrderId).and_then(OrderId::new),
            // A text that is no plate is as good as none: the payment is real all the same.
            plate: self.meant(source.places.plate.as_ref(), Column::Plate).and_then(|text| Plate::parse(text).ok()),
            amount,
            received: self.received(kind)?,
            fee: self.fee()?,
            refunded,
            refund_pending: false,
            at: self.paid_at()?,
            channel: self.text(Column::Channel).to_owned(),
        })
    }

    /// The payment that a row is, or gives back, and the refund's own id.
    fn ids(&self, kind: RowKind) -> Result<(&'a str, Option<&'a str>), Fault> {
        let own = self.id(Column::PaymentId)?;
        let filled = |id: Option<&'a str>| id.ok_or_else(|| Fault::new(Column::PaymentId, "the payment id is empty"));
        match kind {
            RowKind::Payment | RowKind::Fee => Ok((filled(own)?, None)),
            RowKind::Refund if self.layout.has(Column::RefundOf) => {
                let paid = self.id(Column::RefundOf)?;
                let paid =
                    paid.ok_or_else(|| Fault::new(Column::RefundOf, "the refund does not say of which payment"))?;
                Ok((paid, self.id(Column::RefundId)?.or(own)))
            }
            RowKind::Refund => Ok((filled(own)?, self.id(Column::RefundId)?)),
        }
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

    fn money(&self, column: Column) -> Result<Money, Fault> {
        money::parse(self.text(column), self.format).map_err(|reason| Fault::new(column, reason))
    }

    /// [`Cells::money`], where nothing stands for nothing.
    fn money_if_any(&self, column: Column) -> Result<Option<Money>, Fault> {
        if self.text(column).is_empty() { Ok(None) } else { self.money(column).map(Some) }
    }

    /// An amount above zero, its sign left out.
    fn amount(&self, column: Column) -> Result<Amount, Fault> {
        let amount = self.money(column)?.amount;
        if amount.is_zero() { Err(Fault::new(column, "the amount is zero")) } else { Ok(amount) }
    }

    /// What a payment's row says was given back; nothing when it does not say.
    fn refunded_so_far(&self) -> Result<Amount, Fault> {
        Ok(self.money_if_any(Column::RefundAmount)?.map_or(Amount::ZERO, |money| money.amount))
    }

    /// What a refund's row gives back: its refund amount, where there is none (or zero) its amount.
    fn given_back(&self) -> Result<Amount, Fault> {
        let refunded = self.refunded_so_far()?;
        if refunded.is_zero() { self.amount(Column::Amount) } else { Ok(refunded) }
    }

    /// What reached the merchant, or was taken back.
    fn received(&self, kind: RowKind) -> Result<Option<Amount>, Fault> {
        match self.money_if_any(Column::Received)? {
            Some(money) if money.is_negative && kind == RowKind::Payment => {
                let text = shortened(self.text(Column::Received), 40);
                Err(Fault::new(Column::Received, format!("`{text}` is negative, in a payment's row")))
            }
            money => Ok(money.map(|money| money.amount)),
        }
    }

    fn fee(&self) -> Result<Option<ChannelFee>, Fault> {
        match self.text(Column::Fee) {
            "" => Ok(None),
            text => money::parse_fee(text, self.format).map(Some).map_err(|reason| Fault::new(Column::Fee, reason)),
        }
    }

    /// The day and the time of day, which may stand in two columns.
    fn time_text(&self) -> Cow<'a, str> {
        let (day, time) = (self.text(Column::PaidAt), self.text(Column::PaidTime));
        if time.is_empty() { Cow::Borrowed(day) } else { Cow::Owned(format!("{day} {time}")) }
    }

    fn paid_at(&self) -> Result<Timestamp, Fault> {
        let text = self.time_text();
        let fault = |reason| Fault::new(Column::PaidAt, reason);
        let (at, has_year) = match &self.format.time_format {
            Some(format) => {
                let at = format.parse(&text);
                let otherwise = || format!("`{}` is not a time; expected {}", shortened(&text, 40), format.as_str());
                (at.ok_or_else(|| fault(otherwise()))?, true)
            }
            None => (Timestamp::parse_wall(&text).map_err(|error| fault(error.to_string()))?, begins_with_year(&text)),
        };
        if has_year && is_of_this_century(at) {
            Ok(at)
        } else {
            Err(fault(format!("`{}` is not a time of this century", shortened(&text, 40))))
        }
    }

    /// Whether a cut could not have left this text of the row's last column behind with another meaning.
    fn is_surely_whole(&self, column: Column, source: &BillSource) -> bool {
        let text = self.text(column);
        let has_decimals = |count: usize| {
            self.format.unit == Unit::Yuan && text.split_once('.').is_some_and(|(_, found)| found.len() >= count)
        };
        let is_all = |place: Option<&Place>| place.is_none_or(|place| place.pattern.is_none());
        match column {
            Column::Channel => true,
            Column::PaidAt | Column::PaidTime => self.is_time_surely_whole(),
            Column::Amount | Column::RefundAmount | Column::Received => has_decimals(2),
            Column::Fee => has_decimals(ChannelFee::DECIMALS),
            Column::Status => self.format.is_whole_word(text),
            Column::Plate => is_all(source.places.plate.as_ref()) && text.chars().count() == 8,
            Column::OrderId => {
                let dashes = text.bytes().filter(|byte| *byte == b'-').count();
                is_all(source.places.order_id.as_ref()) && text.len() == 36 && dashes == 4
            }
            Column::PaymentId | Column::ExternalOrderId | Column::TradeNo | Column::RefundId | Column::RefundOf => {
                false
            }
        }
    }

    fn is_time_surely_whole(&self) -> bool {
        let text = self.time_text();
        match &self.format.time_format {
            Some(format) => format.is_surely_whole(&text),
            None => {
                Timestamp::parse_wall(&text).is_ok_and(|at| at.wall() == text.replace('/', "-").replacen('T', " ", 1))
            }
        }
    }
}

/// A year of two digits parses, and means the first century.
fn begins_with_year(text: &str) -> bool {
    text.len() >= 4 && text.as_bytes().iter().take(4).all(u8::is_ascii_digit)
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
    let cells = Cells { record, layout, format: &source.generic };
    !layout.is_closed(record) && layout.last_columns().any(|column| !cells.is_surely_whole(column, source))
}
