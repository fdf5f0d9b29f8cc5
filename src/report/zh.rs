//! Everything a report says in Chinese.

use super::data::{Alert, BillStatus, Mode, PartialReason, Status};
use super::escape::visible;
use super::lang::{Advice, Kind, LeftOut, Phrase, Words};
use super::view::History;
use crate::model::Disposition as D;

pub(super) const WORDS: Words = Words {
    html_lang: "zh-CN",
    title: "停车对账",
    failed_title: "对账失败",
    failed_lead: "本次对账没有完成，结果一律不可采信；已有的凭据不受影响，排除原因后重跑该日即可。",
    failed_hint: "先运行 etcp-recon check 查看是哪一项有问题，再运行：",
    new: "新增",
    carried: "结转",
    resolved: "已消除",
    opening: "期初未处理",
    closing: "期末未处理",
    tie_out: "总分核对",
    tie_out_holds: "收到的每一笔都有且只有一个对账结果，笔数与金额相符。",
    tie_out_fails: "收到的与有结果的不相符，本次对账结果不可采信。",
    came_in: "收到",
    accounted_for: "有结果",
    payments: "支付流水",
    payments_base: "按支付总额，未扣退款",
    orders: "停车订单",
    orders_base: "按平台已记 + 待缴",
    refunds: "退款",
    exceptions: "差异",
    means: "含义",
    todo: "处理",
    paid: "实付",
    due: "应付",
    difference: "差额",
    difference_base: "实付 = 支付 − 退款；应付 = 平台已记 + 待缴（不含现金）；差额 = 实付 − 应付。",
    payment_id: "支付流水号",
    external_order_id: "外部订单号",
    order_id: "停车订单号",
    plate: "车牌",
    date: "对账日",
    at: "时间",
    first_seen: "首次发现",
    age_days: "账龄（天）",
    why: "依据",
    note: "备注",
    kind: "差异类型",
    kind_name: "类型代码",
    status: "状态",
    id: "编号",
    resolved_rows: "本次已消除的差异",
    refunds_owed: "应退款清单",
    refunds_owed_lead: "以下款项多收，应退还车主。退款进入账单后，差异自动消除。",
    dispositions: "对账结果",
    disposition: "结果",
    count: "笔数",
    amount: "金额（元）",
    total: "合计",
    notifications: "支付通知（本次运行）",
    acknowledged: "平台已受理",
    rejected: "平台拒绝",
    unknown: "结果未知",
    held: "待人工放行",
    notify_due: "留待下次",
    coverage: "覆盖率",
    not_pulled: "未拉取的车牌",
    reason: "原因",
    bills: "账单",
    no_bills: "本次没有账单。",
    row_payments: "支付",
    row_refunds: "退款",
    row_ignored: "不计",
    row_set_aside: "搁置",
    set_aside: "搁置的账单行",
    unmatched_refunds: "找不到原支付的退款",
    unmatched_refunds_lead: "只列示，不算差异：原支付不在已导入的账单中，多半是更早的支付。",
    refunds_matched: "有原支付",
    refunds_unmatched: "无原支付",
    refund_id: "退款号",
    by_channel: "按支付渠道",
    by_car_park: "按停车场",
    channel: "渠道",
    car_park: "停车场",
    fee: "手续费",
    not_known: "（未注明）",
    changes: "与上次运行相比",
    before: "上次",
    after: "本次",
    no_changes: "各项笔数与金额均无变化。",
    partial_because: "未全部完成，原因：",
    attention: "请先看这里",
    run: "运行编号",
    made_at: "生成时间",
    journal_head: "日志链头哈希",
    comma: "，",
    colon: "：",
    no_exceptions: "没有待处理的差异。",
    agrees: "相符",
    differs: "不符",
    rerun_command: "etcp-recon run --date",
    error: "错误",
    attachments: "附件",
    history: "近 30 天",
    history_legend: ["对平金额（元）", "期末未处理差异（笔）", "最早一笔的账龄（天）"],
    history_corners: "每天一根柱，没有报告的日子空着。左上角为期间最高，右上角为当日。",
};

pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::Complete => "完成",
        Status::Partial => "部分完成",
        Status::Failed => "失败",
    }
}

pub(super) const fn mode(mode: Mode) -> Option<&'static str> {
    match mode {
        Mode::Live => None,
        Mode::DryRun => Some("试运行"),
        Mode::Offline => Some("离线"),
    }
}

pub(super) const fn mode_explained(mode: Mode) -> Option<&'static str> {
    match mode {
        Mode::Live => None,
        Mode::DryRun => Some("试运行：已拉取数据，没有通知平台。"),
        Mode::Offline => Some("离线运行：只用已存的凭据，没有访问平台。"),
    }
}

pub(super) const fn bill_status(status: BillStatus) -> &'static str {
    match status {
        BillStatus::Imported => "已导入",
        BillStatus::Known => "此前已导入",
        BillStatus::Refused => "拒收",
    }
}

