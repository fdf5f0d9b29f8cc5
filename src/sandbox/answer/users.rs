//! §8.1–§8.5: SMS codes, the two ways to sign in, and the plates bound to a user.

use serde_json::json;

use super::Success;
use super::shapes::{six_digits, uuid};
use crate::model::{Mobile, Plate, Timestamp};
use crate::sandbox::request::{Fields, Refusal};
use crate::sandbox::world::World;

impl World {
    /// §8.1: sends a code to a phone, once a minute. The phone need not be a user's yet.
    pub(super) fn user_validate_code(&mut self, fields: &Fields, now: Timestamp) -> Result<Success, Refusal> {
        let mobile = mobile(fields)?;
        let pause_s = self.settings.sms_pause_s;
        if self.users.code_sent_at(&mobile).is_some_and(|sent_at| now.since_s(sent_at) < pause_s) {
            return Err(Refusal(20202));
        }
        let code = six_digits(self.fresh("sms"));
        self.users.send_code(mobile, code, now);
        Ok(Success::ok())
    }

    /// §8.2: signs in with that code, which works once; a phone that is no user's yet becomes one (§1).
    pub(super) fn user_login(&mut self, fields: &Fields, now: Timestamp) -> Result<Success, Refusal> {
        let mobile = mobile(fields)?;
        let code = fields.text("code")?;
        self.check_app_id(Some(fields.text("appId")?))?;
        if !self.users.use_code(&mobile, code, self.settings.sms_life_s, now) {
            return Err(Refusal(20203));
        }
        Ok(self.signed_in(mobile, now))
    }

    /// §8.3: a new token on the merchant's word; the older one is void from now on.
    pub(super) fn user_sign_in(&mut self, fields: &Fields, now: Timestamp) -> Result<Success, Refusal> {
        self.check_app_id(Some(fields.text("appId")?))?;
        let mobile = mobile(fields)?;
        if let Some(plate) = fields.optional("carNumber")? {
            Plate::parse(plate).map_err(|_| Refusal(6))?;
        }
        if !self.users.knows(&mobile) {
            return Err(Refusal(20201));
        }
        Ok(self.signed_in(mobile, now))
    }

    fn signed_in(&mut self, mobile: Mobile, now: Timestamp) -> Success {
        let token = uuid(self.fresh("token"));
        self.users.sign_in(mobile, token.clone(), now);
        Success::with(json!({ "token": token }))
    }

    /// §8.4: binds a plate, within the limits of three at once and four a month.
    pub(super) fn bind_car(&mut self, fields: &Fields, now: Timestamp) -> Result<Success, Refusal> {
        let mobile = self.user(fields, now)?;
        let plate = Plate::parse(fields.text("plateNumber")?).map_err(|_| Refusal(6))?;
        let color = match fields.optional("plateColor")? {
            None | Some("1") => 1,
            Some("2") => 2,
            Some("3") => 3,
            Some("4") => 4,
            Some(_) => return Err(Refusal(6)),
        };
        self.users.bind(&mobile, plate, color, now).map_err(|_| Refusal(20100))?;
        Ok(Success::ok())
    }

    /// §8.5: unbinds a plate that this channel bound.
    pub(super) fn unbind_car(&mut self, fields: &Fields, now: Timestamp) -> Result<Success, Refusal> {
        let mobile = self.user(fields, now)?;
        let plate = Plate::parse(fields.text("plateNumber")?).map_err(|_| Refusal(6))?;
        self.users.unbind(&mobile, &plate).map_err(|_| Refusal(20100))?;
        Ok(Success::ok())
    }
}

/// The phone number of a request: eleven digits and nothing else.
fn mobile(fields: &Fields) -> Result<Mobile, Refusal> {
    let text = fields.text("mobilePhone")?;
    Mobile::parse(text).filter(|mobile| mobile.expose() == text).ok_or(Refusal(20201))
}
