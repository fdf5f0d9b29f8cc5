//! Opening: schema, settings, modes, damage, and whose database it is.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::bills::RowKind;

/// Name and text of everything in a schema, without its white space and the quotes of a renamed table.
fn schema(connection: &Connection) -> Vec<(String, String)> {
    let sql = "SELECT type || ' ' || name, COALESCE(sql, '') FROM sqlite_schema ORDER BY 1";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).unwrap();
    rows.map(|row| row.map(|(name, sql)| (name, sql.replace('"', "").split_whitespace().collect())).unwrap()).collect()
}

#[test]
fn the_schema_for_readers_is_the_sum_of_the_migrations() {
    let migrated = Scratch::new();
    let read = Connection::open_in_memory().unwrap();
    read.execute_batch(include_str!("../../../sql/schema.sql")).unwrap();
    assert_eq!(schema(&migrated.raw()), schema(&read));
    assert!(schema(&read).len() > 40);
}

#[test]
fn a_newer_database_is_refused() {
    let scratch = Scratch::new();
    let known: i64 = scratch.store.pragma("PRAGMA user_version").unwrap();
    scratch.raw().pragma_update(None, "user_version", known + 1).unwrap();
    let refused = Store::open(&scratch.path()).map(drop);
    assert!(
        matches!(refused, Err(StoreError::Newer { found, known: ours, .. }) if found == known + 1 && ours == known)
    );
}

#[test]
fn the_second_migration_keeps_every_exception() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recon.db");
    let before = raw(&path);
    before.execute_batch(include_str!("../../../sql/migrations/0001_first.sql")).unwrap();
    before.pragma_update(None, "user_version", 1).unwrap();
    let sample = "
        INSERT INTO run (id, seq, business_date, mode, status, started_at, finished_at, summary)
            VALUES ('r1', 1, '2026-11-22', 'live', 'complete', 1, 2, '{}');
        INSERT INTO exception (kind, business_date, side, subject, payment_id, plate, paid_fen, due_fen, at, rule, status,
                first_seen_at, first_run_id, last_seen_at, last_run_id)
            VALUES ('amount_mismatch', '2026-11-22', 'payment', 'P-1', 'P-1', '渝B757D0', 500, 700, 3, 'x', 'open', 4, 'r1', 5, 'r1');
        INSERT INTO exception (kind, business_date, side, subject, order_id, paid_fen, due_fen, at, rule, status,
                first_seen_at, first_run_id, last_seen_at, last_run_id, resolved_at, resolved_run_id, reason)
            VALUES ('payment_missing', '2026-11-22', 'order', 'o-1', 'O-1', 0, 700, 3, 'x', 'resolved', 4, 'r1', 5, 'r1', 6, 'r1', 'now settled');";
    before.execute_batch(sample).unwrap();
    drop(before);
    let store = Store::open(&path).unwrap();
    let kept = store.exceptions().unwrap();
    assert_eq!(kept.iter().map(|row| row.id).collect::<Vec<_>>(), [1, 2]);
    let [open, resolved] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!((open.status, resolved.status), (ExceptionStatus::Open, ExceptionStatus::Resolved));
    assert_eq!((open.facts.key.subject.as_str(), open.facts.paid.fen(), open.facts.due), ("P-1", 500, fen(700)));
    assert_eq!((resolved.facts.key.subject.as_str(), resolved.reason.as_deref()), ("o-1", Some("now settled")));
    let again = "INSERT INTO exception SELECT 3, kind, business_date, side, subject, n, payment_id, external_order_id, order_id,
        plate, paid_fen, due_fen, stake_fen, at, rule, status, first_seen_at, first_run_id, last_seen_at, last_run_id,
        resolved_at, resolved_run_id, resolved_by, reason, note FROM exception WHERE id = 1";
    assert!(refusal(&raw(&path), again).contains("UNIQUE"), "one open exception for a subject");
}

