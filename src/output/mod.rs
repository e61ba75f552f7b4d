//! What a command puts on standard output: a table, JSON, JSON lines or CSV, filtered by `--jq` where asked for.
//!
//! | | one object | a list |
//! |---|---|---|
//! | `table` on a terminal | what the command writes for people | columns as wide as the first rows need |
//! | `table` in a pipe | the same | cells separated by tabs, whole, without a header |
//! | `json` | `{"schema":1,"data":{…}}` | `{"schema":1,"data":[…],"meta":{…}}` |
//! | `jsonl` | the object on one line | a row a line, nothing around them |
//! | `csv` | a header and one row of its scalar fields | a header and a row a line |
//!
//! JSON is on one line in a pipe and indented on a terminal. Rows are written as they come, so that memory stays flat; only
//! `--jq` over a whole list has to collect it first.

pub(crate) mod audit;
pub(crate) mod credits;
pub(crate) mod findings;
pub(crate) mod jq;
pub(crate) mod key;
mod prometheus;
pub(crate) mod rotation;
pub(crate) mod table;
pub(crate) mod usage;
pub(crate) mod whoami;

use std::borrow::Cow;
use std::io::{self, Seek, Write};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Map, Value};
use tempfile::SpooledTempFile;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

pub(crate) use self::jq::{Jq, JqError, JqValue};
use self::prometheus::Metric;
pub(crate) use self::table::{Cell, Column, Row};
use crate::exit::{Exit, Explain};
use crate::terminal::Terminal;
use crate::text;

/// The version of the envelope. It changes when something is taken away; adding does not count.
const SCHEMA: u8 = 1;

/// How to print the result
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people, tab-separated in a pipe
    #[default]
    Table,
    /// One JSON object
    Json,
    /// One JSON value a line
    Jsonl,
    /// Comma-separated with a header, for spreadsheets
    Csv,
    /// Numbers for Prometheus: `usage` and `credits` only
    Prometheus,
    /// Test cases, as CI services show them: `check` only
    Junit,
    /// Results, as code scanning shows them: `check` only
    Sarif,
}

/// How results are printed.
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) jq: Option<Jq>,
}

impl Output {
    /// Whether people read this: nobody asked for a form that programs read.
    pub(crate) const fn is_for_people(&self) -> bool {
        matches!(self.format, Format::Table) && self.jq.is_none()
    }

    pub(crate) const fn is_for_prometheus(&self) -> bool {
        matches!(self.format, Format::Prometheus)
    }

    /// Prints one object. `human` writes it for people.
    pub(crate) fn object(
        &self,
        terminal: &mut Terminal,
        data: Value,
        human: impl FnOnce(&mut Terminal) -> io::Result<()>,
    ) -> Result<(), OutputError> {
        let mut whole = envelope(data);
        let printed = self.print(terminal, &whole, human);
        // It may have held a secret.
        wipe(&mut whole);
        printed?;
        Ok(terminal.flush()?)
    }

    fn print(
        &self,
        terminal: &mut Terminal,
        whole: &Value,
        human: impl FnOnce(&mut Terminal) -> io::Result<()>,
    ) -> Result<(), OutputError> {
        let data = &whole["data"];
        match (self.format, &self.jq) {
            (Format::Jsonl, Some(jq)) => filter(jq, terminal, rendered_wiped(data, false)?.as_bytes())?,
            (_, Some(jq)) => filter(jq, terminal, rendered_wiped(whole, false)?.as_bytes())?,
            (Format::Table | Format::Prometheus | Format::Junit | Format::Sarif, None) => human(terminal)?,
            (Format::Json, None) => {
                let pretty = terminal.out_is_terminal();
                write_line(terminal, &rendered_wiped(whole, pretty)?)?;
            }
            (Format::Jsonl, None) => write_line(terminal, &rendered_wiped(data, false)?)?,
            (Format::Csv, None) => {
                let (names, values) = scalars(data);
                write_csv(terminal, &names)?;
                write_csv(terminal, &values)?;
            }
        }
        Ok(())
    }

    /// Whether a word is in what would be printed of an object.
    pub(crate) fn shows(&self, data: Value, word: &str) -> Result<bool, OutputError> {
        let Some(jq) = &self.jq else { return Ok(true) };
        let input = compact(&if matches!(self.format, Format::Jsonl) { data } else { envelope(data) })?;
        let mut shown = false;
        jq.run(input.as_bytes(), |value| {
            let (JqValue::Text(text) | JqValue::Json(text)) = &value;
            shown |= text.contains(word);
            Ok(())
        })?;
        Ok(shown)
    }

