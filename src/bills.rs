//! Bytes of a bill → rows, and the rows of all bills → payments and refunds. Pure: no files, no clock, no store.
//!
//! `package` (zip, gzip) → `text` (encoding) → `detect` (which format) → one module a format → `fold`.
//!
//! A bill is read as a stream, in the order of the file, and is good as a whole or not at all: whoever
//! reads one keeps the items only if [`read_bill`] returns `Ok`. One bad row of a `generic` bill is
//! set aside with its line and reason; a bill of a channel is refused for it, because its own totals would not agree.
//! A bill that was cut, or is something else, is refused.

mod alipay;
pub mod detect;
pub mod fold;
pub mod generic;
mod header;
mod lines;
mod package;
mod part;
mod place;
mod reading;
mod source;
mod tail;
pub mod text;
mod totals;
mod unionpay;
mod wechat;

use std::io::{Read, Seek};

use serde::Serialize;

use crate::model::{Amount, BusinessDate, ChannelFee, ExternalOrderId, FeeTotal, OrderId, Plate, Timestamp, Total};

pub use fold::{Folded, FoldedRefund, SourcedRow, fold};
pub use generic::format::{Column, Delimiter, GenericFormat, Negative, StatusMeaning, Unit, UnknownStatus};
pub use generic::layout::column_number;
pub use package::Packing;
pub use place::{Pattern, Place, Places};
pub use source::{BillSource, Profile, Role};
pub use text::Encoding;

