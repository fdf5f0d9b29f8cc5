//! `WeChat` Pay's two bills: the frame that they share.
//!
//! The header is plain; every value below has a backtick before it, so that a line is split at a comma with a backtick
//! behind and commas inside values do no harm. The last two lines are the totals, by which a cut download is told; a file
//! of several days may have several such blocks. Source: `bill-formats.md` 2a, 2b.

mod fundflow;
mod trade;

use std::io::Read;

use self::fundflow::Fundflow;
use self::trade::Trade;
use super::header::{Fields, Header, folded};
use super::lines::Lines;
use super::reading::{Reading, Row};
use super::totals::{Sum, compare_count, compare_sum};
use super::{BillError, shortened};

/// What stands before every value.
const MARK: char = '`';

/// What differs between the two bills: their columns, their rows, and what was added up of them.
trait Table: Sized {
    /// The first name of the header, and of the totals.
    const FIRST: [&'static str; 2];

    /// Finds the columns.
    fn of(header: &Header) -> Result<Self, BillError>;

    /// Reads one row and adds it up.
    fn row(&mut self, row: &Row<'_>, reading: &mut Reading<'_>) -> Result<(), BillError>;

    /// What was added up under each of the names that the totals may have.
    fn totals(&self) -> Vec<(&'static [&'static str], Counted)>;
}

/// What a total is to be compared with.
#[derive(Clone, Copy)]
enum Counted {
    Rows(u64),
    Sum(Sum),
}

/// Reads a 交易账单.
///
/// # Errors
/// When the bill is refused.
pub(super) fn read_trade(input: impl Read, reading: &mut Reading<'_>) -> Result<(), BillError> {
    read_table::<Trade>(input, reading)
}

/// Reads a 资金账单.
///
/// # Errors
/// When the bill is refused.
pub(super) fn read_fundflow(input: impl Read, reading: &mut Reading<'_>) -> Result<(), BillError> {
    read_table::<Fundflow>(input, reading)
}

fn read_table<T: Table>(input: impl Read, reading: &mut Reading<'_>) -> Result<(), BillError> {
    let mut lines = Lines::new(input);
    let mut fields = Fields::default();
    let mut found: Option<(Header, T)> = None;
    let mut is_complete = false;
    while lines.advance()? {
        let (text, line) = (lines.text().trim(), lines.number());
        if let Some(values) = text.strip_prefix(MARK) {
            let Some((header, table)) = found.as_mut().filter(|_| !is_complete) else {
                return Err(BillError::BehindTheEnd { line, value: shortened(values, 40) });
            };
            fields.split(values, ",`");
            if fields.len() != header.len() {
                let value = shortened(fields.get(values, 0), 40);
                return Err(BillError::Fields { line, found: fields.len(), expected: header.len(), value });
            }
            reading.show(line, header.names(), || fields.all(values));
            table.row(&Row { header, fields: &fields, text: values, line }, reading)?;
            continue;
        }
        let header = Header::new(text.split(','), line);
        let first = header.names().first().map(|name| folded(name)).unwrap_or_default();
        if first == folded(T::FIRST[0]) {
            if found.is_some() && !is_complete {
                return Err(BillError::TotalsMissing { line, what: "the totals of the table before this one".into() });
            }
            reading.begin_table(&header)?;
            let table = T::of(&header)?;
            (found, is_complete) = (Some((header, table)), false);
        } else if first == folded(T::FIRST[1]) && !is_complete {
            let Some((_, table)) = &found else {
                return Err(BillError::BehindTheEnd { line, value: shortened(text, 40) });
            };
            let counted = table.totals();
            if !lines.advance()? {
                return Err(BillError::TotalsMissing { line, what: "the values of the totals".to_owned() });
            }
            compare(&header, lines.text().trim(), &counted, lines.number())?;
            is_complete = true;
        } else if found.is_none() {
            let what = format!("no bill of this format: it begins with `{}`", shortened(text, 40));
            return Err(BillError::Unsupported { what, hint: "set the profile to `auto`, or see what the file is" });
        } else {
            return Err(BillError::BehindTheEnd { line, value: shortened(text, 40) });
        }
    }
    if is_complete {
        return Ok(());
    }
    Err(BillError::TotalsMissing { line: lines.number(), what: format!("the totals (`{},…`)", T::FIRST[1]) })
}

/// The totals by their names: a bill need not have all of them, but the number of its rows and one sum.
fn compare(
    names: &Header,
    text: &str,
    counted: &[(&'static [&'static str], Counted)],
    line: u64,
) -> Result<(), BillError> {
    let values = text.strip_prefix(MARK).unwrap_or(text);
    let mut fields = Fields::default();
    fields.split(values, if text.starts_with(MARK) { ",`" } else { "," });
    if fields.len() != names.len() {
        let value = shortened(values, 40);
        return Err(BillError::Fields { line, found: fields.len(), expected: names.len(), value });
    }
    let (mut has_rows, mut has_sum) = (false, false);
    for (aliases, counted) in counted {
        let Some(at) = names.find(aliases) else { continue };
        match counted {
            Counted::Rows(rows) => {
                compare_count(names.name(at), fields.get(values, at), *rows, line)?;
                has_rows = true;
            }
            Counted::Sum(sum) => {
                compare_sum(names.name(at), fields.get(values, at), *sum, line)?;
                has_sum = true;
            }
        }
    }
    if has_rows && has_sum {
        return Ok(());
    }
    Err(BillError::TotalsMissing { line, what: "the number of rows and their sums among the totals".to_owned() })
}
