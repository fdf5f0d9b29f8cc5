//! The world of `demo`: small, made by hand, and every disposition occurs in it.
//!
//! The script: (1) a live run of the date, (2) a person voids [`DemoWorld::void`] and the caller lets
//! time pass with [`DemoWorld::move_on`], (3) the date is run again. [`DemoWorld::expected`] says what
//! every payment and order is called then.

use super::fault::{Fault, FaultKind, FaultTarget};
use super::orders::{ParkingOrder, Stay};
use super::paper::{self, BillFile, BillLine, RosterLine};
use super::request::Interface;
use super::world::{Settings, World};
use crate::model::{Amount, BusinessDate, Disposition, ExternalOrderId, Mobile, OrderId, Plate, Side, Timestamp};

/// How many payments wait behind [`DemoNotify::max_per_run`]: two runs do not get through them.
const BACKLOG: u32 = 12;

/// The `[notify]` settings that the demo needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoNotify {
    /// Leaves some of the backlog due after two runs.
    pub max_per_run: u32,
    /// Holds two payments.
    pub max_amount: Amount,
    /// Is not reached.
    pub max_total: Amount,
    /// Short, so that the demo ends in seconds.
    pub settle_time_s: u32,
}

/// What a payment or order is called after the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Payment or order.
    pub side: Side,
    /// The payment id as it stands in the bill, or the order id.
    pub id: String,
    /// Its outcome.
    pub disposition: Disposition,
    /// What happened, in a few words.
    pub story: &'static str,
}

/// The demo's world and what belongs to it.
#[derive(Clone, Debug)]
pub struct DemoWorld {
    /// The platform, its faults set.
    pub world: World,
    /// The merchant's plates.
    pub roster: Vec<RosterLine>,
    /// `wechat-cashier-DATE.csv` (source `wechat-cashier`) and `wechat-ledger-DATE.csv` (source
    /// `wechat-ledger`, role ledger); both have a column `external_order_id`.
    pub bills: Vec<BillFile>,
    /// What `[notify]` must say.
    pub notify: DemoNotify,
    /// The notification that a person voids between the runs.
    pub void: ExternalOrderId,
    /// The outcomes after the script. Of the backlog only the first and the last stand here: how far
    /// a run gets is the deliverer's business.
    pub expected: Vec<Expected>,
    /// The payment whose ledger row tells another amount (`bill_disagrees`).
    pub disagreeing_payment: String,
    /// The refund without its payment (`refund_unmatched`).
    pub unmatched_refund: String,
    now: Timestamp,
    leaving_unpaid: OrderId,
    leaving_paid: OrderId,
    vanishing: OrderId,
}

impl DemoWorld {
    /// What happens between the two runs: a car whose booking was silently lost leaves and pays in cash, one that
    /// was notified leaves as it should, and an open order is in no list any more.
    pub fn move_on(&self, world: &mut World) {
        world.leave(&self.leaving_unpaid, self.now);
        world.leave(&self.leaving_paid, self.now);
        world.vanish(&self.vanishing);
    }

    /// A config to run against it.
    pub fn config_toml(&self, base_url: &str) -> String {
        let sources = "[[bills.source]]\nname = \"wechat-cashier\"\nprofile = \"generic\"\nfiles = \"wechat-cashier-*.csv\"\n\n\
                       [[bills.source]]\nname = \"wechat-ledger\"\nprofile = \"generic\"\nfiles = \"wechat-ledger-*.csv\"\nrole = \"ledger\"\n";
        let DemoNotify { max_per_run, max_amount, max_total, settle_time_s } = &self.notify;
        let notify = format!(
            "enabled = true\nmax_per_run = {max_per_run}\nmax_amount = \"{max_amount}\"\nmax_total = \"{max_total}\"\nsettle_time = \"{settle_time_s}s\"\n"
        );
        paper::config_toml(self.world.settings(), base_url, sources, &notify)
    }
}

/// The demo's world for `date`; `now` is when the runs take place, after the end of `date` and within six days of it.
pub fn demo_world(date: BusinessDate, now: Timestamp) -> DemoWorld {
    let mut scene = Scene::new(date);
    scene.both_books_agree();
    scene.the_books_differ();
    scene.refunds();
    scene.no_single_order_fits();
    scene.nobody_paid();
    let vanishing = scene.vanished();
    let told = scene.notifications();
    scene.backlog();
    let (disagreeing_payment, unmatched_refund) = scene.oddities_of_the_bills();
    DemoWorld {
        bills: scene.bills(&disagreeing_payment),
        world: scene.world,
        roster: scene.roster,
        notify: DemoNotify { max_per_run: 7, max_amount: yuan("100"), max_total: yuan("10000"), settle_time_s: 1 },
        void: told.void,
        expected: scene.expected,
        disagreeing_payment,
        unmatched_refund,
        now,
        leaving_unpaid: told.lost,
        leaving_paid: told.notified,
        vanishing,
    }
}

