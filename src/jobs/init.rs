//! `init`: a commented configuration and a schedule to start from. Nothing is ever overwritten, and
//! what cannot be written whole is taken back.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::config::TEMPLATE;

/// The schedule that `init` writes.
const NIGHTLY: &str = include_str!("../../schedules/nightly.toml");

/// The roster that `init` writes: its header.
const ROSTER: &str = "mobile,plate,color\n";

/// A file to be written.
struct Item {
    name: &'static str,
    text: &'static str,
    /// Whether only its owner may read it: secrets or phone numbers come into it.
    private: bool,
}

const ITEMS: [Item; 3] = [
    Item { name: "etcp-recon.toml", text: TEMPLATE, private: true },
    Item { name: "schedules/nightly.toml", text: NIGHTLY, private: false },
    Item { name: "plates.csv", text: ROSTER, private: true },
];

/// The folder for bills.
const INBOX: &str = "inbox";

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Something of it is there already.
    #[error(
        "already there: {}\nhint: nothing was written; name another folder with `etcp-recon init DIR`, or move these away",
        list(existing)
    )]
    Exists {
        /// The files.
        existing: Vec<PathBuf>,
    },
    /// The folder cannot be written to.
    #[error("cannot write {}", path.display())]
    Unwritable {
        /// What could not be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Writes the configuration, the schedule, an empty roster and the inbox into `dir`, which is made if
/// need be. Returns what was made. A second call changes nothing and fails.
///
/// # Errors
/// When any of the files is there already, or one cannot be written; then none is left behind.
pub fn init(dir: &Path) -> Result<Vec<PathBuf>, InitError> {
    let existing: Vec<PathBuf> =
        ITEMS.iter().map(|item| dir.join(item.name)).filter(|path| path.symlink_metadata().is_ok()).collect();
    if !existing.is_empty() {
        return Err(InitError::Exists { existing });
    }
    let mut made = Made::default();
    let result = write_all(dir, &mut made);
    if result.is_err() {
        made.take_back();
    }
    result.map(|()| made.shown)
}

/// What was made so far, in order.
#[derive(Default)]
struct Made {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    /// What a person is told of.
    shown: Vec<PathBuf>,
}

impl Made {
    /// Removes what was made. What cannot be removed stays: the first error is the one to tell.
    fn take_back(&self) {
        for file in &self.files {
            fs::remove_file(file).ok();
        }
        for folder in self.folders.iter().rev() {
            fs::remove_dir(folder).ok();
        }
    }

    /// Makes a folder and those above it.
    fn folder(&mut self, path: &Path) -> Result<(), InitError> {
        if path.as_os_str().is_empty() || path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.folder(parent)?;
        }
        fs::create_dir(path).map_err(|source| InitError::Unwritable { path: path.to_owned(), source })?;
        self.folders.push(path.to_owned());
        Ok(())
    }

    fn file(&mut self, path: &Path, item: &Item) -> Result<(), InitError> {
        let failed = |source| InitError::Unwritable { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        // `create_new` and not the check before it is what protects a file that appears meanwhile.
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, if item.private { 0o600 } else { 0o644 });
        let mut file = options.open(path).map_err(failed)?;
        self.files.push(path.to_owned());
        file.write_all(item.text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
    }
}

fn write_all(dir: &Path, made: &mut Made) -> Result<(), InitError> {
    for item in &ITEMS {
        let path = dir.join(item.name);
        made.folder(path.parent().unwrap_or(dir))?;
        made.file(&path, item)?;
        made.shown.push(path);
    }
    let inbox = dir.join(INBOX);
    made.folder(&inbox)?;
    // One that was there before may hold bills already; it is not ours to speak of.
    if made.folders.contains(&inbox) {
        made.shown.push(inbox);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn init_writes_what_only_waits_to_be_filled_in() {
        let dir = tempfile::tempdir().unwrap();
        let made = init(&dir.path().join("new/recon")).unwrap();
        let dir = dir.path().join("new/recon");
        assert_eq!(names(&dir), ["etcp-recon.toml", "inbox", "plates.csv", "schedules"]);
        assert_eq!(made.len(), 4);
        assert!(made.iter().all(|path| path.exists()));
        let err = config::load_file(&dir.join("etcp-recon.toml"), &|_| None).unwrap_err().to_string();
        assert!(err.contains("`merchant.merchant_no` is not filled in"), "{err}");
        let roster = fs::read(dir.join("plates.csv")).unwrap();
        assert_eq!(config::roster::read_roster(roster.as_slice()).unwrap(), []);
    }

    #[cfg(unix)]
    #[test]
    fn what_will_hold_secrets_is_its_owners_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        init(dir.path()).unwrap();
        for name in ["etcp-recon.toml", "plates.csv"] {
            let mode = fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn init_overwrites_nothing_and_writes_all_or_nothing() {
        for name in ["etcp-recon.toml", "schedules/nightly.toml", "plates.csv"] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "mine").unwrap();
            let before = names(dir.path());
            let err = init(dir.path()).unwrap_err();
            assert!(matches!(&err, InitError::Exists { existing } if *existing == [path.clone()]), "{err}");
            assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
            assert_eq!(names(dir.path()), before);
        }
    }

    #[test]
    fn what_was_begun_is_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        // A file where a folder is needed: the second step fails.
        fs::write(dir.path().join("schedules"), "mine").unwrap();
        assert!(matches!(init(dir.path()), Err(InitError::Unwritable { .. } | InitError::Exists { .. })));
        assert_eq!(names(dir.path()), ["schedules"]);
        fs::remove_file(dir.path().join("schedules")).unwrap();
        fs::write(dir.path().join("inbox"), "mine").unwrap();
        assert!(matches!(init(dir.path()), Err(InitError::Unwritable { .. })));
        assert_eq!(names(dir.path()), ["inbox"]);
    }

    #[test]
    fn a_second_init_fails_and_an_inbox_with_bills_is_no_hindrance() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("inbox")).unwrap();
        fs::write(dir.path().join("inbox/bill.csv"), "x").unwrap();
        init(dir.path()).unwrap();
        let err = init(dir.path()).unwrap_err();
        assert!(matches!(&err, InitError::Exists { existing } if existing.len() == 3), "{err}");
        assert_eq!(names(&dir.path().join("inbox")), ["bill.csv"]);
    }

    #[test]
    fn the_schedule_reads_as_promised() {
        let table: toml::Table = NIGHTLY.parse().unwrap();
        let text = |key: &str| table.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        assert_eq!((text("cron"), text("timezone"), text("job")), ("30 10 * * *", "Asia/Shanghai", "run"));
        assert_eq!(table.get("catch_up").and_then(toml::Value::as_bool), Some(true));
        assert_eq!(humantime::parse_duration(text("retry_every")).unwrap().as_secs(), 1800);
        assert_eq!(text("retry_until"), "22:00");
    }
}
