//! The list of exceptions for people: the longer one is open, the louder.

use anstyle::Style;

use super::Listed;
use crate::cli::page::{BAD, Grid, LOOK};
use crate::cli::words::pick;
use crate::report::Lang;

/// From so many days on, an open exception is red.
const OLD_DAYS: i64 = 7;

/// The table, a row each.
pub(super) fn grid(lang: Lang, listed: &[Listed<'_>]) -> Grid {
    let header = match lang {
        Lang::Zh => {
            ["编号", "差异", "状态", "对账日", "支付流水", "订单", "车牌", "已付", "应付", "差额", "天数", "备注"]
        }
        Lang::En => {
            ["id", "kind", "status", "date", "payment", "order", "plate", "paid", "due", "difference", "days", "note"]
        }
    };
    let mut grid = Grid::new(&header, &[0, 7, 8, 9, 10]);
    for one in listed {
        grid.styled(style(one), cells(lang, one));
    }
    grid
}

fn style(one: &Listed<'_>) -> Style {
    match one.status {
        "open" if one.age_days >= OLD_DAYS => BAD,
        "open" => LOOK,
        _ => Style::new(),
    }
}

fn cells(lang: Lang, one: &Listed<'_>) -> [String; 12] {
    let text = |text: Option<&str>| text.unwrap_or("").to_owned();
    [
        one.id.to_string(),
        pick(lang, lang.kind(one.kind), one.kind).to_owned(),
        status(lang, one.status).to_owned(),
        one.date.to_string(),
        text(one.payment_id),
        text(one.order_id),
        text(one.plate),
        one.paid.grouped(),
        one.due.grouped(),
        one.difference.grouped(),
        one.age_days.to_string(),
        text(one.note),
    ]
}

/// `open` and `resolved` in the language.
pub(super) const fn status(lang: Lang, name: &'static str) -> &'static str {
    match (lang, name.as_bytes()) {
        (Lang::Zh, b"open") => "未处理",
        (Lang::Zh, _) => "已解决",
        (Lang::En, _) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Amount, Difference, Timestamp};

    #[test]
    fn an_open_one_is_yellow_and_from_a_week_on_red_and_a_resolved_one_is_quiet() {
        let of = |status, age_days| Listed {
            id: 1,
            kind: "ambiguous",
            status,
            date: "2026-11-22".parse().unwrap(),
            payment_id: None,
            order_id: None,
            plate: None,
            paid: Difference::ZERO,
            due: Amount::ZERO,
            difference: Difference::ZERO,
            first_seen: Timestamp::from_unix(0),
            last_seen: Timestamp::from_unix(0),
            age_days,
            note: None,
        };
        let styles =
            [("open", 0), ("open", 6), ("open", 7), ("resolved", 90)].map(|(status, age)| style(&of(status, age)));
        assert_eq!(styles, [LOOK, LOOK, BAD, Style::new()]);
    }
}
