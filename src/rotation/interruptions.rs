//! Whoever wants this program to end. Once a rotation has begun no signal ends it at once: it stops between two steps,
//! with the line that goes on.

#[cfg(unix)]
use futures_util::FutureExt as _;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;

/// The signals since this was made.
pub(super) struct Interruptions {
    #[cfg(unix)]
    signals: Option<[Signal; 3]>,
}

impl Interruptions {
    #[cfg(unix)]
    pub(super) fn heard() -> Self {
        let [Ok(interrupt), Ok(terminate), Ok(hangup)] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal)
        else {
            return Self { signals: None };
        };
        Self { signals: Some([interrupt, terminate, hangup]) }
    }

    #[cfg(not(unix))]
    pub(super) fn heard() -> Self {
        Self {}
    }

    /// Whether somebody has asked for the end.
    pub(super) fn pending(&mut self) -> Option<Exit> {
        #[cfg(unix)]
        return self.next().now_or_never();
        #[cfg(not(unix))]
        None
    }

    /// Ends when somebody asks for the end.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> Exit {
        let Some([interrupt, terminate, hangup]) = &mut self.signals else {
            return std::future::pending().await;
        };
        tokio::select! {
            biased;
            _ = interrupt.recv() => Exit::Interrupted,
            _ = terminate.recv() => Exit::Terminated,
            _ = hangup.recv() => Exit::Terminated,
        }
    }

    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) -> Exit {
        tokio::signal::ctrl_c().await.ok();
        Exit::Interrupted
    }
}
