//! Notifications: durable before what follows, one hand at a time, nothing forgotten.

use super::*;

fn kinds(scratch: &Scratch, ext: &str) -> Vec<String> {
    scratch.store.journal_of(ext).unwrap().into_iter().map(|row| row.kind).collect()
}

fn outcomes(scratch: &Scratch, ext: &str) -> Vec<(i64, Option<String>)> {
    let attempts = scratch.store.attempts(&scratch.record(ext)).unwrap();
    attempts.into_iter().map(|(n, _, outcome, _, _)| (n, outcome)).collect()
}

fn not_sent(standing: &Standing) -> Standing {
    Standing { state: NotificationState::Planned, sends: 0, baseline: None, ..*standing }
}

fn planned_again(standing: &Standing) -> Standing {
    Standing { state: NotificationState::Planned, proved_absent: true, negative_reads: 0, ..*standing }
}

#[test]
fn a_plan_comes_back_as_it_went_in() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let held = NewNotification {
        standing: Standing::held(fen(700)),
        why: "above_max_amount".to_owned(),
        ..new_notification("b", "Order-B", 700)
    };
    scratch.store.plan_notifications(&run, &[new_notification("a", "o-a", 500), held], &[], at(2)).unwrap();
    let (a, b) = (scratch.record("a"), scratch.record("b"));
    assert_eq!((a.standing, a.why.as_str()), (Standing::planned(fen(500)), ""));
    assert_eq!((b.standing, b.why.as_str()), (Standing::held(fen(700)), "above_max_amount"));
    assert_eq!((b.order_id.as_str(), b.user, b.pay_time, b.planned_at), ("Order-B", user(), at(0), at(2)));
    assert_eq!(kinds(&scratch, "a"), ["notification.planned"]);
    assert_eq!(scratch.store.notifications().unwrap().len(), 2);
    let in_state = scratch.store.notifications_in(NotificationState::Held).unwrap();
    assert_eq!(in_state.iter().map(|record| record.id).collect::<Vec<_>>(), [b.id]);
}

#[test]
fn planning_is_all_or_nothing() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let old = scratch.planned(&run, "a");
    let twice = [new_notification("b", "o", 500), new_notification("c", "O", 500)];
    assert!(scratch.store.plan_notifications(&run, &twice, &[old], at(2)).is_err());
    assert_eq!(scratch.store.notifications().unwrap().len(), 1);
    assert_eq!(kinds(&scratch, "a"), ["notification.planned"]);
    assert_eq!(scratch.store.verify_journal().unwrap().unwrap(), 1);
}

#[test]
fn a_plan_that_was_never_sent_can_be_withdrawn_and_made_again() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let record = scratch.planned(&run, "a");
    scratch.store.plan_notifications(&run, &[new_notification("a", "o-other", 500)], &[record.clone()], at(3)).unwrap();
    assert_eq!(scratch.record("a").order_id.as_str(), "o-other");
    assert_eq!(kinds(&scratch, "a"), ["notification.planned", "notification.withdrawn", "notification.planned"]);
    // It is not that one any more.
    assert!(matches!(scratch.store.plan_notifications(&run, &[], &[record], at(4)), Err(StoreError::Refused(_))));
}

#[test]
fn what_was_sent_cannot_be_withdrawn() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let planned = scratch.planned(&run, "a");
    scratch.store.begin_attempt(&run, &planned, &sending(&planned.standing), &start(), at(3)).unwrap();
    assert!(scratch.store.plan_notifications(&run, &[], &[planned], at(3)).is_err());
    let sent = scratch.record("a");
    assert!(scratch.store.plan_notifications(&run, &[], &[sent.clone()], at(3)).is_err());
    scratch.store.end_attempt(&run, &sent, &unknown(&sent.standing), &end("unclear"), at(4)).unwrap();
    let lost = scratch.record("a");
    scratch
        .store
        .move_notification(None, &lost, &planned_again(&lost.standing), "x", &serde_json::json!({}), at(5))
        .unwrap();
    let again = scratch.record("a");
    assert!(scratch.store.plan_notifications(&run, &[], &[again], at(6)).is_err());
    assert_eq!(scratch.record("a").standing.sends, 1);
}

