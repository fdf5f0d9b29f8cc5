//! What people read, as snapshots; what must hold whatever the bills and the platform say, as plain assertions.

use super::data::*;
use super::sample::{self, Outside};
use super::*;
use crate::model::{Disposition, Total};

fn plain() -> ReportData {
    sample::full(&Outside(&|text: &str| text.to_owned()))
}

/// Strings that would do harm if one of the renderers trusted them.
pub(crate) const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style><script>x</script>",
    "</title></td></table>",
    "<!-- ",
    "]]>&lt;b&gt;&#60;",
    "a\r\nBcc: thief@example.com\r\n\r\n.\r\n",
    "=HYPERLINK(\"http://x\",\"y\")",
    "+1+1",
    "-1-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "  =1",
    "\u{3000}＝1＋1",
    "＋1",
    "－1",
    "＠x",
    "\u{202e}0D757B渝",
    "\u{feff}\u{200b}=1",
    "\0\u{7}\u{1b}[31m",
    "a,\"b\"\n;c",
    "😀👨‍👩‍👧",
    "{{7*7}}${7*7}%00&#0;",
    "=?utf-8?q?x?=\r\nX-Evil: 1",
];

/// The tags of a page with their attributes' names, in order: what a reader of HTML makes of it.
fn skeleton(page: &str) -> Vec<String> {
    let body = page.split_once("</style>").expect("a style sheet").1;
    body.split('<').skip(1).map(|rest| rest.split_once('>').expect("a closed tag").0.to_owned()).collect()
}

#[test]
fn the_text_reads_well() {
    insta::assert_snapshot!("text_zh", text(&plain(), Lang::Zh));
    insta::assert_snapshot!("text_en", text(&plain(), Lang::En));
    insta::assert_snapshot!("text_calm_zh", text(&sample::calm(), Lang::Zh));
    insta::assert_snapshot!("failure_text_en", failure_text(&sample::failure(), Lang::En));
}

#[test]
fn the_page_reads_well() {
    // The same page but for its picture.
    let page = mail_html(&plain(), Lang::Zh, &[]);
    assert_eq!(html(&plain(), Lang::Zh).split("data:image/png;base64,").count(), 2);
    insta::assert_snapshot!("html_zh", page.replace("</tr>", "</tr>\n").replace("</div>", "</div>\n"));
}

#[test]
fn the_subject_says_date_state_and_exceptions() {
    assert_eq!(subject(&plain(), Lang::Zh), "停车对账 2026-11-22：部分完成，差异 7 笔 ¥1,367.00");
    assert_eq!(subject(&plain(), Lang::En), "Parking reconciliation 2026-11-22: partial, 7 exceptions ¥1,367.00");
    assert_eq!(subject(&sample::calm(), Lang::Zh), "停车对账 2026-11-22：完成，无差异");
    let dry = ReportData { mode: Mode::DryRun, ..sample::calm() };
    assert_eq!(subject(&dry, Lang::En), "Parking reconciliation 2026-11-22: complete, dry run, no exceptions");
    assert_eq!(failure_subject(&sample::failure(), Lang::Zh), "停车对账 2026-11-22：对账失败");
}

#[test]
fn the_first_line_is_the_answer() {
    let answer = |data: &ReportData| view::headline(data, Lang::En).1;
    assert_eq!(answer(&sample::calm()), "The books agree: no exceptions");
    assert_eq!(answer(&plain()), "7 exceptions, ¥1,367.00");
    assert_eq!(
        answer(&ReportData { status: Status::Partial, ..sample::calm() }),
        "No exceptions in what could be checked"
    );
    let mut broken = sample::calm();
    broken.tie_out.holds = false;
    assert_eq!(answer(&broken), "Does not tie out: not to be trusted");
    let empty = ReportData { payments: Vec::new(), orders: Vec::new(), ..sample::calm() };
    assert_eq!(answer(&empty), "No payments and no orders on this day");
}

#[test]
fn nothing_from_outside_becomes_a_tag() {
    for lang in [Lang::Zh, Lang::En] {
        let harmless = skeleton(&html(&sample::full(&Outside(&|_: &str| "x".to_owned())), lang));
        for hostile in HOSTILE {
            let outside = |_: &str| (*hostile).to_owned();
            let data = sample::full(&Outside(&outside));
            let page = html(&data, lang);
            assert!(skeleton(&page) == harmless, "{hostile:?}");
            assert!(!page.contains("<script"));
            assert_eq!(page.matches("<img").count(), 1, "the chart");
        }
    }
}

