//! What a run's mail consists of: page, text, files; what is too large for a mail stays in the report folder, and the mail
//! says where. Pure.

use std::path::Path;

use super::mailing::{FileNames, Rendered};
use crate::report::ledger::Ledger;
use crate::report::mail::{MailAttachment, Picture};
use crate::report::{
    CHART_ID, FailureReport, Lang, LeftOut, ReportData, Sheets, WorkbookError, chart, failure_html, failure_subject,
    failure_text, mail_html, mail_text, workbook,
};

/// The largest mail that is made: many servers take no more than 10 MiB, as sent.
pub const MAX_MAIL_BYTES: usize = 10 * 1024 * 1024;

/// For headers, boundaries and the sentences about what is left out.
const RESERVED_BYTES: usize = 64 * 1024;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What stands in an envelope, before it is known whose it is.
pub struct Letter {
    /// The subject.
    pub subject: String,
    /// The page.
    pub html: String,
    /// The same as plain text.
    pub text: String,
    /// The pictures of the page.
    pub pictures: Vec<Picture>,
    /// The files.
    pub attachments: Vec<MailAttachment>,
    /// What was too large.
    pub left_out: Vec<LeftOut>,
}

/// The mail about a finished run, whose files lie in `folder`.
///
/// # Errors
/// When a smaller workbook is needed and cannot be made.
pub fn letter(
    data: &ReportData,
    ledger: &Ledger,
    report: &Rendered,
    folder: &Path,
    lang: Lang,
) -> Result<Letter, WorkbookError> {
    letter_within(MAX_MAIL_BYTES, (data, ledger), report, folder, lang)
}

fn letter_within(
    limit: usize,
    (data, ledger): (&ReportData, &Ledger),
    report: &Rendered,
    folder: &Path,
    lang: Lang,
) -> Result<Letter, WorkbookError> {
    let names = FileNames::of(&data.run_id);
    let room = Room(
        limit
            .saturating_sub(RESERVED_BYTES)
            .saturating_sub(encoded(report.html.len()))
            .saturating_sub(encoded(report.text.len())),
    );
    let csv = || file(format!("exceptions-{}.csv", data.run_id), "text/csv; charset=utf-8", &report.csv);
    let xlsx = |content: &[u8]| file(format!("reconciliation-{}.xlsx", data.run_id), XLSX, content);
    let (attachments, left_out) = if room.holds(&[&report.xlsx, &report.csv]) {
        (vec![xlsx(&report.xlsx), csv()], vec![])
    } else {
        let small = workbook(data, ledger, Sheets::WithoutRows, lang)?;
        if room.holds(&[&small, &report.csv]) {
            (vec![xlsx(&small), csv()], vec![LeftOut::Rows])
        } else if room.holds(&[&small]) {
            (vec![xlsx(&small)], vec![LeftOut::Rows, LeftOut::Csv])
        } else {
            (vec![], vec![LeftOut::Workbook, LeftOut::Csv])
        }
    };
    let path = |what: LeftOut| folder.join(if what == LeftOut::Csv { &names.csv } else { &names.xlsx });
    let notes: Vec<String> =
        left_out.iter().map(|&what| lang.not_attached(what, &path(what).display().to_string())).collect();
    let pictures = chart(data).map(|png| Picture { id: CHART_ID, png });
    Ok(Letter {
        pictures: pictures.into_iter().collect(),
        subject: report.subject.clone(),
        html: mail_html(data, lang, &notes),
        text: mail_text(data, lang, &notes),
        attachments,
        left_out,
    })
}

/// The mail about a run that failed.
pub fn failure_letter(report: &FailureReport, lang: Lang) -> Letter {
    Letter {
        subject: failure_subject(report, lang),
        html: failure_html(report, lang),
        text: failure_text(report, lang),
        pictures: Vec::new(),
        attachments: Vec::new(),
        left_out: Vec::new(),
    }
}

fn file(file_name: String, content_type: &str, content: &[u8]) -> MailAttachment {
    MailAttachment { file_name, content_type: content_type.to_owned(), content: content.to_vec() }
}

/// Bytes of a mail that are left for files.
struct Room(usize);

impl Room {
    fn holds(&self, files: &[&[u8]]) -> bool {
        files.iter().map(|file| encoded(file.len())).fold(0, usize::saturating_add) <= self.0
    }
}