#[test]
fn the_fourth_migration_knows_how_every_exception_came_to_stand_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recon.db");
    let before = raw(&path);
    for migration in [
        include_str!("../../../sql/migrations/0001_first.sql"),
        include_str!("../../../sql/migrations/0002_pushes_and_bindings.sql"),
        include_str!("../../../sql/migrations/0003_channel_bills.sql"),
    ] {
        before.execute_batch(migration).unwrap();
    }
    before.pragma_update(None, "user_version", 3).unwrap();
    let columns =
        "kind, business_date, side, subject, payment_id, order_id, paid_fen, due_fen, at, rule, status, first_seen_at,
        first_run_id, last_seen_at, last_run_id, resolved_at, resolved_run_id, reason";
    let sample = format!("
        INSERT INTO run (id, seq, business_date, mode, status, started_at, finished_at, summary) VALUES
            ('r1', 1, '2026-11-22', 'live', 'complete', 1, 2, '{{}}'), ('r2', 2, '2026-11-22', 'live', 'partial', 5, 6, '{{}}'),
            ('r3', 3, '2026-11-22', 'dry_run', 'complete', 7, 8, '{{}}');
        INSERT INTO exception ({columns}) VALUES
            ('amount_mismatch', '2026-11-22', 'payment', 'P-1', 'P-1', NULL, 500, 700, 3, 'x', 'open', 4, 'r1', 6, 'r2', NULL, NULL, NULL),
            ('payment_missing', '2026-11-22', 'order', 'o-1', NULL, 'O-1', 0, 700, 3, 'x', 'resolved', 4, 'r1', 4, 'r1', 6, 'r2', 'now settled'),
            ('payment_missing', '2026-11-22', 'order', 'o-2', NULL, 'O-2', 0, 900, 3, 'x', 'open', 6, 'r2', 6, 'r2', NULL, NULL, NULL),
            ('event_fee_differs', '2026-11-22', 'event', 's-1', NULL, 'O-3', 80, 900, 3, 'x', 'open', 6, 'r2', 6, 'r2', NULL, NULL, NULL);
    ");
    before.execute_batch(&sample).unwrap();
    drop(before);
    let mut store = Store::open(&path).unwrap();
    let stakes: Vec<i64> = store.exceptions().unwrap().iter().map(|row| row.facts.stake().fen()).collect();
    assert_eq!(stakes, [500, 700, 900, 80]);
    let history = |id: i64| -> Vec<_> {
        let steps = store.exception_history(id).unwrap().into_iter();
        steps.map(|step| (step.act.name(), step.run_id.unwrap(), step.words, step.change.fen())).collect()
    };
    assert_eq!(history(1), [("opened", "r1".to_owned(), None, 500)]);
    let ended = ("resolved", "r2".to_owned(), Some("now settled".to_owned()), -700);
    assert_eq!(history(2), [("opened", "r1".to_owned(), None, 700), ended]);
    let open = crate::model::Total { count: 3, fen: 1480 };
    let roll = store.last_roll_forward().unwrap().unwrap();
    assert_eq!((roll.opening, roll.closing, store.open_exceptions_total().unwrap()), (open, open, open));
    assert_eq!(store.roll_forward("r2").unwrap(), Some(roll), "of the last run that was not dry");
    assert!(store.acts_since_last_run().unwrap().is_empty());
    // It is as it would be had it been made today.
    store.resolve_exception(1, PersonsWord { by: "Li", note: "seen", at: Timestamp::from_unix(9) }).unwrap();
    assert_eq!(store.acts_since_last_run().unwrap().len(), 1);
    assert!(refusal(&raw(&path), "DELETE FROM exception_event").contains("never deleted"));
}

