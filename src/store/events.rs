//! The platform's pushes: each kind of a stay once, and other contents that came later beside it.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, Transaction, named_params};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Store, StoreError, WriteError, parsed, parsed_if_any};
use crate::model::event::{EventKind, Exit, ParkingEvent, SAME_ENTRANCE_S};
use crate::model::{Amount, OrderId, Timestamp};

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The first of its kind and synId.
    New,
    /// Known, and it says the same.
    Repeated,
    /// Known, and it says something else: kept beside the first.
    Contradicts,
}

/// A push in the database.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// What it says.
    pub event: ParkingEvent,
    /// When it came.
    pub received_at: Timestamp,
    /// What later pushes of the same kind and synId said otherwise: when they came, and their content as JSON.
    pub contradictions: Vec<(Timestamp, String)>,
}

impl StoredEvent {
    /// What a contradiction says otherwise than the first push: the members that differ, by their names.
    pub fn otherwise(&self, detail: &str) -> BTreeMap<String, Value> {
        let first = content(&self.event);
        let said: BTreeMap<String, Value> = serde_json::from_str(detail).unwrap_or_default();
        said.into_iter().filter(|(name, value)| first.get(name) != Some(value)).collect()
    }
}

/// What a push says of its stay, whenever it was sent.
fn content(event: &ParkingEvent) -> Value {
    json!({
        "syn_id": event.syn_id.key(), "plate": event.plate, "parking_id": event.parking_id,
        "parking_name": event.parking_name, "entrance_at": event.entrance_at.wall(),
        "exit_at": event.exit.map(|exit| exit.at.wall()), "fee": event.exit.map(|exit| exit.fee),
    })
}

fn record(transaction: &Transaction<'_>, event: &ParkingEvent, received_at: Timestamp) -> Result<Recorded, WriteError> {
    let content = content(event).to_string();
    let content_sha256 = hex::encode(Sha256::digest(&content));
    let known: Option<(i64, String)> = transaction
        .prepare_cached("SELECT id, content_sha256 FROM push_event WHERE kind = :kind AND syn_key = :syn_key")?
        .query_row(named_params! {":kind": event.kind().name(), ":syn_key": event.syn_id.key()}, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((id, first)) = known else {
        insert(transaction, event, &content_sha256, received_at)?;
        return Ok(Recorded::New);
    };
    if first == content_sha256 {
        return Ok(Recorded::Repeated);
    }
    let sql = "INSERT INTO push_contradiction (event_id, content_sha256, detail, received_at)
               SELECT :id, :content_sha256, :detail, :received_at WHERE NOT EXISTS
                   (SELECT 1 FROM push_contradiction WHERE event_id = :id AND content_sha256 = :content_sha256)";
    let values = named_params! {
        ":id": id, ":content_sha256": content_sha256, ":detail": content, ":received_at": received_at.unix(),
    };
    transaction.prepare_cached(sql)?.execute(values)?;
    Ok(Recorded::Contradicts)
}

fn insert(
    transaction: &Transaction<'_>,
    event: &ParkingEvent,
    content_sha256: &str,
    received_at: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO push_event (kind, syn_key, syn_id, content_sha256, plate, parking_id, parking_name,
                   entrance_at, exit_at, fee_fen, pushed_at, received_at)
               VALUES (:kind, :syn_key, :syn_id, :content_sha256, :plate, :parking_id, :parking_name,
                   :entrance_at, :exit_at, :fee_fen, :pushed_at, :received_at)";
    let values = named_params! {
        ":kind": event.kind().name(), ":syn_key": event.syn_id.key(), ":syn_id": event.syn_id.as_str(),
        ":content_sha256": content_sha256, ":plate": event.plate, ":parking_id": event.parking_id,
        ":parking_name": event.parking_name, ":entrance_at": event.entrance_at.unix(),
        ":exit_at": event.exit.map(|exit| exit.at.unix()), ":fee_fen": event.exit.map(|exit| exit.fee.fen()),
        ":pushed_at": event.pushed_at.map(Timestamp::unix), ":received_at": received_at.unix(),
    };
    transaction.prepare_cached(sql)?.execute(values).map(drop)
}

fn event(row: &Row<'_>) -> rusqlite::Result<ParkingEvent> {
    let (kind, exit_at): (String, Option<i64>) = (row.get("kind")?, row.get("exit_at")?);
    let fee = |fen: i64| Amount::from_fen(fen).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, fen));
    let exit = match exit_at {
        Some(at) if EventKind::from_name(&kind) == Some(EventKind::Exit) => {
            Some(Exit { at: Timestamp::from_unix(at), fee: fee(row.get("fee_fen")?)? })
        }
        _ => None,
    };
    Ok(ParkingEvent {
        syn_id: parsed(row, "syn_id", OrderId::new)?,
        plate: row.get("plate")?,
        parking_id: row.get("parking_id")?,
        parking_name: row.get("parking_name")?,
        entrance_at: Timestamp::from_unix(row.get("entrance_at")?),
        exit,
        pushed_at: row.get::<_, Option<i64>>("pushed_at")?.map(Timestamp::from_unix),
    })
}

