//! What a file is, told from its first bytes and never from its name.
//!
//! Whatever is recognised and cannot be read is refused with a message that says what it is; whatever
//! is not recognised is left to the profile `generic`, whose header then decides.

use super::header::folded;
use super::text::{self, Encoding};
use super::unionpay::{FIRST_SPACES, RECORD_BYTES};
use super::{BillError, Profile, shortened, unsupported};

/// Lines in which the title of a personal export stands.
const TITLE_LINES: usize = 30;

/// Beginnings of files that are no text, what they are, and what to do.
const OTHER_FILES: [(&[u8], &str, &str); 5] = [
    (b"PK\x05\x06", "an empty zip archive", "download the bill again"),
    (b"Rar!", "a rar archive", "unpack it and import the CSV file with the details"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (xls)", "save the sheet as CSV in UTF-8"),
    (b"%PDF", "a PDF document", "download the bill as CSV"),
    (b"\xff\xfe", "text in UTF-16", "save it as CSV in UTF-8"),
];

/// What begins with the bytes that were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A channel's bill.
    Profile(Profile),
    /// A channel's summary of a bill.
    Summary,
    /// Nothing that is recognised: the profile `generic` decides by its header.
    Unknown,
}

/// Tells what begins with `head`, of which there is no more.
///
/// # Errors
/// When it is empty or something that is never a bill.
pub fn detect(head: &[u8]) -> Result<Found, BillError> {
    detect_in(head, text::encoding_of_head(head, true).unwrap_or(Encoding::Utf8))
}

/// Tells what begins with `head`, a text in `encoding` if it is one.
///
/// # Errors
/// When it is empty or something that is never a bill.
pub(super) fn detect_in(head: &[u8], encoding: Encoding) -> Result<Found, BillError> {
    if let Some((_, what, hint)) = OTHER_FILES.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Err(unsupported(what, hint));
    }
    let text = text::head_text(head, encoding);
    let text = text.trim_start();
    if text.is_empty() {
        return Err(BillError::Empty);
    }
    refuse_error_body(text)?;
    refuse_personal_export(text)?;
    if is_unionpay(head) {
        return Ok(Found::Profile(Profile::UnionpayZm));
    }
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = folded(lines.next().unwrap_or_default());
    let second = lines.next().unwrap_or_default();
    alipay(&first).or_else(|| wechat(&first, second)).map_or(Ok(Found::Unknown), Ok)
}

/// Whether `head` begins an archive that a bill may be packed in.
pub(super) fn is_archive(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"\x1f\x8b")
}

/// Why a summary is refused that comes without its details.
pub(super) fn summary_alone() -> BillError {
    unsupported("a channel's summary (汇总), which has no payments", "import the file with the details (明细)")
}

/// The profile to read with. A configured one that the content contradicts is an error.
///
/// # Errors
/// When another profile is configured than the content shows.
pub fn choose(configured: Profile, found: Profile) -> Result<Profile, BillError> {
    match (configured, found) {
        (Profile::Auto, Profile::Auto) => Ok(Profile::Generic),
        (Profile::Auto, profile) | (profile, Profile::Auto) => Ok(profile),
        (configured, found) if configured == found => Ok(found),
        (configured, found) => Err(BillError::OtherProfile { configured: configured.name(), found: found.name() }),
    }
}

/// An acquirer that has no bill answers in XML or JSON, and scripts save the answer as if it were one.
fn refuse_error_body(text: &str) -> Result<(), BillError> {
    let lower = text.get(..9).unwrap_or(text).to_ascii_lowercase();
    let (kind, said) = match lower.as_str() {
        page if page.starts_with("<!doctype") || page.starts_with("<html") => ("a web page", None),
        xml if xml.starts_with('<') => ("an acquirer's answer in XML", said_in_xml(text)),
        json if json.starts_with('{') => ("an acquirer's answer in JSON", said_in_json(text)),
        _ => return Ok(()),
    };
    let said = said.unwrap_or_else(|| text.trim_end().to_owned());
    let what = format!("{kind} instead of a bill: {}", shortened(&said, 200));
    Err(BillError::Unsupported {
        what,
        hint: "there may be no bill for that day yet; see what it says, and download the bill again",
    })
}

