//! A story as plain lines for people, in both languages; a terminal may want some of it in colour.

use serde_json::Value;

use super::{
    BillEntry, ContradictionEntry, Entry, Event, Exception, ExceptionEntry, JournalEntry, Notification, OrderEntry,
    Outcome, PushEntry, Story,
};
use crate::bills::RowKind;
use crate::model::{EventKind, Timestamp};
use crate::report::data::Sentence;
use crate::report::{Lang, visible};

/// Bold on, and off again.
const BOLD: (&str, &str) = ("\u{1b}[1m", "\u{1b}[0m");

/// No more than `visible` shows whole.
const CHUNK: usize = 100;

/// The story, a line an entry. Whatever came from outside is shown without control characters.
pub fn render(story: &Story, lang: Lang, color: bool) -> Vec<String> {
    let head = |zh: &str, en: &str| {
        let text = if lang == Lang::Zh { zh } else { en };
        let (on, off) = if color { BOLD } else { ("", "") };
        format!("{on}{text}{off}")
    };
    let mut lines =
        vec![head(&format!("{} 的全部记录", visible(&story.id)), &format!("all about {}", visible(&story.id)))];
    let list = |items: &[String]| items.iter().map(|item| visible(item)).collect::<Vec<_>>().join(", ");
    if !story.payments.is_empty() {
        lines.push(
            pick(lang, &Sentence::new("支付(外部订单号)", "payments (external order id)"))
                + ": "
                + &list(&story.payments),
        );
    }
    if !story.orders.is_empty() {
        lines.push(pick(lang, &Sentence::new("停车订单", "orders")) + ": " + &list(&story.orders));
    }
    if !story.pushes.is_empty() {
        lines.push(pick(lang, &Sentence::new("推送(synId)", "pushes (synId)")) + ": " + &list(&story.pushes));
    }
    lines.push(String::new());
    lines.extend(story.entries.iter().map(|entry| entry_line(entry, lang)));
    if !story.outcomes.is_empty() {
        lines.extend([String::new(), head("对账结果", "disposition")]);
        lines.extend(story.outcomes.iter().flat_map(|outcome| verdict(outcome, lang)));
    }
    if !story.notifications.is_empty() {
        lines.extend([String::new(), head("支付通知", "notification")]);
        lines.extend(story.notifications.iter().flat_map(|one| notification(one, lang)));
    }
    if !story.exceptions.is_empty() {
        lines.extend([String::new(), head("差异", "exceptions")]);
        lines.extend(story.exceptions.iter().flat_map(|one| exception(one, lang)));
    }
    lines
}

/// What `visible` does to a text of any length.
fn clean(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(CHUNK).map(|chunk| visible(&chunk.iter().collect::<String>()).into_owned()).collect()
}

fn pick(lang: Lang, sentence: &Sentence) -> String {
    sentence.of(lang).to_owned()
}

fn entry_line(entry: &Entry, lang: Lang) -> String {
    let told = match &entry.event {
        Event::BillRow(row) => bill_row(row),
        Event::Order(order) => order_line(order),
        Event::Push(push) => push_line(push),
        Event::PushContradiction(push) => contradiction(push),
        Event::Journal(row) => journal(row),
        Event::Exception(step) => exception_step(step, lang),
        Event::Outcome(outcome) => called(outcome, lang),
    };
    format!("{}  {}", entry.at, clean(told.of(lang)))
}

