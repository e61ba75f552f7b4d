//! Keys in memory, so that the gate asks no database for a key it has seen.
//!
//! What is here is only used while this replica knows that it has followed every change ([`super::replica`]). A key that is
//! looked up while it changes is not kept: whoever fills in names the generation it began to read in, and every change
//! begins a new one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest as _, Sha256};

use super::meter::Meter;
use super::store::{Changed, Workspace};
use crate::model::key::Key;
use crate::model::secret::unhex;

/// A key, its workspace, and what its calls are counted with.
pub(super) struct Known {
    pub(super) key: Key,
    pub(super) workspace: Workspace,
    pub(super) meter: Arc<Meter>,
}

/// The SHA-256 of a key, as bytes: half the size of its digits, and looked up faster.
pub(super) type Hash = [u8; 32];

/// Shards, so that threads seldom wait for one another.
const SHARDS: usize = 64;

/// Keys in one shard at most; beyond, it begins anew. A million keys in all, some hundred bytes each.
const LARGEST_SHARD: usize = 1_000_000 / SHARDS;

/// Keys by their hash.
pub(super) struct Cache {
    shards: Vec<RwLock<HashMap<Hash, Arc<Known>>>>,
    generation: AtomicU64,
}

impl Cache {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| RwLock::default()).collect(), generation: AtomicU64::new(0) }
    }

    pub(super) fn get(&self, hash: &Hash) -> Option<Arc<Known>> {
        self.shard(hash)?.read().unwrap_or_else(PoisonError::into_inner).get(hash).map(Arc::clone)
    }

    /// To be asked before a key is read that is to be put in.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Puts a key in, unless something has changed since its reading began.
    pub(super) fn insert(&self, hash: Hash, known: Arc<Known>, began: u64) {
        let Some(shard) = self.shard(&hash) else { return };
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        // Looked at under the lock: a change raises it first and takes the lock then.
        if self.generation() != began {
            return;
        }
        if shard.len() >= LARGEST_SHARD {
            shard.clear();
        }
        shard.insert(hash, known);
    }

    pub(super) fn forget(&self, changed: &Changed) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        match changed.key_hash.as_deref().map(unhex) {
            Some(Some(hash)) => {
                let Ok(hash) = Hash::try_from(hash) else { return self.clear() };
                if let Some(shard) = self.shard(&hash) {
                    shard.write().unwrap_or_else(PoisonError::into_inner).remove(&hash);
                }
            }
            // A hash that is none says nothing of what to forget.
            Some(None) => self.clear(),
            None => {
                for shard in &self.shards {
                    let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
                    shard.retain(|_, known| known.workspace.id != changed.workspace);
                }
            }
        }
    }

    pub(super) fn clear(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        for shard in &self.shards {
            shard.write().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn shard(&self, hash: &Hash) -> Option<&RwLock<HashMap<Hash, Arc<Known>>>> {
        self.shards.get(usize::from(hash[0]) % SHARDS)
    }
}

/// The hash of a key as the cache names it.
pub(super) fn hash_of(presented: &str) -> Hash {
    Sha256::digest(presented.as_bytes()).into()
}
