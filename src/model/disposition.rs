//! The outcomes: every payment and every order gets exactly one.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::reading;

/// Which book a row stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The merchant's: money collected.
    Payment,
    /// The platform's: parking stays.
    Order,
}

macro_rules! dispositions {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $chinese:literal, exception: $exception:literal, payment: $payment:literal, order: $order:literal;)+) => {
        /// The one outcome of a payment or an order (对账结果), in the order of the product's table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Disposition { $($(#[$doc])* $variant,)+ }

        impl Disposition {
            /// All of them, in the order of the product's table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name in JSON, CSV and the database.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The Chinese name.
            pub const fn chinese(self) -> &'static str {
                match self { $(Self::$variant => $chinese,)+ }
            }

            /// Whether a person has to look at it.
            pub const fn is_exception(self) -> bool {
                match self { $(Self::$variant => $exception,)+ }
            }

            /// Whether a row of that side can have it.
            pub const fn applies_to(self, side: Side) -> bool {
                match (self, side) { $((Self::$variant, Side::Payment) => $payment, (Self::$variant, Side::Order) => $order,)+ }
            }
        }
    };
}

dispositions! {
    /// Both books agree.
    Settled, "settled", "已对平", exception: false, payment: true, order: true;
    /// The platform was told, and said yes or shows it.
    Notified, "notified", "已补通知", exception: false, payment: true, order: true;
    /// The platform has to be told.
    NotifyDue, "notify_due", "待通知", exception: false, payment: true, order: true;
    /// It was told, what became of it is not known.
    NotifyUnknown, "notify_unknown", "通知结果未知", exception: true, payment: true, order: true;
    /// A person has to release it.
    NotifyHeld, "notify_held", "待人工放行", exception: true, payment: true, order: true;
    /// A person decided that it is never sent.
    WrittenOff, "written_off", "人工核销", exception: false, payment: true, order: true;
    /// The platform refused it.
    NotifyRejected, "notify_rejected", "通知被拒", exception: true, payment: true, order: true;
    /// The platform said yes, its books do not show it.
    NotificationLost, "notification_lost", "通知未入账", exception: true, payment: true, order: true;
    /// Paid and due differ.
    AmountMismatch, "amount_mismatch", "金额不符", exception: true, payment: true, order: true;
    /// The order was paid for already: a refund is owed.
    DuplicatePayment, "duplicate_payment", "重复支付", exception: true, payment: true, order: false;
    /// Paid in cash at the exit as well: a refund is owed.
    PaidTwice, "paid_twice", "现金重复收费", exception: true, payment: true, order: true;
    /// Money collected for no order of the platform.
    OrderNotFound, "order_not_found", "商户单边账", exception: true, payment: true, order: false;
    /// Booked at the platform, no money collected.
    PaymentMissing, "payment_missing", "平台单边账", exception: true, payment: false, order: true;
    /// More than one fits.
    Ambiguous, "ambiguous", "无法唯一匹配", exception: true, payment: true, order: true;
    /// Given back in full.
    Refunded, "refunded", "已退款", exception: false, payment: true, order: false;
    /// Given back in full, the platform still books it.
    RefundedAfterSettlement, "refunded_after_settlement", "退款未冲正", exception: true, payment: true, order: true;
    /// Two records of one payment contradict each other.
    ConflictingRecord, "conflicting_record", "流水冲突", exception: true, payment: true, order: true;
    /// The evidence that would decide was not to be had.
    Unverifiable, "unverifiable", "无法核实", exception: true, payment: true, order: true;
    /// Still to be paid.
    Unpaid, "unpaid", "待支付", exception: false, payment: false, order: true;
    /// Paid in cash at the exit.
    Cash, "cash", "现金支付", exception: false, payment: false, order: true;
    /// Nothing to pay.
    Free, "free", "免费", exception: false, payment: false, order: true;
    /// Seen open, now in neither list.
    Vanished, "vanished", "离场无记录", exception: false, payment: false, order: true;
}

/// The exception of a payment whose trade bill and ledger differ; it stands beside the payment's disposition.
pub const BILL_DISAGREES: &str = "bill_disagrees";

impl Disposition {
    /// The disposition with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|d| d.name() == name)
    }

    /// Whether it says that money has to be given back to the customer.
    pub const fn refund_owed(self) -> bool {
        matches!(self, Self::DuplicatePayment | Self::PaidTwice)
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Disposition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Disposition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        reading::text(deserializer, |name| Self::from_name(name).ok_or("no disposition has that name"))
    }
}
