//! Car parks: a page, all pages one after the other, and how full one is.

use std::collections::HashSet;

use super::{Client, EtcpError};
use crate::etcp::lots::{LotId, LotPage, LotQuery, LotStatus, parse_lot_status, parse_lots};
use crate::etcp::request::{Data, Interface};

/// More pages than any city has car parks, also one by one; a server that goes on beyond them never ends.
const MOST_PAGES: u32 = 10_000;

impl Client {
    /// One page of car parks (§8.9): the first without `scroll_id`, the next with the one of the page before.
    ///
    /// # Errors
    /// As every call; a bad record is no error, it stands in `rejected`.
    pub async fn lots(&self, query: &LotQuery, scroll_id: Option<&str>) -> Result<LotPage, EtcpError> {
        let members = query.members(scroll_id);
        let data = members.iter().fold(Data::new(), |data, (name, value)| data.with(name, value));
        let answer = self.ask(Interface::SurroundingParking, data, &[]).await?;
        Ok(parse_lots(&answer.data)?)
    }

    /// How full a car park is (§8.10).
    ///
    /// # Errors
    /// As every call.
    pub async fn lot_status(&self, id: &LotId) -> Result<LotStatus, EtcpError> {
        let data = Data::new().with("parkingId", id.as_str());
        let answer = self.ask(Interface::ParkingStatus, data, &[]).await?;
        Ok(parse_lot_status(&answer.data)?)
    }
}

/// All pages of a question, asked for one after the other as they are wanted.
///
/// A car park stands in one page only: where the platform shows it again, it is left out. The end is a page
/// without records or without a `scrollId`; and, for a server that keeps answering the same, a page without a
/// new car park whose `scrollId` was seen before, or the second such page in a row.
#[derive(Debug)]
pub struct LotPager {
    client: Client,
    query: LotQuery,
    /// What asks for the next page; none before the first.
    scroll_id: Option<String>,
    scroll_ids: HashSet<String>,
    lot_ids: HashSet<LotId>,
    pages: u32,
    stale: bool,
    ended: bool,
}

impl LotPager {
    /// Nothing is asked before the first page is wanted.
    pub fn new(client: Client, query: LotQuery) -> Self {
        Self {
            client,
            query,
            scroll_id: None,
            scroll_ids: HashSet::new(),
            lot_ids: HashSet::new(),
            pages: 0,
            stale: false,
            ended: false,
        }
    }

    /// The next page; `None` after the last. After an error the same page is asked for again.
    ///
    /// # Errors
    /// As every call, and when the platform never comes to an end.
    pub async fn next(&mut self) -> Result<Option<LotPage>, EtcpError> {
        if self.ended {
            return Ok(None);
        }
        if self.pages >= MOST_PAGES {
            return Err(EtcpError::BadAnswer { reason: format!("no end after {MOST_PAGES} pages") });
        }
        let mut page = self.client.lots(&self.query, self.scroll_id.as_deref()).await?;
        self.pages = self.pages.saturating_add(1);
        if page.lots.records.is_empty() && page.lots.rejected.is_empty() {
            self.ended = true;
            return Ok(None);
        }
        page.lots.records.retain(|lot| self.lot_ids.insert(lot.id.clone()));
        let brings_none = page.lots.records.is_empty();
        let again = page.scroll_id.as_ref().is_none_or(|id| !self.scroll_ids.insert(id.clone()));
        // A page of records that cannot be read says nothing about the end.
        let is_stale = brings_none && page.lots.rejected.is_empty();
        self.ended = page.scroll_id.is_none() || (brings_none && again) || (is_stale && self.stale);
        self.stale = is_stale;
        self.scroll_id.clone_from(&page.scroll_id);
        Ok(Some(page))
    }
}

#[cfg(test)]
#[path = "lots_tests.rs"]
mod tests;
