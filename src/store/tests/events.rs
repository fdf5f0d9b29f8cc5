//! Pushes: once by kind and synId, whatever comes again.

use super::*;
use crate::model::event::{Exit, ParkingEvent};

fn entrance(id: &str) -> ParkingEvent {
    ParkingEvent {
        syn_id: OrderId::new(id).unwrap(),
        plate: "渝B757D0".to_owned(),
        parking_id: "1".to_owned(),
        parking_name: "东门".to_owned(),
        entrance_at: at(-3600),
        exit: None,
        pushed_at: None,
    }
}

fn left(id: &str, fee: i64) -> ParkingEvent {
    ParkingEvent { exit: Some(Exit { at: at(60), fee: fen(fee) }), ..entrance(id) }
}

#[test]
fn a_push_is_stored_once_whenever_it_was_sent_and_however_its_id_is_spelled() {
    let mut scratch = Scratch::new();
    let later = ParkingEvent { pushed_at: Some(at(99)), ..left("ABC-1", 500) };
    let events = [left("abc-1", 500), entrance("abc-1"), later, entrance("abc-1")].map(|event| (event, at(100)));
    let recorded = scratch.store.record_events(&events).unwrap();
    assert_eq!(recorded, [Recorded::New, Recorded::New, Recorded::Repeated, Recorded::Repeated]);
    let stored = scratch.store.events_of("abc-1").unwrap();
    assert_eq!(stored.iter().map(|one| one.event.clone()).collect::<Vec<_>>(), [left("abc-1", 500), entrance("abc-1")]);
    assert_eq!(scratch.store.exit_events(at(60)).unwrap(), [left("abc-1", 500)]);
    assert!(scratch.store.exit_events(at(61)).unwrap().is_empty());
}

#[test]
fn the_first_content_counts_and_each_other_one_is_kept_once() {
    let mut scratch = Scratch::new();
    for (event, expected) in [
        (left("a", 500), Recorded::New),
        (left("a", 600), Recorded::Contradicts),
        (left("a", 600), Recorded::Contradicts),
        (left("a", 500), Recorded::Repeated),
        (left("a", 700), Recorded::Contradicts),
    ] {
        assert_eq!(scratch.store.record_events(&[(event, at(100))]).unwrap(), [expected]);
    }
    let stored = scratch.store.events_of("a").unwrap();
    let [one] = &stored[..] else { panic!("{stored:?}") };
    assert_eq!(one.event, left("a", 500));
    let said: Vec<&str> = one.contradictions.iter().map(|(_, detail)| detail.as_str()).collect();
    assert!(matches!(&said[..], [a, b] if a.contains("6.00") && b.contains("7.00")), "{said:?}");
}

#[test]
fn the_exits_of_a_run_are_all_that_was_said_of_them() {
    let mut scratch = Scratch::new();
    let elsewhere = ParkingEvent { plate: "渝A00001".to_owned(), entrance_at: at(-7200), ..left("a", 600) };
    let later = ParkingEvent { exit: Some(Exit { at: at(90), fee: fen(700) }), ..left("a", 700) };
    let said =
        [left("A", 500), elsewhere, later].map(|event| ParkingEvent { syn_id: OrderId::new("A").unwrap(), ..event });
    scratch.store.record_events(&said.clone().map(|event| (event, at(100)))).unwrap();
    let read = |start| {
        let mut exits = scratch.store.exit_events(start).unwrap();
        exits.sort_by_key(|event| event.exit.map(|exit| exit.fee));
        exits
    };
    assert_eq!(read(at(60)), said);
    assert_eq!(read(at(90)), said, "one of them lies in the window");
    assert!(read(at(91)).is_empty());
}

#[test]
fn a_stored_push_cannot_be_changed_deleted_or_replaced() {
    let mut scratch = Scratch::new();
    scratch.store.record_events(&[(left("a", 500), at(100)), (left("a", 600), at(100))]).unwrap();
    let raw = scratch.raw();
    for sql in [
        "UPDATE push_event SET fee_fen = 1",
        "DELETE FROM push_event",
        "INSERT OR REPLACE INTO push_event SELECT * FROM push_event",
        "UPDATE push_contradiction SET detail = '{}'",
        "DELETE FROM push_contradiction",
        "INSERT OR REPLACE INTO push_contradiction SELECT * FROM push_contradiction",
    ] {
        assert!(refusal(&raw, sql).contains("evidence is never"), "{sql}");
    }
    let without_a_fee = "INSERT INTO push_event (kind, syn_key, syn_id, content_sha256, plate, parking_id, parking_name, entrance_at, exit_at, received_at)
        SELECT kind, 'b', 'b', content_sha256, plate, parking_id, parking_name, entrance_at, exit_at, received_at FROM push_event";
    assert!(refusal(&raw, without_a_fee).contains("CHECK"));
}
