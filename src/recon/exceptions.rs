//! The exceptions of an outcome as lines to act on, and their CSV.
//!
//! A line a subject: the payment; the order only where no payment stands for it.

use std::borrow::Cow;
use std::io;

use crate::model::disposition::BILL_DISAGREES;
use crate::model::{Amount, Difference, Disposition, OrderSnapshot, Payment, Timestamp};

use super::{Outcome, row};

/// The header of the CSV.
pub const HEADER: [&str; 8] = ["kind", "payment_id", "order_id", "plate", "paid", "due", "difference", "at"];

/// One exception. Texts are empty where nothing is known. The fields stand in the order by which lines are sorted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExceptionLine<'a> {
    /// When: paid, else left, else came in.
    pub at: Timestamp,
    /// The payment id as it stands in the bill; empty for an order alone.
    pub payment_id: &'a str,
    /// The order id as the platform wrote it, else as the bill did.
    pub order_id: &'a str,
    /// The name of the disposition, or `bill_disagrees`.
    pub kind: &'static str,
    /// The plate, the payment's before the order's.
    pub plate: &'a str,
    /// The payment's net; 0 for an order alone.
    pub paid: Difference,
    /// The order's `booked + due`; 0 without an order.
    pub due: Amount,
}

impl ExceptionLine<'_> {
    /// `paid − due`: above zero, more money came in than the platform's books know of.
    pub const fn difference(&self) -> Difference {
        Difference::from_fen(self.paid.fen().saturating_sub(self.due.fen()))
    }
}

/// The exceptions of `outcome`, sorted by time, payment id, order id and kind, then by what else a line shows.
pub fn exceptions<'a>(
    payments: &'a [Payment],
    orders: &'a [OrderSnapshot],
    outcome: &Outcome,
) -> Vec<ExceptionLine<'a>> {
    let mut lines = Vec::new();
    for (payment, what) in payments.iter().zip(&outcome.payments) {
        let order = what.order.map(|order| row(orders, order));
        if what.disposition.is_exception() {
            lines.push(of_payment(payment, order, what.disposition.name()));
        }
        if payment.bill_disagrees {
            lines.push(of_payment(payment, order, BILL_DISAGREES));
        }
    }
    let alone = orders.iter().zip(&outcome.orders).filter(|(_, what)| what.payment.is_none());
    lines.extend(
        alone.filter(|(_, what)| what.disposition.is_exception()).map(|(o, what)| of_order(o, what.disposition)),
    );
    lines.sort_unstable();
    lines
}

fn of_payment<'a>(payment: &'a Payment, order: Option<&'a OrderSnapshot>, kind: &'static str) -> ExceptionLine<'a> {
    let order_id = order.map(|order| &order.order_id).or(payment.order_id.as_ref());
    let plate = payment.plate.as_ref().or_else(|| order.and_then(|order| order.plate.as_ref()));
    ExceptionLine {
        at: payment.paid_at,
        payment_id: &payment.payment_id,
        order_id: order_id.map_or("", |id| id.as_str()),
        kind,
        plate: plate.map_or("", |plate| plate.as_str()),
        paid: payment.net(),
        due: order.map_or(Amount::ZERO, |order| order.state.value()),
    }
}

fn of_order(order: &OrderSnapshot, disposition: Disposition) -> ExceptionLine<'_> {
    ExceptionLine {
        at: order.exit_at.unwrap_or(order.entrance_at),
        payment_id: "",
        order_id: order.order_id.as_str(),
        kind: disposition.name(),
        plate: order.plate.as_ref().map_or("", |plate| plate.as_str()),
        paid: Difference::ZERO,
        due: order.state.value(),
    }
}

/// Writes header and lines as CSV.
///
/// # Errors
/// Those of `output`.
pub fn write_csv(lines: &[ExceptionLine<'_>], output: impl io::Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(output);
    csv.write_record(HEADER)?;
    for line in lines {
        let (payment_id, order_id, plate) = (neutral(line.payment_id), neutral(line.order_id), neutral(line.plate));
        let money = [line.paid.to_string(), line.due.to_string(), line.difference().to_string()];
        let texts = [line.kind, &payment_id, &order_id, &plate];
        let at = line.at.wall();
        csv.write_record(texts.into_iter().chain(money.iter().map(String::as_str)).chain([at.as_str()]))?;
    }
    csv.flush()
}

/// A text that no spreadsheet takes for a formula: one that begins like a formula gets an apostrophe in
/// front. A plain decimal such as `-5.00` is no formula and stays as it is.
pub fn neutral(text: &str) -> Cow<'_, str> {
    let like_a_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    if like_a_formula && text.parse::<Difference>().is_err() {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn cells_like_formulas_are_neutralised_and_plain_decimals_are_not() {
        for text in
            ["=1+1", "+cmd", "-cmd|' /C", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠x", "-", "-5.00-2"]
        {
            assert_eq!(neutral(text), format!("'{text}"), "{text:?}");
        }
        for text in ["-5.00", "+5", "", "A-1", "渝A00001", "0"] {
            assert_eq!(neutral(text), text);
        }
    }

    #[test]
    fn the_csv_quotes_what_needs_it_and_shows_signed_money() {
        let line = ExceptionLine {
            at: Timestamp::parse_wall("2026-11-22 09:58:58").unwrap(),
            payment_id: "a,b",
            order_id: "=x",
            kind: "amount_mismatch",
            plate: "渝A00001",
            paid: Difference::from_fen(500),
            due: "10".parse().unwrap(),
        };
        let mut csv = Vec::new();
        write_csv(&[line], &mut csv).unwrap();
        assert_eq!(
            String::from_utf8(csv).unwrap(),
            "kind,payment_id,order_id,plate,paid,due,difference,at\n\
             amount_mismatch,\"a,b\",'=x,渝A00001,5.00,10.00,-5.00,2026-11-22 09:58:58\n"
        );
    }
}