    /// A list of rows that end in a text, none of which is left out where there is little room.
    pub(crate) fn log(&self, terminal: &Terminal, columns: &'static [Column]) -> ListWriter<'_> {
        let mut list = self.list(terminal, columns);
        if let Form::Table(table) = &mut list.form {
            *table = table::Table::keeping_all(columns);
        }
        list
    }

    /// Starts a list. Nothing is written before its first row, so that a failure until then leaves standard output empty.
    pub(crate) fn list(&self, terminal: &Terminal, columns: &'static [Column]) -> ListWriter<'_> {
        let form = match (self.format, &self.jq) {
            (Format::Jsonl, jq) => Form::JsonLines { jq: jq.as_ref() },
            (_, Some(jq)) => Form::Collected { jq, rows: Vec::new() },
            (Format::Json, None) => {
                Form::Json { pretty: terminal.out_is_terminal(), whole: SpooledTempFile::new(IN_MEMORY) }
            }
            (Format::Csv, None) => Form::Csv,
            (Format::Table, None) if terminal.out_is_terminal() => Form::Table(table::Table::new(columns)),
            (Format::Table | Format::Prometheus | Format::Junit | Format::Sarif, None) => Form::Tabs,
        };
        ListWriter { form, columns, script_order: table::script_order(columns), written: 0 }
    }
}

/// Prints a list row by row.
pub(crate) struct ListWriter<'a> {
    form: Form<'a>,
    columns: &'static [Column],
    script_order: Vec<usize>,
    written: usize,
}

/// The form a list takes.
enum Form<'a> {
    Table(table::Table),
    Tabs,
    Csv,
    /// One object. It is kept aside until it is whole, so that a failure on the way leaves standard output empty; in a file
    /// once it is long, so that memory stays flat.
    Json {
        pretty: bool,
        whole: SpooledTempFile,
    },
    JsonLines {
        jq: Option<&'a Jq>,
    },
    /// The rows as JSON, separated by commas.
    Collected {
        jq: &'a Jq,
        rows: Vec<u8>,
    },
}

