//! The sending side of pushes for tests: signed as §9 says, written from the document alone, over HTTP written by hand.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcp_recon::clock::Clock;
use etcp_recon::push::{Counts, Limits, Receiver, ReceiverSettings};
use etcp_recon::store::Store;
use md5::{Digest, Md5};
use rusqlite::{Connection, OpenFlags};

use super::support::at;

pub const MERCHANT: &str = "M1";
pub const KEY: &str = "0123456789abcdef";
pub const JSON: &str = "application/json;charset=UTF-8";
pub const FORM: &str = "application/x-www-form-urlencoded;charset=utf-8";
/// The whole of the answer to a push that was taken.
pub const OK: &str = r#"{"code":0,"message":"ok"}"#;

/// `uppercase(hex(md5(merchant_no + data + merchant_key)))`
pub fn signature(data: &str) -> String {
    hex::encode_upper(Md5::digest(format!("{MERCHANT}{data}{KEY}")))
}

pub fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02X}"))
}

/// The members of §9.1 with an id, as JSON values.
pub fn entrance(id: &str) -> Vec<(&'static str, String)> {
    let text = |text: &str| format!("{text:?}");
    vec![
        ("synId", text(id)),
        ("plateNumber", text("渝 ATX061")),
        ("parkName", text("ETCP 智慧停车场")),
        ("parkId", "1".to_owned()),
        ("entranceTime", text("2026-11-22 08:59:54")),
        ("userType", text("77")),
        ("pushTime", text("2026-11-22 08:59:57")),
        ("fixParkingId", text("")),
        ("remainingDays", text("")),
    ]
}

/// The members of §9.2 with an id and a fee in fen.
pub fn exit(id: &str, fen: u32) -> Vec<(&'static str, String)> {
    let mut members = entrance(id);
    members.push(("exitTime", "\"2026-11-22 18:07:19\"".to_owned()));
    members.push(("stayedTime", "32845".to_owned()));
    members.push(("receivableFee", fen.to_string()));
    members
}

/// JSON without white space.
pub fn object(members: &[(&str, String)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

pub fn sorted(members: &[(&'static str, String)]) -> String {
    let mut members = members.to_vec();
    members.sort();
    object(&members)
}

/// JSON with the signature of `text` in it.
pub fn with_signature(members: &[(&'static str, String)], signature: &str) -> String {
    let mut members = members.to_vec();
    members.insert(2, ("signment", format!("{signature:?}")));
    object(&members)
}

/// A JSON body, signed in the order of its members.
pub fn signed(members: &[(&'static str, String)]) -> String {
    with_signature(members, &signature(&object(members)))
}

/// A form with the signature beside its data.
pub fn form(data: &str) -> String {
    format!("data={}&signment={}", percent(data), signature(data))
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub closes: bool,
    pub body: String,
}

impl Reply {
    /// The code in the answer.
    pub fn code(&self) -> i64 {
        let answer: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert!(answer["message"].is_string(), "{answer}");
        answer["code"].as_i64().unwrap()
    }
}

/// A connection that is kept as long as the other side keeps it.
pub struct Line {
    pub stream: BufReader<TcpStream>,
}

impl Line {
    pub fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        // Only so that a test fails instead of hanging.
        stream.set_read_timeout(Some(Duration::from_mins(1)))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    pub fn send(&mut self, method: &str, path: &str, content_type: &str, body: &[u8]) -> io::Result<Reply> {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
        );
        self.write(&[head.as_bytes(), body].concat())?;
        self.reply()
    }

    pub fn reply(&mut self) -> io::Result<Reply> {
        let mut reply = Reply { status: self.head_line()?, closes: false, body: String::new() };
        let mut length = 0;
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("connection", "close")) => reply.closes = true,
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        reply.body = String::from_utf8(body).unwrap();
        Ok(reply)
    }

    fn head_line(&mut self) -> io::Result<u16> {
        let line = self.line()?;
        Ok(line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("an HTTP answer"))
    }

    pub fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Whether the other side ends the connection and says nothing more.
    pub fn is_ended_silently(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

/// A receiver in this process, with a database of its own.
pub struct Gate {
    dir: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    receiver: Option<Receiver>,
}

impl Gate {
    pub fn new() -> Self {
        Self::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut gate = Self { dir, runtime, receiver: None };
        gate.start(limits);
        gate
    }

    pub fn start(&mut self, limits: Limits) {
        let settings = ReceiverSettings {
            listen: "127.0.0.1:0".parse().unwrap(),
            path_prefix: "/push".to_owned(),
            merchant_no: MERCHANT.to_owned(),
            merchant_key: KEY.into(),
            limits,
        };
        let starting = Receiver::start(settings, self.store(), Clock::fixed(at("2026-11-23 10:30:00")));
        self.receiver = Some(self.runtime.block_on(starting).unwrap());
    }

    pub fn stop(&mut self) -> Counts {
        let receiver = self.receiver.take().unwrap();
        self.runtime.block_on(receiver.stop())
    }

    pub fn addr(&self) -> SocketAddr {
        self.receiver.as_ref().unwrap().addr()
    }

    pub fn counts(&self) -> Counts {
        self.receiver.as_ref().unwrap().counters().counts()
    }

    pub fn database(&self) -> PathBuf {
        self.dir.path().join("recon.db")
    }

    pub fn store(&self) -> Store {
        Store::open(&self.database()).unwrap()
    }

    /// Posts over a connection of its own.
    pub fn post(&self, path: &str, content_type: &str, body: &str) -> Reply {
        Line::open(self.addr()).unwrap().send("POST", path, content_type, body.as_bytes()).unwrap()
    }

    /// What is in the database: kind and id of each push, sorted.
    pub fn stored(&self) -> Vec<(String, String)> {
        stored(&self.database())
    }
}

/// A connection to a database that knows nothing of the program.
pub fn raw(database: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(database, flags).unwrap()
}

/// Kind and id of each push in a database, sorted.
pub fn stored(database: &Path) -> Vec<(String, String)> {
    let connection = raw(database);
    let mut statement = connection.prepare("SELECT kind, syn_id FROM push_event ORDER BY kind, syn_id").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}
