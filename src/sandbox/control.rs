//! The pages under `/sandbox`, for a person with `curl` and for outside tests: what happened, and what shall happen.
//!
//! They are not the platform's. The server listens on this machine only, so they ask for no signature.

use serde::Serialize;
use serde_json::{Value, json};

use super::fault::Fault;
use super::orders::{ParkingOrder, Stay};
use super::push::{PushKind, push_body};
use super::request::Reaction;
use super::sender::Said;
use super::server::Shared;
use super::world::World;
use crate::model::{Amount, OrderId, Timestamp};

/// The first part of the path of each page.
const ROOT: &str = "/sandbox";

/// What `GET /sandbox` says.
pub const GUIDE: &str = "\
The sandbox's own pages. The platform is under /merchant/open/1.0.0/openapi/.

GET    /sandbox                      this page
GET    /sandbox/orders               all parking stays
POST   /sandbox/orders/ID/leave      the car leaves; what is due is taken in cash, and with --push-url the exit is pushed
POST   /sandbox/orders/ID/charge     the fee grows to the amount in the body, such as 12.50
POST   /sandbox/postponed            books what the fault postpone kept back, if it can still be booked
GET    /sandbox/ledger               every payment that was booked
GET    /sandbox/violations           what was asked for and must never be
GET    /sandbox/sms-codes            the last SMS code of each phone
GET    /sandbox/faults               the faults that are set
POST   /sandbox/faults               one more for each line of the body, written as behind --fault
DELETE /sandbox/faults               no fault any more
GET    /sandbox/stats                calls by interface, the most at once and in a second, sign-ins of a user
POST   /sandbox/stats/reset          count anew
POST   /sandbox/push                 {\"kind\":\"entrance\"|\"exit\",\"orderId\":\"ID\"}: sends that push now, says what was answered

For example:
  curl -d 'orderpaid:fail-after-booking' http://127.0.0.1:8099/sandbox/faults
  curl -X POST http://127.0.0.1:8099/sandbox/orders/ID/leave
";

/// The answer of a page; `None` when the path is none of ours.
pub(super) async fn page(shared: &Shared, method: &str, path: &str, body: &[u8], now: Timestamp) -> Option<Reaction> {
    let path = path.strip_prefix(ROOT)?;
    let text = || std::str::from_utf8(body).map(str::trim).map_err(|_| bad("the body is not UTF-8"));
    let path: Vec<_> = path.split('/').collect();
    let reaction = match (method, path.as_slice()) {
        ("GET", [""] | ["", ""]) => Ok(said(200, GUIDE)),
        ("GET", ["", "orders"]) => Ok(shared.world(|world| json(&world.orders().map(order_line).collect::<Vec<_>>()))),
        ("POST", ["", "orders", id, "leave"]) => leave(shared, id, now).await,
        ("POST", ["", "orders", id, "charge"]) => text().and_then(|text| charge(shared, id, text)),
        ("POST", ["", "postponed"]) => {
            let booked = shared.world(|world| world.execute_postponed(now));
            Ok(json(&json!({ "booked": booked })))
        }
        ("GET", ["", "ledger"]) => Ok(shared.world(|world| json(world.ledger()))),
        ("GET", ["", "violations"]) => Ok(shared.world(|world| json(world.violations()))),
        ("GET", ["", "sms-codes"]) => Ok(shared.world(|world| json(&world.sms_codes()))),
        ("GET", ["", "faults"]) => Ok(faults(shared)),
        ("POST", ["", "faults"]) => text().and_then(|text| add_faults(shared, text)),
        ("DELETE", ["", "faults"]) => {
            shared.world(World::clear_faults);
            Ok(faults(shared))
        }
        ("GET", ["", "stats"]) => Ok(shared.world(|world| json(&shared.meter.stats(world)))),
        ("POST", ["", "stats", "reset"]) => Ok(shared.world(|world| {
            shared.meter.reset(world);
            json(&shared.meter.stats(world))
        })),
        ("POST", ["", "push"]) => match text().and_then(push_request) {
            Ok((kind, order_id)) => push(shared, kind, &order_id, now).await,
            Err(reaction) => Err(reaction),
        },
        (_, known) if is_known(known) => Ok(said(405, "this page has another method\nhint: GET /sandbox lists them\n")),
        _ => return path.first().is_some_and(|first| first.is_empty()).then(unknown),
    };
    Some(reaction.unwrap_or_else(|refused| refused))
}

fn is_known(path: &[&str]) -> bool {
    matches!(
        path,
        [""] | ["", "" | "orders" | "postponed" | "ledger" | "violations" | "sms-codes" | "faults" | "stats" | "push"]
            | ["", "stats", "reset"]
            | ["", "orders", _, "leave" | "charge"]
    )
}

fn unknown() -> Reaction {
    said(404, "there is no such page\nhint: GET /sandbox lists them\n")
}

fn said(status: u16, text: &str) -> Reaction {
    Reaction::whole(status, text.to_owned()).with_header("content-type", "text/plain;charset=UTF-8".to_owned())
}

fn bad(text: &str) -> Reaction {
    said(400, &format!("{text}\n"))
}

fn json<T: Serialize + ?Sized>(value: &T) -> Reaction {
    match serde_json::to_string_pretty(value) {
        Ok(text) => Reaction::whole(200, text),
        Err(error) => said(500, &format!("{error}\n")),
    }
}

/// The faults that still hold, one a line, phone numbers masked.
fn faults(shared: &Shared) -> Reaction {
    let lines: Vec<_> = shared.world(|world| {
        let holding = world.faults().filter(|fault| fault.remaining != Some(0));
        holding.flat_map(|fault| [fault.shown(), "\n".to_owned()]).collect()
    });
    said(200, &lines.concat())
}

/// All lines or none.
fn add_faults(shared: &Shared, text: &str) -> Result<Reaction, Reaction> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let added: Result<Vec<Fault>, _> = lines.map(str::parse).collect();
    let added = added.map_err(|error| bad(&error.to_string()))?;
    if added.is_empty() {
        return Err(bad("the body holds no fault\nhint: a line each, such as orderpaid:fail-after-booking:1"));
    }
    shared.world(|world| added.into_iter().for_each(|fault| world.add_fault(fault)));
    Ok(faults(shared))
}

