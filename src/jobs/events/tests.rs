//! Exits beside orders: which are an exception, which end one, and that no order of rows matters.
#![expect(clippy::arithmetic_side_effects, reason = "small numbers in tests")]

use proptest::prelude::*;

use super::*;
use crate::model::{OrderId, OrderState};
use crate::store::ExceptionStatus;

const PLATE: &str = "渝B757D0";
/// When the car came in; it left an hour later, and was pulled another hour later.
const ENTRANCE_S: i64 = 1_795_000_000;
const PULLED_S: i64 = ENTRANCE_S + 7200;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

fn fen(fen: i64) -> Amount {
    Amount::from_fen(fen).unwrap()
}

fn exit(id: &str, entrance_s: i64, fee: i64) -> ParkingEvent {
    ParkingEvent {
        syn_id: OrderId::new(id).unwrap(),
        plate: PLATE.to_owned(),
        parking_id: "1".to_owned(),
        parking_name: "东门".to_owned(),
        entrance_at: at(entrance_s),
        exit: Some(Exit { at: at(entrance_s + 3600), fee: fen(fee) }),
        pushed_at: None,
    }
}

fn order(id: &str, entrance_s: i64, state: OrderState) -> OrderSnapshot {
    OrderSnapshot {
        order_id: OrderId::new(id).unwrap(),
        plate: Some(Plate::parse(PLATE).unwrap()),
        parking_id: "1".to_owned(),
        parking_name: "东门".to_owned(),
        entrance_at: at(entrance_s),
        exit_at: None,
        state,
    }
}

fn closed(id: &str, entrance_s: i64, fee: i64, cash: i64) -> OrderSnapshot {
    order(id, entrance_s, OrderState::closed(fen(fee), fen(cash)).unwrap())
}

fn inside(id: &str, entrance_s: i64, fee: i64) -> OrderSnapshot {
    order(id, entrance_s, OrderState::open(fen(fee), fen(fee)).unwrap())
}

/// Judges with the plate pulled at that moment.
fn judged(events: &[ParkingEvent], orders: &[OrderSnapshot], pulled_s: i64, open: &[ExceptionRow]) -> ExitFindings {
    let plate = Plate::parse(PLATE).unwrap();
    judge_exits(events, orders, &BTreeMap::from([(&plate, at(pulled_s))]), open)
}

/// Kind, order, what the push tells and what the order, of each that is found.
fn found(event: ParkingEvent, orders: &[OrderSnapshot]) -> Vec<(String, String, String, String)> {
    let told = |facts: ExceptionFacts| {
        (facts.kind.clone(), facts.order_id.clone().unwrap(), facts.paid.to_string(), facts.due.to_string())
    };
    judged(&[event], orders, PULLED_S, &[]).found.into_iter().map(told).collect()
}

fn without_order(id: &str, paid: &str) -> Vec<(String, String, String, String)> {
    vec![("event_without_order".to_owned(), id.to_owned(), paid.to_owned(), "0.00".to_owned())]
}

fn fee_differs(id: &str, paid: &str, due: &str) -> Vec<(String, String, String, String)> {
    vec![("event_fee_differs".to_owned(), id.to_owned(), paid.to_owned(), due.to_owned())]
}

/// An open exception about the push `id`.
fn open(id: &str, finding: EventFinding) -> ExceptionRow {
    let other_fee = closed(id, ENTRANCE_S, 1, 0);
    let orders = if finding == EventFinding::FeeDiffers { vec![other_fee] } else { Vec::new() };
    let facts = judged(&[exit(id, ENTRANCE_S, 500)], &orders, PULLED_S, &[]).found.pop().unwrap();
    assert_eq!(facts.kind, finding.name());
    ExceptionRow {
        id: 1,
        facts,
        status: ExceptionStatus::Open,
        first_seen_at: at(0),
        last_seen_at: at(0),
        resolution: None,
        reason: None,
        note: None,
    }
}

fn ended(event: &ParkingEvent, orders: &[OrderSnapshot], was: EventFinding) -> Vec<&'static str> {
    let open = open(event.syn_id.as_str(), was);
    let findings = judged(std::slice::from_ref(event), orders, PULLED_S, std::slice::from_ref(&open));
    findings.ended.into_iter().map(|(key, now)| (key == open.facts.key).then_some(now).unwrap()).collect()
}

