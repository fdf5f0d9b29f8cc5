//! The command `sandbox`: a seeded platform on a local port, with everything that is needed to run against it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::fault::Fault;
use super::paper::roster_csv;
use super::push::{PushKind, push_body};
use super::seed::{MOST_PLATES, PlatesPerUser, SeededWorld, Size, seeded_with};
use super::sender::{Owed, PushOptions, Sender, SenderError, owed_pushes, stormy};
use super::server::Server;
use super::world::World;
use crate::clock::Clock;
use crate::model::BusinessDate;

/// The config's name in the folder.
const CONFIG: &str = "etcp-recon.toml";

/// The roster's name in the folder.
const ROSTER: &str = "plates.csv";

/// What the command was told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen, a loopback address; port 0 is any free one.
    pub listen: SocketAddr,
    /// Which world.
    pub seed: u64,
    /// The day on which everything in it happens.
    pub date: BusinessDate,
    /// How large it is.
    pub size: Size,
    /// How many plates each user has.
    pub plates_per_user: PlatesPerUser,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Where a config, the roster and the bills are written; nothing is when left out.
    pub dir: Option<PathBuf>,
    /// Where pushes are sent; none are when left out.
    pub push: Option<PushOptions>,
}

/// Why the sandbox does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Something lies there already.
    #[error("{} exists already and is not overwritten\nhint: name a new folder", path.display())]
    Exists {
        /// What is in the way.
        path: PathBuf,
    },
    /// A file or folder cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("the sandbox cannot listen on {listen}\nhint: another port, or 0 for any free one")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// More plates than there are.
    #[error("{users} users with {plates} plates each are more than {MOST_PLATES} plates\nhint: fewer users")]
    TooManyPlates {
        /// The users.
        users: u32,
        /// The plates of each.
        plates: u32,
    },
    /// More stays than there are plates for.
    #[error("{orders} parking stays are more than {MOST_PLATES}\nhint: fewer orders")]
    TooManyOrders {
        /// The stays.
        orders: u32,
    },
    /// Pushes cannot be sent there.
    #[error(transparent)]
    Push(#[from] SenderError),
    /// What is to be said cannot be said.
    #[error("the output is closed")]
    Output(#[source] io::Error),
}

/// Runs the sandbox until `stop` is ready. Says on `out` what to do next, and at the end what was booked and pushed.
///
/// # Errors
/// When a file is in the way or cannot be written (nothing is overwritten), the address cannot be listened on, or the
/// pushes' address is not of this machine.
pub async fn serve(
    options: Options,
    clock: Clock,
    out: &mut (dyn Write + Send),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let mut seeded = make_world(&options)?;
    if let Some(dir) = &options.dir {
        refuse_to_overwrite(dir, &seeded)?;
    }
    for fault in &options.faults {
        seeded.world.add_fault(fault.clone());
    }
    let sender = options.push.as_ref().map(Sender::new).transpose()?.map(Arc::new);
    let world = Arc::new(Mutex::new(seeded.world.clone()));
    let listen = options.listen;
    let server = Server::start_with(Arc::clone(&world), listen, clock.clone(), sender.clone());
    let server = server.await.map_err(|source| ServeError::Listen { listen, source })?;
    if let Some(dir) = &options.dir {
        let receiver = sender.as_ref().map(|sender| sender.receiver_toml());
        let config = seeded.config_toml(&server.base_url()) + &receiver.unwrap_or_default();
        write_folder(dir, &seeded, &config)?;
    }
    let owed = pushes(&options, &seeded.world);
    out.write_all(welcome(&options, &seeded, owed.len(), &server.base_url()).as_bytes()).map_err(ServeError::Output)?;
    out.flush().map_err(ServeError::Output)?;
    let count = owed.len();
    let pushing = sender.clone().map(|sender| tokio::spawn(push_all(sender, owed, world, clock)));
    stop.await;
    if let Some(pushing) = pushing {
        pushing.abort();
    }
    let (booked, violations) = server.with_world(|world| (world.ledger().len(), world.violations().len()));
    server.shutdown().await;
    writeln!(out, "stopped: {booked} payments booked, {violations} violations").map_err(ServeError::Output)?;
    let Some(sent) = sender.map(|sender| sender.sent()) else { return Ok(()) };
    writeln!(out, "pushes: {count} owed, {} requests sent, {} accepted", sent.sent, sent.accepted)
        .map_err(ServeError::Output)
}

fn make_world(options: &Options) -> Result<SeededWorld, ServeError> {
    // Some stays bring a plate of their own; beyond this number plates would come twice.
    let orders = options.size.orders;
    if orders > MOST_PLATES {
        return Err(ServeError::TooManyOrders { orders });
    }
    if let PlatesPerUser::Each(plates) = options.plates_per_user {
        let users = options.size.users;
        if users.checked_mul(plates).is_none_or(|all| all > MOST_PLATES) {
            return Err(ServeError::TooManyPlates { users, plates });
        }
    }
    Ok(seeded_with(options.seed, options.date, options.size, options.plates_per_user))
}

/// The pushes that are owed at the start.
fn pushes(options: &Options, world: &World) -> Vec<Owed> {
    match &options.push {
        None => Vec::new(),
        Some(push) if push.storm => stormy(owed_pushes(world), options.seed),
        Some(_) => owed_pushes(world),
    }
}

async fn push_all(sender: Arc<Sender>, owed: Vec<Owed>, world: Arc<Mutex<World>>, clock: Clock) {
    let write = |push: &Owed| {
        let world = world.lock().unwrap_or_else(PoisonError::into_inner);
        push_body(world.order(&push.order_id)?, push.kind, sender.form(), world.settings(), clock.now())
    };
    sender.send_all(owed, write).await;
}

fn bill_path(dir: &Path, name: &str) -> PathBuf {
    dir.join("inbox").join(name)
}

fn refuse_to_overwrite(dir: &Path, seeded: &SeededWorld) -> Result<(), ServeError> {
    let bills = seeded.bills.iter().map(|bill| bill_path(dir, &bill.name));
    let mut paths = [dir.join(CONFIG), dir.join(ROSTER)].into_iter().chain(bills);
    match paths.find(|path| path.exists()) {
        Some(path) => Err(ServeError::Exists { path }),
        None => Ok(()),
    }
}

fn write_folder(dir: &Path, seeded: &SeededWorld, config: &str) -> Result<(), ServeError> {
    let inbox = dir.join("inbox");
    fs::create_dir_all(&inbox).map_err(|source| ServeError::Write { path: inbox.clone(), source })?;
    write_new(&dir.join(CONFIG), config)?;
    write_new(&dir.join(ROSTER), &roster_csv(&seeded.roster))?;
    seeded.bills.iter().try_for_each(|bill| write_new(&bill_path(dir, &bill.name), &bill.text))
}

/// Writes a file that is not there yet, readable by its owner only: a config holds a key.
fn write_new(path: &Path, text: &str) -> Result<(), ServeError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::AlreadyExists {
            ServeError::Exists { path }
        } else {
            ServeError::Write { path, source }
        }
    })
}

