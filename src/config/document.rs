//! A TOML document that is read section by section and remembers what was asked for.
//!
//! Reading never stops: what is wrong is noted with its line and the reader carries on, so that a
//! person sees all mistakes at once. The keys that were asked for are the schema; any other key in
//! the file is unknown, which no list kept by hand could get wrong.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use secrecy::SecretString;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Origin, Problem};
use crate::model::{Amount, BusinessDate};

/// Keys whose values are never shown: secrets, and addresses that may carry one.
const HIDDEN_KEYS: [&str; 6] = ["merchant_key", "password", "url", "base_url", "ping_url", "smtp"];

/// The text, what was found wrong in it, and which keys exist.
pub(super) struct Document<'t> {
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
    known: RefCell<Vec<String>>,
    unknown: RefCell<Vec<Unknown>>,
}

/// A key that nobody asked for.
struct Unknown {
    section: String,
    key: String,
    line: usize,
    is_section: bool,
    siblings: Vec<&'static str>,
}

/// One table of the document, or its absence: then every key is absent too.
pub(super) struct Section<'d, 't> {
    document: &'d Document<'t>,
    path: String,
    table: Option<&'d DeTable<'t>>,
    line: Option<usize>,
    known: RefCell<Vec<&'static str>>,
}

/// The line, from 1, in which the byte at `offset` stands.
pub(super) fn line_of(text: &[u8], offset: usize) -> usize {
    text.iter().take(offset).filter(|byte| **byte == b'\n').count().saturating_add(1)
}

impl<'t> Document<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let (problems, known, unknown) = Default::default();
        Self { text, problems, known, unknown }
    }

    /// The text as a table; broken TOML is noted and gives nothing.
    pub(super) fn table(&self) -> Option<DeTable<'t>> {
        match DeTable::parse(self.text) {
            Ok(table) => Some(table.into_inner()),
            Err(err) => {
                // The error's own rendering quotes the line, in which a secret may stand.
                let line = err.span().map(|span| self.line(span.start));
                let message = format!("this is not TOML: {}", err.message());
                let hint = Some("text values stand in quotes, and no key or section may occur twice".to_owned());
                self.note(Problem { origin: Origin::File { line }, key: String::new(), message, hint });
                None
            }
        }
    }

    pub(super) fn root<'d>(&'d self, table: &'d DeTable<'t>) -> Section<'d, 't> {
        Section { document: self, path: String::new(), table: Some(table), line: None, known: RefCell::default() }
    }

    pub(super) fn note(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    fn line(&self, offset: usize) -> usize {
        line_of(self.text.as_bytes(), offset)
    }

    /// Every key that was asked for, with its sections.
    #[cfg(test)]
    pub(super) fn known(&self) -> Vec<String> {
        self.known.borrow().clone()
    }

    /// All that is wrong, in the order of the file.
    pub(super) fn finish(self) -> Vec<Problem> {
        let known = self.known.take();
        let mut problems = self.problems.take();
        problems.extend(self.unknown.take().into_iter().map(|unknown| unknown.problem(&known)));
        problems.sort_by_key(|problem| match problem.origin {
            Origin::File { line } => line.unwrap_or(usize::MAX),
            Origin::Environment => usize::MAX,
        });
        problems
    }
}

impl Unknown {
    fn problem(self, known: &[String]) -> Problem {
        let path = join(&self.section, &self.key).escape_debug().to_string();
        let message =
            if self.is_section { format!("unknown section [{path}]") } else { format!("unknown key `{path}`") };
        let hint = self.hint(known);
        Problem { origin: Origin::File { line: Some(self.line) }, key: path, message, hint: Some(hint) }
    }