fn yuan(text: &str) -> Amount {
    text.parse().expect("the amounts of the demo are amounts")
}

fn inside(fee: &str, paid: &str) -> Stay {
    Stay::Inside { fee: yuan(fee), paid: yuan(paid) }
}

/// A car of the roster.
struct Car {
    plate: Plate,
    printed: String,
    mobile: Mobile,
}

/// What the script needs to know of the notifications.
struct Told {
    void: ExternalOrderId,
    lost: OrderId,
    notified: OrderId,
}

struct Scene {
    date: BusinessDate,
    world: World,
    roster: Vec<RosterLine>,
    lines: Vec<BillLine>,
    expected: Vec<Expected>,
    orders: u32,
    payments: u32,
}

impl Scene {
    fn new(date: BusinessDate) -> Self {
        let mut world = World::new(Settings::default());
        for lot in paper::lots() {
            world.add_lot(lot);
        }
        Self { date, world, roster: Vec::new(), lines: Vec::new(), expected: Vec::new(), orders: 0, payments: 0 }
    }

    /// `07:05` of the date.
    fn at(&self, clock: &str) -> Timestamp {
        Timestamp::parse_wall(&format!("{} {clock}", self.date)).expect("the times of the demo are times")
    }

    fn left(&self, fee: &str, cash: &str, exit: &str) -> Stay {
        Stay::Left { fee: yuan(fee), cash: yuan(cash), exit_at: self.at(exit) }
    }

    /// Another car; three share a user.
    fn car(&mut self) -> Car {
        let index = u32::try_from(self.roster.len()).unwrap_or(u32::MAX);
        let (plate, mobile) = (paper::plate(index.saturating_add(300)), paper::mobile(index / 3));
        let color = if plate.as_str().chars().count() == 8 { 4 } else { 1 };
        self.world.bind(&mobile, &plate, color);
        self.roster.push(RosterLine { mobile: mobile.clone(), plate: plate.clone(), color });
        Car { printed: paper::printed(&plate, index), plate, mobile }
    }

    fn order_of(&mut self, car: &Car, entrance: &str, stay: Stay) -> OrderId {
        self.orders = self.orders.saturating_add(1);
        let order_id = paper::order_id(&format!("demo {} order {}", self.date, self.orders));
        let lots = [("3126", "ETCP停车场"), ("10361002", "解放碑停车场"), ("3188", "江北机场T3停车楼")];
        let skipped = usize::try_from(self.orders % 3).unwrap_or_default();
        let (parking_id, parking_name) = lots.into_iter().nth(skipped).unwrap_or_default();
        self.world.add_order(ParkingOrder {
            order_id: order_id.clone(),
            plate: car.printed.clone(),
            mobile: car.mobile.clone(),
            parking_id: parking_id.into(),
            parking_name: parking_name.into(),
            entrance_at: self.at(entrance),
            stay,
        });
        order_id
    }

    /// A stay of a car of its own, with what it will be called.
    fn order(&mut self, entrance: &str, stay: Stay, disposition: Disposition, story: &'static str) -> (Car, OrderId) {
        let car = self.car();
        let order_id = self.order_of(&car, entrance, stay);
        self.expect(Side::Order, order_id.as_str().to_owned(), disposition, story);
        (car, order_id)
    }

    fn expect(&mut self, side: Side, id: String, disposition: Disposition, story: &'static str) {
        self.expected.push(Expected { side, id, disposition, story });
    }

    /// A row of the bill, of no order yet.
    fn line(&mut self, plate: &Plate, amount: &str, at: &str) -> BillLine {
        self.payments = self.payments.saturating_add(1);
        let day = self.date.start().format("%Y%m%d");
        BillLine {
            payment_id: format!("42000{day}{:04}", self.payments),
            external_order_id: format!("SH{day}{:04}", self.payments),
            plate: plate.as_str().to_owned(),
            amount: amount.to_owned(),
            status: "success",
            paid_at: self.at(at),
            channel: "wxpay",
            ..BillLine::default()
        }
    }

    fn push(&mut self, line: BillLine, disposition: Disposition, story: &'static str) -> BillLine {
        self.expect(Side::Payment, line.payment_id.clone(), disposition, story);
        self.lines.push(line.clone());
        line
    }

