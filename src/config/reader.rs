//! The TOML of the file, read key by key: what is wrong is collected with its line, and what nobody asked for is
//! refused at the end.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Problem, Severity, quantity};

/// What stands where a number may stand, or a word for there being none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberOrWord {
    Number(u64),
    Word,
}

/// The file that is read, and what was found in it so far.
pub(super) struct Document<'a> {
    file: &'a Path,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
    lines: RefCell<BTreeMap<String, usize>>,
}

impl<'a> Document<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        Self {
            file,
            text,
            problems: RefCell::default(),
            lines: RefCell::default(),
        }
    }

    /// The table at the top; none where the text is no TOML at all.
    pub(super) fn top(&self) -> Option<Section<'_>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let line = error.span().map(|span| self.line_at(span.start));
            self.wrong(
                line,
                error.message(),
                "see https://toml.io for how the file is written",
            );
        }
        errors.is_empty().then(|| Section {
            document: self,
            path: String::new(),
            line: None,
            table: table.into_inner(),
            asked: Vec::new(),
        })
    }

    pub(super) fn wrong(&self, line: Option<usize>, what: impl Display, remedy: impl Display) {
        self.problems.borrow_mut().push(Problem {
            file: self.file.to_owned(),
            line,
            severity: Severity::Error,
            what: what.to_string(),
            remedy: remedy.to_string(),
        });
    }

    pub(super) fn into_found(self) -> (Vec<Problem>, BTreeMap<String, usize>) {
        (self.problems.into_inner(), self.lines.into_inner())
    }

    /// A path of the file: one that is not absolute starts at the file's folder.
    fn resolve(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    fn line_at(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        before.split(|byte| *byte == b'\n').count()
    }
}

/// One table of the file. Each method takes a key out of it; a wrong value is told and then as good as absent.
pub(super) struct Section<'d> {
    document: &'d Document<'d>,
    path: String,
    line: Option<usize>,
    table: DeTable<'d>,
    asked: Vec<&'static str>,
}

