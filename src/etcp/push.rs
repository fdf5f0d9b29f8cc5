//! The platform's pushes (§9): is it signed with our key, and what does it say.
//!
//! Signed is `merchant_no + data + merchant_key`; the document does not say what `data` is when `signment` stands in
//! the same object. Three readings are taken: a form's `data` as it came, with `signment` beside it; a JSON object
//! without its member `signment`, in the order received; the same, sorted by name. "Compact" is the text that came
//! without the white space between its tokens: the tokens stay as they are, so that `0.0` and `\u6e1d` are signed as
//! they were written. Nothing outside the signed text is used, and the merchant's number is ours, not the request's.

use md5::{Digest, Md5};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use subtle::{Choice, ConstantTimeEq};

use super::wire::{id, member, strict_json, text_of, time};
use super::{Code, WireError};
use crate::model::event::{EventKind, Exit, ParkingEvent};
use crate::model::{Amount, Plate};

/// The member that holds the signature.
const SIGNMENT: &str = "signment";

/// The longest plate that is kept, in characters; one of a car without a plate may be words.
const LONGEST_PLATE: usize = 40;

/// The longest id or name of a car park that is kept, in characters.
const LONGEST_PARK: usize = 200;

/// Why a push is not taken. What the push says is told only of one whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushRefusal {
    /// No signature, an empty one, or one that fits no reading.
    #[error("the signature fits no reading of the signed text")]
    Forged,
    /// It cannot be read.
    #[error("{reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
}

impl PushRefusal {
    /// The code (§10) that the platform is answered with.
    pub const fn code(&self) -> Code {
        match self {
            Self::Forged => Code::BadSignature,
            Self::Malformed { .. } => Code::BadParameter,
        }
    }
}

fn malformed(reason: impl Into<String>) -> PushRefusal {
    PushRefusal::Malformed { reason: reason.into() }
}

/// Reads a push: first its signature, and only when that holds what it says.
///
/// Unknown members are ignored. A car park's id and name may be missing: nothing rests on them. `pushTime` likewise,
/// and one that cannot be read counts as missing. An exit before its entrance is taken: a clock may have been set.
///
/// # Errors
/// [`PushRefusal::Forged`] when no reading of the signed text fits the signature, [`PushRefusal::Malformed`] when the
/// push cannot be read, so that there is no signature to look at, or what is signed is no push of that kind.
pub fn read_push(
    kind: EventKind,
    content_type: Option<&str>,
    body: &[u8],
    merchant_no: &str,
    key: &SecretString,
) -> Result<ParkingEvent, PushRefusal> {
    let signer = Signer { merchant_no, key };
    let content = match Shape::of(content_type, body) {
        Some(Shape::Form) => form_content(body, &signer),
        Some(Shape::Json) => {
            let text = std::str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8"))?;
            let object = Object::read(text)?;
            if object.is_signed(&signer).into() { Ok(object.value) } else { Err(PushRefusal::Forged) }
        }
        None => Err(malformed("the content type is neither a form nor JSON")),
    }?;
    event(kind, &content).map_err(malformed)
}

/// How a push is written.
#[derive(Clone, Copy)]
enum Shape {
    Form,
    Json,
}

impl Shape {
    /// By its content type. Senders are careless about that of JSON, so without one, or as plain text, an object is one.
    fn of(content_type: Option<&str>, body: &[u8]) -> Option<Self> {
        let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "application/json" | "text/json" => Some(Self::Json),
            "" | "text/plain" if body.trim_ascii_start().starts_with(b"{") => Some(Self::Json),
            _ => None,
        }
    }
}

/// What a form's `data` says, when `signment` beside it or inside it holds.
fn form_content(body: &[u8], signer: &Signer<'_>) -> Result<Value, PushRefusal> {
    let form = Form::read(body)?;
    let Some(data) = form.data else {
        return Err(malformed("the form has no field `data`: what would be signed in it is not known"));
    };
    let beside = form.signment.map_or_else(|| Choice::from(0), |given| signer.signs([data.as_str()], &given));
    let object = Object::read(&data);
    let inside = object.as_ref().map_or_else(|_| Choice::from(0), |object| object.is_signed(signer));
    match object {
        Ok(object) if (beside | inside).into() => Ok(object.value),
        // Signed, and yet no JSON object: a fault of the sender.
        Err(refusal) if beside.into() => Err(refusal),
        Ok(_) | Err(_) => Err(PushRefusal::Forged),
    }
}

