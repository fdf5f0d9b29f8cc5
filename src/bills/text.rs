//! Bytes → text: UTF-8, else GB18030, in which Alipay, UnionPay and Excel in China write.
//!
//! A text is never guessed at: what is in neither encoding, or holds the mark of a lossy conversion (U+FFFD), is
//! refused. With a byte order mark the text must be UTF-8, or a download that was cut inside a character would turn
//! into other characters.

use std::fmt;
use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, GB18030};

/// The mark some programs put before UTF-8 text.
pub const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

/// Bytes that are decoded at once.
const CHUNK: usize = 64 * 1024;

/// An encoding of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// GB18030, which GBK and GB2312 are parts of.
    Gb18030,
}

impl Encoding {
    /// The name in a config and for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Gb18030 => "gb18030",
        }
    }
}

/// The encoding of a text by its first bytes, `is_all` when there are no more; `None` when they leave it open.
pub(super) fn encoding_of_head(head: &[u8], is_all: bool) -> Option<Encoding> {
    if head.starts_with(UTF8_BOM) {
        return Some(Encoding::Utf8);
    }
    match std::str::from_utf8(head) {
        Ok(_) => is_all.then_some(Encoding::Utf8),
        // Only a character that the end of the head cut in two, or the end of a download: as GB18030 it would be another.
        Err(error) if error.error_len().is_none() => is_all.then_some(Encoding::Utf8),
        Err(_) => Some(Encoding::Gb18030),
    }
}

/// Whether all of `input` is UTF-8, but for a character that its end cuts in two.
///
/// # Errors
/// When it cannot be read.
pub(super) fn is_utf8(mut input: impl Read) -> io::Result<bool> {
    let mut buffer = vec![0; CHUNK];
    let mut kept = 0;
    loop {
        let count = match input.read(&mut buffer[kept..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if count == 0 {
            return Ok(true);
        }
        let filled = kept.saturating_add(count);
        match std::str::from_utf8(&buffer[..filled]) {
            Ok(_) => kept = 0,
            Err(error) if error.error_len().is_none() => {
                let begun = error.valid_up_to();
                buffer.copy_within(begun..filled, 0);
                kept = filled.saturating_sub(begun);
            }
            Err(_) => return Ok(false),
        }
    }
}

/// The first bytes of a text as text; a character that is cut at their end becomes U+FFFD.
pub(super) fn head_text(head: &[u8], encoding: Encoding) -> String {
    let head = head.strip_prefix(UTF8_BOM).unwrap_or(head);
    match encoding {
        Encoding::Utf8 => String::from_utf8_lossy(head).into_owned(),
        Encoding::Gb18030 => GB18030.decode_without_bom_handling(head).0.into_owned(),
    }
}

/// Bytes that are not text in the encoding that all others are in, as an [`io::Error`] carries it.
#[derive(Debug)]
pub(super) struct NotText {
    pub(super) line: u64,
    pub(super) encoding: Encoding,
}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: not text in {}", self.line, self.encoding.name())
    }
}

impl std::error::Error for NotText {}

/// GB18030 → UTF-8. The lines stay what they are: no character of GB18030 has a line feed in it.
pub(super) struct Transcoder<R> {
    inner: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// The part of `raw` that is not decoded yet.
    pending: std::ops::Range<usize>,
    text: Vec<u8>,
    given: usize,
    is_at_end: bool,
    is_finished: bool,
    line: u64,
}

impl<R: Read> Transcoder<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            decoder: GB18030.new_decoder_without_bom_handling(),
            raw: vec![0; CHUNK],
            pending: 0..0,
            text: Vec::new(),
            given: 0,
            is_at_end: false,
            is_finished: false,
            line: 1,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.pending.is_empty() && !self.is_at_end {
            let count = self.inner.read(&mut self.raw)?;
            self.pending = 0..count;
            self.is_at_end = count == 0;
        }
        let room = self.decoder.max_utf8_buffer_length_without_replacement(self.pending.len()).unwrap_or(CHUNK);
        self.text.resize(room.max(16), 0);
        let raw = &self.raw[self.pending.clone()];
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(raw, &mut self.text, self.is_at_end);
        self.pending.start = self.pending.start.saturating_add(read);
        self.text.truncate(written);
        self.given = 0;
        match result {
            DecoderResult::InputEmpty => self.is_finished = self.is_at_end,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => {
                let line = self.line.saturating_add(lines_in(&self.text));
                return Err(io::Error::new(io::ErrorKind::InvalidData, NotText { line, encoding: Encoding::Gb18030 }));
            }
        }
        self.line = self.line.saturating_add(lines_in(&self.text));
        Ok(())
    }
}

fn lines_in(text: &[u8]) -> u64 {
    u64::try_from(memchr::memchr_iter(b'\n', text).count()).unwrap_or(u64::MAX)
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.is_finished {
            self.fill()?;
        }
        let rest = &self.text[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given = self.given.saturating_add(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_decides_where_it_can() {
        let gbk = GB18030.encode("支付宝").0.into_owned();
        assert_eq!(encoding_of_head(&gbk, false), Some(Encoding::Gb18030));
        assert_eq!(encoding_of_head(b"\xef\xbb\xbfa", false), Some(Encoding::Utf8));
        assert_eq!(encoding_of_head("支付宝".as_bytes(), true), Some(Encoding::Utf8));
        assert_eq!(encoding_of_head(b"abc", false), None);
        assert_eq!(encoding_of_head(&"支".as_bytes()[..2], false), None);
        assert_eq!(encoding_of_head(&"支".as_bytes()[..2], true), Some(Encoding::Utf8));
    }

    #[test]
    fn utf8_is_told_across_the_edges_of_chunks() {
        let long = "停车费,".repeat(CHUNK / 5);
        assert!(is_utf8(long.as_bytes()).unwrap());
        assert!(is_utf8(&long.as_bytes()[..long.len() - 2]).unwrap());
        let mut broken = long.clone().into_bytes();
        broken[CHUNK] = 0xff;
        assert!(!is_utf8(broken.as_slice()).unwrap());
        assert!(is_utf8(&b""[..]).unwrap());
    }

    #[test]
    fn gb18030_comes_out_as_it_went_in_whatever_the_reads_bring() {
        struct Drip<'a>(&'a [u8]);
        impl Read for Drip<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = self.0.len().min(buffer.len()).min(3);
                buffer[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }
        let text = "停车费,渝B757D0,10.00\r\n𠮷㐀€,é\n".repeat(50);
        let bytes = GB18030.encode(&text).0.into_owned();
        let mut read = String::new();
        Transcoder::new(Drip(&bytes)).read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
    }

    #[test]
    fn bytes_of_neither_encoding_are_refused_with_their_line() {
        for bytes in [&b"a\nb\xff\n"[..], b"a\n\xd6", b"a\n\xd6\n"] {
            let error = Transcoder::new(bytes).read_to_end(&mut Vec::new()).unwrap_err();
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<NotText>()).expect("our own error");
            assert_eq!((inner.line, inner.encoding), (2, Encoding::Gb18030), "{bytes:?}");
        }
    }
}
