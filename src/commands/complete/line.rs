//! The line that is being typed: its words, the one at the cursor, and how a completion of it is written into it.

/// A line as far as the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The words before the one at the cursor, from `keys` on, without their quotes.
    pub(super) words: Vec<String>,
    /// The word at the cursor, without its quotes.
    pub(super) current: String,
    /// Whether that word is where output goes to, or input comes from.
    pub(super) is_redirected: bool,
    /// How much of that word Bash leaves alone, in bytes.
    kept: usize,
    /// The quote that is open at the cursor.
    quote: Option<char>,
}

impl Line {
    /// Words that the shell has told apart. `plain` takes the quotes off the last one.
    pub(super) fn of_words(mut words: Vec<String>, plain: fn(&str) -> String) -> Self {
        let current = plain(&words.pop().unwrap_or_default());
        Self { words, current, is_redirected: false, kept: 0, quote: None }
    }

    /// A line that Bash has. It replaces the word at the cursor from the last character on that is one of `breaks` and not
    /// quoted, or from an open quote on.
    pub(super) fn of_bash(line: &str, breaks: &str) -> Self {
        let mut found = Self { words: Vec::new(), current: String::new(), is_redirected: false, kept: 0, quote: None };
        let mut in_word = false;
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            match (found.quote, character) {
                (None, ' ' | '\t' | '\n') => {
                    if in_word {
                        found.end_word();
                    }
                    in_word = false;
                    continue;
                }
                (None, '<' | '>') => {
                    if in_word {
                        found.end_word();
                    }
                    found.is_redirected = true;
                    in_word = false;
                    continue;
                }
                (None, '\\') => found.current.extend(characters.next()),
                (None, '\'' | '"') => {
                    found.quote = Some(character);
                    found.kept = found.current.len();
                }
                (None, _) => {
                    found.current.push(character);
                    if breaks.contains(character) {
                        found.kept = found.current.len();
                    }
                }
                (Some(quote), _) if quote == character => {
                    found.quote = None;
                    found.kept = found.current.len();
                }
                (Some('"'), '\\') => match characters.next_if(|next| "\"\\$`".contains(*next)) {
                    Some(next) => found.current.push(next),
                    None => found.current.push('\\'),
                },
                (Some(_), _) => found.current.push(character),
            }
            in_word = true;
        }
        found
    }

    fn end_word(&mut self) {
        let word = std::mem::take(&mut self.current);
        if !std::mem::take(&mut self.is_redirected) {
            self.words.push(word);
        }
        self.kept = 0;
    }

    /// What Bash is to put in the place of the part of the word that it replaces, so that the word means `value`; nothing
    /// where it cannot come to mean that.
    pub(super) fn rest_for_bash(&self, value: &str) -> Option<String> {
        if !value.starts_with(&self.current) {
            return None;
        }
        let rest = value.get(self.kept..)?;
        let mut written = String::with_capacity(rest.len() + 8);
        for character in rest.chars() {
            match (self.quote, character) {
                // An exclamation mark asks for an earlier line within these quotes, and a backslash stays there.
                (Some('"'), '!') => written.push_str("\"\\!\""),
                (Some('"'), '"' | '\\' | '$' | '`') => written.extend(['\\', character]),
                (Some('\''), '\'') => written.push_str("'\\''"),
                (None, _) if !is_plain(character) => written.extend(['\\', character]),
                _ => written.push(character),
            }
        }
        Some(written)
    }
}

/// Whether a character means itself to a shell wherever it stands.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || !character.is_ascii() || "-_./:@%+=,".contains(character)
}

