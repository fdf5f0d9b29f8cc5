//! The states of a notification, one `orderpaid` owed to the platform.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Disposition, reading};

/// Where a notification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotificationState {
    /// Owed, and nothing is on the wire.
    Planned,
    /// An attempt may be on the wire.
    Sending,
    /// The platform answered code 0 with our own ids and amount.
    Acknowledged,
    /// The platform's books show it.
    Confirmed,
    /// It may be booked or not.
    Unknown,
    /// Refused on the first and only attempt.
    Rejected,
    /// A person has to decide.
    Held,
    /// A person decided that it is never sent.
    Void,
}

impl NotificationState {
    /// All states.
    pub const ALL: &'static [Self] = &[
        Self::Planned,
        Self::Sending,
        Self::Acknowledged,
        Self::Confirmed,
        Self::Unknown,
        Self::Rejected,
        Self::Held,
        Self::Void,
    ];

    /// The name in JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Acknowledged => "acknowledged",
            Self::Confirmed => "confirmed",
            Self::Unknown => "unknown",
            Self::Rejected => "rejected",
            Self::Held => "held",
            Self::Void => "void",
        }
    }

    /// The state with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.name() == name)
    }

    /// What a payment in that state is called in the report.
    pub const fn disposition(self) -> Disposition {
        match self {
            Self::Planned => Disposition::NotifyDue,
            Self::Sending | Self::Unknown => Disposition::NotifyUnknown,
            Self::Acknowledged | Self::Confirmed => Disposition::Notified,
            Self::Rejected => Disposition::NotifyRejected,
            Self::Held => Disposition::NotifyHeld,
            Self::Void => Disposition::WrittenOff,
        }
    }

    /// Whether it blocks any other notification of the same order. An acknowledged one does until it is confirmed.
    pub const fn is_unfinished(self) -> bool {
        matches!(self, Self::Planned | Self::Sending | Self::Unknown | Self::Held | Self::Acknowledged)
    }
}

impl fmt::Display for NotificationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for NotificationState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for NotificationState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        reading::text(deserializer, |name| Self::from_name(name).ok_or("no state has that name"))
    }
}
