//! What is done in the name of a user: codes by SMS, signing in with one, binding and unbinding plates.
//!
//! None of it is repeated. The caller sees to the limits ([`crate::etcp::limits`]) and makes durable what it asks for.

use secrecy::{ExposeSecret, SecretString};

use super::{Client, EtcpError};
use crate::etcp::request::{Data, Interface};
use crate::etcp::wire::parse_token;
use crate::model::{Mobile, Plate};

impl Client {
    /// Has a code sent by SMS (§8.1). One a minute for a phone: the caller sees to it.
    ///
    /// # Errors
    /// As every call; never repeated.
    pub async fn send_code(&self, mobile: &Mobile) -> Result<(), EtcpError> {
        let data = Data::new().with("mobilePhone", mobile.expose());
        self.ask(Interface::SendCode, data, &[mobile.expose()]).await.map(drop)
    }

    /// Signs a user in with the code of an SMS (§8.2).
    ///
    /// # Errors
    /// As every call; never repeated, the code works once.
    pub async fn login(&self, mobile: &Mobile, code: &SecretString) -> Result<SecretString, EtcpError> {
        let data = Data::new()
            .with("mobilePhone", mobile.expose())
            .with("code", code.expose_secret())
            .with_some("appId", self.app_id());
        let answer = self.ask(Interface::Login, data, &[mobile.expose(), code.expose_secret()]).await?;
        Ok(parse_token(&answer.data)?)
    }

    /// Binds a plate to the token's user (§8.4). `color`: 1 blue, 2 black, 3 yellow, 4 white.
    ///
    /// # Errors
    /// As every call; never repeated, a phone has four plates a month.
    pub async fn bind_car(&self, token: &SecretString, plate: &Plate, color: Option<u8>) -> Result<(), EtcpError> {
        let color = color.map(|number| number.to_string());
        let data = Data::new()
            .with("token", token.expose_secret())
            .with("plateNumber", plate.as_str())
            .with_some("plateColor", color.as_deref());
        self.ask(Interface::BindCar, data, &[token.expose_secret()]).await.map(drop)
    }

    /// Unbinds a plate that this channel bound (§8.5).
    ///
    /// # Errors
    /// As every call; never repeated.
    pub async fn unbind_car(&self, token: &SecretString, plate: &Plate) -> Result<(), EtcpError> {
        let data = Data::new().with("token", token.expose_secret()).with("plateNumber", plate.as_str());
        self.ask(Interface::UnbindCar, data, &[token.expose_secret()]).await.map(drop)
    }
}
