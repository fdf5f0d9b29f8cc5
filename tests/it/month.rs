//! A month at a merchant: thirty nights against the sandbox with faults, bills that come late, disagreements of most kinds,
//! some healed by facts, some resolved by a person, and older dates run again in no order.
//!
//! The oracle is the list of what was put in: each disagreement with the mornings on which it must be told as new and as
//! resolved. Nothing else may be told, and every run must begin with what the one before ended with.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;

use etcp_recon::jobs::people::{Decision, ExceptionVerdict, decide, decide_exception};
use etcp_recon::jobs::run::Finished;
use etcp_recon::model::event::Exit;
use etcp_recon::model::{Amount, BusinessDate, OrderId, ParkingEvent, Timestamp};
use etcp_recon::notify::Act;
use etcp_recon::report::data::ExceptionStatus;
use etcp_recon::sandbox::Stay;
use etcp_recon::store::{PersonsWord, RollForward, RunMode, RunStatus};

use super::support::{Rig, yuan};

const NIGHTS: u32 = 30;
const USER: &str = "13800000001";
/// The plate of most stays; they are told apart by their orders.
const CAR: &str = "渝B757D0";
/// Its stays have no payment with an order id.
const TILL_ONLY: &str = "渝B757D1";
/// A user whose pull can fail alone.
const OTHER_USER: &str = "13800000002";
const OTHER_CAR: &str = "渝B757D2";

const SOURCES: &str = "
[[bills.source]]
name = \"till\"
files = \"till-*\"
[[bills.source]]
name = \"flow\"
files = \"flow-*\"
role = \"ledger\"
id_prefix = \"F-\"
[[bills.source]]
name = \"bank\"
files = \"bank-*\"
required = true
id_prefix = \"B-\"
";

