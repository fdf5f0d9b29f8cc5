//! Evidence in the form the rules work on: orders as the platform showed them, payments as the bills tell them.

use serde::Serialize;

use super::{Amount, ChannelFee, Difference, ExternalOrderId, OrderId, Plate, Timestamp};

/// The money side of an order at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OrderState {
    /// In the unpaid list: the car is inside. `remaining ≤ fee`.
    Open {
        /// `parkingFee`: the whole fee so far.
        fee: Amount,
        /// `remainingFee`: what is still to be paid.
        remaining: Amount,
    },
    /// In the history: the car has left. `cash ≤ fee`.
    Closed {
        /// `parkingFee`: the whole fee.
        fee: Amount,
        /// `actual`: the part paid in cash at the exit.
        cash: Amount,
    },
}

impl OrderState {
    /// An open order; `None` when more remains than the fee.
    pub fn open(fee: Amount, remaining: Amount) -> Option<Self> {
        (remaining <= fee).then_some(Self::Open { fee, remaining })
    }

    /// A closed order; `None` when more cash was taken than the fee.
    pub fn closed(fee: Amount, cash: Amount) -> Option<Self> {
        (cash <= fee).then_some(Self::Closed { fee, cash })
    }

    /// Whether the order is open.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open { .. })
    }

    /// What is still to be paid electronically: 0 when closed.
    pub const fn due(self) -> Amount {
        match self {
            Self::Open { remaining, .. } => remaining,
            Self::Closed { .. } => Amount::ZERO,
        }
    }

    /// Paid so far electronically: `parkingFee − remainingFee` open, `parkingFee − actual` closed.
    pub fn booked(self) -> Amount {
        let (fee, rest) = match self {
            Self::Open { fee, remaining } => (fee, remaining),
            Self::Closed { fee, cash } => (fee, cash),
        };
        fee.checked_sub(rest).unwrap_or(Amount::ZERO)
    }

    /// Cash taken at the exit: 0 while open.
    pub const fn cash(self) -> Amount {
        match self {
            Self::Open { .. } => Amount::ZERO,
            Self::Closed { cash, .. } => cash,
        }
    }

    /// The whole fee.
    pub const fn fee(self) -> Amount {
        match self {
            Self::Open { fee, .. } | Self::Closed { fee, .. } => fee,
        }
    }

    /// `booked + due`: what the books say the order costs electronically, by which orders are counted.
    pub fn value(self) -> Amount {
        self.booked().checked_add(self.due()).unwrap_or(Amount::ZERO)
    }
}

/// An order as the platform showed it at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderSnapshot {
    /// The platform's id.
    pub order_id: OrderId,
    /// The plate; for an unpaid list the one that was asked for. `None` when the answer masks it.
    pub plate: Option<Plate>,
    /// The car park's id, as text; empty when the platform left it out.
    pub parking_id: String,
    /// The car park's name; empty when the platform left it out.
    pub parking_name: String,
    /// When the car came in.
    pub entrance_at: Timestamp,
    /// When it left; an unpaid list shows one too, of the fee's calculation, which is not kept.
    pub exit_at: Option<Timestamp>,
    /// The money.
    pub state: OrderState,
}

/// One successful collection: what all bill rows of one external order id say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The configured bill source of the row that counts.
    pub source: String,
    /// The payment id as it stands in that bill.
    pub payment_id: String,
    /// The id it bears at the platform.
    pub external_order_id: ExternalOrderId,
    /// The order that the bill names, if it names one.
    pub order_id: Option<OrderId>,
    /// The plate in the bill, if there is one.
    pub plate: Option<Plate>,
    /// What the customer's order cost.
    pub gross: Amount,
    /// What was given back of it so far (pending refunds left out).
    pub refunded: Amount,
    /// Whether any refund exists, pending ones too.
    pub has_refund: bool,
    /// What the channel charges for it, where a bill says.
    pub fee: Option<ChannelFee>,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// The channel (`alipay`, `wxpay`, …), empty when the bill does not say.
    pub channel: String,
    /// Other evidence of the same identity says another amount, day, order or plate.
    pub conflict: bool,
    /// A ledger or fund-flow bill of the same channel tells another amount, fee or refund.
    pub bill_disagrees: bool,
    /// How many bill rows it stands for, at least 1.
    pub rows: u32,
}

impl Payment {
    /// `gross − refunded`.
    pub const fn net(&self) -> Difference {
        self.gross.minus(self.refunded)
    }
}
