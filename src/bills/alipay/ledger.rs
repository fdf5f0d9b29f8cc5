//! Alipay 账务明细: everything that moved the account. Payments, refunds and fees are evidence of what the trade bill
//! tells too; transfers and withdrawals are none of this product's business.

use super::{Table, Totals};
use crate::bills::header::Header;
use crate::bills::reading::{Reading, Row, Told};
use crate::bills::{BillError, CHANNEL_ALIPAY, RowKind};
use crate::model::{Amount, ChannelFee};

/// The columns that are read, and what was added up.
pub(super) struct Ledger {
    flow_id: usize,
    trade_no: usize,
    own_id: usize,
    at: usize,
    income: usize,
    expense: usize,
    kind: usize,
    remark: Option<usize>,
    incomes: Totals,
    expenses: Totals,
}

/// Movements that are none of ours.
const OTHER_KINDS: [&str; 6] = ["转账", "提现", "其它", "其他", "充值", "分润"];

/// What a kind of movement (业务类型) is to us, and whether it comes in.
fn kind_of(word: &str) -> Option<(RowKind, bool)> {
    match word {
        "在线支付" | "交易付款" => Some((RowKind::Payment, true)),
        "交易退款" => Some((RowKind::Refund, false)),
        "收费" => Some((RowKind::Fee, false)),
        "退费" => Some((RowKind::Fee, true)),
        _ => None,
    }
}

impl Table for Ledger {
    const FREE_TEXT: (&'static str, &'static [&'static str]) = ("商品名称", &["发生时间"]);
    const TOTALS: [&'static str; 2] = ["支出合计", "收入合计"];

    fn of(header: &Header) -> Result<Self, BillError> {
        Ok(Self {
            flow_id: header.require(&["账务流水号"])?,
            trade_no: header.require(&["业务流水号"])?,
            own_id: header.require(&["商户订单号"])?,
            at: header.require(&["发生时间"])?,
            income: header.require(&["收入金额（+元）"])?,
            expense: header.require(&["支出金额（-元）"])?,
            kind: header.require(&["业务类型"])?,
            remark: header.find(&["备注"]),
            incomes: Totals::default(),
            expenses: Totals::default(),
        })
    }

    fn row(&mut self, row: &Row<'_>, reading: &mut Reading<'_>) -> Result<(), BillError> {
        let (income, expense) = (row.signed(self.income)?, row.signed(self.expense)?);
        if income.fen() != 0 && expense.fen() != 0 {
            return Err(row.fault(self.income, "money comes in and goes out in one row".to_owned()));
        }
        let is_income = income.fen() != 0;
        let totals = if is_income { &mut self.incomes } else { &mut self.expenses };
        totals.rows = totals.rows.saturating_add(1);
        totals.sum.add_signed(if is_income { income } else { expense });
        let (moved_at, moved) =
            if is_income { (self.income, income.fen()) } else { (self.expense, expense.fen().saturating_neg()) };
        let amount = Amount::from_fen(moved)
            .ok_or_else(|| row.fault(moved_at, "its sign does not fit its column".to_owned()))?;
        let at = row.time(self.at)?;
        let word = row.cell(self.kind);
        let Some((kind, _)) = kind_of(word).filter(|(_, comes_in)| *comes_in == is_income && !amount.is_zero()) else {
            if OTHER_KINDS.contains(&word) || amount.is_zero() {
                reading.ignored(Some(at));
            } else {
                let reason = format!("{amount} as `{word}` is neither a payment, a refund nor a fee");
                reading.set_aside(row.line, Some(row.header.name(self.kind)), word, reason);
            }
            return Ok(());
        };
        let flow_id = row.id(self.flow_id)?;
        // Of a trade it is the trade's number, which refunds and fees repeat.
        let payment_id = Some(row.cell(self.trade_no)).filter(|id| !id.is_empty()).unwrap_or(flow_id);
        let fee = ChannelFee::from_fen(if is_income { moved.saturating_neg() } else { moved });
        let refund_id = match kind {
            RowKind::Payment => None,
            RowKind::Refund => Some(request_number(row.cell_if_any(self.remark)).unwrap_or(flow_id)),
            RowKind::Fee => Some(flow_id),
        };
        reading.tell(
            row,
            Told {
                kind,
                payment_id,
                refund_id,
                own_id: Some(self.own_id),
                amount,
                amount_at: moved_at,
                received: amount,
                refunded: Amount::ZERO,
                fee: fee.filter(|_| kind == RowKind::Fee),
                is_pending: false,
                at,
                channel: CHANNEL_ALIPAY,
            },
        )
    }

    fn totals(&self, which: usize) -> Totals {
        if which == 0 { self.expenses } else { self.incomes }
    }
}

/// The refund's own number where the remark names it: `退款请求号:RF1`.
fn request_number(remark: &str) -> Option<&str> {
    let number = remark.split_once("退款请求号")?.1.trim_start_matches([':', '：', '[', ' ']);
    let end = number.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))).unwrap_or(number.len());
    number.get(..end).filter(|number| !number.is_empty())
}
