//! The orders file of `match`: CSV with a header, one order a row, read in one pass.
//!
//! Unlike a bill it is all or nothing: an order that could not be read would make its payment look
//! like money for nothing, so every error stops, with its place.

use std::collections::HashMap;
use std::io::{self, Read};
use std::str::Utf8Error;

use csv::{ByteRecord, ReaderBuilder};

use crate::model::{
    Amount, AmountError, BusinessDate, OrderId, OrderSnapshot, OrderState, Plate, TimeError, Timestamp,
};

use super::{Key, KeySpace, at, index};

/// The columns, in the order of the product's header; a file may have them in any, among others.
pub const COLUMNS: [&str; 8] =
    ["order_id", "plate", "parking_id", "parking_fee", "remaining_fee", "cash", "entrance_time", "exit_time"];

/// Why an orders file cannot be used, and where.
#[derive(Debug, thiserror::Error)]
pub enum OrdersError {
    /// The file could not be read.
    #[error("cannot read {file}")]
    Read {
        /// The file's name.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The header lacks a column.
    #[error("{file}:1: no column \"{column}\"\nhint: the header is {}", COLUMNS.join(","))]
    NoColumn {
        /// The file's name.
        file: String,
        /// The column.
        column: &'static str,
    },
    /// The header has a column twice.
    #[error("{file}:1: the column \"{column}\" stands twice")]
    TwoColumns {
        /// The file's name.
        file: String,
        /// The column.
        column: &'static str,
    },
    /// A row is longer or shorter than the header.
    #[error("{file}:{line}: {found} fields where the header has {expected}")]
    Fields {
        /// The file's name.
        file: String,
        /// The row's first line.
        line: u64,
        /// How many fields the row has.
        found: usize,
        /// How many the header has.
        expected: usize,
    },
    /// A cell is not what its column says.
    #[error("{file}:{line}, column \"{column}\"")]
    Cell {
        /// The file's name.
        file: String,
        /// The row's first line.
        line: u64,
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        source: CellError,
    },
    /// Two rows tell different things of one order.
    #[error(
        "{file}:{first} and {file}:{second} disagree on order {order_id}\nhint: keep one of them; of an open and a closed row the closed one is taken"
    )]
    Disagree {
        /// The file's name.
        file: String,
        /// The earlier row's first line.
        first: u64,
        /// The later row's first line.
        second: u64,
        /// The order.
        order_id: OrderId,
    },
}

/// What is wrong with a cell.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// It is empty.
    #[error("is empty")]
    Empty,
    /// It is not text.
    #[error("is not UTF-8")]
    Encoding(#[source] Utf8Error),
    /// It is no amount.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// It is no time.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A part is larger than the whole fee.
    #[error("{part} is more than the parking fee, {fee}")]
    AboveFee {
        /// The part.
        part: Amount,
        /// The fee.
        fee: Amount,
    },
}

/// Reads orders; `file` is the name that errors show. No two of the result have the same id.
///
/// # Errors
/// When anything in the file is not as it should be; nothing is left out in silence. A plate that is masked
/// or none is no error, the order just has no plate.
pub fn read_orders(input: impl Read, file: &str) -> Result<Vec<OrderSnapshot>, OrdersError> {
    // The newline ends a last row that lacks one, so that every row is as many lines long as it looks.
    let input = input.chain(&b"\n"[..]);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(1 << 16).from_reader(input);
    let mut record = ByteRecord::new();
    let fail = |error: csv::Error| OrdersError::Read { file: file.to_owned(), source: error.into() };
    reader.read_byte_record(&mut record).map_err(fail)?;
    let fields = record.len();
    let mut rows = Rows { file, columns: columns(&record, file)?, line: 1, day: None };
    let mut book = Book::default();
    while reader.read_byte_record(&mut record).map_err(fail)? {
        rows.line = first_line(&record, reader.position().line());
        if record.len() != fields {
            let (file, line, found) = (file.to_owned(), rows.line, record.len());
            return Err(OrdersError::Fields { file, line, found, expected: fields });
        }
        book.add(rows.order(&record)?, rows.line, file)?;
    }
    book.finish(file)
}

/// The line on which a record begins; the reader counts blank lines before it as its own.
fn first_line(record: &ByteRecord, next_line: u64) -> u64 {
    let start = record.position().map_or(0, csv::Position::line);
    if next_line.saturating_sub(start) == 1 {
        return start;
    }
    // A last piece follows the last newline, so there is one newline less than there are pieces.
    let pieces = record.as_slice().split(|byte| *byte == b'\n').count();
    next_line.saturating_sub(u64::try_from(pieces).unwrap_or(1))
}

