//! Calls that a person makes: one user's orders, a code by SMS, signing in with it.
//!
//! A sign-in voids the user's token of before, also one that a run is using. So whatever needs a token
//! holds the run lock for as long as it works, and uses the kept token first. Nothing that is asked here
//! is stored, but for the token and the time of an SMS.

use std::future::Future;
use std::sync::Arc;

use secrecy::SecretString;

use super::platform::{StoredTokens, client};
use super::pull::users;
use super::run::{database_path, lock, open_store};
use crate::clock::Clock;
use crate::config::Settings;
use crate::etcp::{Client, EtcpError, LimitError, Listing, Sessions, TokenStore, UnpaidOrder, limits};
use crate::model::{Mobile, OrderSnapshot, Plate};
use crate::store::{RosterPlate, RunLock, Store};

/// What is not known here and would have to be, before the platform is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text(false))]
pub enum Missing {
    /// The roster does not say whose plate it is.
    NotInRoster(Plate),
    /// The same, where its user can be named.
    User(Plate),
    /// A phone without plates in the roster cannot be signed in, and no token of it is kept.
    NoToken(Mobile),
}

impl Missing {
    /// What is missing and what to do, in Chinese or in English.
    pub fn text(&self, in_chinese: bool) -> String {
        match (self, in_chinese) {
            (Self::NotInRoster(plate), true) => {
                format!(
                    "名册中没有车牌 {plate}，不知道属于哪个用户\nhint: 用 `etcp-recon plates import` 导入或用 `plates bind` 绑定"
                )
            }
            (Self::NotInRoster(plate), false) => format!(
                "plate {plate} is not in the roster, so that its user is not known\nhint: `etcp-recon plates import` or `plates bind` brings it in"
            ),
            (Self::User(plate), true) => {
                format!("名册中没有车牌 {plate}，不知道属于哪个用户\nhint: 用 --mobile 写明其用户的手机号")
            }
            (Self::User(plate), false) => {
                format!(
                    "plate {plate} is not in the roster, so that its user is not known\nhint: name the user with --mobile"
                )
            }
            (Self::NoToken(mobile), true) => format!(
                "{mobile} 在名册中没有车牌，也没有保存的令牌，无法登录\nhint: 先 `etcp-recon platform send-code`，再 `etcp-recon platform login`"
            ),
            (Self::NoToken(mobile), false) => format!(
                "{mobile} has no plate in the roster to sign in with, and no token of it is kept\nhint: `etcp-recon platform send-code`, then `etcp-recon platform login`"
            ),
        }
    }
}

/// A user, and a plate to sign in with where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The phone number.
    pub mobile: Mobile,
    /// The user's first plate of the roster.
    pub plate: Option<Plate>,
}

impl Caller {
    /// The user with that phone number.
    pub fn of_mobile(roster: &[RosterPlate], mobile: Mobile) -> Self {
        let known = users(roster).into_iter().find(|user| user.mobile == mobile);
        Self { mobile, plate: known.and_then(|user| user.plates.into_iter().next()) }
    }

    /// The user to whom the roster gives a plate.
    ///
    /// # Errors
    /// When it gives it to nobody.
    pub fn of_plate(roster: &[RosterPlate], plate: &Plate) -> Result<Self, Missing> {
        let entry = roster.iter().find(|entry| entry.plate == *plate);
        let entry = entry.ok_or_else(|| Missing::NotInRoster(plate.clone()))?;
        Ok(Self::of_mobile(roster, entry.mobile.clone()))
    }

    /// The user that a person names by phone number or by a plate of the roster.
    ///
    /// # Errors
    /// When the text is neither, or the roster does not know the plate.
    pub fn named(roster: &[RosterPlate], text: &str) -> anyhow::Result<Self> {
        // A plate has letters, a phone number has none.
        if text.chars().any(char::is_alphabetic) {
            return Ok(Self::of_plate(roster, &limits::plate(text)?)?);
        }
        Ok(Self::of_mobile(roster, limits::mobile(text)?))
    }
}

/// The platform with tokens, under the run lock.
pub struct Desk {
    /// The database.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    sessions: Sessions,
    tokens: Arc<StoredTokens>,
    _lock: RunLock,
}

