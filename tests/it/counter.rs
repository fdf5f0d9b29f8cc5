//! A folder with a configuration, the binary, and a platform on a real socket, for commands that ask by hand.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use etcp_recon::clock::Clock;
use etcp_recon::model::{Mobile, OrderId, Plate, Timestamp};
use etcp_recon::sandbox::{Fault, Interface, ParkingOrder, Server, Stay, World, world};
use serde_json::Value;

/// A user.
pub const PHONE: &str = "13800000001";
/// Another one.
pub const OTHER: &str = "13900000002";
/// A plate.
pub const A: &str = "渝B757D0";

/// A platform on a real socket, and a folder with a configuration for it.
pub struct Counter {
    pub dir: tempfile::TempDir,
    pub server: Arc<Server>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    #[track_caller]
    pub fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.err.contains(word) || self.out.contains(word), "`{word}` is missing: {self:#?}");
        }
    }
}

impl Counter {
    pub async fn new() -> Self {
        let world = Arc::new(Mutex::new(World::new(world::Settings::default())));
        let server = Server::start(world, "127.0.0.1:0".parse().unwrap(), Clock::System).await.unwrap();
        Self::at(&Arc::new(server))
    }

    /// Another program of the same merchant at the same platform.
    pub fn at(server: &Arc<Server>) -> Self {
        let counter = Self { dir: tempfile::tempdir().unwrap(), server: Arc::clone(server) };
        counter.configure(&server.base_url());
        counter
    }

    pub fn configure(&self, base_url: &str) {
        let world = world::Settings::default();
        let (merchant_no, key) = (world.merchant_no, world.merchant_key);
        let text = format!(
            "[merchant]\nmerchant_no = {merchant_no:?}\nmerchant_key = {key:?}\napp_id = \"ETCP\"\n\
             [platform]\nbase_url = {base_url:?}\ntimeout = \"5s\"\nretries = 0\n[report]\nlanguage = \"en\"\n"
        );
        fs::write(self.path("etcp-recon.toml"), text).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a command, at the highest verbosity, and looks for secrets in what it says.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_etcp-recon"));
        command.args(arguments).arg("-vvv").current_dir(self.dir.path()).stdin(Stdio::null());
        let output = command.env_remove("NO_COLOR").env_remove("RUST_LOG").output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let said = Said { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) };
        for secret in self.server.with_world(|world| world.secrets()) {
            assert!(!said.out.contains(&secret) && !said.err.contains(&secret), "a secret is shown: {arguments:?}");
        }
        said
    }

    /// Brings plates of `mobile` into the roster and tells the platform of the user, but not of the plates.
    pub fn roster(&self, mobile: &str, plates: &[&str]) {
        self.server.with_world(|world| world.add_user(phone(mobile)));
        let rows: Vec<String> = plates.iter().map(|plate| format!("{mobile},{plate}\n")).collect();
        fs::write(self.path("plates.csv"), format!("mobile,plate\n{}", rows.concat())).unwrap();
        self.run(&["plates", "import", "plates.csv"]).ends(0);
    }

    pub fn listed(&self) -> Vec<(String, String)> {
        let list = self.run(&["plates", "list", "--json"]).ends(0).json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(|one| (text(&one["plate"]), text(&one["mobile"]))).collect()
    }

    pub fn order(&self, id: &str, plate: &str, stay: impl FnOnce(Timestamp) -> Stay) {
        let now = Clock::System.now();
        let order = ParkingOrder {
            order_id: OrderId::new(id).unwrap(),
            plate: plate.to_owned(),
            mobile: phone(PHONE),
            parking_id: "3126".to_owned(),
            parking_name: "测试车场".to_owned(),
            entrance_at: now.plus_s(-7200),
            stay: stay(now),
        };
        self.server.with_world(|world| world.add_order(order));
    }

    pub fn fault(&self, text: &str) {
        let fault = text.parse::<Fault>().unwrap();
        self.server.with_world(|world| world.add_fault(fault));
    }

    pub fn calls(&self, interface: Interface) -> u64 {
        self.server.with_world(|world| world.calls(interface))
    }

    pub fn all_calls(&self) -> u64 {
        Interface::ALL.iter().map(|interface| self.calls(*interface)).sum()
    }

    pub fn bound(&self, mobile: &str) -> Vec<String> {
        self.server.with_world(|world| world.plates_of(&phone(mobile))).iter().map(ToString::to_string).collect()
    }
}

pub fn phone(text: &str) -> Mobile {
    Mobile::parse(text).unwrap()
}

pub fn plate(text: &str) -> Plate {
    Plate::parse(text).unwrap()
}
