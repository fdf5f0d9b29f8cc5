//! `[bills]` and its sources: where bills come from, and how those are written that no profile knows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::document::Section;
use super::read::required;
use super::settings::{BillSource, Bills};
use crate::bills::{
    self, Column, Delimiter, Encoding, GenericFormat, Negative, Place, Places, Profile, Role, StatusMeaning, Unit,
    UnknownStatus, column_number,
};
use crate::model::{ExternalOrderId, WallFormat};

/// What a channel's profile knows itself.
const GENERIC_KEYS: [&str; 16] = [
    "role",
    "encoding",
    "delimiter",
    "quote",
    "strip_prefix",
    "header",
    "skip_lines",
    "comment",
    "stop",
    "columns",
    "unit",
    "thousands",
    "negative",
    "time_format",
    "status",
    "unknown_status",
];

/// What is asked for where columns have no names.
const NUMBER: &str = "must be the number of a column, in quotes, the first being \"1\": the bill has no header";
const NO_HEADER: &str = "the bill has no header";

/// More lines than any title has.
const MOST_SKIPPED: u32 = 1000;

pub(super) fn bills(section: Section<'_, '_>, path: impl Fn(&str) -> PathBuf) -> Bills {
    let inbox = path(section.text("inbox").unwrap_or("inbox"));
    let mut sources: Vec<BillSource> = Vec::new();
    for part in section.sections("source") {
        let source = source(part, &sources);
        sources.push(source);
    }
    section.finish();
    if sources.is_empty() {
        sources.push(BillSource::any());
    }
    Bills { inbox, sources }
}

fn source(section: Section<'_, '_>, before: &[BillSource]) -> BillSource {
    let name = name(&section, before);
    let profile = section.choice("profile", &Profile::ALL.map(|profile| (profile.name(), profile))).unwrap_or_default();
    let glob = |text: &str| {
        globset::Glob::new(text)
            .map(|_| text.to_owned())
            .map_err(|err| format!("`{}`: {}", text.escape_debug(), err.kind()))
    };
    let generic = format(&section);
    let has_header = generic.header;
    let source = BillSource {
        files: section.parsed("files", "a glob such as \"cashier-*.csv\"", glob).unwrap_or_else(|| "*".to_owned()),
        required: section.boolean("required").unwrap_or(false),
        source: bills::BillSource {
            name,
            profile,
            id_prefix: id_prefix(&section),
            role: section.choice("role", &[("trade", Role::Trade), ("ledger", Role::Ledger)]).unwrap_or_default(),
            places: Places {
                order_id: place(&section, "order_id", has_header),
                plate: place(&section, "plate", has_header),
            },
            generic,
        },
    };
    refuse_what_the_profile_knows(&section, profile);
    section.finish();
    source
}

fn name(section: &Section<'_, '_>, before: &[BillSource]) -> String {
    let hint = "give the source a short name and keep it: it is part of its payments' identity";
    let name = required(section, "name", hint);
    if !name.is_empty() && before.iter().any(|other| other.source.name == name) {
        let message = format!("{{key}}: two sources are named \"{}\"", name.escape_debug());
        section.problem("name", &message, "each needs a name of its own");
    }
    name
}

fn id_prefix(section: &Section<'_, '_>) -> String {
    let id_prefix = section.text("id_prefix").unwrap_or_default().to_owned();
    if !id_prefix.is_empty()
        && !ExternalOrderId::new(&id_prefix).is_some_and(|id| id.is_sendable() && id.as_str() == id_prefix)
    {
        let message = format!("{{key}}: \"{}\" cannot stand in an external order id", id_prefix.escape_debug());
        section.problem(
            "id_prefix",
            &message,
            "use letters, digits, `-` and `_` only; with anything else every notification would be held",
        );
    }
    id_prefix
}

fn refuse_what_the_profile_knows(section: &Section<'_, '_>, profile: Profile) {
    if matches!(profile, Profile::Auto | Profile::Generic) {
        return;
    }
    let name = profile.name();
    for key in GENERIC_KEYS.into_iter().filter(|key| section.has(key)) {
        let message = format!("{{key}} is for profile = \"generic\"; `{name}` knows this itself");
        section.problem(key, &message, "remove it");
    }
}

/// Where in the bill a field stands: `{ column = "备注", pattern = "S\d+" }`.
fn place(section: &Section<'_, '_>, key: &'static str, has_header: bool) -> Option<Place> {
    let part = section.section(key);
    if !part.is_present() {
        return None;
    }
    let column = required(&part, "column", "name the column of the bill, as its header has it");
    if !has_header && !column.is_empty() && column_number(&column).is_none() {
        part.problem("column", &format!("{{key}} {NUMBER}; found \"{}\"", column.escape_debug()), "");
    }
    let pattern = part.parsed("pattern", "a regular expression; what its first group matches counts", str::parse);
    part.finish();
    Some(Place { column, pattern })
}

