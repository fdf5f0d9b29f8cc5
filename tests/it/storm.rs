//! 50,000 pushes over 200 connections, a third of them repeated, a tenth forged, in any order: each true one is stored
//! exactly once, no forged one is.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use etcp_recon::push::Counts;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::pusher::{
    FORM, Gate, JSON, Line, OK, entrance, exit, form, object, percent, signature, signed, sorted, with_signature,
};

const PUSHES: usize = 50_000;
const REPEATED: usize = PUSHES / 3;
const FORGED: usize = PUSHES / 10;
const TRUE: usize = PUSHES - REPEATED - FORGED;
const CONNECTIONS: usize = 200;

/// A request, and what it has to be answered with.
#[derive(Clone)]
struct Push {
    path: &'static str,
    content_type: &'static str,
    body: String,
    is_true: bool,
}

fn stay(index: usize) -> (&'static str, String) {
    let kind = if index.is_multiple_of(2) { "entrance" } else { "exit" };
    (kind, format!("S-{}", index / 2))
}

fn members(index: usize, fen: u32) -> (&'static str, Vec<(&'static str, String)>) {
    let (kind, id) = stay(index);
    if kind == "entrance" { ("/push/entrance", entrance(&id)) } else { ("/push/exit", exit(&id, fen)) }
}

/// The push of an index: an entrance or the exit of the same stay, in one of the four forms.
fn true_push(index: usize) -> Push {
    let (path, members) = members(index, 500);
    let (content_type, body) = match index / 2 % 4 {
        0 => (FORM, form(&object(&members))),
        1 => (FORM, format!("data={}", percent(&signed(&members)))),
        2 => (JSON, signed(&members)),
        _ => (JSON, with_signature(&members, &signature(&sorted(&members)))),
    };
    Push { path, content_type, body, is_true: true }
}

/// A push of a stay that is, or is not, told of by others too; with another's signature, or with none.
fn forged_push(index: usize) -> Push {
    let (path, mut members) = members(index, 1);
    members[1] = ("plateNumber", "\"渝 ATX062\"".to_owned());
    let sign = match index % 3 {
        0 => String::new(),
        1 => signature(&object(&entrance("other"))),
        _ => signature(&object(&members)).to_lowercase(),
    };
    Push { path, content_type: JSON, body: with_signature(&members, &sign), is_true: false }
}

fn storm(rng: &mut ChaCha8Rng) -> Vec<Push> {
    let mut pushes: Vec<Push> = (0..TRUE).map(true_push).collect();
    for _ in 0..REPEATED {
        let again = pushes[rng.random_range(0..TRUE)].clone();
        pushes.push(again);
    }
    // Half of the forged ones are about stays that nothing else tells of.
    pushes.extend((0..FORGED).map(|index| forged_push(if index < FORGED / 2 { index } else { TRUE + index })));
    pushes.shuffle(rng);
    pushes
}

/// Posts what is left, one after the other, over one connection as long as it is kept; how long each answer took.
fn send(gate: &Gate, pushes: &[Push], next: &AtomicUsize) -> Vec<Duration> {
    let mut line = Line::open(gate.addr()).unwrap();
    let mut times = Vec::new();
    while let Some(push) = pushes.get(next.fetch_add(1, Ordering::Relaxed)) {
        let start = Instant::now();
        let reply = line.send("POST", push.path, push.content_type, push.body.as_bytes()).unwrap();
        times.push(start.elapsed());
        if push.is_true {
            assert_eq!(reply.body, OK);
        } else {
            assert_eq!(reply.code(), 4);
        }
        if reply.closes {
            line = Line::open(gate.addr()).unwrap();
        }
    }
    times
}

#[test]
fn in_a_storm_each_true_push_is_stored_once_and_no_forged_one() {
    let mut gate = Gate::new();
    let pushes = storm(&mut ChaCha8Rng::seed_from_u64(1));
    assert_eq!(pushes.len(), PUSHES);
    let (next, times) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(PUSHES)));
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let own = send(&gate, &pushes, &next);
                times.lock().unwrap().extend(own);
            });
        }
    });
    let whole = start.elapsed();
    let counts = gate.stop();
    let mut expected: Vec<(String, String)> = (0..TRUE).map(stay).map(|(kind, id)| (kind.to_owned(), id)).collect();
    expected.sort();
    assert!(gate.stored() == expected, "what is stored is not what is true");
    let [received, new, repeated, forged] = [PUSHES, TRUE, REPEATED, FORGED].map(|count| u64::try_from(count).unwrap());
    assert_eq!(counts, Counts { received, new, repeated, forged, ..Counts::default() });
    let mut times = times.into_inner().unwrap();
    times.sort();
    let (p50, p99, most) = (times[PUSHES / 2], times[PUSHES / 100 * 99], times[PUSHES - 1]);
    println!(
        "{PUSHES} pushes over {CONNECTIONS} connections in {whole:.1?}: p50 {p50:.1?}, p99 {p99:.1?}, max {most:.1?}"
    );
}