/// Where each of [`COLUMNS`] stands.
fn columns(header: &ByteRecord, file: &str) -> Result<[usize; 8], OrdersError> {
    let mut places = [0; 8];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let named =
            |cell: &[u8]| cell.strip_prefix("\u{feff}".as_bytes()).unwrap_or(cell).trim_ascii() == column.as_bytes();
        let mut found = header.iter().enumerate().filter(|(_, cell)| named(cell)).map(|(position, _)| position);
        *place = found.next().ok_or_else(|| OrdersError::NoColumn { file: file.to_owned(), column })?;
        if found.next().is_some() {
            return Err(OrdersError::TwoColumns { file: file.to_owned(), column });
        }
    }
    Ok(places)
}

/// Reads rows one by one.
struct Rows<'a> {
    file: &'a str,
    columns: [usize; 8],
    line: u64,
    /// The day that was read last and its first second: a file has few days and many times.
    day: Option<([u8; 10], Timestamp)>,
}

impl Rows<'_> {
    fn order(&mut self, record: &ByteRecord) -> Result<OrderSnapshot, OrdersError> {
        let [id, plate, parking_id, fee, remaining, cash, entrance, exit] = [0, 1, 2, 3, 4, 5, 6, 7];
        let fee_amount = self.amount(record, fee)?.ok_or_else(|| self.wrong(fee, CellError::Empty))?;
        let cash_amount = self.amount(record, cash)?.unwrap_or(Amount::ZERO);
        let state = match self.amount(record, remaining)? {
            Some(left) => OrderState::open(fee_amount, left)
                .ok_or_else(|| self.wrong(remaining, CellError::AboveFee { part: left, fee: fee_amount }))?,
            None => OrderState::closed(fee_amount, cash_amount)
                .ok_or_else(|| self.wrong(cash, CellError::AboveFee { part: cash_amount, fee: fee_amount }))?,
        };
        let entrance_at = self.time(record, entrance)?.ok_or_else(|| self.wrong(entrance, CellError::Empty))?;
        let left_at = self.time(record, exit)?;
        if left_at.is_none() && !state.is_open() {
            return Err(self.wrong(exit, CellError::Empty));
        }
        Ok(OrderSnapshot {
            order_id: OrderId::new(self.text(record, id)?).ok_or_else(|| self.wrong(id, CellError::Empty))?,
            plate: Plate::parse(self.text(record, plate)?).ok(),
            parking_id: self.text(record, parking_id)?.to_owned(),
            parking_name: String::new(),
            entrance_at,
            exit_at: left_at.filter(|_| !state.is_open()),
            state,
        })
    }

    fn wrong(&self, column: usize, source: CellError) -> OrdersError {
        OrdersError::Cell { file: self.file.to_owned(), line: self.line, column: COLUMNS[column], source }
    }

    fn text<'r>(&self, record: &'r ByteRecord, column: usize) -> Result<&'r str, OrdersError> {
        let cell = record.get(self.columns[column]).unwrap_or_default();
        std::str::from_utf8(cell.trim_ascii()).map_err(|source| self.wrong(column, CellError::Encoding(source)))
    }

    /// `None` when the cell is empty.
    fn amount(&self, record: &ByteRecord, column: usize) -> Result<Option<Amount>, OrdersError> {
        let text = self.text(record, column)?;
        let amount = (!text.is_empty()).then(|| text.parse()).transpose();
        amount.map_err(|source: AmountError| self.wrong(column, source.into()))
    }

    /// `None` when the cell is empty.
    fn time(&mut self, record: &ByteRecord, column: usize) -> Result<Option<Timestamp>, OrdersError> {
        let text = self.text(record, column)?;
        if text.is_empty() {
            return Ok(None);
        }
        if let Some(at) = self.plain_time(text.as_bytes()) {
            return Ok(Some(at));
        }
        Timestamp::parse_wall(text).map(Some).map_err(|source| self.wrong(column, source.into()))
    }

    /// `yyyy-MM-dd HH:mm:ss` to the letter, without asking the calendar for every row.
    fn plain_time(&mut self, text: &[u8]) -> Option<Timestamp> {
        let text: &[u8; 19] = text.try_into().ok()?;
        let (date, clock) = text.split_first_chunk::<10>()?;
        let [b' ', h1, h2, b':', m1, m2, b':', s1, s2] = clock else { return None };
        let two = |tens: u8, ones: u8, below: i64| {
            let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte & 0x0f));
            let value = digit(tens)?.checked_mul(10)?.checked_add(digit(ones)?)?;
            (value < below).then_some(value)
        };
        let (hours, minutes, seconds) = (two(*h1, *h2, 24)?, two(*m1, *m2, 60)?, two(*s1, *s2, 60)?);
        let midnight = match self.day {
            Some((day, midnight)) if day == *date => midnight,
            _ => {
                let day: BusinessDate = std::str::from_utf8(date).ok()?.parse().ok()?;
                self.day.insert((*date, day.start())).1
            }
        };
        let of_day_s = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(seconds)?;
        Some(midnight.plus_s(of_day_s))
    }
}

