//! Orders: what was seen is kept, the newest wins, and a window finds what it needs.

use super::*;
use secrecy::SecretString;

/// Records readings at one moment, each in a transaction of its own.
fn see(scratch: &mut Scratch, run: &str, orders: &[OrderSnapshot], seen_at: Timestamp) {
    for order in orders {
        scratch.store.record_readings(run, std::slice::from_ref(order), seen_at).unwrap();
    }
}

fn head(scratch: &Scratch, id: &str) -> StoredOrder {
    let orders = scratch.store.orders(OrderFilter::Since(at(-90 * 86400))).unwrap();
    orders.into_iter().find(|order| order.snapshot.order_id.as_str() == id).unwrap()
}

fn ids(scratch: &Scratch, start: Timestamp) -> Vec<String> {
    let orders = scratch.store.orders(OrderFilter::Since(start)).unwrap();
    orders.iter().map(|order| order.snapshot.order_id.to_string()).collect()
}

#[test]
fn the_same_reading_again_only_moves_the_last_sight() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let order = open_order("A", 500, 300);
    see(&mut scratch, &run, &[order.clone()], at(1));
    see(&mut scratch, &run, &[order.clone()], at(9));
    let stored = head(&scratch, "A");
    assert_eq!((stored.snapshot, stored.seen_at, stored.last_seen_at), (order, at(1), at(9)));
    assert_eq!(scratch.store.order_history("a").unwrap().len(), 1);
}

#[test]
fn changed_content_is_a_new_snapshot_and_the_old_one_stays() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let (first, second) = (open_order("A", 500, 300), open_order("A", 600, 400));
    see(&mut scratch, &run, &[first.clone()], at(1));
    see(&mut scratch, &run, &[second.clone()], at(2));
    assert_eq!(head(&scratch, "A").snapshot, second);
    assert_eq!(scratch.store.order_history("a").unwrap(), [(at(1), first), (at(2), second)]);
}

#[test]
fn closed_wins_over_open_at_the_same_moment_whatever_the_order() {
    let (open, closed) = (open_order("A", 500, 300), closed_order("A", 500, 0, at(0)));
    for readings in [[open.clone(), closed.clone()], [closed.clone(), open.clone()]] {
        let mut scratch = Scratch::new();
        let run = scratch.run();
        see(&mut scratch, &run, &readings, at(1));
        assert_eq!(head(&scratch, "A").snapshot, closed);
        let mut scratch = Scratch::new();
        let run = scratch.run();
        scratch.store.record_readings(&run, &readings, at(1)).unwrap();
        assert_eq!(head(&scratch, "A").snapshot, closed);
    }
}

#[test]
fn an_older_reading_does_not_replace_a_newer() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let newer = open_order("A", 600, 600);
    see(&mut scratch, &run, &[newer.clone()], at(9));
    see(&mut scratch, &run, &[closed_order("A", 500, 0, at(0))], at(8));
    let stored = head(&scratch, "A");
    assert_eq!((stored.snapshot, stored.last_seen_at), (newer, at(9)));
}

#[test]
fn a_masked_plate_does_not_forget_the_car() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    see(&mut scratch, &run, &[open_order("A", 500, 500)], at(1));
    let masked = OrderSnapshot { plate: None, ..closed_order("A", 500, 0, at(5)) };
    see(&mut scratch, &run, &[masked], at(6));
    assert_eq!(head(&scratch, "A").snapshot.plate, Some(user().plate));
}

#[test]
fn the_exit_that_an_unpaid_list_shows_is_not_kept() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    for second in 1..3 {
        let shown = OrderSnapshot { exit_at: Some(at(second)), ..open_order("A", 500, 500) };
        see(&mut scratch, &run, &[shown], at(second));
    }
    assert_eq!(head(&scratch, "A").snapshot.exit_at, None);
    assert_eq!(scratch.store.order_history("a").unwrap().len(), 1);
}

