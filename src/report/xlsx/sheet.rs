//! One sheet: a frozen header that filters, columns of one kind each, rows written as they come.

use rust_xlsxwriter::{ExcelDateTime, Format, FormatAlign, FormatBorder, IgnoreError, Workbook, Worksheet};

use super::WorkbookError;
use super::number::number;
use crate::model::{Amount, BusinessDate, ChannelFee, Difference, FeeTotal, Timestamp, Total};
use crate::report::escape::spreadsheet_cell;

/// Rows of a sheet below its header.
const MAX_ROWS: u32 = 1_048_575;

/// Characters of a cell; a spreadsheet takes 32,767, in UTF-16.
const MAX_CHARACTERS: usize = 16_000;

/// A column.
pub(super) struct Column {
    /// What stands above it.
    pub header: &'static str,
    /// Its width, in digits.
    pub width: u16,
}

/// What stands in a cell.
pub(super) enum Cell {
    /// Nothing.
    Empty,
    /// A text, of ours or from outside, made harmless already.
    Text(String),
    /// A plain decimal of money, with two places.
    Money(String),
    /// A channel's fee, a plain decimal with up to five.
    Fee(String),
    /// A number of things.
    Count(u64),
    /// A day.
    Day(BusinessDate),
    /// A moment.
    Moment(Timestamp),
}

impl Cell {
    /// A text, harmless and not too long for a cell.
    pub(super) fn text(text: &str) -> Self {
        if text.is_empty() { Self::Empty } else { Self::Text(cut(&spreadsheet_cell(text))) }
    }

    /// A text that may be missing.
    pub(super) fn some(text: Option<&String>) -> Self {
        text.map_or(Self::Empty, |text| Self::text(text))
    }
}

impl From<Amount> for Cell {
    fn from(amount: Amount) -> Self {
        Self::Money(amount.to_string())
    }
}

impl From<Difference> for Cell {
    fn from(difference: Difference) -> Self {
        Self::Money(difference.to_string())
    }
}

impl From<ChannelFee> for Cell {
    fn from(fee: ChannelFee) -> Self {
        Self::Fee(fee.to_string())
    }
}

impl From<FeeTotal> for Cell {
    fn from(fee: FeeTotal) -> Self {
        Self::Fee(fee.to_string())
    }
}

impl From<&Total> for Cell {
    fn from(total: &Total) -> Self {
        Self::Money(total.amount())
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The looks of the cells.
pub(super) struct Formats {
    header: Format,
    text: Format,
    money: Format,
    fee: Format,
    count: Format,
    day: Format,
    moment: Format,
}

impl Formats {
    pub(super) fn new() -> Self {
        Self {
            header: Format::new().set_bold().set_border_bottom(FormatBorder::Thin).set_align(FormatAlign::Top),
            text: Format::new().set_num_format("@"),
            money: Format::new().set_num_format("#,##0.00"),
            fee: Format::new().set_num_format("#,##0.00###"),
            count: Format::new().set_num_format("#,##0"),
            day: Format::new().set_num_format("yyyy-mm-dd"),
            moment: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
        }
    }
}

/// Writes a sheet, and further ones of the same name with a number where a sheet has not enough rows.
pub(super) fn write(
    book: &mut Workbook,
    name: &str,
    columns: &[Column],
    rows: impl Iterator<Item = Vec<Cell>>,
    formats: &Formats,
) -> Result<(), WorkbookError> {
    let mut rows = rows.peekable();
    let mut part = 1_u32;
    loop {
        let title = if part == 1 { name.to_owned() } else { format!("{name} {part}") };
        let sheet = book.add_worksheet_with_constant_memory()?;
        begin(sheet, &title, columns, formats)?;
        let mut last = 0;
        while last < MAX_ROWS {
            let Some(cells) = rows.next() else { break };
            last = last.saturating_add(1);
            for (column, cell) in (0_u16..).zip(cells) {
                put(sheet, (last, column), &cell, formats)?;
            }
        }
        let last_column = u16::try_from(columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
        sheet.autofilter(0, 0, last.max(1), last_column)?;
        // Ids of digits are meant to be text.
        sheet.ignore_error_range(0, 0, last.max(1), last_column, IgnoreError::NumberStoredAsText)?;
        if rows.peek().is_none() {
            return Ok(());
        }
        part = part.saturating_add(1);
    }
}

fn begin(sheet: &mut Worksheet, title: &str, columns: &[Column], formats: &Formats) -> Result<(), WorkbookError> {
    sheet.set_name(title)?;
    sheet.set_freeze_panes(1, 0)?;
    for (index, column) in (0_u16..).zip(columns) {
        sheet.set_column_width(index, column.width)?;
        sheet.write_string_with_format(0, index, column.header, &formats.header)?;
    }
    Ok(())
}

fn put(sheet: &mut Worksheet, (row, column): (u32, u16), cell: &Cell, formats: &Formats) -> Result<(), WorkbookError> {
    let at = (row, column);
    match cell {
        Cell::Empty => {}
        Cell::Text(shown) => write_text(sheet, at, shown, formats)?,
        Cell::Money(decimal) => write_number(sheet, at, decimal, (&formats.money, formats))?,
        Cell::Fee(decimal) => write_number(sheet, at, decimal, (&formats.fee, formats))?,
        Cell::Count(count) => write_number(sheet, at, &count.to_string(), (&formats.count, formats))?,
        Cell::Day(day) => dated(sheet, (row, column), &day.to_string(), &formats.day)?,
        Cell::Moment(at) => dated(sheet, (row, column), &at.wall(), &formats.moment)?,
    }
    Ok(())
}

fn write_text(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    text: &str,
    formats: &Formats,
) -> Result<(), WorkbookError> {
    Ok(sheet.write_string_with_format(row, column, text, &formats.text).map(drop)?)
}

/// A decimal as a number, or as text where a spreadsheet would not keep all of it.
fn write_number(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    decimal: &str,
    (format, formats): (&Format, &Formats),
) -> Result<(), WorkbookError> {
    match number(decimal) {
        Some(number) => Ok(sheet.write_number_with_format(row, column, number, format).map(drop)?),
        None => write_text(sheet, (row, column), decimal, formats),
    }
}

/// A day or a moment as a date, or as text where a spreadsheet has no such date: its first year is 1900.
fn dated(sheet: &mut Worksheet, (row, column): (u32, u16), text: &str, format: &Format) -> Result<(), WorkbookError> {
    match ExcelDateTime::parse_from_str(text) {
        Ok(date) => sheet.write_datetime_with_format(row, column, &date, format)?,
        Err(_) => sheet.write_string(row, column, text)?,
    };
    Ok(())
}
