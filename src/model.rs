//! The words of the product as types: plain data without IO, clocks or randomness.
//!
//! Money is integer fen, days are calendar days in Asia/Shanghai, instants are seconds since 1970;
//! everything from outside is checked where it becomes one of these.

pub mod disposition;
pub mod event;
pub mod evidence;
pub mod fee;
pub mod ids;
pub mod money;
pub mod notification;
pub mod plate;
mod reading;
pub mod time;
pub mod wall_format;

pub use disposition::{Disposition, Side};
pub use event::{EventFinding, EventKind, ParkingEvent};
pub use evidence::{OrderSnapshot, OrderState, Payment};
pub use fee::{ChannelFee, FeeTotal};
pub use ids::{ExternalOrderId, Mobile, OrderId};
pub use money::{Amount, AmountError, Difference, Total};
pub use notification::NotificationState;
pub use plate::Plate;
pub use time::{BusinessDate, TimeError, Timestamp};
pub use wall_format::WallFormat;