#[test]
fn an_exit_with_a_fee_and_no_order_is_one_without_order() {
    assert_eq!(found(exit("Syn", ENTRANCE_S, 500), &[]), without_order("Syn", "5.00"));
    assert!(found(exit("Syn", ENTRANCE_S, 0), &[]).is_empty(), "a free stay need not be listed");
    let came_in = ParkingEvent { exit: None, ..exit("Syn", ENTRANCE_S, 500) };
    assert!(found(came_in, &[]).is_empty(), "the car is inside");
    assert!(found(exit("SYN", ENTRANCE_S, 500), &[inside("syn", 0, 500)]).is_empty(), "an order with that id");
}

#[test]
fn fen_and_yuan_are_compared_to_the_cent() {
    let orders = [closed("a", ENTRANCE_S, 500, 200)];
    assert!(found(exit("A", ENTRANCE_S, 500), &orders).is_empty(), "cash is part of the fee");
    assert_eq!(found(exit("A", ENTRANCE_S, 501), &orders), fee_differs("a", "5.01", "5.00"));
    assert_eq!(found(exit("A", ENTRANCE_S, 0), &orders), fee_differs("a", "0.00", "5.00"));
    assert!(found(exit("A", ENTRANCE_S, 0), &[closed("a", ENTRANCE_S, 0, 0)]).is_empty(), "both free");
    assert!(found(exit("A", ENTRANCE_S, 501), &[inside("a", ENTRANCE_S, 500)]).is_empty(), "not closed");
}

#[test]
fn another_id_is_the_same_stay_within_a_minute_either_way() {
    for (apart_s, is_same) in [(0, true), (60, true), (-60, true), (61, false), (-61, false)] {
        let orders = [closed("o", ENTRANCE_S + apart_s, 500, 0)];
        let expected = if is_same { Vec::new() } else { without_order("syn", "5.00") };
        assert_eq!(found(exit("syn", ENTRANCE_S, 500), &orders), expected, "{apart_s}");
    }
    let masked = OrderSnapshot { plate: None, ..closed("o", ENTRANCE_S, 500, 0) };
    assert_eq!(found(exit("syn", ENTRANCE_S, 500), &[masked]), without_order("syn", "5.00"));
}

#[test]
fn of_several_stays_of_a_car_the_nearest_counts() {
    let orders = [closed("near", ENTRANCE_S + 10, 500, 0), closed("far", ENTRANCE_S - 20, 600, 0)];
    assert!(found(exit("syn", ENTRANCE_S, 500), &orders).is_empty());
    assert_eq!(found(exit("syn", ENTRANCE_S, 600), &orders), fee_differs("near", "6.00", "5.00"));
    let as_near = [closed("before", ENTRANCE_S - 10, 500, 0), closed("after", ENTRANCE_S + 10, 600, 0)];
    assert!(found(exit("syn", ENTRANCE_S, 500), &as_near).is_empty());
    assert!(found(exit("syn", ENTRANCE_S, 600), &as_near).is_empty());
    let named = [closed("near", ENTRANCE_S, 500, 0), closed("syn", ENTRANCE_S + 9999, 600, 0)];
    assert!(found(exit("syn", ENTRANCE_S, 600), &named).is_empty(), "the id says more than the entrance");
}

#[test]
fn what_the_pull_could_not_have_shown_is_no_evidence() {
    let event = exit("syn", ENTRANCE_S, 500);
    let is_found = |pulled_s: i64| !judged(std::slice::from_ref(&event), &[], pulled_s, &[]).found.is_empty();
    assert!(!is_found(ENTRANCE_S + 3599) && is_found(ENTRANCE_S + 3600), "pulled when the car had left");
    assert!(is_found(ENTRANCE_S + HISTORY_S) && !is_found(ENTRANCE_S + HISTORY_S + 1), "as far as the history reaches");
    assert!(judge_exits(std::slice::from_ref(&event), [], &BTreeMap::new(), &[]).found.is_empty(), "not pulled");
    let no_plate = ParkingEvent { plate: "无牌车".to_owned(), ..event };
    assert!(found(no_plate, &[]).is_empty());
}

#[test]
fn an_exception_ends_when_the_facts_say_so_and_not_when_nothing_is_known() {
    let event = exit("syn", ENTRANCE_S, 500);
    let (agreeing, open_order) = ([closed("syn", ENTRANCE_S, 500, 0)], [inside("syn", ENTRANCE_S, 500)]);
    assert_eq!(ended(&event, &agreeing, EventFinding::WithoutOrder), ["order_found"]);
    assert_eq!(ended(&event, &open_order, EventFinding::WithoutOrder), ["order_found"]);
    assert_eq!(ended(&event, &agreeing, EventFinding::FeeDiffers), ["fee_agrees"]);
    assert!(ended(&event, &open_order, EventFinding::FeeDiffers).is_empty(), "what it costs in the end is not known");
    assert!(ended(&event, &[closed("syn", ENTRANCE_S, 7, 0)], EventFinding::FeeDiffers).is_empty());
    let was = open("syn", EventFinding::WithoutOrder);
    let unknown = judge_exits(&[event], [], &BTreeMap::new(), &[was]);
    assert_eq!(unknown, ExitFindings::default(), "not pulled this time");
}

