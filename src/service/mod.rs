//! The engine: what `keys serve` and the profile `local` do, whatever the wire looks like.
//!
//! Every operation takes who calls ([`Caller`]), what they ask, and the time. A change runs in one transaction together
//! with its audit entry and its kept answer; it happened wholly or not at all.

mod audit;
mod authorize;
mod cache;
mod credits;
mod gate;
mod idempotency;
mod issue;
mod manage;
mod members;
mod meter;
mod records;
mod refusal;
mod replica;
mod running;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub(crate) mod trace;
mod usage;
mod workspace;

pub(crate) use authorize::Caller;
pub(crate) use gate::{Call, Owner};
pub(crate) use idempotency::{Answer, Ask, Once};
pub(crate) use members::Role;
pub(crate) use records::Collection;
pub(crate) use refusal::Refusal;
pub(crate) use running::Running;
pub(crate) use store::{AuditQuery, Database, KeyQuery, StoreError, Verified, Workspace};
pub(crate) use trace::Trace;
pub(crate) use usage::MOST_DAYS;
pub(crate) use workspace::{Agreement, NewWorkspace};

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock};

/// The engine over one database. Cheap to clone, which every layer of a router does with every request.
#[derive(Clone)]
pub(crate) struct Service(Arc<Engine>);

pub(crate) struct Engine {
    store: store::Store,
    random: fn(&mut [u8]),
    /// Changes under way that carry an Idempotency-Key, so that a twin is told so instead of waiting.
    in_flight: Arc<Mutex<HashSet<String>>>,
    cache: Arc<cache::Cache>,
    meters: meter::Meters,
    usage: Arc<usage::Usage>,
    /// Set while this process answers from memory.
    replica: OnceLock<Arc<replica::Replica>>,
}

impl Deref for Service {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.0
    }
}

impl Service {
    /// Opens the database, with at most so many connections at once, and brings its schema up to date.
    pub(crate) async fn open(database: &Database, connections: u32, random: fn(&mut [u8])) -> Result<Self, StoreError> {
        Ok(Self(Arc::new(Engine {
            store: store::Store::open(database, connections).await?,
            random,
            in_flight: Arc::default(),
            cache: Arc::new(cache::Cache::new()),
            meters: meter::Meters::default(),
            usage: Arc::default(),
            replica: OnceLock::new(),
        })))
    }

    /// Whether the database answers, within two seconds.
    pub(crate) async fn is_ready(&self) -> Result<(), StoreError> {
        self.store.answers().await
    }

    /// A new id: a prefix that tells what it names, and twelve random characters that nobody mistakes for one another.
    fn new_id(&self, prefix: &str) -> String {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut bytes = [0_u8; 12];
        (self.random)(&mut bytes);
        let digits = bytes.iter().map(|byte| char::from(DIGITS[usize::from(byte % 32)]));
        prefix.chars().chain(digits).collect()
    }

    /// Forgets what a committed change has made old, here and in every other replica, before it is answered.
    async fn settle(&self, changes: &[store::Changed]) -> Result<(), Refusal> {
        for changed in changes {
            self.cache.forget(changed);
        }
        match changes.iter().map(|changed| changed.number).max() {
            Some(newest) => replica::settled(&self.store, self.replica.get().map(AsRef::as_ref), newest).await,
            None => Ok(()),
        }
    }

    /// Waits until every replica has followed all that was changed by now, this one too. For whoever answers that something
    /// is so already: the attempt that made it so may have been cut short before anybody forgot what was before.
    async fn catch_up(&self) -> Result<(), Refusal> {
        let newest = self.store.newest_change().await?;
        if let Some(replica) = self.replica.get() {
            replica.wake();
        }
        replica::settled(&self.store, None, newest).await
    }
}
