//! The push receiver: a small HTTP server that keeps what the platform tells of cars that come and go.
//!
//! It answers `{"code":0}` only when the push is on disk, and can do nothing else with it: a push is evidence and never
//! a reason to send anything. Everything is bounded: connections, header, body, times, queue. `server` takes
//! connections and reads requests, `places` are what connections have to share, `writer` puts what waits into the database, one transaction for all of it, with a
//! connection and a thread of its own, so that a night's run waits for it no longer than one small commit.

mod answer;
mod counters;
mod places;
mod server;
mod writer;

pub use counters::{Counters, Counts};
pub use server::{Limits, PushError, Receiver, ReceiverSettings};