#[test]
fn nothing_invisible_from_outside_reaches_a_reader() {
    for hostile in HOSTILE {
        let outside = |_: &str| (*hostile).to_owned();
        let data = sample::full(&Outside(&outside));
        for lang in [Lang::Zh, Lang::En] {
            let pages = [html(&data, lang), text(&data, lang), String::from_utf8(exceptions_csv(&data, lang)).unwrap()];
            for page in pages.iter().map(|page| page.trim_start_matches('\u{feff}')) {
                let strange =
                    |c: char| (c.is_control() && c != '\n' && c != '\r') || "\u{202e}\u{200b}\u{feff}".contains(c);
                assert!(!page.contains(strange), "{hostile:?}");
            }
            assert!(!subject(&data, lang).contains(char::is_control));
            assert!(!pages[1].contains('\r'), "{hostile:?}");
        }
    }
}

#[test]
fn a_kind_this_version_does_not_know_is_shown_by_its_name() {
    let mut data = plain();
    data.exception_rows[0].kind = "<b>new_kind</b>".to_owned();
    assert!(html(&data, Lang::Zh).contains("&lt;b&gt;new_kind&lt;/b&gt;"));
    assert!(text(&data, Lang::En).contains("<b>new_kind</b>"));
}

#[test]
fn no_cell_of_the_csv_is_a_formula() {
    for hostile in HOSTILE {
        let outside = |_: &str| (*hostile).to_owned();
        let data = sample::full(&Outside(&outside));
        let bytes = exceptions_csv(&data, Lang::En);
        let rest = bytes.strip_prefix("\u{feff}".as_bytes()).expect("a byte order mark");
        let mut reader = ::csv::Reader::from_reader(rest);
        let mut rows = 0_usize;
        for record in reader.records() {
            let record = record.unwrap();
            rows += 1;
            for (column, cell) in record.iter().enumerate() {
                let is_ours = (9..=11).contains(&column);
                let first = cell.trim_start().chars().next();
                let formula = first.is_some_and(|c| "=+-@＝＋－＠\t\r".contains(c));
                assert!(is_ours || !formula, "{hostile:?} in column {column}: {cell:?}");
            }
        }
        assert_eq!(rows, data.exception_rows.len());
    }
}

#[test]
fn money_in_the_csv_stays_a_plain_decimal() {
    let bytes = exceptions_csv(&plain(), Lang::Zh);
    let text = std::str::from_utf8(&bytes).unwrap();
    assert!(text.starts_with("\u{feff}编号,差异类型,类型代码,状态,对账日,"));
    assert!(text.contains(",5.00,7.50,-2.50,"));
    assert!(text.contains(",1280.00,0.00,1280.00,"));
}

#[test]
fn every_kind_of_exception_has_its_advice_in_both_languages() {
    let beside = [Kind::BillDisagrees, Kind::EventWithoutOrder, Kind::EventFeeDiffers, Kind::Other];
    let exceptions = Disposition::ALL.iter().filter(|d| d.is_exception()).map(|&d| Kind::Of(d));
    for kind in exceptions.chain(beside) {
        let [zh, en] = [Lang::Zh, Lang::En].map(|lang| lang.advice(kind));
        assert!(zh.todo != "无需处理。" && en.todo != "Nothing to do.", "{kind:?}");
        assert!(zh.means.ends_with('。') && zh.todo.ends_with('。') | zh.todo.ends_with("明细。"), "{kind:?}");
        assert!(en.means.is_ascii() && en.todo.is_ascii(), "{kind:?}");
    }
}

#[test]
fn a_long_list_is_cut_and_says_so() {
    let mut data = plain();
    let row = data.exception_rows[0].clone();
    data.exception_rows = vec![row; 100_000];
    let page = html(&data, Lang::Zh);
    assert!(page.len() < 500_000, "{}", page.len());
    assert!(page.contains("另有 99900 笔未在此列出，全部差异见附件"));
    assert!(text(&data, Lang::En).contains("99900 more not shown here"));
}

#[test]
fn a_rerun_says_what_changed() {
    let bucket = |disposition, count, fen| Bucket { disposition, total: Total { count, fen } };
    let before = [bucket(Disposition::Settled, 2, 200), bucket(Disposition::NotifyDue, 1, 50)];
    let after = [bucket(Disposition::Settled, 2, 200), bucket(Disposition::Notified, 1, 50)];
    let changes = Change::between(&before, &after);
    let names: Vec<_> = changes.iter().map(|change| change.disposition.name()).collect();
    assert_eq!(names, ["notified", "notify_due"]);
    assert!(Change::between(&after, &after).is_empty());
    let mut same = sample::calm();
    same.rerun = Some(Rerun { of: "r1".to_owned(), of_made_at: None, payments: Vec::new(), orders: Vec::new() });
    assert!(text(&same, Lang::En).contains("All counts and amounts are the same."));
}

