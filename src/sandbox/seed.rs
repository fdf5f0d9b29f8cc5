//! A world from a seed, together with its bills and roster: the same seed gives the same world and
//! the same bytes on every machine.
//!
//! Every kind of stay occurs in it that a night has to tell apart; which payments the platform must
//! be told of is known beforehand.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::orders::{ParkingOrder, Stay};
use super::paper::{self, BillFile, BillLine, ExpectedDue, RosterLine};
use super::world::{Settings, World};
use crate::model::{Amount, BusinessDate, ExternalOrderId, Mobile, Plate, Timestamp};

/// How large a world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Users, with one to three plates each.
    pub users: u32,
    /// Parking stays.
    pub orders: u32,
}

impl Size {
    /// A few minutes of reading.
    pub const SMALL: Self = Self { users: 20, orders: 120 };
}

/// How many plates a user has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlatesPerUser {
    /// One, two or three, as it happens.
    OneToThree,
    /// So many, each of them; 1 to 3 are within the document's limit.
    Each(u32),
}

/// A world and what belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeededWorld {
    /// The platform.
    pub world: World,
    /// The merchant's plates.
    pub roster: Vec<RosterLine>,
    /// One bill for each channel; each has a column `external_order_id`.
    pub bills: Vec<BillFile>,
    /// What a run of the date must notify: each once, nothing else; the oldest payment first, then by payment id.
    pub expected_due: Vec<ExpectedDue>,
}

impl SeededWorld {
    /// A config to run against it.
    pub fn config_toml(&self, base_url: &str) -> String {
        let sources = "[[bills.source]]\nname = \"wechat-cashier\"\nprofile = \"generic\"\nfiles = \"wechat-cashier-*.csv\"\n\n\
                       [[bills.source]]\nname = \"alipay-cashier\"\nprofile = \"generic\"\nfiles = \"alipay-cashier-*.csv\"\n";
        paper::config_toml(self.world.settings(), base_url, sources, "enabled = true\n")
    }
}

/// What a stay and its payments look like.
#[derive(Clone, Copy)]
enum Kind {
    Settled,
    SettledInside,
    SettledByPlate,
    SettledInTwo,
    Due,
    DueAfterPlatformPayment,
    DueAndDuplicate,
    Unpaid,
    Cash,
    Free,
    Missing,
    PaidLess,
    RefundedInside,
    Duplicate,
    PaidTwice,
    NotFound,
}

/// How often each kind occurs, in a hundred.
const WEIGHTS: [(Kind, u32); 16] = [
    (Kind::Settled, 34),
    (Kind::SettledInside, 4),
    (Kind::SettledByPlate, 8),
    (Kind::SettledInTwo, 3),
    (Kind::Due, 20),
    (Kind::DueAfterPlatformPayment, 4),
    (Kind::DueAndDuplicate, 2),
    (Kind::Unpaid, 5),
    (Kind::Cash, 5),
    (Kind::Free, 3),
    (Kind::Missing, 2),
    (Kind::PaidLess, 2),
    (Kind::RefundedInside, 2),
    (Kind::Duplicate, 2),
    (Kind::PaidTwice, 2),
    (Kind::NotFound, 2),
];

/// How many plates a roster may have before its stays: those behind them belong to single stays.
pub const MOST_PLATES: u32 = 400_000;

/// The stays of `date` and their payments. All of them lie on `date` and more than an hour before its end.
pub fn seeded(seed: u64, date: BusinessDate, size: Size) -> SeededWorld {
    seeded_with(seed, date, size, PlatesPerUser::OneToThree)
}

/// [`seeded`], where users have as many plates as told. Up to [`MOST_PLATES`] plates are distinct.
pub fn seeded_with(seed: u64, date: BusinessDate, size: Size, plates_per_user: PlatesPerUser) -> SeededWorld {
    let mut builder = Builder::new(seed, date);
    let plates = builder.fill_roster(size.users, plates_per_user);
    for index in 0..size.orders {
        builder.add_stay(index, &plates);
    }
    builder.finish()
}

