//! What SQLite itself refuses, whatever the Rust does: raw SQL on a second connection.

use super::*;
use crate::notify::{By, is_allowed};

/// A database with a run, a bill, an order, an attempt that ended, an exception and a mail.
fn furnished() -> Scratch {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    super::bills::import(&mut scratch, "one", &[super::bills::payment_row(2, "a", at(10))]);
    scratch.store.record_readings(&run, &[open_order("o-a", 500, 500)], at(2)).unwrap();
    let sent = scratch.sending(&run, "a");
    scratch.store.end_attempt(&run, &sent, &unknown(&sent.standing), &end("unclear"), at(4)).unwrap();
    scratch
}

const NOTIFICATION: &str =
    "INSERT INTO notification (external_order_id, payment_id, order_key, order_id, plate, mobile,
    amount_fen, pay_time_at, state, planned_at, updated_at)";

fn insert(ext: &str, order: &str, amount: i64, state: &str) -> String {
    format!(
        "{NOTIFICATION} VALUES ('{ext}', 'p', '{order}', '{order}', '渝B757D0', '13800000001', {amount}, 1, '{state}', 1, 1)"
    )
}

#[test]
fn two_unfinished_notifications_of_an_order_cannot_be_stored() {
    let scratch = furnished();
    let raw = scratch.raw();
    for state in ["planned", "held"] {
        assert!(refusal(&raw, &insert("b", "o-a", 500, state)).contains("one unfinished for an order"));
        refusal(&raw, &insert("b", "o-a", 500, state).replace("INSERT", "INSERT OR REPLACE"));
    }
    raw.execute_batch("UPDATE notification SET state = 'confirmed' WHERE external_order_id = 'a'").unwrap();
    raw.execute_batch(&insert("b", "o-a", 500, "planned")).unwrap();
}

#[test]
fn without_the_triggers_the_unique_index_still_refuses_the_second() {
    let scratch = furnished();
    let raw = scratch.raw();
    raw.execute_batch("DROP TRIGGER notification_comes_once").unwrap();
    assert!(refusal(&raw, &insert("b", "o-a", 500, "planned")).contains("UNIQUE"));
    assert!(refusal(&raw, &insert("a", "o-x", 500, "planned")).contains("UNIQUE"));
}

#[test]
fn an_external_order_id_is_notified_once_for_ever() {
    let scratch = furnished();
    let raw = scratch.raw();
    raw.execute_batch("UPDATE notification SET state = 'confirmed' WHERE external_order_id = 'a'").unwrap();
    refusal(&raw, &insert("a", "o-other", 500, "planned"));
    refusal(&raw, &insert("a", "o-other", 500, "planned").replace("INSERT", "INSERT OR REPLACE"));
}

#[test]
fn no_second_one_is_made_unfinished_by_an_update() {
    let scratch = furnished();
    let raw = scratch.raw();
    raw.execute_batch(&insert("b", "o-b", 500, "planned")).unwrap();
    refusal(&raw, "UPDATE OR REPLACE notification SET order_key = 'o-a' WHERE external_order_id = 'b'");
    raw.execute_batch("UPDATE notification SET state = 'void' WHERE external_order_id = 'b'").unwrap();
    raw.execute_batch(&insert("c", "o-b", 500, "planned")).unwrap();
    refusal(&raw, "UPDATE OR REPLACE notification SET state = 'planned' WHERE external_order_id = 'b'");
    assert_eq!(count(&raw, "notification"), 3);
}

#[test]
fn a_wrong_notification_cannot_begin() {
    let scratch = furnished();
    let raw = scratch.raw();
    for amount in [0, -1] {
        assert!(refusal(&raw, &insert("b", "o-b", amount, "planned")).contains("CHECK"));
    }
    for state in NotificationState::ALL {
        let taken = raw.execute_batch(&insert("b", "o-b", 500, state.name())).is_ok();
        assert_eq!(taken, crate::notify::INITIAL_STATES.contains(state), "{state}");
        raw.execute_batch("DELETE FROM notification WHERE external_order_id = 'b' AND state = 'planned'").unwrap();
        if taken && *state == NotificationState::Held {
            raw.execute_batch("UPDATE notification SET state = 'void' WHERE external_order_id = 'b'").unwrap();
        }
    }
    assert!(refusal(&raw, &insert("c", "O-C", 500, "planned")).contains("CHECK"));
    refusal(&raw, &insert("d", "o-d", 500, "gone"));
}

