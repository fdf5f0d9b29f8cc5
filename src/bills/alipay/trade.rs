//! Alipay 业务明细: payments and refunds made through the payment interfaces.

use super::{Table, Totals};
use crate::bills::header::Header;
use crate::bills::reading::{Reading, Row, Told};
use crate::bills::{BillError, CHANNEL_ALIPAY, RowKind};
use crate::model::{Amount, ChannelFee};

/// The columns that are read, and what was added up.
pub(super) struct Trade {
    number: usize,
    own_id: usize,
    kind: usize,
    done_at: usize,
    gross: usize,
    received: usize,
    discount: Option<usize>,
    /// Other parts of the order that the merchant gives: red packets, cards.
    given: Vec<usize>,
    refund_id: usize,
    fee: usize,
    payments: Totals,
    refunds: Totals,
}

impl Table for Trade {
    const FREE_TEXT: (&'static str, &'static [&'static str]) = ("商品名称", &["创建时间", "完成时间"]);
    const TOTALS: [&'static str; 2] = ["交易合计", "退款合计"];

    fn of(header: &Header) -> Result<Self, BillError> {
        Ok(Self {
            number: header.require(&["支付宝交易号", "银联交易号"])?,
            own_id: header.require(&["商户订单号"])?,
            kind: header.require(&["业务类型"])?,
            done_at: header.require(&["完成时间"])?,
            gross: header.require(&["订单金额（元）"])?,
            received: header.require(&["商家实收（元）"])?,
            discount: header.find(&["商家优惠（元）"]),
            given: ["商家红包消费金额（元）", "卡消费金额（元）"]
                .iter()
                .filter_map(|name| header.find(&[name]))
                .collect(),
            refund_id: header.require(&["退款批次号/请求号", "退款批次号"])?,
            fee: header.require(&["服务费（元）"])?,
            payments: Totals::default(),
            refunds: Totals::default(),
        })
    }

    fn row(&mut self, row: &Row<'_>, reading: &mut Reading<'_>) -> Result<(), BillError> {
        let kind = match row.cell(self.kind) {
            "交易" => RowKind::Payment,
            "退款" => RowKind::Refund,
            other => {
                let reason = format!("the kind `{other}` is neither 交易 nor 退款");
                reading.set_aside(row.line, Some(row.header.name(self.kind)), other, reason);
                return Ok(());
            }
        };
        let (gross, received) = (row.signed(self.gross)?, row.signed(self.received)?);
        let totals = if kind == RowKind::Payment { &mut self.payments } else { &mut self.refunds };
        totals.rows = totals.rows.saturating_add(1);
        totals.gross.add_signed(gross);
        totals.sum.add_signed(received);
        if let Some(discount) = self.discount {
            totals.discount.add_signed(row.signed(discount)?);
        }
        if !self.is_explained(row, gross.fen().saturating_sub(received.fen()))? {
            let reason = "what the order cost less what was received is not what the merchant gave".to_owned();
            reading.set_aside(row.line, Some(row.header.name(self.gross)), row.cell(self.gross), reason);
            return Ok(());
        }
        let payment_id = row.id(self.number)?;
        let at = row.time(self.done_at)?;
        // Money effects: a refund is negative, and so is the fee of a payment.
        let effect = |fen: i64| if kind == RowKind::Payment { fen } else { fen.saturating_neg() };
        let amount = |at: usize, fen: i64| {
            Amount::from_fen(effect(fen))
                .ok_or_else(|| row.fault(at, format!("its sign does not fit `{}`", row.cell(self.kind))))
        };
        let (amount, received) = (amount(self.gross, gross.fen())?, amount(self.received, received.fen())?);
        let fee = ChannelFee::reversed(row.fee(self.fee)?);
        let refund_id = Some(row.cell(self.refund_id)).filter(|id| kind == RowKind::Refund && !id.is_empty());
        reading.tell(
            row,
            Told {
                kind,
                payment_id,
                refund_id,
                own_id: Some(self.own_id),
                amount,
                amount_at: self.gross,
                received,
                refunded: Amount::ZERO,
                fee: Some(fee),
                is_pending: false,
                at,
                channel: CHANNEL_ALIPAY,
            },
        )
    }

    fn totals(&self, which: usize) -> Totals {
        if which == 0 { self.payments } else { self.refunds }
    }
}

impl Trade {
    /// Whether `missing` of an order's amount is what the merchant gave of it: its discount, with or without red packets
    /// and cards. The order's amount is what is matched, and no total of the bill covers it.
    fn is_explained(&self, row: &Row<'_>, missing: i64) -> Result<bool, BillError> {
        let Some(discount) = self.discount else { return Ok(true) };
        let mut sums = vec![row.signed(discount)?.fen()];
        for at in &self.given {
            let given = row.signed(*at)?.fen();
            let with_it: Vec<i64> = sums.iter().map(|sum| sum.saturating_add(given)).collect();
            sums.extend(with_it);
        }
        Ok(sums.contains(&missing))
    }
}
