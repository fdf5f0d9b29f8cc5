//! What a config can say about a `generic` bill; every key is optional, an unknown one is an error.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How a `generic` bill is written. The default reads the header
/// `payment_id,order_id,plate,amount,refund_amount,status,paid_at,channel`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GenericFormat {
    /// What stands between two fields.
    pub delimiter: Delimiter,
    /// What one unit of an amount is worth.
    pub unit: Unit,
    /// Names of the columns where they differ from the default.
    pub columns: Columns,
    /// Words of the status column beside the built-in ones, in any case.
    pub status: BTreeMap<String, StatusMeaning>,
}

/// What stands between two fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Delimiter {
    /// `,`
    #[default]
    #[serde(rename = ",", alias = "comma")]
    Comma,
    /// TAB
    #[serde(rename = "\t", alias = "tab")]
    Tab,
    /// `|`
    #[serde(rename = "|", alias = "pipe")]
    Pipe,
}

impl Delimiter {
    /// Its byte.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }

    /// The delimiter `c`.
    pub fn from_char(c: char) -> Option<Self> {
        [Self::Comma, Self::Tab, Self::Pipe].into_iter().find(|delimiter| char::from(delimiter.byte()) == c)
    }

    /// What a config calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Comma => ",",
            Self::Tab => "tab",
            Self::Pipe => "|",
        }
    }
}

/// What one unit of an amount is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Yuan with up to two significant decimals.
    #[default]
    Yuan,
    /// Whole fen.
    Fen,
}

/// What a word in the status column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusMeaning {
    /// Money came in.
    Payment,
    /// Money was given back.
    Refund,
    /// No money moved.
    Ignored,
}

/// A column that the product knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The payment's id in the bill.
    PaymentId,
    /// The parking order.
    OrderId,
    /// The plate.
    Plate,
    /// What was paid.
    Amount,
    /// What was given back.
    RefundAmount,
    /// What the row is.
    Status,
    /// When.
    PaidAt,
    /// The channel.
    Channel,
    /// The merchant's own order number.
    ExternalOrderId,
    /// The channel's trade number.
    TradeNo,
    /// The refund's id.
    RefundId,
}

impl Column {
    /// Every column, those of the default header first and in its order.
    pub const ALL: [Self; 11] = [
        Self::PaymentId,
        Self::OrderId,
        Self::Plate,
        Self::Amount,
        Self::RefundAmount,
        Self::Status,
        Self::PaidAt,
        Self::Channel,
        Self::ExternalOrderId,
        Self::TradeNo,
        Self::RefundId,
    ];

    /// Its name in the default header.
    pub const fn default_name(self) -> &'static str {
        match self {
            Self::PaymentId => "payment_id",
            Self::OrderId => "order_id",
            Self::Plate => "plate",
            Self::Amount => "amount",
            Self::RefundAmount => "refund_amount",
            Self::Status => "status",
            Self::PaidAt => "paid_at",
            Self::Channel => "channel",
            Self::ExternalOrderId => "external_order_id",
            Self::TradeNo => "trade_no",
            Self::RefundId => "refund_id",
        }
    }

    /// The column whose default name is `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.default_name() == name)
    }

    /// Whether no bill can do without it.
    pub const fn is_required(self) -> bool {
        matches!(self, Self::PaymentId | Self::Amount | Self::PaidAt)
    }

    /// Its place in [`Column::ALL`].
    pub(super) fn index(self) -> usize {
        Self::ALL.iter().position(|column| *column == self).unwrap_or_default()
    }
}

/// Names of columns where they differ from the default. A column named here must be in every bill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// The payment's id in the bill.
    pub payment_id: Option<String>,
    /// The parking order.
    pub order_id: Option<String>,
    /// The plate.
    pub plate: Option<String>,
    /// What was paid.
    pub amount: Option<String>,
    /// What was given back.
    pub refund_amount: Option<String>,
    /// What the row is.
    pub status: Option<String>,
    /// When.
    pub paid_at: Option<String>,
    /// The channel.
    pub channel: Option<String>,
    /// The merchant's own order number.
    pub external_order_id: Option<String>,
    /// The channel's trade number.
    pub trade_no: Option<String>,
    /// The refund's id.
    pub refund_id: Option<String>,
}

impl Columns {
    /// The configured name of `column`.
    pub fn configured(&self, column: Column) -> Option<&str> {
        match column {
            Column::PaymentId => self.payment_id.as_deref(),
            Column::OrderId => self.order_id.as_deref(),
            Column::Plate => self.plate.as_deref(),
            Column::Amount => self.amount.as_deref(),
            Column::RefundAmount => self.refund_amount.as_deref(),
            Column::Status => self.status.as_deref(),
            Column::PaidAt => self.paid_at.as_deref(),
            Column::Channel => self.channel.as_deref(),
            Column::ExternalOrderId => self.external_order_id.as_deref(),
            Column::TradeNo => self.trade_no.as_deref(),
            Column::RefundId => self.refund_id.as_deref(),
        }
    }

    /// Says that `column` is called `name` in the bill.
    pub fn rename(&mut self, column: Column, name: String) {
        let slot = match column {
            Column::PaymentId => &mut self.payment_id,
            Column::OrderId => &mut self.order_id,
            Column::Plate => &mut self.plate,
            Column::Amount => &mut self.amount,
            Column::RefundAmount => &mut self.refund_amount,
            Column::Status => &mut self.status,
            Column::PaidAt => &mut self.paid_at,
            Column::Channel => &mut self.channel,
            Column::ExternalOrderId => &mut self.external_order_id,
            Column::TradeNo => &mut self.trade_no,
            Column::RefundId => &mut self.refund_id,
        };
        *slot = Some(name);
    }
}

impl GenericFormat {
    /// What the status `word`, trimmed, says; `None` for one that nobody explained.
    pub fn meaning(&self, word: &str) -> Option<StatusMeaning> {
        if !self.status.is_empty() {
            let folded = word.to_lowercase();
            let configured = self.status.iter().find(|(name, _)| name.trim().to_lowercase() == folded);
            if let Some((_, meaning)) = configured {
                return Some(*meaning);
            }
        }
        match word {
            "" => Some(StatusMeaning::Payment),
            word if word.eq_ignore_ascii_case("success") => Some(StatusMeaning::Payment),
            word if word.eq_ignore_ascii_case("refund") => Some(StatusMeaning::Refund),
            word if word.eq_ignore_ascii_case("closed") => Some(StatusMeaning::Ignored),
            word if word.eq_ignore_ascii_case("failed") => Some(StatusMeaning::Ignored),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_can_be_found_and_renamed() {
        let mut columns = Columns::default();
        for column in Column::ALL {
            assert_eq!(Column::from_name(column.default_name()), Some(column));
            assert_eq!(columns.configured(column), None);
            columns.rename(column, column.default_name().to_uppercase());
            assert_eq!(columns.configured(column), Some(column.default_name().to_uppercase().as_str()));
            assert_eq!(Column::ALL[column.index()], column);
        }
        assert_eq!(Column::from_name("fee"), None);
    }

    #[test]
    fn a_delimiter_is_found_by_its_character() {
        for delimiter in [Delimiter::Comma, Delimiter::Tab, Delimiter::Pipe] {
            assert_eq!(Delimiter::from_char(char::from(delimiter.byte())), Some(delimiter));
            let named = serde_json::from_value::<Delimiter>(delimiter.name().into()).unwrap();
            assert_eq!(named, delimiter);
        }
        assert_eq!(Delimiter::from_char(';'), None);
    }
}
