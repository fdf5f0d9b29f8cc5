//! The push receiver over real HTTP: what is taken, what is refused, and that an answer of 0 means on disk.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use etcp_recon::push::{Counts, Limits};

use super::pusher::{
    FORM, Gate, JSON, Line, OK, entrance, exit, form, object, percent, raw, signature, signed, sorted, with_signature,
};

const IN: &str = "/push/entrance";
const OUT: &str = "/push/exit";

fn ids(gate: &Gate) -> Vec<String> {
    gate.stored().into_iter().map(|(_, id)| id).collect()
}

#[test]
fn every_reading_of_the_signed_text_is_taken_and_answered_as_the_document_says() {
    let mut gate = Gate::new();
    let members = |id: &str| exit(id, 500);
    let spaced = with_signature(&members("c"), &signature(&object(&members("c")))).replace("\":", "\" :\r\n ");
    let bodies = [
        (FORM, form(&object(&members("a")))),
        (FORM, form(&object(&members("b")).replace("\":", "\": "))),
        (JSON, spaced),
        (JSON, with_signature(&members("d"), &signature(&sorted(&members("d"))))),
        (FORM, format!("data={}", percent(&signed(&members("e"))))),
        (FORM, format!("data={}", percent(&with_signature(&members("f"), &signature(&sorted(&members("f"))))))),
    ];
    for (content_type, body) in &bodies {
        let reply = gate.post(OUT, content_type, body);
        assert_eq!((reply.status, reply.body.as_str(), reply.closes), (200, OK, false), "{body}");
    }
    assert_eq!(ids(&gate), ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(gate.stop(), Counts { received: 6, new: 6, ..Counts::default() });
}

#[test]
fn a_forged_push_is_answered_4_and_leaves_nothing_but_a_count() {
    let mut gate = Gate::new();
    let good = object(&exit("a", 500));
    let sign = signature(&good);
    let beside = |data: &str, sign: &str| (FORM, format!("data={}&signment={sign}", percent(data)));
    let other_plate = good.replace("ATX061", "ATX062");
    let swapped = good.replace("08:59:54", "X").replace("18:07:19", "08:59:54").replace('X', "18:07:19");
    let mut extra = exit("a", 500);
    extra.push(("extra", "1".to_owned()));
    let forged = [
        beside(&good, ""),
        beside(&good, &sign.to_lowercase()),
        beside(&good, &sign[1..]),
        beside(&good, &signature("x")),
        beside(&other_plate, &sign),
        beside(&swapped, &sign),
        (FORM, format!("data={}", percent(&good))),
        (FORM, format!("merchant_no=M2&merchant_key=x&data={}&signment={}", percent(&good), signature("M2"))),
        (JSON, good.clone()),
        (JSON, with_signature(&exit("a", 500), "")),
        (JSON, with_signature(&exit("a", 500), &sign.to_lowercase())),
        (JSON, with_signature(&exit("a", 501), &sign)),
        (JSON, with_signature(&extra, &sign)),
    ];
    for (content_type, body) in &forged {
        let reply = gate.post(OUT, content_type, body);
        assert_eq!((reply.status, reply.code(), reply.closes), (200, 4, true), "{body}");
    }
    assert_eq!(gate.stored(), []);
    // Of an unsigned field beside the signed text nothing is used.
    let body = format!("plateNumber=x&receivableFee=1&{}", form(&good));
    assert_eq!(gate.post(OUT, FORM, &body).body, OK);
    let event = gate.store().events_of("a").unwrap().remove(0).event;
    assert_eq!((event.plate.as_str(), event.exit.unwrap().fee.fen()), ("渝ATX061", 500));
    assert_eq!(gate.stop(), Counts { received: 14, new: 1, forged: 13, ..Counts::default() });
}

#[test]
fn a_malformed_push_is_answered_6() {
    let gate = Gate::new();
    let good = exit("a", 500);
    let changed = |from: &str, to: &str| signed(&good).replace(from, to);
    let lacking = |name: &str| {
        let members: Vec<_> = exit("a", 500).into_iter().filter(|(other, _)| *other != name).collect();
        signed(&members)
    };
    let mut twice = exit("a", 500);
    twice.push(("synId", "\"b\"".to_owned()));
    let mut half_a_fen = exit("a", 0);
    half_a_fen.retain(|(name, _)| *name != "receivableFee");
    half_a_fen.push(("receivableFee", "\"0.5\"".to_owned()));
    let malformed = [
        (JSON, String::new()),
        (JSON, "null".to_owned()),
        (JSON, changed("}", "")),
        (JSON, signed(&twice)),
        (JSON, signed(&half_a_fen)),
        (JSON, lacking("synId")),
        (JSON, lacking("plateNumber")),
        (JSON, lacking("entranceTime")),
        (JSON, lacking("exitTime")),
        (JSON, lacking("receivableFee")),
        (FORM, String::new()),
        (FORM, form("[]")),
        (FORM, "data=%zz&signment=x".to_owned()),
        (FORM, format!("synId=a&plateNumber=x&signment={}", signature("x"))),
        ("application/xml", signed(&good)),
    ];
    for (content_type, body) in &malformed {
        let reply = gate.post(OUT, content_type, body);
        assert_eq!((reply.status, reply.code()), (200, 6), "{body}");
    }
    assert_eq!(gate.stored(), []);
    assert_eq!(gate.counts().malformed, 15);
}

#[test]
fn a_body_that_is_declared_too_large_is_answered_6_before_any_of_it_comes() {
    let mut gate = Gate::new();
    for (declared, expect) in
        [(64 * 1024 + 1, ""), (10_000_000_000_u64, ""), (10_000_000_000, "expect: 100-continue\r\n")]
    {
        let mut line = Line::open(gate.addr()).unwrap();
        let head = format!("POST {OUT} HTTP/1.1\r\ncontent-type: {JSON}\r\n{expect}content-length: {declared}\r\n\r\n");
        line.write(head.as_bytes()).unwrap();
        let reply = line.reply().unwrap();
        assert_eq!((reply.status, reply.code(), reply.closes), (200, 6, true), "{declared} {expect}");
    }
    assert_eq!(gate.stop(), Counts { received: 3, malformed: 3, ..Counts::default() });
}

#[test]
fn a_body_of_64_kib_is_read_and_one_byte_more_is_not() {
    let gate = Gate::new();
    let padded = |id: &str, size: usize| {
        let mut members = entrance(id);
        members.push(("padding", "\"\"".to_owned()));
        let missing = size - signed(&members).len();
        members.pop();
        members.push(("padding", format!("\"{}\"", "x".repeat(missing))));
        signed(&members)
    };
    let (fits, is_too_large) = (padded("a", 64 * 1024), padded("b", 64 * 1024 + 1));
    assert_eq!(gate.post(IN, JSON, &fits).body, OK);
    assert_eq!(gate.post(IN, JSON, &is_too_large).code(), 6);
    assert_eq!(gate.post(IN, JSON, &"x".repeat(900_000)).code(), 6);
    assert_eq!(ids(&gate), ["a"]);
}

#[test]
fn other_paths_and_methods_are_told_so() {
    let gate = Gate::new();
    for path in ["/", "/push", "/push/", "/push/other", "/push/entrance/", "/entrance", "/push//exit", "/PUSH/exit"] {
        assert_eq!(gate.post(path, JSON, &signed(&entrance("a"))).status, 404, "{path}");
    }
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        let reply = Line::open(gate.addr()).unwrap().send(method, IN, JSON, signed(&entrance("a")).as_bytes()).unwrap();
        assert_eq!(reply.status, 405, "{method}");
    }
    let mut line = Line::open(gate.addr()).unwrap();
    line.write(b"\x16\x03\x01 no HTTP at all\r\n\r\n").unwrap();
    assert_eq!(line.reply().unwrap().status, 400);
    line = Line::open(gate.addr()).unwrap();
    line.write(format!("POST {IN} HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(20_000)).as_bytes()).unwrap();
    assert_eq!(line.reply().unwrap().status, 431);
    assert_eq!((gate.stored(), gate.counts().received), (vec![], 0));
}

#[test]
fn an_entrance_is_no_exit_and_both_are_stored_in_any_order() {
    let gate = Gate::new();
    assert_eq!(gate.post(OUT, JSON, &signed(&entrance("a"))).code(), 6);
    assert_eq!(gate.post(OUT, JSON, &signed(&exit("a", 500))).body, OK);
    assert_eq!(gate.post(IN, JSON, &signed(&entrance("a"))).body, OK);
    assert_eq!(gate.stored(), [("entrance".into(), "a".into()), ("exit".into(), "a".into())]);
}

#[test]
fn the_same_push_fifty_times_at_once_is_one_row() {
    let mut gate = Gate::new();
    let body = signed(&exit("a", 500));
    thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| assert_eq!(gate.post(OUT, JSON, &body).body, OK));
        }
    });
    assert_eq!(ids(&gate), ["a"]);
    assert_eq!(gate.stop(), Counts { received: 50, new: 1, repeated: 49, ..Counts::default() });
}

