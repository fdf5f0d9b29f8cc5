//! What the platform pushes: a car came in, a car left. Evidence, and never a reason to send anything.

use serde::Serialize;

use super::{Amount, OrderId, Plate, Timestamp};

/// How far apart push and order may tell the entrance of one stay, in seconds, either way.
pub const SAME_ENTRANCE_S: i64 = 60;

/// Which push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// §9.1: a car came in.
    Entrance,
    /// §9.2: a car left.
    Exit,
}

impl EventKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Entrance, Self::Exit];

    /// The name in addresses, in the database and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entrance => "entrance",
            Self::Exit => "exit",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What can be wrong with an exit push beside the orders: the two exceptions that pushes add.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventFinding {
    /// An exit with a fee, and the platform's complete records have no such order.
    WithoutOrder,
    /// The push and the closed order tell different fees.
    FeeDiffers,
}

impl EventFinding {
    /// Both.
    pub const ALL: [Self; 2] = [Self::WithoutOrder, Self::FeeDiffers];

    /// The name of the kind of exception, and of the rule that found it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WithoutOrder => "event_without_order",
            Self::FeeDiffers => "event_fee_differs",
        }
    }

    /// The finding of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|finding| finding.name() == name)
    }

    /// The rule in one English sentence.
    pub const fn english(self) -> &'static str {
        match self {
            Self::WithoutOrder => {
                "An exit with a fee was announced, and the platform's complete records show no order with that id, nor one of that plate and entrance within a minute."
            }
            Self::FeeDiffers => {
                "The fee that the exit push announced is not the closed order's whole fee, cash included."
            }
        }
    }

    /// The rule in one Chinese sentence.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::WithoutOrder => {
                "平台推送了有费用的出场，而平台记录完整，其中既无该编号的订单，也无同一车牌、入场时间相差一分钟以内的订单。"
            }
            Self::FeeDiffers => "出场推送的费用不等于已关闭订单的停车费总额（含现金）。",
        }
    }
}

/// How a stay ended, as an exit push tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// `exitTime`.
    pub at: Timestamp,
    /// `receivableFee`, which comes in fen.
    pub fee: Amount,
}

/// A push, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkingEvent {
    /// `synId`: the parking record, in the form of an order id.
    pub syn_id: OrderId,
    /// `plateNumber`: the normal form of a plate, else the text as it came (a car without one).
    pub plate: String,
    /// `parkId`, as text.
    pub parking_id: String,
    /// `parkName`.
    pub parking_name: String,
    /// `entranceTime`.
    pub entrance_at: Timestamp,
    /// None of an entrance push.
    pub exit: Option<Exit>,
    /// `pushTime`, if it says one.
    pub pushed_at: Option<Timestamp>,
}

impl ParkingEvent {
    /// Which push it was.
    pub const fn kind(&self) -> EventKind {
        if self.exit.is_some() { EventKind::Exit } else { EventKind::Entrance }
    }

    /// The plate, if it is one.
    pub fn plate(&self) -> Option<Plate> {
        Plate::parse(&self.plate).ok()
    }
}
