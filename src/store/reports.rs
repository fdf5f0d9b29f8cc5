//! What finished runs reported: kept with the run, so that it can be rendered again, and its figures for the chart.

use rusqlite::{OptionalExtension, Row, Transaction, named_params};

use super::runs::run_record;
use super::{RunRecord, Store, StoreError, WriteError, int, parsed};
use crate::model::{BusinessDate, Total};

/// A report as a run leaves it behind.
#[derive(Clone, Debug)]
pub struct KeptReport {
    /// What it says, packed.
    pub data: Vec<u8>,
    /// The rows of its spreadsheet, packed.
    pub ledger: Vec<u8>,
    /// What the charts of later reports show of it.
    pub figures: ReportFigures,
}

/// What a chart shows of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportFigures {
    /// The day that was reconciled.
    pub date: BusinessDate,
    /// The payments that agree or were told, by gross.
    pub matched: Total,
    /// The exceptions that were open at the end.
    pub open: Total,
    /// The age of the oldest of them, in days; 0 without any.
    pub oldest_days: u32,
}

/// Keeps a report within the transaction that finishes its run.
pub(super) fn insert_report(
    transaction: &Transaction<'_>,
    run_id: &str,
    report: &KeptReport,
) -> Result<(), WriteError> {
    let sql = "INSERT INTO report (run_id, data, ledger, matched_count, matched_fen, open_count, open_fen, oldest_days)
               VALUES (:run_id, :data, :ledger, :matched_count, :matched_fen, :open_count, :open_fen, :oldest_days)";
    let figures = report.figures;
    let fen = |total: Total| i64::try_from(total.fen).unwrap_or(i64::MAX);
    transaction.execute(
        sql,
        named_params! {
            ":run_id": run_id, ":data": report.data, ":ledger": report.ledger,
            ":matched_count": int(figures.matched.count), ":matched_fen": fen(figures.matched),
            ":open_count": int(figures.open.count), ":open_fen": fen(figures.open), ":oldest_days": figures.oldest_days,
        },
    )?;
    Ok(())
}

fn figures(row: &Row<'_>) -> rusqlite::Result<ReportFigures> {
    let total = |count: &str, fen: &str| -> rusqlite::Result<Total> {
        let (count, fen): (i64, i64) = (row.get(count)?, row.get(fen)?);
        Ok(Total { count: u64::try_from(count).unwrap_or(0), fen: i128::from(fen) })
    };
    Ok(ReportFigures {
        date: parsed(row, "business_date", |day| day.parse().ok())?,
        matched: total("matched_count", "matched_fen")?,
        open: total("open_count", "open_fen")?,
        oldest_days: row.get("oldest_days")?,
    })
}

impl Store {
    /// The newest finished live run of any date: the last that was reported.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_reported_run(&self) -> Result<Option<RunRecord>, StoreError> {
        let sql =
            "SELECT * FROM run WHERE mode = 'live' AND status IN ('complete', 'partial') ORDER BY seq DESC LIMIT 1";
        self.connection.query_row(sql, [], run_record).optional().map_err(self.failed("looking for the last report"))
    }

    /// What a run reported, packed; `None` when it was not kept.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn report_data(&self, run_id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.packed("SELECT data FROM report WHERE run_id = :run_id", run_id)
    }

    /// The rows of a run's spreadsheet, packed; `None` when they were not kept.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn report_ledger(&self, run_id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.packed("SELECT ledger FROM report WHERE run_id = :run_id", run_id)
    }

    fn packed(&self, sql: &'static str, run_id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.connection.query_row(sql, named_params! {":run_id": run_id}, |row| row.get(0)).optional();
        found.map_err(self.failed("reading a report"))
    }

    /// The figures of the days from `first` to `last`, each by the newest finished run that reported it, in order;
    /// days that no run reported are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn report_figures(&self, first: BusinessDate, last: BusinessDate) -> Result<Vec<ReportFigures>, StoreError> {
        let failed = self.failed("reading the figures of earlier reports");
        let sql = "SELECT run.business_date, report.matched_count, report.matched_fen, report.open_count,
                       report.open_fen, report.oldest_days
                   FROM run JOIN report ON report.run_id = run.id
                   WHERE run.business_date BETWEEN :first AND :last AND run.seq = (
                       SELECT max(seq) FROM run AS newest WHERE newest.business_date = run.business_date
                       AND newest.mode <> 'dry_run' AND newest.status IN ('complete', 'partial'))
                   ORDER BY run.business_date";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let days = named_params! {":first": first.to_string(), ":last": last.to_string()};
        let rows = statement.query_map(days, figures);
        rows.and_then(Iterator::collect).map_err(&failed)
    }
}