fn order_line(order: &ParkingOrder) -> Value {
    let (state, fee, rest) = match order.stay {
        Stay::Inside { fee, .. } => ("inside", Some(fee), json!({ "due": order.due() })),
        Stay::Left { fee, cash, exit_at } => ("left", Some(fee), json!({ "cash": cash, "exit_time": exit_at })),
        Stay::Vanished => ("vanished", None, json!({})),
    };
    let mut line = json!({
        "order_id": order.order_id,
        "plate": order.plate,
        "mobile": order.mobile,
        "parking": order.parking_name,
        "entrance_time": order.entrance_at,
        "state": state,
        "fee": fee,
    });
    if let (Some(line), Value::Object(rest)) = (line.as_object_mut(), rest) {
        line.extend(rest);
    }
    line
}

fn order_id(text: &str) -> Result<OrderId, Reaction> {
    OrderId::new(text).ok_or_else(|| bad("the order id is missing"))
}

fn no_order() -> Reaction {
    said(404, "there is no such car inside\nhint: GET /sandbox/orders lists them\n")
}

async fn leave(shared: &Shared, id: &str, now: Timestamp) -> Result<Reaction, Reaction> {
    let order_id = order_id(id)?;
    let line =
        shared.world(|world| world.leave(&order_id, now).then(|| world.order(&order_id).map(order_line)).flatten());
    let mut line = line.ok_or_else(no_order)?;
    if shared.sender.is_some() {
        let pushed = send(shared, PushKind::Exit, &order_id, now).await?;
        if let Some(line) = line.as_object_mut() {
            line.insert("push".to_owned(), pushed);
        }
    }
    Ok(json(&line))
}

fn charge(shared: &Shared, id: &str, text: &str) -> Result<Reaction, Reaction> {
    let order_id = order_id(id)?;
    let fee: Amount = text.parse().map_err(|error| bad(&format!("{error}")))?;
    let line = shared.world(|world| {
        if world.order(&order_id).and_then(ParkingOrder::due).is_none() {
            return Err(no_order());
        }
        if !world.charge(&order_id, fee) {
            return Err(bad("more is paid already than this fee"));
        }
        Ok(world.order(&order_id).map(order_line))
    })?;
    Ok(json(&line))
}

fn push_request(text: &str) -> Result<(PushKind, OrderId), Reaction> {
    let wanted = "the body is not {\"kind\":\"entrance\"|\"exit\",\"orderId\":\"…\"}";
    let body: Value = serde_json::from_str(text).map_err(|_| bad(wanted))?;
    let member = |name| body.get(name).and_then(Value::as_str).ok_or_else(|| bad(wanted));
    let kind = member("kind")?.parse().map_err(|error: String| bad(&error))?;
    Ok((kind, order_id(member("orderId")?)?))
}

async fn push(shared: &Shared, kind: PushKind, order_id: &OrderId, now: Timestamp) -> Result<Reaction, Reaction> {
    send(shared, kind, order_id, now).await.map(|pushed| json(&pushed))
}

/// Sends one push now, and what became of it.
async fn send(shared: &Shared, kind: PushKind, order_id: &OrderId, now: Timestamp) -> Result<Value, Reaction> {
    let off = || bad("pushes are off\nhint: start the sandbox with --push-url http://127.0.0.1:8088/push");
    let sender = shared.sender.as_ref().ok_or_else(off)?;
    let body = shared.world(|world| {
        let order = world.order(order_id).ok_or_else(|| said(404, "there is no such order\n"))?;
        push_body(order, kind, sender.form(), world.settings(), now)
            .ok_or_else(|| bad("there is nothing to push: the car is still inside, or gone without a record"))
    })?;
    Ok(match sender.send(kind, body).await {
        Said::Accepted { text } => json!({ "accepted": true, "status": 200, "answer": text }),
        Said::Refused { status, text } => json!({ "accepted": false, "status": status, "answer": text }),
        Said::Nothing { reason } => json!({ "accepted": false, "status": null, "answer": reason }),
    })
}
