//! Records of CSV, as RFC 4180 has them and spreadsheets may open them.

use std::borrow::Cow;
use std::io;

use serde_json::Value;

use crate::terminal::Terminal;
use crate::text;

/// The fields of an object that fit into a cell: scalars, and lists of scalars separated by commas.
pub(super) fn scalars(data: &Value) -> (Vec<String>, Vec<String>) {
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
pub(super) fn write_csv<T: AsRef<str>>(terminal: &mut Terminal, fields: &[T]) -> io::Result<()> {
    let is_terminal = terminal.out_is_terminal();
    let mut record = Vec::with_capacity(256);
    {
        let mut writer = ::csv::WriterBuilder::new()
            .terminator(::csv::Terminator::CRLF)
            .buffer_capacity(512)
            .from_writer(&mut record);
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
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for formula in ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "-", "-=1", "\u{ff1d}1+1", "\u{ff20}SUM(A1)"]
        {
            assert!(csv_field(formula, false).starts_with('\''), "{formula:?}");
            assert!(csv_field(formula, true).starts_with('\''), "{formula:?}");
        }
        for text in ["-12", "-0.5", "a=1", "", "1+1"] {
            assert_eq!(csv_field(text, false), text);
        }
        assert_eq!(csv_field("two\nlines", false), "two\nlines");
        assert_eq!(csv_field("two\nlines", true), "two\\nlines");
    }
}
