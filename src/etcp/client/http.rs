//! The bytes: reqwest, with everything off that acts by itself. No redirects, no proxy, no
//! repetition, no HTTP/2, one deadline for all of a call, an answer of bounded length.
//!
//! Reads share a pool of connections. Money has a client that keeps none: on a connection that
//! served before, a server may close while our request is on its way, and nobody could say whether
//! it was executed.

use std::collections::HashMap;
use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Once;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderName, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Response, Url};
use secrecy::ExposeSecret;

use super::EtcpError;
use crate::etcp::request::{
    Body, BoxFuture, FORM, Interface, Method, Transport, TransportError, WireRequest, WireResponse,
};

/// The longest answer that is read. A user's week of orders is some kilobytes.
pub const MAX_BODY: usize = 8 * 1024 * 1024;

/// The longest that making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests over HTTP to one base address.
pub struct HttpTransport {
    /// Where each interface is; read once, for a pull asks by the thousand.
    addresses: HashMap<Interface, Url>,
    reads: Client,
    money: Client,
}

impl std::fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpTransport").finish_non_exhaustive()
    }
}

impl HttpTransport {
    /// Requests to `base_url`. `timeout` is the usual one of a call; connecting gets half of it,
    /// 10 s at most, so that a call that found no connection is told from one without an answer.
    /// Plain `http://` is for loopback, or where `allow_plain_http` says so (the test environment):
    /// neither interface nor method are signed, so a captured query is a valid command.
    ///
    /// # Errors
    /// When the address is not one of a platform, or TLS cannot be set up.
    pub fn new(base_url: &str, timeout: Duration, allow_plain_http: bool) -> Result<Self, EtcpError> {
        let setup = |reason: &str| EtcpError::Setup { reason: reason.to_owned() };
        let base = Url::parse(base_url.trim()).map_err(|_| setup("base_url is no address"))?;
        let plain = match base.scheme() {
            "https" => false,
            "http" if allow_plain_http || is_loopback(&base) => true,
            "http" => return Err(setup("base_url is http, which is for loopback and the test environment only")),
            _ => return Err(setup("base_url is neither https nor http")),
        };
        if !base.username().is_empty() || base.password().is_some() {
            return Err(setup("base_url holds a user or a password"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(setup("base_url has a query or a fragment"));
        }
        install_ring();
        let connect = CONNECT_TIMEOUT.min(timeout.checked_div(2).unwrap_or(timeout));
        let build = |builder: ClientBuilder| {
            builder
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .no_proxy()
                .http1_only()
                .referer(false)
                .https_only(!plain)
                .connect_timeout(connect)
                .timeout(timeout)
                .user_agent(concat!("etcp-recon/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|error| EtcpError::Setup { reason: reason(error) })
        };
        let base = base.as_str().trim_end_matches('/');
        let address = |interface: &Interface| Ok((*interface, Url::parse(&format!("{base}{}", interface.path()))?));
        let addresses: Result<_, url::ParseError> = Interface::ALL.iter().map(address).collect();
        Ok(Self {
            addresses: addresses.map_err(|_| setup("base_url is no address"))?,
            reads: build(Client::builder())?,
            money: build(Client::builder().pool_max_idle_per_host(0))?,
        })
    }

    async fn exchange(&self, request: WireRequest) -> Result<WireResponse, TransportError> {
        let client = if request.fresh_connection { &self.money } else { &self.reads };
        let unknown = || TransportError::NotSent { reason: "the interface has no address".to_owned() };
        let mut address = self.addresses.get(&request.interface).cloned().ok_or_else(unknown)?;
        let text = request.text.expose_secret();
        let call = match request.interface.method() {
            Method::Get => {
                // It is encoded already, and nothing in it is encoded again.
                address.set_query(Some(text));
                client.get(address)
            }
            Method::Post => client.post(address).header(CONTENT_TYPE, FORM).body(text.to_owned()),
        };
        let mut response = call.timeout(request.timeout).send().await.map_err(transport_error)?;
        let header = |name: HeaderName| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        let (date, retry_after) = (header(DATE), header(RETRY_AFTER));
        let body = read_body(&mut response).await?;
        Ok(WireResponse { status: response.status().as_u16(), date, retry_after, body: Body(body) })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, TransportError>> {
        Box::pin(self.exchange(request))
    }
}

async fn read_body(response: &mut Response) -> Result<Vec<u8>, TransportError> {
    let too_long = TransportError::TooLong { limit: MAX_BODY };
    if response.content_length().is_some_and(|length| usize::try_from(length).map_or(true, |n| n > MAX_BODY)) {
        return Err(too_long);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len().saturating_add(chunk.len()) > MAX_BODY {
            return Err(too_long);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn transport_error(error: reqwest::Error) -> TransportError {
    // Building, or connecting (TCP, TLS without early data): no byte of the request has left.
    if error.is_builder() || error.is_connect() {
        TransportError::NotSent { reason: reason(error) }
    } else {
        lost(error)
    }
}

fn lost(error: reqwest::Error) -> TransportError {
    TransportError::Lost { reason: reason(error) }
}

/// The chain of an error on one line. reqwest shows the whole address, with token and signature,
/// in its errors: it is taken out first.
fn reason(error: reqwest::Error) -> String {
    let timeout = if error.is_timeout() { "time is up: " } else { "" };
    let error = error.without_url();
    let mut text = format!("{timeout}{error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text.chars().take(300).collect()
}

fn is_loopback(base: &Url) -> bool {
    base.host_str().is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback())
    })
}

/// Names ring as the crypto provider, once for the process.
fn install_ring() {
    static RING: Once = Once::new();
    RING.call_once(|| {
        // An error says that a provider is there already, which serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
