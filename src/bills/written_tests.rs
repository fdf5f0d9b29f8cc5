//! Bills that a small writer made, for every format: what was written is read back, a cut is refused or loses nothing,
//! and no flipped byte panics.
#![allow(clippy::arithmetic_side_effects, reason = "numbers of tests are small")]

use std::fmt::Write as _;

use proptest::prelude::*;

use super::channel_tests::read;
use super::*;
use crate::model::Difference;

/// What a row of any format can tell.
#[derive(Clone, Debug)]
struct Fact {
    kind: RowKind,
    gross_fen: i64,
    coupon_fen: i64,
    fee_fen: i64,
    second: i64,
    name: String,
}

impl Fact {
    fn at(&self) -> Timestamp {
        Timestamp::parse_wall("2026-03-17 00:00:00").unwrap().plus_s(self.second)
    }

    fn received_fen(&self) -> i64 {
        self.gross_fen - self.coupon_fen
    }
}

fn yuan(fen: i64) -> String {
    Difference::from_fen(fen).to_string()
}

fn fact() -> impl Strategy<Value = Fact> {
    let kind = prop_oneof![3 => Just(RowKind::Payment), 1 => Just(RowKind::Refund), 1 => Just(RowKind::Fee)];
    (kind, 1_i64..500_000, 0_i64..3, 0_i64..100, 0_i64..86_400, "[a停车费,;:\"'|·-]{0,8}").prop_map(
        |(kind, gross_fen, coupon_fen, fee_fen, second, name)| Fact {
            kind,
            gross_fen,
            coupon_fen: coupon_fen.min(gross_fen),
            fee_fen: fee_fen + i64::from(kind == RowKind::Fee),
            second,
            name,
        },
    )
}

/// A format and how a bill of it is written. The numbers of rows are their places.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Written {
    AlipayTrade,
    AlipayLedger,
    WechatTrade,
    WechatFundflow,
    UnionpayZm,
}

const ALL: [Written; 5] =
    [Written::AlipayTrade, Written::AlipayLedger, Written::WechatTrade, Written::WechatFundflow, Written::UnionpayZm];

fn trade_no(place: usize) -> String {
    format!("20260317{place:013}")
}

fn own_id(place: usize) -> String {
    format!("PK{place:06}")
}

impl Written {
    /// Kinds that the format has rows of.
    fn takes(self, fact: &Fact) -> bool {
        fact.kind != RowKind::Fee || matches!(self, Self::AlipayLedger | Self::WechatFundflow)
    }

    fn bill(self, facts: &[Fact]) -> Vec<u8> {
        match self {
            Self::AlipayTrade => alipay_trade(facts),
            Self::AlipayLedger => alipay_ledger(facts),
            Self::WechatTrade => wechat_trade(facts),
            Self::WechatFundflow => wechat_fundflow(facts),
            Self::UnionpayZm => unionpay(facts),
        }
    }

    /// What a row is read back as: kind, amount, received, fee in fen.
    fn told(self, fact: &Fact) -> (RowKind, i64, Option<i64>, Option<i64>) {
        let (gross, received) = (fact.gross_fen, fact.received_fen());
        let fee = if fact.kind == RowKind::Refund { -fact.fee_fen } else { fact.fee_fen };
        match self {
            Self::AlipayTrade | Self::WechatTrade => (fact.kind, gross, Some(received), Some(fee)),
            Self::UnionpayZm => (fact.kind, gross, Some(gross), Some(fee)),
            Self::AlipayLedger | Self::WechatFundflow => match fact.kind {
                RowKind::Payment => (fact.kind, gross, Some(gross), None),
                RowKind::Refund if self == Self::AlipayLedger => (fact.kind, gross, Some(gross), None),
                RowKind::Refund => (fact.kind, gross, Some(gross), Some(-fact.fee_fen.min(gross - 1))),
                RowKind::Fee => (fact.kind, fact.fee_fen, Some(fact.fee_fen), Some(fact.fee_fen)),
            },
        }
    }
}

fn alipay(title: &str, header: &str, rows: &[String], totals: [String; 2]) -> Vec<u8> {
    let mut text = format!(
        "#支付宝{title}查询\r\n#账号：[20881234567890120156]\r\n#起始日期：[2026年03月17日 00:00:00]   终止日期：[2026年03月18日 00:00:00]\r\n#----{title}列表----\r\n{header}\r\n"
    );
    for row in rows {
        text.push_str(row);
        text.push_str("\r\n");
    }
    let [first, second] = totals;
    write!(text, "#----{title}列表结束----\r\n{first}\r\n{second}\r\n#导出时间：[2026年03月18日 05:46:49]\r\n")
        .unwrap();
    encoding_rs::GB18030.encode(&text).0.into_owned()
}

