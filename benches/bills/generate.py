"""Writes a bill of one day, as large as wanted, as the channels write theirs, with totals that agree.

usage: generate.py FORMAT MIB FILE      prints the number of rows
"""

import sys

DAY = "2026-03-17"
CLOCK = [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(86400)]
ROWS_AT_ONCE = 20_000

TRADE_HEADER = (
    "#支付宝业务明细查询\r\n#账号：[20881234567890120156]\r\n"
    "#起始日期：[2026年03月17日 00:00:00]   终止日期：[2026年03月18日 00:00:00]\r\n"
    "#-----------------------------------------业务明细列表----------------------------------------\r\n"
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,"
    "支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
    "退款批次号/请求号,服务费（元）,分润（元）,备注\r\n"
)
LEDGER_HEADER = (
    "#支付宝账务明细查询\r\n#账号：[20881234567890120156]\r\n"
    "#起始日期：[2026年03月17日 00:00:00]   终止日期：[2026年03月18日 00:00:00]\r\n"
    "#-----------------------------------------账务明细列表----------------------------------------\r\n"
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注\r\n"
)
WECHAT_HEADER = (
    "\ufeff交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,"
    "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n"
)
WECHAT_TOTALS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n"
FLOW_HEADER = "\ufeff记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n"
FLOW_TOTALS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n"
GENERIC_HEADER = "payment_id,order_id,plate,amount,refund_amount,status,paid_at,channel\n"


def yuan(fen):
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02}"


class Bill:
    """Payments, one in ten given back, each with a fee of 0.6 %, and what they add up to."""

    encoding = "utf-8"
    head = tail = ""
    # Rows of WeChat come in no order of time.
    step = 1

    def __init__(self, orders):
        self.orders = orders
        self.rows = 0
        self.paid = self.back = self.charged = self.returned = self.refunds = self.payments = 0

    def order(self, number):
        """The lines of one order: its payment, and for one in ten its refund."""
        number = number * self.step % self.orders
        fen = 100 * (5 + number % 40)
        fee = round(fen * 6 / 1000)
        second = number * 86000 // self.orders
        # Behind day and merchant the digits of a trade number are anything.
        trade = f"{number * 7_368_787 % 10_000_000_019:010}"
        self.payments += 1
        self.paid += fen
        self.charged += fee
        yield from self.payment(number, trade, fen, fee, f"{DAY} {CLOCK[second]}")
        if number % 10 == 0:
            self.refunds += 1
            self.back += fen
            self.returned += fee
            yield from self.refund(number, trade, fen, fee, f"{DAY} {CLOCK[second + 300]}")


class WechatTrade(Bill):
    head = WECHAT_HEADER
    step = 611_953

    def payment(self, n, trade, fen, fee, at):
        yield (
            f"`{at},`wx0123456789abcdef,`1900000109,`0,`B02,`420000263420260317{trade},`PK260317B02{n:09},`oPARK{n:024},`JSAPI,`SUCCESS,"
            f"`OTHERS,`CNY,`{yuan(fen)},`0.00,`0,`0,`0.00,`0.00,`,`,`停车费-滨江路停车场,`{{\\\"lot\\\":\\\"B02\\\",\\\"session\\\":\\\"S{n:09}\\\"}},"
            f"`{yuan(fee)}000,`0.60%,`{yuan(fen)},`0.00,`\r\n"
        )

    def refund(self, n, trade, fen, fee, at):
        yield (
            f"`{at},`wx0123456789abcdef,`1900000109,`0,`B02,`420000263420260317{trade},`PK260317B02{n:09},`oPARK{n:024},`JSAPI,`REFUND,"
            f"`OTHERS,`CNY,`0.00,`0.00,`503000251220260317{trade},`RFPK260317B02{n:09},`{yuan(fen)},`0.00,`ORIGINAL,`SUCCESS,`停车费-滨江路停车场,"
            f"`{{\\\"lot\\\":\\\"B02\\\",\\\"session\\\":\\\"S{n:09}\\\"}},`-{yuan(fee)}000,`0.60%,`0.00,`{yuan(fen)},`\r\n"
        )

    def end(self):
        return WECHAT_TOTALS + (
            f"`{self.rows},`{yuan(self.paid)},`{yuan(self.back)},`0.00,`{yuan(self.charged - self.returned)}000,`{yuan(self.paid)},"
            f"`{yuan(self.back)}\r\n"
        )


