//! Orders: snapshots as evidence, each order's newest one as its head, and what a pull really covered.

use rusqlite::{OptionalExtension, Row, Transaction, named_params};

use super::{Store, StoreError, WriteError, parsed, parsed_if_any};
use crate::model::event::SAME_ENTRANCE_S;
use crate::model::{Amount, BusinessDate, OrderId, OrderSnapshot, OrderState, Plate, Timestamp};

/// An order with its newest snapshot.
#[derive(Clone, Debug)]
pub struct StoredOrder {
    /// What the platform showed last.
    pub snapshot: OrderSnapshot,
    /// When it first showed exactly that.
    pub seen_at: Timestamp,
    /// When the platform last listed the order.
    pub last_seen_at: Timestamp,
    /// In which run.
    pub last_seen_run: Option<String>,
    /// The day that a finished run has reported it under.
    pub reported_date: Option<BusinessDate>,
}

/// Which orders to load.
#[derive(Clone, Copy, Debug)]
pub enum OrderFilter {
    /// A run's window: since this moment, open, or referred to by payments, notifications and exceptions of now.
    Since(Timestamp),
}

fn order_state(row: &Row<'_>) -> rusqlite::Result<OrderState> {
    let amount = |column: &str| {
        let fen: i64 = row.get(column)?;
        Amount::from_fen(fen).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, fen))
    };
    let (fee, rest) = (amount("fee_fen")?, amount("rest_fen")?);
    let state = if row.get::<_, String>("state")? == "open" {
        OrderState::open(fee, rest)
    } else {
        OrderState::closed(fee, rest)
    };
    state.ok_or(rusqlite::Error::IntegralValueOutOfRange(0, rest.fen()))
}

fn snapshot(row: &Row<'_>) -> rusqlite::Result<OrderSnapshot> {
    Ok(OrderSnapshot {
        order_id: parsed(row, "order_id", OrderId::new)?,
        plate: parsed_if_any(row, "plate", |text| Plate::parse(text).ok())?,
        parking_id: row.get("parking_id")?,
        parking_name: row.get("parking_name")?,
        entrance_at: Timestamp::from_unix(row.get("entrance_at")?),
        exit_at: row.get::<_, Option<i64>>("exit_at")?.map(Timestamp::from_unix),
        state: order_state(row)?,
    })
}

fn stored_order(row: &Row<'_>) -> rusqlite::Result<StoredOrder> {
    Ok(StoredOrder {
        snapshot: snapshot(row)?,
        seen_at: Timestamp::from_unix(row.get("seen_at")?),
        last_seen_at: Timestamp::from_unix(row.get("last_seen_at")?),
        last_seen_run: row.get("last_seen_run")?,
        reported_date: parsed_if_any(row, "business_date", |day| day.parse().ok())?,
    })
}

/// Records what the platform showed of an order at `seen_at`, within the caller's transaction. The
/// same again only moves `last_seen_at`; at one moment a closed reading wins over an open one.
pub(super) fn record_snapshot(
    transaction: &Transaction<'_>,
    run_id: Option<&str>,
    seen: &OrderSnapshot,
    seen_at: Timestamp,
) -> Result<(), WriteError> {
    let key = seen.order_id.key();
    let head = transaction
        .prepare_cached(
            "SELECT order_snapshot.*, order_head.last_seen_at FROM order_head
             JOIN order_snapshot ON order_snapshot.id = order_head.snapshot_id WHERE order_head.order_key = :key",
        )?
        .query_row(named_params! {":key": key}, |row| {
            Ok((snapshot(row)?, Timestamp::from_unix(row.get("last_seen_at")?)))
        })
        .optional()?;
    let mut seen = seen.clone();
    if seen.state.is_open() {
        // The unpaid list shows the moment of its calculation as exit time.
        seen.exit_at = None;
    }
    if let Some((known, last_seen_at)) = &head {
        // A masked plate in a later list does not make us forget the car.
        seen.plate = seen.plate.or_else(|| known.plate.clone());
        let outdated =
            seen_at < *last_seen_at || (seen_at == *last_seen_at && !known.state.is_open() && seen.state.is_open());
        if outdated {
            return Ok(());
        }
        if *known == seen {
            let sql = "UPDATE order_head SET last_seen_at = :seen_at, last_seen_run = :run_id WHERE order_key = :key";
            transaction
                .prepare_cached(sql)?
                .execute(named_params! {":key": key, ":seen_at": seen_at.unix(), ":run_id": run_id})?;
            return Ok(());
        }
    }
    insert_snapshot(transaction, run_id, &key, &seen, seen_at)?;
    Ok(())
}

