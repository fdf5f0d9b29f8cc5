//! Sends pushes to the merchant's address, as the platform would: one after the other, again when they are not accepted.
//!
//! To this machine only, without proxy and redirects. It knows nothing of the receiver but §9: HTTP 200 and code 0 is accepted.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use serde_json::Value;

use super::orders::Stay;
use super::push::{PushForm, PushKind};
use super::world::World;
use crate::model::{OrderId, Timestamp};

/// How long one push may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The pause between two pushes.
const PACE: Duration = Duration::from_millis(20);

/// How often a push is sent that the receiver answers and does not accept.
const TRIES: u32 = 3;

/// The pause before a push is sent again.
const AGAIN: Duration = Duration::from_secs(1);

/// How much of an answer is shown.
const SHOWN_CHARS: usize = 200;

/// Where pushes go and what they look like.
#[derive(Clone, Debug)]
pub struct PushOptions {
    /// The address in front of `/entrance` and `/exit`.
    pub url: String,
    /// How they are written and signed.
    pub form: PushForm,
    /// Shuffled, and every third one twice.
    pub storm: bool,
}

/// Why pushes cannot be sent to an address.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// Not an address on this machine.
    #[error(
        "`{url}` is no address that the sandbox pushes to\nhint: http and this machine only, such as http://127.0.0.1:8088/push"
    )]
    Address {
        /// What was given.
        url: String,
    },
    /// The HTTP client cannot be built.
    #[error("no HTTP client can be set up for the pushes")]
    Client(#[source] reqwest::Error),
}

/// What the receiver said to one push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// HTTP 200 and code 0.
    Accepted {
        /// The answer.
        text: String,
    },
    /// Any other answer.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The answer.
        text: String,
    },
    /// No answer at all.
    Nothing {
        /// What was in the way.
        reason: String,
    },
}

/// One push that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The stay.
    pub order_id: OrderId,
    /// Which of its two pushes.
    pub kind: PushKind,
}

/// How many pushes went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Requests that were sent, repeats too.
    pub sent: u64,
    /// Those that the receiver accepted.
    pub accepted: u64,
}

/// Sends pushes to one address.
pub struct Sender {
    client: Client,
    base: String,
    host: String,
    port: u16,
    path: String,
    form: PushForm,
    sent: AtomicU64,
    accepted: AtomicU64,
}

impl Sender {
    /// A sender to the address of `options`.
    ///
    /// # Errors
    /// When the address is not plain HTTP to this machine.
    pub fn new(options: &PushOptions) -> Result<Self, SenderError> {
        let address = || SenderError::Address { url: options.url.clone() };
        let url = Url::parse(&options.url).map_err(|_| address())?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let is_here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if url.scheme() != "http" || !is_here || !is_plain {
            return Err(address());
        }
        // An error says that a provider is there already, which serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).retry(reqwest::retry::never());
        let client = builder.no_proxy().http1_only().timeout(TIMEOUT).build().map_err(SenderError::Client)?;
        Ok(Self {
            client,
            base: url.as_str().trim_end_matches('/').to_owned(),
            host: host.to_owned(),
            port: url.port().unwrap_or(80),
            path: url.path().trim_end_matches('/').to_owned(),
            form: options.form,
            sent: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
        })
    }

    /// How its pushes are written.
    pub const fn form(&self) -> PushForm {
        self.form
    }

    /// The part of the merchant's config that has the pushes received where they go.
    pub fn receiver_toml(&self) -> String {
        let host = if self.host == "localhost" { "127.0.0.1" } else { &self.host };
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        format!("\n[push]\nlisten = \"{host}:{}\"\npath_prefix = \"{}\"\n", self.port, self.path)
    }

    /// How many went out so far.
    pub fn sent(&self) -> Sent {
        Sent { sent: self.sent.load(Ordering::SeqCst), accepted: self.accepted.load(Ordering::SeqCst) }
    }

