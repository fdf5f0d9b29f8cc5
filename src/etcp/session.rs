//! Sign-ins of one run: a user's token is used until it is refused or a day old, then the user is
//! signed in once.
//!
//! Every sign-in voids the token of before, also one that another program holds. So sign-ins of one
//! user never race (single flight), a token outlives the run in a [`TokenStore`], and after a refusal
//! there is one sign-in per user and run, no second.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::client::{Client, EtcpError};
use crate::clock::Clock;
use crate::model::{Mobile, Plate, Timestamp};

/// How long the platform keeps a token (§8.3).
const TOKEN_LIFE_S: i64 = 24 * 3600;

/// A token and when it was given.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// The token.
    pub token: SecretString,
    /// Our clock before it was asked for.
    pub issued_at: Timestamp,
}

/// Keeps tokens from one run to the next. An error is its text, without the token.
pub trait TokenStore: Send + Sync {
    /// The user's token, if one is kept.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn load(&self, mobile: &Mobile) -> Result<Option<StoredToken>, String>;

    /// Keeps the user's token in the place of the one of before.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn save(&self, mobile: &Mobile, token: &StoredToken) -> Result<(), String>;

    /// Forgets the user's token; none is fine too.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn forget(&self, mobile: &Mobile) -> Result<(), String>;
}

/// Keeps nothing: every run signs in.
#[derive(Clone, Copy, Debug)]
pub struct NoStore;

impl TokenStore for NoStore {
    fn load(&self, _: &Mobile) -> Result<Option<StoredToken>, String> {
        Ok(None)
    }

    fn save(&self, _: &Mobile, _: &StoredToken) -> Result<(), String> {
        Ok(())
    }

    fn forget(&self, _: &Mobile) -> Result<(), String> {
        Ok(())
    }
}

/// What is known of one user in this run.
#[derive(Default)]
struct User {
    loaded: bool,
    token: Option<StoredToken>,
    /// A token was refused in this run; the one sign-in that follows is used up with it.
    renewed: bool,
    /// The platform refused to sign the user in; it is not asked again in this run.
    refused: Option<EtcpError>,
}

/// The tokens of one run. Make a new one for each run; clones belong to the same.
#[derive(Clone)]
pub struct Sessions {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    store: Arc<dyn TokenStore>,
    clock: Clock,
    users: std::sync::Mutex<HashMap<Mobile, Arc<Mutex<User>>>>,
    voided: AtomicU64,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

impl Sessions {
    /// Sessions of a run that begins.
    pub fn new(client: Client, store: Arc<dyn TokenStore>, clock: Clock) -> Self {
        let users = std::sync::Mutex::new(HashMap::new());
        Self { inner: Arc::new(Inner { client, store, clock, users, voided: AtomicU64::new(0) }) }
    }

    /// The client that signs in.
    pub fn client(&self) -> &Client {
        &self.inner.client
    }

    /// How many tokens were refused in this run. Many of them mean that another program signs the
    /// same users in.
    pub fn voided(&self) -> u64 {
        self.inner.voided.load(Ordering::Relaxed)
    }

    /// The user's token: the kept one, else of a sign-in with `plate`, the first of the roster.
    ///
    /// # Errors
    /// When the sign-in fails, was refused before in this run, or the store fails.
    pub async fn token(&self, mobile: &Mobile, plate: &Plate) -> Result<SecretString, EtcpError> {
        let user = self.user(mobile);
        let mut user = user.lock().await;
        self.ensure(&mut user, mobile, plate).await
    }

    /// Runs a call that only asks with the user's token. Refused with 20101, the user is signed in
    /// once and the call repeated once.
    ///
    /// # Errors
    /// Those of the call and of the sign-in; [`EtcpError::InvalidToken`] when a new token was refused too.
    pub async fn with<T, F, Fut>(&self, mobile: &Mobile, plate: &Plate, call: F) -> Result<T, EtcpError>
    where
        F: Fn(SecretString) -> Fut,
        Fut: Future<Output = Result<T, EtcpError>>,
    {
        let token = self.token(mobile, plate).await?;
        match call(token.clone()).await {
            Err(EtcpError::InvalidToken) => {}
            result => return result,
        }
        self.refused(mobile, &token).await?;
        let token = self.token(mobile, plate).await?;
        let result = call(token.clone()).await;
        if matches!(result, Err(EtcpError::InvalidToken)) {
            self.refused(mobile, &token).await?;
        }
        result
    }

