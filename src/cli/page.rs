//! The answer for people: lines and tables, with borders and colours on a terminal, plain in a pipe.

use std::fmt::{Display, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, Table, presets};

use super::console::Console;
use super::words::pick;
use crate::bills::SetAside;
use crate::recon::Tally;
use crate::report::{Lang, visible};

/// Good news.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Something to look at.
pub const LOOK: Style = AnsiColor::Yellow.on_default();
/// Bad news.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// How much of a list is shown below its line.
pub const SHOWN: usize = 20;
const TITLE: Style = Style::new().bold();

/// A text that grows from top to bottom.
pub struct Page {
    text: String,
    terminal: bool,
}

impl Page {
    /// An empty page for that console.
    pub fn new(console: &Console) -> Self {
        Self { text: String::new(), terminal: console.is_terminal() }
    }

    /// Adds a line.
    pub fn line(&mut self, line: impl Display) {
        // Writing to a String cannot fail.
        writeln!(self.text, "{line}").expect("a String takes everything");
    }

    /// Adds a coloured line.
    pub fn colored(&mut self, style: Style, line: impl Display) {
        self.line(format_args!("{style}{line}{style:#}"));
    }

    /// Adds rows that a bill had set aside: the first of them, with what stands there.
    pub fn set_aside(&mut self, lang: Lang, rows: &[SetAside]) {
        for row in rows.iter().take(SHOWN) {
            let told = row.to_string();
            let value = if told.contains(&row.value) { String::new() } else { format!(" [{}]", row.value) };
            self.line(format_args!("  {}{}", visible(&told), visible(&value)));
        }
        self.more(lang, rows.len());
    }

    /// Says that a list went on, if it was longer than what is shown of it.
    pub fn more(&mut self, lang: Lang, length: usize) {
        if let more @ 1.. = length.saturating_sub(SHOWN) {
            self.line(match lang {
                Lang::Zh => format!("  … 另有 {more} 行"),
                Lang::En => format!("  … and {more} more"),
            });
        }
    }

    /// Adds a table.
    pub fn grid(&mut self, grid: &Grid) {
        for line in grid.lines(self.terminal) {
            self.line(line);
        }
    }

    /// What was written so far.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A table: cells of one line each.
pub struct Grid {
    header: Vec<&'static str>,
    right: Vec<usize>,
    rows: Vec<(Vec<String>, Style)>,
}

impl Grid {
    /// A table with these columns, some of them aligned to the right.
    pub fn new(header: &[&'static str], right: &[usize]) -> Self {
        Self { header: header.to_vec(), right: right.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.styled(Style::new(), cells);
    }

    /// Adds a coloured row.
    pub fn styled<const N: usize>(&mut self, style: Style, cells: [String; N]) {
        let cells = cells.into_iter().map(|cell| visible(&cell).into_owned()).collect();
        self.rows.push((cells, style));
    }

    fn lines(&self, terminal: bool) -> Vec<String> {
        let mut table = Table::new();
        table.load_style(if terminal { presets::UTF8_FULL_CONDENSED } else { presets::NOTHING });
        table.set_header(self.header.clone());
        for (cells, _) in &self.rows {
            table.add_row(cells.clone());
        }
        for index in &self.right {
            if let Some(column) = table.column_mut(*index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        if !terminal {
            for column in table.column_iter_mut() {
                column.set_padding((0, 2));
            }
        }
        // No cell has a second line, so each row is one line below the header's.
        let above = if terminal { 3 } else { 1 };
        let style_of =
            |line: usize| line.checked_sub(above).and_then(|row| self.rows.get(row)).map(|(_, style)| *style);
        let paint = |(index, line): (usize, String)| match style_of(index) {
            Some(style) => format!("{style}{}{style:#}", line.trim_end()),
            None => line.trim_end().to_owned(),
        };
        table.lines().enumerate().map(paint).collect()
    }
}

/// The dispositions of payments and orders with counts and amounts; exceptions stand out.
pub fn dispositions(lang: Lang, payments: &Tally, orders: &Tally) -> Grid {
    let header = match lang {
        Lang::Zh => ["对账结果", "名称", "支付笔数", "支付金额", "订单数", "订单金额"],
        Lang::En => ["disposition", "中文", "payments", "amount", "orders", "amount"],
    };
    let mut grid = Grid::new(&header, &[2, 3, 4, 5]);
    let money = |total: crate::model::Total| {
        let used = total.count > 0;
        [if used { total.count.to_string() } else { String::new() }, if used { total.grouped() } else { String::new() }]
    };
    for disposition in crate::model::Disposition::ALL {
        let (of_payments, of_orders) = (payments.get(*disposition), orders.get(*disposition));
        if of_payments.count == 0 && of_orders.count == 0 {
            continue;
        }
        let names = [disposition.chinese().to_owned(), disposition.name().to_owned()];
        let [first, second] = match (lang, names) {
            (Lang::Zh, names) => names,
            (Lang::En, [chinese, name]) => [name, chinese],
        };
        let ([pay_count, pay_sum], [order_count, order_sum]) = (money(of_payments), money(of_orders));
        let style = if disposition.is_exception() { LOOK } else { Style::new() };
        grid.styled(style, [first, second, pay_count, pay_sum, order_count, order_sum]);
    }
    let (all_payments, all_orders) = (payments.total(), orders.total());
    let total = pick(lang, "合计", "total").to_owned();
    grid.styled(
        TITLE,
        [
            total,
            String::new(),
            all_payments.count.to_string(),
            all_payments.grouped(),
            all_orders.count.to_string(),
            all_orders.grouped(),
        ],
    );
    grid
}
