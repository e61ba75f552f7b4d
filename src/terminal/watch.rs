//! Signals that must not end the process while a terminal is in another state than it was found in.

use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// A signal that ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caught {
    Interrupt,
    Terminate,
}

/// While this exists, signals are noted instead of ending the process, and can be waited for.
pub(super) struct Watch {
    wakes: UnixStream,
    caught: Arc<AtomicUsize>,
    registered: Vec<SigId>,
}

impl Watch {
    pub(super) fn start() -> io::Result<Self> {
        let (wakes, sender) = UnixStream::pair()?;
        wakes.set_nonblocking(true)?;
        let mut watch = Self { wakes, caught: Arc::default(), registered: Vec::new() };
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal).unwrap_or_default();
            // In this order: who is woken finds the note.
            watch.registered.push(signal_hook::flag::register_usize(signal, Arc::clone(&watch.caught), number)?);
            watch.registered.push(signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?);
        }
        Ok(watch)
    }

    /// Readable when a signal came.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.wakes.as_fd()
    }

    /// What came since the last time.
    pub(super) fn take(&mut self) -> Option<Caught> {
        let mut wakes = [0; 64];
        while matches!(self.wakes.read(&mut wakes), Ok(length) if length > 0) {}
        match i32::try_from(self.caught.swap(0, Ordering::SeqCst)) {
            Ok(SIGINT) => Some(Caught::Interrupt),
            Ok(SIGTERM | SIGHUP) => Some(Caught::Terminate),
            _ => None,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for registered in self.registered.drain(..) {
            signal_hook::low_level::unregister(registered);
        }
    }
}

/// Whether a wait is to go on.
pub(super) fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock)
}
