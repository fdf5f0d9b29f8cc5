//! Every behaviour of a platform that documents little, against the real functions: breadth first over
//! all states of one notification, one order, the network and the platform's ledger.
//!
//! The judge is the modelled ledger, never our own state. Time is relative: the clock stands at 0 and a
//! tick moves what lies behind it. Assumed are a bounded life of a request (`LATE`), a bounded lag of
//! the books (`LAG`), and that a closed order takes no electronic money any more.
#![expect(clippy::arithmetic_side_effects, reason = "small numbers in tests")]

mod world;

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use super::Resend;
use world::{AMOUNT, Bug, Config, Kind, LATE, PLATFORMS, Platform, SETTLE, World, steps};

/// The network and kills alone.
const NETWORK: Config = Config {
    settle: SETTLE,
    resend: Resend::AfterProof,
    kills: 2,
    other_pays: &[],
    fee_grows: false,
    exits: false,
    acts: 0,
    bug: Bug::None,
};

/// A living order beside it: someone else pays all or a part, the fee grows, the car leaves.
const LIFE: Config = Config { other_pays: &[AMOUNT, 4], fee_grows: true, exits: true, ..NETWORK };

/// All of it, and a person who acts at any moment.
const PERSON: Config = Config { kills: 1, acts: 1, ..LIFE };

