//! The platform of the document as a sandbox: a stateful model behind a real HTTP server.
//!
//! [`World`] is the model: it knows no sockets and no clock, and refuses what must never happen (a
//! booking when nothing, or another amount, is due, or under an id already used) while it records it
//! as a [`Violation`]. [`Server`] puts a world on a local port, [`fault`] makes it misbehave on
//! request, [`seed`] and [`demo`] fill one together with its bills and roster, and [`serve`] is
//! the command `sandbox`.
//!
//! It is written from the document alone and shares no code with `etcp`: signing, form decoding and
//! wire shapes are a second reading, so that a slip of the client is not repeated here.

mod answer;
mod connection;
pub mod control;
pub mod demo;
pub mod fault;
pub mod lots;
pub mod orders;
pub mod paper;
pub mod push;
pub mod request;
pub mod seed;
pub mod sender;
pub mod serve;
pub mod server;
pub mod stats;
mod users;
pub mod world;

#[cfg(test)]
mod interface_tests;
#[cfg(test)]
mod server_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod world_tests;

pub use demo::{DemoWorld, demo_world};
pub use fault::{Fault, FaultKind, FaultTarget};
pub use lots::{Degrees, Levels, Lot, Operator, Place};
pub use orders::{ParkingOrder, Stay};
pub use paper::{BillFile, ExpectedDue, RosterLine, roster_csv};
pub use push::{PushForm, PushKind, push_body};
pub use request::{Call, Interface, Line, Reaction};
pub use seed::{PlatesPerUser, SeededWorld, Size, seeded, seeded_with};
pub use sender::{PushOptions, Sender};
pub use serve::serve;
pub use server::Server;
pub use stats::Stats;
pub use users::{Channel, SentCode};
pub use world::{AfterPayment, Booking, Settings, Violation, ViolationKind, World};
