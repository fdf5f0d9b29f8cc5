//! Columns of a channel's bill, found by their names: both large channels have moved, added and renamed columns.

use std::ops::Range;

use super::{BillError, shortened};

/// Characters of a column's name that are shown.
pub(super) const MAX_NAME: usize = 100;

/// The header of a table.
pub(super) struct Header {
    names: Vec<String>,
    folded: Vec<String>,
    line: u64,
}

/// A name as it is compared: brackets and signs in half width, no blanks.
pub(super) fn folded(name: &str) -> String {
    let half = |c| match c {
        '（' => '(',
        '）' => ')',
        '＋' => '+',
        '－' => '-',
        '／' => '/',
        other => other,
    };
    name.chars().filter(|c| !c.is_whitespace() && *c != '\u{feff}').map(half).collect()
}

impl Header {
    pub(super) fn new(names: impl Iterator<Item = impl AsRef<str>>, line: u64) -> Self {
        let (mut shown, mut compared) = (Vec::new(), Vec::new());
        for name in names {
            compared.push(folded(name.as_ref()));
            shown.push(shortened(name.as_ref().trim(), MAX_NAME));
        }
        Self { names: shown, folded: compared, line }
    }

    /// The names as they stand in the bill, trimmed and fit to be shown.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Where the first of `aliases` stands that the header has.
    pub(super) fn find(&self, aliases: &[&str]) -> Option<usize> {
        aliases.iter().find_map(|alias| {
            let wanted = folded(alias);
            self.folded.iter().position(|name| *name == wanted)
        })
    }

    /// [`Header::find`], for a column that no bill of the format is without.
    ///
    /// # Errors
    /// When none of `aliases` is there, or one of them twice.
    pub(super) fn require(&self, aliases: &[&str]) -> Result<usize, BillError> {
        let column = aliases.first().copied().unwrap_or_default();
        let at = self.find(aliases).ok_or_else(|| BillError::ColumnMissing {
            line: self.line,
            column: column.to_owned(),
            found: shortened(&self.names.join(","), 300),
            hint: "download the bill with all its columns; what was edited by hand is not read".to_owned(),
        })?;
        let name = self.folded.get(at);
        if self.folded.iter().filter(|other| Some(*other) == name).count() > 1 {
            return Err(BillError::ColumnTwice { line: self.line, column: self.name(at).to_owned() });
        }
        Ok(at)
    }

    pub(super) fn name(&self, at: usize) -> &str {
        self.names.get(at).map(String::as_str).unwrap_or_default()
    }

    /// Where the column is that a config calls `name`.
    ///
    /// # Errors
    /// When the bill has none of that name.
    pub(super) fn configured(&self, name: &str, field: &'static str) -> Result<usize, BillError> {
        self.find(&[name]).ok_or_else(|| BillError::ColumnMissing {
            line: self.line,
            column: name.to_owned(),
            found: shortened(&self.names.join(","), 300),
            hint: format!("say in the source's `{field}` in which of these columns it stands"),
        })
    }
}

/// The fields of one row, each a part of its line.
#[derive(Default)]
pub(super) struct Fields {
    ranges: Vec<Range<usize>>,
}

impl Fields {
    /// Splits a line; what was there is gone.
    pub(super) fn split(&mut self, line: &str, delimiter: &str) {
        self.ranges.clear();
        let mut start: usize = 0;
        if let Some((first, others)) = delimiter.as_bytes().split_first() {
            // Fields have ten bytes: a search for more than one byte takes longer to begin than to find.
            for at in memchr::memchr_iter(*first, line.as_bytes()) {
                let behind = line.as_bytes().get(at.saturating_add(1)..).unwrap_or_default();
                if at >= start && (others.is_empty() || behind.starts_with(others)) {
                    self.ranges.push(start..at);
                    start = at.saturating_add(delimiter.len());
                }
            }
        }
        self.ranges.push(start..line.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Makes one field of those from `from` up to and with `to`.
    pub(super) fn join(&mut self, from: usize, to: usize) {
        let (Some(first), Some(last)) = (self.ranges.get(from), self.ranges.get(to)) else { return };
        let joined = first.start..last.end;
        self.ranges.splice(from..=to, [joined]);
    }

    /// The field at `at`, trimmed: channels put TABs behind ids so that Excel leaves them alone.
    pub(super) fn get<'a>(&self, line: &'a str, at: usize) -> &'a str {
        self.ranges.get(at).and_then(|range| line.get(range.clone())).unwrap_or_default().trim()
    }

    /// All fields, trimmed.
    pub(super) fn all<'a>(&self, line: &'a str) -> Vec<&'a str> {
        (0..self.len()).map(|at| self.get(line, at)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_full_or_half_width_and_by_older_names() {
        let header = Header::new("\u{feff}订单金额（元）, 商户订单号 ,退款批次号".split(','), 5);
        assert_eq!(header.find(&["订单金额(元)"]), Some(0));
        assert_eq!(header.require(&["退款批次号/请求号", "退款批次号"]).unwrap(), 2);
        assert_eq!(header.find(&["商户单号"]), None);
        let error = header.require(&["服务费（元）"]).unwrap_err().to_string();
        assert!(error.contains("line 5") && error.contains("服务费（元）"), "{error}");
        assert!(matches!(Header::new(["a", "a"].iter(), 1).require(&["a"]), Err(BillError::ColumnTwice { .. })));
    }

    #[test]
    fn a_line_is_split_as_the_standard_library_does() {
        for line in ["", ",", ",,", "a", "a,", ",`", "1,2,`3,`,`4,", "停,车,`费", ",`,`", ",,`,"] {
            for delimiter in [",", ",`", "\u{1f}"] {
                let mut fields = Fields::default();
                fields.split(line, delimiter);
                let expected: Vec<&str> = line.split(delimiter).map(str::trim).collect();
                assert_eq!(fields.all(line), expected, "{line:?} at {delimiter:?}");
            }
        }
    }

    #[test]
    fn fields_are_parts_of_the_line_and_can_be_joined() {
        let line = "1\t,停车,2小时,10.00";
        let mut fields = Fields::default();
        fields.split(line, ",");
        assert_eq!(fields.all(line), ["1", "停车", "2小时", "10.00"]);
        fields.join(1, 2);
        assert_eq!(fields.all(line), ["1", "停车,2小时", "10.00"]);
        assert_eq!((fields.len(), fields.get(line, 9)), (3, ""));
    }
}
