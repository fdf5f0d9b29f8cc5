//! The document's limits, checked before the platform is asked. Pure.
//!
//! What this machine cannot know (a plate bound through another channel, a code that somebody else had
//! sent) the platform refuses itself. The document says "four plates in a month" (§8.4) and not which
//! month: it is read as the calendar month in Asia/Shanghai. A number may exist in two colours (§8.4), but what
//! asks for its fee or unbinds it (§8.5, §8.7) names none: a plate counts once, whatever its colour. The sandbox
//! counts in the same way.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Mobile, Plate, Timestamp};

/// Seconds between two codes by SMS for one phone (§8.1).
pub const SMS_INTERVAL_S: i64 = 60;
/// Plates bound to a phone at once (§8.4).
pub const PLATES_AT_ONCE: usize = 3;
/// Different plates bound to a phone in a month (§8.4).
pub const PLATES_A_MONTH: usize = 4;
/// The smallest search radius in metres (§8.9).
pub const SMALLEST_RADIUS_M: u32 = 500;
/// The largest search radius in metres (§8.9).
pub const LARGEST_RADIUS_M: u32 = 3000;

/// A limit of the document that a request would pass; the platform is not asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text(false))]
pub enum LimitError {
    /// Not 11 digits that begin with 1. Never shows them.
    Mobile {
        /// How many digits there are.
        digits: usize,
    },
    /// Neither 7 nor 8 characters, or masked.
    Plate {
        /// What was given; without it where it could be a phone number.
        shown: Option<String>,
    },
    /// None of the four colours.
    Color,
    /// No latitude.
    Latitude,
    /// No longitude.
    Longitude,
    /// Too small or too large a radius.
    Radius {
        /// What was given.
        radius_m: u32,
    },
    /// No name of a city.
    City,
    /// No id of a car park.
    LotId,
    /// The phone was sent a code less than a minute ago.
    SmsTooSoon {
        /// When the next one may be asked for.
        wait_s: i64,
    },
    /// The phone has three plates.
    PlatesAtOnce {
        /// The phone; shown masked.
        mobile: Mobile,
        /// Its plates.
        plates: Vec<Plate>,
    },
    /// The phone had four different plates bound this month.
    PlatesAMonth {
        /// The phone; shown masked.
        mobile: Mobile,
        /// Those plates.
        plates: Vec<Plate>,
    },
}

impl LimitError {
    /// The limit and what passes it, in Chinese or in English, with a last line `hint: …` where there is something to do.
    pub fn text(&self, in_chinese: bool) -> String {
        if in_chinese { self.chinese() } else { self.english() }
    }

