//! What a report says, as plain data: collected by a job, turned into text by the renderers.
//!
//! Texts that come from outside (ids, plates, file names, reasons) are kept as they came; the renderers make
//! them harmless. Phone numbers arrive here masked already.

use serde::{Deserialize, Serialize};

use super::Lang;
use crate::model::{Amount, BusinessDate, Difference, Disposition, FeeTotal, Timestamp, Total};

/// Everything that one report of one run says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReportData {
    /// The run.
    pub run_id: String,
    /// The day that was reconciled.
    pub date: BusinessDate,
    /// How the run was made.
    pub mode: Mode,
    /// How it ended.
    pub status: Status,
    /// Why it is partial; empty when it is not.
    pub partial_reasons: Vec<PartialReason>,
    /// What has to be known before anything else is read: heads the mail.
    pub alerts: Vec<Alert>,
    /// Set when the date had a finished live run before.
    pub rerun: Option<Rerun>,
    /// When the report was made.
    pub made_at: Timestamp,
    /// Which users and plates were really pulled.
    pub coverage: Coverage,
    /// The bills of the run.
    pub bills: Vec<Bill>,
    /// The rows of those bills that could not be read.
    pub set_aside: Vec<SetAsideRow>,
    /// The day's payments by disposition, in table order, empty ones left out.
    pub payments: Vec<Bucket>,
    /// The day's orders by disposition, in table order, empty ones left out.
    pub orders: Vec<Bucket>,
    /// The day's refunds.
    pub refunds: Refunds,
    /// The refunds whose payment is not in the evidence.
    pub unmatched_refunds: Vec<UnmatchedRefund>,
    /// What this run told the platform.
    pub notifications: Notifications,
    /// The exceptions in count and amount, from the run before to this one.
    pub exceptions: RollForward,
    /// The exceptions: new, carried and resolved ones.
    pub exception_rows: Vec<ExceptionRow>,
    /// Money that has to be given back to customers.
    pub refunds_owed: Vec<RefundOwed>,
    /// The day's payments, refunds and fees by channel.
    pub by_channel: Vec<ChannelTotal>,
    /// The day's orders by car park (`booked + due`).
    pub by_car_park: Vec<NamedTotal>,
    /// The proof that nothing fell under the table.
    pub tie_out: TieOut,
    /// Our clock minus the platform's, in seconds, when the platform was asked.
    pub clock_skew_s: Option<i64>,
    /// What was added to our clock, in seconds, since the platform called our time stamps expired; else 0.
    pub clock_correction_s: i64,
    /// The newest hash of the journal's chain.
    pub journal_head: Option<String>,
    /// The days up to this one, as they were last reported, oldest first: what the chart shows.
    #[serde(default)]
    pub history: Vec<HistoryDay>,
}

/// What the chart shows of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryDay {
    /// The day.
    pub date: BusinessDate,
    /// Its payments that agree or were told, by gross.
    pub matched: Total,
    /// The exceptions that were open at the end of its run.
    pub open: Total,
    /// The age of the oldest of them, in days.
    pub oldest_days: u32,
}

/// How a run was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The whole job.
    Live,
    /// Pulled and judged, nothing notified.
    DryRun,
    /// Judged by stored evidence.
    Offline,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything was done.
    Complete,
    /// Something was left out; [`ReportData::partial_reasons`] says what.
    Partial,
    /// Nothing of it is to be trusted.
    Failed,
}

/// A text of our own in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Sentence {
    /// A sentence in both languages.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// The sentence in `lang`.
    pub fn of(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// Why a run is partial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum PartialReason {
    /// Plates could not be pulled.
    PlatesNotPulled {
        /// How many.
        count: u64,
    },
    /// A bill was refused and is still there.
    BillRefused {
        /// The file.
        file: String,
    },
    /// A required source has no bill for the date.
    BillMissing {
        /// The configured source.
        source: String,
    },
    /// Notifications whose outcome is not known.
    NotificationsUnknown {
        /// How many.
        count: u64,
    },
    /// The platform answered with a code after which nothing more is sent (4 or 5).
    SendingStopped {
        /// The code.
        code: i64,
    },
    /// Several unknown outcomes in a row: nothing more was sent in this run.
    BreakerOpen {
        /// How many in a row.
        count: u64,
    },
    /// The run's deadline passed.
    DeadlineReached,
    /// Anything else.
    Other {
        /// In both languages.
        text: Sentence,
    },
}

