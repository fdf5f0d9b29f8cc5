//! A transport that answers from a script and remembers what it was asked; for tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::client::{Client, ClientSettings};
use super::request::{Body, BoxFuture, Interface, Transport, TransportError, WireRequest, WireResponse};
use crate::clock::Clock;
use crate::model::{Mobile, Plate, Timestamp};

pub const KEY: &str = "KEYCANARY0123456";
pub const TOKEN: &str = "TOKENCANARY-1";
pub const PHONE: &str = "13800000001";

pub fn settings() -> ClientSettings {
    ClientSettings {
        base_url: "http://127.0.0.1:9".to_owned(),
        allow_plain_http: false,
        merchant_no: "MERCHANTCANARY".to_owned(),
        merchant_key: SecretString::from(KEY),
        app_id: Some("ETCP".to_owned()),
        timeout: Duration::from_secs(5),
        max_concurrency: 4,
        max_requests_per_second: 1_000_000_000,
        retries: 2,
        backoff: Duration::from_millis(1),
        strip_whitespace: false,
    }
}

pub fn mobile() -> Mobile {
    Mobile::parse(PHONE).unwrap()
}

pub fn plate() -> Plate {
    Plate::parse("渝B757D0").unwrap()
}

pub fn token() -> SecretString {
    SecretString::from(TOKEN)
}

/// The machine's clock in these tests.
pub fn clock() -> Clock {
    Clock::fixed(Timestamp::parse_wall("2026-11-22 09:58:58").unwrap())
}

/// An HTTP 200 answer with that body.
pub fn ok(body: &str) -> Result<WireResponse, TransportError> {
    status(200, body)
}

pub fn status(status: u16, body: &str) -> Result<WireResponse, TransportError> {
    Ok(WireResponse { status, body: Body(body.as_bytes().to_vec()), ..WireResponse::default() })
}

type Reply = Box<dyn FnMut(&WireRequest) -> Result<WireResponse, TransportError> + Send>;

#[derive(Default)]
struct Memory {
    calls: Vec<WireRequest>,
    under_way: usize,
    most_under_way: usize,
}

#[derive(Clone)]
pub struct Stub {
    reply: Arc<Mutex<Reply>>,
    memory: Arc<Mutex<Memory>>,
}

impl Stub {
    /// Answers with what `reply` makes of each request.
    pub fn new(reply: impl FnMut(&WireRequest) -> Result<WireResponse, TransportError> + Send + 'static) -> Self {
        Self { reply: Arc::new(Mutex::new(Box::new(reply))), memory: Arc::default() }
    }

    /// Answers one after the other, then loses everything.
    pub fn script(answers: impl IntoIterator<Item = Result<WireResponse, TransportError>>) -> Self {
        let mut answers: VecDeque<_> = answers.into_iter().collect();
        let end = || Err(TransportError::Lost { reason: "the script is over".to_owned() });
        Self::new(move |_| answers.pop_front().unwrap_or_else(end))
    }

    pub fn client(&self) -> Client {
        Client::new(settings(), Arc::new(self.clone()), clock())
    }

    pub fn calls(&self) -> Vec<WireRequest> {
        self.memory.lock().unwrap().calls.clone()
    }

    pub fn count(&self, interface: Interface) -> usize {
        self.calls().iter().filter(|call| call.interface == interface).count()
    }

    pub fn most_under_way(&self) -> usize {
        self.memory.lock().unwrap().most_under_way
    }

    /// The `time_stamp` of each call.
    pub fn time_stamps(&self) -> Vec<String> {
        let of = |call: &WireRequest| {
            let text = call.text.expose_secret();
            let parameter = text.split('&').find_map(|pair| pair.strip_prefix("time_stamp="));
            parameter.unwrap().to_owned()
        };
        self.calls().iter().map(of).collect()
    }
}

impl Transport for Stub {
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, TransportError>> {
        Box::pin(async move {
            {
                let mut memory = self.memory.lock().unwrap();
                memory.calls.push(request.clone());
                memory.under_way += 1;
                memory.most_under_way = memory.most_under_way.max(memory.under_way);
            }
            // Others get their turn while this one is under way.
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
            self.memory.lock().unwrap().under_way -= 1;
            let mut reply = self.reply.lock().unwrap();
            (*reply)(&request)
        })
    }
}
