//! What comes over the wire and what goes back: the interfaces, the four parameters, the signature.
//!
//! Everything here is strict: what the document does not describe is refused, so that a sloppy client
//! fails in the sandbox and not at night.

use std::collections::BTreeMap;
use std::time::Duration;

use md5::{Digest, Md5};
use serde_json::{Map, Value};

use crate::model::Timestamp;

/// The path in front of an interface's name; the version is part of it.
pub const PATH_PREFIX: &str = "/merchant/open/1.0.0/openapi/";

macro_rules! interfaces {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $method:literal, [$($member:literal),*];)+) => {
        /// The interfaces of §8.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Interface { $($(#[$doc])* $variant,)+ }

        impl Interface {
            /// All of them, in the order of the document.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name in the path.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The HTTP method of the document.
            pub const fn method(self) -> &'static str {
                match self { $(Self::$variant => $method,)+ }
            }

            /// The members its `data` may have.
            pub(super) const fn members(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($member),*],)+ }
            }
        }
    };
}

interfaces! {
    /// §8.1: ask for an SMS code.
    UserValidateCode, "uservalidatecode", "GET", ["mobilePhone"];
    /// §8.2: sign in with an SMS code.
    UserLogin, "userlogin", "POST", ["mobilePhone", "code", "appId"];
    /// §8.3: sign in on the merchant's word.
    UserSignIn, "usersignin", "POST", ["mobilePhone", "appId", "carNumber"];
    /// §8.4: bind a plate.
    BindCar, "bindcar", "POST", ["token", "plateNumber", "plateColor"];
    /// §8.5: unbind a plate.
    UnbindCar, "unbindcar", "POST", ["token", "plateNumber"];
    /// §8.6: closed orders of the last days.
    OrderHistory, "orderhistory", "GET", ["token"];
    /// §8.7: the open order of a plate and its fee.
    OrderUnpay, "orderunpay", "GET", ["token", "plateNumber", "appId"];
    /// §8.8: tell of a payment.
    OrderPaid, "orderpaid", "POST",
        ["token", "orderId", "externalOrderId", "payment", "payTime", "verificationInfo", "appId"];
    /// §8.9: car parks around a place.
    SurroundingParking, "surroundingparking", "POST", ["lat", "lon", "radius", "payType", "city", "scrollId"];
    /// §8.10: how full a car park is.
    ParkingStatus, "parkingstatus", "POST", ["parkingId"];
}

impl Interface {
    /// The interface with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|interface| interface.name() == name)
    }
}

/// One HTTP request, as text.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The path, not decoded.
    pub path: &'a str,
    /// What stands behind the `?`, empty without one.
    pub query: &'a str,
    /// The header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// What the server does with the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The answer goes out whole.
    Whole,
    /// The connection is closed before the first byte of an answer.
    Dropped,
    /// The head and half of the body go out, then the connection is closed.
    Cut,
}

/// What a request led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The HTTP status.
    pub status: u16,
    /// Headers of its own, by their name in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// Whether and how far it goes out.
    pub line: Line,
    /// How long the answer waits; what was asked is done by then.
    pub delay: Duration,
}

impl Reaction {
    /// A whole answer, at once.
    pub(super) fn whole(status: u16, body: String) -> Self {
        Self { status, headers: Vec::new(), body, line: Line::Whole, delay: Duration::ZERO }
    }

    /// The same with a header more.
    pub(super) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// An answer that is not a success: the platform's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) i64);

/// §10: the text of a code.
pub(super) const fn message(code: i64) -> &'static str {
    match code {
        0 => "ok",
        1 => "失败",
        2 => "服务器异常",
        3 => "时间戳超时",
        4 => "签名校验非法",
        5 => "没有找到商户密钥",
        6 => "参数错误",
        7 => "更新订单失败",
        8 => "生产订单失败",
        20100 => "操作失败",
        20101 => "无效token",
        20102 => "缺少必要参数",
        20201 => "手机号错误",
        20202 => "获取验证码失败",
        20203 => "手机验证码错误",
        20206 => "支付金额与应付金额不匹配",
        _ => "未知错误",
    }
}

/// The four parameters of every call.
pub(super) struct Parameters {
    pub(super) merchant_no: String,
    pub(super) time_stamp: String,
    pub(super) data: String,
    pub(super) sign: String,
}