/// What [`BillRow::channel`] is in Alipay's bills.
pub const CHANNEL_ALIPAY: &str = "alipay";
/// What [`BillRow::channel`] is in the bills of `WeChat` Pay.
pub const CHANNEL_WECHAT: &str = "wechat";
/// What [`BillRow::channel`] is in the bills of `UnionPay`.
pub const CHANNEL_UNIONPAY: &str = "unionpay";

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
    /// A column that is called by its number, and no row has that many.
    #[error("line {line}: there is no column `{column}`: the first row has {fields} fields\nhint: {hint}")]
    ColumnBeyond {
        /// Line of the first row.
        line: u64,
        /// Its number, or its name where no number is given.
        column: String,
        /// Fields of the row.
        fields: usize,
        /// What to do about it.
        hint: String,
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
    /// A row with another number of fields than the first, in a bill without a header.
    #[error(
        "line {line}: {found} fields where the first row has {expected}; the row begins with `{value}`\nhint: a cut download or an unquoted delimiter; download the bill again"
    )]
    FieldsOfFirst {
        /// Line of the row.
        line: u64,
        /// Fields of the row.
        found: usize,
        /// Fields of the first row.
        expected: usize,
        /// Its first field, shortened.
        value: String,
    },
    /// A value without what the config says stands before every value.
    #[error(
        "line {line}: `{value}` does not begin with `{prefix}`, which stands before every value\nhint: say with `stop` how a row of totals begins; if this is none, correct the source's `strip_prefix` or download the bill again"
    )]
    NoPrefix {
        /// Line of the row.
        line: u64,
        /// What should stand there.
        prefix: char,
        /// The row's first field, shortened.
        value: String,
    },
    /// A status that nobody explained, where the config wants that to refuse the bill.
    #[error(
        "line {line}, column \"{column}\": the status `{value}` is not known\nhint: say in the source's `status` what it means"
    )]
    UnknownStatus {
        /// Line of the row.
        line: u64,
        /// Name of the column.
        column: String,
        /// The word, shortened.
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
    /// Bytes that are no text.
    #[error(
        "line {line}: not text in {encoding}\nhint: a cut or damaged download, or another kind of file; download the bill again",
        encoding = .encoding.name()
    )]
    NotText {
        /// Line of the first bad byte.
        line: u64,
        /// The encoding that everything before is in.
        encoding: Encoding,
    },
    /// The mark that a conversion leaves where it lost a character.
    #[error(
        "line {line}: the text has a character that was lost in a conversion (U+FFFD)\nhint: import the file as it was downloaded, not one that another program has saved"
    )]
    LossyText {
        /// Its line.
        line: u64,
    },
    /// A field that cannot be what its column says, in a format with totals.
    #[error("line {line}, column \"{column}\": `{value}`: {reason}\nhint: download the bill again")]
    Cell {
        /// Line of the row.
        line: u64,
        /// Name of the column.
        column: String,
        /// What stands there, shortened.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The bill ends before its own totals, by which alone one can see that it is whole.
    #[error(
        "line {line}: the bill ends without {what}, so that rows may be missing\nhint: a cut download; download the bill again"
    )]
    TotalsMissing {
        /// The last line.
        line: u64,
        /// What should have come.
        what: String,
    },
    /// The bill's own totals are not those of its rows.
    #[error(
        "line {line}: {what}: the bill states {stated}, its rows make {counted}\nhint: rows are missing, doubled or changed; download the bill again"
    )]
    TotalsDiffer {
        /// Line of the total.
        line: u64,
        /// Which one.
        what: String,
        /// What the bill says.
        stated: String,
        /// What its rows add up to.
        counted: String,
    },
    /// Something that has no place where it stands: a row behind the end of its table.
    #[error(
        "line {line}: `{value}` does not belong where it stands\nhint: files that were joined or edited are not read; import them as they were downloaded"
    )]
    BehindTheEnd {
        /// Its line.
        line: u64,
        /// How it begins.
        value: String,
    },
    /// A record of another length than the format's.
    #[error(
        "line {line}: a record of {found} bytes where the format has {expected}; it begins with `{value}`\nhint: a cut download; download the bill again"
    )]
    RecordLength {
        /// The record's number.
        line: u64,
        /// Its bytes.
        found: usize,
        /// Those of the format.
        expected: usize,
        /// How it begins.
        value: String,
    },
    /// An archive that cannot be unpacked.
    #[error("the {packing} archive is damaged: {reason}\nhint: a cut download; download the bill again", packing = .packing.name())]
    Damaged {
        /// Which kind.
        packing: Packing,
        /// What the unpacker says.
        reason: String,
    },
    /// A part of an archive.
    #[error("in the archive, `{part}`: {source}")]
    Part {
        /// Its name there.
        part: String,
        /// Why it is refused, and the archive with it.
        source: Box<BillError>,
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
    Io(#[source] std::io::Error),
}

impl From<std::io::Error> for BillError {
    /// Takes out what the readers below have put into it.
    fn from(error: std::io::Error) -> Self {
        match error.downcast::<package::UnpackError>() {
            Ok(unpack) => unpack.into(),
            Err(error) => match error.downcast::<text::NotText>() {
                Ok(text::NotText { line, encoding }) => Self::NotText { line, encoding },
                Err(error) => Self::Io(error),
            },
        }
    }
}

fn unsupported(what: &str, hint: &'static str) -> BillError {
    BillError::Unsupported { what: what.to_owned(), hint }
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
    /// Which part of an archive, the first being 1.
    pub part: u32,
    /// Line in the file, the header being line 1.
    pub line: u64,
    /// The column at fault, as the header names it.
    pub column: Option<String>,
    /// What stands there, shortened to 200 characters.
    pub value: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What a row of a bill tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// A successful collection.
    Payment,
    /// Money given back.
    Refund,
    /// What the channel took for a payment or gave back of that, in a row of its own; evidence beside the payment.
    Fee,
}

/// One good row of a bill, in the product's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillRow {
    /// Which part of an archive, the first being 1.
    pub part: u32,
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
    /// What the customer's order cost, what the refund gives back of it, or the fee that moved; more than zero. A bill
    /// of the account tells what reached the merchant only: then it is that.
    pub amount: Amount,
    /// What of it reached the merchant before fees, or was taken back, where the bill says.
    pub received: Option<Amount>,
    /// What the channel charges for it, where the bill says.
    pub fee: Option<ChannelFee>,
    /// Of a payment: what was given back of it so far, as its own row says.
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
    /// How it is packed.
    pub packing: Packing,
    /// The encoding of its text; the first part's.
    pub encoding: Encoding,
    /// Payment rows.
    pub payments: u64,
    /// Refund rows.
    pub refunds: u64,
    /// Rows that are neither: without money, fees, or movements that are none of ours.
    pub ignored: u64,
    /// Rows set aside.
    pub set_aside: u64,
    /// What the rows add up to.
    pub sums: BillSums,
    /// Day of the earliest row that counts or moved no money.
    pub first_date: Option<BusinessDate>,
    /// Day of the latest row that counts or moved no money.
    pub last_date: Option<BusinessDate>,
    /// The days the bill says it is for, if its format says so; `generic` does not.
    pub period: Option<(BusinessDate, BusinessDate)>,
    /// Whether every row that went in brought its own external order id, so that `id_prefix` was not needed.
    pub has_external_order_ids: bool,
}

/// What the rows of a bill add up to, all amounts without sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BillSums {
    /// What the orders of the payments cost.
    pub gross: Total,
    /// What of it reached the merchant before fees, where the bill says.
    pub received: Total,
    /// What the refunds give back, also those under way.
    pub refunded: Total,
    /// What of it was taken from the merchant, where the bill says.
    pub taken_back: Total,
    /// What the channel charges, less what it gives back.
    pub fee: FeeTotal,
}

impl BillSummary {
    fn new(profile: Profile, packing: Packing, encoding: Encoding) -> Self {
        Self {
            profile,
            packing,
            encoding,
            payments: 0,
            refunds: 0,
            ignored: 0,
            set_aside: 0,
            sums: BillSums::default(),
            first_date: None,
            last_date: None,
            period: None,
            has_external_order_ids: true,
        }
    }