class WechatFundflow(Bill):
    head = FLOW_HEADER
    step = 611_953

    def payment(self, n, trade, fen, fee, at):
        no = f"420000263420260317{trade}"
        yield (
            f"`{at},`{no},`19000001092026031700{2 * n:08},`交易,`交易,`收入,`{yuan(fen)},`2010.00,`system,"
            f"`结算总金额 {yuan(fen)}元;含手续费 {yuan(fee)}元,`PK260317B02{n:09}\r\n"
        )
        yield (
            f"`{at},`{no},`19000001092026031700{2 * n + 1:08},`扣除交易手续费,`扣除交易手续费,`支出,`{yuan(fee)},`2010.00,`system,`,"
            f"`PK260317B02{n:09}\r\n"
        )

    def refund(self, n, trade, fen, fee, at):
        yield (
            f"`{at},`503000251220260317{trade},`420000263420260317{trade},`退款,`退款,`支出,`{yuan(fen - fee)},`2010.00,`1900000109API,"
            f"`退款总金额{yuan(fen)}元;含手续费{yuan(fee)}元,`RFPK260317B02{n:09}\r\n"
        )

    def end(self):
        spent = self.charged + self.back - self.returned
        return FLOW_TOTALS + f"`{self.rows},`{self.payments},`{yuan(self.paid)},`{self.payments + self.refunds},`{yuan(spent)}\r\n"


class AlipayTrade(Bill):
    encoding = "gb18030"
    head = TRADE_HEADER

    def line(self, n, trade, kind, fen, fee, at, request):
        return (
            f"202603172200140{trade}000\t,PK260317A01{n:09}\t,{kind}\t,停车费-万象里B2停车场,{at},{at},A01\t,万象里B2停车场\t,\t,EXIT-1\t,"
            f"*某(138****0001)\t,{yuan(fen)},{yuan(fen)},0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,{request}\t,{yuan(fee)},0.00,\r\n"
        )

    def payment(self, n, trade, fen, fee, at):
        yield self.line(n, trade, "交易", fen, -fee, at, "")

    def refund(self, n, trade, fen, fee, at):
        yield self.line(n, trade, "退款", -fen, fee, at, f"RFPK260317A01{n:09}-1")

    def end(self):
        return (
            "#-----------------------------------------业务明细列表结束------------------------------------\r\n"
            f"#交易合计：{self.payments}笔，商家实收共{yuan(self.paid)}元，商家优惠共0.00元\r\n"
            f"#退款合计：{self.refunds}笔，商家实收退款共{yuan(-self.back)}元，商家优惠退款共0.00元\r\n"
            "#导出时间：[2026年03月18日 05:46:49]\r\n"
        )


