//! What stands beside a world: the merchant's roster, its bills, and a config to run against it, as text.

use sha2::{Digest, Sha256};

use super::lots::{Degrees, Levels, Lot, Operator, Place};
use super::world::Settings;
use crate::model::{Amount, ExternalOrderId, Mobile, OrderId, Plate, Timestamp};

/// A plate of the roster and its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterLine {
    /// The user.
    pub mobile: Mobile,
    /// The plate.
    pub plate: Plate,
    /// 1 blue, 2 black, 3 yellow, 4 white.
    pub color: u8,
}

/// A bill as it would lie in the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillFile {
    /// The file's name, with the date in it.
    pub name: String,
    /// CSV with the generic header.
    pub text: String,
}

/// A payment that the platform must be told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedDue {
    /// The id it must bear.
    pub external_order_id: ExternalOrderId,
    /// The order it pays.
    pub order_id: OrderId,
    /// How much.
    pub amount: Amount,
    /// When it was paid.
    pub paid_at: Timestamp,
}

/// `mobile,plate,color`, as `plates import` reads it.
pub fn roster_csv(roster: &[RosterLine]) -> String {
    let rows = roster.iter().map(|line| format!("{},{},{}\n", line.mobile.expose(), line.plate, line.color));
    std::iter::once("mobile,plate,color\n".to_owned()).chain(rows).collect()
}

/// One row of a generic bill.
#[derive(Clone, Debug, Default)]
pub(super) struct BillLine {
    pub(super) payment_id: String,
    pub(super) external_order_id: String,
    pub(super) order_id: String,
    pub(super) plate: String,
    pub(super) amount: String,
    pub(super) refund_amount: String,
    pub(super) refund_id: String,
    pub(super) status: &'static str,
    pub(super) paid_at: Timestamp,
    pub(super) channel: &'static str,
}

/// A generic bill. No field holds a comma, a quote or a line break.
pub(super) fn bill_csv(lines: &[BillLine]) -> String {
    let mut text = String::from(
        "payment_id,external_order_id,order_id,plate,amount,refund_amount,refund_id,status,paid_at,channel\n",
    );
    for line in lines {
        let paid_at = line.paid_at.wall();
        let fields = [
            line.payment_id.as_str(),
            &line.external_order_id,
            &line.order_id,
            &line.plate,
            &line.amount,
            &line.refund_amount,
            &line.refund_id,
            line.status,
            &paid_at,
            line.channel,
        ];
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}

/// An order id in the platform's form (a UUID in upper case), always the same for the same words.
pub(super) fn order_id(words: &str) -> OrderId {
    let hex = hex::encode_upper(Sha256::digest(words));
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    let text = format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32));
    OrderId::new(&text).expect("a UUID is an id")
}

/// The plate number `index`, each once; every fifth is a new-energy car's.
pub(super) fn plate(index: u32) -> Plate {
    let number = index.saturating_mul(37) % 100_000;
    let letter = char::from_u32(u32::from('A').saturating_add(index / 100_000 % 8)).unwrap_or('A');
    let text = if index % 5 == 4 { format!("渝{letter}D{number:05}") } else { format!("渝{letter}{number:05}") };
    Plate::parse(&text).expect("seven or eight characters are a plate")
}

/// The plate as the platform prints it: every third with a stray space.
pub(super) fn printed(plate: &Plate, index: u32) -> String {
    let text = plate.as_str();
    match text.split_once(|c: char| c.is_ascii()) {
        Some((province, _)) if index % 3 == 1 => text.replacen(province, &format!("{province} "), 1),
        _ => text.to_owned(),
    }
}

/// The phone number of user `index`.
pub(super) fn mobile(index: u32) -> Mobile {
    Mobile::parse(&format!("138{:08}", index.saturating_add(1) % 100_000_000)).expect("eleven digits are a number")
}

/// The car parks of the worlds made here: those of their stays, more around them so that a list has pages, and some in
/// another city.
pub(super) fn lots() -> Vec<Lot> {
    let named = ["ETCP停车场", "解放碑停车场", "江北机场T3停车楼"].map(str::to_owned);
    let numbered = (1..=24).map(|number| format!("解放碑{number}号停车场"));
    let here = named.into_iter().chain(numbered).map(|name| (name, "重庆市", (29_563_000, 106_577_000)));
    let there = (1..=3).map(|number| (format!("方庄{number}号停车场"), "北京市", (39_872_748, 116_429_718)));
    (0..).zip(here.chain(there)).map(|(index, (name, city, from))| lot(index, &name, city, from)).collect()
}

/// A car park that differs from its neighbours in everything, some hundred metres from the one before.
fn lot(index: i64, name: &str, city: &str, (lat, lon): (i64, i64)) -> Lot {
    let shifted = |from: i64, step: i64| Degrees::from_micro(from.saturating_add(index.saturating_mul(step) % 9_000));
    let place = Place { lat: shifted(lat, 700), lon: shifted(lon, 1_100) };
    let small = u32::try_from(index).unwrap_or_default();
    Lot {
        operator: if index % 5 == 4 { Operator::ThirdParty } else { Operator::Own },
        electronic: index % 4 != 3,
        free_minutes: (small % 5).saturating_mul(30),
        average_cost: Amount::from_fen(index.saturating_mul(37).saturating_add(1278)).unwrap_or(Amount::ZERO),
        levels: [Levels::Above, Levels::Below, Levels::Both]
            .into_iter()
            .cycle()
            .nth(small.try_into().unwrap_or_default())
            .unwrap_or(Levels::Above),
        spaces: small.saturating_mul(10).saturating_add(114),
        taken: small.saturating_mul(23) % 120,
        ..Lot::new(name, city, place)
    }
}

/// A whole config for a world: `inbox` and the database lie beside it.
pub(super) fn config_toml(settings: &Settings, base_url: &str, sources: &str, notify: &str) -> String {
    let Settings { merchant_no, merchant_key, app_id, strip_whitespace, .. } = settings;
    format!(
        r#"# A config for the sandbox platform. Nothing in it is worth keeping.

[merchant]
merchant_no = "{merchant_no}"
merchant_key = "{merchant_key}"
app_id = "{app_id}"

[platform]
base_url = "{base_url}"
timeout = "5s"
max_requests_per_second = 500
signature.strip_whitespace = {strip_whitespace}

[database]
url = "sqlite:recon.db"

[bills]
inbox = "inbox"

{sources}
[notify]
{notify}
[report]
dir = "reports"
"#
    )
}
