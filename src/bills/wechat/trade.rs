//! `WeChat` Pay 交易账单: ALL, SUCCESS and REFUND, of today and of before 2018, also routed through a bank.

use super::{Counted, Table};
use crate::bills::header::Header;
use crate::bills::reading::{Reading, Row, Told};
use crate::bills::totals::Sum;
use crate::bills::{BillError, CHANNEL_WECHAT, RowKind, shortened};
use crate::model::{Amount, ChannelFee, Timestamp};

/// The only currency that is counted.
const CURRENCY: &str = "CNY";

/// What stands for the second key of a reversal, whose refund has no number.
const REVOKED: &str = "REVOKED";

/// The columns that are read, and what was added up.
pub(super) struct Trade {
    at: usize,
    number: usize,
    own_id: usize,
    state: usize,
    currency: usize,
    /// 应结订单金额, before 2018 总金额.
    settled: usize,
    /// 订单金额, which bills of before 2018 have not: there 总金额 is it.
    gross: Option<usize>,
    fee: usize,
    refund: Option<RefundColumns>,
    rows: u64,
    settled_sum: Sum,
    gross_sum: Sum,
    fee_sum: Sum,
    refunded_sum: Sum,
    coupon_refunded_sum: Sum,
    asked_sum: Sum,
}

/// What SUCCESS has not.
#[derive(Clone, Copy)]
struct RefundColumns {
    id: usize,
    /// 退款金额: what is taken back from the merchant.
    taken_back: usize,
    /// 申请退款金额, which bills of before 2018 have not: there 退款金额 is it.
    asked: Option<usize>,
    coupons: Option<usize>,
    state: usize,
    /// 退款申请时间 and 退款成功时间: the REFUND bill has them, and the payment's time in 交易时间.
    asked_at: Option<usize>,
    done_at: Option<usize>,
}

impl Table for Trade {
    const FIRST: [&'static str; 2] = ["交易时间", "总交易单数"];

    fn of(header: &Header) -> Result<Self, BillError> {
        let refund = match header.find(&["微信退款单号", "银联退款单号"]) {
            None => None,
            Some(id) => Some(RefundColumns {
                id,
                taken_back: header.require(&["退款金额"])?,
                asked: header.find(&["申请退款金额"]),
                coupons: header.find(&["充值券退款金额", "代金券或立减优惠退款金额", "企业红包退款金额"]),
                state: header.require(&["退款状态"])?,
                asked_at: header.find(&["退款申请时间"]),
                done_at: header.find(&["退款成功时间"]),
            }),
        };
        Ok(Self {
            at: header.require(&["交易时间"])?,
            number: header.require(&["微信订单号", "银联订单号"])?,
            own_id: header.require(&["商户订单号"])?,
            state: header.require(&["交易状态"])?,
            currency: header.require(&["货币种类"])?,
            settled: header.require(&["应结订单金额", "总金额"])?,
            gross: header.find(&["订单金额"]),
            fee: header.require(&["手续费"])?,
            refund,
            rows: 0,
            settled_sum: Sum::default(),
            gross_sum: Sum::default(),
            fee_sum: Sum::default(),
            refunded_sum: Sum::default(),
            coupon_refunded_sum: Sum::default(),
            asked_sum: Sum::default(),
        })
    }

    fn row(&mut self, row: &Row<'_>, reading: &mut Reading<'_>) -> Result<(), BillError> {
        if row.cell(self.currency) != CURRENCY {
            return Err(BillError::Unsupported {
                what: format!(
                    "a bill with another currency than CNY (line {}, `{}`)",
                    row.line,
                    shortened(row.cell(self.currency), 10)
                ),
                hint: "only payments in yuan can be matched; download the bill of the domestic merchant number",
            });
        }
        let money = self.add_up(row)?;
        let trade_no = row.id(self.number)?;
        let at = row.time(self.at)?;
        let moved = match (row.cell(self.state), self.refund) {
            ("SUCCESS", columns) => Moved::payment(money, at, columns.map(|columns| row.cell(columns.state))),
            ("REFUND", Some(columns)) => refund(row, columns, money, at)?,
            (REVOKED, Some(columns)) if !money.asked.is_zero() => {
                let mut moved = refund(row, columns, money, at)?;
                moved.refund_id = moved.refund_id.or(Some(REVOKED));
                moved
            }
            (other, _) => {
                let reason = format!("the state `{other}` is neither a payment nor a refund with an amount");
                reading.set_aside(row.line, Some(row.header.name(self.state)), other, reason);
                return Ok(());
            }
        };
        if moved.moves_nothing {
            reading.ignored(Some(moved.at));
            return Ok(());
        }
        let amount_at = self.gross.filter(|_| moved.kind == RowKind::Payment).unwrap_or(self.settled);
        reading.tell(
            row,
            Told {
                kind: moved.kind,
                payment_id: trade_no,
                refund_id: moved.refund_id,
                own_id: Some(self.own_id),
                amount: moved.amount,
                amount_at,
                received: moved.received,
                refunded: moved.refunded,
                fee: Some(money.fee),
                is_pending: moved.is_pending,
                at: moved.at,
                channel: CHANNEL_WECHAT,
            },
        )
    }

    fn totals(&self) -> Vec<(&'static [&'static str], Counted)> {
        vec![
            (&["总交易单数"], Counted::Rows(self.rows)),
            (&["应结订单总金额", "总交易额"], Counted::Sum(self.settled_sum)),
            (&["退款总金额", "总退款金额"], Counted::Sum(self.refunded_sum)),
            (
                &["充值券退款总金额", "总代金券或立减优惠退款金额", "总企业红包退款金额"],
                Counted::Sum(self.coupon_refunded_sum),
            ),
            (&["手续费总金额"], Counted::Sum(self.fee_sum)),
            (&["订单总金额"], Counted::Sum(self.gross_sum)),
            (&["申请退款总金额"], Counted::Sum(self.asked_sum)),
        ]
    }
}