fn insert_snapshot(
    transaction: &Transaction<'_>,
    run_id: Option<&str>,
    key: &str,
    seen: &OrderSnapshot,
    seen_at: Timestamp,
) -> rusqlite::Result<()> {
    let (fee, rest) = match seen.state {
        OrderState::Open { fee, remaining } => (fee, remaining),
        OrderState::Closed { fee, cash } => (fee, cash),
    };
    transaction
        .prepare_cached(
            "INSERT INTO order_snapshot (order_key, order_id, plate, parking_id, parking_name, entrance_at, exit_at,
                 state, fee_fen, rest_fen, seen_at, run_id)
             VALUES (:order_key, :order_id, :plate, :parking_id, :parking_name, :entrance_at, :exit_at,
                 :state, :fee_fen, :rest_fen, :seen_at, :run_id)",
        )?
        .execute(named_params! {
            ":order_key": key, ":order_id": seen.order_id.as_str(), ":plate": seen.plate.as_ref().map(Plate::as_str),
            ":parking_id": seen.parking_id, ":parking_name": seen.parking_name,
            ":entrance_at": seen.entrance_at.unix(), ":exit_at": seen.exit_at.map(Timestamp::unix),
            ":state": if seen.state.is_open() { "open" } else { "closed" },
            ":fee_fen": fee.fen(), ":rest_fen": rest.fen(), ":seen_at": seen_at.unix(), ":run_id": run_id,
        })?;
    let snapshot_id = transaction.last_insert_rowid();
    transaction
        .prepare_cached(
            "INSERT INTO order_head (order_key, snapshot_id, open, relevant_at, last_seen_at, last_seen_run)
             VALUES (:order_key, :snapshot_id, :open, :relevant_at, :seen_at, :run_id)
             ON CONFLICT (order_key) DO UPDATE SET snapshot_id = excluded.snapshot_id, open = excluded.open,
                 relevant_at = excluded.relevant_at, last_seen_at = excluded.last_seen_at,
                 last_seen_run = excluded.last_seen_run",
        )?
        .execute(named_params! {
            ":order_key": key, ":snapshot_id": snapshot_id, ":open": seen.state.is_open(),
            ":relevant_at": seen.exit_at.unwrap_or(seen.entrance_at).unix(), ":seen_at": seen_at.unix(), ":run_id": run_id,
        })?;
    Ok(())
}

impl Store {
    /// The orders that `filter` selects, each with its newest snapshot, in the order of their keys.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn orders(&self, filter: OrderFilter) -> Result<Vec<StoredOrder>, StoreError> {
        let failed = self.failed("reading the orders");
        let OrderFilter::Since(start) = filter;
        let sql = include_str!("../../sql/queries/orders_since.sql");
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":start": start.unix()}, stored_order);
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The orders that [`Store::exit_events`] from `start` on may be about and [`OrderFilter::Since`] leaves out: those
    /// that closed before, in the order of their keys.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn older_orders_of_exits(&self, start: Timestamp) -> Result<Vec<StoredOrder>, StoreError> {
        let failed = self.failed("reading the orders of pushes");
        let sql = include_str!("../../sql/queries/orders_of_exits.sql");
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let values = named_params! {":start": start.unix(), ":start_wall": start.wall(), ":within_s": SAME_ENTRANCE_S};
        let rows = statement.query_map(values, stored_order);
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The order of a plate that was seen last, if it was open then.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_order_of(&self, plate: &Plate) -> Result<Option<OrderId>, StoreError> {
        let sql = "SELECT order_id, open FROM order_snapshot JOIN order_head ON snapshot_id = order_snapshot.id
                   WHERE plate = :plate ORDER BY last_seen_at DESC, open DESC, entrance_at DESC LIMIT 1";
        let newest = self.connection.query_row(sql, named_params! {":plate": plate.as_str()}, |row| {
            let is_open: bool = row.get("open")?;
            is_open.then(|| parsed(row, "order_id", OrderId::new)).transpose()
        });
        Ok(newest.optional().map_err(self.failed("looking for a plate's order"))?.flatten())
    }

    /// Everything that was ever seen of an order, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn order_history(&self, order_key: &str) -> Result<Vec<(Timestamp, OrderSnapshot)>, StoreError> {
        let failed = self.failed("reading an order");
        let sql = "SELECT * FROM order_snapshot WHERE order_key = :key ORDER BY seen_at, id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":key": order_key}, |row| {
            Ok((Timestamp::from_unix(row.get("seen_at")?), snapshot(row)?))
        });
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// Records readings of orders made outside a pull (the fee asked again before a notification).
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn record_readings(
        &mut self,
        run_id: &str,
        readings: &[OrderSnapshot],
        seen_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("recording orders", |transaction| {
            for reading in open_before_closed(readings) {
                record_snapshot(transaction, Some(run_id), reading, seen_at)?;
            }
            Ok(())
        })
    }
}

/// Open readings first, so that a closed one of the same moment has the last word.
pub(super) fn open_before_closed(readings: &[OrderSnapshot]) -> impl Iterator<Item = &OrderSnapshot> {
    let open = readings.iter().filter(|reading| reading.state.is_open());
    open.chain(readings.iter().filter(|reading| !reading.state.is_open()))
}
