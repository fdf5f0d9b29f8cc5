//! The workbook read back by an independent reader: types, sums, and nothing that a spreadsheet would run.

use std::io::Cursor;

use calamine::{Data, Range, Reader, Xlsx};

use super::*;
use crate::model::{Amount, Total};
use crate::report::sample::{self, Outside};
use crate::report::tests::HOSTILE;

fn as_is(text: &str) -> String {
    text.to_owned()
}

fn sample_book(sheets: Sheets, lang: Lang) -> Vec<u8> {
    let outside = Outside(&as_is);
    workbook(&sample::full(&outside), &sample::ledger(&outside), sheets, lang).unwrap()
}

fn opened(bytes: Vec<u8>) -> Xlsx<Cursor<Vec<u8>>> {
    calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap()
}

fn sheet(book: &mut Xlsx<Cursor<Vec<u8>>>, name: &str) -> Range<Data> {
    book.worksheet_range(name).unwrap()
}

/// The cells below a header.
fn column<'a>(range: &'a Range<Data>, header: &str) -> Vec<&'a Data> {
    let first: Vec<String> = range.rows().next().unwrap().iter().map(ToString::to_string).collect();
    let index = first.iter().position(|found| found == header).unwrap_or_else(|| panic!("{header} in {first:?}"));
    range.rows().skip(1).map(|row| &row[index]).collect()
}

/// The sum of a column of money, by the decimals of its cells.
fn sum(range: &Range<Data>, header: &str) -> i128 {
    let fen = column(range, header).into_iter().filter(|cell| !matches!(cell, Data::Empty)).map(|cell| {
        let Data::Float(number) = cell else { panic!("{cell:?} is no number") };
        format!("{number:.2}").replace('.', "").parse::<i128>().unwrap()
    });
    fen.sum()
}

#[test]
fn the_sheets_are_those_promised_in_both_languages() {
    let names = |bytes| opened(bytes).sheet_names();
    assert_eq!(
        names(sample_book(Sheets::All, Lang::Zh)),
        ["汇总", "差异", "应退款", "支付流水", "停车订单", "支付通知"]
    );
    assert_eq!(
        names(sample_book(Sheets::All, Lang::En)),
        ["Summary", "Exceptions", "Refunds owed", "Payments", "Orders", "Notifications"]
    );
    assert_eq!(names(sample_book(Sheets::WithoutRows, Lang::Zh)), ["汇总", "差异", "应退款", "支付通知"]);
}

#[test]
fn amounts_are_numbers_whose_sums_are_the_reports() {
    let outside = Outside(&as_is);
    let (data, ledger) = (sample::full(&outside), sample::ledger(&outside));
    let mut book = opened(sample_book(Sheets::All, Lang::Zh));
    let exceptions = sheet(&mut book, "差异");
    let expected: i64 = data.exception_rows.iter().map(|row| row.difference.fen()).sum();
    assert_eq!(sum(&exceptions, "差额"), i128::from(expected));
    let owed = data.refunds_owed.iter().fold(Total::default(), |mut total, owed| {
        total.add(owed.amount);
        total
    });
    assert_eq!(sum(&sheet(&mut book, "应退款"), "金额（元）"), owed.fen);
    let payments = sheet(&mut book, "支付流水");
    let gross: i64 = ledger.payments.iter().map(|line| line.gross.fen()).sum();
    let net: i64 = ledger.payments.iter().map(|line| line.net.fen()).sum();
    assert_eq!((sum(&payments, "支付金额（元）"), sum(&payments, "净额（元）")), (i128::from(gross), i128::from(net)));
    assert!(matches!(column(&payments, "手续费")[0], Data::Float(fee) if fee.to_string() == "0.03218"));
    let summary = sheet(&mut book, "汇总");
    let rows = summary.rows().filter(|row| row[0] == Data::String("支付流水".to_owned()));
    let count: u64 = rows.map(|row| row[3].to_string().parse::<u64>().unwrap()).sum();
    assert_eq!(count, data.payments.iter().map(|bucket| bucket.total.count).sum::<u64>());
}

#[test]
fn ids_are_text_and_days_are_dates() {
    let mut book = opened(sample_book(Sheets::All, Lang::En));
    let payments = sheet(&mut book, "Payments");
    assert_eq!(column(&payments, "Payment")[0], &Data::String("2026112222001400561".to_owned()));
    let Data::DateTime(paid_at) = column(&payments, "Paid at")[0] else { panic!("no date") };
    let (year, month, day, hour, minute, second, _) = paid_at.to_ymd_hms_milli();
    assert_eq!((year, month, day, hour, minute, second), (2026, 11, 22, 9, 58, 58));
    let exceptions = sheet(&mut book, "Exceptions");
    assert!(column(&exceptions, "Date").iter().all(|cell| matches!(cell, Data::DateTime(_))));
    let orders = sheet(&mut book, "Orders");
    assert_eq!(column(&orders, "Exit")[1], &Data::Empty);
}

/// A file within the workbook.
fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut archive.by_name(name).unwrap(), &mut text).unwrap();
    text
}

#[test]
fn the_header_stays_in_sight_and_filters() {
    let bytes = sample_book(Sheets::All, Lang::Zh);
    for number in 1..=6 {
        let xml = part(&bytes, &format!("xl/worksheets/sheet{number}.xml"));
        assert!(xml.contains(r#"state="frozen""#) && xml.contains("<autoFilter ref=\"A1:"), "{number}");
        assert!(xml.contains("<cols>") && xml.contains("numberStoredAsText"), "{number}");
    }
    assert!(part(&bytes, "xl/styles.xml").contains("#,##0.00"));
}

#[test]
fn the_same_report_is_the_same_bytes() {
    assert!(sample_book(Sheets::All, Lang::Zh) == sample_book(Sheets::All, Lang::Zh));
}

#[test]
fn nothing_from_outside_is_a_formula_or_breaks_out() {
    let long = "长".repeat(100_000);
    for hostile in HOSTILE.iter().copied().chain([long.as_str(), "_x000D_=1", "😀=1"]) {
        let outside = |_: &str| hostile.to_owned();
        let outside = Outside(&outside);
        let bytes = workbook(&sample::full(&outside), &sample::ledger(&outside), Sheets::All, Lang::En).unwrap();
        for number in 1..=6 {
            let xml = part(&bytes, &format!("xl/worksheets/sheet{number}.xml"));
            assert!(!xml.contains("<f>") && !xml.contains("<hyperlink"), "{hostile:?}");
        }
        let mut book = opened(bytes);
        for name in book.sheet_names() {
            let range = sheet(&mut book, &name);
            for cell in range.rows().skip(1).flatten() {
                let Data::String(text) = cell else { continue };
                let first = text.trim_start().chars().next().unwrap_or(' ');
                assert!(!matches!(first, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'), "{name}: {text:?}");
                assert!(text.chars().count() <= 32_767 && !text.contains(char::is_control), "{name}: {hostile:?}");
            }
        }
    }
}

#[test]
fn an_amount_too_large_for_a_number_stays_exact() {
    let outside = Outside(&as_is);
    let mut data = sample::full(&outside);
    data.exceptions.closing = Total { count: 1, fen: 123_456_789_012_345_678_901 };
    let mut book = opened(workbook(&data, &sample::ledger(&outside), Sheets::All, Lang::En).unwrap());
    let summary = sheet(&mut book, "Summary");
    assert!(column(&summary, "Amount (CNY)").contains(&&Data::String("1234567890123456789.01".to_owned())));
    assert!(Amount::from_fen(i64::MAX).is_none());
}