impl Parameters {
    /// Reads a query string or form body: exactly the four, each once.
    pub(super) fn parse(form: &str) -> Result<Self, Refusal> {
        let mut found = BTreeMap::new();
        for pair in form.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(Refusal(6))?;
            let (name, value) = (decoded(name)?, decoded(value)?);
            let known = ["merchant_no", "time_stamp", "data", "sign"].contains(&name.as_str());
            if !known || found.insert(name, value).is_some() {
                return Err(Refusal(6));
            }
        }
        let mut take = |name: &str| found.remove(name).filter(|value| !value.is_empty()).ok_or(Refusal(20102));
        Ok(Self {
            merchant_no: take("merchant_no")?,
            time_stamp: take("time_stamp")?,
            data: take("data")?,
            sign: take("sign")?,
        })
    }

    /// Whether `sign` is right: §5.4, with white space left out if the platform reads it so.
    pub(super) fn is_signed_with(&self, key: &str, strip_whitespace: bool) -> bool {
        let mut text = format!("{}{key}{}", self.data, self.time_stamp);
        if strip_whitespace {
            text.retain(|c| !matches!(c, ' ' | '\t' | '\r' | '\n'));
        }
        hex::encode_upper(Md5::digest(text.as_bytes())) == self.sign
    }

    /// The instant that `time_stamp` (`yyyyMMddHHmmss`, the platform's wall clock) names.
    pub(super) fn sent_at(&self) -> Result<Timestamp, Refusal> {
        let digits = &self.time_stamp;
        if digits.len() != 14 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Refusal(6));
        }
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        let wall =
            format!("{}-{}-{} {}:{}:{}", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14));
        Timestamp::parse_wall(&wall).map_err(|_| Refusal(6))
    }
}

/// Undoes form encoding: `+` is a space, so a `+` of base64 that was not encoded is lost here as it is there.
fn decoded(text: &str) -> Result<String, Refusal> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().ok_or(Refusal(6))?, rest.next().ok_or(Refusal(6))?];
                bytes.extend(hex::decode(digits).map_err(|_| Refusal(6))?);
            }
            byte if byte.is_ascii_graphic() => bytes.push(byte),
            _ => return Err(Refusal(6)),
        }
    }
    String::from_utf8(bytes).map_err(|_| Refusal(6))
}

/// The members of `data`.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads `data`: one object with no member that the document does not name.
    pub(super) fn parse(interface: Interface, data: &str) -> Result<Self, Refusal> {
        let Ok(Value::Object(members)) = serde_json::from_str(data) else {
            return Err(Refusal(6));
        };
        if members.keys().any(|name| !interface.members().contains(&name.as_str())) {
            return Err(Refusal(6));
        }
        Ok(Self(members))
    }

    /// A member that must be there, a JSON string.
    pub(super) fn text(&self, name: &str) -> Result<&str, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Err(Refusal(20102)),
            Some(Value::String(text)) if text.trim().is_empty() => Err(Refusal(20102)),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Refusal(6)),
        }
    }

    /// A member that may be left out.
    pub(super) fn optional(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.text(name) {
            Ok(text) => Ok(Some(text)),
            Err(Refusal(20102)) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// A decimal that must be there, as JSON number or string; the digits as they came.
    pub(super) fn decimal(&self, name: &str) -> Result<String, Refusal> {
        match self.0.get(name) {
            Some(Value::Number(number)) => Ok(number.to_string()),
            _ => self.text(name).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_vector_is_signed_right() {
        let mut parameters = Parameters {
            merchant_no: "m".into(),
            time_stamp: "20170721132452".into(),
            data: r#"{"param1":"value1","param2":"value2","param3":"value3"}"#.into(),
            sign: "A3DE1813F4DDBADFC18555E18A2E579D".into(),
        };
        assert!(parameters.is_signed_with("noxxxxx", false));
        assert!(!parameters.is_signed_with("noxxxxy", false));
        parameters.sign = parameters.sign.to_lowercase();
        assert!(!parameters.is_signed_with("noxxxxx", false));
        assert_eq!(parameters.sent_at().unwrap().wall(), "2017-07-21 13:24:52");
    }

    #[test]
    fn exactly_the_four_parameters_each_once() {
        let code = |form: &str| Parameters::parse(form).err().map(|refusal| refusal.0);
        assert_eq!(code("merchant_no=m&time_stamp=t&data=d&sign=s"), None);
        assert_eq!(code("merchant_no=m&time_stamp=t&data=d"), Some(20102));
        assert_eq!(code("merchant_no=m&time_stamp=t&data=&sign=s"), Some(20102));
        assert_eq!(code("merchant_no=m&time_stamp=t&data=d&sign=s&sign=s"), Some(6));
        assert_eq!(code("merchant_no=m&time_stamp=t&data=d&sign=s&other=1"), Some(6));
        assert_eq!(code("merchant_no=m&time_stamp=t&data=%7&sign=s"), Some(6));
        assert_eq!(code("merchant_no=m&time_stamp=t&data=%FF&sign=s"), Some(6));
        assert_eq!(code("merchant_no=m&time_stamp=t&data={ }&sign=s"), Some(6));
    }

    #[test]
    fn a_plus_survives_only_when_it_is_encoded() {
        assert_eq!(decoded("a%2Bb%2F%3D").unwrap(), "a+b/=");
        assert_eq!(decoded("a+b").unwrap(), "a b");
        assert_eq!(decoded("%E6%B8%9D").unwrap(), "渝");
    }
}
