//! The two pushes of §9 as the platform writes them: a second reading of the document, which shares nothing with the receiver.
//!
//! Pure: an order goes in, a content type and a body come out. As in §8's answers shapes vary from record to record (the
//! document and a push of the real platform show numbers and strings for the same member, and members that the
//! document does not list), always the same for the same record.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::str::FromStr;

use md5::{Digest, Md5};
use serde_json::Value;

use super::orders::{ParkingOrder, Stay};
use super::world::Settings;
use crate::model::{Amount, Timestamp};

/// What is pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PushKind {
    /// §9.1: a car came in.
    Entrance,
    /// §9.2: a car left.
    Exit,
}

impl PushKind {
    /// Its name, which is also the last part of the address it is sent to.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entrance => "entrance",
            Self::Exit => "exit",
        }
    }
}

impl FromStr for PushKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kinds = [Self::Entrance, Self::Exit];
        let found = kinds.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| format!("`{text}` is no push: entrance or exit"))
    }
}

/// How a push is written and what of it is signed: §9 does not say what `data` is while `signment` lies inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushForm {
    /// `json`: a JSON body in the document's order; signed without `signment`, compact.
    Json,
    /// `sorted`: a JSON body with its members sorted by name; signed without `signment`, compact.
    Sorted,
    /// `form`: a form with `data`, signed as it stands there, and `signment` beside it.
    Form,
}

impl PushForm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Json, Self::Sorted, Self::Form];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Sorted => "sorted",
            Self::Form => "form",
        }
    }
}

impl FromStr for PushForm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|form| form.name() == text);
        found.ok_or_else(|| format!("`{text}` is no form of a push: json, sorted or form"))
    }
}

/// The content type and the body of the push of a stay, sent at `now`. `None`: a car that vanished has no pushes, one that
/// is inside no exit.
pub fn push_body(
    order: &ParkingOrder,
    kind: PushKind,
    form: PushForm,
    settings: &Settings,
    now: Timestamp,
) -> Option<(&'static str, String)> {
    let members = match (kind, order.stay) {
        (_, Stay::Vanished) | (PushKind::Exit, Stay::Inside { .. }) => return None,
        (PushKind::Entrance, _) => entrance_members(order, now),
        (PushKind::Exit, Stay::Left { fee, exit_at, .. }) => exit_members(order, fee, exit_at, now),
    };
    let signed = |data: &str| {
        let text = format!("{}{data}{}", settings.merchant_no, settings.merchant_key);
        hex::encode_upper(Md5::digest(text.as_bytes()))
    };
    Some(match form {
        PushForm::Json => {
            let signment = signed(&object(members.iter().map(|(name, value)| (*name, value))));
            let signment = ("signment", &Value::from(signment));
            let all = members.iter().map(|(name, value)| (*name, value)).chain([signment]);
            (JSON, object(all))
        }
        PushForm::Sorted => {
            let mut sorted: BTreeMap<_, _> = members.into_iter().collect();
            let signment = signed(&object(sorted.iter().map(|(name, value)| (*name, value))));
            sorted.insert("signment", signment.into());
            (JSON, object(sorted.iter().map(|(name, value)| (*name, value))))
        }
        PushForm::Form => {
            let data = object(members.iter().map(|(name, value)| (*name, value)));
            let signment = signed(&data);
            (FORM, format!("data={}&signment={signment}", form_encoded(&data)))
        }
    })
}

const JSON: &str = "application/json;charset=utf-8";

const FORM: &str = "application/x-www-form-urlencoded;charset=utf-8";