/// The exit as a push told it that came again with that content; `None` when it cannot be read.
fn told_otherwise(first: ParkingEvent, content: &str) -> Option<ParkingEvent> {
    let said: BTreeMap<String, Value> = serde_json::from_str(content).ok()?;
    let text = |name: &str| said.get(name)?.as_str();
    let at = |name: &str| Timestamp::parse_wall(text(name)?).ok();
    let exit = Exit { at: at("exit_at")?, fee: text("fee")?.parse().ok()? };
    Some(ParkingEvent {
        plate: text("plate")?.to_owned(),
        parking_id: text("parking_id")?.to_owned(),
        parking_name: text("parking_name")?.to_owned(),
        entrance_at: at("entrance_at")?,
        exit: Some(exit),
        pushed_at: None,
        ..first
    })
}

impl Store {
    /// Records pushes, all of them or none: what became of each, in the same order. On disk when this returns.
    ///
    /// # Errors
    /// When the database cannot be written; then nothing was recorded.
    pub fn record_events(&mut self, events: &[(ParkingEvent, Timestamp)]) -> Result<Vec<Recorded>, StoreError> {
        self.write("recording pushes", |transaction| {
            events.iter().map(|(event, received_at)| record(transaction, event, *received_at)).collect()
        })
    }

    /// The exits from `start` on, and older ones of which an exception is open, in the order of their times and synIds:
    /// what came first, then each other content of the same synId.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn exit_events(&self, start: Timestamp) -> Result<Vec<ParkingEvent>, StoreError> {
        let failed = self.failed("reading pushes");
        let sql = include_str!("../../sql/queries/exit_events.sql");
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":start": start.unix(), ":start_wall": start.wall()}, |row| {
            let first = event(row)?;
            Ok(parsed_if_any(row, "otherwise", |content| told_otherwise(first.clone(), content))?.unwrap_or(first))
        });
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The keys of the synIds whose pushes tell of that car and, within a minute, that entrance.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn syn_keys_of_car(&self, plate: &str, entrance_at: Timestamp) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT syn_key FROM push_event WHERE plate = :plate
                       AND entrance_at BETWEEN :entrance_at - :within_s AND :entrance_at + :within_s ORDER BY syn_key";
        self.keys_of_car(sql, plate, entrance_at)
    }

    /// The keys of the orders of that car and, within a minute, that entrance.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn order_keys_of_car(&self, plate: &str, entrance_at: Timestamp) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT order_key FROM order_snapshot WHERE plate = :plate
                       AND entrance_at BETWEEN :entrance_at - :within_s AND :entrance_at + :within_s ORDER BY order_key";
        self.keys_of_car(sql, plate, entrance_at)
    }

    fn keys_of_car(&self, sql: &'static str, plate: &str, entrance_at: Timestamp) -> Result<Vec<String>, StoreError> {
        let failed = self.failed("looking for a car");
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let values = named_params! {":plate": plate, ":entrance_at": entrance_at.unix(), ":within_s": SAME_ENTRANCE_S};
        let rows = statement.query_map(values, |row| row.get(0));
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The synIds, as they came first, of pushes that came again with other content since that moment; sorted.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn contradicted_since(&self, since: Timestamp) -> Result<Vec<String>, StoreError> {
        let failed = self.failed("reading pushes");
        let sql =
            "SELECT DISTINCT syn_id FROM push_contradiction AS again JOIN push_event ON push_event.id = again.event_id
                   WHERE again.received_at >= :since ORDER BY syn_id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":since": since.unix()}, |row| row.get(0));
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The pushes of one stay, by the key of its synId, in the order in which they came.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn events_of(&self, syn_key: &str) -> Result<Vec<StoredEvent>, StoreError> {
        let failed = self.failed("reading pushes");
        let sql = "SELECT * FROM push_event WHERE syn_key = :syn_key ORDER BY received_at, id";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":syn_key": syn_key}, |row| {
            let id: i64 = row.get("id")?;
            Ok((id, event(row)?, Timestamp::from_unix(row.get("received_at")?)))
        });
        let rows: Vec<_> = rows.and_then(Iterator::collect).map_err(&failed)?;
        let stored = rows.into_iter().map(|(id, event, received_at)| {
            Ok(StoredEvent { event, received_at, contradictions: self.contradictions(id)? })
        });
        stored.collect()
    }

    fn contradictions(&self, event_id: i64) -> Result<Vec<(Timestamp, String)>, StoreError> {
        let failed = self.failed("reading pushes");
        let sql =
            "SELECT received_at, detail FROM push_contradiction WHERE event_id = :id ORDER BY received_at, detail";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement
            .query_map(named_params! {":id": event_id}, |row| Ok((Timestamp::from_unix(row.get(0)?), row.get(1)?)));
        rows.and_then(Iterator::collect).map_err(&failed)
    }
}
