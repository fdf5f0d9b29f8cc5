//! The transport against servers that speak bytes. A server reads a whole request, then does as
//! told; it runs in a thread of its own and ends when its connections are used up.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use secrecy::SecretString;

use super::*;
use crate::etcp::attempt::{AttemptOutcome, PaidRequest};
use crate::etcp::client::{Client as Platform, ClientSettings};
use crate::etcp::stub::{KEY, PHONE, TOKEN, clock, mobile, plate, settings, token};
use crate::model::{ExternalOrderId, OrderId, Timestamp};

const VERIFY: &str = "VERIFYCANARY+a/b==";

/// What a server does with one connection, after it read a request.
enum Then {
    /// Writes these bytes and closes.
    Answer(String),
    /// Writes these bytes and waits until the other side goes away.
    Hang(String),
    /// Resets the connection with the request half read.
    Reset,
    /// Answers request after request on it, until the other side goes away.
    Keep,
    /// Writes without end.
    Flood,
}

struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Serves as many connections as there are steps, one after the other.
    fn run(steps: Vec<Then>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let thread = std::thread::spawn(move || {
            for step in steps {
                let (stream, _) = listener.accept().unwrap();
                serve(stream, &step, &log);
            }
        });
        Self { address, seen, thread }
    }

    fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests, when all connections were served.
    async fn requests(self) -> Vec<String> {
        // Not on this thread: the client's connections close in its tasks.
        tokio::task::spawn_blocking(move || self.thread.join().unwrap()).await.unwrap();
        self.seen.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, step: &Then, log: &Mutex<Vec<String>>) {
    if let Then::Reset = step {
        // A socket closed with unread bytes in it sends a reset.
        stream.read_exact(&mut [0]).unwrap();
        return;
    }
    while let Some(request) = read_request(&mut stream) {
        log.lock().unwrap().push(request);
        match step {
            Then::Answer(text) => return stream.write_all(text.as_bytes()).unwrap(),
            Then::Hang(text) => stream.write_all(text.as_bytes()).unwrap(),
            Then::Keep => stream.write_all(with_length(EMPTY).as_bytes()).unwrap(),
            Then::Flood => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                while stream.write_all(&[b' '; 8192]).is_ok() {}
                return;
            }
            Then::Reset => unreachable!("was done before"),
        }
    }
}

/// Head and body of one request; `None` when the other side went away.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        text.extend_from_slice(&byte);
    }
    let head = String::from_utf8(text.clone()).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    text.extend_from_slice(&body);
    Some(String::from_utf8(text).unwrap())
}

const EMPTY: &str = r#"{"code":0,"message":"ok","data":[]}"#;

fn with_length(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 01:58:58 GMT\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn closing(body: &str) -> Then {
    Then::Answer(with_length(body).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))
}

