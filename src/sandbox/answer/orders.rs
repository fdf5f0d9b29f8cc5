//! §8.6–§8.8: a user's closed orders, the fee of a car inside, and the payment that is told.

use serde_json::{Value, json};

use super::shapes::{base64_like, id, list, masked, money, shape, time};
use super::{Booker, Success};
use crate::model::{Amount, ExternalOrderId, OrderId, Plate, Timestamp};
use crate::sandbox::orders::{ParkingOrder, Stay};
use crate::sandbox::request::{Fields, Refusal};
use crate::sandbox::world::{AfterPayment, Booking, World};

impl World {
    /// §8.6: closed orders, the newest entrance first.
    pub(super) fn order_history(&self, fields: &Fields, now: Timestamp) -> Result<Success, Refusal> {
        let mobile = self.user(fields, now)?;
        let oldest = now.plus_s(self.settings.history_s.saturating_neg());
        let mut orders: Vec<_> = self
            .orders
            .of_user(&mobile)
            .filter(|order| order.entrance_at >= oldest)
            .filter(|order| matches!(order.stay, Stay::Left { exit_at, .. } if exit_at <= now))
            .collect();
        orders.sort_by_key(|order| (std::cmp::Reverse(order.entrance_at), order.order_id.key()));
        let records = orders.into_iter().filter_map(history_record).collect();
        Ok(Success { data: list(records, mobile.expose()), message: "ok" })
    }

    /// §8.7: the open orders of a plate, each with a new `verificationInfo` that voids the one before.
    pub(super) fn order_unpay(&mut self, fields: &Fields, now: Timestamp) -> Result<Success, Refusal> {
        let mobile = self.user(fields, now)?;
        self.check_app_id(fields.optional("appId")?)?;
        let plate = Plate::parse(fields.text("plateNumber")?).map_err(|_| Refusal(6))?;
        let is_gone = |due: Amount| due.is_zero() && self.settings.after_payment == AfterPayment::Gone;
        let open: Vec<_> = self
            .orders
            .of_plate(&plate)
            .filter(|order| order.mobile == mobile)
            .filter(|order| order.entrance_at <= now && order.due().is_some_and(|due| !is_gone(due)))
            .cloned()
            .collect();
        let mut records = Vec::with_capacity(open.len());
        for order in open {
            let verification = base64_like(self.fresh("verification"));
            records.extend(unpaid_record(&order, &verification, now));
            self.verifications.insert(order.order_id.key(), verification);
        }
        Ok(Success { data: list(records, plate.as_str()), message: "ok" })
    }

    /// §8.8: books a payment, or says why not.
    pub(super) fn order_paid(&mut self, fields: &Fields, booker: Booker, now: Timestamp) -> Result<Success, Refusal> {
        let mobile = self.user(fields, now)?;
        let order_id = OrderId::new(fields.text("orderId")?).ok_or(Refusal(20102))?;
        let external_order_id = ExternalOrderId::new(fields.text("externalOrderId")?).ok_or(Refusal(20102))?;
        let amount: Amount = fields.decimal("payment")?.parse().map_err(|_| Refusal(6))?;
        let pay_time = strict_time(fields.text("payTime")?)?;
        let verification = fields.text("verificationInfo")?.to_owned();
        self.check_app_id(fields.optional("appId")?)?;
        let order = self.order(&order_id).filter(|order| order.mobile == mobile).ok_or(Refusal(6))?;
        if amount.is_zero() || external_order_id.as_str().len() > ExternalOrderId::MAX_LEN {
            return Err(Refusal(6));
        }
        let order_id = order.order_id.clone();
        self.fresh("payment");
        let pay_order_id = format!("no{}{:06}", now.format("%Y%m%d%H%M%S"), self.serial());
        let booking = Booking { external_order_id, order_id, amount, pay_time, pay_order_id, at: now, mobile };
        // Asked for before the verification, so that a wrong booking is recorded whatever else is wrong with it.
        self.admit(&booking).map_err(Refusal)?;
        if self.verifications.get(&booking.order_id.key()) != Some(&verification) {
            return Err(Refusal(6));
        }
        let data = paid_record(&booking);
        match booker {
            Booker::Books => self.book(booking).map_err(Refusal)?,
            Booker::Loses => {}
            Booker::Postpones => self.postponed.push(booking),
        }
        Ok(Success { data: Some(data), message: "支付通知成功" })
    }
}

/// The platform takes a time in one form only, though it prints several.
fn strict_time(text: &str) -> Result<Timestamp, Refusal> {
    Timestamp::parse_wall(text).ok().filter(|at| at.wall() == text).ok_or(Refusal(6))
}

fn history_record(order: &ParkingOrder) -> Option<Value> {
    let Stay::Left { fee, cash, exit_at } = order.stay else { return None };
    let shape = shape(&order.order_id.key());
    Some(json!({
        "parkingName": order.parking_name,
        "entranceTime": time(order.entrance_at, shape),
        "exitTime": time(exit_at, shape),
        "parkingFee": money(fee, shape),
        "actual": money(cash, shape >> 2),
        "parkingId": id(&order.parking_id, shape >> 4),
        "orderId": order.order_id.as_str(),
        "carNumber": order.plate,
    }))
}

fn unpaid_record(order: &ParkingOrder, verification: &str, now: Timestamp) -> Option<Value> {
    let Stay::Inside { fee, .. } = order.stay else { return None };
    let shape = shape(&order.order_id.key());
    Some(json!({
        "carNumber": masked(&order.plate),
        "entranceTime": time(order.entrance_at, shape),
        "exitTime": now.wall(),
        "orderId": order.order_id.as_str(),
        "parkingFee": money(fee, shape),
        "parkingId": id(&order.parking_id, shape >> 4),
        "parkingName": order.parking_name,
        "remainingFee": money(order.due()?, shape >> 2),
        "verificationInfo": verification,
    }))
}

fn paid_record(booking: &Booking) -> Value {
    json!({
        "externalOrderId": booking.external_order_id.as_str(),
        "orderId": booking.order_id.as_str(),
        "payOrderId": booking.pay_order_id,
        "payTime": booking.pay_time.wall(),
        "payment": money(booking.amount, shape(booking.external_order_id.as_str())),
    })
}
