//! Bills from files into the database: looks through the inbox, imports what is new, says what is refused.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use globset::{Glob, GlobMatcher};
use sha2::{Digest, Sha256};

use crate::bills::{BillError, BillItem, BillSource, BillSummary, read_bill};
use crate::model::{BusinessDate, Timestamp};
use crate::store::{BillRecord, ImportedBill, Store};

/// A refused bill makes runs partial until it is gone or this old.
const REFUSED_FOR: Duration = Duration::from_hours(7 * 24);

/// Bytes that are hashed at once.
const HASHED_AT_ONCE: usize = 256 * 1024;

/// A source with the files that belong to it.
pub struct ClaimedSource {
    /// How its bills are read.
    pub source: BillSource,
    /// Whether a date without its bill is incomplete.
    pub required: bool,
    files: GlobMatcher,
}

impl ClaimedSource {
    /// A source that takes the files that `glob` matches, by their names.
    ///
    /// # Errors
    /// When `glob` is none.
    pub fn new(source: BillSource, required: bool, glob: &str) -> anyhow::Result<Self> {
        let files = Glob::new(glob).with_context(|| format!("bill source {}: files = {glob:?}", source.name))?;
        Ok(Self { source, required, files: files.compile_matcher() })
    }

    /// Whether a file of that name belongs to it.
    pub fn claims(&self, file_name: &str) -> bool {
        self.files.is_match(file_name)
    }
}

/// What became of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BillStatus {
    /// Read now.
    Imported,
    /// Read before.
    Known,
    /// Not taken in at all.
    Refused,
}

impl BillStatus {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Known => "known",
            Self::Refused => "refused",
        }
    }
}

/// One bill of the inbox, or of `import`.
#[derive(Clone, Debug)]
pub struct BillOutcome {
    /// The file's name, without its folder.
    pub file: String,
    /// The hash of its content, in hex; empty when it cannot be read at all.
    pub sha256: String,
    /// The format that it was read with, or that was configured.
    pub profile: String,
    /// What became of it.
    pub status: BillStatus,
    /// Rows of payments.
    pub payments: u64,
    /// Rows of refunds.
    pub refunds: u64,
    /// Rows that are neither: without money, fees, movements that are none of ours.
    pub ignored: u64,
    /// Rows that could not be read.
    pub set_aside: u64,
    /// Why it was refused.
    pub reason: Option<String>,
    /// Refused so lately that a run cannot be complete.
    pub blocks: bool,
}

/// What a look through the inbox brought.
#[derive(Clone, Debug, Default)]
pub struct InboxOutcome {
    /// The bills, by file name.
    pub bills: Vec<BillOutcome>,
    /// Files that no source claims.
    pub unclaimed: Vec<String>,
}

/// Why a bill cannot go in.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Bill(#[from] BillError),
    #[error(
        "its rows have no external order id, and source `{0}` has bills like that under the same id_prefix, so that their ids could collide\nhint: give each of these [[bills.source]] an id_prefix of its own"
    )]
    SharedPrefix(String),
    #[error("the file changed while it was read\nhint: it may still be written; the next run tries again")]
    Changed,
}

/// Imports every bill of the inbox that is not known yet; files are taken in the order of their names.
///
/// # Errors
/// When the inbox cannot be read or the database cannot be written; a bad bill is no error.
pub fn import_inbox(
    store: &mut Store,
    inbox: &Path,
    sources: &[ClaimedSource],
    at: Timestamp,
) -> anyhow::Result<InboxOutcome> {
    let mut outcome = InboxOutcome::default();
    for path in inbox_files(inbox)? {
        let name = file_name(&path);
        match sources.iter().find(|source| source.claims(&name)) {
            Some(claimed) => outcome.bills.push(import_file(store, &path, &claimed.source, at)?),
            None => outcome.unclaimed.push(name),
        }
    }
    Ok(outcome)
}

