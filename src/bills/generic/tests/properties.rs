//! What holds for any good rows in any format, and for any bytes.

use encoding_rs::GB18030;
use proptest::prelude::*;

use super::*;
use crate::bills::Encoding;

/// The columns of a written bill.
const WRITTEN: [Column; 11] = [
    Column::PaymentId,
    Column::OrderId,
    Column::Plate,
    Column::Amount,
    Column::RefundAmount,
    Column::Status,
    Column::PaidAt,
    Column::Channel,
    Column::ExternalOrderId,
    Column::TradeNo,
    Column::RefundId,
];

/// What stands in the columns of a row.
type Row = [String; 11];

/// A format and how a bill of it is written.
#[derive(Clone, Debug)]
struct Writer {
    format: GenericFormat,
    /// How far the columns are moved round, so that each stands last once.
    moved: usize,
    trailing: bool,
    line_end: &'static str,
}

impl Writer {
    fn plain(line_end: &'static str) -> Self {
        Self { format: GenericFormat::default(), moved: 0, trailing: false, line_end }
    }

    fn order(&self) -> Vec<Column> {
        let mut order = WRITTEN.to_vec();
        order.rotate_left(self.moved);
        order
    }

    fn source(&self) -> BillSource {
        let mut source = source(self.format.clone());
        if !self.format.header {
            let numbers = self.order().into_iter().zip(1..).map(|(column, number)| (column, number.to_string()));
            let places = |column| self.order().iter().position(|found| *found == column).unwrap() + 1;
            source.generic.columns = numbers.filter(|(column, _)| !column.has_place()).collect();
            let place = |column| Some(crate::bills::Place { column: places(column).to_string(), pattern: None });
            source.places.order_id = place(Column::OrderId);
            source.places.plate = place(Column::Plate);
        }
        source
    }

    fn bytes(&self, rows: &[Row]) -> Vec<u8> {
        let order = self.order();
        let delimiter = char::from(self.format.delimiter.byte()).to_string();
        let end = if self.trailing { format!("{delimiter}{}", self.line_end) } else { self.line_end.to_owned() };
        let mut text = String::new();
        if self.format.header {
            let names: Vec<&str> = order.iter().map(|column| column.name()).collect();
            text.push_str(&(names.join(&delimiter) + &end));
        }
        for row in rows {
            let cell =
                |(place, column): (usize, &Column)| self.cell(*column, &row[index(*column)], place + 1 == order.len());
            let cells: Vec<String> = order.iter().enumerate().map(cell).collect();
            text.push_str(&(cells.join(&delimiter) + &end));
        }
        match self.format.encoding {
            Some(Encoding::Gb18030) => GB18030.encode(&text).0.into_owned(),
            Some(Encoding::Utf8) | None => text.into_bytes(),
        }
    }

    /// A cell as the bill has it. Where nothing protects a delimiter there is none in a value.
    fn cell(&self, column: Column, text: &str, is_last: bool) -> String {
        let delimiter = char::from(self.format.delimiter.byte());
        let money = [Column::Amount, Column::RefundAmount].contains(&column) && !text.is_empty();
        let text = if money && self.format.unit == Unit::Fen {
            text.replace('.', "").trim_start_matches('0').to_owned()
        } else if money && self.format.thousands {
            let amount = yuan(text);
            let (whole, cents) = (amount.fen() / 100, amount.fen() % 100);
            if whole < 1000 { text.to_owned() } else { format!("{},{:03}.{cents:02}", whole / 1000, whole % 1000) }
        } else {
            text.to_owned()
        };
        match self.format.strip_prefix {
            Some(prefix) if is_last => format!("{prefix}{}", text.replace(delimiter, "")),
            Some(prefix) => format!("{prefix}{text}"),
            None if self.format.quote && text.contains([delimiter, '"']) => {
                format!("\"{}\"", text.replace('"', "\"\""))
            }
            None => text.replace(delimiter, ""),
        }
    }
}

fn index(column: Column) -> usize {
    WRITTEN.iter().position(|found| *found == column).unwrap()
}

/// A row as its cells; all of them good.
fn cells() -> impl Strategy<Value = Row> {
    let text = "[A-Za-z0-9\",;'|微信]{1,12}";
    let time = (2020..2030, 1..13, 1..29, 0..24, 0..60, 0..60)
        .prop_map(|(y, m, d, h, min, s)| format!("{y}-{m:02}-{d:02} {h:02}:{min:02}:{s:02}"));
    let optional = || prop_oneof![Just(String::new()), text.prop_map(String::from)];
    // A payment's id begins with a letter, so that it is one still when its delimiters are gone.
    let id = "[A-Za-z][A-Za-z0-9\",;'|微信]{0,11}";
    let status = prop_oneof![Just(""), Just("success"), Just("refund")].prop_map(String::from);
    let plate = prop_oneof![Just(""), Just("渝B757D0"), Just("渝AD12345")].prop_map(String::from);
    let fen = || (1..1_000_000_i64).prop_map(|fen| Amount::from_fen(fen).unwrap().to_string());
    (id, optional(), plate, fen(), fen(), status, time, optional(), optional(), optional(), optional())
        .prop_map(|(a, b, c, d, e, f, g, h, i, j, k)| [a, b, c, d, e, f, g, h, i, j, k])
}

