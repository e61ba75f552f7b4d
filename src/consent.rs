//! Consent to what cannot, or not easily, be taken back: a yes for what is moderate, a typed name for what is severe.
//!
//! Without a terminal, with `--no-input` or with `CI` set, only `--yes` (and `--confirm` or `--max`) is consent; bytes on
//! a pipe never are.

use std::io::{self, ErrorKind};

use jiff::Timestamp;

use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::model::key::Key;
use crate::model::lifetime::Age;
use crate::terminal::Terminal;
use crate::text;

/// A key used within this long is one that somebody would miss.
const IN_USE: &str = "7d";

/// What a person said in advance.
#[derive(Debug, Default)]
pub(crate) struct Given<'a> {
    pub(crate) yes: bool,
    /// The names or ids of keys, typed already.
    pub(crate) confirm: &'a [String],
    /// The most keys that may be touched.
    pub(crate) max: Option<usize>,
    /// The names and ids of keys that were meant and are done already: confirming them is right, and nothing is asked.
    pub(crate) settled: Vec<String>,
    /// Whether the keys are chosen by what they are and not named, so that there may be any number of them.
    pub(crate) many: bool,
}

/// What is about to be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Act<'a> {
    /// `revoke`
    pub(crate) verb: &'a str,
    /// Whether it is severe whatever the key, because it cannot be taken back.
    pub(crate) is_final: bool,
    /// What has to be known before: it is said with the question.
    pub(crate) warning: Option<&'a str>,
}

impl<'a> Act<'a> {
    pub(crate) const fn new(verb: &'a str) -> Self {
        Self { verb, is_final: false, warning: None }
    }
}

impl Given<'_> {
    /// Refuses, before any request, what nobody can be asked about and what was said in advance cannot be enough for.
    pub(crate) fn or_somebody_to_ask(&self, act: Act<'_>, terminal: &Terminal) -> Result<(), Failure> {
        let enough = self.yes && (!(act.is_final || self.many) || !self.confirm.is_empty() || self.max.is_some());
        if enough || terminal.can_ask() {
            return Ok(());
        }
        let message = format!("{} needs confirmation, and there is nobody to ask", act.verb);
        let way = match (self.many, act.is_final) {
            (true, _) => "--yes --max N, with the most keys that may be touched",
            (false, true) => "--yes --confirm NAME, or --yes --max N for several keys",
            (false, false) => "--yes",
        };
        Err(unconfirmed(message).hint(format!("add {way}")))
    }

    /// Obtains consent to an act on these keys of `host`. On return it is given.
    pub(crate) fn obtain(
        &self,
        act: Act<'_>,
        keys: &[Key],
        host: &str,
        terminal: &mut Terminal,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        self.within_max(act, keys.len())?;
        let is_meant = |name: &String| self.settled.contains(name) || keys.iter().any(|key| is_named(key, name));
        if let Some(wrong) = self.confirm.iter().find(|name| !is_meant(name)) {
            let message = format!("--confirm {} names none of the keys", quoted(wrong));
            return Err(unconfirmed(message).hint("give the name as it is listed, or the id").into());
        }
        let question = format!("{}{}?", described(act, keys, host, now), capitalised(act.verb));
        let Some(reason) = severity(act, keys, now) else {
            if self.yes {
                return Ok(());
            }
            self.or_somebody_to_ask(act, terminal)?;
            return agreed(terminal.confirm(&question));
        };
        let in_advance = self.all_confirmed(keys) || (self.max.is_some() && (self.many || keys.len() > 1));
        if in_advance && (self.yes || terminal.can_ask()) {
            return Ok(());
        }
        if !terminal.can_ask() {
            let yes = if self.yes { "" } else { "--yes " };
            let way = if let [key] = keys {
                format!("{yes}--confirm {}", typed_name(key))
            } else {
                format!("{yes}--max {}", keys.len())
            };
            let message = format!("{} needs more than --yes here: {reason}", act.verb);
            return Err(unconfirmed(message).hint(format!("add {way}")).into());
        }
        let expected = if let [key] = keys {
            text::escape(&key.name).into_owned()
        } else {
            format!("{} {} keys", act.verb, keys.len())
        };
        agreed(terminal.confirm_by_typing(&question, &expected))
    }

    /// Obtains a yes, which is enough whatever the key is used for: its successor is there by then.
    pub(crate) fn obtain_yes(
        &self,
        act: Act<'_>,
        key: &Key,
        host: &str,
        terminal: &mut Terminal,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        if self.yes {
            return Ok(());
        }
        self.or_somebody_to_ask(act, terminal)?;
        let question = format!("{}{}?", described(act, std::slice::from_ref(key), host, now), capitalised(act.verb));
        agreed(terminal.confirm(&question))
    }

    /// Refuses more keys than were allowed.
    pub(crate) fn within_max(&self, act: Act<'_>, count: usize) -> Result<(), Failure> {
        let Some(max) = self.max.filter(|max| count > *max) else { return Ok(()) };
        let message = format!("this would {} {}, more than --max {max} allows", act.verb, text::count(count, "key"));
        Err(unconfirmed(message).hint("name fewer keys, or raise --max"))
    }

    fn all_confirmed(&self, keys: &[Key]) -> bool {
        keys.iter().all(|key| self.confirm.iter().any(|name| is_named(key, name)))
    }
}

/// Why a yes is not enough; nothing where it is.
fn severity(act: Act<'_>, keys: &[Key], now: Timestamp) -> Option<&'static str> {
    if keys.len() > 1 {
        Some("it touches more than one key")
    } else if act.is_final {
        Some("it cannot be taken back")
    } else if keys.iter().any(|key| is_in_use(key, now)) {
        Some("the key was used in the last seven days")
    } else {
        None
    }
}

/// The keys a question is about. Part of the question, so that no `--quiet` leaves it out.
fn described(act: Act<'_>, keys: &[Key], host: &str, now: Timestamp) -> String {
    let mut text = format!("About to {} on {host}:\n", act.verb);
    for key in keys {
        let used = key
            .last_used_at
            .map_or_else(|| "never used".to_owned(), |used| format!("last used {}", text::relative(used, now)));
        text.extend(["  ", key.id.as_str(), "  ", &text::escape(&key.name), "  ", &used, "\n"]);
    }
    if let Some(warning) = act.warning {
        text.extend([warning, "\n"]);
    }
    text
}

/// The key's name as a word to type in a shell, or its id where the name cannot be typed.
fn typed_name(key: &Key) -> String {
    let name = if text::escape(&key.name) == key.name { &key.name } else { key.id.as_str() };
    text::shell_word(name)
}

fn is_named(key: &Key, name: &str) -> bool {
    key.name == name || key.id.as_str() == name
}

fn is_in_use(key: &Key, now: Timestamp) -> bool {
    let recently = IN_USE.parse::<Age>().map(|age| age.before(now));
    key.last_used_at.zip(recently.ok()).is_some_and(|(used, recently)| used > recently)
}

fn unconfirmed(message: String) -> Failure {
    Failure::new(Exit::Unconfirmed, "confirmation_needed", message)
}

/// Turns an answer into consent. Ctrl-C at a question is an interruption, not a no.
pub(crate) fn agreed(answer: io::Result<bool>) -> anyhow::Result<()> {
    match answer {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::new(Exit::Unconfirmed, "declined", "declined; nothing was changed").into()),
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            Err(Failure::new(Exit::Interrupted, "interrupted", "interrupted; nothing was changed").into())
        }
        Err(error) => Err(anyhow::Error::new(error).context("could not ask for confirmation")),
    }
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