fn head(status: &str, headers: &str) -> Then {
    Then::Answer(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n"))
}

fn platform(base: &str, timeout: Duration) -> Platform {
    let settings = ClientSettings { base_url: base.to_owned(), timeout, retries: 1, ..settings() };
    Platform::over_http(settings, clock()).unwrap()
}

fn long(base: &str) -> Platform {
    platform(base, Duration::from_secs(30))
}

fn paid() -> PaidRequest {
    PaidRequest {
        order_id: OrderId::new("ORDER-1").unwrap(),
        external_order_id: ExternalOrderId::new("EXT-1").unwrap(),
        payment: "8".parse().unwrap(),
        pay_time: Timestamp::parse_wall("2026-11-22 08:00:00").unwrap(),
        verification_info: SecretString::from(VERIFY),
    }
}

/// Shows what it is given, after a look for what may not be shown.
fn shown(thing: &(impl std::fmt::Debug + ?Sized)) -> String {
    let text = format!("{thing:?}");
    for secret in [KEY, TOKEN, PHONE, VERIFY, "VERIFYCANARY", "MERCHANTCANARY", "http://", "openapi", "sign="] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    text
}

fn is_unclear(outcome: &AttemptOutcome) -> bool {
    shown(outcome);
    matches!(outcome, AttemptOutcome::Unclear { .. })
}

/// An address at which nobody listens.
fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_get_has_the_four_parameters_in_its_query_and_a_post_in_its_body() {
    let server = Server::run(vec![closing(EMPTY), closing(r#"{"code":0,"data":{"token":"t-123456"}}"#)]);
    let client = long(&format!("{}/", server.base()));
    client.unpaid(&token(), &plate()).await.unwrap();
    client.sign_in(&mobile(), &plate()).await.unwrap();
    assert_eq!(client.clock_skew_s(), Some(0));
    let requests = server.requests().await;
    let get = requests[0].lines().next().unwrap();
    assert!(get.starts_with("GET /merchant/open/1.0.0/openapi/orderunpay?merchant_no=MERCHANTCANARY&time_stamp=20261122095858&data=%7B%22token%22%3A%22TOKENCANARY-1%22%2C%22plateNumber%22%3A%22%E6%B8%9DB757D0%22%2C%22appId%22%3A%22ETCP%22%7D&sign="), "{get}");
    let (post_head, post_body) = requests[1].split_once("\r\n\r\n").unwrap();
    assert!(post_head.starts_with("POST /merchant/open/1.0.0/openapi/usersignin HTTP/1.1"), "{post_head}");
    assert!(post_head.to_lowercase().contains("content-type: application/x-www-form-urlencoded;charset=utf-8"));
    assert!(post_body.starts_with("merchant_no=MERCHANTCANARY&time_stamp=") && post_body.contains("&sign="));
}

#[tokio::test]
async fn verification_info_survives_the_form() {
    let server = Server::run(vec![closing(r#"{"code":1}"#)]);
    long(&server.base()).order_paid(&token(), &paid()).await;
    assert!(server.requests().await[0].contains("%22VERIFYCANARY%2Ba%2Fb%3D%3D%22"));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    target.set_nonblocking(true).unwrap();
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("Location: http://{}/\r\n", target.local_addr().unwrap());
        let server = Server::run(vec![head(status, &location), head(status, &location), head(status, &location)]);
        let client = long(&server.base());
        assert!(is_unclear(&client.order_paid(&token(), &paid()).await));
        let error = client.history(&token()).await.unwrap_err();
        assert!(shown(&error).starts_with("ServerFault"), "{error:?}");
        assert_eq!(server.requests().await.len(), 3);
    }
    assert_eq!(target.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_cut_answer_is_unclear_for_money_and_asked_again_for_a_read() {
    let cut = || Then::Answer(with_length(EMPTY).replace(EMPTY, r#"{"code":0,"#));
    let server = Server::run(vec![cut(), cut(), closing(EMPTY)]);
    let client = long(&server.base());
    assert!(is_unclear(&client.order_paid(&token(), &paid()).await));
    client.history(&token()).await.unwrap();
    assert_eq!(server.requests().await.len(), 3);
}

#[tokio::test]
async fn a_reset_after_the_request_is_unclear() {
    let server = Server::run(vec![Then::Reset, Then::Reset, Then::Reset]);
    let client = long(&server.base());
    assert!(is_unclear(&client.order_paid(&token(), &paid()).await));
    let error = client.history(&token()).await.unwrap_err();
    assert!(shown(&error).starts_with("Unreachable"));
    drop(server.requests().await);
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_sent() {
    let client = long(&closed_port());
    let outcome = client.order_paid(&token(), &paid()).await;
    assert!(matches!(outcome, AttemptOutcome::NotSent { .. }), "{outcome:?}");
    shown(&outcome);
    shown(&client.history(&token()).await.unwrap_err());
}

#[test]
fn a_proxy_in_the_environment_is_not_used() {
    // The environment of a process cannot be changed safely: another one runs the test before this one.
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, &address);
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    let name = "etcp::client::http::tests::where_nobody_listens_nothing_is_sent";
    let output = child.args(["--exact", name]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    assert_eq!(proxy.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_gets_nothing_over_https() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 5];
        stream.read_exact(&mut hello).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        hello[0]
    });
    let outcome = long(&base).order_paid(&token(), &paid()).await;
    assert!(matches!(outcome, AttemptOutcome::NotSent { .. }), "{outcome:?}");
    shown(&outcome);
    assert_eq!(thread.join().unwrap(), 22, "the first byte is that of a TLS handshake");
}

/// Serves one connection with a certificate that nobody vouches for; the text that came through, if any did.
fn self_signed(listener: TcpListener) -> JoinHandle<std::io::Result<Vec<u8>>> {
    install_ring();
    let certificate = include_bytes!("../../../tests/fixtures/tls/self-signed.crt.der").to_vec();
    let key = include_bytes!("../../../tests/fixtures/tls/self-signed.key.der").to_vec();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.into()], key.try_into().unwrap()).unwrap();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut tls = rustls::StreamOwned::new(connection, stream);
        let mut text = vec![0; 1024];
        let length = tls.read(&mut text)?;
        text.truncate(length);
        Ok(text)
    })
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_before_the_first_byte_of_a_request() {
    for host in ["localhost", "127.0.0.1"] {
        for money in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let base = format!("https://{host}:{}", listener.local_addr().unwrap().port());
            let server = self_signed(listener);
            let client =
                Platform::over_http(ClientSettings { base_url: base, retries: 0, ..settings() }, clock()).unwrap();
            let seen = if money {
                shown(&client.order_paid(&token(), &paid()).await)
            } else {
                shown(&client.history(&token()).await.unwrap_err())
            };
            assert!(seen.starts_with(if money { "NotSent" } else { "Unreachable" }), "{seen}");
            assert!(seen.contains("certificate"), "{seen}");
            let came_through = tokio::task::spawn_blocking(move || server.join().unwrap()).await.unwrap();
            assert!(
                came_through.as_ref().is_err() || came_through.as_ref().is_ok_and(Vec::is_empty),
                "{came_through:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_over_the_cap_is_not_read_to_its_end() {
    let declared = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", MAX_BODY + 1);
    let server = Server::run(vec![Then::Hang(declared), Then::Flood, Then::Flood]);
    let client = long(&server.base());
    assert!(is_unclear(&client.order_paid(&token(), &paid()).await));
    assert!(is_unclear(&client.order_paid(&token(), &paid()).await));
    let error = client.history(&token()).await.unwrap_err();
    assert!(shown(&error).contains("longer than 8388608 bytes"), "{error:?}");
    assert_eq!(server.requests().await.len(), 3, "a read is not repeated for that");
}

#[tokio::test]
async fn one_deadline_counts_to_the_end_of_the_body() {
    let slow = || Then::Hang(with_length(EMPTY).replace(EMPTY, r#"{"code":0"#));
    let server = Server::run(vec![Then::Hang(String::new()), slow(), slow(), slow()]);
    let client = platform(&server.base(), Duration::from_millis(200));
    let begun = Instant::now();
    assert!(is_unclear(&client.order_paid(&token(), &paid()).await));
    assert!(is_unclear(&client.order_paid(&token(), &paid()).await));
    let error = client.history(&token()).await.unwrap_err();
    assert!(shown(&error).contains("time is up"), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(server.requests().await.len(), 4);
}

#[tokio::test]
async fn a_fault_is_asked_again_on_reads_and_never_on_orderpaid() {
    for status in ["500 Internal Server Error", "503 Service Unavailable", "429 Too Many Requests"] {
        let server = Server::run(vec![head(status, ""), head(status, "Retry-After: 0\r\n"), closing(EMPTY)]);
        let client = long(&server.base());
        assert!(is_unclear(&client.order_paid(&token(), &paid()).await));
        client.history(&token()).await.unwrap();
        let paths: Vec<bool> = server.requests().await.iter().map(|text| text.contains("orderpaid")).collect();
        assert_eq!(paths, [true, false, false]);
    }
}

#[tokio::test]
async fn the_headers_that_say_when_are_read() {
    let server = Server::run(vec![head("503 Busy", "Retry-After: 7\r\nDate: Sun, 22 Nov 2026 01:58:58 GMT\r\n")]);
    let transport = HttpTransport::new(&server.base(), Duration::from_secs(30), false).unwrap();
    let request = WireRequest {
        interface: Interface::OrderHistory,
        text: SecretString::from("a=b"),
        timeout: Duration::from_secs(30),
        fresh_connection: false,
    };
    let response = transport.send(request).await.unwrap();
    assert_eq!(response.status, 503);
    assert_eq!(response.retry_after(clock().now()), Some(Duration::from_secs(7)));
    assert_eq!(response.platform_clock().unwrap().wall(), "2026-11-22 09:58:58");
    drop(server.requests().await);
}

#[tokio::test]
async fn reads_share_a_connection_and_every_orderpaid_has_its_own() {
    // One connection at a time is served, so that a connection shared or kept would show: reads
    // would be the second connection, which is not served before the first is closed.
    let server = Server::run(vec![Then::Keep, Then::Keep, Then::Keep]);
    let client = long(&server.base());
    client.order_paid(&token(), &paid()).await;
    client.order_paid(&token(), &paid()).await;
    client.history(&token()).await.unwrap();
    client.history(&token()).await.unwrap();
    drop(client);
    let requests = server.requests().await;
    assert_eq!(requests.len(), 4);
}

#[test]
fn plain_http_is_for_loopback_and_the_test_environment() {
    let open = |base: &str, allow| HttpTransport::new(base, Duration::from_secs(1), allow).map(drop);
    for base in [
        "http://127.0.0.1:8080",
        "http://localhost",
        "http://LOCALHOST:1/x/",
        "http://[::1]:8080",
        "https://mapi.etcp.cn",
    ] {
        open(base, false).unwrap();
    }
    open("http://mapi.test.etcp.cn", true).unwrap();
    let refused = [
        "http://mapi.etcp.cn",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "ftp://127.0.0.1",
        "https://user:pw@mapi.etcp.cn",
        "https://mapi.etcp.cn/?a=b",
        "mapi.etcp.cn",
        "",
    ];
    for base in refused {
        let error = open(base, false).unwrap_err();
        assert!(matches!(error, EtcpError::Setup { .. }), "{base}");
        assert!(!error.to_string().contains("pw"));
    }
}

/// Lines of a log, kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_at_its_finest_names_interface_and_code_and_no_secret() {
    // Tests of other threads have no subscriber, and what one of them meets first would be remembered as
    // wanted by nobody; a subscriber for all that wants everything keeps every call site awake.
    let everything = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(std::io::sink);
    drop(tracing::subscriber::set_global_default(everything.finish()));
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let old = with_length(r#"{"code":3}"#)
        .replace("01:58:58", "02:08:58")
        .replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let server =
        Server::run(vec![Then::Answer(old), closing(EMPTY), closing(EMPTY), closing(r#"{"code":1}"#), Then::Reset]);
    let client = long(&server.base());
    client.history(&token()).await.unwrap();
    client.unpaid(&token(), &plate()).await.unwrap();
    drop(client.sign_in(&mobile(), &plate()).await);
    client.order_paid(&token(), &paid()).await;
    drop(server.requests().await);
    drop(client.history(&token()).await);
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("orderhistory") && text.contains("skew_s=600"), "{text}");
    shown(text.as_str());
}