prop_compose! {
    fn writer()(
        delimiter in proptest::sample::select(&Delimiter::ALL[..]),
        quote: bool,
        header: bool,
        fen: bool,
        thousands: bool,
        prefix: bool,
        trailing: bool,
        crlf: bool,
        encoding in proptest::sample::select(vec![None, Some(Encoding::Utf8), Some(Encoding::Gb18030)]),
        moved in 0..WRITTEN.len(),
    ) -> Writer {
        let format = GenericFormat {
            encoding,
            delimiter,
            quote,
            header,
            strip_prefix: prefix.then_some('`'),
            unit: if fen { Unit::Fen } else { Unit::Yuan },
            // A comma between thousands needs something to protect it, and so does one in the last column.
            thousands: thousands && (delimiter != Delimiter::Comma || quote && !prefix),
            ..GenericFormat::default()
        };
        Writer { format, moved, trailing, line_end: if crlf { "\r\n" } else { "\n" } }
    }
}

/// The cells a row was read from, as far as a row keeps them.
fn written_back(row: &BillRow) -> Row {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let (amount, refunded, status) = match row.kind {
        RowKind::Payment => (row.amount.to_string(), row.refunded.to_string(), "success"),
        RowKind::Refund | RowKind::Fee => (String::new(), row.amount.to_string(), "refund"),
    };
    [
        row.payment_id.clone(),
        text(row.order_id.as_ref().map(crate::model::OrderId::as_str)),
        text(row.plate.as_ref().map(crate::model::Plate::as_str)),
        amount,
        refunded,
        status.to_owned(),
        row.at.wall(),
        row.channel.clone(),
        row.external_order_id.to_string(),
        text(row.trade_no.as_deref()),
        text(row.refund_id.as_deref()),
    ]
}

/// A cut between two rows cannot be seen: the format has no totals. Any other is refused, or leaves rows as they were,
/// but for the label of the channel where it stands last.
fn a_cut_shows(writer: &Writer, rows: &[Row]) -> Result<(), TestCaseError> {
    let (bytes, source) = (writer.bytes(rows), writer.source());
    let whole = read_as(&bytes, &source).unwrap();
    let is_channel_last = writer.order().last() == Some(&Column::Channel);
    for cut in 0..bytes.len() {
        let Ok(mut read) = read_as(&bytes[..cut], &source) else { continue };
        if let (true, Some(last)) = (is_channel_last, read.rows.len().checked_sub(1)) {
            read.rows[last].channel.clone_from(&whole.rows[last].channel);
        }
        prop_assert_eq!(&read.rows[..], &whole.rows[..read.rows.len()], "cut at {}", cut);
        prop_assert!(read.set_aside.is_empty(), "cut at {}", cut);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back(cells in proptest::collection::vec(cells(), 0..20), crlf: bool) {
        let writer = Writer::plain(if crlf { "\r\n" } else { "\n" });
        let first = read_as(&writer.bytes(&cells), &writer.source()).unwrap();
        prop_assert_eq!(first.rows.len(), cells.len());
        prop_assert!(first.set_aside.is_empty());
        for (row, cells) in first.rows.iter().zip(&cells) {
            prop_assert_eq!(&row.payment_id, &cells[0]);
            prop_assert_eq!(row.at.wall(), cells[6].clone());
            prop_assert_eq!(&row.channel, &cells[7]);
        }
        let again: Vec<_> = first.rows.iter().map(written_back).collect();
        prop_assert_eq!(read_as(&Writer::plain("\n").bytes(&again), &writer.source()).unwrap().rows, first.rows);
    }

    #[test]
    fn a_cut_is_refused_or_loses_whole_rows_only(cells in proptest::collection::vec(cells(), 1..5), crlf: bool) {
        a_cut_shows(&Writer::plain(if crlf { "\r\n" } else { "\n" }), &cells)?;
    }

    /// With the default header the channel stands last: a cut inside it shortens a label and nothing else.
    #[test]
    fn a_cut_in_the_last_channel_touches_nothing_else(cells in proptest::collection::vec(cells(), 1..5)) {
        a_cut_shows(&Writer { moved: index(Column::Channel) + 1, ..Writer::plain("\n") }, &cells)?;
    }

    #[test]
    fn a_flipped_byte_never_panics_and_every_row_is_somewhere(
        writer in writer(), cells in proptest::collection::vec(cells(), 1..4),
        at: proptest::sample::Index, byte: u8,
    ) {
        let mut bytes = writer.bytes(&cells);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = read_as(&bytes, &writer.source()) {
            let summary = &read.summary;
            prop_assert_eq!(summary.payments + summary.refunds, u64::try_from(read.rows.len()).unwrap());
            prop_assert_eq!(summary.set_aside, u64::try_from(read.set_aside.len()).unwrap());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), with_header: bool) {
        let mut text = if with_header { HEADER.as_bytes().to_vec() } else { Vec::new() };
        text.extend(bytes);
        drop(read_as(&text, &BillSource::default()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The same rows in another format are the same rows.
    #[test]
    fn rows_are_the_same_in_every_format(writer in writer(), cells in proptest::collection::vec(cells(), 1..8)) {
        let read = read_as(&writer.bytes(&cells), &writer.source()).unwrap();
        prop_assert_eq!(read.set_aside, vec![]);
        let again: Vec<_> = read.rows.iter().map(written_back).collect();
        let plain = read_as(&Writer::plain("\n").bytes(&again), &BillSource::default()).unwrap();
        let without_lines = |rows: Vec<BillRow>| rows.into_iter().map(|row| BillRow { line: 0, ..row }).collect::<Vec<_>>();
        prop_assert_eq!(without_lines(plain.rows), without_lines(read.rows));
        prop_assert_eq!(again.len(), cells.len());
        for (read, written) in again.iter().zip(&cells) {
            prop_assert_eq!(&read[6], &written[6]);
            let money = if written[5] == "refund" { 4 } else { 3 };
            prop_assert_eq!(&read[money], &written[money]);
        }
    }

    #[test]
    fn a_cut_shows_in_every_format(writer in writer(), cells in proptest::collection::vec(cells(), 1..4)) {
        a_cut_shows(&writer, &cells)?;
    }
}