#[test]
fn the_mark_is_durable_before_the_call_comes_back() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let record = scratch.planned(&run, "a");
    scratch.store.begin_attempt(&run, &record, &sending(&record.standing), &start(), at(3)).unwrap();
    let raw = scratch.raw();
    let sql = "SELECT state, sends, base_paid_fen, request_sha256, outcome FROM notification JOIN attempt USING (external_order_id)";
    let seen: (String, i64, i64, String, Option<String>) =
        raw.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))).unwrap();
    assert_eq!(seen, ("sending".to_owned(), 1, 0, "a".repeat(64), None));
    assert_eq!(kinds(&scratch, "a"), ["notification.planned", "notification.sending"]);
    let read = scratch.record("a").standing;
    assert_eq!(read, sending(&record.standing));
}

#[test]
fn only_one_hand_begins_an_attempt() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let record = scratch.planned(&run, "a");
    let mut other = scratch.store.beside().unwrap();
    scratch.store.begin_attempt(&run, &record, &sending(&record.standing), &start(), at(3)).unwrap();
    let before = scratch.record("a");
    let second = other.begin_attempt(&run, &record, &sending(&record.standing), &start(), at(9));
    assert!(matches!(second, Err(StoreError::Refused(_))), "{second:?}");
    assert_eq!(scratch.record("a").updated_at, before.updated_at);
    assert_eq!(outcomes(&scratch, "a"), [(1, None)]);
    assert_eq!(kinds(&scratch, "a").len(), 2);
}

#[test]
fn a_stale_look_changes_nothing_even_when_the_state_is_the_same_again() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let stale = scratch.planned(&run, "a");
    let held = Standing { state: NotificationState::Held, ..stale.standing };
    let released = Standing { released: true, ..stale.standing };
    for next in [held, released] {
        let record = scratch.record("a");
        scratch.store.move_notification(None, &record, &next, "x", &serde_json::json!({}), at(3)).unwrap();
    }
    let begun = scratch.store.begin_attempt(&run, &stale, &sending(&stale.standing), &start(), at(4));
    assert!(matches!(begun, Err(StoreError::Refused(_))), "{begun:?}");
    assert!(scratch.record("a").standing.released);
}

#[test]
fn an_acknowledged_attempt_keeps_the_booking() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let sent = scratch.sending(&run, "a");
    let next = Standing { state: NotificationState::Acknowledged, ..sent.standing };
    scratch.store.end_attempt(&run, &sent, &next, &end("acknowledged"), at(4)).unwrap();
    let record = scratch.record("a");
    assert_eq!((record.standing, record.pay_order_id.as_deref()), (next, Some("PO-1")));
    assert_eq!(scratch.store.pay_order_ids(&record).unwrap(), ["PO-1"]);
    assert_eq!(outcomes(&scratch, "a"), [(1, Some("acknowledged".to_owned()))]);
    // The same outcome again is refused and changes nothing.
    assert!(scratch.store.end_attempt(&run, &sent, &next, &end("acknowledged"), at(5)).is_err());
    assert_eq!(scratch.record("a").updated_at, at(4));
}

#[test]
fn an_attempt_of_which_nothing_left_does_not_count_but_has_its_number() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let sent = scratch.sending(&run, "a");
    scratch.store.end_attempt(&run, &sent, &not_sent(&sent.standing), &end("not_sent"), at(4)).unwrap();
    let planned = scratch.record("a");
    assert_eq!((planned.standing, planned.resent_run.as_deref()), (Standing::planned(fen(500)), None));
    scratch.store.begin_attempt(&run, &planned, &sending(&planned.standing), &start(), at(5)).unwrap();
    assert_eq!(scratch.record("a").standing.sends, 1);
    assert_eq!(outcomes(&scratch, "a"), [(1, Some("not_sent".to_owned())), (2, None)]);
}

