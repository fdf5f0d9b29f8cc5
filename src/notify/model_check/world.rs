//! The world around one notification: the platform's behaviours and ledger, the network, kills, a person.

use super::super::*;
use crate::model::{Amount, NotificationState as State, Timestamp};

/// Ticks that a request may live on the way.
pub(super) const LATE: u8 = 2;
/// Ticks until the books show a booking.
const LAG: u8 = 1;
/// The safe settle time.
pub(super) const SETTLE: i64 = 4;
const HOLD_AFTER: i64 = 100;
const NOW: Timestamp = Timestamp::from_unix(0);
/// What is due and paid, what was paid before, and what the fee grows by.
pub(super) const AMOUNT: i64 = 10;
const PAID_BEFORE: i64 = 2;
const GROWTH: i64 = 5;
const MAX_REQUESTS: usize = 4;

/// How the platform treats a request; the id may be known to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    /// Replays its first answer to a known id.
    Idemp,
    /// Says yes to any known id.
    Sloppy,
    /// Refuses a known id.
    Rejdup,
    /// The same, and failed calls burn the id.
    Burn,
    /// Only the state of the order protects it.
    Gate,
    /// Books every request.
    Nodedup,
    /// Says yes and drops the first, books every later one.
    Liar,
    /// Books, and answers that the token is invalid.
    Execrej,
}

use Platform::{Burn, Execrej, Gate, Idemp, Liar, Nodedup, Rejdup, Sloppy};
pub(super) const PLATFORMS: [Platform; 8] = [Idemp, Sloppy, Rejdup, Burn, Gate, Nodedup, Liar, Execrej];

/// A mistake of the client, to see that the checker finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    /// A timeout is taken for a request that never left.
    TimeoutIsNotSent,
    /// A later attempt is judged as if it were the first.
    TaintForgotten,
    /// Code 0 is the end.
    YesIsFinal,
    /// The row is sent before `sending` is durable: a crash forgets the attempt.
    MarkNotDurable,
    /// An order in neither list is taken for one that is due and unpaid.
    AbsentIsUnpaid,
}

/// What the world may do, and what the client is.
#[derive(Clone, Copy)]
pub(super) struct Config {
    pub(super) settle: i64,
    pub(super) resend: Resend,
    pub(super) kills: u8,
    /// What someone else may pay once, in all.
    pub(super) other_pays: &'static [i64],
    pub(super) fee_grows: bool,
    pub(super) exits: bool,
    /// Acts of a person.
    pub(super) acts: u8,
    pub(super) bug: Bug,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Answer {
    Yes,
    Known,
    OtherAmount,
    Token,
    Parameter,
    Fault,
}

/// What our process is doing; lost when it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Idle,
    /// `sending` is durable, nothing has left.
    Marked,
    /// Waiting for the answer; the last request in flight is ours, or was executed and its answer lost.
    Waiting {
        in_flight: bool,
    },
    Answered(Answer),
    AskingFee,
}

/// What may go wrong, by weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Twice,
    Lost,
    Phantom,
    /// To be sent although it is booked: harmless only where the platform itself prevents the second.
    Misproved,
    /// No way out.
    Stuck,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) standing: Standing,
    phase: Phase,
    /// Ages of the requests on their way, in order.
    requests: [Option<u8>; MAX_REQUESTS],
    /// Ages of our bookings in the platform's ledger; two are one too many.
    bookings: [Option<u8>; 2],
    /// The platform knows the id, and its first answer to it.
    known: Option<Answer>,
    other_paid: i64,
    fee: i64,
    exited: bool,
    kills: u8,
    acts: u8,
}

