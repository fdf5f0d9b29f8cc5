//! `check --bill`: how a bill would be read.

use std::path::Path;

use serde::Serialize;

use super::App;
use super::args::CheckArgs;
use super::console::Console;
use super::exit::Exit;
use super::page::{BAD, GOOD, Grid, LOOK, Page};
use super::words::{bill_counts, pick};
use crate::bills::{BillSource, BillSummary, Profile};
use crate::config::Settings;
use crate::jobs::inbox::source_for;
use crate::jobs::preview::{Preview, PreviewRow, ReadAs, Recognised, Told, preview};
use crate::jobs::sources::claimed_sources;
use crate::report::{Lang, visible};

/// A text in a cell is shown up to here.
const CELL_CHARS: usize = 60;

/// What `--json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    schema: u32,
    file: String,
    source: &'a str,
    status: &'static str,
    reason: Option<String>,
    #[serde(flatten)]
    read: Option<Read<'a>>,
}

#[derive(Serialize)]
struct Read<'a> {
    profile: &'static str,
    packing: &'static str,
    encoding: &'static str,
    payments: u64,
    refunds: u64,
    ignored: u64,
    set_aside: u64,
    gross: String,
    received: String,
    refunded: String,
    taken_back: String,
    fee: String,
    recognised: Recognised,
    columns: &'a [String],
    rows: &'a [PreviewRow],
}

/// Reads a bill and shows what was recognised as what.
pub fn bill(app: &App, settings: Option<&Settings>, path: &Path, args: &CheckArgs) -> anyhow::Result<Exit> {
    let lang = settings.map_or_else(|| app.lang_alone(), |settings| app.lang(settings));
    let source = source(settings, path, args)?;
    let read = preview(path, &source, args.rows);
    let (status, exit) = if read.is_ok() { ("readable", Exit::Done) } else { ("refused", Exit::Partial) };
    if args.json {
        Console::print_json(&Answer {
            schema: 1,
            file: path.display().to_string(),
            source: &source.name,
            status,
            reason: read.as_ref().err().map(|error| format!("{:#}", anyhow::anyhow!(error.to_string()))),
            read: read.as_ref().ok().map(in_json),
        })?;
        return Ok(exit);
    }
    let mut page = Page::new(&app.console);
    match &read {
        Ok(read) => tell(&mut page, lang, path, &source, read),
        Err(error) => {
            page.colored(BAD, format_args!("{}: {}", path.display(), pick(lang, "被拒", "refused")));
            for line in error.to_string().lines() {
                page.line(format_args!("  {}", visible(line)));
            }
        }
    }
    Console::print(page.text())?;
    Ok(exit)
}

/// The source that an import of the file would take, or the one that was asked for.
fn source(settings: Option<&Settings>, path: &Path, args: &CheckArgs) -> anyhow::Result<BillSource> {
    let fallback = BillSource::default();
    let sources = settings.map(|settings| claimed_sources(&settings.bills)).transpose()?.unwrap_or_default();
    let mut source = match &args.source {
        None => source_for(&sources, path, &fallback).clone(),
        Some(name) => super::named_source(&sources, name)?.clone(),
    };
    if let Some(profile) = args.profile {
        source.profile = profile;
    }
    Ok(source)
}

fn in_json(read: &Preview) -> Read<'_> {
    let BillSummary { profile, packing, encoding, payments, refunds, ignored, set_aside, sums, .. } = read.summary;
    Read {
        profile: profile.name(),
        packing: packing.name(),
        encoding: encoding.name(),
        payments,
        refunds,
        ignored,
        set_aside,
        gross: sums.gross.amount(),
        received: sums.received.amount(),
        refunded: sums.refunded.amount(),
        taken_back: sums.taken_back.amount(),
        fee: sums.fee.to_string(),
        recognised: read.recognised,
        columns: &read.columns,
        rows: &read.rows,
    }
}

fn tell(page: &mut Page, lang: Lang, path: &Path, source: &BillSource, read: &Preview) {
    let BillSummary { profile, packing, encoding, payments, refunds, ignored, set_aside, .. } = read.summary;
    let counts = bill_counts(lang, payments, refunds, ignored, set_aside);
    page.colored(GOOD, format_args!("{}: {} — {counts}", path.display(), profile.name()));
    page.line(format_args!(
        "  {} {} · {} · {}{}",
        pick(lang, "来源", "source"),
        visible(&source.name),
        packing.name(),
        encoding.name(),
        days(lang, &read.summary),
    ));
    page.line(format_args!("  {}", sums(lang, &read.summary)));
    if let Some(first) = read.rows.first() {
        page.line("");
        page.line(match lang {
            Lang::Zh => format!("第 {} 行的各列：", first.line),
            Lang::En => format!("the columns, as line {} has them:", first.line),
        });
        let mut grid = Grid::new(pick(lang, &["列", "内容"], &["column", "text"]), &[]);
        for (name, cell) in read.columns.iter().zip(&first.cells) {
            grid.row([name.clone(), cut(cell)]);
        }
        page.grid(&grid);
        page.line("");
        page.line(pick(lang, "前几行识别为：", "the first rows, as they are read:"));
        page.grid(&rows(lang, &read.rows));
    }
    recognised(page, lang, source, read.recognised);
}

