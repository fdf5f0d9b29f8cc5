//! A mail server for tests: a real socket, STARTTLS with a certificate of its own, AUTH, and refusals on request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A mail that the server took over.
#[derive(Clone, Debug)]
pub struct Taken {
    /// For whom, by this transaction.
    pub to: Vec<String>,
    /// As it came.
    pub raw: Vec<u8>,
    /// Whether the connection was encrypted by then.
    pub encrypted: bool,
    /// Who had logged in, and with which password.
    pub login: Option<(String, String)>,
}

/// What the server does.
#[derive(Default)]
struct State {
    taken: Vec<Taken>,
    /// Answers to RCPT by a piece of the address.
    refusals: Vec<(String, String)>,
    /// Connections that are cut once the mail is there, before it is answered for.
    cuts: u32,
}

/// A mail server on loopback; it ends with the test's process.
pub struct MailServer {
    pub port: u16,
    /// Its certificate, to be trusted.
    pub certificate_pem: String,
    state: Arc<Mutex<State>>,
}

impl MailServer {
    pub fn start() -> Self {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<Mutex<State>>::default();
        let (shared, tls) = (Arc::clone(&state), Arc::new(config));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (shared, tls) = (Arc::clone(&shared), Arc::clone(&tls));
                // A client that goes away in the middle is what some tests are about.
                std::thread::spawn(move || Session { shared, tls, encrypted: false, login: None }.serve(&stream));
            }
        });
        Self { port, certificate_pem: certified.cert.pem(), state }
    }

    /// From now on the server answers so for addresses with `piece` in them.
    pub fn refuse(&self, piece: &str, answer: &str) {
        self.state.lock().unwrap().refusals.push((piece.to_owned(), answer.to_owned()));
    }

    /// Takes everybody's mail again.
    pub fn refuse_nobody(&self) {
        self.state.lock().unwrap().refusals.clear();
    }

    /// The next mail is taken, and the connection cut before the client hears of it.
    pub fn cut_once(&self) {
        self.state.lock().unwrap().cuts = 1;
    }

    /// What it has taken over so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.state.lock().unwrap().taken.clone()
    }
}

trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

struct Session {
    shared: Arc<Mutex<State>>,
    tls: Arc<ServerConfig>,
    encrypted: bool,
    login: Option<(String, String)>,
}

impl Session {
    fn serve(mut self, stream: &TcpStream) -> Option<()> {
        let mut wire: BufReader<Box<dyn Wire>> = BufReader::new(Box::new(stream.try_clone().ok()?));
        let mut to = Vec::new();
        say(&mut wire, "220 mail.example.com")?;
        loop {
            let command = line(&mut wire)?;
            let word = command.split([' ', ':']).next()?.to_ascii_uppercase();
            match word.as_str() {
                "EHLO" if self.encrypted => say(&mut wire, "250-mail.example.com\r\n250 AUTH PLAIN LOGIN")?,
                "EHLO" => say(&mut wire, "250-mail.example.com\r\n250 STARTTLS")?,
                "STARTTLS" => {
                    say(&mut wire, "220 go on")?;
                    let connection = ServerConnection::new(Arc::clone(&self.tls)).ok()?;
                    wire = BufReader::new(Box::new(StreamOwned::new(connection, stream.try_clone().ok()?)));
                    self.encrypted = true;
                }
                "AUTH" => {
                    self.login = credentials(&command);
                    say(&mut wire, "235 welcome")?;
                }
                "MAIL" => {
                    to.clear();
                    say(&mut wire, "250 ok")?;
                }
                "RCPT" => {
                    let answer = self.refusal(&command);
                    if answer.is_none() {
                        to.push(command.split(['<', '>']).nth(1)?.to_owned());
                    }
                    say(&mut wire, answer.as_deref().unwrap_or("250 ok"))?;
                }
                "DATA" => {
                    say(&mut wire, "354 go on")?;
                    let raw = mail(&mut wire)?;
                    let taken = Taken { to: to.clone(), raw, encrypted: self.encrypted, login: self.login.clone() };
                    let mut state = self.shared.lock().unwrap();
                    state.taken.push(taken);
                    if state.cuts > 0 {
                        state.cuts -= 1;
                        return None;
                    }
                    drop(state);
                    say(&mut wire, "250 taken")?;
                }
                "QUIT" => return say(&mut wire, "221 bye"),
                _ => say(&mut wire, "250 ok")?,
            }
        }
    }

    fn refusal(&self, command: &str) -> Option<String> {
        let state = self.shared.lock().unwrap();
        state.refusals.iter().find(|(piece, _)| command.contains(piece)).map(|(_, answer)| answer.clone())
    }
}

/// User and password of `AUTH PLAIN`.
fn credentials(command: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(command.strip_prefix("AUTH PLAIN ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let mut parts = text.split('\0').skip(1).map(str::to_owned);
    Some((parts.next()?, parts.next()?))
}

fn say(wire: &mut BufReader<Box<dyn Wire>>, text: &str) -> Option<()> {
    let wire = wire.get_mut();
    wire.write_all(format!("{text}\r\n").as_bytes()).and_then(|()| wire.flush()).ok()
}

fn line(wire: &mut BufReader<Box<dyn Wire>>) -> Option<String> {
    let mut line = String::new();
    (wire.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
}

fn mail(wire: &mut BufReader<Box<dyn Wire>>) -> Option<Vec<u8>> {
    let mut mail = Vec::new();
    loop {
        let mut line = Vec::new();
        if wire.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        if line == b".\r\n" {
            return Some(mail);
        }
        mail.extend(line.strip_prefix(b".").unwrap_or(&line));
    }
}
