//! The profile `generic`. The first two bytes say how the bill is written, every way of the config being among them; the
//! rest is the bill, or its rows only.
#![no_main]

use std::sync::LazyLock;

use encoding_rs::GB18030;
use etcp_recon::bills::{
    BillSource, Column, Delimiter, Encoding, GenericFormat, Negative, Places, Profile, Role, StatusMeaning, Unit,
    UnknownStatus,
};
use etcp_recon::model::WallFormat;
use etcp_recon_fuzz::props::check;
use libfuzzer_sys::fuzz_target;

/// Of the first byte, beside the delimiter in its lowest two bits: a header is put before the input.
const FRAMED: u8 = 4;
/// The source is a ledger.
const LEDGER: u8 = 8;
/// Order id and plate stand where the source says.
const PLACES: u8 = 16;
/// Columns and states have other names than the default ones.
const RENAMED: u8 = 32;
/// The columns are called by their numbers.
const NUMBERED: u8 = 64;
/// Also those columns are read that the config has to name.
const ALL_COLUMNS: u8 = 128;

/// Of the second byte: amounts in fen.
const FEN: u8 = 1;
/// Commas between thousands.
const THOUSANDS: u8 = 2;
/// An amount below zero is a refund.
const SIGNED: u8 = 4;
/// A backtick before every value. Together with the next, the encoding is told to be GB18030 instead.
const PREFIX: u8 = 8;
/// Quotes are characters like any other.
const NO_QUOTES: u8 = 16;
/// Comments with `#`, and one line before the header.
const COMMENTS: u8 = 32;
/// A row that begins with 合计 is the last.
const STOP: u8 = 64;
/// Times as `%Y%m%d %H%M%S`.
const TIME_FORMAT: u8 = 128;

/// What takes long to make.
static BASE: LazyLock<BillSource> = LazyLock::new(|| etcp_recon_fuzz::source(Profile::Generic, "channel"));
static TIMES: LazyLock<WallFormat> = LazyLock::new(|| "%Y%m%d %H%M%S".parse().expect("a strftime format"));

fuzz_target!(|input: &[u8]| {
    let [how, written, rest @ ..] = input else { return };
    let source = source(*how, *written);
    // A refusal is no fault; `check` has looked at it.
    if how & FRAMED == 0 {
        drop(check(rest, &source));
        return;
    }
    let header = header(&source.generic, how & ALL_COLUMNS != 0);
    if std::str::from_utf8(rest).is_ok() {
        drop(check(&[header.as_bytes(), rest].concat(), &source));
    } else {
        drop(check(&[&GB18030.encode(&header).0, rest].concat(), &source));
    }
});

fn source(how: u8, written: u8) -> BillSource {
    let mut source = BASE.clone();
    source.generic = format(how, written);
    source.role = if how & LEDGER == 0 { Role::Trade } else { Role::Ledger };
    if how & PLACES == 0 {
        source.places = Places::default();
    } else if let Some(name) = source.generic.columns.get(&Column::Channel) {
        for place in [&mut source.places.order_id, &mut source.places.plate].into_iter().flatten() {
            place.column.clone_from(name);
        }
    }
    source
}

fn format(how: u8, written: u8) -> GenericFormat {
    let has = |bit: u8| written & bit != 0;
    let mut format = GenericFormat {
        delimiter: Delimiter::ALL[usize::from(how & 3)],
        quote: !has(NO_QUOTES),
        header: how & NUMBERED == 0,
        unit: if has(FEN) { Unit::Fen } else { Unit::Yuan },
        thousands: has(THOUSANDS),
        negative: if has(SIGNED) { Negative::Refund } else { Negative::SetAside },
        time_format: has(TIME_FORMAT).then(|| TIMES.clone()),
        unknown_status: [UnknownStatus::SetAside, UnknownStatus::Ignore, UnknownStatus::Refuse]
            [usize::from(how.wrapping_add(written) % 3)],
        ..GenericFormat::default()
    };
    if has(PREFIX) && has(NO_QUOTES) {
        format.encoding = Some(Encoding::Gb18030);
    } else if has(PREFIX) {
        format.strip_prefix = Some('`');
    }
    if has(COMMENTS) {
        format.comment = Some('#');
        format.skip_lines = 1;
    }
    if has(STOP) {
        format.stop = Some("合计".to_owned());
    }
    let is_named = |column: &Column| how & ALL_COLUMNS != 0 || column.is_read_unasked();
    for (number, column) in (1..).zip(Column::ALL).filter(|(_, column)| is_named(column)) {
        if how & NUMBERED != 0 {
            format.columns.insert(column, number.to_string());
        } else if how & RENAMED != 0 {
            format.columns.insert(column, format!("列{}", column.name()));
        } else if !column.is_read_unasked() {
            format.columns.insert(column, column.name().to_owned());
        }
    }
    if how & RENAMED != 0 {
        let words =
            [("成功", StatusMeaning::Payment), ("退款", StatusMeaning::Refund), ("关闭", StatusMeaning::Ignored)];
        format.status = words.map(|(word, meaning)| (word.to_owned(), meaning)).into();
    }
    format
}

/// What stands before the rows: a line that is skipped, and the header.
fn header(format: &GenericFormat, is_full: bool) -> String {
    let mut header = if format.skip_lines > 0 { "对账单\n".to_owned() } else { String::new() };
    if format.header {
        for column in Column::ALL.iter().filter(|column| is_full || column.is_read_unasked()) {
            header.push_str(format.columns.get(column).map_or(column.name(), String::as_str));
            header.push(char::from(format.delimiter.byte()));
        }
        header.pop();
        header.push('\n');
    }
    header
}
