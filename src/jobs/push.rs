//! The push receiver as this merchant's: its database, its number, its key.

use crate::clock::Clock;
use crate::config::Settings;
use crate::push::{Limits, Receiver, ReceiverSettings};

use super::run::open_store;

/// There is no `[push]` in the configuration.
#[derive(Debug, thiserror::Error)]
#[error("{}: there is no [push] section\nhint: add [push] and in it listen = \"127.0.0.1:8088\", the address that the platform's pushes reach", .0.display())]
pub struct NoPush(pub std::path::PathBuf);

/// Starts to receive pushes, on the address of the configuration, into the database of the configuration. It takes
/// no lock: runs go on beside it.
///
/// # Errors
/// [`NoPush`] when there is no `[push]`, a config error without the merchant's key; when the database cannot be
/// used or is another merchant's; when the address cannot be listened on.
pub async fn start(settings: &Settings, clock: &Clock) -> anyhow::Result<Receiver> {
    let push = settings.push.as_ref().ok_or_else(|| NoPush(settings.file.clone()))?;
    let receiver = ReceiverSettings {
        listen: push.listen,
        path_prefix: push.path_prefix.clone(),
        merchant_no: settings.merchant.merchant_no.clone(),
        merchant_key: settings.merchant.merchant_key.get()?,
        limits: Limits::default(),
    };
    let store = open_store(settings)?;
    Ok(Receiver::start(receiver, store, clock.clone()).await?)
}
