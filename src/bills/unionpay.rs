//! `UnionPay` ZM: records of fixed width, told apart by byte. No header and no totals; a cut is noticed inside a record only.
//!
//! Amounts are fen; those with a sign have a letter before them: `C` to the merchant's credit, `D` to its debit. The
//! settlement day is another than the calendar day, so a row belongs to the day on which its query number was given.
//! Source: `bill-formats.md` 3a.

use std::io::{BufRead, BufReader, Read};

use encoding_rs::GB18030;

use super::header::{Fields, Header};
use super::reading::{Reading, Row, Told};
use super::text::Encoding;
use super::{BillError, CHANNEL_UNIONPAY, RowKind, is_of_this_century, shortened};
use crate::model::{Amount, ChannelFee, Timestamp};

/// Bytes of a record without its line end.
pub(super) const RECORD_BYTES: usize = 607;

/// The places at which the first fields end, by which a file is recognised.
pub(super) const FIRST_SPACES: [usize; 4] = [3, 15, 27, 34];

/// Names and widths of the fields; one space stands between two.
const FIELDS: [(&str, usize); 42] = [
    ("交易代码", 3),
    ("代理机构标识码", 11),
    ("发送机构标识码", 11),
    ("系统跟踪号", 6),
    ("交易传输时间", 10),
    ("帐号", 19),
    ("交易金额", 12),
    ("商户类别", 4),
    ("终端类型", 2),
    ("查询流水号", 21),
    ("支付方式（旧）", 2),
    ("商户订单号", 32),
    ("支付卡类型", 2),
    ("原始交易的系统跟踪号", 6),
    ("原始交易日期时间", 10),
    ("商户手续费", 13),
    ("结算金额", 13),
    ("支付方式", 4),
    ("集团商户代码", 15),
    ("交易类型", 2),
    ("交易子类", 2),
    ("业务类型", 6),
    ("帐号类型", 2),
    ("账单类型", 4),
    ("账单号码", 32),
    ("交互方式", 1),
    ("原交易查询流水号", 21),
    ("商户代码", 15),
    ("分账入账方式", 1),
    ("二级商户代码", 15),
    ("二级商户简称", 32),
    ("二级商户分账入账金额", 13),
    ("清算净额", 13),
    ("终端号", 8),
    ("商户自定义域", 32),
    ("优惠金额", 13),
    ("发票金额", 13),
    ("分期付款附加手续费", 12),
    ("分期付款期数", 2),
    ("交易介质", 1),
    ("原始交易订单号", 32),
    ("保留使用", 98),
];

/// Older files have one reserve of this width in place of the last two fields, without the space between.
const LAST_SPACE: usize = RECORD_BYTES - 98 - 1;

const AMOUNT: usize = 6;
const QUERY_NO: usize = 9;
const OWN_ID: usize = 11;
const FEE: usize = 15;
const KIND: usize = 19;
const ORIGINAL_QUERY_NO: usize = 26;
const ORIGINAL_OWN_ID: usize = 40;

/// What no text in GB18030 has inside a field, so that fields can stand beside each other in one line of text.
const SEPARATOR: &str = "\u{1f}";

/// Reads the records.
///
/// # Errors
/// When the bill is refused.
pub(super) fn read(input: impl Read, reading: &mut Reading<'_>) -> Result<(), BillError> {
    let header = Header::new(FIELDS.iter().map(|(name, _)| name), 1);
    reading.begin_table(&header)?;
    let mut reader = BufReader::with_capacity(256 * 1024, input);
    let (mut record, mut text, mut fields) = (Vec::new(), String::new(), Fields::default());
    let mut line: u64 = 0;
    loop {
        record.clear();
        let limit = u64::try_from(RECORD_BYTES).unwrap_or(u64::MAX).saturating_add(3);
        if reader.by_ref().take(limit).read_until(b'\n', &mut record)? == 0 {
            return Ok(());
        }
        line = line.saturating_add(1);
        while let Some(b'\n' | b'\r') = record.last() {
            record.pop();
        }
        // Nothing but the end of the file: some tools put one more line end there.
        if record.is_empty() && reader.fill_buf()?.is_empty() {
            return Ok(());
        }
        decode(&record, line, &mut text)?;
        fields.split(&text, SEPARATOR);
        reading.show(line, header.names(), || fields.all(&text));
        read_record(&Row { header: &header, fields: &fields, text: &text, line }, reading)?;
    }
}

