//! Why a secret could not go where it was sent. No message holds any of the secret, or of what a command said when it
//! had been given it.

use std::io;
use std::process::ExitStatus;

use thiserror::Error;

use crate::credential::CredentialError;
use crate::exit::{Exit, Explain};
use crate::files::FileError;

/// A place that failed, before the key was minted or after.
#[derive(Debug, Error)]
pub(crate) enum SinkError {
    #[error("could not prepare `{place}`: {reason}")]
    NotReady { place: String, reason: Reason },
    #[error("could not deliver to `{place}`: {reason}")]
    NotDelivered { place: String, reason: Reason },
}

impl Explain for SinkError {
    fn exit(&self) -> Exit {
        match self {
            Self::NotReady { .. } => Exit::Usage,
            Self::NotDelivered { reason: Reason::Interrupted { terminated: false }, .. } => Exit::Interrupted,
            Self::NotDelivered { reason: Reason::Interrupted { terminated: true }, .. } => Exit::Terminated,
            Self::NotDelivered { .. } => Exit::Undelivered,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::NotReady { .. } => "sink_not_ready",
            Self::NotDelivered { .. } => "not_delivered",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotReady { reason, .. } | Self::NotDelivered { reason, .. } => reason.hint(),
        }
    }
}

impl SinkError {
    /// The reason alone, for whoever names the place in its own words.
    pub(crate) fn reason(&self) -> String {
        let (Self::NotReady { reason, .. } | Self::NotDelivered { reason, .. }) = self;
        reason.to_string()
    }
}

/// A delivery that ended early. The places behind the failed one were not tried.
#[derive(Debug, Error)]
#[error("{cause}")]
pub(crate) struct Undelivered {
    /// The places that have the secret.
    pub(crate) done: Vec<String>,
    /// Boxed, because every result on the way back carries it. Part of the message and not a source: see [`Reason`].
    pub(crate) cause: Box<SinkError>,
}

/// What went wrong at a place. System errors are part of the message and not a source: a closed pipe ends a listing in
/// silence, and must never end a delivery so.
#[derive(Debug, Error)]
pub(crate) enum Reason {
    #[error("{}", .0.reason())]
    File(FileError),
    #[error("{0}")]
    Keyring(CredentialError),
    #[error("the file is not UTF-8 text")]
    NotText,
    #[error("the quote in line {0} never ends")]
    Unclosed(usize),
    #[error("`{0}` goes there already")]
    Repeated(String),
    #[error("could not {attempt}: {cause}")]
    System { attempt: &'static str, cause: io::Error },
    #[error("interrupted while the command had not ended")]
    Interrupted { terminated: bool },
    #[error("{0} is not set: this is no step of GitHub Actions")]
    NoStep(&'static str),
    #[error("{0} does not name a regular file")]
    NoStepFile(&'static str),
    #[error("a coding agent is between this command and the runner, which cannot be told to mask the key")]
    Unmasked,
    #[error("the disk that holds it is full")]
    Full,
    #[error("a dotenv file within the project may become a report of GitLab, which others can download")]
    Report,
    #[error("there is no clipboard: {0}")]
    NoClipboard(String),
    #[error("the clipboard did not take it: {0}")]
    NotCopied(String),
    #[error("the command ended with {0}")]
    Ended(ExitStatus),
    #[cfg(unix)]
    #[error("`sh` does not understand the command: {0}")]
    Syntax(String),
    #[cfg(unix)]
    #[error("there is no command `{0}`")]
    NoCommand(String),
    #[cfg(unix)]
    #[error("descriptor {0} was not handed to this program")]
    NotOpen(u32),
    #[cfg(unix)]
    #[error("descriptor {0} is open for reading only")]
    ReadOnly(u32),
    #[cfg(not(unix))]
    #[error("descriptors are not offered on this system")]
    NotOffered,
}

impl Reason {
    /// Completes "could not …".
    pub(super) fn system(attempt: &'static str) -> impl Fn(io::Error) -> Self {
        move |cause| Self::System { attempt, cause }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::Keyring(error) => Some(without_keyring(error)),
            Self::NotText => Some("name another file, or convert this one".to_owned()),
            Self::Unclosed(_) => Some("close the quote, or write it as `\"'\"` if it belongs to the value".to_owned()),
            Self::Repeated(_) => Some("give each place once".to_owned()),
            Self::System { .. } | Self::Ended(_) | Self::Interrupted { .. } => None,
            Self::NoStep(_) | Self::NoStepFile(_) | Self::Unmasked => {
                Some("use `file:PATH`, `dotenv:PATH#VAR` or `cmd:COMMAND`".to_owned())
            }
            Self::Full => Some("make room, or name another place".to_owned()),
            Self::Report => Some(
                "give it to GitLab, as in --to cmd:'glab variable set NAME --masked', or to a file outside the project"
                    .to_owned(),
            ),
            Self::NoClipboard(_) | Self::NotCopied(_) => {
                Some("use `file:PATH`, or `cmd:COMMAND` with a command that copies".to_owned())
            }
            #[cfg(unix)]
            Self::Syntax(_) => Some("quote the whole place for your own shell: --to 'cmd:COMMAND'".to_owned()),
            #[cfg(unix)]
            Self::NoCommand(_) => Some("check the spelling and the PATH".to_owned()),
            #[cfg(unix)]
            Self::NotOpen(number) | Self::ReadOnly(number) => {
                Some(format!("open it for writing in your shell: `keys ... --to fd:{number} {number}>FILE`"))
            }
            #[cfg(not(unix))]
            Self::NotOffered => Some("use `file:PATH` or `cmd:COMMAND`".to_owned()),
        }
    }
}

/// What there is instead of the keyring. Not the keyring's own advice, which is for logins.
fn without_keyring(error: &CredentialError) -> String {
    let first = if matches!(error, CredentialError::Locked) { "unlock it, or " } else { "" };
    format!("{first}send the key elsewhere, for instance with `--to file:PATH` or `--to cmd:COMMAND`")
}

impl From<CredentialError> for Reason {
    fn from(error: CredentialError) -> Self {
        Self::Keyring(error)
    }
}

impl From<FileError> for Reason {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}
