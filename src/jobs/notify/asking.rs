//! Asking the platform what it shows of one order, each answer kept as evidence.

use super::{Stopped, Teller};
use crate::etcp::{EtcpError, UnpaidOrder};
use crate::model::{Mobile, OrderSnapshot, Timestamp};
use crate::notify::{Reading, reading};
use crate::store::{NotificationRecord, PlateUser};

/// What the platform shows of one order, and what is needed to pay it.
pub(super) struct Asked {
    pub reading: Reading,
    pub entry: Option<UnpaidOrder>,
    pub at: Timestamp,
}

impl Teller<'_> {
    /// Asks the fee of one order, and reads the history when `both` are wanted or the order is not listed.
    /// None when a read failed: that decides nothing.
    pub(super) async fn ask(&mut self, record: &NotificationRecord, both: bool) -> anyhow::Result<Option<Asked>> {
        let asked_at = self.clock.now();
        let (client, PlateUser { plate, mobile }) = (self.sessions.client(), &record.user);
        let unpaid = self.sessions.with(mobile, plate, |token| async move { client.unpaid(&token, plate).await });
        let unpaid = match unpaid.await {
            Ok(listing) => listing,
            Err(error) => {
                self.note_error(mobile, &error);
                return Ok(None);
            }
        };
        let mut complete = unpaid.is_complete();
        let mut entries: Vec<UnpaidOrder> =
            unpaid.records.into_iter().filter(|entry| entry.snapshot.order_id == record.order_id).collect();
        let mut closed: Vec<OrderSnapshot> = Vec::new();
        if both || entries.is_empty() {
            let history = self.sessions.with(mobile, plate, |token| async move { client.history(&token).await });
            match history.await {
                Ok(listing) => {
                    complete &= listing.is_complete();
                    let may_be_cut = listing.may_be_cut();
                    closed = listing.records.into_iter().filter(|order| order.order_id == record.order_id).collect();
                    complete &= !(may_be_cut && closed.is_empty() && entries.is_empty());
                }
                Err(error) => {
                    self.note_error(mobile, &error);
                    return Ok(None);
                }
            }
        }
        self.outage.note_answered();
        let open_states: Vec<_> = entries.iter().map(|entry| entry.snapshot.state).collect();
        let closed_states: Vec<_> = closed.iter().map(|order| order.state).collect();
        let seen: Vec<OrderSnapshot> = entries.iter().map(|entry| entry.snapshot.clone()).chain(closed).collect();
        self.store.record_readings(self.run_id, &seen, asked_at)?;
        let reading = reading(&open_states, &closed_states, complete);
        // Only what is listed once can be paid: of two entries no one can say which verification info counts.
        let entry = entries.pop().filter(|_| entries.is_empty());
        Ok(Some(Asked { reading, entry, at: asked_at }))
    }

    /// A failed read decides nothing; 4 and 5 stop all sending, and so do failures for several users in a row.
    pub(super) fn note_error(&mut self, mobile: &Mobile, error: &EtcpError) {
        tracing::warn!(%error, "the platform could not be asked");
        self.outage.note_failed(mobile);
        if let EtcpError::Stop(code) = error {
            self.stopped = Some(Stopped::Refused(*code));
        } else if self.outage.is_here() && self.stopped.is_none() {
            self.stopped = Some(Stopped::Unreachable);
        }
    }
}
