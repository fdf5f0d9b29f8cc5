//! Why a bill is refused: what is wrong, where, and what to do.

use super::package::UnpackError;
use super::text::NotText;
use super::{Encoding, Packing};

/// Why a whole bill is refused. Nothing of it may be used.
#[derive(Debug, thiserror::Error)]
pub enum BillError {
    /// No bytes, or only blank ones.
    #[error("the bill is empty: there is not even a header\nhint: download it again")]
    Empty,
    /// Something that is recognised and cannot be read.
    #[error("this is {what}\nhint: {hint}")]
    Unsupported {
        /// What it is.
        what: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// The configured profile and the content do not agree.
    #[error(
        "the profile `{configured}` is configured, but this is a bill of the profile `{found}`\nhint: correct the profile, or set it to `auto`"
    )]
    OtherProfile {
        /// What the source or the command line says.
        configured: &'static str,
        /// What the content says.
        found: &'static str,
    },
    /// The header lacks a column.
    #[error("line {line}: the header has no column `{column}`; it reads: {found}\nhint: {hint}")]
    ColumnMissing {
        /// Line of the header.
        line: u64,
        /// The name that was looked for.
        column: String,
        /// The header, shortened.
        found: String,
        /// What to do about it.
        hint: String,
    },
    /// The header has a column twice, so it is not known which one counts.
    #[error("line {line}: the header has the column `{column}` more than once")]
    ColumnTwice {
        /// Line of the header.
        line: u64,
        /// The name.
        column: String,
    },
    /// A column that is called by its number, and no row has that many.
    #[error("line {line}: there is no column `{column}`: the first row has {fields} fields\nhint: {hint}")]
    ColumnBeyond {
        /// Line of the first row.
        line: u64,
        /// Its number, or its name where no number is given.
        column: String,
        /// Fields of the row.
        fields: usize,
        /// What to do about it.
        hint: String,
    },
    /// A row with another number of fields than the header.
    #[error(
        "line {line}: {found} fields where the header has {expected}; the row begins with `{value}`\nhint: a cut download or an unquoted delimiter; download the bill again"
    )]
    Fields {
        /// Line of the row.
        line: u64,
        /// Fields of the row.
        found: usize,
        /// Fields of the header.
        expected: usize,
        /// Its first field, shortened.
        value: String,
    },
    /// A row with another number of fields than the first, in a bill without a header.
    #[error(
        "line {line}: {found} fields where the first row has {expected}; the row begins with `{value}`\nhint: a cut download or an unquoted delimiter; download the bill again"
    )]
    FieldsOfFirst {
        /// Line of the row.
        line: u64,
        /// Fields of the row.
        found: usize,
        /// Fields of the first row.
        expected: usize,
        /// Its first field, shortened.
        value: String,
    },
    /// A value without what the config says stands before every value.
    #[error(
        "line {line}: `{value}` does not begin with `{prefix}`, which stands before every value\nhint: say with `stop` how a row of totals begins; if this is none, correct the source's `strip_prefix` or download the bill again"
    )]
    NoPrefix {
        /// Line of the row.
        line: u64,
        /// What should stand there.
        prefix: char,
        /// The row's first field, shortened.
        value: String,
    },
    /// A status that nobody explained, where the config wants that to refuse the bill.
    #[error(
        "line {line}, column \"{column}\": the status `{value}` is not known\nhint: say in the source's `status` what it means"
    )]
    UnknownStatus {
        /// Line of the row.
        line: u64,
        /// Name of the column.
        column: String,
        /// The word, shortened.
        value: String,
    },
    /// A quote that is never closed.
    #[error(
        "line {line}: a quoted field that begins in this row is not closed before the end of the bill\nhint: a cut download; download the bill again"
    )]
    OpenQuote {
        /// Line of the row.
        line: u64,
    },
    /// A line break inside a field that has none: rows hide behind a stray quote.
    #[error(
        "line {line}, column \"{column}\": a line break inside `{value}`\nhint: most likely a stray quote that swallows rows; download the bill again"
    )]
    LineBreak {
        /// Line of the row.
        line: u64,
        /// Name of the column.
        column: String,
        /// What stands there, shortened.
        value: String,
    },
    /// The last line has no end, and its last field might have been longer.
    #[error(
        "line {line}, column \"{column}\": the bill ends without a line end, so `{value}` may be cut\nhint: download the bill again; if it is whole, end its last line with a line break"
    )]
    Unfinished {
        /// Line of the row.
        line: u64,
        /// Name of the last column.
        column: String,
        /// What stands there, shortened.
        value: String,
    },
    /// Bytes that are no text.
    #[error(
        "line {line}: not text in {encoding}\nhint: a cut or damaged download, or another kind of file; download the bill again",
        encoding = .encoding.name()
    )]
    NotText {
        /// Line of the first bad byte.
        line: u64,
        /// The encoding that everything before is in.
        encoding: Encoding,
    },
    /// The mark that a conversion leaves where it lost a character.
    #[error(
        "line {line}: the text has a character that was lost in a conversion (U+FFFD)\nhint: import the file as it was downloaded, not one that another program has saved"
    )]
    LossyText {
        /// Its line.
        line: u64,
    },
    /// A field that cannot be what its column says, in a format with totals.
    #[error("line {line}, column \"{column}\": `{value}`: {reason}\nhint: download the bill again")]
    Cell {
        /// Line of the row.
        line: u64,
        /// Name of the column.
        column: String,
        /// What stands there, shortened.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The bill ends before its own totals, by which alone one can see that it is whole.
    #[error(
        "line {line}: the bill ends without {what}, so that rows may be missing\nhint: a cut download; download the bill again"
    )]
    TotalsMissing {
        /// The last line.
        line: u64,
        /// What should have come.
        what: String,
    },
    /// The bill's own totals are not those of its rows.
    #[error(
        "line {line}: {what}: the bill states {stated}, its rows make {counted}\nhint: rows are missing, doubled or changed; download the bill again"
    )]
    TotalsDiffer {
        /// Line of the total.
        line: u64,
        /// Which one.
        what: String,
        /// What the bill says.
        stated: String,
        /// What its rows add up to.
        counted: String,
    },
    /// Something that has no place where it stands: a row behind the end of its table.
    #[error(
        "line {line}: `{value}` does not belong where it stands\nhint: files that were joined or edited are not read; import them as they were downloaded"
    )]
    BehindTheEnd {
        /// Its line.
        line: u64,
        /// How it begins.
        value: String,
    },
    /// A record of another length than the format's.
    #[error(
        "line {line}: a record of {found} bytes where the format has {expected}; it begins with `{value}`\nhint: a cut download; download the bill again"
    )]
    RecordLength {
        /// The record's number.
        line: u64,
        /// Its bytes.
        found: usize,
        /// Those of the format.
        expected: usize,
        /// How it begins.
        value: String,
    },
    /// An archive that cannot be unpacked.
    #[error("the {packing} archive is damaged: {reason}\nhint: a cut download; download the bill again", packing = .packing.name())]
    Damaged {
        /// Which kind.
        packing: Packing,
        /// What the unpacker says.
        reason: String,
    },
    /// A part of an archive.
    #[error("in the archive, `{part}`: {source}")]
    Part {
        /// Its name there.
        part: String,
        /// Why it is refused, and the archive with it.
        source: Box<BillError>,
    },
    /// A row longer than any real one.
    #[error("line {line}: a row of more than {limit} bytes\nhint: most likely a quote that is not closed")]
    RowTooLong {
        /// Line where it begins.
        line: u64,
        /// The longest row that is read.
        limit: u64,
    },
    /// The bytes could not be read.
    #[error("the bill cannot be read")]
    Io(#[source] std::io::Error),
}

impl From<std::io::Error> for BillError {
    /// Takes out what the readers below have put into it.
    fn from(error: std::io::Error) -> Self {
        match error.downcast::<UnpackError>() {
            Ok(unpack) => unpack.into(),
            Err(error) => match error.downcast::<NotText>() {
                Ok(NotText { line, encoding }) => Self::NotText { line, encoding },
                Err(error) => Self::Io(error),
            },
        }
    }
}

pub(super) fn unsupported(what: &str, hint: &'static str) -> BillError {
    BillError::Unsupported { what: what.to_owned(), hint }
}
