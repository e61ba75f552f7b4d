//! A list, printed row by row in any of the forms.

use std::io::{self, Seek as _, Write as _};

use serde::Serialize;
use serde_json::{Map, Value};
use tempfile::SpooledTempFile;

use super::csv::write_csv;
use super::table::{self, Cell, Column, Row};
use super::{Format, Jq, Output, OutputError, compact, filter, rendered, write_line};
use crate::terminal::Terminal;

impl Output {
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

/// How a list begins; a test holds that this is what [`super::envelope`] makes.
const HEAD: &str = "{\"schema\":1,\"data\":[";

/// The same, indented.
const PRETTY_HEAD: &str = "{\n  \"schema\": 1,\n  \"data\": [\n    ";

/// The same, of a list without rows.
const PRETTY_EMPTY: &str = "{\n  \"schema\": 1,\n  \"data\": []";

pub(super) fn is_none(meta: &Value) -> bool {
    meta.is_null() || meta.as_object().is_some_and(Map::is_empty)
}
