//! The roster: which user has which plate, from CSV `mobile,plate,color`. Pure; phone numbers are
//! masked in every message.

use std::collections::HashMap;
use std::io::Read;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::model::{Mobile, Plate};

/// The header; `color` may be left out.
const COLUMNS: [&str; 3] = ["mobile", "plate", "color"];

/// The platform's default: blue, document §8.4.
const DEFAULT_COLOR: u8 = 1;

/// A plate and its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterEntry {
    /// The user.
    pub mobile: Mobile,
    /// The plate in its normal form.
    pub plate: Plate,
    /// 1 blue, 2 black, 3 yellow, 4 white.
    pub color: u8,
}

/// Why a roster was not read; then nothing of it is taken.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// The file cannot be read or is no CSV in UTF-8.
    #[error("the roster cannot be read{}", at(*.line))]
    Unreadable {
        /// The line, where known.
        line: Option<u64>,
        /// What the reader said.
        source: csv::Error,
    },
    /// A column of the header is missing or unknown.
    #[error("line 1: the roster's header {problem}\nhint: the header is mobile,plate,color")]
    Header {
        /// What is wrong with it.
        problem: String,
    },
    /// A value that cannot be what its column says.
    #[error("line {line}, column \"{column}\": {problem}")]
    Value {
        /// The line, from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What is wrong, with the value (a phone number masked).
        problem: String,
    },
    /// A plate with two users.
    #[error(
        "line {line}: plate {plate} belongs to {mobile} here and to {first_mobile} in line {first_line}\nhint: a plate has one user; remove one of the two lines"
    )]
    TwoUsers {
        /// The plate.
        plate: Plate,
        /// The line of the first.
        first_line: u64,
        /// The first user; shown masked.
        first_mobile: Mobile,
        /// The line of the second.
        line: u64,
        /// The second user; shown masked.
        mobile: Mobile,
    },
    /// The same plate with the same user, but another colour.
    #[error(
        "line {line}: plate {plate} has colour {color} here and {first_color} in line {first_line}\nhint: remove one of the two lines"
    )]
    TwoColors {
        /// The plate.
        plate: Plate,
        /// The line of the first.
        first_line: u64,
        /// The first colour.
        first_color: u8,
        /// The line of the second.
        line: u64,
        /// The second colour.
        color: u8,
    },
}

fn at(line: Option<u64>) -> String {
    line.map(|line| format!(" (line {line})")).unwrap_or_default()
}

fn unreadable(source: csv::Error) -> RosterError {
    RosterError::Unreadable { line: source.position().map(csv::Position::line), source }
}

/// Reads a roster, in the order of the file. A line that says again what an earlier one said adds nothing.
///
/// # Errors
/// At the first line that is wrong.
pub fn read_roster(input: impl Read) -> Result<Vec<RosterEntry>, RosterError> {
    // The csv reader drops a byte order mark itself, and takes CRLF as LF.
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(input);
    let columns = columns(reader.headers().map_err(unreadable)?)?;
    let mut entries: Vec<RosterEntry> = Vec::new();
    let mut seen: HashMap<Plate, (u64, usize)> = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(0, csv::Position::line);
        let entry = entry(&record, columns, line)?;
        let earlier = seen.get(&entry.plate).and_then(|(line, index)| Some((*line, entries.get(*index)?)));
        if let Some((first_line, first)) = earlier {
            agree(first, first_line, &entry, line)?;
            continue;
        }
        seen.insert(entry.plate.clone(), (line, entries.len()));
        entries.push(entry);
    }
    Ok(entries)
}

/// Where each of [`COLUMNS`] stands.
fn columns(header: &StringRecord) -> Result<[Option<usize>; 3], RosterError> {
    let wrong = |problem| Err(RosterError::Header { problem });
    if let Some(other) = header.iter().find(|name| !COLUMNS.contains(name)) {
        // A file without header begins with a phone number, which must not be shown.
        let shown = if other.bytes().any(|b| b.is_ascii_digit()) {
            "a value".to_owned()
        } else {
            format!("`{}`", other.escape_debug())
        };
        return wrong(format!("has {shown} where a column's name is expected"));
    }
    let found = COLUMNS.map(|column| header.iter().position(|name| name == column));
    match found {
        [None, ..] => wrong("lacks the column `mobile`".to_owned()),
        [_, None, _] => wrong("lacks the column `plate`".to_owned()),
        _ if found.iter().flatten().count() < header.len() => wrong("has a column twice".to_owned()),
        found => Ok(found),
    }
}

fn entry(record: &StringRecord, columns: [Option<usize>; 3], line: u64) -> Result<RosterEntry, RosterError> {
    let [mobile, plate, color] = columns.map(|column| column.and_then(|index| record.get(index)).unwrap_or_default());
    let wrong = |column, problem| RosterError::Value { line, column, problem };
    Ok(RosterEntry {
        mobile: Mobile::parse(mobile).ok_or_else(|| wrong("mobile", not_a_mobile(mobile)))?,
        plate: Plate::parse(plate).map_err(|_| wrong("plate", not_a_plate(plate)))?,
        color: parse_color(color).ok_or_else(|| {
            wrong("color", format!("{} is no colour: 1 blue, 2 black, 3 yellow, 4 white, or nothing", shown(color)))
        })?,
    })
}

/// Says what is wrong without showing digits that may be somebody's number.
fn not_a_mobile(text: &str) -> String {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    match (text, digits) {
        ("", _) => "it is empty; a mobile number is expected".to_owned(),
        (_, 0) => "it has no digits; a mobile number is expected".to_owned(),
        (_, digits) => format!("not a mobile number (11 digits that begin with 1); this has {digits} digits"),
    }
}

