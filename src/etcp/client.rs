//! The client: bounded, paced calls, and what their answers mean for the caller.
//!
//! A call that only asks is repeated where that can help. `orderpaid` never is: one POST on a
//! connection of its own, and what it showed goes back as it is. Logs name the interface, the code
//! and the duration, nothing else.

mod call;
mod gate;
pub mod http;
mod lots;
mod users;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use governor::DefaultDirectRateLimiter;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio::time::Instant;

pub use http::HttpTransport;
pub use lots::LotPager;

use self::gate::Gate;
use super::attempt::{AttemptOutcome, PaidRequest, classify};
use super::codes::Code;
use super::request::{Data, Interface, RetryPolicy, Signer, Transport, scrubbed};
use super::wire::{Listing, UnpaidOrder, WireError, parse_history, parse_token, parse_unpaid};
use crate::clock::Clock;
use crate::model::{Mobile, OrderSnapshot, Plate};

/// Stands for "never measured".
const NO_SKEW: i64 = i64::MIN;

/// How the platform is called.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// The platform's address, `https://…`.
    pub base_url: String,
    /// Whether plain `http://` may leave the machine: in the test environment only.
    pub allow_plain_http: bool,
    /// `merchant_no`.
    pub merchant_no: String,
    /// `merchant_key`.
    pub merchant_key: SecretString,
    /// `appId`, sent wherever an interface takes it.
    pub app_id: Option<String>,
    /// For one call, from connecting to the end of the answer.
    pub timeout: Duration,
    /// Calls under way at once, at most; 0 counts as 1.
    pub max_concurrency: usize,
    /// Calls that begin in a second, evenly spread, repetitions too; 0: no limit.
    pub max_requests_per_second: u32,
    /// Repetitions of a call that only asks.
    pub retries: u32,
    /// The wait before the first repetition; it doubles.
    pub backoff: Duration,
    /// `signature.strip_whitespace`.
    pub strip_whitespace: bool,
}

/// Why a call brought nothing. Never holds an address, a token or a phone number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EtcpError {
    /// The settings cannot work.
    #[error("the platform cannot be called: {reason}")]
    Setup {
        /// What is wrong.
        reason: String,
    },
    /// Code 4 or 5: no call can succeed, nothing more is sent.
    #[error("the platform answers code {0}\nhint: {hint}", hint = stop_hint(*.0))]
    Stop(Code),
    /// Code 3, also with the clock corrected, or where the answer had no clock to correct by.
    #[error("the platform answers code 3 (timestamp expired); {}", clock_off_text(*.skew_s))]
    ClockOff {
        /// How far the platform's clock is ahead of ours, if it said.
        skew_s: Option<i64>,
    },
    /// Code 20101.
    #[error("the token is void (code 20101)")]
    InvalidToken,
    /// Another code.
    #[error("the platform refuses with code {code}: {message}")]
    Refused {
        /// The code.
        code: Code,
        /// Its words, scrubbed.
        message: String,
    },
    /// No whole answer, also after repetitions.
    #[error("the platform cannot be reached: {reason}")]
    Unreachable {
        /// What happened the last time.
        reason: String,
        /// Whether the request may have arrived; `false`: nothing left the machine.
        sent: bool,
    },
    /// Code 2, a redirect, 429 or 5xx, also after repetitions.
    #[error("the platform has a fault: {reason}")]
    ServerFault {
        /// What it answered the last time.
        reason: String,
    },
    /// An answer that cannot be read.
    #[error("the platform's answer is no answer: {reason}")]
    BadAnswer {
        /// What is wrong with it.
        reason: String,
    },
    /// Tokens could not be read or kept.
    #[error("tokens cannot be kept: {reason}")]
    TokenStore {
        /// What the store said.
        reason: String,
    },
}

fn stop_hint(code: Code) -> &'static str {
    if code == Code::UnknownMerchant {
        "check merchant_no and the environment"
    } else {
        "check merchant_key; where orderpaid alone answers this, try signature.strip_whitespace = true"
    }
}

fn clock_off_text(skew_s: Option<i64>) -> String {
    match skew_s {
        None => "it does not say by how much the clocks differ\nhint: set the machine's clock".to_owned(),
        Some(0) => {
            "although the clocks agree\nhint: ask ETCP; by the dates of its answers our time stamp is right".to_owned()
        }
        Some(skew_s) => format!("its clock is {}\nhint: set the machine's clock", skew_in_words(skew_s)),
    }
}