    fn english(&self) -> String {
        match self {
            Self::Mobile { digits } => {
                format!("a mobile number has 11 digits and begins with 1; this one has {digits} digits")
            }
            Self::Plate { shown } => format!(
                "{} is no plate: 7 characters, 8 for new-energy cars (document §8.4)",
                shown.as_ref().map_or_else(|| "this number".to_owned(), |shown| format!("`{shown}`"))
            ),
            Self::Color => {
                "a plate's colour is 1 (blue), 2 (black), 3 (yellow) or 4 (white) (document §8.4)".to_owned()
            }
            Self::Latitude => {
                "the latitude is a decimal number from -90 to 90, such as 39.872748 (document §8.9)".to_owned()
            }
            Self::Longitude => {
                "the longitude is a decimal number from -180 to 180, such as 116.429718 (document §8.9)".to_owned()
            }
            Self::Radius { radius_m } => format!(
                "the radius is {SMALLEST_RADIUS_M} to {LARGEST_RADIUS_M} metres (document §8.9); {radius_m} was given"
            ),
            Self::City => "a city has a name, such as 北京市 (document §8.9)".to_owned(),
            Self::LotId => "a car park's id is a text of at most 128 characters (document §8.10)".to_owned(),
            Self::SmsTooSoon { wait_s } => {
                format!("one SMS code a minute for a phone (document §8.1)\nhint: ask again in {wait_s} s")
            }
            Self::PlatesAtOnce { mobile, plates } => format!(
                "{PLATES_AT_ONCE} plates at once for a phone (document §8.4); {mobile} has {}\nhint: `etcp-recon plates unbind` one of them first; one that the platform does not unbind is not counted any more",
                joined(plates, ", ")
            ),
            Self::PlatesAMonth { mobile, plates } => format!(
                "{PLATES_A_MONTH} different plates a month for a phone (document §8.4, read as the calendar month); {mobile} had {}\nhint: wait for the next month",
                joined(plates, ", ")
            ),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::Mobile { digits } => format!("手机号应为以 1 开头的 11 位数字；此处为 {digits} 位"),
            Self::Plate { shown } => format!(
                "{}不是车牌：应为 7 位，新能源车为 8 位（文档 §8.4）",
                shown.as_ref().map_or_else(|| "该号码".to_owned(), |shown| format!("`{shown}` "))
            ),
            Self::Color => "车牌颜色为 1（蓝）、2（黑）、3（黄）或 4（白）（文档 §8.4）".to_owned(),
            Self::Latitude => "纬度为 -90 到 90 的十进制数，例如 39.872748（文档 §8.9）".to_owned(),
            Self::Longitude => "经度为 -180 到 180 的十进制数，例如 116.429718（文档 §8.9）".to_owned(),
            Self::Radius { radius_m } => {
                format!("搜索半径为 {SMALLEST_RADIUS_M} 到 {LARGEST_RADIUS_M} 米（文档 §8.9）；给出的是 {radius_m}")
            }
            Self::City => "城市名称不能为空，例如 北京市（文档 §8.9）".to_owned(),
            Self::LotId => "车场 ID 为不超过 128 个字符的文本（文档 §8.10）".to_owned(),
            Self::SmsTooSoon { wait_s } => {
                format!("同一手机号 1 分钟内只能获取一次验证码（文档 §8.1）\nhint: {wait_s} 秒后再试")
            }
            Self::PlatesAtOnce { mobile, plates } => format!(
                "一个手机号只能同时绑定 {PLATES_AT_ONCE} 辆车（文档 §8.4）；{mobile} 已有 {}\nhint: 先用 `etcp-recon plates unbind` 解绑其中一辆；平台拒绝解绑的不再计入",
                joined(plates, "、")
            ),
            Self::PlatesAMonth { mobile, plates } => format!(
                "一个手机号一个月内只能绑定 {PLATES_A_MONTH} 辆不同的车（文档 §8.4，按自然月计）；{mobile} 本月已绑定 {}\nhint: 下月再绑定",
                joined(plates, "、")
            ),
        }
    }
}

/// The plates, the first of them where a roster has many.
fn joined(plates: &[Plate], separator: &str) -> String {
    const SHOWN: usize = 5;
    let more = (plates.len() > SHOWN).then_some("…");
    plates.iter().take(SHOWN).map(Plate::as_str).chain(more).collect::<Vec<_>>().join(separator)
}

/// A mobile number as a person types it.
///
/// # Errors
/// When it is none; the message does not show it.
pub fn mobile(text: &str) -> Result<Mobile, LimitError> {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    Mobile::parse(text).ok_or(LimitError::Mobile { digits })
}

/// A plate as a person types it, in its normal form.
///
/// # Errors
/// When it has neither 7 nor 8 characters, or is masked. What could be a phone number is not shown.
pub fn plate(text: &str) -> Result<Plate, LimitError> {
    let is_shown = text.chars().filter(char::is_ascii_digit).count() <= 8;
    let shown = is_shown.then(|| text.trim().chars().take(20).filter(|c| !c.is_control()).collect());
    Plate::parse(text).map_err(|_| LimitError::Plate { shown })
}

/// A plate's colour by its number or its name.
///
/// # Errors
/// When it is none of the four.
pub fn plate_color(text: &str) -> Result<u8, LimitError> {
    match text.trim().to_lowercase().as_str() {
        "1" | "blue" | "蓝" => Ok(1),
        "2" | "black" | "黑" => Ok(2),
        "3" | "yellow" | "黄" => Ok(3),
        "4" | "white" | "白" => Ok(4),
        _ => Err(LimitError::Color),
    }
}

/// Whether a phone may be sent a code at `now`, when it was last asked for at `last`.
///
/// # Errors
/// When a minute has not passed. A request from the future, by a clock that was wrong, counts for a minute only,
/// and nobody is told to wait for longer than that.
pub fn sms_code(last: Option<Timestamp>, now: Timestamp) -> Result<(), LimitError> {
    let Some(since_s) = last.map(|last| now.since_s(last)) else { return Ok(()) };
    if since_s.saturating_abs() >= SMS_INTERVAL_S {
        return Ok(());
    }
    Err(LimitError::SmsTooSoon { wait_s: SMS_INTERVAL_S.saturating_sub(since_s).min(SMS_INTERVAL_S) })
}