fn alipay_trade(facts: &[Fact]) -> Vec<u8> {
    let header = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,订单金额（元）,商家实收（元）,商家优惠（元）,退款批次号/请求号,服务费（元）,备注";
    let (mut rows, mut sums) = (Vec::new(), [[0_i64; 3]; 2]);
    for (place, fact) in facts.iter().enumerate() {
        let is_refund = fact.kind == RowKind::Refund;
        let sign = if is_refund { -1 } else { 1 };
        let sum = &mut sums[usize::from(is_refund)];
        sum[0] += 1;
        sum[1] += sign * fact.received_fen();
        sum[2] += sign * fact.coupon_fen;
        rows.push(format!(
            "{}\t,{}\t,{}\t,{},2026-03-16 23:00:00,{},A01\t,{},{},{},{}\t,{},{}",
            trade_no(place),
            own_id(place),
            if is_refund { "退款" } else { "交易" },
            fact.name,
            fact.at(),
            yuan(sign * fact.gross_fen),
            yuan(sign * fact.received_fen()),
            yuan(sign * fact.coupon_fen),
            if is_refund { format!("RF{place}") } else { String::new() },
            yuan(-sign * fact.fee_fen),
            // A comma in the last column belongs to it.
            fact.name,
        ));
    }
    let [payments, refunds] = sums;
    let total = |[rows, received, coupons]: [i64; 3], word: &str| {
        format!("{rows}笔，商家实收{word}共{}元，商家优惠{word}共{}元", yuan(received), yuan(coupons))
    };
    let totals = [format!("#交易合计：{}", total(payments, "")), format!("#退款合计：{}", total(refunds, "退款"))];
    alipay("业务明细", header, &rows, totals)
}

fn alipay_ledger(facts: &[Fact]) -> Vec<u8> {
    let header = "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注";
    let (mut rows, mut sums) = (Vec::new(), [[0_i64; 2]; 2]);
    for (place, fact) in facts.iter().enumerate() {
        let (word, moved) = match fact.kind {
            RowKind::Payment => ("在线支付", fact.gross_fen),
            RowKind::Refund => ("交易退款", -fact.gross_fen),
            RowKind::Fee => ("收费", -fact.fee_fen),
        };
        let sum = &mut sums[usize::from(moved < 0)];
        sum[0] += 1;
        sum[1] += moved;
        rows.push(format!(
            "30{place:020}\t,{}\t,{}\t,{}\t,{},*某\t,{},{},0.00,支付宝,{word},\t",
            trade_no(place),
            own_id(place),
            fact.name,
            fact.at(),
            yuan(moved.max(0)),
            yuan(moved.min(0)),
        ));
    }
    let total = |[rows, moved]: [i64; 2]| format!("{rows}笔，共{}元", yuan(moved));
    let totals = [format!("#支出合计：{}", total(sums[1])), format!("#收入合计：{}", total(sums[0]))];
    alipay("账务明细", header, &rows, totals)
}

fn wechat(header: &str, rows: &[Vec<String>], names: &str, totals: &[String]) -> Vec<u8> {
    let mut text = format!("\u{feff}{header}\r\n");
    for row in rows {
        writeln!(text, "`{}\r", row.join(",`")).unwrap();
    }
    write!(text, "{names}\r\n`{}\r\n", totals.join(",`")).unwrap();
    text.into_bytes()
}

