//! What a file is, told from its first bytes and never from its name.
//!
//! Whatever is recognised and cannot be read is refused with a message that says what it is; whatever
//! is not recognised is left to the profile `generic`, whose header then decides.

use super::{BillError, Profile, shortened};

/// The mark some programs put before UTF-8 text.
pub const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

/// `#支付宝` in GB18030, the encoding in which Alipay writes its bills.
const ALIPAY_GBK: &[u8] = b"#\xd6\xa7\xb8\xb6\xb1\xa6";
/// `业务明细` in GB18030.
const TRADE_GBK: &[u8] = b"\xd2\xb5\xce\xf1\xc3\xf7\xcf\xb8";
/// `账务明细` in GB18030.
const LEDGER_GBK: &[u8] = b"\xd5\xcb\xce\xf1\xc3\xf7\xcf\xb8";

/// Beginnings of files that are no text, what they are, and what to do.
const CONTAINERS: [(&[u8], &str, &str); 6] = [
    (b"PK\x03\x04", "a zip archive", "unpack it and import the CSV file with the details"),
    (b"PK\x05\x06", "an empty zip archive", "download the bill again"),
    (b"\x1f\x8b", "a gzip archive", "unpack it first (gunzip)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (xls)", "save the sheet as CSV in UTF-8"),
    (b"%PDF", "a PDF document", "download the bill as CSV"),
    (b"\xff\xfe", "text in UTF-16", "save it as CSV in UTF-8"),
];

/// Tells what begins with `head`: [`Profile::Auto`] when nothing is recognised, else a profile.
///
/// # Errors
/// When it is empty or something that is never a bill.
pub fn detect(head: &[u8]) -> Result<Profile, BillError> {
    refuse_containers(head)?;
    let head = head.strip_prefix(UTF8_BOM).unwrap_or(head).trim_ascii_start();
    if head.is_empty() {
        return Err(BillError::Empty);
    }
    // The head may end inside a character, and another encoding is none of this function's business.
    let text = String::from_utf8_lossy(head);
    refuse_error_body(&text)?;
    refuse_personal_export(&text)?;
    if head.starts_with(ALIPAY_GBK) || head.starts_with("#支付宝".as_bytes()) {
        return alipay(head, &text);
    }
    Ok(wechat(&text).or_else(|| unionpay(head)).unwrap_or(Profile::Auto))
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

fn refuse_containers(head: &[u8]) -> Result<(), BillError> {
    let is_workbook = head.starts_with(b"PK") && contains(head, b"[Content_Types].xml");
    if is_workbook {
        return Err(unsupported("an Excel workbook (xlsx)", "save the sheet as CSV in UTF-8"));
    }
    match CONTAINERS.iter().find(|(magic, ..)| head.starts_with(magic)) {
        Some((_, what, hint)) => Err(unsupported(what, hint)),
        None => Ok(()),
    }
}

/// An acquirer that has no bill answers in XML or JSON, and scripts save the answer as if it were one.
fn refuse_error_body(text: &str) -> Result<(), BillError> {
    let lower = text.get(..9).unwrap_or(text).to_ascii_lowercase();
    let kind = match lower.as_str() {
        page if page.starts_with("<!doctype") || page.starts_with("<html") => "a web page",
        xml if xml.starts_with('<') => "an answer in XML",
        json if json.starts_with('{') => "an answer in JSON",
        _ => return Ok(()),
    };
    let what = format!("{kind} instead of a bill: {}", shortened(text.trim_end(), 200));
    Err(BillError::Unsupported { what, hint: "read what it says and download the bill again" })
}

fn refuse_personal_export(text: &str) -> Result<(), BillError> {
    let titles = ["电子客户回单", "支付宝交易记录明细", "微信支付账单明细"];
    match titles.iter().find(|title| text.contains(**title)) {
        Some(title) => Err(BillError::Unsupported {
            what: format!("a personal export (`{title}`), not a merchant's bill"),
            hint: "download the bill from the merchant platform",
        }),
        None => Ok(()),
    }
}

fn alipay(head: &[u8], text: &str) -> Result<Profile, BillError> {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    let title = text.lines().next().unwrap_or_default();
    if contains(line, TRADE_GBK) || title.contains("业务明细") {
        Ok(Profile::AlipayTrade)
    } else if contains(line, LEDGER_GBK) || title.contains("账务明细") {
        Ok(Profile::AlipayLedger)
    } else {
        Err(unsupported("an Alipay summary, which has no payments", "import the file with the details (明细)"))
    }
}

fn wechat(text: &str) -> Option<Profile> {
    let header = text.lines().next()?;
    let names = |name: &str| header.contains(name);
    if header.starts_with("记账时间,微信支付业务单号") {
        return Some(Profile::WechatFundflow);
    }
    let is_trade = header.starts_with("交易时间,")
        && (names("微信订单号") || names("银联订单号") || names("公众账号ID") || names("微信支付单号"));
    is_trade.then_some(Profile::WechatTrade)
}

/// `UnionPay` ZM has no header: records of 607 bytes with spaces at fixed places.
fn unionpay(head: &[u8]) -> Option<Profile> {
    let line = head.split(|byte| *byte == b'\n').next()?;
    let is_record = (606..=608).contains(&line.len()) && [3, 15, 27, 34].iter().all(|at| line.get(*at) == Some(&b' '));
    is_record.then_some(Profile::UnionpayZm)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn unsupported(what: &str, hint: &'static str) -> BillError {
    BillError::Unsupported { what: what.to_owned(), hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(head: &[u8]) -> String {
        detect(head).unwrap_err().to_string()
    }

    #[test]
    fn archives_and_workbooks_are_named_not_parsed() {
        assert!(refusal(b"PK\x03\x04\x14\0").contains("a zip archive"));
        assert!(refusal(b"PK\x03\x04\x14\0[Content_Types].xml").contains("xlsx"));
        assert!(refusal(b"\x1f\x8b\x08").contains("gzip"));
        assert!(refusal(b"\xd0\xcf\x11\xe0\xa1").contains("xls"));
        assert!(refusal(b"\xff\xfep\0").contains("UTF-16"));
    }

    #[test]
    fn an_acquirers_error_message_is_shown() {
        assert!(refusal(b"<xml><return_msg>No Bill Exist</return_msg></xml>").contains("No Bill Exist"));
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
        let mut gbk = ALIPAY_GBK.to_vec();
        gbk.extend_from_slice(TRADE_GBK);
        let header = "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号";
        let cases: [(&[u8], Profile); 6] = [
            (&gbk, Profile::AlipayTrade),
            ("#支付宝业务明细查询\r\n#账号".as_bytes(), Profile::AlipayTrade),
            ("#支付宝账务明细查询\n".as_bytes(), Profile::AlipayLedger),
            (header.as_bytes(), Profile::WechatTrade),
            ("记账时间,微信支付业务单号,资金流水单号".as_bytes(), Profile::WechatFundflow),
            (b"payment_id,amount,paid_at\n", Profile::Auto),
        ];
        for (head, profile) in cases {
            assert_eq!(detect(head).unwrap(), profile, "{}", String::from_utf8_lossy(head));
        }
        assert!(refusal("#支付宝业务汇总查询\n".as_bytes()).contains("summary"));
        assert!(refusal("微信支付账单明细,,,\n".as_bytes()).contains("personal"));
        let mut record = vec![b'0'; 607];
        for at in [3, 15, 27, 34] {
            record[at] = b' ';
        }
        assert_eq!(detect(&record).unwrap(), Profile::UnionpayZm);
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