/// The orders by id, as rows come in.
#[derive(Default)]
struct Book {
    orders: Vec<OrderSnapshot>,
    lines: Vec<u64>,
    space: KeySpace,
    positions: HashMap<Key, u32>,
    /// Two open rows that disagree, by position and lines: no matter if a closed one turns up.
    open_clashes: Vec<(u32, u64, u64)>,
}

impl Book {
    /// Takes an order in; the same again is one, and a closed one replaces an open one.
    fn add(&mut self, order: OrderSnapshot, line: u64, file: &str) -> Result<(), OrdersError> {
        let position = index(self.orders.len());
        let known = *self.positions.entry(self.space.order_key(order.order_id.as_str())).or_insert(position);
        if known == position {
            self.orders.push(order);
            self.lines.push(line);
            return Ok(());
        }
        let (other, other_line) = (&mut self.orders[at(known)], &mut self.lines[at(known)]);
        match (other.state.is_open(), order.state.is_open()) {
            (true, false) => (*other, *other_line) = (order, line),
            (false, true) => {}
            _ if *other == order => {}
            (true, true) => self.open_clashes.push((known, *other_line, line)),
            (false, false) => {
                return Err(OrdersError::Disagree {
                    file: file.to_owned(),
                    first: *other_line,
                    second: line,
                    order_id: order.order_id,
                });
            }
        }
        Ok(())
    }

