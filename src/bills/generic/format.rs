//! What a config can say about a `generic` bill. What it leaves out is as in the default header's bill.

use std::collections::BTreeMap;

use crate::bills::Encoding;
use crate::model::WallFormat;

/// How a `generic` bill is written. The default reads the header
/// `payment_id,order_id,plate,amount,refund_amount,status,paid_at,channel`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenericFormat {
    /// The encoding of its text; `None`: UTF-8, else GB18030. A byte order mark goes before it.
    pub encoding: Option<Encoding>,
    /// What stands between two fields.
    pub delimiter: Delimiter,
    /// Whether a field may stand in quotes; else a quote is a character like any other.
    pub quote: bool,
    /// What stands before every value, so that a spreadsheet leaves it alone. Then there are no quotes.
    pub strip_prefix: Option<char>,
    /// Whether the columns have names; else they are called by their numbers, the first being `1`.
    pub header: bool,
    /// Lines before the header, or before the first row.
    pub skip_lines: u32,
    /// Lines that begin with it, a character of ASCII, are left out.
    pub comment: Option<char>,
    /// A row whose first field begins with it is the last, and no row itself. A bill without it is cut.
    pub stop: Option<String>,
    /// What the columns are called where not by their default names. One that is named here must be in every bill.
    pub columns: BTreeMap<Column, String>,
    /// What one unit of an amount is worth.
    pub unit: Unit,
    /// Whether amounts have commas between their thousands.
    pub thousands: bool,
    /// What an amount below zero says.
    pub negative: Negative,
    /// How times are written; `None`: as [`crate::model::Timestamp::parse_wall`] reads them.
    pub time_format: Option<WallFormat>,
    /// Words of the status column beside the built-in ones, in any case.
    pub status: BTreeMap<String, StatusMeaning>,
    /// What becomes of a row whose status nobody explained.
    pub unknown_status: UnknownStatus,
}

impl Default for GenericFormat {
    fn default() -> Self {
        Self {
            encoding: None,
            delimiter: Delimiter::Comma,
            quote: true,
            strip_prefix: None,
            header: true,
            skip_lines: 0,
            comment: None,
            stop: None,
            columns: BTreeMap::new(),
            unit: Unit::Yuan,
            thousands: false,
            negative: Negative::SetAside,
            time_format: None,
            status: BTreeMap::new(),
            unknown_status: UnknownStatus::SetAside,
        }
    }
}

/// What stands between two fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delimiter {
    /// `,`
    Comma,
    /// TAB
    Tab,
    /// `|`
    Pipe,
    /// `;`
    Semicolon,
}

impl Delimiter {
    /// Every delimiter, in the order in which messages list them.
    pub const ALL: [Self; 4] = [Self::Comma, Self::Tab, Self::Pipe, Self::Semicolon];

    /// Its byte.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
            Self::Semicolon => b';',
        }
    }

    /// What a config calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Comma => ",",
            Self::Tab => "tab",
            Self::Pipe => "|",
            Self::Semicolon => ";",
        }
    }
}

/// What one unit of an amount is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Yuan with up to two significant decimals.
    Yuan,
    /// Whole fen.
    Fen,
}

/// What an amount below zero says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Negative {
    /// That the row is bad.
    SetAside,
    /// That so much was given back.
    Refund,
}

/// What a word in the status column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusMeaning {
    /// Money came in.
    Payment,
    /// Money was given back.
    Refund,
    /// No money moved.
    Ignored,
}

/// What becomes of a row whose status nobody explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownStatus {
    /// Somebody has to look at it.
    SetAside,
    /// It moved no money.
    Ignore,
    /// The bill is refused.
    Refuse,
}

/// A column that the product knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// When, or on which day.
    PaidAt,
    /// The channel.
    Channel,
    /// The merchant's own order number.
    ExternalOrderId,
    /// The channel's trade number.
    TradeNo,
    /// The refund's id.
    RefundId,
    /// The time of day, where [`Column::PaidAt`] has only the day.
    PaidTime,
    /// What of the amount reached the merchant before fees.
    Received,
    /// What the channel charges; below zero what it gives back.
    Fee,
    /// Of a refund: the payment given back, where [`Column::PaymentId`] has the refund's own id.
    RefundOf,
}

impl Column {
    /// Every column, those of the default header first and in its order.
    pub const ALL: [Self; 15] = [
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
        Self::PaidTime,
        Self::Received,
        Self::Fee,
        Self::RefundOf,
    ];

    /// What a config calls it, and the bill too where no config says otherwise.
    pub const fn name(self) -> &'static str {
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
            Self::PaidTime => "paid_time",
            Self::Received => "received",
            Self::Fee => "fee",
            Self::RefundOf => "refund_of",
        }
    }

    /// The column called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    /// Whether no bill can do without it.
    pub const fn is_required(self) -> bool {
        matches!(self, Self::PaymentId | Self::Amount | Self::PaidAt)
    }

    /// Whether it is read only where the config names it: a till's own `fee` is the parking fee and not the channel's.
    pub const fn is_read_unasked(self) -> bool {
        !matches!(self, Self::PaidTime | Self::Received | Self::Fee | Self::RefundOf)
    }

    /// Whether the source says where it stands by [`crate::bills::Places`], whatever the format.
    pub const fn has_place(self) -> bool {
        matches!(self, Self::OrderId | Self::Plate)
    }

    /// Its place in [`Column::ALL`].
    #[expect(clippy::as_conversions, reason = "the columns are listed in the order in which they are declared")]
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// The words that need no explanation; an empty status is a payment's.
const BUILT_IN: [(&str, StatusMeaning); 5] = [
    ("", StatusMeaning::Payment),
    ("success", StatusMeaning::Payment),
    ("refund", StatusMeaning::Refund),
    ("closed", StatusMeaning::Ignored),
    ("failed", StatusMeaning::Ignored),
];

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
        BUILT_IN.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, meaning)| *meaning)
    }

    /// Whether the status `word` is known, and is not the beginning of another that is.
    pub(super) fn is_whole_word(&self, word: &str) -> bool {
        let folded = word.to_lowercase();
        let begins = |name: &str| name.len() > folded.len() && name.starts_with(&folded);
        // Where unknown words are nothing to wonder at, the rest of this one may be any.
        self.unknown_status != UnknownStatus::Ignore
            && self.meaning(word).is_some()
            && !BUILT_IN.iter().any(|(name, _)| begins(name))
            && !self.status.keys().any(|name| begins(&name.trim().to_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_can_be_found_by_its_name() {
        for column in Column::ALL {
            assert_eq!(Column::from_name(column.name()), Some(column));
            assert_eq!(Column::ALL[column.index()], column);
        }
        assert_eq!(Column::from_name("paid"), None);
    }

    #[test]
    fn a_word_that_begins_another_may_be_that_one_cut_short() {
        let words = [("退款", StatusMeaning::Refund), ("退款中", StatusMeaning::Ignored)];
        let status = words.into_iter().map(|(word, meaning)| (word.to_owned(), meaning)).collect();
        let mut format = GenericFormat { status, ..GenericFormat::default() };
        assert!(format.is_whole_word("退款中") && format.is_whole_word("Success"));
        assert!(!format.is_whole_word("退款") && !format.is_whole_word("") && !format.is_whole_word("succ"));
        format.unknown_status = UnknownStatus::Ignore;
        assert!(!format.is_whole_word("退款中"));
    }
}
