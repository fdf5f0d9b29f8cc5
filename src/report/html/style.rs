//! The looks, as inline styles: mail programs drop much of a style sheet. What the sheet adds is the dark scheme.

pub(in crate::report) const BODY: &str = "margin:0;padding:0;background:#f2f4f6;color:#1c2126;\
    font:15px/1.55 -apple-system,BlinkMacSystemFont,'Segoe UI','PingFang SC','Microsoft YaHei','Noto Sans CJK SC','Noto Sans SC',Arial,sans-serif;\
    -webkit-text-size-adjust:100%;";
pub(in crate::report) const PAGE: &str = "max-width:760px;margin:0 auto;padding:16px 10px 32px;";
pub(in crate::report) const CARD: &str =
    "background:#ffffff;border:1px solid #e1e5e9;border-radius:8px;padding:16px 16px 12px;margin:0 0 12px;";
pub(in crate::report) const EYEBROW: &str = "font-size:13px;color:#5b6570;";
pub(in crate::report) const HEADLINE: &str = "margin:2px 0 4px;font-size:26px;line-height:1.25;font-weight:700;";
pub(in crate::report) const LEAD: &str = "margin:4px 0 0;font-size:15px;";
pub(in crate::report) const H2: &str = "margin:0 0 6px;font-size:17px;line-height:1.35;font-weight:700;color:#1c2126;";
pub(in crate::report) const H3: &str = "margin:0;font-size:15px;line-height:1.4;font-weight:700;";
pub(in crate::report) const P: &str = "margin:0 0 8px;font-size:14px;";
pub(in crate::report) const MONO: &str =
    "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:13px;";
pub(in crate::report) const FOOTER: &str = "padding:4px 6px;font-size:12px;color:#5b6570;overflow-wrap:anywhere;";
pub(in crate::report) const TABLE: &str = "width:100%;border-collapse:collapse;font-size:14px;margin:4px 0 8px;";
pub(in crate::report) const TH: &str =
    "padding:4px 0 6px;border-bottom:1px solid #c9d0d6;font-size:12px;font-weight:400;color:#5b6570;text-align:left;";
pub(in crate::report) const TH_NUMBER: &str = "padding:4px 0 6px 12px;border-bottom:1px solid #c9d0d6;font-size:12px;font-weight:400;color:#5b6570;text-align:right;white-space:nowrap;";
pub(in crate::report) const TD: &str =
    "padding:7px 0;border-bottom:1px solid #e9ecef;vertical-align:top;text-align:left;overflow-wrap:anywhere;";
pub(in crate::report) const TD_NUMBER: &str = "padding:7px 0 7px 12px;border-bottom:1px solid #e9ecef;vertical-align:top;text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;";
pub(in crate::report) const SMALL: &str = "font-size:12px;color:#5b6570;";
pub(in crate::report) const IDS: &str = "font-size:12px;color:#5b6570;overflow-wrap:anywhere;word-break:break-word;";
pub(in crate::report) const STRONG: &str = "font-weight:700;";

/// The frame of the answer.
pub(in crate::report) fn banner(background: &str, border: &str) -> String {
    format!("background:{background};border:1px solid {border};border-radius:8px;padding:18px 16px;margin:0 0 12px;")
}

/// A small label; its words carry the meaning, the colour only helps.
pub(in crate::report) fn tag(background: &str, ink: &str) -> String {
    format!(
        "display:inline-block;background:{background};color:{ink};border-radius:4px;padding:0 6px;\
        font-size:12px;line-height:18px;font-weight:700;white-space:nowrap;"
    )
}

/// The dark scheme, for programs that follow it.
pub(in crate::report) const SHEET: &str = "\
:root{color-scheme:light dark;supported-color-schemes:light dark}\
@media (prefers-color-scheme:dark){\
body,.page{background:#14171a!important;color:#e7eaed!important}\
.card{background:#1c2024!important;border-color:#31373d!important}\
.ink{color:#e7eaed!important}\
.dim{color:#a3adb7!important}\
.rule{border-color:#31373d!important}\
.good{background:#12291d!important;border-color:#1f4a33!important}\
.warn{background:#2c2413!important;border-color:#54431c!important}\
.bad{background:#321917!important;border-color:#5e2b27!important}\
.good-ink{color:#7fd6a4!important}\
.warn-ink{color:#f0c26b!important}\
.bad-ink{color:#f39a92!important}\
.tag-new{background:#54431c!important;color:#f6d592!important}\
.tag-carried{background:#31373d!important;color:#d3d9de!important}\
.tag-resolved{background:#1f4a33!important;color:#a9e5c4!important}\
}";