fn welcome(options: &Options, seeded: &SeededWorld, pushes: usize, base_url: &str) -> String {
    let Options { seed, date, faults, dir, .. } = options;
    let (plates, orders) = (seeded.roster.len(), seeded.world.orders().count());
    let due = seeded.expected_due.len();
    let mut lines = vec![
        format!("sandbox platform on {base_url}: seed {seed}, {date}"),
        format!("{plates} plates, {orders} orders, {due} payments of which the platform has to be told"),
    ];
    lines.extend(faults.iter().map(|fault| format!("fault: {}", fault.shown())));
    if let Some(PushOptions { url, form, storm }) = &options.push {
        let url = url.trim_end_matches('/');
        let [entrance, exit] = [PushKind::Entrance, PushKind::Exit].map(PushKind::name);
        let order = if *storm { ", out of order and a third of them twice" } else { "" };
        let form = form.name();
        lines.push(format!("{pushes} pushes as {form} to {url}/{entrance} and {url}/{exit}{order}"));
    }
    lines.push(format!("what it booked, was wrongly asked for, and can be told: {base_url}/sandbox"));
    if let Some(dir) = dir {
        let dir = dir.display();
        lines.extend([
            "next, in another terminal:".to_owned(),
            format!("  etcp-recon --config {dir}/{CONFIG} plates import {dir}/{ROSTER}"),
        ]);
        if options.push.is_some() {
            lines.push(format!("  etcp-recon --config {dir}/{CONFIG} push serve"));
        }
        lines.extend([format!("  etcp-recon --config {dir}/{CONFIG} run --date {date}")]);
    }
    lines.push("Ctrl-C stops it.\n".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::PushForm;
    use crate::sandbox::testing::now;

    fn options(dir: &Path) -> Options {
        Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            seed: 1,
            date: "2026-11-22".parse().unwrap(),
            size: Size::SMALL,
            faults: vec!["orderhistory@13800000001:fail:always".parse().unwrap()],
            plates_per_user: PlatesPerUser::OneToThree,
            dir: Some(dir.to_owned()),
            push: None,
        }
    }

    async fn served(dir: &Path) -> Result<String, ServeError> {
        let mut out = Vec::new();
        serve(options(dir), Clock::fixed(now()), &mut out, async {}).await?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[tokio::test]
    async fn it_writes_what_a_run_needs_and_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let said = served(dir.path()).await.unwrap();
        assert!(said.contains("plates import") && said.contains("run --date 2026-11-22"), "{said}");
        assert!(said.ends_with("stopped: 0 payments booked, 0 violations\n"), "{said}");
        assert!(!said.contains("13800000001"), "{said}");
        let config: toml::Table = fs::read_to_string(dir.path().join(CONFIG)).unwrap().parse().unwrap();
        assert!(said.contains(config["platform"]["base_url"].as_str().unwrap()));
        assert!(fs::read_to_string(dir.path().join(ROSTER)).unwrap().starts_with("mobile,plate,color\n138"));
        assert_eq!(fs::read_dir(dir.path().join("inbox")).unwrap().count(), 2);
    }

    #[tokio::test]
    async fn with_pushes_the_config_says_where_they_are_received() {
        let dir = tempfile::tempdir().unwrap();
        let push = PushOptions { url: "http://localhost:8088/push".into(), form: PushForm::Form, storm: false };
        let options = Options { push: Some(push), ..options(dir.path()) };
        let mut out = Vec::new();
        serve(options, Clock::fixed(now()), &mut out, async {}).await.unwrap();
        let said = String::from_utf8(out).unwrap();
        assert!(said.contains("pushes as form to http://localhost:8088/push/entrance and "), "{said}");
        let config: toml::Table = fs::read_to_string(dir.path().join(CONFIG)).unwrap().parse().unwrap();
        assert_eq!(config["push"]["listen"].as_str(), Some("127.0.0.1:8088"));
        assert_eq!(config["push"]["path_prefix"].as_str(), Some("/push"));
    }

    #[tokio::test]
    async fn what_is_there_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(ROSTER), "mine").unwrap();
        assert!(matches!(served(dir.path()).await, Err(ServeError::Exists { .. })));
        assert_eq!(fs::read_to_string(dir.path().join(ROSTER)).unwrap(), "mine");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn more_plates_than_there_are_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let size = Size { users: 200_001, orders: 0 };
        let many = Options { size, plates_per_user: PlatesPerUser::Each(2), ..options(dir.path()) };
        let error = serve(many, Clock::fixed(now()), &mut Vec::new(), async {}).await.unwrap_err();
        assert!(matches!(error, ServeError::TooManyPlates { users: 200_001, plates: 2 }));
        let options = Options { size: Size { users: 1, orders: 400_001 }, ..options(dir.path()) };
        let error = serve(options, Clock::fixed(now()), &mut Vec::new(), async {}).await.unwrap_err();
        assert!(matches!(error, ServeError::TooManyOrders { orders: 400_001 }));
    }

    #[tokio::test]
    async fn an_address_in_use_is_named() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = taken.local_addr().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let options = Options { listen, dir: None, ..options(dir.path()) };
        let error = serve(options, Clock::fixed(now()), &mut Vec::new(), async {}).await.unwrap_err();
        assert!(error.to_string().contains(&listen.to_string()));
    }
}