/// A quick hasher for small plain data; the standard one takes most of the time here.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u8(*byte);
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_i64(&mut self, value: i64) {
        self.write_u64(value.cast_unsigned());
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(u64::try_from(value).unwrap_or(u64::MAX));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

struct Checked {
    states: usize,
    /// The first trace to each kind of violation.
    bad: Vec<(Kind, String)>,
}

impl Checked {
    fn name(&self) -> String {
        let mut kinds: Vec<Kind> = self.bad.iter().map(|(kind, _)| *kind).collect();
        kinds.sort_unstable();
        // The worst says enough.
        kinds.first().map_or_else(|| "ok".to_owned(), |kind| format!("{kind:?}"))
    }
}

fn check(config: &Config, platform: Platform) -> Checked {
    let mut index: HashMap<World, u32, BuildHasherDefault<Quick>> = HashMap::default();
    let mut worlds: Vec<(World, u32, &'static str)> = vec![(World::new(), 0, "")];
    let mut leads_to: Vec<(u32, u32)> = Vec::new();
    let mut seen_bad = HashSet::new();
    let mut bad = Vec::new();
    let mut queue = VecDeque::from([0_u32]);
    index.insert(World::new(), 0);
    while let Some(at) = queue.pop_front() {
        let world = worlds[usize::try_from(at).unwrap()].0;
        if let Some(kind) = world.violation() {
            if seen_bad.insert(kind) {
                bad.push((kind, trace(&worlds, at)));
            }
            // A wrong proof alone is followed to what comes of it.
            if kind != Kind::Misproved {
                continue;
            }
        }
        for (label, next) in steps(config, platform, world) {
            let to = *index.entry(next).or_insert_with(|| {
                let to = u32::try_from(worlds.len()).unwrap();
                worlds.push((next, at, label));
                queue.push_back(to);
                to
            });
            leads_to.push((to, at));
        }
    }
    if let Some(stuck) = stuck(&worlds, leads_to) {
        bad.push((Kind::Stuck, trace(&worlds, stuck)));
    }
    Checked { states: worlds.len(), bad }
}

/// The first state from which none that rests can be reached.
fn stuck(worlds: &[(World, u32, &'static str)], mut leads_to: Vec<(u32, u32)>) -> Option<u32> {
    leads_to.sort_unstable();
    let index = |at: u32| usize::try_from(at).unwrap();
    let mut good: Vec<bool> = worlds.iter().map(|(world, ..)| world.rests() || world.violation().is_some()).collect();
    let mut work: Vec<u32> = (0_u32..).zip(&good).filter(|(_, good)| **good).map(|(at, _)| at).collect();
    while let Some(to) = work.pop() {
        let start = leads_to.partition_point(|edge| edge.0 < to);
        for (_, from) in leads_to[start..].iter().take_while(|edge| edge.0 == to) {
            if !std::mem::replace(&mut good[index(*from)], true) {
                work.push(*from);
            }
        }
    }
    (0_u32..).zip(&good).find(|(_, good)| !**good).map(|(at, _)| at)
}

fn trace(worlds: &[(World, u32, &'static str)], mut at: u32) -> String {
    let mut labels = Vec::new();
    while at != 0 {
        let (world, from, label) = &worlds[usize::try_from(at).unwrap()];
        labels.push(format!("{label} [{}]", world.standing.state));
        at = *from;
    }
    labels.reverse();
    labels.join(" > ")
}

fn check_all(config: &Config) -> Vec<Checked> {
    std::thread::scope(|scope| {
        let running: Vec<_> = PLATFORMS.map(|platform| scope.spawn(move || check(config, platform))).into();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

/// Fails with the shortest trace.
fn assert_safe(name: &str, config: &Config) {
    let mut states = 0;
    for (platform, checked) in PLATFORMS.iter().zip(check_all(config)) {
        assert!(checked.bad.is_empty(), "{name}, {platform:?}: {:#?}", checked.bad);
        states += checked.states;
    }
    println!("{name}: {states} states");
    assert!(states > 1000, "the world of {name} does not unfold");
}

#[test]
fn never_two_bookings_nor_a_wrong_word_whatever_the_platform_the_network_or_a_kill_does() {
    assert_safe("network", &NETWORK);
    assert_safe("network, three kills", &Config { kills: 3, ..NETWORK });
    assert_safe("network, never again", &Config { resend: Resend::Never, ..NETWORK });
}

#[test]
fn the_same_while_the_fee_grows_the_car_leaves_and_someone_else_pays() {
    assert_safe("life", &LIFE);
    assert_safe("life, never again", &Config { resend: Resend::Never, ..LIFE });
}

#[test]
fn the_same_while_a_person_releases_holds_and_voids() {
    assert_safe("person", &PERSON);
    assert_safe("person, never again", &Config { resend: Resend::Never, ..PERSON });
}

/// The checker itself: each of these is one rule less.
#[test]
fn an_unsafe_client_is_found_unsafe() {
    let safe = Config { kills: 1, ..NETWORK };
    let hasty = Config { settle: 0, ..safe };
    let rows = [
        ("as it is", safe),
        ("settle 0", hasty),
        ("settle = late", Config { settle: i64::from(LATE), ..safe }),
        ("settle 0, never again", Config { resend: Resend::Never, ..hasty }),
        ("settle 0, no taint", Config { bug: Bug::TaintForgotten, ..hasty }),
        ("timeout is not sent", Config { bug: Bug::TimeoutIsNotSent, ..safe }),
        ("yes is final", Config { bug: Bug::YesIsFinal, ..safe }),
        ("mark is not durable", Config { bug: Bug::MarkNotDurable, ..safe }),
        ("absent is unpaid", Config { bug: Bug::AbsentIsUnpaid, ..safe }),
    ];
    let mut lines = vec![row("", PLATFORMS.iter().map(|platform| format!("{platform:?}")))];
    lines.extend(rows.map(|(name, config)| row(name, check_all(&config).iter().map(Checked::name))));
    insta::assert_snapshot!(lines.join("\n"), @r"
                          Idemp     Sloppy    Rejdup    Burn      Gate      Nodedup   Liar      Execrej
    as it is              ok        ok        ok        ok        ok        ok        ok        ok
    settle 0              Misproved Misproved Misproved Misproved Misproved Twice     Twice     Twice
    settle = late         Misproved Misproved Misproved Misproved Misproved Twice     Twice     Twice
    settle 0, never again ok        ok        ok        ok        ok        ok        ok        ok
    settle 0, no taint    Lost      Lost      Lost      Lost      Lost      Twice     Twice     Twice
    timeout is not sent   Lost      Lost      Lost      Lost      Lost      Twice     Twice     Twice
    yes is final          ok        ok        ok        ok        ok        ok        Phantom   ok
    mark is not durable   Misproved Misproved Misproved Misproved Misproved Twice     Twice     Twice
    absent is unpaid      Misproved Misproved Misproved Misproved Misproved Misproved Misproved Misproved
    ");
}

fn row(name: &str, cells: impl Iterator<Item = String>) -> String {
    let line = cells.fold(format!("{name:<22}"), |line, cell| format!("{line}{cell:<10}"));
    line.trim_end().to_owned()
}