pub(super) fn partial(reason: &PartialReason) -> String {
    match reason {
        PartialReason::PlatesNotPulled { count } => {
            format!("{count} 个车牌没有拉取成功，相关支付暂列“无法核实”。")
        }
        PartialReason::BillRefused { file } => format!("账单 {} 被拒收，其中没有一行入账。", visible(file)),
        PartialReason::BillMissing { source } => {
            format!("必需的账单来源 {} 没有该日账单，可能由它支付的订单暂列“无法核实”。", visible(source))
        }
        PartialReason::NotificationsUnknown { count } => format!("{count} 笔支付通知的结果尚不明确。"),
        PartialReason::SendingStopped { code } => {
            format!("平台返回代码 {code}（签名或商户号不被接受），已停止发送一切通知。")
        }
        PartialReason::BreakerOpen { count } => format!("连续 {count} 笔通知结果不明，本次不再发送。"),
        PartialReason::DeadlineReached => "到了运行时限，剩余部分留待下次。".to_owned(),
        PartialReason::Other { text } => visible(&text.zh).into_owned(),
    }
}

pub(super) fn alert(alert: &Alert) -> String {
    match alert {
        Alert::LateBooking { order_id, external_order_id } => format!(
            "平台迟到入账：停车订单 {}（外部订单号 {}）曾查证未入账，之后又出现入账。自动重发已永久关闭，请核对该订单是否重复入账。",
            visible(order_id),
            visible(external_order_id)
        ),
        Alert::TwoBookings { order_id } => format!(
            "停车订单 {} 出现两个不同的平台支付单号，可能重复入账。自动重发已永久关闭，请与平台核对。",
            visible(order_id)
        ),
        Alert::WeakKey => "商户密钥过短，可被离线猜出，请向平台申请更换。".to_owned(),
        Alert::Other { text } => visible(&text.zh).into_owned(),
    }
}

pub(super) fn say(phrase: &Phrase<'_>) -> String {
    match phrase {
        Phrase::Agrees => "账目一致，没有差异".to_owned(),
        Phrase::AgreesInPart => "已核对的部分没有差异".to_owned(),
        Phrase::Nothing => "当日没有支付，也没有停车订单".to_owned(),
        Phrase::Disagrees { count, amount } => format!("{count} 笔差异待处理，¥{amount}"),
        Phrase::NotToBeTrusted => "总分不符，结果不可采信".to_owned(),
        Phrase::Movement { new, carried, resolved } => {
            format!("新增 {new} 笔，结转 {carried} 笔，本次已消除 {resolved} 笔")
        }
        Phrase::SubjectExceptions { count: 0, .. } => "无差异".to_owned(),
        Phrase::SubjectExceptions { count, amount } => format!("差异 {count} 笔 ¥{amount}"),
        Phrase::RerunOf { run, at: Some(at) } => format!("这是该日的重跑，上次运行 {run}（{at}）。"),
        Phrase::RerunOf { run, at: None } => format!("这是该日的重跑，上次运行 {run}。"),
        Phrase::Pulled { users, plates, pulled } => {
            format!("名册 {users} 个用户、{plates} 个车牌，成功拉取 {pulled} 个车牌。")
        }
        Phrase::RejectedRecords { count } => format!("平台有 {count} 条记录无法读取，已原样留存。"),
        Phrase::ContradictedPushes { count, syn_id } => {
            format!(
                "有 {count} 个停车记录的推送再次收到时内容不同；出场有一次内容与订单一致即为一致，见 etcp-recon show {syn_id}。"
            )
        }
        Phrase::MoreAttached { count } => format!("另有 {count} 笔未在此列出，全部差异见附件。"),
        Phrase::More { count } => format!("另有 {count} 行未在此列出。"),
        Phrase::SetAsideRows { count } => format!("另有 {count} 行账单无法读取，搁置在对账之外，见下文。"),
        Phrase::ClockSkew { seconds } => format!("本机时钟与平台相差 {seconds} 秒（正数为本机较快）。"),
        Phrase::ClockCorrected { seconds } => format!(
            "平台称时间戳超时（代码 3），本次按平台时钟计时：比本机{} {} 秒。",
            if *seconds > 0 { "快" } else { "慢" },
            seconds.unsigned_abs()
        ),
        Phrase::Line { line } => format!("第 {line} 行"),
        Phrase::Age { days: 0 } => "当日".to_owned(),
        Phrase::Age { days } => format!("{days} 天"),
        Phrase::Count { count } => format!("{count} 笔"),
        Phrase::History(history) => {
            let History { first, last, days, matched, matched_peak, matched_sum, open, open_peak, oldest, oldest_peak } =
                history;
            format!(
                "{first} 至 {last}，其中 {days} 天有报告。\n对平金额：当日 ¥{matched}，最高 ¥{}（{}），合计 ¥{matched_sum}。\n期末未处理差异：当日 {open} 笔，最多 {} 笔（{}）。\n最早一笔的账龄：当日 {oldest} 天，最长 {} 天（{}）。",
                matched_peak.0, matched_peak.1, open_peak.0, open_peak.1, oldest_peak.0, oldest_peak.1
            )
        }
        Phrase::NotAttached { what, path } => {
            let what = match what {
                LeftOut::Rows => "支付流水与停车订单的明细",
                LeftOut::Csv => "差异清单（CSV）",
                LeftOut::Workbook => "电子表格",
            };
            format!("{what}太大，没有随邮件附上（邮件上限 10 MiB），请到运行对账的机器上取：{path}")
        }
        Phrase::Commands => "查看任意一笔的来龙去脉：etcp-recon show 单号".to_owned(),
    }
}

