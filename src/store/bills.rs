//! Bills: imported whole or not at all, known by the hash of their content.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::{Store, StoreError, WriteError, int, parsed, parsed_if_any};
use crate::bills::{BillItem, BillRow, BillSource, BillSummary, Role, RowKind, SetAside, SourcedRow};
use crate::model::{Amount, BusinessDate, ChannelFee, ExternalOrderId, OrderId, Plate, Timestamp};

/// A bill about to be imported.
pub struct BillRecord<'a> {
    /// The hash of its content, in hex.
    pub sha256: &'a str,
    /// The name of the file, without its folder.
    pub file_name: &'a str,
    /// The source that it belongs to.
    pub source: &'a BillSource,
    /// Now.
    pub at: Timestamp,
}

/// A bill in the database.
#[derive(Clone, Debug)]
pub struct ImportedBill {
    /// Its number.
    pub id: i64,
    /// The hash of its content, in hex.
    pub sha256: String,
    /// The name of the file it came in.
    pub file_name: String,
    /// The source that it belongs to.
    pub source: String,
    /// The format.
    pub profile: String,
    /// What its source puts before payment ids.
    pub id_prefix: String,
    /// The days of its rows; none when it has no rows.
    pub dates: Option<(BusinessDate, BusinessDate)>,
    /// Rows of payments.
    pub payments: u64,
    /// Rows of refunds.
    pub refunds: u64,
    /// Rows that are neither: without money, fees, movements that are none of ours.
    pub ignored: u64,
    /// Rows that could not be read.
    pub set_aside: u64,
    /// Whether it names the merchant's own order numbers.
    pub has_external_order_ids: bool,
}

/// Takes the items of one bill while it is read.
pub struct BillWriter<'a, 'c> {
    transaction: &'a Transaction<'c>,
    bill_id: i64,
    rows: u64,
    set_aside: u64,
    failure: Option<rusqlite::Error>,
}

impl BillWriter<'_, '_> {
    /// Stores one item; the first failure is kept and ends the import when the bill has been read.
    pub fn push(&mut self, item: BillItem) {
        if self.failure.is_some() {
            return;
        }
        let (stored, count) = match item {
            BillItem::Row(row) => (self.push_row(&row), (row.kind != RowKind::Fee).then_some(&mut self.rows)),
            BillItem::SetAside(row) => (self.push_set_aside(&row), Some(&mut self.set_aside)),
        };
        if let Some(count) = count {
            *count = count.saturating_add(1);
        }
        self.failure = stored.err();
    }

    fn push_row(&self, row: &BillRow) -> rusqlite::Result<()> {
        let sql =
            "INSERT INTO bill_row (bill_id, part, line, kind, payment_id, refund_id, external_order_id, trade_no, order_id,
                       plate, amount_fen, received_fen, fee_units, refunded_fen, refund_pending, at, channel)
                   VALUES (:bill_id, :part, :line, :kind, :payment_id, :refund_id, :external_order_id, :trade_no, :order_id,
                       :plate, :amount_fen, :received_fen, :fee_units, :refunded_fen, :refund_pending, :at, :channel)";
        self.transaction.prepare_cached(sql)?.execute(named_params! {
            ":bill_id": self.bill_id, ":part": row.part, ":line": int(row.line), ":kind": kind_name(row.kind),
            ":payment_id": row.payment_id, ":refund_id": row.refund_id,
            ":external_order_id": row.external_order_id.as_str(), ":trade_no": row.trade_no,
            ":order_id": row.order_id.as_ref().map(OrderId::as_str), ":plate": row.plate.as_ref().map(Plate::as_str),
            ":amount_fen": row.amount.fen(), ":received_fen": row.received.map(Amount::fen),
            ":fee_units": row.fee.map(ChannelFee::units), ":refunded_fen": row.refunded.fen(),
            ":refund_pending": row.refund_pending, ":at": row.at.unix(), ":channel": row.channel,
        })?;
        Ok(())
    }

    fn push_set_aside(&self, row: &SetAside) -> rusqlite::Result<()> {
        let sql = "INSERT INTO set_aside (bill_id, part, line, column_name, value, reason)
                   VALUES (:bill_id, :part, :line, :column_name, :value, :reason)";
        self.transaction.prepare_cached(sql)?.execute(named_params! {
            ":bill_id": self.bill_id, ":part": row.part, ":line": int(row.line), ":column_name": row.column,
            ":value": row.value, ":reason": row.reason,
        })?;
        Ok(())
    }
}

/// How the kind of a row is stored.
fn kind_name(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Payment => "payment",
        RowKind::Refund => "refund",
        RowKind::Fee => "fee",
    }
}

fn kind_from(row: &Row<'_>) -> rusqlite::Result<RowKind> {
    parsed(row, "kind", |text| {
        [RowKind::Payment, RowKind::Refund, RowKind::Fee].into_iter().find(|kind| kind_name(*kind) == text)
    })
}

/// How the role of a source is stored.
fn role_name(role: Role) -> &'static str {
    match role {
        Role::Trade => "trade",
        Role::Ledger => "ledger",
    }
}