fn days(lang: Lang, summary: &BillSummary) -> String {
    let shown = |first, last| if first == last { format!(" · {first}") } else { format!(" · {first} – {last}") };
    match (summary.period, summary.first_date.zip(summary.last_date)) {
        (Some((first, last)), _) | (None, Some((first, last))) => shown(first, last),
        (None, None) => pick(lang, " · 无日期", " · no day").to_owned(),
    }
}

fn sums(lang: Lang, summary: &BillSummary) -> String {
    let sums = summary.sums;
    let [gross, received, refunded, taken_back] =
        [sums.gross, sums.received, sums.refunded, sums.taken_back].map(|total| total.grouped());
    let proof = match (summary.profile, lang) {
        (Profile::Generic | Profile::Auto | Profile::UnionpayZm, Lang::Zh) => "此格式无合计行可核对",
        (Profile::Generic | Profile::Auto | Profile::UnionpayZm, Lang::En) => {
            "the format has no totals to check against"
        }
        (_, Lang::Zh) => "与账单自身合计一致",
        (_, Lang::En) => "agrees with the bill's own totals",
    };
    match lang {
        Lang::Zh => format!(
            "订单金额 {gross}，实收 {received}，退款 {refunded}（扣回 {taken_back}），手续费 {}；{proof}",
            sums.fee.grouped()
        ),
        Lang::En => format!(
            "gross {gross}, received {received}, refunded {refunded} (taken back {taken_back}), fees {}; {proof}",
            sums.fee.grouped()
        ),
    }
}

fn rows(lang: Lang, rows: &[PreviewRow]) -> Grid {
    let header = pick(
        lang,
        &["行", "类型", "支付/退款号", "外部订单号", "订单号", "车牌", "金额", "手续费", "时间"],
        &["line", "kind", "payment/refund id", "external order id", "order id", "plate", "amount", "fee", "time"],
    );
    let mut grid = Grid::new(header, &[0, 6, 7]);
    for row in rows {
        let line = if row.part == 1 { row.line.to_string() } else { format!("{}:{}", row.part, row.line) };
        match &row.read {
            ReadAs::Payment(told) => told_row(&mut grid, line, pick(lang, "支付", "payment"), told),
            ReadAs::Refund(told) if told.pending => {
                told_row(&mut grid, line, pick(lang, "退款中", "refund, pending"), told);
            }
            ReadAs::Refund(told) => told_row(&mut grid, line, pick(lang, "退款", "refund"), told),
            ReadAs::Fee(told) => told_row(&mut grid, line, pick(lang, "手续费", "fee"), told),
            ReadAs::Ignored => note_row(&mut grid, line, pick(lang, "不计", "ignored"), ""),
            ReadAs::SetAside { column, reason } => {
                let column = column.as_ref().map(|column| format!("{column}: ")).unwrap_or_default();
                note_row(&mut grid, line, pick(lang, "搁置", "set aside"), &format!("{column}{reason}"));
            }
        }
    }
    grid
}

fn told_row(grid: &mut Grid, line: String, kind: &str, told: &Told) {
    let or_dash = |text: Option<&String>| text.cloned().unwrap_or_else(|| "–".to_owned());
    grid.row([
        line,
        kind.to_owned(),
        told.refund_id.clone().unwrap_or_else(|| told.payment_id.clone()),
        told.external_order_id.clone(),
        or_dash(told.order_id.as_ref()),
        or_dash(told.plate.as_ref()),
        told.amount.grouped(),
        told.fee.map(|fee| fee.to_string()).unwrap_or_default(),
        told.at.to_string(),
    ]);
}

fn note_row(grid: &mut Grid, line: String, kind: &str, note: &str) {
    let empty = String::new;
    grid.styled(LOOK, [line, kind.to_owned(), cut(note), empty(), empty(), empty(), empty(), empty(), empty()]);
}

fn recognised(page: &mut Page, lang: Lang, source: &BillSource, found: Recognised) {
    let Recognised { rows, order_ids, plates, not_sendable } = found;
    page.line("");
    let style = if order_ids == rows || plates == rows { GOOD } else { LOOK };
    page.colored(
        style,
        match lang {
            Lang::Zh => format!("{rows} 行支付与退款中，识别出订单号 {order_ids} 行，车牌 {plates} 行"),
            Lang::En => format!("of {rows} rows of payments and refunds {order_ids} name an order, {plates} a plate"),
        },
    );
    if order_ids < rows && plates < rows {
        let name = visible(&source.name);
        page.line(match lang {
            Lang::Zh => format!(
                "  在来源 {name} 中写明所在的列：order_id = {{ column = \"…\", pattern = '…' }}，plate 同样；pattern 的第一个括号即所取部分"
            ),
            Lang::En => format!(
                "  say in the source {name} in which column they stand: order_id = {{ column = \"…\", pattern = '…' }}, plate likewise; what the pattern's first group matches is taken"
            ),
        });
    }
    if not_sendable > 0 {
        page.colored(
            LOOK,
            match lang {
                Lang::Zh => format!("{not_sendable} 笔支付的外部订单号平台不接受（长于 64 或含其他字符），将待人工放行"),
                Lang::En => format!(
                    "{not_sendable} payments bear an external order id that the platform cannot take (over 64, or other characters): they are held"
                ),
            },
        );
    }
}

fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(CELL_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