fn wechat_trade(facts: &[Fact]) -> Vec<u8> {
    let header = "交易时间,公众账号ID,微信订单号,商户订单号,交易状态,货币种类,应结订单金额,微信退款单号,退款金额,充值券退款金额,退款状态,商品名称,手续费,订单金额,申请退款金额";
    let (mut rows, mut sums) = (Vec::new(), [0_i64; 5]);
    for (place, fact) in facts.iter().enumerate() {
        let is_refund = fact.kind == RowKind::Refund;
        let if_so = |is_so: bool, fen: i64| if is_so { fen } else { 0 };
        let figures = [
            if_so(!is_refund, fact.received_fen()),
            if_so(is_refund, fact.received_fen()),
            if is_refund { -fact.fee_fen } else { fact.fee_fen },
            if_so(!is_refund, fact.gross_fen),
            if_so(is_refund, fact.gross_fen),
        ];
        for (sum, figure) in sums.iter_mut().zip(figures) {
            *sum += figure;
        }
        let [settled, taken_back, fee, gross, asked] = figures.map(yuan);
        rows.push(vec![
            fact.at().to_string(),
            "wx1".into(),
            trade_no(place),
            own_id(place),
            if is_refund { "REFUND" } else { "SUCCESS" }.into(),
            "CNY".into(),
            settled,
            if is_refund { format!("5030{place}") } else { "0".into() },
            taken_back,
            "0.00".into(),
            if is_refund { "SUCCESS" } else { "" }.into(),
            fact.name.clone(),
            format!("{fee}000"),
            gross,
            asked,
        ]);
    }
    let [settled, taken_back, fee, gross, asked] = sums.map(yuan);
    let totals = [facts.len().to_string(), settled, taken_back, "0.0".into(), format!("{fee}000"), gross, asked];
    let names = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
    wechat(header, &rows, names, &totals)
}

fn wechat_fundflow(facts: &[Fact]) -> Vec<u8> {
    let header = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号";
    let (mut rows, mut sums) = (Vec::new(), [[0_i64; 2]; 2]);
    for (place, fact) in facts.iter().enumerate() {
        let returned = fact.fee_fen.min(fact.gross_fen - 1);
        let (word, is_income, moved, remark) = match fact.kind {
            RowKind::Payment => ("交易", true, fact.gross_fen, String::new()),
            RowKind::Refund => (
                "退款",
                false,
                fact.gross_fen - returned,
                format!("退款总金额{}元;含手续费{}元", yuan(fact.gross_fen), yuan(returned)),
            ),
            RowKind::Fee => ("扣除交易手续费", false, fact.fee_fen, fact.name.clone()),
        };
        let sum = &mut sums[usize::from(is_income)];
        sum[0] += 1;
        sum[1] += moved;
        let is_refund = fact.kind == RowKind::Refund;
        rows.push(vec![
            fact.at().to_string(),
            if is_refund { format!("5030{place}") } else { trade_no(place) },
            if is_refund { trade_no(place) } else { format!("1900{place}") },
            word.into(),
            word.into(),
            if is_income { "收入" } else { "支出" }.into(),
            yuan(moved),
            "0.00".into(),
            "system".into(),
            remark,
            own_id(place),
        ]);
    }
    let [expenses, incomes] = sums;
    let totals =
        [facts.len().to_string(), incomes[0].to_string(), yuan(incomes[1]), expenses[0].to_string(), yuan(expenses[1])];
    wechat(header, &rows, "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额", &totals)
}

