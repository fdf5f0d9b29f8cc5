//! Alipay's two bills: the frame that they share.
//!
//! Comment lines begin with `#`: a title, the account, the period, marks around the table, and the totals by which a cut
//! download is told. Nothing is quoted: a comma in a product's name shifts the fields behind it, so the name is what
//! stands before the next time. Source: `bill-formats.md` 1a, 1b.

mod ledger;
mod trade;

use std::io::Read;

use self::ledger::Ledger;
use self::trade::Trade;
use super::header::{Fields, Header, folded};
use super::lines::Lines;
use super::reading::{Reading, Row};
use super::totals::{Sum, compare_count, compare_sum};
use super::{BillError, shortened};
use crate::model::{BusinessDate, Timestamp};

/// The column with the merchant's own words, in which commas are likeliest.
const REMARK: &str = "备注";

/// What differs between the two bills: their columns, their rows, and what was added up of them.
trait Table: Sized {
    /// A column whose text may hold commas, and the columns with times that stand right behind it.
    const FREE_TEXT: (&'static str, &'static [&'static str]);
    /// How the two lines with totals begin.
    const TOTALS: [&'static str; 2];

    /// Finds the columns.
    fn of(header: &Header) -> Result<Self, BillError>;

    /// Reads one row and adds it up.
    fn row(&mut self, row: &Row<'_>, reading: &mut Reading<'_>) -> Result<(), BillError>;

    /// What was added up for the line of [`Table::TOTALS`] at `which`.
    fn totals(&self, which: usize) -> Totals;
}

/// What a line of totals states.
#[derive(Clone, Copy, Default)]
struct Totals {
    rows: u64,
    /// What is called 商家实收, or has no name but 共.
    sum: Sum,
    /// What older bills call 交易金额: some mean the orders' amounts by it, some what was received.
    gross: Sum,
    /// 商家优惠, 优惠金额.
    discount: Sum,
}

/// Reads a 业务明细.
///
/// # Errors
/// When the bill is refused.
pub(super) fn read_trade(input: impl Read, reading: &mut Reading<'_>) -> Result<(), BillError> {
    read_table::<Trade>(input, reading)
}

/// Reads a 账务明细.
///
/// # Errors
/// When the bill is refused.
pub(super) fn read_ledger(input: impl Read, reading: &mut Reading<'_>) -> Result<(), BillError> {
    read_table::<Ledger>(input, reading)
}

/// A table whose header was read.
struct Found<T> {
    header: Header,
    anchor: Option<Anchor>,
    table: T,
}

/// Where the free text stands, and how many columns with times follow it.
#[derive(Clone, Copy)]
struct Anchor {
    at: usize,
    times: usize,
}

fn read_table<T: Table>(input: impl Read, reading: &mut Reading<'_>) -> Result<(), BillError> {
    let mut lines = Lines::new(input);
    let mut fields = Fields::default();
    let mut found: Option<Found<T>> = None;
    let mut is_over = false;
    let mut is_stated = [false; 2];
    while lines.advance()? {
        let (text, line) = (lines.text(), lines.number());
        if let Some(comment) = text.trim_start().trim_start_matches('"').strip_prefix('#') {
            // A spreadsheet that saved the file anew filled the line up with commas.
            let comment = comment.trim_end_matches([',', ' ', '\t', '"']);
            // Totals end the table too: a row behind them would be in none.
            let which = T::TOTALS.iter().position(|word| comment.starts_with(word));
            is_over |= comment.contains("列表结束") || which.is_some();
            if comment.starts_with("起始日期") {
                reading.summary.widen_period(period(comment));
            }
            if let Some(which) = which {
                let totals = found.as_ref().map(|found| found.table.totals(which)).unwrap_or_default();
                compare(comment, totals, line)?;
                is_stated[which] = true;
            }
            continue;
        }
        if is_over {
            return Err(BillError::BehindTheEnd { line, value: shortened(text, 40) });
        }
        fields.split(text, ",");
        let Some(Found { header, anchor, table }) = &mut found else {
            let header = Header::new(fields.all(text).into_iter(), line);
            let table = T::of(&header)?;
            reading.begin_table(&header)?;
            let anchor = anchor::<T>(&header);
            found = Some(Found { header, anchor, table });
            continue;
        };
        let is_refitted = fit(&mut fields, text, header, *anchor, line)?;
        reading.show(line, header.names(), || fields.all(text));
        let row = Row { header, fields: &fields, text, line };
        if is_refitted {
            look_at_amounts(&row)?;
        }
        table.row(&row, reading)?;
    }
    let missing = |what: &str| Err(BillError::TotalsMissing { line: lines.number(), what: what.to_owned() });
    if found.is_none() {
        return missing("the table with its header");
    }
    match T::TOTALS.iter().zip(is_stated).find(|(_, is_stated)| !is_stated) {
        Some((word, _)) => missing(&format!("the line `#{word}`")),
        None => Ok(()),
    }
}

/// `None` where the columns are in another order.
fn anchor<T: Table>(header: &Header) -> Option<Anchor> {
    let (text, times) = T::FREE_TEXT;
    let at = header.find(&[text])?;
    let follows =
        |(n, time): (usize, &&str)| header.find(&[time]) == at.checked_add(n).and_then(|at| at.checked_add(1));
    times.iter().enumerate().all(follows).then_some(Anchor { at, times: times.len() })
}

/// Makes as many fields of a row as the header has: the free text reaches to the times behind it, which cannot be mistaken,
/// and what is left over after that belongs to the remark. `true` when something was put together.
fn fit(fields: &mut Fields, text: &str, header: &Header, anchor: Option<Anchor>, line: u64) -> Result<bool, BillError> {
    let expected = header.len();
    let found = fields.len();
    if let Some(Anchor { at, times }) = anchor.filter(|_| found > expected) {
        let is_time = |place: usize| Timestamp::parse_wall(fields.get(text, place)).is_ok();
        let mut behind = at.saturating_add(1)..found;
        if let Some(behind) = behind.find(|from| (*from..from.saturating_add(times)).all(is_time)) {
            fields.join(at, behind.saturating_sub(1));
        }
    }
    if let Some(remark) = header.find(&[REMARK]).filter(|_| fields.len() > expected) {
        fields.join(remark, remark.saturating_add(fields.len().saturating_sub(expected)));
    }
    if fields.len() == expected {
        return Ok(found != expected);
    }
    let value = shortened(fields.get(text, 0), 40);
    Err(BillError::Fields { line, found, expected, value })
}

/// A comma may stand elsewhere than was thought, and then the columns behind it are not what they seem.
fn look_at_amounts(row: &Row<'_>) -> Result<(), BillError> {
    let amounts = row.header.names().iter().enumerate().filter(|(_, name)| folded(name).ends_with("元)"));
    for (at, _) in amounts {
        row.signed(at)?;
    }
    Ok(())
}

/// `起始日期：[2026年03月17日 00:00:00]   终止日期：[2026年03月18日 00:00:00]`; the end is the first moment that does not
/// belong to it.
fn period(comment: &str) -> Option<(BusinessDate, BusinessDate)> {
    let mut times = comment.split('[').skip(1).map(|part| {
        let text = part.split(']').next().unwrap_or_default();
        Timestamp::parse_wall(&text.replace(['年', '月'], "-").replace('日', "")).ok()
    });
    let (first, end) = (times.next()??, times.next()??);
    let last = if end > first { end.plus_s(-1) } else { end };
    Some((first.business_date(), last.business_date()))
}

/// `交易合计：14笔，商家实收共1443.00元，商家优惠共3.00元` against what was added up.
fn compare(comment: &str, totals: Totals, line: u64) -> Result<(), BillError> {
    let (title, stated) = comment.split_once(['：', ':']).unwrap_or((comment, ""));
    let (mut has_rows, mut has_sum) = (false, false);
    for part in stated.split(['，', ',']) {
        let number = number_in(part);
        let what = format!("{title} {}", part.trim_matches(|c: char| c.is_ascii() || c == '元'));
        if part.contains('笔') {
            compare_count(&what, number, totals.rows, line)?;
            has_rows = true;
        } else if part.contains("优惠") {
            compare_sum(&what, number, totals.discount, line)?;
        } else if part.contains("交易金额") || part.contains("退款金额") {
            compare_sum(&what, number, totals.gross, line).or_else(|_| compare_sum(&what, number, totals.sum, line))?;
            has_sum = true;
        } else if part.contains('共') {
            compare_sum(&what, number, totals.sum, line)?;
            has_sum = true;
        }
    }
    if has_rows && has_sum {
        return Ok(());
    }
    Err(BillError::TotalsMissing { line, what: format!("the count and the sum of `#{}`", shortened(comment, 60)) })
}

/// The number in `商家实收共-60.00元`.
fn number_in(text: &str) -> &str {
    text.trim_matches(|c: char| !(c.is_ascii_digit() || c == '-'))
}