    /// Counts `row` and widens the days to its own.
    fn count(&mut self, row: &BillRow) {
        let sums = &mut self.sums;
        let (counter, all, moved) = match row.kind {
            RowKind::Payment => (&mut self.payments, &mut sums.gross, &mut sums.received),
            RowKind::Refund => (&mut self.refunds, &mut sums.refunded, &mut sums.taken_back),
            RowKind::Fee => {
                row.fee.into_iter().for_each(|fee| sums.fee.add(fee));
                return self.count_ignored(Some(row.at));
            }
        };
        *counter = counter.saturating_add(1);
        all.add(row.amount);
        row.received.into_iter().for_each(|received| moved.add(received));
        row.fee.into_iter().for_each(|fee| sums.fee.add(fee));
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

    /// The days that one part says it is for, beside those of the others.
    fn widen_period(&mut self, period: Option<(BusinessDate, BusinessDate)>) {
        self.period = match (self.period, period) {
            (Some((first, last)), Some((other_first, other_last))) => {
                Some((first.min(other_first), last.max(other_last)))
            }
            (known, other) => known.or(other),
        };
    }
}

/// Who gets the items of a bill. A closure that takes [`BillItem`]s is one.
pub trait BillSink {
    /// One row that counts, or was set aside.
    fn item(&mut self, item: BillItem);

    /// A row that is no payment and no refund.
    fn ignored(&mut self) {}

    /// Whether [`BillSink::cells`] is to be called.
    fn wants_cells(&self) -> bool {
        false
    }

    /// A row as it stands in the bill, right before it is read.
    fn cells(&mut self, row: &RawRow<'_>) {
        let _ = row;
    }
}

impl<F: FnMut(BillItem)> BillSink for F {
    fn item(&mut self, item: BillItem) {
        self(item);
    }
}

/// A row as it stands in a bill.
#[derive(Clone, Copy, Debug)]
pub struct RawRow<'a> {
    /// Which part of an archive, the first being 1.
    pub part: u32,
    /// Its line.
    pub line: u64,
    /// What the columns are called.
    pub names: &'a [String],
    /// What stands in them, trimmed.
    pub cells: &'a [&'a str],
}

/// Reads a bill as a stream and gives `sink` its items in the order of the file.
///
/// Every non-blank row below the header, down to the one that ends the rows, is exactly one of: a payment, a refund,
/// set aside, ignored.
///
/// # Errors
/// When the bill is refused. Items that `sink` got before are void: a bill counts whole or not at all.
pub fn read_bill(
    input: impl Read + Seek,
    source: &BillSource,
    sink: &mut dyn BillSink,
) -> Result<BillSummary, BillError> {
    let mut package = package::Package::open(input)?;
    let packing = package.packing();
    let mut reading: Option<reading::Reading<'_>> = None;
    let mut sink = Some(sink);
    let mut is_summary_only = false;
    for place in 0..package.len() {
        let part = package.name(place);
        let refused = |error: BillError| match &part {
            Some(name) => BillError::Part { part: name.clone(), source: Box::new(error) },
            None => error,
        };
        let kind = part::kind(&mut package, place, source).map_err(refused)?;
        let (profile, encoding) = match kind {
            part::Kind::Bill(profile, encoding) => (profile, encoding),
            part::Kind::Summary => {
                is_summary_only = true;
                continue;
            }
            part::Kind::Nothing => continue,
        };
        if let Some(sink) = sink.take() {
            reading = Some(reading::Reading::new(source, BillSummary::new(profile, packing, encoding), sink));
        }
        let Some(reading) = &mut reading else { break };
        if reading.summary.profile != profile {
            let what =
                format!("bills of `{}` and of `{}` in one archive", reading.summary.profile.name(), profile.name());
            return Err(unsupported(&what, "import them one by one"));
        }
        reading.part = u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1);
        part::read(&mut package, place, encoding, reading).map_err(refused)?;
    }
    match reading {
        Some(reading) => Ok(reading.summary),
        None if is_summary_only => Err(detect::summary_alone()),
        None => Err(unsupported("an archive without a bill", "put the bill's own files into it")),
    }
}

/// Reads one bill and folds it by itself: what `match` works on.
///
/// # Errors
/// When the bill is refused.
pub fn payments_of_file(
    input: impl Read + Seek,
    source: &BillSource,
) -> Result<(Folded, BillSummary, Vec<SetAside>), BillError> {
    let mut rows = Vec::new();
    let mut set_aside = Vec::new();
    let summary = read_bill(input, source, &mut |item: BillItem| match item {
        BillItem::Row(row) => {
            let is_id_derived = SourcedRow::derives_id(&row, &source.id_prefix);
            rows.push(SourcedRow { source: source.name.clone(), role: source.role, bill: 0, is_id_derived, row });
        }
        BillItem::SetAside(item) => set_aside.push(item),
    })?;
    let role = source.role_of(summary.profile);
    for row in &mut rows {
        row.role = role;
    }
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

/// 2000-01-01 00:00:00 UTC.
const YEAR_2000: i64 = 946_684_800;
/// 2100-01-01 00:00:00 UTC.
const YEAR_2100: i64 = 4_102_444_800;

/// Whether a time can be one of a payment at all: a year of two digits, say, means the first century.
fn is_of_this_century(at: Timestamp) -> bool {
    (YEAR_2000..YEAR_2100).contains(&at.unix())
}

fn column_text(column: Option<&String>) -> String {
    column.map(|name| format!(", column \"{name}\"")).unwrap_or_default()
}

#[cfg(test)]
mod channel_tests;
#[cfg(test)]
mod sample_tests;
#[cfg(test)]
mod written_tests;