/// Something that heads the mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "alert", rename_all = "snake_case")]
pub enum Alert {
    /// A booking showed up after it had been proved absent; re-sending is off from now on.
    LateBooking {
        /// The platform's order.
        order_id: String,
        /// The payment's id at the platform.
        external_order_id: String,
    },
    /// The platform named two different `payOrderId` for one order.
    TwoBookings {
        /// The platform's order.
        order_id: String,
    },
    /// The merchant key is so short that it can be guessed.
    WeakKey,
    /// Anything else.
    Other {
        /// In both languages.
        text: Sentence,
    },
}

/// That the date had been reconciled before, and what is different now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rerun {
    /// The last finished live run of the date.
    pub of: String,
    /// When that one was made.
    pub of_made_at: Option<Timestamp>,
    /// Dispositions of payments whose count or amount changed.
    pub payments: Vec<Change>,
    /// Dispositions of orders whose count or amount changed.
    pub orders: Vec<Change>,
}

impl Rerun {
    /// Whether anything is different.
    pub fn is_changed(&self) -> bool {
        !self.payments.is_empty() || !self.orders.is_empty()
    }
}

/// One disposition before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which.
    pub disposition: Disposition,
    /// In the run before.
    pub before: Total,
    /// Now.
    pub after: Total,
}

impl Change {
    /// What differs between two lists of buckets, in table order.
    pub fn between(before: &[Bucket], after: &[Bucket]) -> Vec<Self> {
        let total_in = |buckets: &[Bucket], disposition| {
            buckets.iter().filter(|b| b.disposition == disposition).fold(Total::default(), |mut sum, b| {
                sum.merge(b.total);
                sum
            })
        };
        Disposition::ALL
            .iter()
            .map(|&disposition| Self {
                disposition,
                before: total_in(before, disposition),
                after: total_in(after, disposition),
            })
            .filter(|change| change.before != change.after)
            .collect()
    }
}

/// Which users and plates were pulled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Users in the roster.
    pub users: u64,
    /// Plates in the roster.
    pub plates: u64,
    /// Plates really pulled.
    pub pulled: u64,
    /// Records of the platform that could not be read.
    pub rejected_records: u64,
    /// The plates that were not pulled.
    pub failed: Vec<FailedPull>,
    /// The synIds of pushes that came again with other content since the day began; the first content counts.
    pub contradicted_pushes: Vec<String>,
}

/// A plate that could not be pulled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedPull {
    /// The user's number, masked.
    pub mobile: String,
    /// The plate.
    pub plate: String,
    /// Why.
    pub reason: String,
}

/// A bill file of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// The file's name.
    pub file: String,
    /// SHA-256 of its content, hex.
    pub sha256: String,
    /// The profile it was read with.
    pub profile: String,
    /// What became of it.
    pub status: BillStatus,
    /// Rows that are payments.
    pub payments: u64,
    /// Rows that are refunds.
    pub refunds: u64,
    /// Rows that are neither: without money, fees, movements that are none of ours.
    pub ignored: u64,
    /// Rows that could not be read.
    pub set_aside: u64,
    /// Why it was refused.
    pub reason: Option<String>,
}

/// What became of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillStatus {
    /// Read by this run.
    Imported,
    /// Read before, the same content.
    Known,
    /// Not taken in at all.
    Refused,
}

/// A bill row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAsideRow {
    /// The file.
    pub file: String,
    /// The line in the file, from 1.
    pub line: u64,
    /// The column at fault.
    pub column: Option<String>,
    /// What stands there.
    pub value: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A disposition and what has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// The disposition.
    pub disposition: Disposition,
    /// How many and how much.
    pub total: Total,
}

/// The day's refunds in sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refunds {
    /// Those whose payment is known.
    pub matched: Total,
    /// Those whose payment is not in the evidence.
    pub unmatched: Total,
}

/// A refund whose payment is not in the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmatchedRefund {
    /// The configured bill source.
    pub source: String,
    /// The payment it names.
    pub payment_id: String,
    /// Its own id.
    pub refund_id: Option<String>,
    /// How much was given back.
    pub amount: Amount,
    /// When.
    pub at: Timestamp,
}

/// What the run told the platform, in counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notifications {
    /// The platform said yes.
    pub acknowledged: u64,
    /// The platform said no.
    pub rejected: u64,
    /// It is not known.
    pub unknown: u64,
    /// A person has to release them.
    pub held: u64,
    /// Left for the next run.
    pub due: u64,
}

