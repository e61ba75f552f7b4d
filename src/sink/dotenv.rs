//! `dotenv:PATH#VAR`: one variable of a private file of assignments; every other line stays as it is, byte for byte.
//!
//! The file is read again at the delivery: what was changed since the preparation, by hand or by another place of the
//! same run, is kept.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::Reason;
use super::{Delivery, RESERVE, Sink};
use crate::files::{self, Lock, PreparedFile};

/// A file beyond this is not one of assignments.
const LIMIT: u64 = 1024 * 1024;

/// What editors on Windows put in front of a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A variable in a file.
pub(super) struct DotenvSink {
    path: PathBuf,
    variable: String,
    prepared: PreparedFile,
}

impl DotenvSink {
    pub(super) fn prepare(path: &Path, variable: &str) -> Result<Self, Reason> {
        let content = read(path)?;
        entries(&content)?;
        let prepared = PreparedFile::new(path, content.len() + RESERVE)?;
        Ok(Self { path: path.to_owned(), variable: variable.to_owned(), prepared })
    }
}

impl Sink for DotenvSink {
    fn deliver(self: Box<Self>, delivery: &mut Delivery<'_>) -> Result<(), Reason> {
        let _alone = Lock::before_replacing(&self.path)?;
        let content = with_assignment(&read(&self.path)?, &self.variable, delivery.plain.expose())?;
        Ok(self.prepared.commit(content.as_bytes())?)
    }
}

/// The content of the file, empty if there is none.
fn read(path: &Path) -> Result<Zeroizing<String>, Reason> {
    let Some(bytes) = files::read_private(path, LIMIT)? else {
        return Ok(Zeroizing::default());
    };
    let text = str::from_utf8(&bytes).map_err(|_| Reason::NotText)?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The content with the variable set. Where it is assigned several times the last one counts, so that one is replaced
/// and the others go; where it is not, a line is added.
fn with_assignment(content: &str, variable: &str, value: &str) -> Result<Zeroizing<String>, Reason> {
    let entries = entries(content)?;
    let last = entries.iter().rposition(|entry| entry.name == Some(variable));
    let line_end = line_end(content);
    // Sized beforehand: a buffer that grew would leave a copy behind. Escapes at most double the value.
    let mut edited = Zeroizing::new(String::with_capacity(content.len() + variable.len() + 2 * value.len() + 16));
    for (at, entry) in entries.iter().enumerate() {
        if entry.name != Some(variable) {
            edited.push_str(entry.text);
        } else if last == Some(at) {
            edited.push_str(entry.before_name);
            push_assignment(&mut edited, variable, value, line_end);
        }
    }
    if last.is_none() {
        if !edited.is_empty() && !edited.ends_with('\n') {
            edited.push_str(line_end);
        }
        push_assignment(&mut edited, variable, value, line_end);
    }
    Ok(edited)
}

fn push_assignment(text: &mut String, variable: &str, value: &str, line_end: &str) {
    text.push_str(variable);
    text.push('=');
    push_quoted(text, value);
    text.push_str(line_end);
}

/// Quotes so that shells and the usual parsers read the same: nothing where nothing is needed, single quotes where
/// nothing would be expanded, double quotes only for what holds a single one.
fn push_quoted(text: &mut String, value: &str) {
    if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        text.push_str(value);
    } else if value.contains('\'') {
        text.push('"');
        for character in value.chars() {
            if matches!(character, '"' | '\\' | '$' | '`') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push('"');
    } else {
        text.push('\'');
        text.push_str(value);
        text.push('\'');
    }
}

/// How the file ends its lines, as its first one does.
fn line_end(content: &str) -> &'static str {
    match content.split_once('\n') {
        Some((first, _)) if first.ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// A line with its end, or several where a quoted value runs on.
struct Entry<'a> {
    text: &'a str,
    /// Indentation and `export`, if it is an assignment.
    before_name: &'a str,
    name: Option<&'a str>,
}

/// Cuts the content up. Fails where a quote never ends: shells and parsers disagree on what such a file says, and a line
/// added to it might become a part of that value.
fn entries(content: &str) -> Result<Vec<Entry<'_>>, Reason> {
    let mut entries = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let line = &rest[..line_length(rest)];
        let (length, before_name, name) = match assignment(line) {
            Some((before, name, value)) => {
                let Some(quoted) = quoted_length(&rest[value..]) else {
                    let before = &content[..content.len() - rest.len()];
                    return Err(Reason::Unclosed(before.matches('\n').count() + 1));
                };
                let value_end = value + quoted;
                (value_end + line_length(&rest[value_end..]), before, Some(name))
            }
            None => (line.len(), "", None),
        };
        let (text, after) = rest.split_at(length);
        entries.push(Entry { text, before_name, name });
        rest = after;
    }
    Ok(entries)
}

