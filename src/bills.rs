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
mod error;
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

use std::borrow::Cow;
use std::io::{Read, Seek};

use serde::Serialize;

use crate::model::{Amount, BusinessDate, ChannelFee, ExternalOrderId, FeeTotal, OrderId, Plate, Timestamp, Total};

pub use error::BillError;
use error::unsupported;
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
        let (counter, moved) = match row.kind {
            RowKind::Payment => (&mut self.payments, &mut sums.received),
            RowKind::Refund => (&mut self.refunds, &mut sums.taken_back),
            RowKind::Fee => {
                row.fee.into_iter().for_each(|fee| sums.fee.add(fee));
                return self.count_ignored(Some(row.at));
            }
        };
        *counter = counter.saturating_add(1);
        if !row.refunded.is_zero() {
            sums.refunded.add(row.refunded);
        }
        let all = if row.kind == RowKind::Payment { &mut sums.gross } else { &mut sums.refunded };
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
    let parts = part::all(&mut package, source)?;
    // Beside a channel's bill, what is not recognised is something else that came with it.
    let has_bill = parts.iter().any(|part| matches!(part.kind, part::Kind::Bill(..)));
    let is_bill = |kind: &part::Kind| match kind {
        part::Kind::Bill(profile, encoding) => Some((*profile, *encoding)),
        part::Kind::Other(profile, encoding) if !has_bill => Some((*profile, *encoding)),
        part::Kind::Other(..) | part::Kind::Summary | part::Kind::Nothing => None,
    };
    let Some((profile, encoding)) = parts.iter().find_map(|part| is_bill(&part.kind)) else {
        return Err(if parts.iter().any(|part| matches!(part.kind, part::Kind::Summary)) {
            detect::summary_alone()
        } else {
            unsupported("an archive without a bill", "put the bill's own files into it")
        });
    };
    let mut reading = reading::Reading::new(source, BillSummary::new(profile, packing, encoding), sink);
    for (place, part) in parts.iter().enumerate() {
        reading.part = u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1);
        let Some((other, encoding)) = is_bill(&part.kind) else {
            if matches!(part.kind, part::Kind::Other(..)) {
                let reason = "a part of the archive that is no bill that is known; it was passed over".to_owned();
                reading.set_aside(1, None, part.name.as_deref().unwrap_or_default(), reason);
            }
            continue;
        };
        if other != profile {
            let what = format!("bills of `{}` and of `{}` in one archive", profile.name(), other.name());
            return Err(unsupported(&what, "import them one by one"));
        }
        part::read(&mut package, place, encoding, &mut reading).map_err(|error| part.refused(error))?;
    }
    Ok(reading.summary)
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

/// The first `limit` characters of `text`, with `…` when there were more, phone and identity numbers masked. Line breaks
/// are shown as `⏎`, other control characters as `�`: what stands in a bill must not steer the terminal that shows it.
fn shortened(text: &str, limit: usize) -> String {
    let mut short: String = masked(text).chars().take(limit).map(shown_char).collect();
    if text.chars().nth(limit).is_some() {
        short.push('…');
    }
    short
}

/// `text` with the middle of each phone number and of each citizen's identity number left out: aggregators put both into
/// their bills, and nobody has to read them to reconcile.
pub fn masked(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut rest = text;
    let mut is_changed = false;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (digits, behind) = from.split_at(end);
        masked.push_str(before);
        if is_personal(digits, behind) {
            masked.push_str(digits.get(..3).unwrap_or_default());
            masked.push_str("****");
            masked.push_str(digits.get(digits.len().saturating_sub(4)..).unwrap_or_default());
            is_changed = true;
        } else {
            masked.push_str(digits);
        }
        rest = behind;
    }
    if !is_changed {
        return Cow::Borrowed(text);
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

/// A mobile number (`1[3-9]` and nine digits, also behind 86), or the eighteen places of an identity number with a birthday.
fn is_personal(digits: &str, behind: &str) -> bool {
    let phone = digits.strip_prefix("86").filter(|rest| rest.len() == 11).unwrap_or(digits);
    let is_phone =
        phone.len() == 11 && phone.starts_with('1') && phone.as_bytes().get(1).is_some_and(|digit| *digit >= b'3');
    let is_whole = digits.len() == 18 || (digits.len() == 17 && behind.starts_with(['X', 'x']));
    let number = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<u32>().ok());
    let is_birthday = || {
        number(6, 10).is_some_and(|year| (1900..2100).contains(&year))
            && number(10, 12).is_some_and(|month| (1..=12).contains(&month))
            && number(12, 14).is_some_and(|day| (1..=31).contains(&day))
    };
    is_phone || (is_whole && is_birthday())
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

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn phone_and_identity_numbers_are_masked_and_ids_are_not() {
        for (text, shown) in [
            ("13812345678", "138****5678"),
            ("tel 8613812345678.", "tel 861****5678."),
            ("a110101199003071234b", "a110****1234b"),
            ("11010119900307123X", "110****7123X"),
            ("4200002634202603171002513496", "4200002634202603171002513496"),
            ("PK260317B0200024", "PK260317B0200024"),
            ("12812345678", "12812345678"),
            ("110101299013991234", "110101299013991234"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }
}
