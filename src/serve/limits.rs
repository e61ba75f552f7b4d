//! How much time and room a client gets.

use std::time::Duration;

/// The header of a request, its first line included.
pub(super) const LARGEST_HEADER: usize = 32 * 1024;

/// The address in the first line.
pub(super) const LONGEST_TARGET: usize = 8 * 1024;

/// What is kept in memory of a connection, in each direction.
pub(super) const LARGEST_BUFFER: usize = 64 * 1024;

/// What the system keeps of answers that are not read.
pub(super) const SEND_BUFFER: u32 = 128 * 1024;

/// Open files that are no connections: the database, the log, the listeners.
#[cfg(unix)]
const OTHER_FILES: u64 = 64;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// From the first byte of a request to the end of its header; for the first request of a connection, and for the
    /// TLS handshake before it, from their beginning.
    pub(crate) header: Duration,
    /// From the end of the header to the end of the body.
    pub(crate) body: Duration,
    /// For each 64 KiB that a client does not take at once.
    pub(crate) write: Duration,
    /// From an answer to the next request.
    pub(crate) idle: Duration,
    /// From the signal to the end, for requests under way.
    pub(crate) drain: Duration,
    /// Connections at once.
    pub(crate) connections: usize,
}

impl Limits {
    /// Asks the system for as many open files as it allows, and takes no more connections than fit into them.
    #[cfg(unix)]
    pub(crate) fn within_open_files(self) -> Self {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

        let before = getrlimit(Resource::Nofile);
        let most = Rlimit { current: before.maximum, maximum: before.maximum };
        let open = if setrlimit(Resource::Nofile, most).is_ok() { before.maximum } else { before.current };
        let room = open.unwrap_or(u64::MAX).saturating_sub(OTHER_FILES).max(1);
        Self { connections: self.connections.min(usize::try_from(room).unwrap_or(usize::MAX)), ..self }
    }

    #[cfg(not(unix))]
    pub(crate) fn within_open_files(self) -> Self {
        self
    }

    /// From so many connections on, each answer ends its connection: none is kept waiting for a next request.
    pub(super) const fn crowded(&self) -> usize {
        self.connections / 4 * 3
    }
}
