//! How a bill is packed: plain, gzip, or zip with one or several parts.
//!
//! Nothing is unpacked to disk and no name of an entry is trusted: it is shown, and that is all. What unpacks to more
//! than any bill has is refused while it is read, whatever its headers say.

use std::fmt;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

use super::{BillError, unsupported};

/// More parts than the largest month of a merchant has.
const MAX_PARTS: usize = 256;

/// The most that all parts of one bill may unpack to.
const MAX_UNPACKED: u64 = 16 * 1024 * 1024 * 1024;

/// Bills pack to a tenth or a thirtieth; what grows more than this is made to fill memory or disk.
const MAX_RATIO: u64 = 250;

/// Below this nothing is asked about the ratio: a small file of blanks harms nobody.
const RATIO_FREE: u64 = 16 * 1024 * 1024;

/// How the bytes of a bill are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// One gzip stream, or several one after the other.
    Gzip,
    /// A zip archive.
    Zip,
}

impl Packing {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zip => "zip",
        }
    }
}

/// A bill whose parts can be read, each as often as wanted.
pub(super) struct Package<R> {
    content: Content<R>,
    packed: u64,
    /// What was unpacked of the parts that were read to their end, once.
    unpacked: u64,
}

enum Content<R> {
    Plain(R),
    Gzip(R),
    Zip(ZipArchive<R>),
}

impl<R: Read + Seek> Package<R> {
    /// Looks at the first bytes, and at the directory of an archive.
    ///
    /// # Errors
    /// When it is an archive that cannot be read, or one of something else than bills.
    pub(super) fn open(mut input: R) -> Result<Self, BillError> {
        let packed = input.seek(SeekFrom::End(0))?;
        input.rewind()?;
        let mut magic = Vec::new();
        input.by_ref().take(4).read_to_end(&mut magic)?;
        input.rewind()?;
        let content = match magic.as_slice() {
            b"PK\x03\x04" => Content::Zip(archive(input)?),
            [0x1f, 0x8b, ..] => Content::Gzip(input),
            _ => Content::Plain(input),
        };
        Ok(Self { content, packed, unpacked: 0 })
    }

    pub(super) fn packing(&self) -> Packing {
        match &self.content {
            Content::Plain(_) => Packing::Plain,
            Content::Gzip(_) => Packing::Gzip,
            Content::Zip(_) => Packing::Zip,
        }
    }

    /// How many parts there are; folders count.
    pub(super) fn len(&self) -> usize {
        match &self.content {
            Content::Plain(_) | Content::Gzip(_) => 1,
            Content::Zip(archive) => archive.len(),
        }
    }

    /// The name of a part of an archive, fit to be shown.
    pub(super) fn name(&mut self, part: usize) -> Option<String> {
        let Content::Zip(archive) = &mut self.content else { return None };
        let file = archive.by_index_raw(part).ok()?;
        Some(super::shortened(&decoded_name(file.name_raw()), 120))
    }

    /// A part from its beginning; `None` for a folder.
    ///
    /// # Errors
    /// When it is encrypted or packed in a way that is not known.
    pub(super) fn part(&mut self, part: usize) -> Result<Option<Box<dyn Read + '_>>, BillError> {
        let allowed = MAX_UNPACKED.saturating_sub(self.unpacked);
        match &mut self.content {
            Content::Plain(input) => {
                input.rewind()?;
                Ok(Some(Box::new(input)))
            }
            Content::Gzip(input) => {
                input.rewind()?;
                let unpacked = MultiGzDecoder::new(BufReader::new(input));
                Ok(Some(Box::new(Unpacked::new(unpacked, Packing::Gzip, self.packed, allowed))))
            }
            Content::Zip(archive) => {
                let file = archive.by_index(part).map_err(zip_refusal)?;
                if file.is_dir() {
                    return Ok(None);
                }
                let packed = file.compressed_size();
                Ok(Some(Box::new(Unpacked::new(file, Packing::Zip, packed, allowed))))
            }
        }
    }

    /// Counts what a part unpacked to, so that many parts cannot together pass the limit of all.
    pub(super) fn count(&mut self, bytes: u64) {
        self.unpacked = self.unpacked.saturating_add(bytes);
    }
}

