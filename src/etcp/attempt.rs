//! One `orderpaid`: what is told, and what an attempt showed.
//!
//! An attempt counts as acknowledged only when the whole answer names what was sent. Whatever
//! leaves a doubt is [`AttemptOutcome::Unclear`]: the platform may have booked it.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::request::{Data, TransportError, WireResponse, scrubbed};
use super::wire::{amount_of, parse_answer, text_of};
use super::{Answer, Code};
use crate::model::{Amount, ExternalOrderId, OrderId, Timestamp};

/// A payment as the platform is told of it.
#[derive(Clone, Debug)]
pub struct PaidRequest {
    /// The platform's order.
    pub order_id: OrderId,
    /// The id that the payment bears at the platform, the same on every attempt.
    pub external_order_id: ExternalOrderId,
    /// Exactly what is due.
    pub payment: Amount,
    /// When it was paid.
    pub pay_time: Timestamp,
    /// Of the fee query right before.
    pub verification_info: SecretString,
}

impl PaidRequest {
    /// The SHA-256 of the business fields, in hex: the same on every attempt. The token and
    /// `verificationInfo` change and are no part of it.
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        let fields =
            [self.order_id.key(), self.external_order_id.to_string(), self.payment.to_string(), self.pay_time.wall()];
        for field in fields {
            // The length first, so that no two sets of fields are the same text.
            hasher.update(format!("{}:", field.len()));
            hasher.update(field);
        }
        hex::encode(hasher.finalize())
    }

    /// Why this can never be sent, if so: seen before a byte leaves.
    pub fn fault(&self) -> Option<&'static str> {
        if !self.external_order_id.is_sendable() {
            return Some(
                "the external order id is longer than 64 or has other characters than letters, digits, - and _",
            );
        }
        if self.payment.is_zero() {
            return Some("the payment is zero");
        }
        if self.verification_info.expose_secret().is_empty() {
            return Some("the fee query gave no verificationInfo");
        }
        None
    }

    /// The text of `data`: the payment with two places, the time as Shanghai's wall clock.
    pub fn data(&self, token: &SecretString, app_id: Option<&str>) -> SecretString {
        Data::new()
            .with("token", token.expose_secret())
            .with("orderId", self.order_id.as_str())
            .with("externalOrderId", self.external_order_id.as_str())
            .with("payment", &self.payment.to_string())
            .with("payTime", &self.pay_time.wall())
            .with("verificationInfo", self.verification_info.expose_secret())
            .with_some("appId", app_id)
            .finish()
    }
}

/// What an attempt at `orderpaid` showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// Code 0 that names the same order, external order id and amount.
    Acknowledged {
        /// The platform's id of the payment, as text.
        pay_order_id: String,
    },
    /// Nothing left the machine.
    NotSent {
        /// What was in the way.
        reason: String,
    },
    /// A whole HTTP 200 answer with a code other than 0.
    Refused {
        /// The code.
        code: Code,
        /// The platform's words, scrubbed.
        message: String,
    },
    /// Anything else: it may be booked or not.
    Unclear {
        /// What was seen.
        reason: String,
        /// The code, where an answer had one.
        code: Option<Code>,
    },
}

/// What the attempt at `request` showed, from what came back.
pub fn classify(request: &PaidRequest, result: &Result<WireResponse, TransportError>) -> AttemptOutcome {
    let response = match result {
        Ok(response) => response,
        Err(TransportError::NotSent { reason }) => return AttemptOutcome::NotSent { reason: reason.clone() },
        Err(error @ (TransportError::Lost { .. } | TransportError::TooLong { .. })) => {
            return AttemptOutcome::Unclear { reason: error.to_string(), code: None };
        }
    };
    let answer = parse_answer(&response.body.0);
    if response.status != 200 {
        let code = answer.ok().map(|answer| answer.code);
        return AttemptOutcome::Unclear { reason: format!("HTTP status {}", response.status), code };
    }
    match answer {
        Err(error) => AttemptOutcome::Unclear { reason: error.to_string(), code: None },
        Ok(answer) if answer.code.is_success() => acknowledgement(request, &answer.data),
        Ok(Answer { code, message, .. }) => {
            let message = scrubbed(&message, &[request.verification_info.expose_secret()]);
            AttemptOutcome::Refused { code, message }
        }
    }
}

/// Code 0: an acknowledgement when it names what was sent.
fn acknowledgement(request: &PaidRequest, data: &Value) -> AttemptOutcome {
    let echo = |name| data.get(name).and_then(text_of).unwrap_or_default();
    let same_order = OrderId::new(&echo("orderId")).is_some_and(|id| id == request.order_id);
    let same_payment = echo("externalOrderId") == request.external_order_id.as_str();
    let same_amount = data.get("payment").is_some_and(|value| amount_of(value) == Ok(request.payment));
    let pay_order_id = echo("payOrderId");
    let doubt = match (same_order, same_payment, same_amount) {
        (false, _, _) => "orderId",
        (_, false, _) => "externalOrderId",
        (_, _, false) => "payment",
        (true, true, true) if pay_order_id.is_empty() => "payOrderId",
        (true, true, true) => return AttemptOutcome::Acknowledged { pay_order_id },
    };
    let reason = format!("code 0, but `{doubt}` is missing or another one in the answer");
    AttemptOutcome::Unclear { reason, code: Some(Code::Success) }
}

#[cfg(test)]
#[path = "attempt_tests.rs"]
mod tests;
