//! A small report with something in every section, its outside texts given by the test.

use super::data::*;
use super::ledger::{Ledger, NotificationLine, OrderLine, PaymentLine};
use crate::model::{Amount, BusinessDate, Difference, Disposition, FeeTotal, NotificationState, Timestamp, Total};

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_wall(text).unwrap()
}

fn day(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

fn total(count: u64, yuan: &str) -> Total {
    Total { count, fen: i128::from(yuan.parse::<Difference>().unwrap().fen()) }
}

fn bucket(disposition: Disposition, count: u64, yuan: &str) -> Bucket {
    Bucket { disposition, total: total(count, yuan) }
}

/// What the next id or other text from outside looks like.
pub(crate) struct Outside<'a>(pub &'a dyn Fn(&str) -> String);

impl Outside<'_> {
    fn text(&self, text: &str) -> String {
        (self.0)(text)
    }

    #[expect(clippy::unnecessary_wraps, reason = "for fields that may be empty")]
    fn some(&self, text: &str) -> Option<String> {
        Some(self.text(text))
    }

    fn exception(&self, kind: &str, status: ExceptionStatus, paid: Option<&str>, due: Option<&str>) -> ExceptionRow {
        let paid: Option<Difference> = paid.map(|text| text.parse().unwrap());
        let due = due.map(amount);
        let carried = status == ExceptionStatus::Carried;
        let fen = |paid: Option<Difference>, due: Option<Amount>| {
            Difference::from_fen(paid.map_or(0, Difference::fen).checked_sub(due.map_or(0, Amount::fen)).unwrap())
        };
        ExceptionRow {
            id: Some(41),
            kind: kind.to_owned(),
            status,
            date: day(if carried { "2026-11-19" } else { "2026-11-22" }),
            payment_id: paid.and_then(|_| self.some("2026112222001400561")),
            external_order_id: paid.and_then(|_| self.some("CS-2026112222001400561")),
            order_id: due.and_then(|_| self.some("b6269de8-03a0-4a4e-9a0a-0f1d6a1c7e55")),
            plate: self.some("渝B757D0"),
            paid,
            due,
            difference: fen(paid, due),
            at: Some(at(if carried { "2026-11-19 18:04:11" } else { "2026-11-22 09:58:58" })),
            first_seen: day(if carried { "2026-11-19" } else { "2026-11-22" }),
            age_days: if carried { 3 } else { 0 },
            why: Sentence::new("规则 3c：已有另一笔支付结清该订单", "rule 3c: another payment has settled the order"),
            note: None,
        }
    }
}

