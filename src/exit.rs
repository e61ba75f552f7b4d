//! The exit codes: one enum, whose doc comments are the text of `keys help exit-codes` and of the man page.
//!
//! Every error that crosses a boundary says its code and its next step itself, through [`Explain`]; `failure` prints it.

use clap::ValueEnum;

/// How a run ended. Never renumbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done, also when there was nothing to do
    Done = 0,
    /// A fault of ours
    Internal = 1,
    /// Usage, or a value refused locally
    Usage = 2,
    /// Not found
    NotFound = 3,
    /// No credential, or it was refused (401)
    Unauthenticated = 4,
    /// Not allowed (403; a missing permission is named), or not offered by this provider
    Forbidden = 5,
    /// Conflict: 409, ambiguous name, rotation already open, old key still in use
    Conflict = 6,
    /// Rate limited longer than --max-wait, or out of credits (402)
    Limited = 7,
    /// Network or server trouble; nothing was changed
    Unreachable = 8,
    /// A bulk run did part of its work; `failures[]` names the rest
    Partial = 9,
    /// Outcome unknown: it may have happened; the line to resume it is printed
    Unknown = 10,
    /// Minted, but not delivered: the secret is kept safe; the line to resume it is printed
    Undelivered = 11,
    /// A check failed
    CheckFailed = 12,
    /// Confirmation needed and nobody to ask, or declined
    Unconfirmed = 13,
    /// Interrupted (Ctrl-C)
    Interrupted = 130,
    /// Terminated
    Terminated = 143,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// The code's meaning, from its doc comment.
    pub(crate) fn meaning(self) -> String {
        self.to_possible_value().and_then(|value| value.get_help().map(ToString::to_string)).unwrap_or_default()
    }
}

/// What every boundary error knows about itself. Written as matches without `_`, so that a new error does not compile
/// until somebody has thought about its code.
pub(crate) trait Explain: std::error::Error {
    fn exit(&self) -> Exit;

    /// A stable word for scripts: `not_found`.
    fn code(&self) -> &str;

    /// What to do next, as a sentence or a command.
    fn hint(&self) -> Option<String>;

    /// Whether the same again may do, without anybody changing anything.
    fn is_retryable(&self) -> bool {
        matches!(self.exit(), Exit::Limited | Exit::Unreachable | Exit::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_meaning_and_keeps_its_number() {
        let numbers: Vec<u8> = Exit::value_variants().iter().map(|exit| exit.code()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 130, 143]);
        assert!(Exit::value_variants().iter().all(|exit| !exit.meaning().is_empty()));
    }
}
