//! What the platform pushes: a car came in, a car left. Evidence, and never a reason to send anything.

use serde::Serialize;

use super::{Amount, OrderId, Plate, Timestamp};

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
