//! The two languages of a report, and the shape of what each has to say: [`zh`](super::zh), [`en`](super::en).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::data::{Alert, BillStatus, ExceptionStatus, Mode, PartialReason, Status};
use super::escape::visible;
use super::view::History;
use super::{en, zh};
use crate::model::disposition::{BILL_DISAGREES, Disposition};
use crate::model::event::EventFinding;

/// The language of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

/// A text that names no language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no language of the reports; there are zh and en")]
pub struct LangError(String);

impl FromStr for Lang {
    type Err = LangError;

    fn from_str(text: &str) -> Result<Self, LangError> {
        match text {
            "zh" => Ok(Self::Zh),
            "en" => Ok(Self::En),
            other => Err(LangError(other.chars().take(20).collect())),
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Zh => "zh",
            Self::En => "en",
        })
    }
}

/// The kind of an exception: the name of a disposition, or one of those that stand beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A disposition.
    Of(Disposition),
    /// Trade bill and ledger differ.
    BillDisagrees,
    /// A push told of an exit that the platform's lists do not have.
    EventWithoutOrder,
    /// A push told another fee than the lists.
    EventFeeDiffers,
    /// A kind that this version does not know.
    Other,
}

impl Kind {
    /// The kind with that name.
    pub fn from_name(name: &str) -> Self {
        match (Disposition::from_name(name), EventFinding::from_name(name)) {
            (Some(disposition), _) => Self::Of(disposition),
            (None, Some(EventFinding::WithoutOrder)) => Self::EventWithoutOrder,
            (None, Some(EventFinding::FeeDiffers)) => Self::EventFeeDiffers,
            (None, None) if name == BILL_DISAGREES => Self::BillDisagrees,
            (None, None) => Self::Other,
        }
    }
}

/// What is said about a kind of exception.
#[derive(Clone, Copy, Debug)]
pub(super) struct Advice {
    pub name: &'static str,
    pub means: &'static str,
    pub todo: &'static str,
}

/// The short fixed texts of a report, one value a language.
pub(super) struct Words {
    pub html_lang: &'static str,
    pub title: &'static str,
    pub failed_title: &'static str,
    pub failed_lead: &'static str,
    pub failed_hint: &'static str,
    pub new: &'static str,
    pub carried: &'static str,
    pub resolved: &'static str,
    pub opening: &'static str,
    pub closing: &'static str,
    pub tie_out: &'static str,
    pub tie_out_holds: &'static str,
    pub tie_out_fails: &'static str,
    pub came_in: &'static str,
    pub accounted_for: &'static str,
    pub payments: &'static str,
    pub payments_base: &'static str,
    pub orders: &'static str,
    pub orders_base: &'static str,
    pub refunds: &'static str,
    pub exceptions: &'static str,
    pub means: &'static str,
    pub todo: &'static str,
    pub paid: &'static str,
    pub due: &'static str,
    pub difference: &'static str,
    pub difference_base: &'static str,
    pub payment_id: &'static str,
    pub external_order_id: &'static str,
    pub order_id: &'static str,
    pub plate: &'static str,
    pub date: &'static str,
    pub at: &'static str,
    pub first_seen: &'static str,
    pub age_days: &'static str,
    pub why: &'static str,
    pub note: &'static str,
    pub kind: &'static str,
    pub kind_name: &'static str,
    pub status: &'static str,
    pub id: &'static str,
    pub resolved_rows: &'static str,
    pub refunds_owed: &'static str,
    pub refunds_owed_lead: &'static str,
    pub dispositions: &'static str,
    pub disposition: &'static str,
    pub count: &'static str,
    pub amount: &'static str,
    pub total: &'static str,
    pub notifications: &'static str,
    pub acknowledged: &'static str,
    pub rejected: &'static str,
    pub unknown: &'static str,
    pub held: &'static str,
    pub notify_due: &'static str,
    pub coverage: &'static str,
    pub not_pulled: &'static str,
    pub reason: &'static str,
    pub bills: &'static str,
    pub no_bills: &'static str,
    pub row_payments: &'static str,
    pub row_refunds: &'static str,
    pub row_ignored: &'static str,
    pub row_set_aside: &'static str,
    pub set_aside: &'static str,
    pub unmatched_refunds: &'static str,
    pub unmatched_refunds_lead: &'static str,
    pub refunds_matched: &'static str,
    pub refunds_unmatched: &'static str,
    pub refund_id: &'static str,
    pub by_channel: &'static str,
    pub by_car_park: &'static str,
    pub channel: &'static str,
    pub car_park: &'static str,
    pub fee: &'static str,
    pub not_known: &'static str,
    pub changes: &'static str,
    pub before: &'static str,
    pub after: &'static str,
    pub no_changes: &'static str,
    pub partial_because: &'static str,
    pub attention: &'static str,
    pub run: &'static str,
    pub made_at: &'static str,
    pub journal_head: &'static str,
    pub comma: &'static str,
    pub colon: &'static str,
    pub no_exceptions: &'static str,
    pub agrees: &'static str,
    pub differs: &'static str,
    pub rerun_command: &'static str,
    pub error: &'static str,
    pub attachments: &'static str,
    pub history: &'static str,
    pub history_legend: [&'static str; 3],
    pub history_corners: &'static str,
}

/// What is too large for a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// Payments and orders of the workbook.
    Rows,
    /// The exceptions as CSV.
    Csv,
    /// The workbook.
    Workbook,
}

