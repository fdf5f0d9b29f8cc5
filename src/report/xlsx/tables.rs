//! The sheets that list things, a line each.

use super::sheet::{Cell, Column};
use super::words::words;
use crate::model::Disposition;
use crate::report::data::{ExceptionRow, RefundOwed};
use crate::report::lang::Lang;
use crate::report::ledger::{NotificationLine, OrderLine, PaymentLine};

/// Widths of what stands in most columns.
const ID: u16 = 34;
const NAME: u16 = 18;
const CODE: u16 = 24;
const PLATE: u16 = 12;
const MONEY: u16 = 15;
const DAY: u16 = 12;
const MOMENT: u16 = 20;
const SENTENCE: u16 = 48;

fn columns<const N: usize>(of: [(&'static str, u16); N]) -> Vec<Column> {
    of.into_iter().map(|(header, width)| Column { header, width }).collect()
}

/// The columns of the exceptions, those of the CSV.
pub(super) fn exception_columns(lang: Lang) -> Vec<Column> {
    let words = lang.words();
    columns([
        (words.id, 8),
        (words.kind, NAME),
        (words.kind_name, CODE),
        (words.status, 10),
        (words.date, DAY),
        (words.payment_id, ID),
        (words.external_order_id, ID),
        (words.order_id, ID),
        (words.plate, PLATE),
        (words.paid, MONEY),
        (words.due, MONEY),
        (words.difference, MONEY),
        (words.at, MOMENT),
        (words.first_seen, DAY),
        (words.age_days, 10),
        (words.why, SENTENCE),
        (words.note, SENTENCE),
    ])
}

pub(super) fn exception(row: &ExceptionRow, lang: Lang) -> Vec<Cell> {
    vec![
        row.id.map_or(Cell::Empty, |id| Cell::Text(id.to_string())),
        Cell::text(lang.kind(&row.kind)),
        Cell::text(&row.kind),
        Cell::text(lang.exception_status(row.status)),
        Cell::Day(row.date),
        Cell::some(row.payment_id.as_ref()),
        Cell::some(row.external_order_id.as_ref()),
        Cell::some(row.order_id.as_ref()),
        Cell::some(row.plate.as_ref()),
        row.paid.map_or(Cell::Empty, Cell::from),
        row.due.map_or(Cell::Empty, Cell::from),
        row.difference.into(),
        row.at.map_or(Cell::Empty, Cell::Moment),
        Cell::Day(row.first_seen),
        Cell::Count(u64::from(row.age_days)),
        Cell::text(row.why.of(lang)),
        Cell::some(row.note.as_ref()),
    ]
}

/// The columns of the refunds owed.
pub(super) fn refund_columns(lang: Lang) -> Vec<Column> {
    let (common, own) = (lang.words(), words(lang));
    columns([
        (common.kind, NAME),
        (common.date, DAY),
        (own.source, NAME),
        (common.channel, PLATE),
        (common.payment_id, ID),
        (common.external_order_id, ID),
        (common.order_id, ID),
        (common.plate, PLATE),
        (common.amount, MONEY),
        (own.paid_at, MOMENT),
    ])
}

pub(super) fn refund_owed(owed: &RefundOwed, lang: Lang) -> Vec<Cell> {
    vec![
        Cell::text(lang.kind(&owed.kind)),
        Cell::Day(owed.date),
        Cell::text(&owed.source),
        Cell::text(&owed.channel),
        Cell::text(&owed.payment_id),
        Cell::text(&owed.external_order_id),
        Cell::some(owed.order_id.as_ref()),
        Cell::some(owed.plate.as_ref()),
        owed.amount.into(),
        Cell::Moment(owed.paid_at),
    ]
}

/// The columns of the payments.
pub(super) fn payment_columns(lang: Lang) -> Vec<Column> {
    let (common, own) = (lang.words(), words(lang));
    columns([
        (common.disposition, NAME),
        (common.kind_name, CODE),
        (own.paid_at, MOMENT),
        (own.source, NAME),
        (common.channel, PLATE),
        (common.payment_id, ID),
        (common.external_order_id, ID),
        (common.order_id, ID),
        (common.plate, PLATE),
        (own.gross, MONEY),
        (own.refunded, MONEY),
        (own.net, MONEY),
        (common.fee, MONEY),
        (common.why, SENTENCE),
    ])
}

pub(super) fn payment(line: &PaymentLine, lang: Lang) -> Vec<Cell> {
    let [name, code] = named(line.disposition, lang);
    vec![
        name,
        code,
        Cell::Moment(line.paid_at),
        Cell::text(&line.source),
        Cell::text(&line.channel),
        Cell::text(&line.payment_id),
        Cell::text(&line.external_order_id),
        Cell::some(line.order_id.as_ref()),
        Cell::some(line.plate.as_ref()),
        line.gross.into(),
        line.refunded.into(),
        line.net.into(),
        line.fee.map_or(Cell::Empty, Cell::from),
        Cell::text(line.why.of(lang)),
    ]
}

/// The columns of the orders.
pub(super) fn order_columns(lang: Lang) -> Vec<Column> {
    let (common, own) = (lang.words(), words(lang));
    columns([
        (common.disposition, NAME),
        (common.kind_name, CODE),
        (common.order_id, ID),
        (common.plate, PLATE),
        (common.car_park, CODE),
        (own.entrance_at, MOMENT),
        (own.exit_at, MOMENT),
        (own.is_open, 10),
        (own.parking_fee, MONEY),
        (own.cash, MONEY),
        (own.booked, MONEY),
        (own.due, MONEY),
        (common.external_order_id, ID),
        (common.why, SENTENCE),
    ])
}

pub(super) fn order(line: &OrderLine, lang: Lang) -> Vec<Cell> {
    let own = words(lang);
    let [name, code] = named(line.disposition, lang);
    vec![
        name,
        code,
        Cell::text(&line.order_id),
        Cell::some(line.plate.as_ref()),
        Cell::text(&line.car_park),
        Cell::Moment(line.entrance_at),
        line.exit_at.map_or(Cell::Empty, Cell::Moment),
        Cell::text(if line.is_open { own.inside } else { own.left }),
        line.fee.into(),
        line.cash.into(),
        line.booked.into(),
        line.due.into(),
        Cell::some(line.external_order_id.as_ref()),
        Cell::text(line.why.of(lang)),
    ]
}

/// The columns of the notifications.
pub(super) fn notification_columns(lang: Lang) -> Vec<Column> {
    let (common, own) = (lang.words(), words(lang));
    columns([
        (common.disposition, NAME),
        (own.state, 14),
        (common.external_order_id, ID),
        (common.payment_id, ID),
        (common.order_id, ID),
        (common.plate, PLATE),
        (common.amount, MONEY),
        (own.paid_at, MOMENT),
        (own.sends, 10),
        (own.pay_order_id, ID),
        (own.planned_at, MOMENT),
        (own.updated_at, MOMENT),
        (common.note, SENTENCE),
    ])
}

pub(super) fn notification(line: &NotificationLine, lang: Lang) -> Vec<Cell> {
    vec![
        Cell::text(lang.disposition(line.state.disposition())),
        Cell::text(line.state.name()),
        Cell::text(&line.external_order_id),
        Cell::text(&line.payment_id),
        Cell::text(&line.order_id),
        Cell::text(&line.plate),
        line.amount.into(),
        Cell::Moment(line.pay_time),
        Cell::Count(u64::from(line.sends)),
        Cell::some(line.pay_order_id.as_ref()),
        Cell::Moment(line.planned_at),
        Cell::Moment(line.updated_at),
        Cell::text(&line.why),
    ]
}

fn named(disposition: Disposition, lang: Lang) -> [Cell; 2] {
    [Cell::text(lang.disposition(disposition)), Cell::text(disposition.name())]
}