pub(super) fn advice(kind: Kind) -> Advice {
    let (name, means, todo) = match kind {
        Kind::Of(disposition) => return of_disposition(disposition),
        Kind::BillDisagrees => (
            "账单不一致",
            "同一渠道的交易账单与资金账单对同一笔支付记了不同金额；对账以交易账单为准。",
            "到渠道商户平台查询该笔交易，仍不一致的，向渠道提出。",
        ),
        Kind::EventWithoutOrder => (
            "平台漏单",
            "平台推送了有费用的出场，但订单列表里没有对应的停车订单。此处实付为推送的费用，因无订单，应付为 0。",
            "把车牌和进出场时间（etcp-recon show 单号）提供给平台，请其补单。",
        ),
        Kind::EventFeeDiffers => (
            "推送金额不符",
            "出场推送里的费用与停车订单上的费用不同；对账以订单为准。此处实付为推送的费用，应付为订单的停车费总额（含现金）。",
            "与平台核对该订单费用，确认以哪个为准；订单更正后，下次对账自动消除。",
        ),
        Kind::Other => ("其他差异", "本版本不认识的差异类型。", "运行 etcp-recon show 查看明细。"),
    };
    Advice { name, means, todo }
}

fn of_disposition(disposition: D) -> Advice {
    let (means, todo) = match disposition {
        D::NotifyUnknown => (
            "支付通知已发出，但没有得到明确答复：平台可能已入账，也可能没有。",
            "无需手工补发，系统会先查证再决定是否重发；3 天仍不明确的转为“待人工放行”。期间请勿用其他方式为该订单入账。",
        ),
        D::NotifyHeld => (
            "款已收到，但系统暂停了通知：单笔超过限额、外部订单号不合要求、订单已不在待缴列表，或结果长期不明。",
            "核对订单与金额。应通知的：etcp-recon notifications release 外部订单号 --note 原因；不应通知的：notifications void。",
        ),
        D::NotifyRejected => (
            "款已收到，平台明确拒绝了这笔通知，订单仍未入账。",
            "按备注中的返回码与平台核对；可以入账的用 notifications release 重新发送，不能入账的退款给车主并用 notifications void 核销。",
        ),
        D::NotificationLost => (
            "平台曾答复受理成功，但订单离场后的账上没有这笔钱。",
            "凭外部订单号和平台支付单号要求平台补入账；请勿自行重发，以免重复入账。",
        ),
        D::AmountMismatch => (
            "实付与平台应付不相等，因此没有通知平台。",
            "看差额：少付的，向车主补收或按优惠处理；多付的，退还差额；支付后停车费又上涨的，与平台核对计费。",
        ),
        D::DuplicatePayment => {
            ("该停车订单已由另一笔支付结清，这一笔是多收的。", "原路退款给车主；退款进入账单后差异自动消除。")
        }
        D::PaidTwice => (
            "车主已线上支付，出场时又被收了现金，平台只记了现金。",
            "向停车场核实现金收费后退还其中一笔，一般原路退还线上支付。",
        ),
        D::OrderNotFound => (
            "钱已收到，但平台没有对应的停车订单；该车牌已成功拉取，不是漏拉。",
            "核对账单里的订单号和车牌；写错的，更正账单后重跑；确无此单的，退款给车主。",
        ),
        D::PaymentMissing => (
            "平台记为已线上支付，但账单里没有对应的收款。",
            "先查账单是否漏导（渠道、日期、文件）；账单齐全仍没有的，向平台索取该订单的支付凭证。",
        ),
        D::Ambiguous => (
            "账单没有停车订单号，同一车牌同一金额有多种对应方式，系统不作猜测，也不通知平台。",
            "按支付时间和停车记录人工认定；根本办法是让账单带上停车订单号。",
        ),
        D::RefundedAfterSettlement => {
            ("款项已全部退还车主，平台的订单仍记为已支付。", "要求平台冲正该订单；若是误退，向车主重新收取。")
        }
        D::ConflictingRecord => (
            "同一笔支付在不同账单行里的金额、日期、订单或车牌不一致；各行都保留，没有通知平台。",
            "以渠道官方账单为准找出有误的导出，更正后重新导入。",
        ),
        D::Unverifiable => (
            "缺少判断所需的凭据：车牌不在名册或未拉取成功、账单缺失，或支付距今已超过 7 天。",
            "先解决下文“覆盖率”和“账单”中的问题，再重跑该日；不在名册的车牌先导入名册。",
        ),
        D::Settled
        | D::Notified
        | D::NotifyDue
        | D::WrittenOff
        | D::Refunded
        | D::Unpaid
        | D::Cash
        | D::Free
        | D::Vanished => ("该结果不是差异。", "无需处理。"),
    };
    Advice { name: disposition.chinese(), means, todo }
}