fn bill_row(row: &BillEntry) -> Sentence {
    let BillEntry { file, line, payment_id, amount, channel, .. } = row;
    let of = |prefix: &str, value: Option<String>| value.map(|value| format!("{prefix}{value}")).unwrap_or_default();
    let plate = row.plate.as_ref().map(ToString::to_string);
    let (zh_order, en_order) = (of("，订单 ", row.order_id.clone()), of(", order ", row.order_id.clone()));
    let (zh_plate, en_plate) = (of("，车牌 ", plate.clone()), of(", plate ", plate));
    let (zh_role, en_role) = if row.ledger { ("(资金账单)", " (ledger)") } else { ("", "") };
    let pending = row.refund_pending;
    let (zh_what, en_what) = match (row.kind, pending) {
        (RowKind::Payment, _) => ("支付", "payment"),
        (RowKind::Refund, false) => ("退款", "refund of payment"),
        (RowKind::Refund, true) => ("退款(处理中)", "pending refund of payment"),
        (RowKind::Fee, _) => ("手续费", "fee of payment"),
    };
    let received = row.received.filter(|received| *received != row.amount);
    let (zh_got, en_got) = received.map_or_else(Default::default, |got| {
        (format!("（到账部分 {got}）"), format!(" ({got} of it from or to the merchant)"))
    });
    let fee = row.fee.filter(|_| row.kind != RowKind::Fee).map(|fee| fee.to_string());
    let (zh_fee, en_fee) = (of("，手续费 ", fee.clone()), of(", fee ", fee));
    let (zh_back, en_back) = if row.refunded.is_zero() {
        (String::new(), String::new())
    } else {
        (format!("，其中已退 {}", row.refunded), format!(", {} of it given back", row.refunded))
    };
    Sentence::new(
        format!(
            "账单 {file} 第 {line} 行{zh_role}：{zh_what} {payment_id}，{amount} 元{zh_got}{zh_back}{zh_fee}，{channel}{zh_order}{zh_plate}"
        ),
        format!(
            "bill {file} line {line}{en_role}: {en_what} {payment_id}, {amount} yuan{en_got}{en_back}{en_fee}, {channel}{en_order}{en_plate}"
        ),
    )
}

fn order_line(order: &OrderEntry) -> Sentence {
    let OrderEntry { order_id, parking, entrance_at, fee, booked, due, cash, .. } = order;
    let plate = order.plate.as_ref().map(ToString::to_string).unwrap_or_default();
    let (zh_new, en_new) = if order.changed.is_empty() { ("首见", "first seen") } else { ("有变化", "changed") };
    let changed = if order.changed.is_empty() { String::new() } else { format!(" [{}]", order.changed.join(", ")) };
    let (zh_state, en_state) = match order.exit_at {
        Some(exit_at) if !order.open => (format!("{exit_at} 出场"), format!("left {exit_at}")),
        Some(_) | None => ("在场".to_owned(), "inside".to_owned()),
    };
    Sentence::new(
        format!(
            "平台订单 {order_id} {zh_new}：{plate} {parking}，{entrance_at} 入场，{zh_state}；停车费 {fee}、已付 {booked}、待付 {due}、现金 {cash}{changed}"
        ),
        format!(
            "platform's order {order_id} {en_new}: {plate} {parking}, came in {entrance_at}, {en_state}; fee {fee}, booked {booked}, due {due}, cash {cash}{changed}"
        ),
    )
}

const fn push_name(kind: EventKind) -> (&'static str, &'static str) {
    match kind {
        EventKind::Entrance => ("入场推送", "entrance push"),
        EventKind::Exit => ("出场推送", "exit push"),
    }
}

fn push_line(push: &PushEntry) -> Sentence {
    let PushEntry { syn_id, plate, parking, entrance_at, .. } = push;
    let (zh_name, en_name) = push_name(push.kind);
    let (zh_left, en_left) = match (push.exit_at, push.fee) {
        (Some(exit_at), Some(fee)) => {
            (format!("，{exit_at} 出场，费用 {fee} 元"), format!(", left {exit_at}, fee {fee} yuan"))
        }
        (_, _) => (String::new(), String::new()),
    };
    let pushed = push.pushed_at.map(Timestamp::wall);
    let zh_pushed = pushed.as_ref().map(|at| format!("；平台推送时间 {at}")).unwrap_or_default();
    let en_pushed = pushed.map(|at| format!("; pushed {at}")).unwrap_or_default();
    Sentence::new(
        format!("{zh_name} {syn_id}：{plate} {parking}，{entrance_at} 入场{zh_left}{zh_pushed}"),
        format!("{en_name} {syn_id}: {plate} {parking}, came in {entrance_at}{en_left}{en_pushed}"),
    )
}