/// Where the platform's clock stands beside ours, `skew_s` seconds ahead of it: `3 s ahead of ours`, `3 s behind ours`
/// or `as ours`.
pub fn skew_in_words(skew_s: i64) -> String {
    match skew_s {
        0 => "as ours".to_owned(),
        1.. => format!("{skew_s} s ahead of ours"),
        _ => format!("{} s behind ours", skew_s.unsigned_abs()),
    }
}

/// The same in Chinese, of the platform's clock.
pub fn skew_in_chinese(skew_s: i64) -> String {
    match skew_s {
        0 => "与本机一致".to_owned(),
        1.. => format!("比本机快 {skew_s} 秒"),
        _ => format!("比本机慢 {} 秒", skew_s.unsigned_abs()),
    }
}

impl EtcpError {
    /// Whether nothing more may be sent at all.
    pub const fn stops(&self) -> bool {
        matches!(self, Self::Stop(_))
    }

    /// Whether what was asked for may be done all the same: there is no answer that says.
    pub const fn leaves_open(&self) -> bool {
        match self {
            Self::Unreachable { sent, .. } => *sent,
            Self::ServerFault { .. } | Self::BadAnswer { .. } => true,
            Self::Setup { .. }
            | Self::Stop(_)
            | Self::ClockOff { .. }
            | Self::InvalidToken
            | Self::Refused { .. }
            | Self::TokenStore { .. } => false,
        }
    }

    /// The platform's code, where it answered one.
    pub const fn code(&self) -> Option<Code> {
        match self {
            Self::Stop(code) | Self::Refused { code, .. } => Some(*code),
            Self::ClockOff { .. } => Some(Code::TimestampExpired),
            Self::InvalidToken => Some(Code::InvalidToken),
            Self::Setup { .. }
            | Self::Unreachable { .. }
            | Self::ServerFault { .. }
            | Self::BadAnswer { .. }
            | Self::TokenStore { .. } => None,
        }
    }
}

impl From<WireError> for EtcpError {
    fn from(error: WireError) -> Self {
        Self::BadAnswer { reason: error.to_string() }
    }
}