/// The members of a push but `signment`, in the document's order.
type Members = Vec<(&'static str, Value)>;

fn entrance_members(order: &ParkingOrder, now: Timestamp) -> Members {
    let mut members = common_members(order, now);
    members.extend(tenancy(order));
    members.extend(unlisted(order));
    members
}

fn exit_members(order: &ParkingOrder, fee: Amount, exit_at: Timestamp, now: Timestamp) -> Members {
    let shape = shape(order);
    let mut members = common_members(order, now);
    members.push(("exitTime", exit_at.wall().into()));
    let stayed = exit_at.since_s(order.entrance_at).to_string();
    members.push(("stayedTime", spelled(&stayed, shape >> 1)));
    // In fen, and now and then as the real platform wrote it: `"0.0"`.
    let fen = fee.fen().to_string();
    let fen = if shape % 7 == 3 { Value::from(format!("{fen}.0")) } else { spelled(&fen, shape >> 2) };
    members.push(("receivableFee", fen));
    members.extend(tenancy(order));
    members.extend(unlisted(order));
    members
}

fn common_members(order: &ParkingOrder, now: Timestamp) -> Members {
    vec![
        ("synId", order.order_id.as_str().into()),
        ("plateNumber", order.plate.as_str().into()),
        ("parkName", order.parking_name.as_str().into()),
        ("parkId", spelled(&order.parking_id, shape(order))),
        ("entranceTime", order.entrance_at.wall().into()),
        ("userType", if is_tenant(order) { "76" } else { "77" }.into()),
        ("pushTime", now.wall().into()),
    ]
}

/// A long-term tenant's space; empty for everybody else.
fn tenancy(order: &ParkingOrder) -> [(&'static str, Value); 2] {
    let (space, days) = if is_tenant(order) { ("U7", "11") } else { ("", "") };
    [("fixParkingId", space.into()), ("remainingDays", days.into())]
}

/// Members that the document does not list and the real platform sent.
fn unlisted(order: &ParkingOrder) -> Members {
    let all = || vec![("callBackType", "1".into()), ("deviceId", "D-0042".into())];
    if shape(order) % 4 == 1 { all() } else { Vec::new() }
}

fn is_tenant(order: &ParkingOrder) -> bool {
    shape(order) % 10 == 6
}

/// A number that is always the same for the same order, to choose among shapes.
fn shape(order: &ParkingOrder) -> u32 {
    order.order_id.key().bytes().fold(11, |sum: u32, byte| sum.wrapping_mul(33).wrapping_add(byte.into()))
}

/// An integer as a JSON number or as a string; other text as a string.
fn spelled(digits: &str, shape: u32) -> Value {
    let is_number = digits == "0" || (!digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()));
    match digits.parse::<u64>() {
        Ok(number) if is_number && shape.is_multiple_of(2) => number.into(),
        _ => digits.into(),
    }
}

/// A compact JSON object with its members in the order given.
fn object<'a>(members: impl Iterator<Item = (&'a str, &'a Value)>) -> String {
    let members: Vec<_> = members.map(|(name, value)| format!("{}:{value}", Value::from(name))).collect();
    format!("{{{}}}", members.join(","))
}