fn fen(fen: i64) -> Amount {
    Amount::from_fen(fen).unwrap()
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            standing: Standing::planned(fen(AMOUNT)),
            phase: Phase::Idle,
            requests: [None; MAX_REQUESTS],
            bookings: [None; 2],
            known: None,
            other_paid: 0,
            fee: PAID_BEFORE + AMOUNT,
            exited: false,
            kills: 0,
            acts: 0,
        }
    }

    fn booked(&self) -> i64 {
        self.bookings.iter().flatten().map(|_| 1).sum()
    }

    /// Electronic money on the order, as the ledger shows it once the bookings are `lag` old.
    fn paid(&self, lag: u8) -> i64 {
        let ours: i64 = self.bookings.iter().flatten().filter(|age| **age >= lag).map(|_| AMOUNT).sum();
        (PAID_BEFORE + ours + self.other_paid).min(self.fee)
    }

    fn owed(&self) -> bool {
        !self.exited && self.fee - self.paid(0) == AMOUNT
    }

    /// What both lists show, read whole. A closed order shows the truth, for the gate took the rest.
    fn look(&self) -> Reading {
        if self.exited {
            return Reading::Closed { fee: fen(self.fee), cash: fen(self.fee - self.paid(0)) };
        }
        Reading::Open { fee: fen(self.fee), remaining: fen(self.fee - self.paid(LAG)) }
    }

    /// Any look at it: the lists may be cut without a word, or the read may fail.
    fn looks(&self) -> [Reading; 3] {
        [self.look(), Reading::Absent, Reading::Incomplete]
    }

    fn book(&mut self) {
        if let Some(slot) = self.bookings.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(0);
        }
    }

    fn remove_request(&mut self, index: usize) {
        self.requests[index..].rotate_left(1);
        self.requests[MAX_REQUESTS - 1] = None;
    }

    /// The platform executes one request.
    fn execute(&mut self, platform: Platform) -> Answer {
        let owed = self.owed();
        let books = |world: &mut Self, answer| {
            world.book();
            answer
        };
        let answer = match (platform, self.known) {
            _ if self.exited && matches!(platform, Nodedup | Liar | Execrej) => Answer::OtherAmount,
            (Nodedup, _) | (Liar, Some(_)) => books(self, Answer::Yes),
            (Liar, None) | (Sloppy, Some(_)) => Answer::Yes,
            (Execrej, _) => books(self, Answer::Token),
            (Idemp, Some(first)) => first,
            (Rejdup | Burn, Some(_)) => Answer::Known,
            (Gate, _) | (Idemp | Sloppy | Rejdup | Burn, None) if owed => books(self, Answer::Yes),
            (Gate, _) | (Idemp | Sloppy | Rejdup | Burn, None) => Answer::OtherAmount,
        };
        self.known = self.known.or(Some(answer));
        answer
    }

    /// What must never be: two bookings, a last word "not booked" on one that is booked, "booked" without
    /// that much electronic money on the order, and a proof of absence that is wrong.
    pub(super) fn violation(&self) -> Option<Kind> {
        let standing = &self.standing;
        let says_not_booked = match standing.state {
            State::Rejected => true,
            State::Planned => self.is_left_alone(),
            State::Void => !standing.tainted,
            State::Sending | State::Acknowledged | State::Confirmed | State::Unknown | State::Held => false,
        };
        if self.booked() > 1 {
            Some(Kind::Twice)
        } else if says_not_booked && self.booked() > 0 {
            Some(Kind::Lost)
        } else if standing.state == State::Confirmed && self.booked() == 0 && self.other_paid < AMOUNT {
            Some(Kind::Phantom)
        } else if standing.state == State::Planned && self.booked() > 0 {
            Some(Kind::Misproved)
        } else {
            None
        }
    }

    /// Planned, not due, and the books give no reason to look again: the matching's word stands.
    fn is_left_alone(&self) -> bool {
        let is_due = matches!(self.look(), Reading::Open { remaining, .. } if remaining == fen(AMOUNT));
        !is_due && watch(&self.standing, &self.look()).verdict == Verdict::Unchanged
    }

    /// Final, a person's, or told by the matching.
    pub(super) fn rests(&self) -> bool {
        match self.standing.state {
            State::Confirmed | State::Rejected | State::Held | State::Void => true,
            // In the matching: confirmed, or lost once the order is closed.
            State::Acknowledged => self.booked() == 0 || self.exited,
            State::Planned => self.is_left_alone(),
            State::Sending | State::Unknown => false,
        }
    }
}

/// All next worlds of one.
struct Steps<'a> {
    config: &'a Config,
    platform: Platform,
    policy: Policy,
    from: World,
    out: Vec<(&'static str, World)>,
}