/// A notification in `state`, put there past the triggers, which stand again afterwards.
fn forced(raw: &Connection, state: NotificationState) {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'notification'";
    let mut statement = raw.prepare(sql).unwrap();
    let triggers = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let triggers: Vec<(String, String)> = triggers.collect::<Result<_, _>>().unwrap();
    drop(statement);
    for (name, _) in &triggers {
        raw.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    raw.execute_batch("DELETE FROM notification").unwrap();
    raw.execute_batch(&insert("x", "o-x", 500, "planned")).unwrap();
    let sql = "UPDATE notification SET sends = 1, base_paid_fen = 0, base_fee_fen = 500, base_remaining_fen = 500,
                   pay_order_id = 'PO', state = ";
    raw.execute_batch(&format!("{sql} '{}'", state.name())).unwrap();
    for (_, sql) in &triggers {
        raw.execute_batch(sql).unwrap();
    }
}

#[test]
fn exactly_the_steps_that_are_drawn_can_be_stored() {
    let scratch = Scratch::new();
    let raw = scratch.raw();
    for from in NotificationState::ALL {
        for to in NotificationState::ALL.iter().filter(|to| *to != from) {
            forced(&raw, *from);
            let sends = match (from, to) {
                (NotificationState::Planned, NotificationState::Sending) => 2,
                (NotificationState::Sending, NotificationState::Planned) => 0,
                _ => 1,
            };
            let sql = format!("UPDATE notification SET sends = {sends}, state = '{}'", to.name());
            let stored = raw.execute_batch(&sql);
            let drawn = [By::Machine, By::Person].iter().any(|by| is_allowed(*from, *to, *by));
            assert_eq!(stored.is_ok(), drawn, "{from} → {to}: {stored:?}");
            if let Err(error) = stored {
                let words = error.to_string();
                assert!(
                    words.contains("no such step") || words.contains("forgets no attempt"),
                    "{from} → {to}: {words}"
                );
            }
        }
    }
}

#[test]
fn a_notification_never_changes_what_it_is() {
    let scratch = furnished();
    let raw = scratch.raw();
    for change in [
        "id = id + 1",
        "external_order_id = 'b'",
        "payment_id = 'b'",
        "order_key = 'b'",
        "order_id = 'b'",
        "amount_fen = 501",
        "pay_time_at = pay_time_at + 1",
        "planned_at = 0",
    ] {
        assert!(refusal(&raw, &format!("UPDATE notification SET {change}")).contains("never changes"), "{change}");
    }
    refusal(&raw, "UPDATE notification SET amount_fen = NULL");
}

#[test]
fn a_notification_forgets_no_attempt() {
    let scratch = furnished();
    let raw = scratch.raw();
    for change in [
        "sends = 0",
        "sends = 2",
        "tainted = 0",
        "revision = 0",
        "base_paid_fen = NULL, base_fee_fen = NULL, base_remaining_fen = NULL",
        "state = 'rejected'",
        "state = 'planned', sends = 0",
    ] {
        refusal(&raw, &format!("UPDATE notification SET {change}"));
    }
    raw.execute_batch("UPDATE notification SET pay_order_id = 'PO-1'").unwrap();
    refusal(&raw, "UPDATE notification SET pay_order_id = 'PO-2'");
    refusal(&raw, "UPDATE notification SET pay_order_id = NULL");
}

#[test]
fn nothing_is_sent_without_a_baseline_uncounted_or_a_fourth_time() {
    let scratch = Scratch::new();
    let raw = scratch.raw();
    raw.execute_batch(&insert("x", "o-x", 500, "planned")).unwrap();
    let base = "base_paid_fen = 0, base_fee_fen = 500, base_remaining_fen = 500";
    assert!(refusal(&raw, "UPDATE notification SET state = 'sending', sends = 1").contains("CHECK"));
    assert!(
        refusal(&raw, &format!("UPDATE notification SET state = 'sending', sends = 2, {base}")).contains("each once")
    );
    refusal(&raw, &format!("UPDATE notification SET state = 'sending', {base}"));
    refusal(&raw, "UPDATE notification SET base_paid_fen = 0");
    for sends in 1..=3 {
        raw.execute_batch(&format!("UPDATE notification SET state = 'sending', sends = {sends}, {base}")).unwrap();
        raw.execute_batch("UPDATE notification SET state = 'unknown', tainted = 1").unwrap();
        raw.execute_batch("UPDATE notification SET state = 'planned'").unwrap();
    }
    assert!(refusal(&raw, "UPDATE notification SET state = 'sending', sends = 4").contains("CHECK"));
    raw.execute_batch("UPDATE notification SET sends_released = 4").unwrap();
    raw.execute_batch("UPDATE notification SET state = 'sending', sends = 4").unwrap();
    assert!(refusal(&raw, "UPDATE notification SET state = 'acknowledged'").contains("CHECK"));
    refusal(&raw, "UPDATE notification SET state = 'rejected'");
    refusal(&raw, "UPDATE notification SET state = 'planned', sends = 0");
}

#[test]
fn what_was_sent_cannot_be_deleted() {
    let scratch = furnished();
    let raw = scratch.raw();
    assert!(refusal(&raw, "DELETE FROM notification").contains("never sent"));
    for state in [NotificationState::Planned, NotificationState::Confirmed, NotificationState::Void] {
        forced(&raw, state);
        assert!(refusal(&raw, "DELETE FROM notification").contains("never sent"), "{state}");
    }
}

#[test]
fn evidence_is_never_changed_deleted_or_replaced() {
    let scratch = furnished();
    let raw = scratch.raw();
    for (table, change) in [
        ("bill", "file_name = 'x'"),
        ("bill_row", "amount_fen = 1"),
        ("set_aside", "reason = 'x'"),
        ("order_snapshot", "fee_fen = 1000"),
        ("attempt", "message = 'x'"),
    ] {
        refusal(&raw, &format!("UPDATE {table} SET {change}"));
        refusal(&raw, &format!("DELETE FROM {table}"));
        refusal(&raw, &format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}"));
        assert_eq!(count(&raw, table), 1, "{table}");
    }
    refusal(
        &raw,
        "INSERT INTO bill_row SELECT bill_id, line + 1, kind, payment_id, refund_id, external_order_id, trade_no,
        order_id, plate, amount_fen, refunded_fen, refund_pending, at, channel FROM bill_row",
    );
}

#[test]
fn an_attempt_is_the_next_of_one_that_is_being_sent_and_ends_once() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let raw = scratch.raw();
    scratch.planned(&run, "a");
    let attempt = |n: i64| {
        let hash = "a".repeat(64);
        format!(
            "INSERT INTO attempt (external_order_id, n, run_id, started_at, request_sha256, verification_sha256)
                 VALUES ('a', {n}, '{run}', 1, '{hash}', '{hash}')"
        )
    };
    refusal(&raw, &attempt(1));
    let record = scratch.record("a");
    scratch.store.begin_attempt(&run, &record, &sending(&record.standing), &start(), at(3)).unwrap();
    for n in [1, 2, 3] {
        refusal(&raw, &attempt(n));
    }
    for change in
        ["n = 2", "run_id = 'x'", "started_at = 0", "request_sha256 = verification_sha256", "outcome = 'refused'"]
    {
        refusal(&raw, &format!("UPDATE attempt SET {change}"));
    }
    raw.execute_batch("UPDATE attempt SET outcome = 'refused', finished_at = 2").unwrap();
    refusal(&raw, "UPDATE attempt SET outcome = 'not_sent'");
}