    fn finish(self, file: &str) -> Result<Vec<OrderSnapshot>, OrdersError> {
        for (position, first, second) in self.open_clashes {
            let order = &self.orders[at(position)];
            if order.state.is_open() {
                let order_id = order.order_id.clone();
                return Err(OrdersError::Disagree { file: file.to_owned(), first, second, order_id });
            }
        }
        Ok(self.orders)
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    const HEADER: &str = "order_id,plate,parking_id,parking_fee,remaining_fee,cash,entrance_time,exit_time\n";

    fn read(rows: &str) -> Result<Vec<OrderSnapshot>, String> {
        read_orders(format!("{HEADER}{rows}").as_bytes(), "o.csv").map_err(|error| chain(&error))
    }

    fn chain(error: &dyn std::error::Error) -> String {
        error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {}", chain(source)))
    }

    const CLOSED: &str = "A,渝A00001,7,10.00,,2,2026-11-22 08:00:00,2026-11-22 10:00:00\n";
    const OPEN: &str = "a,渝A00001,7,10.00,4.5,,2026-11-22 08:00:00,\n";

    #[test]
    fn closed_and_open_orders_are_read_by_name() {
        let order = &read(CLOSED).unwrap()[0];
        assert_eq!(order.state, OrderState::closed("10".parse().unwrap(), "2".parse().unwrap()).unwrap());
        assert_eq!((order.parking_id.as_str(), order.plate.as_ref().unwrap().as_str()), ("7", "渝A00001"));
        assert_eq!(order.exit_at.unwrap().wall(), "2026-11-22 10:00:00");
        assert_eq!(read(OPEN).unwrap()[0].state.due(), "4.5".parse().unwrap());

        let other = "\u{feff}exit_time, cash ,note,order_id,plate,parking_id,parking_fee,remaining_fee,entrance_time\r\n\
                     2026/11/22 10:00,0,\"x,\ny\",A,渝****01,7,10,,2026-11-22T08: 00: 00\r\n";
        let order = &read_orders(other.as_bytes(), "o.csv").unwrap()[0];
        assert_eq!(order.entrance_at.wall(), "2026-11-22 08:00:00");
        assert_eq!(order.plate, None);
    }

    #[test]
    fn every_error_says_where() {
        for (rows, expected) in [
            (
                "A,渝A00001,7,1O,,2,2026-11-22 08:00:00,2026-11-22 10:00:00",
                r#"o.csv:2, column "parking_fee": `1O` is not an amount of money"#,
            ),
            ("\n\nA,p,7,,,2,2026-11-22 08:00:00,", r#"o.csv:4, column "parking_fee": is empty"#),
            (
                "A,p,7,1,,2,2026-11-22 08:00:00,2026-11-22 10:00:00\n",
                r#"o.csv:2, column "cash": 2.00 is more than the parking fee, 1.00"#,
            ),
            (
                "A,p,7,1,2,,2026-11-22 08:00:00,",
                r#"o.csv:2, column "remaining_fee": 2.00 is more than the parking fee, 1.00"#,
            ),
            (
                "A,p,7,1,,0,2026-11-31 08:00:00,",
                r#"o.csv:2, column "entrance_time": `2026-11-31 08:00:00` is not a time; expected yyyy-MM-dd HH:mm:ss"#,
            ),
            (
                "A,p,7,1,,0,2026-11-22 08:00:60,",
                r#"o.csv:2, column "entrance_time": `2026-11-22 08:00:60` is not a time; expected yyyy-MM-dd HH:mm:ss"#,
            ),
            ("A,p,7,1,,0,2026-11-22 08:00:00,", r#"o.csv:2, column "exit_time": is empty"#),
            (
                "A,p,\"7\n\",1,1,0,2026-11-22 08:00:00,\n\"\n \",p,7,1,1,,2026-11-22 08:00:00,",
                r#"o.csv:4, column "order_id": is empty"#,
            ),
            ("\n\nA,p,7,1\n", "o.csv:4: 4 fields where the header has 8"),
        ] {
            assert_eq!(read(rows).unwrap_err(), expected, "{rows}");
        }
        let latin = [HEADER.as_bytes(), b"A,\xe9,7,1,1,0,2026-11-22 08:00:00,\n"].concat();
        let error = chain(&read_orders(latin.as_slice(), "o.csv").unwrap_err());
        assert!(error.starts_with(r#"o.csv:2, column "plate": is not UTF-8"#), "{error}");
    }

    #[test]
    fn the_header_must_name_each_column_once() {
        let error = |header: &str| read_orders(header.as_bytes(), "o.csv").unwrap_err().to_string();
        assert!(error("").starts_with("o.csv:1: no column \"order_id\"\nhint: the header is order_id,plate,"));
        assert!(error(&HEADER.replace(",cash", "")).starts_with("o.csv:1: no column \"cash\""));
        assert_eq!(error(&HEADER.replace("cash", "plate")), "o.csv:1: the column \"plate\" stands twice");
        assert_eq!(read("").unwrap(), []);
    }

    #[test]
    fn the_same_order_again_is_one_and_closed_wins_over_open() {
        let again = CLOSED.replace("A,", "a,");
        assert_eq!(read(&format!("{CLOSED}{again}")).unwrap().len(), 1);
        assert_eq!(read(&format!("{OPEN}{OPEN}")).unwrap().len(), 1);
        for rows in [format!("{OPEN}{CLOSED}"), format!("{CLOSED}{OPEN}")] {
            assert_eq!(read(&rows).unwrap(), read(CLOSED).unwrap());
        }
    }

    #[test]
    fn two_rows_that_disagree_are_both_named() {
        let hint = "hint: keep one of them; of an open and a closed row the closed one is taken";
        let other = CLOSED.replace("10.00", "11.00");
        let error = read(&format!("{CLOSED}\n{other}")).unwrap_err();
        assert_eq!(error, format!("o.csv:2 and o.csv:4 disagree on order A\n{hint}"));
        let other = OPEN.replace("4.5", "5.5");
        let error = read(&format!("{OPEN}{other}")).unwrap_err();
        assert_eq!(error, format!("o.csv:2 and o.csv:3 disagree on order a\n{hint}"));
    }

    #[test]
    fn a_closed_row_settles_what_open_ones_disagree_on_wherever_it_stands() {
        let other = OPEN.replace("4.5", "5.5");
        for rows in [[OPEN, &other, CLOSED], [OPEN, CLOSED, &other], [CLOSED, OPEN, &other]] {
            assert_eq!(read(&rows.concat()).unwrap(), read(CLOSED).unwrap());
        }
    }
}