#[test]
fn an_exception_belongs_to_the_day_of_the_exit_and_bears_the_names_of_the_push() {
    let event = exit("Syn", ENTRANCE_S, 500);
    let facts = judged(&[event], &[closed("o", ENTRANCE_S, 450, 0)], PULLED_S, &[]).found.pop().unwrap();
    assert_eq!(facts.key.subject, "syn");
    assert_eq!((facts.at, facts.date), (at(ENTRANCE_S + 3600), at(ENTRANCE_S + 3600).business_date()));
    assert_eq!((facts.plate.as_deref(), facts.rule.as_str()), (Some(PLATE), "event_fee_differs"));
    assert_eq!(facts.difference().to_string(), "0.50");
}

#[test]
fn of_several_contents_one_that_agrees_is_enough_and_else_the_largest_fee_is_told() {
    let told = |fees: &[i64], orders: &[OrderSnapshot]| {
        let events: Vec<_> = fees.iter().map(|fee| exit("syn", ENTRANCE_S, *fee)).collect();
        let found = judged(&events, orders, PULLED_S, &[]).found;
        let told = |facts: &ExceptionFacts| format!("{} {}", facts.kind, facts.paid);
        found.iter().map(told).collect::<Vec<_>>()
    };
    let closed = [closed("syn", ENTRANCE_S, 500, 0)];
    assert!(told(&[700, 500], &closed).is_empty() && told(&[500, 700], &closed).is_empty());
    assert_eq!(told(&[0, 700, 600], &closed), ["event_fee_differs 7.00"]);
    assert_eq!(told(&[0, 600, 700], &[]), ["event_without_order 7.00"]);
    assert!(told(&[0, 600, 700], &[inside("syn", ENTRANCE_S, 500)]).is_empty(), "not closed");
    let (here, elsewhere) = (exit("syn", ENTRANCE_S, 600), exit("syn", ENTRANCE_S - 999, 700));
    let by_entrance = [super::tests::closed("o", ENTRANCE_S, 500, 0)];
    let found = judged(&[here, elsewhere], &by_entrance, PULLED_S, &[]).found;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].kind.as_str(), found[0].paid.to_string()), ("event_fee_differs", "6.00".to_owned()));
}

fn events() -> impl Strategy<Value = Vec<ParkingEvent>> {
    let event = (0..5_i64, 0..4_i64).prop_map(|(near, fee)| exit("x", ENTRANCE_S + near * 30, fee * 100));
    // The last ones are contents of one exit.
    proptest::collection::vec(event, 0..7).prop_map(|events| {
        let named = events.into_iter().zip(["a", "b", "c", "d", "e", "e", "e"]);
        named.map(|(event, id)| ParkingEvent { syn_id: OrderId::new(id).unwrap(), ..event }).collect()
    })
}

fn orders() -> impl Strategy<Value = Vec<OrderSnapshot>> {
    let order = (0..6_i64, 0..4_i64, any::<bool>()).prop_map(|(near, fee, is_open)| {
        let entrance_s = ENTRANCE_S + near * 20;
        if is_open { inside("x", entrance_s, fee * 100) } else { closed("x", entrance_s, fee * 100, 0) }
    });
    proptest::collection::vec(order, 0..6).prop_map(|orders| {
        let named = orders.into_iter().zip(["A", "o-1", "o-2", "c", "o-3", "o-4"]);
        named.map(|(order, id)| OrderSnapshot { order_id: OrderId::new(id).unwrap(), ..order }).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_exits_and_orders_does_not_matter(
        (events, other_events) in events().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        (orders, other_orders) in orders().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let open = ["a", "b", "e"].map(|id| open(id, EventFinding::WithoutOrder));
        let sorted = |mut findings: ExitFindings| {
            findings.found.sort_by(|a, b| a.key.cmp(&b.key));
            findings.ended.sort();
            findings
        };
        let one = sorted(judged(&events, &orders, PULLED_S, &open));
        let other = sorted(judged(&other_events, &other_orders, PULLED_S, &open));
        prop_assert_eq!(&one, &other);
        // No push is both: wrong, and in order.
        prop_assert!(one.found.iter().all(|facts| one.ended.iter().all(|(key, _)| *key != facts.key)));
    }
}