fn archive<R: Read + Seek>(mut input: R) -> Result<ZipArchive<R>, BillError> {
    let entries = stated_entries(&mut input)?;
    let archive = ZipArchive::new(input).map_err(zip_refusal)?;
    if archive.file_names().any(|name| name.is_ok_and(|name| name == "[Content_Types].xml")) {
        return Err(unsupported("an Excel workbook (xlsx)", "save the sheet as CSV in UTF-8"));
    }
    // The archive's reader keeps one entry of each name.
    if entries.is_some_and(|entries| entries != archive.len()) {
        return Err(unsupported("a zip archive with two entries of one name", "unpack it and import what is in it"));
    }
    if archive.is_empty() {
        return Err(unsupported("an empty zip archive", "download the bill again"));
    }
    if archive.len() > MAX_PARTS {
        let what = format!("a zip archive with {} entries", archive.len());
        return Err(unsupported(&what, "put the bill's own files into it and nothing else"));
    }
    Ok(archive)
}

/// How many entries the end of the archive states; `None` where there are too many for that field, or no such end.
fn stated_entries<R: Read + Seek>(input: &mut R) -> Result<Option<usize>, BillError> {
    const END: &[u8] = b"PK\x05\x06";
    /// The record and the longest comment behind it.
    const END_BYTES: u64 = 22 + 65_535;
    let len = input.seek(SeekFrom::End(0))?;
    input.seek(SeekFrom::Start(len.saturating_sub(END_BYTES)))?;
    let mut tail = Vec::new();
    input.take(END_BYTES).read_to_end(&mut tail)?;
    input.rewind()?;
    let Some(end) = memchr::memmem::rfind(&tail, END) else { return Ok(None) };
    let count = tail.get(end.saturating_add(10)..end.saturating_add(12)).and_then(|bytes| bytes.try_into().ok());
    Ok(count.map(u16::from_le_bytes).filter(|count| *count != u16::MAX).map(usize::from))
}

fn zip_refusal(error: ZipError) -> BillError {
    if let ZipError::Io(error) = error {
        return BillError::from(error);
    }
    if matches!(&error, ZipError::UnsupportedArchive(what) if *what == ZipError::PASSWORD_REQUIRED) {
        return unsupported("an encrypted zip archive", "unpack it with its password and import what is in it");
    }
    if matches!(error, ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_)) {
        let what = format!("a zip archive that is packed in an unusual way ({error})");
        return unsupported(&what, "unpack it and import what is in it");
    }
    BillError::Damaged { packing: Packing::Zip, reason: error.to_string() }
}

/// Chinese programs write names in GBK and do not say so.
fn decoded_name(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => encoding_rs::GB18030.decode_without_bom_handling(raw).0.into_owned(),
    }
}

/// Why an archive's bytes cannot be used, as an [`io::Error`] carries it.
#[derive(Debug)]
pub(super) enum UnpackError {
    /// More comes out of it than a bill has.
    TooLarge { limit: u64 },
    /// So much for so little is no bill.
    Ratio,
    /// Cut, or changed on its way.
    Damaged { packing: Packing, reason: String },
}

impl fmt::Display for UnpackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the archive cannot be unpacked")
    }
}

impl std::error::Error for UnpackError {}

impl From<UnpackError> for BillError {
    fn from(error: UnpackError) -> Self {
        match error {
            UnpackError::TooLarge { limit } => unsupported(
                &format!("an archive that unpacks to more than {limit} bytes"),
                "no bill is that large; split it by day",
            ),
            UnpackError::Ratio => unsupported(
                &format!("an archive that unpacks to more than {MAX_RATIO} times its size"),
                "no bill packs like that; download it again",
            ),
            UnpackError::Damaged { packing, reason } => Self::Damaged { packing, reason },
        }
    }
}

/// Unpacked bytes, counted.
struct Unpacked<R> {
    inner: R,
    packing: Packing,
    packed: u64,
    allowed: u64,
    count: u64,
}

impl<R> Unpacked<R> {
    fn new(inner: R, packing: Packing, packed: u64, allowed: u64) -> Self {
        Self { inner, packing, packed, allowed, count: 0 }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let refused = |error: UnpackError| io::Error::new(io::ErrorKind::InvalidData, error);
        let count = match self.inner.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                let reason = super::shortened(&error.to_string(), 200);
                return Err(refused(UnpackError::Damaged { packing: self.packing, reason }));
            }
            Ok(count) => count,
        };
        self.count = self.count.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        if self.count > self.allowed {
            return Err(refused(UnpackError::TooLarge { limit: MAX_UNPACKED }));
        }
        if self.count > RATIO_FREE && self.count / MAX_RATIO > self.packed {
            return Err(refused(UnpackError::Ratio));
        }
        Ok(count)
    }
}
