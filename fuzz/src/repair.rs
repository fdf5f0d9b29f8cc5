//! A changed row no longer agrees with the totals of its bill, and a fuzzer does not guess sums. The refusal says what
//! the rows make: that is put where the bill states something else, and the bill is read again.

use encoding_rs::GB18030;
use etcp_recon::bills::{BillError, BillSource};

use crate::props::check;

/// Totals of a bill: the most that have to be corrected one after the other.
const MOST_TOTALS: usize = 8;

/// How a format states its totals.
#[derive(Clone, Copy)]
pub enum Totals {
    /// In sentences: `#交易合计：14笔，商家实收共1443.00元`.
    Sentences,
    /// As a header and one row of values.
    Table,
}

/// Checks a bill, with its totals corrected as often as they alone are what is wrong.
pub fn check_repaired(mut bytes: Vec<u8>, source: &BillSource, totals: Totals) {
    for _ in 0..=MOST_TOTALS {
        let Err(BillError::TotalsDiffer { line, what, stated, counted }) = check(&bytes, source) else { return };
        let Some((start, end)) = line_at(&bytes, line) else { return };
        let place = match totals {
            Totals::Sentences => in_sentence(&bytes[start..end], &what, &stated),
            Totals::Table => in_table(&bytes, (start, end), &what),
        };
        let Some((from, to)) = place else { return };
        bytes.splice(start + from..start + to, counted.bytes());
    }
}

/// Where the line with this number begins and ends.
fn line_at(bytes: &[u8], number: u64) -> Option<(usize, usize)> {
    let mut start = 0;
    for _ in 1..number {
        start += bytes.get(start..)?.iter().position(|byte| *byte == b'\n')? + 1;
    }
    let len = bytes.get(start..)?.iter().position(|byte| *byte == b'\n');
    Some((start, len.map_or(bytes.len(), |len| start + len)))
}

/// The number beside the last word of `what`: before `笔`, behind any other.
fn in_sentence(line: &[u8], what: &str, stated: &str) -> Option<(usize, usize)> {
    let word = what.rsplit(' ').next().filter(|word| !word.is_empty())?;
    let gbk = GB18030.encode(word).0;
    let (at, len) = find_last(line, word.as_bytes())
        .map(|at| (at, word.len()))
        .or_else(|| find_last(line, &gbk).map(|at| (at, gbk.len())))?;
    let from = if word == "笔" {
        find_last(&line[..at], stated.as_bytes())?
    } else {
        at + len + find(&line[at + len..], stated.as_bytes())?
    };
    Some((from, from + stated.len()))
}

/// The field of the row in `range` that stands under the name `what` in the line before.
fn in_table(bytes: &[u8], (start, end): (usize, usize), what: &str) -> Option<(usize, usize)> {
    let before = bytes.get(..start)?.trim_ascii_end();
    let header = &before[before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)..];
    let place = header.split(|byte| *byte == b',').position(|name| name.trim_ascii() == what.as_bytes())?;
    let row = &bytes[start..end];
    let first = row.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let is_marked = row[first] == b'`';
    let delimiter: &[u8] = if is_marked { b",`" } else { b"," };
    let mut from = first + usize::from(is_marked);
    for _ in 0..place {
        from += find(&row[from..], delimiter)? + delimiter.len();
    }
    let len = find(&row[from..], delimiter).unwrap_or(row[from..].trim_ascii_end().len());
    Some((from, from + len))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() { Some(0) } else { text.windows(part.len()).position(|window| window == part) }
}

fn find_last(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() { Some(text.len()) } else { text.windows(part.len()).rposition(|window| window == part) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame;
    use etcp_recon::bills::Profile;

    #[test]
    fn totals_are_corrected_in_both_forms_and_encodings() {
        let ledger = "1\t,2,3,商品\t,2026-03-17 00:00:03,*\t,10.00,0.00,5010.00,支付宝,在线支付,\t\r\n";
        let flow = "`2026-03-17 00:00:07,`42,`19,`交易,`交易,`收入,`10.00,`2010.00,`system,`,`PK1\r\n";
        let gbk = GB18030.encode(ledger).0.into_owned();
        let cases = [
            (Profile::AlipayLedger, Totals::Sentences, "备注", frame::ALIPAY_LEDGER.around(ledger.as_bytes())),
            (Profile::AlipayLedger, Totals::Sentences, "备注", frame::ALIPAY_LEDGER.around(&gbk)),
            (Profile::WechatFundflow, Totals::Table, "备注", frame::wechat_fundflow(flow.as_bytes())),
        ];
        for (profile, totals, free, bytes) in cases {
            let source = crate::source(profile, free);
            let mut bytes = bytes;
            let mut corrected = 0;
            let summary = loop {
                match check(&bytes, &source) {
                    Ok(summary) => break summary,
                    Err(BillError::TotalsDiffer { line, what, stated, counted }) => {
                        let (start, end) = line_at(&bytes, line).unwrap();
                        let (from, to) = match totals {
                            Totals::Sentences => in_sentence(&bytes[start..end], &what, &stated),
                            Totals::Table => in_table(&bytes, (start, end), &what),
                        }
                        .unwrap();
                        bytes.splice(start + from..start + to, counted.bytes());
                        corrected += 1;
                        assert!(corrected <= MOST_TOTALS);
                    }
                    Err(error) => panic!("{error}"),
                }
            };
            assert_eq!(summary.payments, 1);
            assert!(corrected > 0);
        }
    }
}
