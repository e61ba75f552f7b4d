//! `keys __complete`: what could be typed next, for the scripts that `keys completions` prints. Not one of the commands, so
//! that neither help nor the manual shows it.
//!
//! A key that is pressed waits for nothing: nothing is sent, no keyring and no database is opened. Names of keys are those
//! that earlier commands saw.

mod line;
mod sources;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use clap::CommandFactory as _;
use clap_complete::CompletionCandidate;
use clap_complete::engine::{self, PathCompleter, ValueCompleter as _};

use self::line::Line;
use self::sources::Sources;
use crate::cli::Cli;
use crate::config::Environment;
use crate::terminal::Terminal;
use crate::text;

/// The word that asks for this.
pub(super) const COMPLETE: &str = "__complete";

/// Whether this is what is asked for.
pub(crate) fn is_meant(arguments: &[OsString]) -> bool {
    arguments.get(1).is_some_and(|word| word == COMPLETE)
}

/// `keys __complete bash BREAKS LINE`: the line as far as the cursor, and the characters that part words for Bash.
/// `keys __complete zsh|fish WORD...`: the words from `keys` on, the last one as far as the cursor.
pub(crate) fn run(arguments: &[OsString], environment: &Environment, terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut words = arguments.iter().skip(2).map(|word| word.to_string_lossy().into_owned());
    let shell = words.next().unwrap_or_default();
    let line = match shell.as_str() {
        "bash" => {
            let breaks = words.next().unwrap_or_default();
            Line::of_bash(&words.next().unwrap_or_default(), &breaks)
        }
        "fish" => Line::of_words(words.collect(), line::without_quotes),
        _ => Line::of_words(words.collect(), str::to_owned),
    };
    for candidate in candidates(&line, environment) {
        let value = candidate.get_value().to_string_lossy();
        // A shell takes what it gets a line at a time, and shows it.
        if text::escape(&value) != value {
            continue;
        }
        let shown = if shell == "bash" { line.rest_for_bash(&value) } else { Some(described(&candidate, &value)) };
        if let Some(shown) = shown {
            writeln!(terminal.out(), "{shown}")?;
        }
    }
    Ok(terminal.flush()?)
}

/// A candidate and what it is, a tab between them.
fn described(candidate: &CompletionCandidate, value: &str) -> String {
    let about = candidate.get_help().map(ToString::to_string).unwrap_or_default();
    let about = text::escape(about.lines().next().unwrap_or_default()).into_owned();
    if about.is_empty() { value.to_owned() } else { format!("{value}\t{about}") }
}

fn candidates(line: &Line, environment: &Environment) -> Vec<CompletionCandidate> {
    if line.is_redirected {
        return PathCompleter::any().complete(OsStr::new(&line.current));
    }
    let sources = Arc::new(Sources::of(&line.words, environment));
    let mut command = sources::with(Cli::command(), &[], &sources);
    let words = line.words.iter().chain([&line.current]).map(OsString::from).collect();
    let found = engine::complete(&mut command, words, line.words.len(), Some(Path::new(".")));
    let mut found = found.unwrap_or_default();
    // Where there are values, the options are shown to who has begun one.
    let is_option = |candidate: &CompletionCandidate| candidate.get_value().as_encoded_bytes().starts_with(b"-");
    if line.current.is_empty() && !found.iter().all(is_option) {
        found.retain(|candidate| !is_option(candidate));
    }
    found
}
