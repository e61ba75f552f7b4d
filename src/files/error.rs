//! Why a file could not be used, and what to do about it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::parent;
use crate::exit::{Exit, Explain};
use crate::text;

/// What is tried by those who only look.
pub(super) const READ: &str = "read";

/// What was tried with which file, and why it did not work. The reason is part of the message and not a source, so that
/// a closed pipe below a secret is never taken for a reader who has seen enough.
#[derive(Debug, Error)]
#[error("could not {attempt} `{}`: {why}", path.display())]
pub(crate) struct FileError {
    attempt: &'static str,
    path: PathBuf,
    why: Why,
    /// Whether it is read because somebody named it: then that is what is wrong, and not a file of ours.
    named: bool,
}

#[derive(Debug, Error)]
pub(super) enum Why {
    #[error("it is a symbolic link")]
    Link,
    #[error("another program holds it")]
    Held,
    #[error("it is a directory")]
    Directory,
    #[error("it is not a regular file")]
    Special,
    #[error("it is not a directory")]
    NotADirectory,
    #[cfg(unix)]
    #[error("others may use it (its mode is {0:04o})")]
    Open(u32),
    #[cfg(unix)]
    #[error("it belongs to another user (uid {0})")]
    Foreign(u32),
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    #[error("this does not name a file")]
    NoName,
    #[error("{0}")]
    System(io::Error),
}

impl FileError {
    /// The reason alone, for whoever names the place in its own words.
    pub(crate) fn reason(&self) -> String {
        self.why.to_string()
    }

    pub(super) fn new(attempt: &'static str, path: &Path, why: Why) -> Self {
        Self { attempt, path: path.to_owned(), why, named: false }
    }

    /// Could not read a file that somebody named.
    pub(super) fn of_named(path: &Path, why: Why) -> Self {
        Self { named: true, ..Self::new(READ, path, why) }
    }

    /// What to name instead of what cannot be read; nothing where that is not what is wrong.
    fn hint_of_named(&self) -> Option<String> {
        match &self.why {
            Why::Directory | Why::Special | Why::NoName => Some("name a regular file".to_owned()),
            Why::System(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Some("name a file that exists".to_owned())
            }
            _ => None,
        }
    }

    fn system_hint(&self, kind: ErrorKind) -> Option<String> {
        match kind {
            ErrorKind::NotFound => {
                Some(format!("create the directory first: `mkdir -p {}`", shell_word(parent(&self.path))))
            }
            ErrorKind::PermissionDenied => Some("check who may write to the directory, or name another".to_owned()),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Some("make room on the disk, or name another".to_owned())
            }
            ErrorKind::ReadOnlyFilesystem => Some("name a file on a disk that can be written to".to_owned()),
            _ => None,
        }
    }
}

impl Explain for FileError {
    /// Where a file of ours cannot be used, nothing was changed. A sink that cannot be used says so in its own words.
    fn exit(&self) -> Exit {
        if self.named { Exit::Usage } else { Exit::Unreachable }
    }

    fn code(&self) -> &'static str {
        "file_unusable"
    }

    fn is_retryable(&self) -> bool {
        matches!(self.why, Why::Held)
    }

    fn hint(&self) -> Option<String> {
        if let Some(hint) = self.hint_of_named().filter(|_| self.named) {
            return Some(hint);
        }
        let path = self.path.display();
        match &self.why {
            Why::Link => Some("name the file itself: links are not followed".to_owned()),
            Why::Directory | Why::NoName => {
                Some(format!("name a file in it, such as `{}`", self.path.join("key").display()))
            }
            Why::Held => Some("close the program that holds it, then run the command again".to_owned()),
            Why::Special => Some("name a regular file, or one that does not exist yet".to_owned()),
            Why::NotADirectory => Some(format!("move `{path}` away or name another directory")),
            #[cfg(unix)]
            Why::Open(_) => Some(format!("run `chmod 600 {}`", shell_word(&self.path))),
            #[cfg(unix)]
            Why::Foreign(_) => Some(format!("move `{path}` away or name another file")),
            Why::TooLarge(_) => Some("check that this is the file you meant".to_owned()),
            Why::System(cause) if self.attempt == READ => match cause.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => Some("check the path".to_owned()),
                ErrorKind::PermissionDenied => Some("let the user who runs this read it, and nobody else".to_owned()),
                _ => None,
            },
            Why::System(cause) => self.system_hint(cause.kind()),
        }
    }
}

/// A path as it can be pasted into a shell.
pub(super) fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let guard = if text.starts_with('-') { "./" } else { "" };
    text::shell_word(&format!("{guard}{text}"))
}
