//! What becomes of a request when somebody interrupts this program.

use std::sync::atomic::{AtomicBool, Ordering};

use super::HttpError;

/// Whether a request may have been carried out already. Shared by the one who sends it and the one who interrupts.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    /// It is out, and its answer is not here.
    out: AtomicBool,
    /// An earlier try ended without anybody knowing.
    earlier: AtomicBool,
}

impl Doubt {
    /// A change is sent from now on.
    pub(super) fn begins(&self) {
        self.out.store(true, Ordering::Relaxed);
    }

    /// It ended, and nobody knows how, or somebody does.
    pub(super) fn ends(&self, unsure: bool) {
        self.out.store(false, Ordering::Relaxed);
        self.earlier.fetch_or(unsure, Ordering::Relaxed);
    }

    /// Whether an earlier try may have done it.
    pub(super) fn is_old(&self) -> bool {
        self.earlier.load(Ordering::Relaxed)
    }

    fn is_there(&self) -> bool {
        self.out.load(Ordering::Relaxed) || self.is_old()
    }
}

/// Whether signals come to us and no longer end the process at once.
static HEARD: AtomicBool = AtomicBool::new(false);

/// Runs a request until it is answered or somebody interrupts it. From the first change on a signal no longer ends the
/// process at once: what the change made must be delivered or named. A question that changes nothing just ends, as long as
/// no signal has been asked for.
pub(super) async fn or_interrupted<T>(
    exchange: impl Future<Output = Result<T, HttpError>>,
    changes: bool,
    doubt: &Doubt,
) -> Result<T, HttpError> {
    if !changes && !HEARD.load(Ordering::Relaxed) {
        return exchange.await;
    }
    HEARD.store(true, Ordering::Relaxed);
    // Asked for before anything is sent.
    let signals = Signals::ask();
    tokio::select! {
        biased;
        result = exchange => result,
        terminated = signals.next() => Err(HttpError::Interrupted { terminated, unsure: doubt.is_there() }),
    }
}

#[cfg(unix)]
struct Signals(Option<[tokio::signal::unix::Signal; 3]>);

#[cfg(unix)]
impl Signals {
    fn ask() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        let [Ok(interrupt), Ok(terminate), Ok(hangup)] = signals else {
            return Self(None);
        };
        Self(Some([interrupt, terminate, hangup]))
    }

    /// Waits for a signal. Says whether it was one that terminates, and not Ctrl-C.
    async fn next(self) -> bool {
        let Some([mut interrupt, mut terminate, mut hangup]) = self.0 else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => false,
            _ = terminate.recv() => true,
            _ = hangup.recv() => true,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    const fn ask() -> Self {
        Self
    }

    async fn next(self) -> bool {
        match tokio::signal::ctrl_c().await {
            Ok(()) => false,
            Err(_) => std::future::pending().await,
        }
    }
}