/// What stands before the name, the name, and where the value starts.
fn assignment(line: &str) -> Option<(&str, &str, usize)> {
    const BLANK: [char; 2] = [' ', '\t'];
    let mut bare = line.trim_start_matches(BYTE_ORDER_MARK).trim_start_matches(BLANK);
    if let Some(after) = bare.strip_prefix("export").filter(|after| after.starts_with(BLANK)) {
        bare = after.trim_start_matches(BLANK);
    }
    let before = &line[..line.len() - bare.len()];
    let in_name = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
    let (name, after) = bare.split_at(bare.find(|character| !in_name(character)).unwrap_or(bare.len()));
    let value = after.trim_start_matches(BLANK).strip_prefix('=')?;
    (!name.is_empty()).then(|| (before, name, line.len() - value.len()))
}

/// How far a quoted value reaches, nowhere if it is not quoted; `None` if the quote never ends.
fn quoted_length(value: &str) -> Option<usize> {
    let mut characters = value.char_indices().skip_while(|(_, character)| matches!(character, ' ' | '\t'));
    let Some((_, quote @ ('"' | '\'' | '`'))) = characters.next() else {
        return Some(0);
    };
    while let Some((at, character)) = characters.next() {
        if character == quote {
            return Some(at + 1);
        }
        if character == '\\' && quote != '\'' {
            characters.next();
        }
    }
    None
}

