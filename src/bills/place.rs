//! Where in a bill the parking order and the plate stand: what merchants put into their channels' free fields differs
//! from one to the next, so each source says it for itself.

use std::str::FromStr;

use regex::Regex;

use super::header::Header;
use super::{BillError, shortened};
use crate::model::{OrderId, Plate};

/// Where a source's bills hold the order id and the plate, beyond what their format says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The parking order's id.
    pub order_id: Option<Place>,
    /// The plate.
    pub plate: Option<Place>,
}

/// A column, and the part of it that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The column's name in the bill.
    pub column: String,
    /// What in it is meant; all of it when left out.
    pub pattern: Option<Pattern>,
}

/// A regular expression: its first group is what is meant, without a group all that it matches.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// What is meant of `text`.
    pub fn find<'a>(&self, text: &'a str) -> Option<&'a str> {
        let found = self.0.captures(text)?;
        found.get(1).or_else(|| found.get(0)).map(|part| part.as_str().trim()).filter(|part| !part.is_empty())
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for Pattern {
    type Err = String;

    /// Reads a regular expression; the error says in one line what is wrong with it.
    fn from_str(text: &str) -> Result<Self, String> {
        Regex::new(text).map(Self).map_err(|error| {
            let all = error.to_string();
            let why = all.lines().next_back().unwrap_or_default().trim_start_matches("error: ");
            format!("`{}`: {why}", shortened(text, 60))
        })
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

impl Place {
    /// What is meant of the column's text; `None` when there is nothing.
    pub fn find<'a>(&self, text: &'a str) -> Option<&'a str> {
        let text = text.trim();
        match &self.pattern {
            None => Some(text).filter(|text| !text.is_empty()),
            Some(pattern) => pattern.find(text),
        }
    }
}

/// The places of a source in one table.
pub(super) struct FoundPlaces<'a> {
    order_id: Option<(usize, &'a Place)>,
    plate: Option<(usize, &'a Place)>,
}

impl<'a> FoundPlaces<'a> {
    /// Finds the columns of `places` in `header`.
    ///
    /// # Errors
    /// When the bill does not have one of them.
    pub(super) fn of(places: &'a Places, header: &Header) -> Result<Self, BillError> {
        let find = |place: &'a Option<Place>, field| match place {
            Some(place) => header.configured(&place.column, field).map(|at| Some((at, place))),
            None => Ok(None),
        };
        Ok(Self { order_id: find(&places.order_id, "order_id")?, plate: find(&places.plate, "plate")? })
    }

    /// The order that a row names.
    pub(super) fn order_id<'t>(&self, cell: impl Fn(usize) -> &'t str) -> Option<OrderId> {
        let (at, place) = self.order_id?;
        place.find(cell(at)).and_then(OrderId::new)
    }

    /// The plate that a row names; a text that is no plate is as good as none.
    pub(super) fn plate<'t>(&self, cell: impl Fn(usize) -> &'t str) -> Option<Plate> {
        let (at, place) = self.plate?;
        place.find(cell(at)).and_then(|text| Plate::parse(text).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(pattern: Option<&str>) -> Place {
        Place { column: "备注".into(), pattern: pattern.map(|text| text.parse().unwrap()) }
    }

    #[test]
    fn the_first_group_is_meant_else_all_of_the_match_else_the_whole_text() {
        assert_eq!(place(None).find(" A1 "), Some("A1"));
        assert_eq!(place(None).find("  "), None);
        assert_eq!(place(Some(r"S\d+")).find("lot A, S000024."), Some("S000024"));
        assert_eq!(place(Some(r"order=(\w+)")).find("x;order=A1;y"), Some("A1"));
        assert_eq!(place(Some(r"order=(\w+)")).find("nothing"), None);
        assert_eq!(place(Some(r"order=(\w*)")).find("order="), None);
    }

    #[test]
    fn a_pattern_that_is_none_says_why() {
        assert_eq!("x(".parse::<Pattern>().unwrap_err(), "`x(`: unclosed group");
    }

    #[test]
    fn a_column_that_the_bill_does_not_have_is_named() {
        let places = Places { plate: Some(place(None)), order_id: None };
        let error = FoundPlaces::of(&places, &Header::new(["a", "b"].iter(), 5)).err().unwrap();
        assert!(error.to_string().contains("备注") && error.to_string().contains("`plate`"), "{error}");
    }
}