impl Lang {
    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::Zh => &zh::WORDS,
            Self::En => &en::WORDS,
        }
    }

    /// What a kind of exception is called, what it means, what to do about it.
    pub(super) fn advice(self, kind: Kind) -> Advice {
        match self {
            Self::Zh => zh::advice(kind),
            Self::En => en::advice(kind),
        }
    }

    /// What people call a disposition.
    pub fn disposition(self, disposition: Disposition) -> &'static str {
        match self {
            Self::Zh => disposition.chinese(),
            Self::En => en::disposition(disposition),
        }
    }

    /// What people call a kind of exception; the name itself when it is not known.
    pub fn kind(self, name: &str) -> &str {
        let kind = Kind::from_name(name);
        if kind == Kind::Other { name } else { self.advice(kind).name }
    }

    pub(super) fn status(self, status: Status) -> &'static str {
        match self {
            Self::Zh => zh::status(status),
            Self::En => en::status(status),
        }
    }

    /// What there is to say about the mode; nothing about a live run.
    pub(super) fn mode(self, mode: Mode) -> Option<&'static str> {
        match self {
            Self::Zh => zh::mode(mode),
            Self::En => en::mode(mode),
        }
    }

    pub(super) fn mode_explained(self, mode: Mode) -> Option<&'static str> {
        match self {
            Self::Zh => zh::mode_explained(mode),
            Self::En => en::mode_explained(mode),
        }
    }

    pub(super) fn bill_status(self, status: BillStatus) -> &'static str {
        match self {
            Self::Zh => zh::bill_status(status),
            Self::En => en::bill_status(status),
        }
    }

    pub(super) fn exception_status(self, status: ExceptionStatus) -> &'static str {
        let words = self.words();
        match status {
            ExceptionStatus::New => words.new,
            ExceptionStatus::Carried => words.carried,
            ExceptionStatus::Resolved => words.resolved,
        }
    }

    /// Why a run is partial, as a clause.
    pub fn partial(self, reason: &PartialReason) -> String {
        match self {
            Self::Zh => zh::partial(reason),
            Self::En => en::partial(reason),
        }
    }

    /// What heads the report, as a paragraph.
    pub fn alert(self, alert: &Alert) -> String {
        match self {
            Self::Zh => zh::alert(alert),
            Self::En => en::alert(alert),
        }
    }

    /// That something is too large for a mail, and where it is.
    pub fn not_attached(self, what: LeftOut, path: &str) -> String {
        self.say(&Phrase::NotAttached { what, path: &visible_path(path) })
    }

    /// A sentence with numbers in it.
    pub(super) fn say(self, phrase: &Phrase<'_>) -> String {
        match self {
            Self::Zh => zh::say(phrase),
            Self::En => en::say(phrase),
        }
    }
}

/// The sentences with something to fill in.
pub(super) enum Phrase<'a> {
    /// No exception is open.
    Agrees,
    /// No exception is open, but not everything could be looked at.
    AgreesInPart,
    /// Nothing came in at all.
    Nothing,
    /// Some are open.
    Disagrees { count: u64, amount: &'a str },
    /// The run does not tie out.
    NotToBeTrusted,
    /// How the open ones come about.
    Movement { new: u64, carried: u64, resolved: u64 },
    /// The subject's end.
    SubjectExceptions { count: u64, amount: &'a str },
    /// That it is a rerun.
    RerunOf { run: &'a str, at: Option<&'a str> },
    /// How much was pulled.
    Pulled { users: u64, plates: u64, pulled: u64 },
    /// Records that could not be read.
    RejectedRecords { count: u64 },
    /// Pushes that came again with other content, and the first of them.
    ContradictedPushes { count: u64, syn_id: &'a str },
    /// Exceptions that are in the attachment only.
    MoreAttached { count: u64 },
    /// Rows of another list that are left out.
    More { count: u64 },
    /// Rows set aside, beside the tie-out.
    SetAsideRows { count: u64 },
    /// Our clock against the platform's.
    ClockSkew { seconds: i64 },
    /// The platform's clock was followed: so far it is ahead of ours, never 0.
    ClockCorrected { seconds: i64 },
    /// A line of a file.
    Line { line: u64 },
    /// Age in days.
    Age { days: u32 },
    /// A number of things.
    Count { count: u64 },
    /// Which command deals with exceptions.
    Commands,
    /// What the chart shows, in figures.
    History(&'a History),
    /// What is too large for a mail, and where it is.
    NotAttached { what: LeftOut, path: &'a str },
}

/// A path whole, however long: cut, it would lead nowhere.
fn visible_path(path: &str) -> String {
    let mut shown = String::new();
    for part in path.split_inclusive('/') {
        shown.push_str(&visible(part));
    }
    shown
}