/// The amounts of a row.
#[derive(Clone, Copy)]
struct Money {
    gross: Amount,
    settled: Amount,
    taken_back: Amount,
    asked: Amount,
    /// Above zero a cost; of a refund below.
    fee: ChannelFee,
}

impl Trade {
    fn add_up(&mut self, row: &Row<'_>) -> Result<Money, BillError> {
        let settled = row.amount(self.settled)?;
        let gross = self.gross.map_or(Ok(settled), |at| row.amount(at))?;
        let fee = row.fee(self.fee)?;
        let (mut taken_back, mut asked) = (Amount::ZERO, Amount::ZERO);
        if let Some(columns) = self.refund {
            taken_back = row.amount_or_zero(columns.taken_back)?;
            asked = columns.asked.map_or(Ok(taken_back), |at| row.amount_or_zero(at))?;
            if let Some(coupons) = columns.coupons {
                self.coupon_refunded_sum.add(row.amount_or_zero(coupons)?);
            }
        }
        self.rows = self.rows.saturating_add(1);
        self.settled_sum.add(settled);
        self.gross_sum.add(gross);
        self.fee_sum.add_fee(fee);
        self.refunded_sum.add(taken_back);
        self.asked_sum.add(asked);
        Ok(Money { gross, settled, taken_back, asked, fee })
    }
}

/// What a row moved.
struct Moved<'t> {
    kind: RowKind,
    amount: Amount,
    received: Amount,
    /// Of a payment: what was given back of it.
    refunded: Amount,
    at: Timestamp,
    refund_id: Option<&'t str>,
    is_pending: bool,
    /// A refund that failed: the customer has paid as before.
    moves_nothing: bool,
}

impl Moved<'_> {
    /// A payment; older bills tell a refund of the same day in the payment's own row.
    fn payment(money: Money, at: Timestamp, refund_state: Option<&str>) -> Self {
        let is_back = refund_state.is_none_or(|state| matches!(state, "SUCCESS" | "" | "0"));
        let is_refunded = !money.asked.is_zero() && !refund_state.is_some_and(is_failed);
        Self {
            kind: RowKind::Payment,
            amount: money.gross,
            received: money.settled,
            refunded: if is_refunded && is_back { money.asked } else { Amount::ZERO },
            at,
            refund_id: None,
            is_pending: is_refunded && !is_back,
            moves_nothing: false,
        }
    }
}

/// A refund in this state gave nothing back.
fn is_failed(state: &str) -> bool {
    matches!(state, "FAIL" | "REFUNDCLOSE" | "CLOSED")
}

fn refund<'t>(row: &Row<'t>, columns: RefundColumns, money: Money, at: Timestamp) -> Result<Moved<'t>, BillError> {
    let state = row.cell(columns.state);
    let mut at = at;
    for place in [columns.done_at, columns.asked_at].into_iter().flatten() {
        if !row.cell(place).is_empty() {
            at = row.time(place)?;
            break;
        }
    }
    let id = row.cell(columns.id);
    let is_reversal = id.is_empty() || id == "0";
    Ok(Moved {
        kind: RowKind::Refund,
        amount: money.asked,
        received: money.taken_back,
        refunded: Amount::ZERO,
        at,
        refund_id: (!is_reversal).then_some(id),
        // A state that is not known is no proof that the money is back; it keeps a payment from being told all the same.
        is_pending: state != "SUCCESS" && !(is_reversal && state.is_empty()),
        moves_nothing: is_failed(state),
    })
}
