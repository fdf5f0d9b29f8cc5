//! The one lock of all runs on a database.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

#[test]
fn the_lock_is_held_once_and_free_after_drop() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recon.db");
    let held = RunLock::try_acquire(&path).unwrap().unwrap();
    assert!(RunLock::try_acquire(&path).unwrap().is_none());
    drop(held);
    assert!(RunLock::try_acquire(&path).unwrap().is_some());
}

#[test]
fn a_link_to_the_database_has_the_same_lock() {
    let scratch = Scratch::new();
    let link = scratch.dir.path().join("link.db");
    std::os::unix::fs::symlink(scratch.path(), &link).unwrap();
    let _held = RunLock::try_acquire(&scratch.path()).unwrap().unwrap();
    assert!(RunLock::try_acquire(&link).unwrap().is_none());
}

#[test]
fn a_killed_process_leaves_no_lock_behind() {
    let scratch = Scratch::new();
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["store::tests::locks::holds_the_lock", "--exact", "--ignored", "--nocapture"])
        .env("ETCP_RECON_TEST_DATABASE", scratch.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("held")));
    assert!(RunLock::try_acquire(&scratch.path()).unwrap().is_none());
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(RunLock::try_acquire(&scratch.path()).unwrap().is_some());
}

#[test]
#[ignore = "run as another process by the test above it"]
#[expect(clippy::disallowed_methods, reason = "told by the test that started this process")]
fn holds_the_lock() {
    if let Some(path) = std::env::var_os("ETCP_RECON_TEST_DATABASE") {
        let _held = RunLock::try_acquire(Path::new(&path)).unwrap().unwrap();
        println!("held");
        // Until the other end is closed, or this process is killed.
        std::io::stdin().read_line(&mut String::new()).unwrap();
    }
}
