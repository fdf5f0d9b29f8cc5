//! One call: its turn, the exchange, what the answer means, and whether it is sent again.

use std::num::NonZeroU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use secrecy::SecretString;
use tokio::time::Instant;

use super::gate::Shut;
use super::{Client, EtcpError, skew_in_words};
use crate::etcp::codes::{Code, Treatment};
use crate::etcp::request::{Data, Interface, Seen, TransportError, WireRequest, WireResponse, scrubbed};
use crate::etcp::wire::{Answer, parse_answer};

/// How evenly calls are spread to stay within `per_second`; 0: they are not.
pub(super) fn pace(per_second: u32) -> Option<DefaultDirectRateLimiter> {
    // A twentieth less than allowed: the platform's seconds begin when they like, and what the network
    // delays and then delivers at once must not make a second too full.
    let gap = Duration::from_secs(1).checked_div(per_second)?;
    let gap = gap.saturating_add(gap.checked_div(20).unwrap_or_default());
    // A burst of one: a full bucket would let twice the rate through in its first second.
    Quota::with_period(gap).map(|quota| RateLimiter::direct(quota.allow_burst(NonZeroU32::MIN)))
}

/// A call that left, and what came of it.
pub(super) struct Sent {
    pub(super) result: Result<WireResponse, TransportError>,
    /// What its time stamp was corrected by.
    pub(super) offset_s: i64,
}

/// One call's result, as far as repeating it is concerned.
struct Failed {
    seen: Seen,
    error: EtcpError,
}

