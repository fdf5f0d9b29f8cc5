//! The platform as the config describes it, and the tokens that are kept from run to run.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Environment, Settings};
use crate::etcp::{Client, ClientSettings, StoredToken, TokenStore};
use crate::model::Mobile;
use crate::store::{Store, StoreError, TokenChange};

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

/// Keeps tokens in the database, through a connection of its own; or holds them back for a while, for
/// whoever writes them together with what they brought.
pub struct StoredTokens(Mutex<Shelf>);

struct Shelf {
    store: Store,
    /// Changes that are not written yet, by user; none while each is written at once.
    held: Option<HashMap<Mobile, TokenChange>>,
}

impl StoredTokens {
    /// Tokens in the database of `store`, written at once.
    ///
    /// # Errors
    /// When it cannot be opened once more.
    pub fn beside(store: &Store) -> Result<Self, StoreError> {
        Ok(Self(Mutex::new(Shelf { store: store.beside()?, held: None })))
    }

    /// Writes nothing from now on: one sign-in is not worth a write of its own while users are signed in by
    /// the thousand. A process that dies meanwhile costs each of them one sign-in more.
    pub fn hold(&self) {
        self.shelf().held.get_or_insert_default();
    }

    /// What is held back. It stays so until it is [`StoredTokens::written`]: nobody is to find the token before it.
    pub fn held(&self) -> Vec<TokenChange> {
        self.shelf().held.iter().flat_map(HashMap::values).cloned().collect()
    }

    /// Takes note that `changes` are in the database.
    pub fn written(&self, changes: &[TokenChange]) {
        let mut kept = self.shelf();
        let Some(waiting) = &mut kept.held else { return };
        for written in changes {
            // It may have changed once more since.
            if waiting.get(&written.mobile).is_some_and(|change| change.is_same(written)) {
                waiting.remove(&written.mobile);
            }
        }
    }

    /// Writes what is held back, and everything at once from now on.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn release(&self) -> Result<(), StoreError> {
        self.shelf().release()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn change(&mut self, mobile: &Mobile, token: Option<&StoredToken>) -> Result<(), String> {
        let token = token.map(|token| (token.token.clone(), token.issued_at));
        let change = TokenChange { mobile: mobile.clone(), token };
        match &mut self.held {
            Some(held) => {
                held.insert(mobile.clone(), change);
                Ok(())
            }
            None => self.store.change_tokens(&[change]).map_err(|error| error.to_string()),
        }
    }

    fn release(&mut self) -> Result<(), StoreError> {
        let held = self.held.take().unwrap_or_default();
        if held.is_empty() {
            return Ok(());
        }
        self.store.change_tokens(&held.into_values().collect::<Vec<_>>())
    }
}

impl Drop for Shelf {
    /// A run that is cancelled does not come to [`StoredTokens::release`].
    fn drop(&mut self) {
        if let Err(error) = self.release() {
            tracing::warn!(%error, "tokens could not be kept; their users are signed in again");
        }
    }
}

impl TokenStore for StoredTokens {
    fn load(&self, mobile: &Mobile) -> Result<Option<StoredToken>, String> {
        let tokens = self.shelf();
        let kept = match tokens.held.as_ref().and_then(|held| held.get(mobile)) {
            Some(change) => change.token.clone(),
            None => tokens.store.token(mobile).map_err(|error| error.to_string())?,
        };
        Ok(kept.map(|(token, issued_at)| StoredToken { token, issued_at }))
    }

    fn save(&self, mobile: &Mobile, token: &StoredToken) -> Result<(), String> {
        self.shelf().change(mobile, Some(token))
    }

    fn forget(&self, mobile: &Mobile) -> Result<(), String> {
        self.shelf().change(mobile, None)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret, SecretString};

    use super::*;
    use crate::model::Timestamp;

    fn token(text: &str) -> StoredToken {
        StoredToken { token: SecretString::from(text), issued_at: Timestamp::from_unix(1) }
    }

    struct Desk {
        _dir: tempfile::TempDir,
        store: Store,
        tokens: StoredTokens,
        mobile: Mobile,
    }

    fn desk() -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("recon.db")).unwrap();
        let tokens = StoredTokens::beside(&store).unwrap();
        Desk { _dir: dir, store, tokens, mobile: Mobile::parse("13800000001").unwrap() }
    }

    impl Desk {
        fn in_the_database(&self) -> Option<String> {
            self.store.token(&self.mobile).unwrap().map(|(token, _)| token.expose_secret().to_owned())
        }

        fn found(&self) -> Option<String> {
            self.tokens.load(&self.mobile).unwrap().map(|kept| kept.token.expose_secret().to_owned())
        }
    }

    #[test]
    fn a_token_is_written_at_once_unless_it_is_held_back() {
        let desk = desk();
        desk.tokens.save(&desk.mobile, &token("one")).unwrap();
        assert_eq!(desk.in_the_database().as_deref(), Some("one"));
        desk.tokens.hold();
        desk.tokens.save(&desk.mobile, &token("two")).unwrap();
        assert_eq!((desk.in_the_database().as_deref(), desk.found().as_deref()), (Some("one"), Some("two")));
        desk.tokens.release().unwrap();
        assert_eq!(desk.in_the_database().as_deref(), Some("two"));
        desk.tokens.forget(&desk.mobile).unwrap();
        assert_eq!((desk.in_the_database(), desk.found()), (None, None));
    }

    #[test]
    fn a_token_that_is_void_is_not_found_while_that_is_held_back() {
        let desk = desk();
        desk.tokens.save(&desk.mobile, &token("one")).unwrap();
        desk.tokens.hold();
        desk.tokens.forget(&desk.mobile).unwrap();
        assert_eq!((desk.in_the_database().as_deref(), desk.found()), (Some("one"), None));
    }

    #[test]
    fn what_changed_while_it_was_written_is_held_back_still() {
        let mut desk = desk();
        desk.tokens.hold();
        desk.tokens.save(&desk.mobile, &token("one")).unwrap();
        let held = desk.tokens.held();
        desk.tokens.save(&desk.mobile, &token("two")).unwrap();
        desk.store.change_tokens(&held).unwrap();
        desk.tokens.written(&held);
        assert_eq!((desk.in_the_database().as_deref(), desk.found().as_deref()), (Some("one"), Some("two")));
        desk.store.change_tokens(&desk.tokens.held()).unwrap();
        desk.tokens.written(&desk.tokens.held());
        assert!(desk.tokens.held().is_empty());
        assert_eq!(desk.found().as_deref(), Some("two"));
    }

    #[test]
    fn what_is_held_back_is_written_when_a_run_is_cancelled() {
        let desk = desk();
        desk.tokens.hold();
        desk.tokens.save(&desk.mobile, &token("one")).unwrap();
        let Desk { store, tokens, mobile, _dir } = desk;
        drop(tokens);
        assert!(store.token(&mobile).unwrap().is_some());
    }
}