    /// A payment for an order, with what it will be called.
    fn pay(
        &mut self,
        (car, order_id): &(Car, OrderId),
        (amount, at): (&str, &str),
        disposition: Disposition,
        story: &'static str,
    ) -> BillLine {
        let line = BillLine { order_id: order_id.as_str().to_owned(), ..self.line(&car.plate, amount, at) };
        self.push(line, disposition, story)
    }

    fn refund_row(&mut self, payment: &BillLine, amount: &str, at: &str) {
        let line = BillLine {
            refund_id: format!("R{}", payment.payment_id),
            refund_amount: amount.to_owned(),
            status: "refund",
            paid_at: self.at(at),
            ..payment.clone()
        };
        self.lines.push(line);
    }

    fn both_books_agree(&mut self) {
        use Disposition::Settled;
        let story = "paid once, booked once";
        let stay = self.order("08:10", self.left("8.50", "0", "09:32"), Settled, story);
        self.pay(&stay, ("8.50", "09:28"), Settled, story);

        let story = "two payments, booked together";
        let stay = self.order("08:20", self.left("12.00", "0", "11:15"), Settled, story);
        self.pay(&stay, ("7.00", "10:05"), Settled, story);
        self.pay(&stay, ("5.00", "11:10"), Settled, story);

        let story = "partly refunded, and the rest is what is booked";
        let stay = self.order("09:00", self.left("5.00", "0", "10:20"), Settled, story);
        let line = self.pay(&stay, ("8.00", "10:12"), Settled, story);
        self.refund_row(&line, "3.00", "10:40");

        let story = "the bill has a plate only, and one stay fits";
        let (car, _) = self.order("10:00", self.left("6.00", "0", "11:00"), Settled, story);
        let line = self.line(&car.plate, "6.00", "10:55");
        self.push(line, Settled, story);
    }

    fn the_books_differ(&mut self) {
        use Disposition::{AmountMismatch, DuplicatePayment, OrderNotFound, PaidTwice, Settled, Unverifiable};
        let story = "paid before the fee grew";
        let stay = self.order("10:10", inside("12.00", "0"), AmountMismatch, story);
        self.pay(&stay, ("10.00", "12:05"), AmountMismatch, story);
        let story = "less is booked than was paid";
        let stay = self.order("11:10", self.left("8.00", "0", "12:30"), AmountMismatch, story);
        self.pay(&stay, ("9.00", "12:22"), AmountMismatch, story);

        let story = "paid twice by phone: the second is owed back";
        let stay = self.order("11:20", self.left("8.00", "0", "12:50"), Settled, story);
        self.pay(&stay, ("8.00", "12:44"), Settled, story);
        self.pay(&stay, ("8.00", "12:46"), DuplicatePayment, story);

        let story = "paid by phone and in cash at the exit: one is owed back";
        let stay = self.order("12:00", self.left("9.00", "9.00", "13:15"), PaidTwice, story);
        self.pay(&stay, ("9.00", "13:10"), PaidTwice, story);

        let car = self.car();
        let unknown = paper::order_id(&format!("demo {} unknown order", self.date));
        self.pay(&(car, unknown), ("7.50", "13:20"), OrderNotFound, "the platform does not know the order");

        let plate = Plate::parse("京N8X2K6").expect("seven characters are a plate");
        let stranger = Car { printed: String::new(), plate, mobile: paper::mobile(0) };
        let elsewhere = paper::order_id(&format!("demo {} order elsewhere", self.date));
        self.pay(&(stranger, elsewhere), ("6.00", "13:25"), Unverifiable, "the plate is in no roster, so nobody asked");
    }

    fn refunds(&mut self) {
        use Disposition::{Refunded, RefundedAfterSettlement, Settled};
        let story = "paid, given back, paid again";
        let stay = self.order("13:00", self.left("6.50", "0", "14:20"), Settled, story);
        let first = self.pay(&stay, ("6.50", "14:02"), Refunded, story);
        self.pay(&stay, ("6.50", "14:15"), Settled, story);
        self.refund_row(&first, "6.50", "14:05");

        let story = "given back, and the platform still books it";
        let stay = self.order("13:10", self.left("7.00", "0", "14:40"), RefundedAfterSettlement, story);
        let line = self.pay(&stay, ("7.00", "14:33"), RefundedAfterSettlement, story);
        self.refund_row(&line, "7.00", "16:00");
    }