fn line_length(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::super::tests::{deliver, refusal};
    use super::*;
    use crate::files::scratch::Scratch;
    #[cfg(unix)]
    use crate::files::scratch::change_mode;

    fn edit(content: &str, value: &str) -> String {
        (*with_assignment(content, "KEY", value).unwrap()).clone()
    }

    #[test]
    fn a_variable_that_is_not_there_is_added_at_the_end() {
        assert_eq!(edit("", "abc"), "KEY=abc\n");
        assert_eq!(edit("A=1\n", "abc"), "A=1\nKEY=abc\n");
        assert_eq!(edit("A=1", "abc"), "A=1\nKEY=abc\n");
        assert_eq!(edit("A=1\r\nB=2", "abc"), "A=1\r\nB=2\r\nKEY=abc\r\n");
        assert_eq!(
            edit("# KEY=1\nMY_KEY=1\nKEY2=1\nexport KEY\n", "abc"),
            "# KEY=1\nMY_KEY=1\nKEY2=1\nexport KEY\nKEY=abc\n"
        );
    }

    #[test]
    fn the_last_assignment_is_replaced_in_place_and_the_earlier_ones_go() {
        assert_eq!(edit("KEY=1\nA=1\nKEY=2\n\nB=2\n", "abc"), "A=1\nKEY=abc\n\nB=2\n");
        assert_eq!(edit("A=1\n  export  KEY='old' # why\nB=2", "abc"), "A=1\n  export  KEY=abc\nB=2");
        assert_eq!(edit("KEY = old\r\nA=1\r\n", "abc"), "KEY=abc\r\nA=1\r\n");
        assert_eq!(edit("\u{feff}KEY=old", "abc"), "\u{feff}KEY=abc\n");
    }

    #[test]
    fn a_value_of_several_lines_is_one_assignment() {
        assert_eq!(
            edit("A=\"one\nKEY=no \\\" assignment\ntwo\"\nKEY='x\ny'\nB=2\n", "abc"),
            "A=\"one\nKEY=no \\\" assignment\ntwo\"\nKEY=abc\nB=2\n"
        );
    }

    #[test]
    fn a_quote_that_never_ends_is_refused_with_its_line() {
        let scratch = Scratch::new();
        let path = scratch.file(".env", "A=\"1\n2\"\nB=it's\nC='tis\nD=2\n");
        let refused = refusal(&[&format!("dotenv:{}#KEY", path.display())]);
        assert!(refused.contains("the quote in line 4 never ends"), "{refused}");
        assert_eq!(scratch.names(), [".env"]);
    }

    #[test]
    fn quotes_are_used_only_where_needed() {
        assert_eq!(edit("", "wbk_1a2B"), "KEY=wbk_1a2B\n");
        assert_eq!(edit("", "a$b"), "KEY='a$b'\n");
        assert_eq!(edit("", r#"a'"\$`b"#), "KEY=\"a'\\\"\\\\\\$\\`b\"\n");
    }

    #[test]
    fn two_variables_of_one_file_both_end_up_in_it() {
        let scratch = Scratch::new();
        let path = scratch.file(".env", "A=1\nSECOND=old");
        let place = |variable| format!("dotenv:{}#{variable}", path.display());
        deliver(&[&place("FIRST"), &place("SECOND")], "wbk_secret").0.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "A=1\nSECOND=wbk_secret\nFIRST=wbk_secret\n");
        assert_eq!(scratch.names(), [".env"]);
    }

    #[test]
    fn what_is_no_text_or_too_large_is_refused() {
        let scratch = Scratch::new();
        let binary = scratch.file("binary", b"A=\xff\n");
        let large = scratch.file("large", vec![b'#'; 1024 * 1024 + 1]);
        assert!(refusal(&[&format!("dotenv:{}#KEY", binary.display())]).contains("not UTF-8"));
        assert!(refusal(&[&format!("dotenv:{}#KEY", large.display())]).contains("larger than"));
        assert_eq!(scratch.names(), ["binary", "large"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_others_may_read_is_refused() {
        let scratch = Scratch::new();
        let path = scratch.file(".env", "A=1\n");
        change_mode(&path, 0o644);
        assert!(refusal(&[&format!("dotenv:{}#KEY", path.display())]).contains("chmod 600"));
    }

    /// What the shell takes the variable for.
    #[cfg(unix)]
    fn sourced(path: &Path) -> String {
        let script = ["-c", r#". "$1"; printf %s "$KEY""#, "sh"];
        let output = std::process::Command::new("sh").args(script).arg(path).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        String::from_utf8(output.stdout).unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn the_shell_reads_awkward_keys_back() {
        let scratch = Scratch::new();
        let path = scratch.file(".env", "KEY=old\nA=1\nexport KEY=older");
        deliver(&[&format!("dotenv:{}#KEY", path.display())], super::super::tests::AWKWARD).0.unwrap();
        assert_eq!(sourced(&path), super::super::tests::AWKWARD);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[cfg(unix)]
        #[test]
        fn the_shell_reads_back_what_was_written(value in "[!-~]{1,40}") {
            let scratch = Scratch::new();
            prop_assert_eq!(sourced(&scratch.file(".env", edit("", &value))), value);
        }
    }

    proptest! {
        #[test]
        fn every_other_line_stays(
            lines in proptest::collection::vec("((export )?(KEY|A|B_2) ?=[a-z '\"\\\\#]{0,6}|#[ -~]{0,5}|\\PC{0,8})", 0..8),
            value in "[!-~]{1,40}",
            ending in "(\r?\n)?",
        ) {
            let content = lines.join("\n") + &ending;
            let Ok(edited) = with_assignment(&content, "KEY", &value) else { return Ok(()) };
            let others = |text: &str| -> Vec<String> {
                let others = entries(text).unwrap().into_iter().filter(|entry| entry.name != Some("KEY"));
                others.map(|entry| entry.text.trim_end_matches(['\r', '\n']).to_owned()).collect()
            };
            prop_assert_eq!(others(&content), others(&edited));
            let ours = entries(&edited).unwrap().into_iter().filter(|entry| entry.name == Some("KEY")).count();
            prop_assert_eq!(ours, 1);
            let whole: String = entries(&content).unwrap().iter().map(|entry| entry.text).collect();
            prop_assert_eq!(&whole, &content);
            // Written a second time nothing changes, and the buffer was never too small.
            prop_assert_eq!(&*with_assignment(&edited, "KEY", &value).unwrap(), &*edited);
            prop_assert_eq!(edited.capacity(), content.len() + "KEY".len() + 2 * value.len() + 16);
        }
    }
}
