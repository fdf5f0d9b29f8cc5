//! Bills as aggregators document them, read as a config says: its text and the bill's text → the rows.

use std::fmt::Write;
use std::io::Cursor;
use std::path::Path;

use crate::bills::{BillItem, BillRow, BillSource, Encoding, RowKind, read_bill};
use crate::config::{self, TEMPLATE};

const LEAST: &str = "[merchant]\nmerchant_no = \"M1\"\nmerchant_key = \"0123456789abcdef\"\n[platform]\nenvironment = \"test\"\n[[bills.source]]\n";

/// The source that a config's `[[bills.source]]` describes.
fn source(keys: &str) -> BillSource {
    let settings = config::parse(&format!("{LEAST}{keys}"), Path::new("x.toml"), &|_| None);
    let mut sources = super::claimed_sources(&settings.unwrap_or_else(|error| panic!("{error}")).bills).unwrap();
    assert_eq!(sources.len(), 1);
    sources.remove(0).source
}

/// The example of that name in the template.
fn example(name: &str) -> BillSource {
    let from = TEMPLATE.find(&format!("# name = \"{name}\"")).unwrap();
    let section = TEMPLATE[from..].lines().take_while(|line| line.len() > 1);
    source(&section.map(|line| line.trim_start_matches("# ").to_owned() + "\n").collect::<String>())
}

/// What a bill's rows are, one in a line, and what was ignored and set aside.
fn read(bytes: &[u8], source: &BillSource) -> String {
    let mut told = String::new();
    let summary = read_bill(Cursor::new(bytes), source, &mut |item: BillItem| match item {
        BillItem::Row(row) => writeln!(told, "{}", shown(&row)).unwrap(),
        BillItem::SetAside(aside) => writeln!(told, "{aside}").unwrap(),
    });
    let summary = summary.unwrap_or_else(|error| panic!("{error}"));
    if summary.ignored > 0 {
        writeln!(told, "ignored {}", summary.ignored).unwrap();
    }
    told
}

fn shown(row: &BillRow) -> String {
    let kind = if row.kind == RowKind::Refund { "refund" } else { "payment" };
    let mut text = format!("{} {kind} {} {} {}", row.line, row.payment_id, row.amount, row.at);
    let parts = [
        ("own", Some(row.external_order_id.to_string())),
        ("trade", row.trade_no.clone()),
        ("refund", row.refund_id.clone()),
        ("order", row.order_id.as_ref().map(ToString::to_string)),
        ("plate", row.plate.as_ref().map(|plate| plate.as_str().to_owned())),
        ("received", row.received.map(|amount| amount.to_string())),
        ("fee", row.fee.map(|fee| fee.to_string())),
        ("refunded", Some(row.refunded).filter(|amount| !amount.is_zero()).map(|amount| amount.to_string())),
        ("by", Some(row.channel.clone()).filter(|channel| !channel.is_empty())),
    ];
    for (name, value) in parts {
        if let Some(value) = value {
            write!(text, " {name}={value}").unwrap();
        }
    }
    text
}

/// A line of a table: what stands in some columns, `empty` in all others.
fn line(header: &str, delimiter: char, empty: &str, cells: &[(&str, &str)]) -> String {
    for (column, _) in cells {
        assert!(header.split(delimiter).any(|name| name == *column), "{column}");
    }
    let cell = |name: &str| cells.iter().find(|(column, _)| *column == name).map_or(empty, |(_, value)| value);
    header.split(delimiter).map(cell).collect::<Vec<_>>().join(&delimiter.to_string())
}

fn table(header: &str, delimiter: char, empty: &str, rows: &[&[(&str, &str)]]) -> String {
    rows.iter().map(|cells| line(header, delimiter, empty, cells) + "\r\n").collect()
}