/// `No Bill Exist (20002)` of `<return_msg><![CDATA[No Bill Exist]]></return_msg>…`.
fn said_in_xml(text: &str) -> Option<String> {
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (inner, _) = rest.split_once(&format!("</{name}>"))?;
        let inner = inner.trim();
        Some(inner.strip_prefix("<![CDATA[").and_then(|inner| inner.strip_suffix("]]>")).unwrap_or(inner))
    };
    let message = element("return_msg").or_else(|| element("err_code_des"))?;
    let code = element("error_code").or_else(|| element("err_code"));
    Some(code.map_or_else(|| message.to_owned(), |code| format!("{message} ({code})")))
}

/// `账单生成中 (STATEMENT_CREATING)` of `{"code":"STATEMENT_CREATING","message":"账单生成中"}`.
fn said_in_json(text: &str) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_str(text).ok()?;
    let member = |name: &str| answer.get(name)?.as_str();
    let (code, message) = (member("code")?, member("message")?);
    Some(format!("{message} ({code})"))
}

fn refuse_personal_export(text: &str) -> Result<(), BillError> {
    let titles = ["电子客户回单", "支付宝交易记录明细查询", "微信支付账单明细"];
    let mut lines = text.lines().take(TITLE_LINES);
    match lines.find_map(|line| titles.iter().find(|title| line.contains(**title))) {
        Some(title) => Err(BillError::Unsupported {
            what: format!("a personal export (`{title}`), not a merchant's bill"),
            hint: "download the bill from the merchant platform",
        }),
        None => Ok(()),
    }
}

fn alipay(first: &str) -> Option<Found> {
    let title = first.trim_start_matches('"').strip_prefix("#支付宝")?;
    let starts = |word: &str| title.starts_with(word);
    if starts("业务明细") {
        Some(Found::Profile(Profile::AlipayTrade))
    } else if starts("账务明细") {
        Some(Found::Profile(Profile::AlipayLedger))
    } else if starts("业务汇总") || starts("账务汇总") {
        Some(Found::Summary)
    } else {
        None
    }
}

fn wechat(first: &str, second: &str) -> Option<Found> {
    if first.starts_with("记账时间,微信支付业务单号") {
        return Some(Found::Profile(Profile::WechatFundflow));
    }
    let names = |name: &str| first.split(',').any(|found| found == name);
    let is_header = names("交易时间") && names("交易状态") && (names("微信订单号") || names("银联订单号"));
    // The marks before the values tell a bill from a table that somebody made of one; a day without payments has none.
    let is_bill = second.starts_with('`') || second.starts_with("总交易单数") || second.is_empty();
    (is_header && is_bill).then_some(Found::Profile(Profile::WechatTrade))
}

