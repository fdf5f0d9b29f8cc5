//! The table of all dispositions with the tie-out, as aligned plain lines: the same on a terminal and in a pipe.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use crate::model::disposition::BILL_DISAGREES;
use crate::model::{Difference, Disposition, Side, Total};
use crate::report::Lang;
use crate::report::data::{Bucket, ExceptionStatus, ReportData};

/// The columns: name for machines, for people, then count and sum of either side.
const COLUMNS: usize = 6;

/// What stands in a cell that a row cannot fill.
const NONE: &str = "-";

/// Every disposition of the product's table, empty ones too, the two that stand beside, and the sums.
pub fn dispositions(data: &ReportData, lang: Lang) -> String {
    let zh = lang == Lang::Zh;
    let pick = |chinese: &'static str, english: &'static str| if zh { chinese } else { english }.to_owned();
    let mut rows = vec![[
        pick("对账结果", "disposition"),
        pick("名称", "means"),
        pick("支付笔数", "payments"),
        pick("支付金额", "amount"),
        pick("订单笔数", "orders"),
        pick("订单金额", "amount"),
    ]];
    for disposition in Disposition::ALL {
        let side = |side: Side, buckets: &[Bucket]| {
            let total = total_of(buckets, *disposition);
            if disposition.applies_to(side) { cells(total) } else { [NONE.to_owned(), NONE.to_owned()] }
        };
        let [payments, paid] = side(Side::Payment, &data.payments);
        let [orders, due] = side(Side::Order, &data.orders);
        let words = lang.disposition(*disposition).to_owned();
        rows.push([disposition.name().to_owned(), words, payments, paid, orders, due]);
    }
    rows.push(sums(pick("合计", "total"), sum(&data.payments), Some(sum(&data.orders))));
    let came_in = (data.tie_out.payments.came_in, data.tie_out.orders.came_in);
    rows.push(sums(pick("收到", "came in"), came_in.0, Some(came_in.1)));
    let [count, amount] = cells(bill_disagrees(data));
    let beside = lang.kind(BILL_DISAGREES).to_owned();
    rows.push([BILL_DISAGREES.to_owned(), beside, count, amount, NONE.to_owned(), NONE.to_owned()]);
    let [count, amount] = cells(data.refunds.unmatched);
    let refund = pick("退款无原单(退款)", "refund without its payment (refunds)");
    rows.push(["refund_unmatched".to_owned(), refund, count, amount, NONE.to_owned(), NONE.to_owned()]);
    let mut text = aligned(&rows);
    text.push_str(match (data.tie_out.holds, zh) {
        (true, true) => "总分核对: 相符,每笔支付、每个订单恰有一个结果\n",
        (true, false) => "tie-out: holds; every payment and every order has exactly one outcome\n",
        (false, true) => "总分核对: 不符\n",
        (false, false) => "tie-out: does not hold\n",
    });
    text
}

/// The payments whose trade bill and ledger differ, in count and money.
pub fn bill_disagrees(data: &ReportData) -> Total {
    let mut total = Total::default();
    let open = data.exception_rows.iter().filter(|row| row.status != ExceptionStatus::Resolved);
    for row in open.filter(|row| row.kind == BILL_DISAGREES) {
        total.add_fen(row.paid.unwrap_or(Difference::ZERO).fen());
    }
    total
}

fn total_of(buckets: &[Bucket], disposition: Disposition) -> Total {
    buckets.iter().find(|bucket| bucket.disposition == disposition).map(|bucket| bucket.total).unwrap_or_default()
}

fn sum(buckets: &[Bucket]) -> Total {
    buckets.iter().fold(Total::default(), |mut sum, bucket| {
        sum.merge(bucket.total);
        sum
    })
}

fn cells(total: Total) -> [String; 2] {
    [total.count.to_string(), total.amount()]
}

fn sums(words: String, payments: Total, orders: Option<Total>) -> [String; COLUMNS] {
    let [count, paid] = cells(payments);
    let [orders, due] = cells(orders.unwrap_or_default());
    [String::new(), words, count, paid, orders, due]
}

/// Names to the left, numbers to the right; a Chinese character takes two columns.
fn aligned(rows: &[[String; COLUMNS]]) -> String {
    let mut widths = [0_usize; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
            let padding = " ".repeat(width.saturating_sub(cell.width()));
            let (before, after) = if index < 2 { ("", padding.as_str()) } else { (padding.as_str(), "") };
            write!(line, "{before}{cell}{after}  ").expect("a String takes everything");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