#[test]
fn the_same_push_with_other_content_is_taken_kept_beside_the_first_and_counted() {
    let gate = Gate::new();
    for fen in [500, 600, 500, 600] {
        assert_eq!(gate.post(OUT, JSON, &signed(&exit("a", fen))).body, OK);
    }
    let stored = gate.store().events_of("a").unwrap();
    assert_eq!((stored.len(), stored[0].contradictions.len()), (1, 1));
    assert_eq!(stored[0].event.exit.unwrap().fee.fen(), 500);
    let counts = gate.counts();
    assert_eq!((counts.new, counts.repeated, counts.contradicting), (1, 1, 2));
}

#[test]
fn a_restart_keeps_all_and_knows_what_it_has() {
    let mut gate = Gate::new();
    assert_eq!(gate.post(IN, JSON, &signed(&entrance("a"))).body, OK);
    gate.stop();
    gate.start(Limits::default());
    assert_eq!(gate.post(IN, JSON, &signed(&entrance("a"))).body, OK);
    assert_eq!((ids(&gate), gate.counts().repeated), (vec!["a".to_owned()], 1));
}

#[test]
fn a_header_or_body_that_dawdles_ends_the_connection_and_stops_nobody() {
    let short = Duration::from_secs(1);
    let gate = Gate::with(Limits { header_time: short, body_time: short, ..Limits::default() });
    let body = signed(&entrance("a"));
    let head = format!("POST {IN} HTTP/1.1\r\ncontent-type: {JSON}\r\ncontent-length: {}\r\n\r\n", body.len());
    let parts = [String::new(), head[..20].to_owned(), head.clone(), format!("{head}{}", &body[..20])];
    let dawdling = parts.map(|part| {
        let mut line = Line::open(gate.addr()).unwrap();
        line.write(part.as_bytes()).unwrap();
        (part, line)
    });
    assert_eq!(gate.post(IN, JSON, &signed(&entrance("b"))).body, OK);
    for (part, mut line) in dawdling {
        assert!(line.is_ended_silently(), "{part:?}");
    }
    // Cut off by its sender in the middle: nothing to be stored, nobody to be answered.
    let mut line = Line::open(gate.addr()).unwrap();
    line.write(format!("{head}{}", &body[..20]).as_bytes()).unwrap();
    drop(line);
    assert_eq!(gate.post(IN, JSON, &signed(&entrance("b"))).body, OK);
    assert_eq!(ids(&gate), ["b"]);
}

