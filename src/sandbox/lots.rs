//! Car parks: where they are and how full (§8.9, §8.10).
//!
//! Coordinates are whole micro-degrees and distances whole metres: no binary floats here either.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::model::Amount;

/// A coordinate in millionths of a degree (Baidu's BD-09, §8.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Degrees(i64);

/// How many micrometres a millionth of a degree of latitude is long.
const MICRO_DEGREE_MICROMETRES: i64 = 111_195;

/// A millionth.
const MICRO: i64 = 1_000_000;

impl Degrees {
    /// A coordinate of so many millionths of a degree.
    pub const fn from_micro(micro: i64) -> Self {
        Self(micro)
    }

    /// Whether it lies within ± `degrees`.
    pub(super) const fn is_within(self, degrees: i64) -> bool {
        let most = degrees.saturating_mul(MICRO);
        self.0 >= most.saturating_neg() && self.0 <= most
    }
}

impl FromStr for Degrees {
    type Err = ();

    /// Plain decimal degrees such as `39.872748`; what stands behind the sixth place is cut off.
    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) || whole.len() > 3 {
            return Err(());
        }
        let places: String = fraction.chars().chain("000000".chars()).take(6).collect();
        let micro: i64 = format!("{whole}{places}").parse().map_err(|_| ())?;
        Ok(Self(if text.starts_with('-') { micro.saturating_neg() } else { micro }))
    }
}

impl fmt::Display for Degrees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, micro) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let text = format!("{sign}{}.{:06}", micro / 1_000_000, micro % 1_000_000);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// A place on the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Latitude.
    pub lat: Degrees,
    /// Longitude.
    pub lon: Degrees,
}

impl Place {
    /// Metres to another place, right to about one in three hundred over a few kilometres.
    pub(super) fn metres_to(self, other: Self) -> i64 {
        let north = self.lat.0.saturating_sub(other.lat.0);
        // The cosine by Bhāskara's formula, in thousandths, of whole thousandths of a degree.
        let square = (self.lat.0 / 1000).saturating_mul(self.lat.0 / 1000);
        let above = 8_100_000_000_i64.saturating_sub(square).saturating_mul(4);
        let cosine = above.checked_div(32_400_000_000_i64.saturating_add(square) / 1000).unwrap_or_default();
        let east = self.lon.0.saturating_sub(other.lon.0).saturating_mul(cosine) / 1000;
        let metres = |micro: i64| micro.saturating_mul(MICRO_DEGREE_MICROMETRES) / MICRO;
        let squares = [metres(north), metres(east)].map(|side| side.saturating_mul(side));
        squares[0].saturating_add(squares[1]).isqrt()
    }
}

/// Whose a car park is (`type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `ss`: ETCP's own.
    Own,
    /// `tp`: a third party's.
    ThirdParty,
}

/// Where its spaces are (`parkingType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Levels {
    /// `8`: above ground.
    Above,
    /// `7`: below ground.
    Below,
    /// `146`: both.
    Both,
}

/// A car park.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Its id in the list, such as `dhX3ZLLQ3jk=`; another one than the `parkingId` of an order.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its city, such as `北京市`.
    pub city: String,
    /// Where it is.
    pub place: Place,
    /// Whose it is.
    pub operator: Operator,
    /// Whether it takes electronic payment.
    pub electronic: bool,
    /// Minutes that are free at first.
    pub free_minutes: u32,
    /// What four hours cost, roughly.
    pub average_cost: Amount,
    /// Where its spaces are.
    pub levels: Levels,
    /// How many spaces it has.
    pub spaces: u32,
    /// How many of them are taken.
    pub taken: u32,
}

impl Lot {
    /// A car park of ETCP's own, with middling values for everything else.
    pub fn new(name: &str, city: &str, place: Place) -> Self {
        Self {
            id: lot_id(name),
            name: name.to_owned(),
            city: city.to_owned(),
            place,
            operator: Operator::Own,
            electronic: true,
            free_minutes: 30,
            average_cost: Amount::from_fen(1278).unwrap_or(Amount::ZERO),
            levels: Levels::Above,
            spaces: 114,
            taken: 20,
        }
    }

