//! From the first signal to the end: what the process is told, and that those who serve hear of it.

use tokio::sync::{mpsc, watch};

/// What somebody outside wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGTERM: end in peace.
    Terminate,
    /// SIGINT, Ctrl-C: end in peace; once more, end now.
    Interrupt,
    /// SIGHUP: read the certificate again.
    HangUp,
}

/// The signals of this process, from now on: none of them ends it by itself any more. SIGHUP only where there is
/// something to read again: otherwise it ends the program, as it does when its terminal closes.
#[cfg(unix)]
pub(crate) fn signals(with_hang_up: bool) -> std::io::Result<mpsc::Receiver<Signal>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (send, receive) = mpsc::channel(8);
    let mut kinds = vec![(SignalKind::terminate(), Signal::Terminate), (SignalKind::interrupt(), Signal::Interrupt)];
    if with_hang_up {
        kinds.push((SignalKind::hangup(), Signal::HangUp));
    }
    for (kind, meaning) in kinds {
        let mut signals = signal(kind)?;
        let send = send.clone();
        tokio::spawn(async move { while signals.recv().await.is_some() && send.send(meaning).await.is_ok() {} });
    }
    Ok(receive)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the other systems can refuse")]
pub(crate) fn signals(_: bool) -> std::io::Result<mpsc::Receiver<Signal>> {
    let (send, receive) = mpsc::channel(8);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() && send.send(Signal::Interrupt).await.is_ok() {}
    });
    Ok(receive)
}

/// How far the process is from its end. Each of its clones is the same one.
#[derive(Debug, Clone)]
pub(crate) struct Stage(watch::Sender<Step>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Serving,
    Draining,
    Over,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Step::Serving))
    }

    pub(super) fn drain(&self) {
        self.0.send_replace(Step::Draining);
    }

    /// Whatever is still under way ends now.
    pub(super) fn end(&self) {
        self.0.send_replace(Step::Over);
    }

    pub(super) fn is_draining(&self) -> bool {
        *self.0.borrow() >= Step::Draining
    }

    /// Ends when draining begins.
    pub(super) async fn draining(&self) {
        self.reached(Step::Draining).await;
    }

    /// Ends when nothing may be under way any more.
    pub(super) async fn over(&self) {
        self.reached(Step::Over).await;
    }

    async fn reached(&self, step: Step) {
        // The sender is here: it cannot be gone.
        let _ = self.0.subscribe().wait_for(|now| *now >= step).await;
    }
}