/// Every section filled.
#[expect(clippy::too_many_lines, reason = "one literal")]
pub(crate) fn full(outside: &Outside<'_>) -> ReportData {
    use Disposition as D;
    use ExceptionStatus::{Carried, New, Resolved};
    let note = |mut row: ExceptionRow, note: &str| {
        row.note = outside.some(note);
        row
    };
    ReportData {
        run_id: outside.text("20261123T103000-7f3a"),
        date: day("2026-11-22"),
        mode: Mode::Live,
        status: Status::Partial,
        partial_reasons: vec![
            PartialReason::PlatesNotPulled { count: 1 },
            PartialReason::BillRefused { file: outside.text("wechat-20261122.csv") },
            PartialReason::BillMissing { source: outside.text("unionpay") },
            PartialReason::NotificationsUnknown { count: 1 },
        ],
        alerts: vec![Alert::LateBooking {
            order_id: outside.text("0f1d6a1c-7e55-4a4e-9a0a-b6269de803a0"),
            external_order_id: outside.text("CS-2026112000017"),
        }],
        rerun: Some(Rerun {
            of: outside.text("20261123T103000-1c44"),
            of_made_at: Some(at("2026-11-23 10:31:07")),
            payments: vec![
                Change { disposition: D::Notified, before: total(10, "152.00"), after: total(12, "176.50") },
                Change { disposition: D::NotifyDue, before: total(2, "24.50"), after: total(0, "0.00") },
            ],
            orders: vec![Change { disposition: D::Notified, before: total(10, "152.00"), after: total(12, "176.50") }],
        }),
        made_at: at("2026-11-23 14:02:45"),
        coverage: Coverage {
            users: 128,
            plates: 143,
            pulled: 142,
            rejected_records: 1,
            failed: vec![FailedPull {
                mobile: outside.text("138****0001"),
                plate: outside.text("渝A12345"),
                reason: outside.text("平台返回 20101：令牌失效"),
            }],
            contradicted_pushes: vec![outside.text("4ebd80ff-cfcf-462a-94cb-727e9fa9547c")],
        },
        bills: bills(outside),
        set_aside: vec![
            SetAsideRow {
                file: outside.text("alipay-20261122.csv"),
                line: 17,
                column: outside.some("amount"),
                value: outside.text("5.005"),
                reason: outside.text("`5.005` has more than two decimals"),
            },
            SetAsideRow {
                file: outside.text("cashier.csv"),
                line: 230,
                column: None,
                value: String::new(),
                reason: outside.text("payment_id is empty"),
            },
        ],
        payments: vec![
            bucket(D::Settled, 1208, "18432.50"),
            bucket(D::Notified, 12, "176.50"),
            bucket(D::NotifyUnknown, 1, "8.00"),
            bucket(D::AmountMismatch, 1, "5.00"),
            bucket(D::DuplicatePayment, 2, "25.00"),
            bucket(D::PaidTwice, 1, "1280.00"),
            bucket(D::Refunded, 3, "31.00"),
        ],
        orders: vec![
            bucket(D::Settled, 1205, "18430.50"),
            bucket(D::Notified, 12, "176.50"),
            bucket(D::NotifyUnknown, 1, "8.00"),
            bucket(D::AmountMismatch, 1, "7.50"),
            bucket(D::PaidTwice, 1, "0.00"),
            bucket(D::PaymentMissing, 1, "12.00"),
            bucket(D::Unpaid, 31, "402.00"),
            bucket(D::Cash, 85, "0.00"),
            bucket(D::Free, 214, "0.00"),
        ],
        refunds: Refunds { matched: total(4, "36.00"), unmatched: total(1, "15.00") },
        unmatched_refunds: vec![UnmatchedRefund {
            source: outside.text("alipay"),
            payment_id: outside.text("2026110122001400007"),
            refund_id: outside.some("RF-0007"),
            amount: amount("15"),
            at: at("2026-11-22 16:20:00"),
        }],
        notifications: Notifications { acknowledged: 12, rejected: 0, unknown: 1, held: 0, due: 0 },
        exceptions: RollForward {
            opening: total(3, "45.00"),
            new: total(5, "1330.00"),
            resolved: total(1, "8.00"),
            closing: total(7, "1367.00"),
        },
        exception_rows: vec![
            outside.exception("notify_unknown", New, Some("8"), Some("8")),
            outside.exception("amount_mismatch", New, Some("5"), Some("7.5")),
            outside.exception("duplicate_payment", New, Some("15"), Some("15")),
            outside.exception("duplicate_payment", Carried, Some("10"), Some("10")),
            outside.exception("paid_twice", New, Some("1280"), Some("0")),
            note(outside.exception("payment_missing", Carried, None, Some("12")), "已向平台索取凭证 11-20"),
            outside.exception("bill_disagrees", New, Some("37"), Some("37")),
            note(outside.exception("order_not_found", Resolved, Some("8"), None), "facts: the order is there now"),
        ],
        refunds_owed: vec![
            owed(outside, "duplicate_payment", "15"),
            owed(outside, "duplicate_payment", "10"),
            owed(outside, "paid_twice", "1280"),
        ],
        by_channel: vec![
            channel(outside.text("alipay"), total(803, "12400.00"), total(2, "30.00"), "74.22"),
            channel(outside.text("wxpay"), total(424, "7550.00"), total(0, "0.00"), "1045.30018"),
            channel(String::new(), total(1, "8.00"), total(0, "0.00"), "0.00"),
        ],
        by_car_park: vec![
            NamedTotal { name: outside.text("重庆来福士停车场"), total: total(900, "15000.00") },
            NamedTotal { name: outside.text("解放碑地下车库"), total: total(651, "4036.50") },
        ],
        tie_out: TieOut {
            payments: both(total(1228, "19958.00")),
            orders: both(total(1551, "19036.50")),
            refunds: both(total(5, "51.00")),
            set_aside_rows: 2,
            holds: true,
        },
        clock_skew_s: Some(-75),
        clock_correction_s: 0,
        journal_head: outside.some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        history: history(),
    }
}

