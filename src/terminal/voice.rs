//! Standard error, which more than one may write to: a command, and what it waits for.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::visible;

/// The stream. Each piece is written as a whole.
#[derive(Clone)]
pub(super) struct Stderr(Arc<Mutex<Box<dyn Write + Send>>>);

impl Stderr {
    pub(super) fn new(stream: Box<dyn Write + Send>) -> Self {
        Self(Arc::new(Mutex::new(stream)))
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stream.write_all(bytes)?;
        stream.flush()
    }
}

/// Talks to the person while a command is at work and has the terminal for itself.
#[derive(Clone)]
pub(crate) struct Voice {
    pub(super) stderr: Stderr,
    pub(super) quiet: bool,
}

impl Voice {
    /// One that nobody hears.
    #[cfg(test)]
    pub(crate) fn unheard() -> Self {
        Self { stderr: Stderr::new(Box::new(io::sink())), quiet: true }
    }

    /// Says something that may be left out; `--quiet` does.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            self.tell(text);
        }
    }

    /// Says what was asked for. A closed standard error loses it, and nothing else happens.
    pub(crate) fn tell(&self, text: &str) {
        let _ = self.stderr.write(format!("{}\n", visible(text)).as_bytes());
    }
}
