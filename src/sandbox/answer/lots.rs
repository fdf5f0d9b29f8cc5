//! §8.9, §8.10: the car parks of a city or around a place, page by page, and how full one is.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Success;
use super::shapes::number;
use crate::model::Timestamp;
use crate::sandbox::lots::{Area, Degrees, Levels, Lot, Operator, PayType, Place};
use crate::sandbox::request::{Fields, Refusal};
use crate::sandbox::world::World;

/// The search radius that the document allows, in metres.
const RADIUS_M: std::ops::RangeInclusive<i64> = 500..=3000;

impl World {
    /// §8.9: a page of car parks. Each record names the page behind it; the page behind the last one is empty.
    pub(super) fn surrounding_parking(&self, fields: &Fields) -> Result<Success, Refusal> {
        let area = area(fields)?;
        let pay_type = match fields.optional("payType")? {
            None | Some("0") => PayType::All,
            Some("1") => PayType::ElectronicOwn,
            Some("2") => PayType::Others,
            Some(_) => return Err(Refusal(6)),
        };
        let found = self.lots.matching(&area, pay_type);
        let size = self.settings.page_size.max(1);
        let query = format!("{area:?} {pay_type:?} {size}");
        let from = match fields.optional("scrollId")? {
            None => 0,
            Some(scroll_id) => offset(scroll_id.trim(), &query)?,
        };
        let page = found.iter().skip(from).take(size);
        let next = scroll_id(&query, from.saturating_add(page.len()));
        let list: Vec<_> = page.map(|(distance, lot)| record(lot, *distance, &next)).collect();
        Ok(Success::with(json!({ "list": list })))
    }

    /// §8.10: how full a car park is.
    pub(super) fn parking_status(&self, fields: &Fields, now: Timestamp) -> Result<Success, Refusal> {
        let lot = self.lots.get(fields.text("parkingId")?).ok_or(Refusal(6))?;
        let status = json!({ "totalSpace": lot.spaces.to_string(), "time": now.wall(), "status": lot.status() });
        Ok(Success::with(status))
    }
}

/// Either a place with its radius or a city: the document wants one of them.
fn area(fields: &Fields) -> Result<Area, Refusal> {
    let [lat, lon, radius] = ["lat", "lon", "radius"].map(|name| fields.optional(name));
    match (lat?, lon?, radius?, fields.optional("city")?) {
        (None, None, None, Some(city)) => Ok(Area::City(city.trim().to_owned())),
        (_, _, _, Some(_)) => Err(Refusal(6)),
        (Some(lat), Some(lon), Some(radius), None) => {
            let degrees = |text: &str, most| text.parse().ok().filter(|degrees: &Degrees| degrees.is_within(most));
            let (lat, lon) = (degrees(lat, 90).ok_or(Refusal(6))?, degrees(lon, 180).ok_or(Refusal(6))?);
            let radius_m = radius.parse().ok().filter(|radius| RADIUS_M.contains(radius)).ok_or(Refusal(6))?;
            Ok(Area::Around { centre: Place { lat, lon }, radius_m })
        }
        _ => Err(Refusal(20102)),
    }
}

/// Names a page: where it begins, sealed together with the query, so that it fits no other and nothing is to be kept.
fn scroll_id(query: &str, from: usize) -> String {
    let seal = hex::encode(Sha256::digest(format!("{query} from {from}")));
    format!("{}{from}", seal.get(..20).unwrap_or_default())
}

fn offset(text: &str, query: &str) -> Result<usize, Refusal> {
    let from = text.get(20..).and_then(|from| from.parse().ok()).ok_or(Refusal(6))?;
    if scroll_id(query, from) == text { Ok(from) } else { Err(Refusal(6)) }
}

fn record(lot: &Lot, distance: Option<i64>, next: &str) -> Value {
    let mut record = Map::new();
    let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
    put("id", lot.id.as_str().into());
    put("parkingName", lot.name.as_str().into());
    put("type", if lot.operator == Operator::Own { "ss" } else { "tp" }.into());
    put("minFreeTime", lot.free_minutes.to_string().into());
    put("avgCostPrecise", number(lot.average_cost.to_string().as_str()));
    let levels = match lot.levels {
        Levels::Above => "8",
        Levels::Below => "7",
        Levels::Both => "146",
    };
    put("parkingType", levels.into());
    put("capacityStatus", lot.status().into());
    put("payType", if lot.electronic { "1" } else { "2" }.into());
    // By city there is no place to count from.
    if let Some(metres) = distance {
        put("distance", format!("{metres}m").into());
    }
    put("scrollId", next.into());
    put("lon", lot.place.lon.to_string().into());
    put("lat", lot.place.lat.to_string().into());
    Value::Object(record)
}
