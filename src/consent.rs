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
    /// The names of keys, typed already.
    pub(crate) confirm: &'a [String],
    /// The most keys that may be touched.
    pub(crate) max: Option<usize>,
}

/// What is about to be done, in words that fit "Really … ?" and "… needs confirmation".
#[derive(Debug)]
pub(crate) struct Act<'a> {
    /// `revoke`
    pub(crate) verb: &'a str,
    /// What to say of where it happens: `local`, a host.
    pub(crate) host: &'a str,
    /// Whether it is severe whatever the key.
    pub(crate) severe: bool,
}

impl Given<'_> {
    /// Refuses, before any request, what nobody can be asked about.
    pub(crate) fn or_somebody_to_ask(&self, verb: &str, terminal: &Terminal) -> Result<(), Failure> {
        if self.yes || terminal.can_ask() {
            return Ok(());
        }
        let message = format!("{verb} needs confirmation, and there is nobody to ask");
        Err(unconfirmed(message).hint("add --yes"))
    }

    /// Obtains consent to an act on these keys. On return it is given.
    pub(crate) fn obtain(
        &self,
        act: &Act<'_>,
        keys: &[Key],
        terminal: &mut Terminal,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        if let Some(max) = self.max.filter(|max| keys.len() > *max) {
            let message =
                format!("this would {} {}, more than --max {max} allows", act.verb, text::count(keys.len(), "key"));
            return Err(unconfirmed(message).hint("name fewer keys, or raise --max").into());
        }
        let in_use = keys.iter().any(|key| is_in_use(key, now));
        if !(act.severe || in_use || keys.len() > 1) {
            return self.moderate(act, keys, terminal, now);
        }
        if self.all_confirmed(keys) || (self.yes && self.max.is_some() && keys.len() > 1) {
            return self.or_somebody_to_ask(act.verb, terminal).map_err(Into::into);
        }
        if let Some(wrong) = self.confirm.iter().find(|name| keys.iter().all(|key| !is_named(key, name))) {
            let message = format!("--confirm {} names none of the keys", quoted(wrong));
            return Err(unconfirmed(message).hint("give the name as it is listed").into());
        }
        Self::severe(act, keys, terminal, now)
    }

    fn all_confirmed(&self, keys: &[Key]) -> bool {
        keys.iter().all(|key| self.confirm.iter().any(|name| is_named(key, name)))
    }

    fn moderate(&self, act: &Act<'_>, keys: &[Key], terminal: &mut Terminal, now: Timestamp) -> anyhow::Result<()> {
        if self.yes {
            return Ok(());
        }
        self.or_somebody_to_ask(act.verb, terminal)?;
        describe(act, keys, terminal, now);
        agreed(terminal.confirm(&format!("{}?", capitalised(act.verb))))
    }

    fn severe(act: &Act<'_>, keys: &[Key], terminal: &mut Terminal, now: Timestamp) -> anyhow::Result<()> {
        let single = if let [key] = keys { Some(&key.name) } else { None };
        if !terminal.can_ask() {
            let (reason, way) = match single {
                Some(name) => (
                    "it cannot be taken back, or the key is in use",
                    format!("--yes --confirm {}", text::shell_word(name)),
                ),
                None => ("it touches more than one key", format!("--yes --max {}", keys.len())),
            };
            let message = format!("{} needs more than --yes here: {reason}", act.verb);
            return Err(unconfirmed(message).hint(format!("add {way}")).into());
        }
        describe(act, keys, terminal, now);
        let expected = match single {
            Some(name) => text::escape(name).into_owned(),
            None => format!("{} {} keys", act.verb, keys.len()),
        };
        agreed(terminal.confirm_by_typing(&format!("{}?", capitalised(act.verb)), &expected))
    }
}

fn describe(act: &Act<'_>, keys: &[Key], terminal: &mut Terminal, now: Timestamp) {
    terminal.say(&format!("About to {} on {}:", act.verb, act.host));
    for key in keys {
        let used = key
            .last_used_at
            .map_or_else(|| "never used".to_owned(), |used| format!("last used {}", text::relative(used, now)));
        terminal.say(&format!("  {}  {}  {used}", key.id, text::escape(&key.name)));
    }
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
fn agreed(answer: io::Result<bool>) -> anyhow::Result<()> {
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