/// A word without its quotes, of which one may be open, and without its backslashes.
pub(super) fn without_quotes(word: &str) -> String {
    let line = Line::of_bash(word, "");
    // Spaces that no quote is around come from a shell that has taken it off.
    if line.words.is_empty() && !line.is_redirected { line.current } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BREAKS: &str = " \t\n\"'@><=;|&(:";

    /// The line as it is after the completion, as Bash would make it.
    fn completed(line: &str, value: &str) -> Option<String> {
        let parsed = Line::of_bash(line, BREAKS);
        let written = parsed.rest_for_bash(value)?;
        // Where the part that is replaced begins: the first place where the line is as it is kept.
        let start = (0..=line.len()).filter(|at| line.is_char_boundary(*at)).find(|at| {
            let before = Line::of_bash(&line[..*at], BREAKS);
            before.words == parsed.words
                && before.current.len() == parsed.kept
                && before.kept == parsed.kept
                && before.quote == parsed.quote
        })?;
        let close = parsed.quote.map(String::from).unwrap_or_default();
        Some(format!("{}{written}{close}", &line[..start]))
    }

    #[test]
    fn words_are_told_apart_as_a_shell_does() {
        let line = Line::of_bash(r#"keys -p 'my work' show a\ b "c$d\"e" Inge"#, BREAKS);
        assert_eq!(line.words, ["keys", "-p", "my work", "show", "a b", "c$d\"e"]);
        assert_eq!((line.current.as_str(), line.quote, line.kept), ("Inge", None, 0));
        let line = Line::of_bash("keys show ", BREAKS);
        assert_eq!((line.words.len(), line.current.as_str()), (2, ""));
        let line = Line::of_bash("keys create --perm=read:con", BREAKS);
        assert_eq!((line.current.as_str(), line.kept), ("--perm=read:con", "--perm=read:".len()));
        let line = Line::of_bash("keys list --json > out/fi", BREAKS);
        assert!(line.is_redirected && line.current == "out/fi" && line.words == ["keys", "list", "--json"]);
        assert!(!Line::of_bash("keys list >out ", BREAKS).is_redirected);
        for (word, plain) in [("a\\ b", "a b"), ("\"a b", "a b"), ("'a", "a"), ("a b", "a b"), ("", "")] {
            assert_eq!(without_quotes(word), plain);
        }
    }

    #[test]
    fn a_completion_is_written_in_the_quotes_that_are_open() {
        let cases = [
            ("keys show Ing", "Ingestion worker", r"keys show Ingestion\ worker"),
            ("keys show \"Ing", "Ingestion worker", "keys show \"Ingestion worker\""),
            ("keys show 'it", "it's", r"keys show 'it'\''s'"),
            ("keys show ", "$(reboot); `x` *", r"keys show \$\(reboot\)\;\ \`x\`\ \*"),
            ("keys show \"a", "a!b", "keys show \"a\"\\!\"b\""),
            ("keys create --perm read:c", "read:contacts", "keys create --perm read:contacts"),
            ("keys create --perm=re", "--perm=read:contacts", "keys create --perm=read:contacts"),
            (r"keys show worker\ @20", "worker @2026-11-20", r"keys show worker\ @2026-11-20"),
            ("keys show \"a b\"c", "a bcd", "keys show \"a b\"cd"),
        ];
        for (line, value, expected) in cases {
            assert_eq!(completed(line, value).as_deref(), Some(expected), "{line}");
        }
        assert_eq!(Line::of_bash("keys show x", BREAKS).rest_for_bash("other"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_means_the_value(
            value in "[a-zé '\"\\\\$`*!;|&()<>:@=#~]{1,20}",
            typed in 0..20_usize,
            quote in prop_oneof![Just(""), Just("'"), Just("\"")],
        ) {
            let cut = value.char_indices().map(|(at, _)| at).chain([value.len()]).nth(typed).unwrap_or(value.len());
            // What a person has typed of it is itself written in the same manner.
            let opened = format!("keys show {quote}");
            let begun = Line::of_bash(&opened, BREAKS).rest_for_bash(&value[..cut]).unwrap();
            let line = format!("{opened}{begun}");
            let whole = completed(&line, &value).unwrap();
            let mut after = Line::of_bash(&format!("{whole} "), BREAKS);
            prop_assert_eq!(after.words.pop(), Some(value), "{} → {}", line, whole);
        }

        #[test]
        fn no_line_panics(line in ".*", breaks in ".*", value in ".*") {
            Line::of_bash(&line, &breaks).rest_for_bash(&value);
            without_quotes(&line);
        }
    }
}
