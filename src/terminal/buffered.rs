//! The buffer in front of standard output.

use std::io::{self, Write};

use zeroize::Zeroize;

/// Data waits in here on its way to standard output: one system call for some hundred rows.
pub(super) const BUFFER: usize = 64 * 1024;

/// A writer that keeps what it was given until it is flushed or full, can forget it, and wipes it behind itself, because it
/// may have been a secret. Not a `BufWriter`: that one writes when dropped and can do neither of the last two.
pub(super) struct Buffered {
    pub(super) pending: Vec<u8>,
    sink: Box<dyn Write + Send>,
}

impl Buffered {
    pub(super) fn new(sink: Box<dyn Write + Send>) -> Self {
        Self { pending: Vec::new(), sink }
    }

    pub(super) fn clear(&mut self) {
        self.pending.as_mut_slice().zeroize();
        self.pending.clear();
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let passed = self.sink.write_all(&self.pending);
        // Also after a failure: what was written in part must not be written a second time.
        self.clear();
        passed
    }
}

impl Write for Buffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.capacity() == 0 {
            // All of it at once: growing would leave copies behind. And late: most commands that fail never need it.
            self.pending.reserve_exact(BUFFER);
        }
        if self.pending.len() + bytes.len() > BUFFER {
            self.pass_on()?;
        }
        if bytes.len() >= BUFFER {
            self.sink.write_all(bytes)?;
        } else {
            self.pending.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()?;
        self.sink.flush()
    }
}