fn contradiction(push: &ContradictionEntry) -> Sentence {
    let ContradictionEntry { kind, syn_id, otherwise } = push;
    let (zh_name, en_name) = push_name(*kind);
    let told = otherwise.iter().map(|(name, value)| format!("{name} {}", text(Some(value))));
    let told = told.collect::<Vec<_>>().join(", ");
    Sentence::new(
        format!("{zh_name} {syn_id} 再次收到，内容不同：{told}"),
        format!("{en_name} {syn_id} came again and says otherwise: {told}"),
    )
}

fn journal(row: &JournalEntry) -> Sentence {
    let JournalEntry { subject, kind, .. } = row;
    let field = |name: &str| text(row.detail.get(name));
    let (amount, order, why) = (field("amount"), field("order"), field("why"));
    let because = |why: &str| if why.is_empty() { String::new() } else { format!(" ({why})") };
    match kind.as_str() {
        "notification.planned" => {
            let (state, because) = (field("state"), because(&why));
            Sentence::new(
                format!("支付通知 {subject} 已登记为 {state}：订单 {order}，{amount} 元{because}"),
                format!("notification {subject} is {state}: order {order}, {amount} yuan{because}"),
            )
        }
        "notification.withdrawn" => Sentence::new(
            format!("支付通知 {subject} 撤回：不再应付"),
            format!("notification {subject} is withdrawn: it is not due any more"),
        ),
        "notification.sending" => {
            let n = field("send");
            Sentence::new(
                format!("支付通知 {subject} 第 {n} 次发送：订单 {order}，{amount} 元"),
                format!("notification {subject} is being sent, number {n}: order {order}, {amount} yuan"),
            )
        }
        "notification.attempted" => {
            let (outcome, state) = (field("outcome"), field("state"));
            let facts = [field("message"), field("pay_order_id")].into_iter().filter(|text| !text.is_empty());
            let facts = because(&facts.collect::<Vec<_>>().join(", "));
            Sentence::new(
                format!("支付通知 {subject} 的结果：{outcome}{facts}，现为 {state}"),
                format!("notification {subject} showed: {outcome}{facts}; it is {state} now"),
            )
        }
        "notification.moved" => {
            let (from, to) = (field("from"), field("to"));
            let facts = because(&facts(row.detail.get("facts")));
            Sentence::new(
                format!("支付通知 {subject}：{from} → {to}，{why}{facts}"),
                format!("notification {subject}: {from} → {to}, {why}{facts}"),
            )
        }
        _ => {
            let detail = row.detail.to_string();
            Sentence::new(format!("{kind} {subject}: {detail}"), format!("{kind} {subject}: {detail}"))
        }
    }
}