/// Who signs.
struct Signer<'a> {
    merchant_no: &'a str,
    key: &'a SecretString,
}

impl Signer<'_> {
    /// Whether `given` is the signature of a text, whose parts come one after the other; in constant time.
    fn signs<'t>(&self, text: impl IntoIterator<Item = &'t str>, given: &str) -> Choice {
        let mut hasher = Md5::new();
        hasher.update(self.merchant_no);
        text.into_iter().for_each(|part| hasher.update(part));
        hasher.update(self.key.expose_secret());
        hex::encode_upper(hasher.finalize()).as_bytes().ct_eq(given.as_bytes())
    }
}

/// The two fields of a form that matter; any other is ignored.
struct Form {
    data: Option<String>,
    signment: Option<String>,
}

impl Form {
    fn read(body: &[u8]) -> Result<Self, PushRefusal> {
        let mut form = Self { data: None, signment: None };
        for pair in body.split(|byte| *byte == b'&') {
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let slot = match decoded(name)?.as_str() {
                "data" => &mut form.data,
                SIGNMENT => &mut form.signment,
                _ => continue,
            };
            if slot.replace(decoded(value)?).is_some() {
                return Err(malformed("the form has a field twice"));
            }
        }
        Ok(form)
    }
}

/// The text behind percent-encoding, strictly: bad escapes and bytes that are no UTF-8 are refused.
fn decoded(encoded: &[u8]) -> Result<String, PushRefusal> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    loop {
        rest = match rest {
            [] => break,
            [b'%', high, low, rest @ ..] => {
                let mut byte = [0];
                hex::decode_to_slice([*high, *low], &mut byte).map_err(|_| malformed("the form is badly encoded"))?;
                bytes.extend_from_slice(&byte);
                rest
            }
            [b'%', ..] => return Err(malformed("the form is badly encoded")),
            [byte, rest @ ..] => {
                bytes.push(if *byte == b'+' { b' ' } else { *byte });
                rest
            }
        };
    }
    String::from_utf8(bytes).map_err(|_| malformed("the form is not UTF-8"))
}

/// A JSON object, as a value and as the texts of its members.
struct Object {
    value: Value,
    /// Name and compact text (`"name":value`) of each member but the signature, in the order received.
    members: Vec<(String, String)>,
}

impl Object {
    fn read(text: &str) -> Result<Self, PushRefusal> {
        let value = strict_json(text.as_bytes()).map_err(|error| {
            malformed(match error {
                WireError::NotJson { .. } | WireError::Shape { .. } => "it is no whole JSON text",
                WireError::DuplicateMember { .. } => "a member stands twice",
            })
        })?;
        if !value.is_object() {
            return Err(malformed("it is no JSON object"));
        }
        let mut named = Vec::new();
        for member in members(&compact(text)) {
            // What has no readable name must not be left out of the signed text in silence.
            let name = name(&member).ok_or_else(|| malformed("a member has no name that can be read"))?;
            if name != SIGNMENT {
                named.push((name, member));
            }
        }
        Ok(Self { value, members: named })
    }

    /// Whether its own `signment` holds, in either order of the members. Both are always tried.
    fn is_signed(&self, signer: &Signer<'_>) -> Choice {
        let Some(Value::String(given)) = self.value.get(SIGNMENT) else { return Choice::from(0) };
        let mut sorted: Vec<&(String, String)> = self.members.iter().collect();
        let received = signer.signs(joined(&sorted), given);
        sorted.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        received | signer.signs(joined(&sorted), given)
    }
}

/// The parts of the compact text of an object with these members.
fn joined<'a>(members: &[&'a (String, String)]) -> Vec<&'a str> {
    let mut parts = vec!["{"];
    for (index, (_, text)) in members.iter().enumerate() {
        if index > 0 {
            parts.push(",");
        }
        parts.push(text);
    }
    parts.push("}");
    parts
}