    fn no_single_order_fits(&mut self) {
        use Disposition::{Ambiguous, ConflictingRecord};
        let story = "the bill has a plate only, and two stays fit";
        let (car, _) = self.order("08:00", self.left("5.00", "0", "09:00"), Ambiguous, story);
        let second = self.order_of(&car, "09:10", self.left("5.00", "0", "09:50"));
        self.expect(Side::Order, second.as_str().to_owned(), Ambiguous, story);
        let line = self.line(&car.plate, "5.00", "09:20");
        self.push(line, Ambiguous, story);

        let story = "two rows of one payment tell two amounts";
        let stay = self.order("14:00", self.left("8.00", "0", "15:20"), ConflictingRecord, story);
        let line = self.pay(&stay, ("8.00", "15:12"), ConflictingRecord, story);
        self.lines.push(BillLine { amount: "8.80".into(), ..line });
    }

    fn nobody_paid(&mut self) {
        use Disposition::{Cash, Free, PaymentMissing, Unpaid};
        self.order("14:10", self.left("7.00", "0", "15:40"), PaymentMissing, "booked, and no bill knows of it");
        self.order("15:00", inside("6.00", "0"), Unpaid, "the car is inside");
        self.order("15:10", self.left("10.00", "10.00", "17:30"), Cash, "paid in cash at the exit");
        self.order("15:20", self.left("0", "0", "15:31"), Free, "left within the free minutes");
    }

    fn vanished(&mut self) -> OrderId {
        let story = "seen inside by the first run, in neither list by the second";
        self.order("15:30", inside("4.00", "0"), Disposition::Vanished, story).1
    }

    fn fault(&mut self, order_id: &OrderId, kind: FaultKind) {
        let fault = Fault::times(Interface::OrderPaid, kind, 1);
        self.world.add_fault(fault.for_target(FaultTarget::Order(order_id.clone())));
    }

    /// Payments that the platform must be told of; the oldest of the day, so that no limit keeps them back.
    fn notifications(&mut self) -> Told {
        use Disposition::{NotificationLost, Notified, NotifyHeld, NotifyRejected, NotifyUnknown, WrittenOff};
        let story = "told, and booked";
        let notified = self.order("06:00", inside("8.00", "0"), Notified, story);
        self.pay(&notified, ("8.00", "07:05"), Notified, story);

        let story = "told, no answer came, and the car is gone without a record";
        let unknown = self.order("06:05", inside("5.50", "0"), NotifyUnknown, story);
        self.pay(&unknown, ("5.50", "07:10"), NotifyUnknown, story);
        self.fault(&unknown.1, FaultKind::Vanish);

        let story = "told and acknowledged, never booked, and the driver paid in cash";
        let lost = self.order("06:10", inside("9.50", "0"), NotificationLost, story);
        self.pay(&lost, ("9.50", "07:15"), NotificationLost, story);
        self.fault(&lost.1, FaultKind::LoseBooking);

        let story = "told, and refused with code 20102";
        let rejected = self.order("06:15", inside("6.50", "0"), NotifyRejected, story);
        self.pay(&rejected, ("6.50", "07:20"), NotifyRejected, story);
        self.fault(&rejected.1, FaultKind::AnswerCode(20102));

        let story = "more than max_amount: a person has to release it";
        let large = self.order("06:20", inside("120.00", "0"), NotifyHeld, story);
        self.pay(&large, ("120.00", "07:25"), NotifyHeld, story);

        let story = "its external order id has characters that the platform may not take";
        let odd = self.order("06:25", inside("7.50", "0"), NotifyHeld, story);
        let mut line = BillLine { order_id: odd.1.as_str().to_owned(), ..self.line(&odd.0.plate, "7.50", "07:30") };
        line.external_order_id.push_str("/补");
        self.push(line, NotifyHeld, story);

        let story = "more than max_amount, and a person voided it";
        let voided = self.order("06:30", inside("150.00", "0"), WrittenOff, story);
        let line = self.pay(&voided, ("150.00", "07:35"), WrittenOff, story);
        let void = ExternalOrderId::new(&line.external_order_id).expect("an id is not empty");
        Told { void, lost: lost.1, notified: notified.1 }
    }

    /// More payments than two runs may notify; they are the youngest of the day.
    fn backlog(&mut self) {
        for index in 0..BACKLOG {
            let minute = index.saturating_mul(3);
            let (entrance, paid_at) = (format!("18:{minute:02}"), format!("20:{minute:02}"));
            let fee = format!("{}.50", index.saturating_add(3));
            let car = self.car();
            let order_id = self.order_of(&car, &entrance, inside(&fee, "0"));
            let line = BillLine { order_id: order_id.as_str().to_owned(), ..self.line(&car.plate, &fee, &paid_at) };
            let outcome = match index {
                0..5 => Some((Disposition::Notified, "told, and booked")),
                5..10 => None,
                _ => Some((Disposition::NotifyDue, "more than max_per_run: the next run tells it")),
            };
            if let Some((disposition, story)) = outcome {
                self.expect(Side::Order, order_id.as_str().to_owned(), disposition, story);
                self.expect(Side::Payment, line.payment_id.clone(), disposition, story);
            }
            self.lines.push(line);
        }
    }

