//! Car parks: what is asked of the platform (§8.9, §8.10), and its answers, read strictly.
//!
//! Coordinates are Baidu's (BD-09); those of a GPS receiver lie some hundred metres beside them. They are
//! kept as the decimal text they came in, never as a binary float. A bad record is rejected with its
//! reason and counted, the others are kept.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::limits::{LARGEST_RADIUS_M, LimitError, SMALLEST_RADIUS_M};
use super::wire::{Listing, RejectedRecord, WireError, member, text_of};
use crate::model::Timestamp;

/// Which car parks are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayType {
    /// All of them.
    #[default]
    All,
    /// ETCP's own that take electronic payment.
    Electronic,
    /// ETCP's own that do not, and those of third parties.
    Other,
}

impl PayType {
    const fn text(self) -> &'static str {
        match self {
            Self::All => "0",
            Self::Electronic => "1",
            Self::Other => "2",
        }
    }
}

/// Where car parks are looked for: around a place or in a city, never both.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Around { lat: Decimal, lon: Decimal, radius_m: u32 },
    City(String),
}

/// A question for car parks that keeps the document's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotQuery {
    place: Place,
    pay_type: PayType,
}

impl LotQuery {
    /// Car parks within `radius_m` of a place, in Baidu's coordinates.
    ///
    /// # Errors
    /// When the place is none on Earth, or the radius is not from 500 to 3000 m.
    pub fn around(lat: &str, lon: &str, radius_m: u32, pay_type: PayType) -> Result<Self, LimitError> {
        let lat = degrees(lat, 90).ok_or(LimitError::Latitude)?;
        let lon = degrees(lon, 180).ok_or(LimitError::Longitude)?;
        if !(SMALLEST_RADIUS_M..=LARGEST_RADIUS_M).contains(&radius_m) {
            return Err(LimitError::Radius { radius_m });
        }
        Ok(Self { place: Place::Around { lat, lon, radius_m }, pay_type })
    }

    /// All car parks of a city.
    ///
    /// # Errors
    /// When the name is empty or no name.
    pub fn city(name: &str, pay_type: PayType) -> Result<Self, LimitError> {
        const LONGEST: usize = 64;
        let name = name.trim();
        let is_name = !name.is_empty() && name.chars().count() <= LONGEST && !name.chars().any(char::is_control);
        if !is_name {
            return Err(LimitError::City);
        }
        Ok(Self { place: Place::City(name.to_owned()), pay_type })
    }

    /// The members of `data` in the document's order. The first page is asked for without `scrollId`.
    pub fn members(&self, scroll_id: Option<&str>) -> Vec<(&'static str, String)> {
        let mut members = Vec::with_capacity(5);
        let city = match &self.place {
            Place::Around { lat, lon, radius_m } => {
                members.push(("lat", lat.to_string()));
                members.push(("lon", lon.to_string()));
                members.push(("radius", radius_m.to_string()));
                None
            }
            Place::City(name) => Some(("city", name.clone())),
        };
        members.push(("payType", self.pay_type.text().to_owned()));
        members.extend(city);
        members.extend(scroll_id.map(|scroll_id| ("scrollId", scroll_id.to_owned())));
        members
    }
}

/// A coordinate in plain decimal digits.
fn degrees(text: &str, most: u32) -> Option<Decimal> {
    let value = decimal(text.trim())?;
    (value.abs() <= Decimal::from(most)).then_some(value)
}

/// A plain decimal number: no exponent, no separators, exactly as many digits as there are.
fn decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_plain { Decimal::from_str_exact(text).ok() } else { None }
}

/// A car park's id (`dhX3ZLLQ3jk=`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LotId(Box<str>);

impl LotId {
    /// The id as it may be shown and sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LotId {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        const LONGEST: usize = 128;
        let text = text.trim();
        let fits = !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
        if fits { Ok(Self(text.into())) } else { Err(LimitError::LotId) }
    }
}

impl Serialize for LotId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Whose car park it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LotKind {
    /// `ss`: ETCP's own.
    Own,
    /// `tp`: a third party's.
    ThirdParty,
    /// Something the document does not list, as it came; empty when nothing was said.
    Other(String),
}

/// Where its spaces are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LotLevel {
    /// 8.
    AboveGround,
    /// 7.
    BelowGround,
    /// 146.
    Both,
    /// Something the document does not list, as it came; empty when nothing was said.
    Other(String),
}

/// How one pays there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LotPayment {
    /// 1: electronically.
    Electronic,
    /// 2: not electronically.
    NotElectronic,
    /// Something the document does not list, as it came; empty when nothing was said.
    Other(String),
}

/// A car park of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Its id.
    pub id: LotId,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub kind: LotKind,
    /// How long the first stay is free, in minutes.
    pub free_minutes: Option<u32>,
    /// What four hours are estimated to cost, in yuan. No money that is ever reconciled, so it keeps its digits.
    pub cost_of_4h: Option<Decimal>,
    /// Where its spaces are.
    pub level: LotLevel,
    /// How full it is, in the platform's words: 充足, 较少, 紧张. Empty when nothing was said.
    pub capacity: String,
    /// How one pays.
    pub payment: LotPayment,
    /// How far it is, in the platform's words (`0m`); empty when nothing was said.
    pub distance: String,
    /// Baidu's longitude.
    pub lon: Option<Decimal>,
    /// Baidu's latitude.
    pub lat: Option<Decimal>,
}