/// `application/x-www-form-urlencoded`, with a space as `+`.
fn form_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b if b.is_ascii_alphanumeric() || b"-._*".contains(&b) => out.push(char::from(b)),
            b => write!(out, "%{b:02X}").expect("writing to a string works"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::testing::{now, order, yuan};

    fn left(id: &str) -> ParkingOrder {
        order(id, Stay::Left { fee: yuan("8.50"), cash: Amount::ZERO, exit_at: now().plus_s(-60) })
    }

    fn body(order: &ParkingOrder, kind: PushKind, form: PushForm) -> String {
        push_body(order, kind, form, &Settings::default(), now()).unwrap().1
    }

    fn parsed(order: &ParkingOrder, kind: PushKind) -> Value {
        serde_json::from_str(&body(order, kind, PushForm::Json)).unwrap()
    }

    fn signed(data: &str) -> String {
        let text = format!("9827c6b5c6d94485b912b6e90c92a7ae{data}sandbox-merchant-key");
        hex::encode_upper(Md5::digest(text))
    }

    #[test]
    fn an_exit_is_written_in_the_documents_order_and_signed_without_its_signature() {
        let data = r#"{"synId":"B6269DE8","plateNumber":"渝 B757D0","parkName":"ETCP停车场","parkId":"3126","entranceTime":"2026-11-23 09:30:00","userType":"77","pushTime":"2026-11-23 10:30:00","exitTime":"2026-11-23 10:29:00","stayedTime":3540,"receivableFee":"850","fixParkingId":"","remainingDays":"","callBackType":"1","deviceId":"D-0042"}"#;
        let expected =
            format!(r#"{},"signment":"992B22D09AA76F8D628EC530543020C7"}}"#, data.strip_suffix('}').unwrap());
        let body = body(&left("B6269DE8"), PushKind::Exit, PushForm::Json);
        assert_eq!(body, expected);
    }

    #[test]
    fn a_sorted_push_is_signed_in_its_own_order() {
        let body = body(&left("B6269DE8"), PushKind::Entrance, PushForm::Sorted);
        let mut members: BTreeMap<String, Value> = serde_json::from_str(&body).unwrap();
        let text = |members: &BTreeMap<String, Value>| serde_json::to_string(members).unwrap();
        assert_eq!(body, text(&members));
        let signment = members.remove("signment").unwrap();
        assert_eq!(signment, signed(&text(&members)));
    }

    #[test]
    fn a_form_has_its_data_and_the_signature_beside_it() {
        let body = body(&left("B6269DE8"), PushKind::Entrance, PushForm::Form);
        let (data, signment) = body.strip_prefix("data=").unwrap().split_once("&signment=").unwrap();
        assert!(
            data.starts_with("%7B%22synId%22%3A%22B6269DE8%22%2C%22plateNumber%22%3A%22%E6%B8%9D+B757D0%22"),
            "{data}"
        );
        let mut bytes = Vec::new();
        let mut rest = data.bytes();
        while let Some(byte) = rest.next() {
            match byte {
                b'+' => bytes.push(b' '),
                b'%' => bytes.extend(hex::decode([rest.next().unwrap(), rest.next().unwrap()]).unwrap()),
                other => bytes.push(other),
            }
        }
        assert_eq!(signment, signed(&String::from_utf8(bytes).unwrap()));
    }

    #[test]
    fn shapes_vary_and_money_is_whole_fen() {
        let pushes: Vec<_> = (0..60).map(|n| parsed(&left(&format!("id-{n}")), PushKind::Exit)).collect();
        let fees: std::collections::BTreeSet<_> = pushes.iter().map(|push| push["receivableFee"].to_string()).collect();
        assert_eq!(fees.into_iter().collect::<Vec<_>>(), ["\"850\"", "\"850.0\"", "850"]);
        for member in ["parkId", "stayedTime"] {
            assert!(
                pushes.iter().any(|push| push[member].is_string())
                    && pushes.iter().any(|push| push[member].is_number())
            );
        }
        assert!(pushes.iter().any(|push| push.get("deviceId").is_some()));
        assert!(pushes.iter().any(|push| push.get("deviceId").is_none()));
        for push in &pushes {
            assert_eq!(push["userType"] == "76", push["fixParkingId"] == "U7", "{push}");
        }
        assert!(pushes.iter().any(|push| push["userType"] == "76"));
    }

    #[test]
    fn what_did_not_happen_is_not_pushed() {
        let inside = order("a", Stay::Inside { fee: yuan("5"), paid: Amount::ZERO });
        let vanished = order("a", Stay::Vanished);
        let made = |order, kind| push_body(order, kind, PushForm::Json, &Settings::default(), now()).is_some();
        assert_eq!((made(&inside, PushKind::Entrance), made(&inside, PushKind::Exit)), (true, false));
        assert_eq!((made(&vanished, PushKind::Entrance), made(&vanished, PushKind::Exit)), (false, false));
    }
}
