//! What stands around the rows of a channel's bill. An input that does not begin as a bill does is taken for bare rows
//! and gets the frame of its format: the header as the channels write it, and totals of nothing, which `repair`
//! corrects. An input that begins as a bill does is read as it is, so headers and totals are tried too.

use std::sync::LazyLock;

use encoding_rs::GB18030;

const TRADE: (&str, &str) = (
    "#支付宝业务明细查询\r\n#账号：[20881234567890120156]\r\n\
     #起始日期：[2026年03月17日 00:00:00]   终止日期：[2026年03月18日 00:00:00]\r\n#--业务明细列表--\r\n\
     支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,\
     商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,\
     卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\r\n",
    "#--业务明细列表结束--\r\n#交易合计：0笔，商家实收共0.00元，商家优惠共0.00元\r\n\
     #退款合计：0笔，商家实收退款共0.00元，商家优惠退款共0.00元\r\n",
);

const LEDGER: (&str, &str) = (
    "#支付宝账务明细查询\r\n#账号：[20881234567890120156]\r\n\
     #起始日期：[2026年03月17日 00:00:00]   终止日期：[2026年03月18日 00:00:00]\r\n#--账务明细列表--\r\n\
     账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,\
     备注\r\n",
    "#--账务明细列表结束--\r\n#支出合计：0笔，共0.00元\r\n#收入合计：0笔，共0.00元\r\n",
);

const WECHAT_ALL: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
     应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,\
     订单金额,申请退款金额,费率备注\r\n";

const WECHAT_SUCCESS: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,\
     货币种类,应结订单金额,代金券金额,商品名称,商户数据包,手续费,费率,订单金额,费率备注\r\n";

const WECHAT_REFUND: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,\
     货币种类,应结订单金额,代金券金额,退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,\
     商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n";

const WECHAT_LEGACY: &str = "交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
     总金额,企业红包金额,微信退款单号,商户退款单号,退款金额,企业红包退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率\r\n";

const WECHAT_TOTALS: &str = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n\
     `0,`0.00,`0.00,`0.00,`0.00000,`0.00,`0.00\r\n";

const FUNDFLOW: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,\
     业务凭证号\r\n";

const FUNDFLOW_TOTALS: &str = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`0,`0,`0.00,`0,`0.00\r\n";

/// A frame in both encodings.
pub struct Frame {
    utf8: (&'static str, &'static str),
    gbk: (Vec<u8>, Vec<u8>),
}

impl Frame {
    fn new(utf8: (&'static str, &'static str)) -> Self {
        let gbk = |text| GB18030.encode(text).0.into_owned();
        Self { utf8, gbk: (gbk(utf8.0), gbk(utf8.1)) }
    }

    /// A bill of these rows, in their encoding; the input itself where it begins with a comment as a bill does.
    pub fn around(&self, input: &[u8]) -> Vec<u8> {
        if input.starts_with(b"#") || input.starts_with(b"\xef\xbb\xbf") {
            return input.to_vec();
        }
        if std::str::from_utf8(input).is_ok() {
            joined(self.utf8.0.as_bytes(), input, self.utf8.1.as_bytes())
        } else {
            joined(&self.gbk.0, input, &self.gbk.1)
        }
    }
}

/// Alipay 业务明细.
pub static ALIPAY_TRADE: LazyLock<Frame> = LazyLock::new(|| Frame::new(TRADE));

/// Alipay 账务明细.
pub static ALIPAY_LEDGER: LazyLock<Frame> = LazyLock::new(|| Frame::new(LEDGER));

/// `WeChat` Pay 交易账单: the number of fields in the first row tells which of its kinds. The input itself where it does
/// not begin with a backtick.
pub fn wechat_trade(input: &[u8]) -> Vec<u8> {
    if !input.starts_with(b"`") {
        return input.to_vec();
    }
    let first = input.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let header = match first.windows(2).filter(|pair| pair == b",`").count() + 1 {
        20 => WECHAT_SUCCESS,
        24 => WECHAT_LEGACY,
        29 => WECHAT_REFUND,
        _ => WECHAT_ALL,
    };
    joined(header.as_bytes(), input, WECHAT_TOTALS.as_bytes())
}

/// `WeChat` Pay 资金账单. The input itself where it does not begin with a backtick.
pub fn wechat_fundflow(input: &[u8]) -> Vec<u8> {
    if input.starts_with(b"`") {
        joined(FUNDFLOW.as_bytes(), input, FUNDFLOW_TOTALS.as_bytes())
    } else {
        input.to_vec()
    }
}

fn joined(head: &[u8], rows: &[u8], tail: &[u8]) -> Vec<u8> {
    let mut bill = Vec::with_capacity(head.len() + rows.len() + tail.len() + 64);
    bill.extend_from_slice(head);
    bill.extend_from_slice(rows);
    if !rows.ends_with(b"\n") {
        bill.extend_from_slice(b"\r\n");
    }
    bill.extend_from_slice(tail);
    bill
}
