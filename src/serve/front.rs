//! What all connections of a listener share, and how many there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use axum::Router;
use jiff::Timestamp;
use tokio::sync::Notify;

use super::limits::Limits;
use super::log::Log;
use super::metrics::Metrics;
use super::shutdown::Stage;
use super::tls::Tls;

pub(super) struct Front {
    pub(super) router: Router,
    pub(super) limits: Limits,
    pub(super) tls: Option<Tls>,
    pub(super) behind_proxy: bool,
    pub(super) log: Log,
    pub(super) metrics: Arc<Metrics>,
    pub(super) stage: Stage,
    pub(super) now: fn() -> Timestamp,
    pub(super) random: fn(&mut [u8]),
    pub(super) places: Places,
}

impl Front {
    pub(super) fn is_crowded(&self) -> bool {
        self.places.taken() > self.limits.crowded()
    }
}

/// Places for connections.
#[derive(Default)]
pub(super) struct Places {
    taken: AtomicUsize,
    /// Connections that are told that there is no place.
    refused: AtomicUsize,
    emptied: Notify,
}

/// How many may be told at once that there is no place: others are closed without a word.
const TOLD: usize = 64;

impl Places {
    pub(super) fn taken(&self) -> usize {
        self.taken.load(SeqCst)
    }

    /// Ends when no connection is left.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.taken() == 0 {
                return;
            }
            emptied.await;
        }
    }
}

/// A connection's place, given back when dropped.
pub(super) struct Place(Arc<Front>);

impl Place {
    pub(super) fn take(front: &Arc<Front>) -> Option<Self> {
        if front.places.taken.fetch_add(1, SeqCst) >= front.limits.connections {
            front.places.taken.fetch_sub(1, SeqCst);
            front.metrics.connection_is_refused();
            return None;
        }
        front.metrics.connection_opens();
        Some(Self(Arc::clone(front)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.metrics.connection_closes();
        if self.0.places.taken.fetch_sub(1, SeqCst) == 1 {
            self.0.places.emptied.notify_waiters();
        }
    }
}

/// The place of one that is told that there is none.
pub(super) struct Standing(Arc<Front>);

impl Standing {
    pub(super) fn take(front: &Arc<Front>) -> Option<Self> {
        let standing = Self(Arc::clone(front));
        (front.places.refused.fetch_add(1, SeqCst) < TOLD).then_some(standing)
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.0.places.refused.fetch_sub(1, SeqCst);
    }
}
