//! The ETCP open platform: signing, codes, what goes over the wire, and, with the feature `app`,
//! the client and its sign-ins.
//!
//! [`sign`], [`codes`], [`wire`], [`push`], [`lots`], [`limits`], [`request`] and [`attempt`] are pure. `client` is
//! the only part that opens sockets, behind the seam [`request::Transport`]; `session` keeps tokens.

pub mod attempt;
pub mod codes;
pub mod limits;
pub mod lots;
pub mod push;
pub mod request;
pub mod sign;
pub mod wire;

#[cfg(feature = "app")]
pub mod client;
#[cfg(feature = "app")]
#[cfg(test)]
mod document_tests;
#[cfg(feature = "app")]
pub mod session;
#[cfg(feature = "app")]
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "counters of a test")]
#[expect(clippy::unnecessary_wraps, reason = "answers in the form in which a transport gives them")]
pub(crate) mod stub;

pub use attempt::{AttemptOutcome, PaidRequest, classify};
pub use codes::{Code, Treatment};
pub use limits::LimitError;
pub use lots::{Lot, LotId, LotPage, LotQuery, LotStatus};
pub use push::{PushRefusal, read_push};
pub use request::{BoxFuture, Interface, Transport, TransportError, WireRequest, WireResponse};
pub use sign::sign;
pub use wire::{Answer, Listing, RejectedRecord, UnpaidOrder, WireError, parse_answer};

#[cfg(feature = "app")]
pub use client::{Client, ClientSettings, EtcpError, HttpTransport, LotPager, skew_in_chinese, skew_in_words};
#[cfg(feature = "app")]
pub use session::{Sessions, StoredToken, TokenStore};
