//! Replicas in step: a change is answered when no replica can act on what it was before.
//!
//! Each replica follows the changes and writes how far it came. Whoever makes a change waits until every other replica has
//! followed it, or has been silent for longer than a replica may act without a sign of life. A replica measures that time
//! from before it asked, by its own steady clock, so clocks need not agree; and one that was taken for dead begins with an
//! empty memory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::cache::Cache;
use super::store::{Peer, Store, in_time};
use super::{Refusal, StoreError};

/// For how long after a sign of life a replica acts on its memory.
const TRUSTED: Duration = Duration::from_secs(2);

/// For how long a silent replica is waited for: longer than it may act.
const SILENT: Duration = Duration::from_millis(2_500);

/// Between two signs of life.
const BEAT: Duration = Duration::from_millis(500);

/// Between two looks at the changes. PostgreSQL tells of them besides; SQLite is asked in the same process.
const LOOK: Duration = Duration::from_millis(50);

/// This process as a replica, from its start to its end.
pub(super) struct Replica {
    id: String,
    trusted_until: Mutex<Option<Instant>>,
    leaving: AtomicBool,
    /// Something may have changed: look now.
    wake: Notify,
}

impl Replica {
    pub(super) fn new(id: String) -> Self {
        Self { id, trusted_until: Mutex::new(None), leaving: AtomicBool::new(false), wake: Notify::new() }
    }

    /// Whether the memory of this replica may be acted on.
    pub(super) fn is_in_step(&self) -> bool {
        let until = *self.trusted_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn trust(&self, until: Option<Instant>) {
        *self.trusted_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Ends [`Replica::follow`].
    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Follows the changes until this process leaves. Trouble with the database ends the trust in the memory by itself.
    pub(super) async fn follow(self: Arc<Self>, store: Store, cache: Arc<Cache>) {
        while !self.leaving.load(Ordering::SeqCst) {
            if self.follow_from_the_start(&store, &cache).await.is_err() {
                self.pause(LOOK).await;
            }
        }
        self.trust(None);
        tokio::time::timeout(TRUSTED, store.remove_replica(&self.id)).await.ok();
    }

    async fn follow_from_the_start(&self, store: &Store, cache: &Cache) -> Result<(), StoreError> {
        in_time(store.register_replica(&self.id)).await?;
        // From here on changes wait for this replica. What it remembers from before may be old.
        let mut seen = in_time(store.newest_change()).await?;
        cache.clear();
        let mut last_beat: Option<Instant> = None;
        while !self.leaving.load(Ordering::SeqCst) {
            let began = Instant::now();
            let changes = in_time(store.changes_after(seen)).await?;
            for changed in &changes {
                cache.forget(changed);
                seen = changed.number;
            }
            let is_due = last_beat.is_none_or(|last| last.elapsed() >= BEAT);
            if is_due || !changes.is_empty() {
                if !in_time(store.beat(&self.id, seen)).await? {
                    // Taken for dead: what happened meanwhile did not wait for us.
                    self.trust(None);
                    return Ok(());
                }
                last_beat = Some(began);
                self.trust(Some(began + TRUSTED));
            }
            self.pause(LOOK).await;
        }
        Ok(())
    }

    async fn pause(&self, time: Duration) {
        tokio::time::timeout(time, self.wake.notified()).await.ok();
    }
}

/// Waits until every replica but this one has followed as far as a change, or can act on its memory no more.
pub(super) async fn settled(store: &Store, own: Option<&Replica>, number: i64) -> Result<(), Refusal> {
    let own = own.map_or("", |replica| replica.id.as_str());
    let mut silent: Vec<(Peer, Instant)> = Vec::new();
    let mut wait = Duration::from_millis(2);
    loop {
        // The change is made, whatever comes now: that it is seen everywhere is what is not known.
        let behind = in_time(store.behind(number, own)).await.map_err(unknown)?;
        if behind.is_empty() {
            return Ok(());
        }
        let mut still = Vec::with_capacity(behind.len());
        for peer in behind {
            let since = silent.iter().find(|(known, _)| *known == peer).map_or_else(Instant::now, |(_, since)| *since);
            if since.elapsed() >= SILENT && in_time(store.remove_silent(&peer)).await.map_err(unknown)? {
                continue;
            }
            still.push((peer, since));
        }
        silent = still;
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LOOK);
    }
}

fn unknown(error: StoreError) -> StoreError {
    match error {
        StoreError::Database(cause) => StoreError::CommitUnknown(cause),
        other => other,
    }
}
