//! Bytes of a bill → rows, and the rows of all bills → payments and refunds. Pure: no files, no clock, no store.
//!
//! A bill is read as a stream, in the order of the file, and is good as a whole or not at all: whoever
//! reads one keeps the items only if [`read_bill`] returns `Ok`. One bad row of a `generic` bill is
//! set aside with its line and reason; a bill that was cut, or is something else, is refused.

pub mod detect;
pub mod fold;
pub mod generic;
mod source;
mod tail;

use std::io::Read;

use crate::model::{Amount, BusinessDate, ExternalOrderId, OrderId, Plate, Timestamp};

pub use fold::{Folded, FoldedRefund, SourcedRow, fold};
pub use generic::format::{Column, Columns, Delimiter, GenericFormat, StatusMeaning, Unit};
pub use source::{BillSource, Profile, Role};

/// How much of a bill is looked at to tell what it is.
const HEAD_BYTES: u64 = 16 * 1024;

/// Why a whole bill is refused. Nothing of it may be used.
#[derive(Debug, thiserror::Error)]
pub enum BillError {
    /// No bytes, or only blank ones.
    #[error("the bill is empty: there is not even a header\nhint: download it again")]
    Empty,
    /// Something that is recognised and cannot be read.
    #[error("this is {what}\nhint: {hint}")]
    Unsupported {
        /// What it is.
        what: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// The configured profile and the content do not agree.
    #[error(
        "the profile `{configured}` is configured, but this is a bill of the profile `{found}`\nhint: correct the profile, or set it to `auto`"
    )]
    OtherProfile {
        /// What the source or the command line says.
        configured: &'static str,
        /// What the content says.
        found: &'static str,
    },
    /// The header lacks a column.
    #[error("line {line}: the header has no column `{column}`; it reads: {found}\nhint: {hint}")]
    ColumnMissing {
        /// Line of the header.
        line: u64,
        /// The name that was looked for.
        column: String,
        /// The header, shortened.
        found: String,
        /// What to do about it.
        hint: String,
    },
    /// The header has a column twice, so it is not known which one counts.
    #[error("line {line}: the header has the column `{column}` more than once")]
    ColumnTwice {
        /// Line of the header.
        line: u64,
        /// The name.
        column: String,
    },
    /// A row with another number of fields than the header.
    #[error(
        "line {line}: {found} fields where the header has {expected}; the row begins with `{value}`\nhint: a cut download or an unquoted delimiter; download the bill again"
    )]
    Fields {
        /// Line of the row.
        line: u64,
        /// Fields of the row.
        found: usize,
        /// Fields of the header.
        expected: usize,
        /// Its first field, shortened.
        value: String,
    },
    /// A quote that is never closed.
    #[error(
        "line {line}: a quoted field that begins in this row is not closed before the end of the bill\nhint: a cut download; download the bill again"
    )]
    OpenQuote {
        /// Line of the row.
        line: u64,
    },
    /// A line break inside a field that has none: rows hide behind a stray quote.
    #[error(
        "line {line}, column \"{column}\": a line break inside `{value}`\nhint: most likely a stray quote that swallows rows; download the bill again"
    )]
    LineBreak {
        /// Line of the row.
        line: u64,
        /// Name of the column.
        column: String,
        /// What stands there, shortened.
        value: String,
    },
    /// The last line has no end, and its last field might have been longer.
    #[error(
        "line {line}, column \"{column}\": the bill ends without a line end, so `{value}` may be cut\nhint: download the bill again; if it is whole, end its last line with a line break"
    )]
    Unfinished {
        /// Line of the row.
        line: u64,
        /// Name of the last column.
        column: String,
        /// What stands there, shortened.
        value: String,
    },
    /// Not text in UTF-8.
    #[error("line {line}: not text in UTF-8\nhint: save the bill as CSV in UTF-8; a zip or a spreadsheet is not read")]
    NotUtf8 {
        /// Line of the first bad byte's row.
        line: u64,
    },
    /// A row longer than any real one.
    #[error("line {line}: a row of more than {limit} bytes\nhint: most likely a quote that is not closed")]
    RowTooLong {
        /// Line where it begins.
        line: u64,
        /// The longest row that is read.
        limit: u64,
    },
    /// The bytes could not be read.
    #[error("the bill cannot be read")]
    Io(#[from] std::io::Error),
}

/// One row of a bill, or the reason why it is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BillItem {
    /// A payment or a refund.
    Row(BillRow),
    /// A bad row, kept for people.
    SetAside(SetAside),
}

/// A row that is neither a payment nor a refund, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {reason}", column_text(.column.as_ref()))]
pub struct SetAside {
    /// Line in the file, the header being line 1.
    pub line: u64,
    /// The column at fault, as the header names it.
    pub column: Option<String>,
    /// What stands there, shortened to 200 characters.
    pub value: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Money in or money back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// A successful collection.
    Payment,
    /// Money given back.
    Refund,
}