    /// The nearest key of the same section, else the section in which a key of that name exists.
    fn hint(&self, known: &[String]) -> String {
        if let Some(near) = nearest(&self.key, self.siblings.iter().copied()) {
            return if self.is_section {
                format!("did you mean [{}]?", join(&self.section, near))
            } else {
                format!("did you mean `{}`?", join(&self.section, near))
            };
        }
        let elsewhere = known.iter().find_map(|path| path.rsplit_once('.').filter(|(_, key)| *key == self.key));
        match elsewhere {
            Some((section, key)) => format!("`{key}` belongs into [{section}]"),
            None if self.section.is_empty() => format!("the sections are {}", self.siblings.join(", ")),
            None => format!("[{}] has {}", self.section, self.siblings.join(", ")),
        }
    }
}

/// The candidate that `word` was most likely meant to be. Words of one or two letters are all near to each other.
fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .filter(|candidate| candidate.chars().count() > 2)
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| distance.saturating_mul(3) <= candidate.chars().count().max(4))
        .min()
        .map(|(_, candidate)| candidate)
}

fn join(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

/// How a value of this kind is called in a message.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true/false",
        DeValue::Datetime(_) => "a date without quotes",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

impl<'d, 't> Section<'d, 't> {
    /// Whether the section stands in the file.
    pub(super) fn is_present(&self) -> bool {
        self.table.is_some()
    }

    fn find(&self, key: &'static str) -> Option<&'d Spanned<DeValue<'t>>> {
        let mut known = self.known.borrow_mut();
        if !known.contains(&key) {
            known.push(key);
            self.document.known.borrow_mut().push(join(&self.path, key));
        }
        self.table?.get(key)
    }

    /// Whether `key` is given, whatever its value.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.find(key).is_some()
    }

    /// `key` with its sections.
    pub(super) fn name(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// The line of `key`, else of the section.
    pub(super) fn line(&self, key: &'static str) -> Option<usize> {
        self.find(key).map(|value| self.document.line(value.span().start)).or(self.line)
    }

    /// Notes that something is wrong with `key`. `{key}` in `message` stands for its full name.
    pub(super) fn problem(&self, key: &'static str, message: &str, hint: &str) {
        let path = join(&self.path, key);
        let message = message.replace("{key}", &format!("`{path}`"));
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        self.document.note(Problem { origin: Origin::File { line: self.line(key) }, key: path, message, hint });
    }

    /// Notes that `key`, or the whole section, is missing.
    pub(super) fn missing(&self, key: &'static str, hint: &str) {
        if self.is_present() {
            self.problem(key, "{key} is missing", hint);
        } else {
            let message = format!("{{key}} is missing: there is no section [{}]", self.path);
            self.problem(key, &message, hint);
        }
    }

    /// The value as it stands in the file, short enough for a message; nothing of a secret.
    fn shown(&self, key: &'static str, value: &Spanned<DeValue<'_>>) -> String {
        if HIDDEN_KEYS.contains(&key) {
            return String::new();
        }
        let raw = self.document.text.get(value.span()).unwrap_or_default();
        let line = raw.lines().next().unwrap_or_default();
        let cut: String = line.chars().take(60).collect();
        format!(": {cut}{}", if cut.len() < raw.len() { "…" } else { "" })
    }

    fn wrong_type(&self, key: &'static str, value: &Spanned<DeValue<'_>>, expected: &str, hint: &str) {
        let found = format!("found {}{}", kind(value.get_ref()), self.shown(key, value));
        self.problem(key, &format!("{{key}} must be {expected}; {found}"), hint);
    }

    /// A text.
    pub(super) fn text(&self, key: &'static str) -> Option<&'d str> {
        let hint = match self.find(key).map(|value| (value.get_ref(), self.document.text.get(value.span()))) {
            Some((DeValue::Integer(_), Some(raw))) if !HIDDEN_KEYS.contains(&key) => {
                format!("put it in quotes: {key} = \"{raw}\"")
            }
            _ => String::new(),
        };
        self.text_as(key, "text in quotes", &hint)
    }

    fn text_as(&self, key: &'static str, expected: &str, hint: &str) -> Option<&'d str> {
        let value = self.find(key)?;
        if value.get_ref().as_str().is_none() {
            self.wrong_type(key, value, expected, hint);
        }
        value.get_ref().as_str()
    }

    /// A text that is a secret; its value is in no message.
    pub(super) fn secret(&self, key: &'static str) -> Option<SecretString> {
        debug_assert!(HIDDEN_KEYS.contains(&key), "a secret's key must be hidden");
        self.text(key).map(SecretString::from)
    }

    /// A text that `parse` understands; `expected` says what it looks like.
    pub(super) fn parsed<T, E: Display>(
        &self,
        key: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text_as(key, expected, "")?;
        parse(text).map_err(|err| self.problem(key, &format!("{{key}}: {err}"), &format!("it must be {expected}"))).ok()
    }

    /// A duration such as `"30m"`.
    pub(super) fn duration(&self, key: &'static str) -> Option<Duration> {
        let expected = "a duration in quotes, such as \"10s\", \"30m\" or \"4h\"";
        let hint = match self.find(key).map(Spanned::get_ref) {
            Some(DeValue::Integer(number)) => format!("write it with its unit: {key} = \"{}s\"", number.as_str()),
            _ => String::new(),
        };
        let text = self.text_as(key, expected, &hint)?;
        let parsed = humantime::parse_duration(text);
        if let Err(err) = &parsed {
            let message = format!("{{key}}: `{}` is no duration: {err}", text.escape_debug());
            self.problem(key, &message, &format!("it must be {expected}"));
        }
        parsed.ok()
    }

    /// A duration longer than nothing.
    pub(super) fn positive_duration(&self, key: &'static str) -> Option<Duration> {
        let duration = self.duration(key)?;
        if duration.is_zero() {
            self.problem(key, "{key} may not be zero", "");
        }
        Some(duration)
    }

    /// An amount such as `"5000.00"`; a TOML number would have gone through a binary float.
    pub(super) fn amount(&self, key: &'static str) -> Option<Amount> {
        let expected = "an amount in quotes, such as \"5000.00\"";
        let hint = match self.find(key).map(|value| (value.get_ref(), self.document.text.get(value.span()))) {
            Some((DeValue::Integer(_) | DeValue::Float(_), Some(raw))) => {
                format!("write it as text: {key} = \"{raw}\"")
            }
            _ => String::new(),
        };
        let text = self.text_as(key, expected, &hint)?;
        let wrong = |err| self.problem(key, &format!("{{key}}: {err}"), &format!("it must be {expected}"));
        text.parse().map_err(wrong).ok()
    }

    /// A day, with or without quotes.
    pub(super) fn date(&self, key: &'static str) -> Option<BusinessDate> {
        let value = self.find(key)?;
        let text = match value.get_ref() {
            DeValue::Datetime(date) => date.to_string(),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => self.text_as(key, "a day such as \"2026-11-22\"", "")?.to_owned(),
        };
        text.parse().map_err(|err| self.problem(key, &format!("{{key}}: {err}"), "")).ok()
    }

    /// A whole number within `range`.
    pub(super) fn integer<T: TryFrom<i64> + PartialOrd + Display>(
        &self,
        key: &'static str,
        range: RangeInclusive<T>,
    ) -> Option<T> {
        let value = self.find(key)?;
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let DeValue::Integer(number) = value.get_ref() else {
            self.wrong_type(key, value, &expected, "");
            return None;
        };
        let number =
            i64::from_str_radix(number.as_str(), number.radix()).ok().and_then(|number| T::try_from(number).ok());
        let within = number.filter(|number| range.contains(number));
        if within.is_none() {
            self.problem(
                key,
                &format!("{{key}} must be {expected}; found{}", self.shown(key, value).replacen(':', "", 1)),
                "",
            );
        }
        within
    }

    /// True or false.
    pub(super) fn boolean(&self, key: &'static str) -> Option<bool> {
        let value = self.find(key)?;
        if value.get_ref().as_bool().is_none() {
            self.wrong_type(key, value, "true or false, without quotes", "");
        }
        value.get_ref().as_bool()
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let words = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let text = self.text_as(key, &format!("one of {words}"), "")?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if found.is_none() {
            let near = nearest(text, choices.iter().map(|(word, _)| *word));
            let hint = near.map(|near| format!("did you mean \"{near}\"?")).unwrap_or_default();
            self.problem(key, &format!("{{key}} must be one of {words}; found \"{}\"", text.escape_debug()), &hint);
        }
        found
    }

    /// A text or a list of texts.
    pub(super) fn texts(&self, key: &'static str) -> Vec<&'d str> {
        let Some(value) = self.find(key) else { return Vec::new() };
        let texts = match value.get_ref() {
            DeValue::String(text) => Some(vec![text.as_ref()]),
            DeValue::Array(list) => list.iter().map(|item| item.get_ref().as_str()).collect(),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Table(_) => None,
        };
        texts.unwrap_or_else(|| {
            self.wrong_type(key, value, "text in quotes, or a list of such texts", "");
            Vec::new()
        })
    }

    /// The section `key`; absent when the file has none.
    pub(super) fn section(&self, key: &'static str) -> Section<'d, 't> {
        let value = self.find(key);
        let table = value.and_then(|value| value.get_ref().as_table());
        if let (Some(value), None) = (value, table) {
            let section = join(&self.path, key);
            self.wrong_type(key, value, &format!("a section [{section}]"), "");
        }
        Section {
            document: self.document,
            path: join(&self.path, key),
            table,
            line: table.and(self.line(key)),
            known: RefCell::default(),
        }
    }

    /// The sections `[[key]]`.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Section<'d, 't>> {
        let Some(value) = self.find(key) else { return Vec::new() };
        let path = join(&self.path, key);
        let tables = value.get_ref().as_array().and_then(|list| {
            list.iter().map(|item| item.get_ref().as_table().map(|table| (item, table))).collect::<Option<Vec<_>>>()
        });
        let Some(tables) = tables else {
            self.wrong_type(
                key,
                value,
                &format!("a list of sections [[{path}]]"),
                &format!("write [[{path}]] with two brackets"),
            );
            return Vec::new();
        };
        let section = |(item, table): (&Spanned<DeValue<'_>>, &'d DeTable<'t>)| Section {
            document: self.document,
            path: path.clone(),
            table: Some(table),
            line: Some(self.document.line(item.span().start)),
            known: RefCell::default(),
        };
        tables.into_iter().map(section).collect()
    }

    /// All pairs of a section whose keys are free.
    pub(super) fn pairs(&self) -> Vec<(&'d str, &'d str, usize)> {
        let mut pairs = Vec::new();
        for (key, value) in self.table.into_iter().flatten() {
            let line = self.document.line(key.span().start);
            match value.get_ref().as_str() {
                Some(text) => pairs.push((key.get_ref().as_ref(), text, line)),
                None => self.pair_problem(
                    line,
                    key.get_ref(),
                    &format!("must be text in quotes; found {}", kind(value.get_ref())),
                ),
            }
        }
        pairs
    }

    /// Notes what is wrong with one pair of a section whose keys are free.
    pub(super) fn pair_problem(&self, line: usize, key: &str, message: &str) {
        let path = format!("{}.{key}", self.path);
        let message = format!("`{path}` {message}");
        self.document.note(Problem { origin: Origin::File { line: Some(line) }, key: path, message, hint: None });
    }

    /// Ends the reading of this section: any key that was not asked for is unknown.
    pub(super) fn finish(self) {
        let siblings = self.known.take();
        for (key, value) in self.table.into_iter().flatten() {
            if siblings.contains(&key.get_ref().as_ref()) {
                continue;
            }
            self.document.unknown.borrow_mut().push(Unknown {
                section: self.path.clone(),
                key: key.get_ref().to_string(),
                line: self.document.line(key.span().start),
                is_section: value.get_ref().is_table(),
                siblings: siblings.clone(),
            });
        }
    }
}
