//! Archives around bytes: a checksum behind compressed data stops every change a fuzzer makes of it, so the input may
//! be what is in the archive.
//!
//! An input that begins as an archive does is read as it is. Of any other the first byte says how the rest is packed,
//! and bytes `0x1e` divide it into parts; a part may begin with a name and `0x1f`.

use flate2::Crc;

/// Zip where set, else gzip.
const ZIP: u8 = 1;
/// Packed once more: an archive inside an archive.
const TWICE: u8 = 2;
/// Names are said to be UTF-8.
const UTF8_NAMES: u8 = 4;
/// Not packed at all.
const PLAIN: u8 = 8;

/// The file that `input` means.
pub fn packed(input: &[u8]) -> Vec<u8> {
    let Some((how, rest)) = input.split_first() else { return Vec::new() };
    if input.starts_with(b"PK") || input.starts_with(b"\x1f\x8b") {
        return input.to_vec();
    }
    if how & PLAIN != 0 {
        return rest.to_vec();
    }
    let once = once(*how, rest);
    if how & TWICE == 0 { once } else { zip(&[(b"inner".as_slice(), once.as_slice())], *how) }
}

fn once(how: u8, rest: &[u8]) -> Vec<u8> {
    let parts = rest.split(|byte| *byte == 0x1e);
    if how & ZIP == 0 {
        return parts.flat_map(gzip).collect();
    }
    let named = parts.map(|part| match part.iter().position(|byte| *byte == 0x1f) {
        Some(at) => (&part[..at], &part[at + 1..]),
        None => (b"bill.csv".as_slice(), part),
    });
    zip(&named.collect::<Vec<_>>(), how)
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// One member with one stored block. Inputs are shorter than the 64 KiB of a block.
fn gzip(part: &[u8]) -> Vec<u8> {
    let len = u16::try_from(part.len()).unwrap_or(u16::MAX);
    let part = &part[..usize::from(len)];
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1];
    member.extend(len.to_le_bytes());
    member.extend((!len).to_le_bytes());
    member.extend_from_slice(part);
    member.extend(crc(part).to_le_bytes());
    member.extend(u32::from(len).to_le_bytes());
    member
}

/// Stored entries and their directory.
fn zip(parts: &[(&[u8], &[u8])], how: u8) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in parts {
        let common = common_fields(name, content, how);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&common);
        directory.extend([0; 10]);
        directory.extend(size(archive.len()).to_le_bytes());
        directory.extend_from_slice(name);
        archive.extend(b"PK\x03\x04");
        archive.extend_from_slice(&common);
        archive.extend_from_slice(name);
        archive.extend_from_slice(content);
    }
    let start = size(archive.len());
    archive.extend_from_slice(&directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    for _ in 0..2 {
        archive.extend(short(parts.len()).to_le_bytes());
    }
    archive.extend(size(directory.len()).to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0; 2]);
    archive
}

/// What stands before a name both at an entry and in the directory: version to length of the extra field.
fn common_fields(name: &[u8], content: &[u8], how: u8) -> Vec<u8> {
    let mut fields = vec![20, 0, 0, if how & UTF8_NAMES == 0 { 0 } else { 8 }, 0, 0, 0, 0, 0x71, 0x5c];
    fields.extend(crc(content).to_le_bytes());
    for _ in 0..2 {
        fields.extend(size(content.len()).to_le_bytes());
    }
    fields.extend(short(name.len()).to_le_bytes());
    fields.extend([0; 2]);
    fields
}

fn size(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn short(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use etcp_recon::bills::{BillSource, Packing};

    const BILL: &str = "payment_id,amount,paid_at\nA1,5.00,2026-03-17 08:00:00\n";

    #[test]
    fn what_is_packed_is_read() {
        for (how, packing) in
            [(0, Packing::Gzip), (ZIP, Packing::Zip), (ZIP | UTF8_NAMES, Packing::Zip), (PLAIN, Packing::Plain)]
        {
            let input = [&[how], BILL.as_bytes()].concat();
            let summary = crate::props::check(&packed(&input), &BillSource::default()).unwrap();
            assert_eq!((summary.packing, summary.payments), (packing, 1));
        }
        let two = [&[ZIP], BILL.as_bytes(), b"\x1efolder/\x1f\x1eb.csv\x1f", BILL.as_bytes()].concat();
        assert_eq!(crate::props::check(&packed(&two), &BillSource::default()).unwrap().payments, 2);
        let nested = [&[ZIP | TWICE], BILL.as_bytes()].concat();
        let error = crate::props::check(&packed(&nested), &BillSource::default()).unwrap_err();
        assert!(error.to_string().contains("inside an archive"), "{error}");
    }
}