    /// A payment that the ledger tells otherwise, a refund of nothing, a bad row, and an order that was never paid.
    fn oddities_of_the_bills(&mut self) -> (String, String) {
        let story = "booked as the trade bill says; the ledger tells another amount";
        let stay = self.order("16:00", self.left("11.00", "0", "17:50"), Disposition::Settled, story);
        let disagreeing = self.pay(&stay, ("11.00", "17:41"), Disposition::Settled, story).payment_id;

        let plate = stay.0.plate;
        let mut refund = self.line(&plate, "4.00", "17:00");
        (refund.refund_id, refund.status) = (format!("R{}", refund.payment_id), "refund");
        let unmatched = refund.refund_id.clone();
        self.lines.push(refund);

        let bad = BillLine { amount: "八元".into(), ..self.line(&plate, "", "17:10") };
        let closed = BillLine { status: "closed", ..self.line(&plate, "4.00", "17:20") };
        self.lines.extend([bad, closed]);
        (disagreeing, unmatched)
    }

    /// The cashier's bill, and the ledger: the same payments once more under the ledger's own ids. Rows in
    /// conflict are left out of it.
    fn bills(&self, disagreeing: &str) -> Vec<BillFile> {
        let mut lines = self.lines.clone();
        lines.sort_by_key(|line| line.paid_at);
        let is_told_once = |line: &&BillLine| {
            line.status == "success"
                && line.amount.parse::<Amount>().is_ok()
                && lines.iter().filter(|other| other.status == "success" && other.payment_id == line.payment_id).count()
                    == 1
        };
        let ledger: Vec<_> = lines.iter().filter(is_told_once).map(|line| ledger_line(line, disagreeing)).collect();
        let file = |name: &str, lines: &[BillLine]| BillFile {
            name: format!("{name}-{}.csv", self.date),
            text: paper::bill_csv(lines),
        };
        vec![file("wechat-cashier", &lines), file("wechat-ledger", &ledger)]
    }
}

/// The ledger's row of a payment: no order, no plate, an id of its own.
fn ledger_line(line: &BillLine, disagreeing: &str) -> BillLine {
    let amount = if line.payment_id == disagreeing { "10.00".to_owned() } else { line.amount.clone() };
    BillLine {
        payment_id: format!("L{}", line.payment_id),
        order_id: String::new(),
        plate: String::new(),
        amount,
        ..line.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo() -> DemoWorld {
        demo_world("2026-11-22".parse().unwrap(), Timestamp::parse_wall("2026-11-23 10:30:00").unwrap())
    }

    #[test]
    fn every_disposition_is_expected_on_every_side_it_has_here() {
        let demo = demo();
        for disposition in Disposition::ALL {
            assert!(demo.expected.iter().any(|expected| expected.disposition == *disposition), "{disposition:?}");
        }
        for expected in &demo.expected {
            assert!(expected.disposition.applies_to(expected.side), "{expected:?}");
        }
    }

    #[test]
    fn everything_expected_stands_in_a_bill_or_on_the_platform() {
        let demo = demo();
        let cashier = &demo.bills[0].text;
        for expected in &demo.expected {
            match expected.side {
                Side::Payment => assert!(cashier.contains(&expected.id), "{expected:?}"),
                Side::Order => assert!(demo.world.order(&OrderId::new(&expected.id).unwrap()).is_some()),
            }
        }
        assert!(cashier.contains(&demo.disagreeing_payment) && cashier.contains(&demo.unmatched_refund));
        assert!(cashier.contains(demo.void.as_str()));
        assert_eq!(demo.bills[1].name, "wechat-ledger-2026-11-22.csv");
    }

    #[test]
    fn time_moves_on_as_told() {
        let demo = demo();
        let mut world = demo.world.clone();
        demo.move_on(&mut world);
        let stay = |order_id| world.order(order_id).unwrap().stay;
        assert_eq!(stay(&demo.leaving_unpaid), Stay::Left { fee: yuan("9.50"), cash: yuan("9.50"), exit_at: demo.now });
        assert_eq!(stay(&demo.vanishing), Stay::Vanished);
    }
}
