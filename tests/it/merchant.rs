//! A merchant as the program's user has it: a folder, the binary, and a seeded sandbox on a real socket.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use etcp_recon::clock::Clock;
use etcp_recon::model::BusinessDate;
use etcp_recon::sandbox::{SeededWorld, Server, Size, roster_csv, seeded};

/// A merchant's folder with a seeded world's config, roster and bills, and that world on a real socket.
pub struct Merchant {
    dir: tempfile::TempDir,
    pub server: Server,
    /// What has to be booked: external order id and amount.
    pub expected: BTreeMap<String, String>,
    pub date: BusinessDate,
}

impl Merchant {
    pub async fn new(seed: u64) -> Self {
        let clock = Clock::System;
        let date = clock.now().business_date().minus_days(1);
        let seeded = seeded(seed, date, Size { users: 12, orders: 60 });
        let dir = tempfile::tempdir().unwrap();
        let expected = write_papers(&seeded, dir.path());
        let config = |base: &str| seeded.config_toml(base);
        let world = Arc::new(Mutex::new(seeded.world.clone()));
        let server = Server::start(world, "127.0.0.1:0".parse().unwrap(), clock).await.unwrap();
        let text = config(&server.base_url()).replace("enabled = true\n", "enabled = true\nsettle_time = \"0s\"\n");
        fs::write(dir.path().join("etcp-recon.toml"), text).unwrap();
        let merchant = Self { dir, server, expected, date };
        let status = merchant.command(&["plates", "import", "plates.csv"]).status().unwrap();
        assert!(status.success());
        merchant
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_etcp-recon"));
        command.args(arguments).current_dir(self.dir.path()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    pub fn start_run(&self) -> Child {
        self.command(&["run", "--date", &self.date.to_string()]).spawn().unwrap()
    }

    pub fn booked(&self) -> Vec<(String, String)> {
        self.server.with_world(|world| {
            let lines = world.ledger().iter();
            lines.map(|booking| (booking.external_order_id.to_string(), booking.amount.to_string())).collect()
        })
    }

    /// Waits until the ledger holds `count` bookings; false when the run ended before.
    pub fn wait_for_bookings(&self, count: usize, run: &mut Child) -> bool {
        let patience = Instant::now() + Duration::from_secs(60);
        while self.booked().len() < count {
            if run.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(Instant::now() < patience, "the run neither books nor ends");
            std::thread::yield_now();
        }
        true
    }
}

fn write_papers(seeded: &SeededWorld, dir: &Path) -> BTreeMap<String, String> {
    fs::create_dir(dir.join("inbox")).unwrap();
    fs::write(dir.join("plates.csv"), roster_csv(&seeded.roster)).unwrap();
    for bill in &seeded.bills {
        fs::write(dir.join("inbox").join(&bill.name), &bill.text).unwrap();
    }
    let due = seeded.expected_due.iter();
    due.map(|due| (due.external_order_id.to_string(), due.amount.to_string())).collect()
}