impl Client {
    /// A call that is repeated as far as its interface allows; the answer has code 0.
    pub(super) async fn ask(&self, interface: Interface, data: Data, secrets: &[&str]) -> Result<Answer, EtcpError> {
        let data = data.finish();
        let gate = &self.inner.gate;
        let mut repetitions = 0_u32;
        let mut clock_corrected = false;
        loop {
            let Sent { result, offset_s } = self.exchange(interface, &data).await?;
            let Failed { seen, error } = match self.judged(&result, secrets) {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if let EtcpError::Stop(code) = error {
                gate.stop(code);
            }
            if let (Seen::Code(Code::TimestampExpired), Ok(response)) = (seen, &result) {
                // The platform did nothing, so that this goes for every interface.
                if !clock_corrected && self.correct_clock(response, offset_s) {
                    clock_corrected = true;
                    continue;
                }
                return Err(EtcpError::ClockOff { skew_s: self.clock_skew_s() });
            }
            let wait = self.inner.policy.wait(interface, seen, repetitions, rand::random::<u32>());
            // Where the gate will not open in time, this answer says more than the gate would.
            let Some(wait) = wait.filter(|_| gate.opens(Instant::now()).is_ok()) else { return Err(error) };
            tokio::time::sleep(wait).await;
            repetitions = repetitions.saturating_add(1);
        }
    }

    /// One request and its answer, once, within the limits. The time stamp is made when its turn has come.
    ///
    /// # Errors
    /// When nothing may leave; then nothing did.
    pub(super) async fn exchange(&self, interface: Interface, data: &SecretString) -> Result<Sent, Shut> {
        let inner = &self.inner;
        let slot = inner.slots.acquire().await.expect("the slots are never closed");
        let is_money = interface == Interface::OrderPaid;
        self.turn(is_money).await?;
        let offset_s = self.clock_correction_s();
        let request = WireRequest {
            interface,
            text: inner.signer.parameters(data, inner.clock.now().plus_s(offset_s)),
            timeout: inner.timeout,
            fresh_connection: is_money,
        };
        let begun = Instant::now();
        let result = inner.transport.send(request).await;
        let ended = Instant::now();
        if let Ok(response) = &result {
            self.measure_skew(response);
            if let Some(wait) = self.asked_to_wait(response) {
                inner.gate.close_for(wait, ended);
            }
        }
        // Only now, so that whoever gets the slot finds the gate closed.
        drop(slot);
        if tracing::enabled!(tracing::Level::DEBUG) {
            let took_ms = u64::try_from(ended.duration_since(begun).as_millis()).unwrap_or(u64::MAX);
            let answer = result.as_ref().ok().and_then(|response| parse_answer(&response.body.0).ok());
            let code = answer.map(|answer| answer.code.number());
            tracing::debug!(interface = interface.name(), code, took_ms, "called");
        }
        Ok(Sent { result, offset_s })
    }

    /// Waits until a call may leave. Money does not wait for a gate that is closed.
    async fn turn(&self, is_money: bool) -> Result<(), Shut> {
        let inner = &self.inner;
        let mut had_turn = false;
        loop {
            let now = Instant::now();
            if is_money {
                inner.gate.is_open(now)?;
            } else if let Some(opens_at) = inner.gate.opens(now)? {
                tokio::time::sleep_until(opens_at).await;
                // All who waited here would leave at once.
                had_turn = false;
                continue;
            }
            match &inner.pace {
                Some(pace) if !had_turn => pace.until_ready().await,
                _ => return Ok(()),
            }
            had_turn = true;
        }
    }

    /// How long the platform asks for no calls, where it asks for that.
    fn asked_to_wait(&self, response: &WireResponse) -> Option<Duration> {
        response.retry_after(self.inner.clock.now()).filter(|_| is_fault(response.status))
    }

    fn measure_skew(&self, response: &WireResponse) -> Option<i64> {
        let skew = response.platform_clock()?.since_s(self.inner.clock.now());
        self.inner.skew_s.store(skew, Ordering::Relaxed);
        Some(skew)
    }

    /// Goes by the answer's clock from now on, unless another answer has corrected it since a call was
    /// stamped with `stamped_s`; `false` when it shows none.
    pub(super) fn correct_clock(&self, response: &WireResponse, stamped_s: i64) -> bool {
        let Some(skew_s) = self.measure_skew(response) else { return false };
        let offset_s = &self.inner.offset_s;
        if offset_s.compare_exchange(stamped_s, skew_s, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let clocks = match skew_s {
                0 => ", although the clocks agree".to_owned(),
                _ => format!("; its clock is {} and is followed", skew_in_words(skew_s)),
            };
            tracing::warn!(skew_s, "the platform calls our time stamp expired{clocks}");
        }
        true
    }

    /// What a result means: the answer of code 0, or what failed.
    fn judged(&self, result: &Result<WireResponse, TransportError>, secrets: &[&str]) -> Result<Answer, Failed> {
        let response = match result {
            Ok(response) => response,
            Err(error) => return Err(unanswered(error)),
        };
        if response.status != 200 {
            let reason = match self.asked_to_wait(response) {
                None => format!("HTTP status {}", response.status),
                Some(wait) => {
                    format!("HTTP status {}, no call for {} s (Retry-After)", response.status, wait.as_secs())
                }
            };
            let error = if is_fault(response.status) {
                EtcpError::ServerFault { reason }
            } else {
                EtcpError::BadAnswer { reason }
            };
            return Err(Failed { seen: Seen::Status(response.status), error });
        }
        let answer = parse_answer(&response.body.0)
            .map_err(|error| Failed { seen: Seen::Unreadable, error: EtcpError::from(error) })?;
        let code = answer.code;
        let error = match code.treatment() {
            Treatment::Proceed => return Ok(answer),
            Treatment::Retry => EtcpError::ServerFault { reason: format!("code {code}") },
            Treatment::CorrectClock => EtcpError::ClockOff { skew_s: None },
            Treatment::SignIn => EtcpError::InvalidToken,
            Treatment::Stop => EtcpError::Stop(code),
            Treatment::Fault | Treatment::TellUser | Treatment::Discrepancy | Treatment::NoRetry => {
                EtcpError::Refused { code, message: scrubbed(&answer.message, secrets) }
            }
        };
        Err(Failed { seen: Seen::Code(code), error })
    }
}

/// Whether the server says that it cannot just now. A redirect, which is never followed, counts as that.
const fn is_fault(status: u16) -> bool {
    matches!(status, 300..=399 | 429 | 500..=599)
}

fn unanswered(error: &TransportError) -> Failed {
    let reason = error.to_string();
    let (seen, error) = match error {
        TransportError::NotSent { .. } => (Seen::NotSent, EtcpError::Unreachable { reason, sent: false }),
        TransportError::Lost { .. } => (Seen::Lost, EtcpError::Unreachable { reason, sent: true }),
        TransportError::TooLong { .. } => (Seen::TooLong, EtcpError::BadAnswer { reason }),
    };
    Failed { seen, error }
}