/// What the world does.
#[derive(Clone)]
enum Deed {
    /// The platform shows a stay that ended on `day`, of this fee, this much of it in cash; again, it is corrected.
    Left {
        order: String,
        plate: &'static str,
        day: u32,
        fee: &'static str,
        cash: &'static str,
    },
    /// A car came in on `day` and owes this.
    Inside {
        order: String,
        day: u32,
        fee: &'static str,
    },
    /// It leaves and pays what is due in cash.
    Leaves {
        order: String,
    },
    /// A row of the till's bill of the night: id, order, plate, amount, status, the day on which it was paid.
    Row {
        payment: String,
        order: Option<String>,
        plate: &'static str,
        amount: &'static str,
        status: &'static str,
        day: u32,
    },
    /// A row of the channel's fund flow of the night, with the trade number of a till row.
    Flow {
        payment: String,
        amount: &'static str,
        day: u32,
    },
    /// The platform pushes an exit of `day` with this fee in fen.
    Push {
        syn_id: String,
        day: u32,
        fen: i64,
    },
    /// The bank's bill of `day` comes; it says that `payment` was paid.
    Bank {
        day: u32,
        payment: Option<(String, String, &'static str)>,
    },
    /// Requests go wrong from now on; all faults end with the next `Calm`.
    Fault(String),
    Calm,
    /// A person decides on the open (or resolved) exception of a subject.
    Person(ExceptionVerdict, &'static str, String),
    /// A person decides on a notification.
    Notification(Act, String),
}

/// A disagreement that was put in, and when it must be told.
struct Injected {
    kind: &'static str,
    /// The payment id, else the order's.
    subject: String,
    new: Vec<u32>,
    resolved: Vec<u32>,
}

/// The script: what happens before the run of each morning, what must not be run again that morning, and the oracle.
#[derive(Default)]
struct Script {
    deeds: BTreeMap<u32, Vec<Deed>>,
    oracle: Vec<Injected>,
    quiet: Vec<u32>,
}

impl Script {
    fn on(&mut self, night: u32, deed: Deed) {
        self.deeds.entry(night).or_default().push(deed);
    }

    fn expect(&mut self, kind: &'static str, subject: &str, new: &[u32], resolved: &[u32]) {
        self.oracle.push(Injected {
            kind,
            subject: subject.to_owned(),
            new: new.to_vec(),
            resolved: resolved.to_vec(),
        });
    }

    fn left(&mut self, night: u32, order: &str, day: u32, fee: &'static str, cash: &'static str) {
        self.on(night, Deed::Left { order: order.to_owned(), plate: CAR, day, fee, cash });
    }

    fn row(&mut self, night: u32, payment: &str, order: &str, amount: &'static str, status: &'static str, day: u32) {
        let (payment, order) = (payment.to_owned(), Some(order.to_owned()));
        self.on(night, Deed::Row { payment, order, plate: CAR, amount, status, day });
    }

    fn paid(&mut self, night: u32, payment: &str, order: &str, amount: &'static str) {
        self.row(night, payment, order, amount, "success", night);
    }

    /// Given back on `night` what was paid.
    fn refund(&mut self, night: u32, payment: &str, order: &str, amount: &'static str) {
        self.row(night, payment, order, amount, "refund", night);
    }

    fn person(&mut self, night: u32, verdict: ExceptionVerdict, kind: &'static str, subject: &str) {
        self.on(night, Deed::Person(verdict, kind, subject.to_owned()));
    }

    fn amounts_differ(&mut self, n: u32) {
        // Healed: the platform corrects the fee. It comes back once, and is healed again.
        let (order, payment) = (format!("MM-{n}"), format!("mm{n}"));
        self.left(n, &order, n, "8.00", "0.00");
        self.paid(n, &payment, &order, "7.00");
        self.left(n + 2, &order, n, "7.00", "0.00");
        self.left(n + 4, &order, n, "8.00", "0.00");
        self.left(n + 5, &order, n, "7.00", "0.00");
        self.expect("amount_mismatch", &payment, &[n, n + 4], &[n + 2, n + 5]);
    }

    fn a_person_and_then_other_facts(&mut self, n: u32) {
        // A person resolves; a refund in part changes the facts; a person resolves that too.
        let (order, payment) = (format!("MP-{n}"), format!("mp{n}"));
        self.left(n, &order, n, "8.00", "0.00");
        self.paid(n, &payment, &order, "7.00");
        self.person(n + 1, ExceptionVerdict::Resolve, "amount_mismatch", &payment);
        self.refund(n + 3, &payment, &order, "2.00");
        self.person(n + 6, ExceptionVerdict::Resolve, "amount_mismatch", &payment);
        self.expect("amount_mismatch", &payment, &[n, n + 3], &[n + 1, n + 6]);
    }

    fn a_person_changes_its_mind(&mut self, n: u32) {
        let (order, payment) = (format!("MR-{n}"), format!("mr{n}"));
        self.left(n, &order, n, "9.00", "0.00");
        self.paid(n, &payment, &order, "7.00");
        self.person(n + 1, ExceptionVerdict::Resolve, "amount_mismatch", &payment);
        self.person(n + 2, ExceptionVerdict::Reopen, "amount_mismatch", &payment);
        self.expect("amount_mismatch", &payment, &[n, n + 2], &[n + 1]);
    }

    fn paid_two_times(&mut self, n: u32, refund_after: u32) {
        let (order, first, second) = (format!("DP-{n}"), format!("dp{n}a"), format!("dp{n}b"));
        self.left(n, &order, n, "8.00", "0.00");
        self.paid(n, &first, &order, "8.00");
        self.paid(n, &second, &order, "8.00");
        self.refund(n + refund_after, &second, &order, "8.00");
        self.expect("duplicate_payment", &second, &[n], &[n + refund_after]);
    }

    fn paid_in_cash_too(&mut self, n: u32) {
        let (order, payment) = (format!("PT-{n}"), format!("pt{n}"));
        self.left(n, &order, n, "12.00", "12.00");
        self.paid(n, &payment, &order, "12.00");
        self.refund(n + 3, &payment, &order, "12.00");
        self.expect("paid_twice", &payment, &[n], &[n + 3]);
    }

    fn an_order_that_turns_up(&mut self, n: u32, after: u32) {
        let (order, payment) = (format!("NF-{n}"), format!("nf{n}"));
        self.paid(n, &payment, &order, "4.50");
        self.left(n + after, &order, n, "4.50", "0.00");
        self.expect("order_not_found", &payment, &[n], &[n + after]);
    }

    fn an_order_that_never_turns_up(&mut self, n: u32) {
        let payment = format!("nn{n}");
        self.paid(n, &payment, &format!("NN-{n}"), "4.50");
        self.expect("order_not_found", &payment, &[n], &[]);
    }

    fn a_bill_that_comes_late(&mut self, n: u32, after: u32) {
        let (order, payment) = (format!("LB-{n}"), format!("lb{n}"));
        self.left(n, &order, n, "6.00", "0.00");
        self.row(n + after, &payment, &order, "6.00", "success", n);
        self.expect("payment_missing", &order, &[n], &[n + after]);
    }

    fn an_amount_that_moves(&mut self, n: u32) {
        // Never healed: it grows and falls while it is carried.
        let order = format!("AM-{n}");
        self.left(n, &order, n, "8.00", "0.00");
        self.left(n + 1, &order, n, "19.00", "0.00");
        self.left(n + 4, &order, n, "3.00", "0.00");
        self.expect("payment_missing", &order, &[n], &[]);
    }

    fn two_that_look_alike(&mut self, n: u32) {
        let (order, first, second) = (format!("TA-{n}"), format!("ta{n}a"), format!("ta{n}b"));
        self.on(n, Deed::Left { order: order.clone(), plate: TILL_ONLY, day: n, fee: "5.00", cash: "0.00" });
        for payment in [&first, &second] {
            let payment = payment.clone();
            self.on(n, Deed::Row { payment, order: None, plate: TILL_ONLY, amount: "5.00", status: "success", day: n });
        }
        let refund = Deed::Row {
            payment: second.clone(),
            order: None,
            plate: TILL_ONLY,
            amount: "5.00",
            status: "refund",
            day: n + 2,
        };
        self.on(n + 2, refund);
        for subject in [&first, &second, &order] {
            self.expect("ambiguous", subject, &[n], &[n + 2]);
        }
    }

    fn a_refund_that_the_platform_still_books(&mut self, n: u32) {
        let (order, payment) = (format!("RS-{n}"), format!("rs{n}"));
        self.left(n, &order, n, "8.00", "0.00");
        self.paid(n, &payment, &order, "8.00");
        self.refund(n + 1, &payment, &order, "8.00");
        self.person(n + 4, ExceptionVerdict::Resolve, "refunded_after_settlement", &payment);
        self.expect("refunded_after_settlement", &payment, &[n + 1], &[n + 4]);
    }

    fn one_id_with_two_amounts(&mut self, n: u32) {
        let (order, payment) = (format!("CR-{n}"), format!("cr{n}"));
        self.left(n, &order, n, "5.00", "0.00");
        self.paid(n, &payment, &order, "5.00");
        self.row(n + 1, &payment, &order, "6.00", "success", n);
        for subject in [&payment, &payment] {
            self.person(n + 3, ExceptionVerdict::Resolve, "conflicting_record", subject);
            self.expect("conflicting_record", subject, &[n + 1], &[n + 3]);
        }
    }

    fn a_flow_that_disagrees(&mut self, n: u32) {
        let (order, payment) = (format!("BD-{n}"), format!("bd{n}"));
        self.left(n, &order, n, "5.00", "0.00");
        self.paid(n, &payment, &order, "5.00");
        self.on(n, Deed::Flow { payment: payment.clone(), amount: "5.01", day: n });
        self.person(n + 2, ExceptionVerdict::Resolve, "bill_disagrees", &payment);
        self.expect("bill_disagrees", &payment, &[n], &[n + 2]);
    }

    fn a_user_that_cannot_be_pulled(&mut self, n: u32) {
        let (order, payment) = (format!("UV-{n}"), format!("uv{n}"));
        self.on(n, Deed::Fault(format!("usersignin@{OTHER_USER}:fail:always")));
        self.on(n, Deed::Fault(format!("orderhistory@{OTHER_USER}:fail:always")));
        self.on(n, Deed::Left { order: order.clone(), plate: OTHER_CAR, day: n, fee: "3.00", cash: "0.00" });
        let row = Deed::Row {
            payment: payment.clone(),
            order: Some(order),
            plate: OTHER_CAR,
            amount: "3.00",
            status: "success",
            day: n,
        };
        self.on(n, row);
        self.on(n + 1, Deed::Calm);
        self.expect("unverifiable", &payment, &[n], &[n + 1]);
    }

    fn a_bank_that_is_late(&mut self, n: u32, after: u32) {
        // The order cannot be judged until the bill is there; runs of older dates must not judge it either.
        let order = format!("BL-{n}");
        self.left(n, &order, n, "11.00", "0.00");
        self.on(n + after, Deed::Bank { day: n, payment: Some((format!("bl{n}"), order.clone(), "11.00")) });
        self.expect("unverifiable", &order, &[n], &[n + after]);
    }

    fn above_the_cap(&mut self, n: u32) {
        let (order, payment) = (format!("NH-{n}"), format!("nh{n}"));
        self.on(n, Deed::Inside { order: order.clone(), day: n, fee: "1500.00" });
        self.paid(n, &payment, &order, "1500.00");
        self.on(n + 2, Deed::Notification(Act::Void, payment.clone()));
        self.expect("notify_held", &payment, &[n], &[n + 2]);
        self.on(n + 2, Deed::Leaves { order });
    }

    fn refused_by_the_platform(&mut self, n: u32) {
        let (order, payment) = (format!("NR-{n}"), format!("nr{n}"));
        self.on(n, Deed::Inside { order: order.clone(), day: n, fee: "2.50" });
        self.paid(n, &payment, &order, "2.50");
        self.on(n, Deed::Fault(format!("orderpaid@{order}:answer=20102:1")));
        self.on(n + 1, Deed::Notification(Act::Release, payment.clone()));
        self.expect("notify_rejected", &payment, &[n], &[n + 1]);
    }

    fn an_outcome_that_is_not_known(&mut self, n: u32) {
        let (order, payment) = (format!("NU-{n}"), format!("nu{n}"));
        self.on(n, Deed::Inside { order: order.clone(), day: n, fee: "2.50" });
        self.paid(n, &payment, &order, "2.50");
        self.on(n, Deed::Fault(format!("orderpaid@{order}:drop:always")));
        self.on(n + 1, Deed::Calm);
        self.quiet.push(n);
        self.expect("notify_unknown", &payment, &[n], &[n + 1]);
    }

    fn a_booking_that_got_lost(&mut self, n: u32) {
        let (order, payment) = (format!("NL-{n}"), format!("nl{n}"));
        self.on(n, Deed::Inside { order: order.clone(), day: n, fee: "2.50" });
        self.paid(n, &payment, &order, "2.50");
        self.on(n, Deed::Fault(format!("orderpaid@{order}:lose-booking:1")));
        self.on(n + 1, Deed::Leaves { order });
        self.person(n + 3, ExceptionVerdict::Resolve, "notification_lost", &payment);
        self.expect("notification_lost", &payment, &[n + 1], &[n + 3]);
    }

    fn a_push_without_its_order(&mut self, n: u32) {
        let order = format!("EO-{n}");
        self.on(n, Deed::Push { syn_id: order.clone(), day: n, fen: 550 });
        self.left(n + 2, &order, n, "5.50", "5.50");
        self.expect("event_without_order", &order, &[n], &[n + 2]);
    }

    fn a_push_with_another_fee(&mut self, n: u32) {
        let order = format!("EF-{n}");
        self.left(n, &order, n, "6.00", "6.00");
        self.on(n, Deed::Push { syn_id: order.clone(), day: n, fen: 500 });
        self.left(n + 3, &order, n, "5.00", "5.00");
        self.expect("event_fee_differs", &order, &[n], &[n + 3]);
    }

    /// What is in order, every night: one that agrees, one that is told; the bank's bill, unless it is late.
    fn business(&mut self, night: u32, bank_is_late: bool) {
        let (settled, told) = (format!("OK-{night}"), format!("TOLD-{night}"));
        if !bank_is_late {
            self.left(night, &settled, night, "8.00", "0.00");
            self.paid(night, &format!("ok{night}"), &settled, "8.00");
            self.on(night, Deed::Bank { day: night, payment: None });
        }
        self.on(night, Deed::Inside { order: told.clone(), day: night, fee: "5.00" });
        self.paid(night, &format!("told{night}"), &told, "5.00");
        self.on(night + 1, Deed::Leaves { order: told });
    }
}

fn script() -> Script {
    let mut script = Script::default();
    (1..=NIGHTS).for_each(|night| script.business(night, night == 12));
    for n in [1, 9, 20] {
        script.amounts_differ(n);
        script.paid_two_times(n + 1, 2);
        script.a_bill_that_comes_late(n + 2, 2);
        script.an_order_that_turns_up(n + 3, 1);
        script.a_push_with_another_fee(n + 4);
    }
    for n in [3, 15] {
        script.a_person_and_then_other_facts(n);
        script.a_person_changes_its_mind(n + 1);
        script.paid_in_cash_too(n + 2);
        script.two_that_look_alike(n + 3);
        script.a_refund_that_the_platform_still_books(n + 4);
        script.one_id_with_two_amounts(n + 5);
    }
    for n in [6, 18] {
        script.a_flow_that_disagrees(n);
        script.a_user_that_cannot_be_pulled(n + 1);
        script.above_the_cap(n + 2);
        script.refused_by_the_platform(n + 3);
        script.a_booking_that_got_lost(n + 4);
        script.a_push_without_its_order(n + 5);
        script.an_amount_that_moves(n + 7);
    }
    script.an_outcome_that_is_not_known(16);
    script.a_bank_that_is_late(12, 3);
    // Older than the window when it is healed.
    script.a_bill_that_comes_late(8, 13);
    script.paid_two_times(11, 12);
    script.an_order_that_never_turns_up(2);
    script.an_order_that_never_turns_up(28);
    // Faults that a client gets over.
    for (night, fault) in [
        (4, "orderhistory:fail:1"),
        (10, "orderunpay:expire-token:1"),
        (14, "orderunpay:status=503:1"),
        (22, "orderhistory:cut:1"),
        (25, "orderpaid:fail-after-booking:1"),
    ] {
        script.on(night, Deed::Fault(fault.to_owned()));
    }
    script
}

fn day(night: u32) -> BusinessDate {
    BusinessDate::from_ymd(2026, 10, 31).unwrap().end().plus_s(i64::from(night - 1) * 86_400).business_date()
}

/// A time of a day; no two stays of a test come in within a minute.
fn at(night: u32, seconds: i64) -> Timestamp {
    day(night).start().plus_s(seconds)
}

/// The month as it goes by.
struct Month {
    rig: Rig,
    /// Seconds into its day at which each order's car came in.
    entrances: HashMap<String, i64>,
    rows: Vec<String>,
    flow: Vec<String>,
    /// What was told as new and as resolved: kind and subject, with the mornings.
    told: BTreeMap<(String, String), (Vec<u32>, Vec<u32>)>,
    before: RollForward,
}

impl Month {
    async fn new() -> Self {
        let mut rig = Rig::new().await;
        rig.platform = String::from("retries = 2\nmax_requests_per_second = 5000");
        rig.extra = String::from(SOURCES);
        for (mobile, plate) in [(USER, CAR), (USER, TILL_ONLY), (OTHER_USER, OTHER_CAR)] {
            rig.bind(mobile, plate);
        }
        let (entrances, told) = (HashMap::new(), BTreeMap::new());
        Self { rig, entrances, rows: Vec::new(), flow: Vec::new(), told, before: RollForward::default() }
    }

    fn entrance(&mut self, order: &str, day: u32) -> Timestamp {
        let next = i64::try_from(self.entrances.len()).unwrap() * 120;
        at(day, *self.entrances.entry(order.to_owned()).or_insert(next))
    }

    fn stay(&mut self, order: &str, plate: &str, day: u32, stay: Stay) {
        let mobile = if plate == OTHER_CAR { OTHER_USER } else { USER };
        let entrance = self.entrance(order, day).wall();
        self.rig.order_of(mobile, order, plate, &entrance, stay);
    }

    fn does(&mut self, night: u32, deed: Deed) {
        match deed {
            Deed::Left { order, plate, day, fee, cash } => {
                self.stay(
                    &order,
                    plate,
                    day,
                    Stay::Left { fee: yuan(fee), cash: yuan(cash), exit_at: at(day, 80_000) },
                );
            }
            Deed::Inside { order, day, fee } => {
                self.stay(&order, CAR, day, Stay::Inside { fee: yuan(fee), paid: Amount::ZERO });
            }
            Deed::Leaves { order } => {
                let id = OrderId::new(&order).unwrap();
                self.rig.server.with_world(|world| assert!(world.leave(&id, at(night, 79_000)), "{order}"));
            }
            Deed::Row { payment, order, plate, amount, status, day } => {
                let order = order.unwrap_or_default();
                let paid_at = at(day, 79_500).wall();
                self.rows.push(format!("{payment},T-{payment},{order},{plate},{amount},{status},{paid_at}"));
            }
            Deed::Flow { payment, amount, day } => {
                let paid_at = at(day, 79_500).wall();
                self.flow.push(format!("{payment},T-{payment},,,{amount},success,{paid_at}"));
            }
            Deed::Push { syn_id, day, fen } => self.push(&syn_id, day, fen),
            Deed::Bank { day, payment } => self.bank(day, payment),
            Deed::Fault(fault) => self.rig.fault(&fault),
            Deed::Calm => self.rig.server.with_world(etcp_recon::sandbox::World::clear_faults),
            Deed::Person(verdict, kind, subject) => self.person(verdict, kind, &subject),
            Deed::Notification(act, external_order_id) => {
                let decision = Decision { external_order_id: &external_order_id, act, by: "Li", note: "by the script" };
                decide(&mut self.rig.store(), &decision, self.rig.clock.now()).unwrap();
            }
        }
    }

    fn push(&mut self, syn_id: &str, day: u32, fen: i64) {
        let event = ParkingEvent {
            syn_id: OrderId::new(syn_id).unwrap(),
            plate: CAR.to_owned(),
            parking_id: "3126".to_owned(),
            parking_name: "测试车场".to_owned(),
            entrance_at: self.entrance(syn_id, day),
            exit: Some(Exit { at: at(day, 80_000), fee: Amount::from_fen(fen).unwrap() }),
            pushed_at: None,
        };
        self.rig.store().record_events(&[(event, at(day, 80_001))]).unwrap();
    }

    fn bank(&self, of: u32, payment: Option<(String, String, &'static str)>) {
        let paid_at = at(of, 79_500).wall();
        let row = match payment {
            Some((payment, order, amount)) => format!("{payment},,{order},{CAR},{amount},success,{paid_at}"),
            None => format!("none,,,{CAR},1.00,closed,{paid_at}"),
        };
        self.write(&format!("bank-{}.csv", day(of)), &[row]);
    }

    fn write(&self, name: &str, rows: &[String]) {
        let header = "payment_id,trade_no,order_id,plate,amount,status,paid_at";
        fs::write(self.rig.path("inbox").join(name), format!("{header}\n{}\n", rows.join("\n"))).unwrap();
    }

    fn person(&self, verdict: ExceptionVerdict, kind: &str, subject: &str) {
        let mut store = self.rig.store();
        let wanted = match verdict {
            ExceptionVerdict::Resolve => store.open_exceptions().unwrap(),
            ExceptionVerdict::Reopen => store.exceptions().unwrap(),
        };
        let is_it = |facts: &etcp_recon::store::ExceptionFacts| {
            facts.kind == kind && facts.payment_id.as_ref().or(facts.order_id.as_ref()).is_some_and(|id| id == subject)
        };
        let row = wanted.iter().find(|row| is_it(&row.facts)).unwrap_or_else(|| {
            let known = etcp_recon::jobs::show::show(&store, subject).unwrap();
            let told = known
                .map(|story| etcp_recon::jobs::show::render(&story, etcp_recon::report::Lang::En, false).join("\n"));
            panic!("{kind} {subject}: {}", told.unwrap_or_default())
        });
        let word = PersonsWord { by: "Li", note: "by the script", at: self.rig.clock.now() };
        decide_exception(&mut store, row.id, verdict, word).unwrap();
    }

    fn write_bills(&mut self, night: u32) {
        let (rows, flow) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.flow));
        if !rows.is_empty() {
            self.write(&format!("till-{night}.csv"), &rows);
        }
        if !flow.is_empty() {
            self.write(&format!("flow-{night}.csv"), &flow);
        }
    }

    async fn run(&mut self, morning: u32, of: u32) {
        let finished = self.rig.run_of(&day(of).to_string()).await;
        self.ties(&finished, morning, of);
        for row in &finished.report.exception_rows {
            let subject = row.payment_id.clone().or(row.order_id.clone()).unwrap();
            let mornings = match row.status {
                ExceptionStatus::New => &mut self.told.entry((row.kind.clone(), subject)).or_default().0,
                ExceptionStatus::Resolved => &mut self.told.entry((row.kind.clone(), subject)).or_default().1,
                ExceptionStatus::Carried => continue,
            };
            mornings.push(morning);
        }
    }

    /// The run begins with what the one before left, adds up, and ends with what the database holds.
    fn ties(&mut self, finished: &Finished, morning: u32, of: u32) {
        let what = format!("morning {morning}, date {of}");
        assert_ne!(finished.status, RunStatus::Failed, "{what}");
        assert!(finished.summary.tie_out, "{what}");
        let store = self.rig.store();
        let kept = store.roll_forward(&finished.summary.run).unwrap().unwrap();
        let told = finished.report.exceptions;
        assert_eq!(
            (kept.opening, kept.new, kept.resolved, kept.closing),
            (told.opening, told.new, told.resolved, told.closing)
        );
        assert!(kept.holds(), "{what}: {kept:?}");
        assert_eq!(kept.opening, self.before.closing, "{what}");
        let mut open = etcp_recon::model::Total::default();
        store.open_exceptions().unwrap().iter().for_each(|row| open.add_fen(row.facts.stake().fen()));
        assert_eq!(kept.closing, open, "{what}");
        let listed = |status| finished.report.exception_rows.iter().filter(|row| row.status == status).count();
        let count = |count: usize| u64::try_from(count).unwrap();
        assert_eq!(kept.new.count, count(listed(ExceptionStatus::New)), "{what}");
        assert_eq!(kept.resolved.count, count(listed(ExceptionStatus::Resolved)), "{what}");
        assert_eq!(
            kept.closing.count,
            count(listed(ExceptionStatus::New) + listed(ExceptionStatus::Carried)),
            "{what}"
        );
        self.before = kept;
    }
}

/// Older dates to run again on a morning, shuffled: another few each time, some older than the window.
fn again(morning: u32) -> Vec<u32> {
    let mut dates: Vec<u32> = (morning.saturating_sub(10).max(1)..morning).collect();
    let mut state = u64::from(morning) * 2_654_435_761 + 12_345;
    for last in (1..dates.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        dates.swap(last, usize::try_from(state >> 33).unwrap() % (last + 1));
    }
    dates.truncate(3);
    dates
}

#[tokio::test]
async fn every_disagreement_of_a_month_is_told_once_as_new_and_once_as_resolved_and_every_night_ties_to_the_one_before()
{
    let mut script = script();
    let mut month = Month::new().await;
    for morning in 1..=NIGHTS {
        month.rig.clock.set(at(morning + 1, 37_800));
        for deed in script.deeds.remove(&morning).unwrap_or_default() {
            month.does(morning, deed);
        }
        month.write_bills(morning);
        month.run(morning, morning).await;
        if morning % 3 == 0 && !script.quiet.contains(&morning) {
            for of in again(morning) {
                month.run(morning, of).await;
            }
        }
        if morning % 10 == 0 {
            // What changes nothing is no link of the chain.
            let dry = month.rig.try_run(RunMode::DryRun).await.unwrap();
            assert_eq!(dry.report.exceptions.opening, dry.report.exceptions.closing);
        }
    }

    // What would have come on a later morning than the last is not told yet.
    let by_now = |mornings: &[u32]| mornings.iter().copied().filter(|morning| *morning <= NIGHTS).collect::<Vec<_>>();
    let mut expected: BTreeMap<(String, String), (Vec<u32>, Vec<u32>)> = BTreeMap::new();
    for one in &script.oracle {
        let (new, resolved) = expected.entry((one.kind.to_owned(), one.subject.clone())).or_default();
        new.extend(by_now(&one.new));
        resolved.extend(by_now(&one.resolved));
    }
    let wrong: Vec<_> = expected
        .keys()
        .chain(month.told.keys())
        .filter(|key| expected.get(key) != month.told.get(key))
        .map(|key| (key, expected.get(key), month.told.get(key)))
        .collect();
    assert!(
        wrong.is_empty(),
        "what, expected, told:\n{}",
        wrong.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>().join("\n")
    );
    let open: usize = expected.values().map(|(new, resolved)| new.len() - resolved.len()).sum();
    assert_eq!(month.before.closing.count, u64::try_from(open).unwrap(), "what was put in and never healed is open");
    let kinds: BTreeSet<&str> = script.oracle.iter().map(|one| one.kind).collect();
    assert!(kinds.len() == 16 && expected.len() > 50 && open >= 5, "every kind there is: {kinds:?}");
    assert!(month.rig.server.with_world(|world| world.violations().is_empty()));
    assert!(month.rig.store().verify_journal().unwrap().is_ok());
}
