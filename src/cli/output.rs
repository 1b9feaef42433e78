//! What a command prints: data on stdout as a table or as JSON, words on stderr.
//!
//! Text that came from a client or an administrator is printed with its control characters escaped, so
//! that a virtual machine's name cannot move the cursor of the operator's terminal.

use std::fmt::Display;
use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::exit::{Exit, Failure};
use crate::admin::api::List;

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for a person.
    Table,
    /// One JSON document for a program.
    Json,
}

/// Where a command's data and words go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    format: Format,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self { format }
    }

    /// Whether a program reads it.
    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// Prints `value` as JSON, or what `table` makes of it.
    pub(crate) fn data<T: Serialize>(
        self,
        value: &T,
        table: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let text = match self.format {
            Format::Table => table(value),
            Format::Json => serde_json::to_string_pretty(value)
                .map_err(|error| Failure::new(format!("the answer cannot be written as JSON: {error}")))?,
        };
        print(&text)
    }

    /// Prints `value` as one line of JSON, or the line that `text` makes of it.
    pub(crate) fn line<T: Serialize>(
        self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let line = match self.format {
            Format::Table => printable(&text(value)),
            Format::Json => serde_json::to_string(value)
                .map_err(|error| Failure::new(format!("the answer cannot be written as JSON: {error}")))?,
        };
        print(&line)
    }

    /// Prints the items of a list; warns of those that the server left out because their rows were changed.
    pub(crate) fn list<T: Serialize>(
        self,
        list: &List<T>,
        table: impl FnOnce(&[T]) -> String,
    ) -> Result<Exit, Failure> {
        self.data(&list.items, |items| table(items))?;
        for what in &list.tampered {
            say(format_args!("LEFT OUT: {}", printable(what)));
        }
        Ok(if list.tampered.is_empty() {
            Exit::Done
        } else {
            Exit::Unhealthy
        })
    }
}

/// Prints `text` on stdout as it is.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(end.as_bytes()));
    match written.and_then(|()| out.flush()) {
        // The reader, say `head`, has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::new(format!("cannot write to stdout: {error}"))),
    }
}

/// Says `words` on stderr. A stderr that is closed is not a failure of the command.
pub(crate) fn say(words: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{words}");
}

/// Columns under headings, one line a row.
pub(crate) struct Columns {
    table: Table,
    rows: usize,
}

impl Columns {
    pub(crate) fn new<const N: usize>(headings: [&str; N]) -> Self {
        let mut table = bare();
        table.set_header(headings);
        Self { table, rows: 0 }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows += 1;
        self.table.add_row(cells.map(|cell| printable(&cell)));
    }

    /// The table; where it has no row, nothing, and `none` is said on stderr.
    pub(crate) fn or_say(self, none: &str) -> String {
        if self.rows == 0 {
            say(none);
            return String::new();
        }
        trimmed(&self.table)
    }
}

/// One thing, a line a property.
pub(crate) struct Properties(Table);

impl Properties {
    pub(crate) fn new() -> Self {
        Self(bare())
    }

    pub(crate) fn line(&mut self, name: &str, value: impl Display) -> &mut Self {
        self.0.add_row([name.to_owned(), printable(&value.to_string())]);
        self
    }

    pub(crate) fn text(&self) -> String {
        trimmed(&self.0)
    }
}

fn bare() -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table
}

/// The table without what pads it left and right.
fn trimmed(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.strip_prefix(' ').unwrap_or(&line).trim_end());
        text.push('\n');
    }
    text
}

/// `text` with its control characters, and what turns the direction of a line, written as escapes.
pub(crate) fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(hidden) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if hidden(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A time as RFC 3339, to the second, in UTC.
pub(crate) fn time(time: OffsetDateTime) -> String {
    let time = time.to_offset(time::UtcOffset::UTC);
    let whole = time.replace_nanosecond(0).unwrap_or(time);
    whole.format(&Rfc3339).unwrap_or_else(|_| whole.to_string())
}

/// `count` with its noun, as "1 key" and "2 keys".
pub(crate) fn counted(count: u64, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {one}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_drive_the_terminal() {
        assert_eq!(printable("vm\u{1b}[2J\n"), "vm\\u{1b}[2J\\n");
        assert_eq!(printable("\u{202e}gpj"), "\\u{202e}gpj");
        assert_eq!(printable("Büro 7 – 東京"), "Büro 7 – 東京");
    }

    #[test]
    fn columns_line_up_and_an_empty_table_is_no_data() {
        let mut columns = Columns::new(["NAME", "STATE"]);
        columns.row(["a".into(), "Active".into()]);
        columns.row(["longer".into(), "Pre-Active".into()]);
        assert_eq!(
            columns.or_say("no keys"),
            "NAME    STATE\na       Active\nlonger  Pre-Active\n"
        );
        assert_eq!(Columns::new(["NAME"]).or_say("no keys"), "");
    }

    #[test]
    fn times_are_utc_and_whole_seconds() {
        let time_here = time::macros::datetime!(2026-11-24 10:00:00.75 +2);
        assert_eq!(time(time_here), "2026-11-24T08:00:00Z");
    }
}