/// Thirty days without one, the last of them this report's.
fn history() -> Vec<HistoryDay> {
    let days = (0..30_u32).rev().filter(|before| *before != 17).map(|before| HistoryDay {
        date: day("2026-11-22").minus_days(before),
        matched: Total { count: 1200, fen: i128::from(0x14_0000 | (before.wrapping_mul(104_729) & 0x7_ffff)) },
        open: total(u64::from(before % 9), "120.00"),
        oldest_days: before % 13,
    });
    let mut days: Vec<_> = days.collect();
    if let Some(last) = days.last_mut() {
        (last.matched, last.open, last.oldest_days) = (total(1220, "18609.00"), total(7, "1367.00"), 3);
    }
    days
}

fn both(total: Total) -> TieOutSide {
    TieOutSide { came_in: total, accounted_for: total }
}

fn bills(outside: &Outside<'_>) -> Vec<Bill> {
    let bill = |file: &str, profile: &str, status, reason: Option<&str>| Bill {
        file: outside.text(file),
        sha256: "00".repeat(32),
        profile: outside.text(profile),
        status,
        payments: if status == BillStatus::Refused { 0 } else { 803 },
        refunds: if status == BillStatus::Imported { 5 } else { 0 },
        ignored: if status == BillStatus::Imported { 9 } else { 0 },
        set_aside: if status == BillStatus::Imported { 2 } else { 0 },
        reason: reason.map(|text| outside.text(text)),
    };
    vec![
        bill("alipay-20261122.csv", "generic", BillStatus::Imported, None),
        bill("cashier.csv", "generic", BillStatus::Known, None),
        bill("wechat-20261122.csv", "generic", BillStatus::Refused, Some("line 3: 7 fields where the header has 8")),
    ]
}

fn owed(outside: &Outside<'_>, kind: &str, yuan: &str) -> RefundOwed {
    RefundOwed {
        kind: kind.to_owned(),
        date: day("2026-11-22"),
        source: outside.text("alipay"),
        channel: outside.text("alipay"),
        payment_id: outside.text("2026112222001400561"),
        external_order_id: outside.text("CS-2026112222001400561"),
        order_id: outside.some("b6269de8-03a0-4a4e-9a0a-0f1d6a1c7e55"),
        plate: outside.some("渝B757D0"),
        amount: amount(yuan),
        paid_at: at("2026-11-22 09:58:58"),
    }
}

