//! The listener in front of the routes: connections with an end, TLS, signals, health, metrics and the log.
//!
//! * [`accept`] takes connections into the places of [`front`]; [`connection`] drives one; [`request`] answers one request.
//! * [`pulse`] knows how long a connection may wait, [`stream`] and [`body`] tell it what moves; [`limits`] are the figures.
//! * [`refusal`] is what the listener itself answers.
//! * [`tls`] reads the certificate, [`shutdown`] hears signals, [`mod@health`], [`metrics`] and [`log`] are for whoever runs it.

mod accept;
mod body;
mod connection;
mod front;
mod health;
mod limits;
mod log;
mod metrics;
mod pulse;
mod refusal;
mod request;
mod shutdown;
mod stream;
#[cfg(test)]
pub(crate) mod tests;
mod tls;

pub(crate) use accept::bind;
pub(crate) use health::routes as health;
pub(crate) use limits::Limits;
pub(crate) use log::{Form, Level, Log, Requests};
pub(crate) use shutdown::{Signal, Stage, signals};
pub(crate) use tls::{Tls, TlsError};

use std::panic;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use self::front::{Front, Places};
use self::metrics::Metrics;
use crate::service::trace::whole;

/// How long connections may take to notice that they are cut off.
const LAST_LINES: Duration = Duration::from_secs(1);

/// What is served how.
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) tls: Option<Tls>,
    /// Whether the last address in X-Forwarded-For is the client's.
    pub(crate) behind_proxy: bool,
    /// A listener of its own for the metrics, if they are wanted.
    pub(crate) metrics: Option<TcpListener>,
    pub(crate) log: Log,
    pub(crate) stage: Stage,
    pub(crate) started: Timestamp,
    pub(crate) now: fn() -> Timestamp,
    pub(crate) random: fn(&mut [u8]),
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// No request was under way any more.
    Drained,
    /// The time for that was over.
    CutOff,
    /// Somebody would not wait.
    Interrupted,
}

/// Answers requests until a signal says to end, then lets those under way finish.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    settings: Settings,
    mut signals: mpsc::Receiver<Signal>,
) -> Ended {
    let Settings { limits, tls, behind_proxy, metrics: metrics_listener, log, stage, started, now, random } = settings;
    let metrics = Arc::new(Metrics::new(started));
    let front = |router, limits, tls, log, metrics, stage| {
        let places = Places::default();
        Arc::new(Front { router, limits, tls, behind_proxy, log, metrics, stage, now, random, places })
    };
    if let Some(listener) = metrics_listener {
        // Few ask for metrics, and they may until the end; what they do is not counted.
        let router = metrics::routes(Arc::clone(&metrics), log.clone());
        let (limits, nobody_counts) = (Limits { connections: 16, ..limits }, Arc::new(Metrics::new(started)));
        let asked = front(router, limits, None, log.of_events(), nobody_counts, Stage::new());
        tokio::spawn(accept::accept(listener, asked));
    }
    let front = front(request::noting_routes(router), limits, tls, log.clone(), metrics, stage);
    let accepting = tokio::spawn(accept::accept(listener, Arc::clone(&front)));
    while let Some(Signal::HangUp) = signals.recv().await {
        reload(&front);
    }
    front.stage.drain();
    // From here on the port is free for another process.
    let _ = accepting.await;
    drain(&front, &mut signals).await
}

/// Waits for the requests under way, but not for ever.
async fn drain(front: &Front, signals: &mut mpsc::Receiver<Signal>) -> Ended {
    let open = front.places.taken();
    let message = format!("Ending: no new connections, {open} to finish");
    front.log.event(Level::Info, "draining", &message, &[("connections", open.into())]);
    let again = async {
        loop {
            match signals.recv().await {
                Some(Signal::Interrupt) => return,
                Some(Signal::Terminate | Signal::HangUp) => {}
                None => std::future::pending().await,
            }
        }
    };
    let (level, ended, message) = tokio::select! {
        () = front.places.emptied() => (Level::Info, Ended::Drained, "Stopped"),
        () = tokio::time::sleep(front.limits.drain) => {
            (Level::Warning, Ended::CutOff, "Stopped, and cut off what was still under way")
        }
        () = again => (Level::Warning, Ended::Interrupted, "Stopped at once"),
    };
    let open = front.places.taken();
    front.stage.end();
    // What became of requests under way is in the log too.
    let _ = tokio::time::timeout(LAST_LINES, front.places.emptied()).await;
    front.log.event(level, "stopped", message, &[("connections", open.into())]);
    ended
}

fn reload(front: &Front) {
    let log = &front.log;
    match front.tls.as_ref().map(Tls::reload) {
        None => log.event(Level::Info, "nothing_to_reload", "There is no certificate to read again", &[]),
        Some(Ok(())) => log.event(Level::Info, "reloaded", "The certificate was read again", &[]),
        Some(Err(error)) => {
            let why = whole(&error);
            let message = "The certificate could not be read again: the one before stays in use";
            log.event(Level::Error, "reload_failed", &format!("{message}: {why}"), &[("cause", why.as_str().into())]);
        }
    }
}

/// From now on a panic is a line of the log, like all that is said. Its words are left out: they may quote anything.
pub(crate) fn log_panics(log: &Log) {
    let log = log.clone();
    panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let message = format!("keys failed at {place}: this is a fault of keys: please report it");
        log.event(Level::Error, "panic", &message, &[("place", place.as_str().into())]);
    }));
}
