//! The platform as the config describes it, and the tokens that are kept from run to run.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::clock::Clock;
use crate::config::{Environment, Settings};
use crate::etcp::{Client, ClientSettings, StoredToken, TokenStore};
use crate::model::Mobile;
use crate::store::{Store, StoreError};

/// The wait before the first repetition of a read.
const BACKOFF: Duration = Duration::from_millis(250);

/// The client of the configured platform.
///
/// # Errors
/// When the key cannot be had, or the address cannot be called.
pub fn client(settings: &Settings, clock: &Clock) -> anyhow::Result<Client> {
    let platform = &settings.platform;
    let app_id = &settings.merchant.app_id;
    let client = ClientSettings {
        base_url: platform.base_url.clone(),
        allow_plain_http: platform.environment == Environment::Test,
        merchant_no: settings.merchant.merchant_no.clone(),
        merchant_key: settings.merchant.merchant_key.get()?,
        app_id: (!app_id.is_empty()).then(|| app_id.clone()),
        timeout: platform.timeout,
        max_concurrency: platform.max_concurrency,
        max_requests_per_second: platform.max_requests_per_second,
        retries: platform.retries,
        backoff: BACKOFF,
        strip_whitespace: platform.strip_whitespace,
    };
    Ok(Client::over_http(client, clock.clone())?)
}

/// Keeps tokens in the database, through a connection of its own.
pub struct StoredTokens {
    store: Mutex<Store>,
}

impl StoredTokens {
    /// Tokens in the database of `store`.
    ///
    /// # Errors
    /// When it cannot be opened once more.
    pub fn beside(store: &Store) -> Result<Self, StoreError> {
        Ok(Self { store: Mutex::new(store.beside()?) })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Store) -> Result<T, StoreError>) -> Result<T, String> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut store).map_err(|error| error.to_string())
    }
}

impl TokenStore for StoredTokens {
    fn load(&self, mobile: &Mobile) -> Result<Option<StoredToken>, String> {
        let kept = self.with(|store| store.token(mobile))?;
        Ok(kept.map(|(token, issued_at)| StoredToken { token: SecretString::from(token), issued_at }))
    }

    fn save(&self, mobile: &Mobile, token: &StoredToken) -> Result<(), String> {
        self.with(|store| store.keep_token(mobile, token.token.expose_secret(), token.issued_at))
    }

    fn forget(&self, mobile: &Mobile) -> Result<(), String> {
        self.with(|store| store.drop_token(mobile))
    }
}