/// The fields of a record as text, with [`SEPARATOR`] between two.
fn decode(record: &[u8], line: u64, text: &mut String) -> Result<(), BillError> {
    if record.len() != RECORD_BYTES {
        let value = shortened(&String::from_utf8_lossy(record.get(..40).unwrap_or(record)), 40);
        return Err(BillError::RecordLength { line, found: record.len(), expected: RECORD_BYTES, value });
    }
    text.clear();
    let mut start: usize = 0;
    for (place, (name, width)) in FIELDS.iter().enumerate() {
        let end = start.saturating_add(*width);
        let bytes = record.get(start..end).unwrap_or_default();
        let is_last = end == RECORD_BYTES;
        if !is_last && record.get(end) != Some(&b' ') && end != LAST_SPACE {
            return Err(BillError::Cell {
                line,
                column: (*name).to_owned(),
                value: shortened(&GB18030.decode_without_bom_handling(bytes).0, 40),
                reason: format!("no space behind it, at byte {}", end.saturating_add(1)),
            });
        }
        let (field, had_errors) = GB18030.decode_without_bom_handling(bytes);
        // The reserve of older files may be cut inside a character by the newer files' border.
        if had_errors && place < ORIGINAL_OWN_ID {
            return Err(BillError::NotText { line, encoding: Encoding::Gb18030 });
        }
        if place > 0 {
            text.push_str(SEPARATOR);
        }
        if field.contains(SEPARATOR) {
            text.push_str(&field.replace(SEPARATOR, " "));
        } else {
            text.push_str(&field);
        }
        start = end.saturating_add(1);
    }
    Ok(())
}

fn read_record(row: &Row<'_>, reading: &mut Reading<'_>) -> Result<(), BillError> {
    let amount = fen(row, AMOUNT, row.cell(AMOUNT))?;
    let query_no = row.id(QUERY_NO)?;
    let at = query_time(query_no).ok_or_else(|| row.fault(QUERY_NO, "it does not begin with a time".to_owned()))?;
    let kind = match row.cell(KIND) {
        "01" => RowKind::Payment,
        "04" | "31" => RowKind::Refund,
        other => {
            let reason = format!("the kind of transaction `{other}` is neither 01, 04 nor 31");
            reading.set_aside(row.line, Some(row.header.name(KIND)), other, reason);
            return Ok(());
        }
    };
    let fee = signed_fee(row)?;
    let original = row.cell(ORIGINAL_QUERY_NO);
    let (payment_id, refund_id, own_id) = match kind {
        RowKind::Payment | RowKind::Fee => (query_no, None, Some(OWN_ID)),
        RowKind::Refund if original.trim_matches('0').is_empty() => {
            return Err(row.fault(ORIGINAL_QUERY_NO, "a refund that names no payment".to_owned()));
        }
        // A refund's own order number is the refund's; the payment's stands in the newer files' reserve.
        RowKind::Refund => (original, Some(query_no), Some(ORIGINAL_OWN_ID).filter(|at| is_id(row.cell(*at)))),
    };
    reading.tell(
        row,
        Told {
            kind,
            payment_id,
            refund_id,
            own_id,
            amount,
            amount_at: AMOUNT,
            received: amount,
            refunded: Amount::ZERO,
            fee: Some(fee),
            is_pending: false,
            at,
            channel: CHANNEL_UNIONPAY,
        },
    )
}

/// Whether a field of the reserve is an order number and not part of an older file's reserve.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whole fen, padded with zeros.
fn fen(row: &Row<'_>, at: usize, digits: &str) -> Result<Amount, BillError> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let fen = digits.parse::<i64>().ok().filter(|_| is_number).and_then(Amount::from_fen);
    fen.ok_or_else(|| row.fault(at, "it is not a whole number of fen".to_owned()))
}

/// What is charged has `D` before it; what is given back, `C`.
fn signed_fee(row: &Row<'_>) -> Result<ChannelFee, BillError> {
    let text = row.cell(FEE);
    if text.is_empty() {
        return Ok(ChannelFee::ZERO);
    }
    let digits = text.trim_start_matches(['C', 'D', ' ']);
    let fee = ChannelFee::from_fen(fen(row, FEE, digits)?.fen()).unwrap_or_default();
    Ok(if text.starts_with('C') { fee.reversed() } else { fee })
}

/// The first fourteen digits: `20150906091234`.
fn query_time(query_no: &str) -> Option<Timestamp> {
    let digits = query_no.get(..14).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let part = |from: usize, to: usize| digits.get(from..to);
    let wall =
        format!("{}-{}-{} {}:{}:{}", part(0, 4)?, part(4, 6)?, part(6, 8)?, part(8, 10)?, part(10, 12)?, part(12, 14)?);
    Timestamp::parse_wall(&wall).ok().filter(|at| is_of_this_century(*at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widths_add_up_to_the_record() {
        let widths: usize = FIELDS.iter().map(|(_, width)| width).sum();
        assert_eq!(widths + FIELDS.len() - 1, RECORD_BYTES);
        let place = |name: &str| FIELDS.iter().position(|(field, _)| *field == name);
        for (name, at) in [
            ("交易金额", AMOUNT),
            ("查询流水号", QUERY_NO),
            ("商户订单号", OWN_ID),
            ("商户手续费", FEE),
            ("交易类型", KIND),
            ("原交易查询流水号", ORIGINAL_QUERY_NO),
            ("原始交易订单号", ORIGINAL_OWN_ID),
        ] {
            assert_eq!(place(name), Some(at), "{name}");
        }
        let ends: Vec<usize> = FIELDS
            .iter()
            .scan(0, |end, (_, width)| {
                *end += width + 1;
                Some(*end - 1)
            })
            .collect();
        assert_eq!(ends[..4], FIRST_SPACES);
        assert_eq!(ends[40], LAST_SPACE);
    }
}
