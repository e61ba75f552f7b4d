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
mod csv;
pub(crate) mod findings;
pub(crate) mod jq;
pub(crate) mod key;
mod list;
mod prometheus;
pub(crate) mod rotation;
pub(crate) mod table;
pub(crate) mod usage;
pub(crate) mod whoami;

use std::borrow::Cow;
use std::io;

use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Map, Value};
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use self::csv::{scalars, write_csv};
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
}

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

#[cfg(test)]
mod tests;