/// Says that something is over, also when it failed.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The most connections that were open at once while `work` went on.
fn most_connections(gate: &Gate, work: impl FnOnce()) -> u64 {
    let (most, is_done) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::SeqCst) {
                most.fetch_max(gate.counts().connections, Ordering::SeqCst);
                thread::yield_now();
            }
        });
        let _over = Over(&is_done);
        work();
    });
    most.into_inner()
}

/// Places for eight, and a time for heads and bodies that no test waits for.
fn few_places() -> Limits {
    let long = Duration::from_hours(1);
    Limits { connections: 8, header_time: long, body_time: long, ..Limits::default() }
}

#[test]
fn a_flood_of_idle_and_slow_connections_takes_no_more_than_its_places_and_a_good_push_comes_through() {
    let gate = Gate::with(few_places());
    let slow = format!("POST {IN} HTTP/1.1\r\ncontent-length: 100\r\n\r\nhalf a bo");
    let most = most_connections(&gate, || {
        let mut flood = Vec::new();
        for round in 0..10 {
            for part in ["", &slow[..20], &slow] {
                for _ in 0..20 {
                    let mut line = Line::open(gate.addr()).unwrap();
                    line.write(part.as_bytes()).unwrap();
                    flood.push(line);
                }
            }
            assert_eq!(gate.post(IN, JSON, &signed(&entrance(&round.to_string()))).body, OK);
        }
        // Those that came first had to leave, those that came last still sit there.
        assert!(flood[0].is_ended_silently());
    });
    assert_eq!((most, gate.stored().len()), (8, 10));
}

