//! Which rule decided, and the sentence that explains it to a person.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $english:literal, $chinese:literal;)+) => {
        /// The rule that gave a disposition. A number of the product's page may stand for several variants, each with its own sentence.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $($(#[$doc])* $variant,)+ }

        impl Rule {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its number in the product's page: `3a`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Its own name, one for each sentence: `PaysDue`.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)+ }
            }

            /// The rule with that [`Rule::key`].
            pub fn from_key(key: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|rule| rule.key() == key)
            }

            /// One English sentence.
            pub const fn english(self) -> &'static str {
                match self { $(Self::$variant => $english,)+ }
            }

            /// One Chinese sentence.
            pub const fn chinese(self) -> &'static str {
                match self { $(Self::$variant => $chinese,)+ }
            }
        }
    };
}

rules! {
    /// Payments in conflict are assigned to nothing; nor has the order that they name another payment.
    Conflict, "1", "Records of one payment contradict each other in amount, day, order or plate, so none of them is assigned.",
        "同一笔支付的记录在金额、日期、订单或车牌上互相矛盾，因此均不归属任何订单。";
    /// More than one order fits a payment without order id, or more than one such payment an order.
    Ambiguous, "1c", "The bill names no order, and plate, amount and time fit more than one pair of payment and order.",
        "账单未注明订单号，按车牌、金额和时间可匹配的支付与订单不止一对。";
    /// Net 0 with refunds.
    Refunded, "2", "The payment was given back in full.", "该笔支付已全额退款。";
    /// Net 0, and the order's booking has no other payment.
    RefundedAfterSettlement, "2", "The payment was given back in full, but the platform still books the order as paid and no other payment accounts for it.",
        "该笔支付已全额退款，但平台仍记该订单已付，且没有其他支付与之对应。";
    /// Net below 0, or no money at all.
    RefundedTooMuch, "2", "More was given back than was paid, or nothing was paid at all.", "退款金额大于支付金额，或支付金额为零。";
    /// The first k payments add up to what is booked.
    SumBooked, "3a", "The order's payments, oldest first, add up exactly to what the platform has booked.",
        "该订单的支付按时间先后累加，恰好等于平台已入账金额。";
    /// One payment is what is booked.
    OneBooked, "3a", "The payment is exactly what the platform has booked for the order.", "该笔支付金额恰好等于平台已入账金额。";
    /// One payment is what is due.
    PaysDue, "3b", "The payment is exactly what the order still costs, and the platform has to be told of it.",
        "该笔支付金额恰好等于订单待付金额，需通知平台。";
    /// Something else pays the order.
    AlreadyPaid, "3c", "Another payment accounts for the order already, so this one was paid too much.",
        "该订单已由其他支付付清，本笔为多收。";
    /// Cash paid the order.
    PaidInCash, "3c", "The whole order was paid in cash at the exit, and this payment as well.", "该订单出场时已全额现金收费，本笔为重复收费。";
    /// Neither booked nor due.
    FitsNothing, "3c", "The payment is neither what the platform has booked for the order nor what it still costs.",
        "该笔支付金额与平台已入账金额、待付金额均不相符。";
    /// The state of its notification decides.
    Notification, "4", "The state of its notification decides.", "以其支付通知的状态为准。";
    /// An order without any payment that says something of it.
    NoPayment, "5", "No payment says anything of the order, so its own figures decide.", "没有支付与该订单对应，以订单自身金额为准。";
    /// An acknowledged booking is not in the closed order.
    Lost, "6", "The platform acknowledged the notification, but the closed order books less than was acknowledged.",
        "平台已确认收到通知，但订单关闭后的入账金额小于已确认金额。";
    /// The order was looked for everywhere.
    NoOrder, "7", "The platform's complete records show no order for the payment.", "平台记录完整，其中没有与该笔支付对应的订单。";
    /// What would decide was not to be had.
    NoEvidence, "7", "The records that would decide could not be had in full, so nothing is concluded from what is missing.",
        "未能取得完整记录，不能因查无记录而下结论。";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