/// The rows behind it: a few of each kind.
pub(crate) fn ledger(outside: &Outside<'_>) -> Ledger {
    let payment = |gross: &str, refunded: &str, disposition| PaymentLine {
        source: outside.text("alipay"),
        channel: outside.text("alipay"),
        payment_id: outside.text("2026112222001400561"),
        external_order_id: outside.text("CS-2026112222001400561"),
        order_id: outside.some("b6269de8-03a0-4a4e-9a0a-0f1d6a1c7e55"),
        plate: outside.some("渝B757D0"),
        paid_at: at("2026-11-22 09:58:58"),
        gross: amount(gross),
        refunded: amount(refunded),
        net: amount(gross).minus(amount(refunded)),
        fee: Some("0.03218".parse().expect("a fee")),
        disposition,
        why: Sentence::new("规则 3a", "rule 3a"),
    };
    let order = OrderLine {
        order_id: outside.text("b6269de8-03a0-4a4e-9a0a-0f1d6a1c7e55"),
        plate: outside.some("渝B757D0"),
        car_park: outside.text("重庆来福士停车场"),
        entrance_at: at("2026-11-22 08:00:00"),
        exit_at: Some(at("2026-11-22 10:00:00")),
        is_open: false,
        fee: amount("12.50"),
        cash: amount("0.29"),
        booked: amount("12.21"),
        due: Amount::ZERO,
        external_order_id: outside.some("CS-2026112222001400561"),
        disposition: Disposition::Settled,
        why: Sentence::new("规则 3a", "rule 3a"),
    };
    let notification = NotificationLine {
        external_order_id: outside.text("CS-2026112222001400561"),
        payment_id: outside.text("2026112222001400561"),
        order_id: outside.text("b6269de8-03a0-4a4e-9a0a-0f1d6a1c7e55"),
        plate: outside.text("渝B757D0"),
        amount: amount("5.10"),
        pay_time: at("2026-11-22 09:58:58"),
        state: NotificationState::Held,
        sends: 3,
        pay_order_id: outside.some("PO-1"),
        why: outside.text("above_max_amount"),
        planned_at: at("2026-11-23 10:30:00"),
        updated_at: at("2026-11-23 10:31:00"),
    };
    let settled = Disposition::Settled;
    Ledger {
        payments: vec![
            payment("0.10", "0", settled),
            payment("1280.29", "0.07", settled),
            payment("5", "5.01", settled),
        ],
        orders: vec![order.clone(), OrderLine { is_open: true, exit_at: None, plate: None, ..order }],
        notifications: vec![notification],
    }
}

/// A day on which everything agrees.
pub(crate) fn calm() -> ReportData {
    let as_is = |text: &str| text.to_owned();
    let mut data = full(&Outside(&as_is));
    data.status = Status::Complete;
    data.partial_reasons.clear();
    data.alerts.clear();
    data.rerun = None;
    data.coverage = Coverage { users: 128, plates: 143, pulled: 143, ..Coverage::default() };
    data.bills.truncate(1);
    data.set_aside.clear();
    data.payments.retain(|bucket| !bucket.disposition.is_exception());
    data.orders.retain(|bucket| !bucket.disposition.is_exception());
    data.unmatched_refunds.clear();
    data.refunds.unmatched = Total::default();
    data.notifications = Notifications { acknowledged: 12, ..Notifications::default() };
    data.exceptions = RollForward::default();
    data.exception_rows.clear();
    data.refunds_owed.clear();
    data.tie_out.payments = both(total(1223, "18640.00"));
    data.tie_out.orders = both(total(1547, "19009.00"));
    data.tie_out.refunds = both(total(4, "36.00"));
    data.tie_out.set_aside_rows = 0;
    data.clock_skew_s = Some(1);
    if let Some(last) = data.history.last_mut() {
        (last.matched, last.open, last.oldest_days) = (total(1220, "18609.00"), Total::default(), 0);
    }
    data
}

/// A run that failed.
pub(super) fn failure() -> FailureReport {
    FailureReport {
        run_id: Some("20261123T103000-7f3a".to_owned()),
        date: day("2026-11-22"),
        made_at: at("2026-11-23 10:30:04"),
        error_chain: vec![
            "cannot pull the platform's orders".to_owned(),
            "the platform answered with code 4: bad signature".to_owned(),
        ],
    }
}

fn channel(name: String, payments: Total, refunds: Total, fee: &str) -> ChannelTotal {
    let mut sum = FeeTotal::default();
    sum.add(fee.parse().expect("a fee"));
    ChannelTotal { name, payments, refunds, fee: sum }
}