/// The size of so many bytes as base64 in lines of 76 characters.
const fn encoded(bytes: usize) -> usize {
    bytes.div_ceil(57).saturating_mul(78)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::mailing::render;
    use mail_parser::MimeHeaders;

    use crate::report::mail::{Message, parse_mailbox};
    use crate::report::sample::{self, Outside};
    use crate::report::tests::HOSTILE;

    fn as_is(text: &str) -> String {
        text.to_owned()
    }

    /// A report with so many exceptions and payments, each with ids of its own.
    fn large(exceptions: usize, payments: usize) -> (ReportData, Ledger) {
        let outside = Outside(&as_is);
        let (mut data, mut ledger) = (sample::full(&outside), sample::ledger(&outside));
        // What cannot be packed well: ids are hashes.
        let id = |n: usize| hex::encode(<sha2::Sha256 as sha2::Digest>::digest(n.to_le_bytes()));
        let row = data.exception_rows[2].clone();
        data.exception_rows = (0..exceptions)
            .map(|n| {
                let mut row = row.clone();
                (row.payment_id, row.external_order_id, row.order_id) =
                    (Some(id(n)), Some(id(n)), Some(id(n.wrapping_add(7))));
                row
            })
            .collect();
        let line = ledger.payments[0].clone();
        ledger.payments = (0..payments)
            .map(|n| {
                let mut line = line.clone();
                (line.payment_id, line.external_order_id) = (id(n), id(n));
                line
            })
            .collect();
        (data, ledger)
    }

    fn made((data, ledger): &(ReportData, Ledger)) -> (Letter, Rendered) {
        let rendered = render(data, ledger, Lang::En).unwrap();
        (letter(data, ledger, &rendered, Path::new("/srv/reports/2026-11-22"), Lang::En).unwrap(), rendered)
    }

    fn size(letter: &Letter) -> usize {
        let files = letter.attachments.iter().map(|file| encoded(file.content.len()));
        let bodies = [encoded(letter.html.len()), encoded(letter.text.len())];
        files.chain(bodies).sum()
    }

    #[test]
    fn an_ordinary_mail_has_everything_with_it() {
        let (letter, rendered) = made(&large(10, 10));
        assert!(letter.left_out.is_empty());
        let names: Vec<&str> = letter.attachments.iter().map(|file| file.file_name.as_str()).collect();
        assert_eq!(names, ["reconciliation-20261123T103000-7f3a.xlsx", "exceptions-20261123T103000-7f3a.csv"]);
        assert!(letter.attachments[0].content == rendered.xlsx);
        assert_eq!(letter.text, rendered.text);
        assert!(letter.html.contains("src=\"cid:chart@etcp-recon\"") && letter.pictures.len() == 1);
    }

    /// The mail of a report, as an independent reader sees its headers and parts.
    fn skeleton(text: &str) -> (Vec<(String, String)>, Vec<String>) {
        let outside = |_: &str| text.to_owned();
        let outside = Outside(&outside);
        let data = ReportData { run_id: "r1".to_owned(), ..sample::full(&outside) };
        let ledger = sample::ledger(&outside);
        let rendered = render(&data, &ledger, Lang::Zh).unwrap();
        let letter = letter(&data, &ledger, &rendered, Path::new("/srv"), Lang::Zh).unwrap();
        let message = Message {
            message_id: "<1@example.com>".to_owned(),
            from: parse_mailbox("停车对账 <recon@example.com>").unwrap(),
            to: vec![parse_mailbox("finance@example.com").unwrap()],
            cc: Vec::new(),
            subject: letter.subject,
            html: letter.html,
            text: letter.text,
            pictures: letter.pictures,
            attachments: letter.attachments,
            date: data.made_at,
        };
        let raw = message.to_bytes().unwrap();
        assert!(raw.is_ascii() && raw.split(|byte| *byte == b'\n').all(|line| line.len() <= 998));
        let mail = mail_parser::MessageParser::default().parse(&raw).unwrap();
        let headers = mail
            .headers_raw()
            .map(|(name, value)| (name.to_owned(), value.split("boundary").next().unwrap_or_default().to_owned()));
        let kinds = mail.parts.iter().map(|part| part.content_type().unwrap().subtype().unwrap_or_default().to_owned());
        (headers.collect(), kinds.collect())
    }

    #[test]
    fn nothing_from_outside_changes_a_header_or_a_part() {
        let harmless = skeleton("x");
        assert_eq!(
            harmless.1,
            [
                "mixed",
                "alternative",
                "plain",
                "related",
                "html",
                "png",
                "vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "csv"
            ]
        );
        let long = "长=".repeat(50_000);
        for hostile in HOSTILE.iter().copied().chain([long.as_str()]) {
            assert!(skeleton(hostile) == harmless, "{hostile:?}");
        }
    }

    #[test]
    fn payments_too_large_for_a_mail_stay_in_the_folder_and_it_says_where() {
        let (limit, report) = (400_000, large(10, 5_000));
        let rendered = render(&report.0, &report.1, Lang::En).unwrap();
        assert!(rendered.xlsx.len() > limit, "the folder has them all");
        let folder = Path::new("/srv/reports/2026-11-22");
        let letter = letter_within(limit, (&report.0, &report.1), &rendered, folder, Lang::En).unwrap();
        assert_eq!(letter.left_out, [LeftOut::Rows]);
        assert_eq!(letter.attachments.len(), 2);
        let says = "The payments and orders are too large for a mail (10 MiB) and not attached; \
                    on the machine that reconciles: /srv/reports/2026-11-22/20261123T103000-7f3a.xlsx";
        assert!(letter.text.contains(says) && letter.html.contains(says), "{}", letter.text);
        assert!(size(&letter) < limit);
    }

    #[test]
    fn a_mail_of_a_hundred_thousand_exceptions_stays_under_its_limit() {
        let report = large(100_000, 0);
        let (letter, rendered) = made(&report);
        assert!(rendered.csv.len() > MAX_MAIL_BYTES);
        assert!(size(&letter) < MAX_MAIL_BYTES, "{}", size(&letter));
        assert!(letter.left_out.contains(&LeftOut::Csv) && letter.text.contains(".csv"), "{:?}", letter.left_out);
        assert!(letter.text.contains("99900 more not shown here"));
    }
}