#[test]
fn the_third_migration_keeps_every_row_of_a_bill() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recon.db");
    let before = raw(&path);
    for migration in [
        include_str!("../../../sql/migrations/0001_first.sql"),
        include_str!("../../../sql/migrations/0002_pushes_and_bindings.sql"),
    ] {
        before.execute_batch(migration).unwrap();
    }
    before.pragma_update(None, "user_version", 2).unwrap();
    let sample = "BEGIN;
        INSERT INTO bill_row VALUES (1, 2, 'payment', 'P1', NULL, 'E1', 'T1', 'O1', '渝B757D0', 500, 100, 1, 7, 'wxpay');
        INSERT INTO bill_row VALUES (1, 3, 'refund', 'P1', 'R1', 'E1', NULL, NULL, NULL, 100, 0, 0, 8, '');
        INSERT INTO set_aside VALUES (1, 4, 'amount', 'x', 'no amount');
        INSERT INTO bill VALUES (1, printf('%064d', 1), 'a.csv', 'till', 'trade', 'generic', '', 9, '2026-11-22', '2026-11-22',
            1, 1, 0, 1, 1);
        COMMIT;";
    before.execute_batch(sample).unwrap();
    drop(before);
    let store = Store::open(&path).unwrap();
    let rows = store.bill_rows_since(Timestamp::from_unix(0)).unwrap();
    let [payment, refund] = &rows[..] else { panic!("{rows:?}") };
    let (paid, back) = (&payment.row, &refund.row);
    assert_eq!(
        (paid.part, paid.line, paid.kind, paid.amount, paid.refunded),
        (1, 2, RowKind::Payment, fen(500), fen(100))
    );
    assert_eq!(
        (paid.received, paid.fee, paid.refund_pending, paid.trade_no.as_deref()),
        (None, None, true, Some("T1"))
    );
    assert_eq!((back.part, back.line, back.kind, back.refund_id.as_deref()), (1, 3, RowKind::Refund, Some("R1")));
    let aside = store.set_aside_of_bill(&format!("{:064}", 1)).unwrap();
    assert_eq!((aside.len(), aside[0].part, aside[0].line), (1, 1, 4));
    // It is as it would be had it been made today: evidence stays as it is, and a fee has to say what it is.
    assert!(refusal(&raw(&path), "UPDATE bill_row SET amount_fen = 1").contains("never changed"));
    assert!(refusal(&raw(&path), "DELETE FROM set_aside").contains("never deleted"));
    let fee =
        "INSERT INTO bill_row (bill_id, part, line, kind, payment_id, external_order_id, amount_fen, refunded_fen,
        refund_pending, at, channel) VALUES (2, 1, 1, 'fee', 'P', 'E', 1, 0, 0, 1, '')";
    assert!(refusal(&raw(&path), fee).contains("CHECK"));
}

#[test]
fn the_reports_migration_knows_who_has_a_mail_and_who_waits() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recon.db");
    let before = raw(&path);
    for migration in [
        include_str!("../../../sql/migrations/0001_first.sql"),
        include_str!("../../../sql/migrations/0002_pushes_and_bindings.sql"),
        include_str!("../../../sql/migrations/0003_channel_bills.sql"),
    ] {
        before.execute_batch(migration).unwrap();
    }
    before.pragma_update(None, "user_version", 3).unwrap();
    let sample = r#"
        INSERT INTO run (id, seq, business_date, mode, status, started_at, finished_at, summary)
            VALUES ('r1', 1, '2026-11-22', 'live', 'complete', 1, 2, '{}');
        INSERT INTO mail (run_id, message_id, sender, recipients, subject, raw, state, created_at, sent_at) VALUES
            ('r1', '<1@x>', 'a@x', '["b@x","c@x"]', 's', x'00', 'sent', 3, 4),
            ('r1', '<2@x>', 'a@x', '["d@x"]', 's', x'00', 'pending', 3, NULL);"#;
    before.execute_batch(sample).unwrap();
    drop(before);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.pending_mails().unwrap(), ["<2@x>"]);
    let of_first = store.mail_recipients("<1@x>").unwrap();
    let accepted = |who: &str| (who.to_owned(), RecipientState::Accepted);
    assert_eq!(of_first, [accepted("b@x"), accepted("c@x")]);
    assert_eq!(store.report_data("r1").unwrap(), None, "a report of before is not made up");
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    raw(&path).execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::NotOurs { .. })));
    assert_eq!(count(&raw(&path), "sqlite_schema"), 1);
}

#[test]
fn many_may_open_a_new_database_at_once() {
    for _ in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("recon.db");
        std::thread::scope(|scope| {
            let opened: Vec<_> =
                (0..4).map(|_| scope.spawn(|| Store::open(&path).map(|store| store.meta("x")))).collect();
            for one in opened {
                one.join().unwrap().unwrap().unwrap();
            }
        });
    }
}

#[test]
fn every_connection_has_the_settings_that_safety_rests_on() {
    let scratch = Scratch::new();
    for store in [&scratch.store, &scratch.store.beside().unwrap()] {
        assert_eq!(store.pragma::<String>("PRAGMA journal_mode").unwrap(), "wal");
        assert_eq!(store.pragma::<i64>("PRAGMA synchronous").unwrap(), 2);
        assert_eq!(store.pragma::<i64>("PRAGMA foreign_keys").unwrap(), 1);
        assert_eq!(store.pragma::<i64>("PRAGMA trusted_schema").unwrap(), 0);
        assert_eq!(store.pragma::<i64>("PRAGMA secure_delete").unwrap(), 1);
        assert_eq!(store.pragma::<i64>("PRAGMA busy_timeout").unwrap(), 5000);
    }
}