fn gb18030(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

#[test]
fn allinpays_acquiring_bill_has_day_and_time_in_two_columns() {
    let source = source(
        r#"name = "allinpay"
        profile = "generic"
        columns.payment_id = "交易单号"
        columns.refund_of = "原交易单"
        columns.external_order_id = "订单号"
        columns.trade_no = "参考号"
        columns.status = "交易类型"
        columns.amount = "原始金额"
        columns.received = "交易金额"
        columns.fee = "手续费"
        columns.paid_at = "交易日期"
        columns.paid_time = "交易时间"
        columns.channel = "产品类型"
        time_format = "%Y%m%d %H%M%S"
        status = { "消费" = "payment", "退货" = "refund", "查询" = "ignored" }
        order_id = { column = "商户备注", pattern = "订单(\\w+)" }
        plate = { column = "商户备注", pattern = "车牌(\\w+)" }"#,
    );
    let header = "商户号,门店名称,终端号,交易时间,交易类型,交易批次号,凭证号,参考号,卡号,卡类别,发卡行机构代码,发卡行名称,交易金额,手续费,交易日期,交易单号,订单号,商户备注,对接应用号,原始金额,结算金额,产品类型,分期贴息,交易完成时间,持卡人姓名,持卡人身份证,分期数,优惠金额,实付金额,原交易单,渠道交易类型,出金方账户名称,门店编号,交易完成日期";
    let rows = table(
        header,
        ',',
        "",
        &[
            &[
                ("交易日期", "20261122"),
                ("交易时间", "095858"),
                ("交易类型", "消费"),
                ("参考号", "T1"),
                ("交易金额", "9.50"),
                ("原始金额", "10.00"),
                ("手续费", "0.06"),
                ("交易单号", "P1"),
                ("订单号", "PK1"),
                ("产品类型", "微信支付"),
                ("商户备注", "\"停车费,订单A1,车牌渝B757D0\""),
            ],
            &[
                ("交易日期", "20261122"),
                ("交易时间", "101500"),
                ("交易类型", "退货"),
                ("交易金额", "3.00"),
                ("原始金额", "3.00"),
                ("手续费", "-0.02"),
                ("交易单号", "R1"),
                ("订单号", "PKR1"),
                ("原交易单", "P1"),
                ("产品类型", "微信支付"),
            ],
            &[("交易类型", "查询")],
            &[
                ("交易日期", "20261122"),
                ("交易时间", "95858"),
                ("交易类型", "消费"),
                ("原始金额", "1.00"),
                ("交易单号", "P2"),
            ],
        ],
    );
    let expected = "\
2 payment P1 10.00 2026-11-22 09:58:58 own=PK1 trade=T1 order=A1 plate=渝B757D0 received=9.50 fee=0.06 by=微信支付
3 refund P1 3.00 2026-11-22 10:15:00 own=PKR1 refund=R1 received=3.00 fee=-0.02 by=微信支付
line 5, column \"交易日期\": `20261122 95858` is not a time; expected %Y%m%d %H%M%S
ignored 1
";
    assert_eq!(read(&gb18030(&format!("{header}\r\n{rows}")), &source), expected);
}

#[test]
fn allinpays_cloud_bill_is_read_with_the_example_of_the_template() {
    let header = "通联订单号|订单类型|交易金额|平台抽佣金额|交易时间|商户订单号|原商户订单号|原通联订单号|支付模式|扩展参数|结算金额|预留1|预留2|预留3|渠道金额|渠道流水号|渠道手续费|渠道交易类型|卡号|卡类别|渠道商户号|门店名称|终端号|";
    let rows = table(
        header,
        '|',
        "",
        &[
            &[
                ("通联订单号", "P1"),
                ("订单类型", "消费"),
                ("交易金额", "1050"),
                ("交易时间", "2026-11-22 09:58:58"),
                ("商户订单号", "PK1"),
                ("支付模式", "SCAN_WEIXIN"),
                ("渠道流水号", "4200001"),
                ("渠道手续费", "6"),
                ("扩展参数", "\"车牌:渝B757D0"),
            ],
            &[
                ("通联订单号", "R1"),
                ("订单类型", "退款"),
                ("交易金额", "50"),
                ("交易时间", "2026-11-22 10:00:00"),
                ("商户订单号", "PKR1"),
                ("原商户订单号", "PK1"),
                ("原通联订单号", "P1"),
                ("支付模式", "SCAN_WEIXIN"),
            ],
            &[("通联订单号", "P2"), ("订单类型", "消费"), ("交易金额", "10.50"), ("交易时间", "2026-11-22 10:00:00")],
            &[("通联订单号", "P3"), ("订单类型", "提现"), ("交易金额", "100"), ("交易时间", "2026-11-22 10:00:00")],
        ],
    );
    let expected = "\
2 payment P1 10.50 2026-11-22 09:58:58 own=PK1 trade=4200001 plate=渝B757D0 fee=0.06 by=SCAN_WEIXIN
3 refund P1 0.50 2026-11-22 10:00:00 own=PKR1 refund=R1 by=SCAN_WEIXIN
line 4, column \"交易金额\": `10.50` is not a whole number of fen
line 5, column \"订单类型\": the status `提现` is not known
";
    let source = example("allinpay");
    assert_eq!(read(format!("{header}\r\n{rows}").as_bytes(), &source), expected);
    // The delimiter may be missing behind the rows, or behind the header.
    assert_eq!(read(format!("{header}\r\n{}", rows.replace("|\r\n", "\r\n")).as_bytes(), &source), expected);
    assert_eq!(read(format!("{}\r\n{rows}", header.trim_end_matches('|')).as_bytes(), &source), expected);
}

#[test]
fn saobeis_bill_without_a_header_is_read_with_the_example_of_the_template() {
    let names = "商户号,终端号,交易时间,退款完成时间,交易金额,手续费金额,退款金额,结余金额,支付方式,支付类型,交易状态,交易单号,退款原单号,终端流水号,渠道订单号,交易日期,用户标识,银行卡类型,附加数据,商家优惠金额,商家实收金额,用户实付金额,平台优惠金额,订单备注,自定义设备编号,支付银行标识,门店名称,通道类型";
    let rows = table(
        names,
        ',',
        "",
        &[
            &[
                ("交易时间", "2026-11-22 09:58:58"),
                ("交易金额", "1000"),
                ("手续费金额", "6"),
                ("退款金额", "0"),
                ("支付方式", "微信"),
                ("交易状态", "支付成功"),
                ("交易单号", "P1"),
                ("终端流水号", "PK1"),
                ("渠道订单号", "4200001"),
                ("商家实收金额", "950"),
                ("订单备注", "渝B757D0"),
                ("门店名称", "\"A,B\""),
            ],
            &[
                ("交易时间", "2026-11-22 10:00:00"),
                ("交易金额", "1000"),
                ("退款金额", "300"),
                ("支付方式", "微信"),
                ("交易状态", "退款成功"),
                ("交易单号", "R1"),
                ("退款原单号", "P1"),
                ("终端流水号", "PKR1"),
            ],
            &[("交易时间", "2026-11-22 10:00:00"), ("交易状态", "支付失败")],
        ],
    );
    let expected = "\
1 payment P1 10.00 2026-11-22 09:58:58 own=PK1 trade=4200001 plate=渝B757D0 received=9.50 fee=0.06 by=微信
2 refund P1 3.00 2026-11-22 10:00:00 own=PKR1 refund=R1 by=微信
ignored 1
";
    assert_eq!(read(rows.as_bytes(), &example("saobei")), expected);
    assert_eq!(read(&gb18030(&rows), &example("saobei")), expected);
}

#[test]
fn swiftpasss_bill_has_a_mark_before_every_value_and_ends_with_its_totals() {
    let source = source(
        r#"name = "swiftpass"
        profile = "generic"
        strip_prefix = "`"
        stop = "总交易单数"
        negative = "refund"
        columns.payment_id = "平台订单号"
        columns.external_order_id = "商户订单号"
        columns.trade_no = "第三方订单号"
        columns.refund_id = "平台退款单号"
        columns.status = "交易状态"
        columns.amount = "总金额"
        columns.refund_amount = "退款金额"
        columns.received = "实收金额"
        columns.fee = "手续费"
        columns.paid_at = "交易时间"
        columns.channel = "交易类型"
        status = { "支付成功" = "payment", "转入退款" = "refund", "未支付" = "ignored" }
        plate = { column = "商户数据包", pattern = '"plate":"([^"]+)"' }
        order_id = { column = "商户数据包", pattern = '"order":"([^"]+)"' }"#,
    );
    let header = "交易时间,公众账号ID,商户号,平台订单号,第三方订单号,商户订单号,交易类型,交易状态,总金额,平台退款单号,商户退款单号,退款金额,商品名称,商户数据包,手续费,费率,实收金额";
    let text = format!(
        "\u{feff}{header}\r\n\
         `2026-11-22 09:58:58,`wx,`1900,`P1,`4200001,`PK1,`pay.weixin.native,`支付成功,`10.00,`,`,`0.00,`停车费,2小时,`{{\"plate\":\"渝B757D0\",\"order\":\"A1\"}},`0.06,`0.60%,`10.00\r\n\
         `2026-11-22 10:00:00,`wx,`1900,`P1,`4200001,`PK1,`pay.weixin.native,`转入退款,`0.00,`R1,`PKR1,`3.00,`停车费,`,`-0.02,`0.60%,`-3.00\r\n\
         `2026-11-22 10:01:00,`wx,`1900,`P2,`,`PK2,`pay.weixin.native,`未支付,`5.00,`,`,`,`,`,`,`,`\r\n\
         总交易单数,总交易额,总退款金额,总企业红包退款金额,总手续费金额,总实收金额\r\n\
         `3,`10.00,`3.00,`0.00,`0.04,`7.00\r\n"
    );
    let expected = "\
2 payment P1 10.00 2026-11-22 09:58:58 own=PK1 trade=4200001 order=A1 plate=渝B757D0 received=10.00 fee=0.06 by=pay.weixin.native
3 refund P1 3.00 2026-11-22 10:00:00 own=PK1 trade=4200001 refund=R1 received=3.00 fee=-0.02 by=pay.weixin.native
ignored 1
";
    assert_eq!(read(text.as_bytes(), &source), expected);
    let without_totals = text.split("总交易单数").next().unwrap();
    let refused = read_bill(Cursor::new(without_totals), &source, &mut |_: BillItem| {}).unwrap_err().to_string();
    assert!(refused.contains("a row that begins with `总交易单数`"), "{refused}");
}

#[test]
fn unionpays_console_export_has_commas_between_thousands() {
    let source = source(
        r#"name = "unionpay"
        profile = "generic"
        skip_lines = 1
        thousands = true
        unknown_status = "refuse"
        columns.payment_id = "查询流水号"
        columns.external_order_id = "订单号"
        columns.status = "交易类型"
        columns.amount = "交易金额(元)"
        columns.paid_at = "交易时间"
        status = { "消费" = "payment", "消费撤销" = "refund" }"#,
    );
    let text = "交易查询\n商户代码,交易类型,交易时间,订单号,查询流水号,交易金额（元）\n\
        898,消费,2026/11/22 09:58:58,PK1,P1,\"1,234.50\"\n898,消费撤销,2026/11/22 10:00:00,PK1,P1,\"1,234.50\"\n898,消费,2026/11/22 10:00:00,PK2,P2,\"5,50\"\n";
    let expected = "\
3 payment P1 1234.50 2026-11-22 09:58:58 own=PK1
4 refund P1 1234.50 2026-11-22 10:00:00 own=PK1
line 5, column \"交易金额（元）\": `5,50` does not have its commas between thousands
";
    assert_eq!(read(&gb18030(text), &source), expected);
    let other = text.replace("消费撤销", "冲正");
    let refused = read_bill(Cursor::new(other), &source, &mut |_: BillItem| {}).unwrap_err().to_string();
    assert!(refused.starts_with("line 4, column \"交易类型\": the status `冲正` is not known"), "{refused}");
}

#[test]
fn alipays_console_export_has_cells_of_one_blank_and_money_in_two_columns() {
    let source = source(
        r##"name = "alipay-console"
        profile = "generic"
        role = "ledger"
        encoding = "gb18030"
        comment = "#"
        negative = "refund"
        columns.payment_id = "支付宝交易号"
        columns.refund_id = "支付宝流水号"
        columns.external_order_id = "商户订单号"
        columns.status = "账务类型"
        columns.amount = "收入(+元)"
        columns.refund_amount = "支出(-元)"
        columns.paid_at = "入账时间"
        status = { "在线支付" = "payment", "交易退款" = "refund", "收费" = "ignored" }
        plate = { column = "备注" }"##,
    );
    let header = "序号,入账时间,支付宝交易号,支付宝流水号,商户订单号,账务类型,收入（+元）,支出（-元）,账户余额（元）,对方账户,对方名称,银行订单号,商品名称,备注,业务描述";
    let rows = table(
        header,
        ',',
        " ",
        &[
            &[
                ("序号", "1"),
                ("入账时间", "2026-11-22 09:58:58"),
                ("支付宝交易号", "P1"),
                ("支付宝流水号", "L1"),
                ("商户订单号", "PK1"),
                ("账务类型", "在线支付"),
                ("收入（+元）", "10.00"),
                ("备注", "渝B757D0"),
                ("商品名称", "\"停车费,2小时\""),
            ],
            &[
                ("序号", "2"),
                ("入账时间", "2026-11-22 10:00:00"),
                ("支付宝交易号", "P1"),
                ("支付宝流水号", "L2"),
                ("商户订单号", "PK1"),
                ("账务类型", "交易退款"),
                ("支出（-元）", "-3.00"),
            ],
            &[("序号", "3"), ("入账时间", "2026-11-22 10:00:00"), ("账务类型", "收费"), ("支出（-元）", "-0.06")],
        ],
    );
    let text = format!("#账号：demo***@example.com[2088]\r\n#\"\r\n{header}\r\n{rows}#合计：3笔");
    let expected = "\
4 payment P1 10.00 2026-11-22 09:58:58 own=PK1 plate=渝B757D0
5 refund P1 3.00 2026-11-22 10:00:00 own=PK1 refund=L2
ignored 1
";
    assert_eq!(read(&gb18030(&text), &source), expected);
    assert_eq!((source.generic.encoding, source.role), (Some(Encoding::Gb18030), crate::bills::Role::Ledger));
}

#[test]
fn alipays_older_export_has_one_row_for_a_trade_and_what_was_given_back_of_it() {
    let source = source(
        r#"name = "alipay-console"
        profile = "generic"
        unknown_status = "ignore"
        columns.payment_id = "交易号"
        columns.external_order_id = "商户订单号"
        columns.status = "交易状态"
        columns.amount = "金额（元）"
        columns.refund_amount = "成功退款（元）"
        columns.paid_at = "付款时间"
        status = { "交易成功" = "payment", "交易完成" = "payment" }"#,
    );
    let header = "交易号,商户订单号,交易创建时间,付款时间,最近修改时间,交易来源地,类型,交易对方,商品名称,金额（元）,收/支,交易状态,服务费（元）,成功退款（元）,备注,资金状态";
    let rows = table(
        header,
        ',',
        " ",
        &[
            &[
                ("交易号", "P1\t"),
                ("商户订单号", "PK1\t"),
                ("付款时间", "2026-11-22 09:58:58"),
                ("金额（元）", "10.00"),
                ("交易状态", "交易成功"),
                ("成功退款（元）", "3.00"),
            ],
            &[("交易号", "P2\t"), ("付款时间", " "), ("金额（元）", "10.00"), ("交易状态", "等待付款")],
        ],
    );
    let expected = "2 payment P1 10.00 2026-11-22 09:58:58 own=PK1 refunded=3.00\nignored 1\n";
    assert_eq!(read(&gb18030(&format!("{header}\r\n{rows}")), &source), expected);
}

#[test]
fn a_pattern_finds_the_order_in_the_bills_of_a_channel_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bills");
    for (profile, file, column) in [
        ("alipay-trade", "alipay-trade/20881234567890120156_20260317_业务明细.csv", "商户订单号"),
        ("alipay-ledger", "alipay-signcustomer/20881234567890120156_20260317_账务明细.csv", "商户订单号"),
        ("wechat-trade", "wechat-tradebill/1900000109All2026-03-17.csv", "商户订单号"),
    ] {
        let source = source(&format!(
            "name = \"a\"\nprofile = \"{profile}\"\norder_id = {{ column = \"{column}\", pattern = \"^PK(26.+)\" }}"
        ));
        let told = read(&std::fs::read(folder.join(file)).unwrap(), &source);
        let of_payments: Vec<&str> = told.lines().filter(|line| line.contains(" payment ")).collect();
        assert!(!of_payments.is_empty(), "{profile}");
        assert!(of_payments.iter().all(|line| line.contains(" order=26")), "{profile}: {told}");
    }
}