#[test]
fn true_pushes_over_more_connections_than_there_are_places_all_come_through() {
    let gate = Gate::with(few_places());
    let most = most_connections(&gate, || {
        thread::scope(|scope| {
            for sender in 0..40 {
                let gate = &gate;
                scope.spawn(move || {
                    for number in 0..5 {
                        let body = signed(&entrance(&format!("{sender}-{number}")));
                        // One that has to leave before its push is in hand is not answered, and sends it again.
                        while !Line::open(gate.addr())
                            .and_then(|mut line| line.send("POST", IN, JSON, body.as_bytes()))
                            .is_ok_and(|reply| reply.body == OK)
                        {}
                    }
                });
            }
        });
    });
    assert!(most <= 8, "{most}");
    assert_eq!(gate.stored().len(), 200);
}

#[test]
fn while_the_database_is_held_a_push_is_answered_503_and_later_taken() {
    let gate = Gate::new();
    let holder = raw(&gate.database());
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let body = signed(&entrance("a"));
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                let reply = gate.post(IN, JSON, &body);
                assert_eq!((reply.status, reply.code()), (503, 2));
            });
        }
    });
    // Refusals need no database.
    assert_eq!(gate.post(IN, JSON, "{}").code(), 4);
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(gate.stored(), []);
    assert_eq!(gate.post(IN, JSON, &body).body, OK);
    assert_eq!((ids(&gate), gate.counts().not_stored), (vec!["a".to_owned()], 5));
}

#[test]
fn a_push_that_the_database_refuses_stops_no_other_of_its_batch() {
    let gate = Gate::new();
    let holder = raw(&gate.database());
    let refusal = "CREATE TRIGGER refused BEFORE INSERT ON push_event WHEN NEW.syn_id = 'bad'
                   BEGIN SELECT RAISE(ABORT, 'refused by the test'); END; BEGIN IMMEDIATE";
    holder.execute_batch(refusal).unwrap();
    thread::scope(|scope| {
        // The first one keeps the writer waiting, so that the others are stored together.
        for (number, id) in ["first", "a", "bad", "b", "c"].into_iter().enumerate() {
            let gate = &gate;
            scope.spawn(move || {
                let reply = gate.post(IN, JSON, &signed(&entrance(id)));
                assert_eq!(reply.status, if id == "bad" { 503 } else { 200 }, "{id}");
            });
            while gate.counts().received <= u64::try_from(number).unwrap() {
                thread::yield_now();
            }
        }
        holder.execute_batch("ROLLBACK").unwrap();
    });
    assert_eq!(ids(&gate), ["a", "b", "c", "first"]);
    assert_eq!((gate.counts().new, gate.counts().not_stored), (4, 1));
}

#[test]
fn a_stop_answers_what_is_in_hand_and_takes_nothing_new() {
    let mut gate = Gate::new();
    let addr = gate.addr();
    let body = signed(&entrance("a"));
    let mut line = Line::open(addr).unwrap();
    let length = body.len();
    let head = format!(
        "POST {IN} HTTP/1.1\r\ncontent-type: {JSON}\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
    );
    line.write(head.as_bytes()).unwrap();
    // From here on the request is in hand.
    assert_eq!(line.line().unwrap(), "HTTP/1.1 100 Continue");
    assert_eq!(line.line().unwrap(), "");
    let counts = thread::scope(|scope| {
        let stopping = scope.spawn(|| gate.stop());
        // Nobody listens any more once the stop has begun.
        while Line::open(addr).is_ok() {
            thread::yield_now();
        }
        line.write(body.as_bytes()).unwrap();
        let reply = line.reply().unwrap();
        assert_eq!((reply.body.as_str(), reply.closes), (OK, true));
        stopping.join().unwrap()
    });
    assert_eq!(counts, Counts { received: 1, new: 1, ..Counts::default() });
    assert_eq!(ids(&gate), ["a"]);
}