/// Calls the platform. Clones share their limits, their connections and their idea of its clock.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    transport: Arc<dyn Transport>,
    clock: Clock,
    signer: Signer,
    app_id: Option<String>,
    timeout: Duration,
    policy: RetryPolicy,
    slots: Semaphore,
    /// None: as fast as the slots allow.
    pace: Option<DefaultDirectRateLimiter>,
    gate: Gate,
    /// What is added to our clock for `time_stamp`.
    offset_s: AtomicI64,
    /// The platform's clock ahead of ours, by its last answer.
    skew_s: AtomicI64,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// A client over `transport`; `base_url` and `allow_plain_http` are the transport's affair.
    pub fn new(settings: ClientSettings, transport: Arc<dyn Transport>, clock: Clock) -> Self {
        let inner = Inner {
            transport,
            clock,
            signer: Signer {
                merchant_no: settings.merchant_no,
                merchant_key: settings.merchant_key,
                strip_whitespace: settings.strip_whitespace,
            },
            app_id: settings.app_id.filter(|id| !id.is_empty()),
            timeout: settings.timeout,
            policy: RetryPolicy { retries: settings.retries, backoff: settings.backoff },
            slots: Semaphore::new(settings.max_concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            pace: call::pace(settings.max_requests_per_second),
            gate: Gate::default(),
            offset_s: AtomicI64::new(0),
            skew_s: AtomicI64::new(NO_SKEW),
        };
        Self { inner: Arc::new(inner) }
    }

    /// A client over HTTP to the address in `settings`.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn over_http(settings: ClientSettings, clock: Clock) -> Result<Self, EtcpError> {
        let transport = HttpTransport::new(&settings.base_url, settings.timeout, settings.allow_plain_http)?;
        Ok(Self::new(settings, Arc::new(transport), clock))
    }

    /// No call waits beyond `deadline` for a platform that asks to be left alone: it fails at once.
    pub fn end_by(&self, deadline: Instant) {
        self.inner.gate.end_by(deadline);
    }

    /// Whether calls that only ask wait as long as the platform wants to be left alone, up to the deadline: so in
    /// a run's pull, which has the night. Otherwise, and without a deadline, two minutes are the longest wait.
    pub fn be_patient(&self, is_patient: bool) {
        self.inner.gate.be_patient(is_patient);
    }

    /// Whether the platform wants to be left alone for longer than is waited: calls fail at once.
    pub fn is_shut(&self) -> bool {
        self.inner.gate.opens(Instant::now()).is_err()
    }

    /// How far the platform's clock is ahead of ours, by the `Date` of its last answer.
    pub fn clock_skew_s(&self) -> Option<i64> {
        Some(self.inner.skew_s.load(Ordering::Relaxed)).filter(|skew| *skew != NO_SKEW)
    }

    /// What is added to our clock since the platform answered code 3; 0 as long as it has not.
    pub fn clock_correction_s(&self) -> i64 {
        self.inner.offset_s.load(Ordering::Relaxed)
    }

    /// Signs a user in (§8.3), which voids the user's token of before. `plate` is the first of the roster.
    ///
    /// # Errors
    /// As every call.
    pub async fn sign_in(&self, mobile: &Mobile, plate: &Plate) -> Result<SecretString, EtcpError> {
        let data = Data::new()
            .with("mobilePhone", mobile.expose())
            .with_some("appId", self.app_id())
            .with("carNumber", plate.as_str());
        let answer = self.ask(Interface::SignIn, data, &[mobile.expose()]).await?;
        Ok(parse_token(&answer.data)?)
    }

    /// The user's closed orders of the last seven days (§8.6).
    ///
    /// # Errors
    /// As every call; a bad record is no error, it stands in [`Listing::rejected`].
    pub async fn history(&self, token: &SecretString) -> Result<Listing<OrderSnapshot>, EtcpError> {
        let data = Data::new().with("token", token.expose_secret());
        let answer = self.ask(Interface::OrderHistory, data, &[token.expose_secret()]).await?;
        Ok(parse_history(&answer.data)?)
    }

    /// The open orders of one plate with their fees (§8.7). Its `verificationInfo` belongs to this
    /// one call.
    ///
    /// # Errors
    /// As every call; a bad record is no error, it stands in [`Listing::rejected`].
    pub async fn unpaid(&self, token: &SecretString, plate: &Plate) -> Result<Listing<UnpaidOrder>, EtcpError> {
        let data = Data::new()
            .with("token", token.expose_secret())
            .with("plateNumber", plate.as_str())
            .with_some("appId", self.app_id());
        let answer = self.ask(Interface::OrderUnpay, data, &[token.expose_secret()]).await?;
        Ok(parse_unpaid(&answer.data, plate)?)
    }

    /// Tells the platform of a payment (§8.8): one POST on a connection of its own, never repeated.
    /// The caller has made durable that it is sent, and runs this where nothing cancels it.
    ///
    /// A code 3 corrects the clock for later calls; what the attempt showed stays what it is. While the
    /// platform asks for no calls, or refused our signature to a call before, nothing is sent: a wait
    /// would make the fee that was asked for right before this an old one.
    pub async fn order_paid(&self, token: &SecretString, request: &PaidRequest) -> AttemptOutcome {
        if let Some(fault) = request.fault() {
            return AttemptOutcome::NotSent { reason: fault.to_owned() };
        }
        let data = request.data(token, self.app_id());
        let sent = match self.exchange(Interface::OrderPaid, &data).await {
            Ok(sent) => sent,
            Err(shut) => return AttemptOutcome::NotSent { reason: shut.to_string() },
        };
        let outcome = classify(request, &sent.result);
        if let (AttemptOutcome::Refused { code: Code::TimestampExpired, .. }, Ok(response)) = (&outcome, &sent.result) {
            self.correct_clock(response, sent.offset_s);
        }
        match outcome {
            AttemptOutcome::Refused { code, message } => {
                AttemptOutcome::Refused { code, message: scrubbed(&message, &[token.expose_secret()]) }
            }
            other @ (AttemptOutcome::Acknowledged { .. }
            | AttemptOutcome::NotSent { .. }
            | AttemptOutcome::Unclear { .. }) => other,
        }
    }

    fn app_id(&self) -> Option<&str> {
        self.inner.app_id.as_deref()
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