    /// `充足`, `较少` or `紧张`.
    pub fn status(&self) -> &'static str {
        let free = self.spaces.saturating_sub(self.taken);
        match free.saturating_mul(100).checked_div(self.spaces).unwrap_or_default() {
            30.. => "充足",
            10.. => "较少",
            _ => "紧张",
        }
    }
}

/// An id as the document prints one (`dhX3ZLLQ3jk=`), always the same for the same name.
fn lot_id(name: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 64)).copied().map_or('A', char::from);
    let mut id: String = Sha256::digest(format!("lot {name}")).iter().take(11).map(letter).collect();
    id.push('=');
    id
}

/// Which car parks are asked for (`payType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PayType {
    All,
    ElectronicOwn,
    Others,
}

/// A query of §8.9: around a place, or of a city.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Area {
    Around { centre: Place, radius_m: i64 },
    City(String),
}

/// All car parks, by id.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Lots(BTreeMap<String, Lot>);

impl Lots {
    pub(super) fn add(&mut self, lot: Lot) {
        self.0.insert(lot.id.clone(), lot);
    }

    pub(super) fn get(&self, id: &str) -> Option<&Lot> {
        self.0.get(id)
    }

    /// The car parks of a query, the nearest first, with their distance when there is a place to count from.
    pub(super) fn matching(&self, area: &Area, pay_type: PayType) -> Vec<(Option<i64>, &Lot)> {
        let wanted = self.0.values().filter(|lot| match pay_type {
            PayType::All => true,
            PayType::ElectronicOwn => lot.electronic && lot.operator == Operator::Own,
            PayType::Others => !(lot.electronic && lot.operator == Operator::Own),
        });
        let mut found: Vec<_> = wanted
            .filter_map(|lot| match area {
                Area::Around { centre, radius_m } => {
                    let distance = centre.metres_to(lot.place);
                    (distance <= *radius_m).then_some((Some(distance), lot))
                }
                Area::City(city) => (lot.city == *city).then_some((None, lot)),
            })
            .collect();
        found.sort_by_key(|(distance, _)| *distance);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(lat: &str, lon: &str) -> Place {
        Place { lat: lat.parse().unwrap(), lon: lon.parse().unwrap() }
    }

    #[test]
    fn coordinates_are_read_and_printed_exactly() {
        for text in ["39.872748", "-116.429718", "25.424324", "119.0029", "0", "180"] {
            assert_eq!(text.parse::<Degrees>().unwrap().to_string(), text);
        }
        assert_eq!("39.8727489".parse::<Degrees>(), "39.872748".parse());
        for text in ["", "-", ".5", "5.", "1e2", "NaN", "39,8", "1234", "+5", " 5"] {
            assert!(text.parse::<Degrees>().is_err(), "{text}");
        }
        assert!(
            "90".parse::<Degrees>().unwrap().is_within(90) && !"-90.000001".parse::<Degrees>().unwrap().is_within(90)
        );
    }

    #[test]
    fn distances_are_roughly_right_at_every_latitude() {
        for (from, to, metres) in [
            (place("39.872748", "116.429718"), place("39.872748", "116.429718"), 0),
            (place("29.560000", "106.570000"), place("29.569000", "106.570000"), 1001),
            (place("29.560000", "106.570000"), place("29.560000", "106.580000"), 967),
            (place("0", "10"), place("0", "10.02"), 2224),
            (place("60", "10"), place("60", "10.02"), 1112),
            (place("-45", "10"), place("-45.01", "10.01"), 1362),
        ] {
            let found = from.metres_to(to);
            assert!((found - metres).abs() <= metres / 200 + 1, "{from:?} {to:?}: {found}, not {metres}");
        }
    }
}
