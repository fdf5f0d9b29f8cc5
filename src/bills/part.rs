//! One part of a bill (the file itself, or an entry of an archive): what it is, and its reading.

use std::io::{Read, Seek};

use super::detect::{self, Found};
use super::package::Package;
use super::reading::Reading;
use super::text::{self, Encoding, Transcoder, UTF8_BOM};
use super::{BillError, BillSource, Packing, Profile, alipay, generic, unionpay, unsupported, wechat};

/// How much of a part is looked at to tell what it is.
const HEAD_BYTES: u64 = 16 * 1024;

/// What a Mac puts into archives beside each file.
const APPLE_DOUBLE: &[u8] = b"\x00\x05\x16\x07";

/// What a part is.
pub(super) enum Kind {
    /// A bill.
    Bill(Profile, Encoding),
    /// A channel's summary of a bill, which has no payments.
    Summary,
    /// A folder, or what a program has left there.
    Nothing,
}

/// Tells what a part is.
///
/// # Errors
/// When it is something that is never a bill, or not what is configured.
pub(super) fn kind<R: Read + Seek>(
    package: &mut Package<R>,
    place: usize,
    source: &BillSource,
) -> Result<Kind, BillError> {
    let is_packed = package.packing() != Packing::Plain;
    let Some(head) = head(package, place)? else { return Ok(Kind::Nothing) };
    if is_packed && head.starts_with(APPLE_DOUBLE) {
        return Ok(Kind::Nothing);
    }
    if is_packed && detect::is_archive(&head) {
        return Err(unsupported("an archive inside an archive", "unpack the outer one and import what is in it"));
    }
    let is_all = u64::try_from(head.len()).is_ok_and(|len| len < HEAD_BYTES);
    let seen = text::encoding_of_head(&head, is_all);
    let found = detect::detect_in(&head, seen.unwrap_or(Encoding::Utf8))?;
    let profile = match found {
        Found::Summary => return Ok(Kind::Summary),
        Found::Profile(profile) => detect::choose(source.profile, profile)?,
        Found::Unknown => detect::choose(source.profile, Profile::Auto)?,
    };
    let told = source.generic.encoding.filter(|_| profile == Profile::Generic && !head.starts_with(UTF8_BOM));
    let encoding = match (told.or(seen), found) {
        (Some(encoding), _) => encoding,
        // Chinese words that were read as UTF-8 are UTF-8; records of bytes are decoded field by field.
        (None, Found::Profile(_)) => Encoding::Utf8,
        (None, _) => whole_encoding(package, place)?,
    };
    Ok(Kind::Bill(profile, encoding))
}

fn head<R: Read + Seek>(package: &mut Package<R>, place: usize) -> Result<Option<Vec<u8>>, BillError> {
    let Some(part) = package.part(place)? else { return Ok(None) };
    let mut head = Vec::new();
    part.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(Some(head))
}

/// Looks through all of a part whose beginning could be in either encoding.
fn whole_encoding<R: Read + Seek>(package: &mut Package<R>, place: usize) -> Result<Encoding, BillError> {
    let Some(part) = package.part(place)? else { return Ok(Encoding::Utf8) };
    Ok(if text::is_utf8(part)? { Encoding::Utf8 } else { Encoding::Gb18030 })
}

/// Reads a part that is a bill.
///
/// # Errors
/// When it is refused.
pub(super) fn read<R: Read + Seek>(
    package: &mut Package<R>,
    place: usize,
    encoding: Encoding,
    reading: &mut Reading<'_>,
) -> Result<(), BillError> {
    let Some(part) = package.part(place)? else { return Ok(()) };
    let mut counted = Counted { inner: part, count: 0 };
    let result = match (reading.summary.profile, encoding) {
        (Profile::UnionpayZm, _) => unionpay::read(&mut counted, reading),
        (profile, Encoding::Gb18030) => read_text(profile, Transcoder::new(&mut counted), reading),
        (profile, Encoding::Utf8) => read_text(profile, without_bom(&mut counted)?, reading),
    };
    let count = counted.count;
    drop(counted);
    package.count(count);
    result
}

fn read_text(profile: Profile, input: impl Read, reading: &mut Reading<'_>) -> Result<(), BillError> {
    match profile {
        Profile::AlipayTrade => alipay::read_trade(input, reading),
        Profile::AlipayLedger => alipay::read_ledger(input, reading),
        Profile::WechatTrade => wechat::read_trade(input, reading),
        Profile::WechatFundflow => wechat::read_fundflow(input, reading),
        Profile::Auto | Profile::Generic | Profile::UnionpayZm => generic::read(input, reading),
    }
}

fn without_bom(mut input: impl Read) -> Result<impl Read, BillError> {
    let mut first = Vec::new();
    input.by_ref().take(3).read_to_end(&mut first)?;
    if first == UTF8_BOM {
        first.clear();
    }
    Ok(std::io::Cursor::new(first).chain(input))
}

/// Counts what an archive gives out.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count = self.count.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}