impl Steps<'_> {
    fn add(&mut self, label: &'static str, change: impl FnOnce(&mut World)) {
        let mut world = self.from;
        change(&mut world);
        if world != self.from {
            self.out.push((label, world));
        }
    }

    /// A step that stores what a decision came to; the transition has to be in the table.
    fn store(&mut self, label: &'static str, phase: Phase, next: &Next, by: By) {
        self.store_standing(label, phase, next.standing, by);
    }

    fn store_standing(&mut self, label: &'static str, phase: Phase, standing: Standing, by: By) {
        let (from, to) = (self.from.standing.state, standing.state);
        assert!(from == to || is_allowed(from, to, by), "{label}: {from} -> {to} ({by:?})");
        let sends_allowed = self.policy.max_sends + self.from.acts;
        assert!(standing.sends <= sends_allowed, "{label}: sent {} times", standing.sends);
        self.add(label, |world| (world.standing, world.phase) = (standing, phase));
    }

    fn ours(&mut self) {
        let standing = self.from.standing;
        match (self.from.phase, standing.state) {
            (Phase::Idle, State::Planned) => self.planned(),
            (Phase::Idle, State::Unknown) => self.unknown(),
            (Phase::Idle, State::Acknowledged) => {
                for reading in self.from.looks() {
                    self.store("confirm", Phase::Idle, &confirm(&standing, &reading), By::Machine);
                }
            }
            (Phase::Idle, State::Held | State::Void) => {
                let next = watch(&standing, &self.from.look());
                self.store("watch", Phase::Idle, &next, By::Machine);
            }
            (Phase::AskingFee, _) => {
                for reading in self.from.looks() {
                    let next = after_fee_asked_again(&standing, &reading);
                    self.store("fee asked again", Phase::Idle, &next, By::Machine);
                }
            }
            (Phase::Marked, _) => {
                self.attempt("nothing left", &Attempt::NotSent);
                if self.from.requests.iter().all(Option::is_some) {
                    return;
                }
                self.add("first byte", |world| {
                    world.phase = Phase::Waiting { in_flight: true };
                    let free = world.requests.iter_mut().find(|slot| slot.is_none());
                    *free.expect("checked above") = Some(0);
                });
            }
            (Phase::Waiting { .. }, _) => self.attempt("timeout", &Attempt::Unclear { code: None }),
            (Phase::Answered(answer), _) => {
                let attempt = match answer {
                    Answer::Yes => Attempt::Acknowledged { pay_order_id: "P1".to_owned() },
                    Answer::Known if self.platform == Rejdup => Attempt::Refused { code: 20205 },
                    Answer::Known => Attempt::Refused { code: 7 },
                    Answer::OtherAmount => Attempt::Refused { code: 20206 },
                    Answer::Token => Attempt::Refused { code: 20101 },
                    Answer::Parameter => Attempt::Refused { code: 6 },
                    Answer::Fault => Attempt::Unclear { code: None },
                };
                self.attempt("answer read", &attempt);
            }
            (Phase::Idle, State::Sending | State::Confirmed | State::Rejected) => {}
        }
    }

    fn attempt(&mut self, label: &'static str, attempt: &Attempt) {
        let mut standing = self.from.standing;
        let mut attempt = attempt.clone();
        if self.config.bug == Bug::TimeoutIsNotSent && matches!(attempt, Attempt::Unclear { .. }) {
            attempt = Attempt::NotSent;
        }
        if self.config.bug == Bug::TaintForgotten {
            standing = Standing { tainted: false, sends: 1, ..standing };
        }
        let mut next = after_attempt(&standing, &attempt, NOW);
        if self.config.bug == Bug::TaintForgotten && next.standing.sends > 0 {
            next.standing.sends = self.from.standing.sends;
        }
        let phase = if next.verdict == Verdict::AskFeeAgain { Phase::AskingFee } else { Phase::Idle };
        if self.config.bug == Bug::YesIsFinal && next.standing.state == State::Acknowledged {
            return self.add(label, |world| {
                (world.standing, world.phase) = (Standing { state: State::Confirmed, ..next.standing }, Phase::Idle);
            });
        }
        self.store(label, phase, &next, By::Machine);
    }

    fn planned(&mut self) {
        let standing = self.from.standing;
        for reading in self.from.looks() {
            match precheck(&standing, &reading, &self.policy) {
                Precheck::Send { standing, .. } => {
                    self.store_standing("mark", Phase::Marked, standing, By::Machine);
                }
                Precheck::NotSent { next, .. } => self.store("not sent", Phase::Idle, &next, By::Machine),
            }
            self.store("watch", Phase::Idle, &watch(&standing, &reading), By::Machine);
        }
        self.store("a run without it", Phase::Idle, &count_unlisted(&standing), By::Machine);
        self.store_standing("next run", Phase::Idle, new_run(&standing), By::Machine);
    }

    fn unknown(&mut self) {
        let standing = self.from.standing;
        for mut reading in self.from.looks() {
            if self.config.bug == Bug::AbsentIsUnpaid && reading == Reading::Absent {
                reading = Reading::Open { fee: fen(self.from.fee), remaining: fen(AMOUNT) };
            }
            let next = resolve(&standing, &reading, NOW, &self.policy);
            self.store("look", Phase::Idle, &next, By::Machine);
        }
        self.store_standing("next run", Phase::Idle, new_run(&standing), By::Machine);
        let aged = Standing { first_unknown_at: Some(NOW.plus_s(-HOLD_AFTER)), ..standing };
        self.store_standing("days pass", Phase::Idle, aged, By::Machine);
    }

    fn kill(&mut self) {
        if self.from.kills >= self.config.kills || self.from.phase == Phase::Idle {
            return;
        }
        let mut standing = new_run(&found_sending(&self.from.standing, NOW).standing);
        if self.config.bug == Bug::MarkNotDurable && self.from.standing.state == State::Sending {
            standing = Standing { state: State::Planned, ..self.from.standing };
        }
        self.add("killed, started again", |world| {
            (world.standing, world.phase) = (standing, Phase::Idle);
            world.kills += 1;
        });
    }

    fn network(&mut self) {
        let count = self.from.requests.iter().flatten().count();
        let platform = self.platform;
        for index in 0..count {
            let ours = index + 1 == count && self.from.phase == Phase::Waiting { in_flight: true };
            let lost = Phase::Waiting { in_flight: false };
            self.add("request lost", |world| {
                world.remove_request(index);
                world.phase = if ours { lost } else { world.phase };
            });
            self.add("executed", |world| {
                world.remove_request(index);
                let answer = world.execute(platform);
                world.phase = if ours { Phase::Answered(answer) } else { world.phase };
            });
            if !ours {
                continue;
            }
            self.add("executed, answer lost", |world| {
                world.remove_request(index);
                let _: Answer = world.execute(platform);
                world.phase = lost;
            });
            for answer in [Answer::Fault, Answer::Token, Answer::Parameter] {
                self.add("not executed", |world| {
                    world.remove_request(index);
                    world.phase = Phase::Answered(answer);
                    let burns = platform == Burn && answer == Answer::Fault;
                    world.known = if burns { world.known.or(Some(answer)) } else { world.known };
                });
            }
        }
    }

    fn order(&mut self) {
        if self.from.exited {
            return;
        }
        if self.from.other_paid == 0 {
            for paid in self.config.other_pays {
                if self.from.fee - self.from.paid(0) >= *paid {
                    self.add("someone else pays", |world| world.other_paid = *paid);
                }
            }
        }
        if self.config.fee_grows && self.from.fee == PAID_BEFORE + AMOUNT {
            self.add("the fee grows", |world| world.fee += GROWTH);
        }
        if self.config.exits {
            self.add("the car leaves", |world| world.exited = true);
        }
    }

    fn person(&mut self) {
        if self.from.acts >= self.config.acts || self.from.phase != Phase::Idle {
            return;
        }
        for (act, label) in [(Act::Release, "release"), (Act::Hold, "hold"), (Act::Void, "void")] {
            let Ok(next) = person(&self.from.standing, act) else { continue };
            let (from, to) = (self.from.standing.state, next.standing.state);
            assert!(is_allowed(from, to, By::Person), "{label}: {from} -> {to}");
            self.add(label, |world| {
                world.standing = next.standing;
                world.acts += 1;
            });
        }
    }

    fn tick(&mut self) {
        if self.from.requests.iter().flatten().any(|age| *age >= LATE) {
            return;
        }
        let floor = NOW.plus_s(-self.policy.settle_s);
        self.add("tick", |world| {
            world.requests.iter_mut().flatten().for_each(|age| *age += 1);
            world.bookings.iter_mut().flatten().for_each(|age| *age = (*age + 1).min(LAG));
            world.standing.last_byte_at = world.standing.last_byte_at.map(|at| at.plus_s(-1).max(floor));
        });
    }
}

pub(super) fn steps(config: &Config, platform: Platform, from: World) -> Vec<(&'static str, World)> {
    let mut policy = Policy::new(config.settle, config.resend);
    policy.hold_after_s = HOLD_AFTER;
    let mut steps = Steps { config, platform, policy, from, out: Vec::new() };
    steps.ours();
    steps.kill();
    steps.network();
    steps.order();
    steps.person();
    steps.tick();
    steps.out
}