fn not_a_plate(text: &str) -> String {
    let rule =
        if text.contains(['*', '＊']) { "is masked and names no car" } else { "is no plate (7 or 8 characters)" };
    format!("{} {rule}", shown(text))
}

/// A value of any column but `mobile`; where columns were swapped it may be a phone number.
fn shown(text: &str) -> String {
    if text.chars().filter(char::is_ascii_digit).count() > 8 {
        return "this number".to_owned();
    }
    let cut: String = text.chars().take(20).collect();
    format!("`{}`", cut.escape_debug())
}

fn parse_color(text: &str) -> Option<u8> {
    match text {
        "" => Some(DEFAULT_COLOR),
        "1" => Some(1),
        "2" => Some(2),
        "3" => Some(3),
        "4" => Some(4),
        _ => None,
    }
}

fn agree(first: &RosterEntry, first_line: u64, entry: &RosterEntry, line: u64) -> Result<(), RosterError> {
    let plate = entry.plate.clone();
    if first.mobile != entry.mobile {
        let (first_mobile, mobile) = (first.mobile.clone(), entry.mobile.clone());
        return Err(RosterError::TwoUsers { plate, first_line, first_mobile, line, mobile });
    }
    if first.color != entry.color {
        return Err(RosterError::TwoColors { plate, first_line, first_color: first.color, line, color: entry.color });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String, u8)>, String> {
        let entries = read_roster(text.as_bytes()).map_err(|err| err.to_string())?;
        Ok(entries.iter().map(|e| (e.mobile.expose().to_owned(), e.plate.to_string(), e.color)).collect())
    }

    fn row(mobile: &str, plate: &str, color: u8) -> (String, String, u8) {
        (mobile.to_owned(), plate.to_owned(), color)
    }

    #[test]
    fn a_roster_is_read_in_every_dress() {
        let expected = Ok(vec![row("13800000001", "渝B757D0", 1), row("13800000002", "渝AD12345", 3)]);
        for text in [
            "mobile,plate,color\n13800000001,渝B757D0,\n13800000002,渝AD12345,3\n",
            "\u{feff}mobile,plate,color\r\n13800000001,渝B757D0,1\r\n13800000002,渝AD12345,3\r\n",
            "plate, mobile ,color\n 渝 B·757d0 ,138 0000 0001,1\n渝ad12345,+86 138-0000-0002,3",
            "mobile,plate,color\n13800000001,渝B757D0,1\n13800000001,渝 B757D0,\n\n13800000002,渝AD12345,3\n",
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(read("mobile,plate\n13800000001,渝B757D0\n"), Ok(vec![row("13800000001", "渝B757D0", 1)]));
        assert_eq!(read("mobile,plate,color\n"), Ok(vec![]));
    }

    #[test]
    fn what_is_wrong_is_told_with_line_and_column() {
        for (text, expected) in [
            ("mobile,plate,color\n13800000001,渝B757D0,5\n", "line 2, column \"color\": `5` is no colour"),
            ("mobile,plate,color\n13800000001,渝B757D0,1\n13800000002,渝B7,1\n", "line 3, column \"plate\": `渝B7`"),
            ("mobile,plate,color\n13800000001,渝****87,1\n", "line 2, column \"plate\": `渝****87` is masked"),
            (
                "mobile,plate,color\n1380000000,渝B757D0,1\n",
                "line 2, column \"mobile\": not a mobile number (11 digits that begin with 1); this has 10",
            ),
            ("mobile,plate,color\n,渝B757D0,1\n", "line 2, column \"mobile\": it is empty"),
            ("mobile,plate,color\nx,渝B757D0,1\n", "line 2, column \"mobile\": it has no digits"),
            ("plate,mobile,color\n13800000001,13800000001,1\n", "line 2, column \"plate\": this number is no plate"),
            (
                "mobile,plate,color\n13800000001,渝B757D0,13800000001\n",
                "line 2, column \"color\": this number is no colour",
            ),
            ("mobile,plate,color\n13800000001,渝B757D0\n", "the roster cannot be read (line 2)"),
            ("mobile,color\n13800000001,1\n", "line 1: the roster's header lacks the column `plate`"),
            ("mobile,plate,plate\n", "line 1: the roster's header has a column twice"),
            ("phone,plate,color\n", "line 1: the roster's header has `phone` where"),
            ("13800000001,渝B757D0,1\n", "line 1: the roster's header has a value where"),
            ("", "line 1: the roster's header lacks the column `mobile`"),
        ] {
            let err = read(text).unwrap_err();
            assert!(err.starts_with(expected), "{text}\n{err}");
            assert!(!err.contains("1380000000"), "a number is shown: {err}");
        }
        assert!(read_roster(&b"mobile,plate,color\n13800000001,\xd3\xe5B757D0,1\n"[..]).is_err(), "GBK is not UTF-8");
    }

    #[test]
    fn a_plate_has_one_user() {
        let text = "mobile,plate,color\n13800000001,渝B757D0,1\n13800000003,渝A00001,1\n13900000002,渝b757d0,1\n";
        let err = read(text).unwrap_err();
        assert_eq!(
            err,
            "line 4: plate 渝B757D0 belongs to 139****0002 here and to 138****0001 in line 2\nhint: a plate has one user; remove one of the two lines"
        );
        assert!(
            read("mobile,plate,color\n13800000001,渝B757D0,1\n13800000001,渝B757D0,2\n")
                .unwrap_err()
                .contains("colour 2 here and 1")
        );
    }
}