/// How a bill of the profile `generic` is written.
fn format(section: &Section<'_, '_>) -> GenericFormat {
    let or = GenericFormat::default();
    let encodings = [("auto", None), ("utf-8", Some(Encoding::Utf8)), ("gb18030", Some(Encoding::Gb18030))];
    let negatives = [("set_aside", Negative::SetAside), ("refund", Negative::Refund)];
    let unknowns =
        [("set_aside", UnknownStatus::SetAside), ("ignore", UnknownStatus::Ignore), ("refuse", UnknownStatus::Refuse)];
    let header = section.boolean("header").unwrap_or(or.header);
    let format = GenericFormat {
        encoding: section.choice("encoding", &encodings).unwrap_or(or.encoding),
        delimiter: section
            .choice("delimiter", &Delimiter::ALL.map(|delimiter| (delimiter.name(), delimiter)))
            .unwrap_or(or.delimiter),
        quote: section.boolean("quote").unwrap_or(or.quote),
        strip_prefix: section.parsed("strip_prefix", "one character, such as \"`\"", sign),
        header,
        skip_lines: section.integer("skip_lines", 0..=MOST_SKIPPED).unwrap_or(or.skip_lines),
        comment: section.parsed("comment", "one character of ASCII, such as \"#\"", ascii_sign),
        stop: section.parsed("stop", "how the row begins that ends the others, such as \"合计\"", filled),
        columns: columns(section, header),
        unit: section.choice("unit", &[("yuan", Unit::Yuan), ("fen", Unit::Fen)]).unwrap_or(or.unit),
        thousands: section.boolean("thousands").unwrap_or(or.thousands),
        negative: section.choice("negative", &negatives).unwrap_or(or.negative),
        time_format: section.parsed("time_format", "strftime, such as \"%Y%m%d%H%M%S\"", str::parse::<WallFormat>),
        status: status(&section.section("status")),
        unknown_status: section.choice("unknown_status", &unknowns).unwrap_or(or.unknown_status),
    };
    refuse_one_sign_twice(section, &format);
    format
}

/// A character that can begin a line or a value without being part of it.
fn sign(text: &str) -> Result<char, String> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control() && c != '"' => Ok(c),
        (Some(_), None) => Err(format!("`{}` may begin a value itself", text.escape_debug())),
        _ => Err(format!("`{}` is not one character", text.escape_debug())),
    }
}

fn ascii_sign(text: &str) -> Result<char, String> {
    sign(text).and_then(|c| if c.is_ascii() { Ok(c) } else { Err(format!("`{c}` is not a character of ASCII")) })
}

fn filled(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() { Err("it is empty, as every row begins") } else { Ok(text.to_owned()) }
}

/// One character cannot say two things, nor can a line that is left out end the rows.
fn refuse_one_sign_twice(section: &Section<'_, '_>, format: &GenericFormat) {
    let delimiter = char::from(format.delimiter.byte());
    if format.strip_prefix == Some(delimiter) {
        section.problem("strip_prefix", "{key} is the delimiter", "");
    }
    if format.strip_prefix.is_some() && format.quote && section.has("quote") {
        let hint = "remove one of them; after the prefix a quote is a character like any other";
        section.problem("quote", "{key}: a value that begins with what `strip_prefix` says is not in quotes", hint);
    }
    if format.comment == Some(delimiter) {
        section.problem("comment", "{key} is the delimiter", "");
    }
    if format.comment.is_some() && format.comment == format.strip_prefix {
        section.problem("comment", "{key} is what `strip_prefix` says stands before every value", "remove one of them");
    }
    if format.comment.zip(format.stop.as_deref()).is_some_and(|(comment, stop)| stop.starts_with(comment)) {
        section.problem("stop", "{key} begins like a line that `comment` leaves out", "remove one of them");
    }
}

/// `columns = { payment_id = "流水号" }`; without a header, numbers.
fn columns(section: &Section<'_, '_>, has_header: bool) -> BTreeMap<Column, String> {
    let table = section.section("columns");
    let mut columns = BTreeMap::new();
    let pairs = table.pairs();
    for (field, name, line) in &pairs {
        match column(field, name, has_header) {
            Ok(column) => {
                columns.insert(column, name.trim().to_owned());
            }
            Err(message) => table.pair_problem(*line, field, &message),
        }
    }
    for column in Column::ALL.into_iter().filter(|column| !has_header && column.is_required()) {
        if !pairs.iter().any(|(field, ..)| *field == column.name()) {
            let message = format!("{{key}} must say in which column `{}` stands: {NO_HEADER}", column.name());
            section.problem("columns", &message, "write its number in quotes, the first being \"1\"");
        }
    }
    columns
}

/// The field that a column is said to hold.
fn column(field: &str, name: &str, has_header: bool) -> Result<Column, String> {
    match Column::from_name(field) {
        Some(column) if column.has_place() => {
            Err(format!("has a key of its own: {field} = {{ column = \"{}\" }}", name.escape_debug()))
        }
        Some(_) if name.trim().is_empty() => Err("is empty: it must name a column of the bill".to_owned()),
        Some(_) if !has_header && column_number(name).is_none() => {
            Err(format!("{NUMBER}; found \"{}\"", name.escape_debug()))
        }
        Some(column) => Ok(column),
        None => {
            let known = Column::ALL.into_iter().filter(|column| !column.has_place()).map(Column::name);
            Err(format!("is no field of a bill; the fields are {}", known.collect::<Vec<_>>().join(", ")))
        }
    }
}

fn status(section: &Section<'_, '_>) -> BTreeMap<String, StatusMeaning> {
    let mut words = BTreeMap::new();
    for (word, meaning, line) in section.pairs() {
        let meaning = match meaning {
            "payment" => StatusMeaning::Payment,
            "refund" => StatusMeaning::Refund,
            "ignored" => StatusMeaning::Ignored,
            other => {
                let message =
                    format!("must be \"payment\", \"refund\" or \"ignored\"; found \"{}\"", other.escape_debug());
                section.pair_problem(line, word, &message);
                continue;
            }
        };
        words.insert(word.to_owned(), meaning);
    }
    words
}