/// One page of the list.
#[derive(Clone, Debug, Default)]
pub struct LotPage {
    /// Its car parks.
    pub lots: Listing<Lot>,
    /// What asks for the next page; none on the last.
    pub scroll_id: Option<String>,
}

/// Reads a page of §8.9. `scrollId` stands in each record, as the document prints it, or beside the list.
///
/// # Errors
/// When there is no list; a bad record is no error, it is rejected.
pub fn parse_lots(data: &Value) -> Result<LotPage, WireError> {
    let records: &[Value] = match data {
        Value::Null => &[],
        Value::Array(records) => records,
        Value::Object(members) => match members.get("list") {
            Some(Value::Array(records)) => records,
            Some(Value::Null) => &[],
            None if members.keys().all(|name| name == "scrollId") => &[],
            _ => return Err(WireError::Shape { what: "no `data.list`" }),
        },
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(WireError::Shape { what: "`data` is no list" });
        }
    };
    let scroll_id = |value: &Value| member(value, "scrollId").and_then(text_of).filter(|text| !text.is_empty());
    let mut page = LotPage { lots: Listing::default(), scroll_id: scroll_id(data) };
    for record in records {
        page.scroll_id = scroll_id(record).or(page.scroll_id);
        match lot(record) {
            Ok(lot) => page.lots.records.push(lot),
            Err(reason) => {
                let id = member(record, "id").and_then(text_of).unwrap_or_else(|| "?".to_owned());
                let reason = format!("lot {id}: {reason}").chars().take(200).collect();
                page.lots.rejected.push(RejectedRecord { order_id: None, plate: None, reason });
            }
        }
    }
    Ok(page)
}

fn lot(record: &Value) -> Result<Lot, String> {
    let text = |name| member(record, name).and_then(text_of).unwrap_or_default();
    let id = text("id").parse().map_err(|_| "id is missing or unreadable")?;
    let name = text("parkingName");
    if name.is_empty() {
        return Err("parkingName is missing".to_owned());
    }
    let free_minutes = read(record, "minFreeTime", "a whole number of minutes", |text| text.parse::<u32>().ok())?;
    let cost_of_4h = read(record, "avgCostPrecise", "a number of yuan", |text| {
        decimal(text).filter(|cost| !cost.is_sign_negative())
    })?;
    Ok(Lot {
        id,
        name,
        kind: match text("type").as_str() {
            "ss" => LotKind::Own,
            "tp" => LotKind::ThirdParty,
            other => LotKind::Other(other.to_owned()),
        },
        free_minutes,
        cost_of_4h,
        level: match text("parkingType").as_str() {
            "8" => LotLevel::AboveGround,
            "7" => LotLevel::BelowGround,
            "146" => LotLevel::Both,
            other => LotLevel::Other(other.to_owned()),
        },
        capacity: text("capacityStatus"),
        payment: match text("payType").as_str() {
            "1" => LotPayment::Electronic,
            "2" => LotPayment::NotElectronic,
            other => LotPayment::Other(other.to_owned()),
        },
        distance: text("distance"),
        lon: read(record, "lon", "a longitude", |text| degrees(text, 180))?,
        lat: read(record, "lat", "a latitude", |text| degrees(text, 90))?,
    })
}

/// A member that may be missing or empty, but must be `what` when it is there.
fn read<T>(record: &Value, name: &str, what: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, String> {
    let Some(value) = member(record, name) else { return Ok(None) };
    let text = text_of(value).ok_or_else(|| format!("{name} is not {what}"))?;
    if text.is_empty() {
        return Ok(None);
    }
    parse(&text)
        .map(Some)
        .ok_or_else(|| format!("{name}: `{}` is not {what}", text.chars().take(40).collect::<String>()))
}

/// How full a car park is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotStatus {
    /// All of its spaces.
    pub total_spaces: u32,
    /// When that was so.
    pub at: Timestamp,
    /// In the platform's words: 充足, 较少, 紧张.
    pub status: String,
}

/// Reads the answer of §8.10.
///
/// # Errors
/// When a member is missing or not what it should be.
pub fn parse_lot_status(data: &Value) -> Result<LotStatus, WireError> {
    let text = |name| member(data, name).and_then(text_of).filter(|text| !text.is_empty());
    let shape = |what| WireError::Shape { what };
    let total_spaces = text("totalSpace").and_then(|text| text.parse().ok());
    let at = text("time").and_then(|text| Timestamp::parse_wall(&text).ok());
    Ok(LotStatus {
        total_spaces: total_spaces.ok_or_else(|| shape("no whole number as `data.totalSpace`"))?,
        at: at.ok_or_else(|| shape("no time as `data.time`"))?,
        status: text("status").ok_or_else(|| shape("no `data.status`"))?,
    })
}

#[cfg(test)]
#[path = "lots_tests.rs"]
mod tests;