#[test]
fn one_of_which_nothing_left_can_be_withdrawn_and_its_attempts_stay() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let sent = scratch.sending(&run, "a");
    scratch.store.end_attempt(&run, &sent, &not_sent(&sent.standing), &end("not_sent"), at(4)).unwrap();
    let record = scratch.record("a");
    scratch.store.plan_notifications(&run, &[], &[record.clone()], at(5)).unwrap();
    assert!(scratch.store.notification("a").unwrap().is_none());
    assert_eq!(scratch.store.attempts(&record).unwrap().len(), 1);
    scratch.sending(&run, "a");
    assert_eq!(outcomes(&scratch, "a"), [(1, Some("not_sent".to_owned())), (2, None)]);
}

#[test]
fn an_attempt_that_a_crash_left_open_is_closed_and_the_next_one_has_its_own_outcome() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let found = scratch.sending(&run, "a");
    scratch
        .store
        .move_notification(Some(&run), &found, &unknown(&found.standing), "x", &serde_json::json!({}), at(4))
        .unwrap();
    let lost = scratch.record("a");
    scratch
        .store
        .move_notification(Some(&run), &lost, &planned_again(&lost.standing), "x", &serde_json::json!({}), at(5))
        .unwrap();
    let planned = scratch.record("a");
    scratch.store.begin_attempt(&run, &planned, &sending(&planned.standing), &start(), at(6)).unwrap();
    let sent = scratch.record("a");
    let next = Standing { state: NotificationState::Acknowledged, ..sent.standing };
    scratch.store.end_attempt(&run, &sent, &next, &end("acknowledged"), at(7)).unwrap();
    assert_eq!(outcomes(&scratch, "a"), [(1, Some("unclear".to_owned())), (2, Some("acknowledged".to_owned()))]);
}

#[test]
fn the_run_that_sent_again_is_kept_even_from_a_record_that_speaks_of_another() {
    let mut scratch = Scratch::new();
    let first = scratch.run();
    let mut runs = vec![first];
    let sent = scratch.sending(&runs[0], "a");
    scratch.store.end_attempt(&runs[0], &sent, &unknown(&sent.standing), &end("unclear"), at(4)).unwrap();
    for _ in 0..2 {
        let run = scratch.run();
        let lost = scratch.record("a");
        scratch
            .store
            .move_notification(Some(&run), &lost, &planned_again(&lost.standing), "x", &serde_json::json!({}), at(5))
            .unwrap();
        let planned = scratch.record("a");
        scratch.store.begin_attempt(&run, &planned, &sending(&planned.standing), &start(), at(6)).unwrap();
        let sent = scratch.record("a");
        assert_eq!(sent.resent_run.as_deref(), Some(run.as_str()));
        scratch.store.end_attempt(&run, &sent, &unknown(&sent.standing), &end("unclear"), at(7)).unwrap();
        assert_eq!(scratch.record("a").resent_run.as_deref(), Some(run.as_str()));
        runs.push(run);
    }
    assert_eq!(scratch.record("a").standing.sends, 3);
}

#[test]
fn only_a_run_that_counts_the_unlisted_is_kept() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let record = scratch.planned(&run, "a");
    let counted = Standing { unlisted_runs: 1, ..record.standing };
    scratch.store.move_notification(Some(&run), &record, &counted, "x", &serde_json::json!({}), at(3)).unwrap();
    let record = scratch.record("a");
    assert_eq!((record.unlisted_run.as_deref(), record.standing.unlisted_runs), (Some(run.as_str()), 1));
    let held = Standing { state: NotificationState::Held, ..record.standing };
    let other = scratch.run();
    scratch.store.move_notification(Some(&other), &record, &held, "x", &serde_json::json!({}), at(4)).unwrap();
    assert_eq!(scratch.record("a").unlisted_run.as_deref(), Some(run.as_str()));
}

#[test]
fn an_unlawful_step_is_refused_with_its_journal_row() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let record = scratch.planned(&run, "a");
    let next = Standing { state: NotificationState::Confirmed, sends: 1, ..record.standing };
    let moved = scratch.store.move_notification(Some(&run), &record, &next, "x", &serde_json::json!({}), at(3));
    assert!(moved.is_err());
    assert_eq!(kinds(&scratch, "a"), ["notification.planned"]);
}