    /// Takes note that the platform refused `token` with 20101, on `orderpaid` too: the next
    /// [`Sessions::token`] signs in, if that was not done in this run. A token that was replaced in
    /// the meantime is no news.
    ///
    /// # Errors
    /// When the store cannot forget it.
    pub async fn refused(&self, mobile: &Mobile, token: &SecretString) -> Result<(), EtcpError> {
        let user = self.user(mobile);
        let mut user = user.lock().await;
        let is_current =
            user.token.as_ref().is_some_and(|current| current.token.expose_secret() == token.expose_secret());
        if !is_current {
            return Ok(());
        }
        self.inner.voided.fetch_add(1, Ordering::Relaxed);
        user.token = None;
        if user.renewed {
            user.refused = Some(EtcpError::InvalidToken);
        }
        user.renewed = true;
        self.inner.store.forget(mobile).map_err(|reason| EtcpError::TokenStore { reason })
    }

    /// Keeps a token that was had in another way (the code of an SMS).
    ///
    /// # Errors
    /// When the store cannot keep it.
    pub async fn adopt(&self, mobile: &Mobile, token: SecretString) -> Result<(), EtcpError> {
        let user = self.user(mobile);
        let mut user = user.lock().await;
        user.refused = None;
        self.keep(&mut user, mobile, StoredToken { token, issued_at: self.inner.clock.now() })
    }

    /// Forgets a user of whom the store knows all that is known here, so that a run over very many users does
    /// not hold them all. One of whom a token or a sign-in was refused is remembered to the run's end.
    pub fn let_go(&self, mobile: &Mobile) {
        let mut users = self.inner.users.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_idle = |user: &Arc<Mutex<User>>| {
            let is_plain = |user: &User| !user.renewed && user.refused.is_none();
            Arc::strong_count(user) == 1 && user.try_lock().is_ok_and(|user| is_plain(&user))
        };
        if users.get(mobile).is_some_and(is_idle) {
            users.remove(mobile);
        }
    }

    fn user(&self, mobile: &Mobile) -> Arc<Mutex<User>> {
        let mut users = self.inner.users.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(users.entry(mobile.clone()).or_default())
    }

    /// A token for a user who is locked, so that whoever comes second finds it.
    async fn ensure(&self, user: &mut User, mobile: &Mobile, plate: &Plate) -> Result<SecretString, EtcpError> {
        if !user.loaded {
            user.token = self.inner.store.load(mobile).map_err(|reason| EtcpError::TokenStore { reason })?;
            user.loaded = true;
        }
        let issued_at = self.inner.clock.now();
        if let Some(current) = &user.token {
            // A token from the future is of a clock that was wrong; nothing can be said about its age.
            if (0..TOKEN_LIFE_S).contains(&issued_at.since_s(current.issued_at)) {
                return Ok(current.token.clone());
            }
        }
        if let Some(error) = &user.refused {
            return Err(error.clone());
        }
        let token = match self.inner.client.sign_in(mobile, plate).await {
            Ok(token) => token,
            Err(error) => {
                if matches!(error, EtcpError::Refused { .. } | EtcpError::InvalidToken) {
                    user.refused = Some(error.clone());
                }
                return Err(error);
            }
        };
        self.keep(user, mobile, StoredToken { token: token.clone(), issued_at })?;
        Ok(token)
    }

    fn keep(&self, user: &mut User, mobile: &Mobile, token: StoredToken) -> Result<(), EtcpError> {
        let saved = self.inner.store.save(mobile, &token);
        user.loaded = true;
        user.token = Some(token);
        saved.map_err(|reason| EtcpError::TokenStore { reason })
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