impl<'d> Section<'d> {
    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'d>>> {
        self.asked.push(key);
        let value = self.table.remove(key)?;
        let line = self.document.line_at(value.span().start);
        self.document.lines.borrow_mut().insert(self.full(key), line);
        Some(value)
    }

    fn full(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Tells that the value of `key` is wrong.
    pub(super) fn wrong(&self, key: &str, what: impl Display, remedy: impl Display) {
        let line = self
            .document
            .lines
            .borrow()
            .get(&self.full(key))
            .copied()
            .or(self.line);
        self.document
            .wrong(line, format!("`{}` {what}", self.full(key)), remedy);
    }

    /// Tells that `key` has to be there; the line is that of the section.
    pub(super) fn missing(&self, key: &str, remedy: impl Display) {
        self.wrong(key, "is missing", remedy);
    }

    pub(super) fn string(&mut self, key: &'static str) -> Option<String> {
        match self.take(key)?.into_inner() {
            DeValue::String(text) if !text.is_empty() => Some(text.into_owned()),
            DeValue::String(_) => self.refuse(key, "is empty", "write a value, or remove the line"),
            other => self.refuse_type(key, &other, "a text in quotation marks"),
        }
    }

    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.string(key).map(|path| self.document.resolve(&path))
    }

    /// The path of what lies beside the file unless it says otherwise.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.document.resolve(name)
    }

    pub(super) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        match self.take(key)?.into_inner() {
            DeValue::Boolean(value) => Some(value),
            other => self.refuse_type(key, &other, "true or false"),
        }
    }

    pub(super) fn integer(&mut self, key: &'static str, range: &RangeInclusive<u64>) -> Option<u64> {
        match self.take(key)?.into_inner() {
            DeValue::Integer(number) => {
                let value = u64::from_str_radix(number.as_str(), number.radix()).ok();
                match value.filter(|value| range.contains(value)) {
                    Some(value) => Some(value),
                    None => self.refuse(
                        key,
                        &format!("is {number}"),
                        &format!("write a number from {} to {}", range.start(), range.end()),
                    ),
                }
            }
            other => self.refuse_type(key, &other, "a whole number"),
        }
    }

    /// A number, or the one word that stands for none.
    pub(super) fn number_or_word(
        &mut self,
        key: &'static str,
        range: &RangeInclusive<u64>,
        word: &str,
    ) -> Option<NumberOrWord> {
        let remedy = format!(
            "write a number from {} to {}, or \"{word}\"",
            range.start(),
            range.end()
        );
        match self.take(key)?.into_inner() {
            DeValue::String(text) if text == word => Some(NumberOrWord::Word),
            DeValue::String(text) => self.refuse(key, &format!("is {text:?}"), &remedy),
            DeValue::Integer(number) => {
                let value = u64::from_str_radix(number.as_str(), number.radix()).ok();
                match value.filter(|value| range.contains(value)) {
                    Some(value) => Some(NumberOrWord::Number(value)),
                    None => self.refuse(key, &format!("is {number}"), &remedy),
                }
            }
            other => self.refuse_type(key, &other, &format!("a whole number or \"{word}\"")),
        }
    }

    pub(super) fn duration(
        &mut self,
        key: &'static str,
        range: &RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let text = self.string(key)?;
        match quantity::duration(&text).filter(|value| range.contains(value)) {
            Some(value) => Some(value),
            None => self.refuse(
                key,
                &format!("is {text:?}"),
                &format!(
                    "write a time from {} to {} with its unit (ms, s, m, h, d), such as \"15m\"",
                    quantity::show_duration(*range.start()),
                    quantity::show_duration(*range.end())
                ),
            ),
        }
    }

    pub(super) fn size(&mut self, key: &'static str, range: &RangeInclusive<u64>) -> Option<u64> {
        let text = self.string(key)?;
        match quantity::size(&text).filter(|value| range.contains(value)) {
            Some(value) => Some(value),
            None => self.refuse(
                key,
                &format!("is {text:?}"),
                &format!(
                    "write a size from {} to {} with its unit (B, KiB, MiB, GiB), such as \"1 MiB\"",
                    quantity::show_size(*range.start()),
                    quantity::show_size(*range.end())
                ),
            ),
        }
    }

    /// One of the words of `choices`.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.string(key)?;
        let found = choices.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let names: Vec<_> = choices.iter().map(|(name, _)| format!("{name:?}")).collect();
            self.wrong(
                key,
                format!("is {text:?}"),
                format!("write one of {}", names.join(", ")),
            );
        }
        found.map(|(_, value)| *value)
    }

    pub(super) fn strings(&mut self, key: &'static str) -> Option<Vec<String>> {
        match self.take(key)?.into_inner() {
            DeValue::Array(items) => {
                let mut texts = Vec::new();
                for item in items {
                    match item.into_inner() {
                        DeValue::String(text) => texts.push(text.into_owned()),
                        other => return self.refuse_type(key, &other, "a list of texts"),
                    }
                }
                Some(texts)
            }
            other => self.refuse_type(key, &other, "a list of texts"),
        }
    }

    /// Whether the file has `key`, right or wrong.
    pub(super) fn was_given(&self, key: &str) -> bool {
        self.document.lines.borrow().contains_key(&self.full(key))
    }

    /// A table whose keys are the operator's own, each with a text.
    pub(super) fn pairs(&mut self, key: &'static str) -> Option<Vec<(String, String)>> {
        match self.take(key)?.into_inner() {
            DeValue::Table(table) => {
                let mut pairs = Vec::new();
                for (name, value) in table {
                    match value.into_inner() {
                        DeValue::String(text) => {
                            pairs.push((name.into_inner().into_owned(), text.into_owned()));
                        }
                        other => return self.refuse_type(key, &other, "a table of texts"),
                    }
                }
                Some(pairs)
            }
            other => self.refuse_type(
                key,
                &other,
                "a table, such as { SOFTHSM2_CONF = \"/etc/softhsm2.conf\" }",
            ),
        }
    }

    /// A table below this one; an empty one where it is absent.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'d> {
        let path = self.full(key);
        let mut line = self.line;
        let table = match self.take(key) {
            None => DeTable::new(),
            Some(value) => {
                line = Some(self.document.line_at(value.span().start));
                match value.into_inner() {
                    DeValue::Table(table) => table,
                    other => self
                        .refuse_type(key, &other, &format!("a section [{path}]"))
                        .unwrap_or_default(),
                }
            }
        };
        Section {
            document: self.document,
            path,
            line,
            table,
            asked: Vec::new(),
        }
    }

    /// The tables of `[[key]]`.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'d>> {
        let mut sections = Vec::new();
        let items = match self.take(key).map(Spanned::into_inner) {
            None => return sections,
            Some(DeValue::Array(items)) => items,
            Some(other) => {
                let _: Option<()> =
                    self.refuse_type(key, &other, &format!("sections that begin with [[{key}]]"));
                return sections;
            }
        };
        for (index, item) in items.into_iter().enumerate() {
            let line = self.document.line_at(item.span().start);
            match item.into_inner() {
                DeValue::Table(table) => sections.push(Section {
                    document: self.document,
                    path: format!("{}[{index}]", self.full(key)),
                    line: Some(line),
                    table,
                    asked: Vec::new(),
                }),
                other => {
                    let _: Option<()> =
                        self.refuse_type(key, &other, &format!("sections that begin with [[{key}]]"));
                }
            }
        }
        sections
    }

    /// Refuses what is left: keys that nobody asked for.
    pub(super) fn finish(self) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            let line = self.document.line_at(key.span().start);
            let place = if self.path.is_empty() {
                "at the top".into()
            } else {
                format!("in [{}]", self.path)
            };
            let remedy = match nearest(name, &self.asked) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("what is known {place}: {}", self.asked.join(", ")),
            };
            self.document.wrong(
                Some(line),
                format!("the key `{name}` {place} is not known"),
                remedy,
            );
        }
    }

    fn refuse<T>(&self, key: &str, what: &str, remedy: &str) -> Option<T> {
        self.wrong(key, what, remedy);
        None
    }

    fn refuse_type<T>(&self, key: &str, found: &DeValue<'_>, wanted: &str) -> Option<T> {
        self.refuse(
            key,
            &format!("is of the type {}", found.type_str()),
            &format!("write {wanted}"),
        )
    }
}

/// The known key that a mistyped one most likely stands for.
fn nearest<'k>(typed: &str, known: &[&'k str]) -> Option<&'k str> {
    let (distance, key) = known.iter().map(|key| (edits(typed, key), *key)).min()?;
    (distance <= 2 && distance < key.len()).then_some(key)
}

/// How many characters have to be put in, taken out or replaced to turn one text into the other (Levenshtein).
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.chars().count()]
}
