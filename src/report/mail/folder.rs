//! A mail as a file in a folder: where no server is configured, and for the demo.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::MailError;

/// Writes `mail` as `dir/name` (`name` ends in `.eml`); the folder is made when it is not there.
///
/// A reader sees the whole file or none; a second call with the same name replaces it. Readable by its owner only,
/// for it names plates and payments.
///
/// # Errors
/// When the name is no plain file name, or the file cannot be written.
pub fn write_eml(dir: &Path, name: &str, mail: &[u8]) -> Result<PathBuf, MailError> {
    let path = dir.join(name);
    let plain = !name.is_empty() && Path::new(name).file_name().is_some_and(|plain| plain == name);
    let fail = |source| MailError::File { path: path.display().to_string(), source };
    if !plain {
        return Err(fail(std::io::Error::new(std::io::ErrorKind::InvalidInput, "the name is no plain file name")));
    }
    fs::create_dir_all(dir).map_err(fail)?;
    let temporary = dir.join(format!(".{name}.tmp"));
    write_durably(&temporary, mail)
        .and_then(|()| fs::rename(&temporary, &path))
        .and_then(|()| sync_folder(dir))
        .map_err(|source| MailError::File { path: path.display().to_string(), source })?;
    Ok(path)
}

fn write_durably(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes the rename durable.
fn sync_folder(dir: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}