fn imported_bill(row: &Row<'_>) -> rusqlite::Result<ImportedBill> {
    let count = |column: &str| row.get::<_, i64>(column).map(|count| u64::try_from(count).unwrap_or(0));
    let day = |column: &str| parsed_if_any(row, column, |text| text.parse::<BusinessDate>().ok());
    Ok(ImportedBill {
        id: row.get("id")?,
        sha256: row.get("sha256")?,
        file_name: row.get("file_name")?,
        source: row.get("source")?,
        profile: row.get("profile")?,
        id_prefix: row.get("id_prefix")?,
        dates: day("first_date")?.zip(day("last_date")?),
        payments: count("payments")?,
        refunds: count("refunds")?,
        ignored: count("ignored")?,
        set_aside: count("set_aside")?,
        has_external_order_ids: row.get("has_external_order_ids")?,
    })
}

fn sourced_row(row: &Row<'_>) -> rusqlite::Result<SourcedRow> {
    let text = |column: &str| row.get::<_, Option<String>>(column);
    let amount = |column: &str| {
        let fen: i64 = row.get(column)?;
        Amount::from_fen(fen).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, fen))
    };
    let bill_row = BillRow {
        part: row.get("part")?,
        line: u64::try_from(row.get::<_, i64>("line")?).unwrap_or(0),
        kind: kind_from(row)?,
        payment_id: row.get("payment_id")?,
        refund_id: text("refund_id")?,
        external_order_id: parsed(row, "external_order_id", ExternalOrderId::new)?,
        trade_no: text("trade_no")?,
        order_id: parsed_if_any(row, "order_id", OrderId::new)?,
        plate: parsed_if_any(row, "plate", |text| Plate::parse(text).ok())?,
        amount: amount("amount_fen")?,
        received: row.get::<_, Option<i64>>("received_fen")?.and_then(Amount::from_fen),
        fee: row.get::<_, Option<i64>>("fee_units")?.and_then(ChannelFee::from_units),
        refunded: amount("refunded_fen")?,
        refund_pending: row.get("refund_pending")?,
        at: Timestamp::from_unix(row.get("at")?),
        channel: row.get("channel")?,
    };
    let role = if row.get::<_, String>("role")? == "ledger" { Role::Ledger } else { Role::Trade };
    let is_id_derived = SourcedRow::derives_id(&bill_row, &row.get::<_, String>("id_prefix")?);
    Ok(SourcedRow { source: row.get("source")?, role, bill: row.get("bill_id")?, is_id_derived, row: bill_row })
}

