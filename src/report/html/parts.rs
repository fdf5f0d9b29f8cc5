//! The pieces a page is made of: cards, tables of figures, tables of items.

use maud::{Markup, Render, html};

use super::style;
use crate::model::Total;

/// A section with a title.
pub(super) fn card(title: &str, body: impl Render) -> Markup {
    html! {
        div class="card" style=(style::CARD) {
            h2 class="ink" style=(style::H2) { (title) }
            (body)
        }
    }
}

/// A paragraph in the quieter colour.
pub(super) fn dim(text: &str) -> Markup {
    html! { p class="dim" style={ (style::P) "color:#5b6570;" } { (text) } }
}

/// One line of a table of figures.
pub(super) struct Figure {
    pub name: Markup,
    pub count: String,
    pub amount: Option<String>,
    pub strong: bool,
}

impl Figure {
    /// A line with count and sum.
    pub(super) fn total(name: Markup, total: Total, strong: bool) -> Self {
        Self { name, count: total.count.to_string(), amount: Some(total.grouped()), strong }
    }
}

/// A table with names on the left, counts and (where there are any) amounts on the right.
pub(super) fn figures(headers: [&str; 3], lines: &[Figure]) -> Markup {
    let with_amounts = lines.iter().any(|line| line.amount.is_some());
    html! {
        table style=(style::TABLE) {
            thead {
                tr {
                    th class="dim rule" style={ (style::TH) "width:100%;" } { (headers[0]) }
                    th class="dim rule" style=(style::TH_NUMBER) { (headers[1]) }
                    @if with_amounts { th class="dim rule" style=(style::TH_NUMBER) { (headers[2]) } }
                }
            }
            tbody {
                @for line in lines {
                    @let weight = if line.strong { style::STRONG } else { "" };
                    tr {
                        td class="ink rule" style={ (style::TD) (weight) } { (line.name) }
                        td class="ink rule" style={ (style::TD_NUMBER) (weight) } { (line.count) }
                        @if with_amounts {
                            td class="ink rule" style={ (style::TD_NUMBER) (weight) } { (line.amount.as_deref().unwrap_or_default()) }
                        }
                    }
                }
            }
        }
    }
}

/// A list of things, each with a story on the left and figures on the right.
pub(super) fn items(rows: &[(Markup, Markup)]) -> Markup {
    html! {
        table style=(style::TABLE) {
            tbody {
                @for (index, (story, numbers)) in rows.iter().enumerate() {
                    // The card itself ends the last one.
                    @let border = if index.saturating_add(1) == rows.len() { "border-bottom:0;" } else { "" };
                    tr {
                        td class="ink rule" style={ (style::TD) (border) } { (story) }
                        td class="ink rule" style={ (style::TD_NUMBER) (border) } { (numbers) }
                    }
                }
            }
        }
    }
}

/// A name and, small, its technical name.
pub(super) fn named(name: &str, technical: &str) -> Markup {
    html! { (name) " " span class="dim" style={ (style::SMALL) "font-weight:400;" } { (technical) } }
}