    /// Sends one push, once.
    pub async fn send(&self, kind: PushKind, (content_type, body): (&'static str, String)) -> Said {
        let address = format!("{}/{}", self.base, kind.name());
        self.sent.fetch_add(1, Ordering::SeqCst);
        let said = self.exchange(address, content_type, body).await;
        let said = said.unwrap_or_else(|error| Said::Nothing { reason: reason(&error) });
        if matches!(said, Said::Accepted { .. }) {
            self.accepted.fetch_add(1, Ordering::SeqCst);
        }
        said
    }

    async fn exchange(&self, address: String, content_type: &str, body: String) -> reqwest::Result<Said> {
        let answer = self.client.post(address).header(CONTENT_TYPE, content_type).body(body).send().await?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await?;
        let text: String = String::from_utf8_lossy(&bytes).chars().take(SHOWN_CHARS).collect();
        let code = serde_json::from_slice::<Value>(&bytes).ok().and_then(|answer| answer.get("code")?.as_i64());
        let is_accepted = status == 200 && code == Some(0);
        Ok(if is_accepted { Said::Accepted { text } } else { Said::Refused { status, text } })
    }

    /// Sends all of `owed`, paced. One that is refused is sent three times; while nobody listens, it waits.
    /// `write` makes the body at the moment of sending; `None` when there is nothing to push any more.
    pub async fn send_all(&self, owed: Vec<Owed>, write: impl Fn(&Owed) -> Option<(&'static str, String)>) {
        for push in owed {
            let mut tries = TRIES;
            while tries > 0 {
                let Some(body) = write(&push) else { break };
                match self.send(push.kind, body).await {
                    Said::Accepted { .. } => break,
                    Said::Refused { status, text } => {
                        tries = tries.saturating_sub(1);
                        tracing::warn!(order.id = %push.order_id, push = push.kind.name(), status, "push refused: {text}");
                    }
                    Said::Nothing { reason } => tracing::debug!("push waits for a receiver: {reason}"),
                }
                tokio::time::sleep(AGAIN).await;
            }
            tokio::time::sleep(PACE).await;
        }
    }
}

/// What was in the way, without the address, which is known.
fn reason(error: &reqwest::Error) -> String {
    let what = if error.is_connect() {
        "nobody listens there"
    } else if error.is_timeout() {
        "no answer in time"
    } else {
        "no whole answer"
    };
    what.to_owned()
}

/// The pushes of all stays of a world, by time: an entrance for each car, an exit for each that left.
pub fn owed_pushes(world: &World) -> Vec<Owed> {
    let mut owed: Vec<(Timestamp, Owed)> = Vec::new();
    for order in world.orders() {
        let push = |kind| Owed { order_id: order.order_id.clone(), kind };
        match order.stay {
            Stay::Vanished => {}
            Stay::Inside { .. } => owed.push((order.entrance_at, push(PushKind::Entrance))),
            Stay::Left { exit_at, .. } => {
                owed.extend([(order.entrance_at, push(PushKind::Entrance)), (exit_at, push(PushKind::Exit))]);
            }
        }
    }
    owed.sort_by_key(|(at, _)| *at);
    owed.into_iter().map(|(_, push)| push).collect()
}

/// The same pushes out of order, and a third of them twice; always the same for the same seed.
pub fn stormy(mut owed: Vec<Owed>, seed: u64) -> Vec<Owed> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let again: Vec<_> = owed.iter().filter(|_| rng.random_range(0..3_u32) == 0).cloned().collect();
    owed.extend(again);
    owed.shuffle(&mut rng);
    owed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Size, seeded};

    fn owed() -> Vec<Owed> {
        owed_pushes(&seeded(1, "2026-11-22".parse().unwrap(), Size::SMALL).world)
    }

    #[test]
    fn every_car_enters_and_those_that_left_exit_later() {
        let world = seeded(1, "2026-11-22".parse().unwrap(), Size::SMALL).world;
        let owed = owed_pushes(&world);
        for order in world.orders() {
            let pushes = owed.iter().filter(|push| push.order_id == order.order_id).map(|push| push.kind);
            let expected: &[_] = match order.stay {
                Stay::Inside { .. } => &[PushKind::Entrance],
                Stay::Left { .. } => &[PushKind::Entrance, PushKind::Exit],
                Stay::Vanished => &[],
            };
            assert_eq!(pushes.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_storm_loses_nothing_repeats_some_and_turns_some_round() {
        let (calm, storm) = (owed(), stormy(owed(), 1));
        assert!(calm.iter().all(|push| storm.contains(push)));
        assert!(storm.len() > calm.len() + calm.len() / 5, "{} of {}", storm.len(), calm.len());
        let place = |of: &Owed, kind| storm.iter().position(|push| push.order_id == of.order_id && push.kind == kind);
        let exits = calm.iter().filter(|push| push.kind == PushKind::Exit);
        let early = exits.filter(|exit| place(exit, PushKind::Exit) < place(exit, PushKind::Entrance));
        assert!(early.count() > 10);
        assert_eq!(stormy(owed(), 1), storm);
    }

    #[test]
    fn pushes_go_to_this_machine_only() {
        let new = |url: &str| Sender::new(&PushOptions { url: url.into(), form: PushForm::Json, storm: false });
        assert!(new("http://127.0.0.1:8088/push/").is_ok() && new("http://[::1]:8088/push").is_ok());
        for url in
            ["https://127.0.0.1/push", "http://192.0.2.1/push", "http://127.0.0.1/?a=b", "push", "http://a@localhost/"]
        {
            assert!(matches!(new(url), Err(SenderError::Address { .. })), "{url}");
        }
    }
}