impl Store {
    /// The bill with that content, if it was imported.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn bill_by_hash(&self, sha256: &str) -> Result<Option<ImportedBill>, StoreError> {
        bill_with_hash(&self.connection, sha256).map_err(self.failed("looking for a bill"))
    }

    /// All imported bills, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn bills(&self) -> Result<Vec<ImportedBill>, StoreError> {
        let failed = self.failed("listing the bills");
        let mut statement = self.connection.prepare_cached("SELECT * FROM bill ORDER BY id").map_err(&failed)?;
        let rows = statement.query_map([], imported_bill);
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// Imports a bill in one transaction: `read` reads it and pushes its items; when it or any item
    /// fails, nothing of the bill stays. A bill whose content came in meanwhile is given back unread.
    ///
    /// # Errors
    /// Outside when the database fails or the counts are not those of the rows, inside when `read` fails.
    pub fn import_bill<E>(
        &mut self,
        bill: &BillRecord<'_>,
        read: impl FnOnce(&mut BillWriter<'_, '_>) -> Result<BillSummary, E>,
    ) -> Result<Result<ImportedBill, E>, StoreError> {
        let mut refused = None;
        let written = self.write("importing a bill", |transaction| {
            if let Some(known) = bill_with_hash(transaction, bill.sha256)? {
                return Ok(known);
            }
            let bill_id: i64 =
                transaction.query_row("SELECT COALESCE(max(id), 0) + 1 FROM bill", [], |row| row.get(0))?;
            let mut writer = BillWriter { transaction, bill_id, rows: 0, set_aside: 0, failure: None };
            let outcome = read(&mut writer);
            if let Some(failure) = writer.failure {
                return Err(failure.into());
            }
            match outcome {
                Ok(summary) => {
                    let counted = (summary.payments.saturating_add(summary.refunds), summary.set_aside);
                    if counted != (writer.rows, writer.set_aside) {
                        let why = format!("bill {}: its counts are not those of its rows", bill.file_name);
                        return Err(WriteError::Refused(why));
                    }
                    Ok(insert_bill(transaction, bill_id, bill, &summary)?)
                }
                Err(error) => {
                    refused = Some(error);
                    Err(WriteError::Refused(String::new()))
                }
            }
        });
        match (refused, written) {
            (Some(error), _) => Ok(Err(error)),
            (None, written) => written.map(Ok),
        }
    }

    /// The bill rows of a window: everything paid or refunded since `start`, the older rows of the same
    /// payments, and those that unfinished notifications and open exceptions refer to; by bill and line.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn bill_rows_since(&self, start: Timestamp) -> Result<Vec<SourcedRow>, StoreError> {
        let failed = self.failed("reading the bill rows");
        let sql = include_str!("../../sql/queries/bill_rows_since.sql");
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":start": start.unix()}, sourced_row);
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// Whether any bill of a source has a payment or refund of that day.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_bill_rows_on(&self, source: &str, date: BusinessDate) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM bill_row JOIN bill ON bill.id = bill_id
                   WHERE at >= :start AND at < :end AND source = :source)";
        let values = named_params! {":start": date.start().unix(), ":end": date.end().unix(), ":source": source};
        self.connection.query_row(sql, values, |row| row.get(0)).map_err(self.failed("looking for bill rows"))
    }

    /// The bill rows that bear `id` as payment id, refund id, external order id, trade number or order id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn bill_rows_of(&self, id: &str) -> Result<Vec<(SourcedRow, String)>, StoreError> {
        let failed = self.failed("looking for bill rows");
        let sql =
            "SELECT bill_row.*, bill.source, bill.role, bill.id_prefix, bill.file_name FROM bill_row JOIN bill ON bill.id = bill_id
                   WHERE payment_id = :id OR external_order_id = :id OR refund_id = :id OR trade_no = :id
                      OR lower(order_id) = lower(:id) ORDER BY at, bill_id, part, line";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":id": id}, |row| Ok((sourced_row(row)?, row.get("file_name")?)));
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The rows of one bill that were set aside, in the order of the file.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn set_aside_of_bill(&self, sha256: &str) -> Result<Vec<SetAside>, StoreError> {
        let failed = self.failed("reading the rows set aside");
        let sql = "SELECT part, line, column_name, value, reason FROM set_aside JOIN bill ON bill.id = bill_id
                   WHERE sha256 = :sha256 ORDER BY part, line";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(named_params! {":sha256": sha256}, set_aside);
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// The rows that bills with rows of `date` had set aside, with the file's name; of a bill that has no good
    /// row at all when it came in at `since` or later.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn set_aside_rows(&self, date: BusinessDate, since: Timestamp) -> Result<Vec<(String, SetAside)>, StoreError> {
        let failed = self.failed("reading the rows set aside");
        let sql =
            "SELECT file_name, part, line, column_name, value, reason FROM set_aside JOIN bill ON bill.id = bill_id
                   WHERE :date BETWEEN first_date AND last_date OR (first_date IS NULL AND imported_at >= :since)
                   ORDER BY bill_id, part, line";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let values = named_params! {":date": date.to_string(), ":since": since.unix()};
        let rows = statement.query_map(values, |row| Ok((row.get("file_name")?, set_aside(row)?)));
        rows.and_then(Iterator::collect).map_err(&failed)
    }
}

fn set_aside(row: &Row<'_>) -> rusqlite::Result<SetAside> {
    Ok(SetAside {
        part: row.get("part")?,
        line: u64::try_from(row.get::<_, i64>("line")?).unwrap_or(0),
        column: row.get("column_name")?,
        value: row.get("value")?,
        reason: row.get("reason")?,
    })
}

fn bill_with_hash(connection: &Connection, sha256: &str) -> rusqlite::Result<Option<ImportedBill>> {
    let sql = "SELECT * FROM bill WHERE sha256 = :sha256";
    connection.query_row(sql, named_params! {":sha256": sha256}, imported_bill).optional()
}

fn insert_bill(
    transaction: &Transaction<'_>,
    id: i64,
    bill: &BillRecord<'_>,
    summary: &BillSummary,
) -> rusqlite::Result<ImportedBill> {
    // A bill is for the days of its rows and those of the period it states.
    let first_date = summary.first_date.into_iter().chain(summary.period.map(|period| period.0)).min();
    let last_date = summary.last_date.into_iter().chain(summary.period.map(|period| period.1)).max();
    let sql = "INSERT INTO bill (id, sha256, file_name, source, role, profile, id_prefix, imported_at, first_date, last_date,
                   payments, refunds, ignored, set_aside, has_external_order_ids)
               VALUES (:id, :sha256, :file_name, :source, :role, :profile, :id_prefix, :imported_at, :first_date, :last_date,
                   :payments, :refunds, :ignored, :set_aside, :has_external_order_ids) RETURNING *";
    transaction.prepare_cached(sql)?.query_row(
        named_params! {
            ":id": id, ":sha256": bill.sha256, ":file_name": bill.file_name, ":source": bill.source.name,
            ":role": role_name(bill.source.role_of(summary.profile)), ":profile": summary.profile.name(), ":id_prefix": bill.source.id_prefix,
            ":imported_at": bill.at.unix(),
            ":first_date": first_date.map(|day| day.to_string()), ":last_date": last_date.map(|day| day.to_string()),
            ":payments": int(summary.payments), ":refunds": int(summary.refunds),
            ":ignored": int(summary.ignored), ":set_aside": int(summary.set_aside),
            ":has_external_order_ids": summary.has_external_order_ids,
        },
        imported_bill,
    )
}