impl Desk {
    /// Takes the run lock and opens the database.
    ///
    /// # Errors
    /// [`super::run::Busy`] when a run holds the lock, else when the key or the database cannot be had.
    pub fn open(settings: &Settings, clock: &Clock) -> anyhow::Result<Self> {
        let client = client(settings, clock)?;
        let lock = lock(database_path(settings))?;
        let store = open_store(settings)?;
        let tokens = Arc::new(StoredTokens::beside(&store)?);
        let kept: Arc<dyn TokenStore> = Arc::<StoredTokens>::clone(&tokens);
        let sessions = Sessions::new(client, kept, clock.clone());
        Ok(Self { store, clock: clock.clone(), sessions, tokens, _lock: lock })
    }

    /// The client.
    pub fn client(&self) -> &Client {
        self.sessions.client()
    }

    /// Makes sure that there is a token for the user: the kept one, else of a sign-in.
    ///
    /// # Errors
    /// [`Missing`] when the user cannot be signed in, else when the sign-in fails.
    pub async fn ensure_token(&self, user: &Caller) -> anyhow::Result<()> {
        match &user.plate {
            Some(plate) => self.sessions.token(&user.mobile, plate).await.map(drop).map_err(Into::into),
            None => self.kept_token(&user.mobile).map(drop),
        }
    }

    /// Runs a call with the user's token. Refused with 20101, the user is signed in once, if there is a
    /// plate for it, and the call repeated once.
    ///
    /// # Errors
    /// Those of the call and of the sign-in; [`Missing`] when the user cannot be signed in.
    pub async fn with<T, F, Fut>(&self, user: &Caller, call: F) -> anyhow::Result<T>
    where
        F: Fn(SecretString) -> Fut,
        Fut: Future<Output = Result<T, EtcpError>>,
    {
        if let Some(plate) = &user.plate {
            return Ok(self.sessions.with(&user.mobile, plate, call).await?);
        }
        let result = call(self.kept_token(&user.mobile)?).await;
        if matches!(result, Err(EtcpError::InvalidToken)) {
            self.tokens.forget(&user.mobile).map_err(|reason| EtcpError::TokenStore { reason })?;
        }
        Ok(result?)
    }

    fn kept_token(&self, mobile: &Mobile) -> anyhow::Result<SecretString> {
        let kept = self.tokens.load(mobile).map_err(|reason| EtcpError::TokenStore { reason })?;
        Ok(kept.ok_or_else(|| Missing::NoToken(mobile.clone()))?.token)
    }

    /// The user's closed orders of the last seven days.
    ///
    /// # Errors
    /// As [`Desk::with`].
    pub async fn history(&self, user: &Caller) -> anyhow::Result<Listing<OrderSnapshot>> {
        let client = self.client();
        self.with(user, |token| async move { client.history(&token).await }).await
    }

    /// The open orders of a plate of the user.
    ///
    /// # Errors
    /// As [`Desk::with`].
    pub async fn unpaid(&self, user: &Caller, plate: &Plate) -> anyhow::Result<Listing<UnpaidOrder>> {
        let client = self.client();
        self.with(user, |token| async move { client.unpaid(&token, plate).await }).await
    }

    /// Signs a user in with the code of an SMS and keeps the token; the one of before is void.
    ///
    /// # Errors
    /// When the platform refuses, or the token cannot be kept.
    pub async fn login(&self, mobile: &Mobile, code: &SecretString) -> anyhow::Result<()> {
        let token = self.client().login(mobile, code).await?;
        Ok(self.sessions.adopt(mobile, token).await?)
    }
}

/// Has a code sent by SMS, one a minute for a phone. It is noted before the platform is asked, and stays
/// noted unless nothing left the machine.
///
/// # Errors
/// [`LimitError`] when it is too soon, [`EtcpError`] when the platform does not do it.
pub async fn send_code(store: &mut Store, client: &Client, mobile: &Mobile, clock: &Clock) -> anyhow::Result<()> {
    let at = clock.now();
    let noted: Result<(), LimitError> = store.note_sms_code(mobile, at)?;
    noted?;
    let sent = client.send_code(mobile).await;
    if matches!(sent, Err(EtcpError::Unreachable { sent: false, .. } | EtcpError::Setup { .. })) {
        store.drop_sms_code(mobile, at)?;
    }
    Ok(sent?)
}