#[test]
fn a_failed_run_says_what_stopped_it() {
    let report = sample::failure();
    let page = failure_html(&report, Lang::Zh);
    assert!(
        page.contains("对账失败")
            && page.contains("bad signature")
            && page.contains("etcp-recon run --date 2026-11-22")
    );
    let hostile = FailureReport { error_chain: vec!["<script>\u{202e}".to_owned(); 2], ..report.clone() };
    assert_eq!(skeleton(&failure_html(&hostile, Lang::Zh)), skeleton(&page));
}

#[test]
fn a_clock_that_was_corrected_is_said_however_little() {
    let mut data = sample::calm();
    for (seconds, english, chinese) in
        [(2, "2 s ahead of this machine's", "比本机快 2 秒"), (-2, "2 s behind", "比本机慢 2 秒")]
    {
        data.clock_correction_s = seconds;
        let (en, zh) = (text(&data, Lang::En), text(&data, Lang::Zh));
        assert!(en.contains(english) && zh.contains(chinese), "{en}\n{zh}");
        assert!(html(&data, Lang::Zh).contains(chinese));
    }
    data.clock_correction_s = 0;
    assert!(!text(&data, Lang::En).contains("clock"), "a second is no news");
}

#[test]
fn a_kept_report_is_read_back_whole() {
    let hostile = |text: &str| format!("{text}\u{202e}\0\r\n\"<");
    for data in [plain(), sample::calm(), sample::full(&Outside(&hostile))] {
        let packed = packed::pack(&data).unwrap();
        let back: ReportData = packed::unpack(&packed).unwrap();
        assert_eq!(serde_json::to_string(&back).unwrap(), serde_json::to_string(&data).unwrap());
        for lang in [Lang::Zh, Lang::En] {
            assert!(html(&back, lang) == html(&data, lang) && text(&back, lang) == text(&data, lang));
            assert!(exceptions_csv(&back, lang) == exceptions_csv(&data, lang));
        }
        assert_eq!(packed::pack(&back).unwrap(), packed, "the same report is the same bytes");
    }
    assert!(packed::unpack::<ReportData>(b"no gzip").is_err());
}

#[test]
fn the_chart_tells_its_figures_to_those_who_do_not_see_it() {
    let told = view::history(&plain(), Lang::Zh).unwrap();
    assert!(
        told.contains("其中 29 天有报告") && told.contains("当日 ¥18,609.00") && told.contains("当日 7 笔"),
        "{told}"
    );
    let page = mail_html(&plain(), Lang::Zh, &[]);
    let alt = told.replace('\n', " ");
    assert!(page.contains(&format!("alt=\"{alt}\"")) && page.contains("src=\"cid:chart@etcp-recon\""));
    assert!(text(&plain(), Lang::Zh).contains(&told));
    let unknown = ReportData { history: Vec::new(), ..plain() };
    assert!(!html(&unknown, Lang::Zh).contains("<img") && !text(&unknown, Lang::Zh).contains("近 30 天"));
}

/// `cargo test -- --ignored the_sample_is_written`: pages to be looked at in a browser, under `target/sample-report`.
#[test]
#[ignore = "writes files for people"]
fn the_sample_is_written() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sample-report");
    std::fs::create_dir_all(&folder).unwrap();
    let outside = Outside(&|text: &str| text.to_owned());
    for (name, data) in [("full", sample::full(&outside)), ("calm", sample::calm())] {
        for lang in [Lang::Zh, Lang::En] {
            let write = |ending: &str, content: &[u8]| {
                std::fs::write(folder.join(format!("{name}.{lang}.{ending}")), content).unwrap();
            };
            write("html", html(&data, lang).as_bytes());
            write("txt", text(&data, lang).as_bytes());
            write("xlsx", &workbook(&data, &sample::ledger(&outside), Sheets::All, lang).unwrap());
        }
    }
    for lang in [Lang::Zh, Lang::En] {
        std::fs::write(folder.join(format!("failed.{lang}.html")), failure_html(&sample::failure(), lang)).unwrap();
    }
}
