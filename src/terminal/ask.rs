//! Questions, and who answers them.

use std::io::{self, IsTerminal as _, Write as _};

use zeroize::Zeroizing;

use super::input::{read_all, standard_input};
#[cfg(unix)]
use super::menu;
#[cfg(test)]
use super::tests;
use super::{Left, Offer, Take, Terminal, prompt, visible};
use crate::text;

impl Terminal {
    /// Whether a new key can be shown to somebody who decides what becomes of it.
    pub(crate) fn can_offer(&self) -> bool {
        self.out_on_screen && !self.surroundings.dumb && self.can_ask() && self.person.has_menu()
    }

    /// Shows a new key masked, and has the person at the terminal take it; see [`menu`].
    pub(crate) fn offer(&mut self, offer: &Offer<'_>, take: Take<'_>) -> io::Result<Left> {
        self.out.flush()?;
        #[cfg(unix)]
        return menu::offer(prompt::open()?, offer, take);
        #[cfg(not(unix))]
        {
            let _ = (offer, take);
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    /// Whether there is somebody to ask.
    pub(crate) fn can_ask(&self) -> bool {
        !self.no_input && !self.surroundings.ci && self.person.is_there()
    }

    /// Asks for a yes; everything else is a no.
    pub(crate) fn confirm(&mut self, question: &str) -> io::Result<bool> {
        let answer = self.ask(&format!("{} [y/N] ", visible(question)), Echo::Shown)?;
        Ok(answer.is_some_and(|answer| matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
    }

    /// Asks for a name to be typed: what is about to happen should not happen by habit.
    pub(crate) fn confirm_by_typing(&mut self, question: &str, expected: &str) -> io::Result<bool> {
        let shown = text::escape(expected);
        let prompt = format!("{}\nType `{shown}` to confirm: ", visible(question));
        let answer = self.ask(&prompt, Echo::Shown)?;
        // A name with control characters cannot be typed but as it is shown.
        Ok(answer.is_some_and(|answer| answer.trim() == expected.trim() || answer.trim() == shown.trim()))
    }

    /// Takes one secret from standard input: all of a pipe or file, or what a person types unseen.
    pub(crate) fn read_secret(&mut self, prompt: &str) -> io::Result<Zeroizing<String>> {
        if let Some(secret) = self.person.secret_from_standard_input() {
            return secret;
        }
        if !self.can_ask() {
            return Err(io::Error::new(io::ErrorKind::NotConnected, "nothing is piped in and nobody is to be asked"));
        }
        self.ask_secret(prompt)
    }

    /// Takes one secret that a person types unseen, whatever is piped in.
    pub(crate) fn ask_secret(&mut self, prompt: &str) -> io::Result<Zeroizing<String>> {
        self.ask(&visible(prompt), Echo::Hidden)?
            .ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the input ended before a line was entered"))
    }

    /// Asks, and takes one line; `None` is the end of the input.
    fn ask(&mut self, prompt: &str, echo: Echo) -> io::Result<Option<Zeroizing<String>>> {
        if self.out_on_screen {
            self.out.flush()?;
        }
        match &self.person {
            Person::System => prompt::system(prompt, echo),
            #[cfg(test)]
            Person::Scripted(script) => script.ask(prompt, echo),
        }
    }
}

/// Whether what is typed can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Echo {
    Shown,
    Hidden,
}

/// Who answers.
pub(super) enum Person {
    System,
    #[cfg(test)]
    Scripted(tests::Script),
}

impl Person {
    fn is_there(&self) -> bool {
        match self {
            Self::System => prompt::is_possible(),
            #[cfg(test)]
            Self::Scripted(script) => script.answers(),
        }
    }

    const fn has_menu(&self) -> bool {
        match self {
            Self::System => cfg!(unix),
            #[cfg(test)]
            Self::Scripted(_) => false,
        }
    }

    /// What is piped in; `None` where standard input is a terminal.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads standard input")]
    fn secret_from_standard_input(&self) -> Option<io::Result<Zeroizing<String>>> {
        match self {
            Self::System if io::stdin().is_terminal() => None,
            Self::System => Some(standard_input().and_then(|mut input| read_all(&mut input))),
            #[cfg(test)]
            Self::Scripted(script) => script.standard_input().map(|input| read_all(&mut input.as_slice())),
        }
    }
}