impl ListWriter<'_> {
    pub(crate) fn row(&mut self, terminal: &mut Terminal, row: Row) -> Result<(), OutputError> {
        let Row { cells, json } = row;
        self.row_of(terminal, || cells, || json)
    }

    /// [`ListWriter::row`] for long lists: only the form that is printed is made.
    pub(crate) fn row_of<J: Serialize>(
        &mut self,
        terminal: &mut Terminal,
        cells: impl FnOnce() -> Vec<Cell>,
        json: impl FnOnce() -> J,
    ) -> Result<(), OutputError> {
        let first = self.written == 0;
        match &mut self.form {
            Form::Table(table) => table.row(terminal, cells())?,
            Form::Tabs => table::write_tabbed(terminal.out(), &self.script_order, &cells())?,
            Form::Csv => {
                let cells = cells();
                if first {
                    self.write_csv_header(terminal)?;
                }
                let fields: Vec<&str> = self
                    .script_order
                    .iter()
                    .filter_map(|index| cells.get(*index))
                    .map(|cell| cell.plain.as_str())
                    .collect();
                write_csv(terminal, &fields)?;
            }
            Form::Json { pretty, whole } => {
                let (before, between) = if *pretty { (PRETTY_HEAD, ",\n    ") } else { (HEAD, ",") };
                let text = rendered(&json(), *pretty)?;
                let text = if *pretty { text.replace('\n', "\n    ") } else { text };
                write!(whole, "{}{text}", if first { before } else { between })?;
            }
            Form::JsonLines { jq: None } => write_line(terminal, &compact(&json())?)?,
            Form::JsonLines { jq: Some(jq) } => filter(jq, terminal, compact(&json())?.as_bytes())?,
            Form::Collected { rows, .. } => {
                if !first {
                    rows.push(b',');
                }
                rows.extend_from_slice(compact(&json())?.as_bytes());
            }
        }
        self.written += 1;
        if first && matches!(self.form, Form::JsonLines { .. } | Form::Tabs | Form::Csv) {
            // The next program in the pipe can start while the rest is still fetched.
            terminal.flush()?;
        }
        Ok(())
    }

    /// Shows what was added so far, of a list that goes on. Where the form is one document, it is a document of its own.
    pub(crate) fn so_far(mut self, terminal: &mut Terminal) -> Result<Self, OutputError> {
        let next = match &mut self.form {
            Form::Json { pretty, .. } => Form::Json { pretty: *pretty, whole: SpooledTempFile::new(IN_MEMORY) },
            Form::Collected { jq, .. } => Form::Collected { jq, rows: Vec::new() },
            Form::Table(table) => {
                table.lay_out(terminal)?;
                terminal.flush()?;
                return Ok(self);
            }
            Form::Tabs | Form::Csv | Form::JsonLines { .. } => {
                terminal.flush()?;
                return Ok(self);
            }
        };
        let next =
            ListWriter { form: next, columns: self.columns, script_order: self.script_order.clone(), written: 0 };
        self.finish(terminal, Value::Null)?;
        Ok(next)
    }

    /// Ends the list and writes it to its end. `meta` is printed where there is an envelope for it; `null` or an empty object is none.
    #[expect(clippy::needless_pass_by_value, reason = "what is said of a list ends with it, and is made in the call")]
    pub(crate) fn finish(self, terminal: &mut Terminal, meta: Value) -> Result<(), OutputError> {
        let first = self.written == 0;
        match self.form {
            Form::Csv if first => self.write_csv_header(terminal)?,
            Form::Tabs | Form::Csv | Form::JsonLines { .. } => {}
            Form::Table(table) => table.finish(terminal)?,
            Form::Json { pretty: false, mut whole } => {
                let head = if first { HEAD } else { "" };
                let meta = if is_none(&meta) { String::new() } else { format!(",\"meta\":{}", compact(&meta)?) };
                writeln!(whole, "{head}]{meta}}}")?;
                pass_on(whole, terminal)?;
            }
            Form::Json { pretty: true, mut whole } => {
                let (head, end) = if first { (PRETTY_EMPTY, "") } else { ("", "\n  ]") };
                let meta = if is_none(&meta) {
                    String::new()
                } else {
                    format!(",\n  \"meta\": {}", rendered(&meta, true)?.replace('\n', "\n  "))
                };
                writeln!(whole, "{head}{end}{meta}\n}}")?;
                pass_on(whole, terminal)?;
            }
            Form::Collected { jq, rows } => {
                let mut whole = HEAD.as_bytes().to_vec();
                whole.extend_from_slice(&rows);
                drop(rows);
                whole.push(b']');
                if !is_none(&meta) {
                    whole.extend_from_slice(b",\"meta\":");
                    whole.extend_from_slice(compact(&meta)?.as_bytes());
                }
                whole.push(b'}');
                filter(jq, terminal, &whole)?;
            }
        }
        Ok(terminal.flush()?)
    }

    fn write_csv_header(&self, terminal: &mut Terminal) -> io::Result<()> {
        let names: Vec<&str> = self.script_order.iter().map(|index| self.columns[*index].name).collect();
        write_csv(terminal, &names)
    }
}

/// How much of an object is kept in memory before it goes into a file.
const IN_MEMORY: usize = 1024 * 1024;

/// Prints what was kept aside.
fn pass_on(mut whole: SpooledTempFile, terminal: &mut Terminal) -> io::Result<()> {
    whole.rewind()?;
    io::copy(&mut whole, terminal.out()).map(|_| ())
}

/// How a list begins; a test holds that this is what [`envelope`] makes.
const HEAD: &str = "{\"schema\":1,\"data\":[";

/// The same, indented.
const PRETTY_HEAD: &str = "{\n  \"schema\": 1,\n  \"data\": [\n    ";

/// The same, of a list without rows.
const PRETTY_EMPTY: &str = "{\n  \"schema\": 1,\n  \"data\": []";

/// Why a result could not be printed.
#[derive(Debug, Error)]
pub(crate) enum OutputError {
    /// A closed pipe is among these; whoever prints errors finds it in the chain and stays silent.
    #[error("could not write to standard output")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Jq(#[from] JqError),
}

impl Explain for OutputError {
    fn exit(&self) -> Exit {
        match self {
            Self::Io(_) => Exit::Internal,
            Self::Jq(JqError::Compile { .. } | JqError::Run { .. }) => Exit::Usage,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "output_failed",
            Self::Jq(JqError::Compile { .. }) => "invalid_jq",
            Self::Jq(JqError::Run { .. }) => "jq_failed",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Io(_) => {
                "what was done stays done, only its output is lost; make room for it and look with `keys list`"
            }
            Self::Jq(JqError::Compile { .. }) => "quote the expression for the shell, for instance --jq '.data[].id'",
            Self::Jq(JqError::Run { .. }) => {
                "leave out --jq to see the value the expression is applied to, with --json"
            }
        };
        Some(hint.to_owned())
    }
}

/// Prints numbers for Prometheus.
pub(crate) fn metrics(terminal: &mut Terminal, metrics: &[Metric]) -> Result<(), OutputError> {
    terminal.out().write_all(prometheus::text(metrics).as_bytes())?;
    Ok(terminal.flush()?)
}