/// What the platform was asked to do with a plate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingAct {
    /// To bind it (§8.4).
    Bind,
    /// To unbind it (§8.5).
    Unbind,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingOutcome {
    /// The platform did it.
    Done,
    /// The platform refused the act itself.
    Refused,
    /// It was not asked, or turned the request away unread: void token, wrong signature, wrong clock.
    NotSent,
    /// No answer that says: it may be done or not.
    Unknown,
}

/// One act of the past on a phone's plate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastBinding {
    /// What was asked.
    pub act: BindingAct,
    /// Of which plate.
    pub plate: Plate,
    /// When.
    pub asked_at: Timestamp,
    /// What came of it; a program that ended in between leaves it unknown.
    pub outcome: BindingOutcome,
}

/// What the acts of the past on one phone say of it, by the plates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoundPlates {
    /// Bound for certain, by this program.
    pub bound: BTreeSet<Plate>,
    /// Perhaps bound: a request to bind whose outcome is not known.
    pub perhaps: BTreeSet<Plate>,
    /// Perhaps bound: the platform did not unbind it, so that it was unbound elsewhere, or is another channel's.
    /// It is not counted: the platform knows, and refuses itself.
    pub doubted: BTreeSet<Plate>,
    /// Bound, or perhaps bound, in the calendar month.
    pub this_month: BTreeSet<Plate>,
}

/// What the last act says of a plate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Knowledge {
    Bound,
    Perhaps,
    Doubted,
}

impl BoundPlates {
    /// Reads the acts of one phone, in the order of time.
    pub fn of(past: &[PastBinding], now: Timestamp) -> Self {
        let month = |at: Timestamp| at.format("%Y-%m");
        let mut found = Self::default();
        let mut plates: BTreeMap<&Plate, Knowledge> = BTreeMap::new();
        for one in past {
            let known = plates.get(&one.plate).copied();
            match (one.act, one.outcome) {
                (BindingAct::Bind, BindingOutcome::Done) => drop(plates.insert(&one.plate, Knowledge::Bound)),
                (BindingAct::Bind, BindingOutcome::Unknown) if known != Some(Knowledge::Bound) => {
                    plates.insert(&one.plate, Knowledge::Perhaps);
                }
                (BindingAct::Unbind, BindingOutcome::Done) => drop(plates.remove(&one.plate)),
                (BindingAct::Unbind, BindingOutcome::Refused) => drop(plates.insert(&one.plate, Knowledge::Doubted)),
                _ => {}
            }
            let counts = matches!(one.outcome, BindingOutcome::Done | BindingOutcome::Unknown);
            if one.act == BindingAct::Bind && counts && month(one.asked_at) == month(now) {
                found.this_month.insert(one.plate.clone());
            }
        }
        for (plate, known) in plates {
            let set = match known {
                Knowledge::Bound => &mut found.bound,
                Knowledge::Perhaps => &mut found.perhaps,
                Knowledge::Doubted => &mut found.doubted,
            };
            set.insert(plate.clone());
        }
        found
    }

    /// Whether one more plate may be bound; `roster` are the phone's plates of the roster.
    ///
    /// # Errors
    /// [`LimitError::PlatesAtOnce`] or [`LimitError::PlatesAMonth`]. A plate that is counted already adds nothing.
    pub fn may_bind(&self, mobile: &Mobile, plate: &Plate, roster: &[Plate]) -> Result<(), LimitError> {
        let listed = roster.iter().filter(|plate| !self.doubted.contains(plate));
        let at_once: BTreeSet<&Plate> = self.bound.iter().chain(&self.perhaps).chain(listed).collect();
        if !at_once.contains(plate) && at_once.len() >= PLATES_AT_ONCE {
            let plates = at_once.into_iter().cloned().collect();
            return Err(LimitError::PlatesAtOnce { mobile: mobile.clone(), plates });
        }
        if !self.this_month.contains(plate) && self.this_month.len() >= PLATES_A_MONTH {
            let plates = self.this_month.iter().cloned().collect();
            return Err(LimitError::PlatesAMonth { mobile: mobile.clone(), plates });
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