/// The regular files of the inbox, by name; hidden ones and folders are left alone.
///
/// # Errors
/// When the inbox cannot be read.
pub fn inbox_files(inbox: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let shown =
        || format!("inbox {}: cannot be read\nhint: is [bills] inbox right, is the folder mounted?", inbox.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(inbox).with_context(shown)? {
        let entry = entry.with_context(shown)?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && entry.file_type().with_context(shown)?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// The source for a file outside the inbox: the first that claims its name, else the only one, else the default.
pub fn source_for<'a>(sources: &'a [ClaimedSource], path: &Path, fallback: &'a BillSource) -> &'a BillSource {
    let name = file_name(path);
    match (sources.iter().find(|source| source.claims(&name)), sources) {
        (Some(claimed), _) => &claimed.source,
        (None, [only]) => &only.source,
        (None, _) => fallback,
    }
}

/// Imports one bill whole or not at all; the same content again is a no-op.
///
/// # Errors
/// When the database cannot be written; a bad or unreadable bill is an outcome, no error.
pub fn import_file(store: &mut Store, path: &Path, source: &BillSource, at: Timestamp) -> anyhow::Result<BillOutcome> {
    let name = file_name(path);
    let refused = |sha256: String, reason: &anyhow::Error| BillOutcome {
        file: name.clone(),
        sha256,
        profile: source.profile.name().to_owned(),
        status: BillStatus::Refused,
        payments: 0,
        refunds: 0,
        ignored: 0,
        set_aside: 0,
        reason: Some(format!("{reason:#}")),
        blocks: is_recent(path, at),
    };
    let sha256 = match content_hash(path) {
        Ok(sha256) => sha256,
        Err(error) => return Ok(refused(String::new(), &anyhow::Error::new(error).context("cannot be read"))),
    };
    if let Some(known) = store.bill_by_hash(&sha256)? {
        return Ok(taken(name, BillStatus::Known, &known));
    }
    let rival = rival_source(store, source)?;
    let record = BillRecord { sha256: &sha256, file_name: &name, source, at };
    let imported = store.import_bill(&record, |writer| read_into(path, source, rival, &sha256, writer))?;
    Ok(match imported {
        Ok(bill) => taken(name, BillStatus::Imported, &bill),
        Err(refusal) => refused(sha256, &refusal.into()),
    })
}

fn read_into(
    path: &Path,
    source: &BillSource,
    rival: Option<String>,
    sha256: &str,
    writer: &mut crate::store::BillWriter<'_, '_>,
) -> Result<BillSummary, Refusal> {
    let mut file = File::open(path).map_err(BillError::from)?;
    let summary = read_bill(&mut file, source, &mut |item: BillItem| writer.push(item))?;
    // What was read is what the hash says only if the file is still the same.
    file.rewind().map_err(BillError::from)?;
    if hash_of(file).map_err(BillError::from)? != sha256 {
        return Err(Refusal::Changed);
    }
    let has_rows = summary.payments > 0 || summary.refunds > 0;
    match rival {
        Some(rival) if has_rows && !summary.has_external_order_ids => Err(Refusal::SharedPrefix(rival)),
        _ => Ok(summary),
    }
}

/// Another source whose bills name no external order ids and that puts the same prefix before its payment ids.
fn rival_source(store: &Store, source: &BillSource) -> anyhow::Result<Option<String>> {
    let rival = store.bills()?.into_iter().find(|bill| {
        bill.source != source.name
            && bill.id_prefix == source.id_prefix
            && !bill.has_external_order_ids
            && (bill.payments > 0 || bill.refunds > 0)
    });
    Ok(rival.map(|bill| bill.source))
}

fn taken(file: String, status: BillStatus, bill: &ImportedBill) -> BillOutcome {
    BillOutcome {
        file,
        sha256: bill.sha256.clone(),
        profile: bill.profile.clone(),
        status,
        payments: bill.payments,
        refunds: bill.refunds,
        ignored: bill.ignored,
        set_aside: bill.set_aside,
        reason: None,
        blocks: false,
    }
}

/// Whether the file is so new that its refusal still counts; one without a time counts.
fn is_recent(path: &Path, now: Timestamp) -> bool {
    let now = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(now.unix().unsigned_abs()));
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    match (modified, now) {
        (Some(modified), Some(now)) => {
            now.duration_since(modified).is_ok_and(|age| age < REFUSED_FOR) || modified > now
        }
        _ => true,
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn content_hash(path: &Path) -> io::Result<String> {
    hash_of(File::open(path)?)
}

fn hash_of(mut file: File) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; HASHED_AT_ONCE];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex::encode(hasher.finalize())),
            Ok(count) => hasher.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether a source has a bill for `date`: one with rows of it or, empty, with the date in its name. Days
/// between the rows of a bill do not count: nothing says that it is for them.
///
/// # Errors
/// When the database cannot be read.
pub fn has_bill_for(store: &Store, source: &str, date: BusinessDate) -> anyhow::Result<bool> {
    let compact = date.to_string().replace('-', "");
    let told = store.bills()?.into_iter().filter(|bill| bill.source == source).any(|bill| match bill.dates {
        Some((first, last)) => first == date || last == date,
        None => bill.set_aside == 0 && [&compact, &date.to_string()].iter().any(|day| bill.file_name.contains(*day)),
    });
    Ok(told || store.has_bill_rows_on(source, date)?)
}