/// JSON without the white space between its tokens; `text` is known to be JSON.
fn compact(text: &str) -> String {
    let mut place = Place::default();
    text.chars()
        .filter(|c| {
            let is_inside = place.in_string;
            place.pass(*c);
            is_inside || !matches!(c, ' ' | '\t' | '\n' | '\r')
        })
        .collect()
}

/// The texts of the members of a compact object.
fn members(object: &str) -> Vec<String> {
    let mut place = Place::default();
    let mut members = Vec::new();
    let mut member = String::new();
    for c in object.chars() {
        let before = place.depth;
        place.pass(c);
        let is_between = !place.in_string && (c == ',' && before == 1 || c == '}' && place.depth == 0);
        if is_between && member.is_empty() {
            // Only an empty object has an empty member.
        } else if is_between {
            members.push(std::mem::take(&mut member));
        } else if before > 0 {
            member.push(c);
        }
    }
    members
}

/// The name of a member, its escapes read.
fn name(member: &str) -> Option<String> {
    serde_json::Deserializer::from_str(member).into_iter::<String>().next()?.ok()
}

/// Where in a JSON text one is.
#[derive(Default)]
struct Place {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Place {
    fn pass(&mut self, c: char) {
        match c {
            _ if self.escaped => self.escaped = false,
            '\\' if self.in_string => self.escaped = true,
            '"' => self.in_string = !self.in_string,
            '{' | '[' if !self.in_string => self.depth = self.depth.saturating_add(1),
            '}' | ']' if !self.in_string => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// What a push says.
fn event(kind: EventKind, content: &Value) -> Result<ParkingEvent, String> {
    let exit = match kind {
        EventKind::Entrance => None,
        EventKind::Exit => Some(Exit { at: time(content, "exitTime")?, fee: fee(content)? }),
    };
    Ok(ParkingEvent {
        syn_id: id(content, "synId").ok_or("synId is missing or unreadable")?,
        plate: plate(content)?,
        parking_id: park(content, "parkId")?,
        parking_name: park(content, "parkName")?,
        entrance_at: time(content, "entranceTime")?,
        exit,
        pushed_at: time(content, "pushTime").ok(),
    })
}

/// A plate in its normal form; a text that is none, as of a car without, as it came.
fn plate(content: &Value) -> Result<String, String> {
    let text = short_text(content, "plateNumber", LONGEST_PLATE)?.filter(|text| !text.is_empty());
    let text = text.ok_or("plateNumber is missing")?;
    Ok(Plate::parse(&text).map_or(text, |plate| plate.as_str().to_owned()))
}

fn park(content: &Value, name: &str) -> Result<String, String> {
    short_text(content, name, LONGEST_PARK).map(Option::unwrap_or_default)
}

/// A member's text, none when it is missing; one that could not be shown on a line is refused.
fn short_text(content: &Value, name: &str, longest: usize) -> Result<Option<String>, String> {
    let Some(value) = member(content, name) else { return Ok(None) };
    let text = text_of(value).ok_or_else(|| format!("{name} is no text"))?;
    if text.chars().count() > longest || text.chars().any(char::is_control) {
        return Err(format!("{name} is longer than {longest} characters or has control characters"));
    }
    Ok(Some(text))
}

/// `receivableFee`, in fen: a whole number, whose fraction, if it is written, is zero.
fn fee(content: &Value) -> Result<Amount, String> {
    let text = member(content, "receivableFee").and_then(text_of).ok_or("receivableFee is missing")?;
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    let is_whole = !whole.is_empty() && whole.bytes().all(|digit| digit.is_ascii_digit());
    let is_fen = is_whole && !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0');
    let fen = whole.parse::<i64>().ok().filter(|_| is_fen).and_then(Amount::from_fen);
    fen.ok_or_else(|| {
        format!("receivableFee: `{}` is no whole number of fen", text.chars().take(40).collect::<String>())
    })
}

#[cfg(test)]
#[path = "push_tests.rs"]
mod tests;