#[test]
fn case_makes_no_second_order() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    see(&mut scratch, &run, &[open_order("AB", 500, 500)], at(1));
    see(&mut scratch, &run, &[open_order("ab", 500, 500)], at(2));
    assert_eq!(count(&scratch.raw(), "order_head"), 1);
}

#[test]
fn a_window_holds_what_is_new_open_or_spoken_of() {
    let mut scratch = Scratch::new();
    let run = scratch.run();
    let old = at(-30 * 86400);
    let closed = |id: &str, exit_at| OrderSnapshot { entrance_at: old, ..closed_order(id, 500, 0, exit_at) };
    let orders = [
        closed("old", old),
        closed("new", at(1)),
        OrderSnapshot { entrance_at: old, ..open_order("open", 500, 500) },
        closed("order-Paid", old),
        closed("order-Back", old),
        closed("o-told", old),
        closed("o-done", old),
    ];
    see(&mut scratch, &run, &orders, at(2));
    let rows = [
        super::bills::payment_row(2, "PAID", at(3)),
        super::bills::payment_row(3, "BACK", old),
        super::bills::refund_row(4, "BACK", at(3)),
        super::bills::payment_row(5, "old", old),
    ];
    super::bills::import(&mut scratch, "one", &rows);
    scratch.planned(&run, "told");
    scratch.planned(&run, "done");
    scratch.raw().execute_batch("UPDATE notification SET state = 'void' WHERE external_order_id = 'done'").unwrap();
    assert_eq!(ids(&scratch, at(0)), ["new", "o-told", "open", "order-Back", "order-Paid"]);
    assert_eq!(ids(&scratch, old).len(), 7);
}

#[test]
fn a_plate_has_one_user_and_a_replacement_takes_the_others_out() {
    let mut scratch = Scratch::new();
    let entry = |plate: &str, mobile: &str| RosterPlate {
        plate: Plate::parse(plate).unwrap(),
        mobile: Mobile::parse(mobile).unwrap(),
        color: 1,
    };
    let (a, b, c) =
        (entry("渝A00001", "13800000001"), entry("渝A00002", "13800000001"), entry("渝A00003", "13800000002"));
    let first = scratch.store.merge_roster(&[a.clone(), b.clone(), c.clone()], false).unwrap();
    assert_eq!(first, RosterChange { added: 3, ..RosterChange::default() });
    let moved = entry("渝A00001", "13800000002");
    let second = scratch.store.merge_roster(&[moved.clone(), c.clone()], true).unwrap();
    assert_eq!(second, RosterChange { changed: 1, unchanged: 1, removed: 1, added: 0 });
    assert_eq!(scratch.store.roster().unwrap(), [moved, c]);
}

#[test]
fn a_void_token_leaves_no_trace_and_no_stored_text_is_told() {
    let mut scratch = Scratch::new();
    let mobile = user().mobile;
    let change = |token: Option<&str>, s| TokenChange {
        mobile: mobile.clone(),
        token: token.map(|token| (SecretString::from(token), at(s))),
    };
    scratch.store.change_tokens(&[change(Some("first-token"), 1), change(Some("very-secret-token"), 2)]).unwrap();
    let kept = TokenChange { mobile: mobile.clone(), token: scratch.store.token(&mobile).unwrap() };
    assert!(kept.is_same(&change(Some("very-secret-token"), 2)) && !kept.is_same(&change(Some("first-token"), 2)));
    scratch.store.change_tokens(&[change(None, 3)]).unwrap();
    assert!(scratch.store.token(&mobile).unwrap().is_none());
    scratch
        .raw()
        .execute_batch("INSERT INTO plate (plate, mobile, color) VALUES ('渝A00001', '138000000019', 1)")
        .unwrap();
    let error = scratch.store.roster().unwrap_err();
    let words = format!("{error} {error:?} {:?}", std::error::Error::source(&error).map(ToString::to_string));
    assert!(words.contains("mobile") && !words.contains("138000000019"), "{words}");
    let Scratch { dir, store } = scratch;
    drop(store);
    let bytes = fs::read(dir.path().join("recon.db")).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("-token"));
}