fn exception_step(step: &ExceptionEntry, lang: Lang) -> Sentence {
    let ExceptionEntry { id, act, kind, paid, due, difference, .. } = step;
    let (zh_act, en_act) = match *act {
        "opened" => ("新增", "opens"),
        "changed" => ("有变化", "changed"),
        "resolved" => ("消除", "is resolved"),
        _ => ("再次打开", "opens again"),
    };
    let who = step.by.as_deref().or(step.run.as_deref()).unwrap_or_default();
    let (zh_who, en_who) = if step.by.is_some() { ("", "by ") } else { ("对账 ", "by run ") };
    let words = step.note.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
    let name = lang.kind(kind);
    Sentence::new(
        format!(
            "差异 {id} {zh_act}：{name} ({kind})，实付 {paid}、应付 {due}、差额 {difference}（{zh_who}{who}{words}）"
        ),
        format!(
            "exception {id} {en_act}: {name} ({kind}), paid {paid}, due {due}, difference {difference} ({en_who}{who}{words})"
        ),
    )
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The members of an object in a row: `listed open, fee 5.00`.
fn facts(value: Option<&Value>) -> String {
    match value {
        Some(Value::Object(members)) => {
            let told = members.iter().map(|(name, value)| format!("{name} {}", text(Some(value))));
            told.collect::<Vec<_>>().join(", ")
        }
        other => text(other),
    }
}

fn called(outcome: &Outcome, lang: Lang) -> Sentence {
    let Outcome { run, subject, amount, disposition, rule, .. } = outcome;
    let name = lang.disposition(*disposition);
    let (zh_side, en_side) = if outcome.side == "payment" { ("支付", "payment") } else { ("订单", "order") };
    Sentence::new(
        format!("对账 {run}：{zh_side} {subject} {amount} 元为 {name} ({disposition})，规则 {rule}"),
        format!("run {run}: {en_side} {subject}, {amount} yuan, is {disposition} ({name}), rule {rule}"),
    )
}

fn verdict(outcome: &Outcome, lang: Lang) -> Vec<String> {
    let Outcome { subject, amount, disposition, rule, .. } = outcome;
    let side = match (outcome.side, lang) {
        ("payment", Lang::Zh) => "支付",
        (_, Lang::Zh) => "订单",
        (side, Lang::En) => side,
    };
    let name = lang.disposition(*disposition);
    let (number, why) = match lang {
        Lang::Zh => (format!("规则 {rule}"), outcome.why.of(lang)),
        Lang::En => (format!("rule {rule}"), outcome.why.of(lang)),
    };
    vec![
        format!("{side} {} {amount}: {name} ({disposition})", visible(subject)),
        format!("  {number}: {}", visible(why)),
    ]
}

fn notification(one: &Notification, lang: Lang) -> Vec<String> {
    let Notification { external_order_id, order_id, amount, mobile, state, why, updated_at, .. } = one;
    let because = if why.is_empty() { String::new() } else { format!(" ({why})") };
    let booking = one.pay_order_id.as_ref().map(|id| format!(", payOrderId {id}")).unwrap_or_default();
    let head = Sentence::new(
        format!(
            "{external_order_id}：{state}{because}；订单 {order_id}，{amount} 元，用户 {mobile}，更新于 {updated_at}{booking}"
        ),
        format!(
            "{external_order_id}: {state}{because}; order {order_id}, {amount} yuan, user {mobile}, since {updated_at}{booking}"
        ),
    );
    let mut lines = vec![clean(head.of(lang))];
    for attempt in &one.attempts {
        let outcome = attempt.outcome.as_deref().unwrap_or("?");
        let code = attempt.code.map(|code| format!(", code {code}")).unwrap_or_default();
        let message = attempt.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
        let line = match lang {
            Lang::Zh => format!("  第 {} 次 {}：{outcome}{code}{message}", attempt.n, attempt.at),
            Lang::En => format!("  attempt {} {}: {outcome}{code}{message}", attempt.n, attempt.at),
        };
        lines.push(clean(&line));
    }
    lines
}

fn exception(one: &Exception, lang: Lang) -> Vec<String> {
    let Exception { id, kind, date, paid, due, difference, first_seen, last_seen, .. } = one;
    let name = lang.kind(kind);
    let by = |prefix: &str| one.resolved_by.as_ref().map(|by| format!("{prefix}{by}")).unwrap_or_default();
    let note = one.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    let line = match (lang, one.open) {
        (Lang::Zh, true) => format!(
            "{id} {name} ({kind}) {date}：实付 {paid}、应付 {due}、差额 {difference}；{first_seen} 首见，{last_seen} 仍在{note}"
        ),
        (Lang::Zh, false) => {
            format!(
                "{id} {name} ({kind}) {date}：实付 {paid}、应付 {due}、差额 {difference}；已消除{}{note}",
                by("，处理人 ")
            )
        }
        (Lang::En, true) => format!(
            "{id} {kind} ({name}) {date}: paid {paid}, due {due}, difference {difference}; open, first seen {first_seen}, last {last_seen}{note}"
        ),
        (Lang::En, false) => {
            format!(
                "{id} {kind} ({name}) {date}: paid {paid}, due {due}, difference {difference}; resolved{}{note}",
                by(" by ")
            )
        }
    };
    let why = one.why.as_ref().map(|why| format!("  {}", clean(why.of(lang))));
    std::iter::once(clean(&line)).chain(why).collect()
}