#[test]
fn impossible_amounts_and_rows_cannot_be_stored() {
    let scratch = furnished();
    let raw = scratch.raw();
    let snapshot = |state: &str, exit: &str, fee: i64, rest: i64| {
        format!("INSERT INTO order_snapshot (order_key, order_id, parking_id, parking_name, entrance_at, exit_at, state, fee_fen,
                     rest_fen, seen_at) VALUES ('k', 'k', '', '', 1, {exit}, '{state}', {fee}, {rest}, 1)")
    };
    raw.execute_batch(&snapshot("open", "NULL", 5, 5)).unwrap();
    raw.execute_batch(&snapshot("closed", "NULL", 5, 0)).unwrap();
    for sql in [
        snapshot("open", "NULL", 5, 6),
        snapshot("open", "NULL", -1, -1),
        snapshot("open", "NULL", 5, -1),
        snapshot("open", "1", 5, 0),
        snapshot("closed", "1", 5, 0).replace("'k', 'k'", "'K', 'K'"),
        "INSERT INTO plate (plate, mobile, color) VALUES ('x', 'y', 5)".to_owned(),
        "INSERT INTO bill_row VALUES (77, 1, 'payment', 'p', NULL, 'e', NULL, NULL, NULL, 1, 0, 0, 1, '')".to_owned(),
    ] {
        refusal(&raw, &sql);
    }
}

#[test]
fn a_run_ends_once_and_what_it_said_stays() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    scratch.store.fail_run(&run, at(5)).unwrap();
    let raw = scratch.raw();
    raw.execute_batch(&format!(
        "INSERT INTO outcome VALUES ('{run}', 'payment', 'a', 0, 'settled', '3a', NULL, 500);
         INSERT INTO order_day VALUES ('k', '2026-11-22', '{run}')"
    ))
    .unwrap();
    for sql in [
        "UPDATE run SET status = 'complete', summary = '{}'",
        "UPDATE run SET status = 'running', finished_at = NULL",
        "UPDATE run SET business_date = '2026-11-23'",
        "UPDATE outcome SET disposition = 'refunded'",
        "UPDATE order_day SET business_date = '2026-11-23'",
    ] {
        refusal(&raw, sql);
    }
}
