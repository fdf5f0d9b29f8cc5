//! One lock for all runs on a database. The kernel holds it for the open file, so a killed process
//! leaves nothing behind; the file itself stays and means nothing.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Held while a run works on a database; dropping it releases it.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock of the database at `path`; `None` when another run holds it.
    ///
    /// # Errors
    /// When the lock file cannot be made or locked.
    pub fn try_acquire(path: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(lock_path(path)?)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// The lock file beside the database, `recon.db.lock`: one for the file, whatever links lead to it.
fn lock_path(database: &Path) -> io::Result<PathBuf> {
    let database = match database.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => database.to_owned(),
        found => found?,
    };
    let mut name = database.into_os_string();
    name.push(".lock");
    Ok(PathBuf::from(name))
}
