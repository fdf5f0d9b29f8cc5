//! A merchant for tests: a scratch folder with a config, bills and a roster, and a sandbox platform on a real socket.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use etcp_recon::clock::Clock;
use etcp_recon::config::{self, Settings};
use etcp_recon::jobs::progress::Silent;
use etcp_recon::jobs::run::{self, Finished, RunOptions, open_store};
use etcp_recon::model::{Amount, BusinessDate, Disposition, ExternalOrderId, Mobile, OrderId, Plate, Timestamp};
use etcp_recon::sandbox::server::Server;
use etcp_recon::sandbox::{Fault, ParkingOrder, Stay, World, world};
use etcp_recon::store::{RosterPlate, RunMode, Store};

/// The date that tests reconcile; "now" is the next morning.
pub const DATE: &str = "2026-11-22";

/// A merchant and its platform.
pub struct Rig {
    dir: tempfile::TempDir,
    pub server: Server,
    pub clock: Clock,
    /// Lines added to the sections of the config.
    pub platform: String,
    pub notify: String,
    pub extra: String,
    pub key: String,
}

impl Rig {
    /// An empty platform, an empty inbox, notifications on.
    pub async fn new() -> Self {
        let clock = Clock::fixed(at("2026-11-23 10:30:00"));
        let world = World::new(world::Settings::default());
        let server = Server::start(Arc::new(Mutex::new(world)), "127.0.0.1:0".parse().unwrap(), clock.clone()).await;
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("inbox")).unwrap();
        let key = world::Settings::default().merchant_key;
        let platform = "retries = 0\nmax_requests_per_second = 5000".to_owned();
        Self { dir, server: server.unwrap(), clock, platform, notify: String::new(), extra: String::new(), key }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes the config and reads it back as the program does.
    pub fn settings(&self) -> Settings {
        let (platform, notify, extra) = (&self.platform, &self.notify, &self.extra);
        let (key, base) = (&self.key, self.server.base_url());
        let merchant_no = self.server.with_world(|w| w.settings().merchant_no.clone());
        let text = format!(
            "[merchant]\nmerchant_no = {merchant_no:?}\nmerchant_key = {key:?}\napp_id = \"ETCP\"\n\
             [platform]\nbase_url = {base:?}\ntimeout = \"2s\"\n{platform}\n\
             [report]\nlanguage = \"en\"\n[notify]\nenabled = true\nsettle_time = \"0s\"\n{notify}\n\
             {extra}\n"
        );
        let file = self.path("etcp-recon.toml");
        fs::write(&file, text).unwrap();
        config::load_file(&file, &|_| None).unwrap()
    }

    pub fn store(&self) -> Store {
        open_store(&self.settings()).unwrap()
    }

    /// Binds a plate to a user, on the platform and in the roster.
    pub fn bind(&self, mobile: &str, plate: &str) {
        let mobile = Mobile::parse(mobile).unwrap();
        let plate = Plate::parse(plate).unwrap();
        self.server.with_world(|w| w.bind(&mobile, &plate, 1));
        let entry = RosterPlate { plate, mobile, color: 1 };
        self.store().merge_roster(&[entry], false).unwrap();
    }

    /// A parking stay of a plate of `13800000001`, with its stay.
    pub fn order(&self, id: &str, plate: &str, entrance: &str, stay: Stay) {
        self.order_of("13800000001", id, plate, entrance, stay);
    }

    /// A parking stay of a plate of `mobile`.
    pub fn order_of(&self, mobile: &str, id: &str, plate: &str, entrance: &str, stay: Stay) {
        let order = ParkingOrder {
            order_id: OrderId::new(id).unwrap(),
            plate: plate.to_owned(),
            mobile: Mobile::parse(mobile).unwrap(),
            parking_id: "3126".to_owned(),
            parking_name: "测试车场".to_owned(),
            entrance_at: at(entrance),
            stay,
        };
        self.server.with_world(|w| w.add_order(order));
    }

    /// A car inside that owes `fee`.
    pub fn inside(&self, id: &str, plate: &str, fee: &str) {
        self.order(id, plate, "2026-11-22 08:00:00", Stay::Inside { fee: yuan(fee), paid: Amount::ZERO });
    }

    /// A car of `mobile` inside that owes `fee`.
    pub fn inside_of(&self, mobile: &str, id: &str, plate: &str, fee: &str) {
        let stay = Stay::Inside { fee: yuan(fee), paid: Amount::ZERO };
        self.order_of(mobile, id, plate, "2026-11-22 08:00:00", stay);
    }

    /// A car that left, with `cash` of the fee taken at the exit.
    pub fn left(&self, id: &str, plate: &str, fee: &str, cash: &str) {
        let stay = Stay::Left { fee: yuan(fee), cash: yuan(cash), exit_at: at("2026-11-22 18:00:00") };
        self.order(id, plate, "2026-11-22 08:00:00", stay);
    }

    /// A bill with the default header; rows as `payment_id,order_id,plate,amount,refund_amount,status,paid_at,channel`.
    pub fn bill(&self, name: &str, rows: &[&str]) {
        let header = "payment_id,order_id,plate,amount,refund_amount,status,paid_at,channel";
        let text = format!("{header}\n{}\n", rows.join("\n"));
        fs::write(self.path("inbox").join(name), text).unwrap();
    }

    pub fn fault(&self, text: &str) {
        let fault = text.parse::<Fault>().unwrap();
        self.server.with_world(|w| w.add_fault(fault));
    }

    pub async fn run(&self) -> Finished {
        self.try_run(RunMode::Live).await.unwrap()
    }

    /// A live run of another date than [`DATE`].
    pub async fn run_of(&self, day: &str) -> Finished {
        let options = RunOptions { date: date(day), mode: RunMode::Live, no_email: false };
        run::run(&self.settings(), options, &self.clock, &Silent).await.unwrap()
    }

    pub async fn try_run(&self, mode: RunMode) -> anyhow::Result<Finished> {
        let options = RunOptions { date: date(DATE), mode, no_email: false };
        run::run(&self.settings(), options, &self.clock, &Silent).await
    }

    /// The platform's ledger: external order id, order, amount.
    pub fn ledger(&self) -> Vec<(String, String, String)> {
        self.server.with_world(|w| {
            let lines = w.ledger().iter();
            lines.map(|b| (b.external_order_id.to_string(), b.order_id.to_string(), b.amount.to_string())).collect()
        })
    }

    pub fn is_booked(&self, id: &str) -> bool {
        let id = ExternalOrderId::new(id).unwrap();
        self.server.with_world(|w| w.ledger().iter().any(|booking| booking.external_order_id == id))
    }
}

/// How many payments a run called so.
pub fn payments(finished: &Finished, disposition: Disposition) -> u64 {
    finished.summary.payments.get(disposition).count
}

/// How many orders a run called so.
pub fn orders(finished: &Finished, disposition: Disposition) -> u64 {
    finished.summary.orders.get(disposition).count
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse_wall(text).unwrap()
}

pub fn date(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

pub fn yuan(text: &str) -> Amount {
    text.parse().unwrap()
}
