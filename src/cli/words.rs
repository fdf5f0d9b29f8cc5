//! Words that more than one command says, in both languages.

use crate::report::Lang;

/// The text of a language.
pub const fn pick<T: Copy>(lang: Lang, zh: T, en: T) -> T {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

/// What became of a bill.
pub fn bill_status(lang: Lang, name: &'static str) -> &'static str {
    match (lang, name) {
        (Lang::Zh, "imported") => "已导入",
        (Lang::Zh, "known") => "已导入过",
        (Lang::Zh, "refused") => "被拒",
        (Lang::Zh | Lang::En, name) => name,
    }
}

/// What is in a bill.
pub fn bill_counts(lang: Lang, payments: u64, refunds: u64, ignored: u64, set_aside: u64) -> String {
    match lang {
        Lang::Zh => format!("支付 {payments}，退款 {refunds}，不计 {ignored}，搁置 {set_aside}"),
        Lang::En => format!("{payments} payments, {refunds} refunds, {ignored} ignored, {set_aside} set aside"),
    }
}

/// Who decides when nobody is named.
pub fn system_user() -> String {
    whoami::fallible::username().unwrap_or_else(|_| "unknown".to_owned())
}