fn unionpay(facts: &[Fact]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (place, fact) in facts.iter().enumerate() {
        let is_refund = fact.kind == RowKind::Refund;
        let query_no = |place: usize, at: Timestamp| format!("{}{place:07}", at.format("%Y%m%d%H%M%S"));
        let mut record = vec![b' '; 607];
        let mut put = |at: usize, text: &[u8]| record[at..at + text.len()].copy_from_slice(text);
        put(0, b"S22");
        put(4, b"48021000000");
        put(16, b"00010000000");
        put(28, b"000001");
        put(35, b"0317080000");
        put(66, format!("{:012}", fact.gross_fen).as_bytes());
        put(87, query_no(place, fact.at()).as_bytes());
        put(112, own_id(place).as_bytes());
        let letter = match (fact.fee_fen, is_refund) {
            (0, _) => ' ',
            (_, true) => 'C',
            (_, false) => 'D',
        };
        put(166, format!("{letter}{:012}", fact.fee_fen).as_bytes());
        put(215, if is_refund { b"04" } else { b"01" });
        if is_refund {
            put(271, query_no(place + 1_000_000, fact.at()).as_bytes());
        }
        bytes.extend_from_slice(&record);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The facts that a format has rows of; `UnionPay` without any has no file.
fn facts_of(written: Written, facts: &[Fact]) -> Vec<Fact> {
    facts.iter().filter(|fact| written.takes(fact)).cloned().collect()
}

fn told(row: &BillRow) -> (RowKind, i64, Option<i64>, Option<i64>) {
    (row.kind, row.amount.fen(), row.received.map(Amount::fen), row.fee.and_then(ChannelFee::whole_fen))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_is_read_back(facts in proptest::collection::vec(fact(), 1..12)) {
        for written in ALL {
            let facts = facts_of(written, &facts);
            if facts.is_empty() && written == Written::UnionpayZm {
                continue;
            }
            let read = read(&written.bill(&facts), &BillSource::default());
            let read = read.map_err(|error| TestCaseError::fail(format!("{written:?}: {error}")))?;
            prop_assert_eq!(read.rows.len(), facts.len(), "{:?}", written);
            for (row, fact) in read.rows.iter().zip(&facts) {
                prop_assert_eq!(told(row), written.told(fact), "{:?}", written);
                prop_assert_eq!(row.at, fact.at());
            }
            // Summed by channel it is what the file's own totals say, for those the reader has compared.
            let sums = read.summary.sums;
            let gross: i64 = facts.iter().filter(|fact| fact.kind == RowKind::Payment).map(|fact| fact.gross_fen).sum();
            prop_assert_eq!(sums.gross.fen, i128::from(gross));
        }
    }

    #[test]
    fn a_cut_is_refused_or_loses_nothing(facts in proptest::collection::vec(fact(), 1..4)) {
        for written in ALL {
            let facts = facts_of(written, &facts);
            if facts.is_empty() {
                continue;
            }
            let whole = written.bill(&facts);
            let rows = read(&whole, &BillSource::default()).map(|read| read.rows);
            let rows = rows.map_err(|error| TestCaseError::fail(format!("{written:?}: {error}")))?;
            for cut in 0..whole.len() {
                let Ok(read) = read(&whole[..cut], &BillSource::default()) else { continue };
                if written == Written::UnionpayZm {
                    // No totals: a cut between two records cannot be seen.
                    prop_assert!(cut % 609 == 0 || cut % 609 >= 607, "cut at {cut}");
                    prop_assert!(rows.starts_with(&read.rows));
                } else {
                    prop_assert_eq!(&read.rows, &rows, "{:?} cut at {}", written, cut);
                }
            }
        }
    }

    #[test]
    fn a_flipped_byte_never_panics_and_every_row_is_somewhere(
        facts in proptest::collection::vec(fact(), 1..5),
        at in any::<proptest::sample::Index>(),
        mask in 1_u8..,
    ) {
        for written in ALL {
            let facts = facts_of(written, &facts);
            if facts.is_empty() {
                continue;
            }
            let mut bytes = written.bill(&facts);
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
            if let Ok(read) = read(&bytes, &BillSource::default()) {
                let counted = read.summary.payments + read.summary.refunds + read.summary.ignored + read.summary.set_aside;
                prop_assert!(counted >= u64::try_from(read.rows.len()).unwrap());
            }
        }
    }

    /// With totals a digit of an amount cannot be another without being noticed.
    #[test]
    fn a_changed_amount_is_refused(mut facts in proptest::collection::vec(fact(), 1..5), by in 1_i64..1000) {
        for fact in facts.iter_mut().filter(|fact| fact.kind != RowKind::Fee) {
            fact.fee_fen = 0;
        }
        for written in [Written::AlipayTrade, Written::AlipayLedger, Written::WechatTrade, Written::WechatFundflow] {
            let facts = facts_of(written, &facts);
            if facts.is_empty() {
                continue;
            }
            let mut changed = facts.clone();
            // Of a refund the fund flow shows what moved, the one less the other.
            if changed[0].kind == RowKind::Fee { changed[0].fee_fen += by } else { changed[0].gross_fen += by }
            // The rows of one bill above the totals of the other.
            let (rows, totals) = (written.bill(&changed), written.bill(&facts));
            let marker: Vec<u8> = match written {
                Written::AlipayTrade | Written::AlipayLedger => encoding_rs::GB18030.encode("列表结束").0.into_owned(),
                Written::WechatTrade | Written::UnionpayZm => "总交易单数".into(),
                Written::WechatFundflow => "资金流水总笔数".into(),
            };
            let end = |bytes: &[u8]| bytes.windows(marker.len()).position(|window| window == marker).unwrap();
            let mixed = [&rows[..end(&rows)], &totals[end(&totals)..]].concat();
            prop_assert!(read(&mixed, &BillSource::default()).is_err(), "{:?}", written);
        }
    }
}