/// `opening + new − resolved = closing`, in count and amount ([`ExceptionRow::stake`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollForward {
    /// Open before this run.
    pub opening: Total,
    /// Found by it.
    pub new: Total,
    /// Gone since.
    pub resolved: Total,
    /// Open now.
    pub closing: Total,
}

/// Where an exception stands in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionStatus {
    /// Found by this run.
    New,
    /// Found earlier, still there.
    Carried,
    /// Gone, by the facts or by a person.
    Resolved,
}

/// One exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionRow {
    /// Its id, as the command `exceptions` takes it; none in a run that stores nothing.
    pub id: Option<i64>,
    /// The kind: the name of a disposition, or `bill_disagrees` and its like.
    pub kind: String,
    /// New, carried or resolved.
    pub status: ExceptionStatus,
    /// The business date of its subject.
    pub date: BusinessDate,
    /// The payment id as it stands in the bill.
    pub payment_id: Option<String>,
    /// The payment's id at the platform.
    pub external_order_id: Option<String>,
    /// The platform's order.
    pub order_id: Option<String>,
    /// The plate.
    pub plate: Option<String>,
    /// The payment's net, or the fee that a push tells; none without either.
    pub paid: Option<Difference>,
    /// The order's `booked + due`, beside a push its whole fee; none without an order.
    pub due: Option<Amount>,
    /// `paid − due`.
    pub difference: Difference,
    /// When it was paid, else the order's exit, else its entrance.
    pub at: Option<Timestamp>,
    /// The day of the run that found it.
    pub first_seen: BusinessDate,
    /// Days since then.
    pub age_days: u32,
    /// Which rule decided, or why it is resolved.
    pub why: Sentence,
    /// What a person or the platform had to say about it.
    pub note: Option<String>,
}

impl ExceptionRow {
    /// The money at stake, by which exceptions are summed: what was paid (or a push tells), without a payment what is due.
    pub fn stake(&self) -> Difference {
        self.paid.or(self.due.map(|due| due.minus(Amount::ZERO))).unwrap_or(Difference::ZERO)
    }

    /// Whether it is still to be dealt with.
    pub fn is_open(&self) -> bool {
        self.status != ExceptionStatus::Resolved
    }
}

/// A payment that has to be given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundOwed {
    /// Why: the name of the disposition.
    pub kind: String,
    /// The business date of the payment.
    pub date: BusinessDate,
    /// The configured bill source.
    pub source: String,
    /// The channel it was paid through.
    pub channel: String,
    /// The payment id as it stands in the bill.
    pub payment_id: String,
    /// The payment's id at the platform.
    pub external_order_id: String,
    /// The order that was paid twice.
    pub order_id: Option<String>,
    /// The plate.
    pub plate: Option<String>,
    /// How much to give back.
    pub amount: Amount,
    /// When it was paid.
    pub paid_at: Timestamp,
}

/// What one channel's bills tell of the day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelTotal {
    /// The channel; empty when not known.
    pub name: String,
    /// The payments, by gross.
    pub payments: Total,
    /// The refunds, also those under way.
    pub refunds: Total,
    /// What the channel charges for the payments, less what it gives back with the refunds; as far as bills say.
    pub fee: FeeTotal,
}

/// A sum with a name from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedTotal {
    /// The channel or the car park; empty when not known.
    pub name: String,
    /// How many and how much.
    pub total: Total,
}

/// What came in against what was accounted for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TieOut {
    /// Payments, by gross.
    pub payments: TieOutSide,
    /// Orders, by `booked + due`.
    pub orders: TieOutSide,
    /// Refunds.
    pub refunds: TieOutSide,
    /// Rows set aside: they came in and are in no disposition.
    pub set_aside_rows: u64,
    /// Whether everything adds up, as the run found.
    pub holds: bool,
}

/// One side of the tie-out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TieOutSide {
    /// Counted from the evidence.
    pub came_in: Total,
    /// Counted from the outcomes.
    pub accounted_for: Total,
}

impl TieOutSide {
    /// Whether the two are equal.
    pub fn holds(self) -> bool {
        self.came_in == self.accounted_for
    }
}

/// What is left to say when a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureReport {
    /// The run, when it got that far.
    pub run_id: Option<String>,
    /// The day that was to be reconciled.
    pub date: BusinessDate,
    /// When it failed.
    pub made_at: Timestamp,
    /// The error, outermost first.
    pub error_chain: Vec<String>,
}