/// One good row of a bill, in the product's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillRow {
    /// Line in the file where the row begins, the header being line 1.
    pub line: u64,
    /// Money in or money back.
    pub kind: RowKind,
    /// The payment's id in this bill; of a refund, that of the payment given back. Never empty.
    pub payment_id: String,
    /// The refund's own id, if the bill has one.
    pub refund_id: Option<String>,
    /// The id the payment bears at the platform.
    pub external_order_id: ExternalOrderId,
    /// The channel's trade number, if the bill has one.
    pub trade_no: Option<String>,
    /// The parking order that the row names.
    pub order_id: Option<OrderId>,
    /// The plate that the row names; `None` also for a text that is no plate.
    pub plate: Option<Plate>,
    /// What the customer's order cost, or what the refund gives back; more than zero.
    pub amount: Amount,
    /// Of a payment: what was given back of it so far.
    pub refunded: Amount,
    /// Of a refund: not done yet. Of a payment: one is under way.
    pub refund_pending: bool,
    /// When it was paid or given back.
    pub at: Timestamp,
    /// The channel, empty when the bill does not say.
    pub channel: String,
}

/// What a bill held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillSummary {
    /// The profile that read it, never [`Profile::Auto`].
    pub profile: Profile,
    /// Payment rows.
    pub payments: u64,
    /// Refund rows.
    pub refunds: u64,
    /// Rows that moved no money.
    pub ignored: u64,
    /// Rows set aside.
    pub set_aside: u64,
    /// Day of the earliest row that counts or moved no money.
    pub first_date: Option<BusinessDate>,
    /// Day of the latest row that counts or moved no money.
    pub last_date: Option<BusinessDate>,
    /// The days the bill says it is for, if its format says so; `generic` does not.
    pub period: Option<(BusinessDate, BusinessDate)>,
    /// Whether every row that went in brought its own external order id, so that `id_prefix` was not needed.
    pub has_external_order_ids: bool,
}

impl BillSummary {
    fn new(profile: Profile, has_external_order_ids: bool) -> Self {
        Self {
            profile,
            payments: 0,
            refunds: 0,
            ignored: 0,
            set_aside: 0,
            first_date: None,
            last_date: None,
            period: None,
            has_external_order_ids,
        }
    }

    /// Counts `row` and widens the days to its own.
    fn count(&mut self, row: &BillRow) {
        let counter = match row.kind {
            RowKind::Payment => &mut self.payments,
            RowKind::Refund => &mut self.refunds,
        };
        *counter = counter.saturating_add(1);
        self.widen(row.at.business_date());
    }

    /// Counts a row that moved no money: the bill is for its day all the same.
    fn count_ignored(&mut self, at: Option<Timestamp>) {
        self.ignored = self.ignored.saturating_add(1);
        if let Some(at) = at {
            self.widen(at.business_date());
        }
    }

    fn widen(&mut self, date: BusinessDate) {
        self.first_date = Some(self.first_date.map_or(date, |first| first.min(date)));
        self.last_date = Some(self.last_date.map_or(date, |last| last.max(date)));
    }
}

/// Reads a bill as a stream and gives `sink` its items in the order of the file.
///
/// Every non-blank row below the header is exactly one of: a payment, a refund, set aside, ignored.
///
/// # Errors
/// When the bill is refused. Items that `sink` got before are void: a bill counts whole or not at all.
pub fn read_bill(
    mut input: impl Read,
    source: &BillSource,
    sink: &mut dyn FnMut(BillItem),
) -> Result<BillSummary, BillError> {
    let mut head = Vec::new();
    input.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    let found = detect::detect(&head)?;
    match detect::choose(source.profile, found)? {
        Profile::Auto | Profile::Generic => {
            let bom = if head.starts_with(detect::UTF8_BOM) { detect::UTF8_BOM.len() } else { 0 };
            generic::read(head[bom..].chain(input), source, sink)
        }
        // Each of these becomes a module of its own beside `generic`.
        profile @ (Profile::AlipayTrade
        | Profile::AlipayLedger
        | Profile::WechatTrade
        | Profile::WechatFundflow
        | Profile::UnionpayZm) => Err(BillError::Unsupported {
            what: format!("a bill of the profile `{}`, which is not read yet", profile.name()),
            hint: "bring it into the columns of the profile `generic` (payment_id,amount,paid_at,…)",
        }),
    }
}

/// Reads one bill and folds it by itself: what `match` works on.
///
/// # Errors
/// When the bill is refused.
pub fn payments_of_file(
    input: impl Read,
    source: &BillSource,
) -> Result<(Folded, BillSummary, Vec<SetAside>), BillError> {
    let mut rows = Vec::new();
    let mut set_aside = Vec::new();
    let summary = read_bill(input, source, &mut |item| match item {
        BillItem::Row(row) => {
            let is_id_derived = SourcedRow::derives_id(&row, &source.id_prefix);
            rows.push(SourcedRow { source: source.name.clone(), role: source.role, bill: 0, is_id_derived, row });
        }
        BillItem::SetAside(item) => set_aside.push(item),
    })?;
    Ok((fold(rows), summary, set_aside))
}

/// The first `limit` characters of `text`, with `…` when there were more. Line breaks are shown as `⏎`, other
/// control characters as `�`: what stands in a bill must not steer the terminal that shows it.
fn shortened(text: &str, limit: usize) -> String {
    let mut short: String = text.chars().take(limit).map(shown_char).collect();
    if text.chars().nth(limit).is_some() {
        short.push('…');
    }
    short
}

fn shown_char(c: char) -> char {
    match c {
        '\n' => '⏎',
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

fn column_text(column: Option<&String>) -> String {
    column.map(|name| format!(", column \"{name}\"")).unwrap_or_default()
}
