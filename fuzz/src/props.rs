//! What must hold of every bill, whatever its bytes are.

use std::io::Cursor;

use etcp_recon::bills::{
    BillError, BillItem, BillRow, BillSink, BillSource, BillSummary, BillSums, Folded, Packing, RawRow, Role, RowKind,
    SetAside, SourcedRow, fold, read_bill,
};
use etcp_recon::model::{BusinessDate, Payment};

/// Everything a reading gave to its sink.
#[derive(Default, PartialEq, Debug)]
struct Seen {
    rows: Vec<BillRow>,
    set_aside: Vec<SetAside>,
    ignored: u64,
}

/// A sink that keeps all it gets, and looks at the rows as they stand if it is told to.
#[derive(Default)]
struct Keeping {
    seen: Seen,
    last: (u32, u64),
    wants_cells: bool,
    cells: u64,
}

impl BillSink for Keeping {
    fn item(&mut self, item: BillItem) {
        let place = match &item {
            BillItem::Row(row) => (row.part, row.line),
            BillItem::SetAside(item) => (item.part, item.line),
        };
        assert!(place > self.last, "items come in the order of the file: {place:?} after {:?}", self.last);
        self.last = place;
        match item {
            BillItem::Row(row) => self.seen.rows.push(row),
            BillItem::SetAside(item) => self.seen.set_aside.push(item),
        }
    }

    fn ignored(&mut self) {
        self.seen.ignored += 1;
    }

    fn wants_cells(&self) -> bool {
        self.wants_cells
    }

    fn cells(&mut self, row: &RawRow<'_>) {
        assert_eq!(row.cells.len(), row.names.len(), "a row that is read has a field for each column");
        self.cells += 1;
    }
}

/// Reads `bytes` as a bill of `source` and checks what must hold of it.
///
/// # Errors
/// Why the bill is refused; that is no fault, but its message is one if it would steer a terminal.
pub fn check(bytes: &[u8], source: &BillSource) -> Result<BillSummary, BillError> {
    let mut sink = Keeping::default();
    let summary = match read_bill(Cursor::new(bytes), source, &mut sink) {
        Ok(summary) => summary,
        Err(error) => {
            refusal_is_readable(&error);
            return Err(error);
        }
    };
    counts_are_those_of_the_items(&summary, &sink.seen);
    for item in &sink.seen.set_aside {
        is_readable(&item.to_string());
        is_readable(&item.value);
    }
    another_reading_gives_the_same(bytes, source, &summary, &sink.seen);
    if !sink.seen.rows.is_empty() {
        folding_ties_out(&sourced(sink.seen.rows, source, source.role_of(summary.profile)));
    }
    Ok(summary)
}

fn refusal_is_readable(error: &BillError) {
    is_readable(&error.to_string());
}

/// Shown in a terminal it shows, and does not steer: no control characters but the line break before a hint.
fn is_readable(text: &str) {
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "control characters in a message: {text:?}");
}

fn counts_are_those_of_the_items(summary: &BillSummary, seen: &Seen) {
    let mut counts = [0_u64; 3];
    let mut sums = BillSums::default();
    for row in &seen.rows {
        assert!(!row.amount.is_zero() && !row.payment_id.is_empty(), "{row:?}");
        sums_add(&mut sums, row);
        counts[match row.kind {
            RowKind::Payment => 0,
            RowKind::Refund => 1,
            RowKind::Fee => 2,
        }] += 1;
    }
    let [payments, refunds, fees] = counts;
    assert_eq!((summary.payments, summary.refunds), (payments, refunds));
    assert_eq!(summary.ignored, seen.ignored + fees);
    assert_eq!(summary.set_aside, u64::try_from(seen.set_aside.len()).unwrap_or(u64::MAX));
    assert_eq!(summary.sums, sums);
    assert_eq!(summary.first_date.is_some(), summary.last_date.is_some());
    assert!(summary.first_date.map(BusinessDate::start) <= summary.last_date.map(BusinessDate::start));
}

/// The sums once more, written another way.
fn sums_add(sums: &mut BillSums, row: &BillRow) {
    if let Some(fee) = row.fee {
        sums.fee.add(fee);
    }
    match row.kind {
        RowKind::Payment => {
            sums.gross.add(row.amount);
            row.received.into_iter().for_each(|received| sums.received.add(received));
            // Told in the payment's own row.
            [row.refunded].into_iter().filter(|back| !back.is_zero()).for_each(|back| sums.refunded.add(back));
        }
        RowKind::Refund => {
            sums.refunded.add(row.amount);
            row.received.into_iter().for_each(|taken| sums.taken_back.add(taken));
        }
        RowKind::Fee => {}
    }
}

/// Also when somebody looks at the rows as they stand.
fn another_reading_gives_the_same(bytes: &[u8], source: &BillSource, summary: &BillSummary, seen: &Seen) {
    let mut sink = Keeping { wants_cells: true, ..Keeping::default() };
    let again = read_bill(Cursor::new(bytes), source, &mut sink).expect("what was read once is read again");
    assert_eq!(*summary, again);
    assert_eq!(*seen, sink.seen);
    let items = sink.seen.rows.len() + sink.seen.set_aside.len();
    let told = sink.seen.ignored + u64::try_from(items).unwrap_or(u64::MAX);
    // A part of an archive that is passed over is set aside and has no cells.
    let has_cells = if summary.packing == Packing::Plain { sink.cells == told } else { sink.cells <= told };
    assert!(has_cells, "{} of {told} rows were shown", sink.cells);
}

fn sourced(rows: Vec<BillRow>, source: &BillSource, role: Role) -> Vec<SourcedRow> {
    let sourced = |row| SourcedRow {
        source: source.name.clone(),
        role,
        bill: 0,
        is_id_derived: SourcedRow::derives_id(&row, &source.id_prefix),
        row,
    };
    rows.into_iter().map(sourced).collect()
}

/// No row is lost, their order does not matter, and the same bill a second time brings no payment and no refund more.
fn folding_ties_out(rows: &[SourcedRow]) {
    let folded = fold(rows.to_vec());
    assert!(folded.ties_out(), "{folded:?}");
    if rows.len() > 1 {
        assert_eq!(folded, fold(rows.iter().rev().cloned().collect()), "the order of rows");
    }
    let mut twice = rows.to_vec();
    twice.extend(rows.iter().cloned().map(|row| SourcedRow { bill: 1, ..row }));
    let twice = fold(twice);
    assert!(twice.ties_out(), "{twice:?}");
    assert_eq!(money(&folded), money(&twice), "the same bill twice");
}

/// What a folding says, but for how many rows say it.
fn money(folded: &Folded) -> (Vec<Payment>, Vec<String>) {
    let payments = folded.payments.iter().map(|payment| Payment { rows: 0, ..payment.clone() }).collect();
    let refunds = folded.refunds.iter().map(|refund| {
        format!(
            "{} {:?} {} {} {} {:?}",
            refund.payment_id, refund.refund_id, refund.amount, refund.at, refund.pending, refund.payment
        )
    });
    (payments, refunds.collect())
}