/// `UnionPay` ZM has no header: records of one length with spaces at fixed places.
fn is_unionpay(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.len() == RECORD_BYTES && FIRST_SPACES.iter().all(|at| line.get(*at) == Some(&b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(head: &[u8]) -> String {
        detect(head).unwrap_err().to_string()
    }

    #[test]
    fn other_files_are_named_not_parsed() {
        assert!(refusal(b"\xd0\xcf\x11\xe0\xa1").contains("xls"));
        assert!(refusal(b"%PDF-1.7").contains("PDF"));
        assert!(refusal(b"\xff\xfep\0").contains("UTF-16"));
    }

    #[test]
    fn an_acquirers_error_message_is_shown() {
        let xml = b"<xml><return_code><![CDATA[FAIL]]></return_code>\n<return_msg><![CDATA[No Bill Exist]]></return_msg>\n<error_code><![CDATA[20002]]></error_code>\n</xml>";
        assert!(refusal(xml).contains("instead of a bill: No Bill Exist (20002)\n"), "{}", refusal(xml));
        assert!(refusal(b"<xml><other>x</other></xml>").contains("<other>x</other>"));
        let json = "{\"code\":\"NO_STATEMENT_EXIST\",\"message\":\"账单文件不存在\"}";
        assert!(refusal(json.as_bytes()).contains("账单文件不存在 (NO_STATEMENT_EXIST)"));
        assert!(refusal("\u{feff}{\"code\":\"STATEMENT_CREATING\"}".as_bytes()).contains("STATEMENT_CREATING"));
        assert!(refusal(b"<!DOCTYPE html>").contains("a web page"));
    }

    #[test]
    fn nothing_and_blanks_are_an_empty_bill() {
        for head in [&b""[..], b"\xef\xbb\xbf", b"\r\n \n"] {
            assert!(matches!(detect(head), Err(BillError::Empty)), "{head:?}");
        }
    }

    #[test]
    fn bills_of_the_channels_are_told_from_their_first_line() {
        let gbk = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
        let header = "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,交易状态";
        let trade = Found::Profile(Profile::WechatTrade);
        let cases: [(Vec<u8>, Found); 11] = [
            (gbk("#支付宝业务明细查询\r\n#账号"), Found::Profile(Profile::AlipayTrade)),
            ("#支付宝业务明细查询,,,\r\n#账号".into(), Found::Profile(Profile::AlipayTrade)),
            ("\n#支付宝账务明细查询\n".into(), Found::Profile(Profile::AlipayLedger)),
            (gbk("#支付宝业务汇总查询\n"), Found::Summary),
            ("#支付宝账务汇总查询\n".into(), Found::Summary),
            (format!("{header}\r\n`2026,`x").into(), trade),
            (format!("{header}\n总交易单数,应结订单总金额").into(), trade),
            (header.replace("微信", "银联").into(), trade),
            (format!("{header}\n2026-03-17 08:00:00,wx").into(), Found::Unknown),
            ("记账时间,微信支付业务单号,资金流水单号".into(), Found::Profile(Profile::WechatFundflow)),
            ("payment_id,amount,paid_at\n".into(), Found::Unknown),
        ];
        for (head, found) in cases {
            assert_eq!(detect(&head).unwrap(), found, "{}", String::from_utf8_lossy(&head));
        }
        assert!(refusal("微信支付账单明细,,,\n".as_bytes()).contains("personal"));
        assert!(refusal(&gbk("导出信息\n支付宝（中国）网络技术有限公司  电子客户回单\n")).contains("personal"));
        let mut record = vec![b'0'; RECORD_BYTES];
        for at in FIRST_SPACES {
            record[at] = b' ';
        }
        assert_eq!(detect(&record).unwrap(), Found::Profile(Profile::UnionpayZm));
        record.extend_from_slice(b"\r\n");
        assert_eq!(detect(&record).unwrap(), Found::Profile(Profile::UnionpayZm));
        record.insert(0, b'0');
        assert_eq!(detect(&record).unwrap(), Found::Unknown);
    }

    #[test]
    fn a_profile_that_the_content_contradicts_is_an_error() {
        assert_eq!(choose(Profile::Auto, Profile::Auto).unwrap(), Profile::Generic);
        assert_eq!(choose(Profile::Auto, Profile::WechatTrade).unwrap(), Profile::WechatTrade);
        assert_eq!(choose(Profile::Generic, Profile::Auto).unwrap(), Profile::Generic);
        let error = choose(Profile::Generic, Profile::WechatTrade).unwrap_err();
        assert!(error.to_string().contains("`generic`") && error.to_string().contains("`wechat-trade`"), "{error}");
    }

    #[test]
    fn every_profile_is_found_by_its_name() {
        for profile in Profile::ALL {
            assert_eq!(Profile::from_name(profile.name()), Some(profile));
            assert_eq!(serde_json::to_string(&profile).unwrap(), format!("\"{}\"", profile.name()));
        }
        assert_eq!(Profile::from_name("excel"), None);
    }
}
