//! The rows behind a report: its payments, orders and notifications, as its spreadsheet lists them.
//!
//! Kept with the report, for the books move on: a rerun of another day changes what the database says now.

use serde::{Deserialize, Serialize};

use super::data::Sentence;
use crate::model::{Amount, ChannelFee, Difference, Disposition, NotificationState, Timestamp};

/// All rows of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The payments of the date, by time.
    pub payments: Vec<PaymentLine>,
    /// The orders of the run's list.
    pub orders: Vec<OrderLine>,
    /// The notifications of the date's payments, those that are unfinished, and those that the run moved.
    pub notifications: Vec<NotificationLine>,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentLine {
    /// The configured bill source.
    pub source: String,
    /// The channel, empty when the bill does not say.
    pub channel: String,
    /// The payment id as it stands in the bill.
    pub payment_id: String,
    /// The id at the platform.
    pub external_order_id: String,
    /// The order that it is assigned to, else the one that the bill names.
    pub order_id: Option<String>,
    /// The plate, of the bill or the order.
    pub plate: Option<String>,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// What the customer's order cost.
    pub gross: Amount,
    /// What was given back of it.
    pub refunded: Amount,
    /// `gross − refunded`.
    pub net: Difference,
    /// What the channel charges, where a bill says.
    pub fee: Option<ChannelFee>,
    /// What it is called.
    pub disposition: Disposition,
    /// The rule that decided.
    pub why: Sentence,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The platform's id.
    pub order_id: String,
    /// The plate.
    pub plate: Option<String>,
    /// The car park: its name, else its id.
    pub car_park: String,
    /// When the car came in.
    pub entrance_at: Timestamp,
    /// When it left.
    pub exit_at: Option<Timestamp>,
    /// Whether the car is inside.
    pub is_open: bool,
    /// The whole fee.
    pub fee: Amount,
    /// Cash taken at the exit.
    pub cash: Amount,
    /// Paid so far electronically.
    pub booked: Amount,
    /// Still to be paid electronically.
    pub due: Amount,
    /// The external order id of the payment that its disposition comes from.
    pub external_order_id: Option<String>,
    /// What it is called.
    pub disposition: Disposition,
    /// The rule that decided.
    pub why: Sentence,
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationLine {
    /// The id at the platform.
    pub external_order_id: String,
    /// The payment id as it stands in the bill.
    pub payment_id: String,
    /// The order.
    pub order_id: String,
    /// The plate.
    pub plate: String,
    /// What the platform is told was paid.
    pub amount: Amount,
    /// When it was paid.
    pub pay_time: Timestamp,
    /// Where it stands.
    pub state: NotificationState,
    /// Attempts of which anything may have left the machine.
    pub sends: u8,
    /// The platform's id of the booking.
    pub pay_order_id: Option<String>,
    /// Why it is held, rejected or unknown.
    pub why: String,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