class AlipayLedger(Bill):
    encoding = "gb18030"
    head = LEDGER_HEADER
    flow = 0

    def line(self, n, trade, kind, moved, at, remark):
        self.flow += 1
        sums = f"{yuan(moved)},0.00" if moved > 0 else f"0.00,{yuan(moved)}"
        return (
            f"30260317{self.flow:014}\t,202603172200140{trade}000\t,PK260317A01{n:09}\t,停车费-万象里B2停车场\t,{at},*某(138****0001)\t,"
            f"{sums},5010.00,支付宝,{kind},{remark}\t\r\n"
        )

    def payment(self, n, trade, fen, fee, at):
        yield self.line(n, trade, "在线支付", fen, at, "")
        yield self.line(n, trade, "收费", -fee, at, f"支付宝服务费[202603172200140{trade}000]")

    def refund(self, n, trade, fen, fee, at):
        yield self.line(n, trade, "交易退款", -fen, at, f"退款请求号:RFPK260317A01{n:09}-1")
        yield self.line(n, trade, "退费", fee, at, "")

    def end(self):
        return (
            "#----------------------------------------账务明细列表结束-------------------------------------\r\n"
            f"#支出合计：{self.payments + self.refunds}笔，共{yuan(-self.charged - self.back)}元\r\n"
            f"#收入合计：{self.payments + self.refunds}笔，共{yuan(self.paid + self.returned)}元\r\n"
            "#导出时间：[2026年03月18日 05:47:12]\r\n"
        )


class UnionpayZm(Bill):
    encoding = "gb18030"

    def record(self, n, trade, kind, fen, fee, at, query, original, original_order, signs):
        digits = at.replace("-", "").replace(":", "").replace(" ", "")
        charged, settled = signs
        return (
            f"101 48020000    00010000    {n % 1_000_000:06} {digits[4:]} 6222***********1234 {fen:012} 7523 07 {query} 01 "
            f"{f'PK260317A01{n:09}':32} 01 {'':6} {'':10} {charged}{fee:012} {settled}{fen - fee:012} 0001 {'':15} {kind} 01 000301 01 "
            f"{'':4} {'':32} 0 {original:21} 898000000000001 0 {'':15} {'':32} {'':13} {settled}{fen - fee:012} 00000001 {'':32} {'':13} {'':13} "
            f"{'':12} {'':2} {'':1} {original_order:32} {'':98}\r\n"
        )

    def payment(self, n, trade, fen, fee, at):
        query = f"20260317{at[11:].replace(':', '')}{n:07}"
        self.last = query
        yield self.record(n, trade, "01", fen, fee, at, query, "", "", "DC")

    def refund(self, n, trade, fen, fee, at):
        query = f"20260317{at[11:].replace(':', '')}{n:07}"
        yield self.record(n, trade, "04", fen, fee, at, query, self.last, f"PK260317A01{n:09}", "CD")

    def end(self):
        return ""


class Generic(Bill):
    head = GENERIC_HEADER

    def payment(self, n, trade, fen, fee, at):
        yield f"T260317{trade},B6269DE8-03A0-4CDE-9E8B-{n:012},渝B{n % 100_000:05},{yuan(fen)},,SUCCESS,{at},wxpay\n"

    def refund(self, n, trade, fen, fee, at):
        yield f"T260317{trade},B6269DE8-03A0-4CDE-9E8B-{n:012},渝B{n % 100_000:05},{yuan(fen)},{yuan(fen)},REFUND,{at},wxpay\n"

    def end(self):
        return ""


FORMATS = {
    "wechat-trade": WechatTrade,
    "wechat-fundflow": WechatFundflow,
    "alipay-trade": AlipayTrade,
    "alipay-ledger": AlipayLedger,
    "unionpay-zm": UnionpayZm,
    "generic": Generic,
}


def main(name, mib, path):
    form = FORMATS[name]
    sample = form(10_000)
    per_order = sum(len(line.encode(form.encoding)) for n in range(1000) for line in sample.order(n)) / 1000
    bill = form(max(10, int(int(mib) * 2**20 / per_order)))
    with open(path, "wb") as file:
        file.write(bill.head.encode(form.encoding))
        lines = []
        for number in range(bill.orders):
            for line in bill.order(number):
                bill.rows += 1
                lines.append(line)
            if len(lines) > ROWS_AT_ONCE:
                file.write("".join(lines).encode(form.encoding))
                lines = []
        file.write("".join(lines + [bill.end()]).encode(form.encoding))
    print(bill.rows)


main(*sys.argv[1:])
