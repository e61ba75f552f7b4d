//! On which terms requests travel: how long they may take, whom to trust, and how much is said of them.

use std::path::PathBuf;
use std::time::Duration;

/// How long a connection may take to be made, at most.
const CONNECTING: Duration = Duration::from_secs(10);

/// What somebody chose for the road.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    /// How long one try of a request may take as a whole.
    pub(crate) timeout: Duration,
    /// How long to wait for a service that takes no requests now, and to try again.
    pub(crate) max_wait: Duration,
    pub(crate) trust: Trust,
    pub(crate) detail: Detail,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            max_wait: Duration::from_mins(1),
            trust: Trust::System,
            detail: Detail::Nothing,
        }
    }
}

impl Terms {
    /// How long a connection may take to be made.
    pub(super) fn connecting(&self) -> Duration {
        self.timeout.min(CONNECTING)
    }

    /// How long nothing may come from the service: one that hangs in the middle of its answer is given up sooner than one
    /// that takes long for all of it.
    pub(super) fn silence(&self) -> Duration {
        self.timeout * 2 / 3
    }
}

/// Who may say that a service is the one it says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The authorities that this system trusts.
    System,
    /// Those in a file of PEM, and no others. `by` is the option or variable that names it.
    Only { file: PathBuf, by: &'static str },
}

/// How much is said of requests on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    Nothing,
    /// Where each goes and how it is answered.
    Lines,
    /// Headers and bodies too.
    Everything,
}

impl Detail {
    /// So many times `-v`.
    pub(crate) const fn of(times: u8) -> Self {
        match times {
            0 => Self::Nothing,
            1 => Self::Lines,
            _ => Self::Everything,
        }
    }
}
