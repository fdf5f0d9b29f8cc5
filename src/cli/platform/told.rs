//! What the platform did not do, in the user's language: limits and what is missing are usage, its refusals failure.

use super::super::exit::Misuse;
use super::super::words::pick;
use crate::etcp::limits::{BindingAct, PLATES_AT_ONCE};
use crate::etcp::{Code, EtcpError, LimitError, skew_in_chinese};
use crate::jobs::bindings::UnknownOutcome;
use crate::jobs::platform_calls::Missing;
use crate::model::Plate;
use crate::report::{Lang, visible};

/// The error of a call by hand as it is told. Other errors stay as they are.
pub fn in_words(lang: Lang, error: anyhow::Error) -> anyhow::Error {
    let in_chinese = lang == Lang::Zh;
    if let Some(limit) = error.downcast_ref::<LimitError>() {
        return Misuse(limit.text(in_chinese)).into();
    }
    if let Some(missing) = error.downcast_ref::<Missing>() {
        return Misuse(missing.text(in_chinese)).into();
    }
    if let Some(unknown) = error.downcast_ref::<UnknownOutcome>() {
        return anyhow::anyhow!("{}", unknown_outcome(lang, unknown));
    }
    match error.downcast_ref::<EtcpError>() {
        Some(platform) => anyhow::anyhow!("{}", refusal(lang, platform)),
        None => error,
    }
}

/// The same for binding and unbinding, where the platform's refusal mostly is one of its limits.
pub fn binding_in_words(lang: Lang, error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<EtcpError>() {
        Some(platform) if platform.code() == Some(Code::OperationFailed) => {
            let hint = pick(
                lang,
                "平台的限制：同时 3 辆、每月 4 辆；只能解绑由本渠道绑定的车牌",
                "the platform's limits: 3 plates at once and 4 a month for a phone; only what this channel bound can be unbound",
            );
            anyhow::anyhow!("{}\nhint: {hint}", visible(&words(lang, platform)))
        }
        _ => in_words(lang, error),
    }
}

/// The same for unbinding: what the platform refuses to unbind is not counted as bound for certain any more.
pub fn unbinding_in_words(lang: Lang, plate: &Plate, error: anyhow::Error) -> anyhow::Error {
    let is_refused = matches!(error.downcast_ref::<EtcpError>(), Some(EtcpError::Refused { .. }));
    let told = binding_in_words(lang, error);
    if !is_refused {
        return told;
    }
    let text = told.to_string();
    let (first, hint) = text.split_at(text.find('\n').unwrap_or(text.len()));
    let counts = match lang {
        Lang::Zh => format!("；{plate} 此后只算可能已绑定，不再计入同时 {PLATES_AT_ONCE} 辆的限制"),
        Lang::En => format!(
            "; {plate} counts as perhaps bound from now on, and no more towards the {PLATES_AT_ONCE} plates at once"
        ),
    };
    anyhow::anyhow!("{first}{counts}{hint}")
}

/// The same for codes by SMS: where no answer says, the code may be on its way, or used up.
pub fn sms_in_words(lang: Lang, error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<EtcpError>() {
        Some(platform) if platform.leaves_open() => {
            let hint = pick(
                lang,
                "结果未知：短信可能已发出，验证码可能已用掉；1 分钟后可再获取",
                "nobody knows what became of it: the SMS may be on its way, the code may be used up; another one can be had in a minute",
            );
            anyhow::anyhow!("{}\nhint: {hint}", visible(first_line(&words(lang, platform))))
        }
        _ => in_words(lang, error),
    }
}

fn unknown_outcome(lang: Lang, unknown: &UnknownOutcome) -> String {
    let UnknownOutcome { act, source } = unknown;
    let why = visible(first_line(&words(lang, source))).into_owned();
    let (zh, en) = match act {
        BindingAct::Bind => ("绑定", "bound"),
        BindingAct::Unbind => ("解绑", "unbound"),
    };
    match lang {
        Lang::Zh => format!(
            "{why}；不知道平台是否已{zh}，名册未变\nhint: 在用户的 ETCP 应用中查看，或再次运行同一命令：同一车牌不会重复计数"
        ),
        Lang::En => format!(
            "{why}; nobody knows whether the plate is {en} now, and the roster is left alone\nhint: look in the user's ETCP app, or run the same command again: the same plate is not counted twice"
        ),
    }
}

/// A refusal or a failure, with what to do about it.
fn refusal(lang: Lang, error: &EtcpError) -> String {
    let text = words(lang, error);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let first = visible(first);
    match (rest, hint(lang, error)) {
        ("", Some(hint)) => format!("{first}\nhint: {hint}"),
        ("", None) => first.into_owned(),
        (rest, _) => format!("{first}\n{rest}"),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text)
}

fn words(lang: Lang, error: &EtcpError) -> String {
    if lang == Lang::En {
        return error.to_string();
    }
    match error {
        EtcpError::Refused { code, message } => {
            format!("平台拒绝：代码 {}（{}）：{message}", code.number(), code.chinese())
        }
        EtcpError::Stop(code) => {
            format!("平台返回代码 {}（{}）\nhint: 检查 merchant_no、merchant_key 与环境", code.number(), code.chinese())
        }
        EtcpError::ClockOff { skew_s: Some(0) } => {
            "平台返回代码 3（时间戳超时），但两边时钟一致\nhint: 询问 ETCP；按其应答的时间，本机的时间戳无误".to_owned()
        }
        EtcpError::ClockOff { skew_s: Some(skew_s) } => {
            let clock = skew_in_chinese(*skew_s);
            format!("平台返回代码 3（时间戳超时）；其时钟{clock}\nhint: 校正本机时钟")
        }
        EtcpError::ClockOff { skew_s: None } => "平台返回代码 3（时间戳超时）\nhint: 校正本机时钟".to_owned(),
        EtcpError::InvalidToken => "令牌无效（代码 20101）".to_owned(),
        EtcpError::Setup { reason } => format!("无法调用平台：{reason}"),
        EtcpError::Unreachable { reason, .. } => format!("无法连接平台：{reason}"),
        EtcpError::ServerFault { reason } => format!("平台故障：{reason}"),
        EtcpError::BadAnswer { reason } => format!("平台的应答无法读取：{reason}"),
        EtcpError::TokenStore { reason } => format!("令牌无法读取或保存：{reason}"),
    }
}

fn hint(lang: Lang, error: &EtcpError) -> Option<&'static str> {
    let hints = [
        (
            Code::InvalidToken,
            "用 `etcp-recon platform send-code` 与 `platform login` 重新登录",
            "sign the user in again: `etcp-recon platform send-code`, then `platform login`",
        ),
        (
            Code::BadPhone,
            "检查手机号；平台尚不认识的，先 `etcp-recon platform send-code`，再 `platform login`",
            "check the number; one that is new to the platform: `etcp-recon platform send-code`, then `platform login`",
        ),
        (Code::NoSmsCode, "1 分钟内只能获取一次；稍后再试", "one a minute for a phone; ask again in a minute"),
        (
            Code::WrongSmsCode,
            "检查验证码；用过或过期的须重新获取",
            "check the code; one that was used or is old has to be sent anew",
        ),
    ];
    let code = error.code()?;
    hints.into_iter().find(|(of, ..)| *of == code).map(|(_, zh, en)| pick(lang, zh, en))
}