struct Builder {
    rng: ChaCha8Rng,
    seed: u64,
    date: BusinessDate,
    world: World,
    roster: Vec<RosterLine>,
    wechat: Vec<BillLine>,
    alipay: Vec<BillLine>,
    due: Vec<(ExpectedDue, String)>,
    payments: u32,
}

/// One stay in the making.
struct Draft {
    order: ParkingOrder,
    fee: Amount,
    paid_at: Timestamp,
    plate: Plate,
}

impl Builder {
    fn new(seed: u64, date: BusinessDate) -> Self {
        let mut world = World::new(Settings::default());
        for lot in paper::lots() {
            world.add_lot(lot);
        }
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            seed,
            date,
            world,
            roster: Vec::new(),
            wechat: Vec::new(),
            alipay: Vec::new(),
            due: Vec::new(),
            payments: 0,
        }
    }

    /// Users with their plates, bound through the merchant's channel.
    fn fill_roster(&mut self, users: u32, plates_per_user: PlatesPerUser) -> Vec<(Mobile, Plate)> {
        let mut plates = Vec::new();
        for user in 0..users.max(1) {
            let mobile = paper::mobile(user);
            self.world.add_user(mobile.clone());
            let count = match plates_per_user {
                PlatesPerUser::OneToThree => self.rng.random_range(1..=3_u32),
                PlatesPerUser::Each(count) => count,
            };
            for _ in 0..count {
                let plate = paper::plate(u32::try_from(plates.len()).unwrap_or(u32::MAX));
                let color = if plate.as_str().chars().count() == 8 { 4 } else { 1 };
                self.enter(&mobile, &plate, color);
                plates.push((mobile.clone(), plate));
            }
        }
        plates
    }

    /// Binds a plate, on the platform and in the roster.
    fn enter(&mut self, mobile: &Mobile, plate: &Plate, color: u8) {
        self.world.bind(mobile, plate, color);
        self.roster.push(RosterLine { mobile: mobile.clone(), plate: plate.clone(), color });
    }

    fn kind(&mut self) -> Kind {
        let mut ticket = self.rng.random_range(0..100_u32);
        for (kind, weight) in WEIGHTS {
            if ticket < weight {
                return kind;
            }
            ticket = ticket.saturating_sub(weight);
        }
        Kind::Settled
    }

    /// A whole or half yuan between 2 and 60.
    fn fee(&mut self) -> Amount {
        Amount::from_fen(self.rng.random_range(4..=120_i64).saturating_mul(50)).unwrap_or(Amount::ZERO)
    }

    fn draft(&mut self, index: u32, plates: &[(Mobile, Plate)]) -> Draft {
        let drawn = self.rng.random_range(0..plates.len());
        let (mobile, plate) = plates.get(drawn).cloned().unwrap_or_else(|| (paper::mobile(0), paper::plate(0)));
        let fee = self.fee();
        let paid_at = self.date.start().plus_s(self.rng.random_range(6 * 3600..22 * 3600_i64));
        let lot = self.rng.random_range(1..=4_u32);
        let order = ParkingOrder {
            order_id: paper::order_id(&format!("seed {} {} order {index}", self.seed, self.date)),
            plate: paper::printed(&plate, index),
            mobile,
            parking_id: lot.saturating_add(3125).to_string(),
            parking_name: format!("解放碑{lot}号停车场"),
            entrance_at: paid_at.plus_s(self.rng.random_range(-4 * 3600..=-600_i64)),
            stay: Stay::Inside { fee, paid: Amount::ZERO },
        };
        Draft { order, fee, paid_at, plate }
    }

    fn add_stay(&mut self, index: u32, plates: &[(Mobile, Plate)]) {
        let mut draft = self.draft(index, plates);
        let fee = draft.fee;
        let exit_at = draft.paid_at.plus_s(self.rng.random_range(60..900_i64));
        let left = |cash| Stay::Left { fee, cash, exit_at };
        let kind = self.kind();
        match kind {
            Kind::Settled => {
                draft.order.stay = left(Amount::ZERO);
                self.pay(&draft, fee, 0);
            }
            Kind::SettledInside => {
                draft.order.stay = Stay::Inside { fee, paid: fee };
                self.pay(&draft, fee, 0);
            }
            Kind::SettledByPlate => {
                draft.order.stay = left(Amount::ZERO);
                self.pay_by_plate(&mut draft, index);
            }
            Kind::SettledInTwo => {
                draft.order.stay = left(Amount::ZERO);
                let first = Amount::from_fen(100).unwrap_or(Amount::ZERO);
                self.pay(&draft, first, -60);
                self.pay(&draft, fee.checked_sub(first).unwrap_or(fee), 0);
            }
            Kind::Due => self.pay_due(&draft, fee),
            Kind::DueAfterPlatformPayment => {
                let paid = Amount::from_fen(150).unwrap_or(Amount::ZERO);
                draft.order.stay = Stay::Inside { fee, paid };
                self.pay_due_unless_settled(&draft, paid);
            }
            Kind::DueAndDuplicate => {
                self.pay_due(&draft, fee);
                self.pay(&draft, fee, 30);
            }
            Kind::Unpaid => {}
            Kind::Cash => draft.order.stay = left(fee),
            Kind::Free => draft.order.stay = Stay::Left { fee: Amount::ZERO, cash: Amount::ZERO, exit_at },
            Kind::Missing => draft.order.stay = left(Amount::ZERO),
            Kind::PaidLess => {
                let less = fee.checked_sub(Amount::from_fen(50).unwrap_or(Amount::ZERO)).unwrap_or(fee);
                self.pay(&draft, less, 0);
            }
            Kind::RefundedInside => {
                let line = self.pay(&draft, fee, 0);
                self.refund(&line, fee);
            }
            Kind::Duplicate => {
                draft.order.stay = left(Amount::ZERO);
                self.pay(&draft, fee, 0);
                self.pay(&draft, fee, 45);
            }
            Kind::PaidTwice => {
                draft.order.stay = left(fee);
                self.pay(&draft, fee, 0);
            }
            Kind::NotFound => {
                self.pay(&draft, fee, 0);
                return;
            }
        }
        self.world.add_order(draft.order);
    }

    /// Adds one payment to the bill of its channel.
    fn pay(&mut self, draft: &Draft, amount: Amount, offset_s: i64) -> BillLine {
        self.payments = self.payments.saturating_add(1);
        let is_wechat = self.rng.random_range(0..10_u32) < 6;
        let day = self.date.start().format("%Y%m%d");
        let line = BillLine {
            payment_id: format!("{}{day}{:06}", if is_wechat { "42000" } else { "22001" }, self.payments),
            external_order_id: format!("SH{day}{:06}", self.payments),
            order_id: draft.order.order_id.as_str().to_owned(),
            plate: draft.plate.as_str().to_owned(),
            amount: amount.to_string(),
            status: "success",
            paid_at: draft.paid_at.plus_s(offset_s),
            channel: if is_wechat { "wxpay" } else { "alipay" },
            ..BillLine::default()
        };
        self.bill(&line).push(line.clone());
        line
    }

    fn bill(&mut self, line: &BillLine) -> &mut Vec<BillLine> {
        if line.channel == "wxpay" { &mut self.wechat } else { &mut self.alipay }
    }

    fn refund(&mut self, payment: &BillLine, amount: Amount) {
        let line = BillLine {
            refund_id: format!("R{}", payment.payment_id),
            refund_amount: amount.to_string(),
            status: "refund",
            paid_at: payment.paid_at.plus_s(120),
            ..payment.clone()
        };
        self.bill(payment).push(line);
    }

    fn pay_due(&mut self, draft: &Draft, amount: Amount) {
        let line = self.pay(draft, amount, 0);
        let expected = ExpectedDue {
            external_order_id: ExternalOrderId::new(&line.external_order_id).expect("an id is not empty"),
            order_id: draft.order.order_id.clone(),
            amount,
            paid_at: line.paid_at,
        };
        self.due.push((expected, line.payment_id));
    }

    /// Pays what is left. When that equals what was paid elsewhere, the payment may as well be the one
    /// that the platform shows, and nothing is due.
    fn pay_due_unless_settled(&mut self, draft: &Draft, paid_elsewhere: Amount) {
        let rest = draft.fee.checked_sub(paid_elsewhere).unwrap_or(draft.fee);
        if rest == paid_elsewhere {
            self.pay(draft, rest, 0);
        } else {
            self.pay_due(draft, rest);
        }
    }

    /// A payment without an order id, of a car that has no other stay: it is not in the roster's draw.
    fn pay_by_plate(&mut self, draft: &mut Draft, index: u32) {
        // Plates from here on belong to this kind alone, so that one stay fits and no other.
        let plate = paper::plate(index.saturating_add(400_000));
        let mobile = paper::mobile(index.saturating_add(400_000));
        self.enter(&mobile, &plate, 1);
        draft.order.plate = paper::printed(&plate, index);
        draft.order.mobile = mobile;
        draft.plate = plate;
        let fee = draft.fee;
        let line = self.pay(draft, fee, 0);
        if let Some(last) = self.bill(&line).last_mut() {
            last.order_id.clear();
        }
    }

    fn finish(mut self) -> SeededWorld {
        self.due.sort_by(|(a, a_id), (b, b_id)| (a.paid_at, a_id).cmp(&(b.paid_at, b_id)));
        let bill = |channel: &str, lines: &[BillLine]| BillFile {
            name: format!("{channel}-cashier-{}.csv", self.date),
            text: paper::bill_csv(lines),
        };
        let bills = vec![bill("wechat", &self.wechat), bill("alipay", &self.alipay)];
        let expected_due = self.due.into_iter().map(|(due, _)| due).collect();
        SeededWorld { world: self.world, roster: self.roster, bills, expected_due }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date() -> BusinessDate {
        "2026-11-22".parse().unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_world_and_the_same_bytes() {
        assert_eq!(seeded(7, date(), Size::SMALL), seeded(7, date(), Size::SMALL));
        assert_ne!(seeded(7, date(), Size::SMALL).bills, seeded(8, date(), Size::SMALL).bills);
    }

    #[test]
    fn a_seed_is_pinned_so_that_a_reported_one_can_be_replayed() {
        let bill = seeded(1, date(), Size::SMALL).bills[0].text.clone();
        let first = "4200020261122000001,SH20261122000001,,渝E00000,57.00,,,success,2026-11-22 19:21:57,wxpay";
        assert_eq!(bill.lines().nth(1), Some(first));
    }

    #[test]
    fn all_that_is_due_is_due_in_the_world_too() {
        let seeded = seeded(3, date(), Size { users: 200, orders: 2000 });
        assert!(seeded.expected_due.len() > 300);
        for due in &seeded.expected_due {
            assert_eq!(seeded.world.order(&due.order_id).unwrap().due(), Some(due.amount));
        }
        assert!(seeded.expected_due.is_sorted_by_key(|due| due.paid_at));
        let text: String = seeded.bills.iter().map(|bill| bill.text.as_str()).collect();
        assert!(seeded.expected_due.iter().all(|due| text.contains(due.external_order_id.as_str())));
    }

    #[test]
    fn every_user_has_as_many_plates_as_told_and_they_are_bound() {
        let seeded = seeded_with(5, date(), Size { users: 50, orders: 0 }, PlatesPerUser::Each(2));
        assert_eq!((seeded.world.users().count(), seeded.roster.len()), (50, 100));
        for pair in seeded.roster.chunks(2) {
            assert_eq!(seeded.world.plates_of(&pair[0].mobile), [pair[0].plate.clone(), pair[1].plate.clone()]);
        }
    }

    #[test]
    fn everything_lies_on_the_day() {
        let seeded = seeded(5, date(), Size { users: 50, orders: 500 });
        for order in seeded.world.orders() {
            assert_eq!(order.entrance_at.business_date(), date());
            if let Stay::Left { exit_at, .. } = order.stay {
                assert_eq!(exit_at.business_date(), date());
            }
        }
    }

    #[test]
    fn plates_and_users_of_the_roster_are_distinct_and_known() {
        let seeded = seeded(5, date(), Size { users: 50, orders: 500 });
        let mut plates: Vec<_> = seeded.roster.iter().map(|line| line.plate.clone()).collect();
        let count = plates.len();
        plates.sort();
        plates.dedup();
        assert_eq!(plates.len(), count);
        assert!(seeded.roster.iter().all(|line| seeded.world.users().any(|user| *user == line.mobile)));
    }
}
