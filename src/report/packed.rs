//! A report as the database keeps it: JSON, gzip. The same report is the same bytes.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a kept report cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum PackedError {
    /// The bytes are no gzip.
    #[error("a kept report is damaged")]
    Damaged(#[source] std::io::Error),
    /// The JSON is another version's, or nobody's.
    #[error("a kept report is not of this version's form")]
    Form(#[source] serde_json::Error),
}

/// Packs what is to be kept.
///
/// # Errors
/// When it has no form in JSON, which nothing of a report lacks.
pub fn pack(value: &impl Serialize) -> Result<Vec<u8>, PackedError> {
    let json = serde_json::to_vec(value).map_err(PackedError::Form)?;
    // The fastest: a ledger has some 100 MB on the largest days, and gzip's levels differ by a fifth of its size.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&json).map_err(PackedError::Damaged)?;
    gzip.finish().map_err(PackedError::Damaged)
}

/// Reads back what [`pack`] packed.
///
/// # Errors
/// When it is damaged, or has another form.
pub fn unpack<T: DeserializeOwned>(packed: &[u8]) -> Result<T, PackedError> {
    let mut json = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut json).map_err(PackedError::Damaged)?;
    // Through a value: a number within a tagged enum is otherwise handed on as a map, to keep its digits.
    let value: serde_json::Value = serde_json::from_slice(&json).map_err(PackedError::Form)?;
    serde_json::from_value(value).map_err(PackedError::Form)
}