/// What every JSON document is wrapped in.
fn envelope(data: Value) -> Value {
    Value::Object(Map::from_iter([("schema".to_owned(), SCHEMA.into()), ("data".to_owned(), data)]))
}

fn is_none(meta: &Value) -> bool {
    meta.is_null() || meta.as_object().is_some_and(Map::is_empty)
}

/// Wipes every text of a value from memory.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// JSON on one line.
fn compact(value: &impl Serialize) -> io::Result<String> {
    rendered(value, false)
}

/// JSON in which nothing acts on a terminal. In a pipe too: it is the same JSON, and pipes end in `less`.
fn rendered(value: &impl Serialize, pretty: bool) -> io::Result<String> {
    let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) }?;
    Ok(match text::escape_json(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(escaped) => escaped,
    })
}

/// The same of an object that may hold a secret: wiped when dropped, and made in a buffer that a key's object does not
/// outgrow, which would leave a copy behind.
fn rendered_wiped(value: &Value, pretty: bool) -> io::Result<Zeroizing<String>> {
    const ROOM: usize = 8 * 1024;
    let mut bytes = Vec::with_capacity(ROOM);
    if pretty {
        serde_json::to_writer_pretty(&mut bytes, value)?;
    } else {
        serde_json::to_writer(&mut bytes, value)?;
    }
    let text = Zeroizing::new(String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?);
    Ok(match text::escape_json(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(escaped) => Zeroizing::new(escaped),
    })
}

fn write_line(terminal: &mut Terminal, line: &str) -> io::Result<()> {
    writeln!(terminal.out(), "{line}")
}

/// Prints what a filter puts out, a value a line. A string is bare; a pipe gets it as it is, because a program wants the
/// bytes, and a person gets it escaped.
fn filter(jq: &Jq, terminal: &mut Terminal, input: &[u8]) -> Result<(), OutputError> {
    jq.run(input, |value| {
        let line = match &value {
            JqValue::Text(text) if terminal.out_is_terminal() => text::escape(text),
            JqValue::Text(text) => Cow::Borrowed(text.as_str()),
            JqValue::Json(json) => text::escape_json(json),
        };
        Ok(write_line(terminal, &line)?)
    })
}

/// The fields of an object that fit into a cell: scalars, and lists of scalars separated by commas.
fn scalars(data: &Value) -> (Vec<String>, Vec<String>) {
    let scalar = |value: &Value| match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    };
    let cell = |value: &Value| match value {
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(scalar).collect();
            items.map(|items| items.join(","))
        }
        value => scalar(value),
    };
    let fields = data.as_object().into_iter().flatten();
    fields.filter_map(|(name, value)| cell(value).map(|value| (name.clone(), value))).unzip()
}

/// Writes one record as RFC 4180 has it, line breaks included.
fn write_csv<T: AsRef<str>>(terminal: &mut Terminal, fields: &[T]) -> io::Result<()> {
    let is_terminal = terminal.out_is_terminal();
    let mut record = Vec::with_capacity(256);
    {
        let mut writer =
            csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).buffer_capacity(512).from_writer(&mut record);
        writer.write_record(fields.iter().map(|field| csv_field(field.as_ref(), is_terminal).into_owned()))?;
        writer.flush()?;
    }
    terminal.out().write_all(&record)
}

/// The last four are wide: a spreadsheet in Chinese or Japanese takes them for the first four.
const STARTS_OF_FORMULAS: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// A text as a field of CSV.
///
/// A spreadsheet takes a cell for a formula by its first character, also a name somebody else chose, and may then fetch an
/// address with the other cells in it: an apostrophe in front makes it text. Plain negative numbers stay numbers.
///
/// Tabs and line breaks are data that quotes can hold, and stay in a pipe. Other control characters have no place in RFC 4180
/// and CSV is read by people in the end, so they are spelled out even there; whoever wants the exact bytes asks for JSON.
fn csv_field(text: &str, is_terminal: bool) -> Cow<'_, str> {
    let kept: &[char] = if is_terminal { &[] } else { &['\n', '\r', '\t'] };
    let escaped = text::escape_but(text, kept);
    let number = text.strip_prefix('-').is_some_and(|digits| {
        digits.starts_with(|first: char| first.is_ascii_digit())
            && digits.chars().all(|digit| digit.is_ascii_digit() || digit == '.')
    });
    if text.starts_with(STARTS_OF_FORMULAS) && !number { Cow::Owned(format!("'{escaped}")) } else { escaped }
}

#[cfg(test)]
mod tests;
