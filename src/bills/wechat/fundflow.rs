//! `WeChat` Pay 资金账单: everything that moved the account. A second look at what the trade bill tells.

use super::{Counted, Table};
use crate::bills::header::Header;
use crate::bills::reading::{Reading, Row, Told};
use crate::bills::totals::Sum;
use crate::bills::{BillError, CHANNEL_WECHAT, RowKind};
use crate::model::{Amount, ChannelFee};

/// The columns that are read, and what was added up.
pub(super) struct Fundflow {
    at: usize,
    business_no: usize,
    flow_no: usize,
    kind: usize,
    direction: usize,
    amount: usize,
    remark: usize,
    voucher: usize,
    incomes: (u64, Sum),
    expenses: (u64, Sum),
}

/// Movements that are none of ours.
const OTHER_KINDS: [&str; 7] = ["提现", "充值", "转账", "分账", "其他", "其它", "企业付款"];

/// What a kind of movement (业务类型) is to us, and whether it comes in.
fn kind_of(word: &str) -> Option<(RowKind, bool)> {
    match word {
        "交易" => Some((RowKind::Payment, true)),
        "退款" => Some((RowKind::Refund, false)),
        "扣除交易手续费" => Some((RowKind::Fee, false)),
        "退还交易手续费" => Some((RowKind::Fee, true)),
        _ => None,
    }
}

impl Table for Fundflow {
    const FIRST: [&'static str; 2] = ["记账时间", "资金流水总笔数"];

    fn of(header: &Header) -> Result<Self, BillError> {
        Ok(Self {
            at: header.require(&["记账时间"])?,
            business_no: header.require(&["微信支付业务单号"])?,
            flow_no: header.require(&["资金流水单号"])?,
            kind: header.require(&["业务类型"])?,
            direction: header.require(&["收支类型"])?,
            amount: header.require(&["收支金额(元)"])?,
            remark: header.require(&["备注"])?,
            voucher: header.require(&["业务凭证号"])?,
            incomes: (0, Sum::default()),
            expenses: (0, Sum::default()),
        })
    }

    fn row(&mut self, row: &Row<'_>, reading: &mut Reading<'_>) -> Result<(), BillError> {
        let is_income = match row.cell(self.direction) {
            "收入" => true,
            "支出" => false,
            _ => return Err(row.fault(self.direction, "it is neither 收入 nor 支出".to_owned())),
        };
        let moved = row.amount(self.amount)?;
        let (rows, sum) = if is_income { &mut self.incomes } else { &mut self.expenses };
        *rows = rows.saturating_add(1);
        sum.add(moved);
        let at = row.time(self.at)?;
        let word = row.cell(self.kind);
        let Some((kind, _)) = kind_of(word).filter(|(_, comes_in)| *comes_in == is_income && !moved.is_zero()) else {
            if OTHER_KINDS.contains(&word) || moved.is_zero() {
                reading.ignored(Some(at));
            } else {
                let direction = row.cell(self.direction);
                let reason = format!("{moved} as {direction} of `{word}` is neither a payment, a refund nor a fee");
                reading.set_aside(row.line, Some(row.header.name(self.kind)), word, reason);
            }
            return Ok(());
        };
        let business_no = row.id(self.business_no)?;
        // A refund's business number is the refund's own; the payment's stands where others have the flow's number.
        let (payment_id, refund_id) = match kind {
            RowKind::Payment => (business_no, None),
            RowKind::Refund => (row.id(self.flow_no)?, Some(business_no)),
            RowKind::Fee => (business_no, Some(row.id(self.flow_no)?)),
        };
        let told =
            told_of_refund(row.cell(self.remark)).filter(|told| kind == RowKind::Refund && told.adds_up_to(moved));
        let amount = told.map_or(moved, |told| told.total);
        let fee = match kind {
            RowKind::Payment => None,
            RowKind::Refund => told.map(|told| ChannelFee::reversed(told.fee)),
            RowKind::Fee if is_income => ChannelFee::from_fen(moved.fen()).map(ChannelFee::reversed),
            RowKind::Fee => ChannelFee::from_fen(moved.fen()),
        };
        // Of a refund the voucher is the refund's number, not that of the payment.
        let own = if kind == RowKind::Refund { self.flow_no } else { self.voucher };
        reading.tell(
            row,
            Told {
                kind,
                payment_id,
                refund_id,
                own_id: Some(own),
                amount,
                amount_at: self.amount,
                received: amount,
                refunded: Amount::ZERO,
                fee,
                is_pending: false,
                at,
                channel: CHANNEL_WECHAT,
            },
        )
    }

    fn totals(&self) -> Vec<(&'static [&'static str], Counted)> {
        vec![
            (&["资金流水总笔数"], Counted::Rows(self.incomes.0.saturating_add(self.expenses.0))),
            (&["收入笔数"], Counted::Rows(self.incomes.0)),
            (&["收入金额"], Counted::Sum(self.incomes.1)),
            (&["支出笔数"], Counted::Rows(self.expenses.0)),
            (&["支出金额"], Counted::Sum(self.expenses.1)),
        ]
    }
}

/// What the remark of a refund says beside the amount that moved, which is the one less the other.
#[derive(Clone, Copy)]
struct ToldOfRefund {
    total: Amount,
    fee: ChannelFee,
}

impl ToldOfRefund {
    fn adds_up_to(self, moved: Amount) -> bool {
        let fee = self.fee.whole_fen().and_then(Amount::from_fen);
        fee.and_then(|fee| self.total.checked_sub(fee)) == Some(moved)
    }
}

/// `退款总金额10.00元;含手续费0.06元`.
fn told_of_refund(remark: &str) -> Option<ToldOfRefund> {
    let number = |word: &str| {
        let rest = remark.split_once(word)?.1.trim_start();
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        rest.get(..end)
    };
    let fee = number("含手续费").map_or(Some(ChannelFee::ZERO), |text| text.parse().ok())?;
    Some(ToldOfRefund { total: number("退款总金额")?.parse().ok()?, fee })
}