#[test]
fn a_database_that_cannot_have_a_wal_is_refused() {
    let Err(error) = Store::connect(Path::new(":memory:")).map(drop) else { panic!("taken") };
    assert!(matches!(error, StoreError::Pragma { pragma: "journal_mode", .. }), "{error}");
}

#[test]
fn only_the_owner_may_read_any_of_its_files() {
    let mut scratch = Scratch::new();
    scratch.store.set_meta("x", "y").unwrap();
    let _lock = RunLock::try_acquire(&scratch.path()).unwrap().unwrap();
    let mut names = Vec::new();
    for entry in fs::read_dir(scratch.dir.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["recon.db", "recon.db-shm", "recon.db-wal", "recon.db.lock"]);
}

/// A closed database with some content, as bytes.
fn closed_database() -> (TempDir, PathBuf, Vec<u8>) {
    let Scratch { dir, mut store } = Scratch::new();
    store.set_meta("x", "y").unwrap();
    drop(store);
    let path = dir.path().join("recon.db");
    let bytes = fs::read(&path).unwrap();
    (dir, path, bytes)
}

#[test]
fn a_damaged_file_is_refused_as_damaged() {
    let (_dir, path, bytes) = closed_database();
    // The magic text; the free-list count; the type byte of the schema's page; the header of a table's page.
    for offset in [0, 39, 100, 4096, 8192] {
        let mut damaged = bytes.clone();
        damaged[offset] ^= 0xff;
        fs::write(&path, &damaged).unwrap();
        let refused = Store::open(&path).map(drop);
        assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{offset}: {refused:?}");
    }
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Damaged { .. })));
    fs::write(&path, &bytes).unwrap();
    assert_eq!(Store::open(&path).unwrap().meta("x").unwrap().as_deref(), Some("y"));
}

#[test]
fn a_text_file_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    let text = "not a database\n".repeat(100);
    fs::write(&path, &text).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Damaged { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_database_that_is_busy_is_not_called_damaged() {
    let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None);
    assert!(matches!(store_error(Path::new("x"), "reading", error), StoreError::Sqlite { .. }));
}

#[test]
fn looking_makes_no_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.db");
    assert!(matches!(Store::open_existing(&path), Err(StoreError::Open { .. })));
    assert!(!path.exists());
}

/// A second descriptor of the file, opened and closed, would do that: POSIX has one set of locks for a process.
#[test]
fn opening_a_second_time_does_not_drop_the_locks_of_the_first() {
    use std::os::unix::fs::MetadataExt;

    let scratch = Scratch::new();
    let inode = format!(":{} ", fs::metadata(scratch.path()).unwrap().ino());
    let locks = || fs::read_to_string("/proc/locks").unwrap().lines().filter(|line| line.contains(&inode)).count();
    let held = locks();
    assert!(held > 0);
    drop(Store::open(&scratch.path()).unwrap());
    assert_eq!(locks(), held);
}

#[test]
fn the_first_use_binds_and_any_other_is_foreign() {
    let mut scratch = Scratch::new();
    let (url, merchant) = ("https://one.example", "M1");
    scratch.store.bind(url, merchant).unwrap();
    scratch.store.bind(url, merchant).unwrap();
    for (other_url, other_merchant) in [("https://two.example", merchant), (url, "M2"), ("https://two.example", "M2")] {
        let refused = scratch.store.bind(other_url, other_merchant);
        assert!(matches!(refused, Err(StoreError::Foreign { .. })), "{refused:?}");
    }
    assert_eq!(scratch.store.meta("platform").unwrap().as_deref(), Some(url));
    assert_eq!(scratch.store.meta("merchant_no").unwrap().as_deref(), Some(merchant));
    assert!(refusal(&scratch.raw(), "UPDATE meta SET value = 'M2' WHERE key = 'merchant_no'").contains("one platform"));
}

#[test]
fn half_a_binding_is_never_written() {
    let mut scratch = Scratch::new();
    scratch.store.set_meta("merchant_no", "M1").unwrap();
    assert!(matches!(scratch.store.bind("https://one.example", "M2"), Err(StoreError::Foreign { .. })));
    assert_eq!(scratch.store.meta("platform").unwrap(), None);
}
