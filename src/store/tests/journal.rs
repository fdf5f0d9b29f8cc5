//! The journal's chain.

use super::*;

/// Three rows, the last one of a person.
fn journal() -> Scratch {
    let mut scratch = Scratch::new();
    scratch
        .store
        .write("testing", |transaction| {
            for (run, subject) in [(Some("r1"), "a"), (Some("r1"), "b"), (None, "c")] {
                crate::store::journal::append(
                    transaction,
                    at(1),
                    run,
                    "notification.moved",
                    subject,
                    &serde_json::json!({"x": 1}),
                )?;
            }
            Ok(())
        })
        .unwrap();
    scratch
}

fn without_triggers(scratch: &Scratch) -> Connection {
    let raw = scratch.raw();
    raw.execute_batch("DROP TRIGGER journal_is_kept; DROP TRIGGER journal_stays; DROP TRIGGER journal_is_chained;")
        .unwrap();
    raw
}

fn broken_row(store: &Store) -> Option<i64> {
    store.verify_journal().unwrap().err().map(|error| error.seq)
}

#[test]
fn a_whole_chain_is_counted() {
    let scratch = journal();
    assert_eq!(scratch.store.verify_journal().unwrap().unwrap(), 3);
    assert_eq!(Scratch::new().store.verify_journal().unwrap().unwrap(), 0);
    assert_eq!(scratch.store.journal_of("b").unwrap().len(), 1);
}

#[test]
fn any_changed_column_of_any_row_is_found_and_the_row_named() {
    let changes = [
        ("at", "at + 1"),
        ("run_id", "COALESCE(run_id, '') || 'x'"),
        ("run_id", "CASE WHEN run_id IS NULL THEN '' ELSE NULL END"),
        ("kind", "'N' || substr(kind, 2)"),
        ("subject", "subject || ' '"),
        ("detail", "replace(detail, '1', '2')"),
        ("detail", "CAST(x'ff' AS TEXT)"),
        ("prev_hash", "'f' || substr(prev_hash, 2)"),
        ("hash", "'g' || substr(hash, 2)"),
    ];
    for seq in 1..=3 {
        for (column, value) in changes {
            let scratch = journal();
            let raw = without_triggers(&scratch);
            raw.execute_batch(&format!("UPDATE journal SET {column} = {value} WHERE seq = {seq}")).unwrap();
            assert_eq!(broken_row(&scratch.store), Some(seq), "{column} = {value}");
        }
    }
}

#[test]
fn missing_and_moved_rows_are_found_but_for_the_last() {
    for (sql, found) in [
        ("DELETE FROM journal WHERE seq = 1", Some(2)),
        ("DELETE FROM journal WHERE seq = 2", Some(3)),
        ("UPDATE journal SET seq = 9 WHERE seq = 3", Some(9)),
        ("DELETE FROM journal WHERE seq = 2; UPDATE journal SET seq = 2 WHERE seq = 3", Some(2)),
        ("DELETE FROM journal WHERE seq = 3", None),
    ] {
        let scratch = journal();
        let head = scratch.store.journal_head().unwrap();
        without_triggers(&scratch).execute_batch(sql).unwrap();
        assert_eq!(broken_row(&scratch.store), found, "{sql}");
        if found.is_none() {
            assert_ne!(scratch.store.journal_head().unwrap(), head);
        }
    }
}

#[test]
fn the_database_takes_no_row_out_of_the_chain_and_gives_none_up() {
    let scratch = journal();
    let raw = scratch.raw();
    let zeros = "0".repeat(64);
    let head = scratch.store.journal_head().unwrap();
    let other = "d".repeat(64);
    let row = |verb: &str, seq: i64, prev: &str, hash: &str| {
        format!("{verb} INTO journal VALUES ({seq}, 1, NULL, 'k', 's', '{{}}', '{prev}', '{hash}')")
    };
    for sql in [
        "UPDATE journal SET detail = '{}' WHERE seq = 1".to_owned(),
        "DELETE FROM journal WHERE seq = 3".to_owned(),
        row("INSERT", 4, &zeros, &other),
        row("INSERT", 5, &head, &other),
        row("INSERT OR REPLACE", 3, &head, &other),
        row("INSERT OR REPLACE", 4, &head, &head),
        row("INSERT", 4, &head, "short"),
    ] {
        refusal(&raw, &sql);
    }
    assert_eq!(scratch.store.verify_journal().unwrap().unwrap(), 3);
}
